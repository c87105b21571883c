import { venueListSchema } from '../../schemas/markets';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

export function venueRoutes({ ports }: RouteContext): Route[] {
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
          timesInForce: can.timesInForce,
          postOnly: can.postOnly,
          reduceOnly: can.reduceOnly,
          amend: can.amend,
          acknowledgement: can.acknowledgement,
          resendSafety: can.resendSafety,
          maxBatchSize: can.maxBatchSize,
        }));
        return { status: 200, body: { venues } };
      },
    }),
  ];
}
