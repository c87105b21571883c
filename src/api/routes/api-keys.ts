import { z } from 'zod';
import { apiKeyListSchema, apiKeyRequestSchema, apiKeyRotationSchema, apiKeySchema, madeApiKeySchema } from '../../schemas/api-keys';
import { idSchema } from '../../schemas/fields';
import { isoTime } from '../../domain/clock';
import type { MadeApiKey } from '../ports';
import type { Reply } from '../replies';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';

const keyParams = z.strictObject({ id: idSchema });

export function apiKeyRoutes({ ports }: RouteContext): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/api-keys',
      operationId: 'createApiKey',
      tag: 'API keys',
      summary: 'Make an API key',
      description: 'The key is in this answer and nowhere else. If the answer is lost, revoke the key that the list shows and make another.',
      scope: 'admin',
      body: apiKeyRequestSchema,
      responses: { 201: { description: 'The key.', schema: madeApiKeySchema } },
      errors: ['CONFLICT'],
      async handle({ body, userId, actor }) {
        const expiresAt = body.expiresAt === undefined ? null : isoTime(Date.parse(body.expiresAt));
        if (expiresAt !== null && Date.parse(expiresAt) <= ports.clock.nowMs()) throw validationError([{ path: 'body.expiresAt', message: 'must be in the future' }]);
        return shown(await ports.apiKeys.create({ userId, name: body.name, scopes: [...new Set(body.scopes)], expiresAt, rates: body.rates ?? null }, actor));
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/api-keys',
      operationId: 'listApiKeys',
      tag: 'API keys',
      summary: 'Your API keys, newest first, those that ended too',
      scope: 'admin',
      responses: { 200: { description: 'The keys, without the keys themselves.', schema: apiKeyListSchema } },
      errors: [],
      async handle({ userId }) {
        return { status: 200, body: { apiKeys: await ports.apiKeys.list(userId) } };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/api-keys/{id}/rotate',
      operationId: 'rotateApiKey',
      tag: 'API keys',
      summary: 'Replace an API key; the old one works on for a while',
      description: 'The new key has the name, scopes and limits of the old one. One that would end lives as long again.',
      scope: 'admin',
      params: keyParams,
      body: apiKeyRotationSchema,
      bodyRequired: false,
      responses: { 201: { description: 'The new key.', schema: madeApiKeySchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params, body, userId, actor }) {
        return shown(await ports.apiKeys.rotate(params.id, userId, body.overlapSeconds, actor));
      },
    }),
    route({
      method: 'delete',
      path: '/api/v1/api-keys/{id}',
      operationId: 'revokeApiKey',
      tag: 'API keys',
      summary: 'Revoke an API key',
      description: 'It stops working within a second; its sockets are closed within 30 s. The last key that may administer stays.',
      scope: 'admin',
      params: keyParams,
      responses: { 200: { description: 'The revoked key.', schema: apiKeySchema } },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params, userId, actor }) {
        return { status: 200, body: await ports.apiKeys.revoke(params.id, userId, actor) };
      },
    }),
  ];
}

/** Caches must not keep a secret. */
function shown({ apiKey, plain }: MadeApiKey): Reply {
  return { status: 201, body: { ...apiKey, key: plain }, headers: { 'Cache-Control': 'no-store' } };
}
