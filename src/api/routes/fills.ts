import { fillListQuerySchema, fillPageSchema } from '../../schemas/accounts';
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
        const accountId = query.accountId ?? null;
        await directory.assertOwned(accountId, userId);
        const page = await ports.fills.list({ userId, accountId, symbol: query.symbol ?? null, venue: query.venue ?? null, orderId: query.orderId ?? null, cursor: query.cursor ?? null, limit: query.limit });
        return { status: 200, body: page };
      },
    }),
  ];
}
