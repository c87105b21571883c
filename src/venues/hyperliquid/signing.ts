/**
 * Hyperliquid's two signature schemes. Pure: an action in, a signature out.
 *
 * L1 actions (orders, cancels, leverage, …): keccak(msgpack(action) + nonce + vault + expiresAfter) is the connectionId of a
 * phantom "Agent" that is signed by EIP-712; its source says the network. User-signed actions (transfers) are EIP-712
 * messages of their own. The keys' order inside an action is part of what is signed.
 * Source: hyperliquid-python-sdk 0.24.0, hyperliquid/utils/signing.py; test/vectors/hyperliquid.json holds its output.
 */
import { Encoder } from '@msgpack/msgpack';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { decimal, decimalText } from '../../domain/decimal';
import { ecdsaOfProcess, type Address, type Ecdsa } from '../ecdsa';

export type HyperliquidNetwork = 'mainnet' | 'testnet';

export interface HyperliquidSignature {
  readonly r: `0x${string}`;
  readonly s: `0x${string}`;
  readonly v: 27 | 28;
}

/** What is signed beside the action. */
export interface ActionContext {
  readonly nonce: number;
  /** The vault or subaccount acted for. */
  readonly vaultAddress: Address | null;
  /** Venue's clock, ms: refused afterwards. */
  readonly expiresAfterMs: number | null;
}

export interface Signer {
  readonly privateKey: Uint8Array;
  readonly network: HyperliquidNetwork;
  readonly ecdsa?: Ecdsa;
}

const encoder = new Encoder();
const EIP712_PREFIX = Uint8Array.of(0x19, 0x01);

/** The action as MessagePack, byte for byte as Python's msgpack.packb writes it. */
export function packAction(action: object): Uint8Array {
  return encoder.encodeSharedRef(action);
}

/** The connectionId of an L1 action. */
export function actionHash(action: object, { nonce, vaultAddress, expiresAfterMs }: ActionContext): Uint8Array {
  const packed = packAction(action);
  const bytes = Buffer.allocUnsafe(packed.length + 9 + (vaultAddress === null ? 0 : 20) + (expiresAfterMs === null ? 0 : 9));
  bytes.set(packed);
  let at = bytes.writeBigUInt64BE(BigInt(nonce), packed.length);
  at = bytes.writeUInt8(vaultAddress === null ? 0 : 1, at);
  if (vaultAddress !== null) at += bytes.write(vaultAddress.slice(2), at, 'hex');
  if (expiresAfterMs !== null) bytes.writeBigUInt64BE(BigInt(expiresAfterMs), bytes.writeUInt8(0, at));
  return keccak_256(bytes);
}

/** Signs an L1 action as an agent wallet, or as the account itself. */
export function signAction(action: object, context: ActionContext, signer: Signer): HyperliquidSignature {
  const message = Buffer.concat([AGENT_TYPE, SOURCES[signer.network], actionHash(action, context)]);
  return signDigest(digestOf(EXCHANGE_DOMAIN, message), signer);
}

/** A field of a user-signed action. */
export interface TypedField {
  readonly name: string;
  readonly type: 'string' | 'uint64' | 'bool' | 'address';
}

/** The user-signed actions we make; `hyperliquidChain` comes first in each. */
export const USER_ACTION_TYPES = {
  'HyperliquidTransaction:UsdClassTransfer': fields('hyperliquidChain:string amount:string toPerp:bool nonce:uint64'),
  'HyperliquidTransaction:SendAsset': fields('hyperliquidChain:string destination:string sourceDex:string destinationDex:string token:string amount:string fromSubAccount:string nonce:uint64'),
  'HyperliquidTransaction:Withdraw': fields('hyperliquidChain:string destination:string amount:string time:uint64'),
} as const;
export type UserActionType = keyof typeof USER_ACTION_TYPES;

/** The chain id that user-signed actions name by default (Arbitrum Sepolia's, on both networks). */
export const SIGNATURE_CHAIN_ID = '0x66eee';

/** Signs a transfer: only the account's own key may. `action` carries hyperliquidChain and signatureChainId. Throws TypeError on a missing field. */
export function signUserAction(type: UserActionType, action: Readonly<Record<string, unknown>>, signer: Signer): HyperliquidSignature {
  const described = USER_ACTION_TYPES[type];
  const typeHash = keccak(`${type}(${described.map((field) => `${field.type} ${field.name}`).join(',')})`);
  const message = Buffer.concat([typeHash, ...described.map((field) => encodeField(field, action[field.name]))]);
  const domain = domainSeparator('HyperliquidSignTransaction', BigInt(textOf(action['signatureChainId'], 'signatureChainId')));
  return signDigest(digestOf(domain, message), signer);
}

/** How the venue spells a network in user-signed actions. */
export function chainName(network: HyperliquidNetwork): 'Mainnet' | 'Testnet' {
  return network === 'mainnet' ? 'Mainnet' : 'Testnet';
}

/** Decimals of any wire number: 8 at most (float_to_wire). */
export const MAX_WIRE_DECIMALS = 8;

/** A price or size as it is signed: plain, no trailing zeros. Throws RangeError on more than 8 decimals: rounding would be a lie. */
export function wireDecimal(value: string): string {
  const parsed = decimal(value);
  if (parsed.decimalPlaces() > MAX_WIRE_DECIMALS) throw new RangeError(`${value} has more than ${MAX_WIRE_DECIMALS} decimals`);
  return decimalText(parsed);
}

function keccak(text: string): Buffer {
  return Buffer.from(keccak_256(Buffer.from(text, 'utf8')));
}

function domainSeparator(name: string, chainId: bigint): Buffer {
  const type = keccak('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)');
  return Buffer.from(keccak_256(Buffer.concat([type, keccak(name), keccak('1'), word(chainId), word(0n)])));
}

function digestOf(domain: Uint8Array, message: Uint8Array): Uint8Array {
  return keccak_256(Buffer.concat([EIP712_PREFIX, domain, keccak_256(message)]));
}

function signDigest(digest: Uint8Array, { privateKey, ecdsa = ecdsaOfProcess().ecdsa }: Signer): HyperliquidSignature {
  const { compact, recovery } = ecdsa.sign(digest, privateKey);
  const hex = Buffer.from(compact.buffer, compact.byteOffset, 64).toString('hex');
  return { r: `0x${hex.slice(0, 64)}`, s: `0x${hex.slice(64)}`, v: recovery === 0 ? 27 : 28 };
}

function word(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}

function encodeField({ name, type }: TypedField, value: unknown): Buffer {
  if (type === 'string') return keccak(textOf(value, name));
  if (type === 'address') return word(BigInt(textOf(value, name)));
  if (type === 'bool') {
    if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false`);
    return word(value ? 1n : 0n);
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new TypeError(`${name} must be a whole number`);
  return word(BigInt(value));
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a text`);
  return value;
}

function fields(text: string): readonly TypedField[] {
  return text.split(' ').map((part) => {
    const [name = '', type = ''] = part.split(':');
    return { name, type: type as TypedField['type'] };
  });
}

const EXCHANGE_DOMAIN = domainSeparator('Exchange', 1337n);
const AGENT_TYPE = keccak('Agent(string source,bytes32 connectionId)');
/** Anything but the mainnet's own address is signed as testnet by the official SDK, simulators included. */
const SOURCES: Readonly<Record<HyperliquidNetwork, Buffer>> = { mainnet: keccak('a'), testnet: keccak('b') };
