import { z } from 'zod';
import { CONDITIONAL_TYPES } from '../../domain/order';
import { venueNameSchema } from '../../schemas/fields';
import { venueHealthSchema, venueListSchema } from '../../schemas/markets';
import { notFound } from '../errors';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';
import { VenueHealth } from '../venue-health';

export function venueRoutes({ ports }: RouteContext): Route[] {
  const health = new VenueHealth(ports);
  return [
    route({
      method: 'get',
      path: '/api/v1/venues',
      operationId: 'listVenues',
      tag: 'Markets',
      summary: 'Venues of this server and what each can do',
      scope: 'read',
      responses: { 200: { description: 'The venues.', schema: venueListSchema } },
      errors: [],
      async handle() {
        const venues = ports.venues.list().map(({ name, status, capabilities: can }) => ({
          name,
          status,
          orderTypes: can.orderTypes,
          durableOrderTypes: [...CONDITIONAL_TYPES],
          timesInForce: can.timesInForce,
          postOnly: can.postOnly,
          reduceOnly: can.reduceOnly,
          amend: can.amend,
          acknowledgement: can.acknowledgement,
          resendSafety: can.resendSafety,
          maxBatchSize: can.maxBatchSize,
          collateralMoves: [...(can.collateralMoves ?? [])],
          groupings: [...(can.groupings ?? [])],
        }));
        return { status: 200, body: { venues } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/venues/{venue}/health',
      limit: 'prices',
      operationId: 'getVenueHealth',
      tag: 'Markets',
      summary: 'How a venue fares, as this server sees it',
      scope: 'read',
      params: z.strictObject({ venue: venueNameSchema }),
      responses: { 200: { description: 'A venue that is away is 200 too: the body says so.', schema: venueHealthSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params }) {
        const state = ports.venues.list().find(({ name }) => name === params.venue);
        if (state === undefined) throw notFound('venue');
        return { status: 200, body: await health.of(state) };
      },
    }),
  ];
}
