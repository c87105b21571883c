/** The "why" of an order: intent, risk figures, every request and answer, the venue's words, fills. From PostgreSQL alone. */
import { z } from 'zod';
import { fillSchema } from './accounts';
import { decimalSchema, timeSchema } from './fields';
import { eventSchema } from './events';
import { orderSchema, orderSideSchema, orderTypeSchema, timeInForceSchema } from './orders';

export const timelineIntentSchema = z
  .strictObject({
    symbol: z.string(),
    side: orderSideSchema,
    type: orderTypeSchema,
    timeInForce: timeInForceSchema,
    quantity: decimalSchema,
    limitPrice: decimalSchema.nullable(),
    postOnly: z.boolean(),
    reduceOnly: z.boolean(),
    placeBefore: timeSchema.nullable(),
  })
  .meta({ id: 'TimelineIntent', description: 'What was asked for, before any amendment.' });

export const timelineRiskSchema = z
  .strictObject({
    verdict: z.enum(['accepted', 'denied']),
    code: z.string().nullable(),
    message: z.string().nullable(),
    figures: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TimelineRisk', description: 'The figures the order was judged by, read under the account\'s lock.' });

export const timelineAttemptSchema = z
  .strictObject({
    id: z.string(),
    kind: z.enum(['place', 'amend', 'cancel']),
    preparedAt: timeSchema,
    sentAt: timeSchema.nullable(),
    reportedAt: timeSchema.nullable(),
    fence: z.int(),
    outcome: z.string().nullable().meta({ description: 'answered, refused, notSent, rateLimited or unknown; null while under way.' }),
    latencyMs: z.number().nullable(),
    venueTimeMs: z.number().nullable(),
    answer: z.string().nullable().meta({ description: 'The venue\'s words.' }),
  })
  .meta({ id: 'TimelineAttempt', description: 'One request to the venue and its answer.' });

export const timelineMutationSchema = z
  .strictObject({
    id: z.string(),
    kind: z.enum(['amend', 'cancel']),
    state: z.enum(['pending', 'applied', 'refused', 'superseded', 'unknown']),
    revision: z.int(),
    limitPrice: decimalSchema.nullable(),
    quantity: decimalSchema.nullable(),
    reasonCode: z.string().nullable(),
    createdAt: timeSchema,
  })
  .meta({ id: 'TimelineMutation' });

export const timelineSchema = z
  .strictObject({
    order: orderSchema,
    intent: timelineIntentSchema.nullable().meta({ description: 'null for an order placed outside Surefill.' }),
    risk: timelineRiskSchema.nullable(),
    attempts: z.array(timelineAttemptSchema),
    mutations: z.array(timelineMutationSchema),
    events: z.array(eventSchema),
    fills: z.array(fillSchema),
  })
  .meta({ id: 'Timeline', description: 'Why the order is what it is; oldest first.' });
export type Timeline = z.infer<typeof timelineSchema>;
