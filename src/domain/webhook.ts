/** Webhooks: where a user's events are sent, each delivery of one event to one endpoint, and each attempt at it. */
import type { StreamEvent } from './events';

/** In what order deliveries of one endpoint leave: per order, position, round trip or deposit; one after the other; or as they come. */
export const ORDERINGS = ['perKey', 'serial', 'none'] as const;
export type DeliveryOrdering = (typeof ORDERINGS)[number];

/** `gone`: it answered 410; `failing`: nothing but failures for 120 h; `owner`: its owner said so; `secretLost`: nothing signs any more until its secret is rotated. */
export const DISABLED_REASONS = ['gone', 'failing', 'owner', 'secretLost'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

export interface WebhookEndpoint {
  readonly id: string;
  readonly userId: string;
  readonly url: string;
  readonly description: string;
  /** Names such as `order.filled`, families such as `order.*`, or `*`. */
  readonly eventTypes: readonly string[];
  /** null: all accounts of the user, and what belongs to none. */
  readonly accountIds: readonly string[] | null;
  /** A rate as in domain/call-rate.ts; null: none. */
  readonly rateLimit: string | null;
  readonly ordering: DeliveryOrdering;
  readonly status: 'enabled' | 'disabled';
  readonly disabledReason: DisabledReason | null;
  readonly disabledAt: string | null;
  /** Since when nothing but failures came back; null: the last attempt succeeded. */
  readonly failingSince: string | null;
  /** When the breaker lets the next attempt through; null: it is closed. */
  readonly breakerOpenUntil: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** An endpoint as its owner sees it. */
export interface ShownWebhook extends WebhookEndpoint {
  /** Deliveries that are not settled. */
  readonly waiting: number;
}

export type WebhookTerms = Pick<WebhookEndpoint, 'url' | 'description' | 'eventTypes' | 'accountIds' | 'rateLimit' | 'ordering'>;
export type NewWebhook = WebhookTerms & Pick<WebhookEndpoint, 'userId'>;
/** What is absent stays. */
export type WebhookChange = { readonly [Field in keyof WebhookTerms]?: WebhookTerms[Field] | undefined } & { readonly enabled?: false | undefined };

/** `discarded`: its endpoint was deleted before it could be delivered. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'exhausted', 'discarded'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export interface WebhookDelivery {
  /** The `webhook-id`: the same over all attempts and resends. */
  readonly id: string;
  readonly endpointId: string;
  readonly eventType: string;
  /** Where the event stands; null for a test. */
  readonly stream: string | null;
  readonly sequence: number | null;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly createdAt: string;
  /** When the next attempt is due; null once there is none. */
  readonly nextAttemptAt: string | null;
  readonly settledAt: string | null;
}

/** Why an attempt failed, in a word that can be counted. `answer`: a status beyond 2xx; `secretLost`: nothing was sent, nothing could sign it. */
export const ATTEMPT_ERRORS = ['answer', 'redirect', 'timeout', 'connectTimeout', 'dns', 'refused', 'reset', 'tls', 'blockedAddress', 'blockedUrl', 'interrupted', 'network', 'secretLost'] as const;
export type AttemptError = (typeof ATTEMPT_ERRORS)[number];

export interface WebhookAttempt {
  /** From 1, without a gap. */
  readonly number: number;
  readonly at: string;
  /** HTTP status; null when none came. */
  readonly code: number | null;
  readonly latencyMs: number | null;
  /** null: delivered, or still under way. */
  readonly errorClass: AttemptError | null;
  /** The first 8 KB of what came back, redacted. */
  readonly answer: string | null;
}

/** A delivery with the bytes that every attempt signs and sends, and each attempt. */
export interface DeliveryDetail extends WebhookDelivery {
  readonly body: string;
  readonly log: readonly WebhookAttempt[];
}

export interface DeliveryListQuery {
  readonly endpointId: string;
  readonly userId: string;
  readonly status: DeliveryStatus | null;
  readonly cursor: string | null;
  readonly limit: number;
}

/** What one attempt came to for its delivery: `retried` is due again later, `exhausted` never by itself, `interrupted` at once. */
export const ATTEMPT_ENDS = ['delivered', 'retried', 'exhausted', 'interrupted'] as const;
export type AttemptEnd = (typeof ATTEMPT_ENDS)[number];

/** How one attempt ended, as the sender saw it. */
export interface AttemptOutcome {
  readonly code: number | null;
  readonly latencyMs: number;
  readonly errorClass: AttemptError | null;
  readonly answer: string | null;
  /** What Retry-After asked for, ms; null: nothing. */
  readonly retryAfterMs: number | null;
}

/** An order that is filled is told as `trade.executed` besides. */
export const TRADE_EXECUTED = 'trade.executed';
/** Sent by POST webhooks/{id}/test alone. */
export const WEBHOOK_TEST = 'webhook.test';

/** Under which names an event is delivered. */
export function webhookTypesOf(event: Pick<StreamEvent, 'type'>): readonly string[] {
  return event.type === 'order.filled' ? [event.type, TRADE_EXECUTED] : [event.type];
}

/** Whether a subscription's list has that type. */
export function isSubscribed(eventTypes: readonly string[], type: string): boolean {
  return eventTypes.some((wanted) => wanted === '*' || wanted === type || (wanted.endsWith('.*') && type.startsWith(wanted.slice(0, -1))));
}

/** Whether the endpoint wants this event under this name. What tells of the endpoint itself would only queue up behind its failure. */
export function isWanted(endpoint: Pick<WebhookEndpoint, 'id' | 'eventTypes' | 'accountIds'>, event: Pick<StreamEvent, 'accountId' | 'data'>, type: string): boolean {
  if (!isSubscribed(endpoint.eventTypes, type)) return false;
  if (endpoint.accountIds !== null && (event.accountId === null || !endpoint.accountIds.includes(event.accountId))) return false;
  return event.data['endpointId'] !== endpoint.id;
}

/** What is delivered in order: events with the same key. */
export function orderingKey(ordering: DeliveryOrdering, event: Pick<StreamEvent, 'type' | 'stream' | 'accountId' | 'orderId' | 'data'>, deliveryId: string): string {
  if (ordering === 'none') return `alone/${deliveryId}`;
  if (ordering === 'serial') return 'all';
  // Fills of many orders move one position and one round trip: by the order, a state that was late would come after a newer one.
  const isMovedByOrders = event.type.startsWith('position.') || event.type.startsWith('trade.');
  if (event.orderId !== null && !isMovedByOrders) return `order/${event.orderId}`;
  const subject = SUBJECTS.map(([field, id]) => [field, idIn(event.data, field, id)] as const).find(([, id]) => id !== null);
  if (subject === undefined) return event.stream;
  return `${subject[0]}/${event.accountId ?? event.stream}/${subject[1]}`;
}

/** Where an event's data names what it is about: by an object with an id of its own, or by a field. */
const SUBJECTS: readonly (readonly [field: string, id: string])[] = [['deposit', 'id'], ['swap', 'id'], ['strategy', 'id'], ['orderList', 'id'], ['position', 'symbol'], ['trade', 'symbol']];

function idIn(data: Readonly<Record<string, unknown>>, field: string, id: string): string | null {
  const named = data[`${field}Id`];
  if (typeof named === 'string') return named;
  const subject = data[field];
  const value = subject !== null && typeof subject === 'object' ? (subject as Record<string, unknown>)[id] : undefined;
  return typeof value === 'string' ? value : null;
}

/** A receiver reads no more, and Standard Webhooks advises against more. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;

/**
 * The bytes that are stored, signed and sent. Data that would make them larger than 64 KB is left out, and the body says so:
 * its receiver reads the event over REST by stream and sequence.
 */
export function payloadOf(event: StreamEvent, type: string): string {
  const { at, stream, sequence, generation, accountId, orderId, data } = event;
  const envelope = { type, timestamp: at, stream, sequence, generation, accountId, orderId };
  const whole = JSON.stringify({ ...envelope, data });
  if (new TextEncoder().encode(whole).length <= MAX_PAYLOAD_BYTES) return whole;
  return JSON.stringify({ ...envelope, data: {}, dataOmitted: true });
}
