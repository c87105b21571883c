/** What a supervisor is told of the orders it placed: those that it names and the open ones, and the sums of the others. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { NAMED_ENDED, NONE_FOLDED } from '../../../src/domain/folded-orders';
import { UNCONDITIONAL } from '../../../src/domain/order';
import { intentFor, openStoreWorld, OWNER, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

describe('the children of an order, of which it may place thousands', () => {
  const EVERY = NAMED_ENDED + 15;
  /** All refused, the third after a part of it had filled; one early one is open. */
  const placed = async () => {
    const account = await world.newAccount();
    const parent = intentFor(account, { type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: true, condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark', gapPolicy: 'traded' } });
    const children = Array.from({ length: EVERY }, (_, n) => intentFor(account, { id: `${parent.id.slice(0, -4)}${String(n).padStart(4, '0')}`, clientOrderId: `${parent.id}.0.${n}`, origin: 'CONDITIONAL', supervision: { workflowId: 'w', parentOrderId: parent.id } }));
    await world.store.placing.recordOrders([parent], OWNER);
    for (const child of children) await world.store.placing.recordOrders([child], OWNER);
    const client = new Client({ connectionString: world.databaseUrl });
    await client.connect();
    await client.query(`UPDATE orders SET state = CASE WHEN id = $2 THEN 'WORKING' ELSE 'REJECTED' END, filled_quantity = CASE WHEN id = $3 THEN 0.25 ELSE 0 END, avg_price = CASE WHEN id = $3 THEN 2 END, fee = CASE WHEN id = $3 THEN 0.1 ELSE 0 END, fee_asset = CASE WHEN id = $3 THEN 'USDC' END WHERE parent_order_id = $1`, [parent.id, children[5]?.id, children[2]?.id]);
    await client.end();
    return { parent, ids: children.map(({ id }) => id) };
  };
  const idsOf = (orders: readonly { readonly id: string }[]) => orders.map(({ id }) => id).sort();

  test('are told by name where they are open, new or the first; the others as sums', async () => {
    const { parent, ids } = await placed();
    const { orders, folded } = await world.store.held.childrenOf(parent.id);
    expect(idsOf(orders)).toEqual([ids[0], ids[5], ...ids.slice(-NAMED_ENDED)].sort());
    expect(folded).toEqual({ count: EVERY - NAMED_ENDED - 2, filledQuantity: '0.25', value: '0.5', fee: '0.1', feeAsset: 'USDC' });
  });

  test('that are asked for by name are no part of the sums, nor is one that is open', async () => {
    const { parent, ids } = await placed();
    const named = [ids[2] ?? '', ids[9] ?? ''];
    const { orders, folded } = await world.store.held.childrenNamed(parent.id, named);
    expect(idsOf(orders)).toEqual([...named, ids[5]].sort());
    expect(folded).toEqual({ ...NONE_FOLDED, count: EVERY - 3 });
  });

  test('of an order that has placed none are none', async () => {
    expect(await world.store.held.childrenOf('00000000-0000-4000-8000-00000000dead')).toEqual({ orders: [], folded: NONE_FOLDED });
  });
});
