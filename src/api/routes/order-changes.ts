import { z } from 'zod';
import { DomainError } from '../../domain/errors';
import type { Order } from '../../domain/order';
import { itemResultsSchema, type ItemResult } from '../../schemas/errors';
import { idSchema, PAGE_LIMIT, queryFlag, symbolSchema } from '../../schemas/fields';
import { answerTimeoutQuery, orderAmendmentSchema, orderSchema } from '../../schemas/orders';
import { notFound, toDomainError } from '../errors';
import { CANCELS_AT_ONCE } from '../limits';
import { listFilters, type ListFilters } from '../list-filters';
import type { ApiPorts } from '../ports';
import { itemResult, type Reply } from '../replies';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';

const orderParams = z.strictObject({ id: idSchema });

export function orderChangeRoutes({ ports, mutations, directory, recentOrders }: RouteContext): Route[] {
  return [
    route({
      method: 'patch',
      path: '/api/v1/orders/{id}',
      operationId: 'amendOrder',
      tag: 'Orders',
      summary: 'Amend a working or an armed order',
      scope: 'trade',
      params: orderParams,
      query: z.strictObject(answerTimeoutQuery),
      headers: z.object({ 'if-match': z.string().optional().meta({ description: 'The revision you saw, as in the ETag. Required: 428 without it.' }) }),
      body: orderAmendmentSchema,
      responses: {
        200: { description: 'The venue has the new terms.', schema: orderSchema, headers: ['ETag', 'Location'] },
        202: { description: 'Recorded; the venue has not answered yet.', schema: orderSchema, headers: ['ETag', 'Location'] },
      },
      errors: ['NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED', 'PRECONDITION_REQUIRED', 'RATE_LIMITED', 'UNPROCESSABLE', 'VENUE_REJECTED'],
      async handle({ params, query, headers, body, userId }) {
        const revision = revisionOf(headers['if-match']);
        const order = await ownOrder(ports, params.id, userId);
        const { limitPrice = null, quantity = null, ...condition } = body;
        return mutations.amend(order, revision, { limitPrice, quantity, ...(Object.keys(condition).length === 0 ? {} : { condition }) }, query.timeoutMs);
      },
    }),
    route({
      method: 'delete',
      isExit: true,
      path: '/api/v1/orders/{id}',
      operationId: 'cancelOrder',
      tag: 'Orders',
      summary: 'Cancel an order',
      description: 'Pursued until the order\'s outcome is evidence, also while the order is SUBMITTING or UNKNOWN. A repeat is harmless.',
      scope: 'trade',
      params: orderParams,
      query: z.strictObject(answerTimeoutQuery),
      responses: {
        200: { description: 'Canceled.', schema: orderSchema, headers: ['ETag', 'Location'] },
        202: { description: 'Recorded; pendingCancel until the venue has answered.', schema: orderSchema, headers: ['ETag', 'Location'] },
      },
      errors: ['NOT_FOUND', 'CONFLICT', 'RATE_LIMITED', 'VENUE_REJECTED'],
      async handle({ params, query, userId }) {
        return mutations.cancel(recentOrders.open(params.id, userId) ?? (await ownOrder(ports, params.id, userId)), query.timeoutMs);
      },
    }),
    route({
      method: 'delete',
      isExit: true,
      path: '/api/v1/orders',
      operationId: 'cancelOrders',
      tag: 'Orders',
      summary: 'Cancel all open orders of an account, or of all accounts',
      scope: 'trade',
      query: z.strictObject({
        accountId: idSchema.optional().meta({ description: 'Required, unless all=true.' }),
        all: queryFlag('All accounts.'),
        symbol: symbolSchema.optional(),
        ...answerTimeoutQuery,
      }),
      responses: { 200: { description: 'One result per order that was open.', schema: itemResultsSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId, requestId }) {
        if (query.accountId === undefined && !query.all) throw validationError([{ path: 'query.accountId', message: 'name an accountId, or send all=true to cancel in all accounts' }]);
        if (query.accountId !== undefined && query.all) throw validationError([{ path: 'query.all', message: 'send accountId or all=true, not both' }]);
        const open = await openOrders(ports, await listFilters(directory, { ...query, limit: PAGE_LIMIT.max }, userId));
        const results = await cancelEach(open, (order) => mutations.cancel(order, query.timeoutMs), { requestId, nowMs: ports.clock.nowMs() });
        return { status: 200, body: { results } };
      },
    }),
  ];
}

/** `"7"` as the ETag is written, or 7. Throws PRECONDITION_REQUIRED without one. */
export function revisionOf(ifMatch: string | undefined): number {
  if (ifMatch === undefined) throw new DomainError('PRECONDITION_REQUIRED', 'If-Match is missing');
  const digits = /^\s*"?(\d{1,9})"?\s*$/.exec(ifMatch)?.[1];
  if (digits === undefined) throw validationError([{ path: 'header.if-match', message: 'must be one revision, as the order\'s ETag shows it' }]);
  return Number(digits);
}

async function ownOrder(ports: ApiPorts, id: string, userId: string): Promise<Order> {
  const order = await ports.orders.byId(id, userId);
  if (order === null) throw notFound('order');
  return order;
}

/** Every open order, over all pages: what is canceled is what was open when it was asked. */
async function openOrders(ports: ApiPorts, filters: ListFilters): Promise<Order[]> {
  const found: Order[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<ApiPorts['orders']['list']>> = await ports.orders.list({ ...filters, status: 'open', cursor });
    found.push(...page.orders);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}

async function cancelEach(orders: readonly Order[], cancel: (order: Order) => Promise<Reply>, context: { readonly requestId: string; readonly nowMs: number }): Promise<ItemResult[]> {
  const results: ItemResult[] = [];
  const queue = orders.entries();
  const work = async (): Promise<void> => {
    for (const [index, order] of queue) {
      const answer = await cancel(order).catch((error: unknown) => toDomainError(error, true));
      const result = itemResult(index, order.clientOrderId, answer, context);
      results[index] = { ...result, orderId: order.id };
    }
  };
  await Promise.all(Array.from({ length: Math.min(CANCELS_AT_ONCE, orders.length) }, work));
  return results;
}
