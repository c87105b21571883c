/** Incoming signals at the boundary. */
import { z } from 'zod';
import { CALL_RATE_PATTERN, CALL_RATE_RULE } from '../domain/call-rate';
import { SIGNAL_KINDS, SIGNAL_MODES, SIGNAL_STATUSES, type Signal, type SignalSource, type SignalTemplate } from '../domain/signal';
import { nextCursorSchema, pageQuery, queryFlag, timeSchema, uuidSchema } from './fields';

/** The longest text that TradingView sends is far below it. */
export const MAX_ALERT_BYTES = 16 * 1024;
const MAX_NAME = 64;
const MAX_FIELDS = 50;
const MAX_OPTIONS = 50;
const MAX_TEXT = 256;
const MAX_ADDRESSES = 50;
/** 18 digits are what any token has. */
const MAX_DIGITS = 18;
const MAX_DELAY_SECONDS = 86_400;
/** A minute after an alert its price is another; TradingView itself gives up after seconds. */
const DEFAULT_DELAY_SECONDS = 60;

const nameSchema = z.string().trim().min(1, 'must not be empty').max(MAX_NAME, `must have at most ${MAX_NAME} characters`);
const fieldName = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'must be a name: a letter, then letters, digits, _ . -');
const word = z.string().min(1).max(MAX_TEXT);
const terms = {
  required: z.boolean().optional().meta({ description: 'Default true: an alert without it is refused.' }),
  fallback: word.optional().meta({ description: 'Stands in where an alert has none.' }),
};
const fieldSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('text'), ...terms }),
    z.strictObject({ kind: z.literal('decimal'), ...terms, digits: z.int().min(0).max(MAX_DIGITS).optional().meta({ description: 'So many after the point are kept, the rest is cut off: a quantity that fits the lot.' }) }),
    z.strictObject({ kind: z.literal('integer'), ...terms }),
    z.strictObject({ kind: z.literal('boolean'), ...terms }),
    z.strictObject({ kind: z.literal('choice'), ...terms, options: z.record(word, word).refine((options) => Object.keys(options).length > 0 && Object.keys(options).length <= MAX_OPTIONS, `must have 1 to ${MAX_OPTIONS} options`).meta({ description: 'The alert\'s word, and what it means: {"long": "buy", "short": "sell"}.' }) }),
  ])
  .meta({ id: 'SignalField' });
const fieldsSchema = z
  .record(fieldName, fieldSchema)
  .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, `must have at most ${MAX_FIELDS} fields`)
  .meta({ description: 'What an alert has, by name; a field of an object inside it as outer.inner. An alert with another field is refused.' });
const templateSchema = z
  .record(z.string().min(1).max(MAX_TEXT), z.unknown())
  .refine((template) => JSON.stringify(template).length <= MAX_ALERT_BYTES, 'is too large')
  .meta({ description: 'The body of POST /orders or POST /strategies, without its client id; {{field}} stands for an alert\'s value, and a property whose value is absent is left out.' });
const alertIdSchema = word.meta({ description: 'What tells one alert from the next: the same text is the same signal, placed once. {{id}}, or {{ticker}}/{{time}}.' });
const addressesSchema = z
  .array(z.string().regex(/^(tradingview|[0-9A-Fa-f:.]{2,45}(\/\d{1,3})?)$/, 'must be an IP address, a network such as 10.0.0.0/8, or tradingview'))
  .min(1, 'must name at least one address, or be null for any')
  .max(MAX_ADDRESSES)
  .nullable()
  .meta({ description: 'From where alerts are taken: IP addresses, networks, or tradingview for those it publishes; null: from anywhere.' });
const rateSchema = z.string().regex(CALL_RATE_PATTERN, `must ${CALL_RATE_RULE}`).meta({ description: 'So many alerts in a period; more are answered 429 and not recorded.', examples: ['60/min'] });
const modeSchema = z.enum(SIGNAL_MODES).meta({ description: 'dryRun: alerts are judged and listed, none is placed.' });
const delaySchema = z.int().min(1).max(MAX_DELAY_SECONDS).meta({ description: 'An alert that could not be placed for so long is not placed any more.' });

export const signalSourceRequestSchema = z
  .strictObject({
    name: nameSchema,
    kind: z.enum(SIGNAL_KINDS),
    template: templateSchema,
    fields: fieldsSchema,
    alertId: alertIdSchema.default('{{id}}'),
    allowedAddresses: addressesSchema.default(null),
    rateLimit: rateSchema.default('60/min'),
    mode: modeSchema.default('live'),
    maxDelaySeconds: delaySchema.default(DEFAULT_DELAY_SECONDS),
  })
  .meta({
    id: 'SignalSourceRequest',
    examples: [
      {
        name: 'TradingView',
        kind: 'order',
        template: { accountId: 'paper', symbol: 'BTC-PERP', side: '{{action}}', type: 'market', quantity: '{{contracts}}' },
        fields: { id: { kind: 'text' }, action: { kind: 'choice', options: { buy: 'buy', sell: 'sell' } }, contracts: { kind: 'decimal', digits: 3 } },
        allowedAddresses: ['tradingview'],
      },
    ],
  });

export const signalSourceChangeSchema = z
  .strictObject({
    name: nameSchema.optional(),
    template: templateSchema.optional(),
    fields: fieldsSchema.optional(),
    alertId: alertIdSchema.optional(),
    allowedAddresses: addressesSchema.optional(),
    rateLimit: rateSchema.optional(),
    mode: modeSchema.optional(),
    maxDelaySeconds: delaySchema.optional(),
    status: z.enum(['enabled', 'disabled']).optional().meta({ description: 'disabled: its alerts are refused.' }),
  })
  .meta({ id: 'SignalSourceChange', description: 'What is absent stays.' });

const MAX_OVERLAP_SECONDS = 7 * 86_400;
/** Alerts are edited one by one, by hand. */
const DEFAULT_OVERLAP_SECONDS = 86_400;

export const tokenRotationSchema = z
  .strictObject({ overlapSeconds: z.int().min(0).max(MAX_OVERLAP_SECONDS).default(DEFAULT_OVERLAP_SECONDS).meta({ description: 'How long the old token still works; 0 ends it now.' }) })
  .meta({ id: 'SignalTokenRotation' });

export const signalSourceSchema = z
  .strictObject({
    id: uuidSchema,
    userId: z.string(),
    name: z.string(),
    kind: z.enum(SIGNAL_KINDS),
    accountId: z.string(),
    template: z.record(z.string(), z.unknown()),
    fields: z.record(z.string(), fieldSchema),
    alertId: z.string(),
    allowedAddresses: z.array(z.string()).nullable(),
    rateLimit: z.string(),
    mode: modeSchema,
    maxDelaySeconds: z.int(),
    status: z.enum(['enabled', 'disabled']),
    oldTokenUntil: timeSchema.nullable().meta({ description: 'Until then the token before the newest works too.' }),
    lastSignalAt: timeSchema.nullable().meta({ description: 'At most ten seconds behind.' }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'SignalSource' });

export const madeSignalSourceSchema = z
  .strictObject({ ...signalSourceSchema.shape, token: z.string().meta({ description: 'Shown once, here.' }), path: z.string().meta({ description: 'Where alerts are sent to: POST, at the address of this server.' }) })
  .meta({ id: 'MadeSignalSource' });

export const signalSourceListSchema = z.strictObject({ signalSources: z.array(signalSourceSchema) }).meta({ id: 'SignalSourceList' });

export const signalSchema = z
  .strictObject({
    id: uuidSchema,
    userId: z.string(),
    sourceId: uuidSchema,
    accountId: z.string(),
    kind: z.enum(SIGNAL_KINDS),
    alertId: z.string().nullable(),
    status: z.enum(SIGNAL_STATUSES).meta({ description: 'taken: recorded, and being placed. placed: there is an order or a strategy. refused: there is none, or one that is DENIED. expired: it could not be placed in time. dryRun: only judged.' }),
    code: z.string().nullable().meta({ description: 'Why it is not placed; of one that is taken: why not yet.' }),
    message: z.string().nullable(),
    alert: z.record(z.string(), z.string()).meta({ description: 'Its fields as they came.' }),
    request: z.record(z.string(), z.unknown()).nullable().meta({ description: 'What it became.' }),
    address: z.string().meta({ description: 'Where it came from.' }),
    receivedAt: timeSchema,
    placeBefore: timeSchema,
    settledAt: timeSchema.nullable(),
    orderId: z.string().nullable(),
    strategyId: z.string().nullable(),
    state: z.string().nullable().meta({ description: 'Of the order or the strategy, now.' }),
  })
  .meta({ id: 'Signal' });

export const signalPageSchema = z.strictObject({ signals: z.array(signalSchema), nextCursor: nextCursorSchema }).meta({ id: 'SignalPage' });
export const signalListQuerySchema = z.strictObject({ ...pageQuery, status: z.enum(SIGNAL_STATUSES).optional().meta({ description: 'Absent: all.' }) });

export const signalTokenSchema = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be a token as it was given out').meta({ description: 'The token of a signal source.', examples: ['sig_0123456789abcdefghijABCDEFGHIJ01'] });
export const alertQuerySchema = z.strictObject({ dryRun: queryFlag('true: it is judged and listed, and not placed; its alert id is not used up.') });
/** As it came: JSON or text. */
export const alertTextSchema = z.string('must be a text or JSON').max(MAX_ALERT_BYTES);

/** Compile-time proof that the document shows the domain's own records. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
export const SIGNAL_SCHEMAS_MATCH: [Same<keyof z.infer<typeof signalSchema>, keyof Signal>, Same<keyof z.infer<typeof signalSourceSchema>, keyof SignalSource>] = [true, true];

/** A template that came as JSON is made of JSON's values. */
export function templateOf(template: Readonly<Record<string, unknown>>): SignalTemplate {
  return template as SignalTemplate;
}
