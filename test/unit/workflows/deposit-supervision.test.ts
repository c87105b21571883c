import { describe, expect, test } from '@jest/globals';
import { DEPOSIT_STATES, type DepositState } from '../../../src/domain/deposit';
import { DepositSupervision } from '../../../src/workflows/state/deposit-supervision';

const HOUR = 3_600_000;
const WAITS = { pollMs: 5_000, maxPollMs: 300_000, expireAfterMs: HOUR / 2, dropAfterMs: HOUR / 2, graceMs: 48 * HOUR, watchAfterMs: 600_000 };
const at = (state: DepositState, wasSent = true): DepositSupervision => new DepositSupervision(WAITS, { state, sinceMs: 0, wasSent });

/** Looks until it does something else; answers what, when, and after how many looks. */
function run(supervision: DepositSupervision, state: (nowMs: number) => DepositState, untilMs: number) {
  let [nowMs, looks] = [0, 0];
  for (;;) {
    const move = supervision.next(nowMs);
    if (move.kind === 'end' || move.kind === 'note' || nowMs > untilMs) return { move, nowMs, looks };
    nowMs += move.waitMs;
    if (move.kind === 'look') {
      looks += 1;
      supervision.looked();
      supervision.take(state(nowMs), nowMs);
    }
  }
}

describe('a deposit is looked at', () => {
  test('for 26 h while the bridge says PENDING and NOT_FOUND in turn, ever more rarely, and not given up', () => {
    const { nowMs, looks } = run(at('SOURCE_CONFIRMED'), (now) => (now % 2 === 0 ? 'BRIDGING' : 'REFUND_PENDING'), 26 * HOUR);
    expect(nowMs).toBeGreaterThan(26 * HOUR);
    expect(looks).toBeLessThan(330);
  });

  test('until grace is over; then a person is asked, once', () => {
    const supervision = at('BRIDGING');
    const { move, nowMs } = run(supervision, () => 'BRIDGING', 100 * HOUR);
    expect([move, nowMs >= 48 * HOUR && nowMs < 48.2 * HOUR]).toEqual([{ kind: 'note', fact: 'graceOver' }, true]);
    supervision.didNote();
    expect(supervision.next(nowMs)).toMatchObject({ kind: 'look', at: 'arrivals' });
  });

  test('after its credit for a while, in case the chain takes it back, and then no more', () => {
    const { move, nowMs } = run(at('CREDITED'), () => 'CREDITED', HOUR);
    expect([move.kind, nowMs]).toEqual(['end', WAITS.watchAfterMs]);
  });

  test('without end while a person has to decide', () => {
    expect(at('MANUAL_REVIEW').next(1_000 * HOUR)).toEqual({ kind: 'look', at: 'arrivals', waitMs: WAITS.maxPollMs });
  });
});

describe('a deposit that is not sent', () => {
  test('waits to be signed, and expires', () => {
    const { move, nowMs } = run(at('AWAITING_SIGNATURE', false), () => 'AWAITING_SIGNATURE', HOUR);
    expect([move, nowMs]).toEqual([{ kind: 'note', fact: 'expired' }, WAITS.expireAfterMs]);
  });

  test('whose transaction was dropped is still looked for', () => {
    const supervision = at('AWAITING_SIGNATURE', false);
    supervision.take('SOURCE_SUBMITTED', 1_000);
    expect(supervision.next(1_000)).toMatchObject({ kind: 'look', at: 'source' });
    supervision.take('AWAITING_SIGNATURE', 2_000);
    expect(supervision.next(2_000)).toMatchObject({ kind: 'look', at: 'source' });
    expect(supervision.memory).toEqual({ state: 'AWAITING_SIGNATURE', sinceMs: 2_000, wasSent: true });
  });
});

test('every state has a next move, now and in a year', () => {
  for (const state of DEPOSIT_STATES) for (const now of [0, 8_760 * HOUR]) expect(at(state, false).next(now).kind).toMatch(/^(look|wait|note|end)$/);
});
