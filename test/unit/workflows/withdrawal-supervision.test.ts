import { describe, expect, test } from '@jest/globals';
import { ENDED_WITHDRAWAL_STATES, WITHDRAWAL_STATES, type WithdrawalState } from '../../../src/domain/withdrawal';
import { WithdrawalSupervision } from '../../../src/workflows/state/withdrawal-supervision';

const DAY = 86_400_000;
const WAITS = { pollMs: 5_000, maxPollMs: 300_000 };
const at = (state: WithdrawalState): WithdrawalSupervision => new WithdrawalSupervision(WAITS, DAY, state);

describe('a withdrawal', () => {
  test('waits for a second person until its time is over, not a millisecond less, and says so once', () => {
    const supervision = at('AWAITING_APPROVAL');
    expect(supervision.next(0)).toEqual({ kind: 'wait', waitMs: DAY });
    expect(supervision.next(DAY - 1)).toEqual({ kind: 'wait', waitMs: 1 });
    expect(supervision.next(DAY)).toEqual({ kind: 'expire' });
    supervision.didExpire();
    expect(supervision.next(DAY)).toEqual({ kind: 'wait', waitMs: 1 });
    supervision.take('EXPIRED');
    expect(supervision.next(DAY)).toEqual({ kind: 'end' });
  });

  test('that was approved in time is looked at whatever the clock says', () => {
    const supervision = at('AWAITING_APPROVAL');
    supervision.take('APPROVED');
    expect(supervision.next(2 * DAY)).toEqual({ kind: 'look', waitMs: 1 });
  });

  test('is looked at more rarely while nothing changes, and soon again once something did', () => {
    const supervision = at('SUBMITTED');
    const waits: number[] = [];
    for (let look = 0; look < 9; look += 1) {
      const move = supervision.next(0);
      if (move.kind === 'look') waits.push(move.waitMs);
      supervision.looked();
      supervision.take('SUBMITTED');
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
    supervision.take('SIGNED');
    expect(supervision.next(0)).toEqual({ kind: 'look', waitMs: 5_000 });
  });

  test.each(WITHDRAWAL_STATES)('in %s ends, or has something to do', (state) => {
    expect(at(state).next(0).kind === 'end').toBe(ENDED_WITHDRAWAL_STATES.has(state));
    expect(at(state).state).toBe(state);
  });
});
