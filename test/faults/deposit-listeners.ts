/** Who hears of a user's deposits: a Telegram chat by a rule of deposits that are stuck, and a webhook by its subscription. */
import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import { Client } from 'pg';
import type { Deposit, Hex } from '../../src/domain/deposit';
import { HookEndpoint } from '../support/hook-endpoint';
import type { Stack } from '../support/stack';
import { TelegramServer } from '../support/telegram-server';

const CHAT = '4711';
/** The least that a rule may say. */
const LIMIT_MINUTES = 1;
const LIMIT_MS = LIMIT_MINUTES * 60_000;
/** Beyond the limit itself: a machine may be ten times slower. */
const TOLD_WITHIN_MS = 300_000;

interface RaisedAlert {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly raisedAt: string;
  readonly data: { readonly depositId: string; readonly state: string; readonly since: string };
  readonly deliveries: readonly { readonly channelId: string; readonly status: string }[];
}

export class DepositListeners {
  private constructor(
    private readonly telegram: TelegramServer,
    private readonly hook: HookEndpoint,
  ) {}

  static async start(): Promise<DepositListeners> {
    return new DepositListeners(await TelegramServer.start(), await HookEndpoint.start());
  }

  get environment(): Readonly<Record<string, string>> {
    return { SUREFILL_TELEGRAM_URL: this.telegram.url, SUREFILL_WEBHOOK_HTTP: 'allowed', SUREFILL_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32' };
  }

  async stop(): Promise<void> {
    await Promise.all([this.telegram.stop(), this.hook.stop()]);
  }

  /** From now on they hear. */
  async subscribe({ client }: Stack): Promise<void> {
    const made = await client.call<{ secret: string }>('POST', '/api/v1/webhooks', { url: this.hook.url, eventTypes: ['deposit.*', 'swap.*', 'withdrawal.*', 'alert.*'] });
    expect(made.status).toBe(201);
    this.hook.secret = made.body.secret;
    const channel = await client.call<{ id: string }>('POST', '/api/v1/alert-channels', { kind: 'telegram', name: 'phone', botToken: this.telegram.token, chatId: CHAT });
    expect(channel.status).toBe(201);
    const code = await client.until('a code', async () => /code is (\d{6})/.exec(this.telegram.texts(CHAT).join('\n'))?.[1] ?? null);
    expect((await client.call('POST', `/api/v1/alert-channels/${channel.body.id}/verify`, { code })).status).toBe(200);
    const rule = { kind: 'depositStuck', name: 'stuck money', channelIds: [channel.body.id], parameters: { afterMinutes: LIMIT_MINUTES } };
    expect((await client.call('POST', '/api/v1/alert-rules', rule)).status).toBe(201);
  }

  /** A deposit whose transaction no node ever hears of: it was signed, and lost on its way. */
  async lost({ client }: Stack, fromAddress: Hex): Promise<Deposit> {
    const { status, body } = await client.call('POST', '/api/v1/deposits', { chain: 'ethereum', token: 'TKN', amount: '30', fromAddress });
    expect(status).toBe(201);
    const { id } = body as unknown as Deposit;
    expect((await client.call('POST', `/api/v1/deposits/${id}/transaction`, { hash: `0x${randomBytes(32).toString('hex')}` })).status).toBe(200);
    return (await client.call('GET', `/api/v1/deposits/${id}`)).body as unknown as Deposit;
  }

  /** The alert of that deposit arrived: one alert, not before the deposit had waited for its limit, in the chat and at the webhook. */
  async heardThatItIsStuck({ client }: Stack, { id, state, updatedAt }: Deposit): Promise<void> {
    const told = await client.until('the stuck deposit to be told', async () => {
      const { body } = await client.call<{ alerts: readonly RaisedAlert[] }>('GET', '/api/v1/alerts?kind=depositStuck&limit=200');
      const [alert, ...more] = body.alerts.filter(({ data }) => data.depositId === id);
      expect(more).toEqual([]);
      return alert !== undefined && alert.deliveries.length === 1 && alert.deliveries[0]?.status === 'delivered' && this.alertsOf(id).size > 0 ? alert : null;
    }, TOLD_WITHIN_MS);
    expect([told.title, told.data.state, told.data.since]).toEqual([`A deposit is stuck in ${state}`, state, updatedAt]);
    expect(Date.parse(told.raisedAt) - Date.parse(updatedAt)).toBeGreaterThanOrEqual(LIMIT_MS);
    // A worker that died in the sending may have sent the message again: it is the same alert then.
    const texts = this.telegram.texts(CHAT).filter((text) => text.includes(id));
    expect([texts.length > 0, texts.every((text) => text.includes(told.id))]).toEqual([true, true]);
    expect([...this.alertsOf(id)]).toEqual([told.id]);
  }

  /** The webhook has every event of its types that was committed after it was made, once; at least these types are among them. */
  async heardAll({ client, postgres }: Stack, types: readonly string[]): Promise<void> {
    const database = new Client({ connectionString: postgres.url });
    await database.connect();
    try {
      const committed = async (): Promise<string[]> =>
        (await database.query<{ name: string }>(`SELECT type || '@' || stream || '/' || sequence AS name FROM events WHERE stream LIKE 'user:%' AND type ~ '^(deposit|swap|withdrawal|alert)[.]' ORDER BY 1`)).rows.map(({ name }) => name);
      const missing = async (): Promise<string[]> => {
        const heard = new Set(this.names());
        return (await committed()).filter((name) => !heard.has(name));
      };
      await client.until('every event to arrive', async () => ((await missing()).length === 0 ? true : null));
      const names = this.names();
      const all = new Set(await committed());
      expect([names.filter((name) => !all.has(name)), new Set(this.hook.taken.map(({ id }) => id)).size, this.hook.strange]).toEqual([[], all.size, 0]);
      expect([...new Set(this.hook.taken.map(({ type }) => type))]).toEqual(expect.arrayContaining([...types]));
    } finally {
      await database.end();
    }
  }

  private names(): string[] {
    return this.hook.taken.map(({ type, stream, sequence }) => `${type}@${stream}/${sequence}`);
  }

  private alertsOf(depositId: string): ReadonlySet<string> {
    const alerts = this.hook.of('alert.raised').map(({ data }) => data['alert'] as RaisedAlert);
    return new Set(alerts.filter(({ data }) => data.depositId === depositId).map(({ id }) => id));
  }
}
