/** Strategies at the boundary. Each type's parameters are made of its form (domain/strategies), so that the two cannot differ. */
import { z } from 'zod';
import { decimal } from '../domain/decimal';
import { STRATEGY_STATES, type Strategy, type StrategyPreview } from '../domain/strategy';
import { STRATEGIES } from '../domain/strategies/registry';
import type { Field } from '../domain/strategies/form';
import { clientIdSchema, decimalSchema, idSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, symbolSchema, timeSchema, uuidSchema, venueNameSchema } from './fields';
import { eventSchema } from './events';
import { orderSideSchema, orderStateSchema } from './orders';

const strategyTypeSchema = z.enum(STRATEGIES.map(({ type }) => type) as [string, ...string[]]);
const parametersSchema = z.record(z.string(), z.union([z.string(), z.number(), z.null()])).meta({ description: 'As GET /api/v1/strategies/types describes them for the type.' });

export const strategyRequestSchema = z
  .strictObject({
    accountId: idSchema,
    clientStrategyId: clientIdSchema.optional().meta({ description: 'Your id of the strategy, unique in the account for ever. May be absent if an Idempotency-Key is given.' }),
    type: strategyTypeSchema,
    symbol: symbolSchema,
    side: orderSideSchema,
    quantity: positiveDecimalSchema.meta({ description: 'In base units; its orders together never come to more.' }),
    reduceOnly: z.boolean().optional().meta({ description: 'Every order may only shrink a position. Default false.' }),
    parameters: parametersSchema,
    startAt: timeSchema.optional().meta({ description: 'SCHEDULED until then; absent: at once.' }),
    expireAt: timeSchema.optional().meta({ description: 'What is open is canceled then, and it ends EXPIRED.' }),
  })
  .meta({
    id: 'StrategyRequest',
    examples: [
      { accountId: 'paper', clientStrategyId: 'twap-1', type: 'twap', symbol: 'BTC-PERP', side: 'buy', quantity: '0.1', parameters: { durationMs: 600000, slices: 10, slippageBps: 50 } },
      { accountId: 'paper', clientStrategyId: 'ladder-1', type: 'scale', symbol: 'BTC-PERP', side: 'buy', quantity: '0.1', parameters: { priceFrom: '50000', priceTo: '48000', levels: 5 } },
    ],
  });

export const strategyAmendmentSchema = z
  .strictObject({ quantity: positiveDecimalSchema.optional(), parameters: parametersSchema.optional().meta({ description: 'Those that change.' }), expireAt: timeSchema.nullable().optional() })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'must name quantity, parameters or expireAt')
  .meta({ id: 'StrategyAmendment', examples: [{ parameters: { slices: 20 } }] });

export const strategySchema = z
  .strictObject({
    id: uuidSchema,
    clientStrategyId: z.string(),
    userId: z.string(),
    accountId: z.string(),
    venue: venueNameSchema,
    symbol: z.string(),
    venueSymbol: z.string(),
    type: z.string(),
    side: orderSideSchema,
    quantity: decimalSchema,
    reduceOnly: z.boolean(),
    parameters: parametersSchema,
    state: z.enum(STRATEGY_STATES),
    reason: z.string().nullable(),
    pendingCancel: z.boolean(),
    filledQuantity: decimalSchema,
    avgPrice: decimalSchema.nullable(),
    revision: z.int().min(1).meta({ description: 'Rises with each change of terms or state, not with fills; the ETag, and what If-Match takes.' }),
    run: z.int().min(0).meta({ description: 'Rises when it begins anew: start, edit, resume, a venue that is back.' }),
    startAt: timeSchema.nullable(),
    expireAt: timeSchema.nullable(),
    startedAt: timeSchema.nullable(),
    runStartedAt: timeSchema.nullable(),
    pausedAt: timeSchema.nullable(),
    pausedMs: z.number(),
    ownerWorkflowId: z.string(),
    createdAt: timeSchema,
    updatedAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Strategy' });

export const strategyPageSchema = z.strictObject({ strategies: z.array(strategySchema), nextCursor: nextCursorSchema }).meta({ id: 'StrategyPage' });

export const strategyChildSchema = z
  .strictObject({
    n: z.int(), orderId: z.string(), leg: z.string(), run: z.int(), state: orderStateSchema, isPlaced: z.boolean(), timeInForce: z.enum(['IOC', 'GTC']), postOnly: z.boolean(),
    quantity: decimalSchema, filledQuantity: decimalSchema, avgPrice: decimalSchema.nullable(), limitPrice: decimalSchema.nullable(), reasonCode: z.string().nullable(), reasonMessage: z.string().nullable(),
    pendingCancel: z.boolean(), createdAtMs: z.number(), closedAtMs: z.number().nullable(),
  })
  .meta({ id: 'StrategyChild', description: 'One order of a strategy; GET /api/v1/orders/{orderId}/timeline tells the rest.' });

export const strategyTimelineSchema = z.strictObject({ strategy: strategySchema, children: z.array(strategyChildSchema), events: z.array(eventSchema) }).meta({ id: 'StrategyTimeline' });

export const strategyTypesSchema = z
  .strictObject({
    types: z.array(z.strictObject({ type: z.string(), title: z.string(), description: z.string(), parameters: z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema (2020-12) of the parameters, to make a form of.' }) })),
  })
  .meta({ id: 'StrategyTypes' });

export const strategyPreviewSchema = z
  .strictObject({
    children: z.int().min(0).meta({ description: 'Orders, where each fills.' }),
    durationMs: z.number(),
    notional: decimalSchema.nullable().meta({ description: 'What it comes to at its limits, or at the mark; null without a price.' }),
    fee: decimalSchema.nullable().meta({ description: 'At the market\'s rates: maker for post-only orders, taker else.' }),
    cost: decimalSchema.nullable().meta({ description: 'The fee, and what its limits may cost beyond the mark.' }),
    legs: z.array(z.strictObject({ leg: z.string(), atMs: z.number(), quantity: decimalSchema, limitPrice: decimalSchema.nullable(), postOnly: z.boolean() })).meta({ description: 'The first 100.' }),
  })
  .meta({ id: 'StrategyPreview', description: 'Random sizes and times are those of an example: each strategy\'s own are seeded by its id.' });

export const strategyListQuery = z.strictObject({
  status: z.enum(['open', 'closed', 'all']).default('all'),
  accountId: idSchema.optional(),
  symbol: symbolSchema.optional(),
  venue: venueNameSchema.optional(),
  ...pageQuery,
});

/** The schema of one type's parameters. */
export function parametersOfType(type: string): z.ZodType<Record<string, string | number | null | undefined>> {
  const form = STRATEGIES.find((each) => each.type === type)?.form ?? {};
  return z.strictObject(Object.fromEntries(Object.entries(form).map(([name, field]) => [name, optional(field)])));
}

function optional(field: Field): z.ZodType<string | number | null | undefined> {
  const schema = schemaOf(field);
  return field.fallback === undefined ? schema : schema.nullable().optional();
}

function schemaOf(field: Field): z.ZodType<string | number> {
  switch (field.kind) {
    case 'integer':
      return z.int().min(field.min).max(field.max);
    case 'decimal': {
      const base = field.zero === true ? decimalSchema.refine((text) => !text.startsWith('-'), 'must not be negative') : positiveDecimalSchema;
      const { max } = field;
      return max === undefined ? base : base.refine((text) => decimal(text).lessThanOrEqualTo(decimal(max)), `must be at most ${max}`);
    }
    case 'choice':
      return z.enum(field.options as [string, ...string[]]);
  }
}

/** Compile-time proof that the document shows the domain's own records. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
export const STRATEGY_SCHEMAS_MATCH: [Same<z.infer<typeof strategySchema>, { -readonly [Field in keyof Strategy]: Strategy[Field] }>, StrategyPreview['legs'][number] extends z.infer<typeof strategyPreviewSchema>['legs'][number] ? true : never] = [true, true];
