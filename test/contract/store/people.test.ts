import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DEFAULT_RISK_LIMITS } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import { intentFor, market, OWNER, openStoreWorld, seen, viewOf, wholeDatabase, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

describe('users and keys', () => {
  test('the owner is made once, even by several starts at once, and its key is shown once', async () => {
    const other = await openStoreWorld();
    try {
      const again = await Promise.all([other.store.users.ensureOwner(), other.store.users.ensureOwner()]);
      expect(again.map(({ user, apiKey }) => [user.id, apiKey])).toEqual([[other.userId, null], [other.userId, null]]);
    } finally {
      await other.close();
    }
  });

  test('a key opens its user\'s door until it is revoked, and is nowhere in the database', async () => {
    const user = await world.store.users.createUser('a trader');
    const { id, plain } = await world.store.users.createApiKey(user.id, 'terminal', ['read']);
    expect(plain).toMatch(/^sf_[0-9A-Za-z]{32}$/);
    expect(await world.store.users.authenticate(plain)).toEqual({ userId: user.id, keyId: id, scopes: ['read'] });
    expect(await world.store.users.authenticate(`${plain}x`)).toBeNull();
    expect(await wholeDatabase(world)).not.toContain(plain);
    await world.store.apiKeys.revoke(id, user.id, 'system');
    expect(await world.store.users.authenticate(plain)).toBeNull();
  });
});

describe('an account', () => {
  test('keeps its keys sealed, and gives them back to who sends for it', async () => {
    const account = await world.newAccount();
    expect(await world.store.accounts.credentials(account.id)).toEqual({ key: `key-of-${account.id}` });
    const contents = await wholeDatabase(world);
    expect(contents).not.toContain(`key-of-${account.id}`);
    const encoded = Buffer.from(`key-of-${account.id}`).toString('hex');
    expect(contents).not.toContain(encoded);
  });

  test('is its owner\'s alone', async () => {
    const account = await world.newAccount();
    const stranger = await world.store.users.createUser('a stranger');
    expect(await world.store.accounts.get(account.id, stranger.id)).toBeNull();
    expect(await world.store.accounts.get(account.id, account.userId)).toEqual(account);
    expect(await world.store.accounts.list(stranger.id)).toEqual([]);
    const intent = intentFor(account);
    await world.store.placing.recordOrders([intent], OWNER);
    expect(await world.store.orders.byId(intent.id, stranger.id)).toBeNull();
    expect(await world.store.orders.timeline(intent.id, stranger.id)).toBeNull();
  });

  test('made twice with one id is one; two of one name are a conflict', async () => {
    const account = { id: randomUUID(), userId: world.userId, name: 'only one', venue: 'paper', signerId: 'x', credential: { key: 'x' }, limits: DEFAULT_RISK_LIMITS };
    const made = await world.store.accounts.create(account);
    expect(await world.store.accounts.create(account)).toEqual(made);
    await expect(world.store.accounts.create({ ...account, id: randomUUID() })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('that is halted takes no entries, and tells its stream once', async () => {
    const account = await world.newAccount();
    await world.store.accounts.setStatus(account.id, 'HALTED', 'key revoked');
    await world.store.accounts.setStatus(account.id, 'HALTED', 'key revoked');
    await world.store.accounts.alert(account.id, { what: 'key revoked' });
    const intent = intentFor(account);
    expect((await world.store.placing.recordOrders([intent], OWNER)).items[0]?.verdict).toBe('denied');
    const events = await world.store.events.since(`account:${account.id}`, 2, 10);
    expect(events.map((event) => event.type)).toEqual(['account.statusChanged', 'account.alert', 'order.denied']);
    expect(await world.store.accounts.byId(account.id)).toMatchObject({ status: 'HALTED', statusReason: 'key revoked' });
  });
});

describe('listings', () => {
  test('of orders give each once over pages, newest first, and filter', async () => {
    const account = await world.newAccount({ balance: '1000000' });
    const intents = [];
    for (let index = 0; index < 7; index += 1) {
      world.clock.ms += index % 2;
      intents.push(intentFor(account));
      await world.store.placing.recordOrders(intents.slice(-1), OWNER);
    }
    const closed = intents[3];
    if (closed !== undefined) await world.store.evidence.apply([{ orderId: closed.id, evidence: seen(viewOf(closed, { status: 'canceled' })) }]);
    const query = { userId: account.userId, status: 'all' as const, accountId: account.id, symbol: null, venue: null, cursor: null as string | null, limit: 3 };
    const listed: string[] = [];
    for (let cursor: string | null = null, page = 0; page === 0 || cursor !== null; page += 1) {
      const { orders, nextCursor } = await world.store.orders.list({ ...query, cursor });
      listed.push(...orders.map((order) => order.id));
      cursor = nextCursor;
    }
    expect([...listed].sort()).toEqual(intents.map((intent) => intent.id).sort());
    const times = (await world.store.orders.byIds(listed)).map((order) => order.createdAt);
    expect(times).toHaveLength(7);
    expect((await world.store.orders.list({ ...query, status: 'closed', limit: 10 })).orders.map((order) => order.id)).toEqual([closed?.id]);
    expect((await world.store.orders.list({ ...query, status: 'open', limit: 10 })).orders).toHaveLength(6);
    expect((await world.store.orders.list({ ...query, symbol: 'NONE' })).orders).toEqual([]);
    await expect(world.store.orders.list({ ...query, cursor: 'not a cursor' })).rejects.toMatchObject({ code: 'VALIDATION' });
  });

  test('of markets know the venue\'s own spelling', async () => {
    await world.store.markets.upsert([{ ...market('paper'), lot: '1' }]);
    expect(await world.store.markets.get('paper', 'XRPUSDT')).toEqual({ ...market('paper'), lot: '1' });
    expect(await world.store.markets.get('paper', 'XRP-PERP')).toMatchObject({ lot: '1' });
    expect(await world.store.markets.get('paper', 'nothing')).toBeNull();
    expect(await world.store.markets.list('paper')).toHaveLength(1);
  });

  test('of settings keep what was set', async () => {
    expect(await world.store.settings.get('a')).toBeNull();
    await world.store.settings.set('a', { b: [1] }, { userId: world.userId, actor: 'key:x' });
    expect(await world.store.settings.get('a')).toEqual({ b: [1] });
  });
});

test('signed bytes and idempotency records go when their time is over, those under way stay', async () => {
  const account = await world.newAccount();
  const [sent, open] = [intentFor(account, { idempotency: { key: randomUUID(), route: 'r', bodyHash: 'h' } }), intentFor(account)];
  const calls = (await Promise.all([sent, open].map((intent) => world.store.placing.recordOrders([intent], OWNER)))).flatMap((group) => group.calls);
  await world.store.sending.report({ attemptId: calls[0]?.attemptId ?? '', fence: 1, outcome: 'answered', answer: null, evidence: [] });
  expect(await world.store.purge()).toEqual({ idempotencyKeys: 0, signedRequests: 0, events: 0, webhookDeliveries: 0, alerts: 0 });
  const later = await world.openAnother({ clock: { nowMs: () => world.clock.nowMs() + 8 * 86_400_000 } });
  const { idempotencyKeys, signedRequests } = await later.purge();
  expect([idempotencyKeys, signedRequests]).toEqual([1, 1]);
  const timelines = await Promise.all([sent, open].map((intent) => later.orders.timeline(intent.id, account.userId)));
  expect(timelines.map((timeline) => timeline?.attempts[0]?.request === null)).toEqual([true, false]);
});

test('old events go from the front of each stream; its newest stays, so that it goes on counting', async () => {
  const account = await world.newAccount();
  const stream = `account:${account.id}`;
  const before = (await world.store.events.heads([stream])).get(stream) ?? 0;
  expect(before).toBeGreaterThan(1);
  const later = await world.openAnother({ clock: { nowMs: () => world.clock.nowMs() + 400 * 86_400_000 } });
  for (;;) if ((await later.purge()).events === 0) break;
  expect((await later.events.since(stream, 0, 100)).map((event) => event.sequence)).toEqual([before]);
  await later.accounts.setStatus(account.id, 'REDUCING', 'test');
  expect((await later.events.heads([stream])).get(stream)).toBe(before + 1);
});

test('what is kept for how long is a setting', async () => {
  const account = await world.newAccount();
  await world.store.placing.recordOrders([intentFor(account, { idempotency: { key: randomUUID(), route: 'r', bodyHash: 'h' } })], OWNER);
  const retention = { idempotencyMs: 86_400_000, signedRequestsMs: 86_400_000, eventsMs: 86_400_000, webhooksMs: 86_400_000, alertsMs: 86_400_000 };
  const later = await world.openAnother({ retention, clock: { nowMs: () => world.clock.nowMs() + 2 * 86_400_000 } });
  expect(await later.purge()).toMatchObject({ idempotencyKeys: 1 });
  expect((await later.purge()).idempotencyKeys).toBe(0);
});

test('a database that is away is SERVICE_UNAVAILABLE, not a fault of the caller', async () => {
  const url = new URL(world.databaseUrl);
  url.port = '1';
  await expect(world.openAnother({ databaseUrl: url.href })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  await expect(world.store.ping()).resolves.toBeUndefined();
  expect(isoTime(world.clock.nowMs())).toMatch(/Z$/);
});
