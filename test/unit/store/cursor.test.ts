/** A cursor is taken as a listing gave it, or refused: never handed to PostgreSQL to choke on. */
import { describe, expect, test } from '@jest/globals';
import { cursorOf, keyCursorOf, keyOf, positionOf } from '../../../src/store/database/cursor';

const made = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
const REFUSED = 'the cursor is not one that a listing gave: leave it out to start anew';

test('what a listing gave is taken', () => {
  const position = { at: '2026-11-28T15:43:27.811Z', id: 'c238a3bd-2b11-464b-8efe-bbf8e994f3fe' };
  expect(positionOf(cursorOf(position))).toEqual(position);
  expect(keyOf(keyCursorOf(['BTC-PERP', 'a']))).toEqual(['BTC-PERP', 'a']);
  expect([positionOf(null), positionOf(undefined), keyOf(null)]).toEqual([null, null, null]);
});

// JavaScript reads all of these as times, PostgreSQL none, or another one.
describe.each(['1', '0', 'Jan 1 2026 (x)', '+275760-09-13T00:00:00.000Z', '-000001-01-01T00:00:00.000Z', '2026-01-01', '2026-01-01T00:00:00.000+00:00', 'infinity', '2026-02-30T00:00:00.000Z'])('a time written as %s', (at) => {
  test('is refused', () => expect(() => positionOf(made([at, 'x']))).toThrow(REFUSED));
});

test.each<{ readonly value: unknown }>([['2026-01-01T00:00:00.000Z', '\u0000'], ['a\u0000', 'x'], ['\ud800', 'x'], [1, 'x'], ['2026-01-01T00:00:00.000Z'], {}, null, 'x'].map((value) => ({ value })))('$value is refused as a key and as a position', ({ value }) => {
  const cursor = made(value);
  expect(() => keyOf(cursor)).toThrow(REFUSED);
  expect(() => positionOf(cursor)).toThrow(REFUSED);
});

test.each(['', 'x', 'AAAA', '.', '%00'])('%j, which is no JSON, is refused', (cursor) => expect(() => keyOf(cursor)).toThrow(REFUSED));
