import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hash, transferSample } from '../unit/domain/deposit-samples';
import { ApiHarness } from './harness';

const api = new ApiHarness();
beforeAll(() => api.start());
afterAll(() => api.close());

const WALLET = '0x70997970C51812DC3A010C7D01B50E0D17DC79C8';
const HASH = `0x${'Ab'.repeat(32)}`;
const begin = (changes: object = {}, key = api.key) => api.ask('POST', '/api/v1/deposits', { key, body: { chain: 'ethereum', token: 'TKN', amount: '100', fromAddress: WALLET, ...changes } });

describe('deposits', () => {
  test('are begun with a quote, an approval of the exact amount and what to sign', async () => {
    const { status, body, headers } = await begin();
    expect(status).toBe(201);
    expect(body).toMatchObject({ state: 'AWAITING_SIGNATURE', amount: '100', fromAddress: WALLET.toLowerCase(), quote: { approval: { amount: '100' } }, progress: { step: 2, of: 7 } });
    expect(headers.get('location')).toBe(`/api/v1/deposits/${body.id}`);
  });

  test('are read, told the transaction, asked for their swap and timeline, and listed by state', async () => {
    const { body: made } = await begin();
    expect((await api.ask('POST', `/api/v1/deposits/${made.id}/transaction`, { body: { hash: HASH } })).body).toMatchObject({ state: 'SOURCE_SUBMITTED', source: { hash: HASH.toLowerCase() } });
    expect((await api.ask('GET', `/api/v1/deposits/${made.id}`)).body.state).toBe('SOURCE_SUBMITTED');
    expect((await api.ask('GET', `/api/v1/deposits/${made.id}/swap-status`)).body).toMatchObject({ depositId: made.id, bridge: null, progress: { step: 3 } });
    expect((await api.ask('GET', `/api/v1/deposits/${made.id}/timeline`)).body.steps).toHaveLength(1);
    expect((await api.ask('GET', '/api/v1/deposits?state=SOURCE_SUBMITTED')).body.deposits.map((each: { id: string }) => each.id)).toEqual([made.id]);
    expect((await api.ask('DELETE', `/api/v1/deposits/${made.id}`)).status).toBe(409);
    expect((await api.ask('POST', `/api/v1/deposits/${made.id}/decision`, { body: { decision: 'accept', note: 'too early' } })).status).toBe(409);
  });

  test('may name an account that what arrives goes on to', async () => {
    expect((await begin({ destination: { accountId: 'account-1' } })).body).toMatchObject({ destination: { accountId: 'account-1', fundingId: expect.any(String) } });
    expect((await begin()).body).toMatchObject({ destination: null });
    for (const destination of [{}, { accountId: '' }, { accountId: 'a', amount: '1' }]) expect((await begin({ destination })).status).toBe(400);
  });

  const LEGS = [{ role: 'entry', side: 'buy', type: 'limit', quantity: '0.02', limitPrice: '50000' }, { role: 'stop', type: 'stopMarket', triggerPrice: '48000' }];
  const thenOrder = (changes: object = {}) => ({ destination: { accountId: 'main', thenOrder: { symbol: 'BTC-PERP', legs: LEGS, ...changes } } });

  test('may say what is ordered with it there: a bracket, kept as it was asked for, and shown with what becomes of it', async () => {
    const { status, body } = await begin(thenOrder({ onRefused: 'return' }));
    expect([status, body.destination]).toEqual([201, { accountId: 'main', fundingId: expect.any(String), thenOrder: { symbol: 'BTC-PERP', legs: LEGS, onRefused: 'return' }, order: { state: 'WAITING', reason: null, orderListId: expect.any(String), credited: null, entry: null, back: null } }]);
    expect((await begin(thenOrder())).body.destination.thenOrder.onRefused).toBe('keep');
    expect((await begin(thenOrder(), api.readKey)).status).toBe(403);
  });

  test.each<[string, object, number, string]>([
    ['a market of the account\'s venue', { symbol: 'NOPE-PERP' }, 422, 'NOPE-PERP'],
    ['a quantity on its grid', { legs: [{ ...LEGS[0], quantity: '0.0000001' }, LEGS[1]] }, 422, 'quantity'],
    ['a stop', { legs: [LEGS[0], { role: 'takeProfit', type: 'limit', quantity: '0.02', limitPrice: '52000' }] }, 422, 'exactly one leg of role stop'],
    ['the account of the destination', { legs: [{ ...LEGS[0], accountId: 'other' }, LEGS[1]] }, 422, 'leave accountId and symbol out'],
    ['an end that is not over', { expireTime: '2020-01-01T00:00:00Z' }, 422, 'later than now'],
    ['a way for what is refused', { onRefused: 'burn' }, 400, 'onRefused'],
    ['nothing unknown', { type: 'OCO' }, 400, 'type'],
  ])('that name an order need %s', async (_what, changes, status, words) => {
    const answer = await begin(thenOrder(changes));
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringContaining(words)]);
  });

  test('take an address with its checksum, and keep it in lower case', async () => {
    const { status, body } = await begin({ fromAddress: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8' });
    expect([status, body.fromAddress]).toEqual([201, WALLET.toLowerCase()]);
  });

  test('are called off before they are sent, and quoted anew', async () => {
    const { body: made } = await begin();
    expect((await api.ask('POST', `/api/v1/deposits/${made.id}/requote`)).status).toBe(200);
    expect((await api.ask('DELETE', `/api/v1/deposits/${made.id}`)).body.state).toBe('CANCELED');
  });

  test('are nobody else\'s, and a reading key begins none', async () => {
    const { body: made } = await begin();
    for (const [method, path, body] of [['GET', '', undefined], ['GET', '/timeline', undefined], ['GET', '/swap-status', undefined], ['DELETE', '', undefined], ['POST', '/requote', undefined], ['POST', '/transaction', { hash: HASH }], ['POST', '/decision', { decision: 'resume', note: 'x' }]] as const) {
      expect((await api.ask(method, `/api/v1/deposits/${made.id}${path}`, { key: api.otherKey, ...(body === undefined ? {} : { body }) })).status).toBe(404);
    }
    expect((await begin({}, api.readKey)).status).toBe(403);
    expect((await api.ask('GET', '/api/v1/deposit-address', { key: api.readKey })).body.token.symbol).toBe('USDC');
  });

  test.each([
    ['an address', { fromAddress: '0x12' }],
    ['an address whose checksum is right', { fromAddress: '0x70997970C51812dc3A010C7d01b50e0d17dc79c8' }],
    ['an amount above zero', { amount: '0' }],
    ['an amount that is not negative', { amount: '-1' }],
    ['an amount in plain notation', { amount: '1e30' }],
    ['an amount that can be', { amount: '1'.padEnd(31, '0') }],
    ['an amount as a string', { amount: 1 }],
    ['a chain that is served', { chain: 'moon' }],
    ['a token', { token: 'no such token!' }],
    ['nothing unknown', { receiver: WALLET }],
    ['a hash', { transactionHash: 'yesterday' }],
  ])('need %s', async (_what, changes) => {
    expect((await begin(changes)).status).toBe(400);
  });
});

describe('what is held in suspense', () => {
  const entry = { ...transferSample(), id: `42161-${hash('f1')}-0`, userId: '', why: 'its sender has paid before', at: '2026-01-31T12:00:00.000Z' };
  const settle = (verb: string, body: object, key = api.key) => api.ask('POST', `/api/v1/suspense/${entry.id}/${verb}`, { key, body });

  test('is listed with why, and becomes the user\'s or a deposit\'s by an administrator\'s word only', async () => {
    const { body: made } = await begin();
    api.backend.deposits.held.push({ ...entry, userId: made.userId });
    expect((await api.ask('GET', '/api/v1/suspense', { key: api.readKey })).body.entries).toEqual([]);
    expect((await api.ask('GET', '/api/v1/suspense')).body).toEqual({ entries: [{ ...entry, userId: made.userId }], nextCursor: null });
    expect((await settle('release', { note: 'mine' }, api.otherKey)).status).toBe(404);
    expect((await settle('release', { note: 'mine' }, api.readKey)).status).toBe(403);
    expect((await settle('release', {})).status).toBe(400);
    expect((await settle('assign', { depositId: made.id, note: 'too early' })).status).toBe(409);
    expect((await settle('release', { note: 'the bridge takes nothing back' })).body).toMatchObject({ kind: 'direct', state: 'CREDITED' });
    expect((await settle('release', { note: 'again' })).status).toBe(404);
  });

  test('is named by chain, transaction and log', async () => {
    expect((await api.ask('POST', '/api/v1/suspense/yesterday/release', { body: { note: 'x' } })).status).toBe(400);
  });
});

test('deposits have a limit of their own, five a minute', async () => {
  const limited = new ApiHarness();
  await limited.start(undefined, { limits: { rates: { prices: null, orders: null, deposits: { count: 5, periodMs: 60_000, burst: 5 }, admin: null, reads: null }, addressFactor: 10 } });
  try {
    const statuses = [];
    for (let call = 0; call < 6; call += 1) statuses.push((await limited.ask('POST', '/api/v1/deposits', { body: { chain: 1, token: 'TKN', amount: '1', fromAddress: WALLET } })).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429]);
  } finally {
    await limited.close();
  }
});
