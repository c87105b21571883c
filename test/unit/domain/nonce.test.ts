import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextNonce } from '../../../src/domain/nonce';

describe('the next nonce', () => {
  test('follows the last by one where the venue counts', () => {
    expect(nextNonce('increment', 41n, 1_700_000_000_000)).toBe(42n);
  });

  test('is the time where the venue wants one, in whole milliseconds', () => {
    expect(nextNonce('timeMs', 5n, 1_700_000_000_000.9)).toBe(1_700_000_000_000n);
  });

  test('still rises within one millisecond and when the clock steps back', () => {
    expect(nextNonce('timeMs', 1_700_000_000_000n, 1_700_000_000_000)).toBe(1_700_000_000_001n);
    expect(nextNonce('timeMs', 1_700_000_000_000n, 1_600_000_000_000)).toBe(1_700_000_000_001n);
  });

  test('is an error where the venue has none', () => {
    expect(() => nextNonce('none', 0n, 0)).toThrow(/uses no nonces/);
  });

  test('always rises, whatever the clock does', () => {
    const rises = (next: typeof nextNonce) =>
      fc.property(fc.constantFrom('increment' as const, 'timeMs' as const), fc.array(fc.nat(1_000), { minLength: 2 }), (rule, clock) => {
        let last = 0n;
        return clock.every((nowMs) => {
          const before = last;
          last = next(rule, last, nowMs);
          return last > before;
        });
      });
    fc.assert(rises(nextNonce), { numRuns: 2_000 });
    const trusting: typeof nextNonce = (rule, last, nowMs) => (rule === 'increment' ? last + 1n : BigInt(nowMs));
    expect(fc.check(rises(trusting), { numRuns: 2_000, seed: 1 }).failed).toBe(true);
  });
});
