/**
 * Who signed a request: the signer's address recovered from the action exactly as it was sent. Written apart from the
 * adapter's signing, so that one mistake cannot hide in both. A wrong signature recovers to some other address.
 */
import { encode } from '@msgpack/msgpack';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { PaperError } from '../errors';

export interface SignedBody {
  readonly action: Readonly<Record<string, unknown>>;
  readonly nonce: number;
  readonly signature: { readonly r: string; readonly s: string; readonly v: number };
  readonly vaultAddress: string | null;
  readonly expiresAfter: number | null;
}

export type Network = 'mainnet' | 'testnet';

const hash = (...parts: readonly Uint8Array[]): Uint8Array => keccak_256(Buffer.concat(parts));
const text = (value: string): Uint8Array => keccak_256(Buffer.from(value));
const hexBytes = (value: string, length: number): Buffer => Buffer.from(value.replace(/^0x/, '').padStart(length * 2, '0'), 'hex');
const uint64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const word = (value: number | bigint): Buffer => hexBytes(value.toString(16), 32);

/** What each user-signed action signs, in order, after `hyperliquidChain`. */
const USER_SIGNED: Readonly<Record<string, { readonly name: string; readonly fields: readonly (readonly [name: string, type: string])[] }>> = {
  usdClassTransfer: { name: 'UsdClassTransfer', fields: [['amount', 'string'], ['toPerp', 'bool'], ['nonce', 'uint64']] },
  sendAsset: { name: 'SendAsset', fields: [['destination', 'string'], ['sourceDex', 'string'], ['destinationDex', 'string'], ['token', 'string'], ['amount', 'string'], ['fromSubAccount', 'string'], ['nonce', 'uint64']] },
  withdraw3: { name: 'Withdraw', fields: [['destination', 'string'], ['amount', 'string'], ['time', 'uint64']] },
  approveAgent: { name: 'ApproveAgent', fields: [['agentAddress', 'address'], ['agentName', 'string'], ['nonce', 'uint64']] },
};

export function isUserSigned(type: string): boolean {
  return Object.hasOwn(USER_SIGNED, type);
}

/** The lower-case address that signed. Throws BAD_REQUEST where the signature is none at all. */
export function signerOf(body: SignedBody, network: Network): string {
  const type = String(body.action['type']);
  const digest = isUserSigned(type) ? userDigest(type, body.action, network) : actionDigest(body, network);
  const { r, s, v } = body.signature;
  try {
    const signature = secp256k1.Signature.fromBytes(Buffer.concat([hexBytes(r, 32), hexBytes(s, 32)])).addRecoveryBit(v - 27);
    const point = signature.recoverPublicKey(digest).toBytes(false);
    return `0x${Buffer.from(keccak_256(point.subarray(1)).subarray(12)).toString('hex')}`;
  } catch {
    throw new PaperError('BAD_REQUEST', 'Unable to recover signer.');
  }
}

function actionDigest({ action, nonce, vaultAddress, expiresAfter }: SignedBody, network: Network): Uint8Array {
  const connectionId = hash(
    encode(action),
    uint64(nonce),
    vaultAddress === null ? Buffer.of(0) : Buffer.concat([Buffer.of(1), hexBytes(vaultAddress, 20)]),
    expiresAfter === null ? Buffer.alloc(0) : Buffer.concat([Buffer.of(0), uint64(expiresAfter)]),
  );
  const agent = hash(text('Agent(string source,bytes32 connectionId)'), text(network === 'mainnet' ? 'a' : 'b'), connectionId);
  return hash(Buffer.of(0x19, 0x01), domain('Exchange', 1337), agent);
}

function userDigest(type: string, action: Readonly<Record<string, unknown>>, network: Network): Uint8Array {
  const described = USER_SIGNED[type];
  if (described === undefined) throw new PaperError('BAD_REQUEST', `no user-signed action ${type}`);
  // A message for the other network recovers to somebody else here, as it does at the venue.
  const signed = { ...action, hyperliquidChain: network === 'mainnet' ? 'Mainnet' : 'Testnet' };
  const fields: readonly (readonly [string, string])[] = [['hyperliquidChain', 'string'], ...described.fields];
  const typeHash = text(`HyperliquidTransaction:${described.name}(${fields.map(([name, kind]) => `${kind} ${name}`).join(',')})`);
  const values = fields.map(([name, kind]) => encodeValue(kind, (signed as Readonly<Record<string, unknown>>)[name]));
  const chainId = Number.parseInt(String(action['signatureChainId']), 16);
  if (!Number.isSafeInteger(chainId)) throw new PaperError('BAD_REQUEST', 'signatureChainId must be a hexadecimal number');
  return hash(Buffer.of(0x19, 0x01), domain('HyperliquidSignTransaction', chainId), hash(typeHash, ...values));
}

function encodeValue(kind: string, value: unknown): Uint8Array {
  if (kind === 'string') return text(typeof value === 'string' ? value : '');
  if (kind === 'address') return hexBytes(String(value), 32);
  return word(typeof value === 'boolean' ? Number(value) : typeof value === 'number' && Number.isSafeInteger(value) ? value : 0);
}

function domain(name: string, chainId: number): Uint8Array {
  return hash(text('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'), text(name), text('1'), word(chainId), word(0));
}
