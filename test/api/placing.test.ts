import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DomainError } from '../../src/domain/errors';
import { ApiHarness, limitOrder } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

describe('placing an order', () => {
  test('is answered 201 with the order once the venue has answered', async () => {
    const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ clientOrderId: 'c-1', state: 'WORKING', symbol: 'BTC-PERP', venue: 'paper', timeInForce: 'GTC', userId: 'alice' });
    expect(answer.headers.get('etag')).toBe(`"${answer.body.revision}"`);
    expect(answer.headers.get('location')).toBe(`/api/v1/orders/${answer.body.id}`);
  });

  test('costs no query of the order: the committed event answers', async () => {
    await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect(api.backend.calls).toMatchObject({ byIds: 0, byClientId: 0, placed: 1 });
  });

  test('is answered by the row when the notice of the event is lost', async () => {
    api.backend.noticesLost = true;
    const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect(answer.status).toBe(201);
    expect(answer.body.state).toBe('WORKING');
  });

  test.each(['SUBMITTING', 'SUBMITTED', 'UNKNOWN'] as const)('is answered 202 with state %s when the venue has not answered in time', async (state) => {
    api.backend.venueAnswers = () => (state === 'SUBMITTING' ? null : { state });
    const answer = await api.ask('POST', '/api/v1/orders?timeoutMs=30', { body: limitOrder() });
    expect([answer.status, answer.body.state]).toEqual([202, state]);
  });

  test('an outcome that becomes known within the wait is waited for', async () => {
    api.backend.venueAnswers = (order) => {
      queueMicrotask(() => api.backend.change(order.id, { state: 'FILLED', filledQuantity: '0.01', leavesQuantity: '0' }, 'order.filled'));
      return { state: 'UNKNOWN' };
    };
    const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect([answer.status, answer.body.state]).toEqual([201, 'FILLED']);
  });

  test('REJECTED by the venue is 201: the venue has answered', async () => {
    api.backend.venueAnswers = () => ({ state: 'REJECTED', reasonCode: 'VENUE_REJECTED', reasonMessage: 'post-only would cross' });
    const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect([answer.status, answer.body.state, answer.body.reasonMessage]).toEqual([201, 'REJECTED', 'post-only would cross']);
  });

  test('an order that a rate limit kept back is 429 with when to try again, and a repeat reads the same', async () => {
    api.backend.venueAnswers = () => ({ state: 'REJECTED', reasonCode: 'RATE_LIMITED', reasonMessage: 'the venue\'s rate limit has no room for 700 ms; nothing was sent' });
    for (const answer of [await api.ask('POST', '/api/v1/orders', { body: limitOrder() }), await api.ask('POST', '/api/v1/orders', { body: limitOrder() })]) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
      expect(answer.body.error).toMatchObject({ code: 'RATE_LIMITED', outcome: 'none', details: { clientOrderId: 'c-1', state: 'REJECTED' } });
      expect(answer.body.error.message).toContain('use another clientOrderId or Idempotency-Key');
    }
  });

  test('DENIED is 422 with the code and the figures, and a repeat reads the same', async () => {
    api.backend.judge = () => ({ code: 'RISK_ORDER_NOTIONAL', message: 'order notional 500 is above 100', figures: { orderNotional: '500', maxOrderNotional: '100' } });
    const first = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect(first.status).toBe(422);
    expect(first.body.error).toMatchObject({ code: 'RISK_ORDER_NOTIONAL', message: 'order notional 500 is above 100', outcome: 'none', details: { state: 'DENIED', figures: { orderNotional: '500', maxOrderNotional: '100' } } });
    api.backend.judge = () => null;
    const repeat = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect({ ...repeat.body.error, timestamp: '', request_id: '' }).toEqual({ ...first.body.error, timestamp: '', request_id: '' });
    expect(api.backend.calls.sent).toBe(0);
  });

  test('a market order is IOC and needs no price', async () => {
    const answer = await api.ask('POST', '/api/v1/orders', { body: { accountId: 'main', clientOrderId: 'm-1', symbol: 'BTCUSD', side: 'sell', type: 'market', quantity: '1.0' } });
    expect(answer.body).toMatchObject({ timeInForce: 'IOC', limitPrice: null, quantity: '1', symbol: 'BTC-PERP', venueSymbol: 'BTCUSD' });
  });

  test('Temporal away: 503, outcome unknown, and the same ids place it once later', async () => {
    api.backend.temporalAway = true;
    const away = await api.ask('POST', '/api/v1/orders', { body: limitOrder() });
    expect([away.status, away.body.error.code, away.body.error.outcome, away.body.error.retryable]).toEqual([503, 'SERVICE_UNAVAILABLE', 'unknown', true]);
    expect(away.headers.get('retry-after')).toBe('1');
    api.backend.temporalAway = false;
    expect((await api.ask('POST', '/api/v1/orders', { body: limitOrder() })).status).toBe(201);
    expect(api.backend.orders.size).toBe(1);
  });

  test('never says 202 of an order that nobody has recorded', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    api.backend.venueAnswers = () => null;
    api.backend.step = (name) => (name === 'start' ? held : Promise.resolve());
    const asked = api.ask('POST', '/api/v1/orders?timeoutMs=0', { body: limitOrder() });
    while (api.backend.calls.placed === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(api.backend.orders.size).toBe(0);
    release();
    expect((await asked).status).toBe(202);
    expect(api.backend.orders.size).toBe(1);
  });
});

test('whoever has his answer holds up no later order, though Temporal is not done with it; one without an answer does', async () => {
  const { calls } = api.backend;
  expect((await api.ask('POST', '/api/v1/orders', { body: limitOrder() })).status).toBe(201);
  expect([calls.placed, calls.answered]).toEqual([1, 1]);
  api.backend.venueAnswers = () => null;
  expect((await api.ask('POST', '/api/v1/orders?timeoutMs=0', { body: limitOrder({ clientOrderId: 'open' }) })).status).toBe(202);
  expect([calls.placed, calls.answered]).toEqual([2, 1]);
});

describe('a list whose orders are handed over in parts', () => {
  const orders = ['full', 'taken'].map((clientOrderId) => limitOrder({ clientOrderId }));
  const full = new DomainError('SERVICE_UNAVAILABLE', 'not taken, and nothing was sent', { retryAfterSeconds: 2 });

  test('has a result for each: that one part was refused says nothing of the orders of another, which is under way', async () => {
    await api.close();
    let refused: () => void = () => undefined;
    const afterRefusal = new Promise<void>((resolve) => (refused = resolve));
    api = await new ApiHarness().start((ports) => ({
      ...ports,
      gateway: {
        ...ports.gateway,
        parts: (intents) => intents.map((intent) => [intent]),
        place: (part) => (part[0]?.clientOrderId === 'full' ? Promise.reject(full) : afterRefusal.then(() => ports.gateway.place(part))),
      },
    }));
    const asked = api.ask('POST', '/api/v1/orders/batch', { body: { orders } });
    while (api.backend.calls.byClientId === 0) await new Promise((resolve) => setImmediate(resolve));
    refused();
    const { status, body } = await asked;
    expect(status).toBe(200);
    expect(body.results[0].error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'none', message: 'not taken, and nothing was sent' });
    expect(body.results[1]).toMatchObject({ order: { clientOrderId: 'taken', state: 'WORKING' } });
  });

  test('alone: an order that was refused for want of room is a 503 with when to try again', async () => {
    await api.close();
    api = await new ApiHarness().start((ports) => ({ ...ports, gateway: { ...ports.gateway, place: () => Promise.reject(full) } }));
    const { status, headers, body } = await api.ask('POST', '/api/v1/orders', { body: orders[0] });
    expect([status, headers.get('retry-after'), body.error.outcome, body.error.retryable]).toEqual([503, '2', 'none', true]);
  });
});

describe('what cannot be placed', () => {
  test.each([
    [{ accountId: undefined }, 'body.accountId'],
    [{ clientOrderId: 'a b' }, 'body.clientOrderId'],
    [{ clientOrderId: 'x'.repeat(65) }, 'body.clientOrderId'],
    [{ quantity: 0.01 }, 'body.quantity'],
    [{ quantity: '0' }, 'body.quantity'],
    [{ quantity: '-1' }, 'body.quantity'],
    [{ quantity: '1e-3' }, 'body.quantity'],
    [{ quantity: '0.000000000000000000001' }, 'body.quantity'],
    [{ limitPrice: undefined }, 'body.limitPrice'],
    [{ type: 'market' }, 'body.limitPrice'],
    [{ type: 'market', limitPrice: undefined, timeInForce: 'GTC' }, 'body.timeInForce'],
    [{ postOnly: true, timeInForce: 'IOC' }, 'body.postOnly'],
    [{ side: 'long' }, 'body.side'],
    [{ surprise: 1 }, 'body'],
  ])('%j is a 400 that names %s', async (changes, path) => {
    const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder(changes) });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'VALIDATION']);
    expect(answer.body.error.details.issues.map((issue: { path: string }) => issue.path)).toContain(path);
    expect(api.backend.calls.placed).toBe(0);
  });

  test('a price off the tick names the nearest valid ones', async () => {
    const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder({ limitPrice: '50000.3', quantity: '0.0105' }) });
    expect(answer.status).toBe(422);
    expect(answer.body.error.details.violations).toEqual([
      expect.objectContaining({ field: 'limitPrice', nearest: ['50000', '50000.5'] }),
      expect.objectContaining({ field: 'quantity', nearest: ['0.01', '0.011'] }),
    ]);
  });

  test.each([
    [{ accountId: 'foreign' }, 404, 'NOT_FOUND'],
    [{ accountId: 'nobody' }, 404, 'NOT_FOUND'],
    [{ symbol: 'NO-PERP' }, 422, 'UNPROCESSABLE'],
    [{ symbol: 'OLD-PERP' }, 422, 'UNPROCESSABLE'],
    [{ timeInForce: 'GTD', expireTime: '2026-01-31T11:00:00Z' }, 422, 'UNPROCESSABLE'],
    [{ accountId: 'second', timeInForce: 'FOK' }, 422, 'UNPROCESSABLE'],
    [{ accountId: 'second', postOnly: true }, 422, 'UNPROCESSABLE'],
    [{ accountId: 'second', reduceOnly: true }, 422, 'UNPROCESSABLE'],
    [{ quantity: '0.0001' }, 422, 'UNPROCESSABLE'],
  ])('%j is %d %s, and nothing is recorded', async (changes, status, code) => {
    const answer = await api.ask('POST', '/api/v1/orders', { body: limitOrder(changes), headers: { 'idempotency-key': 'k-1' } });
    expect([answer.status, answer.body.error.code, answer.body.error.outcome]).toEqual([status, code, 'none']);
    expect([api.backend.orders.size, api.backend.records.size]).toEqual([0, 0]);
    expect((await api.ask('POST', '/api/v1/orders', { body: limitOrder(), headers: { 'idempotency-key': 'k-1' } })).status).toBe(201);
  });

  test('a reduce-only order passes a market that is closed: the venue decides on exits', async () => {
    expect((await api.ask('POST', '/api/v1/orders', { body: limitOrder({ symbol: 'OLD-PERP', reduceOnly: true }) })).status).toBe(201);
  });
});

describe('a batch', () => {
  test('has one result per item, and a refused item rolls back no other', async () => {
    api.backend.judge = (intent) => (intent.quantity === '9' ? { code: 'INSUFFICIENT_BALANCE', message: 'margin needed', figures: { equity: '1' } } : null);
    const orders = [limitOrder(), limitOrder({ clientOrderId: 'c-2', limitPrice: '50000.1' }), limitOrder({ clientOrderId: 'c-3', quantity: '9' }), limitOrder({ clientOrderId: 'c-4', accountId: 'foreign' })];
    const answer = await api.ask('POST', '/api/v1/orders/batch', { body: { orders } });
    expect(answer.status).toBe(200);
    expect(answer.body.results.map((result: { status: number; clientOrderId: string; error: { code: string } | null }) => [result.status, result.clientOrderId, result.error?.code ?? null])).toEqual([
      [201, 'c-1', null],
      [422, 'c-2', 'UNPROCESSABLE'],
      [422, 'c-3', 'INSUFFICIENT_BALANCE'],
      [404, 'c-4', 'NOT_FOUND'],
    ]);
    expect(api.backend.calls).toMatchObject({ placed: 1, sent: 1 });
  });

  test('with an Idempotency-Key alone gives each item its own order, and a repeat the same ones', async () => {
    const body = { orders: [limitOrder({ clientOrderId: undefined }), limitOrder({ clientOrderId: undefined })] };
    const ask = () => api.ask('POST', '/api/v1/orders/batch', { body, headers: { 'idempotency-key': 'batch-1' } });
    const ids = (answer: { body: { results: { orderId: string }[] } }): string[] => answer.body.results.map((result) => result.orderId);
    const first = ids(await ask());
    expect(new Set(first).size).toBe(2);
    expect(ids(await ask())).toEqual(first);
    expect(api.backend.calls.sent).toBe(2);
    const other = await api.ask('POST', '/api/v1/orders/batch', { body: { orders: body.orders.slice(0, 1) }, headers: { 'idempotency-key': 'batch-1' } });
    expect([other.status, other.body.error.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
  });

  test.each([
    [{ orders: [] }, 'body.orders'],
    [{ orders: Array.from({ length: 101 }, (_, index) => limitOrder({ clientOrderId: `c-${index}` })) }, 'body.orders'],
    [{ orders: [limitOrder(), limitOrder()] }, 'body.orders.1.clientOrderId'],
    [{ orders: [limitOrder({ quantity: 'x' })] }, 'body.orders.0.quantity'],
  ])('that is malformed places nothing', async (body, path) => {
    const answer = await api.ask('POST', '/api/v1/orders/batch', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.issues[0].path).toBe(path);
    expect(api.backend.calls.placed).toBe(0);
  });
});
