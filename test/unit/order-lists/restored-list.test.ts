/** An order list and a database that was restored from a backup: which crossings it believes, and which wait until its orders are heard of. */
import { describe, expect, test } from '@jest/globals';
import { figuresOfLegs } from '../../../src/domain/order-list-shares';
import { ZERO } from '../../../src/domain/decimal';
import { legTrigger, legTriggerId, type OrderList, type OrderListChild, type OrderListLeg } from '../../../src/domain/order-list';
import type { LegAlert } from '../../../src/domain/order-list-commands';
import type { Trigger, TriggerParameters } from '../../../src/domain/trigger';
import { afterCrossings } from '../../../src/workflows/state/order-list-turns';
import { leg, LEGS, START_MS } from './list-samples';

const at = new Date(START_MS).toISOString();
const bracket: OrderList = {
  id: 'b', clientListId: 'c', userId: 'u', accountId: 'a', venue: 'paper', symbol: 'X-PERP', type: 'BRACKET', state: 'ACTIVE', reason: null, pendingCancel: false, entriesStopped: false, legs: LEGS.BRACKET.map(leg),
  expireTime: null, timeLimitMs: null, closeAt: null, breakEvenAfter: null, revision: 3, ownerWorkflowId: 'order-list/b', createdAt: at, updatedAt: at, endedAt: null,
};
const entry: OrderListChild = {
  n: 1, orderId: 'o', leg: 0, step: 'rest', version: 0, type: 'limit', timeInForce: 'GTC', postOnly: false, quantity: '10', limitPrice: '100', triggerPrice: null, state: 'FILLED', isPlaced: true, filledQuantity: '10', avgPrice: '100', reasonCode: null, reasonMessage: null,
  pendingCancel: false, recordedAtMs: START_MS, cancelAskedAtMs: null, closedAtMs: null,
};
const STOP = 4;
const stopOf = (list: OrderList): OrderListLeg => list.legs[STOP] as OrderListLeg;
/** Moved from 90 to 80. */
const moved: OrderList = { ...bracket, legs: bracket.legs.map((each) => (each.n === STOP ? { ...each, triggerPrice: '80', version: 1 } : each)) };

function fired(list: OrderList, triggerPrice: string, revision: number): Trigger {
  const id = legTriggerId(list.id, stopOf(list));
  return {
    id, userId: 'u', accountId: 'a', workflowId: 'order-list/b', venue: 'paper', symbol: 'X-PERP', parameters: { ...(legTrigger(stopOf(list)) as TriggerParameters), triggerPrice }, revision, status: 'FIRED', extreme: null, armedAtMs: 1, checkpointAtMs: 1, acknowledged: false,
    evidence: { triggerId: id, revision, price: '79', priceType: 'mark', source: 'paper', backup: false, origin: 'stream', extreme: null, level: triggerPrice, atMs: START_MS, observedAtMs: START_MS, sequence: 1, scope: 'market/paper', epoch: 1 },
  };
}

function judged(list: OrderList, children: readonly OrderListChild[], trigger: Trigger, restores = true): { readonly stop: OrderListLeg; readonly alerts: readonly LegAlert[] } {
  const alerts: LegAlert[] = [];
  const figures = figuresOfLegs(list, children);
  const after = afterCrossings(list, START_MS, { children, triggers: [trigger], shares: list.legs.map(() => ZERO), figures, alerts, restores: () => restores });
  return { stop: stopOf(after), alerts };
}

describe('a stop of a list that was moved, of a database restored to before that', () => {
  test('does not go off at its old level: the next trigger takes its place, and its owner is told', () => {
    const { stop, alerts } = judged(moved, [entry], fired(moved, '90', 1));
    expect([stop.triggered, stop.triggerNumber, alerts.map(({ kind }) => kind)]).toEqual([null, 1, ['crossingDisproved']]);
  });

  test('goes off at the level it has', () => {
    expect(judged(moved, [entry], fired(moved, '80', 2)).stop.triggered).toMatchObject({ by: 'price', level: '80' });
  });

  test('went off at its old level in executions from before it could know', () => {
    expect(judged(moved, [entry], fired(moved, '90', 1), false).stop.triggered).toMatchObject({ by: 'price', level: '90' });
  });
});

describe('a crossing that finds nothing to exit from', () => {
  test('waits while the entry may have filled and nobody has heard of it yet', () => {
    for (const unheard of [{ ...entry, state: 'UNKNOWN', filledQuantity: '0' }, { ...entry, state: 'PENDING_RISK', isPlaced: false, filledQuantity: '0' }] as const) {
      const { stop } = judged(bracket, [unheard], fired(bracket, '90', 1));
      expect([stop.triggered, stop.triggerNumber]).toEqual([null, 0]);
      // Heard of: it goes off by the same crossing.
      expect(judged(bracket, [entry], fired(bracket, '90', 1)).stop.triggered).toMatchObject({ level: '90' });
    }
  });

  test('is used up where the entry rests', () => {
    expect(judged(bracket, [{ ...entry, state: 'WORKING', filledQuantity: '0' }], fired(bracket, '90', 1)).stop.triggerNumber).toBe(1);
  });
});
