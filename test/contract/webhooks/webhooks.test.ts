/**
 * What deliveries promise, over the outbox of a real PostgreSQL and real HTTP to receivers that verify with the npm package
 * standardwebhooks. Time is the test's.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020';
import { newWebhookSecret } from '../../../src/delivery/signature';
import { eventCatalogue } from '../../../src/schemas/webhook-events';
import { RECOVERY_PAGE } from '../../../src/store/webhooks/webhook-deliveries';
import { queried } from '../../support/queried';
import { ascending, sequencesOf } from './webhook-receiver';
import { fillOf, intentFor, OWNER } from '../store/harness';
import { ACTOR, HOUR_MS, WebhookWorld } from './webhook-world';

let hooks: WebhookWorld;
beforeAll(async () => {
  hooks = await WebhookWorld.open();
});
afterAll(() => hooks.close());
beforeEach(() => hooks.begin());
afterEach(() => hooks.end());

describe('what an endpoint answers', () => {
  test('410 disables it at once; enabled again, it goes on where it stopped', async () => {
    hooks.receiver.answer = () => 410;
    const first = await hooks.placed();
    expect((await hooks.round()).state).toBe('disabled');
    expect(await hooks.store.webhooks.get(hooks.endpointId, hooks.world.userId)).toMatchObject({ status: 'disabled', disabledReason: 'gone' });
    const before = hooks.receiver.all.length;
    const second = await hooks.placed();
    expect(await hooks.round()).toMatchObject({ state: 'disabled', waitMs: HOUR_MS });
    expect(hooks.receiver.all).toHaveLength(before);
    hooks.receiver.answer = () => 200;
    await hooks.store.webhooks.enable(hooks.endpointId, hooks.world.userId, { skipMissed: false }, ACTOR);
    await hooks.round();
    for (const orderId of [first, second]) expect(sequencesOf(hooks.receiver.accepted, orderId)).toHaveLength(2);
  });

  test('nothing but failures for 120 hours disables it, and its owner is told', async () => {
    hooks.receiver.answer = () => null;
    for (let n = 0; n < 8; n += 1) {
      await hooks.placed();
      await hooks.live(16 * HOUR_MS);
    }
    expect(await hooks.store.webhooks.get(hooks.endpointId, hooks.world.userId)).toMatchObject({ status: 'disabled', disabledReason: 'failing' });
    const kinds = (await hooks.store.events.since(`user:${hooks.world.userId}`, 0, 1_000)).filter(({ data }) => data['endpointId'] === hooks.endpointId).map(({ data }) => data['kind']);
    expect(kinds.at(-1)).toBe('webhookDisabled');
  }, 60_000);

  test('five failures in a row open the breaker: with forty orders waiting it is asked once in a while, not forty times', async () => {
    hooks.receiver.answer = () => 500;
    for (let n = 0; n < 40; n += 1) await hooks.placed();
    await hooks.round();
    const first = hooks.receiver.all.length;
    // All that may be side by side, and those that took the places of the first four failures.
    expect(first).toBeLessThanOrEqual(36);
    hooks.world.clock.ms += 29_000;
    await hooks.round();
    expect(hooks.receiver.all).toHaveLength(first);
    hooks.world.clock.ms += 2_000;
    await hooks.round();
    expect(hooks.receiver.all).toHaveLength(first + 1);
  });

  test('Retry-After is heeded', async () => {
    hooks.receiver.answer = () => 429;
    hooks.receiver.headers = { 'retry-after': '90' };
    await hooks.placed();
    const { waitMs } = await hooks.round();
    expect(waitMs).toBe(60_000);
    const delivery = (await hooks.store.webhookDeliveries.list({ endpointId: hooks.endpointId, userId: hooks.world.userId, status: 'pending', cursor: null, limit: 10 })).deliveries.find(({ attempts }) => attempts === 1);
    expect(Date.parse(delivery?.nextAttemptAt ?? '') - hooks.world.clock.ms).toBe(90_000);
  });

  test('a rate limit holds what is due back until there is room', async () => {
    await hooks.store.webhooks.change(hooks.endpointId, hooks.world.userId, { rateLimit: '5/min burst 5' }, ACTOR);
    for (let n = 0; n < 10; n += 1) await hooks.placed();
    const { waitMs } = await hooks.round();
    expect([hooks.receiver.accepted.length, waitMs]).toEqual([5, 12_000]);
    hooks.world.clock.ms += 60_000;
    await hooks.round();
    expect(hooks.receiver.accepted).toHaveLength(10);
  });
});

describe('exactly the events of the outbox', () => {
  test('from the moment it was made, of its accounts and types, once each, as the catalogue describes them', async () => {
    const other = await hooks.subscribe({ eventTypes: ['trade.executed', 'fill.*', 'order.filled'], accountIds: null });
    const intent = intentFor(hooks.account);
    await hooks.store.placing.recordOrders([intent], OWNER);
    const writer = await hooks.store.watching.takeEpoch(`account/${hooks.account.id}`, 'test');
    await hooks.store.watching.applyFills(writer, hooks.account.id, [fillOf(intent)]);
    await hooks.round(other);
    expect(hooks.receiver.accepted.map(({ type }) => type).sort()).toEqual(['fill.created', 'order.filled', 'trade.executed']);
    await hooks.round(other);
    expect(hooks.receiver.accepted).toHaveLength(3);
    await hooks.round();
    const schemas = new Map(eventCatalogue().map(({ type, schema }) => [type, new Ajv2020({ strict: false, validateFormats: false }).compile(schema)]));
    for (const { type, body } of hooks.receiver.accepted) {
      const takes = schemas.get(type);
      expect([type, takes?.(body), takes?.errors]).toEqual([type, true, null]);
    }
    expect(hooks.receiver.accepted.map(({ type }) => type)).toEqual(expect.arrayContaining(['position.updated', 'trade.opened', 'order.submitting']));
    await hooks.store.webhooks.remove(other, hooks.world.userId, ACTOR);
  });

  test('two rounds at once, as when an activity timed out beside its successor, send nothing twice', async () => {
    for (let n = 0; n < 10; n += 1) await hooks.placed();
    await Promise.all([hooks.round(), hooks.round(), hooks.round()]);
    const ids = hooks.receiver.all.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(hooks.receiver.accepted).toHaveLength(20);
  });

  test('an attempt whose process died is interrupted, and made again once its time is over', async () => {
    await hooks.placed();
    await hooks.store.webhookOutbox.fanOut(hooks.endpointId);
    const { claims } = await hooks.store.webhookOutbox.step(hooks.endpointId, [], { wanted: 1, inFlight: 0 });
    expect(claims).toHaveLength(1);
    await hooks.round();
    expect(hooks.receiver.all).toEqual([]);
    hooks.world.clock.ms += 21_000;
    await hooks.round();
    expect(hooks.receiver.accepted).toHaveLength(2);
    const { log } = await hooks.store.webhookDeliveries.get(claims[0]?.id ?? '', hooks.endpointId, hooks.world.userId);
    expect(log.map(({ number, code, errorClass }) => [number, code, errorClass])).toEqual([[1, null, 'interrupted'], [2, 204, null]]);
  });

  test('enabled or resent while an attempt is under way, a delivery is not made a second time', async () => {
    await hooks.placed();
    await hooks.store.webhookOutbox.fanOut(hooks.endpointId);
    const { claims } = await hooks.store.webhookOutbox.step(hooks.endpointId, [], { wanted: 1, inFlight: 0 });
    const claimed = claims[0]?.id ?? '';
    await hooks.store.webhooks.enable(hooks.endpointId, hooks.world.userId, { skipMissed: false }, ACTOR);
    await hooks.store.webhookDeliveries.resend(claimed, hooks.endpointId, hooks.world.userId, ACTOR);
    await hooks.round();
    expect(hooks.receiver.all).toEqual([]);
    const ended = { code: 204, latencyMs: 1, errorClass: null, answer: '', retryAfterMs: null };
    await hooks.store.webhookOutbox.step(hooks.endpointId, [{ id: claimed, number: 1, outcome: ended }], { wanted: 0, inFlight: 0 });
    await hooks.round();
    expect(hooks.receiver.all.map(({ type }) => type)).toEqual(['order.working']);
  });

  test('resent, a delivery has the same bytes and id; a test reaches whatever is subscribed', async () => {
    const orderId = await hooks.placed();
    await hooks.round();
    const [first] = hooks.receiver.accepted.filter((each) => each.orderId === orderId);
    await hooks.store.webhookDeliveries.resend(first?.id ?? '', hooks.endpointId, hooks.world.userId, ACTOR);
    const sent = await hooks.store.webhookDeliveries.test(hooks.endpointId, hooks.world.userId);
    await hooks.round();
    expect(hooks.receiver.accepted.slice(2).map(({ id, body }) => [id, body['type']]).sort()).toEqual([[first?.id, 'order.submitting'], [sent.id, 'webhook.test']].sort());
    expect(hooks.receiver.accepted.find(({ id }, index) => id === first?.id && index >= 2)?.body).toEqual(first?.body);
    await expect(hooks.store.webhookDeliveries.get(sent.id, hooks.endpointId, 'another user')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(hooks.store.webhookDeliveries.list({ endpointId: hooks.endpointId, userId: 'another user', status: null, cursor: null, limit: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('more are exhausted than one recovery takes: it takes those that came first, so that none of the rest comes after a later one of its order', async () => {
    const { world, endpointId } = hooks;
    await queried(
      world.databaseUrl,
      `INSERT INTO webhook_deliveries(id, user_id, endpoint_id, number, event_type, ordering_key, body, status, blocked, attempts, failures, created_at, settled_at)
       SELECT 'msg_' || md5($1 || n), $2, $1, n, 'order.working', 'order/one', '{}', 'exhausted', false, 10, 10, $3::timestamptz, $3::timestamptz FROM generate_series(1, $4::int) n`,
      endpointId, world.userId, new Date(world.clock.ms).toISOString(), RECOVERY_PAGE + 100,
    );
    expect(await hooks.store.webhookDeliveries.recover(endpointId, world.userId, new Date(world.clock.ms - HOUR_MS).toISOString(), ACTOR)).toEqual({ recovered: RECOVERY_PAGE, more: true });
    const [row] = await queried(world.databaseUrl, `SELECT max(number) FILTER (WHERE status = 'pending')::int AS pending, min(number) FILTER (WHERE status = 'exhausted')::int AS exhausted FROM webhook_deliveries WHERE endpoint_id = $1`, endpointId);
    expect(row).toEqual({ pending: RECOVERY_PAGE, exhausted: RECOVERY_PAGE + 1 });
  });

  test('one that was disabled may skip what it missed; one in series keeps the order of all', async () => {
    await hooks.store.webhooks.change(hooks.endpointId, hooks.world.userId, { enabled: false, ordering: 'serial' }, ACTOR);
    await hooks.placed();
    await hooks.store.webhooks.enable(hooks.endpointId, hooks.world.userId, { skipMissed: true }, ACTOR);
    for (let n = 0; n < 3; n += 1) await hooks.placed();
    await hooks.round();
    expect(hooks.receiver.accepted).toHaveLength(6);
    expect(hooks.receiver.accepted.map(({ sequence }) => sequence)).toEqual(ascending(hooks.receiver.accepted.map(({ sequence }) => sequence)));
  });
});

describe('secrets', () => {
  test('at most two old ones sign besides, each until its overlap ends; they are sealed in the database', async () => {
    const secrets = [hooks.receiver.secret];
    for (let n = 0; n < 3; n += 1) {
      hooks.world.clock.ms += 1_000;
      secrets.unshift(newWebhookSecret());
      await hooks.store.webhooks.rotateSecret(hooks.endpointId, hooks.world.userId, secrets[0] ?? '', 3_600, ACTOR);
    }
    expect(await hooks.store.webhooks.secretsOf(hooks.endpointId)).toEqual(secrets.slice(0, 3));
    hooks.world.clock.ms += 3_600_001;
    expect(await hooks.store.webhooks.secretsOf(hooks.endpointId)).toEqual(secrets.slice(0, 1));
  });

  test('after the clock was set back the newest still signs first, and the one it replaced still signs', async () => {
    const secrets = [hooks.receiver.secret];
    for (const stepMs of [1_000, 1_000, -HOUR_MS, 1_000]) {
      hooks.world.clock.ms += stepMs;
      secrets.unshift(newWebhookSecret());
      await hooks.store.webhooks.rotateSecret(hooks.endpointId, hooks.world.userId, secrets[0] ?? '', 86_400, ACTOR);
      expect((await hooks.store.webhooks.secretsOf(hooks.endpointId)).slice(0, 2)).toEqual(secrets.slice(0, 2));
    }
  });

  test('the endpoint of an account that is not the user\'s is not made', async () => {
    await expect(hooks.subscribe({ accountIds: ['nobody'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await hooks.store.webhooks.concernedBy([`account:${hooks.account.id}`, 'account:nobody'])).toContain(hooks.endpointId);
    expect((await hooks.store.webhooks.active()).map(({ id }) => id)).toContain(hooks.endpointId);
  });
});
