/** Channels of alerts that fail: tried again with the same message, paused, shut out, cut. Time is the test's. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { REFUSALS } from '../../support/telegram-server';
import { environmentKeyProvider } from '../../../src/store/keys/local-key-provider';
import type { Store } from '../../../src/store';
import { queried } from '../../support/queried';
import { ACTOR, AlertWorld } from './alert-world';

const DAY = 86_400_000;

let on: AlertWorld;
beforeAll(async () => {
  on = await AlertWorld.open();
});
afterAll(() => on.close());
beforeEach(() => on.begin());

describe('a channel that fails', () => {
  test('is tried again with the same message, and told as undelivered after three days', async () => {
    const chat = await on.makeChat();
    await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [chat.id] });
    on.telegram.refuses = () => REFUSALS.badGateway;
    await on.filled();
    await on.judge();
    const first = await on.carry(chat.id);
    expect(first).toMatchObject({ state: 'waiting', failed: 1 });
    expect(first.waitMs).toBeGreaterThanOrEqual(4_000);
    on.world.clock.ms += first.waitMs;
    await on.filled();
    await on.judge();
    await on.carry(chat.id);
    expect(new Set(on.telegram.requests.map(({ text }) => text)).size).toBe(1);
    on.world.clock.ms += 3 * DAY;
    await on.carry(chat.id);
    expect((await on.alertEvents()).slice(-1)).toEqual(['alert.undelivered']);
  });

  test('that asks for a pause has it, and then gets what waited', async () => {
    const chat = await on.makeChat();
    await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [chat.id] });
    on.telegram.refuses = () => REFUSALS.flood(90);
    await on.filled();
    await on.judge();
    expect(await on.carry(chat.id)).toMatchObject({ state: 'waiting', waitMs: 90_000 });
    on.telegram.refuses = () => null;
    on.world.clock.ms += 89_999;
    expect((await on.carry(chat.id)).delivered).toBe(0);
    on.world.clock.ms += 1;
    expect((await on.carry(chat.id)).delivered).toBe(1);
  });

  test('because the user blocked the bot is disabled and said so; enabled again, it gets what waited', async () => {
    const chat = await on.makeChat();
    const rule = await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [chat.id] });
    on.telegram.refuses = () => REFUSALS.blocked;
    await on.filled();
    await on.judge();
    expect(await on.carry(chat.id)).toMatchObject({ state: 'disabled', disabledReason: 'blocked' });
    expect((await on.alertEvents()).slice(-1)).toEqual(['alert.channelDisabled']);
    await on.filled();
    await on.judge();
    expect((await on.carry(chat.id)).state).toBe('disabled');
    on.telegram.refuses = () => null;
    await on.world.store.alertChannels.change(chat.id, on.world.userId, { enabled: true }, ACTOR);
    await on.carry(chat.id);
    expect(on.telegram.texts(chat.chatId).join().match(/alr_/g)).toHaveLength((await on.titles(rule)).length);
  });

  test('while our own end cuts it gets the same message at once from who comes next', async () => {
    const chat = await on.makeChat();
    await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [chat.id] });
    await on.filled();
    await on.judge();
    const cut = new AbortController();
    on.telegram.refuses = () => {
      cut.abort();
      return 'hang';
    };
    expect(await on.carry(chat.id, cut.signal)).toMatchObject({ state: 'waiting', waitMs: 0 });
    on.telegram.refuses = () => null;
    expect((await on.carry(chat.id)).delivered).toBe(1);
    expect(new Set(on.telegram.requests.map(({ text }) => text)).size).toBe(1);
  });
});

test('alerts go a year after they were raised, with the messages that carried them; what a channel still has to carry stays', async () => {
  const { store } = on.world;
  const [carried, waiting] = [await on.makeChat(), await on.makeChat()];
  const rule = await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [carried.id] });
  await on.filled();
  await on.judge();
  await on.carry(carried.id);
  const other = await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [waiting.id] });
  await store.alertChannels.change(waiting.id, on.world.userId, { enabled: false }, ACTOR);
  await on.filled();
  await on.judge();
  await on.carry(carried.id);
  const purgeAfter = async (days: number): Promise<void> => void (await (await on.world.openAnother({ clock: { nowMs: () => on.world.clock.nowMs() + days * DAY } })).purge());
  const counts = async (): Promise<number[]> => [(await on.titles(rule)).length, (await on.titles(other)).length];
  expect(await counts()).toEqual([2, 1]);
  await purgeAfter(364);
  expect(await counts()).toEqual([2, 1]);
  await purgeAfter(366);
  expect(await counts()).toEqual([0, 1]);
  // Whoever enables it again hears of what waited for so long as undelivered, never of nothing.
  on.world.clock.ms += 366 * DAY;
  await store.alertChannels.change(waiting.id, on.world.userId, { enabled: true }, ACTOR);
  await on.carry(waiting.id);
  expect((await on.alertEvents()).slice(-1)).toEqual(['alert.undelivered']);
  await purgeAfter(1);
  expect(await counts()).toEqual([0, 0]);
});

describe('a channel whose secrets were sealed by another master key', () => {
  const NEVER = new AbortController().signal;
  const ADDRESS = 'trader@example.com';
  let next: Store;
  beforeEach(async () => {
    next = await on.world.openAnother({ keyProvider: environmentKeyProvider([Buffer.alloc(32, 7)]) });
  });
  const codeIn = (text: string): string => /code is (\d{6})/.exec(text)?.[1] ?? '';
  const makeMail = async (): Promise<string> => (await on.world.store.alertChannels.create({ userId: on.world.userId, kind: 'email', name: 'mail', target: ADDRESS, botToken: null }, ACTOR)).id;
  const lastMail = (): string => (on.mail.to(ADDRESS).at(-1)?.raw ?? '').replace(/=\r?\n/g, ''); // its lines are folded
  const fire = async (channelId: string): Promise<void> => {
    await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [channelId] });
    await on.filled();
    await on.judge();
  };
  const giveUp = async (): Promise<void> => {
    const [row] = await queried<{ id: string }>(on.world.databaseUrl, 'SELECT key_id AS id FROM alert_channels WHERE key_id IS NOT NULL LIMIT 1');
    await next.lostKeys.mark(row?.id ?? '', 'setting:SUREFILL_LOST_MASTER_KEY');
  };

  test('that is merely elsewhere: an address gets its alerts, a chat waits for a process that has the key', async () => {
    const [mail, chat] = [await makeMail(), await on.makeChat()];
    await on.carry(mail);
    await on.world.store.alertChannels.verify(mail, on.world.userId, codeIn(lastMail()), ACTOR);
    await fire(mail);
    await fire(chat.id);
    expect(await on.carry(mail, NEVER, next)).toMatchObject({ state: 'idle', delivered: 1 });
    await expect(on.carry(chat.id, NEVER, next)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(await next.alertChannels.get(chat.id, on.world.userId)).toMatchObject({ status: 'enabled' });
  });

  test('that is lost: an address needs nothing but another code, a chat is disabled until it has its token again', async () => {
    const { userId } = on.world;
    const [mail, chat] = [await makeMail(), await on.makeChat()];
    await fire(chat.id);
    await giveUp();
    // The code was on its way: nobody can read it any more.
    expect(await on.carry(mail, NEVER, next)).toMatchObject({ state: 'idle', delivered: 0 });
    await expect(next.alertChannels.verify(mail, userId, '000000', ACTOR)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('send-code') });
    await next.alertChannels.sendCode(mail, userId);
    await on.carry(mail, NEVER, next);
    expect(await next.alertChannels.verify(mail, userId, codeIn(lastMail()), ACTOR)).toMatchObject({ status: 'enabled' });
    await expect(next.alertChannels.sendCode(chat.id, userId)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('botToken') });
    expect(await on.carry(chat.id, NEVER, next)).toMatchObject({ state: 'disabled', disabledReason: 'unauthorized', delivered: 0 });
    await next.alertChannels.change(chat.id, userId, { botToken: on.telegram.token }, ACTOR);
    await on.carry(chat.id, NEVER, next);
    await next.alertChannels.verify(chat.id, userId, codeIn(on.telegram.texts(chat.chatId).at(-1) ?? ''), ACTOR);
    expect(await on.carry(chat.id, NEVER, next)).toMatchObject({ delivered: 1 });
  });
});

describe('a chat whose bot token is replaced while another process seals its secrets', () => {
  const [OLD, NEW] = ['1:old', '2:new'];
  const ours = environmentKeyProvider([createHash('sha256').update('a key of the tests').digest()]);
  const makeChat = async (): Promise<{ readonly id: string; readonly code: string }> => {
    const { store, userId } = on.world;
    const { id } = await store.alertChannels.create({ userId, kind: 'telegram', name: 'phone', target: String(Date.now()), botToken: OLD }, ACTOR);
    const secrets = await store.alertChannels.secretsOf(id);
    return { id, code: (secrets === 'lost' ? null : secrets.code) ?? '' };
  };
  /** Sealing takes as long as this. */
  const sealingDuring = (between: () => Promise<unknown>): Promise<Store> =>
    on.world.openAnother({
      keyProvider: {
        currentKeyId: ours.currentKeyId,
        unwrap: (...given) => ours.unwrap(...given),
        wrap: async (...given) => {
          const wrapped = await ours.wrap(...given);
          await between();
          return wrapped;
        },
      },
    });
  const replace = (id: string): Promise<unknown> => on.world.store.alertChannels.change(id, on.world.userId, { botToken: NEW }, ACTOR);

  test('has the new one, and who asked for a code is told that another was sent', async () => {
    const { id } = await makeChat();
    const slow = await sealingDuring(() => replace(id));
    await expect(slow.alertChannels.sendCode(id, on.world.userId)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('in the meantime') });
    expect(await on.world.store.alertChannels.secretsOf(id)).toMatchObject({ botToken: NEW, code: expect.any(String) });
  });

  test('is not verified by the code that was sent with the old one', async () => {
    const { id, code } = await makeChat();
    const slow = await sealingDuring(() => replace(id));
    await expect(slow.alertChannels.verify(id, on.world.userId, code, ACTOR)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('in the meantime') });
    expect((await on.world.store.alertChannels.get(id, on.world.userId)).status).toBe('unverified');
    expect(await on.world.store.alertChannels.secretsOf(id)).toMatchObject({ botToken: NEW, code: expect.any(String) });
  });

  test('and that is deleted meanwhile stays deleted, and keeps no secret', async () => {
    const { id, code } = await makeChat();
    const slow = await sealingDuring(() => on.world.store.alertChannels.remove(id, on.world.userId, ACTOR));
    await expect(slow.alertChannels.verify(id, on.world.userId, code, ACTOR)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await queried(on.world.databaseUrl, 'SELECT data, wrapped_key FROM alert_channels WHERE id = $1', id)).toEqual([{ data: null, wrapped_key: null }]);
  });
});
