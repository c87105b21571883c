/** A withdrawal: the token that deposits become, from the user's wallet to an address of the user's list, after a second person's word. */
import type { ChainToken, Hex } from './deposit';

export const WITHDRAWAL_STATES = ['AWAITING_APPROVAL', 'APPROVED', 'SIGNED', 'SUBMITTED', 'COMPLETED', 'FAILED', 'REFUSED', 'CANCELED', 'EXPIRED'] as const;
export type WithdrawalState = (typeof WITHDRAWAL_STATES)[number];

export const ENDED_WITHDRAWAL_STATES: ReadonlySet<WithdrawalState> = new Set(['COMPLETED', 'FAILED', 'REFUSED', 'CANCELED', 'EXPIRED']);
/** Nothing was signed: it may be called off, and what it reserved is free again. */
export const UNSIGNED_WITHDRAWAL_STATES: ReadonlySet<WithdrawalState> = new Set(['AWAITING_APPROVAL', 'APPROVED']);

export const WITHDRAWAL_DECISIONS = ['approve', 'refuse'] as const;
export type WithdrawalDecision = (typeof WITHDRAWAL_DECISIONS)[number];

/** Its transaction, as far as it is known. */
export interface WithdrawalTransaction {
  readonly nonce: number;
  /** The newest that was signed, or the one that was mined. */
  readonly hash: Hex;
  readonly earlierHashes: readonly Hex[];
  readonly confirmations: number;
  readonly neededConfirmations: number;
  /** In the chain's coin; null until it is final. */
  readonly gasFee: string | null;
}

export interface Withdrawal {
  readonly id: string;
  readonly userId: string;
  readonly state: WithdrawalState;
  /** Why it is where it is, for machines; null where nothing is unusual. */
  readonly reason: string | null;
  readonly token: ChainToken;
  readonly amount: string;
  readonly fromAddress: Hex;
  readonly toAddress: Hex;
  /** Who asked for it, and who decided on it: never the same. */
  readonly requestedBy: string;
  readonly decidedBy: string | null;
  readonly note: string | null;
  readonly transaction: WithdrawalTransaction | null;
  /** What it is where nobody asked for it by itself: a deposit that goes on to the account of a venue. Its approval is the deposit's request. */
  readonly funding?: { readonly depositId: string; readonly accountId: string };
  readonly revision: number;
  readonly approveBefore: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A step of its timeline. */
export interface WithdrawalStep {
  readonly number: number;
  readonly at: string;
  readonly fact: string;
  readonly state: WithdrawalState;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An address that withdrawals may go to. */
export interface WithdrawalAddress {
  readonly id: string;
  readonly userId: string;
  readonly address: Hex;
  readonly label: string;
  readonly createdAt: string;
  /** A new one waits: a thief who adds one is seen before it can be used. */
  readonly usableAt: string;
  readonly removedAt: string | null;
}

/** Why nothing should be sent there: contracts that we know would keep it. null: not known. `contracts` are those that deposits call. */
export function payeeFault(address: Hex, { token, contracts }: { readonly token: string; readonly contracts: readonly string[] }): string | null {
  const is = (other: string): boolean => other.trim().toLowerCase() === address.toLowerCase();
  if (is(token)) return 'this is the token\'s own contract: what is sent there is lost';
  return contracts.some(is) ? 'this is a contract that deposits call: what is sent there is lost' : null;
}

/** The name of its transaction among all that we send. */
export function withdrawalSendId(withdrawalId: string): string {
  return `withdrawal/${withdrawalId}`;
}
