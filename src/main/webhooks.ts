/** Wires the delivery of webhooks into the worker. */
import { createWebhookActivities, type WebhookActivities } from '../activities/webhook-deliverer';
import { WebhookNews } from '../activities/webhook-news';
import type { WebhookDeliveriesPort, WebhooksPort } from '../api/webhook-ports';
import type { Settings } from '../config/settings';
import { AddressGuard, networkOf, type Network } from '../delivery/address-guard';
import { GuardedClient, urlRefusal } from '../delivery/guarded-client';
import { newWebhookSecret } from '../delivery/signature';
import { hintWebhook } from '../temporal/webhook-workflows';
import { WebhookMetrics } from './metrics/webhook-metrics';
import type { Platform } from './platform';

export interface WebhookWorker {
  readonly activities: WebhookActivities;
  /** Hears of committed events from now on. */
  start(): Promise<void>;
  /** Attempts under way are cut and due again at once. */
  leave(): void;
  close(): Promise<void>;
}

function rulesOf(settings: Settings): { readonly guard: AddressGuard; readonly allowHttp: boolean } {
  const networks = (settings.webhookAllowedNetworks ?? []).map(networkOf).filter((network): network is Network => network !== null);
  return { guard: new AddressGuard(networks), allowHttp: settings.webhookHttp === 'allowed' };
}

/** What the API asks of webhooks: every change is hinted to who delivers; Temporal being away fails none. */
export function webhookPorts({ store, settings, temporal, logger }: Platform): { readonly webhooks: WebhooksPort; readonly webhookDeliveries: WebhookDeliveriesPort } {
  const rules = rulesOf(settings);
  const hinted = async <T>(endpointId: string, changed: Promise<T>): Promise<T> => {
    const answer = await changed;
    // Not waited for: the worker looks at every enabled endpoint again by itself.
    hintWebhook(temporal.client, endpointId).catch((error: unknown) => logger.warn({ err: error, endpointId }, 'the webhook\'s workflow could not be hinted'));
    return answer;
  };
  const { webhooks, webhookDeliveries } = store;
  return {
    webhooks: {
      urlRefusal: (url) => urlRefusal(url, rules),
      create: async (wanted, actor) => {
        const secret = newWebhookSecret();
        const webhook = await webhooks.create({ ...wanted, secret }, actor);
        return { webhook: await hinted(webhook.id, Promise.resolve(webhook)), secret };
      },
      list: (userId) => webhooks.list(userId),
      get: (id, userId) => webhooks.get(id, userId),
      change: (id, ...rest) => hinted(id, webhooks.change(id, ...rest)),
      rotateSecret: async (id, userId, overlapSeconds, actor) => {
        const secret = newWebhookSecret();
        return { webhook: await webhooks.rotateSecret(id, userId, secret, overlapSeconds, actor), secret };
      },
      enable: (id, ...rest) => hinted(id, webhooks.enable(id, ...rest)),
      remove: (id, ...rest) => hinted(id, webhooks.remove(id, ...rest)),
    },
    webhookDeliveries: {
      list: (query) => webhookDeliveries.list(query),
      get: (...one) => webhookDeliveries.get(...one),
      test: (id, userId) => hinted(id, webhookDeliveries.test(id, userId)),
      resend: (deliveryId, id, ...rest) => hinted(id, webhookDeliveries.resend(deliveryId, id, ...rest)),
      recover: (id, ...rest) => hinted(id, webhookDeliveries.recover(id, ...rest)),
    },
  };
}

export function webhookWorker({ store, settings, logger, temporal, clock, registry }: Platform): WebhookWorker {
  const client = new GuardedClient({ ...rulesOf(settings), ...(settings.webhookProxyUrl === undefined ? {} : { proxyUrl: settings.webhookProxyUrl }) });
  const leaving = new AbortController();
  const { onEnd } = new WebhookMetrics(registry);
  const news = new WebhookNews({
    listen: (onNotice) => store.events.listen(onNotice),
    concernedBy: (streams) => store.webhooks.concernedBy(streams),
    active: () => store.webhooks.active(),
    hint: (endpointId) => hintWebhook(temporal.client, endpointId),
    onTrouble: (error) => logger.warn({ err: error }, 'word of waiting webhooks'),
  });
  return {
    activities: createWebhookActivities({ clock, outbox: store.webhookOutbox, client, secretsOf: (endpointId) => store.webhooks.secretsOf(endpointId), awaitNews: (...wanted) => news.awaitNews(...wanted), leaving: leaving.signal, onEnd }),
    start: () => news.start(),
    leave: () => leaving.abort(),
    close: async () => {
      await news.close();
      await client.close();
    },
  };
}
