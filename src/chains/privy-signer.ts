/**
 * Privy's server wallets: a wallet a user, whose key never is in our process. A policy at Privy bounds what may be signed, an authorization
 * signature proves that it is us who asks, and an idempotency key makes a repeated request the same one. We ask for signatures only
 * (eth_signTransaction, eth_signTypedData_v4): sending is ours, after the bytes are kept.
 */
import type { KeyObject } from 'node:crypto';
import { keccak256, parseTransaction, recoverTransactionAddress, recoverTypedDataAddress, type TransactionSerialized } from 'viem';
import type { SignedTransaction, UnsignedTransaction } from '../domain/chain-send';
import type { Hex } from '../domain/deposit';
import { DomainError } from '../domain/errors';
import type { MessageSigningRequest, SigningRequest, TypedMessage, WalletSigner } from '../domain/wallet-signer';
import { lower } from './evm-chain';
import { DOMAIN_FIELDS, typedDataOf } from './typed-data';
import { authorizationKey, authorizationSignature, canonicalJson, type JsonObject } from './privy-authorization';

/** Where it is remembered which wallet is whose: Privy's idempotency keys are good for a day only. */
export interface WalletBook {
  walletOf(userId: string): Promise<KnownWallet | null>;
  /** The wallet that is remembered, which is another where a process was faster. */
  keepWallet(userId: string, wallet: KnownWallet): Promise<KnownWallet>;
}

export interface KnownWallet {
  readonly walletId: string;
  readonly address: Hex;
}

export interface PrivyOptions {
  /** Without a trailing slash. */
  readonly url: string;
  readonly appId: string;
  readonly appSecret: string;
  /** PKCS #8, base64. */
  readonly authorizationKey: string;
  /** The quorum of authorization keys that owns the wallets. */
  readonly ownerId: string;
  /** What wallets may sign. A wallet without a policy may sign anything, so there is no way to leave it out. */
  readonly policyId: string;
  readonly book: WalletBook;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 6_000;
/** Privy's words of a refusal are kept in a timeline: so much of them. */
const MAX_WORDS = 200;

export class PrivySigner implements WalletSigner {
  private readonly key: KeyObject;

  constructor(private readonly options: PrivyOptions) {
    this.key = authorizationKey(options.authorizationKey);
  }

  async addressOf(userId: string): Promise<Hex> {
    return (await this.walletOf(userId)).address;
  }

  async sign({ userId, transaction, idempotencyKey }: SigningRequest): Promise<SignedTransaction> {
    const { walletId, address } = await this.walletOf(userId);
    if (address !== transaction.from) throw new Error(`${transaction.from} is not the wallet of user ${userId}`);
    const answer = await this.post(`/v1/wallets/${encodeURIComponent(walletId)}/rpc`, rpcBody(transaction), idempotencyKey);
    const bytes = (answer['data'] as JsonObject | undefined)?.['signed_transaction'];
    if (typeof bytes !== 'string' || !/^0x02[0-9a-fA-F]+$/.test(bytes)) throw silent('Privy answered without a signed transaction');
    await mustBe(bytes as TransactionSerialized<'eip1559'>, transaction);
    return { bytes: lower(bytes), hash: keccak256(lower(bytes)) };
  }

  async signMessage({ userId, from, message, idempotencyKey }: MessageSigningRequest): Promise<Hex> {
    const { walletId, address } = await this.walletOf(userId);
    if (address !== from) throw new Error(`${from} is not the wallet of user ${userId}`);
    const answer = await this.post(`/v1/wallets/${encodeURIComponent(walletId)}/rpc`, messageBody(message), idempotencyKey);
    const signature = (answer['data'] as JsonObject | undefined)?.['signature'];
    if (typeof signature !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(signature)) throw silent('Privy answered without a signature');
    // A signature of anything else, or by anybody else, recovers to another address.
    const signer = await recoverTypedDataAddress({ ...typedDataOf(message), signature: lower(signature) }).catch(() => null);
    if (signer === null || lower(signer) !== from) throw new DomainError('FORBIDDEN', 'Privy signed something else than was asked for, or with another key than the wallet\'s: it is not sent', { details: { signer: true } });
    return lower(signature);
  }

  /** Made on first use. Nobody is told an address before it is remembered, so a wallet that was made and forgotten holds nothing. */
  private async walletOf(userId: string): Promise<KnownWallet> {
    const { book, ownerId, policyId } = this.options;
    const known = await book.walletOf(userId);
    if (known !== null) return known;
    const made = await this.post('/v1/wallets', { chain_type: 'ethereum', owner_id: ownerId, policy_ids: [policyId] }, `wallet/${userId}`);
    const { id, address, policy_ids: policies } = made;
    if (typeof id !== 'string' || typeof address !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(address)) throw silent('Privy answered without a wallet');
    if (!Array.isArray(policies) || !policies.includes(policyId)) throw new DomainError('FORBIDDEN', 'Privy made a wallet without our policy: it is not used');
    return book.keepWallet(userId, { walletId: id, address: lower(address) });
  }

  /** The body leaves as the very text that was signed. */
  private async post(path: string, body: JsonObject, idempotencyKey: string): Promise<JsonObject> {
    const { url: base, appId, appSecret, timeoutMs = TIMEOUT_MS } = this.options;
    const url = `${base}${path}`;
    const headers = { 'privy-app-id': appId, 'privy-idempotency-key': idempotencyKey };
    const signature = authorizationSignature({ method: 'POST', url, body, headers }, this.key);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'privy-authorization-signature': signature, authorization: `Basic ${Buffer.from(`${appId}:${appSecret}`).toString('base64')}`, 'content-type': 'application/json' },
        body: canonicalJson(body),
        signal: AbortSignal.timeout(timeoutMs),
        redirect: 'error',
      });
      text = await response.text();
    } catch (error) {
      throw silent('Privy does not answer', error);
    }
    if (response.status === 429 || response.status >= 500) throw silent(`Privy answers ${response.status}`);
    const answer = parsed(text);
    // 400 of a policy, 401 of a signature, 403, 404: asking again brings the same.
    if (!response.ok) throw new DomainError('FORBIDDEN', `Privy refuses (${response.status}): ${wordsOf(answer)}`, { details: { signer: true } });
    if (answer === null) throw silent('Privy answered something that is no JSON');
    return answer;
  }
}

function rpcBody({ chainId, to, data, value, nonce, gas, maxFeePerGas, maxPriorityFeePerGas }: UnsignedTransaction): JsonObject {
  const hex = (integer: string): string => `0x${BigInt(integer).toString(16)}`;
  const transaction = { type: 2, chain_id: chainId, to, data, value: hex(value), nonce, gas_limit: hex(gas), max_fee_per_gas: hex(maxFeePerGas), max_priority_fee_per_gas: hex(maxPriorityFeePerGas) };
  return { method: 'eth_signTransaction', params: { transaction } };
}

function messageBody(message: TypedMessage): JsonObject {
  const { primaryType, types, ...data } = typedDataOf(message);
  return { method: 'eth_signTypedData_v4', params: { typed_data: { ...data, types: { EIP712Domain: DOMAIN_FIELDS.map((field) => ({ ...field })), ...types }, primary_type: primaryType } } };
}

/** A signer that was taken over could sign something else: what comes back is read, and its signature belongs to the wallet. */
async function mustBe(bytes: TransactionSerialized<'eip1559'>, asked: UnsignedTransaction): Promise<void> {
  const got = parseTransaction(bytes);
  const same =
    got.chainId === asked.chainId && got.nonce === asked.nonce && got.to?.toLowerCase() === asked.to && (got.data ?? '0x').toLowerCase() === asked.data && (got.value ?? 0n) === BigInt(asked.value) && got.gas === BigInt(asked.gas) && got.maxFeePerGas === BigInt(asked.maxFeePerGas) && got.maxPriorityFeePerGas === BigInt(asked.maxPriorityFeePerGas) && (got.accessList ?? []).length === 0;
  if (!same) throw new DomainError('FORBIDDEN', 'Privy signed another transaction than was asked for: it is not sent', { details: { signer: true } });
  if (lower(await recoverTransactionAddress({ serializedTransaction: bytes })) !== asked.from) throw new DomainError('FORBIDDEN', 'Privy signed with another key than the wallet\'s: it is not sent', { details: { signer: true } });
}

function parsed(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    // A proxy's page, or half an answer: null says so.
    return null;
  }
}

function wordsOf(answer: JsonObject | null): string {
  const { error, code } = answer ?? {};
  return [code, error].filter((each) => typeof each === 'string').join(': ').slice(0, MAX_WORDS) || 'no reason given';
}

/** It may have done it: the same request, with the same key, brings the same answer. */
function silent(message: string, cause?: unknown): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', message, { outcome: 'unknown', retryAfterSeconds: 2, details: { signer: true }, ...(cause === undefined ? {} : { cause }) });
}
