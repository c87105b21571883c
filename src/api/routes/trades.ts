import { z } from 'zod';
import { idSchema } from '../../schemas/fields';
import { ledgerListQuerySchema, ledgerPageSchema, tradeListQuerySchema, tradePageSchema } from '../../schemas/trades';
import { listFilters } from '../list-filters';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

export function tradeRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/trades',
      operationId: 'listTrades',
      tag: 'Positions',
      summary: 'Trades: round trips from flat to flat, newest first',
      description: 'Each with its entry, exit, profit, fees and funding. A fill that crosses zero ends one and begins the next.',
      scope: 'read',
      query: tradeListQuerySchema,
      responses: { 200: { description: 'A page of trades.', schema: tradePageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        return { status: 200, body: await ports.trades.list({ ...(await listFilters(directory, query, userId)), status: query.status }) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/accounts/{id}/ledger',
      operationId: 'listLedger',
      tag: 'Accounts',
      summary: 'An account\'s double-entry ledger, newest first',
      description: 'Fills, fees, funding, deposits and withdrawals, each booked once. Nothing is ever changed or taken out.',
      scope: 'read',
      params: z.strictObject({ id: idSchema }),
      query: ledgerListQuerySchema,
      responses: { 200: { description: 'A page of lines.', schema: ledgerPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, query, userId }) {
        await directory.assertOwned(params.id, userId);
        return { status: 200, body: await ports.ledger.list({ userId, accountId: params.id, cursor: query.cursor ?? null, limit: query.limit }) };
      },
    }),
  ];
}
