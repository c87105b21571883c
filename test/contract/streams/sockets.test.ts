/** The Socket.io stream as a client meets it: a real server, real sockets, counts compared. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { DomainError } from '../../../src/domain/errors';
import { errorBodySchema } from '../../../src/schemas/errors';
import { ACCOUNT_CHANNELS } from '../../../src/schemas/socket';
import { until } from './bus-until';
import { SocketsHarness } from './sockets-harness';

let harness: SocketsHarness;
const start = async (limits = {}): Promise<SocketsHarness> => (harness = await new SocketsHarness().start(limits));
afterEach(() => harness.stop());

describe('who may listen', () => {
  test.each([
    ['no key', undefined],
    ['a wrong key', 'nonsense'],
    ['a revoked key', 'key-of-mallory'],
    ['a key too long to be one', 'x'.repeat(500)],
  ])('a socket with %s is refused with the error body of REST', async (_what, token) => {
    await start();
    harness.revoked.add('mallory');
    const client = harness.client('nobody');
    client.socket.auth = token === undefined ? {} : { token };
    const refusal = await client.connected().then(() => null, (error: Error & { data?: unknown }) => error);
    const body = errorBodySchema.parse(refusal?.data);
    expect(body.error).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false, outcome: 'none' });
  });

  test.each([['bob\'s account', 'b'], ['no account at all', 'nowhere']])('alice cannot subscribe to %s, nor learn whether it exists', async (_what, accountId) => {
    await start();
    const client = await harness.connected('alice');
    for (const channel of ACCOUNT_CHANNELS) {
      const answer = await client.subscribe({ channel, accountId });
      expect(errorBodySchema.parse(answer).error).toMatchObject({ code: 'NOT_FOUND', message: 'no such account' });
    }
    harness.table.commit('b');
    const own = await client.subscribe({ channel: 'orders', accountId: 'a' });
    expect(own.sequence).toBe(0);
    harness.table.commit('a');
    await until('the own event', () => client.events.length === 1);
    expect(client.events.map((event) => 'accountId' in event && event.accountId)).toEqual(['a']);
  });

  test('a key revoked while connected ends the socket', async () => {
    await start({ reauthenticateMs: 10 });
    const [alice, bob] = [await harness.connected('alice'), await harness.connected('bob')];
    harness.revoked.add('alice');
    await until('the end', () => alice.disconnects.length === 1);
    expect(alice.disconnects).toEqual(['io server disconnect']);
    expect(bob.socket.connected).toBe(true);
    expect(harness.reports).toEqual([{ kind: 'revoked', userId: 'alice', reason: 'its API key is no longer valid' }]);
  });
});

describe('messages that cannot be understood', () => {
  test.each([
    ['nothing', undefined],
    ['a text', 'orders'],
    ['an unknown channel', { channel: 'news', accountId: 'a' }],
    ['no account', { channel: 'orders' }],
    ['an account that is no id', { channel: 'orders', accountId: '../b' }],
    ['a negative sequence', { channel: 'orders', accountId: 'a', sinceSequence: -1 }],
    ['an unknown field', { channel: 'orders', accountId: 'a', since: 1 }],
    ['prices without a venue', { channel: 'prices', symbol: 'BTC-PERP' }],
    ['a symbol with spaces', { channel: 'prices', symbol: 'BTC PERP', venue: 'paper' }],
  ])('%s is answered with VALIDATION and what is wrong', async (_what, message) => {
    await start();
    const client = await harness.connected('alice');
    const { error } = errorBodySchema.parse(await client.subscribe(message as never));
    expect(error.code).toBe('VALIDATION');
    expect((error.details['issues'] as unknown[]).length).toBeGreaterThan(0);
    expect(client.socket.connected).toBe(true);
  });

  test('an unknown market is NOT_FOUND; so is unsubscribing from what one has not', async () => {
    await start();
    const client = await harness.connected('alice');
    expect((await client.subscribe({ channel: 'prices', symbol: 'NONE-PERP', venue: 'paper' })).error).toMatchObject({ code: 'NOT_FOUND' });
    expect((await client.unsubscribe({ channel: 'orders', accountId: 'a' })).error).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a failure of ours is told as such, and the socket lives on', async () => {
    await start();
    const client = await harness.connected('alice');
    harness.table.away = true;
    expect((await client.subscribe({ channel: 'orders', accountId: 'a' })).error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: true });
    harness.table.away = false;
    expect(await client.subscribe({ channel: 'orders', accountId: 'a' })).toMatchObject({ sequence: 0 });
    expect(harness.errors.length).toBeGreaterThan(0);
  });

  test('a message larger than any of ours ends the connection', async () => {
    await start();
    const client = await harness.connected('alice');
    client.socket.emit('subscribe', { channel: 'orders', accountId: 'x'.repeat(20_000) } as never, () => undefined);
    await until('the end', () => client.disconnects.length === 1);
  });
});

describe('limits', () => {
  test('subscriptions per socket, sockets per user; the same subject again takes the earlier one\'s place', async () => {
    await start({ subscriptionsPerSocket: 2, socketsPerUser: 2 });
    const client = await harness.connected('alice');
    for (const channel of ['orders', 'fills', 'orders']) expect((await client.subscribe({ channel, accountId: 'a' })).sequence).toBe(0);
    for (const message of [{ channel: 'positions', accountId: 'a' }, { channel: 'prices', symbol: 'BTC-PERP', venue: 'paper' }]) {
      expect((await client.subscribe(message)).error).toMatchObject({ code: 'RATE_LIMITED', message: 'at most 2 subscriptions per socket; unsubscribe others first, or open another socket' });
    }
    harness.table.commit('a', 'order.working');
    harness.table.commit('a', 'fill.created');
    await until('both', () => client.events.length === 2);
    expect(client.events.map(({ channel }) => channel).sort()).toEqual(['fills', 'orders']);
    expect(await client.unsubscribe({ channel: 'fills', accountId: 'a' })).toEqual({});
    expect((await client.subscribe({ channel: 'positions', accountId: 'a' })).sequence).toBe(2);

    const second = await harness.connected('alice');
    const third = await harness.client('alice').connected().then(() => null, (error: Error & { data?: unknown }) => error);
    expect(errorBodySchema.parse(third?.data).error).toMatchObject({ code: 'RATE_LIMITED', message: 'at most 2 sockets per user; close others first' });
    await harness.connected('bob');
    second.socket.close();
    await until('room for another', async () => harness.client('alice').connected().then(() => true, () => false));
  });

  test('sockets per user are counted with those at other processes', async () => {
    await start({ socketsPerUser: 2 });
    await harness.seats.take({ scope: 'sockets/alice', name: 'elsewhere', max: 2 });
    await harness.connected('alice');
    const refused = await harness.client('alice').connected().then(() => null, (error: Error & { data?: unknown }) => error);
    expect(errorBodySchema.parse(refused?.data).error).toMatchObject({ code: 'RATE_LIMITED' });
    harness.seats.giveBack({ scope: 'sockets/alice', name: 'elsewhere' });
    await harness.connected('alice');
  });

  test('a client that is gone before it was welcomed is not counted', async () => {
    const counted: string[] = [];
    let answer: (granted: boolean) => void = () => undefined;
    harness = new SocketsHarness();
    harness.seats = {
      take: ({ name }) => {
        counted.push(name);
        return new Promise((resolve) => (answer = resolve));
      },
      giveBack: ({ name }) => void counted.splice(counted.indexOf(name), 1),
    };
    await harness.start();
    const client = harness.client('alice');
    await until('it asks', () => counted.length === 1);
    client.socket.close();
    await until('it is gone', () => harness.connections === 0);
    answer(true);
    await until('nothing is counted', () => counted.length === 0);
  });

  test('where nobody can tell how many sockets there are, a client is not refused but tries again', async () => {
    let asked = 0;
    harness = new SocketsHarness();
    harness.seats = {
      take: async () => {
        asked += 1;
        if (asked < 3) throw new DomainError('SERVICE_UNAVAILABLE', 'the database cannot be reached');
        return true;
      },
      giveBack: () => undefined,
    };
    await harness.start();
    const client = harness.client('alice', { reconnect: true });
    await until('it is there', () => client.socket.connected);
    expect(asked).toBe(3);
  });

  test('subscribe messages at once', async () => {
    await start({ pendingSubscribes: 2 });
    const client = await harness.connected('alice');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    harness.table.pause = () => held;
    const answers = ['orders', 'fills', 'positions'].map((channel) => client.subscribe({ channel, accountId: 'a' }));
    expect((await Promise.race(answers)).error).toMatchObject({ code: 'RATE_LIMITED' });
    harness.table.pause = null;
    release();
    expect((await Promise.all(answers)).filter(({ error }) => error).length).toBe(1);
  });
});

describe.each([['websocket'], ['polling']])('account channels over %s', (transport) => {
  test('the answer comes before the first event; 2,000 events of eight channels come once each, chained per channel', async () => {
    await start();
    const client = await harness.connected('alice', { transports: [transport] });
    const types = ['order.working', 'fill.created', 'position.updated', 'balance.updated', 'account.statusChanged', 'trade.closed', 'orderList.created', 'strategy.created'] as const;
    for (let n = 0; n < 50; n += 1) harness.table.commit('a', types[n % 8]);
    const began = new Map<string, number>();
    for (const channel of ACCOUNT_CHANNELS) {
      began.set(channel, (await client.subscribe({ channel, accountId: 'a' })).sequence);
      for (let n = 0; n < 10; n += 1) harness.table.commit('a', types[n % 8]);
    }
    for (let n = 0; n < 2_460; n += 1) harness.table.commit('a', types[n % 8]);
    const all = await harness.table.since('account:a', 0, 10_000);
    const expected = (channel: string, word: string): number[] => all.filter(({ type, sequence }) => type.startsWith(word) && sequence > (began.get(channel) ?? 0)).map(({ sequence }) => sequence);
    const words = [['orders', 'order.'], ['fills', 'fill.'], ['positions', 'position.'], ['balances', 'balance.'], ['trades', 'trade.'], ['account', 'account.'], ['orderLists', 'orderList.'], ['strategies', 'strategy.']] as const;
    const total = words.reduce((count, [channel, word]) => count + expected(channel, word).length, 0);
    await until('all of them', () => client.events.length >= total);
    for (const [channel, word] of words) {
      const events = client.of(channel);
      expect(events.map(({ sequence }) => sequence)).toEqual(expected(channel, word));
      expect(events.map(({ previousSequence }) => previousSequence)).toEqual([began.get(channel), ...expected(channel, word).slice(0, -1)]);
    }
  });
});

describe('coming back', () => {
  test('a client that was cut off resumes by sequence: every event once over both connections, a restart of the server included', async () => {
    await start();
    const client = await harness.connected('alice', { reconnect: true });
    const first = await client.subscribe({ channel: 'orders', accountId: 'a' });
    for (let n = 0; n < 10; n += 1) harness.table.commit('a');
    await until('the first ten', () => client.events.length === 10);
    await harness.stopServer();
    await until('the client knows', () => client.disconnects.length === 1);
    for (let n = 0; n < 10; n += 1) harness.table.commit('a');
    await harness.startServer();
    await until('the client is back', () => client.socket.connected);
    expect(client.disconnects).toEqual(['transport close']);
    const last = client.events.at(-1)?.sequence;
    const answer = await client.subscribe({ channel: 'orders', accountId: 'a', sinceSequence: last, generation: first.generation });
    expect(answer).toEqual({ snapshot: null, sequence: 10, generation: 'generation-1' });
    for (let n = 0; n < 5; n += 1) harness.table.commit('a');
    await until('all', () => client.events.length === 25);
    expect(client.events.map(({ sequence, previousSequence }) => [previousSequence, sequence])).toEqual(Array.from({ length: 25 }, (_, n) => [n, n + 1]));
  });

  test('of another generation: resync, then the snapshot', async () => {
    await start();
    for (let n = 0; n < 5; n += 1) harness.table.commit('a');
    harness.table.restore('a', 3);
    const client = await harness.connected('alice');
    const answer = await client.subscribe({ channel: 'orders', accountId: 'a', sinceSequence: 3, generation: 'generation-1' });
    expect(client.resyncs).toEqual([{ channel: 'orders', accountId: 'a', reason: 'restored', sequence: 3, generation: 'generation-1\'', snapshot: null }]);
    expect(answer).toEqual({ snapshot: [{ head: 3 }], sequence: 3, generation: 'generation-1\'' });
  });

  test('gap, then resync, on each subscribed channel', async () => {
    await start();
    const client = await harness.connected('alice');
    for (const channel of ['orders', 'fills']) await client.subscribe({ channel, accountId: 'a' });
    harness.table.commit('a', 'account.alert', { kind: 'streamGap', from: 1_700_000_000_000 });
    harness.table.commit('a', 'fill.created');
    harness.table.commit('a', 'account.alert', { kind: 'streamResynced' });
    await until('both resyncs', () => client.resyncs.length === 2);
    expect(client.gaps.map(({ channel, from }) => [channel, from]).sort()).toEqual([['fills', 1_700_000_000_000], ['orders', 1_700_000_000_000]]);
    expect(client.resyncs.map(({ channel, reason }) => [channel, reason]).sort()).toEqual([['fills', 'venueReconciled'], ['orders', 'venueReconciled']]);
    expect(client.of('fills').length).toBe(1);
  });

  test('after unsubscribe nothing more comes, on that channel only', async () => {
    await start();
    const client = await harness.connected('alice');
    for (const channel of ['orders', 'fills']) await client.subscribe({ channel, accountId: 'a' });
    await client.unsubscribe({ channel: 'orders', accountId: 'a' });
    harness.table.commit('a', 'order.working');
    harness.table.commit('a', 'fill.created');
    await until('the fill', () => client.events.length === 1);
    expect(client.events[0]?.channel).toBe('fills');
  });
});
