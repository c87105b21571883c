/**
 * Transactions that we send: signed once, kept before they leave, and sent again unchanged until the chain shows what became of them.
 * The chain takes one transaction per signer and nonce, so whatever is sent twice happens once; a nonce never changes its transaction.
 */
import { decimal, decimalText, maxOf } from './decimal';
import type { Hex } from './deposit';

/** What a transaction does. Integers in the smallest unit, as text. */
export interface ChainCall {
  readonly chainId: number;
  readonly from: Hex;
  readonly to: Hex;
  readonly data: Hex;
  /** In wei. */
  readonly value: string;
}

/**
 * - allocated: it has its nonce, nothing is signed;
 * - signed: its bytes are kept, and may have left;
 * - succeeded, reverted: a final block holds it;
 * - displaced: a final block holds another transaction of its nonce: it can never happen;
 * - released: given up before anything was signed; its nonce is free again.
 */
export const CHAIN_SEND_STATES = ['allocated', 'signed', 'succeeded', 'reverted', 'displaced', 'released'] as const;
export type ChainSendState = (typeof CHAIN_SEND_STATES)[number];
export const ENDED_SEND_STATES: ReadonlySet<ChainSendState> = new Set(['succeeded', 'reverted', 'displaced', 'released']);

/** What was signed. A later version differs in its fee alone. */
export interface SignedVersion {
  readonly version: number;
  readonly hash: Hex;
  /** In wei per gas. */
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
  readonly signedAt: string;
}

export interface ChainSend {
  readonly id: string;
  readonly userId: string;
  readonly call: ChainCall;
  readonly nonce: number;
  readonly state: ChainSendState;
  /** Oldest first. */
  readonly versions: readonly SignedVersion[];
  /** The block that holds it, once it is final. */
  readonly blockNumber: number | null;
  /** Which version was mined, or which transaction took its nonce. */
  readonly minedHash: Hex | null;
  /** What it cost, in the chain's coin. */
  readonly gasFee: string | null;
}

/** In wei per gas. */
export interface ChainFees {
  readonly baseFeePerGas: string;
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
}

/** What is given to a signer: the whole transaction. */
export interface UnsignedTransaction extends ChainCall {
  readonly nonce: number;
  readonly gas: string;
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
}

export interface SignedTransaction {
  /** As a node takes it. */
  readonly bytes: Hex;
  readonly hash: Hex;
}

/**
 * The nonce that is given next: the lowest that neither the chain has used nor one of our own transactions holds. What was released is
 * lower than what came after it, so it is taken first: no gap stays open below a nonce that is given.
 * `taken`: nonces of our transactions that were not released, in any order.
 */
export function freeNonce(usedByChain: number, taken: readonly number[]): number {
  const held = new Set(taken);
  let nonce = usedByChain;
  while (held.has(nonce)) nonce += 1;
  return nonce;
}

/** Names of what takes a nonce that was given and is nobody's any more: a transfer of nothing from the signer to itself. */
export const FILLER_PREFIX = 'filler/';

export function fillerId({ chainId, from }: ChainCall, nonce: number): string {
  return `${FILLER_PREFIX}${chainId}/${from}/${nonce}`;
}

/** The nonce that no transaction has and that stops `nonce` from being mined; null: none does. */
export function blockingNonce(nonce: number, usedByChain: number, taken: readonly number[]): number | null {
  const free = freeNonce(usedByChain, taken);
  return free < nonce ? free : null;
}

/** A node replaces a waiting transaction when both of its fees rise by a tenth; an eighth leaves room for rounding. */
const BUMP = '1.125';

/** Fees of the next version of a transaction whose fee the chain has outgrown; null: the newest version can still be mined. */
export function raisedFees(newest: Pick<SignedVersion, 'maxFeePerGas' | 'maxPriorityFeePerGas'>, now: ChainFees): Pick<ChainFees, 'maxFeePerGas' | 'maxPriorityFeePerGas'> | null {
  if (decimal(newest.maxFeePerGas).greaterThanOrEqualTo(decimal(now.baseFeePerGas))) return null;
  const raised = (old: string, wanted: string): string => decimalText(maxOf(decimal(old).times(decimal(BUMP)).ceil(), decimal(wanted)));
  return { maxFeePerGas: raised(newest.maxFeePerGas, now.maxFeePerGas), maxPriorityFeePerGas: raised(newest.maxPriorityFeePerGas, now.maxPriorityFeePerGas) };
}
