/**
 * The double-entry ledger: what each fact moved between an account's books. A positive amount is a debit, a negative one a
 * credit, and the amounts of one fact sum to zero in every asset. `cash` is what the account holds; the other books say why.
 */
import { decimal, decimalText, ZERO, type Decimal } from './decimal';
import type { OrderSide } from './order';

/**
 * - cash: what is held at the venue;
 * - trading: spot goods against the money they were traded for, at cost;
 * - realizedProfit: a gain is a credit, so it is negative;
 * - fees: what was paid (rebates are negative);
 * - funding: what was paid (received is negative);
 * - transfers: what came from outside the account (a credit) or left it.
 */
export const LEDGER_BOOKS = ['cash', 'trading', 'realizedProfit', 'fees', 'funding', 'transfers'] as const;
export type LedgerBook = (typeof LEDGER_BOOKS)[number];

export const LEDGER_KINDS = ['fill', 'funding', 'deposit', 'withdrawal'] as const;
export type LedgerKind = (typeof LEDGER_KINDS)[number];

export interface Posting<Book extends string = LedgerBook> {
  readonly book: Book;
  readonly asset: string;
  readonly amount: string;
}

/** One line of an account's ledger, as clients see it. */
export interface LedgerEntry extends Posting {
  readonly accountId: string;
  /** What caused it: lines with the same fact sum to zero in each asset. */
  readonly fact: string;
  readonly kind: LedgerKind;
  readonly symbol: string | null;
  readonly at: string;
}

export interface LedgerMarket {
  readonly base: string;
  readonly quote: string;
  readonly kind: 'perpetual' | 'spot';
}

export interface LedgerFill {
  readonly side: OrderSide;
  readonly price: string;
  readonly quantity: string;
  readonly fee: string;
  readonly feeAsset: string;
}

/** A perpetual moves only profit and fee; spot moves the goods and the money, and the profit out of what they cost. */
export function fillPostings(fill: LedgerFill, market: LedgerMarket, realizedPnl: string): readonly Posting[] {
  const moves = new Moves();
  const profit = decimal(realizedPnl);
  if (market.kind === 'spot') {
    const quantity = fill.side === 'buy' ? decimal(fill.quantity) : decimal(fill.quantity).negated();
    moves.move('trading', 'cash', market.base, quantity);
    moves.move('cash', 'trading', market.quote, quantity.times(decimal(fill.price)));
    moves.move('realizedProfit', 'trading', market.quote, profit);
  } else {
    moves.move('realizedProfit', 'cash', market.quote, profit);
  }
  moves.move('cash', 'fees', fill.feeAsset, decimal(fill.fee));
  return moves.postings();
}

/** `amount` as the balance changed: negative was paid. */
export function fundingPostings(asset: string, amount: string): readonly Posting[] {
  const moves = new Moves();
  moves.move('funding', 'cash', asset, decimal(amount));
  return moves.postings();
}

/** `amount` as the balance changed: a deposit is positive, a withdrawal negative. */
export function transferPostings(asset: string, amount: string): readonly Posting[] {
  const moves = new Moves();
  moves.move('transfers', 'cash', asset, decimal(amount));
  return moves.postings();
}

/** Whether the postings of one fact sum to zero in each asset. */
export function isBalanced(postings: readonly Posting<string>[]): boolean {
  const sums = new Map<string, Decimal>();
  for (const { asset, amount } of postings) sums.set(asset, (sums.get(asset) ?? ZERO).plus(decimal(amount)));
  return [...sums.values()].every((sum) => sum.isZero());
}

/** Movements of one fact: each credits one book and debits another, so their sum is zero whatever is moved. */
export class Moves<Book extends string = LedgerBook> {
  private readonly sums = new Map<string, { readonly book: Book; readonly asset: string; amount: Decimal }>();

  move(from: Book, to: Book, asset: string, amount: Decimal): void {
    this.add(from, asset, amount.negated());
    this.add(to, asset, amount);
  }

  postings(): readonly Posting<Book>[] {
    return [...this.sums.values()].filter(({ amount }) => !amount.isZero()).map(({ book, asset, amount }) => ({ book, asset, amount: decimalText(amount) }));
  }

  private add(book: Book, asset: string, amount: Decimal): void {
    const key = `${book} ${asset}`;
    const known = this.sums.get(key);
    if (known === undefined) this.sums.set(key, { book, asset, amount });
    else known.amount = known.amount.plus(amount);
  }
}
