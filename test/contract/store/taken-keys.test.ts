/** Idempotency-Keys of order lists and strategies: each stands for one request for as long as keys are remembered, and is free after it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account } from '../../../src/domain/account';
import type { IdempotencyStamp } from '../../../src/domain/order';
import type { Store } from '../../../src/store';
import type { NewOrderList } from '../../../src/store/waiting/order-lists';
import { wish as strategyWish } from '../strategy-wish';
import { exitLeg } from '../list-legs';
import { intentFor, openStoreWorld, OWNER, SYMBOL, type StoreWorld } from './harness';

const DAY_MS = 86_400_000;

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

const stamped = (key: string, route: string): IdempotencyStamp => ({ key, route, bodyHash: randomUUID() });

function listWish(account: Account): NewOrderList {
  const id = randomUUID();
  const legs = ['2', '3'].map((limitPrice, n) => exitLeg(account, n, { quantity: '100', limitPrice }));
  return { id, clientListId: `c-${id}`, userId: account.userId, accountId: account.id, venue: account.venue, symbol: SYMBOL, type: 'OUO', legs, expireTime: null, timeLimitMs: null, breakEvenAfter: null, ownerWorkflowId: `order-list/${id}` };
}

describe.each([
  ['an order list', 'POST /order-lists', (store: Store, account: Account, stamp: IdempotencyStamp) => store.orderLists.create(listWish(account), stamp)],
  ['a strategy', 'POST /strategies', (store: Store, account: Account, stamp: IdempotencyStamp) => store.strategies.create(strategyWish(account), stamp)],
] as const)('the Idempotency-Key of %s', (_what, route, create) => {
  const later = (days: number): Promise<Store> => world.openAnother({ clock: { nowMs: () => world.clock.nowMs() + days * DAY_MS } });

  test('is free after the seven days, though nobody has purged its record yet, and then stands for what it made', async () => {
    const account = await world.newAccount();
    const key = randomUUID();
    await world.store.placing.recordOrders([intentFor(account, { idempotency: stamped(key, 'POST /orders') })], OWNER);
    const store = await later(8);
    const again = stamped(key, route);
    const made = await create(store, account, again);
    expect(await store.idempotency.find(account.userId, key)).toMatchObject({ orderId: made.id, route, bodyHash: again.bodyHash });
    await expect(create(await later(14), account, stamped(key, route))).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
  });

  test('stands for the request that had it before within the seven days', async () => {
    const account = await world.newAccount();
    const key = randomUUID();
    await create(world.store, account, stamped(key, route));
    await expect(create(await later(6), account, stamped(key, route))).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
  });
});
