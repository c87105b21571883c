import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as attributes from '../../../src/temporal/search-attributes';

const { fittingKeywords, KEYWORD_LIST_LIMIT_BYTES, orderSearchAttributes } = attributes;
const uuid = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe('search attributes of an order', () => {
  test('name accounts, venue, markets, kind and client order ids, each once', () => {
    const pairs = orderSearchAttributes({ accountIds: ['a1', 'a2', 'a1'], venue: 'paper', symbols: ['BTC-PERP', 'BTC-PERP'], kind: 'place', clientOrderIds: ['c1', 'c2', 'c1'] });
    expect(Object.fromEntries(pairs.map((pair) => [pair.key.name, pair.value]))).toEqual({
      AccountId: ['a1', 'a2'],
      Venue: 'paper',
      Market: ['BTC-PERP'],
      OrderKind: 'place',
      ClientOrderIds: ['c1', 'c2'],
    });
  });

  test('keep the first ids that fit, and as many as fit', () => {
    const ids = Array.from({ length: 100 }, (_, index) => uuid(index));
    const fitting = fittingKeywords(ids);
    expect(ids.slice(0, fitting.length)).toEqual(fitting);
    expect(size(fitting)).toBeLessThanOrEqual(KEYWORD_LIST_LIMIT_BYTES);
    expect(size([...fitting, uuid(0)])).toBeGreaterThan(KEYWORD_LIST_LIMIT_BYTES);
  });

  test('of the largest group fit a server that keeps the default of 2,048 bytes a value', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => uuid(index));
    const pairs = orderSearchAttributes({ accountIds: hundred, venue: 'paper', symbols: hundred, kind: 'place', clientOrderIds: hundred.map(() => 'x'.repeat(64)).map((id, index) => `${index}${id}`.slice(0, 64)) });
    for (const pair of pairs) expect(size(pair.value)).toBeLessThanOrEqual(2_048);
  });

  test('of one order with the longest id have it whole', () => {
    const longest = 'x'.repeat(64);
    expect(fittingKeywords([longest])).toEqual([longest]);
    expect(fittingKeywords([])).toEqual([]);
  });

  test('are those that temporal/search-attributes.json registers, of the same types', () => {
    const registered = JSON.parse(fs.readFileSync(path.resolve(__dirname, '../../../temporal/search-attributes.json'), 'utf8')) as { name: string; type: string }[];
    const types: Record<string, string> = { KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList' };
    const used = Object.values(attributes).flatMap((value) => (typeof value === 'object' && 'name' in value && 'type' in value ? [{ name: value.name, type: types[value.type] }] : []));
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
    expect(used.sort(byName)).toEqual(registered.sort(byName));
  });
});
