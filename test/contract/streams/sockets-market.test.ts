/** Prices and books over Socket.io: conflated, chained, the last one always. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { TOPICS } from '../../../src/streams/bus/topics';
import { until } from './bus-until';
import { SocketsHarness } from './sockets-harness';

let harness: SocketsHarness;
const start = async (): Promise<SocketsHarness> => (harness = await new SocketsHarness().start());
afterEach(() => harness.stop());

const price = (bid: string, symbol = 'BTC-PERP') => ({ ticker: { venue: 'paper', symbol, bid, ask: '101', last: null, mark: null, at: 1 }, observedAtMs: Date.now() });

describe('market channels', () => {
  test('the newest price is the snapshot, under the market\'s alias too; changes follow, chained, the last one always', async () => {
    await start();
    harness.bus.publish(TOPICS.price('paper', 'BTC-PERP'), price('99'));
    await harness.bus.synced();
    const client = await harness.connected('alice');
    const answer = await client.subscribe({ channel: 'prices', symbol: 'BTCUSDT', venue: 'paper' });
    expect(answer).toMatchObject({ snapshot: { symbol: 'BTC-PERP', bid: '99', stale: false }, sequence: 0 });
    expect(await client.subscribe({ channel: 'orderbook', symbol: 'BTC-PERP', venue: 'paper' })).toMatchObject({ snapshot: null });
    for (let n = 1; n <= 500; n += 1) harness.bus.publish(TOPICS.price('paper', 'BTC-PERP'), price(String(99 + n / 1_000)));
    harness.bus.publish(TOPICS.price('paper', 'ETH-PERP'), price('1', 'ETH-PERP'));
    const book = { venue: 'paper', symbol: 'BTC-PERP', bids: [['99.5', '1']], asks: [['101', '2']], sequence: 7, at: 1 };
    harness.bus.publish(TOPICS.book('paper', 'BTC-PERP'), { book, observedAtMs: Date.now() });
    await until('the last price', () => client.of('prices').at(-1)?.data['bid'] === '99.5');
    await until('the book', () => client.of('orderbook').length === 1);
    const prices = client.of('prices');
    expect(prices.map(({ previousSequence, sequence }) => [previousSequence, sequence])).toEqual(prices.map((_, n) => [n, n + 1]));
    expect(prices.every((event) => 'symbol' in event && event.symbol === 'BTC-PERP' && event.type === 'price.updated')).toBe(true);
    // Conflated: what nobody could have seen was skipped.
    expect(prices.length).toBeLessThan(500);
    expect(client.of('orderbook')[0]).toMatchObject({ type: 'orderbook.updated', venue: 'paper', symbol: 'BTC-PERP', data: { ...book, stale: false } });
  });

  test('one who joins later begins at the newest event told, and both go on unbroken', async () => {
    await start();
    const first = await harness.connected('alice');
    await first.subscribe({ channel: 'prices', symbol: 'BTC-PERP', venue: 'paper' });
    for (let n = 1; n <= 5; n += 1) {
      harness.bus.publish(TOPICS.price('paper', 'BTC-PERP'), price(String(n)));
      await until('it', () => first.of('prices').at(-1)?.data['bid'] === String(n));
    }
    const second = await harness.connected('bob', { transports: ['polling'] });
    const { sequence } = await second.subscribe({ channel: 'prices', symbol: 'BTC-PERP', venue: 'paper' });
    expect(sequence).toBe(5);
    for (let n = 6; n <= 10; n += 1) {
      harness.bus.publish(TOPICS.price('paper', 'BTC-PERP'), price(String(n)));
      await until('both have it', () => [first, second].every((client) => client.of('prices').at(-1)?.data['bid'] === String(n)));
    }
    expect(first.of('prices').map((event) => event.previousSequence)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // Over polling an event may still be under way when the next one is told: then that one names the last it was sent.
    const chain = second.of('prices');
    expect(chain.map(({ previousSequence }) => previousSequence)).toEqual([5, ...chain.slice(0, -1).map((event) => event.sequence)]);
  });

  test('when a venue\'s market data goes down, its prices are told to be stale', async () => {
    await start();
    harness.bus.publish(TOPICS.price('paper', 'BTC-PERP'), price('99'));
    await harness.bus.synced();
    const client = await harness.connected('alice');
    await client.subscribe({ channel: 'prices', symbol: 'BTC-PERP', venue: 'paper' });
    harness.bus.publish(TOPICS.feed('paper'), { venue: 'paper', state: 'down', reason: 'planted', observedAtMs: Date.now() });
    await until('the stale price', () => client.of('prices').at(-1)?.data['stale'] === true);
    harness.bus.publish(TOPICS.price('paper', 'BTC-PERP'), { ...price('98'), observedAtMs: Date.now() + 1 });
    await until('the fresh price', () => client.of('prices').at(-1)?.data['stale'] === false);
    expect(client.of('prices').at(-1)?.data['bid']).toBe('98');
  });
});
