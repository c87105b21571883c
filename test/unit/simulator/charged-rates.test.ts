import { describe, expect, test } from '@jest/globals';
import { decimal } from '../../../src/domain/decimal';
import { chargedRates, defaultFunding, takeDueFundingTimes } from '../../../src/simulator/funding';

const HOUR = 3_600_000;
const shown = (rates: ReturnType<typeof chargedRates>): [number, string][] => rates.map(({ time, rate }) => [time / HOUR, rate.toFixed()]);

describe('what a market has charged', () => {
  test('is what it charged then, whatever it charges now', () => {
    const terms = defaultFunding({ rate: decimal('0.0001'), intervalMs: HOUR });
    takeDueFundingTimes(terms, 10 * HOUR);
    takeDueFundingTimes(terms, 12 * HOUR);
    terms.rate = decimal('0.0005');
    takeDueFundingTimes(terms, 13 * HOUR);
    expect(shown(chargedRates(terms, 11 * HOUR, 20 * HOUR))).toEqual([[11, '0.0001'], [12, '0.0001'], [13, '0.0005']]);
  });

  test('before its own beginning is its first rate, at each funding time and at no other', () => {
    const terms = defaultFunding({ rate: decimal('0.0001'), intervalMs: HOUR });
    takeDueFundingTimes(terms, 10 * HOUR);
    takeDueFundingTimes(terms, 11 * HOUR);
    expect(shown(chargedRates(terms, 8.5 * HOUR, 11 * HOUR))).toEqual([[9, '0.0001'], [10, '0.0001'], [11, '0.0001']]);
    expect(chargedRates(terms, 12 * HOUR, 11 * HOUR)).toEqual([]);
    expect(chargedRates(terms, 0, 9_000 * HOUR).length).toBeLessThanOrEqual(1_095);
  });
});
