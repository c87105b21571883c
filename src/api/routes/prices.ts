import { z } from 'zod';
import { isoTime } from '../../domain/clock';
import type { Market, Ticker } from '../../domain/market';
import { optionalQueryInteger, querySymbols, symbolSchema, venueNameSchema } from '../../schemas/fields';
import { priceDetailSchema, priceListSchema } from '../../schemas/markets';
import { notFound } from '../errors';
import { MarketFigures } from '../market-figures';
import type { AgedTicker } from '../ports';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';
import { venueQuery } from './market-queries';

/** Older prices than a day are of no use to anyone who asks for an age. */
const MAX_AGE_LIMIT_MS = 86_400_000;

export function priceRoutes({ ports, directory, log, caches }: RouteContext): Route[] {
  const figures = new MarketFigures(ports, log, caches.priceMs);
  return [
    route({
      method: 'get',
      path: '/api/v1/prices',
      limit: 'prices',
      operationId: 'listPrices',
      tag: 'Markets',
      summary: 'Newest known prices',
      scope: 'read',
      query: z.strictObject({ symbols: querySymbols('Unified symbols, by comma; absent: all.'), venue: venueNameSchema.optional() }),
      responses: { 200: { description: 'One price for each venue and symbol that has one.', schema: priceListSchema } },
      errors: [],
      async handle({ query }) {
        const symbols = query.symbols ?? null;
        const prices = ports.prices.latest(query.venue ?? null, symbols).map(({ ticker }) => shownTicker(ticker));
        const there = new Set(prices.map((price) => price.symbol));
        return { status: 200, body: { prices, missing: [...new Set(symbols ?? [])].filter((symbol) => !there.has(symbol)) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/prices/{symbol}',
      limit: 'prices',
      operationId: 'getPrice',
      tag: 'Markets',
      summary: 'One market\'s price, with its age',
      description: 'The newest the market-data stream brought. Where that is older than maxAgeMs, or there is none, the venue is asked now.',
      scope: 'read',
      params: z.strictObject({ symbol: symbolSchema }),
      query: z.strictObject({ ...venueQuery, maxAgeMs: optionalQueryInteger({ min: 0, max: MAX_AGE_LIMIT_MS, description: 'Oldest price to be content with. Absent: any, and `stale` tells.' }) }),
      responses: { 200: { description: 'The price.', schema: priceDetailSchema } },
      errors: ['NOT_FOUND', 'RATE_LIMITED', 'VENUE_REJECTED', 'VENUE_UNAVAILABLE', 'VENUE_TIMEOUT'],
      async handle({ params, query }) {
        const market = await directory.findMarket(params.symbol, query.venue ?? null);
        const [streamed] = ports.prices.latest(market.venue, [market.symbol]);
        const isYoungEnough = streamed !== undefined && (query.maxAgeMs === undefined || streamed.ageMs <= query.maxAgeMs);
        const { ticker, ageMs, stale } = isYoungEnough ? streamed : await askedNow(market);
        const { volume24h, funding } = await figures.of(market);
        return { status: 200, body: { ...shownTicker(ticker), volume24h, funding, source: isYoungEnough ? 'stream' : 'venue', ageMs, stale } };
      },
    }),
  ];

  async function askedNow(market: Market): Promise<AgedTicker> {
    const ticker = (await ports.venues.tickers(market.venue)).find(({ symbol }) => symbol === market.symbol || symbol === market.venueSymbol);
    if (ticker === undefined) throw notFound(`price: ${market.venue} shows none of ${market.symbol} now`);
    return { ticker: { ...ticker, symbol: market.symbol }, ageMs: 0, stale: false };
  }
}

function shownTicker({ venue, symbol, bid, ask, last, mark, at }: Ticker): { readonly [field: string]: string | null } {
  return { venue, symbol, bid, ask, last, mark, at: isoTime(at) };
}
