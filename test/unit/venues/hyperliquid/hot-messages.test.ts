/** The messages read by hand are exactly what their schemas accept, and mean exactly what the schemas make of them. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { DriftNotes, message, unknownFields } from '../../../../src/venues/hyperliquid/drift';
import { numberOf, readBook, readUserFills } from '../../../../src/venues/hyperliquid/hot-messages';
import { decimalText, isPlainDecimal } from '../../../../src/domain/decimal';
import { toFill } from '../../../../src/venues/hyperliquid/normalize';
import { bookSchema, userFillsSchema } from '../../../../src/venues/hyperliquid/schemas';

const RUNS = 2_000;
const digits = fc.stringMatching(/^-?\d{1,8}(\.\d{1,8})?$/);
const price = fc.oneof(digits, fc.constantFrom('97000.0', '0', '0.0', '-0', '-0.0', '007.10', '1.10', '-5', '-5.0', '0.001'));
const level = fc.record({ px: price, sz: price, n: fc.nat(9) }, { noNullPrototype: true });
const side = fc.array(level, { maxLength: 4 });
const book = fc.record({ coin: fc.constantFrom('BTC', 'xyz:TSLA', ''), time: fc.nat(), levels: fc.tuple(side, side) }, { noNullPrototype: true });
const fill = fc.record(
  {
    coin: fc.constantFrom('BTC', 'xyz:TSLA'), px: price, sz: price, side: fc.constantFrom('A', 'B'), time: fc.nat(), startPosition: price, dir: fc.constant('Open Long'), closedPnl: price,
    hash: fc.constant('0x00'), oid: fc.nat(), crossed: fc.boolean(), fee: price, tid: fc.nat(), feeToken: fc.constant('USDC'), twapId: fc.constant(null),
    cloid: fc.constantFrom(null, '0x000102030405060708090A0B0C0D0E0F'),
  },
  { noNullPrototype: true, requiredKeys: ['coin', 'px', 'sz', 'side', 'time', 'closedPnl', 'oid', 'crossed', 'fee', 'tid', 'feeToken'] },
);
const userFills = fc.record({ user: fc.constant('0xab'), fills: fc.array(fill, { maxLength: 3 }), isSnapshot: fc.boolean() }, { noNullPrototype: true, requiredKeys: ['user', 'fills'] });

const junk = fc.oneof(fc.constantFrom<unknown>(null, true, -1, 1.5, 2 ** 60, '', 'C', '1e5', ' 1', '1.', '.5', '--1', '1_0', '٣', `${'9'.repeat(41)}`, [], {}), digits);

/** Every place in a value, by path. */
function places(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: (readonly [string | number, unknown])[] = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value);
  return [path, ...entries.flatMap(([key, item]) => places(item, [...path, key]))];
}

type Change = { readonly at: number; readonly how: 'replace' | 'remove' | 'add'; readonly by: unknown };
const change: fc.Arbitrary<Change> = fc.record({ at: fc.nat(), how: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const), by: junk });

function mutated(value: unknown, { at, how, by }: Change): unknown {
  const copy = structuredClone(value);
  const all = places(copy);
  const path = all[at % all.length] ?? [];
  const key = path.at(-1);
  if (key === undefined) return how === 'replace' ? by : copy;
  let holder = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) holder = holder[step] as Record<string | number, unknown>;
  if (how === 'replace') holder[key] = by;
  else if (how === 'add' && Array.isArray(holder)) holder.push(by);
  else if (how === 'add') holder['brandNew'] = by;
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
  return copy;
}

const told = <T>(read: (data: unknown, onUnknown: (path: string) => void) => T, data: unknown): { result: T | 'unreadable'; unknown: string[] } => {
  const unknown = new Set<string>();
  try {
    return { result: read(data, (path) => unknown.add(path)), unknown: [...unknown].sort() };
  } catch {
    return { result: 'unreadable', unknown: [] };
  }
};

function bookBySchema(data: unknown): unknown {
  const parsed = bookSchema.safeParse(data);
  if (!parsed.success) return { result: 'unreadable', unknown: [] };
  const [bids, asks] = parsed.data.levels.map((levels) => levels.map(({ px, sz }) => [decimalText(px), decimalText(sz)]));
  return { result: { coin: parsed.data.coin, time: parsed.data.time, bids, asks }, unknown: unknownFields(bookSchema, data).sort() };
}

function fillsBySchema(data: unknown): unknown {
  const parsed = userFillsSchema.safeParse(data);
  if (!parsed.success) return { result: 'unreadable', unknown: [] };
  const decimals = (from: ReturnType<typeof toFill>): unknown => ({ ...from, price: decimalText(from.price), quantity: decimalText(from.quantity), fee: decimalText(from.fee), realizedPnl: decimalText(from.realizedPnl ?? '0') });
  return { result: { isSnapshot: parsed.data.isSnapshot === true, fills: parsed.data.fills.map((each) => decimals(toFill(each))) }, unknown: unknownFields(userFillsSchema, data).sort() };
}

describe('messages read by hand', () => {
  test('a book is what its schema makes of it, whole, changed or broken', () => {
    fc.assert(fc.property(book, fc.option(change), (whole, how) => {
      const data = how === null ? whole : mutated(whole, how);
      expect(told(readBook, data)).toEqual(bookBySchema(data));
    }), { numRuns: RUNS, verbose: 1 });
  });

  test('fills are what their schema makes of them, whole, changed or broken', () => {
    fc.assert(fc.property(userFills, fc.option(change), (whole, how) => {
      const data = how === null ? whole : mutated(whole, how);
      expect(told(readUserFills, data)).toEqual(fillsBySchema(data));
    }), { numRuns: RUNS, verbose: 1 });
  });

  test('the comparison finds a reader that is a little too kind', () => {
    const kind = (data: unknown, onUnknown: (path: string) => void): unknown => readBook({ ...(data as object), time: Math.abs(Number((data as { time?: unknown }).time)) }, onUnknown);
    expect(() => fc.assert(fc.property(book, change, (whole, how) => expect(told(kind, mutated(whole, how))).toEqual(bookBySchema(mutated(whole, how)))), { numRuns: RUNS })).toThrow();
  });

  test('a number is the plain decimal of its text, or refused', () => {
    fc.assert(fc.property(fc.oneof(price, fc.string(), junk), (text) => {
      if (typeof text === 'string' && isPlainDecimal(text)) expect(numberOf(text, 'px')).toBe(decimalText(text));
      else expect(() => numberOf(text, 'px')).toThrow('px is not what the adapter knows');
    }), { numRuns: RUNS });
  });
});

describe('what the venue says that nobody knows', () => {
  const schema = z.array(message({ a: z.string(), inner: z.object({ b: z.number() }).nullable().optional(), either: z.union([z.string(), message({ ok: z.boolean() })]).optional(), pair: z.tuple([z.string(), message({ c: z.string() })]).optional() }, ['known']));

  test.each<[unknown, string[]]>([
    [[{ a: '1', known: 1 }], []],
    [[{ a: '1', fresh: 1 }, { a: '2', fresh: 2 }], ['fresh']],
    [[{ a: '1', inner: { b: 1, deep: 2 } }, { a: '1', inner: null }], ['inner.deep']],
    [[{ a: '1', either: 'text' }, { a: '1', either: { ok: true, more: 1 } }], ['either.more']],
    [[{ a: '1', pair: ['x', { c: 'y', d: 'z' }] }], ['pair.d']],
  ])('of %j the unknown fields are %j', (value, expected) => {
    expect(unknownFields(schema, value)).toEqual(expected);
  });

  test('is news once an hour, and of no more kinds than can be kept', () => {
    let nowMs = 0;
    const notes = new DriftNotes(() => nowMs);
    expect([notes.isNews('a'), notes.isNews('a'), notes.isNews('b')]).toEqual([true, false, true]);
    nowMs = 3_600_000;
    expect(notes.isNews('a')).toBe(true);
    expect(Array.from({ length: 600 }, (_, index) => notes.isNews(`kind ${index}`)).filter(Boolean)).toHaveLength(498);
  });
});
