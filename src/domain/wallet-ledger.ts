/**
 * The double-entry ledger of what a user has outside any venue account: at the deposit address, between chains, under a
 * question mark. The same rules as ledger.ts: a positive amount is a debit, and the amounts of a fact sum to zero in each asset.
 */
import { decimal, decimalText, maxOf, sum, ZERO } from './decimal';
import { assetOf, type ChainTransfer, type Deposit } from './deposit';
import type { DepositFact } from './deposit-state';
import { Moves, type Posting } from './ledger';

/**
 * - wallet: what the user has at the deposit address;
 * - inTransit: what left the source chain and has not arrived;
 * - conversion: what was sent against what arrived for it, each in its own asset;
 * - fees: gas that was paid, and what venues keep of money that comes back;
 * - suspense: what arrived, or did not, and nobody can say yet whose it is;
 * - reserved: what is set aside in the wallet for something that is under way;
 * - transfers: the world outside (a credit: it came from there).
 */
export const WALLET_BOOKS = ['wallet', 'inTransit', 'conversion', 'fees', 'suspense', 'reserved', 'transfers'] as const;
export type WalletBook = (typeof WALLET_BOOKS)[number];
export type WalletPosting = Posting<WalletBook>;

export const WALLET_LEDGER_KINDS = ['source', 'arrival', 'refund', 'direct', 'unclaimed', 'writeOff', 'reversal', 'release', 'withdrawal', 'venueFee'] as const;
export type WalletLedgerKind = (typeof WALLET_LEDGER_KINDS)[number];

/** What one fact posts. `fact` names it for ever among its user's: the same name is never booked twice. */
export interface WalletFact {
  readonly fact: string;
  readonly kind: WalletLedgerKind;
  readonly postings: readonly WalletPosting[];
}

/** Whom the ledger's lines belong to, where an account's id stands otherwise. */
export function walletHolder(userId: string): string {
  return `user:${userId}`;
}

/** A transfer is counted once, whatever block it is in: the n-th time counts reversals, when a chain took it back and gave it again. */
export function transferName({ chainId, txHash, logIndex }: Pick<ChainTransfer, 'chainId' | 'txHash' | 'logIndex'>, reversals: number): string {
  return `transfer/${chainId}/${txHash}/${logIndex}${reversals === 0 ? '' : `/${reversals + 1}`}`;
}

/**
 * What the books hold of a deposit: every unit of what was sent is between the chains, converted, refunded or written off, and what
 * arrived is in the wallet. A fact posts the difference of two such standings, so that the ledger always is the sum of them.
 */
export function standingOf(deposit: Deposit): readonly WalletPosting[] {
  const moves = new Moves<WalletBook>();
  if (deposit.sourceOutcome === null) return [];
  const gas = deposit.source?.gasFee ?? null;
  if (gas !== null) moves.move('transfers', 'fees', `gas@${deposit.from.chainId}`, decimal(gas));
  if (deposit.sourceOutcome === 'reverted') return moves.postings();
  const [asset, amount] = [assetOf(deposit.from), decimal(deposit.amount)];
  const back = sum(deposit.refunds.map((refund) => refund.amount));
  if (deposit.received.length > 0) {
    moves.move('transfers', 'conversion', asset, amount);
  } else if (back.isPositive() && !back.isZero()) {
    // What a refund keeps back is what the attempt cost; what it gives beyond is in the user's own wallet, outside of these books.
    moves.move('transfers', 'fees', asset, maxOf(ZERO, amount.minus(back)));
  } else {
    moves.move('transfers', deposit.writtenOff ? 'suspense' : 'inTransit', asset, amount);
  }
  for (const each of deposit.received) moves.move('conversion', 'wallet', each.asset, decimal(each.amount));
  // The venue kept it of what it paid back; the transfer that came is booked as everything that comes to the wallet.
  const order = deposit.destination?.order;
  if (order?.state === 'RETURNED' && order.back !== null) moves.move('transfers', 'fees', assetOf(deposit.to), decimal(order.back.fee));
  return moves.postings();
}

/** What moved between two standings. */
export function postingsBetween(before: readonly WalletPosting[], after: readonly WalletPosting[]): readonly WalletPosting[] {
  const moved = new Map<string, WalletPosting>();
  const add = ({ book, asset, amount }: WalletPosting, sign: 1 | -1): void => {
    const key = `${book} ${asset}`;
    moved.set(key, { book, asset, amount: decimalText(decimal(moved.get(key)?.amount ?? '0').plus(decimal(amount).times(sign))) });
  };
  for (const posting of before) add(posting, -1);
  for (const posting of after) add(posting, 1);
  return [...moved.values()].filter(({ amount }) => amount !== '0');
}

/** How the fact is booked; null where it moves no money. `reversals`: how often its transfer was taken back before. */
export function walletFactOf(before: Deposit, after: Deposit, fact: DepositFact, reversals = 0): WalletFact | null {
  const postings = postingsBetween(standingOf(before), standingOf(after));
  if (postings.length === 0) return null;
  const transfer = 'transfer' in fact ? transferName(fact.transfer, reversals) : '';
  switch (fact.kind) {
    case 'destinationFinal':
      return { fact: transfer, kind: 'arrival', postings };
    case 'refundFinal':
      return { fact: transfer, kind: 'refund', postings };
    case 'creditReversed':
    case 'refundReversed':
      return { fact: `${transfer}/reversed`, kind: 'reversal', postings };
    case 'returnArrived':
      return { fact: `deposit/${before.id}/${before.revision + 1}`, kind: 'venueFee', postings };
    case 'decided':
      return { fact: `deposit/${before.id}/${before.revision + 1}`, kind: 'writeOff', postings };
    default:
      return { fact: `deposit/${before.id}/${before.revision + 1}`, kind: 'source', postings };
  }
}

/** What came to the deposit address without being announced: the user's (direct), or under a question mark (unclaimed). */
export function unannounced(transfer: ChainTransfer, kind: 'direct' | 'unclaimed', reversals: number): WalletFact {
  const moves = new Moves<WalletBook>();
  moves.move('transfers', kind === 'direct' ? 'wallet' : 'suspense', transfer.asset, decimal(transfer.amount));
  return { fact: transferName(transfer, reversals), kind, postings: moves.postings() };
}

/** The chain took it back. */
export function unannouncedReversed(transfer: ChainTransfer, kind: 'direct' | 'unclaimed', reversals: number): WalletFact {
  const moves = new Moves<WalletBook>();
  moves.move(kind === 'direct' ? 'wallet' : 'suspense', 'transfers', transfer.asset, decimal(transfer.amount));
  return { fact: `${transferName(transfer, reversals)}/reversed`, kind: 'reversal', postings: moves.postings() };
}

/** An operator took it out of suspense. What it is from then on is booked anew, as after one more reversal. */
export function releasedFromSuspense(transfer: ChainTransfer, reversals: number): WalletFact {
  return { ...unannouncedReversed(transfer, 'unclaimed', reversals), fact: `${transferName(transfer, reversals)}/released`, kind: 'release' };
}
