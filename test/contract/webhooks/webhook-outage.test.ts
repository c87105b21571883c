/** S40: nine hours without the receiver, over the outbox of a real PostgreSQL and real HTTP. Time is the test's. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newWebhookSecret } from '../../../src/delivery/signature';
import { ascending, sequencesOf } from './webhook-receiver';
import { ACTOR, HOUR_MS, WebhookWorld } from './webhook-world';

let hooks: WebhookWorld;
beforeAll(async () => {
  hooks = await WebhookWorld.open();
});
afterAll(() => hooks.close());
beforeEach(() => hooks.begin());
afterEach(() => hooks.end());

describe('S40: the endpoint is down for nine hours', () => {
  test('every event arrives later, in order per order, under one webhook-id, signed for the secret of then and of now', async () => {
    hooks.receiver.answer = () => 503;
    const startedAt = (await hooks.store.events.heads([`account:${hooks.account.id}`])).get(`account:${hooks.account.id}`) ?? 0;
    const orders: string[] = [];
    for (let n = 0; n < 6; n += 1) orders.push(await hooks.placed());
    await hooks.live(9 * HOUR_MS - 60_000);
    expect(hooks.receiver.accepted).toEqual([]);
    const idsWhileDown = new Map(hooks.receiver.all.map((each) => [`${each.type}/${each.sequence}`, each.id]));
    expect(idsWhileDown.size).toBeGreaterThan(0);
    // The secret is rotated while it is down; the receiver learns of it later, and verifies with the old one meanwhile.
    const fresh = newWebhookSecret();
    await hooks.store.webhooks.rotateSecret(hooks.endpointId, hooks.world.userId, fresh, 86_400, ACTOR);
    orders.push(await hooks.placed());
    hooks.receiver.answer = ({ orderId }) => {
      // Half way through it has learned the new secret.
      if (orderId === orders[3]) hooks.receiver.secret = fresh;
      return 204;
    };
    await hooks.live(12 * HOUR_MS);
    const outbox = (await hooks.store.events.since(`account:${hooks.account.id}`, 0, 1_000)).filter(({ sequence }) => sequence > startedAt);
    // Nothing of the outbox is missing, nothing is twice.
    expect(ascending(hooks.receiver.accepted.map(({ sequence }) => sequence))).toEqual(outbox.map(({ sequence }) => sequence));
    for (const orderId of orders) expect(sequencesOf(hooks.receiver.accepted, orderId)).toEqual(ascending(sequencesOf(hooks.receiver.accepted, orderId)));
    expect(hooks.receiver.accepted.every(({ verifies }) => verifies)).toBe(true);
    for (const { type, sequence, id } of hooks.receiver.all) expect(idsWhileDown.get(`${type}/${sequence}`) ?? id).toBe(id);
    expect(new Set(hooks.receiver.accepted.map(({ id }) => id)).size).toBe(hooks.receiver.accepted.length);
    expect((await hooks.store.webhooks.get(hooks.endpointId, hooks.world.userId)).waiting).toBe(0);
  }, 120_000);

  test('one event that always fails holds back only its own order, and is exhausted after ten tries in 75 hours; its owner is told', async () => {
    const poison = await hooks.placed();
    hooks.receiver.answer = ({ orderId, type }) => (orderId === poison && type === 'order.submitting' ? 500 : 204);
    const others: string[] = [];
    for (let n = 0; n < 3; n += 1) others.push(await hooks.placed());
    await hooks.live(HOUR_MS);
    expect(sequencesOf(hooks.receiver.accepted, poison)).toEqual([]);
    for (const orderId of others) expect(sequencesOf(hooks.receiver.accepted, orderId)).toHaveLength(2);
    await hooks.live(100 * HOUR_MS);
    expect(hooks.receiver.accepted.filter(({ orderId }) => orderId === poison).map(({ type }) => type)).toEqual(['order.working']);
    expect(hooks.receiver.all.filter(({ orderId, type }) => orderId === poison && type === 'order.submitting')).toHaveLength(10);
    const { deliveries } = await hooks.store.webhookDeliveries.list({ endpointId: hooks.endpointId, userId: hooks.world.userId, status: 'exhausted', cursor: null, limit: 10 });
    expect(deliveries).toMatchObject([{ eventType: 'order.submitting', attempts: 10, nextAttemptAt: null }]);
    const detail = await hooks.store.webhookDeliveries.get(deliveries[0]?.id ?? '', hooks.endpointId, hooks.world.userId);
    expect(detail.log.map(({ number, code, errorClass }) => [number, code, errorClass])).toEqual(Array.from({ length: 10 }, (_, n) => [n + 1, 500, 'answer']));
    expect(detail.log[0]?.answer).toBe('Bearer [redacted] is not welcome');
    const told = (await hooks.store.events.since(`user:${hooks.world.userId}`, 0, 1_000)).filter(({ data }) => data['endpointId'] === hooks.endpointId).map(({ type, data }) => [type, data['kind']]);
    expect(told).toEqual([['account.alert', 'webhookFailing'], ['account.alert', 'webhookExhausted']]);
    // Redriven, it arrives with the same id.
    hooks.receiver.answer = () => 204;
    expect(await hooks.store.webhookDeliveries.recover(hooks.endpointId, hooks.world.userId, new Date(0).toISOString(), ACTOR)).toEqual({ recovered: 1, more: false });
    await hooks.round();
    expect(hooks.receiver.accepted.at(-1)).toMatchObject({ id: deliveries[0]?.id, type: 'order.submitting', verifies: true });
  }, 120_000);
});
