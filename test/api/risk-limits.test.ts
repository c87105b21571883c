import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULT_RISK_LIMITS, NO_USER_LIMITS } from '../../src/domain/account';
import { ApiHarness } from './harness';

const PATH = '/api/v1/risk-limits';
const api = new ApiHarness();
let adminKey: string;
beforeAll(async () => {
  adminKey = api.backend.addUser('admin', ['admin']);
  await api.start();
  api.backend.addAccount('of-admin', 'admin');
});
afterAll(() => api.close());

const LIMITS = { ...DEFAULT_RISK_LIMITS, maxOrderNotional: '1000' };

describe('limits', () => {
  test('of a user are none, and of an account finite, until somebody sets them', async () => {
    expect((await api.ask('GET', PATH, { key: adminKey })).body).toEqual({ accountId: null, user: NO_USER_LIMITS, account: null, effective: null });
    expect((await api.ask('GET', `${PATH}?accountId=of-admin`, { key: adminKey })).body).toEqual({ accountId: 'of-admin', user: NO_USER_LIMITS, account: DEFAULT_RISK_LIMITS, effective: DEFAULT_RISK_LIMITS });
  });

  test('are set whole by an admin key, and who did it is kept', async () => {
    const set = await api.ask('PUT', `${PATH}?accountId=of-admin`, { key: adminKey, body: { ...LIMITS, maxDailyLoss: '0100.50' } });
    expect([set.status, set.body.account.maxOrderNotional, set.body.effective.maxDailyLoss]).toEqual([200, '1000', '100.5']);
    expect(api.backend.limits.acts.at(-1)).toEqual({ actor: 'key:key-of-admin', subject: 'account:of-admin' });
    const { maxOrderNotional: _, ...rest } = LIMITS;
    expect((await api.ask('PUT', `${PATH}?accountId=of-admin`, { key: adminKey, body: rest })).status).toBe(400);
  });

  test('of a user bind accounts, those that are made later among them', async () => {
    const bound = { ...NO_USER_LIMITS, maxOrderNotional: '500', priceBandPercent: '3' };
    expect((await api.ask('PUT', PATH, { key: adminKey, body: bound })).body.user).toEqual(bound);
    expect((await api.ask('GET', `${PATH}?accountId=of-admin`, { key: adminKey })).body.effective).toMatchObject({ maxOrderNotional: '500', priceBandPercent: '3' });
    const wider = await api.ask('PUT', `${PATH}?accountId=of-admin`, { key: adminKey, body: LIMITS });
    expect([wider.status, wider.body.error.code, wider.body.error.details.fields]).toEqual([422, 'RISK_LIMITS_TOO_WIDE', { maxOrderNotional: { asked: '1000', within: '500' }, priceBandPercent: { asked: '10', within: '3' } }]);
    const made = await api.ask('POST', '/api/v1/accounts', { key: adminKey, body: { name: 'later', venue: 'paper' } });
    expect([made.status, made.body.limits.maxOrderNotional, made.body.limits.priceBandPercent, made.body.limits.maxDailyLoss]).toEqual([201, '500', '3', '5000']);
    const refused = await api.ask('POST', '/api/v1/accounts', { key: adminKey, body: { name: 'wider', venue: 'paper', limits: { maxOrderNotional: '501' } } });
    expect([refused.status, refused.body.error.code]).toEqual([422, 'RISK_LIMITS_TOO_WIDE']);
  });

  test.each([['null for an account', { ...LIMITS, maxDailyLoss: null }], ['zero', { ...LIMITS, maxDailyLoss: '0' }], ['no number', { ...LIMITS, priceBandPercent: 'wide' }], ['an unknown field', { ...LIMITS, maxSize: '1' }]])('that are %s are a 400 that names the field', async (_, body) => {
    const answer = await api.ask('PUT', `${PATH}?accountId=of-admin`, { key: adminKey, body });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'VALIDATION']);
  });

  test('are not set by a trading key, and not seen by a stranger', async () => {
    for (const key of [api.backend.addUser('trader', ['trade']), api.readKey]) expect((await api.ask('PUT', `${PATH}?accountId=main`, { key, body: LIMITS })).status).toBe(403);
    expect((await api.ask('GET', `${PATH}?accountId=main`, { key: adminKey })).status).toBe(404);
    expect((await api.ask('PUT', `${PATH}?accountId=main`, { key: adminKey, body: { ...LIMITS, maxOrderNotional: '1', priceBandPercent: '1' } })).status).toBe(404);
  });
});
