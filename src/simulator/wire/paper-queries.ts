/** The reading routes of the paper venue: public market data, and an account's orders, fills, positions and balances. */
import { type Account, balanceView, positionView } from '../account';
import { PaperError } from '../errors';
import { historyStart } from '../fault-effects';
import { chargedRates, fundingTimeAfter, fundingView } from '../funding';
import { liquidationPrice } from '../maintenance';
import { COLLATERAL, marketView } from '../market';
import { type Order, fillView, orderView, tradeView } from '../order';
import type { PaperVenue } from '../paper-venue';
import { CANDLE_BASE_MS } from '../tape';

/** Page sizes of lists. */
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
/** Client ids in one GET /orders: what fits into a URL. */
const MAX_CLIENT_IDS = 200;
const DEFAULT_DEPTH = 50;
const MAX_DEPTH = 1_000;

export type Query = URLSearchParams;

export function getTime(venue: PaperVenue): string {
  return JSON.stringify({ time: venue.clock.now() });
}

export function getMarkets(venue: PaperVenue): string {
  return JSON.stringify({ markets: [...venue.exchange.state.venues.values()].map(({ market }) => marketView(market)) });
}

export function getOrderbook(venue: PaperVenue, query: Query): string {
  const symbol = required(query, 'symbol');
  const depth = integer(query, 'depth', DEFAULT_DEPTH, 1, MAX_DEPTH);
  const { book } = venue.exchange.state.venue(symbol);
  const { sequence } = book;
  return JSON.stringify({ symbol, bids: book.view('buy', depth), asks: book.view('sell', depth), sequence, time: venue.clock.now() });
}

export function getTrades(venue: PaperVenue, query: Query): string {
  const trades = venue.marketData.tape(required(query, 'symbol')).recentTrades(integer(query, 'limit', DEFAULT_LIMIT, 1, MAX_LIMIT));
  return JSON.stringify({ trades: trades.map(tradeView) });
}

export function getCandles(venue: PaperVenue, query: Query): string {
  const tape = venue.marketData.tape(required(query, 'symbol'));
  const intervalMs = integer(query, 'intervalMs', CANDLE_BASE_MS, CANDLE_BASE_MS);
  if (intervalMs % CANDLE_BASE_MS !== 0) throw new PaperError('BAD_REQUEST', `intervalMs must be a multiple of ${CANDLE_BASE_MS}`);
  const to = integer(query, 'to', venue.clock.now() + 1);
  const candles = tape.between(intervalMs, integer(query, 'from', 0), to).slice(-MAX_LIMIT);
  return JSON.stringify({
    candles: candles.map((candle) => ({
      time: candle.time,
      open: candle.open.toFixed(),
      high: candle.high.toFixed(),
      low: candle.low.toFixed(),
      close: candle.close.toFixed(),
      volume: candle.volume.toFixed(),
    })),
  });
}

export function getFunding(venue: PaperVenue, query: Query): string {
  const { market, funding } = venue.exchange.state.venue(required(query, 'symbol'));
  if (market.kind === 'spot') throw new PaperError('BAD_REQUEST', `${market.symbol} is a spot market: it has no funding`);
  const time = venue.clock.now();
  const nextFundingTime = funding.nextAt ?? fundingTimeAfter(time, funding.intervalMs);
  return JSON.stringify({ symbol: market.symbol, rate: funding.rate.toFixed(), intervalMs: funding.intervalMs, nextFundingTime, time });
}

/** GET /funding-rates: what was charged from one time to another, inclusive, oldest first; at most a year of them. */
export function getFundingRates(venue: PaperVenue, query: Query): string {
  const { market, funding } = venue.exchange.state.venue(required(query, 'symbol'));
  if (market.kind === 'spot') throw new PaperError('BAD_REQUEST', `${market.symbol} is a spot market: it has no funding`);
  const now = venue.clock.now();
  const [from, to] = [integer(query, 'from', 0), Math.min(integer(query, 'to', now), now)];
  return JSON.stringify({ symbol: market.symbol, rates: chargedRates(funding, from, to).map(({ time, rate }) => ({ time, rate: rate.toFixed() })) });
}

export function getTickers(venue: PaperVenue): string {
  const time = venue.clock.now();
  return JSON.stringify({ tickers: [...venue.exchange.state.venues.keys()].map((symbol) => ({ ...venue.marketData.ticker(symbol), time })) });
}

/** GET /orders: by client ids, the open ones, or the closed ones from a time on (in the order they closed). */
export function getOrders(venue: PaperVenue, account: Account, query: Query): string {
  const start = historyStart(venue, account.name);
  const shown = (order: Order): boolean => !venue.hidden(order) && (order.status === 'open' || order.updatedAt >= start);
  const clientIds = query.get('clientIds');
  if (clientIds !== null) {
    const ids = clientIds.split(',').filter((id) => id !== '');
    if (ids.length > MAX_CLIENT_IDS) throw new PaperError('BAD_REQUEST', `at most ${MAX_CLIENT_IDS} clientIds`);
    const found = ids.map((id) => account.orders.get(id)).filter((order) => order !== undefined);
    return JSON.stringify({ orders: found.filter(shown).map(orderView) });
  }
  const symbol = query.get('symbol');
  const status = query.get('status');
  if (status === 'open') {
    const open = [...account.open].filter((order) => shown(order) && (symbol === null || order.symbol === symbol));
    return JSON.stringify({ orders: open.map(orderView) });
  }
  if (status !== 'closed') throw new PaperError('BAD_REQUEST', 'give clientIds, status=open or status=closed');
  const from = integer(query, 'from', 0);
  const limit = integer(query, 'limit', DEFAULT_LIMIT, 1, MAX_LIMIT);
  const orders: Order[] = [];
  let index = integer(query, 'cursor', 0);
  for (; index < account.closed.length && orders.length < limit; index += 1) {
    const order = account.closed[index] as Order;
    if (order.updatedAt >= from && shown(order) && (symbol === null || order.symbol === symbol)) orders.push(order);
  }
  const next = index < account.closed.length ? { next: String(index) } : {};
  return JSON.stringify({ orders: orders.map(orderView), ...next });
}

/** GET /fills, ordered by time then number; the cursor is the last one shown. */
export function getFills(venue: PaperVenue, account: Account, query: Query): string {
  const historyFrom = historyStart(venue, account.name);
  const from = Math.max(integer(query, 'from', 0), historyFrom);
  const limit = integer(query, 'limit', DEFAULT_LIMIT, 1, MAX_LIMIT);
  const [afterTime, afterIndex] = readFillCursor(query.get('cursor'));
  const { orders } = venue.exchange.state;
  const later = account.fills.filter((fill) => {
    if (fill.time < from || fill.time < afterTime || (fill.time === afterTime && fill.index <= afterIndex)) return false;
    const order = orders.get(fill.orderId);
    return order === undefined || !venue.hidden(order);
  });
  // The clock may have been set back between two fills: the list is in order of number, not always of time.
  later.sort((a, b) => a.time - b.time || a.index - b.index);
  const page = later.slice(0, limit);
  const last = page[page.length - 1];
  const next = later.length > page.length && last !== undefined ? { next: `${last.time}:${last.index}` } : {};
  // Said as a real venue's documentation would: fills older than this are gone from this list.
  const truncated = Number.isFinite(historyFrom) ? { truncatedBefore: historyFrom } : {};
  return JSON.stringify({ fills: page.map(fillView), ...next, ...truncated });
}

/** GET /funding-payments, in the order they were booked; the cursor is the last one shown. */
export function getFundingPayments(venue: PaperVenue, account: Account, query: Query): string {
  const from = Math.max(integer(query, 'from', 0), historyStart(venue, account.name));
  const limit = integer(query, 'limit', DEFAULT_LIMIT, 1, MAX_LIMIT);
  const after = integer(query, 'cursor', 0);
  const later = account.fundingPayments.filter(({ index, time }) => index > after && time >= from);
  const page = later.slice(0, limit);
  const last = page[page.length - 1];
  const next = later.length > page.length && last !== undefined ? { next: String(last.index) } : {};
  return JSON.stringify({ payments: page.map(fundingView), ...next });
}

export function getPositions(venue: PaperVenue, account: Account): string {
  const { markOf } = venue.exchange.state;
  const held = [...account.holdings.values()].filter((holding) => !holding.quantity.isZero());
  return JSON.stringify({ positions: held.map((holding) => positionView(holding, markOf, liquidationPrice(account, holding, markOf))) });
}

export function getBalances(venue: PaperVenue, account: Account): string {
  const assets = new Set([COLLATERAL, ...account.balances.keys()]);
  return JSON.stringify({ balances: [...assets].map((asset) => balanceView(account, asset, venue.exchange.state.markOf)) });
}

function readFillCursor(cursor: string | null): [time: number, index: number] {
  if (cursor === null) return [-Infinity, -1];
  const match = /^(\d{1,15}):(\d{1,15})$/.exec(cursor);
  if (match === null) throw new PaperError('BAD_REQUEST', 'cursor must be the next of an earlier page');
  return [Number(match[1]), Number(match[2])];
}

function required(query: Query, name: string): string {
  const value = query.get(name);
  if (value === null || value === '') throw new PaperError('BAD_REQUEST', `${name} is required`);
  return value;
}

/** A non-negative integer of the query, with its default and bounds. */
export function integer(query: Query, name: string, fallback: number, minimum = 0, maximum = Number.MAX_SAFE_INTEGER): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value) || value < minimum) {
    throw new PaperError('BAD_REQUEST', `${name} must be an integer of at least ${minimum}`);
  }
  return Math.min(value, maximum);
}
