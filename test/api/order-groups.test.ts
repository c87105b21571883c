import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness, limitOrder } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start((ports) => ({
    ...ports,
    venues: {
      ...ports.venues,
      list: () => ports.venues.list().map((venue) => (venue.name === 'paper' ? { ...venue, capabilities: { ...venue.capabilities, orderTypes: ['market', 'limit', 'stopMarket', 'takeProfitMarket'], triggerPriceTypes: ['mark'], groupings: ['entryWithExits', 'positionExits'], resendSafety: 'sameBytes' } } : venue)),
    },
  }));
});
afterEach(() => api.close());

const entry = (changes: Record<string, unknown> = {}): Record<string, unknown> => limitOrder({ clientOrderId: 'entry', ...changes });
const exit = (type: string, triggerPrice: string, changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  accountId: 'main', clientOrderId: type, symbol: 'BTC-PERP', side: 'sell', type, quantity: '0.01', triggerPrice, reduceOnly: true, execution: 'native', ...changes,
});
const PROFIT = exit('takeProfitMarket', '55000');
const STOP = exit('stopMarket', '45000');
const group = (orders: readonly Record<string, unknown>[], grouping = 'entryWithExits', headers: Record<string, string> = {}) => api.ask('POST', '/api/v1/orders/batch', { body: { grouping, orders }, headers });

describe('orders that a venue keeps together', () => {
  test('go to it as one group, and each says to which it belongs', async () => {
    const answer = await group([entry(), PROFIT, STOP]);
    expect(answer.status).toBe(200);
    const orders = answer.body.results.map((result: { order: Record<string, unknown> }) => result.order);
    expect(orders.map((order: Record<string, unknown>) => [order['clientOrderId'], order['grouping'], order['groupId']])).toEqual(['entry', 'takeProfitMarket', 'stopMarket'].map((id) => [id, 'entryWithExits', orders[0].id]));
    expect(api.backend.calls).toMatchObject({ placed: 1 });
  });

  test('are the same orders when they are asked for again, and other ones are not taken for them', async () => {
    const headers = { 'idempotency-key': 'group-1' };
    const ids = async (grouping: string, orders: readonly Record<string, unknown>[]): Promise<unknown> => (await group(orders, grouping, headers)).body.results.map((result: { orderId: string }) => result.orderId);
    expect(await ids('entryWithExits', [entry(), STOP])).toEqual(await ids('entryWithExits', [entry(), STOP]));
    expect((await group([STOP, PROFIT], 'positionExits', headers)).status).toBe(422);
    // Without a key its ids name it: the stop of the group is not a stop of a position.
    const alone = await group([STOP], 'positionExits');
    expect(alone.body.results[0]).toMatchObject({ status: 409, error: { message: expect.stringContaining('grouping differ') } });
  });

  test('are refused as a whole where one of them cannot be, and nothing is placed', async () => {
    const answer = await group([entry(), exit('stopMarket', '45000.123456789')]);
    expect([answer.status, answer.body.error.message]).toEqual([422, expect.stringContaining('nearest')]);
    expect(api.backend.calls).toMatchObject({ placed: 0 });
  });

  test('are refused in words where the venue has no such groups', async () => {
    const exits = [PROFIT, STOP].map((each) => ({ ...each, accountId: 'second', reduceOnly: true }));
    const answer = await group(exits, 'positionExits');
    expect(answer.status).toBe(422);
    expect(answer.body.error).toMatchObject({ code: 'UNPROCESSABLE', message: 'other keeps no groups of orders of that kind; POST /api/v1/order-lists makes a bracket that Surefill keeps at every venue', details: { field: 'grouping' } });
  });

  test.each([
    ['an entry that is an exit', [entry({ reduceOnly: true }), STOP], 'entryWithExits', 'orders.0.reduceOnly'],
    ['an entry alone', [entry()], 'entryWithExits', 'orders'],
    ['an exit that a workflow keeps', [entry(), exit('stopMarket', '45000', { execution: 'durable' })], 'entryWithExits', 'orders.1.execution'],
    ['an exit that may open', [entry(), exit('stopMarket', '45000', { reduceOnly: false })], 'entryWithExits', 'orders.1.reduceOnly'],
    ['an exit on the side of the entry', [entry(), exit('stopMarket', '55000', { side: 'buy' })], 'entryWithExits', 'orders.1.side'],
    ['an exit larger than the entry', [entry(), exit('stopMarket', '45000', { quantity: '0.02' })], 'entryWithExits', 'orders.1.quantity'],
    ['an exit of another market', [entry(), exit('stopMarket', '45000', { symbol: 'ETH-PERP' })], 'entryWithExits', 'orders.1.symbol'],
    ['two stops', [entry(), STOP, exit('stopMarket', '44000', { clientOrderId: 'second' })], 'entryWithExits', 'orders'],
    ['a limit order among exits', [limitOrder({ side: 'sell', reduceOnly: true }), STOP], 'positionExits', 'orders.0.type'],
    ['exits of both sides', [PROFIT, exit('stopMarket', '55000', { side: 'buy' })], 'positionExits', 'orders.1.side'],
  ] as const)('%s is no group, and is told by its field', async (_what, orders, grouping, path) => {
    const answer = await group(orders, grouping);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'VALIDATION']);
    expect(answer.body.error.details.issues.map((issue: { path: string }) => issue.path)).toContain(`body.${path}`);
  });

  test('are offered by the venue that keeps them', async () => {
    const { body } = await api.ask('GET', '/api/v1/venues');
    expect(body.venues.map((venue: { name: string; groupings: string[] }) => [venue.name, venue.groupings])).toEqual([['paper', ['entryWithExits', 'positionExits']], ['other', []]]);
  });
});
