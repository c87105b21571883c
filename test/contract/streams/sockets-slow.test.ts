/** S42: a client that stops reading costs a bounded amount, holds nobody back, and misses no order event without being told. */
import { afterEach, expect, test } from '@jest/globals';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TOPICS } from '../../../src/streams/bus/topics';
import { until } from './bus-until';
import { SocketsHarness, TestClient } from './sockets-harness';

/** A wire that can be stopped: the client behind it reads nothing any more, and its machine takes no more than it has buffers. */
class Wire {
  private readonly pairs: { near: Socket; far: Socket }[] = [];
  private server: Server | null = null;

  async open(target: number): Promise<string> {
    this.server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      this.pairs.push({ near, far });
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) {
        socket.on('error', () => undefined);
        socket.on('close', () => { near.destroy(); far.destroy(); });
      }
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', () => resolve()));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  stall(): void {
    for (const { far, near } of this.pairs) far.unpipe(near).pause();
  }
  flow(): void {
    for (const { far, near } of this.pairs) far.pipe(near);
  }
  async close(): Promise<void> {
    for (const { near, far } of this.pairs) [near, far].forEach((socket) => socket.destroy());
    await new Promise<void>((resolve) => this.server?.close(() => resolve()));
  }
}

/** An order with long words: 4 KB an event. */
const LONG = { words: 'x'.repeat(4_096) };

let harness: SocketsHarness;
let wire: Wire;
afterEach(async () => {
  await wire.close();
  await harness.stop();
});

async function behindAWire(limits = {}): Promise<TestClient> {
  harness = await new SocketsHarness().start(limits);
  wire = new Wire();
  const client = new TestClient(await wire.open(Number(new URL(harness.url).port)), 'key-of-alice', { reconnect: true });
  harness.clients.push(client);
  await client.connected();
  return client;
}

test('it lags, others do not, and when it reads again it has every event once', async () => {
  const slow = await behindAWire({ pingEveryMs: 600_000 });
  const fast = await harness.connected('alice');
  for (const client of [slow, fast]) await client.subscribe({ channel: 'orders', accountId: 'a' });
  wire.stall();
  for (let n = 0; n < 5_000; n += 1) harness.table.commit('a', 'order.working', LONG);
  await until('all at the fast one', () => fast.events.length === 5_000);
  expect(slow.events.length).toBeLessThan(5_000);
  wire.flow();
  await until('all at the slow one', () => slow.events.length === 5_000);
  expect(slow.events.map(({ previousSequence, sequence }) => [previousSequence, sequence])).toEqual(Array.from({ length: 5_000 }, (_, n) => [n, n + 1]));
  expect([slow.disconnects, harness.reports]).toEqual([[], []]);
});

test('one that reads nothing at all is disconnected, and resumes by sequence with every event once', async () => {
  const slow = await behindAWire({ pingEveryMs: 1_000, pingTimeoutMs: 1_000 });
  const resume = (): Promise<unknown> => slow.subscribe({ channel: 'orders', accountId: 'a', sinceSequence: slow.events.at(-1)?.sequence ?? 0 });
  // On a busy machine it is cut off again before it is answered: it asks anew when it is connected again.
  slow.socket.on('connect', () => void resume().catch((error: Error) => expect(error.message).toBe('socket has been disconnected')));
  await resume();
  harness.table.commit('a', 'order.working', LONG);
  await until('the first', () => slow.events.length === 1);
  wire.stall();
  for (let n = 0; n < 4_000; n += 1) harness.table.commit('a', 'order.working', LONG);
  await until('it is cut off', () => slow.disconnects.length > 0);
  expect(slow.events.length).toBeLessThan(4_001);
  wire.flow();
  await until('every event', () => slow.events.length >= 4_001);
  expect(slow.events.map(({ previousSequence, sequence }) => [previousSequence, sequence])).toEqual(Array.from({ length: 4_001 }, (_, n) => [n, n + 1]));
});

test('past the bound of what may wait for it, it is disconnected with a report', async () => {
  const slow = await behindAWire({ pingEveryMs: 600_000, maxUnsentBytes: 20_000 });
  const subjects = ['a', 'a2'].flatMap((accountId) => ['orders', 'fills', 'positions', 'balances'].map((channel) => ({ channel, accountId })));
  for (const subject of subjects) await slow.subscribe(subject);
  wire.stall();
  for (let n = 0; n < 4_000; n += 1) for (const account of ['a', 'a2']) harness.table.commit(account, (['order.working', 'fill.created', 'position.updated', 'balance.updated'] as const)[n % 4], LONG);
  await until('the report', () => harness.reports.length === 1);
  expect(harness.reports).toEqual([{ kind: 'slowClient', userId: 'alice', reason: 'left more than 20000 bytes unread' }]);
  wire.flow();
  await until('it knows', () => slow.disconnects.length === 1);
  expect(slow.disconnects).toEqual(['transport close']);
});

test('prices do not queue up for it: when it reads again it is given the newest', async () => {
  const slow = await behindAWire({ pingEveryMs: 600_000 });
  const fast = await harness.connected('bob');
  for (const client of [slow, fast]) await client.subscribe({ channel: 'prices', symbol: 'BTC-PERP', venue: 'paper' });
  await slow.subscribe({ channel: 'orders', accountId: 'a' });
  wire.stall();
  // Fills what the machine between takes, so that prices find the way blocked.
  for (let n = 0; n < 3_000; n += 1) harness.table.commit('a', 'order.working', LONG);
  for (let n = 1; n <= 200; n += 1) {
    harness.bus.publish(TOPICS.price('paper', 'BTC-PERP'), { ticker: { venue: 'paper', symbol: 'BTC-PERP', bid: String(n), ask: '1000', last: null, mark: null, at: n }, observedAtMs: Date.now() });
    await until('it at the fast one', () => fast.of('prices').at(-1)?.data['bid'] === String(n));
  }
  wire.flow();
  await until('the newest', () => slow.of('prices').at(-1)?.data['bid'] === '200');
  const prices = slow.of('prices');
  expect(prices.length).toBeLessThan(200);
  // What was skipped has its sequence; each event names the one this client was sent before.
  expect(prices.map(({ previousSequence }) => previousSequence)).toEqual([0, ...prices.slice(0, -1).map(({ sequence }) => sequence)]);
  expect(prices.at(-1)?.sequence).toBe(fast.of('prices').at(-1)?.sequence);
  await until('every order event', () => slow.of('orders').length === 3_000);
});
