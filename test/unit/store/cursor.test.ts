/** A cursor is taken as a listing gave it, or refused: never handed to PostgreSQL to choke on. */
import { describe, expect, test } from '@jest/globals';
import { cursorOf, keyCursorOf, keyOf, positionOf } from '../../../src/store/database/cursor';

const made = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
const REFUSED = 'the cursor is not one that a listing gave: leave it out to start anew';

test('what a listing gave is taken', () => {
  const position = { at: '2026-11-28T15:43:27.811Z', id: 'c238a3bd-2b11-464b-8efe-bbf8e994f3fe' };
  expect(positionOf('orders', cursorOf('orders', position))).toEqual(position);
  expect(keyOf('positions', keyCursorOf('positions', ['BTC-PERP', 'a']))).toEqual(['BTC-PERP', 'a']);
  expect([positionOf('orders', null), positionOf('orders', undefined), keyOf('positions', null)]).toEqual([null, null, null]);
});

test('what another list gave is refused, and the caller is told so', () => {
  const position = { at: '2026-11-28T15:43:27.811Z', id: 'c238a3bd-2b11-464b-8efe-bbf8e994f3fe' };
  expect(() => positionOf('fills', cursorOf('orders', position))).toThrow('the cursor is of another list');
  expect(() => keyOf('positions', cursorOf('orders', position))).toThrow('the cursor is of another list');
  expect(() => positionOf('orders', made([position.at, position.id, 7]))).toThrow('the cursor is of another list');
});

test('what a version gave that named no list is taken, so that a client goes on over an upgrade', () => {
  expect(positionOf('orders', made(['2026-11-28T15:43:27.811Z', 'x']))).toEqual({ at: '2026-11-28T15:43:27.811Z', id: 'x' });
});

// JavaScript reads all of these as times, PostgreSQL none, or another one.
describe.each(['1', '0', 'Jan 1 2026 (x)', '+275760-09-13T00:00:00.000Z', '-000001-01-01T00:00:00.000Z', '0000-06-01T00:00:00.000Z', '2026-01-01', '2026-01-01T00:00:00.000+00:00', 'infinity', '2026-02-30T00:00:00.000Z'])('a time written as %s', (at) => {
  test('is refused', () => expect(() => positionOf('orders', made([at, 'x']))).toThrow(REFUSED));
});

test.each<{ readonly value: unknown }>([['2026-01-01T00:00:00.000Z', '\u0000'], ['a\u0000', 'x'], ['\ud800', 'x'], [1, 'x'], ['2026-01-01T00:00:00.000Z'], {}, null, 'x'].map((value) => ({ value })))('$value is refused as a key and as a position', ({ value }) => {
  const cursor = made(value);
  expect(() => keyOf('positions', cursor)).toThrow(REFUSED);
  expect(() => positionOf('orders', cursor)).toThrow(REFUSED);
});

test.each(['', 'x', 'AAAA', '.', '%00'])('%j, which is no JSON, is refused', (cursor) => expect(() => keyOf('positions', cursor)).toThrow(REFUSED));
