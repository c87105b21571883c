import { z } from 'zod';
import { isoTime } from '../../domain/clock';
import { queryInteger, symbolSchema, venueNameSchema } from '../../schemas/fields';
import { marketListSchema, marketSchema, orderBookSchema } from '../../schemas/markets';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

/** Deepest book that is passed on: the recording's 500 levels a side. */
const MAX_DEPTH = 500;
const DEFAULT_DEPTH = 50;

const venueQuery = { venue: venueNameSchema.optional().meta({ description: 'May be absent where one venue only has the market.' }) };
const symbolParams = z.strictObject({ symbol: symbolSchema });

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
      operationId: 'getOrderBook',
      tag: 'Markets',
      summary: 'A market\'s order book, read from the venue now',
      scope: 'read',
      params: symbolParams,
      query: z.strictObject({ ...venueQuery, depth: queryInteger({ min: 1, max: MAX_DEPTH, fallback: DEFAULT_DEPTH, description: 'Levels a side.' }) }),
      responses: { 200: { description: 'The book.', schema: orderBookSchema } },
      errors: ['NOT_FOUND', 'RATE_LIMITED', 'VENUE_REJECTED', 'VENUE_UNAVAILABLE', 'VENUE_TIMEOUT'],
      async handle({ params, query }) {
        const market = await directory.findMarket(params.symbol, query.venue ?? null);
        const book = await ports.venues.orderBook(market.venue, market.venueSymbol, query.depth);
        const { bids, asks, sequence } = book;
        return { status: 200, body: { venue: market.venue, symbol: market.symbol, bids: bids.slice(0, query.depth), asks: asks.slice(0, query.depth), sequence, at: isoTime(book.at) } };
      },
    }),
  ];
}
