/** Alerts to people on a real PostgreSQL, sent over real HTTP and SMTP to local servers. Time is the test's. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { priceTriggerId } from '../../../src/activities/alert-judge';
import type { WriterEpoch } from '../../../src/domain/order-store';
import { ACTOR, AlertWorld } from './alert-world';
import { SYMBOL } from '../store/harness';

const MINUTE = 60_000;
const DAY = 86_400_000;

let on: AlertWorld;
beforeAll(async () => {
  on = await AlertWorld.open();
});
afterAll(() => on.close());
beforeEach(() => on.begin());

describe('a channel', () => {
  test('is written to only after its code came back; a wrong code, an old one and a sixth guess do not count', async () => {
    const { id } = await on.world.store.alertChannels.create({ userId: on.world.userId, kind: 'email', name: 'mail', target: 'trader@example.com', botToken: null }, ACTOR);
    const rule = await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [id] });
    await on.filled();
    await on.judge();
    expect(await on.titles(rule)).toHaveLength(1);
    await on.carry(id);
    const mails = on.mail.to('trader@example.com');
    expect(mails).toHaveLength(1);
    const code = /code is (\d{6})/.exec(mails[0]?.raw ?? '')?.[1] ?? '';
    const wrong = code === '111111' ? '222222' : '111111';
    for (let n = 0; n < 5; n += 1) await expect(on.world.store.alertChannels.verify(id, on.world.userId, wrong, ACTOR)).rejects.toThrow('not the one that was sent last');
    await expect(on.world.store.alertChannels.verify(id, on.world.userId, code, ACTOR)).rejects.toThrow('guessed at too often');
    await on.world.store.alertChannels.sendCode(id, on.world.userId);
    on.world.clock.ms += 31 * MINUTE;
    expect((await on.carry(id)).state).toBe('idle');
    await expect(on.world.store.alertChannels.verify(id, on.world.userId, code, ACTOR)).rejects.toThrow('no code that is still good');
    expect((await on.world.store.alertChannels.get(id, on.world.userId)).status).toBe('unverified');
    expect(on.mail.to('trader@example.com')).toHaveLength(1);
  });

  test('cannot be used to write to somebody again and again, whatever is deleted and made anew', async () => {
    const make = async (): Promise<void> => {
      const { id } = await on.world.store.alertChannels.create({ userId: on.world.userId, kind: 'email', name: 'mail', target: 'Victim@example.com', botToken: null }, ACTOR);
      await on.world.store.alertChannels.remove(id, on.world.userId, ACTOR);
    };
    for (let n = 0; n < 5; n += 1) await make();
    await expect(make()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    on.world.clock.ms += DAY + 1;
    await make();
  });

  test('has its token and its code sealed: no row, event or audit entry has them', async () => {
    const { id } = await on.makeChat();
    expect(await on.world.store.alertChannels.secretsOf(id)).toEqual({ botToken: on.telegram.token, code: null });
    const told = JSON.stringify([await on.world.store.alertChannels.get(id, on.world.userId), await on.world.store.events.since(`user:${on.world.userId}`, 0, 1_000)]);
    expect(told).not.toContain(on.telegram.token);
    await on.world.store.alertChannels.remove(id, on.world.userId, ACTOR);
    await expect(on.world.store.alertChannels.secretsOf(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('an alert', () => {
  test('of each fill is told once, however often it is judged, and reaches chat and address; a person acknowledges it', async () => {
    const chat = await on.makeChat();
    const rule = await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: '20' }, channelIds: [chat.id] });
    await on.filled();
    await on.filled('5');
    for (let n = 0; n < 3; n += 1) await on.judge();
    expect(await on.titles(rule)).toEqual([`Bought 10 ${SYMBOL} at 2`]);
    await on.carry(chat.id);
    await on.carry(chat.id);
    expect(on.telegram.texts(chat.chatId)).toEqual([expect.stringMatching(new RegExp(`^Bought 10 ${SYMBOL} at 2\n`))]);
    const [alert] = await on.alerts();
    expect(alert?.deliveries).toEqual([{ channelId: chat.id, status: 'delivered', at: expect.any(String) }]);
    const acknowledged = await on.world.store.alerts.acknowledge(alert?.id ?? '', on.world.userId, ACTOR);
    expect(await on.world.store.alerts.acknowledge(alert?.id ?? '', on.world.userId, 'key:other')).toEqual(acknowledged);
    expect((await on.alertEvents()).slice(-2)).toEqual(['alert.raised', 'alert.acknowledged']);
  });

  test('that comes while the channel is snoozed, or gathers a digest, waits and comes in one message', async () => {
    const chat = await on.makeChat();
    const rule = await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [chat.id], digestMinutes: 10 });
    for (let n = 0; n < 2; n += 1) {
      await on.filled();
      await on.judge();
      on.world.clock.ms += MINUTE;
    }
    expect(await on.carry(chat.id)).toMatchObject({ state: 'waiting', waiting: 2, waitMs: 8 * MINUTE });
    expect(on.telegram.texts(chat.chatId)).toEqual([]);
    on.world.clock.ms += 8 * MINUTE;
    expect(await on.carry(chat.id)).toMatchObject({ state: 'idle', delivered: 1 });
    expect(on.telegram.texts(chat.chatId)).toEqual([expect.stringMatching(/^2 alerts\n/)]);
    await on.world.store.alertRules.change(rule.id, on.world.userId, { digestMinutes: null, snoozedUntil: new Date(on.world.clock.ms + 60 * MINUTE).toISOString() }, ACTOR);
    await on.filled();
    await on.judge();
    expect(await on.carry(chat.id)).toMatchObject({ state: 'waiting', delivered: 0 });
    // Whoever ends the snooze hears of it now.
    await on.world.store.alertRules.change(rule.id, on.world.userId, { snoozedUntil: null }, ACTOR);
    expect(await on.carry(chat.id)).toMatchObject({ state: 'idle', delivered: 1 });
  });

  test('that gathers in a digest goes on gathering where a snooze over it is ended, or is set to end before it', async () => {
    const chat = await on.makeChat();
    const rule = await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [chat.id], digestMinutes: 30 });
    const begunMs = on.world.clock.ms;
    const snooze = (minutes: number | null): Promise<unknown> => on.world.store.alertRules.change(rule.id, on.world.userId, { snoozedUntil: minutes === null ? null : new Date(begunMs + minutes * MINUTE).toISOString() }, ACTOR);
    await on.filled();
    await on.judge();
    await snooze(60);
    expect((await on.carry(chat.id)).waitMs).toBe(60 * MINUTE);
    await snooze(10);
    expect((await on.carry(chat.id)).waitMs).toBe(30 * MINUTE);
    await snooze(60);
    await snooze(null);
    on.world.clock.ms += 20 * MINUTE;
    await on.filled();
    await on.judge();
    expect(await on.carry(chat.id)).toMatchObject({ state: 'waiting', delivered: 0, waiting: 2, waitMs: 10 * MINUTE });
    on.world.clock.ms += 10 * MINUTE;
    expect(await on.carry(chat.id)).toMatchObject({ state: 'idle', delivered: 1 });
  });

  test('is in exactly one message also where many do not fit into one', async () => {
    const chat = await on.makeChat();
    await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null }, channelIds: [chat.id] });
    for (let n = 0; n < 30; n += 1) await on.filled();
    await on.judge();
    await on.carry(chat.id);
    const sent = on.telegram.texts(chat.chatId);
    expect(sent.length).toBeGreaterThan(1);
    expect(sent.every((text) => text.length <= 4_096)).toBe(true);
    const told = sent.flatMap((text) => text.match(/alr_[\w-]{27}/g) ?? []);
    expect([told.length, new Set(told).size]).toEqual([30, 30]);
  });

  test('about the same subject is kept silent by the cooldown, and the next one says how often', async () => {
    const rule = await on.makeRule({ kind: 'protection', parameters: {}, cooldownSeconds: 300 });
    for (let n = 0; n < 3; n += 1) await on.world.store.accounts.alert(on.account.id, { kind: 'UNPROTECTED', symbol: SYMBOL, words: 'no stop' });
    await on.judge();
    on.world.clock.ms += 5 * MINUTE;
    await on.world.store.accounts.alert(on.account.id, { kind: 'UNPROTECTED', symbol: SYMBOL, words: 'no stop' });
    await on.judge();
    expect((await on.alerts()).filter(({ ruleId }) => ruleId === rule.id).map(({ suppressed }) => suppressed)).toEqual([2, 0]);
  });

  test('of a venue that is down comes when it has been down for long, not when it is back before', async () => {
    const rule = await on.makeRule({ kind: 'venueDown', parameters: { venue: null, afterSeconds: 30 } });
    await on.world.store.accounts.alert(on.account.id, { kind: 'streamGap', reason: 'closed', from: null });
    expect(await on.judge()).toMatchObject({ raised: 0, waitMs: 30_000 });
    on.world.clock.ms += 20_000;
    await on.world.store.accounts.alert(on.account.id, { kind: 'streamResynced' });
    await on.judge();
    on.world.clock.ms += 20_000;
    expect((await on.judge()).raised).toBe(0);
    await on.world.store.accounts.alert(on.account.id, { kind: 'streamGap', reason: 'closed', from: null });
    await on.judge();
    on.world.clock.ms += 30_000;
    expect((await on.judge()).raised).toBe(1);
    expect(await on.titles(rule)).toEqual(['paper cannot be reached']);
  });

  test.each([['that ended is told by nobody', true, 0], ['that goes on is told', false, 1]])('after the judging was away, a silence %s, though hundreds of events lie between', async (_what, ended, raised) => {
    await on.makeRule({ kind: 'venueDown', parameters: { venue: null, afterSeconds: 60 } });
    const { accounts } = on.world.store;
    await accounts.alert(on.account.id, { kind: 'streamGap', reason: 'closed', from: null });
    // More than are judged at once.
    for (let n = 0; n < 205; n += 1) await accounts.alert(on.account.id, { kind: 'deadManRearmed' });
    on.world.clock.ms += 3_000;
    if (ended) await accounts.alert(on.account.id, { kind: 'streamResynced' });
    on.world.clock.ms += 2 * MINUTE;
    expect((await on.judge()).raised).toBe(raised);
    expect((await on.judge()).raised).toBe(0);
  });

  test('of what happened before its rule was made, or while it was disabled, is not told', async () => {
    await on.filled();
    on.world.clock.ms += 1;
    const rule = await on.makeRule({ kind: 'fill', parameters: { side: null, minNotional: null } });
    await on.judge();
    await on.world.store.alertRules.change(rule.id, on.world.userId, { enabled: false }, ACTOR);
    await on.filled();
    on.world.clock.ms += 1;
    await on.world.store.alertRules.change(rule.id, on.world.userId, { enabled: true }, ACTOR);
    await on.judge();
    expect(await on.titles(rule)).toEqual([]);
    await on.filled();
    await on.judge();
    expect(await on.titles(rule)).toHaveLength(1);
  });
});

describe('a price', () => {
  test('is armed with the user\'s workflow, told once it fires, and waited for anew after it went back', async () => {
    const writer = await on.world.store.watching.takeEpoch('market/paper', 'test');
    const rule = await on.makeRule({ kind: 'price', parameters: { venue: 'paper', symbol: SYMBOL, direction: 'atOrAbove', price: '3', priceType: 'last', repeats: true, rearmBps: 100 } });
    await on.judge();
    const fire = async (step: number, price: string, level: string): Promise<void> => {
      const [trigger] = await on.world.store.triggers.byIds([priceTriggerId(rule, step)]);
      expect(trigger).toMatchObject({ status: 'ARMED', workflowId: `alerts/${on.world.userId}`, accountId: null });
      await on.world.store.triggers.fire(writer, { triggerId: priceTriggerId(rule, step), revision: 1, price, priceType: 'last', source: 'paper', backup: false, origin: 'stream', extreme: null, level, atMs: 1, observedAtMs: 1, sequence: 1, scope: writer.scope, epoch: writer.epoch });
    };
    await fire(0, '3.1', '3');
    expect((await on.judge([priceTriggerId(rule, 0)])).raised).toBe(1);
    expect((await on.judge([priceTriggerId(rule, 0)])).raised).toBe(0);
    await fire(1, '2.9', '2.97');
    expect((await on.judge()).raised).toBe(0);
    await fire(2, '3', '3');
    expect((await on.judge()).raised).toBe(1);
    expect(await on.titles(rule)).toHaveLength(2);
    expect((await on.world.store.triggers.byIds([0, 1, 2].map((step) => priceTriggerId(rule, step)))).every(({ acknowledged }) => acknowledged)).toBe(true);
  });
});

describe('figures', () => {
  test('near liquidation are told once until they have left, and a day\'s loss once a day', async () => {
    const held = await on.world.newAccount();
    const writer: WriterEpoch = await on.world.store.watching.takeEpoch(`account/${held.id}`, 'test');
    const near = await on.makeRule({ kind: 'liquidationDistance', parameters: { percent: '10' }, accountIds: [held.id] });
    const loss = await on.makeRule({ kind: 'loss', parameters: { amount: '5' }, accountIds: [held.id] });
    const position = { venueSymbol: 'XRPUSDT', side: 'long', quantity: '10', entryPrice: '2', markPrice: '2', leverage: '5', marginMode: 'cross', margin: '4', liquidationPrice: '1.5', unrealizedPnl: '0' } as const;
    await on.world.store.watching.putPositions(writer, held.id, [position as never], on.world.clock.ms, { complete: true });
    const check = async (mark: string): Promise<number> => {
      on.world.marks.set(SYMBOL, mark);
      on.world.clock.ms += 1_000;
      return on.world.store.alertLevels.check(writer, held.id);
    };
    expect(await check('2')).toBe(0);
    expect(await check('1.6')).toBe(1);
    expect(await check('1.6')).toBe(0);
    expect(await check('1.67')).toBe(0);
    expect(await check('1.8')).toBe(0);
    expect(await check('1.6')).toBe(1);
    expect(await on.titles(near)).toEqual([`${SYMBOL} is 6.25 % from liquidation`, `${SYMBOL} is 6.25 % from liquidation`]);
    expect(await check('1.4')).toBe(1);
    expect(await on.titles(loss)).toHaveLength(1);
    on.world.marks.set(SYMBOL, '2');
    await expect(on.world.store.alertLevels.check({ ...writer, epoch: writer.epoch - 1 }, held.id)).rejects.toThrow();
  });
});
