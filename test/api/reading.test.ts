import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../../src/domain/venue-errors';
import { ApiHarness, limitOrder, type Answer } from './harness';
import { fill, position } from './samples';

let api: ApiHarness;
let id: string;
beforeEach(async () => {
  api = await new ApiHarness().start();
  id = (await api.ask('POST', '/api/v1/orders', { body: limitOrder() })).body.id;
});
afterEach(() => api.close());

const get = (path: string): Promise<Answer> => api.ask('GET', path);
const venueFails = async (error: Error): Promise<void> => {
  await api.close();
  api = await new ApiHarness().start((ports) => ({ ...ports, venues: { ...ports.venues, orderBook: () => Promise.reject(error) } }));
};

describe('markets', () => {
  test('venues say what they can do', async () => {
    const { body } = await get('/api/v1/venues');
    expect(body.venues.map((venue: Answer['body']) => [venue.name, venue.status, venue.amend])).toEqual([['paper', 'available', 'inPlace'], ['other', 'unavailable', 'none']]);
  });

  test('are listed, by venue and kind', async () => {
    expect((await get('/api/v1/markets')).body.markets).toHaveLength(5);
    expect((await get('/api/v1/markets?venue=other&kind=perpetual')).body.markets).toHaveLength(2);
    expect((await get('/api/v1/markets?kind=spot')).body.markets).toEqual([]);
  });

  test.each([
    ['ETH-PERP', 200], ['ETHUSD', 200], ['xyz:TSLA-PERP', 200], ['BTC-PERP?venue=paper', 200], ['XBT%2FUSD?venue=other', 200],
    ['BTC-PERP', 400], ['NONE', 404], ['ETH-PERP?venue=other', 404], ['a%20b', 400],
  ])('%s is found by symbol, alias and venue: %d', async (symbol, status) => {
    expect((await get(`/api/v1/markets/${symbol}`)).status).toBe(status);
  });

  test('a symbol on several venues asks for one of them', async () => {
    const { body } = await get('/api/v1/markets/BTC-PERP');
    expect(body.error.details.venues).toEqual(['paper', 'other']);
  });

  test('an order book has the asked depth', async () => {
    const { body } = await get('/api/v1/markets/BTC-PERP/orderbook?venue=paper&depth=1');
    expect(body).toEqual({ venue: 'paper', symbol: 'BTC-PERP', bids: [['49999.5', '1']], asks: [['50000.5', '1']], sequence: 7, at: '2026-01-31T12:00:00.000Z' });
  });

  test.each([
    [new VenueUnavailable('paper', 'connection refused', 'connection'), 503, 'VENUE_UNAVAILABLE'],
    [new VenueOutcomeUnknown('paper', 'no answer', 'timeout'), 504, 'VENUE_TIMEOUT'],
    [new VenueRateLimited('paper', 'slow down', 2_500, 'venue'), 429, 'RATE_LIMITED'],
    [new VenueRefused('paper', 'other', '-1', 'no'), 422, 'VENUE_REJECTED'],
  ])('a venue that fails a read: %s', async (error, status, code) => {
    await venueFails(error);
    const answer = await get('/api/v1/markets/BTC-PERP/orderbook?venue=paper');
    expect([answer.status, answer.body.error.code, answer.body.error.outcome]).toEqual([status, code, 'none']);
    expect(answer.headers.get('retry-after')).toBe(status === 429 ? '3' : null);
  });

  test('prices name the symbols that have none', async () => {
    const { body } = await get('/api/v1/prices?symbols=BTC-PERP,NONE&venue=paper');
    expect([body.prices.map((price: Answer['body']) => price.symbol), body.missing]).toEqual([['BTC-PERP'], ['NONE']]);
    expect((await get('/api/v1/prices')).body.prices).toHaveLength(2);
    expect((await get('/api/v1/prices?symbols=')).status).toBe(400);
  });
});

describe('orders', () => {
  test('are read by id and by client id', async () => {
    for (const path of [`/api/v1/orders/${id}`, '/api/v1/orders/by-client-id/c-1?accountId=main']) {
      const answer = await get(path);
      expect([answer.status, answer.body.id, answer.headers.get('etag')]).toEqual([200, id, '"2"']);
    }
    expect((await get('/api/v1/orders/by-client-id/c-1?accountId=second')).status).toBe(404);
    expect((await get('/api/v1/orders/by-client-id/c-1')).status).toBe(400);
  });

  test('are listed by status, account, symbol and venue, page by page', async () => {
    for (const n of [2, 3]) await api.ask('POST', '/api/v1/orders', { body: limitOrder({ clientOrderId: `c-${n}`, accountId: n === 3 ? 'second' : 'main' }) });
    api.backend.change(id, { state: 'FILLED' });
    const count = async (query: string): Promise<number> => (await get(`/api/v1/orders${query}`)).body.orders.length;
    expect([await count(''), await count('?status=open'), await count('?status=closed'), await count('?accountId=second'), await count('?symbol=ETH-PERP'), await count('?venue=paper')]).toEqual([3, 2, 1, 1, 0, 2]);
    const first = await get('/api/v1/orders?limit=2');
    const second = await get(`/api/v1/orders?limit=2&cursor=${first.body.nextCursor}`);
    expect([...first.body.orders, ...second.body.orders]).toHaveLength(3);
    expect(second.body.nextCursor).toBeNull();
  });

  test.each(['?limit=0', '?limit=1001', '?limit=1e2', '?limit=', '?status=working', '?surprise=1', '?limit=1&limit=2', '?cursor=%00'])('a wrong query is a 400: %s', async (query) => {
    expect((await get(`/api/v1/orders${query}`)).status).toBe(400);
  });

  test('have a timeline, with Temporal away too', async () => {
    api.backend.temporalAway = true;
    api.backend.money.kept.fills.push(fill('main', id, 'f-1'));
    const { body } = await get(`/api/v1/orders/${id}/timeline`);
    expect([body.intent.limitPrice, body.risk.verdict, body.attempts[0].outcome, body.fills.length, body.events.map((event: Answer['body']) => event.type)]).toEqual(['50000', 'accepted', 'answered', 1, ['order.submitting', 'order.working']]);
  });
});

describe('accounts, positions, fills and events', () => {
  test('an account on paper needs no credentials, and is answered with its balance known', async () => {
    const made = await api.ask('POST', '/api/v1/accounts', { body: { name: ' third ', venue: 'paper', limits: { maxOpenOrders: 5 } } });
    expect([made.status, made.body.name, made.body.limits.maxOpenOrders, made.body.limits.maxDailyLoss]).toEqual([201, 'third', 5, '5000']);
    expect((await get(`/api/v1/accounts/${made.body.id}/balances`)).body.balances[0].available).toBe('10000');
    expect((await get(made.headers.get('location') ?? '')).body.id).toBe(made.body.id);
    expect((await get('/api/v1/accounts')).body.accounts).toHaveLength(3);
    expect(JSON.stringify(made.body)).not.toContain('"key"');
  });

  test.each([
    [{ name: 'main', venue: 'paper' }, 409], [{ name: 'x', venue: 'nowhere' }, 422], [{ name: 'x', venue: 'nowhere', credentials: { key: 'k' } }, 422], [{ name: 'x', venue: 'other' }, 400],
    [{ name: '', venue: 'paper' }, 400], [{ name: 'x', venue: 'paper', limits: { maxOrderNotional: '0' } }, 400], [{ name: 'x', venue: 'paper', limits: { maxOrderNotional: 'Infinity' } }, 400],
  ])('%j is %d', async (body, status) => {
    expect((await api.ask('POST', '/api/v1/accounts', { body })).status).toBe(status);
  });

  test('an account whose watcher cannot be started is told as made', async () => {
    api.backend.temporalAway = true;
    const answer = await api.ask('POST', '/api/v1/accounts', { body: { name: 'x', venue: 'paper' } });
    expect([answer.status, answer.body.error.outcome]).toEqual([503, 'applied']);
    expect((await get(`/api/v1/accounts/${answer.body.error.details.accountId}`)).status).toBe(200);
  });

  test('fills are listed', async () => {
    api.backend.money.kept.fills.push(fill('main', id, 'f-1'), fill('main', null, 'f-2'), fill('foreign', null, 'f-3'));
    expect((await get('/api/v1/fills')).body.fills).toHaveLength(2);
    expect((await get(`/api/v1/fills?orderId=${id}`)).body.fills).toHaveLength(1);
  });

  test('trades and the ledger are listed, and are nobody else\'s', async () => {
    const at = new Date(0).toISOString();
    const trade = { id: '0193e2a4-6c1e-7a50-9b1d-3f1c2a4b5c6d', accountId: 'main', venue: 'paper', symbol: 'BTC-PERP', side: 'long', status: 'closed', quantity: '1', entryPrice: '10', exitQuantity: '1', exitPrice: '12', realizedPnl: '2', fees: '0.1', funding: '-0.2', profit: '1.7', asset: 'USDC', carriedIn: false, openedAt: at, closedAt: at, updatedAt: at } as const;
    api.backend.money.kept.trades.push(trade, { ...trade, accountId: 'foreign' });
    api.backend.money.kept.entries.push({ accountId: 'main', fact: 'fill/1', kind: 'fill', book: 'fees', asset: 'USDC', amount: '0.1', symbol: 'BTC-PERP', at });
    expect((await get('/api/v1/trades')).body).toEqual({ trades: [trade], nextCursor: null });
    expect((await get('/api/v1/trades?status=open&accountId=main')).body.trades).toEqual([]);
    expect([(await get('/api/v1/trades?accountId=foreign')).status, (await get('/api/v1/trades?status=some')).status]).toEqual([404, 400]);
    expect((await get('/api/v1/accounts/main/ledger?limit=5')).body.entries).toHaveLength(1);
    expect((await get('/api/v1/accounts/foreign/ledger')).status).toBe(404);
  });

  test('events follow a sequence, and tell head and generation', async () => {
    const { body } = await get('/api/v1/events?accountId=main&sinceSequence=1');
    expect([body.stream, body.generation, body.headSequence, body.events.map((event: Answer['body']) => event.sequence)]).toEqual(['account:main', 'g-1', 2, [2]]);
    expect((await get('/api/v1/events')).body).toEqual({ stream: 'user:alice', events: [], generation: 'g-1', headSequence: 0 });
  });
});

describe('closing a position', () => {
  const close = (body?: unknown, key: string | null = 'close-1', positionId = 'p-1'): Promise<Answer> => api.ask('POST', `/api/v1/positions/${positionId}/close`, { body, headers: key === null ? {} : { 'idempotency-key': key } });
  beforeEach(() => {
    api.backend.positions.set('p-1', position('p-1', 'main', 'long', '0.03'));
    api.backend.positions.set('p-2', position('p-2', 'foreign', 'short', '1'));
    api.backend.venueAnswers = (order) => ({ state: 'FILLED', filledQuantity: order.quantity });
  });

  test('places a reduce-only market order of the other side', async () => {
    const answer = await close();
    expect([answer.status, answer.body.side, answer.body.type, answer.body.reduceOnly, answer.body.quantity]).toEqual([201, 'sell', 'market', true, '0.03']);
  });

  test('a repeat meets the same order, also when the position is flat by then', async () => {
    const first = await close();
    api.backend.positions.set('p-1', position('p-1', 'main', 'flat', '0'));
    expect((await close()).body.id).toBe(first.body.id);
    expect(api.backend.calls.sent).toBe(2);
    const later = await close(undefined, 'close-2');
    expect([later.status, later.body.error.code]).toEqual([409, 'CONFLICT']);
  });

  test('a key that closed something longer ago than it is remembered is refused for another close, also when asked again', async () => {
    await close();
    api.backend.records.clear();
    api.backend.positions.set('p-1', position('p-1', 'main', 'short', '0.05'));
    for (let times = 0; times < 2; times += 1) expect((await close()).body.error).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH', details: { differs: ['side', 'quantity'] } });
    api.backend.positions.set('p-1', position('p-1', 'main', 'flat', '0'));
    expect((await close()).body.error).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('flat') });
  });

  test('takes what there is now, where an order filled a moment ago whose fills are still to come', async () => {
    api.backend.closable.set('p-1', position('p-1', 'main', 'long', '0.02'));
    expect((await close({ quantity: '0.03' })).body.error).toMatchObject({ code: 'UNPROCESSABLE', message: expect.stringContaining('the position holds 0.02') });
    expect((await close(undefined, 'close-2')).body.quantity).toBe('0.02');
    api.backend.closable.set('p-1', position('p-1', 'main', 'flat', '0'));
    expect((await close(undefined, 'close-3')).status).toBe(409);
  });

  test('takes a part, and no more than there is', async () => {
    expect((await close({ quantity: '0.010' })).body.quantity).toBe('0.01');
    expect((await close({ quantity: '1' }, 'close-2')).status).toBe(422);
    expect((await close({ quantity: '0.02' })).body.error.code).toBe('IDEMPOTENCY_MISMATCH');
  });

  test('closes a part by a limit order that rests, and says what a limit needs', async () => {
    api.backend.venueAnswers = () => ({ state: 'WORKING' });
    const answer = await close({ quantity: '0.01', type: 'limit', limitPrice: '60000.0' });
    expect([answer.status, answer.body.type, answer.body.limitPrice, answer.body.timeInForce, answer.body.reduceOnly, answer.body.quantity]).toEqual([201, 'limit', '60000', 'GTC', true, '0.01']);
    expect((await close({ quantity: '0.01', type: 'limit', limitPrice: '60000' })).body.id).toBe(answer.body.id);
    expect((await close({ quantity: '0.01', type: 'limit', limitPrice: '61000' })).body.error.code).toBe('IDEMPOTENCY_MISMATCH');
    for (const body of [{ type: 'limit' }, { limitPrice: '1' }, { type: 'stop' }]) expect((await close(body, 'close-3')).status).toBe(400);
    expect((await close({ type: 'limit', limitPrice: '60000.00001' }, 'close-4')).status).toBe(422);
  });

  test('needs a key, and a position of one\'s own', async () => {
    expect([(await close(undefined, null)).status, (await close(undefined, 'k', 'p-2')).status, (await close(undefined, 'k', 'p-9')).status]).toEqual([400, 404, 404]);
  });

  test('the position of one market is read by its symbol or the venue\'s spelling; of several accounts one is named', async () => {
    expect((await get('/api/v1/positions/BTC-PERP')).body.id).toBe('p-1');
    expect((await get('/api/v1/positions/BTC-PERP?accountId=foreign')).status).toBe(404);
    expect((await get('/api/v1/positions/NONE-PERP')).status).toBe(404);
    api.backend.addAccount('second', 'alice');
    api.backend.positions.set('p-3', position('p-3', 'second', 'flat', '0'));
    const several = await get('/api/v1/positions/BTC-PERP');
    expect([several.status, several.body.error.message]).toEqual([400, expect.stringContaining('main, second')]);
    expect((await get('/api/v1/positions/BTC-PERP?accountId=second')).body.id).toBe('p-3');
  });

  test('positions are listed', async () => {
    expect((await get('/api/v1/positions')).body.positions.map((each: Answer['body']) => each.id)).toEqual(['p-1']);
    expect((await get('/api/v1/positions?status=closed&accountId=main')).body.positions).toEqual([]);
    expect((await get('/api/v1/positions?limit=5&cursor=abc')).body.nextCursor).toBeNull();
    expect((await get('/api/v1/positions?limit=0')).status).toBe(400);
  });
});
