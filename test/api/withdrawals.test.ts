import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApiHarness } from './harness';

const api = new ApiHarness();
beforeAll(() => api.start());
afterAll(() => api.close());

let serial = 0;
/** An address on the list, and a withdrawal to it by another key than the one that decides here. */
async function asked() {
  serial += 1;
  const address = `0x${String(serial).padStart(4, '0')}${'AB'.repeat(18)}`;
  const added = (await api.ask('POST', '/api/v1/withdrawal-addresses', { body: { address, label: 'cold wallet' } })).body;
  const made = await api.ask('POST', '/api/v1/withdrawals', { body: { amount: '25', toAddress: address } });
  return { address: address.toLowerCase(), added, made };
}
const byAnotherKey = (id: string): void => {
  const row = api.backend.withdrawals.rows.get(id);
  if (row !== undefined) api.backend.withdrawals.rows.set(id, { ...row, requestedBy: 'key:another' });
};

describe('withdrawals', () => {
  test('go to an address of the list only, and are set aside until another key approves', async () => {
    expect((await api.ask('POST', '/api/v1/withdrawals', { body: { amount: '25', toAddress: `0x${'99'.repeat(20)}` } })).status).toBe(422);
    const { address, made } = await asked();
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/api/v1/withdrawals/${made.body.id}`);
    expect(made.body).toMatchObject({ state: 'AWAITING_APPROVAL', amount: '25', toAddress: address, decidedBy: null, transaction: null });
    const own = await api.ask('POST', `/api/v1/withdrawals/${made.body.id}/decision`, { body: { decision: 'approve', note: 'mine' } });
    expect([own.status, own.body.error.code]).toEqual([403, 'FORBIDDEN']);
    byAnotherKey(made.body.id);
    expect((await api.ask('POST', `/api/v1/withdrawals/${made.body.id}/decision`, { body: { decision: 'approve', note: 'known' } })).body).toMatchObject({ state: 'APPROVED', note: 'known' });
  });

  test('are read, listed by state, told step by step and called off', async () => {
    const { made } = await asked();
    const { id } = made.body;
    expect((await api.ask('GET', `/api/v1/withdrawals/${id}`)).body.id).toBe(id);
    expect((await api.ask('GET', `/api/v1/withdrawals/${id}/timeline`)).body).toMatchObject({ withdrawalId: id, steps: [{ fact: 'requested' }] });
    expect((await api.ask('DELETE', `/api/v1/withdrawals/${id}`)).body.state).toBe('CANCELED');
    expect((await api.ask('DELETE', `/api/v1/withdrawals/${id}`)).status).toBe(409);
    expect((await api.ask('GET', '/api/v1/withdrawals?state=CANCELED')).body.withdrawals.map((each: { id: string }) => each.id)).toEqual([id]);
  });

  test('are nobody else\'s, and only an admin key moves them', async () => {
    const { made, added } = await asked();
    for (const [method, path, body] of [['GET', '', undefined], ['GET', '/timeline', undefined], ['DELETE', '', undefined], ['POST', '/decision', { decision: 'approve', note: 'x' }]] as const) {
      expect((await api.ask(method, `/api/v1/withdrawals/${made.body.id}${path}`, { key: api.otherKey, ...(body === undefined ? {} : { body }) })).status).toBe(404);
    }
    expect((await api.ask('DELETE', `/api/v1/withdrawal-addresses/${added.id}`, { key: api.otherKey })).status).toBe(404);
    for (const path of ['/api/v1/withdrawals', '/api/v1/withdrawal-addresses']) expect((await api.ask('POST', path, { key: api.readKey, body: {} })).status).toBe(403);
    expect((await api.ask('GET', '/api/v1/withdrawals', { key: api.readKey })).status).toBe(200);
  });
});

describe('addresses of the list', () => {
  test('are there once, are shown, and go', async () => {
    const { address, added } = await asked();
    expect(added).toMatchObject({ address, label: 'cold wallet', removedAt: null });
    expect((await api.ask('POST', '/api/v1/withdrawal-addresses', { body: { address, label: 'again' } })).status).toBe(409);
    expect((await api.ask('POST', '/api/v1/withdrawal-addresses', { body: { address: '0x12', label: 'short' } })).body.error.details).toMatchObject({ issues: [{ path: 'body.address' }] });
    const nobody = await api.ask('POST', '/api/v1/withdrawal-addresses', { body: { address: `0x${'0'.repeat(40)}`, label: 'nobody' } });
    expect([nobody.status, nobody.body.error.message]).toEqual([400, expect.stringContaining('the zero address is nobody\'s')]);
    expect((await api.ask('DELETE', `/api/v1/withdrawal-addresses/${added.id}`)).status).toBe(200);
    expect((await api.ask('GET', '/api/v1/withdrawal-addresses')).body.addresses.map((each: { id: string }) => each.id)).not.toContain(added.id);
  });
});
