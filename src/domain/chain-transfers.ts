/** What becomes of a transfer that a chain showed: counted once it is final, voided or taken back when its block is gone. */
import { decimal } from './decimal';
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
  /** Of the block at the transfer's height; null: the node that was asked has none there, as one that lags behind. */
  readonly blockHashAtHeight: Hex | null;
  readonly neededConfirmations: number;
}

export type TransferVerdict = 'wait' | 'count' | 'void' | 'reverse' | 'keep';

/**
 * Confirmations count the block itself: a transfer in the newest block has one. That a node has no block there says nothing: endpoints
 * of one chain are not equally far. Only another block in its place is evidence that its own is gone.
 */
export function judgeTransfer(transfer: Pick<ChainTransfer, 'blockNumber' | 'blockHash'>, state: TransferState, view: ChainView): TransferVerdict {
  const counted = COUNTED_TRANSFER_STATES.has(state);
  if (state === 'voided' || state === 'reversed' || view.blockHashAtHeight === null) return 'keep';
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

type Claimant = Pick<Deposit, 'id' | 'to' | 'toAddress' | 'bridge' | 'quote' | 'received'>;

export interface AttributionFacts {
  /** The deposit whose bridge, or whose person, named this transfer's transaction. */
  readonly claimedBy: Claimant | null;
  /** Other transfers of the same transaction to the same address. */
  readonly beside: readonly ChainTransfer[];
  /** Deposits of this user to this address that are under way. */
  readonly open: readonly Claimant[];
  /** The deposit that a transfer of the same transaction, or one from the same sender within the memory, was counted for. */
  readonly paidBefore: { readonly depositId: string } | null;
  /** It comes from where a venue pays what this user asked back from it: such money is for no deposit that waits. */
  readonly isFromVenue: boolean;
  /** How long it has been final, ms. */
  readonly waitedMs: number;
  /** How long a deposit may take to claim it. */
  readonly claimWithinMs: number;
  /** The token that is taken without being announced. */
  readonly taken: Hex;
}

/**
 * Whose transfer it is. The bridge's word on the receiving transaction decides where it spoke; after a while the only deposit that
 * waits for this token. A deposit is paid once: what comes beside it, in the same transaction or from a sender who has paid before (a
 * double mint), is looked at by a person.
 */
export function attribute(transfer: ChainTransfer, facts: AttributionFacts): Attribution {
  const { claimedBy, beside, open, paidBefore, isFromVenue, waitedMs, claimWithinMs, taken } = facts;
  const claimant = claimedBy ?? open.find((deposit) => deposit.bridge?.receivingHash === transfer.txHash);
  if (claimant !== undefined) return claimOf(transfer, claimant, beside);
  if (isFromVenue && transfer.token === taken) return { kind: 'direct' };
  const waiting = open.filter((deposit) => assetOf(deposit.to) === transfer.asset && deposit.bridge?.receivingHash == null && deposit.received.length === 0);
  if (waiting.length > 0) {
    if (waitedMs < claimWithinMs) return { kind: 'wait' };
    const [only] = waiting;
    return waiting.length === 1 && only !== undefined ? claimOf(transfer, only, beside) : { kind: 'unclaimed', why: `${waiting.length} deposits wait for this token` };
  }
  if (paidBefore !== null) return { kind: 'unclaimed', why: `its sender has paid for deposit ${paidBefore.depositId} before` };
  return transfer.token === taken ? { kind: 'direct' } : { kind: 'unclaimed', why: 'not the token that is taken' };
}

function claimOf(transfer: ChainTransfer, deposit: Claimant, beside: readonly ChainTransfer[]): Attribution {
  // What goes back to the sender is not at the deposit address.
  if (transfer.to !== deposit.toAddress) return { kind: 'deposit', depositId: deposit.id };
  const [paid] = deposit.received;
  if (paid !== undefined) return { kind: 'unclaimed', why: `deposit ${deposit.id} was paid by ${paid.txHash} before` };
  const nearer = beside.find((other) => isNearer(other, transfer, deposit));
  return nearer === undefined ? { kind: 'deposit', depositId: deposit.id } : { kind: 'unclaimed', why: `log ${nearer.logIndex} of its transaction pays deposit ${deposit.id}` };
}

/** Which of two is the deposit's: the one in the token that was asked for, then the one nearer to what was quoted, then the first. */
function isNearer(one: ChainTransfer, other: ChainTransfer, { to, quote }: Claimant): boolean {
  const asked = assetOf(to);
  if ((one.asset === asked) !== (other.asset === asked)) return one.asset === asked;
  const off = ({ amount }: ChainTransfer) => (quote === null ? decimal('0') : decimal(amount).minus(decimal(quote.receive)).abs());
  const order = off(one).comparedTo(off(other));
  return order === 0 ? one.logIndex < other.logIndex : order < 0;
}
