import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backOffMs, READ_BACK_OFF, RECONNECT_BACK_OFF, settledWithin, sleepUnlessAborted } from '../../../src/venues/back-off';
import { ConnectionSlots } from '../../../src/venues/connection-slots';
import { VenueClock } from '../../../src/venues/venue-clock';

describe('back-off', () => {
  test('spreads over the whole range, which doubles until its ceiling', () => {
    expect([0, 1, 2, 3, 9].map((attempt) => backOffMs(READ_BACK_OFF, attempt, () => 0.999_999))).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);
    expect([0, 5].map((attempt) => backOffMs(READ_BACK_OFF, attempt, () => 0))).toEqual([1_000, 1_000]);
    expect(backOffMs({ firstMs: 5, maxMs: 100, minMs: 50 }, 0, () => 0.5)).toBe(5);
  });
  test('stays inside its bounds, however often and whatever chance says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (attempt, chance) => {
        for (const rule of [READ_BACK_OFF, RECONNECT_BACK_OFF]) {
          const ms = backOffMs(rule, attempt, () => chance);
          expect(ms).toBeGreaterThanOrEqual(rule.minMs);
          expect(ms).toBeLessThanOrEqual(rule.maxMs);
        }
      }),
      { numRuns: 1_000 },
    );
  });
  test('refuses an attempt that is none', () => {
    expect(() => backOffMs(READ_BACK_OFF, -1)).toThrow(RangeError);
    expect(() => backOffMs(READ_BACK_OFF, 0.5)).toThrow(RangeError);
  });
  test('a wait ends with its time, or at once with its caller', async () => {
    expect(await sleepUnlessAborted(1, new AbortController().signal)).toBe(true);
    expect(await sleepUnlessAborted(3_600_000, AbortSignal.abort())).toBe(false);
    const stop = new AbortController();
    const waiting = sleepUnlessAborted(3_600_000, stop.signal);
    stop.abort();
    expect(await waiting).toBe(false);
  });
  test('waiting for something ends when that settles, whichever way, with its time, or with its caller', async () => {
    const open = new AbortController().signal;
    const never = new Promise<void>(() => undefined);
    await settledWithin(Promise.resolve(), 3_600_000, open);
    await settledWithin(Promise.reject(new Error('refused')), 3_600_000, open);
    await settledWithin(never, 1, open);
    await settledWithin(never, 3_600_000, AbortSignal.abort());
    const stop = new AbortController();
    const waiting = settledWithin(never, 3_600_000, stop.signal);
    stop.abort();
    await waiting;
  });
});

describe('connections', () => {
  test('entries leave those reserved for exits', async () => {
    const slots = new ConnectionSlots({ total: 2, reservedForExits: 1 });
    const release = await slots.acquire('entry', 0);
    expect(release).not.toBeNull();
    expect(await slots.acquire('entry', 0)).toBeNull();
    expect(await slots.acquire('exit', 0)).not.toBeNull();
    expect(await slots.acquire('exit', 5)).toBeNull();
  });
  test('a free one goes to a waiting exit first, then to the entry that waited longest', async () => {
    const slots = new ConnectionSlots({ total: 1, reservedForExits: 0 });
    const release = await slots.acquire('entry', 0);
    const order: string[] = [];
    const turns = (['entry', 'exit'] as const).map(async (priority, index) => {
      const own = await slots.acquire(priority, 10_000);
      order.push(`${priority}${index}`);
      own?.();
    });
    const last = slots.acquire('entry', 10_000).then((own) => {
      order.push('last');
      own?.();
    });
    release?.();
    release?.();
    await Promise.all([...turns, last]);
    expect(order).toEqual(['exit1', 'entry0', 'last']);
  });
  test('a release that frees only what is reserved wakes no entry', async () => {
    const slots = new ConnectionSlots({ total: 2, reservedForExits: 1 });
    await slots.acquire('entry', 0);
    const exit = await slots.acquire('exit', 0);
    const entry = slots.acquire('entry', 20);
    exit?.();
    expect(await entry).toBeNull();
  });
  test('must be more than those reserved', () => {
    expect(() => new ConnectionSlots({ total: 2, reservedForExits: 2 })).toThrow(RangeError);
  });
});

describe('the clock of a venue', () => {
  const clock = { nowMs: () => 10_000 };
  test('is unknown before its first stamp', () => {
    const venueClock = new VenueClock(clock);
    expect(venueClock.measured).toBe(false);
    expect(() => venueClock.nowMs()).toThrow('never measured');
  });
  test('is taken in the middle first; a slow answer then changes nothing, a jump is followed to its edge', () => {
    const venueClock = new VenueClock(clock);
    venueClock.observe({ sentAtMs: 100, receivedAtMs: 120, venueTimeMs: 1_110 });
    expect(venueClock.nowMs()).toBe(11_000);
    venueClock.observe({ sentAtMs: 200, receivedAtMs: 9_200, venueTimeMs: 1_210 });
    expect(venueClock.nowMs()).toBe(11_000);
    venueClock.observe({ sentAtMs: 300, receivedAtMs: 320, venueTimeMs: 61_310 });
    expect(venueClock.nowMs()).toBe(70_990);
    venueClock.observe({ sentAtMs: 400, receivedAtMs: 420, venueTimeMs: 410 });
    expect(venueClock.nowMs()).toBe(10_010);
  });
  test('is never further off than an answer took (1,000 runs)', () => {
    const sample = fc.record({ there: fc.integer({ min: 0, max: 5_000 }), back: fc.integer({ min: 0, max: 5_000 }) });
    const property = (make: () => Pick<VenueClock, 'observe' | 'nowMs'>) =>
      fc.property(fc.integer({ min: -100_000, max: 100_000 }), fc.array(sample, { minLength: 1, maxLength: 8 }), (offset, samples) => {
        const venueClock = make();
        let bestMs = Infinity;
        for (const { there, back } of samples) {
          venueClock.observe({ sentAtMs: 0, receivedAtMs: there + back, venueTimeMs: there + offset });
          bestMs = Math.min(bestMs, there + back);
        }
        return Math.abs(venueClock.nowMs() - 10_000 - offset) <= bestMs;
      });
    fc.assert(property(() => new VenueClock(clock)), { numRuns: 1_000 });
    const lastAnswerWins = (): Pick<VenueClock, 'observe' | 'nowMs'> => {
      let offset = 0;
      return { observe: ({ venueTimeMs, receivedAtMs }) => (offset = venueTimeMs - receivedAtMs), nowMs: () => 10_000 + offset };
    };
    expect(fc.check(property(lastAnswerWins), { numRuns: 1_000, seed: 1 }).failed).toBe(true);
  });
});
