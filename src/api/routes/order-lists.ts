import { z } from 'zod';
import type { OrderList } from '../../domain/order-list';
import { idSchema } from '../../schemas/fields';
import { orderListAmendmentSchema, orderListListQuery, orderListPageSchema, orderListRequestSchema, orderListSchema, orderListTimelineSchema } from '../../schemas/order-lists';
import { notFound } from '../errors';
import { requestStamp } from '../idempotency';
import { OrderListDesk } from '../order-list-desk';
import { listFilters } from '../list-filters';
import type { ApiPorts } from '../ports';
import type { Reply } from '../replies';
import { route, type Route } from '../route';
import type { RouteContext } from '../route-table';
import { revisionOf } from './order-changes';
import { idempotencyHeaders } from './order-placement';

const PATH = '/api/v1/order-lists';
const params = z.strictObject({ id: idSchema });
const shown = (description: string) => ({ description, schema: orderListSchema, headers: ['ETag', 'Location'] }) as const;

export function orderListRoutes({ ports, directory, intents }: RouteContext): Route[] {
  const desk = new OrderListDesk(directory, intents, ports);
  return [
    route({
      method: 'post',
      path: PATH,
      operationId: 'createOrderList',
      tag: 'Order lists',
      summary: 'Place orders that hang together',
      description: 'OCO, OUO, OTO or a bracket. Send clientListId, an Idempotency-Key, or both; repeat with the same until it is answered: there will be one list. Exits are reduce-only: together they never come to more than is held.',
      scope: 'trade',
      headers: idempotencyHeaders,
      body: orderListRequestSchema,
      responses: { 201: shown('Recorded; its workflow places and arms the legs.') },
      errors: ['NOT_FOUND', 'CONFLICT', 'UNPROCESSABLE', 'IDEMPOTENCY_MISMATCH', 'RISK_ACCOUNT_HALTED', 'RISK_ACCOUNT_REDUCING'],
      async handle({ body, headers, userId }) {
        return reply(201, await desk.create(body, userId, requestStamp(headers['idempotency-key'], `POST ${PATH}`, body)));
      },
    }),
    route({
      method: 'get',
      path: PATH,
      operationId: 'listOrderLists',
      tag: 'Order lists',
      summary: 'Your order lists, newest first',
      scope: 'read',
      query: orderListListQuery,
      responses: { 200: { description: 'One page.', schema: orderListPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        return { status: 200, body: await ports.orderLists.list({ ...(await listFilters(directory, query, userId)), status: query.status }) };
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/{id}`,
      operationId: 'getOrderList',
      tag: 'Order lists',
      summary: 'One order list with its legs',
      scope: 'read',
      params,
      responses: { 200: shown('The list.') },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return reply(200, await ownList(ports, id, userId));
      },
    }),
    route({
      method: 'get',
      path: `${PATH}/{id}/timeline`,
      operationId: 'getOrderListTimeline',
      tag: 'Order lists',
      summary: 'Why an order list is what it is',
      description: 'Its legs, every order it placed, and every event. From PostgreSQL alone.',
      scope: 'read',
      params,
      responses: { 200: { description: 'The timeline.', schema: orderListTimelineSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        const timeline = await ports.orderLists.timeline(id, userId);
        if (timeline === null) throw notFound('order list');
        return { status: 200, body: timeline };
      },
    }),
    route({
      method: 'patch',
      path: `${PATH}/{id}`,
      operationId: 'amendOrderList',
      tag: 'Order lists',
      summary: 'Change legs of an order list',
      description: 'Prices, quantities, triggers and trailing parameters of legs that a price has not set off yet, and the list\'s end.',
      scope: 'trade',
      params,
      headers: z.object({ 'if-match': z.string().optional().meta({ description: 'The revision you saw, as in the ETag. Required: 428 without it.' }) }),
      body: orderListAmendmentSchema,
      responses: { 200: shown('Recorded; its workflow changes what is armed and replaces what is at the venue.') },
      errors: ['NOT_FOUND', 'CONFLICT', 'PRECONDITION_FAILED', 'PRECONDITION_REQUIRED', 'UNPROCESSABLE'],
      async handle({ params: { id }, headers, body, userId }) {
        const revision = revisionOf(headers['if-match']);
        return reply(200, await desk.amend(await ownList(ports, id, userId), revision, body));
      },
    }),
    route({
      method: 'delete',
      isExit: true,
      path: `${PATH}/{id}`,
      operationId: 'cancelOrderList',
      tag: 'Order lists',
      summary: 'End an order list',
      description: 'Its open orders are canceled and its triggers given up. What is held stays, without the list\'s protection. A repeat is harmless.',
      scope: 'trade',
      params,
      responses: { 202: shown('Recorded; pendingCancel until nothing of it is open.') },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        await ownList(ports, id, userId);
        return reply(202, await ports.orderLists.command(id, userId, { kind: 'cancel', reason: 'canceled by its owner' }));
      },
    }),
  ];
}

function reply(status: number, list: OrderList): Reply {
  return { status, body: list, headers: { ETag: `"${list.revision}"`, Location: `${PATH}/${list.id}` } };
}

async function ownList(ports: ApiPorts, id: string, userId: string): Promise<OrderList> {
  const list = await ports.orderLists.byId(id, userId);
  if (list === null) throw notFound('order list');
  return list;
}
