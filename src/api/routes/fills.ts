import { fillListQuerySchema, fillPageSchema } from '../../schemas/accounts';
import { listFilters } from '../list-filters';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

export function fillRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/fills',
      operationId: 'listFills',
      tag: 'Orders',
      summary: 'Fills, newest first',
      scope: 'read',
      query: fillListQuerySchema,
      responses: { 200: { description: 'A page of fills.', schema: fillPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        return { status: 200, body: await ports.fills.list({ ...(await listFilters(directory, query, userId)), orderId: query.orderId ?? null }) };
      },
    }),
  ];
}
