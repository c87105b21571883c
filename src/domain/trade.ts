/**
 * Trades: round trips of one market from flat to flat, made by the fills in the order they were booked. Pure arithmetic: the
 * store keeps sums of quantity and value, so averages are taken once, when a trade is shown.
 */
import { decimal, decimalText, minOf, type Decimal } from './decimal';
import type { OrderSide } from './order';
import { AVERAGE_DIGITS, signedQuantity, type HeldPosition } from './position';

/** The sums of one round trip. Money is in the market's quote asset. */
export interface RoundTrip {
  readonly side: 'long' | 'short';
  readonly entryQuantity: string;
  /** Sum of price times quantity. */
  readonly entryValue: string;
  readonly exitQuantity: string;
  readonly exitValue: string;
  readonly realizedPnl: string;
  readonly fees: string;
  /** Received; negative was paid. */
  readonly funding: string;
  /** Its beginning is not in our fills: entry, fees and funding are what we know of it. */
  readonly carriedIn: boolean;
  readonly openedAt: string;
  readonly closedAt: string | null;
}

/** A round trip as clients see it. */
export interface Trade {
  readonly id: string;
  readonly accountId: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly status: 'open' | 'closed';
  /** All that was entered. */
  readonly quantity: string;
  readonly entryPrice: string;
  readonly exitQuantity: string;
  /** null before the first exit. */
  readonly exitPrice: string | null;
  /** Fees and funding not counted. */
  readonly realizedPnl: string;
  readonly fees: string;
  readonly funding: string;
  /** realizedPnl less fees plus funding. */
  readonly profit: string;
  /** What the money is counted in. */
  readonly asset: string;
  readonly carriedIn: boolean;
  readonly openedAt: string;
  readonly closedAt: string | null;
  readonly updatedAt: string;
}

/** A fill as a round trip counts it. */
export interface TripFill {
  readonly side: OrderSide;
  readonly price: string;
  readonly quantity: string;
  readonly realizedPnl: string;
  /** In the quote asset; negative is a rebate. */
  readonly fee: string;
  readonly at: string;
}

export interface TripStep {
  /** The round trip that this fill ended. */
  readonly ended: RoundTrip | null;
  /** The one that is open after it. */
  readonly open: RoundTrip | null;
}

/** Parts of a fee over two round trips are rounded to this; the second part is the exact rest. */
const FEE_DECIMALS = 18;

/**
 * The round trips after one more fill. `held` is the position before it and `open` its round trip; a position without one was
 * held before trades were kept. A fill that crosses zero ends one and begins another, its fee divided by quantity.
 */
export function foldTrip(open: RoundTrip | null, held: Pick<HeldPosition, 'quantity' | 'entryPrice' | 'openedAt'>, fill: TripFill): TripStep {
  const before = decimal(held.quantity);
  const added = signedQuantity(fill.side, fill.quantity);
  if (before.isZero()) return { ended: null, open: entered(null, fill, decimal(fill.quantity), decimal(fill.fee)) };
  const trip = open ?? carriedTrip(held, fill.at);
  if (before.isPositive() === added.isPositive()) return { ended: null, open: entered(trip, fill, decimal(fill.quantity), decimal(fill.fee)) };
  const closing = minOf(before.abs(), added.abs());
  const rest = added.abs().minus(closing);
  const fee = rest.isZero() ? decimal(fill.fee) : decimal(fill.fee).times(closing).dividedBy(added.abs()).toDecimalPlaces(FEE_DECIMALS);
  const after: RoundTrip = {
    ...trip,
    exitQuantity: plus(trip.exitQuantity, closing),
    exitValue: plus(trip.exitValue, closing.times(decimal(fill.price))),
    realizedPnl: plus(trip.realizedPnl, decimal(fill.realizedPnl)),
    fees: plus(trip.fees, fee),
  };
  if (!before.plus(added).isZero() && rest.isZero()) return { ended: null, open: after };
  return { ended: { ...after, closedAt: fill.at }, open: rest.isZero() ? null : entered(null, fill, rest, decimal(fill.fee).minus(fee)) };
}

/** A round trip whose beginning we have not seen. `at`: when we learned of it, where nothing says when it was opened. */
export function carriedTrip(held: Pick<HeldPosition, 'quantity' | 'entryPrice' | 'openedAt'>, at: string): RoundTrip {
  const quantity = decimal(held.quantity);
  return {
    side: quantity.isNegative() ? 'short' : 'long',
    entryQuantity: decimalText(quantity.abs()),
    entryValue: decimalText(quantity.abs().times(decimal(held.entryPrice ?? '0'))),
    exitQuantity: '0', exitValue: '0', realizedPnl: '0', fees: '0', funding: '0', carriedIn: true, openedAt: held.openedAt ?? at, closedAt: null,
  };
}

/** realizedPnl less fees plus funding. */
export function profitOf({ realizedPnl, fees, funding }: Pick<RoundTrip, 'realizedPnl' | 'fees' | 'funding'>): string {
  return decimalText(decimal(realizedPnl).minus(decimal(fees)).plus(decimal(funding)));
}

/** Average price of a sum; null of nothing. */
export function averagePrice(quantity: string, value: string): string | null {
  const whole = decimal(quantity);
  return whole.isZero() ? null : decimalText(decimal(value).dividedBy(whole).toSignificantDigits(AVERAGE_DIGITS).toDecimalPlaces(AVERAGE_DIGITS));
}

function entered(trip: RoundTrip | null, fill: TripFill, quantity: Decimal, fee: Decimal): RoundTrip {
  const value = quantity.times(decimal(fill.price));
  if (trip === null) {
    return {
      side: fill.side === 'buy' ? 'long' : 'short', entryQuantity: decimalText(quantity), entryValue: decimalText(value), exitQuantity: '0', exitValue: '0',
      realizedPnl: '0', fees: decimalText(fee), funding: '0', carriedIn: false, openedAt: fill.at, closedAt: null,
    };
  }
  // A venue's own figure may realize something while adding too.
  return { ...trip, entryQuantity: plus(trip.entryQuantity, quantity), entryValue: plus(trip.entryValue, value), realizedPnl: plus(trip.realizedPnl, decimal(fill.realizedPnl)), fees: plus(trip.fees, fee) };
}

function plus(sum: string, more: Decimal): string {
  return decimalText(decimal(sum).plus(more));
}
