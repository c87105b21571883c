/**
 * Orders that have ended, as sums. Whoever places orders for as long as it takes carries the newest of them by name and the others as these:
 * what it carries is an argument and an answer in Temporal, which ends a workflow for good by more than 2 MB. The sums are read from the rows at
 * each look, as those of all that are not carried by name: what is heard late of one of them is counted where it stands, once.
 */
import { decimal, decimalText, maxOf, ZERO, type Decimal } from './decimal';

export interface FoldedOrders {
  readonly count: number;
  readonly filledQuantity: string;
  /** Of what filled, at its prices: in the market's quote currency. */
  readonly value: string;
  /** In `feeAsset`; negative is a rebate. */
  readonly fee: string;
  readonly feeAsset: string | null;
}

/** Of the orders that somebody placed: some by name, in no order, and the sums of the others. */
export interface PartlyFolded<Of> {
  readonly orders: readonly Of[];
  readonly folded: FoldedOrders;
}

export const NONE_FOLDED: FoldedOrders = { count: 0, filledQuantity: '0', value: '0', fee: '0', feeAsset: null };

/** So many that have ended are carried by name at least: a person reads the newest, and nobody's next step depends on more of one kind. */
export const NAMED_ENDED = 20;

/** What is told of an order; who is told of no fee counts none. */
export interface FoldableOrder {
  readonly filledQuantity: string;
  readonly avgPrice: string | null;
  readonly fee?: string;
  readonly feeAsset?: string | null;
}

export interface FoldedFigures {
  readonly quantity: Decimal;
  readonly value: Decimal;
  readonly fee: Decimal;
  readonly feeAsset: string | null;
}

export function figuresOfFolded({ filledQuantity, value, fee, feeAsset }: FoldedOrders): FoldedFigures {
  return { quantity: decimal(filledQuantity), value: decimal(value), fee: decimal(fee), feeAsset };
}

/** An average is a quotient: times a quantity it has more digits than a text may have, and than any money. */
export const VALUE_PLACES = 36;

export function foldedWith(folded: FoldedOrders, orders: readonly FoldableOrder[]): FoldedOrders {
  let { quantity, value, fee, feeAsset } = figuresOfFolded(folded);
  for (const order of orders) {
    quantity = quantity.plus(decimal(order.filledQuantity));
    value = value.plus(valueOf(order));
    fee = fee.plus(decimal(order.fee ?? '0'));
    feeAsset = order.feeAsset ?? feeAsset;
  }
  return { count: folded.count + orders.length, filledQuantity: decimalText(quantity), value: decimalText(value), fee: decimalText(fee), feeAsset };
}

/** Those that are carried by name again. They may have filled more since: what is left is then less than it was, and never negative. */
export function foldedWithout(folded: FoldedOrders, orders: readonly FoldableOrder[]): FoldedOrders {
  let { quantity, value, fee } = figuresOfFolded(folded);
  for (const order of orders) {
    quantity = maxOf(quantity.minus(decimal(order.filledQuantity)), ZERO);
    value = maxOf(value.minus(valueOf(order)), ZERO);
    fee = fee.minus(decimal(order.fee ?? '0'));
  }
  return { ...folded, count: Math.max(folded.count - orders.length, 0), filledQuantity: decimalText(quantity), value: decimalText(value), fee: decimalText(fee) };
}

function valueOf({ filledQuantity, avgPrice }: FoldableOrder): Decimal {
  return avgPrice === null ? ZERO : decimal(filledQuantity).times(decimal(avgPrice)).toDecimalPlaces(VALUE_PLACES);
}
