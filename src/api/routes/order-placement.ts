import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors';
import { idSchema } from '../../schemas/fields';
import { answerTimeoutQuery, orderBatchRequestSchema, orderRequestSchema, orderSchema } from '../../schemas/orders';
import { orderPreviewSchema } from '../../schemas/order-preview';
import { itemResultsSchema } from '../../schemas/errors';
import { requestStamp } from '../idempotency';
import { DomainError } from '../../domain/errors';
import { termsOf, type OrderTerms } from '../order-terms';
import { itemResult } from '../replies';
import type { RouteContext } from '../route-table';
import { route, validationError, type Route } from '../route';

export const idempotencyHeaders = z.object({
  'idempotency-key': idSchema.optional().meta({ description: 'Names the request: the same key and body always meet the same order. Needed where clientOrderId is absent.' }),
});

/** What placing may be refused with. */
export const PLACING_ERRORS: readonly ErrorCode[] = [
  'NOT_FOUND',
  'CONFLICT',
  'RATE_LIMITED',
  'UNPROCESSABLE',
  'IDEMPOTENCY_MISMATCH',
  'RISK_SYMBOL_NOT_ALLOWED',
  'RISK_ORDER_NOTIONAL',
  'RISK_POSITION_NOTIONAL',
  'RISK_OPEN_ORDERS',
  'RISK_DAILY_LOSS',
  'RISK_DRAWDOWN',
  'RISK_PRICE_BAND',
  'RISK_ACCOUNT_REDUCING',
  'RISK_ACCOUNT_HALTED',
  'RISK_PRICE_UNKNOWN',
  'RISK_NOTHING_TO_REDUCE',
  'INSUFFICIENT_BALANCE',
];

export const PLACED = {
  201: { description: 'The venue has answered: the order is WORKING, filled, or REJECTED by the venue.', schema: orderSchema, headers: ['ETag', 'Location'] },
  202: { description: 'Recorded; the venue has not answered yet. The order is SUBMITTING, SUBMITTED or UNKNOWN and is being pursued.', schema: orderSchema, headers: ['ETag', 'Location'] },
} as const;

const SINGLE = 'POST /api/v1/orders';
const BATCH = 'POST /api/v1/orders/batch';

export function orderPlacementRoutes({ placement, preview, ports }: RouteContext): Route[] {
  return [
    route({
      method: 'post',
      path: '/api/v1/orders',
      operationId: 'placeOrder',
      tag: 'Orders',
      summary: 'Place an order',
      description: 'Send clientOrderId, an Idempotency-Key, or both. Repeat with the same until it is answered: there will be one order.',
      scope: 'trade',
      query: z.strictObject(answerTimeoutQuery),
      headers: idempotencyHeaders,
      body: orderRequestSchema,
      responses: PLACED,
      errors: PLACING_ERRORS,
      async handle({ body, query, headers, userId }) {
        const terms = termsOf(body);
        const request = { userId, idempotency: requestStamp(headers['idempotency-key'], SINGLE, terms), timeoutMs: query.timeoutMs };
        const [placed] = await placement.place(request, [terms]);
        if (placed === undefined) throw new DomainError('INTERNAL', 'an order without an answer');
        if (placed.answer instanceof DomainError) throw placed.answer;
        return placed.answer;
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/orders/preview',
      operationId: 'previewOrder',
      tag: 'Orders',
      summary: 'What an order would come to',
      description: 'The order on the market\'s grid, the verdict of risk with its figures, fees, and what it would meet in the order book. Has no effect: nothing is recorded, and the venue is not asked.',
      scope: 'read',
      limit: 'reads',
      body: orderRequestSchema,
      responses: { 200: { description: 'The preview; risk may say denied.', schema: orderPreviewSchema } },
      errors: ['NOT_FOUND', 'UNPROCESSABLE'],
      async handle({ body, userId }) {
        return { status: 200, body: await preview.of(termsOf(body), userId) };
      },
    }),
    route({
      method: 'post',
      path: '/api/v1/orders/batch',
      countsOrders: true,
      operationId: 'placeOrders',
      tag: 'Orders',
      summary: 'Place up to 100 orders together',
      description: 'Each order has its own result; none rolls back another. Answers when all did, or after timeoutMs. With `grouping` they are one group at the venue: refused as a whole (422) where one of them cannot be, or the venue has no such groups.',
      scope: 'trade',
      query: z.strictObject(answerTimeoutQuery),
      headers: idempotencyHeaders,
      body: orderBatchRequestSchema,
      responses: { 200: { description: 'One result per order, in their order.', schema: itemResultsSchema } },
      errors: ['IDEMPOTENCY_MISMATCH', 'NOT_FOUND', 'UNPROCESSABLE'],
      async handle({ body, query, headers, userId, requestId }) {
        const terms = body.orders.map(termsOf);
        assertDistinct(terms);
        const { grouping } = body;
        const stamped = grouping === undefined ? terms : { grouping, orders: terms };
        const request = { userId, idempotency: requestStamp(headers['idempotency-key'], BATCH, stamped), timeoutMs: query.timeoutMs, grouping };
        const placed = await placement.place(request, terms);
        const context = { requestId, nowMs: ports.clock.nowMs() };
        return { status: 200, body: { results: placed.map((item, index) => itemResult(index, item.clientOrderId, item.answer, context)) } };
      },
    }),
  ];
}

/** Two items with one id would be one order with two results. */
function assertDistinct(terms: readonly OrderTerms[]): void {
  const seen = new Map<string, number>();
  const issues = terms.flatMap(({ accountId, clientOrderId }, index) => {
    if (clientOrderId === null) return [];
    const key = `${accountId}/${clientOrderId}`;
    const before = seen.get(key);
    seen.set(key, index);
    return before === undefined ? [] : [{ path: `body.orders.${index}.clientOrderId`, message: `is the same as that of item ${before}` }];
  });
  if (issues.length > 0) throw validationError(issues);
}
