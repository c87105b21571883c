import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiPorts } from '../../src/api/ports';
import { VenueRefused } from '../../src/domain/venue-errors';
import { ApiHarness, limitOrder, type Answer } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const patch = (body: unknown, id = 'main', key = api.key): Promise<Answer> => api.ask('PATCH', `/api/v1/accounts/${id}`, { key, body });
const leverage = (body: unknown, id = 'main'): Promise<Answer> => api.ask('PUT', `/api/v1/accounts/${id}/leverage`, { body });

describe('changing an account', () => {
  test('halts and releases it with a reason, and tells what watches it', async () => {
    expect((await patch({ status: 'HALTED', reason: 'holidays' })).body).toMatchObject({ status: 'HALTED', statusReason: 'holidays' });
    expect((await patch({ status: 'ACTIVE' })).body).toMatchObject({ status: 'ACTIVE', statusReason: null });
    expect(api.backend.accountChanges.told).toEqual(['by key:key-of-alice', 'main HALTED', 'by key:key-of-alice', 'main ACTIVE']);
  });

  test('replaces its key once the venue takes it; the key is in no answer and no log', async () => {
    const answer = await patch({ credentials: { key: 'canary-secret-3' }, status: 'ACTIVE', name: 'renamed' });
    expect([answer.status, answer.body.name]).toEqual([200, 'renamed']);
    expect(api.backend.accountChanges.keys.get('main')).toEqual({ key: 'canary-secret-3' });
    expect(api.backend.accountChanges.told).toContain('main ACTIVE key');
    expect(JSON.stringify(answer.body) + api.logs).not.toContain('canary-secret');
  });

  test('changes nothing when the venue refuses the new key', async () => {
    await api.close();
    api = await new ApiHarness().start((ports: ApiPorts) => ({ ...ports, venues: { ...ports.venues, tryCredentials: () => Promise.reject(new VenueRefused('paper', 'unauthorized', 'KEY_REVOKED', 'this key was revoked')) } }));
    const answer = await patch({ credentials: { key: 'revoked' }, name: 'renamed' });
    expect([answer.status, answer.body.error.code, api.backend.accounts.get('main')?.name, api.backend.accountChanges.keys.size]).toEqual([422, 'VENUE_REJECTED', 'main', 0]);
  });

  test('says when what watches it could not be told: the change stands, and the same call tells it', async () => {
    api.backend.temporalAway = true;
    const answer = await patch({ status: 'HALTED' });
    expect([answer.status, answer.body.error.outcome, api.backend.accounts.get('main')?.status]).toEqual([503, 'applied', 'HALTED']);
    api.backend.temporalAway = false;
    expect((await patch({ status: 'HALTED' })).status).toBe(200);
    expect(api.backend.accountChanges.told).toContain('main HALTED');
  });

  test.each([
    [{}, 'must change something'],
    [{ status: 'SLEEPING' }, 'status'],
    [{ reason: 'why' }, 'belongs to a status'],
    [{ status: 'ACTIVE', reason: 'why' }, 'belongs to a status'],
    [{ limits: { maxOpenOrders: 5 } }, 'limits'],
  ])('%j is refused', async (body, words) => {
    const answer = await patch(body);
    expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining(words)]);
  });

  test('needs a key that may administer, and an account of one\'s own', async () => {
    expect((await patch({ status: 'HALTED' }, 'main', api.backend.addUser('trader', ['trade']))).status).toBe(403);
    expect((await patch({ status: 'HALTED' }, 'foreign')).status).toBe(404);
    expect((await patch({ name: 'second' })).status).toBe(409);
  });
});

describe('deleting an account', () => {
  test('leaves what it did readable to its owner, and to nobody else', async () => {
    expect((await api.ask('DELETE', '/api/v1/accounts/main')).status).toBe(200);
    expect((await api.ask('GET', '/api/v1/accounts/main')).status).toBe(404);
    for (const path of ['orders?accountId=main', 'fills?accountId=main', 'positions?accountId=main&status=all', 'trades?accountId=main', 'events?accountId=main', 'accounts/main/ledger']) {
      const asked = [await api.ask('GET', `/api/v1/${path}`), await api.ask('GET', `/api/v1/${path}`, { key: api.otherKey })];
      expect([path, ...asked.map(({ status }) => status)]).toEqual([path, 200, 404]);
    }
  });

  test('ends it: it is in no list, takes no order, and its watcher is told', async () => {
    expect((await api.ask('GET', '/api/v1/accounts/main')).status).toBe(200);
    expect((await api.ask('DELETE', '/api/v1/accounts/main')).body.id).toBe('main');
    expect((await api.ask('GET', '/api/v1/accounts/main')).status).toBe(404);
    expect((await api.ask('POST', '/api/v1/orders', { body: limitOrder() })).status).toBe(404);
    expect(api.backend.accountChanges.told).toEqual(['main deleted']);
  });

  test('waits until it holds nothing', async () => {
    await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    const answer = await api.ask('DELETE', '/api/v1/accounts/main');
    expect([answer.status, answer.body.error.message]).toEqual([409, expect.stringContaining('cancel and close')]);
  });
});

describe('leverage', () => {
  test('is set at the venue in the market\'s own name, cross unless said otherwise', async () => {
    expect((await leverage({ symbol: 'BTCUSD', leverage: '5.0' })).body).toEqual({ accountId: 'main', symbol: 'BTC-PERP', leverage: '5', marginMode: 'cross' });
    expect(api.backend.accountChanges.leverages).toEqual(['main BTC-PERP 5 cross']);
  });

  test.each([
    [{ symbol: 'BTC-PERP', leverage: '20.5' }, 422, 'above the maximum of BTC-PERP, 20'],
    [{ symbol: 'BTC-PERP', leverage: '0.5' }, 422, 'at least 1'],
    [{ symbol: 'BTC-PERP', leverage: '5', marginMode: 'isolated' }, 422, 'paper has only cross'],
    [{ symbol: 'NONE', leverage: '5' }, 404, 'no such market'],
    [{ symbol: 'BTC-PERP', leverage: 5 }, 400, 'leverage'],
    [{ symbol: 'BTC-PERP', leverage: '-5' }, 400, 'above zero'],
  ])('%j is refused', async (body, status, words) => {
    const answer = await leverage(body);
    expect([answer.status, answer.body.error.message]).toEqual([status, expect.stringContaining(words)]);
    expect(api.backend.accountChanges.leverages).toEqual([]);
  });
});
