/** Orders at the boundary: what a caller may ask for, and what an order looks like. */
import { z } from 'zod';
import { ORDER_STATES, type Order } from '../domain/order';
import { decimalSchema, idSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, queryInteger, symbolSchema, timeSchema, uuidSchema, venueNameSchema } from './fields';

export const orderSideSchema = z.enum(['buy', 'sell']);
export const orderTypeSchema = z.enum(['market', 'limit', 'stopMarket', 'stopLimit', 'takeProfitMarket', 'takeProfitLimit', 'trailingStopMarket', 'trailingStopLimit']);
export const timeInForceSchema = z.enum(['GTC', 'IOC', 'FOK', 'GTD']);
export const orderStateSchema = z.enum(ORDER_STATES);

/** Longest a caller may wait for an order's answer: below the 60 s after which common proxies cut a connection. */
export const MAX_ANSWER_TIMEOUT_MS = 30_000;
export const DEFAULT_ANSWER_TIMEOUT_MS = 5_000;

export const answerTimeoutQuery = {
  timeoutMs: queryInteger({ min: 0, max: MAX_ANSWER_TIMEOUT_MS, fallback: DEFAULT_ANSWER_TIMEOUT_MS, description: 'How long to wait for the venue\'s answer before 202, in ms.' }),
};

const orderRequestShape = z.strictObject({
  accountId: idSchema,
  clientOrderId: idSchema.optional().meta({ description: 'Your id of the order, unique in the account for ever. May be absent if an Idempotency-Key is given.' }),
  symbol: symbolSchema,
  side: orderSideSchema,
  type: orderTypeSchema.meta({ description: 'market and limit; the conditional types answer 422 until they are supported.' }),
  timeInForce: timeInForceSchema.optional().meta({ description: 'Default GTC; a market order is always IOC.' }),
  quantity: positiveDecimalSchema.meta({ description: 'In base units.' }),
  limitPrice: positiveDecimalSchema.optional().meta({ description: 'Required for limit orders, absent for market orders.' }),
  postOnly: z.boolean().optional().meta({ description: 'Refused by the venue rather than taking liquidity. Default false.' }),
  reduceOnly: z.boolean().optional().meta({ description: 'May only shrink a position. Default false.' }),
});

export type OrderRequest = z.infer<typeof orderRequestShape>;

/** Rules over several fields. Conditional types pass: they are answered 422, not 400. */
function checkTerms(order: OrderRequest, context: z.RefinementCtx<OrderRequest>): void {
  const issue = (path: keyof OrderRequest, message: string): void => context.addIssue({ code: 'custom', path: [path], message, input: order[path] });
  if (order.type === 'limit' && order.limitPrice === undefined) issue('limitPrice', 'is required for a limit order');
  if (order.type === 'market' && order.limitPrice !== undefined) issue('limitPrice', 'must be absent for a market order; use type limit');
  if (order.type === 'market' && order.timeInForce !== undefined && order.timeInForce !== 'IOC') issue('timeInForce', 'must be IOC or absent for a market order');
  if (order.postOnly === true && order.type === 'market') issue('postOnly', 'must be false for a market order');
  if (order.postOnly === true && (order.timeInForce === 'IOC' || order.timeInForce === 'FOK')) issue('postOnly', `must be false for ${order.timeInForce}: it never rests`);
}

export const orderRequestSchema = orderRequestShape.superRefine(checkTerms).meta({
  id: 'OrderRequest',
  description: 'An order to place.',
  examples: [
    { accountId: 'paper', clientOrderId: 'tour-1', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '50000' },
    { accountId: 'paper', symbol: 'BTC-PERP', side: 'sell', type: 'market', quantity: '0.01', reduceOnly: true },
  ],
});

/** As many as one workflow group carries; also keeps the body far below its limit of 64 KB. */
export const MAX_BATCH_ORDERS = 100;

export const orderBatchRequestSchema = z
  .strictObject({ orders: z.array(orderRequestSchema).min(1, 'must hold at least one order').max(MAX_BATCH_ORDERS, `must hold at most ${MAX_BATCH_ORDERS} orders`) })
  .meta({ id: 'OrderBatchRequest', description: 'Orders to place together. Each has its own result; none rolls back another.' });

export const orderAmendmentSchema = z
  .strictObject({ limitPrice: positiveDecimalSchema.optional(), quantity: positiveDecimalSchema.optional().meta({ description: 'New total quantity, what is filled included.' }) })
  .refine((body) => body.limitPrice !== undefined || body.quantity !== undefined, 'must name limitPrice, quantity or both')
  .meta({ id: 'OrderAmendment', description: 'New terms of a working order.', examples: [{ limitPrice: '50100' }] });

/** Longest step of an escalation: a day. */
const MAX_ESCALATION_MS = 86_400_000;
const MAX_SLIPPAGE_BPS = 10_000;
const escalationStepSchema = z.int().min(0).max(MAX_ESCALATION_MS).nullable();

export const escalationSchema = z
  .strictObject({
    chaseAfterMs: escalationStepSchema.meta({ description: 'ms after the limit was placed: it follows the best price of its own side. null: never.' }),
    marketAfterMs: escalationStepSchema.meta({ description: 'ms after the chase began, or, without one, after the limit was placed: the rest goes out IOC. null: never.' }),
    slippageBps: z.int().min(0).max(MAX_SLIPPAGE_BPS).meta({ description: 'How far beyond the trigger price the IOC may fill, in basis points.' }),
  })
  .meta({ id: 'Escalation', description: 'What becomes of a triggered limit that does not fill.' });

export const orderSchema = z
  .strictObject({
    id: uuidSchema,
    clientOrderId: z.string(),
    venueClientId: z.string().meta({ description: 'The id the venue was told.' }),
    venueOrderId: z.string().nullable(),
    userId: z.string(),
    accountId: z.string(),
    venue: venueNameSchema,
    symbol: z.string(),
    venueSymbol: z.string(),
    side: orderSideSchema,
    type: orderTypeSchema,
    timeInForce: timeInForceSchema,
    quantity: decimalSchema,
    limitPrice: decimalSchema.nullable(),
    postOnly: z.boolean(),
    reduceOnly: z.boolean(),
    filledQuantity: decimalSchema,
    leavesQuantity: decimalSchema,
    avgPrice: decimalSchema.nullable(),
    fee: decimalSchema,
    feeAsset: z.string().nullable(),
    state: orderStateSchema,
    reasonCode: z.string().nullable(),
    reasonMessage: z.string().nullable(),
    pendingCancel: z.boolean(),
    pendingReplace: z.boolean(),
    origin: z.enum(['API', 'CONDITIONAL', 'STRATEGY', 'SIGNAL', 'EXTERNAL']),
    parentOrderId: z.string().nullable().meta({ description: 'The order whose child it is.' }),
    orderListId: z.string().nullable(),
    strategyId: z.string().nullable(),
    contingencyType: z.enum(['OTO', 'OCO', 'OUO']).nullable(),
    supervisorWorkflowId: z.string().nullable().meta({ description: 'The workflow that placed the order and watches it; null where a caller placed it.' }),
    execution: z.enum(['native', 'durable', 'both']).nullable().meta({ description: 'Who waits for its condition: the venue, a workflow, or both; null for an order without one.' }),
    triggerPrice: decimalSchema.nullable(),
    triggerPriceType: z.enum(['last', 'mark', 'index', 'mid']).nullable(),
    trailingOffset: decimalSchema.nullable(),
    trailingOffsetType: z.enum(['price', 'bps', 'percent']).nullable(),
    activationPrice: decimalSchema.nullable(),
    gapPolicy: z.enum(['traded', 'current']).nullable(),
    escalation: escalationSchema.nullable(),
    startAt: timeSchema.nullable(),
    expireTime: timeSchema.nullable(),
    revision: z.int().min(0).meta({ description: 'Rises with each change; the ETag, and what If-Match takes.' }),
    ownerWorkflowId: z.string().nullable().meta({ description: 'The workflow that has the order, to be found in the Temporal Web UI.' }),
    venueSeenAtMs: z.number().nullable().meta({ description: 'The venue\'s time of its newest view of the order, ms since the epoch.' }),
    createdAt: timeSchema,
    submittedAt: timeSchema.nullable(),
    acknowledgedAt: timeSchema.nullable(),
    triggeredAt: timeSchema.nullable(),
    filledAt: timeSchema.nullable(),
    canceledAt: timeSchema.nullable(),
    closedAt: timeSchema.nullable(),
    updatedAt: timeSchema,
  })
  .meta({ id: 'Order', description: 'An order. State DENIED is ours, REJECTED the venue\'s; SUBMITTING, SUBMITTED and UNKNOWN are not yet settled.' });

/** Compile-time proof that the document shows the order of src/domain/order.ts, field by field. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
export const ORDER_SCHEMA_MATCHES: Same<z.infer<typeof orderSchema>, Order> = true;

export const orderPageSchema = z.strictObject({ orders: z.array(orderSchema), nextCursor: nextCursorSchema }).meta({ id: 'OrderPage' });

export const orderListQuerySchema = z.strictObject({
  status: z.enum(['open', 'closed', 'all']).default('all').meta({ description: 'open: not yet terminal; closed: DENIED, FILLED, CANCELED, EXPIRED, REJECTED.' }),
  accountId: idSchema.optional(),
  symbol: symbolSchema.optional(),
  venue: venueNameSchema.optional(),
  ...pageQuery,
});
