/** What changes while a delivery is under way: the webhook goes, its secret is another, the clock is set. Over a real PostgreSQL and real HTTP. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { deliverRound, type DelivererPorts, type DeliveryRound } from '../../../src/activities/webhook-deliverer';
import { newWebhookSecret } from '../../../src/delivery/signature';
import { DomainError } from '../../../src/domain/errors';
import { sequencesOf, ascending } from './webhook-receiver';
import { ACTOR, HOUR_MS, WebhookWorld } from './webhook-world';
import { queried } from '../../support/queried';
import { environmentKeyProvider } from '../../../src/store/keys/local-key-provider';
import type { Store } from '../../../src/store';

let hooks: WebhookWorld;
beforeAll(async () => {
  hooks = await WebhookWorld.open();
});
afterAll(() => hooks.close());
beforeEach(() => hooks.begin());
afterEach(() => hooks.receiver.stop());

function roundWith(changes: Partial<DelivererPorts>): Promise<DeliveryRound> {
  const { store, clock } = hooks.world;
  const leaving = new AbortController().signal;
  const awaitNews = (_id: string, signal: AbortSignal): Promise<boolean> => new Promise((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }));
  return deliverRound({ clock, outbox: store.webhookOutbox, client: hooks.client, secretsOf: (id) => store.webhooks.secretsOf(id), awaitNews, lingerMs: 0, leaving, ...changes }, hooks.endpointId, leaving);
}
const remove = (): Promise<unknown> => hooks.store.webhooks.remove(hooks.endpointId, hooks.world.userId, ACTOR);
const rows = (): Promise<readonly unknown[]> =>
  queried(hooks.world.databaseUrl, `SELECT d.event_type AS type, d.status, array_agg(coalesce(t.code::text, t.error_class)) FILTER (WHERE t.number IS NOT NULL) AS attempts FROM webhook_deliveries d LEFT JOIN webhook_attempts t ON t.delivery_id = d.id WHERE d.endpoint_id = $1 GROUP BY d.id ORDER BY d.number`, hooks.endpointId);

test('a webhook that is deleted between the claim and its signature sends nothing unsigned, and its round ends in peace', async () => {
  await hooks.placed();
  const secretsOf: DelivererPorts['secretsOf'] = async (id) => {
    await remove();
    return hooks.store.webhooks.secretsOf(id);
  };
  expect((await roundWith({ secretsOf })).state).toBe('deleted');
  expect(hooks.receiver.all).toEqual([]);
  expect(await rows()).toEqual([{ type: 'order.submitting', status: 'discarded', attempts: ['interrupted'] }, { type: 'order.working', status: 'discarded', attempts: null }]);
});

test('a webhook that is deleted while its receiver has the request sends nothing more, and what was answered is still written', async () => {
  await hooks.placed();
  const { client } = hooks;
  const post: DelivererPorts['client'] = { post: async (request) => {
    const outcome = await client.post(request);
    await remove();
    return outcome;
  } };
  expect((await roundWith({ client: post })).state).toBe('deleted');
  expect(hooks.receiver.accepted.map(({ type }) => type)).toEqual(['order.submitting']);
  expect(await rows()).toEqual([{ type: 'order.submitting', status: 'discarded', attempts: ['204'] }, { type: 'order.working', status: 'discarded', attempts: null }]);
});

test('a secret that is replaced at once, while a delivery signed with it is under way: what the receiver refuses comes again with the new one', async () => {
  const fresh = newWebhookSecret();
  await hooks.placed();
  hooks.receiver.answer = ({ verifies }) => (verifies ? 204 : 401);
  const secretsOf: DelivererPorts['secretsOf'] = async (id) => {
    const before = await hooks.store.webhooks.secretsOf(id);
    if (hooks.receiver.secret !== fresh) {
      await hooks.store.webhooks.rotateSecret(hooks.endpointId, hooks.world.userId, fresh, 0, ACTOR);
      hooks.receiver.secret = fresh;
    }
    return before;
  };
  await roundWith({ secretsOf });
  expect(hooks.receiver.all.map(({ type, verifies }) => [type, verifies])).toEqual([['order.submitting', false]]);
  await hooks.live(60_000);
  expect(hooks.receiver.accepted.map(({ type, verifies }) => [type, verifies])).toEqual([['order.submitting', true], ['order.working', true]]);
  expect(new Set(hooks.receiver.all.filter(({ type }) => type === 'order.submitting').map(({ id }) => id)).size).toBe(1);
  await remove();
});

test('a clock that is set back an hour, and one that is set ahead a day, lose nothing and send nothing twice', async () => {
  hooks.receiver.answer = () => 503;
  const orders = [await hooks.placed(), await hooks.placed()];
  await hooks.round();
  hooks.world.clock.ms -= HOUR_MS;
  hooks.receiver.answer = () => 204;
  orders.push(await hooks.placed());
  await hooks.live(10 * 60_000);
  expect(sequencesOf(hooks.receiver.accepted, orders[2] ?? '')).toHaveLength(2);
  hooks.world.clock.ms += 24 * HOUR_MS;
  orders.push(await hooks.placed());
  await hooks.live(10 * 60_000);
  for (const orderId of orders) {
    expect(sequencesOf(hooks.receiver.accepted, orderId)).toHaveLength(2);
    expect(sequencesOf(hooks.receiver.accepted, orderId)).toEqual(ascending(sequencesOf(hooks.receiver.accepted, orderId)));
  }
  expect(new Set(hooks.receiver.accepted.map(({ id }) => id)).size).toBe(hooks.receiver.accepted.length);
  await remove();
});

test('what a receiver took while PostgreSQL did not answer for a moment is not sent to it again', async () => {
  for (let n = 0; n < 5; n += 1) await hooks.placed();
  const { webhookOutbox } = hooks.store;
  let failures = 2;
  const step: typeof webhookOutbox.step = (id, settled, room) => (settled.length > 0 && (failures -= 1) >= 0 ? Promise.reject(new DomainError('SERVICE_UNAVAILABLE', 'the database cannot be reached')) : webhookOutbox.step(id, settled, room));
  await roundWith({ outbox: { fanOut: (id) => webhookOutbox.fanOut(id), step } }).catch(() => undefined); // its workflow tries again
  hooks.world.clock.ms += 21_000; // every claim has run out
  await hooks.live(1_000);
  expect(hooks.receiver.accepted).toHaveLength(10);
  expect(new Set(hooks.receiver.accepted.map(({ id }) => id)).size).toBe(10);
  await remove();
});

test('a round that fails while a receiver has a request still writes that it was taken', async () => {
  await hooks.placed();
  const { webhookOutbox } = hooks.store;
  let answered = (): void => undefined;
  const failed = new Promise<void>((resolve) => (answered = resolve));
  const client: DelivererPorts['client'] = {
    post: async (request) => {
      await failed;
      return hooks.client.post(request);
    },
  };
  let reads = 0;
  const fanOut: typeof webhookOutbox.fanOut = (id) => {
    reads += 1;
    if (reads === 1) return webhookOutbox.fanOut(id);
    answered();
    return Promise.reject(new DomainError('SERVICE_UNAVAILABLE', 'the database cannot be reached'));
  };
  await expect(roundWith({ client, awaitNews: () => Promise.resolve(true), outbox: { fanOut, step: (...given) => webhookOutbox.step(...given) } })).rejects.toThrow('cannot be reached');
  hooks.world.clock.ms += 21_000;
  await hooks.live(1_000);
  expect(hooks.receiver.accepted.map(({ type }) => type)).toEqual(['order.submitting', 'order.working']);
  await remove();
});

test('a breaker that opened before the clock was set back by an hour holds what comes now no longer than its longest wait', async () => {
  hooks.receiver.answer = () => 503;
  for (let n = 0; n < 6; n += 1) await hooks.placed();
  await hooks.round();
  hooks.world.clock.ms -= HOUR_MS;
  hooks.receiver.answer = () => 204;
  const orderId = await hooks.placed();
  await hooks.live(10 * 60_000);
  expect(sequencesOf(hooks.receiver.accepted, orderId)).toHaveLength(2);
  await remove();
});

/** A process that has another master key than the one that sealed what is there. */
const withNextKey = (): Promise<Store> => hooks.world.openAnother({ keyProvider: environmentKeyProvider([Buffer.alloc(32, 7)]) });

test('a webhook whose secret is sealed by a master key that is merely elsewhere waits for a process that has it, and is not disabled', async () => {
  await hooks.placed();
  const next = await withNextKey();
  await expect(roundWith({ outbox: next.webhookOutbox, secretsOf: (id) => next.webhooks.secretsOf(id) })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  hooks.world.clock.ms += 20_001; // the claim has run out
  await hooks.live(1_000);
  expect(hooks.receiver.accepted.map(({ type, verifies }) => [type, verifies])).toEqual([['order.submitting', true], ['order.working', true]]);
  await remove();
});

test('a webhook whose secret is lost with its master key is disabled in words, sends nothing unsigned, and with a rotated secret delivers all that waited', async () => {
  const { userId } = hooks.world;
  const next = await withNextKey();
  const lost = hooks.world.store;
  const { key_id: keyId } = (await queried<{ key_id: string }>(hooks.world.databaseUrl, 'SELECT key_id FROM webhook_secrets WHERE endpoint_id = $1', hooks.endpointId))[0] ?? { key_id: '' };
  await hooks.placed();
  await next.lostKeys.mark(keyId, 'setting:SUREFILL_LOST_MASTER_KEY');
  const round = (): Promise<DeliveryRound> => roundWith({ outbox: next.webhookOutbox, secretsOf: (id) => next.webhooks.secretsOf(id) });
  expect(await round()).toMatchObject({ state: 'disabled', disabledReason: 'secretLost', delivered: 0 });
  expect([hooks.receiver.all, await lost.webhooks.get(hooks.endpointId, userId)]).toMatchObject([[], { status: 'disabled', disabledReason: 'secretLost' }]);
  const told = (await next.events.since(`user:${userId}`, 0, 1_000)).filter(({ data }) => data['endpointId'] === hooks.endpointId);
  expect(told.map(({ type, data }) => [type, data['kind'], data['reason']])).toEqual([['account.alert', 'webhookDisabled', 'secretLost']]);
  // Enabled without a new one it is disabled again; the old secret would sign for a day beside the new one, if anyone had it.
  await next.webhooks.enable(hooks.endpointId, userId, { skipMissed: false }, ACTOR);
  expect((await round()).state).toBe('disabled');
  hooks.receiver.secret = newWebhookSecret();
  await next.webhooks.rotateSecret(hooks.endpointId, userId, hooks.receiver.secret, 86_400, ACTOR);
  await next.webhooks.enable(hooks.endpointId, userId, { skipMissed: false }, ACTOR);
  expect((await round()).state).toBe('enabled');
  expect(hooks.receiver.accepted.map(({ type }) => type).filter((type) => type.startsWith('order.'))).toEqual(['order.submitting', 'order.working']);
  expect(hooks.receiver.all.every(({ verifies }) => verifies)).toBe(true);
  await remove();
});
