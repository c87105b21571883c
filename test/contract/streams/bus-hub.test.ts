/** The loopback hub lets in only who has its token, and nobody who misbehaves stays or harms the others. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../../src/domain/clock';
import { startHub, type Hub } from '../../../src/streams/bus/hub';
import { HubBus } from '../../../src/streams/bus/hub-bus';
import { TOPICS } from '../../../src/streams/bus/topics';
import { until } from './bus-until';

const TOKEN = 'a-token-of-the-test-run';
let hub: Hub;
let bus: HubBus;
let reports: { kind: string; reason: string }[];
let strangers: Socket[];
beforeEach(async () => {
  reports = [];
  strangers = [];
  hub = await startHub({ token: TOKEN, onReport: (report) => reports.push(report) });
  bus = new HubBus({ url: hub.url, token: TOKEN, clock: systemClock });
  await until('the bus', () => bus.healthy());
});
afterEach(async () => {
  for (const stranger of strangers) stranger.destroy();
  await bus.close();
  await hub.close();
});

/** A connection that says what it likes; settles with what it heard when the hub ends it. */
async function says(...texts: (string | Buffer)[]): Promise<string> {
  const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
  strangers.push(socket);
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  socket.on('error', () => undefined);
  for (const text of texts) socket.write(text);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return heard;
}

async function stillWorks(): Promise<void> {
  const heard: unknown[] = [];
  const stop = bus.subscribe(TOPICS.accountWake('hub'), ({ n }) => heard.push(n));
  bus.publish(TOPICS.accountWake('hub'), { n: 1 });
  await until('a message', () => heard.length === 1);
  stop();
}

describe('the hub', () => {
  test.each([
    ['a wrong token', `H ${TOKEN}x\n`],
    ['no token', 'H\n'],
    ['a publication before the token', `P price/paper/BTC-PERP {"n":1}\nH ${TOKEN}\n`],
    ['a subscription before the token', `S 1 price/\nH ${TOKEN}\n`],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
    ['a long line before the token', 'H '.padEnd(2_000, 'x')],
  ])('ends a connection that brings %s, and tells it nothing', async (_what, text) => {
    bus.publish(TOPICS.price('paper', 'BTC-PERP'), { secret: true });
    await bus.synced();
    expect(await says(text)).toBe('');
    expect(reports.map(({ kind }) => kind)).toEqual(['refused']);
    await stillWorks();
  });

  test('ends a connection that says nothing', async () => {
    expect(await says()).toBe('');
    expect(reports).toEqual([{ kind: 'refused', reason: 'said nothing of itself' }]);
  });

  test.each([
    ['an unknown verb', 'X 1 2\n'],
    ['a malformed topic', 'P price//x {"n":1}\n'],
    ['a subscription to a pattern', 'S 1 price/*\n'],
    ['an endless line', 'P price/paper/BTC-PERP '.padEnd(400_000, 'x')],
  ])('ends a known program that sends %s, and no other', async (_what, text) => {
    expect(await says(`H ${TOKEN}\n`, text)).toBe('A\n');
    expect(reports.map(({ kind }) => kind)).toEqual(['refused']);
    await stillWorks();
  });

  test.each([
    ['no JSON', '{'],
    ['a negative weight', '{"scope":"v","rule":{"capacity":1,"refillPerSecond":1,"reserve":0},"weight":-5,"class":"entry"}'],
    ['a class of its own', '{"scope":"v","rule":{"capacity":1,"refillPerSecond":1,"reserve":0},"weight":1,"class":"god"}'],
  ])('answers a budget request with %s by an error, and grants nothing', async (_what, text) => {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
    strangers.push(socket);
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.write(`H ${TOKEN}\nT 7 ${text}\n`);
    await until('the answer', () => / 7 .*\n$/.test(heard));
    expect(heard).toMatch(/^A\nE 7 \{"message":/);
    await stillWorks();
  });

  test('drops a subscriber that reads nothing; the others hear everything', async () => {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
    strangers.push(socket);
    socket.on('error', () => undefined);
    socket.write(`H ${TOKEN}\nS 1 trades/\n`);
    await new Promise<void>((resolve) => socket.once('data', () => resolve()));
    socket.pause();
    const heard: unknown[] = [];
    bus.subscribe('trades/', ({ n }) => heard.push(n));
    await bus.synced();
    let sent = 0;
    while (!reports.some(({ kind }) => kind === 'dropped') && sent < 1_000) {
      bus.publish(TOPICS.trades('paper', 'BTC-PERP'), { n: sent, words: 'x'.repeat(100_000) });
      sent += 1;
      await until('the last at the others', () => heard.length === sent);
    }
    expect(reports.map(({ kind }) => kind)).toEqual(['dropped']);
    expect(heard).toEqual(Array.from({ length: sent }, (_, n) => n));
  });

  test.each([
    [{ token: 'short' }, /at least 16 characters/],
    [{ token: TOKEN, host: '0.0.0.0' }, /127\.0\.0\.1 or ::1 only/],
  ])('does not start with %j', async (options, reason) => {
    await expect(startHub(options)).rejects.toThrow(reason);
  });

  test('a client with a wrong token keeps trying without ever being let in, and takes its budget alone', async () => {
    const wrong = new HubBus({ url: hub.url, token: `${TOKEN}-wrong`, clock: systemClock });
    await until('several refusals', () => reports.length >= 3);
    expect(wrong.healthy()).toBe(false);
    const takes = await Promise.all(Array.from({ length: 20 }, () => wrong.rateBudget.take({ scope: 'v', rule: { capacity: 80, refillPerSecond: 1 / 3600, reserve: 0.5 }, weight: 1, class: 'entry' })));
    expect(takes.filter(({ granted }) => granted).length).toBe(5);
    await wrong.close();
  });
});
