/** Alerts over a store on a real PostgreSQL, with Telegram and a mail server of their own; what the workflows do is done here by hand. */
import { expect } from '@jest/globals';
import { channelRound, type ChannelRound } from '../../../src/activities/alert-deliverer';
import { judgeRound, type JudgingRound } from '../../../src/activities/alert-judge';
import { AddressGuard, networkOf } from '../../../src/delivery/address-guard';
import { GuardedClient } from '../../../src/delivery/guarded-client';
import { Mailer } from '../../../src/delivery/mail';
import { Telegram } from '../../../src/delivery/telegram';
import type { Account } from '../../../src/domain/account';
import type { AlertRule, NewAlertRule, ShownAlert } from '../../../src/domain/alert';
import { MailServer } from '../../support/mail-server';
import { TelegramServer } from '../../support/telegram-server';
import { fillOf, intentFor, openStoreWorld, OWNER, seen, viewOf, type StoreWorld } from '../store/harness';

export const ACTOR = 'key:test';

export class AlertWorld {
  account!: Account;
  private chats = 1_000;

  private constructor(
    readonly world: StoreWorld,
    readonly telegram: TelegramServer,
    readonly mail: MailServer,
    private readonly client: GuardedClient,
  ) {}

  static async open(): Promise<AlertWorld> {
    const client = new GuardedClient({ guard: new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null)), allowHttp: true });
    return new AlertWorld(await openStoreWorld(), await TelegramServer.start(), await MailServer.start(), client);
  }

  async close(): Promise<void> {
    await this.client.close();
    await Promise.all([this.telegram.stop(), this.mail.stop()]);
    await this.world.close();
  }

  /** The real time, no rules, no channels, and an account that has done nothing. */
  async begin(): Promise<void> {
    const { store, clock, userId } = this.world;
    clock.ms = Date.now();
    this.telegram.refuses = () => null;
    for (const { id } of await store.alertRules.list(userId)) await store.alertRules.remove(id, userId, ACTOR);
    for (const { id } of await store.alertChannels.list(userId)) await store.alertChannels.remove(id, userId, ACTOR);
    this.account = await this.world.newAccount();
  }

  carry(channelId: string, signal = new AbortController().signal, store = this.world.store): Promise<ChannelRound> {
    const { clock } = this.world;
    const mailer = new Mailer({ url: this.mail.url, from: 'alerts@surefill.example', tls: 'none', ca: null });
    return channelRound({ clock, outbox: store.alertOutbox, secretsOf: (id) => store.alertChannels.secretsOf(id), telegram: new Telegram(this.client, this.telegram.url), mailer, leaving: signal }, channelId, signal);
  }

  judge(fired: readonly string[] = []): Promise<JudgingRound> {
    const { store, clock, userId } = this.world;
    return judgeRound({ clock, judging: store.alertJudging, prices: (id) => store.alertRules.prices(id), triggers: store.triggers }, userId, fired);
  }

  makeRule(terms: Partial<NewAlertRule> & Pick<NewAlertRule, 'kind' | 'parameters'>): Promise<AlertRule> {
    const rule = { userId: this.world.userId, name: `a rule of ${terms.kind}`, accountIds: null, symbols: null, channelIds: [], cooldownSeconds: 0, digestMinutes: null, snoozedUntil: null, ...terms };
    return this.world.store.alertRules.create(rule, ACTOR);
  }

  /** A Telegram chat that gave its code back. */
  async makeChat(): Promise<{ readonly id: string; readonly chatId: string }> {
    const { store, userId } = this.world;
    this.chats += 1;
    const chatId = String(this.chats);
    const { id } = await store.alertChannels.create({ userId, kind: 'telegram', name: 'phone', target: chatId, botToken: this.telegram.token }, ACTOR);
    await this.carry(id);
    const code = /code is (\d{6})/.exec(this.telegram.texts(chatId)[0] ?? '')?.[1] ?? '';
    expect((await store.alertChannels.verify(id, userId, code, ACTOR)).status).toBe('enabled');
    this.telegram.requests.length = 0;
    return { id, chatId };
  }

  /** An order that fills: fill.created among its events. */
  async filled(quantity = '10'): Promise<void> {
    const { store } = this.world;
    const intent = intentFor(this.account, { quantity });
    await store.placing.recordOrders([intent], OWNER);
    await store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
    const writer = await store.watching.takeEpoch(`account/${this.account.id}`, 'test');
    await store.watching.applyFills(writer, this.account.id, [fillOf(intent, { quantity })]);
  }

  async alerts(): Promise<readonly ShownAlert[]> {
    return (await this.world.store.alerts.list({ userId: this.world.userId, ruleId: null, kind: null, acknowledged: null, cursor: null, limit: 100 })).alerts;
  }

  /** The oldest first. */
  async titles(rule: AlertRule): Promise<string[]> {
    return (await this.alerts()).filter(({ ruleId }) => ruleId === rule.id).map(({ title }) => title).reverse();
  }

  async alertEvents(): Promise<string[]> {
    return (await this.world.store.events.since(`user:${this.world.userId}`, 0, 1_000)).filter(({ type }) => type.startsWith('alert.')).map(({ type }) => type);
  }
}
