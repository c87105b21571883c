/** The verdict on one order, from figures read under the account's lock. Pure; items of a group are judged in list order. */
import { decimal, decimalText, maxOf, sum, ZERO, type Decimal } from '../domain/decimal';
import type { ErrorCode } from '../domain/errors';
import { isPriced, onlyShrinks, requiredMargin, withOpenOrder, worstNotional, type AccountFigures, type RiskOrder } from './figures';
import { judgePriceBand } from './price-band';
import { judgeOverAccounts, type UserFigures } from './user-limits';

/** A market order is valued this much above the mark: it may fill away from it before the figures are read again. */
export const MARKET_ORDER_BUFFER = '1.02';

export type RiskVerdict =
  | { readonly verdict: 'accepted'; readonly after: AccountFigures; readonly shown: Readonly<Record<string, string | number | null>> }
  | { readonly verdict: 'denied'; readonly code: ErrorCode; readonly message: string; readonly shown: Readonly<Record<string, string | number | null>> };

/** `user`: where the account's user has limits over all accounts. */
export function judgeOrder(order: RiskOrder, figures: AccountFigures, user: UserFigures | null = null): RiskVerdict {
  const market = figures.symbols[order.symbol];
  if (market === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const deny = (code: ErrorCode, message: string, shown: Record<string, string | number | null> = {}): RiskVerdict => ({ verdict: 'denied', code, message, shown: { status: figures.status, ...shown } });

  if (order.reduceOnly) return judgeReduction(order, figures, deny);
  if (figures.status === 'HALTED') return deny('RISK_ACCOUNT_HALTED', 'the account is HALTED');
  if (figures.status === 'REDUCING') return deny('RISK_ACCOUNT_REDUCING', 'the account is REDUCING');
  const { limits } = figures;
  if (limits.allowedSymbols !== null && !limits.allowedSymbols.includes(order.symbol)) return deny('RISK_SYMBOL_NOT_ALLOWED', `${order.symbol} is not on the account's allow-list`);
  if (figures.openOrders + 1 > limits.maxOpenOrders) return deny('RISK_OPEN_ORDERS', `the account has ${figures.openOrders} open orders`, { openOrders: figures.openOrders, maxOpenOrders: limits.maxOpenOrders });
  if (figures.dailyProfit !== null && decimal(figures.dailyProfit).negated().greaterThanOrEqualTo(decimal(limits.maxDailyLoss))) return deny('RISK_DAILY_LOSS', 'the daily loss limit is reached', { dailyProfit: figures.dailyProfit, maxDailyLoss: limits.maxDailyLoss });

  const price = valuationPrice(order, market.markPrice);
  if (price === null) return deny('RISK_PRICE_UNKNOWN', `no fresh price of ${order.symbol}`);
  const outside = judgePriceBand(order, figures);
  if (outside !== null) return deny(outside.code, outside.message, outside.shown);
  const unpriced = Object.values(figures.symbols).find((symbol) => !isPriced(symbol));
  if (unpriced !== undefined) return deny('RISK_PRICE_UNKNOWN', `no fresh price of ${unpriced.symbol}, of which ${unpriced.positionQuantity} is held`, { symbol: unpriced.symbol, position: unpriced.positionQuantity });
  if (figures.dailyProfit === null) return deny('RISK_PRICE_UNKNOWN', 'the day\'s profit is not known: a price of what is held is missing');
  const notional = decimal(order.quantity).times(price);
  if (notional.greaterThan(decimal(limits.maxOrderNotional))) return deny('RISK_ORDER_NOTIONAL', `order notional ${decimalText(notional)} is above ${limits.maxOrderNotional}`, { orderNotional: decimalText(notional), maxOrderNotional: limits.maxOrderNotional });

  const after = withOpenOrder(figures, order, price);
  const marketAfter = after.symbols[order.symbol];
  if (marketAfter === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const worst = worstNotional(marketAfter, order.side);
  if (worst.greaterThan(decimal(limits.maxPositionNotional)) && !onlyShrinks(marketAfter, order.side)) {
    return deny('RISK_POSITION_NOTIONAL', `position notional could reach ${decimalText(worst)}, above ${limits.maxPositionNotional}`, { positionNotional: decimalText(worst), maxPositionNotional: limits.maxPositionNotional });
  }
  if (figures.equity === null) return deny('INSUFFICIENT_BALANCE', 'the account\'s balance was never read from the venue', { equity: null });
  const required = sum(Object.values(after.symbols).map(requiredMargin));
  const shown = { orderNotional: decimalText(notional), positionNotional: decimalText(worst), equity: figures.equity, requiredMargin: decimalText(required.toDecimalPlaces(8)), openOrders: after.openOrders, markPrice: market.markPrice, leverage: market.leverage, dailyProfit: figures.dailyProfit };
  const needsMore = required.greaterThan(sum(Object.values(figures.symbols).map(requiredMargin)));
  if (needsMore && required.greaterThan(decimal(figures.equity))) return deny('INSUFFICIENT_BALANCE', `margin ${shown.requiredMargin} needed, ${figures.equity} there`, shown);
  const breach = user === null ? null : judgeOverAccounts(order, after, user);
  if (breach !== null) return deny(breach.code, breach.message, { ...shown, ...breach.shown });
  return { verdict: 'accepted', after, shown: { status: figures.status, ...shown } };
}

/**
 * Exits pass every limit and HALTED; they need only a position on the other side, or an entry that may have made one.
 *
 * An exit larger than the position, or several that together are, is let through on purpose: the venue cuts each
 * reduce-only fill to what is held at that moment, so none of them can reverse a position, while our figure may be
 * older than its last fill and an exit held back by it (or by an UNKNOWN one before it) would leave the holder exposed.
 * What could reverse a position are ordinary orders behind a quick exit: those are counted whole, see figures.ts.
 */
function judgeReduction(order: RiskOrder, figures: AccountFigures, deny: (code: ErrorCode, message: string, shown?: Record<string, string | number | null>) => RiskVerdict): RiskVerdict {
  const market = figures.symbols[order.symbol];
  if (market === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const position = decimal(market.positionQuantity);
  const reduces = order.side === 'sell' ? position.greaterThan(ZERO) : position.lessThan(ZERO);
  // An entry may have filled of which the position does not know yet: its answer, or nothing at all, came before its fills.
  const mayReduce = decimal(order.side === 'sell' ? market.openBuyQuantity : market.openSellQuantity).greaterThan(ZERO);
  if (!reduces && !mayReduce) return deny('RISK_NOTHING_TO_REDUCE', `a reduce-only ${order.side} of ${order.symbol} has no position to reduce`, { position: market.positionQuantity });
  const price = valuationPrice(order, market.markPrice) ?? ZERO;
  const openReductions = order.side === 'buy' ? market.reduceOnlyBuyQuantity : market.reduceOnlySellQuantity;
  return { verdict: 'accepted', after: withOpenOrder(figures, order, price), shown: { status: figures.status, position: market.positionQuantity, openReductions, markPrice: market.markPrice } };
}

/**
 * What an order is valued at: its limit, but a sell never below the mark; a market order above the mark by the buffer. One that its
 * venue holds until a trigger is reached fills there at the earliest: where that is above the mark, it counts instead.
 * null without a mark where the limit bounds nothing: a sell limit says the least it may fill at, not the most.
 */
export function valuationPrice(order: RiskOrder, markPrice: string | null): Decimal | null {
  const trigger = order.condition?.triggerPrice ?? null;
  const mark = markPrice === null ? null : trigger === null ? decimal(markPrice) : maxOf(decimal(markPrice), decimal(trigger));
  if (order.limitPrice === null) return mark === null ? null : mark.times(decimal(MARKET_ORDER_BUFFER));
  const limit = decimal(order.limitPrice);
  if (order.side === 'buy') return limit;
  return mark === null ? null : maxOf(mark, limit);
}
