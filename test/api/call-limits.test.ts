import { afterEach, describe, expect, test } from '@jest/globals';
import { callRateOf, type CallKind, type CallRate } from '../../src/domain/call-rate';
import { networkOf, type CallLimitRules } from '../../src/api/call-limits';
import { ApiHarness, limitOrder, NO_LIMITS, type Answer } from './harness';

let api: ApiHarness;
afterEach(() => api.close());

/** The limits a new installation has. */
const DEFAULTS: Record<CallKind, string> = { prices: '100/min', orders: '10/s', deposits: '5/min', admin: '50/min', reads: '50/s' };

function rules(changes: Partial<Record<CallKind, string>> = {}, addressFactor = 4): CallLimitRules {
  const rates = Object.fromEntries(Object.entries({ ...DEFAULTS, ...changes }).map(([kind, text]) => [kind, callRateOf(text)])) as Record<CallKind, CallRate | null>;
  return { rates, addressFactor };
}

const started = async (limits: CallLimitRules, options: { corsOrigins?: string[]; trustedProxies?: string[] } = {}): Promise<void> => {
  api = await new ApiHarness().start((ports) => ports, { limits, ...options });
};
const times = async (count: number, ask: (n: number) => Promise<Answer>): Promise<number[]> => {
  const statuses: number[] = [];
  for (let n = 0; n < count; n += 1) statuses.push((await ask(n)).status);
  return statuses;
};
const count = (statuses: readonly number[], status: number): number => statuses.filter((each) => each === status).length;
const place = (n: number, changes: Record<string, unknown> = {}): Promise<Answer> => api.ask('POST', '/api/v1/orders', { body: limitOrder({ clientOrderId: `n-${n}`, ...changes }) });

describe('what a key may ask', () => {
  test('ten orders at once and ten a second after that, by default; the refusal says when to come back', async () => {
    await started(rules());
    const statuses = await times(15, (n) => place(n));
    expect([count(statuses, 201), count(statuses, 429)]).toEqual([10, 5]);
    const refused = await place(99);
    expect([refused.status, refused.body.error.code, refused.body.error.outcome, refused.headers.get('retry-after')]).toEqual([429, 'RATE_LIMITED', 'none', '1']);
    expect(api.backend.calls.placed).toBe(10);
    api.backend.nowMs += 300;
    expect(count(await times(5, (n) => place(200 + n)), 201)).toBe(3);
  });

  test('a hundred prices a minute, fifty administrative calls a minute', async () => {
    await started(rules());
    expect(count(await times(110, () => api.ask('GET', '/api/v1/prices')), 200)).toBe(100);
    api.backend.nowMs += 600;
    expect(count(await times(3, () => api.ask('GET', '/api/v1/markets/BTC-PERP/funding?venue=paper')), 200)).toBe(1);
    const accounts = await times(55, (n) => api.ask('POST', '/api/v1/accounts', { body: { name: `a-${n}`, venue: 'paper' } }));
    expect([count(accounts, 201), count(accounts, 429)]).toEqual([50, 5]);
  });

  test('is told by headers on every answer', async () => {
    await started(rules());
    const first = await place(1);
    const headers = ['limit', 'remaining', 'reset', 'policy'].map((name) => first.headers.get(`ratelimit-${name}`));
    expect(headers).toEqual(['10', '9', '1', '10;w=1;burst=10;comment="orders"']);
    expect((await place(2)).headers.get('ratelimit-remaining')).toBe('8');
    expect((await api.ask('GET', '/healthz', { key: null })).headers.get('ratelimit-limit')).toBeNull();
  });

  test('counts each order of a batch: a large one is taken whole, and paid off', async () => {
    await started(rules());
    const orders = Array.from({ length: 20 }, (_, n) => limitOrder({ clientOrderId: `b-${n}` }));
    expect((await api.ask('POST', '/api/v1/orders/batch', { body: { orders } })).status).toBe(200);
    api.backend.nowMs += 1_000;
    expect((await place(1)).status).toBe(429);
    api.backend.nowMs += 1_000;
    expect((await place(2)).status).toBe(201);
  });

  test('keeps kinds apart, and one key from another', async () => {
    await started(rules());
    await times(12, (n) => place(n));
    expect((await api.ask('GET', '/api/v1/orders')).status).toBe(200);
    expect((await api.ask('POST', '/api/v1/orders', { key: api.otherKey, body: limitOrder({ accountId: 'foreign' }) })).status).toBe(201);
  });

  test('leaves room for getting out: cancels and reduce-only orders pass where entries are held back', async () => {
    await started(rules());
    const [first] = await Promise.all([place(0)]);
    expect((await times(12, (n) => place(n + 1))).at(-1)).toBe(429);
    expect((await api.ask('DELETE', `/api/v1/orders/${first?.body.id}`)).status).toBe(200);
    expect((await place(50, { reduceOnly: true })).status).not.toBe(429);
    expect((await place(51)).status).toBe(429);
  });

  test('may be a limit of the key\'s own, or none', async () => {
    await started(rules());
    const [, identity] = [...api.backend.keys].find(([key]) => key === api.key) ?? [];
    if (identity === undefined) throw new Error('the harness has a key');
    api.backend.keys.set(api.key, { ...identity, rates: { orders: { count: 1, periodMs: 60_000, burst: 2 } } });
    expect(await times(3, (n) => place(n))).toEqual([201, 201, 429]);
    api.backend.nowMs += 1_001;
    api.backend.keys.set(api.key, { ...identity, rates: { orders: null } });
    expect(count(await times(20, (n) => place(n + 10)), 201)).toBe(20);
  });

  test('may be switched off for the whole server', async () => {
    await started(NO_LIMITS);
    expect(count(await times(30, (n) => place(n)), 201)).toBe(30);
    expect((await place(31)).headers.get('ratelimit-limit')).toBeNull();
  });
});

describe('what an address may ask', () => {
  test('keys are guessed slowly: an address without a valid key is refused before its key is looked at', async () => {
    await started(rules({ reads: '2/s' }));
    const guesses = await times(12, (n) => api.ask('GET', '/api/v1/orders', { key: `sf_guess_${n}_0123456789` }));
    expect([count(guesses, 401), count(guesses, 429)]).toEqual([8, 4]);
    expect(api.backend.calls.authenticate).toBe(8);
  });

  test('all its keys together have a multiple of one key\'s limit', async () => {
    await started(rules({ reads: '2/min' }, 2));
    const keys = ['u1', 'u2', 'u3'].map((name) => api.backend.addUser(name));
    const statuses: number[] = [];
    for (const key of keys) statuses.push(...(await times(2, () => api.ask('GET', '/api/v1/orders', { key }))));
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
  });

  test('leaves room for getting out, whichever of its keys used it up: a reduce-only order passes, an entry does not', async () => {
    await started(rules({}, 1));
    const entry = (n: number, key = api.key): Promise<Answer> => api.ask('POST', '/api/v1/orders', { key, body: limitOrder({ clientOrderId: `n-${n}`, accountId: key === api.key ? 'main' : 'foreign' }) });
    expect((await times(12, (n) => entry(n, api.otherKey))).at(-1)).toBe(429);
    expect((await entry(50)).status).toBe(429);
    expect((await place(51, { reduceOnly: true })).status).not.toBe(429);
    const both = [limitOrder({ clientOrderId: 'b-1', reduceOnly: true }), limitOrder({ clientOrderId: 'b-2' })];
    expect((await api.ask('POST', '/api/v1/orders/batch', { body: { orders: both } })).status).toBe(429);
    const guess = (body: unknown): Promise<Answer> => api.ask('POST', '/api/v1/orders', { key: 'sf_guess_0123456789', body });
    expect((await guess(limitOrder())).status).toBe(429);
    expect((await times(4, () => guess(limitOrder({ reduceOnly: true })))).at(-1)).toBe(429);
  });

  test('is the caller\'s own behind a trusted proxy, and the proxy\'s for everybody else', async () => {
    const from = (address: string): Promise<Answer> => api.ask('GET', '/api/v1/orders', { key: null, headers: { 'x-forwarded-for': address } });
    await started(rules({ reads: '1/min' }, 1), { trustedProxies: ['127.0.0.1'] });
    expect([(await from('203.0.113.1')).status, (await from('203.0.113.1')).status, (await from('203.0.113.2')).status]).toEqual([401, 429, 401]);
    await api.close();
    await started(rules({ reads: '1/min' }, 1));
    expect([(await from('203.0.113.1')).status, (await from('203.0.113.2')).status]).toEqual([401, 429]);
  });

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s is counted as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('web pages', () => {
  const page = (origin: string, method = 'GET'): Promise<Answer> => api.ask(method, '/api/v1/orders', { headers: { origin, ...(method === 'OPTIONS' ? { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } : {}) } });

  test('that are on the list may call and read the headers they need; others get no leave', async () => {
    await started(NO_LIMITS, { corsOrigins: ['https://terminal.example.com'] });
    const listed = await page('https://terminal.example.com');
    expect([listed.status, listed.headers.get('access-control-allow-origin'), listed.headers.get('access-control-allow-credentials')]).toEqual([200, 'https://terminal.example.com', null]);
    expect(listed.headers.get('access-control-expose-headers')).toContain('RateLimit-Remaining');
    for (const origin of ['https://evil.example.com', 'null', 'https://terminal.example.com.evil.com']) expect([origin, (await page(origin)).headers.get('access-control-allow-origin')]).toEqual([origin, null]);
    const preflight = await fetch(`${api.url}/api/v1/orders`, { method: 'OPTIONS', headers: { origin: 'https://terminal.example.com', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin'), preflight.headers.get('access-control-allow-headers')]).toEqual([204, 'https://terminal.example.com', expect.stringContaining('Idempotency-Key')]);
  });

  test('none may by default', async () => {
    await started(NO_LIMITS);
    expect((await page('https://terminal.example.com')).headers.get('access-control-allow-origin')).toBeNull();
  });
});
