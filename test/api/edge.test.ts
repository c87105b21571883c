import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { once } from 'node:events';
import type { ApiPorts } from '../../src/api/ports';
import { ApiHarness, limitOrder, type Answer } from './harness';
import { position } from './samples';

let api: ApiHarness;
const restart = async (override: (ports: ApiPorts) => ApiPorts): Promise<void> => {
  await api.close();
  api = await new ApiHarness().start(override);
};
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const code = (answer: Answer): [number, string] => [answer.status, answer.body.error.code];

describe('who may call', () => {
  test.each([[null, {}], ['sf_wrong_key_0123456789', {}], [null, { authorization: 'Basic abc' }], [null, { authorization: 'Bearer short' }]])('without a valid key nothing is told: %s %j', async (key, headers) => {
    const answer = await api.ask('GET', '/api/v1/orders', { key, headers });
    expect(code(answer)).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('the key is judged before the body', async () => {
    expect((await api.ask('POST', '/api/v1/orders', { key: null, raw: '{broken' })).status).toBe(401);
  });

  test('a key that may only read places nothing', async () => {
    expect((await api.ask('GET', '/api/v1/accounts', { key: api.readKey })).status).toBe(200);
    expect(code(await api.ask('POST', '/api/v1/orders', { key: api.readKey, body: limitOrder() }))).toEqual([403, 'FORBIDDEN']);
  });

  test('a key that may trade reads and places, and administers nothing', async () => {
    const key = api.backend.addUser('trader', ['trade']);
    api.backend.addAccount('traded', 'trader');
    expect((await api.ask('GET', '/api/v1/orders', { key })).status).toBe(200);
    expect((await api.ask('POST', '/api/v1/orders', { key, body: limitOrder({ accountId: 'traded' }) })).status).toBe(201);
    expect(code(await api.ask('POST', '/api/v1/accounts', { key, body: { name: 'one more', venue: 'paper' } }))).toEqual([403, 'FORBIDDEN']);
  });

  test('a revoked key stops working within a second', async () => {
    await api.ask('GET', '/api/v1/accounts');
    await api.ask('GET', '/api/v1/accounts');
    expect(api.backend.calls.authenticate).toBe(1);
    api.backend.keys.delete(api.key);
    api.backend.nowMs += 1_001;
    expect((await api.ask('GET', '/api/v1/accounts')).status).toBe(401);
  });

  test('what is another user\'s is not there', async () => {
    const { id } = (await api.ask('POST', '/api/v1/orders', { body: limitOrder() })).body;
    api.backend.positions.set('p-1', position('p-1', 'main', 'long', '1'));
    const asked: [string, string, unknown?][] = [
      ['GET', '/api/v1/accounts/main'], ['GET', '/api/v1/accounts/main/balances'], ['GET', `/api/v1/orders/${id}`], ['GET', `/api/v1/orders/${id}/timeline`],
      ['GET', '/api/v1/orders/by-client-id/c-1?accountId=main'], ['GET', '/api/v1/orders?accountId=main'], ['GET', '/api/v1/fills?accountId=main'],
      ['GET', '/api/v1/positions?accountId=main'], ['GET', '/api/v1/events?accountId=main'], ['DELETE', `/api/v1/orders/${id}`], ['DELETE', '/api/v1/orders?accountId=main'],
      ['PATCH', `/api/v1/orders/${id}`, { limitPrice: '1' }], ['POST', '/api/v1/orders', limitOrder()], ['POST', '/api/v1/positions/p-1/close', {}],
    ];
    for (const [method, path, body] of asked) {
      const answer = await api.ask(method, path, { key: api.otherKey, body, headers: { 'if-match': '"2"', 'idempotency-key': 'k' } });
      expect([method, path, ...code(answer)]).toEqual([method, path, 404, 'NOT_FOUND']);
    }
    expect((await api.ask('GET', '/api/v1/orders', { key: api.otherKey })).body.orders).toEqual([]);
    expect((await api.ask('DELETE', '/api/v1/orders?all=true', { key: api.otherKey })).body.results).toEqual([]);
    expect(api.backend.orders.get(id)?.state).toBe('WORKING');
  });
});

describe('what is malformed', () => {
  test.each([
    ['{broken', 'application/json', 400, 'VALIDATION'],
    ['', 'application/json', 400, 'VALIDATION'],
    ['"text"', 'application/json', 400, 'VALIDATION'],
    ['[]', 'application/json', 400, 'VALIDATION'],
    ['a=1', 'application/x-www-form-urlencoded', 400, 'VALIDATION'],
    ['{}', 'text/plain', 400, 'VALIDATION'],
    ['{}', 'application/json; charset=klingon', 400, 'VALIDATION'],
    [JSON.stringify({ text: 'x'.repeat(64 * 1024) }), 'application/json', 413, 'PAYLOAD_TOO_LARGE'],
  ])('a body that starts with %.10s as %s is %d', async (raw, type, status, expected) => {
    const answer = await api.ask('POST', '/api/v1/orders', { raw, headers: { 'content-type': type } });
    expect(code(answer)).toEqual([status, expected]);
    expect(answer.body.error.outcome).toBe('none');
  });

  test.each(['\u0000', 'a\u0000b', '\ud800x'])('a text that cannot be stored is told with its place: %j', async (name) => {
    const before = api.backend.accounts.size;
    const answer = await api.ask('POST', '/api/v1/accounts', { raw: JSON.stringify({ name, venue: 'paper' }), headers: { 'content-type': 'application/json' } });
    expect(code(answer)).toEqual([400, 'VALIDATION']);
    expect(answer.body.error.details.issues).toEqual([{ path: 'body.name', message: 'holds a character that no text can: U+0000, or half of a surrogate pair' }]);
    expect(api.backend.accounts.size).toBe(before);
  });

  test('other methods and other paths are told as JSON', async () => {
    const method = await api.ask('PUT', '/api/v1/orders');
    expect(code(method)).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(method.headers.get('allow')).toBe('POST, GET, HEAD, DELETE');
    expect(code(await api.ask('GET', '/api/v1/nothing'))).toEqual([404, 'NOT_FOUND']);
    expect(code(await api.ask('GET', '/docs/../package.json'))).toEqual([404, 'NOT_FOUND']);
    expect((await api.ask('GET', '/docs/%2e%2e%2fpackage.json')).status).toBeGreaterThanOrEqual(400);
    expect((await fetch(`${api.url}/api/v1/markets/%E0%A4%A`, { headers: { authorization: `Bearer ${api.key}` } })).status).toBe(400);
  });

  test('a request that is no HTTP is refused without harm', async () => {
    const { port } = new URL(api.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('NONSENSE\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toContain('400 Bad Request');
    socket.destroy();
    expect((await api.ask('GET', '/healthz', { key: null })).status).toBe(200);
  });
});

describe('what every answer carries', () => {
  test('the request\'s id, if it is harmless, else a new one', async () => {
    const ids = await Promise.all(['my-id.1', 'a b', 'x'.repeat(129)].map(async (given) => (await api.ask('GET', '/healthz', { key: null, headers: { 'x-request-id': given } })).headers.get('x-request-id')));
    expect(ids[0]).toBe('my-id.1');
    for (const id of ids.slice(1)) expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const failed = await api.ask('GET', '/api/v1/orders/none', { headers: { 'x-request-id': 'my-id.2' } });
    expect(failed.body.error).toMatchObject({ request_id: 'my-id.2', timestamp: '2026-01-31T12:00:00.000Z', retryable: false });
    expect(failed.body.error.details.advice).toContain('not yours');
  });

  test('a policy that lets scripts come from this server only', async () => {
    const { headers } = await api.ask('GET', '/healthz', { key: null });
    expect(headers.get('content-security-policy')).toContain('script-src \'self\';');
    expect([headers.get('x-content-type-options'), headers.get('x-powered-by')]).toEqual(['nosniff', null]);
    const refused = await api.ask('GET', '/no/such/path', { key: null });
    const policies = [...headers.keys()].filter((name) => /^(content-security|cross-origin|origin-agent|referrer|x-(?!request))/.test(name));
    expect(policies).toHaveLength(11);
    for (const name of policies) expect([name, refused.headers.get(name)]).toEqual([name, headers.get(name)]);
  });

  test('the log has the request and no secret', async () => {
    await api.ask('POST', '/api/v1/accounts', { body: { name: 'canary', venue: 'paper', credentials: { key: 'canary-secret-1' } }, headers: { cookie: 'session=canary-secret-2', 'x-request-id': 'logged-1' } });
    expect(api.logs).toContain('"request_id":"logged-1"');
    expect(api.logs).toContain('"route":"/api/v1/accounts"');
    for (const secret of [api.key, 'canary-secret']) expect(api.logs).not.toContain(secret);
  });
});

describe('what is away', () => {
  test('without PostgreSQL every call is 503 at once, and asks nothing', async () => {
    api.backend.postgresqlAway = true;
    const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect([...code(answer), answer.body.error.outcome, answer.headers.get('retry-after')]).toEqual([503, 'SERVICE_UNAVAILABLE', 'none', '1']);
    expect(api.backend.calls).toMatchObject({ authenticate: 0, placed: 0 });
  });

  test('readiness follows PostgreSQL and Temporal, never a venue', async () => {
    const ready = await api.ask('GET', '/readyz', { key: null });
    expect([ready.status, ready.body.venues[1].status]).toEqual([200, 'unavailable']);
    api.backend.temporalAway = true;
    const away = await api.ask('GET', '/readyz', { key: null });
    expect([away.status, away.body.status, away.body.temporal.status]).toEqual([503, 'notReady', 'away']);
    expect((await api.ask('GET', '/healthz', { key: null })).status).toBe(200);
  });

  test('a connection that PostgreSQL drops is 503; outcome unknown for what writes', async () => {
    const dropped = Object.assign(new Error('query failed'), { cause: Object.assign(new Error('terminating connection'), { code: '57P01' }) });
    await restart((ports) => ({ ...ports, orders: { ...ports.orders, byId: () => Promise.reject(dropped) } }));
    expect(code(await api.ask('GET', '/api/v1/orders/x'))).toEqual([503, 'SERVICE_UNAVAILABLE']);
    expect((await api.ask('DELETE', '/api/v1/orders/x')).body.error.outcome).toBe('unknown');
  });

  test('a bug of ours is 500 without its inner words, and is logged', async () => {
    await restart((ports) => ({ ...ports, accounts: { ...ports.accounts, list: () => Promise.reject(new Error('inner words')) } }));
    const answer = await api.ask('GET', '/api/v1/accounts');
    expect(code(answer)).toEqual([500, 'INTERNAL']);
    expect(JSON.stringify(answer.body)).not.toContain('inner words');
    expect(api.logs).toContain('inner words');
  });
});

describe('figures', () => {
  test('count requests by route and errors by code', async () => {
    await api.ask('GET', '/api/v1/orders/none');
    const { body } = await api.ask('GET', '/metrics', { key: null });
    expect(body).toMatch(/surefill_http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/orders\/\{id\}",status="404"\} 1/);
    expect(body).toContain('surefill_http_errors_total{code="NOT_FOUND",route="/api/v1/orders/{id}"} 1');
    expect(body).toContain('surefill_http_waiting_orders 0');
  });
});
