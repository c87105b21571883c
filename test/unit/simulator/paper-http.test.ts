/** The paper venue over HTTP, in this process, from place to fills. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StartedSimulator } from '../../../src/simulator';
import type { OrderView } from '../../../src/simulator/order';
import { type PlaceResult, TestClient, restingOrder, startQuiet } from './paper-client';

let simulator: StartedSimulator;
let client: TestClient;
beforeEach(async () => {
  ({ simulator, client } = await startQuiet());
});
afterEach(() => simulator.close());

const ordersOf = (body: Record<string, unknown>): OrderView[] => body['orders'] as OrderView[];
const listOf = (body: Record<string, unknown>, name: string): Record<string, string>[] => body[name] as Record<string, string>[];

describe('market data', () => {
  test('time, markets, book, tickers, trades, candles and funding are public and carry the venue\'s clock', async () => {
    const stranger = new TestClient(simulator.url, '');
    const time = await stranger.get('/time');
    expect(Number(time.headers.get('x-paper-time'))).toBeGreaterThan(1_600_000_000_000);
    const { body } = await stranger.get('/markets');
    expect(listOf(body, 'markets').map(({ symbol }) => symbol)).toEqual(['BTC-PERP', 'ETH-PERP', 'SOL-PERP', 'XRP-PERP', 'BTC-USDT']);
    const book = (await stranger.get('/orderbook?symbol=BTC-PERP&depth=5')).body as { bids: [string, string][]; asks: [string, string][] };
    expect([book.bids.length, book.asks.length]).toEqual([5, 5]);
    expect(Number(book.bids[0]?.[0])).toBeLessThan(Number(book.asks[0]?.[0]));
    expect(listOf((await stranger.get('/tickers')).body, 'tickers')[0]).toMatchObject({ symbol: 'BTC-PERP', mark: '97000' });
    await client.place({ type: 'market', timeInForce: 'IOC', price: undefined, quantity: '20' });
    expect(listOf((await stranger.get('/trades?symbol=XRP-PERP')).body, 'trades')).toMatchObject([{ quantity: '20', side: 'buy' }]);
    const candles = listOf((await stranger.get('/candles?symbol=XRP-PERP&intervalMs=60000')).body, 'candles');
    expect(candles[candles.length - 1]).toMatchObject({ volume: '20' });
    expect((await stranger.get('/funding?symbol=XRP-PERP')).body).toMatchObject({ rate: '0.0001', intervalMs: 28_800_000 });
  });

  test.each([
    ['/orderbook', 400, 'BAD_REQUEST'],
    ['/orderbook?symbol=NOPE', 400, 'UNKNOWN_MARKET'],
    ['/candles?symbol=BTC-PERP&intervalMs=61000', 400, 'BAD_REQUEST'],
    ['/nothing', 404, 'NOT_FOUND'],
    ['/orders?status=what', 400, 'BAD_REQUEST'],
    ['/fills?cursor=x', 400, 'BAD_REQUEST'],
  ])('%s is answered %i %s', async (path, status, code) => {
    expect(await client.get(path)).toMatchObject({ status, body: { error: { code } } });
  });
});

describe('orders', () => {
  test('each item of a batch is judged on its own, in order', async () => {
    const good = restingOrder();
    const { body } = await client.placeAll([good, restingOrder({ price: '1.00001' }), { ...good }, restingOrder({ side: 'up' }), restingOrder({ quantity: 10 })]);
    const results = body['results'] as PlaceResult[];
    expect(results.map((result) => (result.ok ? result.order.status : result.error.code))).toEqual(['open', 'BAD_TICK', 'DUPLICATE_CLIENT_ID', 'BAD_REQUEST', 'BAD_REQUEST']);
    expect(results.map((result) => result.clientId)[0]).toBe(good.clientId);
  });

  test('an expired request, a batch that is too large and a key that is missing change nothing', async () => {
    const { body: time } = await client.get('/time');
    expect(await client.placeAll([restingOrder()], (time['time'] as number) - 1)).toMatchObject({ status: 400, body: { error: { code: 'EXPIRED_REQUEST' } } });
    const many = Array.from({ length: 101 }, () => restingOrder());
    expect(await client.placeAll(many)).toMatchObject({ status: 400, body: { error: { code: 'BATCH_TOO_LARGE' } } });
    expect(await new TestClient(simulator.url, '').placeAll([restingOrder()])).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    expect(ordersOf((await client.get('/__sim/orders')).body)).toEqual([]);
  });

  test('market, IOC, FOK, post-only and reduce-only over the wire', async () => {
    const ask = '1.9501';
    const market = await client.place({ type: 'market', timeInForce: 'IOC', price: undefined, quantity: '100' });
    expect(market.order).toMatchObject({ status: 'filled', price: null, filledQuantity: '100', avgPrice: ask });
    const none = await client.place({ price: '1.9', timeInForce: 'IOC' });
    expect(none).toMatchObject({ ok: true, order: { status: 'canceled', filledQuantity: '0', cancelReason: 'NO_LIQUIDITY' } });
    const all = await client.place({ price: ask, quantity: '40000', timeInForce: 'FOK' });
    expect(all).toMatchObject({ ok: true, order: { status: 'canceled', filledQuantity: '0', cancelReason: 'NO_LIQUIDITY' } });
    expect((await client.place({ price: ask, postOnly: true })).error.code).toBe('POST_ONLY_WOULD_CROSS');
    expect((await client.place({ side: 'buy', reduceOnly: true })).error.code).toBe('REDUCE_ONLY_WOULD_INCREASE');
    expect(await client.place({ side: 'sell', price: '2.5', quantity: '100', reduceOnly: true })).toMatchObject({ ok: true, order: { reduceOnly: true } });
    const positions = listOf((await client.get('/positions')).body, 'positions');
    expect(positions).toMatchObject([{ symbol: 'XRP-PERP', side: 'long', quantity: '100', entryPrice: ask, leverage: '10' }]);
    const [usdc] = listOf((await client.get('/balances')).body, 'balances');
    // 100000 - 195.01 x 0.00055, of which 19.501 is margin.
    expect(usdc).toMatchObject({ asset: 'USDC', total: '99999.8927445', locked: '19.501' });
  });

  test('cancel, amend and cancel-all; the same amend twice is one amend', async () => {
    const [first, second, third] = [await client.place(), await client.place(), await client.place({ symbol: 'BTC-PERP', price: '90000', quantity: '0.01' })];
    const amendment = { expiresAt: 9_999_999_999_999, clientId: first.clientId, quantity: '5', amendId: 'a-1' };
    const amended = await client.post('/orders/amend', amendment);
    expect(amended.body).toMatchObject({ order: { quantity: '5', revision: 1 } });
    expect((await client.post('/orders/amend', { ...amendment, expiresAt: 1 })).body).toEqual(amended.body);
    expect(await client.post('/orders/amend', { ...amendment, clientId: 'never' })).toMatchObject({ status: 404, body: { error: { code: 'ORDER_NOT_FOUND' } } });
    const { body } = await client.post('/orders/cancel', { cancels: [{ clientId: first.clientId }, { orderId: second.order.orderId }, { clientId: 'never' }, { clientId: first.clientId }] });
    const results = body['results'] as PlaceResult[];
    expect(results.map((result) => (result.ok ? result.order.cancelReason : result.error.code))).toEqual(['REQUESTED', 'REQUESTED', 'ORDER_NOT_FOUND', 'ORDER_CLOSED']);
    expect((await client.post('/orders/cancel-all', { symbol: 'ETH-PERP' })).body).toEqual({ canceled: [] });
    expect(((await client.post('/orders/cancel-all', {})).body['canceled'] as OrderView[]).map(({ clientId }) => clientId)).toEqual([third.clientId]);
  });

  test('closed orders and fills are paged to the end, each once', async () => {
    for (let index = 0; index < 7; index += 1) await client.place({ type: 'market', timeInForce: 'IOC', price: undefined, quantity: '10' });
    const orders: string[] = [];
    const fills: string[] = [];
    let [cursor, fillCursor]: [string, string] = ['', ''];
    do {
      const { body } = await client.get(`/orders?status=closed&limit=3${cursor}`);
      orders.push(...ordersOf(body).map(({ clientId }) => clientId));
      cursor = body['next'] === undefined ? '' : `&cursor=${body['next'] as string}`;
    } while (cursor !== '');
    do {
      const { body } = await client.get(`/fills?from=0&limit=2${fillCursor}`);
      fills.push(...listOf(body, 'fills').map(({ fillId }) => String(fillId)));
      fillCursor = body['next'] === undefined ? '' : `&cursor=${body['next'] as string}`;
    } while (fillCursor !== '');
    expect([orders.length, new Set(orders).size, fills.length, new Set(fills).size]).toEqual([7, 7, 7, 7]);
    const found = ordersOf((await client.get(`/orders?clientIds=${orders[0] ?? ''},never`)).body);
    expect(found.map(({ clientId }) => clientId)).toEqual([orders[0]]);
  });
});

describe('settings of an account', () => {
  test('leverage is taken as text or number, up to the market\'s maximum', async () => {
    expect((await client.post('/leverage', { symbol: 'XRP-PERP', leverage: '20' })).body).toEqual({ symbol: 'XRP-PERP', leverage: '20' });
    expect(await client.post('/leverage', { symbol: 'XRP-PERP', leverage: 21 })).toMatchObject({ status: 400, body: { error: { code: 'LEVERAGE_TOO_HIGH' } } });
  });

  test('the dead-man switch cancels everything when it runs out, and 0 clears it', async () => {
    const order = await client.place();
    expect((await client.post('/dead-man', { timeoutMs: 60_000 })).body['at']).toEqual(expect.any(Number));
    expect((await client.post('/dead-man', { timeoutMs: 0 })).body).toEqual({ at: null });
    await client.post('/__sim/clock', { advanceMs: 120_000 });
    expect(await client.openIds()).toEqual([order.clientId]);
    await client.post('/dead-man', { timeoutMs: 60_000 });
    await client.post('/__sim/clock', { advanceMs: 60_001 });
    await expectEventually(async () => ordersOf((await client.get(`/orders?clientIds=${order.clientId}`)).body)[0]?.cancelReason, 'DEAD_MAN');
  });
});

describe('control', () => {
  test('prices move the market and fill what they cross; credit and external orders change an account', async () => {
    const order = await client.place({ price: '1.9' });
    await client.post('/__sim/prices', { symbol: 'XRP-PERP', price: '1.8' });
    expect(ordersOf((await client.get(`/orders?clientIds=${order.clientId}`)).body)[0]).toMatchObject({ status: 'filled', avgPrice: '1.9' });
    const { body: state } = await client.get('/__sim/state');
    const account = (state['accounts'] as string[])[0];
    await client.post('/__sim/credit', { account, asset: 'USDC', amount: '-1000' });
    const external = await client.post('/__sim/external-order', { account, ...restingOrder({ clientId: undefined }) });
    expect(external.body).toMatchObject({ order: { status: 'open', clientId: expect.stringMatching(/^external-/) as unknown as string } });
    expect((await client.get('/balances')).body).toMatchObject({ balances: [{ total: '98999.9962' }] });
  });

  test('every request is there to be counted, with its account, ids and status', async () => {
    const order = await client.place();
    await client.placeAll([restingOrder()], 1);
    const { body } = await client.get('/__sim/requests?path=/orders&method=POST');
    expect(body).toMatchObject({ count: 2, requests: [{ method: 'POST', path: '/orders', clientIds: [order.clientId], status: 200 }, { status: 400 }] });
  });

  test('without control there is no /__sim', async () => {
    const production = await startQuiet({ control: false, openAccounts: false });
    try {
      expect((await production.client.get('/__sim/state')).status).toBe(404);
      expect(production.simulator.controlUrl).toBe('');
      expect(await production.client.placeAll([restingOrder()])).toMatchObject({ status: 401 });
    } finally {
      await production.simulator.close();
    }
  });
});

/** Asks again until the answer is as expected; the test's own time limit ends it otherwise. */
async function expectEventually<T>(ask: () => Promise<T>, expected: T): Promise<void> {
  while ((await ask()) !== expected) await new Promise((resolve) => setImmediate(resolve));
}
