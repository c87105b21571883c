/** An order that cannot pass is denied before a workflow is started, with the record that a denial leaves. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DEFAULT_RISK_LIMITS } from '../../src/domain/account';
import { ApiHarness } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
  api.backend.judge = ({ quantity, limitPrice, reduceOnly, accountId }) => {
    const limit = Number(api.backend.accounts.get(accountId)?.limits.maxOrderNotional);
    return !reduceOnly && limitPrice !== null && Number(quantity) * Number(limitPrice) > limit ? { code: 'RISK_ORDER_NOTIONAL', message: 'too large', figures: { maxOrderNotional: String(limit) } } : null;
  };
});
afterEach(() => api.close());

const TOO_LARGE = { accountId: 'main', clientOrderId: 'c-1', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '2', limitPrice: '50000' };
const place = (changes: object = {}, headers: Record<string, string> = {}) => api.ask('POST', '/api/v1/orders', { body: { ...TOO_LARGE, ...changes }, headers });

function setLimit(maxOrderNotional: string): void {
  const account = api.backend.accounts.get('main');
  if (account !== undefined) api.backend.accounts.set('main', { ...account, limits: { ...DEFAULT_RISK_LIMITS, maxOrderNotional } });
}

test('is denied with its figures, its id used up, and no workflow started', async () => {
  const answer = await place();
  expect([answer.status, answer.body.error.code, answer.body.error.details.figures]).toEqual([422, 'RISK_ORDER_NOTIONAL', { maxOrderNotional: '50000' }]);
  expect(api.backend.calls).toMatchObject({ suspected: 1, placed: 0, sent: 0 });
  const order = [...api.backend.orders.values()][0];
  expect(order).toMatchObject({ clientOrderId: 'c-1', state: 'DENIED' });
  const again = await place();
  expect([again.status, again.body.error.details.orderId]).toEqual([422, order?.id]);
  expect(api.backend.orders.size).toBe(1);
});

test('with an Idempotency-Key is met again by a repeat, and the key is used up', async () => {
  const headers = { 'idempotency-key': 'k-1' };
  const [first, repeat] = [await place({ clientOrderId: undefined }, headers), await place({ clientOrderId: undefined }, headers)];
  expect([first.status, repeat.status, repeat.body.error.details.orderId]).toEqual([422, 422, first.body.error.details.orderId]);
  const other = await place({ clientOrderId: undefined, quantity: '3' }, headers);
  expect(other.body.error.code).toBe('IDEMPOTENCY_MISMATCH');
});

test('is not held against limits that are old by now: it goes to its workflow when the placing transaction accepts it', async () => {
  expect((await place({ clientOrderId: 'small', quantity: '0.1' })).status).toBe(201);
  setLimit('1000000');
  expect((await place()).status).toBe(201);
  expect(api.backend.calls).toMatchObject({ suspected: 1, placed: 2, sent: 2 });
});

test('is not refused as the repeat of an order that was taken under wider limits: it meets that order', async () => {
  setLimit('1000000');
  const first = await place();
  expect(first.status).toBe(201);
  setLimit('1');
  const repeat = await place();
  expect([repeat.status, repeat.body.id]).toEqual([201, first.body.id]);
});

test('passes without a look at the database when it may pass', async () => {
  expect((await place({ quantity: '0.1' })).status).toBe(201);
  expect((await place({ clientOrderId: 'exit', side: 'sell', reduceOnly: true })).status).toBe(201);
  expect(api.backend.calls.suspected).toBe(0);
});

test('in a batch keeps nobody else\'s order back', async () => {
  const orders = [{ ...TOO_LARGE, quantity: '0.1' }, { ...TOO_LARGE, clientOrderId: 'c-2' }, { ...TOO_LARGE, clientOrderId: 'c-3', quantity: '0.2' }];
  const answer = await api.ask('POST', '/api/v1/orders/batch', { body: { orders } });
  expect(answer.body.results.map((result: { status: number }) => result.status)).toEqual([201, 422, 201]);
});

test('goes to its workflow when its denial cannot be recorded', async () => {
  const broken = await new ApiHarness().start((ports) => ({ ...ports, denials: { record: async () => Promise.reject(new Error('away')) } }));
  try {
    const answer = await broken.ask('POST', '/api/v1/orders', { body: TOO_LARGE });
    expect(answer.status).toBe(201);
    expect(broken.backend.calls.placed).toBe(1);
  } finally {
    await broken.close();
  }
});
