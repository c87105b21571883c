/** The verdict on one order, from figures read under the account's lock. Pure; items of a group are judged in list order. */
import { decimal, decimalText, sum, ZERO, type Decimal } from '../domain/decimal';
import type { ErrorCode } from '../domain/errors';
import { requiredMargin, withOpenOrder, worstQuantity, type AccountFigures, type RiskOrder } from './figures';

/** A market order is valued this much above the mark: it may fill away from it before the figures are read again. */
export const MARKET_ORDER_BUFFER = '1.02';

export type RiskVerdict =
  | { readonly verdict: 'accepted'; readonly after: AccountFigures; readonly shown: Readonly<Record<string, string | number | null>> }
  | { readonly verdict: 'denied'; readonly code: ErrorCode; readonly message: string; readonly shown: Readonly<Record<string, string | number | null>> };

export function judgeOrder(order: RiskOrder, figures: AccountFigures): RiskVerdict {
  const market = figures.symbols[order.symbol];
  if (market === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const deny = (code: ErrorCode, message: string, shown: Record<string, string | number | null> = {}): RiskVerdict => ({ verdict: 'denied', code, message, shown: { status: figures.status, ...shown } });

  if (order.reduceOnly) return judgeReduction(order, figures, deny);
  if (figures.status === 'HALTED') return deny('RISK_ACCOUNT_HALTED', 'the account is HALTED');
  if (figures.status === 'REDUCING') return deny('RISK_ACCOUNT_REDUCING', 'the account is REDUCING');
  const { limits } = figures;
  if (limits.allowedSymbols !== null && !limits.allowedSymbols.includes(order.symbol)) return deny('RISK_SYMBOL_NOT_ALLOWED', `${order.symbol} is not on the account's allow-list`);
  if (figures.openOrders + 1 > limits.maxOpenOrders) return deny('RISK_OPEN_ORDERS', `the account has ${figures.openOrders} open orders`, { openOrders: figures.openOrders, maxOpenOrders: limits.maxOpenOrders });
  if (decimal(figures.dailyProfit).negated().greaterThanOrEqualTo(decimal(limits.maxDailyLoss))) return deny('RISK_DAILY_LOSS', 'the daily loss limit is reached', { dailyProfit: figures.dailyProfit, maxDailyLoss: limits.maxDailyLoss });

  const price = valuationPrice(order, market.markPrice);
  if (price === null) return deny('RISK_PRICE_UNKNOWN', `no fresh price of ${order.symbol}`);
  const notional = decimal(order.quantity).times(price);
  if (notional.greaterThan(decimal(limits.maxOrderNotional))) return deny('RISK_ORDER_NOTIONAL', `order notional ${decimalText(notional)} is above ${limits.maxOrderNotional}`, { orderNotional: decimalText(notional), maxOrderNotional: limits.maxOrderNotional });

  const after = withOpenOrder(figures, order, price);
  const marketAfter = after.symbols[order.symbol];
  if (marketAfter === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const markOrPrice = market.markPrice === null ? price : decimal(market.markPrice);
  const worst = worstQuantity(marketAfter).times(markOrPrice);
  if (worst.greaterThan(decimal(limits.maxPositionNotional)) && grows(order, market.positionQuantity, figures)) {
    return deny('RISK_POSITION_NOTIONAL', `position notional could reach ${decimalText(worst)}, above ${limits.maxPositionNotional}`, { positionNotional: decimalText(worst), maxPositionNotional: limits.maxPositionNotional });
  }
  if (figures.equity === null) return deny('INSUFFICIENT_BALANCE', 'the account\'s balance was never read from the venue', { equity: null });
  const required = sum(Object.values(after.symbols).map(requiredMargin));
  const shown = { orderNotional: decimalText(notional), positionNotional: decimalText(worst), equity: figures.equity, requiredMargin: decimalText(required.toDecimalPlaces(8)), openOrders: after.openOrders, markPrice: market.markPrice, leverage: market.leverage };
  if (required.greaterThan(decimal(figures.equity))) return deny('INSUFFICIENT_BALANCE', `margin ${shown.requiredMargin} needed, ${figures.equity} there`, shown);
  return { verdict: 'accepted', after, shown: { status: figures.status, ...shown } };
}

/** Exits pass every limit and HALTED; they only may not exceed the position they reduce. */
function judgeReduction(order: RiskOrder, figures: AccountFigures, deny: (code: ErrorCode, message: string, shown?: Record<string, string | number | null>) => RiskVerdict): RiskVerdict {
  const market = figures.symbols[order.symbol];
  if (market === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const position = decimal(market.positionQuantity);
  const reduces = order.side === 'sell' ? position.greaterThan(ZERO) : position.lessThan(ZERO);
  if (!reduces) return deny('RISK_NOTHING_TO_REDUCE', `a reduce-only ${order.side} of ${order.symbol} has no position to reduce`, { position: market.positionQuantity });
  const price = valuationPrice(order, market.markPrice) ?? ZERO;
  return { verdict: 'accepted', after: withOpenOrder(figures, order, price), shown: { status: figures.status, position: market.positionQuantity, markPrice: market.markPrice } };
}

/** What an order is valued at: its limit, but a sell never below the mark; a market order above the mark by the buffer. */
function valuationPrice(order: RiskOrder, markPrice: string | null): Decimal | null {
  const mark = markPrice === null ? null : decimal(markPrice);
  if (order.limitPrice === null) return mark === null ? null : mark.times(decimal(MARKET_ORDER_BUFFER));
  const limit = decimal(order.limitPrice);
  return order.side === 'sell' && mark !== null && mark.greaterThan(limit) ? mark : limit;
}

/** Whether the order can enlarge the worst case at all; one that only shrinks an oversized position is let through. */
function grows(order: RiskOrder, positionQuantity: string, figures: AccountFigures): boolean {
  const before = figures.symbols[order.symbol];
  if (before === undefined) return true;
  const after = withOpenOrder(figures, order, ZERO).symbols[order.symbol];
  return after === undefined || worstQuantity(after).greaterThan(worstQuantity(before)) || decimal(positionQuantity).isZero();
}
