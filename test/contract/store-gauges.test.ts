import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isoTime } from '../../src/domain/clock';
import { fillOf, intentFor, OWNER, openStoreWorld, seen, viewOf, type StoreWorld } from './store-harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

test('orders of unknown outcome are counted by venue, and no others; with none a venue says 0', async () => {
  expect(await world.store.gauges.unknownOrders()).toEqual(new Map([['paper', 0]]));
  const account = await world.newAccount();
  const [unknown, working] = [intentFor(account), intentFor(account)];
  await world.store.placing.recordOrders([unknown, working], OWNER);
  const at = isoTime(Date.now());
  await world.store.evidence.apply([
    { orderId: unknown.id, evidence: { kind: 'outcomeUnknown', key: 'unknown/1', message: 'no answer', at } },
    { orderId: working.id, evidence: seen(viewOf(working)) },
  ]);
  expect(await world.store.gauges.unknownOrders()).toEqual(new Map([['paper', 1]]));
});

test('positions are valued at their mark, else their entry, longs and shorts added up', async () => {
  expect(await world.store.gauges.positionsValueUsd()).toEqual(new Map([['paper', 0]]));
  const writer = await world.store.watching.takeEpoch('account/gauges', 'test');
  for (const side of ['buy', 'sell'] as const) {
    const account = await world.newAccount();
    const intent = intentFor(account, { side });
    await world.store.placing.recordOrders([intent], OWNER);
    await world.store.watching.applyFills(writer, account.id, [fillOf(intent, { quantity: '4', price: '2.5' })]);
  }
  expect(await world.store.gauges.positionsValueUsd()).toEqual(new Map([['paper', 20]]));
});
