import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AddressGuard, networkOf } from '../../../src/delivery/address-guard';
import { GuardedClient } from '../../../src/delivery/guarded-client';
import { newWebhookSecret } from '../../../src/delivery/signature';
import { isoTime } from '../../../src/domain/clock';
import { DEPOSIT_STATES } from '../../../src/domain/deposit';
import { depositSample } from '../../unit/domain/deposit-samples';
import { fillOf, intentFor, OWNER, openStoreWorld, seen, viewOf, type StoreWorld } from './harness';
import { Receiver, roundOf } from '../webhooks/webhook-receiver';

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

test('deposits are counted by state, each state named', async () => {
  const before = await world.store.gauges.depositsByState();
  expect([before.size, before.get('CREATED')]).toEqual([DEPOSIT_STATES.length, 0]);
  await world.store.deposits.begin(depositSample({ id: randomUUID(), userId: world.userId }));
  expect((await world.store.gauges.depositsByState()).get('CREATED')).toBe(1);
});

test('what waits longest for a webhook is an event before it is a delivery; a disabled webhook and a delivered event count nothing', async () => {
  const { store, clock, userId } = world;
  const client = new GuardedClient({ guard: new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null)), allowHttp: true, timeoutMs: 2_000 });
  const receiver = await Receiver.start();
  receiver.secret = newWebhookSecret();
  clock.ms = Date.now();
  const account = await world.newAccount();
  const { id } = await store.webhooks.create({ userId, url: receiver.url, description: '', eventTypes: ['order.*'], accountIds: null, rateLimit: null, ordering: 'perKey', secret: receiver.secret }, 'key:test');
  expect(await store.gauges.oldestWebhookSeconds()).toBe(0);
  await store.placing.recordOrders([intentFor(account)], OWNER);
  clock.ms += 90_000;
  expect(await store.gauges.oldestWebhookSeconds()).toBeCloseTo(90, 1);
  receiver.answer = () => 500;
  const ends: string[] = [];
  await roundOf(world, client, id, (end) => ends.push(end));
  clock.ms += 2_000;
  expect(await store.gauges.oldestWebhookSeconds()).toBeCloseTo(2, 1);
  await store.webhooks.change(id, userId, { enabled: false }, 'key:test');
  expect(await store.gauges.oldestWebhookSeconds()).toBe(0);
  await store.webhooks.enable(id, userId, { skipMissed: false }, 'key:test');
  receiver.answer = () => 204;
  await roundOf(world, client, id, (end) => ends.push(end));
  expect(await store.gauges.oldestWebhookSeconds()).toBe(0);
  expect(ends).toEqual(['retried', 'delivered']);
  await store.webhooks.remove(id, userId, 'key:test');
  await client.close();
  await receiver.stop();
});
