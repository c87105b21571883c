import { z } from 'zod';
import { isoTime } from '../../domain/clock';
import { idSchema } from '../../schemas/fields';
import { eventCatalogue } from '../../schemas/webhook-events';
import { eventTypeListSchema, madeWebhookSchema, secretRotationSchema, webhookChangeSchema, webhookEnablingSchema, webhookListSchema, webhookRequestSchema, webhookSchema } from '../../schemas/webhooks';
import type { MadeWebhook } from '../ports';
import type { Reply } from '../replies';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';

export const webhookParams = z.strictObject({ id: idSchema });

export function webhookRoutes({ ports }: RouteContext): Route[] {
  const { webhooks } = ports;
  const assertReachable = (url: string | undefined): void => {
    const refusal = url === undefined ? null : webhooks.urlRefusal(url);
    if (refusal !== null) throw validationError([{ path: 'body.url', message: refusal }]);
  };
  return [
    route({
      method: 'post',
      path: '/api/v1/webhooks',
      operationId: 'createWebhook',
      tag: 'Webhooks',
      summary: 'Have events sent to an address of yours',
      description: 'Everything that commits after this call. The secret is in this answer and nowhere else; if the answer is lost, rotate it. docs/webhooks.md shows how a receiver verifies.',
      scope: 'admin',
      body: webhookRequestSchema,
      responses: { 201: { description: 'The webhook, with its secret.', schema: madeWebhookSchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ body, userId, actor }) {
        assertReachable(body.url);
        return shown(201, await webhooks.create({ userId, ...body }, actor));
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/webhooks',
      operationId: 'listWebhooks',
      tag: 'Webhooks',
      summary: 'Your webhooks, newest first',
      scope: 'read',
      responses: { 200: { description: 'The webhooks.', schema: webhookListSchema } },
      errors: [],
      async handle({ userId }) {
        return { status: 200, body: { webhooks: await webhooks.list(userId) } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/webhooks/event-types',
      operationId: 'listEventTypes',
      tag: 'Webhooks',
      summary: 'Every type of event, with the JSON schema of its body and an example',
      scope: 'read',
      responses: { 200: { description: 'The catalogue.', schema: eventTypeListSchema } },
      errors: [],
      async handle() {
        return { status: 200, body: { eventTypes: eventCatalogue() } };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/webhooks/{id}',
      operationId: 'getWebhook',
      tag: 'Webhooks',
      summary: 'One webhook',
      scope: 'read',
      params: webhookParams,
      responses: { 200: { description: 'The webhook.', schema: webhookSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, userId }) {
        return { status: 200, body: await webhooks.get(params.id, userId) };
      },
    }),
    route({
      method: 'patch',
      path: '/api/v1/webhooks/{id}',
      operationId: 'updateWebhook',
      tag: 'Webhooks',
      summary: 'Change or disable a webhook',
      scope: 'admin',
      params: webhookParams,
      body: webhookChangeSchema,
      responses: { 200: { description: 'The webhook.', schema: webhookSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, body, userId, actor }) {
        assertReachable(body.url);
        return { status: 200, body: await webhooks.change(params.id, userId, body, actor) };
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/webhooks/{id}',
      operationId: 'deleteWebhook',
      tag: 'Webhooks',
      summary: 'Delete a webhook',
      description: 'Its secrets are destroyed, and what waits is not delivered any more.',
      scope: 'admin',
      params: webhookParams,
      responses: { 200: { description: 'The webhook as it was.', schema: webhookSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, userId, actor }) {
        return { status: 200, body: await webhooks.remove(params.id, userId, actor) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/webhooks/{id}/rotate-secret',
      operationId: 'rotateWebhookSecret',
      tag: 'Webhooks',
      summary: 'Make a new secret; the old one signs besides for a while',
      scope: 'admin',
      params: webhookParams,
      body: secretRotationSchema,
      bodyRequired: false,
      responses: { 200: { description: 'The webhook, with its new secret.', schema: madeWebhookSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, body, userId, actor }) {
        return shown(200, await webhooks.rotateSecret(params.id, userId, body.overlapSeconds, actor));
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/webhooks/{id}/enable',
      operationId: 'enableWebhook',
      tag: 'Webhooks',
      summary: 'Enable a webhook again, where it stopped',
      scope: 'admin',
      params: webhookParams,
      body: webhookEnablingSchema,
      bodyRequired: false,
      responses: { 200: { description: 'The webhook.', schema: webhookSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params, body, userId, actor }) {
        return { status: 200, body: await webhooks.enable(params.id, userId, body, actor) };
      },
    }),
  ];
}

/** Caches must not keep a secret. */
function shown(status: number, { webhook, secret }: MadeWebhook): Reply {
  return { status, body: { ...webhook, secret }, headers: { 'Cache-Control': 'no-store' } };
}

/** As the store compares it. */
export function canonicalTime(text: string): string {
  return isoTime(Date.parse(text));
}
