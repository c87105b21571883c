import { beforeEach, describe, expect, test } from '@jest/globals';
import { RECENT_ORDER_MAX_AGE_MS, RECENT_ORDERS_SIZE } from '../../../src/api/limits';
import { RecentOrders } from '../../../src/api/recent-orders';
import type { Order } from '../../../src/domain/order';

let nowMs = 0;
let recent: RecentOrders;
beforeEach(() => {
  nowMs = 1_000;
  recent = new RecentOrders({ nowMs: () => nowMs });
});

// Only what decides is looked at.
const order = (fields: Partial<Order> = {}): Order => ({ id: 'o1', userId: 'alice', state: 'WORKING', revision: 2, execution: null, ...fields }) as Order;

describe('an order heard of a moment ago', () => {
  test('is known to its owner, as it was last, and to nobody else', () => {
    recent.see(order());
    recent.see(order({ revision: 3, state: 'PARTIALLY_FILLED' }));
    expect(recent.open('o1', 'alice')?.state).toBe('PARTIALLY_FILLED');
    expect(recent.open('o1', 'bob')).toBeNull();
    expect(recent.open('o2', 'alice')).toBeNull();
  });

  test('is not made older by a view that comes late', () => {
    recent.see(order({ revision: 3, state: 'PARTIALLY_FILLED' }));
    recent.see(order({ revision: 2 }));
    expect(recent.open('o1', 'alice')?.revision).toBe(3);
  });

  test.each<Partial<Order>>([{ state: 'FILLED' }, { state: 'CANCELED' }, { state: 'REJECTED' }, { execution: 'durable' }, { execution: 'both' }])('is read where its row decides: %j', (fields) => {
    recent.see(order());
    recent.see(order({ revision: 3, ...fields }));
    expect(recent.open('o1', 'alice')).toBeNull();
  });

  test('is read again after a minute', () => {
    recent.see(order());
    nowMs += RECENT_ORDER_MAX_AGE_MS - 1;
    expect(recent.open('o1', 'alice')).not.toBeNull();
    nowMs += 1;
    expect(recent.open('o1', 'alice')).toBeNull();
  });

  test('is forgotten before those heard of later, once there are too many', () => {
    recent.see(order({ id: 'first' }));
    recent.see(order({ id: 'second' }));
    recent.see(order({ id: 'first', revision: 3 }));
    for (let index = 0; index < RECENT_ORDERS_SIZE - 1; index += 1) recent.see(order({ id: `other${index}` }));
    expect(recent.open('second', 'alice')).toBeNull();
    expect(recent.open('first', 'alice')).not.toBeNull();
  });
});
