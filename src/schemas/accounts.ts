/** Accounts, balances, positions and fills at the boundary. */
import { z } from 'zod';
import type { Account, Balance, Position } from '../domain/account';
import type { Fill } from '../domain/order';
import { PROTECTIONS, type ShownPosition } from '../domain/protection';
import { decimalSchema, idSchema, nextCursorSchema, pageQuery, positiveDecimalSchema, symbolSchema, timeSchema, uuidSchema, venueNameSchema } from './fields';
import { executionSchema, priceTypeSchema, trailingOffsetTypeSchema } from './order-conditions';
import { orderSideSchema } from './orders';

export const riskLimitsSchema = z
  .strictObject({
    maxOrderNotional: decimalSchema,
    maxPositionNotional: decimalSchema,
    maxOpenOrders: z.int().min(0),
    maxDailyLoss: decimalSchema.meta({ description: 'Largest loss of a UTC day, realized and unrealized since its start, fees counted.' }),
    maxDrawdown: decimalSchema.nullable().optional().meta({ description: 'How far profit may fall below its peak before the account is HALTED; absent or null: any.' }),
    priceBandPercent: decimalSchema.nullable().meta({ description: 'How far from the mark, in percent, an order may buy above it or sell below it. null: anywhere.' }),
    allowedSymbols: z.array(z.string()).nullable().meta({ description: 'null allows every symbol of the venue.' }),
  })
  .meta({ id: 'RiskLimits' });

/** Most resting orders an account may be allowed: what a start of its watcher can still read in one go. */
export const MAX_OPEN_ORDERS = 10_000;
export const MAX_ALLOWED_SYMBOLS = 1_000;

const riskLimitsRequestSchema = z
  .strictObject({
    maxOrderNotional: positiveDecimalSchema.optional(),
    maxPositionNotional: positiveDecimalSchema.optional(),
    maxOpenOrders: z.int().min(1).max(MAX_OPEN_ORDERS).optional(),
    maxDailyLoss: positiveDecimalSchema.optional(),
    priceBandPercent: positiveDecimalSchema.nullable().optional(),
    allowedSymbols: z.array(symbolSchema).max(MAX_ALLOWED_SYMBOLS).nullable().optional(),
  })
  .meta({ id: 'RiskLimitsRequest', description: 'What is absent has the default.' });

/** Longest secret of a credential: a PEM key of 4096 bits fits. */
const MAX_CREDENTIAL_LENGTH = 4_096;

const credentialsSchema = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,31}$/), z.string().min(1).max(MAX_CREDENTIAL_LENGTH));

export const accountRequestSchema = z
  .strictObject({
    name: z.string().trim().min(1, 'must not be empty').max(64, 'must have at most 64 characters'),
    venue: venueNameSchema,
    credentials: credentialsSchema
      .optional()
      .meta({ description: 'Trade-only key of the venue; its fields are the venue\'s own. Absent on paper: one is made. Stored sealed, never shown again.' }),
    limits: riskLimitsRequestSchema.optional(),
  })
  .meta({ id: 'AccountRequest', examples: [{ name: 'second', venue: 'paper' }] });

/** A reason is read by people. */
const MAX_REASON_LENGTH = 200;

export const accountChangeSchema = z
  .strictObject({
    name: z.string().trim().min(1, 'must not be empty').max(64, 'must have at most 64 characters').optional(),
    status: z.enum(['ACTIVE', 'REDUCING', 'HALTED']).optional().meta({ description: 'ACTIVE trades; REDUCING takes only orders that reduce; HALTED only cancels and reduce-only exits.' }),
    reason: z.string().trim().min(1).max(MAX_REASON_LENGTH).optional().meta({ description: 'Why, for REDUCING and HALTED.' }),
    credentials: credentialsSchema.optional().meta({ description: 'Takes the place of the sealed key; trade-only, never shown again.' }),
  })
  .refine((change) => Object.keys(change).length > 0, 'must change something: name, status or credentials')
  .refine((change) => change.reason === undefined || (change.status !== undefined && change.status !== 'ACTIVE'), { path: ['reason'], message: 'belongs to a status of REDUCING or HALTED' })
  .meta({ id: 'AccountChange', examples: [{ status: 'HALTED', reason: 'holidays' }] });

const marginModeSchema = z.enum(['cross', 'isolated']);

export const leverageRequestSchema = z
  .strictObject({ symbol: symbolSchema, leverage: positiveDecimalSchema, marginMode: marginModeSchema.default('cross') })
  .meta({ id: 'LeverageRequest', examples: [{ symbol: 'BTC-PERP', leverage: '5', marginMode: 'cross' }] });

export const leverageSchema = z.strictObject({ accountId: z.string(), symbol: z.string(), leverage: decimalSchema, marginMode: marginModeSchema }).meta({ id: 'Leverage' });

export const accountSchema = z
  .strictObject({
    id: idSchema,
    userId: z.string(),
    name: z.string(),
    venue: venueNameSchema,
    status: z.enum(['ACTIVE', 'REDUCING', 'HALTED']),
    statusReason: z.string().nullable(),
    signerId: z.string(),
    credentialId: z.string().nullable(),
    limits: riskLimitsSchema,
    createdAt: timeSchema,
  })
  .meta({ id: 'Account' });

export const balanceSchema = z
  .strictObject({ accountId: z.string(), asset: z.string(), total: decimalSchema, available: decimalSchema, locked: decimalSchema, updatedAt: timeSchema })
  .meta({ id: 'Balance' });

export const positionSchema = z
  .strictObject({
    id: z.string(),
    accountId: z.string(),
    venue: venueNameSchema,
    symbol: z.string(),
    side: z.enum(['long', 'short', 'flat']),
    quantity: decimalSchema.meta({ description: 'Absolute.' }),
    entryPrice: decimalSchema.nullable().meta({ description: 'Average of the round trip it is in; while flat, of the last one.' }),
    exitPrice: decimalSchema.nullable().meta({ description: 'Average of what the round trip gave back; null before its first exit.' }),
    markPrice: decimalSchema.nullable(),
    notional: decimalSchema.nullable(),
    leverage: decimalSchema.nullable(),
    marginMode: z.enum(['cross', 'isolated']),
    margin: decimalSchema.nullable(),
    liquidationPrice: decimalSchema.nullable(),
    unrealizedPnl: decimalSchema.nullable(),
    realizedPnl: decimalSchema.meta({ description: 'Of the round trip, fees and funding not counted.' }),
    fees: decimalSchema.meta({ description: 'Of the round trip.' }),
    fundingPaid: decimalSchema.meta({ description: 'Of the round trip; negative was received.' }),
    profit: decimalSchema.meta({ description: 'realizedPnl less fees less fundingPaid.' }),
    tradeId: uuidSchema.nullable().meta({ description: 'The round trip, as GET /api/v1/trades shows it.' }),
    openedAt: timeSchema.nullable(),
    closedAt: timeSchema.nullable(),
    updatedAt: timeSchema,
  })
  .meta({ id: 'Position' });

const protectionSchema = z.enum(PROTECTIONS).meta({ description: 'Who holds stops that would close all of it: the venue (native), Surefill (durable), both, or none.' });

export const shownPositionSchema = positionSchema
  .extend({
    protection: protectionSchema,
    desiredStop: z
      .strictObject({
        orderId: uuidSchema.meta({ description: 'Of a leg of an order list, which has no order before its price comes, the list\'s.' }),
        orderListId: uuidSchema.nullable().meta({ description: 'The order list that it is of; null: an order alone.' }),
        leg: z.int().min(0).nullable().meta({ description: 'Number of the leg in its list.' }),
        execution: executionSchema.nullable(),
        quantity: decimalSchema,
        triggerPrice: decimalSchema.nullable().meta({ description: 'Of a trailing one: the level it has come to; null until it follows a price.' }),
        triggerPriceType: priceTypeSchema.nullable(),
        trailingOffset: decimalSchema.nullable(),
        trailingOffsetType: trailingOffsetTypeSchema.nullable(),
      })
      .nullable()
      .meta({ description: 'The stop that you want, whoever holds it; of several the one that the price reaches first.' }),
    confirmedStop: z
      .strictObject({ orderId: uuidSchema, venueOrderId: z.string(), quantity: decimalSchema, triggerPrice: decimalSchema.nullable(), acknowledgedAt: timeSchema.nullable() })
      .nullable()
      .meta({ description: 'The stop that the venue has acknowledged and holds.' }),
    unprotectedMs: z.int().min(0).meta({ description: 'How long no stop has covered it, ms; 0 while one does, or while it is flat.' }),
  })
  .meta({ id: 'ShownPosition' });

export const fillSchema = z
  .strictObject({
    venueFillId: z.string(),
    orderId: uuidSchema.nullable(),
    venueOrderId: z.string(),
    accountId: z.string(),
    venue: venueNameSchema,
    symbol: z.string(),
    side: orderSideSchema,
    price: decimalSchema,
    quantity: decimalSchema,
    fee: decimalSchema,
    feeAsset: z.string(),
    liquidity: z.enum(['maker', 'taker']),
    realizedPnl: decimalSchema.nullable(),
    at: timeSchema,
  })
  .meta({ id: 'Fill' });

/** Compile-time proof that the document shows the domain's own records. */
type Shows<Schema, Domain> = [Schema] extends [Domain] ? true : never;
export const ACCOUNT_SCHEMAS_MATCH: [Shows<z.infer<typeof shownPositionSchema>, ShownPosition>, Shows<z.infer<typeof accountSchema>, Account>, Shows<z.infer<typeof balanceSchema>, Balance>, Shows<z.infer<typeof positionSchema>, Position>, Shows<z.infer<typeof fillSchema>, Fill>] = [true, true, true, true, true];

export const accountListSchema = z.strictObject({ accounts: z.array(accountSchema) }).meta({ id: 'AccountList' });
export const balanceListSchema = z.strictObject({ balances: z.array(balanceSchema) }).meta({ id: 'BalanceList' });
export const positionListSchema = z.strictObject({ positions: z.array(shownPositionSchema), nextCursor: nextCursorSchema }).meta({ id: 'PositionList' });
export const fillPageSchema = z.strictObject({ fills: z.array(fillSchema), nextCursor: nextCursorSchema }).meta({ id: 'FillPage' });

export const positionListQuerySchema = z.strictObject({
  status: z.enum(['open', 'closed', 'all']).default('open').meta({ description: 'open: not flat. closed: flat, with the figures of the last round trip; GET /api/v1/trades has all of them.' }),
  accountId: idSchema.optional(),
  symbol: symbolSchema.optional(),
  venue: venueNameSchema.optional(),
  ...pageQuery,
});

export const fillListQuerySchema = z.strictObject({
  accountId: idSchema.optional(),
  symbol: symbolSchema.optional(),
  venue: venueNameSchema.optional(),
  orderId: uuidSchema.optional(),
  ...pageQuery,
});

export const positionQuerySchema = z.strictObject({
  accountId: idSchema.optional().meta({ description: 'Needed where several of your accounts have held the market.' }),
  venue: venueNameSchema.optional(),
});

export const positionCloseSchema = z
  .strictObject({
    quantity: positiveDecimalSchema.optional().meta({ description: 'Absent: all of it.' }),
    type: z.enum(['market', 'limit']).default('market'),
    limitPrice: positiveDecimalSchema.optional().meta({ description: 'Required for limit, absent for market. The order rests until it is filled or canceled.' }),
  })
  .superRefine(({ type, limitPrice }, context) => {
    const issue = (message: string): void => context.addIssue({ code: 'custom', path: ['limitPrice'], message, input: limitPrice });
    if (type === 'limit' && limitPrice === undefined) issue('is required to close by limit');
    if (type === 'market' && limitPrice !== undefined) issue('must be absent to close at market; use type limit');
  })
  .meta({ id: 'PositionClose', examples: [{ quantity: '0.01' }, { quantity: '0.01', type: 'limit', limitPrice: '65000' }] });
