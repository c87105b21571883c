import { z } from 'zod';
import { idSchema } from '../../schemas/fields';
import { orderListQuerySchema, orderPageSchema, orderSchema } from '../../schemas/orders';
import { timelineSchema } from '../../schemas/timeline';
import { notFound } from '../errors';
import { orderReply } from '../replies';
import { listFilters } from '../list-filters';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

const ORDER_FOUND = { 200: { description: 'The order.', schema: orderSchema, headers: ['ETag', 'Location'] } } as const;

export function orderRoutes({ ports, directory }: RouteContext): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/v1/orders',
      operationId: 'listOrders',
      tag: 'Orders',
      summary: 'Orders, newest first',
      scope: 'read',
      query: orderListQuerySchema,
      responses: { 200: { description: 'A page of orders.', schema: orderPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query, userId }) {
        return { status: 200, body: await ports.orders.list({ ...(await listFilters(directory, query, userId)), status: query.status }) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/orders/by-client-id/{clientOrderId}',
      operationId: 'getOrderByClientId',
      tag: 'Orders',
      summary: 'One order, by your own id',
      scope: 'read',
      params: z.strictObject({ clientOrderId: idSchema }),
      query: z.strictObject({ accountId: idSchema }),
      responses: ORDER_FOUND,
      errors: ['NOT_FOUND'],
      async handle({ params, query, userId }) {
        await directory.assertOwned(query.accountId, userId);
        const order = await ports.orders.byClientId(query.accountId, params.clientOrderId);
        if (order === null || order.userId !== userId) throw notFound('order');
        return orderReply(200, order);
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/orders/{id}',
      operationId: 'getOrder',
      tag: 'Orders',
      summary: 'One order',
      scope: 'read',
      params: z.strictObject({ id: idSchema }),
      responses: ORDER_FOUND,
      errors: ['NOT_FOUND'],
      async handle({ params, userId }) {
        const order = await ports.orders.byId(params.id, userId);
        if (order === null) throw notFound('order');
        return orderReply(200, order);
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/orders/{id}/timeline',
      operationId: 'getOrderTimeline',
      tag: 'Orders',
      summary: 'Why an order is what it is',
      description: 'Intent, risk figures, every request to the venue with its answer and latency, fills. Needs PostgreSQL only.',
      scope: 'read',
      params: z.strictObject({ id: idSchema }),
      responses: { 200: { description: 'The timeline.', schema: timelineSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, userId }) {
        const timeline = await ports.orders.timeline(params.id, userId);
        if (timeline === null) throw notFound('order');
        return { status: 200, body: timeline };
      },
    }),
  ];
}
