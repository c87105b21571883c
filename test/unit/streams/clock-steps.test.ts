/** Our own clocks are set back, or a watcher moves from a host whose clock was ahead: prices go on, and no frozen one is taken for fresh. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { HOST_CLOCK_JUMP_MS } from '../../../src/domain/clock';
import type { OrderBook, Ticker } from '../../../src/domain/market';
import type { PublicMessage } from '../../../src/domain/venue';
import type { BusListener, JsonObject } from '../../../src/streams/bus/bus';
import { TOPICS } from '../../../src/streams/bus/topics';
import { MarketData } from '../../../src/streams/prices/market-data';
import { PriceCache } from '../../../src/streams/prices/price-cache';
import { until } from '../../contract/streams/bus-until';

const HOUR_MS = 3_600_000;
const ticker = (mark: string): Ticker => ({ venue: 'paper', symbol: 'BTC-PERP', bid: null, ask: null, last: null, mark, at: 1 });

describe('the price cache', () => {
  function setUp() {
    const clock = { now: 1_000_000_000, nowMs: () => clock.now };
    const listeners = new Map<string, BusListener>();
    const cache = new PriceCache({ clock, bus: { subscribe: (name, listener) => (listeners.set(name, listener), () => undefined) } });
    cache.onBook(() => undefined);
    const publish = (topic: string, message: JsonObject): void => [...listeners].forEach(([name, listener]) => topic.startsWith(name) && listener(message, topic));
    const tell = (mark: string, observedAtMs = clock.now): void => publish(TOPICS.price('paper', 'BTC-PERP'), { ticker: ticker(mark), observedAtMs });
    const tellBook = (bid: string): void => {
      const book: OrderBook = { venue: 'paper', symbol: 'BTC-PERP', bids: [[bid, '1']], asks: [], sequence: 1, at: 1 };
      publish(TOPICS.book('paper', 'BTC-PERP'), { book, observedAtMs: clock.now });
    };
    return { clock, cache, tell, tellBook };
  }

  test('after its host and the watcher\'s are set back by an hour it takes the next price', () => {
    const { clock, cache, tell } = setUp();
    tell('100');
    clock.now -= HOUR_MS;
    tell('60');
    expect(cache.markOf('paper', 'BTC-PERP')).toBe('60');
    expect(cache.latest('paper', 'BTC-PERP')).toMatchObject({ ageMs: 0, stale: false });
  });

  test('so do books', () => {
    const { clock, cache, tellBook } = setUp();
    tellBook('100');
    clock.now -= HOUR_MS;
    tellBook('60');
    expect(cache.book('paper', 'BTC-PERP')).toMatchObject({ book: { bids: [['60', '1']] }, stale: false });
  });

  test('the last price from before that judges nothing while no other comes', () => {
    const { clock, cache, tell } = setUp();
    tell('100');
    clock.now -= HOUR_MS;
    expect(cache.markOf('paper', 'BTC-PERP')).toBeNull();
    expect(cache.latest('paper', 'BTC-PERP')).toMatchObject({ stale: true });
  });

  test('clocks that differ by a little make nothing stale, and of two watchers the one that saw later counts', () => {
    const { clock, cache, tell } = setUp();
    tell('100', clock.now + HOST_CLOCK_JUMP_MS);
    tell('99', clock.now);
    expect(cache.markOf('paper', 'BTC-PERP')).toBe('100');
    expect(cache.latest('paper', 'BTC-PERP')).toMatchObject({ ageMs: 0, stale: false });
  });
});

describe('market data of a watcher whose clock is set back by an hour', () => {
  const opened: MarketData[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((data) => data.close()));
  });

  function open(answer: () => Promise<readonly Ticker[]>) {
    const clock = { now: 1_000_000_000, nowMs: () => clock.now };
    const published: { topic: string; message: JsonObject }[] = [];
    const say: { now: (message: PublicMessage) => void } = { now: () => undefined };
    const streamPublic = (_symbols: readonly string[], onMessage: (message: PublicMessage) => void) => {
      say.now = onMessage;
      return { ready: Promise.resolve(), close: () => undefined };
    };
    const data = new MarketData({ venue: { name: 'paper', streamPublic, tickers: answer }, venueSymbols: ['BTC-PERP'], bus: { publish: (topic, message) => void published.push({ topic, message: message as JsonObject }) }, clock, onError: () => undefined, publishIntervalMs: 1, silenceMs: 30 });
    opened.push(data);
    const of = (topic: string): JsonObject[] => published.filter((entry) => entry.topic === topic).map(({ message }) => message);
    return { clock, say, of };
  }

  test('a silent market is asked for, and the answer is published with the time as it is now', async () => {
    let mark = '100';
    const { clock, say, of } = open(async () => [ticker(mark)]);
    const marks = (): unknown[] => of('price/paper/BTC-PERP').map(({ ticker: told }) => (told as Ticker).mark);
    await until('the first answer', () => marks().includes('100'));
    say.now({ kind: 'ticker', ticker: ticker('99') });
    await until('the stream', () => marks().includes('99'));
    clock.now -= HOUR_MS;
    mark = '50';
    await until('the price that was asked for', () => marks().includes('50'));
    expect(of('price/paper/BTC-PERP').at(-1)).toMatchObject({ observedAtMs: clock.now });
  });

  test('a venue that is silent and does not answer is told to be down', async () => {
    let isAway = false;
    const { clock, of } = open(async () => (isAway ? Promise.reject(new Error('away')) : [ticker('100')]));
    await until('the first answer', () => of('price/paper/BTC-PERP').length > 0);
    isAway = true;
    clock.now -= HOUR_MS;
    await until('it is told', () => of('feed/paper').some(({ state }) => state === 'down'));
  });
});
