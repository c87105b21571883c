/**
 * Alerts to people over real processes: each rule reaches chat, address, webhook and socket; a worker killed while mail server and Telegram hold
 * their answers, and one killed in the middle of judging.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { booksAgree } from '../support/afterwards';
import { HookEndpoint } from '../support/hook-endpoint';
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

let stack: Stack;
let mail: MailServer;
let telegram: TelegramServer;
let hook: HookEndpoint;
let socket: StreamClient;
let database: Client;
const channels: Record<'chat' | 'address', string> = { chat: '', address: '' };
beforeAll(async () => {
  [mail, telegram, hook] = await Promise.all([MailServer.start({ disabledCommands: ['STARTTLS'], onAuth: ({ username, password }, _session, done) => done(password === PASSWORD ? null : new Error('who?'), { user: username ?? '' }) }), TelegramServer.start(), HookEndpoint.start()]);
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
  await Promise.all([mail.stop(), telegram.stop(), hook.stop()]);
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
const fillAlerts = async (): Promise<string[]> => (await alerts()).filter(({ kind }) => kind === 'fill').map(({ id }) => id);
const raised = (kind: string): Promise<true> => stack.client.until(`an alert of kind ${kind}`, async () => ((await alerts()).some((alert) => alert.kind === kind) ? true : null));
const fills = async (): Promise<number> => Number((await database.query<{ count: string }>('SELECT count(*) FROM events WHERE stream = $1 AND type = $2', [`account:${stack.accountId}`, 'fill.created'])).rows[0]?.count);

const carriedBy = ({ deliveries }: ShownAlert, channelId: string): boolean => deliveries.some((each) => each.channelId === channelId && each.status === 'delivered');

/** Every fill is an alert, and each alert has arrived wherever it goes. Answers them. */
const allCarried = (): Promise<readonly ShownAlert[]> =>
  stack.client.until('every alert to be carried everywhere', async () => {
    const shown = await alerts();
    if (shown.filter(({ kind }) => kind === 'fill').length !== (await fills())) return null;
    const hookedIds = new Set(hooked());
    return shown.every((alert) => carriedBy(alert, channels.chat) && carriedBy(alert, channels.address) && hookedIds.has(alert.id) && socket.events.some(({ type, data }) => type === 'alert.raised' && (data['alert'] as ShownAlert).id === alert.id)) ? shown : null;
  });

/** Of each alert that the webhook was told. */
const hooked = (): string[] => hook.taken.map(({ data }) => (data['alert'] as ShownAlert).id);
const idsIn = (texts: readonly string[]): string[] => texts.flatMap((text) => text.match(ALERT_ID) ?? []);
/** Mails may fold a long line. */
const textOf = ({ raw }: TakenMail): string => raw.replace(/=\r\n/g, '');
const accepted = (): readonly TakenMail[] => mail.to(ADDRESS).filter((each) => each.accepted);
/** What is in the chat, by whether its sender was told. */
const inChat = (answered: boolean): string[] => telegram.requests.filter((each) => each.chatId === CHAT && each.code === 200 && each.answered === answered).map(({ text }) => text);
const answeredTexts = (): string[] => inChat(true);
const unanswered = (): string[] => inChat(false);
const messageId = ({ headers }: TakenMail): string => headers['message-id'] ?? '';

test('each rule reaches the chat, the address, the webhook and the socket: once each, and no secret is in a history or a log', async () => {
  channels.address = await verified({ kind: 'email', name: 'mail', address: ADDRESS }, () => mail.to(ADDRESS).map(textOf));
  channels.chat = await verified({ kind: 'telegram', name: 'phone', botToken: telegram.token, chatId: CHAT }, () => telegram.texts(CHAT));
  hook.secret = (await post<{ secret: string }>('webhooks', { url: hook.url, eventTypes: ['alert.raised'] })).secret;
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
  expect([hooked().sort(), hook.strange]).toEqual([ids, 0]);
  expect(socket.of('alerts').filter(({ type }) => type === 'alert.raised').map(({ data }) => (data['alert'] as ShownAlert).id).sort()).toEqual(ids);
  expect(mail.to(ADDRESS).every(({ user }) => user === 'robot')).toBe(true);

  const folders = [path.dirname(stack.temporalFile), path.join(stack.home, 'logs')];
  const written = folders.flatMap((folder) => readdirSync(folder).map((file) => readFileSync(path.join(folder, file))));
  expect(written.some((bytes) => bytes.includes(`alert-channel/${channels.chat}`))).toBe(true);
  expect(written.filter((bytes) => bytes.includes(PASSWORD) || bytes.includes(telegram.token))).toEqual([]);
}, 180_000);

test('a mail and a message whose acceptance a killed worker never heard of are sent again, as they were; every other, and everything else, once', async () => {
  const before = accepted().length;
  mail.holds = true;
  telegram.holds = true;
  await filled('50000');
  await stack.client.until('the mail to be held', async () => (mail.to(ADDRESS).some((each) => !each.accepted) ? true : null));
  await stack.client.until('the message to be held', async () => (unanswered().length > 0 ? true : null));
  // What is told elsewhere is settled first: the worker's death is about the mail and the message alone.
  await stack.client.until('the webhook to have it', async () => {
    const { rows } = await database.query<{ waiting: string }>(`SELECT count(*) AS waiting FROM webhook_deliveries WHERE status <> 'delivered'`);
    const shown = await alerts();
    return Number(rows[0]?.waiting) === 0 && shown.filter(({ kind }) => kind === 'fill').length === (await fills()) && new Set(hooked()).size === shown.length ? true : null;
  });
  await stack.worker.kill();
  await stack.client.until('the connections of the dead worker to end', async () => (mail.connections === 0 && (await telegram.connections()) === 0 ? true : null));
  const held = mail.to(ADDRESS).filter((each) => !each.accepted);
  mail.holds = false;
  telegram.holds = false;
  await stack.worker.start();
  // A claim that nobody settles runs out; then whoever lives sends its message.
  await stack.client.until('the claims to be over', async () => ((await database.query(`SELECT 1 FROM alert_messages WHERE status = 'pending' AND next_attempt_at > now()`)).rows.length === 0 ? true : null));
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
  // Telegram knows no message by a name of ours: what it had taken is there twice, word for word, and nothing else is.
  const repeated = new Set(unanswered());
  expect([repeated.size, [...repeated].every((text) => answeredTexts().includes(text))]).toEqual([1, true]);
  expect(idsIn(answeredTexts()).sort()).toEqual(ids);
  expect([hooked().sort(), hook.strange]).toEqual([ids, 0]);
  expect(socket.of('alerts').filter(({ type }) => type === 'alert.raised').map(({ data }) => (data['alert'] as ShownAlert).id).sort()).toEqual(ids);
  await booksAgree(stack);
}, 180_000);

test('a worker that is killed in the middle of judging leaves nothing half judged: what it looked at is told by the next one, once', async () => {
  const known = new Set(await fillAlerts());
  const holder = new Client({ connectionString: stack.postgres.url });
  await holder.connect();
  // Whoever judges stands at the first alert that it writes, with its channels and its cursor still before it.
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE alerts IN SHARE MODE');
  await filled('50020');
  await stack.client.until('the judging to stand in the middle', async () => ((await database.query(`SELECT 1 FROM pg_locks WHERE relation = 'alerts'::regclass AND NOT granted`)).rows.length > 0 ? true : null));
  await stack.worker.kill();
  await holder.query('ROLLBACK');
  await holder.end();
  // Nothing of it is there: no alert, no event, and the fill is still to be judged.
  expect(new Set(await fillAlerts())).toEqual(known);
  await stack.worker.start();
  await allCarried();
  const [fresh = '', ...more] = (await fillAlerts()).filter((id) => !known.has(id));
  expect(more).toEqual([]);
  const told = [idsIn(telegram.texts(CHAT)), idsIn(accepted().map(textOf)), hooked(), socket.of('alerts').filter(({ type }) => type === 'alert.raised').map(({ data }) => (data['alert'] as ShownAlert).id)];
  expect(told.map((ids) => ids.filter((id) => id === fresh).length)).toEqual([1, 1, 1, 1]);
  await booksAgree(stack);
}, 120_000);
