import { expect, test } from '@jest/globals';
import { BookReader } from '../../../src/streams/prices/book-reader';
import type { AgedBook, MarketListener } from '../../../src/streams/prices/price-cache';

const BOOK: AgedBook = { book: { venue: 'paper', symbol: 'BTC-PERP', bids: [['99', '1']], asks: [['100', '1']], sequence: 1, at: 1 }, ageMs: 0, stale: false };

/** A cache that nobody has told a book yet, and how often it was listened to. */
function quietCache(): { prices: { book: () => AgedBook | null; onBook: (listener: MarketListener) => () => void }; tell: (symbol: string) => void; counts: { listening: number; stopped: number } } {
  const listeners = new Set<MarketListener>();
  const counts = { listening: 0, stopped: 0 };
  let book: AgedBook | null = null;
  return {
    counts,
    prices: {
      book: () => book,
      onBook: (listener) => {
        counts.listening += 1;
        listeners.add(listener);
        return () => void (counts.stopped += 1);
      },
    },
    tell: (symbol) => {
      book = BOOK;
      for (const listener of listeners) listener('paper', symbol);
    },
  };
}

test('books are heard from the first question on, and that one waits until its market is told', async () => {
  const { prices, tell, counts } = quietCache();
  const reader = new BookReader(prices, 60_000);
  expect(counts.listening).toBe(0);
  const [first, second] = [reader.read('paper', 'BTC-PERP'), reader.read('paper', 'BTC-PERP')];
  tell('BTC-PERP');
  expect(await Promise.all([first, second])).toEqual([BOOK, BOOK]);
  expect(await reader.read('paper', 'BTC-PERP')).toBe(BOOK);
  reader.close();
  expect(counts).toEqual({ listening: 1, stopped: 1 });
});

test('a market that nobody tells has none', async () => {
  expect(await new BookReader(quietCache().prices, 0).read('paper', 'BTC-PERP')).toBeNull();
});

test('closing ends every wait', async () => {
  const reader = new BookReader(quietCache().prices, 60_000);
  const asked = reader.read('paper', 'BTC-PERP');
  reader.close();
  expect(await asked).toBeNull();
});
