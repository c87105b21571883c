/** What the API asks of webhooks. Each throws NOT_FOUND for what is not the user's. */
import type { DeliveryStatus, WebhookAttempt, WebhookDelivery, WebhookEndpoint } from '../domain/webhook';

export interface ShownWebhook extends WebhookEndpoint {
  readonly waiting: number;
}

/** The plain secret is in no other answer. */
export interface MadeWebhook {
  readonly webhook: ShownWebhook;
  readonly secret: string;
}

export type NewWebhook = Pick<WebhookEndpoint, 'userId' | 'url' | 'description' | 'eventTypes' | 'accountIds' | 'rateLimit' | 'ordering'>;
/** What is absent stays. */
export type WebhookChange = { readonly [Field in 'url' | 'description' | 'eventTypes' | 'accountIds' | 'rateLimit' | 'ordering']?: WebhookEndpoint[Field] | undefined } & { readonly enabled?: false | undefined };

/** Whoever delivers is told of every change, and looks by itself if it does not hear. */
export interface WebhooksPort {
  /** Why events are never sent there; null: they may be. */
  urlRefusal(url: string): string | null;
  /** Throws CONFLICT when the user has too many. */
  create(webhook: NewWebhook, actor: string): Promise<MadeWebhook>;
  list(userId: string): Promise<readonly ShownWebhook[]>;
  get(id: string, userId: string): Promise<ShownWebhook>;
  change(id: string, userId: string, change: WebhookChange, actor: string): Promise<ShownWebhook>;
  rotateSecret(id: string, userId: string, overlapSeconds: number, actor: string): Promise<MadeWebhook>;
  enable(id: string, userId: string, options: { readonly skipMissed: boolean }, actor: string): Promise<ShownWebhook>;
  remove(id: string, userId: string, actor: string): Promise<ShownWebhook>;
}

export interface DeliveryListQuery {
  readonly endpointId: string;
  readonly userId: string;
  readonly status: DeliveryStatus | null;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface WebhookDeliveriesPort {
  list(query: DeliveryListQuery): Promise<{ readonly deliveries: readonly WebhookDelivery[]; readonly nextCursor: string | null }>;
  get(id: string, endpointId: string, userId: string): Promise<WebhookDelivery & { readonly body: string; readonly log: readonly WebhookAttempt[] }>;
  /** These throw CONFLICT while the webhook is disabled. */
  test(endpointId: string, userId: string): Promise<WebhookDelivery>;
  resend(id: string, endpointId: string, userId: string, actor: string): Promise<WebhookDelivery>;
  recover(endpointId: string, userId: string, since: string, actor: string): Promise<{ readonly recovered: number; readonly more: boolean }>;
}
