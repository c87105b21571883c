/**
 * S40 and its neighbours: the outbox of a real PostgreSQL, delivered over real HTTP to receivers that verify with the npm package
 * standardwebhooks. Time is the test's.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020';
import type { DeliveryRound } from '../../src/activities/webhook-deliverer';
import { AddressGuard, networkOf } from '../../src/delivery/address-guard';
import { GuardedClient } from '../../src/delivery/guarded-client';
import { newWebhookSecret } from '../../src/delivery/signature';
import type { Account } from '../../src/domain/account';
import { eventCatalogue } from '../../src/schemas/webhook-events';
import { ascending, Receiver, roundOf, sequencesOf } from './webhook-receiver';
import { fillOf, intentFor, openStoreWorld, OWNER, seen, viewOf, type StoreWorld } from './store-harness';

const HOUR = 3_600_000;
const ACTOR = 'key:test';

let world: StoreWorld;
let account: Account;
let receiver: Receiver;
let client: GuardedClient;
let endpointId = '';

beforeAll(async () => {
  world = await openStoreWorld();
  client = new GuardedClient({ guard: new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null)), allowHttp: true, timeoutMs: 2_000 });
});
afterAll(async () => {
  await client.close();
  await world.close();
});
beforeEach(async () => {
  world.clock.ms = Date.now();
  account = await world.newAccount();
  receiver = await Receiver.start();
  endpointId = await subscribe();
});
afterEach(async () => {
  await world.store.webhooks.remove(endpointId, world.userId, ACTOR);
  await receiver.stop();
});

async function subscribe(changes: Partial<Parameters<StoreWorld['store']['webhooks']['create']>[0]> = {}): Promise<string> {
  receiver.secret = newWebhookSecret();
  const { id } = await world.store.webhooks.create({ userId: world.userId, url: receiver.url, description: '', eventTypes: ['*'], accountIds: [account.id], rateLimit: null, ordering: 'perKey', secret: receiver.secret, ...changes }, ACTOR);
  return id;
}

const round = (id = endpointId): Promise<DeliveryRound> => roundOf(world, client, id);

/** Rounds and the waits between them, until that time has passed: what the workflow does. */
async function live(forMs: number): Promise<void> {
  const endMs = world.clock.ms + forMs;
  for (;;) {
    const { waitMs } = await round();
    if (world.clock.ms >= endMs) return;
    world.clock.ms = Math.min(endMs, world.clock.ms + Math.max(waitMs, 1));
  }
}

/** An order that is placed and works: events order.submitting and order.working. */
async function placed(): Promise<string> {
  const intent = intentFor(account);
  await world.store.placing.recordOrders([intent], OWNER);
  await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
  return intent.id;
}

describe('S40: the endpoint is down for nine hours', () => {
  test('every event arrives later, in order per order, under one webhook-id, signed for the secret of then and of now', async () => {
    receiver.answer = () => 503;
    const startedAt = (await world.store.events.heads([`account:${account.id}`])).get(`account:${account.id}`) ?? 0;
    const orders: string[] = [];
    for (let n = 0; n < 6; n += 1) orders.push(await placed());
    await live(9 * HOUR - 60_000);
    expect(receiver.accepted).toEqual([]);
    const idsWhileDown = new Map(receiver.all.map((each) => [`${each.type}/${each.sequence}`, each.id]));
    expect(idsWhileDown.size).toBeGreaterThan(0);
    // The secret is rotated while it is down; the receiver learns of it later, and verifies with the old one meanwhile.
    const fresh = newWebhookSecret();
    await world.store.webhooks.rotateSecret(endpointId, world.userId, fresh, 86_400, ACTOR);
    orders.push(await placed());
    receiver.answer = ({ orderId }) => {
      // Half way through it has learned the new secret.
      if (orderId === orders[3]) receiver.secret = fresh;
      return 204;
    };
    await live(12 * HOUR);
    const outbox = (await world.store.events.since(`account:${account.id}`, 0, 1_000)).filter(({ sequence }) => sequence > startedAt);
    // Nothing of the outbox is missing, nothing is twice.
    expect(ascending(receiver.accepted.map(({ sequence }) => sequence))).toEqual(outbox.map(({ sequence }) => sequence));
    for (const orderId of orders) expect(sequencesOf(receiver.accepted, orderId)).toEqual(ascending(sequencesOf(receiver.accepted, orderId)));
    expect(receiver.accepted.every(({ verifies }) => verifies)).toBe(true);
    for (const { type, sequence, id } of receiver.all) expect(idsWhileDown.get(`${type}/${sequence}`) ?? id).toBe(id);
    expect(new Set(receiver.accepted.map(({ id }) => id)).size).toBe(receiver.accepted.length);
    expect((await world.store.webhooks.get(endpointId, world.userId)).waiting).toBe(0);
  }, 120_000);

  test('one event that always fails holds back only its own order, and is exhausted after ten tries in 75 hours; its owner is told', async () => {
    const poison = await placed();
    receiver.answer = ({ orderId, type }) => (orderId === poison && type === 'order.submitting' ? 500 : 204);
    const others: string[] = [];
    for (let n = 0; n < 3; n += 1) others.push(await placed());
    await live(HOUR);
    expect(sequencesOf(receiver.accepted, poison)).toEqual([]);
    for (const orderId of others) expect(sequencesOf(receiver.accepted, orderId)).toHaveLength(2);
    await live(100 * HOUR);
    expect(receiver.accepted.filter(({ orderId }) => orderId === poison).map(({ type }) => type)).toEqual(['order.working']);
    expect(receiver.all.filter(({ orderId, type }) => orderId === poison && type === 'order.submitting')).toHaveLength(10);
    const { deliveries } = await world.store.webhookDeliveries.list({ endpointId, userId: world.userId, status: 'exhausted', cursor: null, limit: 10 });
    expect(deliveries).toMatchObject([{ eventType: 'order.submitting', attempts: 10, nextAttemptAt: null }]);
    const detail = await world.store.webhookDeliveries.get(deliveries[0]?.id ?? '', endpointId, world.userId);
    expect(detail.log.map(({ number, code, errorClass }) => [number, code, errorClass])).toEqual(Array.from({ length: 10 }, (_, n) => [n + 1, 500, 'answer']));
    expect(detail.log[0]?.answer).toBe('Bearer [redacted] is not welcome');
    const told = (await world.store.events.since(`user:${world.userId}`, 0, 1_000)).filter(({ data }) => data['endpointId'] === endpointId).map(({ type, data }) => [type, data['kind']]);
    expect(told).toEqual([['account.alert', 'webhookFailing'], ['account.alert', 'webhookExhausted']]);
    // Redriven, it arrives with the same id.
    receiver.answer = () => 204;
    expect(await world.store.webhookDeliveries.recover(endpointId, world.userId, new Date(0).toISOString(), ACTOR)).toEqual({ recovered: 1, more: false });
    await round();
    expect(receiver.accepted.at(-1)).toMatchObject({ id: deliveries[0]?.id, type: 'order.submitting', verifies: true });
  }, 120_000);
});

describe('what an endpoint answers', () => {
  test('410 disables it at once; enabled again, it goes on where it stopped', async () => {
    receiver.answer = () => 410;
    const first = await placed();
    expect((await round()).state).toBe('disabled');
    expect(await world.store.webhooks.get(endpointId, world.userId)).toMatchObject({ status: 'disabled', disabledReason: 'gone' });
    const before = receiver.all.length;
    const second = await placed();
    expect(await round()).toMatchObject({ state: 'disabled', waitMs: HOUR });
    expect(receiver.all).toHaveLength(before);
    receiver.answer = () => 200;
    await world.store.webhooks.enable(endpointId, world.userId, { skipMissed: false }, ACTOR);
    await round();
    for (const orderId of [first, second]) expect(sequencesOf(receiver.accepted, orderId)).toHaveLength(2);
  });

  test('nothing but failures for 120 hours disables it, and its owner is told', async () => {
    receiver.answer = () => null;
    for (let n = 0; n < 8; n += 1) {
      await placed();
      await live(16 * HOUR);
    }
    expect(await world.store.webhooks.get(endpointId, world.userId)).toMatchObject({ status: 'disabled', disabledReason: 'failing' });
    const kinds = (await world.store.events.since(`user:${world.userId}`, 0, 1_000)).filter(({ data }) => data['endpointId'] === endpointId).map(({ data }) => data['kind']);
    expect(kinds.at(-1)).toBe('webhookDisabled');
  }, 60_000);

  test('five failures in a row open the breaker: with forty orders waiting it is asked once in a while, not forty times', async () => {
    receiver.answer = () => 500;
    for (let n = 0; n < 40; n += 1) await placed();
    await round();
    const first = receiver.all.length;
    // All that may be side by side, and those that took the places of the first four failures.
    expect(first).toBeLessThanOrEqual(36);
    world.clock.ms += 29_000;
    await round();
    expect(receiver.all).toHaveLength(first);
    world.clock.ms += 2_000;
    await round();
    expect(receiver.all).toHaveLength(first + 1);
  });

  test('Retry-After is heeded', async () => {
    receiver.answer = () => 429;
    receiver.headers = { 'retry-after': '90' };
    await placed();
    const { waitMs } = await round();
    expect(waitMs).toBe(60_000);
    const delivery = (await world.store.webhookDeliveries.list({ endpointId, userId: world.userId, status: 'pending', cursor: null, limit: 10 })).deliveries.find(({ attempts }) => attempts === 1);
    expect(Date.parse(delivery?.nextAttemptAt ?? '') - world.clock.ms).toBe(90_000);
  });

  test('a rate limit holds what is due back until there is room', async () => {
    await world.store.webhooks.change(endpointId, world.userId, { rateLimit: '5/min burst 5' }, ACTOR);
    for (let n = 0; n < 10; n += 1) await placed();
    const { waitMs } = await round();
    expect([receiver.accepted.length, waitMs]).toEqual([5, 12_000]);
    world.clock.ms += 60_000;
    await round();
    expect(receiver.accepted).toHaveLength(10);
  });
});

describe('exactly the events of the outbox', () => {
  test('from the moment it was made, of its accounts and types, once each, as the catalogue describes them', async () => {
    const other = await subscribe({ eventTypes: ['trade.executed', 'fill.*', 'order.filled'], accountIds: null });
    const intent = intentFor(account);
    await world.store.placing.recordOrders([intent], OWNER);
    const writer = await world.store.watching.takeEpoch(`account/${account.id}`, 'test');
    await world.store.watching.applyFills(writer, account.id, [fillOf(intent)]);
    await round(other);
    expect(receiver.accepted.map(({ type }) => type).sort()).toEqual(['fill.created', 'order.filled', 'trade.executed']);
    await round(other);
    expect(receiver.accepted).toHaveLength(3);
    await round();
    const schemas = new Map(eventCatalogue().map(({ type, schema }) => [type, new Ajv2020({ strict: false, validateFormats: false }).compile(schema)]));
    for (const { type, body } of receiver.accepted) {
      const takes = schemas.get(type);
      expect([type, takes?.(body), takes?.errors]).toEqual([type, true, null]);
    }
    expect(receiver.accepted.map(({ type }) => type)).toEqual(expect.arrayContaining(['position.updated', 'trade.opened', 'order.submitting']));
    await world.store.webhooks.remove(other, world.userId, ACTOR);
  });

  test('two rounds at once, as when an activity timed out beside its successor, send nothing twice', async () => {
    for (let n = 0; n < 10; n += 1) await placed();
    await Promise.all([round(), round(), round()]);
    const ids = receiver.all.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(receiver.accepted).toHaveLength(20);
  });

  test('an attempt whose process died is interrupted, and made again once its time is over', async () => {
    await placed();
    await world.store.webhookOutbox.fanOut(endpointId);
    const { claims } = await world.store.webhookOutbox.step(endpointId, [], { wanted: 1, inFlight: 0 });
    expect(claims).toHaveLength(1);
    await round();
    expect(receiver.all).toEqual([]);
    world.clock.ms += 21_000;
    await round();
    expect(receiver.accepted).toHaveLength(2);
    const { log } = await world.store.webhookDeliveries.get(claims[0]?.id ?? '', endpointId, world.userId);
    expect(log.map(({ number, code, errorClass }) => [number, code, errorClass])).toEqual([[1, null, 'interrupted'], [2, 204, null]]);
  });

  test('resent, a delivery has the same bytes and id; a test reaches whatever is subscribed', async () => {
    const orderId = await placed();
    await round();
    const [first] = receiver.accepted.filter((each) => each.orderId === orderId);
    await world.store.webhookDeliveries.resend(first?.id ?? '', endpointId, world.userId, ACTOR);
    const sent = await world.store.webhookDeliveries.test(endpointId, world.userId);
    await round();
    expect(receiver.accepted.slice(2).map(({ id, body }) => [id, body['type']]).sort()).toEqual([[first?.id, 'order.submitting'], [sent.id, 'webhook.test']].sort());
    expect(receiver.accepted.find(({ id }, index) => id === first?.id && index >= 2)?.body).toEqual(first?.body);
    await expect(world.store.webhookDeliveries.get(sent.id, endpointId, 'another user')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(world.store.webhookDeliveries.list({ endpointId, userId: 'another user', status: null, cursor: null, limit: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('one that was disabled may skip what it missed; one in series keeps the order of all', async () => {
    await world.store.webhooks.change(endpointId, world.userId, { enabled: false, ordering: 'serial' }, ACTOR);
    await placed();
    await world.store.webhooks.enable(endpointId, world.userId, { skipMissed: true }, ACTOR);
    for (let n = 0; n < 3; n += 1) await placed();
    await round();
    expect(receiver.accepted).toHaveLength(6);
    expect(receiver.accepted.map(({ sequence }) => sequence)).toEqual(ascending(receiver.accepted.map(({ sequence }) => sequence)));
  });
});

describe('secrets', () => {
  test('at most two old ones sign besides, each until its overlap ends; they are sealed in the database', async () => {
    const secrets = [receiver.secret];
    for (let n = 0; n < 3; n += 1) {
      world.clock.ms += 1_000;
      secrets.unshift(newWebhookSecret());
      await world.store.webhooks.rotateSecret(endpointId, world.userId, secrets[0] ?? '', 3_600, ACTOR);
    }
    expect(await world.store.webhooks.secretsOf(endpointId)).toEqual(secrets.slice(0, 3));
    world.clock.ms += 3_600_001;
    expect(await world.store.webhooks.secretsOf(endpointId)).toEqual(secrets.slice(0, 1));
  });

  test('the endpoint of an account that is not the user\'s is not made', async () => {
    await expect(subscribe({ accountIds: ['nobody'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await world.store.webhooks.concernedBy([`account:${account.id}`, 'account:nobody'])).toContain(endpointId);
    expect((await world.store.webhooks.active()).map(({ id }) => id)).toContain(endpointId);
  });
});
