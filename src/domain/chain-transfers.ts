/** What becomes of a transfer that a chain showed: counted once it is final, voided or taken back when its block is gone. */
import { assetOf, type ChainTransfer, type Deposit, type Hex } from './deposit';

/**
 * seen: in a block, not counted yet; deposit, direct, unclaimed: counted as that; voided: its block went away before it was
 * counted; reversed: after.
 */
export const TRANSFER_STATES = ['seen', 'deposit', 'direct', 'unclaimed', 'voided', 'reversed'] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];
export const COUNTED_TRANSFER_STATES: ReadonlySet<TransferState> = new Set(['deposit', 'direct', 'unclaimed']);

/** How the chain stands while a transfer is judged. */
export interface ChainView {
  readonly headNumber: number;
  /** Of the block at the transfer's height; null where there is none. */
  readonly blockHashAtHeight: Hex | null;
  readonly neededConfirmations: number;
}

export type TransferVerdict = 'wait' | 'count' | 'void' | 'reverse' | 'keep';

/** Confirmations count the block itself: a transfer in the newest block has one. */
export function judgeTransfer(transfer: Pick<ChainTransfer, 'blockNumber' | 'blockHash'>, state: TransferState, view: ChainView): TransferVerdict {
  const counted = COUNTED_TRANSFER_STATES.has(state);
  if (state === 'voided' || state === 'reversed') return 'keep';
  if (view.blockHashAtHeight !== transfer.blockHash) return counted ? 'reverse' : 'void';
  if (counted) return 'keep';
  return view.headNumber - transfer.blockNumber + 1 >= view.neededConfirmations ? 'count' : 'wait';
}

export type Attribution =
  | { readonly kind: 'deposit'; readonly depositId: string }
  | { readonly kind: 'direct' }
  | { readonly kind: 'unclaimed'; readonly why: string }
  /** A deposit may claim it yet. */
  | { readonly kind: 'wait' };

export interface AttributionFacts {
  /** Deposits of this user to this address that are under way. */
  readonly open: readonly Pick<Deposit, 'id' | 'state' | 'to' | 'bridge'>[];
  /** The deposit that a transfer of the same transaction, or one from the same sender within the memory, was counted for. */
  readonly paidBefore: { readonly depositId: string } | null;
  /** How long it has been final, ms. */
  readonly waitedMs: number;
  /** How long a deposit may take to claim it. */
  readonly claimWithinMs: number;
  /** The token that is taken without being announced. */
  readonly taken: Hex;
}

/**
 * Whose transfer it is. The bridge's word on the receiving transaction decides where it spoke; after a while the only deposit that
 * waits for this token. A sender who has paid for a deposit before pays twice (a double mint): a person looks at that.
 */
export function attribute(transfer: ChainTransfer, facts: AttributionFacts): Attribution {
  const { open, paidBefore, waitedMs, claimWithinMs, taken } = facts;
  const named = open.find((deposit) => deposit.bridge?.receivingHash === transfer.txHash);
  if (named !== undefined) return { kind: 'deposit', depositId: named.id };
  const waiting = open.filter((deposit) => assetOf(deposit.to) === transfer.asset && deposit.bridge?.receivingHash == null);
  if (waiting.length > 0) {
    if (waitedMs < claimWithinMs) return { kind: 'wait' };
    const [only] = waiting;
    return waiting.length === 1 && only !== undefined ? { kind: 'deposit', depositId: only.id } : { kind: 'unclaimed', why: `${waiting.length} deposits wait for this token` };
  }
  if (paidBefore !== null) return { kind: 'unclaimed', why: `its sender has paid for deposit ${paidBefore.depositId} before` };
  return transfer.token === taken ? { kind: 'direct' } : { kind: 'unclaimed', why: 'not the token that is taken' };
}
