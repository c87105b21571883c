import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isStorable, unstorableIn } from '../../../src/domain/storable-text';

describe('a text', () => {
  test.each(['', 'BTC above 100k', 'é ☃ 😀', '\t\n\u0001\u007f', '\uffff'])('%j can be stored', (text) => expect(isStorable(text)).toBe(true));
  test.each(['\u0000', 'a\u0000b', '\ud800', 'x\udc00', '\udc00\ud800', '😀\ud83d'])('%j cannot', (text) => expect(isStorable(text)).toBe(false));

  test('can be stored exactly when it is well-formed and has no U+0000', () => {
    const unit = fc.oneof(fc.constantFrom('\u0000', '\ud83d', '\ude00', 'a'), fc.string({ unit: 'binary', maxLength: 1 }));
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 8 }), (units) => {
        const text = units.join('');
        expect(isStorable(text)).toBe(Buffer.from(text, 'utf8').toString('utf8') === text && !text.includes('\u0000'));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a value of JSON', () => {
  test('tells where it has a text that cannot', () => {
    expect(unstorableIn({ orders: [{ note: 'fine' }, { note: 'a\u0000' }] })).toEqual(['orders', '1', 'note']);
    expect(unstorableIn({ template: { 'a\ud800': 'x' } })).toEqual(['template']);
    expect(unstorableIn('\u0000')).toEqual([]);
    expect(unstorableIn({ orders: [{ note: 'é' }], count: 1, none: null, yes: true })).toBeNull();
  });

  test('may nest as deep as a body is long', () => {
    let value: unknown = 'a\u0000';
    for (let depth = 0; depth < 30_000; depth += 1) value = { a: value };
    expect(unstorableIn(value)).toHaveLength(30_000);
  });
});
