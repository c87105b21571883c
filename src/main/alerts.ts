/** Wires alerts to people: what the API asks, who judges, who sends. */
import { readFileSync } from 'node:fs';
import { createAlertDeliveryActivities, type AlertDeliveryActivities } from '../activities/alert-deliverer';
import { createAlertJudgeActivities, priceTriggerId, type AlertJudgeActivities } from '../activities/alert-judge';
import { WebhookNews } from '../activities/webhook-news';
import type { AlertChannelsPort, AlertRulesPort, AlertsPort } from '../api/alert-ports';
import { SettingError, type Settings } from '../config/settings';
import { AddressGuard, networkOf, type Network } from '../delivery/address-guard';
import { GuardedClient } from '../delivery/guarded-client';
import { EMAIL_ADDRESS, Mailer } from '../delivery/mail';
import { Telegram } from '../delivery/telegram';
import { userStream } from '../domain/events';
import { EpochLost, type WriterEpoch } from '../domain/order-store';
import { hintAlertDelivery, hintAlertWatch } from '../temporal/alert-workflows';
import { AlertMetrics } from './metrics/alert-metrics';
import type { Platform } from './platform';

/** Whoever it is sent to is named by the operator: any address of theirs will do. */
const ANYWHERE = ['0.0.0.0/0', '::/0'].map(networkOf).filter((network): network is Network => network !== null);

/** What the API asks of alerts: every change is hinted to who judges and who sends; Temporal being away fails none. */
export function alertPorts({ store, settings, temporal, logger }: Platform): { readonly alerts: AlertsPort; readonly alertRules: AlertRulesPort; readonly alertChannels: AlertChannelsPort } {
  // Not waited for: workers look at everything that is active again by themselves.
  const hint = (hinted: Promise<void>): void => void hinted.catch((error: unknown) => logger.warn({ err: error }, 'a workflow of alerts could not be hinted'));
  const ruled = async <T extends { readonly userId: string }>(changed: Promise<T>): Promise<T> => {
    const rule = await changed;
    hint(hintAlertWatch(temporal.client, rule.userId));
    return rule;
  };
  const sent = async <T extends { readonly id: string }>(changed: Promise<T>): Promise<T> => {
    const channel = await changed;
    hint(hintAlertDelivery(temporal.client, channel.id));
    return channel;
  };
  const { alertRules, alertChannels } = store;
  const triggerOf = async (userId: string, id: string): Promise<string | null> => {
    const price = (await alertRules.prices(userId)).find(({ rule }) => rule.id === id);
    return price === undefined ? null : priceTriggerId(price.rule, price.step);
  };
  /** Only once its terms are no more: a change that is refused leaves it armed. One that is left is acknowledged when it fires, and tells nobody. */
  const givenUp = async (triggerId: string | null): Promise<void> => {
    if (triggerId === null) return;
    try {
      await store.triggers.disarm(triggerId);
    } catch (error) {
      // The change is made, and its caller is told so.
      logger.warn({ err: error, triggerId }, 'the trigger of an alert rule that was changed could not be disarmed; it tells nobody');
    }
  };
  return {
    alerts: store.alerts,
    alertRules: {
      create: (...wanted) => ruled(alertRules.create(...wanted)),
      list: (userId) => alertRules.list(userId),
      get: (...one) => alertRules.get(...one),
      change: async (id, userId, change, actor) => {
        const before = change.parameters !== undefined || change.enabled === false ? await triggerOf(userId, id) : null;
        const changed = await ruled(alertRules.change(id, userId, change, actor));
        await givenUp(before);
        // What a snooze held back may go now, or later.
        for (const channelId of changed.channelIds) hint(hintAlertDelivery(temporal.client, channelId));
        return changed;
      },
      remove: async (id, userId, actor) => {
        const before = await triggerOf(userId, id);
        const removed = await ruled(alertRules.remove(id, userId, actor));
        await givenUp(before);
        return removed;
      },
    },
    alertChannels: {
      sendsEmail: settings.smtpUrl !== undefined,
      create: (...wanted) => sent(alertChannels.create(...wanted)),
      list: (userId) => alertChannels.list(userId),
      get: (...one) => alertChannels.get(...one),
      change: (...wanted) => sent(alertChannels.change(...wanted)),
      sendCode: (...one) => sent(alertChannels.sendCode(...one)),
      verify: (...given) => sent(alertChannels.verify(...given)),
      test: (...one) => sent(alertChannels.test(...one)),
      remove: (...one) => sent(alertChannels.remove(...one)),
    },
  };
}

export interface AlertWorker {
  readonly activities: AlertJudgeActivities & AlertDeliveryActivities;
  /** Hears of committed events from now on. */
  start(): Promise<void>;
  /** Attempts under way are cut and due again at once. */
  leave(): void;
  close(): Promise<void>;
}

export function alertWorker({ store, settings, logger, temporal, clock, registry }: Platform): AlertWorker {
  const client = new GuardedClient({ guard: new AddressGuard(ANYWHERE), allowHttp: true, ...(settings.webhookProxyUrl === undefined ? {} : { proxyUrl: settings.webhookProxyUrl }) });
  const leaving = new AbortController();
  const { onEnd } = new AlertMetrics(registry);
  const onTrouble = (error: unknown): void => logger.warn({ err: error }, 'word of alerts');
  const listen = (onNotice: (stream: string, sequence: number) => void): ReturnType<typeof store.events.listen> => store.events.listen(onNotice);
  const rules = new WebhookNews({ listen, concernedBy: (streams) => store.alertRules.concernedBy(streams), active: () => store.alertRules.active(), hint: (userId) => hintAlertWatch(temporal.client, userId), onTrouble });
  const usersOf = (streams: readonly string[]): string[] => streams.filter((stream) => stream.startsWith(userStream(''))).map((stream) => stream.slice(userStream('').length));
  // Whoever raises an alert says so on its user's stream.
  const channels = new WebhookNews({ listen, concernedBy: (streams) => store.alertOutbox.concernedBy(usersOf(streams)), active: () => store.alertOutbox.active(), hint: (channelId) => hintAlertDelivery(temporal.client, channelId), onTrouble });
  return {
    activities: {
      ...createAlertJudgeActivities({ clock, judging: store.alertJudging, prices: (userId) => store.alertRules.prices(userId), triggers: store.triggers }),
      ...createAlertDeliveryActivities({ clock, outbox: store.alertOutbox, secretsOf: (channelId) => store.alertChannels.secretsOf(channelId), telegram: new Telegram(client, settings.telegramUrl), mailer: mailerOf(settings), leaving: leaving.signal, onEnd }),
    },
    start: async () => {
      await rules.start();
      await channels.start();
    },
    leave: () => leaving.abort(),
    close: async () => {
      await Promise.all([rules.close(), channels.close()]);
      await client.close();
    },
  };
}

/** Figures are judged beside the account's stream. What fails here is an alert too late, never a watcher that ends. */
export function levelChecks({ store, logger }: Pick<Platform, 'store' | 'logger'>): (writer: WriterEpoch, accountId: string) => Promise<void> {
  return async (writer, accountId) => {
    try {
      await store.alertLevels.check(writer, accountId);
    } catch (error) {
      if (error instanceof EpochLost) throw error;
      logger.warn({ err: error, accountId }, 'alert rules of figures could not be judged; they are judged again within seconds');
    }
  };
}

/** null: this server sends no e-mail. Throws SettingError where its settings do not go together. */
function mailerOf({ smtpUrl, smtpFrom, smtpTls, smtpCaFile }: Settings): Mailer | null {
  if (smtpUrl === undefined) return null;
  if (smtpFrom === undefined || !EMAIL_ADDRESS.test(smtpFrom)) throw new SettingError('SUREFILL_SMTP_FROM must be an ordinary e-mail address where SUREFILL_SMTP_URL is given');
  return new Mailer({ url: smtpUrl, from: smtpFrom, tls: smtpTls, ca: smtpCaFile === undefined ? null : readFileSync(smtpCaFile, 'utf8') });
}
