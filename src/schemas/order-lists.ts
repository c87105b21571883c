/** Order lists at the boundary: OCO, OUO, OTO and brackets. */
import { z } from 'zod';
import { LEG_ROLES, LEG_STATES, NATIVE_STOP_TYPES, ORDER_LIST_STATES, ORDER_LIST_TYPES, type OrderList, type OrderListChild } from '../domain/order-list';
import { eventSchema } from './events';
import { clientIdSchema, decimalSchema, idSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, symbolSchema, timeSchema, uuidSchema, venueNameSchema } from './fields';
import { conditionFields, conditionIssues, escalationSchema, executionSchema, gapPolicySchema, priceTypeSchema, trailingOffsetTypeSchema } from './order-conditions';
import { orderSideSchema, orderStateSchema, orderTypeSchema, timeInForceSchema } from './orders';

/** Any number of take-profits in practice; bounds a list's row and what its workflow reads at each look. */
export const MAX_LEGS = 50;
/** Longest time limit: a year. */
const MAX_TIME_LIMIT_MS = 31_536_000_000;

const { triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation } = conditionFields;

const listExecutionSchema = executionSchema.extract(['durable', 'both']);
/** docs/decisions/order-lists.md tells why. */
const NO_NATIVE_LEG = 'must be durable or both: a leg that the venue alone holds could not be resized or taken away while its list is not running; both has the venue\'s own stop behind the list\'s';
const askedExecutionSchema = z.enum(['durable', 'both'], { error: ({ input }) => (input === 'native' ? NO_NATIVE_LEG : undefined) });

const legRequestSchema = z
  .strictObject({
    role: z.enum(LEG_ROLES).optional().meta({ description: 'Required in a BRACKET: one entry, take-profits, one stop. Absent otherwise: the first leg of an OTO is its entry.' }),
    accountId: idSchema.optional().meta({ description: 'Default: the list\'s. Legs of an OCO, OUO or OTO may be on other accounts and venues.' }),
    symbol: symbolSchema.optional().meta({ description: 'Default: the list\'s.' }),
    side: orderSideSchema.optional().meta({ description: 'Required but for the exits of a BRACKET, which are on the other side than its entry.' }),
    type: orderTypeSchema,
    timeInForce: timeInForceSchema.exclude(['GTD']).optional().meta({ description: 'Default GTC; a market order is always IOC. For an end by the clock use the list\'s expireTime.' }),
    quantity: positiveDecimalSchema.optional().meta({ description: 'In base units. Required but for a BRACKET\'s stop, which guards whatever is held.' }),
    limitPrice: positiveDecimalSchema.optional(),
    postOnly: z.boolean().optional(),
    reduceOnly: z.boolean().optional().meta({ description: 'May only shrink a position. Default true for exits: those of a BRACKET, of an OUO, and of an OTO on its entry\'s market; they cannot be anything else in a BRACKET and an OTO. Default false otherwise.' }),
    triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation,
    execution: askedExecutionSchema.optional().meta({ description: 'Of a stop that exits. durable, the default: the list holds it; both: the venue\'s own stop stands behind it, resized with every fill, moved with it and removed with the list.' }),
  })
  .superRefine((leg, context) => {
    const issue = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message, input: leg });
    const isMarket = leg.type.toLowerCase().endsWith('market');
    if (['limit', 'stopLimit', 'takeProfitLimit'].includes(leg.type) && leg.limitPrice === undefined) issue('limitPrice', `is required for a ${leg.type} order`);
    if (isMarket && leg.limitPrice !== undefined) issue('limitPrice', `must be absent for a ${leg.type} order`);
    if (leg.type === 'market' && leg.timeInForce !== undefined && leg.timeInForce !== 'IOC') issue('timeInForce', 'must be IOC or absent for a market order');
    if (leg.postOnly === true && (isMarket || leg.timeInForce === 'IOC' || leg.timeInForce === 'FOK')) issue('postOnly', 'must be false: it never rests');
    for (const { path, message } of conditionIssues(leg)) issue(path, message);
  })
  .meta({ id: 'OrderListLegRequest' });

export type LegRequest = z.infer<typeof legRequestSchema>;

export const orderListRequestSchema = z
  .strictObject({
    accountId: idSchema,
    clientListId: clientIdSchema.optional().meta({ description: 'Your id of the list, unique in the account for ever. May be absent if an Idempotency-Key is given.' }),
    type: z.enum(ORDER_LIST_TYPES).meta({ description: 'OCO: the first fill of one leg cancels the others. OUO: what fills of one reduces the others. OTO: the first leg triggers the others, each for its share of what filled. BRACKET: an entry, take-profits and a stop.' }),
    symbol: symbolSchema,
    legs: z.array(legRequestSchema).min(2, 'must hold at least two legs').max(MAX_LEGS, `must hold at most ${MAX_LEGS} legs`),
    expireTime: timeSchema.optional().meta({ description: 'An OCO or OUO ends then; of an OTO or BRACKET what its entry has not filled.' }),
    timeLimitMs: z.int().min(1).max(MAX_TIME_LIMIT_MS).optional().meta({ description: 'Of a BRACKET: what is held is closed at the market this long after the first fill of its entry.' }),
    breakEvenAfter: z.int().min(1).max(MAX_LEGS).optional().meta({ description: 'Of a BRACKET: after so many take-profits have filled its stop goes off at the price of the entry too.' }),
  })
  .meta({
    id: 'OrderListRequest',
    examples: [
      { accountId: 'paper', clientListId: 'bracket-1', type: 'BRACKET', symbol: 'BTC-PERP', legs: [{ role: 'entry', side: 'buy', type: 'limit', quantity: '0.02', limitPrice: '50000' }, { role: 'takeProfit', type: 'limit', quantity: '0.01', limitPrice: '52000' }, { role: 'takeProfit', type: 'limit', quantity: '0.01', limitPrice: '54000' }, { role: 'stop', type: 'stopMarket', triggerPrice: '48000', triggerPriceType: 'mark' }], breakEvenAfter: 1 },
      { accountId: 'paper', clientListId: 'exits-1', type: 'OUO', symbol: 'BTC-PERP', legs: [{ side: 'sell', type: 'limit', quantity: '0.01', limitPrice: '52000' }, { side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '48000' }] },
    ],
  });

export type OrderListRequest = z.infer<typeof orderListRequestSchema>;

const AMENDABLE = ['quantity', 'limitPrice', 'triggerPrice', 'trailingOffset', 'activationPrice'] as const;

const legAmendmentSchema = z
  .strictObject({
    n: z.int().min(0).max(MAX_LEGS).meta({ description: 'Number of the leg, from 0.' }),
    quantity: positiveDecimalSchema.optional().meta({ description: 'New total quantity, what is filled included.' }),
    limitPrice: positiveDecimalSchema.optional(),
    triggerPrice: positiveDecimalSchema.optional(),
    trailingOffset: positiveDecimalSchema.optional(),
    activationPrice: positiveDecimalSchema.optional(),
  })
  .refine((leg) => AMENDABLE.some((field) => leg[field] !== undefined), `must name at least one of ${AMENDABLE.join(', ')}`);

export const orderListAmendmentSchema = z
  .strictObject({
    legs: z.array(legAmendmentSchema).min(1).max(MAX_LEGS).optional(),
    expireTime: timeSchema.nullable().optional(),
  })
  .refine((body) => body.legs !== undefined || body.expireTime !== undefined, 'must name legs or expireTime')
  .meta({ id: 'OrderListAmendment', description: 'New terms of legs that a price has not set off yet; an order of it at the venue is replaced.', examples: [{ legs: [{ n: 3, triggerPrice: '48500' }] }] });

const triggeredSchema = z
  .strictObject({ by: z.enum(['price', 'breakEven', 'timeLimit', 'native']).meta({ description: 'native: the venue\'s own stop of the leg was quicker.' }), level: decimalSchema.nullable(), at: timeSchema, evidence: z.record(z.string(), z.unknown()).nullable().meta({ description: 'The price that set it off: where, when, and by which source.' }) })
  .meta({ id: 'LegTriggered' });

const legSchema = z
  .strictObject({
    n: z.int().min(0),
    role: z.enum(LEG_ROLES),
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
    triggerPrice: decimalSchema.nullable(),
    triggerPriceType: priceTypeSchema.nullable(),
    trailingOffset: decimalSchema.nullable(),
    trailingOffsetType: trailingOffsetTypeSchema.nullable(),
    activationPrice: decimalSchema.nullable(),
    gapPolicy: gapPolicySchema.nullable(),
    escalation: escalationSchema.nullable(),
    execution: listExecutionSchema.nullable().optional().meta({ description: 'null: it waits for no price.' }),
    state: z.enum(LEG_STATES),
    reason: z.string().nullable(),
    filledQuantity: decimalSchema,
    avgPrice: decimalSchema.nullable(),
    version: z.int().min(0).meta({ description: 'Rises with each amendment.' }),
    triggerNumber: z.int().min(0),
    triggered: triggeredSchema.nullable(),
    breakEvenPrice: decimalSchema.nullable().meta({ description: 'Of a stop that was moved: it goes off there as well.' }),
    alerted: z.string().nullable().meta({ description: 'What a person was alerted of.' }),
  })
  .meta({ id: 'OrderListLeg' });

export const orderListSchema = z
  .strictObject({
    id: uuidSchema,
    clientListId: z.string(),
    userId: z.string(),
    accountId: z.string(),
    venue: venueNameSchema,
    symbol: z.string(),
    type: z.enum(ORDER_LIST_TYPES),
    state: z.enum(ORDER_LIST_STATES),
    reason: z.string().nullable(),
    pendingCancel: z.boolean(),
    entriesStopped: z.boolean().meta({ description: 'A kill switch halted it: nothing more is entered, exits go on.' }),
    legs: z.array(legSchema),
    expireTime: timeSchema.nullable(),
    timeLimitMs: z.number().nullable(),
    closeAt: timeSchema.nullable().meta({ description: 'When the time limit is over.' }),
    breakEvenAfter: z.int().nullable(),
    revision: z.int().min(1).meta({ description: 'Rises with each change of terms or states, not with fills; the ETag, and what If-Match takes.' }),
    ownerWorkflowId: z.string(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'OrderList' });

export const orderListPageSchema = z.strictObject({ orderLists: z.array(orderListSchema), nextCursor: nextCursorSchema }).meta({ id: 'OrderListPage' });

const childSchema = z
  .strictObject({
    n: z.int(), orderId: z.string(), leg: z.int(), step: z.enum(['rest', 'native', 'limit', 'chase', 'market']), version: z.int(), type: z.enum(['market', 'limit', ...NATIVE_STOP_TYPES]), timeInForce: timeInForceSchema, postOnly: z.boolean(),
    state: orderStateSchema, isPlaced: z.boolean(), quantity: decimalSchema, limitPrice: decimalSchema.nullable(), triggerPrice: decimalSchema.nullable().optional().meta({ description: 'Of a native stop.' }), filledQuantity: decimalSchema, avgPrice: decimalSchema.nullable(),
    reasonCode: z.string().nullable(), reasonMessage: z.string().nullable(), pendingCancel: z.boolean(), recordedAtMs: z.number(), cancelAskedAtMs: z.number().nullable(), closedAtMs: z.number().nullable(),
  })
  .meta({ id: 'OrderListOrder', description: 'One order of a list; GET /api/v1/orders/{orderId}/timeline tells the rest.' });

export const orderListTimelineSchema = z.strictObject({ orderList: orderListSchema, orders: z.array(childSchema), events: z.array(eventSchema) }).meta({ id: 'OrderListTimeline' });

export const orderListListQuery = z.strictObject({
  status: z.enum(['open', 'closed', 'all']).default('all'),
  accountId: idSchema.optional(),
  symbol: symbolSchema.optional(),
  venue: venueNameSchema.optional(),
  ...pageQuery,
});

/** Compile-time proof that the document shows the domain's own records. */
type Shows<Domain, Schema> = [Domain] extends [Schema] ? true : never;
export const ORDER_LIST_SCHEMAS_MATCH: [Shows<keyof OrderList, keyof z.infer<typeof orderListSchema>>, Shows<keyof z.infer<typeof orderListSchema>, keyof OrderList>, Shows<OrderListChild, z.infer<typeof childSchema>>, Shows<keyof OrderList['legs'][number], keyof z.infer<typeof legSchema>>] = [true, true, true, true];
