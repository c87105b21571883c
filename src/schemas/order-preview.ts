/** What an order would come to, were it placed now. */
import { z } from 'zod';
import type { ExpectedFill } from '../domain/book-walk';
import { decimalSchema, idSchema, timeSchema, venueNameSchema } from './fields';
import { errorCodeSchema } from './errors';
import { orderSideSchema, orderTypeSchema, timeInForceSchema } from './orders';

export const expectedFillSchema = z
  .strictObject({
    quantity: decimalSchema.meta({ description: 'What would fill at once.' }),
    averagePrice: decimalSchema.nullable(),
    worstPrice: decimalSchema.nullable(),
    bestPrice: decimalSchema.nullable().meta({ description: 'Best price of the other side.' }),
    slippageBps: decimalSchema.nullable().meta({ description: 'How much worse the average is than the best, in basis points.' }),
    restingQuantity: decimalSchema.meta({ description: 'What would stay in the book at the limit.' }),
    unfilledQuantity: decimalSchema.meta({ description: 'What would be given up.' }),
    beyondBook: z.boolean().meta({ description: 'The order reaches beyond the levels that are known.' }),
  })
  .meta({ id: 'ExpectedFill' });

export const orderPreviewSchema = z
  .strictObject({
    order: z.strictObject({
      accountId: idSchema,
      venue: venueNameSchema,
      symbol: z.string(),
      side: orderSideSchema,
      type: orderTypeSchema,
      timeInForce: timeInForceSchema,
      quantity: decimalSchema,
      limitPrice: decimalSchema.nullable(),
      postOnly: z.boolean(),
      reduceOnly: z.boolean(),
    }),
    risk: z.strictObject({
      verdict: z.enum(['accepted', 'denied']),
      code: errorCodeSchema.nullable(),
      message: z.string().nullable(),
      figures: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
    }),
    fees: z.strictObject({
      asset: z.string(),
      makerFeeRate: decimalSchema,
      takerFeeRate: decimalSchema,
      expected: decimalSchema.nullable().meta({ description: 'Taker for what fills at once, maker for what rests; without a book all of it as taker at the price risk values it at. null without a price.' }),
    }),
    fill: expectedFillSchema.nullable().meta({ description: 'By the order book as it is known; null without a fresh one.' }),
    book: z.strictObject({ sequence: z.number(), ageMs: z.number() }).nullable(),
    at: timeSchema,
  })
  .meta({ id: 'OrderPreview', description: 'Nothing of it is a promise: prices move, and other orders come between.' });

/** Compile-time proof that the document shows the domain's own record. */
type Shows<Schema, Domain> = [Schema] extends [Domain] ? true : never;
export const PREVIEW_SCHEMAS_MATCH: [Shows<z.infer<typeof expectedFillSchema>, ExpectedFill>] = [true];
