/** What an order would meet in a book as it is now: level by level, best first. Pure; changes nothing. */
import { decimal, decimalText, minOf, ZERO, type Decimal } from './decimal';
import type { BookLevel, OrderBook } from './market';
import type { OrderSide, TimeInForce } from './order';

export interface WalkedOrder {
  readonly side: OrderSide;
  readonly timeInForce: TimeInForce;
  readonly quantity: string;
  /** null: a market order. */
  readonly limitPrice: string | null;
  readonly postOnly: boolean;
}

/** `quantity` + `restingQuantity` + `unfilledQuantity` is the order's quantity. */
export interface ExpectedFill {
  /** What would fill at once. */
  readonly quantity: string;
  /** Null where nothing would fill. */
  readonly averagePrice: string | null;
  readonly worstPrice: string | null;
  /** The best price of the other side; null where it is empty. */
  readonly bestPrice: string | null;
  /** How much worse the average is than the best, in basis points; null where nothing would fill. */
  readonly slippageBps: string | null;
  /** What would stay in the book at the limit. */
  readonly restingQuantity: string;
  /** What would be given up: the rest of IOC and market orders, all of a FOK or post-only order that cannot be. */
  readonly unfilledQuantity: string;
  /** True where the order reaches beyond the levels that are known. */
  readonly beyondBook: boolean;
}

const BPS = 10_000;
/** A quotient may not end: enough digits for any tick. */
const AVERAGE_DIGITS = 18;
const BPS_DECIMALS = 4;

/** `takeable`: at most this much may fill, though more is asked for (reduce-only); null: all of it. */
export function expectedFill(order: WalkedOrder, book: Pick<OrderBook, 'bids' | 'asks'>, takeable: string | null): ExpectedFill {
  const levels = order.side === 'buy' ? book.asks : book.bids;
  const asked = decimal(order.quantity);
  const wanted = takeable === null ? asked : minOf(asked, decimal(takeable));
  const reached = walk(levels, wanted, order);
  const crosses = reached.quantity.greaterThan(ZERO);
  const isKilled = order.postOnly ? crosses : order.timeInForce === 'FOK' && reached.quantity.lessThan(asked);
  const filled = isKilled ? { quantity: ZERO, value: ZERO, worstPrice: null } : reached;
  const rests = !isKilled && order.limitPrice !== null && (order.timeInForce === 'GTC' || order.timeInForce === 'GTD');
  const left = wanted.minus(filled.quantity);
  const resting = rests ? left : ZERO;
  const best = levels[0]?.[0] ?? null;
  const average = filled.quantity.isZero() ? null : filled.value.dividedBy(filled.quantity);
  return {
    quantity: decimalText(filled.quantity),
    averagePrice: average === null ? null : decimalText(average.toSignificantDigits(AVERAGE_DIGITS)),
    worstPrice: filled.worstPrice,
    bestPrice: best,
    slippageBps: average === null || best === null ? null : decimalText(worse(order.side, average, decimal(best)).toDecimalPlaces(BPS_DECIMALS)),
    restingQuantity: decimalText(resting),
    unfilledQuantity: decimalText(asked.minus(filled.quantity).minus(resting)),
    beyondBook: reached.isExhausted && reached.quantity.lessThan(wanted),
  };
}

function walk(levels: readonly BookLevel[], wanted: Decimal, { side, limitPrice }: WalkedOrder): { quantity: Decimal; value: Decimal; worstPrice: string | null; isExhausted: boolean } {
  const limit = limitPrice === null ? null : decimal(limitPrice);
  let quantity = ZERO;
  let value = ZERO;
  let worstPrice: string | null = null;
  for (const [price, there] of levels) {
    const isBeyond = limit !== null && (side === 'buy' ? decimal(price).greaterThan(limit) : decimal(price).lessThan(limit));
    if (isBeyond || quantity.greaterThanOrEqualTo(wanted)) return { quantity, value, worstPrice, isExhausted: false };
    const taken = minOf(decimal(there), wanted.minus(quantity));
    quantity = quantity.plus(taken);
    value = value.plus(taken.times(decimal(price)));
    worstPrice = price;
  }
  return { quantity, value, worstPrice, isExhausted: true };
}

function worse(side: OrderSide, average: Decimal, best: Decimal): Decimal {
  const difference = side === 'buy' ? average.minus(best) : best.minus(average);
  return difference.dividedBy(best).times(BPS);
}
