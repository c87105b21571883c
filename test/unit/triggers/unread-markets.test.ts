/** Markets whose past a venue does not tell: when they are asked for again, out of which budget, and what that means to the others. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { PublicTrade } from '../../../src/domain/market';
import type { ReadOptions } from '../../../src/domain/venue';
import { MissedPrices, type Missed } from '../../../src/streams/prices/missed-prices';
import type { History } from '../../../src/streams/triggers/trigger-catch-up';
import { readHistory } from '../../../src/streams/triggers/trigger-history';

const trade = (price: string, at: number): PublicTrade => ({ id: String(at), price, quantity: '1', side: 'buy', at });
const traded = (...trades: readonly PublicTrade[]): History => ({ origin: 'trades', trades, candles: [], candleMs: 0, untilMs: trades.at(-1)?.at ?? 0 });

describe('a market whose past cannot be read', () => {
  const missedOf = (symbol: string): Missed => ({ id: symbol, revision: 1, symbol, extreme: null, sinceMs: 10, watchedMs: 10 });
  const reading = (history: (symbol: string) => Promise<History | null>) => {
    const troubles: unknown[] = [];
    const [unread, taken]: [string[], string[]] = [[], []];
    const missed = new MissedPrices(
      { clock: { nowMs: () => 1_000 }, rules: { bandBps: 1_000, confirmMs: 500, staleMs: 10_000 }, history, venueAheadMs: async () => 0, onTrouble: (error) => void troubles.push(error), onUnread: (symbol) => void unread.push(symbol) },
      (symbol) => void taken.push(symbol),
    );
    return { missed, troubles, unread, taken };
  };
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('by a mistake of ours holds no other market back, is counted and told, and is read later', async () => {
    let isBroken = true;
    const { missed, troubles, unread, taken } = reading(async (symbol) => {
      if (symbol === 'BROKEN' && isBroken) throw new TypeError('a market without a name');
      return traded(trade('95', 20));
    });
    for (const symbol of ['A', 'BROKEN', 'B']) missed.add(missedOf(symbol));
    await missed.read();
    expect([taken, unread, troubles]).toEqual([['A', 'B'], ['BROKEN'], [expect.any(TypeError)]]);
    expect(missed.watchedMs).toBe(10);
    isBroken = false;
    await jest.advanceTimersByTimeAsync(1_000);
    expect([taken, missed.watchedMs]).toEqual([['A', 'B', 'BROKEN'], Infinity]);
    missed.close();
  });

  test('is asked for ever less often, but within 5 s, and at once when the stream speaks again', async () => {
    let asked = 0;
    const { missed } = reading(async () => {
      asked += 1;
      return null;
    });
    missed.add(missedOf('A'));
    await missed.read();
    const times: number[] = [];
    for (let seconds = 1; seconds <= 20; seconds += 1) {
      const before = asked;
      await jest.advanceTimersByTimeAsync(1_000);
      if (asked > before) times.push(seconds);
    }
    expect(times).toEqual([1, 3, 7, 11, 15, 19]);
    // One that becomes known meanwhile does not hurry it.
    missed.add({ ...missedOf('A'), id: 'other' });
    missed.soon();
    await jest.advanceTimersByTimeAsync(0);
    expect(asked).toBe(7);
    missed.atOnce();
    await jest.advanceTimersByTimeAsync(0);
    expect(asked).toBe(8);
    missed.close();
  });

  test('is asked for out of the share of reads, not out of the reserve of exits, also while the breaker is open', async () => {
    const asked: ReadOptions[] = [];
    const venue = {
      trades: async (_symbol: string, _limit: number, options: ReadOptions) => {
        asked.push(options);
        return [];
      },
      candles: async (_symbol: string, _candleMs: number, _fromMs: number, _toMs: number, options: ReadOptions) => {
        asked.push(options);
        return [];
      },
    };
    await readHistory(venue, 'BTC', 10, 1_000, new AbortController().signal);
    expect(asked).toEqual([expect.objectContaining({ priority: 'read', passesBreaker: true }), expect.objectContaining({ priority: 'read', passesBreaker: true })]);
  });
});
