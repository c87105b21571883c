/** Orders at the boundary: what a caller may ask for, and what an order looks like. */
import { z } from 'zod';
import { ORDER_STATES, type Order } from '../domain/order';
import { groupIssues, orderGroupingSchema } from './order-groups';
import { conditionFields, conditionIssues, escalationSchema, executionSchema, gapPolicySchema, priceTypeSchema, trailingOffsetTypeSchema } from './order-conditions';
import { clientIdSchema, decimalSchema, idSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, queryInteger, symbolSchema, timeSchema, uuidSchema, venueNameSchema } from './fields';

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
  clientOrderId: clientIdSchema.optional().meta({ description: 'Your id of the order, unique in the account for ever. May be absent if an Idempotency-Key is given.' }),
  symbol: symbolSchema,
  side: orderSideSchema,
  type: orderTypeSchema,
  timeInForce: timeInForceSchema.optional().meta({ description: 'Default GTC; a market order is always IOC. Of a conditional order: that of the limit it places.' }),
  quantity: positiveDecimalSchema.meta({ description: 'In base units.' }),
  limitPrice: positiveDecimalSchema.optional().meta({ description: 'Required for limit, stopLimit and takeProfitLimit, absent for market types; a trailingStopLimit without one uses the level that fired it.' }),
  postOnly: z.boolean().optional().meta({ description: 'Refused by the venue rather than taking liquidity. Default false.' }),
  reduceOnly: z.boolean().optional().meta({ description: 'May only shrink a position. Default false.' }),
  ...conditionFields,
});

export type OrderRequest = z.infer<typeof orderRequestShape>;

const NEEDS_LIMIT: ReadonlySet<string> = new Set(['limit', 'stopLimit', 'takeProfitLimit']);

/** Rules over several fields. */
function checkTerms(order: OrderRequest, context: z.RefinementCtx<OrderRequest>): void {
  const issue = (path: keyof OrderRequest, message: string): void => context.addIssue({ code: 'custom', path: [path], message, input: order[path] });
  const isMarket = order.type.toLowerCase().endsWith('market');
  if (NEEDS_LIMIT.has(order.type) && order.limitPrice === undefined) issue('limitPrice', `is required for a ${order.type} order`);
  if (isMarket && order.limitPrice !== undefined) issue('limitPrice', `must be absent for a ${order.type} order; use type ${order.type === 'market' ? 'limit' : order.type.replace('Market', 'Limit')}`);
  for (const { path, message } of conditionIssues(order)) issue(path, message);
  if (order.type === 'market' && order.timeInForce !== undefined && order.timeInForce !== 'IOC') issue('timeInForce', 'must be IOC or absent for a market order');
  if (order.postOnly === true && isMarket) issue('postOnly', `must be false for a ${order.type} order`);
  if (order.postOnly === true && (order.timeInForce === 'IOC' || order.timeInForce === 'FOK')) issue('postOnly', `must be false for ${order.timeInForce}: it never rests`);
}

export const orderRequestSchema = orderRequestShape.superRefine(checkTerms).meta({
  id: 'OrderRequest',
  description: 'An order to place.',
  examples: [
    { accountId: 'paper', clientOrderId: 'tour-1', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '50000' },
    { accountId: 'paper', symbol: 'BTC-PERP', side: 'sell', type: 'market', quantity: '0.01', reduceOnly: true },
    { accountId: 'paper', clientOrderId: 'tour-stop', symbol: 'BTC-PERP', side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '45000', triggerPriceType: 'mark', reduceOnly: true },
  ],
});

/** As many as one workflow group carries; also keeps the body far below its limit of 64 KB. */
export const MAX_BATCH_ORDERS = 100;

export const orderBatchRequestSchema = z
  .strictObject({
    orders: z.array(orderRequestSchema).min(1, 'must hold at least one order').max(MAX_BATCH_ORDERS, `must hold at most ${MAX_BATCH_ORDERS} orders`),
    grouping: orderGroupingSchema.optional().meta({
      description: 'Hands the orders to the venue as one group, which it keeps by itself (422 where it has none; see `groupings` of GET /venues). entryWithExits: the first opens a position, the others (a stop, a take-profit or both; reduceOnly, execution native) wait for its fill. positionExits: they end the whole position, as large as it is when one fires. Where one exit fills, the other ends. Absent: each order stands alone.',
    }),
  })
  .superRefine((batch, context) => {
    for (const { path, message } of groupIssues(batch)) context.addIssue({ code: 'custom', path: [...path], message, input: batch });
  })
  .meta({
    id: 'OrderBatchRequest',
    description: 'Orders to place together. Each has its own result; none rolls back another, but for a group, which stands or falls as a whole.',
    examples: [
      {
        grouping: 'entryWithExits',
        orders: [
          { accountId: 'hl', clientOrderId: 'entry', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '50000' },
          { accountId: 'hl', clientOrderId: 'profit', symbol: 'BTC-PERP', side: 'sell', type: 'takeProfitMarket', quantity: '0.01', triggerPrice: '55000', reduceOnly: true, execution: 'native' },
          { accountId: 'hl', clientOrderId: 'stop', symbol: 'BTC-PERP', side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '48000', reduceOnly: true, execution: 'native' },
        ],
      },
    ],
  });

const AMENDABLE = ['limitPrice', 'quantity', 'triggerPrice', 'trailingOffset', 'activationPrice'] as const;

export const orderAmendmentSchema = z
  .strictObject({
    limitPrice: positiveDecimalSchema.optional(),
    quantity: positiveDecimalSchema.optional().meta({ description: 'New total quantity, what is filled included.' }),
    triggerPrice: positiveDecimalSchema.optional().meta({ description: 'Of an armed stop or take-profit, held by a workflow or by its venue.' }),
    trailingOffset: positiveDecimalSchema.optional().meta({ description: 'Of an armed trailing stop, in its own unit.' }),
    activationPrice: positiveDecimalSchema.optional().meta({ description: 'Of an armed trailing stop.' }),
  })
  .refine((body) => AMENDABLE.some((field) => body[field] !== undefined), `must name at least one of ${AMENDABLE.join(', ')}`)
  .meta({ id: 'OrderAmendment', description: 'New terms of a working or an armed order.', examples: [{ limitPrice: '50100' }, { triggerPrice: '61000' }] });

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
    grouping: orderGroupingSchema.nullable().meta({ description: 'How it belongs together with others at the venue; null where it stands alone.' }),
    groupId: z.string().nullable().meta({ description: 'The id of the first order of its group.' }),
    execution: executionSchema.nullable().meta({ description: 'Who waits for its condition: the venue, a workflow, or both; null for an order without one.' }),
    triggerPrice: decimalSchema.nullable(),
    triggerPriceType: priceTypeSchema.nullable(),
    trailingOffset: decimalSchema.nullable(),
    trailingOffsetType: trailingOffsetTypeSchema.nullable(),
    activationPrice: decimalSchema.nullable(),
    gapPolicy: gapPolicySchema.nullable(),
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
