/** A position as its fills make it: signed quantity, average entry, realized profit. Pure arithmetic, exact but for the average. */
import { decimal, decimalText, minOf, ZERO, type Decimal } from './decimal';
import type { OrderSide } from './order';

export interface HeldPosition {
  /** Signed: negative is short. */
  readonly quantity: string;
  /** null while flat. */
  readonly entryPrice: string | null;
  /** Since the first fill, fees not taken off. */
  readonly realizedPnl: string;
  readonly openedAt: string | null;
  readonly closedAt: string | null;
}

export interface PositionFill {
  readonly side: OrderSide;
  readonly price: string;
  readonly quantity: string;
  /** The venue's own figure, which wins over ours. */
  readonly realizedPnl: string | null;
  readonly at: string;
}

export interface PositionStep {
  readonly position: HeldPosition;
  /** What this fill realized. */
  readonly realizedPnl: string;
}

export const FLAT_POSITION: HeldPosition = { quantity: '0', entryPrice: null, realizedPnl: '0', openedAt: null, closedAt: null };

/** An average is a quotient and may not end: more digits than any price and quantity have together. */
export const AVERAGE_DIGITS = 30;

/** The quantity a fill adds, signed. */
export function signedQuantity(side: OrderSide, quantity: string): Decimal {
  return side === 'buy' ? decimal(quantity) : decimal(quantity).negated();
}

/** The position after one more fill: adding averages the entry, reducing realizes, crossing zero closes and opens anew. */
export function applyFill(position: HeldPosition, fill: PositionFill): PositionStep {
  const held = decimal(position.quantity);
  const added = signedQuantity(fill.side, fill.quantity);
  const price = decimal(fill.price);
  const after = held.plus(added);
  if (held.isZero() || held.isPositive() === added.isPositive()) {
    const entry = held.isZero() || position.entryPrice === null ? price : average(held, decimal(position.entryPrice), added, price);
    const realized = fill.realizedPnl ?? '0';
    return step(position, after, entry, realized, held.isZero() ? fill.at : position.openedAt, null);
  }
  const closed = minOf(held.abs(), added.abs());
  const entry = position.entryPrice === null ? price : decimal(position.entryPrice);
  const gain = price.minus(entry).times(closed);
  const realized = fill.realizedPnl ?? decimalText(held.isPositive() ? gain : gain.negated());
  if (after.isZero()) return step(position, ZERO, null, realized, position.openedAt, fill.at);
  const crossed = after.isPositive() !== held.isPositive();
  return step(position, after, crossed ? price : entry, realized, crossed ? fill.at : position.openedAt, null);
}

/** Profit of a position at a mark price, not yet realized; null without a mark or an entry. */
export function unrealizedPnl(position: Pick<HeldPosition, 'quantity' | 'entryPrice'>, markPrice: string | null): string | null {
  if (markPrice === null || position.entryPrice === null) return null;
  return decimalText(decimal(markPrice).minus(decimal(position.entryPrice)).times(decimal(position.quantity)));
}

function average(held: Decimal, entry: Decimal, added: Decimal, price: Decimal): Decimal {
  const value = held.abs().times(entry).plus(added.abs().times(price));
  return value.dividedBy(held.abs().plus(added.abs())).toSignificantDigits(AVERAGE_DIGITS).toDecimalPlaces(AVERAGE_DIGITS);
}

function step(before: HeldPosition, quantity: Decimal, entry: Decimal | null, realizedPnl: string, openedAt: string | null, closedAt: string | null): PositionStep {
  return {
    position: {
      quantity: decimalText(quantity),
      entryPrice: entry === null ? null : decimalText(entry),
      realizedPnl: decimalText(decimal(before.realizedPnl).plus(decimal(realizedPnl))),
      openedAt,
      closedAt,
    },
    realizedPnl: decimalText(realizedPnl),
  };
}
