/** The "why" of an order: intent, risk figures, every request and answer, the venue's words, fills. From PostgreSQL alone. */
import { z } from 'zod';
import type { Timeline } from '../domain/timeline';
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
    outcome: z.string().nullable().meta({ description: 'answered, refused, notSent, rateLimited or unknown; superseded when another took its place; null while under way.' }),
    latencyMs: z.number().nullable(),
    venueTimeMs: z.number().nullable(),
    request: z.string().nullable().meta({ description: 'What was sent, signatures and keys hidden; null once it was purged, and where the master key that sealed it is lost.' }),
    answer: z.string().nullable().meta({ description: 'The venue\'s words.' }),
  })
  .meta({ id: 'TimelineAttempt', description: 'One request to the venue and its answer.' });

export const timelineEvidenceSchema = z
  .strictObject({ key: z.string(), kind: z.string(), at: timeSchema, data: z.record(z.string(), z.unknown()) })
  .meta({ id: 'TimelineEvidence', description: 'One fact that changed, or confirmed, the order.' });

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
    evidence: z.array(timelineEvidenceSchema),
    mutations: z.array(timelineMutationSchema),
    events: z.array(eventSchema),
    fills: z.array(fillSchema),
  })
  .meta({ id: 'Timeline', description: 'Why the order is what it is; oldest first.' });

/** Compile-time proof that the document shows the timeline of src/domain/timeline.ts. */
type Shows<Schema, Domain> = [Schema] extends [Domain] ? true : never;
export const TIMELINE_SCHEMA_MATCHES: Shows<z.infer<typeof timelineSchema>, Timeline> = true;
