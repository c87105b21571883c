/** Telegram's real shapes over real HTTP. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { AddressGuard, networkOf } from '../../../src/delivery/address-guard';
import { GuardedClient } from '../../../src/delivery/guarded-client';
import { Telegram } from '../../../src/delivery/telegram';
import type { SendOutcome } from '../../../src/domain/alert-delivery';
import { REFUSALS, TelegramServer, type Refusal } from '../../support/telegram-server';

let server: TelegramServer;
let client: GuardedClient;
beforeAll(async () => {
  server = await TelegramServer.start();
  client = new GuardedClient({ guard: new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null)), allowHttp: true });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});
afterEach(() => {
  server.refuses = () => null;
});

const send = (changes: { readonly client?: GuardedClient; readonly text?: string; readonly botToken?: string; readonly url?: string; readonly signal?: AbortSignal } = {}): Promise<SendOutcome> =>
  new Telegram(changes.client ?? client, changes.url ?? server.url).send({ botToken: changes.botToken ?? server.token, chatId: '42', text: changes.text ?? 'BTC-PERP is at or above 50000', nowMs: () => 0, signal: changes.signal ?? new AbortController().signal });

describe('a message to Telegram', () => {
  test('arrives as plain text, and has the number that Telegram gave it', async () => {
    expect(await send({ text: '<b>*not markup*</b> "token: abc" é😀' })).toEqual({ kind: 'delivered', externalId: '1' });
    expect(server.texts('42')).toEqual(['<b>*not markup*</b> "token: abc" é😀']);
  });

  test('of the largest size arrives, though its answer is cut short', async () => {
    expect((await send({ text: 'é'.repeat(4_096) })).kind).toBe('delivered');
    expect(await send({ text: 'x'.repeat(4_097) })).toMatchObject({ kind: 'refused', message: 'Telegram says 400: Bad Request: message is too long' });
  });

  test.each<[string, Refusal, object]>([
    ['a user who blocked the bot', REFUSALS.blocked, { kind: 'disable', reason: 'blocked', message: 'Telegram says 403: Forbidden: bot was blocked by the user' }],
    ['a chat that does not exist', REFUSALS.chatNotFound, { kind: 'disable', reason: 'chatNotFound' }],
    ['a flood', REFUSALS.flood(37), { kind: 'paused', waitMs: 37_000 }],
    ['a flood without a time', { code: 429, body: { ok: false, error_code: 429, description: 'Too Many Requests' } }, { kind: 'retry' }],
    ['a group that became a supergroup', REFUSALS.migrated(-1_001_234), { kind: 'moved', target: '-1001234' }],
    ['a gateway that is down', REFUSALS.badGateway, { kind: 'retry' }],
    ['another refusal', { code: 400, body: { ok: false, error_code: 400, description: 'Bad Request: text must be encoded in UTF-8' } }, { kind: 'refused' }],
    ['a status of nobody\'s', { code: 418, body: 'teapot' }, { kind: 'refused', message: 'Telegram says 418: teapot' }],
    ['a redirect', { code: 302, body: '' }, { kind: 'retry' }],
  ])('that meets %s', async (_, refusal, outcome) => {
    server.refuses = () => refusal;
    expect(await send()).toMatchObject(outcome);
  });

  test('with a token that is no more shuts the channel; nothing says the token', async () => {
    const outcome = await send({ botToken: '999999:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' });
    expect(outcome).toMatchObject({ kind: 'disable', reason: 'unauthorized' });
    const refused = await send({ url: 'http://127.0.0.1:9' });
    expect(refused.kind).toBe('retry');
    const echoed = await send({ url: `${server.url}/not-here` });
    server.refuses = () => ({ code: 502, body: { ok: false, description: `cannot reach /bot${server.token}/sendMessage` } });
    const described = await send();
    expect(described).toMatchObject({ kind: 'retry', message: 'Telegram says 502: cannot reach /bot[redacted]/sendMessage' });
    expect(JSON.stringify([outcome, refused, echoed, described])).not.toMatch(/999999:|ABC-DEF/);
  });

  test('that meets silence is tried again', async () => {
    server.refuses = () => 'hang';
    const hasty = new GuardedClient({ guard: new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null)), allowHttp: true, timeoutMs: 300 });
    expect(await send({ client: hasty })).toEqual({ kind: 'retry', message: expect.stringMatching(/^timeout/) });
    await hasty.close();
  });

  test('that our own end cuts is interrupted', async () => {
    server.refuses = () => 'hang';
    const cut = new AbortController();
    const sending = send({ signal: cut.signal });
    cut.abort();
    expect(await sending).toEqual({ kind: 'interrupted' });
  });
});
