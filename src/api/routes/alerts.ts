import { z } from 'zod';
import { alertListQuerySchema, alertPageSchema, shownAlertSchema } from '../../schemas/alerts';
import { idSchema } from '../../schemas/fields';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

const params = z.strictObject({ id: idSchema });

export function alertRoutes({ ports }: RouteContext): Route[] {
  const { alerts } = ports;
  return [
    route({
      method: 'get',
      path: '/api/v1/alerts',
      operationId: 'listAlerts',
      tag: 'Alerts',
      summary: 'Alerts that were raised, newest first',
      scope: 'read',
      query: alertListQuerySchema,
      responses: { 200: { description: 'A page of alerts.', schema: alertPageSchema } },
      errors: ['NOT_FOUND'],
      async handle({ query: { ruleId, kind, acknowledged, cursor, limit }, userId }) {
        return { status: 200, body: await alerts.list({ userId, ruleId: ruleId ?? null, kind: kind ?? null, acknowledged: acknowledged === undefined ? null : acknowledged === 'true', cursor: cursor ?? null, limit }) };
      },
    }),
    route({
      method: 'get',
      path: '/api/v1/alerts/{id}',
      operationId: 'getAlert',
      tag: 'Alerts',
      summary: 'One alert, and how far each channel is with it',
      scope: 'read',
      params,
      responses: { 200: { description: 'The alert.', schema: shownAlertSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId }) {
        return { status: 200, body: await alerts.get(id, userId) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/alerts/{id}/acknowledge',
      operationId: 'acknowledgeAlert',
      tag: 'Alerts',
      summary: 'Say that somebody has seen it',
      scope: 'trade',
      params,
      responses: { 200: { description: 'The alert.', schema: shownAlertSchema } },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, userId, actor }) {
        return { status: 200, body: await alerts.acknowledge(id, userId, actor) };
      },
    }),
  ];
}
