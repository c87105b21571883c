/** The last guard before an order of a list is recorded: whoever decided, and by whatever facts, exits together never come to more than what filled. */
import { expect, test } from '@jest/globals';
import type { ListChildPlan, OrderList, OrderListChild, OrderListType } from '../../../src/domain/order-list';
import { fitsShares } from '../../../src/domain/order-list-commands';
import { CANCEL_PATIENCE_MS } from '../../../src/domain/order-list-shares';
import { leg, LEGS, START_MS } from './list-samples';

const AT = new Date(START_MS).toISOString();

function listOf(type: OrderListType, triggered: number | null): OrderList {
  const legs = LEGS[type].map(leg).map((each) => (each.n === triggered ? { ...each, triggered: { by: 'price', level: '90', at: AT, evidence: null } as const } : each));
  return {
    id: 'l', clientListId: 'c', userId: 'u', accountId: 'a', venue: 'paper', symbol: 'X-PERP', type, state: 'ACTIVE', reason: null, pendingCancel: false, entriesStopped: false, legs,
    expireTime: null, timeLimitMs: null, closeAt: null, breakEvenAfter: null, revision: 1, ownerWorkflowId: 'w', createdAt: AT, updatedAt: AT, endedAt: null,
  };
}

function child(n: number, of: number, quantity: string, change: Partial<OrderListChild> = {}): OrderListChild {
  return {
    n, orderId: `o${n}`, leg: of, step: 'rest', version: 0, type: 'limit', timeInForce: 'GTC', postOnly: false, state: 'WORKING', isPlaced: true, quantity, limitPrice: '110', filledQuantity: '0', avgPrice: null,
    reasonCode: null, reasonMessage: null, pendingCancel: false, recordedAtMs: START_MS, cancelAskedAtMs: null, closedAtMs: null, ...change,
  };
}

const plan = (of: number, quantity: string): ListChildPlan => ({ leg: of, step: 'market', version: 0, type: 'market', timeInForce: 'IOC', postOnly: false, quantity, limitPrice: null });
const entered = child(1, 0, '10', { state: 'FILLED', filledQuantity: '10', avgPrice: '100' });
const STOP = 4;

test('the stop of a bracket is not recorded beside take-profits that may still fill, though it alone is no more than its share', () => {
  const list = listOf('BRACKET', STOP);
  const resting = child(2, 1, '3');
  expect(fitsShares(list, [entered, resting], [plan(STOP, '10')], START_MS)).toBe(false);
  expect(fitsShares(list, [entered, resting], [plan(STOP, '7')], START_MS)).toBe(true);
  expect(fitsShares(list, [entered, { ...resting, state: 'CANCELED' }], [plan(STOP, '10')], START_MS)).toBe(true);
  expect(fitsShares(list, [entered, { ...resting, state: 'CANCELED', filledQuantity: '1', avgPrice: '110' }], [plan(STOP, '10')], START_MS)).toBe(false);
});

test('a cancel that nobody answers holds it back no longer than its patience', () => {
  const list = listOf('BRACKET', STOP);
  const resting = child(2, 1, '3', { cancelAskedAtMs: START_MS });
  expect(fitsShares(list, [entered, resting], [plan(STOP, '10')], START_MS + 1)).toBe(false);
  expect(fitsShares(list, [entered, resting], [plan(STOP, '10')], START_MS + CANCEL_PATIENCE_MS)).toBe(true);
});

test('two exits of a bracket are not recorded at once for more than what its entry filled', () => {
  const list = listOf('BRACKET', null);
  expect(fitsShares(list, [{ ...entered, filledQuantity: '7' }], [plan(1, '3'), plan(2, '3'), plan(3, '1')], START_MS)).toBe(true);
  expect(fitsShares(list, [{ ...entered, filledQuantity: '7' }], [plan(1, '3'), plan(2, '3'), plan(3, '2')], START_MS)).toBe(false);
});

test('the stop of an OUO waits for the leg that rests; while none is set off its legs rest side by side', () => {
  const resting = child(1, 0, '10');
  expect(fitsShares(listOf('OUO', null), [resting], [plan(1, '10')], START_MS)).toBe(true);
  expect(fitsShares(listOf('OUO', 2), [resting], [plan(2, '10')], START_MS)).toBe(false);
  expect(fitsShares(listOf('OUO', 2), [{ ...resting, state: 'CANCELED', filledQuantity: '4', avgPrice: '110' }], [plan(2, '6')], START_MS)).toBe(true);
});
