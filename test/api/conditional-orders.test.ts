import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness, limitOrder, type Answer } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const stop = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({ ...limitOrder(), type: 'stopMarket', side: 'sell', limitPrice: undefined, triggerPrice: '45000', reduceOnly: true, ...changes });
const place = (body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Answer> => api.ask('POST', '/api/v1/orders', { body, headers });

describe('an order that waits', () => {
  test('is 201 ARMED, with every default filled in', async () => {
    const { status, body } = await place(stop());
    expect([status, body.state]).toEqual([201, 'ARMED']);
    expect(body).toMatchObject({ execution: 'durable', triggerPrice: '45000', triggerPriceType: 'last', gapPolicy: 'traded', trailingOffset: null, escalation: null });
  });

  test('sent again with its key is the same order; another trigger under its client id is a 409', async () => {
    const first = await place(stop(), { 'idempotency-key': 'k-stop' });
    const again = await place(stop(), { 'idempotency-key': 'k-stop' });
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
    const other = await place(stop({ triggerPrice: '44000' }));
    expect([other.status, other.body.error.details.differs]).toEqual([409, ['triggerPrice']]);
  });

  test.each([
    [{ triggerPrice: undefined }, 'body.triggerPrice'],
    [{ limitPrice: '45000' }, 'body.limitPrice'],
    [{ type: 'stopLimit' }, 'body.limitPrice'],
    [{ trailingOffset: '10' }, 'body.trailingOffset'],
    [{ type: 'trailingStopMarket', triggerPrice: undefined }, 'body.trailingOffset'],
    [{ type: 'trailingStopMarket', trailingOffset: '1', trailingOffsetType: 'percent' }, 'body.triggerPrice'],
    [{ escalation: { chaseAfterMs: 1, marketAfterMs: 1, slippageBps: 1 } }, 'body.escalation'],
    [{ execution: 'native', gapPolicy: 'traded' }, 'body.gapPolicy'],
    [{ startAt: '2026-02-02T00:00:00Z', expireTime: '2026-02-01T00:00:00Z' }, 'body.expireTime'],
  ])('%j is a 400 that names %s', async (changes, path) => {
    const { status, body } = await place(stop(changes));
    expect([status, body.error.code]).toEqual([400, 'VALIDATION']);
    expect(body.error.details.issues.map((issue: { path: string }) => issue.path)).toContain(path);
  });

  test.each([
    [{ triggerPrice: '45000.3' }, 'triggerPrice'],
    [{ triggerPriceType: 'index' }, 'triggerPriceType'],
    [{ expireTime: '2026-01-31T11:00:00Z' }, 'expireTime'],
    [{ type: 'trailingStopMarket', triggerPrice: undefined, trailingOffset: '100', trailingOffsetType: 'percent' }, 'trailingOffset'],
    [{ type: 'trailingStopMarket', triggerPrice: undefined, trailingOffset: '1', trailingOffsetType: 'percent', execution: 'both' }, 'execution'],
  ])('%j is a 422 that names %s', async (changes, field) => {
    const { status, body } = await place(stop(changes));
    expect([status, body.error.code, body.error.details.field]).toEqual([422, 'UNPROCESSABLE', field]);
  });

  test('what GET venues lists as durable is what POST orders takes', async () => {
    const { body } = await api.ask('GET', '/api/v1/venues');
    const types = body.venues.find(({ name }: { name: string }) => name === 'paper').durableOrderTypes as string[];
    expect(types.length).toBe(6);
    for (const type of types) {
      const terms = type.startsWith('trailing') ? { triggerPrice: undefined, trailingOffset: '1', trailingOffsetType: 'percent' } : {};
      const { status } = await place(stop({ type, clientOrderId: `d-${type}`, ...terms, ...(type === 'stopLimit' || type === 'takeProfitLimit' ? { limitPrice: '44000' } : {}) }));
      expect([type, status]).toEqual([type, 201]);
    }
  });

  test('a limit that starts later is ARMED', async () => {
    const { status, body } = await place(limitOrder({ startAt: '2026-02-02T00:00:00Z' }));
    expect([status, body.state, body.startAt]).toEqual([201, 'ARMED', '2026-02-02T00:00:00.000Z']);
  });
});

describe('an armed order', () => {
  let id: string;
  beforeEach(async () => {
    id = (await place(stop())).body.id;
  });
  const amend = (body: Record<string, unknown>, revision = 1): Promise<Answer> => api.ask('PATCH', `/api/v1/orders/${id}`, { body, headers: { 'if-match': `"${revision}"` } });

  test('takes a new trigger and quantity against the revision that was seen', async () => {
    const { status, body } = await amend({ triggerPrice: '44000', quantity: '0.02' });
    expect([status, body.triggerPrice, body.quantity, body.revision]).toEqual([200, '44000', '0.02', 2]);
    expect((await amend({ triggerPrice: '43000' })).status).toBe(412);
  });

  test('takes no field that it has not, and nothing once it fired', async () => {
    expect((await amend({ trailingOffset: '1' })).status).toBe(422);
    expect((await amend({ triggerPrice: '44000.3' })).status).toBe(422);
    api.backend.change(id, { state: 'TRIGGERED' }, 'order.triggered');
    expect((await amend({ triggerPrice: '44000' }, 2)).status).toBe(409);
  });

  test('is canceled, and once more is no error', async () => {
    const answers = [await api.ask('DELETE', `/api/v1/orders/${id}`), await api.ask('DELETE', `/api/v1/orders/${id}`)];
    expect(answers.map(({ status, body }) => [status, body.state])).toEqual([[200, 'CANCELED'], [200, 'CANCELED']]);
  });
});
