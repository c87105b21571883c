import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { UNCONDITIONAL } from '../../src/domain/order';
import { intentFor, openStoreWorld, OWNER, type StoreWorld } from './store-harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

describe('orders that wait in workflows', () => {
  test('an order that waits is ARMED, costs nothing, is not sent, and is nothing that a venue is asked about', async () => {
    const account = await world.newAccount();
    const stop = intentFor(account, { type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: true, condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark', gapPolicy: 'traded' } });
    const group = await world.store.placing.recordOrders([stop], OWNER);
    expect(group).toEqual({ items: [{ orderId: stop.id, verdict: 'accepted' }], calls: [] });
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ state: 'ARMED', execution: 'durable', triggerPrice: '1.5' });
    expect(await world.store.orders.working(account.id)).toEqual([]);
    const figures = await world.store.accounts.figures(account.id, [stop.symbol]);
    expect([figures.openOrders, figures.symbols[stop.symbol]?.reduceOnlySellQuantity]).toEqual([0, '0']);
    expect(await world.store.placing.recordOrders([stop], OWNER)).toEqual(group);
  });

  test('an entry that waits gets a first check; one that could not pass now is DENIED', async () => {
    const account = await world.newAccount();
    const entry = intentFor(account, { type: 'stopMarket', limitPrice: null, quantity: '100000', condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '3', triggerPriceType: 'mark' } });
    expect((await world.store.placing.recordOrders([entry], OWNER)).items[0]?.verdict).toBe('denied');
  });

  test('an armed order is amended against its revision, once, and not after it fired; its children\'s figures become its own', async () => {
    const account = await world.newAccount();
    const stop = intentFor(account, { type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: true, quantity: '10', condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark' } });
    await world.store.placing.recordOrders([stop], OWNER);
    const amend = (expectedRevision: number, triggerPrice: string) => world.store.held.amend({ orderId: stop.id, userId: account.userId, accountId: account.id, expectedRevision, terms: { triggerPrice } });
    expect(await amend(1, '1.6')).toMatchObject({ verdict: 'applied', order: { triggerPrice: '1.6', revision: 2 } });
    expect(await amend(1, '1.6')).toMatchObject({ verdict: 'applied', order: { revision: 2 } });
    expect(await amend(7, '1.7')).toMatchObject({ verdict: 'denied', code: 'PRECONDITION_FAILED' });
    const at = new Date(world.clock.nowMs()).toISOString();
    await world.store.evidence.apply([{ orderId: stop.id, evidence: { kind: 'triggered', key: 'triggered', trigger: { level: '1.6' }, at } }]);
    expect(await amend(3, '1.7')).toMatchObject({ verdict: 'denied', code: 'CONFLICT' });
    await world.store.evidence.apply([{ orderId: stop.id, evidence: { kind: 'childrenSeen', key: 'children/4', filledQuantity: '4', avgPrice: '1.5', fee: '0.1', feeAsset: 'USDT', at } }]);
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ state: 'PARTIALLY_FILLED', filledQuantity: '4', leavesQuantity: '6', avgPrice: '1.5', fee: '0.1', triggeredAt: at });
    await world.store.evidence.apply([{ orderId: stop.id, evidence: { kind: 'childrenSeen', key: 'children/10', filledQuantity: '10', avgPrice: '1.5', fee: '0.2', feeAsset: 'USDT', at } }]);
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ state: 'FILLED', leavesQuantity: '0' });
  });
});
