/** Settled deliveries go with their attempts when their time is over; what can still be sent stays. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AddressGuard, networkOf } from '../../../src/delivery/address-guard';
import { GuardedClient } from '../../../src/delivery/guarded-client';
import { newWebhookSecret } from '../../../src/delivery/signature';
import type { DeliveryStatus } from '../../../src/domain/webhook';
import { DEFAULT_RETENTION } from '../../../src/store/retention';
import { openStoreWorld, type StoreWorld } from '../store/harness';
import { Receiver, roundOf } from './webhook-receiver';
import { queried } from '../../support/queried';

const DAY = 86_400_000;
const ACTOR = 'key:test';

let world: StoreWorld;
let receiver: Receiver;
let client: GuardedClient;

beforeAll(async () => {
  world = await openStoreWorld();
  receiver = await Receiver.start();
  client = new GuardedClient({ guard: new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null)), allowHttp: true, timeoutMs: 2_000 });
});
afterAll(async () => {
  await client.close();
  await receiver.stop();
  await world.close();
});

test('delivered ones go after 30 days, exhausted ones after a year or with their webhook, waiting ones never', async () => {
  const { store } = world;
  receiver.secret = newWebhookSecret();
  const { id } = await store.webhooks.create({ userId: world.userId, url: receiver.url, description: '', eventTypes: ['deposit.*'], accountIds: null, rateLimit: null, ordering: 'none', secret: receiver.secret }, ACTOR);
  const delivered = (await store.webhookDeliveries.test(id, world.userId)).id;
  await roundOf(world, client, id);
  receiver.answer = () => 500;
  const exhausted = (await store.webhookDeliveries.test(id, world.userId)).id;
  for (let hour = 0; hour < 100; hour += 1) {
    await roundOf(world, client, id);
    world.clock.ms += 3_600_000;
  }
  const waiting = (await store.webhookDeliveries.test(id, world.userId)).id;
  const statuses = async (): Promise<Record<string, DeliveryStatus>> =>
    Object.fromEntries((await store.webhookDeliveries.list({ endpointId: id, userId: world.userId, status: null, cursor: null, limit: 10 })).deliveries.map((each) => [each.id, each.status]));
  const attemptsOf = async (deliveryId: string): Promise<number> => (await store.webhookDeliveries.get(deliveryId, id, world.userId)).log.length;
  expect(await statuses()).toEqual({ [delivered]: 'delivered', [exhausted]: 'exhausted', [waiting]: 'pending' });
  expect((await store.purge()).webhookDeliveries).toBe(0);
  const purgedAfter = async (days: number): Promise<number> => (await (await world.openAnother({ retention: DEFAULT_RETENTION, clock: { nowMs: () => world.clock.nowMs() + days * DAY } })).purge()).webhookDeliveries;

  expect(await purgedAfter(31)).toBe(1);
  expect(await statuses()).toEqual({ [exhausted]: 'exhausted', [waiting]: 'pending' });
  expect(await attemptsOf(exhausted)).toBe(10);
  // Resent long after: it is pending, and nobody deletes it, whenever it was settled before.
  await store.webhookDeliveries.resend(exhausted, id, world.userId, ACTOR);
  expect(await purgedAfter(400)).toBe(0);
  receiver.answer = () => 204;
  await roundOf(world, client, id);
  expect(await statuses()).toMatchObject({ [exhausted]: 'delivered' });
  expect(receiver.accepted.map((each) => each.id)).toEqual(expect.arrayContaining([delivered, exhausted, waiting]));

  receiver.answer = () => 500;
  const orphan = (await store.webhookDeliveries.test(id, world.userId)).id;
  for (let hour = 0; hour < 100; hour += 1) {
    await roundOf(world, client, id);
    world.clock.ms += 3_600_000;
  }
  expect(await statuses()).toMatchObject({ [orphan]: 'exhausted' });
  await store.webhooks.remove(id, world.userId, ACTOR);
  expect(await purgedAfter(31)).toBe(3);
}, 120_000);

test('an exhausted one that nobody recovered goes when its year is over, and its attempts with it', async () => {
  const { store } = world;
  receiver.secret = newWebhookSecret();
  const { id } = await store.webhooks.create({ userId: world.userId, url: receiver.url, description: '', eventTypes: ['deposit.*'], accountIds: null, rateLimit: null, ordering: 'none', secret: receiver.secret }, ACTOR);
  receiver.answer = () => 500;
  const exhausted = (await store.webhookDeliveries.test(id, world.userId)).id;
  for (let hour = 0; hour < 100; hour += 1) {
    await roundOf(world, client, id);
    world.clock.ms += 3_600_000;
  }
  const later = await world.openAnother({ clock: { nowMs: () => world.clock.nowMs() + 366 * DAY } });
  expect((await later.purge()).webhookDeliveries).toBe(1);
  await expect(store.webhookDeliveries.get(exhausted, id, world.userId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await queried(world.databaseUrl, 'SELECT number FROM webhook_attempts WHERE delivery_id = $1', exhausted)).toEqual([]);
}, 120_000);
