/** The catalogue of events that webhooks deliver: what each says, its JSON schema, and an example that is made from the schema. */
import { z } from 'zod';
import { CHANNEL_DISABLED_REASONS } from '../domain/alert';
import { EVENT_TYPES } from '../domain/events';
import { TRADE_EXECUTED, WEBHOOK_TEST } from '../domain/webhook';
import { accountSchema, fillSchema, positionSchema, shownPositionSchema } from './accounts';
import { collateralMoveSchema } from './collateral-moves';
import { depositSchema } from './deposits';
import { alertSchema } from './alerts';
import { timeSchema } from './fields';
import { orderSchema } from './orders';
import { signalSchema } from './signals';
import { strategySchema } from './strategies';
import { tradeSchema } from './trades';
import { withdrawalSchema } from './withdrawals';

export const WEBHOOK_EVENT_TYPES: readonly string[] = [...EVENT_TYPES, TRADE_EXECUTED, WEBHOOK_TEST];

interface Family {
  readonly description: string;
  /** What `data` has; more may be in it: what the change was about. */
  readonly data: z.ZodType;
}

const orderData = z.looseObject({ order: orderSchema });

/** By the type, else by its first word. */
const FAMILIES: Readonly<Record<string, Family>> = {
  [TRADE_EXECUTED]: { description: 'An order is filled.', data: orderData },
  [WEBHOOK_TEST]: { description: 'A test that you asked for: nothing happened.', data: z.looseObject({ endpointId: z.string(), message: z.string() }) },
  'fill.created': { description: 'A fill: each one, once.', data: z.looseObject({ fill: fillSchema }) },
  'position.protectionChanged': { description: 'A position got a stop that covers it, at the venue, in Surefill or both, or lost it.', data: z.looseObject({ position: shownPositionSchema }) },
  'position.updated': { description: 'A position changed.', data: z.looseObject({ position: positionSchema }) },
  'trade.closed': { description: 'A position is flat again: its round trip, with profit, fees and funding.', data: z.looseObject({ trade: tradeSchema }) },
  'account.alert': { description: 'Something that a person should know: data.kind names it.', data: z.looseObject({ kind: z.string() }) },
  'account.collateralMoved': { description: 'Margin or collateral moves within an account: the whole move.', data: z.looseObject({ move: collateralMoveSchema }) },
  'account.created': { description: 'An account was made.', data: z.looseObject({ account: accountSchema.partial() }) },
  'alert.raised': { description: 'One of your alert rules has something to tell.', data: z.looseObject({ alert: alertSchema }) },
  'alert.acknowledged': { description: 'Somebody has seen an alert.', data: z.looseObject({ alert: alertSchema }) },
  'alert.undelivered': { description: 'A channel could not carry alerts and gave up on them: data.alertIds.', data: z.looseObject({ channelId: z.string(), name: z.string(), messageId: z.string(), alertIds: z.array(z.string()) }) },
  'alert.channelDisabled': { description: 'A channel of alerts was shut out, and is disabled: data.reason says why.', data: z.looseObject({ channelId: z.string(), name: z.string(), reason: z.enum(CHANNEL_DISABLED_REASONS) }) },
  order: { description: 'An order changed: its whole state.', data: orderData },
  trade: { description: 'A round trip began or grew.', data: z.looseObject({ trade: tradeSchema }) },
  balance: { description: 'A balance changed.', data: z.looseObject({}) },
  account: { description: 'An account changed.', data: z.looseObject({}) },
  'deposit.unclaimed': { description: 'Something came to a chain address of yours that no deposit explains: it is held in suspense.', data: z.looseObject({}) },
  'swap.completed': { description: 'The bridge says that a deposit\'s swap is done. The money counts with deposit.credited: by what the chain says.', data: z.looseObject({ deposit: depositSchema }) },
  'deposit.reversed': { description: 'A chain took back a transfer that was counted: of a deposit, or one that came unannounced.', data: z.looseObject({ deposit: depositSchema.optional() }) },
  'deposit.orderChanged': { description: 'What is done with a deposit\'s money at its venue changed: data.deposit.destination.order.', data: z.looseObject({ deposit: depositSchema }) },
  'deposit.returned': { description: 'A deposit\'s money has come back from its venue, because its order was refused.', data: z.looseObject({ deposit: depositSchema }) },
  'deposit.held': { description: 'A deposit\'s money stays where a person has to act: `reason` and `advice` say why and how.', data: z.looseObject({ deposit: depositSchema, reason: z.string(), advice: z.string() }) },
  deposit: { description: 'A deposit changed: its whole state.', data: z.looseObject({ deposit: depositSchema }) },
  swap: { description: 'What is known of a deposit\'s swap changed.', data: z.looseObject({ deposit: depositSchema }) },
  withdrawal: { description: 'A withdrawal changed: its whole state.', data: z.looseObject({ withdrawal: withdrawalSchema }) },
  strategy: { description: 'A strategy changed: its whole state.', data: z.looseObject({ strategy: strategySchema }) },
  signal: { description: 'An incoming signal was placed, refused or came too late: the whole of it.', data: z.looseObject({ signal: signalSchema }) },
  orderList: { description: 'A list of orders changed.', data: z.looseObject({}) },
};
const OTHER: Family = { description: 'Something happened.', data: z.looseObject({}) };

function familyOf(type: string): Family {
  return FAMILIES[type] ?? FAMILIES[type.split('.')[0] ?? ''] ?? OTHER;
}

/** The body of a delivery of this type. */
export function webhookBodySchema(type: string): z.ZodType {
  return z.strictObject({
    type: z.literal(type),
    timestamp: timeSchema,
    stream: z.string().nullable().meta({ description: 'Where the event stands in the outbox: account:<id> or user:<id>. GET /api/v1/events reads it again.', examples: ['account:0193e2a4-6c1e-7a50-9b1d-3f1c2a4b5c6d'] }),
    sequence: z.int().min(1).nullable().meta({ description: 'Its number in that stream; what you did not subscribe to has numbers too.', examples: [42] }),
    generation: z.string().nullable().meta({ description: 'Another one: the database was restored, numbers may come again.', examples: ['7577293113131941928-00000001-a1b2c3d4e5f60718.16384'] }),
    accountId: z.string().nullable(),
    orderId: z.string().nullable(),
    data: familyOf(type).data,
    dataOmitted: z.literal(true).optional().meta({ description: 'data would have made the body larger than 64 KB: read the event by stream and sequence.' }),
  });
}

type JsonSchema = Readonly<Record<string, unknown>>;

export interface CatalogueEntry {
  readonly type: string;
  readonly description: string;
  readonly schema: JsonSchema;
  readonly example: unknown;
}

let made: readonly CatalogueEntry[] | null = null;

/** Every type, once. */
export function eventCatalogue(): readonly CatalogueEntry[] {
  made ??= WEBHOOK_EVENT_TYPES.map((type) => {
    const schema = z.toJSONSchema(webhookBodySchema(type), { io: 'output', reused: 'inline' }) as JsonSchema;
    return { type, description: familyOf(type).description, schema, example: exampleOf(schema, schema) };
  });
  return made;
}

/** What a schema takes: its own example, its word, the first alternative that is not null, the smallest of its kind. */
function exampleOf(root: JsonSchema, given: JsonSchema): unknown {
  const schema = typeof given['$ref'] === 'string' ? at(root, given['$ref']) : given;
  const [example] = listOf(schema['examples']);
  if (example !== undefined) return example;
  if (schema['const'] !== undefined) return schema['const'];
  const [word] = listOf(schema['enum']);
  if (word !== undefined) return word;
  const variant = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])].find((each) => (each as JsonSchema)['type'] !== 'null');
  if (variant !== undefined) return exampleOf(root, variant as JsonSchema);
  const type = Array.isArray(schema['type']) ? listOf(schema['type']).find((each) => each !== 'null') : schema['type'];
  switch (type) {
    case 'object': {
      const required = new Set(listOf(schema['required']));
      return Object.fromEntries(Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>).filter(([name]) => required.has(name)).map(([name, property]) => [name, exampleOf(root, property)]));
    }
    case 'array':
      return schema['items'] === undefined ? [] : [exampleOf(root, schema['items'] as JsonSchema)];
    case 'integer':
    case 'number':
      return schema['minimum'] ?? 1;
    case 'boolean':
      return false;
    default:
      return 'example';
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function at(root: JsonSchema, reference: string): JsonSchema {
  return reference.slice(2).split('/').reduce<unknown>((node, key) => (node as JsonSchema)[key], root) as JsonSchema;
}
