/** What is read from the text alone is what the readers of hot-messages.ts make of it; anything spelled otherwise is left to them. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readBook, readUserFills } from '../../../../src/venues/hyperliquid/hot-messages';
import { scanBook, scanFills } from '../../../../src/venues/hyperliquid/hot-text';

const RUNS = 2_000;
const price = fc.oneof(fc.stringMatching(/^-?\d{1,8}(\.\d{1,8})?$/), fc.constantFrom('97000.0', '0', '0.0', '-0', '-0.0', '007.10', '1.10', '-5', '-5.0', '0.001', '', '1.', '.5', '1e5', '--1', '9'.repeat(41)));
const word = fc.constantFrom('BTC', 'xyz:TSLA', 'k\\"x', 'é', '');
const level = fc.record({ px: price, sz: price, n: fc.nat(99) }, { noNullPrototype: true });
const side = fc.array(level, { maxLength: 4 });
const book = fc.record({ coin: word, time: fc.nat(), levels: fc.tuple(side, side) }, { noNullPrototype: true });
const fillWith = (cloid: string | null) =>
  fc.record(
    {
      coin: word, px: price, sz: price, side: fc.constantFrom('A', 'B', 'C'), time: fc.nat(), startPosition: price, dir: fc.constant('Open Long'), closedPnl: price, hash: fc.constant('0x00'), oid: fc.nat(), crossed: fc.boolean(), fee: price, tid: fc.nat(),
      ...(cloid === null ? {} : { cloid: fc.constant(cloid) }), feeToken: fc.constant('USDC'), twapId: fc.constantFrom(null, null, 7),
    },
    { noNullPrototype: true },
  );
const fills = fc.record({ user: fc.constant('0xab'), fills: fc.array(fc.oneof(fillWith(null), fillWith('0x000102030405060708090A0B0C0D0E0F')), { maxLength: 3 }) }, { noNullPrototype: true });

const frame = (channel: string, data: unknown): string => JSON.stringify({ channel, data });

/** By the whole way: JSON.parse, then the reader; 'unreadable' where either gives up, 'strange' where a field is unknown. */
function slowly<T>(text: string, channel: string, read: (data: unknown, onUnknown: (path: string) => void) => T): T | 'unreadable' | 'strange' {
  try {
    const parsed = JSON.parse(text) as { channel?: unknown; data?: unknown };
    let strange = parsed.channel !== channel;
    const result = read(parsed.data, () => (strange = true));
    return strange ? 'strange' : result;
  } catch {
    return 'unreadable';
  }
}

describe('a book and fills read from their text', () => {
  test('are what the readers make of them, or are left to them', () => {
    const counts = { scanned: 0, left: 0 };
    const same = <T>(scanned: T | null, read: T | 'unreadable' | 'strange'): void => {
      counts[scanned === null ? 'left' : 'scanned'] += 1;
      if (scanned !== null) expect(scanned).toEqual(read);
    };
    fc.assert(fc.property(book, (data) => same(scanBook(frame('l2Book', data)), slowly(frame('l2Book', data), 'l2Book', readBook))), { numRuns: RUNS });
    fc.assert(fc.property(fills, (data) => same(scanFills(frame('userFills', data)), slowly(frame('userFills', data), 'userFills', readUserFills))), { numRuns: RUNS });
    expect(Math.min(counts.scanned, counts.left)).toBeGreaterThan(RUNS / 10);
  });

  test('whatever is broken in the text: nothing is read that the readers refuse, and nothing is read otherwise', () => {
    const spoiled = fc.record({ at: fc.nat(), by: fc.oneof(fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '0', '9', '-', '.', ' ', '\\', 'null', 'é'), fc.string({ maxLength: 2 })), cut: fc.nat(3) });
    const spoil = (text: string, { at, by, cut }: { at: number; by: string; cut: number }): string => {
      const place = at % (text.length + 1);
      return `${text.slice(0, place)}${by}${text.slice(place + cut)}`;
    };
    const equal = <T>(text: string, channel: string, scanned: T | null, read: (data: unknown, onUnknown: (path: string) => void) => T): void => {
      if (scanned !== null) expect(scanned).toEqual(slowly(text, channel, read));
    };
    fc.assert(
      fc.property(book, fills, spoiled, (bookData, fillsData, change) => {
        const [bookText, fillsText] = [spoil(frame('l2Book', bookData), change), spoil(frame('userFills', fillsData), change)];
        equal(bookText, 'l2Book', scanBook(bookText), readBook);
        equal(fillsText, 'userFills', scanFills(fillsText), readUserFills);
      }),
      { numRuns: 5 * RUNS },
    );
  });

  test('the venue\'s own spelling is read without JSON.parse', () => {
    const levels = [[{ px: '97000.0', sz: '1.10', n: 3 }], [{ px: '97001.0', sz: '0.5', n: 1 }]];
    expect(scanBook(frame('l2Book', { coin: 'xyz:TSLA', time: 1_700_000_000_000, levels }))).toEqual({ coin: 'xyz:TSLA', time: 1_700_000_000_000, bids: [['97000', '1.1']], asks: [['97001', '0.5']] });
    const fill = { coin: 'BTC', px: '97010.0', sz: '0.01', side: 'A', time: 1, startPosition: '0.01', dir: 'Close Long', closedPnl: '-0.1', hash: '0x01', oid: 5, crossed: true, fee: '0.43', tid: 24, feeToken: 'USDC', twapId: null };
    expect(scanFills(frame('userFills', { user: '0xab', fills: [fill, fill] }))?.fills).toHaveLength(2);
    expect(scanFills(frame('userFills', { user: '0xab', fills: [fill] }))?.fills[0]).toMatchObject({ side: 'sell', realizedPnl: '-0.1', venueFillId: '24', venueOrderId: '5', liquidity: 'taker', venueClientId: null });
  });

  test.each([
    ['a snapshot', frame('userFills', { isSnapshot: true, user: '0xab', fills: [] })],
    ['another channel', frame('trades', [])],
    ['spaces', JSON.stringify({ channel: 'l2Book', data: { coin: 'BTC', time: 1, levels: [[], []] } }, null, 1)],
    ['a field besides', frame('l2Book', { coin: 'BTC', time: 1, levels: [[], []], spread: '1' })],
    ['a time that is not exact', frame('l2Book', { coin: 'BTC', time: 100_000_000_000_000_000, levels: [[], []] })],
  ])('%s is left to the readers', (_what, text) => {
    expect([scanBook(text), scanFills(text)]).toEqual([null, null]);
  });
});
