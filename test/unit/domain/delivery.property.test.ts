/** Retry schedule and endpoint health, over random lives. Each property is shown to find a planted bug. */
import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { isDelivered, JITTER, MAX_TRIES, OVERLOADED_WAIT_MS, RETRY_AFTER_STRETCH, RETRY_DELAYS_MS, retryAfterMs, retryDelayMs, type RetryInput } from '../../../src/domain/delivery-schedule';
import { afterAttempt, attemptsAllowed, BREAKER_AFTER_FAILURES, BREAKER_LONGEST_MS, DISABLE_AFTER_MS, healthOf, HEALTHY, type EndpointHealth } from '../../../src/domain/endpoint-health';

const RUNS = { numRuns: 1_000, seed: 20261128 } as const;
const HOUR = 3_600_000;

const outcomes = fc.record({ code: fc.constantFrom(null, 200, 204, 400, 404, 410, 429, 500, 503), chance: fc.double({ min: 0, max: 0.999, noNaN: true }), retryAfterMs: fc.option(fc.integer({ min: 0, max: 10 * 86_400_000 })) }).map(({ code, ...rest }) => ({
  ...rest,
  outcome: { code, errorClass: code === null ? ('timeout' as const) : code < 300 ? null : ('answer' as const), retryAfterMs: rest.retryAfterMs },
}));

type Delay = (input: RetryInput) => number | null;

/** Every wait lies within its jitter, or between itself and twice itself where Retry-After asks; the tenth failure is the last. */
function scheduleHolds(delay: Delay): void {
  fc.assert(
    fc.property(outcomes, fc.integer({ min: 1, max: MAX_TRIES }), ({ outcome, chance }, failures) => {
      const waitMs = delay({ failures, outcome, chance });
      if (failures >= MAX_TRIES) return waitMs === null;
      const overloaded = outcome.errorClass === 'timeout' || outcome.code === 429 || outcome.code === 503;
      const base = Math.max(RETRY_DELAYS_MS[failures] ?? 0, overloaded ? OVERLOADED_WAIT_MS : 0);
      if (waitMs === null) return false;
      if (outcome.retryAfterMs !== null) return waitMs >= base && waitMs <= base * RETRY_AFTER_STRETCH && (outcome.retryAfterMs < base || outcome.retryAfterMs > base * RETRY_AFTER_STRETCH || waitMs === outcome.retryAfterMs);
      return waitMs >= base * (1 - JITTER) - 1 && waitMs <= base * (1 + JITTER) + 1;
    }),
    RUNS,
  );
}

describe('the retry schedule', () => {
  test('is the list of Standard Webhooks, which ends after ten tries', () => {
    expect(RETRY_DELAYS_MS.map((ms) => ms / 1_000)).toEqual([0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
  });

  test('holds for every failure, chance and Retry-After', () => scheduleHolds(retryDelayMs));

  test.each<[string, Delay]>([
    ['obeys any Retry-After', (input) => input.outcome.retryAfterMs ?? retryDelayMs(input)],
    ['forgets that 429 asks for patience', (input) => retryDelayMs({ ...input, outcome: { ...input.outcome, code: 500, errorClass: 'answer' } })],
    ['never gives up', (input) => retryDelayMs({ ...input, failures: Math.min(input.failures, MAX_TRIES - 1) })],
    ['jitters too far', (input) => retryDelayMs({ ...input, chance: input.chance * 2 })],
  ])('a schedule that %s is found', (_name, delay) => {
    expect(() => scheduleHolds(delay)).toThrow(/Property failed/);
  });

  test.each([
    [null, null],
    ['120', 120_000],
    [' 0 ', 0],
    ['Sat, 31 Jan 2026 12:00:30 GMT', 30_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['1.5', null],
  ])('Retry-After %j is %s ms', (header, ms) => {
    expect(retryAfterMs(header, Date.parse('2026-01-31T12:00:00Z'))).toBe(ms);
  });
});

type Step = typeof afterAttempt;
const lives = fc.array(fc.record({ code: fc.constantFrom(null, 200, 200, 410, 429, 500, 500, 503), waitMs: fc.integer({ min: 1, max: 20 * HOUR }) }), { minLength: 1, maxLength: 40 });

/** Over a whole life: what disables does so at once and for good; a success forgives everything else; the breaker is bounded. */
function healthHolds(step: Step): void {
  fc.assert(
    fc.property(lives, (life) => {
      let health: EndpointHealth = HEALTHY;
      let [nowMs, failingSinceMs, inARow]: [number, number | null, number] = [0, null, 0];
      for (const { code, waitMs } of life) {
        nowMs += waitMs;
        const outcome = { code, errorClass: code === null ? ('reset' as const) : code < 300 ? null : ('answer' as const) };
        const before = health;
        health = step(before, outcome, nowMs);
        if (isDelivered(outcome)) [failingSinceMs, inARow] = [null, 0];
        else [failingSinceMs, inARow] = [failingSinceMs ?? nowMs, inARow + 1];
        const mustDisable = code === 410 || (failingSinceMs !== null && nowMs - failingSinceMs >= DISABLE_AFTER_MS);
        if ((health.disabled !== null) !== (before.disabled !== null || mustDisable)) return false;
        if (before.disabled !== null && health.disabled !== before.disabled) return false;
        if (health.failingSinceMs !== failingSinceMs || health.failuresInARow !== inARow) return false;
        if ((health.breakerOpenUntilMs !== null) !== (inARow >= BREAKER_AFTER_FAILURES)) return false;
        if (health.breakerOpenUntilMs !== null && health.breakerOpenUntilMs - nowMs > BREAKER_LONGEST_MS) return false;
        const allowed = attemptsAllowed(health, nowMs, 8);
        const open = health.breakerOpenUntilMs !== null && health.breakerOpenUntilMs > nowMs;
        if (allowed !== (health.disabled !== null || open ? 0 : health.breakerOpenUntilMs === null ? 8 : 1)) return false;
      }
      return true;
    }),
    RUNS,
  );
}

describe('an endpoint\'s health', () => {
  test('holds over every life', () => healthHolds(afterAttempt));

  test.each<[string, Step]>([
    ['overlooks 410', (health, outcome, nowMs) => afterAttempt(health, { ...outcome, code: outcome.code === 410 ? 500 : outcome.code }, nowMs)],
    ['counts 120 h from the last failure', (health, outcome, nowMs) => afterAttempt({ ...health, failingSinceMs: null }, outcome, nowMs)],
    ['enables by a success', (health, outcome, nowMs) => (isDelivered(outcome) ? HEALTHY : afterAttempt(health, outcome, nowMs))],
    ['never opens', (health, outcome, nowMs) => ({ ...afterAttempt(health, outcome, nowMs), breakerOpenUntilMs: null })],
    ['opens without end', (health, outcome, nowMs) => { const next = afterAttempt(health, outcome, nowMs); return { ...next, breakerOpenUntilMs: next.breakerOpenUntilMs === null ? null : nowMs + 30_000 * 2 ** next.breakerTrips }; }],
  ])('a rule that %s is found', (_name, step) => {
    expect(() => healthHolds(step)).toThrow(/Property failed/);
  });

  test('while the breaker is open what fails late does not open it once more; then one attempt probes', () => {
    let health = HEALTHY;
    for (let n = 0; n < 7; n += 1) health = afterAttempt(health, { code: 500, errorClass: 'answer' }, 1_000);
    expect([health.breakerTrips, health.breakerOpenUntilMs]).toEqual([1, 31_000]);
    expect([attemptsAllowed(health, 30_999, 8), attemptsAllowed(health, 31_000, 8)]).toEqual([0, 1]);
    expect(afterAttempt(health, { code: 500, errorClass: 'answer' }, 31_000)).toMatchObject({ breakerTrips: 2, breakerOpenUntilMs: 91_000 });
    expect(afterAttempt(health, { code: 200, errorClass: null }, 31_000)).toEqual(HEALTHY);
  });

  test('is read from its row', () => {
    const at = '2026-01-31T12:00:00.000Z';
    expect(healthOf({ disabledReason: null, failingSince: at, breakerOpenUntil: null, failuresInARow: 2, breakerTrips: 0 }, Date.parse(at))).toEqual({ disabled: null, failingSinceMs: Date.parse(at), failuresInARow: 2, breakerTrips: 0, breakerOpenUntilMs: null });
    expect(healthOf({ disabledReason: 'gone', failingSince: null, breakerOpenUntil: at, failuresInARow: 5, breakerTrips: 1 }, Date.parse(at))).toMatchObject({ disabled: 'gone', breakerOpenUntilMs: Date.parse(at) });
  });
});
