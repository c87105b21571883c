import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness, limitOrder, type Answer } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const KEY = { 'idempotency-key': 'key-1' };
const place = (changes: Record<string, unknown>, headers: Record<string, string> = {}, query = ''): Promise<Answer> => api.ask('POST', `/api/v1/orders${query}`, { body: limitOrder(changes), headers });

describe('idempotency', () => {
  test('neither a clientOrderId nor an Idempotency-Key is a 400', async () => {
    const answer = await place({ clientOrderId: undefined });
    expect([answer.status, answer.body.error.code, answer.body.error.details.issues[0].path]).toEqual([400, 'VALIDATION', 'clientOrderId']);
  });

  test('a key that is no id is a 400', async () => {
    expect((await place({}, { 'idempotency-key': 'a/b' })).status).toBe(400);
  });

  test('50 repeats at the same time are one order, and none is told of a conflict', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => place({ clientOrderId: undefined }, KEY)));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect([api.backend.orders.size, api.backend.calls.sent]).toEqual([1, 1]);
  });

  test('a repeat while the order is in flight waits for the same outcome', async () => {
    api.backend.venueAnswers = () => null;
    const first = await place({}, KEY, '?timeoutMs=0');
    expect(first.status).toBe(202);
    const repeat = place({}, KEY);
    while (api.backend.calls.byIds === 0) await new Promise((resolve) => setImmediate(resolve));
    api.backend.change(first.body.id, { state: 'WORKING' }, 'order.working');
    expect([(await repeat).status, (await repeat).body.id]).toEqual([201, first.body.id]);
  });

  test('a later repeat shows the order as it is now', async () => {
    const first = await place({}, KEY);
    api.backend.change(first.body.id, { state: 'FILLED', filledQuantity: '0.01' }, 'order.filled');
    for (const headers of [KEY, {}]) {
      const repeat = await place({}, headers);
      expect([repeat.status, repeat.body.id, repeat.body.state]).toEqual([201, first.body.id, 'FILLED']);
    }
    expect(api.backend.calls.sent).toBe(1);
  });

  test('an absent field and its default are the same body', async () => {
    const first = await place({}, KEY);
    const repeat = await place({ timeInForce: 'GTC', postOnly: false, reduceOnly: false, quantity: '0.010' }, KEY);
    expect([repeat.status, repeat.body.id]).toEqual([201, first.body.id]);
  });

  test('another body is 422 for the key', async () => {
    const first = await place({}, KEY);
    const other = await place({ quantity: '0.02' }, KEY);
    expect([other.status, other.body.error.code, other.body.error.details.orderId]).toEqual([422, 'IDEMPOTENCY_MISMATCH', first.body.id]);
  });

  test('another body is 409 for the clientOrderId, and names what differs', async () => {
    const first = await place({});
    const other = await place({ quantity: '0.02', side: 'sell' });
    expect([other.status, other.body.error.code]).toEqual([409, 'CONFLICT']);
    expect(other.body.error.details).toMatchObject({ orderId: first.body.id, differs: ['side', 'quantity'] });
  });

  test('a new key with a clientOrderId that another order has is 409, however often it is asked', async () => {
    const first = await place({ clientOrderId: 'c-1' });
    const answers = [await place({ clientOrderId: 'c-1', side: 'sell', quantity: '0.02' })];
    for (let times = 0; times < 3; times += 1) answers.push(await place({ clientOrderId: 'c-1', side: 'sell', quantity: '0.02' }, KEY));
    for (const { status, body } of answers) expect([status, body.error.code, body.error.details.orderId, body.error.details.differs]).toEqual([409, 'CONFLICT', first.body.id, ['side', 'quantity']]);
    expect((await place({ clientOrderId: 'c-2' }, KEY)).body.error.code).toBe('IDEMPOTENCY_MISMATCH');
    expect(api.backend.orders.size).toBe(1);
  });

  test('a new key for an order that has its clientOrderId already is answered with that order, also once it was amended and filled', async () => {
    const first = await place({});
    expect((await place({}, KEY)).body.id).toBe(first.body.id);
    await api.ask('PATCH', `/api/v1/orders/${first.body.id}`, { body: { quantity: '0.02' }, headers: { 'if-match': `"${first.body.revision}"` } });
    api.backend.change(first.body.id, { state: 'FILLED', filledQuantity: '0.02' }, 'order.filled');
    const repeat = await place({}, KEY);
    expect([repeat.status, repeat.body.id, repeat.body.state]).toEqual([201, first.body.id, 'FILLED']);
  });

  test('a key that was used longer ago than it is remembered: the same body meets its order, another one is told to take another key', async () => {
    const first = await place({ clientOrderId: undefined }, KEY);
    api.backend.records.clear();
    expect((await place({ clientOrderId: undefined }, KEY)).body.id).toBe(first.body.id);
    api.backend.records.clear();
    for (let times = 0; times < 2; times += 1) {
      const { status, body } = await place({ clientOrderId: undefined, side: 'sell' }, KEY);
      expect([status, body.error.code, body.error.details.orderId, body.error.details.differs]).toEqual([422, 'IDEMPOTENCY_MISMATCH', first.body.id, ['side']]);
      expect(body.error.message).toContain('used before');
      expect(body.error.message).toContain('a new Idempotency-Key');
    }
    expect(api.backend.calls.sent).toBe(1);
  });

  test('a repeat with the key that made an order is answered with it, whatever became of it', async () => {
    const first = await place({ clientOrderId: undefined, quantity: '0.01' }, KEY);
    api.backend.change(first.body.id, { state: 'CANCELED', quantity: '0.03' }, 'order.canceled');
    const repeat = await place({ clientOrderId: undefined, quantity: '0.01' }, KEY);
    expect([repeat.status, repeat.body.id, repeat.body.state]).toEqual([201, first.body.id, 'CANCELED']);
  });

  test('two bodies at the same moment under one key: one order, the other is told of the mismatch', async () => {
    const answers = await Promise.all([place({ clientOrderId: 'a' }, KEY), place({ clientOrderId: 'b' }, KEY)]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 422]);
    expect(answers.find((answer) => answer.status === 422)?.body.error.code).toBe('IDEMPOTENCY_MISMATCH');
    expect(api.backend.orders.size).toBe(1);
  });

  test('a repeat after an amendment is the same intent, not a conflict', async () => {
    const first = await place({});
    await api.ask('PATCH', `/api/v1/orders/${first.body.id}`, { body: { limitPrice: '50100', quantity: '0.02' }, headers: { 'if-match': `"${first.body.revision}"` } });
    const repeat = await place({});
    expect([repeat.status, repeat.body.id, repeat.body.limitPrice]).toEqual([201, first.body.id, '50100']);
    expect((await place({ limitPrice: '50200' })).status).toBe(409);
  });

  test('one user\'s key is another user\'s own', async () => {
    const mine = await place({ clientOrderId: undefined }, KEY);
    const theirs = await api.ask('POST', '/api/v1/orders', { key: api.otherKey, body: limitOrder({ accountId: 'foreign', clientOrderId: undefined }), headers: KEY });
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    expect(mine.body.clientOrderId).not.toBe(theirs.body.clientOrderId);
  });

  test('a key is bound to its route', async () => {
    await place({}, KEY);
    const other = await api.ask('POST', '/api/v1/orders/batch', { body: { orders: [limitOrder()] }, headers: KEY });
    expect([other.status, other.body.error.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH']);
  });

  test('a start whose answer was lost is answered by the row', async () => {
    await api.close();
    api = await new ApiHarness().start((ports) => ({
      ...ports,
      gateway: { ...ports.gateway, place: (intents) => ports.gateway.place(intents).then(() => Promise.reject(new Error('the answer was lost'))) },
    }));
    api.backend.noticesLost = true;
    const answer = await place({});
    expect([answer.status, answer.body.state]).toEqual([201, 'WORKING']);
  });
});
