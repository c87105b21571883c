/** Faults that meet requests: what the venue did and what its client heard are told apart. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StartedSimulator } from '../../../src/simulator';
import type { OrderView } from '../../../src/simulator/order';
import { type TestClient, TestStream, restingOrder, startQuiet } from './paper-client';

let simulator: StartedSimulator;
let client: TestClient;
beforeEach(async () => {
  ({ simulator, client } = await startQuiet());
});
afterEach(() => simulator.close());

const POST_ORDERS = { method: 'POST', path: '/orders' };

async function acceptedIds(): Promise<string[]> {
  const response = await fetch(`${simulator.controlUrl}/__sim/orders`);
  return ((await response.json()) as { orders: OrderView[] }).orders.map(({ clientId }) => clientId);
}

describe('the answer is lost after the venue accepted', () => {
  test('dropResponse: the connection breaks, the order lives, the same id again is a duplicate', async () => {
    await client.fault({ kind: 'dropResponse', match: POST_ORDERS });
    const order = restingOrder();
    await expect(client.placeAll([order])).rejects.toThrow('fetch failed');
    expect(await acceptedIds()).toEqual([order.clientId]);
    expect((await client.place({ clientId: order.clientId as string })).error.code).toBe('DUPLICATE_CLIENT_ID');
    const { body } = await client.get('/__sim/requests?path=/orders');
    expect((body['requests'] as { fault?: string }[]).map(({ fault }) => fault)).toEqual(['dropResponse', undefined]);
  });

  test('errorAfterAccept: a 5xx, and the order lives', async () => {
    await client.fault({ kind: 'errorAfterAccept', status: 503, match: POST_ORDERS });
    const order = restingOrder();
    expect((await client.placeAll([order])).status).toBe(503);
    expect(await acceptedIds()).toEqual([order.clientId]);
  });
});

describe('the request is refused', () => {
  test('rateLimit says when to come back, as often as its count, and nothing was accepted', async () => {
    await client.fault({ kind: 'rateLimit', retryAfterSeconds: 7, count: 2, match: POST_ORDERS });
    const answers = [await client.placeAll([restingOrder()]), await client.placeAll([restingOrder()]), await client.placeAll([restingOrder()])];
    expect(answers.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual([[429, '7'], [429, '7'], [200, null]]);
    expect(await acceptedIds()).toHaveLength(1);
  });

  test('refuse: per item with status 200, or the whole request with the status given', async () => {
    await client.fault({ kind: 'refuse', code: 'INSUFFICIENT_MARGIN', message: 'no', match: POST_ORDERS });
    expect((await client.place()).error).toEqual({ code: 'INSUFFICIENT_MARGIN', message: 'no' });
    await client.fault({ kind: 'refuse', code: 'UNAVAILABLE', message: 'maintenance', status: 503, match: POST_ORDERS });
    expect(await client.placeAll([restingOrder()])).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
    expect(await acceptedIds()).toEqual([]);
  });

  test('a fault meets only what it matches', async () => {
    await client.fault({ kind: 'refuse', code: 'X', message: 'x', match: { account: 'somebody-else' } });
    await client.fault({ kind: 'refuse', code: 'X', message: 'x', match: { clientId: 'the-one' } });
    expect((await client.place()).ok).toBe(true);
    expect((await client.place({ clientId: 'the-one' })).ok).toBe(false);
  });
});

describe('hold and delay', () => {
  test('a held answer waits for its release while the order already lives and the stream has told it', async () => {
    const heard = await TestStream.account(simulator.wsUrl, client.key);
    const id = await client.fault({ kind: 'hold', match: POST_ORDERS });
    const order = restingOrder();
    let answered = false;
    const placing = client.placeAll([order]).finally(() => (answered = true));
    expect((await client.get(`/__sim/faults/${id}/hits?timeoutMs=30000`)).body).toEqual({ hits: 1 });
    await heard.until(() => heard.messages('account').length > 0);
    expect([answered, await acceptedIds()]).toEqual([false, [order.clientId]]);
    expect((await client.post(`/__sim/faults/${id}/release`, {})).body).toEqual({ released: 1 });
    expect((await placing).status).toBe(200);
    heard.close();
  });

  test('held before acceptance, the venue has nothing until the release', async () => {
    const id = await client.fault({ kind: 'hold', before: true, match: POST_ORDERS });
    const placing = client.placeAll([restingOrder()]);
    await client.get(`/__sim/faults/${id}/hits?timeoutMs=30000`);
    expect(await acceptedIds()).toEqual([]);
    const { body } = await client.get('/__sim/requests?path=/orders');
    expect(body).toMatchObject({ count: 1, requests: [{ status: null, fault: 'hold' }] });
    await client.call('DELETE', '/__sim/faults');
    await placing;
    expect(await acceptedIds()).toHaveLength(1);
  });

  test('a delayed answer comes after the order was accepted', async () => {
    const id = await client.fault({ kind: 'delay', delayMs: 50, match: POST_ORDERS });
    const placing = client.placeAll([restingOrder()]);
    await client.get(`/__sim/faults/${id}/hits?timeoutMs=30000`);
    expect(await acceptedIds()).toHaveLength(1);
    expect((await placing).status).toBe(200);
  });
});

describe('what the venue shows', () => {
  test('a hidden order lives and fills but no query and no stream shows it until its time is over', async () => {
    const heard = await TestStream.account(simulator.wsUrl, client.key);
    const id = await client.fault({ kind: 'hide', durationMs: 90_000 });
    const hidden = await client.place({ price: '1.9' });
    await client.call('DELETE', `/__sim/faults/${id}`);
    await client.post('/__sim/prices', { symbol: 'XRP-PERP', price: '1.8' });
    await heard.caughtUp();
    const queries = [`/orders?clientIds=${hidden.clientId}`, '/orders?status=open', '/orders?status=closed', '/fills?from=0'];
    for (const query of queries) expect(Object.values((await client.get(query)).body)[0]).toEqual([]);
    expect(heard.messages('account').filter((message) => message.event?.['order'] !== undefined || message.event?.['fill'] !== undefined)).toEqual([]);
    expect((await client.get('/positions')).body['positions']).toHaveLength(1);
    await client.post('/__sim/clock', { advanceMs: 90_000 });
    expect((await client.get(queries[0] as string)).body['orders']).toMatchObject([{ status: 'filled' }]);
    expect((await client.get('/fills?from=0')).body['fills']).toHaveLength(1);
    heard.close();
  });

  test('an order can be hidden after the fact, by its id', async () => {
    const order = await client.place();
    await client.fault({ kind: 'hide', clientId: order.clientId, durationMs: 1_000 });
    expect(await client.openIds()).toEqual([]);
    await client.post('/__sim/clock', { advanceMs: 1_000 });
    expect(await client.openIds()).toEqual([order.clientId]);
  });

  test('truncated history: what is older is gone from closed orders and fills, open orders stay', async () => {
    const open = await client.place();
    const filled = await client.place({ type: 'market', timeInForce: 'IOC', price: undefined });
    const before = filled.order.updatedAt + 1;
    await client.fault({ kind: 'truncateHistory', before });
    expect((await client.get('/fills?from=0')).body).toEqual({ fills: [], truncatedBefore: before });
    expect((await client.get(`/orders?clientIds=${open.clientId},${filled.clientId}`)).body['orders']).toMatchObject([{ clientId: open.clientId }]);
  });

  test('a skewed clock expires requests, and is right again when disarmed', async () => {
    const expiresAt = Date.now() + 30_000;
    const id = await client.fault({ kind: 'skewClock', offsetMs: 60_000 });
    expect((await client.placeAll([restingOrder()], expiresAt)).status).toBe(400);
    await client.call('DELETE', `/__sim/faults/${id}`);
    expect((await client.placeAll([restingOrder()], expiresAt)).status).toBe(200);
  });
});

describe('connections', () => {
  test('told not to listen, the venue refuses connections until told otherwise on the control address', async () => {
    await client.post('/__sim/listen', { up: false });
    await expect(client.get('/time')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    const response = await fetch(`${simulator.controlUrl}/__sim/listen`, { method: 'POST', body: JSON.stringify({ up: true }) });
    expect(response.status).toBe(200);
    expect((await client.get('/time')).status).toBe(200);
  });
});

describe('connections for a time', () => {
  test('after the time given it listens again by itself', async () => {
    await client.post('/__sim/listen', { up: false, forMs: 20 });
    const isUp = (): Promise<boolean> => client.get('/time').then(({ status }) => status === 200, () => false);
    while (!(await isUp())) await new Promise((resolve) => setImmediate(resolve));
    expect((await client.place()).ok).toBe(true);
  });
});

describe('arming', () => {
  test.each([
    [{ kind: 'earthquake' }, 'kind must be one of'],
    [{ kind: 'delay' }, 'needs delayMs'],
    [{ kind: 'truncateHistory', before: true }, 'needs before as a time'],
    [{ kind: 'refuse', code: 'A', message: 'b', count: 0 }, 'count must be an integer of at least 1'],
  ])('%j is refused with what it lacks', async (fault, message) => {
    const { status, body } = await client.post('/__sim/faults', fault);
    expect([status, (body['error'] as { message: string }).message]).toEqual([400, expect.stringContaining(message)]);
    expect((await client.get('/__sim/faults')).body).toEqual({ faults: [] });
  });
});
