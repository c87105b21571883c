/** Alerts to people over real processes: each rule reaches chat, address, webhook and socket; a worker killed while the mail server holds its answer. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Webhook } from 'standardwebhooks';
import { booksAgree } from '../support/afterwards';
import { MailServer, type TakenMail } from '../support/mail-server';
import { StreamClient } from '../support/socket-client';
import { startStack, type Stack } from '../support/stack';
import { TelegramServer } from '../support/telegram-server';

interface ShownAlert {
  readonly id: string;
  readonly kind: string;
  readonly deliveries: readonly { readonly channelId: string; readonly status: string }[];
}

const ADDRESS = 'trader@example.com';
const CHAT = '4711';
const PASSWORD = 'a-password-of-the-mail-server';
const ALERT_ID = /alr_[\w-]{27}/g;

/** Takes every request that its secret verifies. */
const hooked: { readonly type: string; readonly alertId: string }[] = [];
let secret = '';
const hook = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { type, data } = new Webhook(secret).verify(Buffer.concat(parts).toString('utf8'), request.headers as Record<string, string>) as { type: string; data: { alert: { id: string } } };
    hooked.push({ type, alertId: data.alert.id });
    response.writeHead(204).end();
  });
});

let stack: Stack;
let mail: MailServer;
let telegram: TelegramServer;
let socket: StreamClient;
let database: Client;
const channels: Record<'chat' | 'address', string> = { chat: '', address: '' };
beforeAll(async () => {
  [mail, telegram] = await Promise.all([MailServer.start({ disabledCommands: ['STARTTLS'], onAuth: ({ username, password }, _session, done) => done(password === PASSWORD ? null : new Error('who?'), { user: username ?? '' }) }), TelegramServer.start()]);
  hook.listen(0, '127.0.0.1');
  await once(hook, 'listening');
  stack = await startStack({
    // Prices move when a test says so, and stay there.
    tickMs: 0,
    environment: {
      SUREFILL_TELEGRAM_URL: telegram.url,
      SUREFILL_SMTP_URL: mail.url.replace('smtp://', `smtp://robot:${PASSWORD}@`),
      SUREFILL_SMTP_FROM: 'alerts@surefill.example',
      SUREFILL_SMTP_TLS: 'none',
      SUREFILL_WEBHOOK_HTTP: 'allowed',
      SUREFILL_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32',
      SUREFILL_UNPROTECTED_ALERT_MS: '1000',
    },
  });
  database = new Client({ connectionString: stack.postgres.url });
  await database.connect();
  socket = await StreamClient.connect(stack.apiUrl, stack.client.key);
  await socket.subscribe({ channel: 'alerts' });
}, 180_000);
afterAll(async () => {
  socket.close();
  await database.end();
  await stack.stop();
  hook.close();
  hook.closeAllConnections();
  await Promise.all([mail.stop(), telegram.stop()]);
});

async function post<Body>(where: string, body: object = {}): Promise<Body> {
  const answer = await stack.client.call<Body>('POST', `/api/v1/${where}`, body);
  if (answer.status >= 300) throw new Error(`POST ${where} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** A channel whose code came back. */
async function verified(body: object, codes: () => readonly string[]): Promise<string> {
  const { id } = await post<{ id: string }>('alert-channels', body);
  const code = await stack.client.until('a code', async () => /code is (\d{6})/.exec(codes().join('\n'))?.[1] ?? null);
  // As the message says whether it was sent only once its row does, a test does not race it.
  await post(`alert-channels/${id}/verify`, { code });
  return id;
}

async function filled(price: string, quantity = '0.01'): Promise<void> {
  const order = await stack.client.until('an entry', async () => {
    await stack.sim.price('BTC-PERP', price);
    const { status, body } = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity });
    return status === 201 ? body : null;
  });
  await stack.client.untilState(order.id, 'FILLED');
}

const alerts = async (): Promise<readonly ShownAlert[]> => (await stack.client.call<{ alerts: readonly ShownAlert[] }>('GET', '/api/v1/alerts?limit=200')).body.alerts;
const raised = (kind: string): Promise<true> => stack.client.until(`an alert of kind ${kind}`, async () => ((await alerts()).some((alert) => alert.kind === kind) ? true : null));
const fills = async (): Promise<number> => Number((await database.query<{ count: string }>('SELECT count(*) FROM events WHERE stream = $1 AND type = $2', [`account:${stack.accountId}`, 'fill.created'])).rows[0]?.count);

const carriedBy = ({ deliveries }: ShownAlert, channelId: string): boolean => deliveries.some((each) => each.channelId === channelId && each.status === 'delivered');

/** Every fill is an alert, and each alert has arrived wherever it goes. Answers them. */
const allCarried = (): Promise<readonly ShownAlert[]> =>
  stack.client.until('every alert to be carried everywhere', async () => {
    const shown = await alerts();
    if (shown.filter(({ kind }) => kind === 'fill').length !== (await fills())) return null;
    const hookedIds = new Set(hooked.map(({ alertId }) => alertId));
    return shown.every((alert) => carriedBy(alert, channels.chat) && carriedBy(alert, channels.address) && hookedIds.has(alert.id) && socket.events.some(({ type, data }) => type === 'alert.raised' && (data['alert'] as ShownAlert).id === alert.id)) ? shown : null;
  });

const idsIn = (texts: readonly string[]): string[] => texts.flatMap((text) => text.match(ALERT_ID) ?? []);
/** Mails may fold a long line. */
const textOf = ({ raw }: TakenMail): string => raw.replace(/=\r\n/g, '');
const accepted = (): readonly TakenMail[] => mail.to(ADDRESS).filter((each) => each.accepted);
const messageId = ({ headers }: TakenMail): string => headers['message-id'] ?? '';

test('each rule reaches the chat, the address, the webhook and the socket: once each, and no secret is in a history or a log', async () => {
  channels.address = await verified({ kind: 'email', name: 'mail', address: ADDRESS }, () => mail.to(ADDRESS).map(textOf));
  channels.chat = await verified({ kind: 'telegram', name: 'phone', botToken: telegram.token, chatId: CHAT }, () => telegram.texts(CHAT));
  ({ secret } = await post<{ secret: string }>('webhooks', { url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`, eventTypes: ['alert.raised'] }));
  const channelIds = [channels.chat, channels.address];
  for (const rule of [
    { kind: 'fill' },
    { kind: 'price', parameters: { venue: 'paper', symbol: 'BTC-PERP', direction: 'atOrBelow', price: '49800', priceType: 'mark' } },
    { kind: 'protection' },
    { kind: 'loss', parameters: { amount: '1' } },
    { kind: 'liquidationDistance', parameters: { percent: '90' } },
    { kind: 'venueDown', parameters: { venue: 'paper', afterSeconds: 1 } },
  ]) await post('alert-rules', { name: `of ${rule.kind}`, channelIds, ...rule });

  // A position of 5 without a stop, whose price falls: 1 % of it is more than is asked for.
  await filled('50000', '5');
  await raised('fill');
  await raised('protection');
  await raised('liquidationDistance');
  await stack.sim.price('BTC-PERP', '49500');
  await raised('price');
  await raised('loss');
  await stack.sim.listen(false);
  await raised('venueDown');
  await stack.sim.listen(true);

  const shown = await allCarried();
  const ids = shown.map(({ id }) => id).sort();
  expect(new Set(shown.map(({ kind }) => kind))).toEqual(new Set(['fill', 'price', 'protection', 'loss', 'liquidationDistance', 'venueDown']));
  expect(idsIn(telegram.texts(CHAT)).sort()).toEqual(ids);
  expect(idsIn(accepted().map(textOf)).sort()).toEqual(ids);
  expect(hooked.map(({ alertId }) => alertId).sort()).toEqual(ids);
  expect(socket.of('alerts').filter(({ type }) => type === 'alert.raised').map(({ data }) => (data['alert'] as ShownAlert).id).sort()).toEqual(ids);
  expect(mail.to(ADDRESS).every(({ user }) => user === 'robot')).toBe(true);

  const folders = [path.dirname(stack.temporalFile), path.join(stack.home, 'logs')];
  const written = folders.flatMap((folder) => readdirSync(folder).map((file) => readFileSync(path.join(folder, file))));
  expect(written.some((bytes) => bytes.includes(`alert-channel/${channels.chat}`))).toBe(true);
  expect(written.filter((bytes) => bytes.includes(PASSWORD) || bytes.includes(telegram.token))).toEqual([]);
}, 180_000);

test('a mail whose acceptance a killed worker never heard of is sent again under its Message-ID; every other, and everything else, once', async () => {
  const before = accepted().length;
  mail.holds = true;
  await filled('50000');
  await stack.client.until('the mail to be held', async () => (mail.to(ADDRESS).some((each) => !each.accepted) ? true : null));
  // What is told elsewhere is settled first: the worker's death is about the mail alone.
  await stack.client.until('the chat to have it', async () => {
    const shown = await alerts();
    return shown.filter(({ kind }) => kind === 'fill').length === (await fills()) && shown.every((alert) => carriedBy(alert, channels.chat)) ? true : null;
  });
  await stack.client.until('the webhook to have it', async () => {
    const { rows } = await database.query<{ waiting: string }>(`SELECT count(*) AS waiting FROM webhook_deliveries WHERE status <> 'delivered'`);
    return Number(rows[0]?.waiting) === 0 && new Set(hooked.map(({ alertId }) => alertId)).size === (await alerts()).length ? true : null;
  });
  await stack.worker.kill();
  await stack.client.until('the connections of the dead worker to end', async () => (mail.connections === 0 ? true : null));
  const held = mail.to(ADDRESS).filter((each) => !each.accepted);
  mail.holds = false;
  await stack.worker.start();
  // A claim that nobody settles runs out; then whoever lives sends its message.
  await stack.client.until('the claim to be over', async () => ((await database.query(`SELECT 1 FROM alert_messages WHERE channel_id = $1 AND status = 'pending' AND next_attempt_at > now()`, [channels.address])).rows.length === 0 ? true : null));
  await filled('50010');
  const ids = (await allCarried()).map(({ id }) => id).sort();

  // A claim ends by itself after 20 s, if this was so slow: each attempt that was held is of the same message.
  expect(held.length).toBeGreaterThan(0);
  expect(new Set(held.map(messageId)).size).toBe(1);
  const [again, ...more] = accepted().filter((each) => messageId(each) === (held[0] === undefined ? '' : messageId(held[0])));
  expect([again?.raw, more]).toEqual([held[0]?.raw, []]);
  expect(accepted().length).toBeGreaterThan(before);
  expect(new Set(accepted().map(messageId)).size).toBe(accepted().length);
  expect(idsIn(accepted().map(textOf)).sort()).toEqual(ids);
  expect(idsIn(telegram.texts(CHAT)).sort()).toEqual(ids);
  expect(hooked.map(({ alertId }) => alertId).sort()).toEqual(ids);
  expect(socket.of('alerts').filter(({ type }) => type === 'alert.raised').map(({ data }) => (data['alert'] as ShownAlert).id).sort()).toEqual(ids);
  await booksAgree(stack);
}, 180_000);
