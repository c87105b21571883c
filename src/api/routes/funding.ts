/** What perpetuals charge their holders: now, next, and in the past. */
import { z } from 'zod';
import { isoTime } from '../../domain/clock';
import { DEFAULT_FUNDING_SPAN_MS, fundingHistoryQuery, fundingHistorySchema, fundingRateSchema, MAX_FUNDING_SPAN_MS } from '../../schemas/markets';
import { unprocessable } from '../order-intent';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';
import { symbolParams, VENUE_READ_ERRORS, venueQuery } from './market-queries';

const DAY_MS = 24 * 60 * 60 * 1000;

export function fundingRoutes({ ports, directory }: Pick<RouteContext, 'ports' | 'directory'>): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/markets/{symbol}/funding',
      limit: 'prices',
      operationId: 'getFunding',
      tag: 'Markets',
      summary: 'A perpetual\'s funding rate, read from the venue now',
      scope: 'read',
      params: symbolParams,
      query: z.strictObject(venueQuery),
      responses: { 200: { description: 'The rate of the current period, and what is expected next, as fractions.', schema: fundingRateSchema } },
      errors: [...VENUE_READ_ERRORS, 'UNPROCESSABLE'],
      async handle({ params, query }) {
        const { venue, symbol, venueSymbol, kind } = await directory.findMarket(params.symbol, query.venue ?? null);
        if (kind === 'spot') throw unprocessable('symbol', symbol, 'a spot market has no funding');
        const { rate, predicted = null, nextAt, at } = await ports.venues.funding(venue, venueSymbol);
        return { status: 200, body: { venue, symbol, rate, predicted, nextAt: nextAt === null ? null : isoTime(nextAt), at: isoTime(at) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/markets/{symbol}/funding/history',
      limit: 'prices',
      operationId: 'listFunding',
      tag: 'Markets',
      summary: 'What a perpetual has charged, read from the venue now',
      scope: 'read',
      params: symbolParams,
      query: z.strictObject({ ...venueQuery, ...fundingHistoryQuery }),
      responses: { 200: { description: 'The rates, oldest first.', schema: fundingHistorySchema } },
      errors: [...VENUE_READ_ERRORS, 'UNPROCESSABLE'],
      async handle({ params, query }) {
        const toMs = query.to ?? ports.clock.nowMs();
        const fromMs = query.from ?? Math.max(0, toMs - DEFAULT_FUNDING_SPAN_MS);
        if (fromMs >= toMs) throw validationError([{ path: 'query.from', message: 'must be before to' }]);
        if (toMs - fromMs > MAX_FUNDING_SPAN_MS) throw validationError([{ path: 'query.from', message: `must be at most ${MAX_FUNDING_SPAN_MS / DAY_MS} days before to` }]);
        const { venue, symbol, venueSymbol, kind } = await directory.findMarket(params.symbol, query.venue ?? null);
        if (kind === 'spot') throw unprocessable('symbol', symbol, 'a spot market has no funding');
        const rates = await ports.venues.fundingHistory(venue, venueSymbol, fromMs, toMs);
        if (rates === null) throw unprocessable('venue', venue, `${venue} does not tell what it charged`);
        const newest = [...rates].sort((a, b) => a.at - b.at).slice(-query.limit);
        return { status: 200, body: { venue, symbol, rates: newest.map(({ at, rate }) => ({ at: isoTime(at), rate })) } };
      },
    }),
  ];
}
