/** Brackets with a native stop behind their own, with real servers: whatever is lost or dies, there is one, and it goes with the list. Run by order-lists.test.ts. */
import { expect, test } from '@jest/globals';
import { INSIDE, INSIDE_BID, type ListKit, micro, filled } from './order-list-kit';

const LEGS = [
  { role: 'entry', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: INSIDE_BID },
  { role: 'takeProfit', type: 'limit', quantity: '0.004', limitPrice: INSIDE },
  { role: 'takeProfit', type: 'limit', quantity: '0.006', limitPrice: '60000' },
  { role: 'stop', type: 'stopMarket', triggerPrice: '45000', triggerPriceType: 'mark', execution: 'both' },
];

export function nativeStopTests(kit: ListKit): void {
  test('a bracket with a native stop: its placing and its resizing lose their answers and the worker dies at both; there is always one, as large as what is left; the price then ends all of it once', async () => {
    const { client, sim, worker } = kit.stack;
    const before = await kit.exits();
    // What waits at the venue for a price has none of its own.
    const natives = async (): Promise<string[]> => (await kit.sinceThen(before)).filter(({ status, price }) => status === 'open' && price === null).map(({ quantity }) => quantity);
    const standing = (quantity: string): Promise<true> =>
      client.until(`a native stop of ${quantity}`, async () => {
        const now = await natives();
        expect(now.length).toBeLessThanOrEqual(1);
        return now[0] === quantity ? true : null;
      });
    const list = await kit.create('BRACKET', LEGS);
    await kit.until(list.id, 'waiting for its entry', ({ legs }) => legs[0]?.state === 'WORKING');
    const placing = await sim.fault({ kind: 'dropResponse', count: 3, match: { method: 'POST', path: '/orders' } });
    await kit.bySomebody('0.01', 'sell');
    await sim.met(placing);
    await worker.kill();
    await sim.clearFaults();
    await worker.start();
    await standing('0.01');
    expect(await client.until('the position to be protected by both', async () => {
      const shown = await kit.shown();
      return shown?.protection === 'both' ? shown : null;
    })).toMatchObject({ desiredStop: { orderId: list.id, leg: 3, triggerPrice: '45000', execution: 'both' }, confirmedStop: { quantity: '0.01', triggerPrice: '45000' } });

    const canceling = await sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders/cancel' } });
    await kit.bySomebody('0.004');
    await sim.met(canceling);
    await worker.kill();
    await sim.clearFaults();
    await worker.start();
    await standing('0.006');

    // Both stops hear of this price: one of them sells, and what is left of the list is taken away.
    await sim.price('BTC-PERP', '44900');
    const done = await kit.completed(list.id);
    expect(done.legs.map(({ filledQuantity }) => filledQuantity)).toEqual(['0.01', '0.004', '0', '0.006']);
    const orders = await kit.sinceThen(before);
    expect([filled(orders), orders.filter(({ status }) => status === 'open')]).toEqual([10_000, []]);
    await kit.flat();
  }, 180_000);

  test('it is moved with the stop by an amendment, and ends with a list that is canceled', async () => {
    const { client } = kit.stack;
    const before = await kit.exits();
    const stops = async () => (await kit.ordersOf(list.id)).filter(({ leg, state }) => leg === 3 && state === 'WORKING');
    const list = await kit.create('BRACKET', LEGS);
    await kit.until(list.id, 'waiting for its entry', ({ legs }) => legs[0]?.state === 'WORKING');
    await kit.bySomebody('0.01', 'sell');
    await client.until('the native stop', async () => ((await stops()).length === 1 ? true : null));
    const [first] = await stops();
    // Its workflow may note something between the read and the amendment.
    await client.until('the amendment', async () => {
      const now = await kit.read(list.id);
      return (await client.call('PATCH', `/api/v1/order-lists/${list.id}`, { legs: [{ n: 3, triggerPrice: '44000' }] }, { 'if-match': `"${now.revision}"` })).status === 200 ? true : null;
    });
    const moved = await client.until('the confirmed stop to be the amended one', async () => {
      const shown = await kit.shown();
      return shown?.protection === 'both' && shown.confirmedStop?.triggerPrice === '44000' ? shown : null;
    });
    expect([moved.desiredStop?.triggerPrice, moved.confirmedStop?.orderId === first?.orderId]).toEqual(['44000', false]);
    await client.call('DELETE', `/api/v1/order-lists/${list.id}`);
    await kit.until(list.id, 'canceled', ({ state }) => state === 'CANCELED');
    expect((await kit.sinceThen(before)).filter(({ status }) => status === 'open')).toEqual([]);
    expect(micro(await kit.position())).toBe(10_000);
    const killSwitch = await kit.killSwitch('flatten');
    await kit.flat();
    await client.until('the switch to be confirmed', async () => ((await client.call<{ confirmed: boolean }>('GET', `/api/v1/kill-switch/${killSwitch.id}`)).body.confirmed ? true : null));
    await killSwitch.release();
  }, 120_000);
}
