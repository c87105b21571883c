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
  /** Leaves of open reduce-only orders, by side: together they may not exceed the position. */
  readonly reduceOnlyBuyQuantity: string;
  readonly reduceOnlySellQuantity: string;
  /** What open entries would cost, in quote: sum of leaves times price, by side. */
  readonly openBuyNotional: string;
  readonly openSellNotional: string;
  /** Fresh mark price, or null when none is known. */
  readonly markPrice: string | null;
  readonly leverage: string;
}

export interface AccountFigures {
  readonly accountId: string;
  readonly status: AccountStatus;
  readonly limits: RiskLimits;
  /** Collateral plus unrealized profit, in quote; null when it was never read from the venue. */
  readonly equity: string | null;
  readonly openOrders: number;
  /** Realized profit of the day (UTC), fees off; negative is a loss. */
  readonly dailyProfit: string;
  readonly symbols: Readonly<Record<string, SymbolFigures>>;
}

/** An order as risk sees it. */
export interface RiskOrder {
  readonly symbol: string;
  readonly side: OrderSide;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly reduceOnly: boolean;
}

export function emptySymbol(symbol: string, markPrice: string | null, leverage: string): SymbolFigures {
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
    leverage,
  };
}

/** Margin a market can come to need: the worse of all buys filling and all sells filling, at the entry prices. */
export function requiredMargin(figures: SymbolFigures): Decimal {
  const position = decimal(figures.positionQuantity);
  const price = figures.markPrice === null ? null : decimal(figures.markPrice);
  const held = price === null ? ZERO : position.abs().times(price);
  const long = sideNotional(position, held, decimal(figures.openBuyNotional), decimal(figures.openBuyQuantity), 1);
  const short = sideNotional(position, held, decimal(figures.openSellNotional), decimal(figures.openSellQuantity), -1);
  return maxOf(long, short).dividedBy(decimal(figures.leverage));
}

/** Notional if every open order of one direction fills: orders against the position first shrink it. */
function sideNotional(position: Decimal, held: Decimal, openNotional: Decimal, openQuantity: Decimal, direction: 1 | -1): Decimal {
  const sameDirection = position.isZero() || position.isPositive() === (direction === 1);
  if (sameDirection) return held.plus(openNotional);
  if (openQuantity.lessThanOrEqualTo(position.abs())) return held;
  const excess = openQuantity.minus(position.abs()).dividedBy(openQuantity);
  return maxOf(held, openNotional.times(excess));
}

/** Largest absolute quantity the market can come to hold. */
export function worstQuantity(figures: SymbolFigures): Decimal {
  const position = decimal(figures.positionQuantity);
  return maxOf(position.plus(decimal(figures.openBuyQuantity)).abs(), position.minus(decimal(figures.openSellQuantity)).abs());
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
