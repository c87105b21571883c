import { z } from 'zod';
import { alertQuerySchema, alertTextSchema, signalSchema, signalTokenSchema } from '../../schemas/signals';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';
import { PLACING_ERRORS } from './order-placement';

export function signalRoutes({ signals }: RouteContext): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/signals/{token}',
      operationId: 'receiveSignal',
      tag: 'Signals',
      summary: 'Send an alert that becomes an order or a strategy',
      description: 'For senders that can set no header, such as TradingView: the token in the path is the key, and trades what its source says and nothing else. The body is JSON (whatever its content type says), lines of name=value, or a text. The same alert id is the same signal, however often it comes.',
      scope: null,
      takesAlerts: true,
      params: z.strictObject({ token: signalTokenSchema }),
      query: alertQuerySchema,
      body: alertTextSchema,
      responses: { 200: { description: 'It is placed, or was judged by a dry run.', schema: signalSchema }, 202: { description: 'Recorded, and being placed.', schema: signalSchema } },
      errors: [...PLACING_ERRORS, 'FORBIDDEN', 'SERVICE_UNAVAILABLE', 'INTERNAL'],
      async handle({ params, query, body, address }) {
        const signal = await signals.receive({ token: params.token, text: body, address, dryRun: query.dryRun });
        return { status: signal.status === 'taken' ? 202 : 200, body: signal, headers: { 'Cache-Control': 'no-store' } };
      },
    }),
  ];
}
