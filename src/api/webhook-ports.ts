/** What the API asks of webhooks. Each throws NOT_FOUND for what is not the user's. */
import type { DeliveryDetail, DeliveryListQuery, NewWebhook, ShownWebhook, WebhookChange, WebhookDelivery } from '../domain/webhook';

/** The plain secret is in no other answer. */
export interface MadeWebhook {
  readonly webhook: ShownWebhook;
  readonly secret: string;
}

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

export interface WebhookDeliveriesPort {
  list(query: DeliveryListQuery): Promise<{ readonly deliveries: readonly WebhookDelivery[]; readonly nextCursor: string | null }>;
  get(id: string, endpointId: string, userId: string): Promise<DeliveryDetail>;
  /** These throw CONFLICT while the webhook is disabled. */
  test(endpointId: string, userId: string): Promise<WebhookDelivery>;
  resend(id: string, endpointId: string, userId: string, actor: string): Promise<WebhookDelivery>;
  recover(endpointId: string, userId: string, since: string, actor: string): Promise<{ readonly recovered: number; readonly more: boolean }>;
}
