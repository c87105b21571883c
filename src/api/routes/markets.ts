import { z } from 'zod';
import { isoTime } from '../../domain/clock';
import { queryInteger, venueNameSchema } from '../../schemas/fields';
import { CANDLE_INTERVALS_MS, candleListSchema, candleQuery, marketListSchema, marketSchema, MAX_CANDLES, orderBookSchema, publicTradeListSchema } from '../../schemas/markets';
import type { RouteContext } from '../route-table';
import { fundingRoutes } from './funding';
import { symbolParams, VENUE_READ_ERRORS, venueQuery } from './market-queries';
import { route, validationError, type Route } from '../route';

/** Deepest book that is passed on: the recording's 500 levels a side. */
const MAX_DEPTH = 500;
const DEFAULT_DEPTH = 50;
/** What one request of any known venue answers. */
const MAX_TRADES = 1_000;
const DEFAULT_TRADES = 100;
export function marketRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/markets',
      operationId: 'listMarkets',
      tag: 'Markets',
      summary: 'Markets and their rules',
      scope: 'read',
      query: z.strictObject({ venue: venueNameSchema.optional(), kind: z.enum(['perpetual', 'spot']).optional() }),
      responses: { 200: { description: 'The markets.', schema: marketListSchema } },
      errors: [],
      async handle({ query }) {
        const markets = await ports.markets.list(query.venue ?? null);
        return { status: 200, body: { markets: query.kind === undefined ? markets : markets.filter((market) => market.kind === query.kind) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/markets/{symbol}',
      operationId: 'getMarket',
      tag: 'Markets',
      summary: 'One market, by symbol or by the venue\'s own spelling',
      scope: 'read',
      params: symbolParams,
      query: z.strictObject(venueQuery),
      responses: { 200: { description: 'The market.', schema: marketSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, query }) {
        return { status: 200, body: await directory.findMarket(params.symbol, query.venue ?? null) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/markets/{symbol}/orderbook',
      limit: 'prices',
      operationId: 'getOrderBook',
      tag: 'Markets',
      summary: 'A market\'s order book, read from the venue now',
      scope: 'read',
      params: symbolParams,
      query: z.strictObject({ ...venueQuery, depth: queryInteger({ min: 1, max: MAX_DEPTH, fallback: DEFAULT_DEPTH, description: 'Levels a side.' }) }),
      responses: { 200: { description: 'The book.', schema: orderBookSchema } },
      errors: VENUE_READ_ERRORS,
      async handle({ params, query }) {
        const market = await directory.findMarket(params.symbol, query.venue ?? null);
        const book = await ports.venues.orderBook(market.venue, market.venueSymbol, query.depth);
        const { bids, asks, sequence } = book;
        return { status: 200, body: { venue: market.venue, symbol: market.symbol, bids: bids.slice(0, query.depth), asks: asks.slice(0, query.depth), sequence, at: isoTime(book.at) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/markets/{symbol}/trades',
      limit: 'prices',
      operationId: 'listMarketTrades',
      tag: 'Markets',
      summary: 'A market\'s newest public trades, read from the venue now',
      scope: 'read',
      params: symbolParams,
      query: z.strictObject({ ...venueQuery, limit: queryInteger({ min: 1, max: MAX_TRADES, fallback: DEFAULT_TRADES, description: 'Most trades.' }) }),
      responses: { 200: { description: 'The trades, newest first.', schema: publicTradeListSchema } },
      errors: VENUE_READ_ERRORS,
      async handle({ params, query }) {
        const { venue, symbol, venueSymbol } = await directory.findMarket(params.symbol, query.venue ?? null);
        // Venues differ in their order, and within one millisecond the venue's own is all there is.
        const trades = [...(await ports.venues.trades(venue, venueSymbol, query.limit))].sort((a, b) => b.at - a.at).slice(0, query.limit);
        return { status: 200, body: { venue, symbol, trades: trades.map(({ id, price, quantity, side, at }) => ({ id, price, quantity, side, at: isoTime(at) })) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/markets/{symbol}/candles',
      limit: 'prices',
      operationId: 'listCandles',
      tag: 'Markets',
      summary: 'A market\'s candles, read from the venue now',
      scope: 'read',
      params: symbolParams,
      query: z.strictObject({ ...venueQuery, ...candleQuery }),
      responses: { 200: { description: 'The candles, oldest first.', schema: candleListSchema } },
      errors: VENUE_READ_ERRORS,
      async handle({ params, query }) {
        const intervalMs = CANDLE_INTERVALS_MS[query.interval];
        const toMs = query.to ?? ports.clock.nowMs();
        const fromMs = query.from ?? Math.max(0, toMs - query.limit * intervalMs);
        if (fromMs >= toMs) throw validationError([{ path: 'query.from', message: 'must be before to' }]);
        const asked = Math.ceil((toMs - fromMs) / intervalMs);
        if (asked > MAX_CANDLES) throw validationError([{ path: 'query.from', message: `from and to span ${asked} candles of ${query.interval}; at most ${MAX_CANDLES} at once` }]);
        const { venue, symbol, venueSymbol } = await directory.findMarket(params.symbol, query.venue ?? null);
        const candles = [...(await ports.venues.candles(venue, venueSymbol, { intervalMs, fromMs, toMs }))].sort((a, b) => a.at - b.at).slice(-query.limit);
        return { status: 200, body: { venue, symbol, interval: query.interval, candles: candles.map(({ at, open, high, low, close, volume }) => ({ at: isoTime(at), open, high, low, close, volume })) } };
      },
    }),
    ...fundingRoutes({ ports, directory }),
  ];
}
