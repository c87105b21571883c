/** The newest price of each market: its age, when it is stale, and what may be judged by it. */
import { describe, expect, test } from '@jest/globals';
import type { Ticker } from '../../../src/domain/market';
import type { BusListener, JsonObject } from '../../../src/streams/bus/bus';
import { markOfTicker, PRICE_STALE_AFTER_MS, PriceCache } from '../../../src/streams/prices/price-cache';
import { covers, TOPICS } from '../../../src/streams/bus/topics';

/** A bus within the test: tells at once. */
class NearBus {
  private readonly listeners = new Set<{ name: string; listener: BusListener }>();
  subscribe(name: string, listener: BusListener): () => void {
    const entry = { name, listener };
    this.listeners.add(entry);
    return () => void this.listeners.delete(entry);
  }
  publish(topic: string, message: JsonObject): void {
    for (const { name, listener } of this.listeners) if (covers(name, topic)) listener(message, topic);
  }
  get size(): number {
    return this.listeners.size;
  }
}

const ticker = (changes: Partial<Ticker> = {}): Ticker => ({ venue: 'paper', symbol: 'BTC-PERP', bid: '100', ask: '102', last: '99', mark: null, at: 1, ...changes });

function setUp() {
  const bus = new NearBus();
  const clock = { now: 1_000_000, nowMs: () => clock.now };
  const cache = new PriceCache({ bus, clock });
  const tell = (changes: Partial<Ticker> = {}, observedAtMs = clock.now): void => {
    const told = ticker(changes);
    bus.publish(TOPICS.price(told.venue, told.symbol), { ticker: told, observedAtMs });
  };
  const feed = (state: 'live' | 'down'): void => bus.publish(TOPICS.feed('paper'), { venue: 'paper', state, reason: 'told', observedAtMs: clock.now });
  return { bus, clock, cache, tell, feed };
}

describe('the price cache', () => {
  test('knows nothing of a market it never heard of', () => {
    const { cache } = setUp();
    expect([cache.latest('paper', 'BTC-PERP'), cache.markOf('paper', 'BTC-PERP'), cache.book('paper', 'BTC-PERP')]).toEqual([null, null, null]);
  });

  test('a price is fresh up to its limit and stale after it, until it is confirmed', () => {
    const { cache, clock, tell } = setUp();
    tell({ mark: '101.5' });
    clock.now += PRICE_STALE_AFTER_MS;
    expect(cache.latest('paper', 'BTC-PERP')).toMatchObject({ ageMs: PRICE_STALE_AFTER_MS, stale: false });
    expect(cache.markOf('paper', 'BTC-PERP')).toBe('101.5');
    clock.now += 1;
    expect(cache.latest('paper', 'BTC-PERP')).toMatchObject({ stale: true, ticker: { mark: '101.5' } });
    expect(cache.markOf('paper', 'BTC-PERP')).toBeNull();
    tell({ mark: '101.5' });
    expect(cache.markOf('paper', 'BTC-PERP')).toBe('101.5');
  });

  test('a late joiner that is given an old value does not take it for a new one', () => {
    const { cache, clock, tell } = setUp();
    tell({}, clock.now - 3_600_000);
    expect(cache.latest('paper', 'BTC-PERP')).toMatchObject({ ageMs: 3_600_000, stale: true });
  });

  test('of two watchers the one that saw later counts', () => {
    const { cache, clock, tell } = setUp();
    tell({ mark: '2' }, clock.now);
    tell({ mark: '1' }, clock.now - 1);
    expect(cache.markOf('paper', 'BTC-PERP')).toBe('2');
  });

  test('when the venue\'s market data goes down its prices are stale at once; another venue\'s are not; a price seen later proves itself', () => {
    const { cache, clock, tell, feed } = setUp();
    tell();
    tell({ venue: 'other' });
    feed('down');
    expect([cache.markOf('paper', 'BTC-PERP'), cache.markOf('other', 'BTC-PERP')]).toEqual([null, '101']);
    clock.now += 1;
    tell({ mark: '105' });
    expect(cache.markOf('paper', 'BTC-PERP')).toBe('105');
    feed('live');
    expect(cache.markOf('paper', 'BTC-PERP')).toBe('105');
  });

  test('lists by venue and by symbols', () => {
    const { cache, tell } = setUp();
    for (const [venue, symbol] of [['paper', 'BTC-PERP'], ['paper', 'ETH-PERP'], ['other', 'BTC-PERP']] as const) tell({ venue, symbol });
    const names = (venue: string | null, symbols: string[] | null): string[] => cache.list(venue, symbols).map(({ ticker: told }) => `${told.venue} ${told.symbol}`).sort();
    expect(names(null, null)).toEqual(['other BTC-PERP', 'paper BTC-PERP', 'paper ETH-PERP']);
    expect(names('paper', ['BTC-PERP', 'NONE'])).toEqual(['paper BTC-PERP']);
    expect(names(null, ['BTC-PERP'])).toEqual(['other BTC-PERP', 'paper BTC-PERP']);
  });

  test('books are subscribed to only where somebody looks, and end with the cache', () => {
    const { bus, cache } = setUp();
    const seen: string[] = [];
    const book = { venue: 'paper', symbol: 'BTC-PERP', bids: [['100', '1']], asks: [['101', '1']], sequence: 1, at: 1 };
    bus.publish(TOPICS.book('paper', 'BTC-PERP'), { book, observedAtMs: 1_000_000 });
    expect(cache.book('paper', 'BTC-PERP')).toBeNull();
    cache.onBook((venue, symbol) => seen.push(`${venue} ${symbol}`));
    bus.publish(TOPICS.book('paper', 'BTC-PERP'), { book, observedAtMs: 1_000_000 });
    expect(cache.book('paper', 'BTC-PERP')).toEqual({ book, ageMs: 0, stale: false });
    expect(seen).toEqual(['paper BTC-PERP']);
    cache.close();
    expect(bus.size).toBe(0);
  });

  test('a message of the wrong shape is refused and changes nothing', () => {
    const { bus, cache, tell } = setUp();
    tell({ mark: '7' });
    expect(() => bus.publish(TOPICS.price('paper', 'BTC-PERP'), { ticker: { ...ticker(), mark: 7 }, observedAtMs: 2_000_000 })).toThrow();
    expect(cache.markOf('paper', 'BTC-PERP')).toBe('7');
  });
});

describe('what an order may be judged by', () => {
  test.each<[string, Partial<Ticker>, string | null]>([
    ['the venue\'s mark', { mark: '101.25' }, '101.25'],
    ['else the middle of the best', {}, '101'],
    ['else the last trade', { bid: null }, '99'],
    ['not a mark of zero', { mark: '0' }, null],
    ['not a negative mark', { mark: '-1' }, null],
    ['not a word', { mark: 'NaN' }, null],
    ['not a crossed book', { bid: '102', ask: '101' }, null],
    ['not a locked book', { bid: '101', ask: '101' }, null],
    ['not a bid of zero', { bid: '0', ask: '101' }, null],
    ['not nothing', { bid: null, ask: null, last: null }, null],
  ])('%s', (_what, changes, expected) => {
    expect(markOfTicker(ticker(changes))).toBe(expected);
  });

  test('the middle is exact', () => {
    expect(markOfTicker(ticker({ bid: '0.1', ask: '0.2000000000000000001' }))).toBe('0.15000000000000000005');
  });
});
