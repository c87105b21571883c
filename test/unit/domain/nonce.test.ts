import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextNonce, nonceFate, type OpenNonce } from '../../../src/domain/nonce';

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

describe('a nonce whose fate is open', () => {
  const sent: OpenNonce = { nonce: 7n, isOver: false, venueDeadlineMs: 1_000 };

  test('is used once the venue expects a later one, whoever used it', () => {
    expect(nonceFate(sent, 8n, 0, 500)).toBe('used');
    expect(nonceFate({ ...sent, isOver: true }, 9n, 0, null)).toBe('used');
  });

  test('is free when its request was refused or never left, and the venue still expects it', () => {
    expect(nonceFate({ ...sent, isOver: true }, 7n, 0, null)).toBe('free');
  });

  test('stays open while the venue could still take the bytes, by its own clock', () => {
    expect(nonceFate(sent, 7n, 1_499, 500)).toBe('open');
    expect(nonceFate(sent, 7n, 1_500, 500)).toBe('free');
  });

  test('stays open for ever where the venue enforces no deadline, or absence is never final', () => {
    expect(nonceFate({ ...sent, venueDeadlineMs: null }, 7n, 1e15, 500)).toBe('open');
    expect(nonceFate(sent, 7n, 1e15, null)).toBe('open');
  });

  test('is never called free while a request with it can arrive and be taken', () => {
    // The model: bytes arrive at some moment; the venue takes them if it is their turn and the deadline has not passed.
    const neverHasty = (fateOf: typeof nonceFate) =>
      fc.property(fc.nat(3_000), fc.nat(3_000), fc.nat(1_000), (arrivesMs, askedMs, finalAfterMs) => {
        const arrivedBefore = arrivesMs <= Math.min(askedMs, 1_000);
        const verdict = fateOf(sent, arrivedBefore ? 8n : 7n, askedMs, finalAfterMs);
        const takenLater = arrivesMs > askedMs && arrivesMs <= 1_000;
        return !(verdict === 'free' && (takenLater || arrivedBefore)) && !(verdict === 'used' && !arrivedBefore);
      });
    fc.assert(neverHasty(nonceFate), { numRuns: 2_000 });
    const hasty: typeof nonceFate = (open, venueNext) => (venueNext > open.nonce ? 'used' : 'free');
    expect(fc.check(neverHasty(hasty), { numRuns: 2_000, seed: 1 }).failed).toBe(true);
  });
});
