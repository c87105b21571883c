import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { openStoreWorld, type StoreWorld } from './harness';

let world: StoreWorld;
let userId: string;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  userId = (await world.store.users.createUser(`user ${randomUUID()}`)).id;
});

const DAY_MS = 86_400_000;
const ACTOR = 'key:boss';
const make = (changes: Partial<Parameters<StoreWorld['store']['apiKeys']['create']>[0]> = {}) => world.store.apiKeys.create({ userId, name: 'terminal', scopes: ['trade'], expiresAt: null, rates: null, ...changes }, ACTOR);
const works = async (plain: string): Promise<boolean> => (await world.store.users.authenticate(plain)) !== null;
const inMs = (ms: number): string => new Date(world.clock.nowMs() + ms).toISOString();
const code = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: { code?: string }) => error.code ?? String(error));

describe('an API key', () => {
  test('has the scopes and limits it was made with, and is listed without the key itself', async () => {
    const { apiKey, plain } = await make({ rates: { orders: '50/s', reads: 'off' } });
    expect(plain).toMatch(/^sf_[0-9A-Za-z]{32}$/);
    expect(await world.store.users.authenticate(plain)).toEqual({ userId, keyId: apiKey.id, scopes: ['trade'], rates: { orders: { count: 50, periodMs: 1_000, burst: 50 }, reads: null } });
    const listed = await world.store.apiKeys.list(userId);
    expect(listed.map(({ lastUsedAt: _used, ...key }) => key)).toEqual([{ id: apiKey.id, name: 'terminal', scopes: ['trade'], createdAt: apiKey.createdAt, expiresAt: null, revokedAt: null, rotatedFrom: null, rates: { orders: '50/s', reads: 'off' } }]);
    expect(JSON.stringify(listed)).not.toContain(plain);
  });

  test('stops working at its end', async () => {
    const over = await make({ expiresAt: inMs(-1) });
    const living = await make({ expiresAt: inMs(DAY_MS) });
    expect([await works(over.plain), await works(living.plain)]).toEqual([false, true]);
  });

  test('that ends with the last year there is, is replaced by one that does', async () => {
    const { apiKey } = await make({ expiresAt: '9999-12-31T23:59:59.000Z' });
    world.clock.ms += 2_000;
    expect((await world.store.apiKeys.rotate(apiKey.id, userId, 3_600, ACTOR)).apiKey.expiresAt).toBe('9999-12-31T23:59:59.999Z');
  });

  test('tells when it was last used', async () => {
    const { apiKey, plain } = await make();
    const used = async (): Promise<string | null> => (await world.store.apiKeys.list(userId)).find(({ id }) => id === apiKey.id)?.lastUsedAt ?? null;
    expect(await used()).toBeNull();
    const before = world.clock.nowMs();
    await world.store.users.authenticate(plain);
    let at: string | null = null;
    while (at === null) at = await used();
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
  });

  test('is replaced: the old one works until the overlap is over or its own end comes', async () => {
    const old = await make({ rates: { orders: '1/s' } });
    const fresh = await world.store.apiKeys.rotate(old.apiKey.id, userId, 3_600, ACTOR);
    expect([await works(old.plain), await works(fresh.plain)]).toEqual([true, true]);
    expect(fresh.apiKey).toMatchObject({ name: 'terminal', scopes: ['trade'], rotatedFrom: old.apiKey.id, expiresAt: null, rates: { orders: '1/s' } });
    const ends = (await world.store.apiKeys.list(userId)).find(({ id }) => id === old.apiKey.id)?.expiresAt ?? '';
    expect(Math.abs(Date.parse(ends) - world.clock.nowMs() - 3_600_000)).toBeLessThan(60_000);
    const at = await world.store.apiKeys.rotate(fresh.apiKey.id, userId, 0, ACTOR);
    expect([await works(fresh.plain), await works(at.plain)]).toEqual([false, true]);
    const short = await make({ expiresAt: inMs(DAY_MS) });
    const longer = await world.store.apiKeys.rotate(short.apiKey.id, userId, 30 * 86_400, ACTOR);
    const listed = await world.store.apiKeys.list(userId);
    expect(listed.find(({ id }) => id === short.apiKey.id)?.expiresAt).toBe(short.apiKey.expiresAt);
    expect(Math.abs(Date.parse(longer.apiKey.expiresAt ?? '') - world.clock.nowMs() - DAY_MS)).toBeLessThan(60_000);
  });

  test('rotated again, as after an answer that was lost, has a successor that lives as long as the first, not as long as the overlap', async () => {
    const [endless, ending] = [await make(), await make({ expiresAt: inMs(10 * DAY_MS) })];
    for (const old of [endless, ending]) {
      const [first, again] = [await world.store.apiKeys.rotate(old.apiKey.id, userId, 60, ACTOR), await world.store.apiKeys.rotate(old.apiKey.id, userId, 3_600, ACTOR)];
      const life = ({ expiresAt, createdAt }: typeof first.apiKey): number | null => (expiresAt === null ? null : Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / DAY_MS));
      await world.store.apiKeys.rotate(first.apiKey.id, userId, 60, ACTOR);
      const third = await world.store.apiKeys.rotate(old.apiKey.id, userId, 60, ACTOR);
      expect([first, again, third].map(({ apiKey }) => life(apiKey))).toEqual(old === endless ? [null, null, null] : [10, 10, 10]);
    }
  });

  test('that has ended is not replaced', async () => {
    const over = await make({ expiresAt: inMs(-1) });
    const revoked = await make();
    await world.store.apiKeys.revoke(revoked.apiKey.id, userId, ACTOR);
    for (const { apiKey } of [over, revoked]) expect(await code(world.store.apiKeys.rotate(apiKey.id, userId, 60, ACTOR))).toBe('CONFLICT');
  });

  test('is not there for another user', async () => {
    const { apiKey, plain } = await make();
    const stranger = (await world.store.users.createUser('a stranger')).id;
    expect(await world.store.apiKeys.list(stranger)).toEqual([]);
    expect([await code(world.store.apiKeys.rotate(apiKey.id, stranger, 0, ACTOR)), await code(world.store.apiKeys.revoke(apiKey.id, stranger, ACTOR))]).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(await works(plain)).toBe(true);
  });

  test('that is the last to administer stays, even when two are revoked at once', async () => {
    const admins = [await make({ scopes: ['admin'] }), await make({ scopes: ['admin'] })];
    await make({ scopes: ['admin'], expiresAt: inMs(-1) });
    await make();
    const outcomes = await Promise.all(admins.map(({ apiKey }) => code(world.store.apiKeys.revoke(apiKey.id, userId, ACTOR))));
    expect(outcomes.sort()).toEqual(['CONFLICT', 'done']);
  });

  test('is one of a hundred at most', async () => {
    for (let n = 0; n < 100; n += 1) await make({ name: `key ${n}` });
    expect(await code(make())).toBe('CONFLICT');
  });
});
