import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ApiHarness, limitOrder } from './harness';

let api: ApiHarness;
const HELD = 'orders are being read back from Temporal: PostgreSQL is at beat 3, Temporal remembers beat 9';
const held = new Set<string>();
beforeEach(async () => {
  held.clear();
  api = await new ApiHarness().start((ports) => ({ ...ports, health: { ...ports.health, entriesHeld: (accountId) => (held.has(accountId) ? HELD : null) } }));
});
afterEach(() => api.close());

test('an entry is answered 503 with the reason while the stores differ, and is handed to nobody', async () => {
  held.add('main');
  const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(answer.body.error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', message: `entries are held back: ${HELD}`, retryable: true, outcome: 'unknown' });
  expect(api.backend.calls).toMatchObject({ placed: 0, sent: 0 });
  held.clear();
  expect((await api.ask('POST', '/api/v1/orders', { body: limitOrder() })).status).toBe(201);
});

test('an exit passes, and the entry beside it in a batch is held back alone', async () => {
  held.add('main');
  const { body } = await api.ask('POST', '/api/v1/orders/batch', { body: { orders: [limitOrder({ clientOrderId: 'out', reduceOnly: true }), limitOrder({ clientOrderId: 'in' })] } });
  expect(body.results.map((result: { status: number }) => result.status)).toEqual([201, 503]);
});

test('another account\'s entries, cancels and the repeat of an order that is known pass', async () => {
  const placed = await api.ask('POST', '/api/v1/orders', { body: limitOrder(), headers: { 'idempotency-key': 'k1' } });
  held.add('main');
  const again = await api.ask('POST', '/api/v1/orders', { body: limitOrder(), headers: { 'idempotency-key': 'k1' } });
  expect([again.status, again.body.id]).toEqual([201, placed.body.id]);
  const amended = await api.ask('PATCH', `/api/v1/orders/${placed.body.id}`, { body: { limitPrice: '49000' }, headers: { 'if-match': `"${placed.body.revision}"` } });
  expect(amended.status).toBe(503);
  expect((await api.ask('DELETE', `/api/v1/orders/${placed.body.id}`)).status).toBe(200);
});
