/** Webhooks in memory, by the rules of the store; nothing is sent. */
import { randomUUID } from 'node:crypto';
import type { MadeWebhook, WebhookDeliveriesPort, WebhooksPort } from '../../src/api/webhook-ports';
import { DomainError } from '../../src/domain/errors';
import type { ShownWebhook, WebhookDelivery } from '../../src/domain/webhook';

export class FakeWebhooks {
  private readonly webhooks = new Map<string, ShownWebhook>();
  private readonly deliveries = new Map<string, WebhookDelivery>();

  constructor(private readonly now: () => string) {}

  readonly endpoints: WebhooksPort = {
    urlRefusal: (url) => (url.includes('127.0.0.1') ? '127.0.0.1 is not a public address' : null),
    create: async (wanted) => {
      const webhook: ShownWebhook = { ...wanted, id: randomUUID(), status: 'enabled', disabledReason: null, disabledAt: null, failingSince: null, breakerOpenUntil: null, createdAt: this.now(), updatedAt: this.now(), waiting: 0 };
      return this.withSecret(this.put(webhook));
    },
    list: async (userId) => [...this.webhooks.values()].filter((webhook) => webhook.userId === userId).reverse(),
    get: async (id, userId) => this.own(id, userId),
    change: async (id, userId, { enabled, ...change }) => {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      return this.put({ ...this.own(id, userId), ...given, ...(enabled === false ? ({ status: 'disabled', disabledReason: 'owner', disabledAt: this.now() } as const) : {}) });
    },
    rotateSecret: async (id, userId) => this.withSecret(this.own(id, userId)),
    enable: async (id, userId) => this.put({ ...this.own(id, userId), status: 'enabled', disabledReason: null, disabledAt: null }),
    remove: async (id, userId) => {
      const webhook = this.own(id, userId);
      this.webhooks.delete(id);
      return webhook;
    },
  };

  readonly log: WebhookDeliveriesPort = {
    list: async ({ endpointId, userId, status }) => {
      this.own(endpointId, userId);
      return { deliveries: [...this.deliveries.values()].filter((each) => each.endpointId === endpointId && (status === null || each.status === status)), nextCursor: null };
    },
    get: async (id, endpointId, userId) => ({ ...this.delivery(id, endpointId, userId), body: '{}', log: [{ number: 1, at: this.now(), code: 500, latencyMs: 3.5, errorClass: 'answer', answer: 'oops' }] }),
    test: async (endpointId, userId) => {
      this.enabled(endpointId, userId);
      const delivery: WebhookDelivery = { id: `msg_${randomUUID()}`, endpointId, eventType: 'webhook.test', stream: null, sequence: null, status: 'pending', attempts: 0, createdAt: this.now(), nextAttemptAt: this.now(), settledAt: null };
      this.deliveries.set(delivery.id, delivery);
      return delivery;
    },
    resend: async (id, endpointId, userId) => {
      this.enabled(endpointId, userId);
      return this.delivery(id, endpointId, userId);
    },
    recover: async (endpointId, userId) => {
      this.enabled(endpointId, userId);
      return { recovered: 0, more: false };
    },
  };

  readonly ports = { webhooks: this.endpoints, webhookDeliveries: this.log } as const;

  private put(webhook: ShownWebhook): ShownWebhook {
    this.webhooks.set(webhook.id, webhook);
    return webhook;
  }

  private withSecret(webhook: ShownWebhook): MadeWebhook {
    return { webhook, secret: `whsec_${Buffer.from(randomUUID()).toString('base64')}` };
  }

  private own(id: string, userId: string): ShownWebhook {
    const webhook = this.webhooks.get(id);
    if (webhook === undefined || webhook.userId !== userId) throw new DomainError('NOT_FOUND', 'no such webhook');
    return webhook;
  }

  private enabled(id: string, userId: string): void {
    if (this.own(id, userId).status !== 'enabled') throw new DomainError('CONFLICT', 'the webhook is disabled: enable it first');
  }

  private delivery(id: string, endpointId: string, userId: string): WebhookDelivery {
    this.own(endpointId, userId);
    const delivery = this.deliveries.get(id);
    if (delivery === undefined) throw new DomainError('NOT_FOUND', 'no such delivery');
    return delivery;
  }
}
