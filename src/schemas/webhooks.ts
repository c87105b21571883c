/** Webhooks at the boundary. */
import { z } from 'zod';
import { CALL_RATE_PATTERN, CALL_RATE_RULE } from '../domain/call-rate';
import { nearestNames } from '../domain/nearest';
import { ATTEMPT_ERRORS, DELIVERY_STATUSES, DISABLED_REASONS, isSubscribed, ORDERINGS } from '../domain/webhook';
import { idSchema, nextCursorSchema, pageQuery, timeSchema } from './fields';
import { WEBHOOK_EVENT_TYPES } from './webhook-events';

const MAX_URL = 2_048;
const MAX_DESCRIPTION = 256;
const MAX_EVENT_TYPES = 100;
const MAX_ACCOUNTS = 100;

const urlSchema = z
  .string()
  .max(MAX_URL, `must have at most ${MAX_URL} characters`)
  .regex(/^https?:\/\/[!-~]+$/, 'must be a URL that starts with https://')
  .meta({ id: 'WebhookUrl', description: 'Where events are sent by POST. https: (http: only where the server allows it); never an address inside a network, never a redirect.', examples: ['https://example.com/surefill'] });
/** What may be subscribed to: each type, and each family. */
const SUBSCRIPTIONS = [...new Set(WEBHOOK_EVENT_TYPES.map((type) => type.replace(/\..*$/, '.*'))), ...WEBHOOK_EVENT_TYPES];
const NEAREST_SHOWN = 3;

const eventTypesSchema = z
  .array(z.string().regex(/^(\*|[a-zA-Z]{1,32}\.(\*|[a-zA-Z]{1,48}))$/, { error: 'must be a type such as order.filled, a family such as order.*, or *', abort: true }))
  .min(1, 'must name at least one type')
  .max(MAX_EVENT_TYPES)
  .superRefine((types, context) => {
    const index = types.findIndex((wanted) => !WEBHOOK_EVENT_TYPES.some((type) => isSubscribed([wanted], type)));
    const unknown = types[index];
    if (unknown === undefined) return;
    context.addIssue({ code: 'custom', path: [index], message: `must be a type that there is: ${unknown} matches none, the nearest are ${nearestNames(unknown, SUBSCRIPTIONS, NEAREST_SHOWN).join(', ')}` });
  })
  .meta({ description: 'Types such as order.filled, families such as order.*, or *. GET /api/v1/webhooks/event-types lists them.', examples: [['order.*', 'fill.created']] });
const descriptionSchema = z.string().max(MAX_DESCRIPTION, `must have at most ${MAX_DESCRIPTION} characters`);
const accountIdsSchema = z.array(idSchema).min(1, 'must name at least one account, or be null for all').max(MAX_ACCOUNTS).nullable().meta({ description: 'Only events of these accounts; null: of all, and what belongs to no account.' });
const rateLimitSchema = z.string().regex(CALL_RATE_PATTERN, `must ${CALL_RATE_RULE}`).nullable().meta({ description: 'So many deliveries in a period; null or off: as fast as they are answered.', examples: ['10/s'] });
const orderingSchema = z.enum(ORDERINGS).meta({ description: 'perKey: in order of each order, position or deposit, side by side across them. serial: one after the other. none: as they come.' });

export const webhookRequestSchema = z
  .strictObject({
    url: urlSchema,
    eventTypes: eventTypesSchema,
    description: descriptionSchema.default(''),
    accountIds: accountIdsSchema.default(null),
    rateLimit: rateLimitSchema.default(null),
    ordering: orderingSchema.default('perKey'),
  })
  .meta({ id: 'WebhookRequest', examples: [{ url: 'https://example.com/surefill', eventTypes: ['order.*', 'fill.created'] }] });

export const webhookChangeSchema = z
  .strictObject({
    url: urlSchema.optional(),
    eventTypes: eventTypesSchema.optional(),
    description: descriptionSchema.optional(),
    accountIds: accountIdsSchema.optional(),
    rateLimit: rateLimitSchema.optional(),
    ordering: orderingSchema.optional(),
    enabled: z.literal(false).optional().meta({ description: 'false disables it; POST …/enable goes on where it stopped.' }),
  })
  .meta({ id: 'WebhookChange', description: 'What is absent stays. What waits already keeps its order.' });

/** A receiver that takes longer to learn a new secret has another problem. */
const MAX_OVERLAP_SECONDS = 7 * 86_400;
const DEFAULT_OVERLAP_SECONDS = 86_400;

export const secretRotationSchema = z
  .strictObject({ overlapSeconds: z.int().min(0).max(MAX_OVERLAP_SECONDS).default(DEFAULT_OVERLAP_SECONDS).meta({ description: 'How long the old secret signs besides; 0 ends it now.' }) })
  .meta({ id: 'WebhookSecretRotation' });

export const webhookEnablingSchema = z
  .strictObject({ skipMissed: z.boolean().default(false).meta({ description: 'true: what happened while it was disabled is not delivered.' }) })
  .meta({ id: 'WebhookEnabling' });

export const webhookRecoverySchema = z
  .strictObject({ since: timeSchema.meta({ description: 'Exhausted deliveries made since then.' }) })
  .meta({ id: 'WebhookRecovery', examples: [{ since: '2026-01-31T12:00:00Z' }] });

export const webhookSchema = z
  .strictObject({
    id: idSchema,
    userId: z.string(),
    url: z.string(),
    description: z.string(),
    eventTypes: z.array(z.string()),
    accountIds: z.array(z.string()).nullable(),
    rateLimit: z.string().nullable(),
    ordering: orderingSchema,
    status: z.enum(['enabled', 'disabled']),
    disabledReason: z.enum(DISABLED_REASONS).nullable().meta({ description: 'gone: it answered 410. failing: nothing but failures for 120 h. owner: you did. secretLost: the master key that sealed its secret is lost; rotate the secret, then enable it.' }),
    disabledAt: timeSchema.nullable(),
    failingSince: timeSchema.nullable().meta({ description: 'Nothing but failures since then; null: the last attempt succeeded.' }),
    breakerOpenUntil: timeSchema.nullable().meta({ description: 'Left alone until then, after five failures in a row.' }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
    waiting: z.int().min(0).meta({ description: 'Deliveries that are not settled.' }),
  })
  .meta({ id: 'Webhook' });

export const madeWebhookSchema = z
  .strictObject({ ...webhookSchema.shape, secret: z.string().meta({ description: 'whsec_ and 32 random bytes: shown once, here.' }) })
  .meta({ id: 'MadeWebhook' });

export const webhookListSchema = z.strictObject({ webhooks: z.array(webhookSchema) }).meta({ id: 'WebhookList' });

export const webhookDeliverySchema = z
  .strictObject({
    id: idSchema.meta({ description: 'The webhook-id header: the same over all attempts and resends.' }),
    endpointId: z.string(),
    eventType: z.string(),
    stream: z.string().nullable(),
    sequence: z.int().nullable(),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.int().min(0),
    createdAt: timeSchema,
    nextAttemptAt: timeSchema.nullable(),
    settledAt: timeSchema.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });

export const webhookDeliveryDetailSchema = z
  .strictObject({
    ...webhookDeliverySchema.shape,
    body: z.string().meta({ description: 'The bytes that every attempt signs and sends.' }),
    log: z.array(
      z.strictObject({
        number: z.int().min(1),
        at: timeSchema,
        code: z.int().nullable(),
        latencyMs: z.number().nullable(),
        errorClass: z.enum(ATTEMPT_ERRORS).nullable().meta({ description: 'null: delivered, or under way.' }),
        answer: z.string().nullable().meta({ description: 'The first 8 KB of what came back, redacted; or what went wrong.' }),
      }),
    ),
  })
  .meta({ id: 'WebhookDeliveryDetail' });

export const webhookDeliveryPageSchema = z.strictObject({ deliveries: z.array(webhookDeliverySchema), nextCursor: nextCursorSchema }).meta({ id: 'WebhookDeliveryPage' });

export const webhookDeliveryListQuerySchema = z.strictObject({ ...pageQuery, status: z.enum(DELIVERY_STATUSES).optional().meta({ description: 'Absent: all.' }) });

export const webhookRecoveredSchema = z
  .strictObject({ recovered: z.int().min(0), more: z.boolean().meta({ description: 'There may be others: ask again.' }) })
  .meta({ id: 'WebhookRecovered' });

export const eventTypeListSchema = z
  .strictObject({
    eventTypes: z.array(z.strictObject({ type: z.string(), description: z.string(), schema: z.record(z.string(), z.unknown()).meta({ description: 'JSON schema (2020-12) of the body.' }), example: z.unknown() })),
  })
  .meta({ id: 'EventTypeList' });
