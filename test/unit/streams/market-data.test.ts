/** From a venue's stream to the bus: conflated but always the last, quiet markets confirmed, a dead stream told. */
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BookLevel, Ticker } from '../../../src/domain/market';
import type { PublicMessage } from '../../../src/domain/venue';
import type { JsonObject } from '../../../src/streams/bus/bus';
import { MarketData } from '../../../src/streams/prices/market-data';
import { OrderBookState } from '../../../src/streams/prices/order-book-state';
import { until } from '../../contract/streams/bus-until';
import { RUNS } from './runs';

const NEVER_MS = 3_600_000;

/** A venue's public side, driven by the test. */
class Feed {
  readonly name = 'paper';
  say: (message: PublicMessage) => void = () => undefined;
  asked = 0;
  closed = false;
  answer: (() => Promise<readonly Ticker[]>) = async () => [];
  streamPublic(_symbols: readonly string[], onMessage: (message: PublicMessage) => void) {
    this.say = onMessage;
    return { ready: Promise.resolve(), close: () => void (this.closed = true) };
  }
  tickers(): Promise<readonly Ticker[]> {
    this.asked += 1;
    return this.answer();
  }
}

const opened: MarketData[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((data) => data.close()));
});

function open(options: { publishIntervalMs?: number; silenceMs?: number; answer?: Feed['answer']; symbolOf?: (venueSymbol: string) => string } = {}) {
  const feed = new Feed();
  if (options.answer) feed.answer = options.answer;
  const told: { topic: string; message: JsonObject }[] = [];
  const errors: unknown[] = [];
  const [heard, begun]: [PublicMessage[], PublicMessage[]] = [[], []];
  const data = new MarketData({
    venue: feed, venueSymbols: ['BTC'], bus: { publish: (topic, message) => void told.push({ topic, message: message as JsonObject }) }, clock: { nowMs: () => Date.now() },
    onError: (error) => errors.push(error), onMessage: (message) => (message.kind === 'gap' ? begun.push(message) : heard.push(message)), publishIntervalMs: options.publishIntervalMs ?? 1, silenceMs: options.silenceMs ?? NEVER_MS, ...(options.symbolOf ? { symbolOf: options.symbolOf } : {}),
  });
  opened.push(data);
  const of = (topic: string): JsonObject[] => told.filter((entry) => entry.topic === topic).map(({ message }) => message);
  const marks = (symbol = 'BTC-PERP'): unknown[] => of(`price/paper/${symbol}`).map(({ ticker }) => (ticker as Ticker).mark);
  return { feed, data, told, errors, heard, begun, of, marks };
}
const ticker = (mark: string, symbol = 'BTC-PERP', at = 1): Ticker => ({ venue: 'paper', symbol, bid: null, ask: null, last: null, mark, at });
const book = (type: 'snapshot' | 'delta', sequence: number, bids: BookLevel[], asks: BookLevel[]): PublicMessage => ({ kind: 'book', symbol: 'BTC-PERP', type, bids, asks, sequence, atMs: sequence });

describe('market data', () => {
  test('of a venue with names of its own is told by ours: prices, books, trades, what triggers see, and what was asked for', async () => {
    const { feed, heard, of, marks } = open({ symbolOf: (venueSymbol) => (venueSymbol === 'BTC' ? 'BTC-PERP' : venueSymbol), answer: async () => [ticker('7', 'BTC')] });
    await until('the answer', () => marks().at(-1) === '7');
    feed.say({ kind: 'ticker', ticker: ticker('8', 'BTC') });
    feed.say({ ...book('snapshot', 1, [['1', '1']], [['2', '1']]), symbol: 'BTC' } as PublicMessage);
    feed.say({ kind: 'trades', symbol: 'BTC', trades: [] });
    await until('price and book', () => marks().at(-1) === '8' && of('book/paper/BTC-PERP').length > 0);
    expect(of('trades/paper/BTC-PERP')).toHaveLength(1);
    expect(heard.map((message) => ('ticker' in message ? message.ticker.symbol : 'symbol' in message ? message.symbol : message.kind))).toEqual(['BTC-PERP', 'BTC-PERP', 'BTC-PERP', 'BTC-PERP']);
  });

  test('of a burst of tickers the bus is told few, always the last, of each market; triggers see every one', async () => {
    const { feed, heard, marks } = open({ publishIntervalMs: 20 });
    for (let n = 1; n <= 1_000; n += 1) for (const symbol of ['BTC-PERP', 'ETH-PERP']) feed.say({ kind: 'ticker', ticker: ticker(String(n), symbol) });
    await until('the last of both', () => marks().at(-1) === '1000' && marks('ETH-PERP').at(-1) === '1000');
    expect([marks(), marks('ETH-PERP')]).toEqual([['1000'], ['1000']]);
    expect(heard.length).toBe(2_000);
    feed.say({ kind: 'ticker', ticker: ticker('1001') });
    await until('the next', () => marks().length === 2);
    expect(marks()).toEqual(['1000', '1001']);
  });

  test('trades are told each, in order, at once', () => {
    const { feed, of } = open();
    const trade = (id: string) => ({ id, price: '1', quantity: '1', side: 'buy' as const, at: 1 });
    for (let n = 0; n < 50; n += 1) feed.say({ kind: 'trades', symbol: 'BTC-PERP', trades: [trade(`${n}a`), trade(`${n}b`)] });
    expect(of('trades/paper/BTC-PERP').flatMap(({ trades }) => (trades as { id: string }[]).map(({ id }) => id))).toEqual(Array.from({ length: 50 }, (_, n) => [`${n}a`, `${n}b`]).flat());
  });

  test('a book is told by its best levels, after differences, and not before a snapshot', async () => {
    const { feed, of } = open();
    feed.say(book('delta', 1, [['1', '1']], []));
    feed.say(book('snapshot', 5, Array.from({ length: 80 }, (_, n) => [String(100 - n), '1'] as const), [['101', '1'], ['102', '2']]));
    feed.say(book('delta', 6, [['100', '0'], ['99', '7']], [['101.5', '3']]));
    feed.say(book('delta', 4, [['500', '1']], []));
    await until('the book', () => of('book/paper/BTC-PERP').length === 1);
    const told = of('book/paper/BTC-PERP')[0]?.['book'] as { bids: BookLevel[]; asks: BookLevel[]; sequence: number };
    expect(told.bids.length).toBe(50);
    expect(told.bids.slice(0, 2)).toEqual([['99', '7'], ['98', '1']]);
    expect(told).toMatchObject({ asks: [['101', '1'], ['101.5', '3'], ['102', '2']], sequence: 6, symbol: 'BTC-PERP', venue: 'paper' });
  });

  test('begins with a read of all tickers, so that prices are there before the first tick', async () => {
    const { feed, marks, of } = open({ answer: async () => [ticker('7')] });
    await until('the price', () => marks().length === 1);
    expect([marks(), feed.asked]).toEqual([['7'], 1]);
    expect(of('feed/paper').map(({ state }) => state)).toEqual(['live']);
  });

  test('a silent market is asked for and its price confirmed', async () => {
    const { feed, of } = open({ silenceMs: 15 });
    feed.answer = async () => [ticker('8')];
    feed.say({ kind: 'ticker', ticker: ticker('8') });
    await until('confirmations', () => of('price/paper/BTC-PERP').length >= 3);
    const times = of('price/paper/BTC-PERP').map(({ observedAtMs }) => Number(observedAtMs));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(times).size).toBe(times.length);
  });

  test('a price that only an answer tells is heard by triggers too; one that the stream overtook is not', async () => {
    let release: (tickers: readonly Ticker[]) => void = () => undefined;
    const { feed, heard, marks, data } = open({ answer: () => new Promise((resolve) => (release = resolve)) });
    feed.say({ kind: 'ticker', ticker: ticker('2') });
    release([ticker('1'), ticker('5', 'ETH-PERP')]);
    await until('the answer', () => marks('ETH-PERP').length > 0);
    await data.close();
    expect(heard.map((message) => (message.kind === 'ticker' ? [message.ticker.symbol, message.ticker.mark] : message.kind))).toEqual([['BTC-PERP', '2'], ['ETH-PERP', '5']]);
  });

  test('an answer that the stream overtook does not bring the older price back', async () => {
    let release: (tickers: readonly Ticker[]) => void = () => undefined;
    const { feed, marks, data } = open({ answer: () => new Promise((resolve) => (release = resolve)) });
    feed.say({ kind: 'ticker', ticker: ticker('2') });
    release([ticker('1'), ticker('5', 'ETH-PERP')]);
    await until('both', () => marks().length > 0 && marks('ETH-PERP').length > 0);
    await data.close();
    expect([marks(), marks('ETH-PERP')]).toEqual([['2'], ['5']]);
  });

  test('its beginning is told to triggers as a gap: what came before it was not heard', async () => {
    const { begun } = open();
    await until('it is told', () => begun.length === 1);
  });

  test('a gap is followed by a read at once', async () => {
    const { feed, marks } = open();
    await until('the first read', () => feed.asked === 1);
    await new Promise((resolve) => setImmediate(resolve));
    feed.answer = async () => [ticker('9')];
    feed.say({ kind: 'gap', reason: 'reconnected', missingForMs: 0 });
    await until('the price', () => marks().at(-1) === '9');
    expect(feed.asked).toBe(2);
  });

  test('a venue that is silent and does not answer is told to be down, once, and live again with its next price', async () => {
    const { feed, errors, of } = open({ silenceMs: 15, answer: () => Promise.reject(new Error('planted')) });
    await until('the report', () => of('feed/paper').length === 1);
    await until('more failures', () => errors.length >= 3);
    feed.say({ kind: 'ticker', ticker: ticker('1') });
    expect(of('feed/paper').map(({ state, reason }) => [state, reason])).toEqual([['down', 'planted'], ['live', 'prices arrive']]);
  });

  test('after close nothing is told', async () => {
    const { feed, data, told } = open();
    await until('the first read', () => feed.asked === 1);
    await data.close();
    const before = told.length;
    feed.say({ kind: 'ticker', ticker: ticker('1') });
    feed.say({ kind: 'trades', symbol: 'BTC-PERP', trades: [] });
    expect([told.length, feed.closed]).toEqual([before, true]);
  });
});

describe('a book kept from differences', () => {
  test('equals a plain map of its levels, sorted, whatever came', () => {
    const level = fc.tuple(fc.integer({ min: 1, max: 30 }).map((tick) => (tick / 2).toFixed(1)), fc.integer({ min: 0, max: 3 }).map(String));
    const update = fc.record({ snapshot: fc.boolean(), bids: fc.array(level, { maxLength: 6 }), asks: fc.array(level, { maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(update, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 10 }), (updates, depth) => {
        const state = new OrderBookState();
        const plain = { bids: new Map<number, BookLevel>(), asks: new Map<number, BookLevel>() };
        let whole = false;
        updates.forEach(({ snapshot, bids, asks }, index) => {
          state.apply({ kind: 'book', symbol: 'X', type: snapshot ? 'snapshot' : 'delta', bids, asks, sequence: index + 1, atMs: index });
          whole ||= snapshot;
          for (const [side, levels] of [['bids', bids], ['asks', asks]] as const) {
            if (snapshot) plain[side].clear();
            if (whole) for (const entry of levels) if (entry[1] === '0') plain[side].delete(Number(entry[0])); else plain[side].set(Number(entry[0]), entry);
          }
        });
        const sorted = (side: 'bids' | 'asks', sign: number): BookLevel[] => [...plain[side]].sort(([a], [b]) => (a - b) * sign).map(([, entry]) => entry).slice(0, depth);
        const top = state.top(depth);
        expect(top === null).toBe(!whole);
        if (top) expect([top.bids, top.asks]).toEqual([sorted('bids', -1), sorted('asks', 1)]);
      }),
      { numRuns: RUNS },
    );
  });
});
