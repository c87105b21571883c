import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BudgetClass, BudgetRequest, BudgetVerdict, RateBudget } from '../../../src/domain/rate-budget';
import { VenueRateLimited, VenueUnavailable } from '../../../src/domain/venue-errors';
import type { VenueCall } from '../../../src/venues/decorate';
import { FallbackRateBudget, LocalRateBudget, LONE_SHARE } from '../../../src/venues/local-rate-budget';
import { rateLimiter } from '../../../src/venues/rate-limiter';

const RULE = { capacity: 10, refillPerSecond: 5, reserve: 0.2 };

class Hand {
  ms = 1_000_000;
  readonly nowMs = (): number => this.ms;
}

function request(change: Partial<BudgetRequest> = {}): BudgetRequest {
  return { scope: 'paper', rule: RULE, weight: 1, class: 'entry', ...change };
}

async function grants(budget: RateBudget, kind: BudgetClass, times: number): Promise<number> {
  let granted = 0;
  for (let index = 0; index < times; index += 1) if ((await budget.take(request({ class: kind }))).granted) granted += 1;
  return granted;
}

describe('the budget of one process', () => {
  test('gives a burst, and the reserve to exits alone', async () => {
    const budget = new LocalRateBudget(new Hand());
    expect(await grants(budget, 'entry', 20)).toBe(8);
    expect(await grants(budget, 'read', 20)).toBe(0);
    expect(await grants(budget, 'exit', 20)).toBe(2);
  });
  test('says when to ask again, and keeps its word', async () => {
    const clock = new Hand();
    const budget = new LocalRateBudget(clock);
    await grants(budget, 'entry', 20);
    expect(await budget.take(request())).toEqual({ granted: false, retryAfterMs: 200, bannedByVenue: false });
    clock.ms += 199;
    expect((await budget.take(request())).granted).toBe(false);
    clock.ms += 1;
    expect((await budget.take(request())).granted).toBe(true);
  });
  test('of callers forgets the one that was quiet longest, and of venues none', async () => {
    const caller = (name: string): BudgetRequest => request({ scope: name, weight: 10, caller: true });
    const forgetful = new LocalRateBudget(new Hand(), 1, true);
    await forgetful.take(caller('first'));
    await forgetful.take(caller('second'));
    for (let index = 0; index < 9_998; index += 1) await forgetful.take(caller(`c${index}`));
    expect((await forgetful.take(caller('first'))).granted).toBe(false);
    await forgetful.take(caller('one more'));
    expect((await forgetful.take(caller('first'))).granted).toBe(false);
    expect((await forgetful.take(caller('second'))).granted).toBe(true);
    const venues = new LocalRateBudget(new Hand());
    for (let index = 0; index < 10_000; index += 1) await venues.take(request({ scope: `v${index}` }));
    await expect(venues.take(request({ scope: 'one more' }))).rejects.toThrow(/10000 budget scopes/);
  });
  test('keeps scopes apart', async () => {
    const budget = new LocalRateBudget(new Hand());
    await grants(budget, 'entry', 20);
    expect((await budget.take(request({ scope: 'paper2' }))).granted).toBe(true);
  });
  test('a ban of the venue binds exits and the addresses of the venue too, until it ends', async () => {
    const clock = new Hand();
    const budget = new LocalRateBudget(clock);
    await budget.ban('paper', clock.ms + 3_000);
    await budget.ban('paper', clock.ms + 1_000);
    for (const scope of ['paper', 'paper/0xabc']) {
      expect(await budget.take(request({ scope, class: 'exit' }))).toEqual({ granted: false, retryAfterMs: 3_000, bannedByVenue: true });
    }
    expect((await budget.take(request({ scope: 'paper2' }))).granted).toBe(true);
    clock.ms += 3_000;
    expect((await budget.take(request())).granted).toBe(true);
  });
  test('a lone process takes its share; a dear request goes when the share is full and is paid off after', async () => {
    const clock = new Hand();
    const budget = new LocalRateBudget(clock, LONE_SHARE);
    expect((await budget.take(request({ weight: 8 }))).granted).toBe(true);
    const verdict = await budget.take(request({ weight: 1 }));
    expect(verdict).toMatchObject({ granted: false, retryAfterMs: 12_800 });
  });
  test('refuses what could never be granted', async () => {
    const budget = new LocalRateBudget(new Hand());
    await expect(budget.take(request({ weight: 9 }))).rejects.toThrow('exceeds the budget');
    expect((await budget.take(request({ weight: 9, class: 'exit' }))).granted).toBe(true);
    expect(() => new LocalRateBudget(new Hand(), 0)).toThrow(RangeError);
    expect(() => new LocalRateBudget(new Hand(), 2)).toThrow(RangeError);
  });
  test('keeps a bounded number of scopes', async () => {
    const budget = new LocalRateBudget(new Hand());
    for (let index = 0; index < 10_000; index += 1) await budget.take(request({ scope: `s${index}` }));
    await expect(budget.take(request({ scope: 'one more' }))).rejects.toThrow('scopes');
  });

  /** Whatever comes when: never more than capacity and refill, and never the reserve to others than exits. */
  const traffic = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 500 }), weight: fc.integer({ min: 1, max: 8 }), class: fc.constantFrom<BudgetClass>('entry', 'read', 'exit') }), { maxLength: 60 });
  const bounded = (make: (clock: Hand) => RateBudget) =>
    fc.asyncProperty(traffic, async (calls) => {
      const clock = new Hand();
      const budget = make(clock);
      const startMs = clock.ms;
      let all = 0;
      let others = 0;
      for (const call of calls) {
        clock.ms += call.afterMs;
        if (!(await budget.take(request(call))).granted) continue;
        all += call.weight;
        if (call.class !== 'exit') others += call.weight;
        const refilled = ((clock.ms - startMs) / 1000) * RULE.refillPerSecond;
        if (all > RULE.capacity + refilled + 1e-9 || others > RULE.capacity * (1 - RULE.reserve) + refilled + 1e-9) return false;
      }
      return true;
    });
  test('never grants more than its rule (1,000 runs)', async () => {
    await fc.assert(bounded((clock) => new LocalRateBudget(clock)), { numRuns: 1_000 });
  });
  test.each([
    ['refills too fast', (clock: Hand): RateBudget => new LocalRateBudget({ nowMs: () => clock.ms * 2 })],
    [
      'gives the reserve to all',
      (clock: Hand): RateBudget => {
        const real = new LocalRateBudget(clock);
        return { take: (asked) => real.take({ ...asked, class: 'exit' }), ban: (scope, untilMs) => real.ban(scope, untilMs) };
      },
    ],
  ])('and the property finds a budget that %s', async (_bug, make) => {
    expect((await fc.check(bounded(make), { numRuns: 1_000, seed: 1 })).failed).toBe(true);
  });
});

describe('when the shared budget is away', () => {
  const gone: RateBudget = { take: () => Promise.reject(new Error('gone')), ban: () => Promise.reject(new Error('gone')) };
  test('the own share decides, bans are kept, and it is reported', async () => {
    const reported: unknown[] = [];
    const clock = new Hand();
    const budget = new FallbackRateBudget(gone, new LocalRateBudget(clock), (error) => reported.push(error));
    expect((await budget.take(request())).granted).toBe(true);
    await budget.ban('paper', clock.ms + 500);
    expect(await budget.take(request())).toMatchObject({ granted: false, bannedByVenue: true });
    expect(reported).toHaveLength(3);
  });
  test('and not while it answers, though a ban is known to both', async () => {
    const clock = new Hand();
    const [shared, alone] = [new LocalRateBudget(clock), new LocalRateBudget(clock)];
    const budget = new FallbackRateBudget(shared, alone, () => undefined);
    await grants(budget, 'exit', 10);
    expect((await alone.take(request())).granted).toBe(true);
    await budget.ban('paper', clock.ms + 500);
    expect(await alone.take(request())).toMatchObject({ bannedByVenue: true });
    expect(await shared.take(request())).toMatchObject({ bannedByVenue: true });
  });
});

describe('calls inside a budget', () => {
  const clock = new Hand();
  const call = (change: Partial<VenueCall> = {}): VenueCall => ({ venue: 'paper', call: 'send', class: 'entry', signal: new AbortController().signal, sendBeforeMs: clock.ms + 1_500, request: null, ...change });

  /** A budget with prepared verdicts, and a sleep that only moves the hand. */
  function limiter(verdicts: readonly (BudgetVerdict | Error)[], slept: number[] = []) {
    const asked: BudgetRequest[] = [];
    const bans: [string, number][] = [];
    const errors: unknown[] = [];
    const budget: RateBudget = {
      take: (taken) => {
        asked.push(taken);
        const verdict = verdicts[asked.length - 1] ?? { granted: true };
        return verdict instanceof Error ? Promise.reject(verdict) : Promise.resolve(verdict);
      },
      ban: (scope, untilMs) => {
        bans.push([scope, untilMs]);
        return Promise.resolve();
      },
    };
    const around = rateLimiter({
      ...{ budget, rule: RULE, clock, weightOf: () => 3, onBudgetError: (error) => errors.push(error) },
      sleep: (ms, signal) => {
        slept.push(ms);
        clock.ms += ms;
        return Promise.resolve(!signal.aborted);
      },
    });
    return { around, asked, bans, slept, errors };
  }
  const later = (retryAfterMs: number, bannedByVenue = false): BudgetVerdict => ({ granted: false, retryAfterMs, bannedByVenue });
  const errorOf = (running: Promise<unknown>): Promise<unknown> => running.then(() => Promise.reject(new Error('expected an error')), (error: unknown) => error);
  const run = (): Promise<string> => Promise.resolve('done');

  test('pass with their weight and class', async () => {
    const { around, asked } = limiter([]);
    expect(await around(call(), run)).toBe('done');
    expect(asked).toEqual([{ scope: 'paper', rule: RULE, weight: 3, class: 'entry' }]);
  });
  test('an entry waits up to 300 ms, then is refused by our budget before anything is sent', async () => {
    const { around, slept } = limiter([later(200), later(200)]);
    const error = await errorOf(around(call(), () => Promise.reject(new Error('sent'))));
    expect(error).toBeInstanceOf(VenueRateLimited);
    expect(error).toMatchObject({ by: 'budget', retryAfterMs: 200 });
    expect(slept).toEqual([200]);
  });
  test('an entry never waits past its deadline', async () => {
    const { around, slept } = limiter([later(100)]);
    expect(await errorOf(around(call({ sendBeforeMs: clock.ms + 50 }), run))).toBeInstanceOf(VenueRateLimited);
    expect(slept).toEqual([]);
  });
  test('an exit waits as long as its deadline lets it; a read and an outcome query for seconds', async () => {
    const slept: number[] = [];
    expect(await limiter([later(1_400)], slept).around(call({ class: 'exit' }), run)).toBe('done');
    expect(await errorOf(limiter([later(1_600)], slept).around(call({ class: 'exit' }), run))).toBeInstanceOf(VenueRateLimited);
    expect(await limiter([later(2_000)], slept).around(call({ class: 'read', sendBeforeMs: null }), run)).toBe('done');
    expect(await limiter([later(5_000)], slept).around(call({ class: 'exit', sendBeforeMs: null }), run)).toBe('done');
    expect(slept).toEqual([1_400, 2_000, 5_000]);
  });
  test('inside a ban of the venue nothing waits, exits neither', async () => {
    const { around, slept } = limiter([later(10, true)]);
    expect(await errorOf(around(call({ class: 'exit' }), run))).toMatchObject({ name: 'VenueRateLimited', by: 'venue', retryAfterMs: 10 });
    expect(slept).toEqual([]);
  });
  test('a caller that gives up while waiting sends nothing', async () => {
    const error = await errorOf(limiter([later(10)]).around(call({ signal: AbortSignal.abort() }), run));
    expect(error).toBeInstanceOf(VenueUnavailable);
    expect(error).toMatchObject({ reason: 'canceled' });
  });
  test('a 429 of the venue becomes a ban that all processes know; other errors do not', async () => {
    const { around, bans } = limiter([]);
    const atMs = clock.ms;
    const limited = new VenueRateLimited('paper', 'slow down', 7_000, 'venue');
    expect(await errorOf(around(call(), () => Promise.reject(limited)))).toBe(limited);
    const held = new VenueRateLimited('paper', 'no connection', 300, 'budget');
    expect(await errorOf(around(call(), () => Promise.reject(held)))).toBe(held);
    expect(bans).toEqual([['paper', atMs + 7_000]]);
  });
  test('a budget that cannot be read lets exits pass and nothing else', async () => {
    const { around, errors } = limiter([new Error('away'), new Error('away'), new Error('away')]);
    expect(await around(call({ class: 'exit' }), run)).toBe('done');
    expect(await errorOf(around(call(), run))).toMatchObject({ name: 'VenueRateLimited', by: 'budget' });
    expect(await errorOf(around(call({ class: 'read', sendBeforeMs: null }), run))).toMatchObject({ by: 'budget' });
    expect(errors).toHaveLength(3);
  });
  test('a ban that cannot be told leaves the caller its error', async () => {
    const limited = new VenueRateLimited('paper', 'slow down', 7_000, 'venue');
    const reported: unknown[] = [];
    const budget: RateBudget = { take: () => Promise.resolve({ granted: true }), ban: () => Promise.reject(new Error('away')) };
    for (const onBudgetError of [undefined, (error: unknown): void => void reported.push(error)]) {
      const around = rateLimiter({ budget, rule: RULE, clock, weightOf: () => 1, ...(onBudgetError ? { onBudgetError } : {}) });
      expect(await errorOf(around(call(), () => Promise.reject(limited)))).toBe(limited);
    }
    expect(reported).toHaveLength(1);
  });
  test('a real wait ends by itself', async () => {
    const verdicts = [later(1)];
    const budget: RateBudget = { take: () => Promise.resolve(verdicts.pop() ?? { granted: true }), ban: () => Promise.resolve() };
    expect(await rateLimiter({ budget, rule: RULE, clock, weightOf: () => 1 })(call(), run)).toBe('done');
  });
});
