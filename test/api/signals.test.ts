import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SignalKeeper } from '../../src/api/signal-keeper';
import { DomainError } from '../../src/domain/errors';
import { ApiHarness, type Answer } from './harness';

const SOURCE = {
  name: 'TradingView',
  kind: 'order',
  template: { accountId: 'main', symbol: 'BTC-PERP', side: '{{action}}', type: '{{type}}', quantity: '{{contracts}}', limitPrice: '{{price}}' },
  fields: {
    id: { kind: 'text' }, action: { kind: 'choice', options: { long: 'buy', short: 'sell' } }, contracts: { kind: 'decimal', digits: 3 },
    type: { kind: 'choice', options: { market: 'market', limit: 'limit' }, fallback: 'market' }, price: { kind: 'decimal', required: false },
  },
};
const ALERT = '{"id":"a-1","action":"long","contracts":0.0109,"type":"limit","price":50000}';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const make = (body: Record<string, unknown> = {}, key = api.key): Promise<Answer> => api.ask('POST', '/api/v1/signal-sources', { key, body: { ...SOURCE, ...body } });
const send = (token: string, raw = ALERT, { type = 'text/plain; charset=utf-8', query = '', headers = {} }: { type?: string; query?: string; headers?: Record<string, string> } = {}): Promise<Answer> =>
  api.ask('POST', `/api/v1/signals/${token}${query}`, { key: null, raw, headers: { 'content-type': type, ...headers } });
const ordersOf = (): { side: string; quantity: string; origin: string; state: string; id: string }[] => [...api.backend.orders.values()];

describe('an alert', () => {
  test.each(['text/plain; charset=utf-8', 'application/json; charset=utf-8', 'application/octet-stream'])('as %s becomes an order by the path of POST /orders, without any header of ours', async (type) => {
    const { token } = (await make()).body;
    const answer = await send(token, ALERT, { type });
    expect([answer.status, answer.body]).toMatchObject([200, { status: 'placed', alertId: 'a-1', state: 'WORKING', alert: { contracts: '0.0109' }, address: expect.stringContaining('127.0.0.1') }]);
    expect(ordersOf()).toMatchObject([{ id: answer.body.orderId, side: 'buy', quantity: '0.01', limitPrice: '50000', origin: 'SIGNAL' }]);
  });

  test('fifty times at once and again later is one order and one signal', async () => {
    const { token, id } = (await make()).body;
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(token)));
    expect(new Set(answers.map(({ status }) => status < 300))).toEqual(new Set([true]));
    const later = await send(token);
    expect([later.status, later.body.status, later.body.orderId]).toEqual([200, 'placed', ordersOf()[0]?.id]);
    expect(new Set([...answers, later].map(({ body }) => body.id)).size).toBe(1);
    expect(ordersOf()).toHaveLength(1);
    expect((await api.ask('GET', `/api/v1/signal-sources/${id}/signals`)).body.signals).toHaveLength(1);
  });

  test('with an id that another alert had is refused, and the first stays as it is', async () => {
    const { token, id } = (await make()).body;
    await send(token);
    const other = await send(token, ALERT.replace('long', 'short'));
    expect([other.status, other.body.error.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
    expect(ordersOf()).toMatchObject([{ side: 'buy' }]);
    expect((await api.ask('GET', `/api/v1/signal-sources/${id}/signals?status=refused`)).body.signals).toMatchObject([{ id: other.body.error.details.signalId, code: 'IDEMPOTENCY_MISMATCH' }]);
  });

  test.each([
    ['id=a-2\naction=up\ncontracts=1', 400, 'VALIDATION', 'must be one of long, short'],
    ['id=a-2,action=long', 400, 'VALIDATION', 'body.contracts: is missing'],
    ['{"id":"a-2","action":"long","contracts":-1}', 400, 'VALIDATION', 'body.quantity'],
    ['{"id":"a-2","action":"long","contracts":1,"price":2}', 400, 'VALIDATION', 'must be absent for a market order'],
    ['Crossing 50000', 400, 'VALIDATION', 'text: is not a field of this source'],
    ['{"id":"a-2","action":"long","contracts":0.0001}', 400, 'VALIDATION', 'body.quantity'],
    ['{"id":"a-2","action":"long","contracts":1,"type":"limit","price":50000.123456}', 422, 'UNPROCESSABLE', 'nearest'],
  ])('%s is refused, listed with why, and told as an event to nobody but its owner', async (text, status, code, words) => {
    const { token, id } = (await make()).body;
    const answer = await send(token, text);
    expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([status, code, expect.stringContaining(words)]);
    expect(ordersOf()).toEqual([]);
    const { signals } = (await api.ask('GET', `/api/v1/signal-sources/${id}/signals`)).body;
    expect(signals).toMatchObject([{ id: answer.body.error.details.signalId, status: 'refused', code, message: expect.stringContaining(words), orderId: null }]);
    expect((await api.ask('GET', `/api/v1/signal-sources/${id}/signals/${signals[0].id}`)).body).toEqual(signals[0]);
    expect((await api.ask('GET', `/api/v1/signal-sources/${id}/signals/${signals[0].id}`, { key: api.otherKey })).status).toBe(404);
  });

  test('that risk denies says so each time, and its id is used up', async () => {
    api.backend.judge = () => ({ code: 'RISK_ORDER_NOTIONAL', message: 'too large', figures: {} });
    const { token } = (await make()).body;
    for (let n = 0; n < 2; n += 1) {
      const answer = await send(token);
      expect([answer.status, answer.body.error.code, answer.body.error.details.orderId]).toEqual([422, 'RISK_ORDER_NOTIONAL', ordersOf()[0]?.id]);
    }
    expect(ordersOf()).toMatchObject([{ state: 'DENIED' }]);
  });

  test('as a dry run is judged and listed; its id is free afterwards', async () => {
    const { token } = (await make()).body;
    const judged = await send(token, ALERT, { query: '?dryRun=true' });
    expect([judged.status, judged.body.status, judged.body.message, judged.body.request.quantity]).toEqual([200, 'dryRun', 'it would be placed', '0.01']);
    const off = await send(token, ALERT.replace('"price":50000', '"price":50000.123456'), { query: '?dryRun=true' });
    expect([off.status, off.body.status, off.body.code]).toEqual([200, 'dryRun', 'UNPROCESSABLE']);
    expect(ordersOf()).toEqual([]);
    expect((await send(token)).body.status).toBe('placed');
    const dry = (await make({ mode: 'dryRun' })).body;
    expect((await send(dry.token)).body.status).toBe('dryRun');
    expect(ordersOf()).toHaveLength(1);
  });

  test('starts a strategy, once', async () => {
    const template = { accountId: 'main', type: 'twap', symbol: 'BTC-PERP', side: '{{action}}', quantity: '{{contracts}}', parameters: { durationMs: 600000, slices: '{{slices}}', slippageBps: 50 } };
    const fields = { id: SOURCE.fields.id, action: SOURCE.fields.action, contracts: SOURCE.fields.contracts, slices: { kind: 'integer' } };
    const { token } = (await make({ kind: 'strategy', template, fields })).body;
    const text = '{"id":"s-1","action":"short","contracts":0.1,"slices":10}';
    const [first, again] = [await send(token, text), await send(token, text)];
    expect([first.status, first.body.status, first.body.strategyId, again.body.strategyId]).toEqual([200, 'placed', expect.any(String), first.body.strategyId]);
    expect([...api.backend.supervision.strategies.values()]).toMatchObject([{ side: 'sell', type: 'twap', parameters: { slices: 10 } }]);
    expect((await send(token, text, { query: '?dryRun=true' })).body.message).toBe('it would be placed');
  });
});

describe('what is taken', () => {
  const keeper = (): SignalKeeper => new SignalKeeper(api.backend.ports(), { place: (signal) => api.signalDesk.place(signal) }, { warn: () => undefined });

  test('is answered 202 while Temporal is away, and placed when somebody looks again', async () => {
    api.backend.temporalAway = true;
    const { token, id } = (await make()).body;
    const answer = await send(token);
    expect([answer.status, answer.body.status, answer.body.code]).toEqual([202, 'taken', 'SERVICE_UNAVAILABLE']);
    api.backend.temporalAway = false;
    await keeper().look();
    expect(ordersOf()).toEqual([]);
    api.backend.nowMs += 1_001;
    await Promise.all([keeper().look(), keeper().look()]);
    expect(ordersOf()).toHaveLength(1);
    expect((await api.ask('GET', `/api/v1/signal-sources/${id}/signals`)).body.signals).toMatchObject([{ status: 'placed', code: null, orderId: ordersOf()[0]?.id }]);
  });

  test('and could not be placed in time is placed no more: it says why, and so does a repeat', async () => {
    api.backend.temporalAway = true;
    const { token } = (await make({ maxDelaySeconds: 5 })).body;
    await send(token);
    api.backend.temporalAway = false;
    api.backend.nowMs += 5_001;
    await keeper().look();
    const again = await send(token);
    expect([again.status, again.body.error.message]).toEqual([409, expect.stringMatching(/could not be placed until .*Temporal did not answer/)]);
    expect(ordersOf()).toEqual([]);
  });

  test('is placed by the next process where the first died after placing it: the order is the same', async () => {
    const { token } = (await make()).body;
    api.backend.venueAnswers = () => null;
    const settle = api.backend.signals.signals.settle;
    Object.assign(api.backend.signals.signals, { settle: async () => Promise.reject(new DomainError('SERVICE_UNAVAILABLE', 'the process died here')) });
    expect((await send(token)).status).toBe(503);
    expect(ordersOf()).toHaveLength(1);
    Object.assign(api.backend.signals.signals, { settle });
    api.backend.nowMs += 60_000;
    await keeper().look();
    expect([...api.backend.signals.kept.values()].map(({ signal }) => signal.status)).toEqual(['placed']);
    expect(ordersOf()).toHaveLength(1);
  });
});

describe('a source', () => {
  test('shows its token once, keeps it from caches and logs, and is found by a new one after a rotation, by the old one for a while', async () => {
    const made = await make();
    expect([made.status, made.headers.get('cache-control'), made.body.token, made.body.path]).toEqual([201, 'no-store', expect.stringMatching(/^sig_/), `/api/v1/signals/${made.body.token}`]);
    expect(JSON.stringify((await api.ask('GET', '/api/v1/signal-sources')).body)).not.toContain(made.body.token);
    const rotated = await api.ask('POST', `/api/v1/signal-sources/${made.body.id}/rotate-token`, { body: { overlapSeconds: 60 } });
    expect((await send(made.body.token)).status).toBe(200);
    expect((await send(rotated.body.token)).status).toBe(200);
    api.backend.nowMs += 60_001;
    expect((await send(made.body.token)).status).toBe(404);
    expect((await send(rotated.body.token)).status).toBe(200);
    for (const token of [made.body.token, rotated.body.token]) expect(api.logs).not.toContain(token);
  });

  test('takes alerts from where it says and nowhere else, also behind a proxy; a disabled one takes none', async () => {
    await api.close();
    api = await new ApiHarness().start(undefined, { trustedProxies: ['127.0.0.1'] });
    const { token, id } = (await make({ allowedAddresses: ['tradingview', '10.1.0.0/16', '2001:db8::/32'] })).body;
    const from = (address: string, alertId: string): Promise<Answer> => send(token, ALERT.replace('a-1', alertId), { headers: { 'x-forwarded-for': address } });
    expect((await from('52.89.214.238', 'a')).status).toBe(200);
    expect((await from('::ffff:10.1.2.3', 'b')).status).toBe(200);
    expect((await from('2001:db8::7', 'c')).status).toBe(200);
    const refused = await from('203.0.113.9', 'd');
    expect([refused.status, refused.body.error.code, refused.body.error.message]).toEqual([403, 'FORBIDDEN', expect.stringContaining('203.0.113.9')]);
    expect(ordersOf()).toHaveLength(3);
    await api.ask('PATCH', `/api/v1/signal-sources/${id}`, { body: { status: 'disabled', allowedAddresses: null } });
    expect((await from('52.89.214.238', 'e')).body.error.message).toContain('disabled');
    await api.ask('PATCH', `/api/v1/signal-sources/${id}`, { body: { status: 'enabled' } });
    expect((await from('203.0.113.9', 'd')).status).toBe(200);
    // A stranger who knows the token cannot fill the list.
    await api.ask('PATCH', `/api/v1/signal-sources/${id}`, { body: { allowedAddresses: ['10.1.0.0/16'] } });
    for (let n = 0; n < 30; n += 1) await from('203.0.113.9', `x-${n}`);
    const { signals } = (await api.ask('GET', `/api/v1/signal-sources/${id}/signals?status=refused`)).body;
    expect(signals.length).toBeLessThanOrEqual(10);
  });

  test('takes as many alerts as its rate says', async () => {
    const { token } = (await make({ rateLimit: '2/min' })).body;
    const answers = [await send(token), await send(token), await send(token)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(Number(answers[2]?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test.each([
    [{ template: { ...SOURCE.template, side: '{{sied}}' } }, '{{sied}} is not among the fields'],
    [{ template: { ...SOURCE.template, side: 'up' } }, 'body.template.side'],
    [{ template: { ...SOURCE.template, clientOrderId: 'mine' } }, 'made of the alert id'],
    [{ template: { ...SOURCE.template, accountId: '{{id}}' } }, 'must name one account'],
    [{ template: { ...SOURCE.template, quantiti: '1' } }, 'quantiti'],
    [{ alertId: 'once' }, 'must contain a field'],
    [{ allowedAddresses: ['10.0.0.0/40'] }, 'is not a network'],
    [{ allowedAddresses: ['999.1.1.1'] }, 'is not an IP address'],
    [{ rateLimit: 'often' }, 'be off, or a rate'],
    [{ fields: { id: { kind: 'guess' } } }, 'body.fields'],
  ])('that makes no sense is refused: %j', async (change, words) => {
    const answer = await make(change);
    expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining(words)]);
  });

  test('is its owner\'s alone, and of an account of his; a key that may only read or trade makes none', async () => {
    const { id } = (await make()).body;
    expect((await make({ template: { ...SOURCE.template, accountId: 'foreign' } })).status).toBe(404);
    expect((await make({}, api.readKey)).status).toBe(403);
    for (const [method, path, body] of [['GET', '', undefined], ['PATCH', '', {}], ['DELETE', '', undefined], ['POST', '/rotate-token', undefined], ['GET', '/signals', undefined]] as const) {
      expect([method, path, (await api.ask(method, `/api/v1/signal-sources/${id}${path}`, { key: api.otherKey, body })).status]).toEqual([method, path, 404]);
    }
    expect((await api.ask('DELETE', `/api/v1/signal-sources/${id}`)).status).toBe(200);
    expect((await api.ask('GET', `/api/v1/signal-sources/${id}`)).status).toBe(404);
  });

  test('an unknown token and an alert that is too large are told apart from everything else', async () => {
    expect((await send('sig_nobody')).status).toBe(404);
    const { token } = (await make()).body;
    expect((await send(token, 'x'.repeat(20_000))).status).toBe(413);
    expect((await send(token, '')).status).toBe(400);
  });
});
