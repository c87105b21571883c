import { describe, expect, test } from '@jest/globals';
import { ENDED_FUNDED_ORDER_STATES, FUNDED_ORDER_STATES } from '../../../src/domain/funded-order';
import { FundedOrderSupervision } from '../../../src/workflows/state/funded-order-supervision';

const WAITS = { pollMs: 1_000, maxPollMs: 60_000 };

describe('what is done with a deposit\'s money', () => {
  test('is looked at at once when it begins or moves, and more rarely while nothing does', () => {
    const supervision = new FundedOrderSupervision(WAITS, 'WAITING');
    const waits: number[] = [];
    for (let look = 0; look < 9; look += 1) {
      const move = supervision.next();
      if (move.kind === 'look') waits.push(move.waitMs);
      supervision.take('WAITING');
    }
    expect(waits).toEqual([1, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    supervision.take('FUNDED');
    expect([supervision.next(), supervision.state]).toEqual([{ kind: 'look', waitMs: 1 }, 'FUNDED']);
  });

  test.each(FUNDED_ORDER_STATES)('in %s ends where that is an end, and only there', (state) => {
    expect(new FundedOrderSupervision(WAITS, state).next().kind).toBe(ENDED_FUNDED_ORDER_STATES.has(state) ? 'end' : 'look');
  });
});
