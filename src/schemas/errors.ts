/** The one body of every error. */
import { z } from 'zod';
import { ERROR_CATALOGUE, type ErrorCode } from '../domain/errors';
import { orderSchema } from './orders';
import { timeSchema } from './fields';

const codes = Object.keys(ERROR_CATALOGUE) as [ErrorCode, ...ErrorCode[]];

export const errorCodeSchema = z.enum(codes);

export const errorSchema = z
  .strictObject({
    code: errorCodeSchema,
    message: z.string(),
    details: z.record(z.string(), z.unknown()).meta({ description: 'Figures, fields and nearest valid values; `advice` says what to do.' }),
    timestamp: timeSchema,
    request_id: z.string(),
    retryable: z.boolean(),
    outcome: z.enum(['none', 'unknown', 'applied']).meta({ description: 'none: nothing was done, a retry is a new try. unknown: it may have been done, repeat with the same ids. applied: it was done.' }),
  })
  .meta({ id: 'ErrorDetail' });

export const errorBodySchema = z.strictObject({ error: errorSchema }).meta({
  id: 'Error',
  description: 'Every error has this body.',
  examples: [
    {
      error: {
        code: 'RISK_ORDER_NOTIONAL',
        message: 'order notional 61000 is above 50000',
        details: { advice: 'Lower the quantity or raise the limit.', figures: { orderNotional: '61000', maxOrderNotional: '50000' } },
        timestamp: '2026-01-31T12:00:00.000Z',
        request_id: '5f0c7f4e-90a5-4b1c-8a43-0b5a5f2f8f0a',
        retryable: false,
        outcome: 'none',
      },
    },
  ],
});
export type ErrorBody = z.infer<typeof errorBodySchema>;

/** How one item of a batch fared: the status it would have had alone, and its order or its error. */
export const itemResultSchema = z
  .strictObject({
    index: z.int().min(0),
    status: z.int().min(200).max(599).meta({ description: 'The HTTP status the item would have had alone.' }),
    orderId: z.string().nullable(),
    clientOrderId: z.string(),
    order: orderSchema.nullable(),
    error: errorSchema.nullable(),
  })
  .meta({ id: 'ItemResult' });
export type ItemResult = z.infer<typeof itemResultSchema>;

export const itemResultsSchema = z.strictObject({ results: z.array(itemResultSchema) }).meta({ id: 'ItemResults', description: 'One result per item, in the order of the items.' });
