import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { takeTokens, type Bucket } from '../../../src/domain/token-bucket';

type Take = typeof takeTokens;

/** Over any stretch that begins full, no more is taken than the burst and what was refilled since; and what is there is given. */
function holds(take: Take): void {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100 }), fc.array(fc.record({ waitMs: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -500, max: 5_000 }) }, { weight: 1, arbitrary: fc.constant(-20_000) }), wanted: fc.integer({ min: 0, max: 120 }) }), { maxLength: 40 }), (count, burst, asks) => {
      const rate = { count, periodMs: 1_000, burst };
      let [bucket, nowMs, latestMs, earnedMs, taken]: [Bucket | null, number, number | null, number, number] = [null, 0, null, 0, 0];
      for (const { waitMs, wanted } of asks) {
        nowMs += waitMs;
        // A clock that was set back by more than hosts differ goes on from where it is.
        if (latestMs === null || latestMs - nowMs > 5_000) latestMs = nowMs;
        earnedMs += Math.max(0, nowMs - latestMs);
        latestMs = Math.max(latestMs, nowMs);
        const result = take(bucket, rate, nowMs, wanted);
        bucket = result.bucket;
        taken += result.taken;
        if (result.taken > wanted || taken > burst + earnedMs * (count / 1_000) + 1e-6) return false;
        if (result.taken < wanted && result.bucket.tokens >= 1) return false;
        if (result.nextInMs > Math.ceil(1_000 / count)) return false;
      }
      return true;
    }),
    { numRuns: 1_000, seed: 20261128 },
  );
}

test('a bucket never gives more than its burst and what was refilled', () => holds(takeTokens));

test.each<[string, Take]>([
  ['is full at every ask', (_bucket, ...rest) => takeTokens(null, ...rest)],
  ['is filled again by a clock that was set back', (bucket, rate, nowMs, wanted) => { const result = takeTokens(bucket, rate, nowMs, wanted); return { ...result, bucket: { ...result.bucket, atMs: nowMs - 1_000 } }; }],
  ['keeps what it has', (bucket, rate, nowMs, wanted) => ({ ...takeTokens(bucket, rate, nowMs, wanted), taken: 0 })],
])('one that %s is found', (_name, take) => {
  expect(() => holds(take)).toThrow(/Property failed/);
});

test('a clock that is set back by an hour empties no bucket for an hour', () => {
  const rate = { count: 10, periodMs: 1_000, burst: 10 };
  const before = takeTokens(null, rate, 3_600_000, 10);
  const back = takeTokens(before.bucket, rate, 0, 1);
  expect([before.taken, back.taken]).toEqual([10, 0]);
  expect(takeTokens(back.bucket, rate, 1_000, 10).taken).toBe(10);
});
