/** Risk limits at the boundary. */
import { z } from 'zod';
import type { RiskLimits, RiskLimitsView, UserRiskLimits } from '../domain/account';
import { MAX_ALLOWED_SYMBOLS, MAX_OPEN_ORDERS, riskLimitsSchema } from './accounts';
import { decimalSchema, idSchema, positiveDecimalSchema, symbolSchema } from './fields';

export const userRiskLimitsSchema = z
  .strictObject({
    maxOrderNotional: decimalSchema.nullable(),
    maxPositionNotional: decimalSchema.nullable(),
    maxOpenOrders: z.int().min(1).nullable(),
    maxDailyLoss: decimalSchema.nullable(),
    maxDrawdown: decimalSchema.nullable().optional(),
    priceBandPercent: decimalSchema.nullable(),
    allowedSymbols: z.array(z.string()).nullable(),
  })
  .meta({ id: 'UserRiskLimits', description: 'What your accounts must stay within: maxOpenOrders, maxDailyLoss, maxDrawdown and maxPositionNotional (of one market) all of them together, the others each of them. null: nothing beyond the account\'s own limit.' });

export const riskLimitsViewSchema = z
  .strictObject({
    accountId: idSchema.nullable(),
    user: userRiskLimitsSchema,
    account: riskLimitsSchema.nullable().meta({ description: 'The account\'s own; null when no account was named.' }),
    effective: riskLimitsSchema.nullable().meta({ description: 'What its orders are judged by: the tighter of the two, field by field.' }),
  })
  .meta({ id: 'RiskLimitsView' });

/** All of them, so that nothing is changed by leaving it out. */
export const riskLimitsUpdateSchema = z
  .strictObject({
    maxOrderNotional: positiveDecimalSchema.nullable(),
    maxPositionNotional: positiveDecimalSchema.nullable(),
    maxOpenOrders: z.int().min(1).max(MAX_OPEN_ORDERS).nullable(),
    maxDailyLoss: positiveDecimalSchema.nullable(),
    maxDrawdown: positiveDecimalSchema.nullable().optional().meta({ description: 'How far profit may fall below its peak before the account is HALTED; of a user, the profit of all accounts together, and all of them. Absent or null: any.' }),
    priceBandPercent: positiveDecimalSchema.nullable(),
    allowedSymbols: z.array(symbolSchema).max(MAX_ALLOWED_SYMBOLS).nullable(),
  })
  .meta({
    id: 'RiskLimitsUpdate',
    description: 'The whole set. Of an account the first four must not be null: an account\'s limits are finite.',
    examples: [{ maxOrderNotional: '50000', maxPositionNotional: '50000', maxOpenOrders: 200, maxDailyLoss: '5000', priceBandPercent: '10', allowedSymbols: null }],
  });

export const riskLimitsQuerySchema = z.strictObject({ accountId: idSchema.optional().meta({ description: 'Absent: your own limits, over all your accounts.' }) });

/** Compile-time proof that the document shows the domain's own records. */
type Shows<Schema, Domain> = [Schema] extends [Domain] ? true : never;
export const RISK_SCHEMAS_MATCH: [Shows<z.infer<typeof userRiskLimitsSchema>, UserRiskLimits>, Shows<z.infer<typeof riskLimitsSchema>, RiskLimits>, Shows<z.infer<typeof riskLimitsViewSchema>, RiskLimitsView>] = [true, true, true];
