import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Decimal, decimal, decimalText, isPlainDecimal, maxOf, minOf, sum } from '../../../src/domain/decimal';

describe('a decimal', () => {
  test.each(['0', '1', '-1', '0.001', '007', '-0.5', '9'.repeat(40), `0.${'1'.repeat(40)}`])('%s is plain', (text) => {
    expect(isPlainDecimal(text)).toBe(true);
    expect(decimal(text).isFinite()).toBe(true);
  });

  test.each(['', ' 1', '1 ', '1\n', '+1', '1.', '.5', '1e3', '0x10', 'NaN', 'Infinity', '1,5', '1_000', '--1', '9'.repeat(41), `0.${'1'.repeat(41)}`])('%j is refused at once', (text) => {
    expect(isPlainDecimal(text)).toBe(false);
    expect(() => decimal(text)).toThrow(RangeError);
  });

  test('is what its text says, however often and among whatever others it is asked for', () => {
    const texts = fc.oneof(fc.integer({ min: -2_000, max: 2_000 }).map(String), fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 40n - 1n }), fc.integer({ min: 1, max: 40 })).map(([digits, places]) => `${digits}.${'0'.repeat(places - 1)}1`));
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 60 }), (asked) => {
        for (const text of [...asked, ...asked]) expect(decimal(text).toFixed()).toBe(new Decimal(text).toFixed());
      }),
      { numRuns: 1_000 },
    );
  });

  test('two texts that are alike for long are two decimals', () => {
    const long = '1.000000000000000000000000000';
    expect([`${long}1`, `${long}2`, `${long}1`].map((text) => decimal(text).toFixed())).toEqual([`${long}1`, `${long}2`, `${long}1`]);
  });

  test('a refused text is shown, but never more than 60 characters of it', () => {
    expect(() => decimal('x'.repeat(500))).toThrow(new RangeError(`not a plain decimal: "${'x'.repeat(60)}"`));
  });

  test('what a division by zero leaves never travels on', () => {
    expect(() => decimal(new Decimal(0).dividedBy(0))).toThrow(RangeError);
    expect(() => decimalText(new Decimal(1).dividedBy(0))).toThrow(RangeError);
    expect(() => sum(['1', new Decimal(NaN)])).toThrow(RangeError);
  });

  test.each([
    ['1.500', '1.5'],
    ['007', '7'],
    ['-0', '0'],
    ['-0.00', '0'],
    ['0.0000000000000000000000000000000000000001', '0.0000000000000000000000000000000000000001'],
    ['9'.repeat(40), '9'.repeat(40)],
  ])('%s is written as %s', (text, canonical) => {
    expect(decimalText(text)).toBe(canonical);
  });

  test('sums and compares without binary error', () => {
    expect(sum(['0.1', '0.2', new Decimal('0.3')]).toFixed()).toBe('0.6');
    expect(sum([]).toFixed()).toBe('0');
    expect(minOf(decimal('1'), decimal('2')).toFixed()).toBe('1');
    expect(minOf(decimal('2'), decimal('1')).toFixed()).toBe('1');
    expect(maxOf(decimal('1'), decimal('2')).toFixed()).toBe('2');
    expect(maxOf(decimal('2'), decimal('1')).toFixed()).toBe('2');
  });

  const token = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(18)).map(([units, decimals]) => ({ units, decimals, text: place(units, decimals) }));

  test('written and read again is the same number, plain, for any token amount', () => {
    fc.assert(
      fc.property(token, ({ text }) => {
        const written = decimalText(text);
        return isPlainDecimal(written) && decimal(written).equals(decimal(text)) && decimalText(written) === written;
      }),
      { numRuns: 2_000 },
    );
  });

  test('sums are exact: the same as of whole units', () => {
    const exact = (add: typeof sum) =>
      fc.property(fc.array(token, { maxLength: 20 }), (amounts) => {
        const units = amounts.reduce((total, { units: each, decimals }) => total + each * 10n ** BigInt(18 - decimals), 0n);
        return decimalText(add(amounts.map(({ text }) => text))) === decimalText(place(units, 18));
      });
    fc.assert(exact(sum), { numRuns: 2_000 });
    const floating: typeof sum = (values) => decimal(String(values.reduce((total, value) => total + Number(value), 0).toFixed(18)));
    expect(fc.check(exact(floating), { numRuns: 2_000, seed: 1 }).failed).toBe(true);
  });
});

/** 1234 units of 2 decimals is "12.34". */
function place(units: bigint, decimals: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals);
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
