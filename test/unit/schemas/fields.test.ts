import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { decimal } from '../../../src/domain/decimal';
import { clientIdSchema, idSchema, positiveDecimalSchema, queryFlag, queryInteger, querySymbols, symbolSchema } from '../../../src/schemas/fields';

const RUNS = 1_000;

describe('decimals that callers send', () => {
  test.each(['1', '0.001', '00.10', '99999999999999999999.99999999999999999999'])('%s is taken', (text) => {
    expect(positiveDecimalSchema.safeParse(text).success).toBe(true);
  });

  test.each(['', '0', '0.000', '-1', '+1', '1e3', '.5', '1.', ' 1', '1 ', '0x1', 'NaN', 'Infinity', '1,000', '١', '1\n', '100000000000000000000', 1, null])('%j is refused', (text) => {
    expect(positiveDecimalSchema.safeParse(text).success).toBe(false);
  });

  test('whatever is taken is an exact number above zero', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9.eE+-]{1,12}$/), (text) => {
        if (positiveDecimalSchema.safeParse(text).success) expect(decimal(text).greaterThan(0)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('ids and symbols', () => {
  test.each(['a', 'A-1_b.c', 'x'.repeat(64)])('%s is an id', (text) => expect(idSchema.safeParse(text).success).toBe(true));
  test.each(['', 'a b', 'a/b', 'é', 'x'.repeat(65), 'a\n'])('%j is none', (text) => expect(idSchema.safeParse(text).success).toBe(false));
  // Whoever asks for it by name asks with a path, and clients resolve these two before they send it.
  test.each(['.', '..'])('%s names nothing that is asked for by name', (text) => {
    expect(clientIdSchema.safeParse(text).error?.issues.map(({ message }) => message)).toEqual(['must be neither "." nor "..": in a path they mean the path itself and the one above it']);
  });
  test.each(['...', '.a', 'a..b', '-', 'x'.repeat(64)])('%s does', (text) => expect(new URL(clientIdSchema.parse(text), 'http://h/by-client-id/').pathname).toBe(`/by-client-id/${text}`));
  test.each(['BTC-PERP', 'xyz:TSLA-PERP', 'BTC/USDT:USDT', '@107'])('%s is a symbol', (text) => expect(symbolSchema.safeParse(text).success).toBe(true));
  test.each(['', 'BTC PERP', '$', 'x'.repeat(65)])('%j is none', (text) => expect(symbolSchema.safeParse(text).success).toBe(false));
});

describe('query parameters', () => {
  const query = z.strictObject({ n: queryInteger({ min: 1, max: 10, fallback: 5, description: 'n' }), all: queryFlag('all'), symbols: querySymbols('symbols') });

  test('have their defaults and are parsed out of text', () => {
    expect(query.parse({})).toEqual({ n: 5, all: false });
    expect(query.parse({ n: '10', all: 'true', symbols: 'BTC-PERP,ETH-PERP' })).toEqual({ n: 10, all: true, symbols: ['BTC-PERP', 'ETH-PERP'] });
  });

  test.each([{ n: '0' }, { n: '11' }, { n: '1.5' }, { n: '-1' }, { n: '1e0' }, { n: '' }, { n: ['1', '2'] }, { all: 'yes' }, { all: '1' }, { symbols: '' }, { symbols: 'A,,B' }, { symbols: Array(101).fill('A').join(',') }, { other: '1' }])('%j is refused', (given) => {
    expect(query.safeParse(given).success).toBe(false);
  });
});
