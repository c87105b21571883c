import { z } from 'zod';
import { isoTime } from '../../domain/clock';
import { querySymbols, venueNameSchema } from '../../schemas/fields';
import { priceListSchema } from '../../schemas/markets';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

export function priceRoutes({ ports }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/prices',
      operationId: 'listPrices',
      tag: 'Markets',
      summary: 'Newest known prices',
      scope: 'read',
      query: z.strictObject({ symbols: querySymbols('Unified symbols, by comma; absent: all.'), venue: venueNameSchema.optional() }),
      responses: { 200: { description: 'One price for each venue and symbol that has one.', schema: priceListSchema } },
      errors: [],
      async handle({ query }) {
        const symbols = query.symbols ?? null;
        const tickers = await ports.prices.latest(query.venue ?? null, symbols);
        const prices = tickers.map(({ venue, symbol, bid, ask, last, mark, at }) => ({ venue, symbol, bid, ask, last, mark, at: isoTime(at) }));
        const there = new Set(prices.map((price) => price.symbol));
        return { status: 200, body: { prices, missing: [...new Set(symbols ?? [])].filter((symbol) => !there.has(symbol)) } };
      },
    }),
  ];
}
