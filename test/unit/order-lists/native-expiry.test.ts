/** A venue that ends native stops after a while: the one behind a list's leg is placed anew before that. */
import { expect, test } from '@jest/globals';
import { decimal } from '../../../src/domain/decimal';
import type { OrderListChild } from '../../../src/domain/order-list';
import { backstop } from '../../../src/workflows/state/order-list-backstop';
import { NOTHING, type LegView } from '../../../src/workflows/state/order-list-leg-plan';
import { leg, LEGS, RULES, START_MS } from './list-samples';

const DAY_MS = 86_400_000;
const EXPIRES_AFTER_MS = 100 * DAY_MS;
const stop = leg({ ...LEGS.OCO[2], execution: 'both' }, 2);

function native(changes: Partial<OrderListChild> = {}): OrderListChild {
  return {
    n: 1, orderId: 'native-1', leg: 2, step: 'native', version: stop.version, type: 'stopMarket', timeInForce: 'GTC', postOnly: false, state: 'WORKING', isPlaced: true, quantity: '10', limitPrice: null, triggerPrice: '90',
    filledQuantity: '0', avgPrice: null, reasonCode: null, reasonMessage: null, pendingCancel: false, recordedAtMs: START_MS, cancelAskedAtMs: null, closedAtMs: null, ...changes,
  };
}

function planned(children: readonly OrderListChild[], afterDays: number, nativeExpiresAfterMs: number | null = EXPIRES_AFTER_MS) {
  const view = { leg: stop, children, others: [], share: decimal('10'), groupLeft: null, room: decimal('10'), market: { rules: RULES, nativeExpiresAfterMs }, nowMs: START_MS + afterDays * DAY_MS };
  return backstop(view as unknown as LegView);
}

test('it rests until nine tenths of its time are over, and the list looks then', () => {
  expect(planned([native()], 10)).toEqual({ ...NOTHING, wakeAtMs: START_MS + 90 * DAY_MS });
  expect(planned([native()], 89.9).cancel).toEqual([]);
});

test('then it is canceled, and once that is certain placed anew with the same terms, for another such time', () => {
  expect(planned([native()], 90)).toMatchObject({ place: null, cancel: [{ orderId: 'native-1' }] });
  const gone = native({ state: 'CANCELED', cancelAskedAtMs: START_MS + 90 * DAY_MS, closedAtMs: START_MS + 90 * DAY_MS });
  expect(planned([gone], 90)).toMatchObject({ cancel: [], place: { step: 'native', type: 'stopMarket', quantity: '10', triggerPrice: '90' } });
  const second = native({ n: 2, orderId: 'native-2', recordedAtMs: START_MS + 90 * DAY_MS });
  expect(planned([gone, second], 100)).toEqual({ ...NOTHING, wakeAtMs: START_MS + 180 * DAY_MS });
});

test('one that its venue ended all the same is placed anew too, and a venue that keeps them is left alone', () => {
  const expired = native({ state: 'EXPIRED', closedAtMs: START_MS + 100 * DAY_MS });
  expect(planned([expired], 101)).toMatchObject({ place: { step: 'native', triggerPrice: '90' } });
  expect(planned([native()], 1_000, null)).toEqual({ ...NOTHING, wakeAtMs: null });
});
