import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness, limitOrder, type Answer } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const make = (body: Record<string, unknown>, key = api.key): Promise<Answer> => api.ask('POST', '/api/v1/api-keys', { key, body });

describe('API keys over REST', () => {
  test('a key is shown once, kept by no cache, and may what its scopes say', async () => {
    const made = await make({ name: 'watcher', scopes: ['read'] });
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect((await api.ask('GET', '/api/v1/accounts', { key: made.body.key })).status).toBe(200);
    expect((await api.ask('POST', '/api/v1/orders', { key: made.body.key, body: limitOrder() })).status).toBe(403);
    const list = await api.ask('GET', '/api/v1/api-keys');
    expect(list.body.apiKeys.map((key: Answer['body']) => key.name)).toEqual(['watcher']);
    expect(JSON.stringify(list.body)).not.toContain(made.body.key);
    expect(api.logs).not.toContain(made.body.key);
  });

  test('only a key that may administer makes, sees, replaces or revokes keys', async () => {
    const trader = (await make({ name: 'trader', scopes: ['trade'] })).body;
    for (const [method, path, body] of [['POST', '/api/v1/api-keys', { name: 'x', scopes: ['admin'] }], ['GET', '/api/v1/api-keys', undefined], ['POST', `/api/v1/api-keys/${trader.id}/rotate`, {}], ['DELETE', `/api/v1/api-keys/${trader.id}`, undefined]] as const) {
      const answer = await api.ask(method, path, { key: trader.key, body });
      expect([method, path, answer.status]).toEqual([method, path, 403]);
    }
  });

  test('a rotated key works through its overlap and no longer; a revoked one stops within a second', async () => {
    const old = (await make({ name: 'bot', scopes: ['read'] })).body;
    const fresh = (await api.ask('POST', `/api/v1/api-keys/${old.id}/rotate`, { body: { overlapSeconds: 60 } })).body;
    const statuses = async (): Promise<number[]> => Promise.all([old.key, fresh.key].map(async (key) => (await api.ask('GET', '/api/v1/accounts', { key })).status));
    expect(await statuses()).toEqual([200, 200]);
    api.backend.nowMs += 61_001;
    expect(await statuses()).toEqual([401, 200]);
    expect((await api.ask('DELETE', `/api/v1/api-keys/${fresh.id}`)).body.revokedAt).not.toBeNull();
    api.backend.nowMs += 1_001;
    expect(await statuses()).toEqual([401, 401]);
  });

  test('a key ends when it was made to end', async () => {
    const { body } = await make({ name: 'short', scopes: ['read'], expiresAt: '2026-01-31T12:00:05Z' });
    expect((await api.ask('GET', '/api/v1/accounts', { key: body.key })).status).toBe(200);
    api.backend.nowMs += 6_000;
    expect((await api.ask('GET', '/api/v1/accounts', { key: body.key })).status).toBe(401);
  });

  test.each([
    [{ name: 'x', scopes: [] }, 'at least one scope'],
    [{ name: 'x', scopes: ['root'] }, 'scopes'],
    [{ name: ' ', scopes: ['read'] }, 'name'],
    [{ name: 'x', scopes: ['read'], expiresAt: '2020-01-01T00:00:00Z' }, 'in the future'],
    [{ name: 'x', scopes: ['read'], rates: { orders: 'fast' } }, 'be off, or a rate'],
    [{ name: 'x', scopes: ['read'], rates: { coffee: '1/s' } }, 'rates'],
  ])('what makes no sense is refused: %j', async (body, words) => {
    const answer = await make(body);
    expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining(words)]);
  });
});
