import { z } from 'zod';
import { idSchema } from '../../schemas/fields';
import { webhookDeliveryDetailSchema, webhookDeliveryListQuerySchema, webhookDeliveryPageSchema, webhookDeliverySchema, webhookRecoveredSchema, webhookRecoverySchema } from '../../schemas/webhooks';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';
import { canonicalTime, webhookParams } from './webhooks';

const deliveryParams = z.strictObject({ id: idSchema, deliveryId: idSchema });

export function webhookDeliveryRoutes({ ports }: RouteContext): Route[] {
  const { webhookDeliveries } = ports;
  return [
    route({
      method: 'post',
      path: '/api/v1/webhooks/{id}/test',
      operationId: 'testWebhook',
      tag: 'Webhooks',
      summary: 'Send a test event',
      description: 'Of type webhook.test, whatever the webhook is subscribed to. Read the delivery to see what came back.',
      scope: 'admin',
      params: webhookParams,
      responses: { 202: { description: 'The delivery, under way.', schema: webhookDeliverySchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params, userId }) {
        return { status: 202, body: await webhookDeliveries.test(params.id, userId) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/webhooks/{id}/deliveries',
      operationId: 'listWebhookDeliveries',
      tag: 'Webhooks',
      summary: 'Deliveries of a webhook, newest first',
      scope: 'read',
      params: webhookParams,
      query: webhookDeliveryListQuerySchema,
      responses: { 200: { description: 'A page of deliveries.', schema: webhookDeliveryPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, query, userId }) {
        return { status: 200, body: await webhookDeliveries.list({ endpointId: params.id, userId, status: query.status ?? null, cursor: query.cursor ?? null, limit: query.limit }) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/webhooks/{id}/deliveries/{deliveryId}',
      operationId: 'getWebhookDelivery',
      tag: 'Webhooks',
      summary: 'One delivery: its bytes and every attempt',
      scope: 'read',
      params: deliveryParams,
      responses: { 200: { description: 'The delivery.', schema: webhookDeliveryDetailSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, userId }) {
        return { status: 200, body: await webhookDeliveries.get(params.deliveryId, params.id, userId) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/webhooks/{id}/deliveries/{deliveryId}/resend',
      operationId: 'resendWebhookDelivery',
      tag: 'Webhooks',
      summary: 'Send a delivery once more',
      description: 'The same bytes and webhook-id, beside what waits. One that is pending becomes due now.',
      scope: 'admin',
      params: deliveryParams,
      responses: { 202: { description: 'The delivery, under way.', schema: webhookDeliverySchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params, userId, actor }) {
        return { status: 202, body: await webhookDeliveries.resend(params.deliveryId, params.id, userId, actor) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/webhooks/{id}/recover',
      operationId: 'recoverWebhook',
      tag: 'Webhooks',
      summary: 'Deliver what was exhausted since then, in order',
      scope: 'admin',
      params: webhookParams,
      body: webhookRecoverySchema,
      responses: { 202: { description: 'How many are pending again.', schema: webhookRecoveredSchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params, body, userId, actor }) {
        return { status: 202, body: await webhookDeliveries.recover(params.id, userId, canonicalTime(body.since), actor) };
      },
    }),
  ];
}
