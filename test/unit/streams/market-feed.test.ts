/** Prices for clients: what became of them while nobody says anything. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { BusListener, JsonObject } from '../../../src/streams/bus/bus';
import { TOPIC_PREFIXES } from '../../../src/streams/bus/topics';
import { CLIENT_INTERVAL_MS, MarketFeed, STALE_LOOK_MS } from '../../../src/streams/prices/market-feed';
import { PRICE_STALE_AFTER_MS, PriceCache } from '../../../src/streams/prices/price-cache';
import type { MarketChannelEvent } from '../../../src/streams/socket-events';

beforeEach(() => void jest.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void jest.useRealTimers());

function world() {
  const listeners = new Map<string, BusListener>();
  const clock = { nowMs: () => Date.now() };
  const bus = {
    subscribe: (prefix: string, listener: BusListener): (() => void) => {
      listeners.set(prefix, listener);
      return () => void listeners.delete(prefix);
    },
  };
  const prices = new PriceCache({ bus, clock });
  const feed = new MarketFeed(prices, clock);
  const heard = (prefix: string, message: JsonObject): void => listeners.get(prefix)?.(message, prefix);
  const price = (bid: string): void => heard(TOPIC_PREFIXES.price, { ticker: { venue: 'paper', symbol: 'BTC-PERP', bid, ask: '101', last: null, mark: null, at: 1 }, observedAtMs: Date.now() });
  const book = (): void => heard(TOPIC_PREFIXES.book, { book: { venue: 'paper', symbol: 'BTC-PERP', bids: [['99', '1']], asks: [['101', '1']], sequence: 1, at: 1 }, observedAtMs: Date.now() });
  const events: MarketChannelEvent[] = [];
  const out = { busy: false, room: () => undefined, emit: (_name: string, event: unknown): void => void events.push(event as MarketChannelEvent) };
  const look = (channel: 'prices' | 'orderbook') => feed.open({ channel, venue: 'paper', symbol: 'BTC-PERP' }, out);
  return { feed, price, book, events, look };
}
const seen = (events: readonly MarketChannelEvent[]): unknown[] => events.map(({ channel, previousSequence, sequence, data }) => [channel, previousSequence, sequence, data.stale]);

test('when its watcher died without a word, who looks at a market is told once that its price and book are stale, and of the next that it is fresh', () => {
  const { feed, price, book, events, look } = world();
  price('99');
  look('orderbook');
  expect(look('prices').subscribed).toMatchObject({ snapshot: { bid: '99', stale: false } });
  book();
  jest.advanceTimersByTime(CLIENT_INTERVAL_MS);
  expect(seen(events)).toEqual([['orderbook', 0, 1, false]]);
  jest.advanceTimersByTime(PRICE_STALE_AFTER_MS + STALE_LOOK_MS + CLIENT_INTERVAL_MS);
  expect(seen(events.slice(1)).sort()).toEqual([['orderbook', 1, 2, true], ['prices', 0, 1, true]]);
  jest.advanceTimersByTime(60_000);
  expect(events).toHaveLength(3);
  price('98');
  jest.advanceTimersByTime(CLIENT_INTERVAL_MS);
  expect(seen(events.slice(3))).toEqual([['prices', 1, 2, false]]);
  feed.close();
  expect(jest.getTimerCount()).toBe(0);
});

test('who joins when it is stale already is told so by the snapshot alone', () => {
  const { feed, price, events, look } = world();
  price('99');
  jest.advanceTimersByTime(PRICE_STALE_AFTER_MS + 1);
  expect(look('prices').subscribed).toMatchObject({ snapshot: { stale: true } });
  jest.advanceTimersByTime(60_000);
  expect(events).toEqual([]);
  feed.close();
});
