/** The figures an order is judged by, read under the account's row lock, and how one more order changes them. */
import { decimal, decimalText, maxOf, ZERO, type Decimal } from '../domain/decimal';
import type { AccountStatus, RiskLimits } from '../domain/account';
import type { OrderSide } from '../domain/order';

/** One market of the account: what is held and what may still come. Quantities are in base units. */
export interface SymbolFigures {
  readonly symbol: string;
  /** Signed: negative is short. */
  readonly positionQuantity: string;
  /** Leaves of open buys, UNKNOWN ones counted whole. Reduce-only orders are left out: they can only shrink a position. */
  readonly openBuyQuantity: string;
  readonly openSellQuantity: string;
  /** Leaves of open reduce-only orders, by side. Shown, never a limit: judge.ts says why. */
  readonly reduceOnlyBuyQuantity: string;
  readonly reduceOnlySellQuantity: string;
  /** What open entries would cost, in quote: sum of leaves times price, by side. */
  readonly openBuyNotional: string;
  readonly openSellNotional: string;
  /** Fresh mark price, or null when none is known. */
  readonly markPrice: string | null;
  /** Fresh best prices, what a market order would meet; null where the venue shows none. */
  readonly bidPrice: string | null;
  readonly askPrice: string | null;
  readonly leverage: string;
}

export interface AccountFigures {
  readonly accountId: string;
  readonly status: AccountStatus;
  readonly limits: RiskLimits;
  /** Collateral plus unrealized profit, in quote; null when it was never read from the venue. */
  readonly equity: string | null;
  readonly openOrders: number;
  /**
   * Profit since the UTC day's start, negative is a loss: what was realized, fees off, and what the unrealized profit changed
   * by. null while a held market has no fresh mark.
   */
  readonly dailyProfit: string | null;
  /** Of what is held, at fresh marks; null while a held market has none. */
  readonly unrealizedPnl: string | null;
  readonly symbols: Readonly<Record<string, SymbolFigures>>;
}

/** An order as risk sees it. */
export interface RiskOrder {
  readonly symbol: string;
  readonly side: OrderSide;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly reduceOnly: boolean;
  /** What the venue waits for before it works the order; absent where it waits for nothing. */
  readonly condition?: { readonly triggerPrice: string | null } | undefined;
}

export function emptySymbol(symbol: string, markPrice: string | null, leverage: string, best: { readonly bid: string | null; readonly ask: string | null } | null = null): SymbolFigures {
  return {
    symbol,
    positionQuantity: '0',
    openBuyQuantity: '0',
    openSellQuantity: '0',
    reduceOnlyBuyQuantity: '0',
    reduceOnlySellQuantity: '0',
    openBuyNotional: '0',
    openSellNotional: '0',
    markPrice,
    bidPrice: best?.bid ?? null,
    askPrice: best?.ask ?? null,
    leverage,
  };
}

/**
 * Margin a market can come to need, in quote: the worse of all buys filling and all sells filling, at their own prices.
 *
 * Orders against the position are counted whole, as if it were gone: an exit may close it before they fill. So no order
 * in which things fill, reduce-only ones included, needs more than this. Throws RangeError where a held position has no
 * mark or the leverage is not positive: an unreadable figure must not count as nothing.
 */
export function requiredMargin(figures: SymbolFigures): Decimal {
  const position = decimal(figures.positionQuantity);
  const leverage = decimal(figures.leverage);
  if (leverage.lessThanOrEqualTo(ZERO)) throw new RangeError(`leverage of ${figures.symbol} is ${figures.leverage}, it must be above 0`);
  if (!isPriced(figures)) throw new RangeError(`no mark price of ${figures.symbol}, of which ${figures.positionQuantity} is held`);
  const held = figures.markPrice === null ? ZERO : position.times(decimal(figures.markPrice));
  const long = maxOf(held, ZERO).plus(decimal(figures.openBuyNotional));
  const short = maxOf(held.negated(), ZERO).plus(decimal(figures.openSellNotional));
  return maxOf(long, short).dividedBy(leverage);
}

/** Whether what is held can be valued; nothing held needs no price. */
export function isPriced(figures: SymbolFigures): boolean {
  return figures.markPrice !== null || decimal(figures.positionQuantity).isZero();
}

/** Largest quantity the market can come to hold in the direction of `side`: all of it fills, and what is against it is gone before. */
export function worstQuantity(figures: SymbolFigures, side: OrderSide): Decimal {
  const position = decimal(figures.positionQuantity);
  return side === 'buy' ? maxOf(position, ZERO).plus(decimal(figures.openBuyQuantity)) : maxOf(position.negated(), ZERO).plus(decimal(figures.openSellQuantity));
}

/** What the position could come to in the direction of `side`, at the mark; without one nothing is held and only bounded buys are open. */
export function worstNotional(market: SymbolFigures, side: OrderSide): Decimal {
  return market.markPrice === null ? decimal(market.openBuyNotional) : worstQuantity(market, side).times(decimal(market.markPrice));
}

/** Orders against an oversized position, together no larger than it, cannot make anything worse and are let through. */
export function onlyShrinks(market: SymbolFigures, side: OrderSide): boolean {
  const position = decimal(market.positionQuantity);
  return side === 'buy' ? decimal(market.openBuyQuantity).lessThanOrEqualTo(position.negated()) : decimal(market.openSellQuantity).lessThanOrEqualTo(position);
}

/** The figures once the order is open and nothing of it has filled. `price` values it: its limit, or the mark. */
export function withOpenOrder(figures: AccountFigures, order: RiskOrder, price: Decimal): AccountFigures {
  const before = figures.symbols[order.symbol];
  if (before === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const quantity = decimal(order.quantity);
  const add = (value: string, more: Decimal): string => decimalText(decimal(value).plus(more));
  const after: SymbolFigures = order.reduceOnly
    ? order.side === 'buy'
      ? { ...before, reduceOnlyBuyQuantity: add(before.reduceOnlyBuyQuantity, quantity) }
      : { ...before, reduceOnlySellQuantity: add(before.reduceOnlySellQuantity, quantity) }
    : order.side === 'buy'
      ? { ...before, openBuyQuantity: add(before.openBuyQuantity, quantity), openBuyNotional: add(before.openBuyNotional, quantity.times(price)) }
      : { ...before, openSellQuantity: add(before.openSellQuantity, quantity), openSellNotional: add(before.openSellNotional, quantity.times(price)) };
  return { ...figures, openOrders: figures.openOrders + 1, symbols: { ...figures.symbols, [order.symbol]: after } };
}
