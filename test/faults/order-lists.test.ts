/** S20, S21, S16 and the kill switch over order lists: whatever is lost or dies, the exits come to the position, once, and never reverse it. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import { orderListWorkflowId } from '../../src/temporal/workflow-ids';
import type { SimulatedOrder } from '../support/simulator-control';
import { startStack, type Stack } from '../support/stack';

interface ApiLeg {
  readonly state: string;
  readonly filledQuantity: string;
  readonly triggerPrice: string | null;
  readonly breakEvenPrice: string | null;
  readonly reason: string | null;
}

interface ApiList {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly revision: number;
  readonly legs: readonly ApiLeg[];
}

let stack: Stack;
beforeAll(async () => {
  // What fills a resting order, and when, is ours to say.
  stack = await startStack({ tickMs: 0 });
  // Somebody else at the venue, who takes a part of what rests.
  await stack.sim.call('POST', '/__sim/accounts', { account: OTHER, key: 'somebody-else', collateral: '10000000' });
}, 180_000);
afterAll(() => stack.stop());
beforeEach(async () => {
  await stack.sim.clearFaults();
  await stack.sim.price('BTC-PERP', '50000');
});

const OTHER = 'somebody-else';
/** Inside the spread of a price of 50,000: nobody's quantity is before it. */
const INSIDE = '50001';
const EXIT = { side: 'sell', type: 'limit', quantity: '0.01', limitPrice: INSIDE };
const STOP = { side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '49000', triggerPriceType: 'mark' };

const create = async (type: string, legs: readonly object[], more: object = {}): Promise<ApiList> => {
  const answer = await stack.client.call<ApiList>('POST', '/api/v1/order-lists', { accountId: stack.accountId, clientListId: randomUUID(), type, symbol: 'BTC-PERP', legs, ...more });
  expect([answer.status, answer.body.state]).toEqual([201, 'ACTIVE']);
  return answer.body;
};
const read = async (id: string): Promise<ApiList> => (await stack.client.call<ApiList>('GET', `/api/v1/order-lists/${id}`)).body;
const until = (id: string, what: string, holds: (list: ApiList) => boolean): Promise<ApiList> =>
  stack.client.until(`the list to be ${what}`, async () => {
    const now = await read(id);
    return holds(now) ? now : null;
  });
const eventsOf = async (id: string): Promise<string[]> => (await stack.client.call<{ events: { type: string }[] }>('GET', `/api/v1/order-lists/${id}/timeline`)).body.events.map(({ type }) => type);
const ordersOf = async (id: string) => (await stack.client.call<{ orders: { orderId: string; leg: number; quantity: string; filledQuantity: string; state: string }[] }>('GET', `/api/v1/order-lists/${id}/timeline`)).body.orders;
const position = async (): Promise<string> => (await stack.client.call<{ positions: { symbol: string; quantity: string }[] }>('GET', `/api/v1/positions?accountId=${stack.accountId}`)).body.positions.find(({ symbol }) => symbol === 'BTC-PERP')?.quantity ?? '0';
/** Ours that sell: everything but what somebody else has there. */
const exits = async (): Promise<SimulatedOrder[]> => (await stack.sim.orders()).filter((order) => order.side === 'sell' && order.account !== OTHER);
const micro = (quantity: string): number => Math.round(Number(quantity) * 1e6);
const sold = (orders: readonly SimulatedOrder[]): number => orders.reduce((total, { filledQuantity }) => total + micro(filledQuantity), 0);
const bySomebody = (quantity: string) => stack.sim.call('POST', '/__sim/external-order', { account: OTHER, clientId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', timeInForce: 'IOC', price: INSIDE, quantity });

/** A long of 0.01, and nothing else. */
async function entered(): Promise<readonly SimulatedOrder[]> {
  expect(micro(await position())).toBe(0);
  const { body } = await stack.client.until('an entry', async () => {
    await stack.sim.price('BTC-PERP', '50000');
    const answer = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity: '0.01' });
    return answer.status === 201 ? answer : null;
  });
  await stack.client.untilState(body.id, 'FILLED');
  await stack.client.until('the position', async () => (micro(await position()) === 10_000 ? true : null));
  return exits();
}

const flat = () => stack.client.until('a flat position', async () => (micro(await position()) === 0 ? true : null));
const sinceThen = async (before: readonly SimulatedOrder[]): Promise<SimulatedOrder[]> => (await exits()).slice(before.length);
const armedAndWorking = (id: string) => until(id, 'working and armed', ({ legs }) => legs[0]?.state === 'WORKING' && legs[1]?.state === 'ARMED');

test('S20: both legs of an OUO are marketable in one tick and the take-profit fills 40 % unheard: the stop exits 60 %, the position is never reversed', async () => {
  const before = await entered();
  const list = await create('OUO', [EXIT, STOP]);
  await armedAndWorking(list.id);
  // What fills now is not told: the stop goes off by a look that knows nothing of it.
  await stack.sim.fault({ kind: 'dropMessages', count: 50 });
  await bySomebody('0.004');
  await stack.sim.price('BTC-PERP', '48900');
  const done = await until(list.id, 'completed', ({ state }) => state === 'COMPLETED');
  expect(done.legs.map(({ filledQuantity }) => filledQuantity)).toEqual(['0.004', '0.006']);
  const orders = await sinceThen(before);
  expect(orders.map(({ filledQuantity }) => filledQuantity)).toEqual(['0.004', '0.006']);
  await stack.sim.clearFaults();
  await flat();
  expect(await eventsOf(list.id)).toEqual(expect.arrayContaining(['orderList.created', 'orderList.placing', 'orderList.triggered', 'orderList.completed']));
}, 120_000);

test('S20: a part fill of one resting leg of an OUO leaves the other with the rest; the first fill of an OCO cancels it', async () => {
  const before = await entered();
  const far = { ...EXIT, limitPrice: '60000' };
  const ouo = await create('OUO', [EXIT, far]);
  await until(ouo.id, 'working', ({ legs }) => legs.every(({ state }) => state === 'WORKING'));
  await bySomebody('0.004');
  await stack.client.until('the other leg to be 60 %', async () => {
    const open = (await sinceThen(before)).filter(({ status, price }) => status === 'open' && Number(price) === 60_000);
    return open.length === 1 && open[0]?.quantity === '0.006' ? true : null;
  });
  await stack.client.call('DELETE', `/api/v1/order-lists/${ouo.id}`);
  expect((await until(ouo.id, 'canceled', ({ state }) => state === 'CANCELED')).legs[0]?.filledQuantity).toBe('0.004');
  const oco = await create('OCO', [{ ...EXIT, quantity: '0.006', reduceOnly: true }, { ...far, quantity: '0.006', reduceOnly: true }]);
  await until(oco.id, 'working', ({ legs }) => legs.every(({ state }) => state === 'WORKING'));
  await bySomebody('0.002');
  await stack.client.until('the other leg to be gone', async () => ((await sinceThen(before)).every(({ status, price }) => status !== 'open' || Number(price) !== 60_000) ? true : null));
  await bySomebody('0.004');
  const done = await until(oco.id, 'completed', ({ state }) => state === 'COMPLETED');
  expect(done.legs.map(({ state, filledQuantity }) => [state, filledQuantity])).toEqual([['FILLED', '0.006'], ['CANCELED', '0']]);
  expect(sold(await sinceThen(before))).toBe(10_000);
  await flat();
}, 120_000);

test('S21: the exit filled and its answer and event are lost, the worker dies: there is no second exit', async () => {
  const before = await entered();
  const list = await create('OUO', [{ ...EXIT, limitPrice: '60000' }, STOP]);
  await armedAndWorking(list.id);
  await stack.sim.fault({ kind: 'dropMessages', count: 50 });
  const lost = await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
  await stack.sim.price('BTC-PERP', '48900');
  await stack.sim.met(lost);
  await stack.worker.kill();
  await stack.worker.start();
  const done = await until(list.id, 'completed', ({ state }) => state === 'COMPLETED');
  expect(done.legs.map(({ filledQuantity }) => filledQuantity)).toEqual(['0', '0.01']);
  const orders = await sinceThen(before);
  expect([sold(orders), orders.filter(({ filledQuantity }) => filledQuantity !== '0').length]).toEqual([10_000, 1]);
  await stack.sim.clearFaults();
  await flat();
}, 120_000);

test('S16: the answer to the cancel of a leg is lost: the other leg goes out for what is left, and nothing is open twice', async () => {
  const before = await entered();
  const list = await create('OUO', [{ ...EXIT, limitPrice: '60000' }, STOP]);
  await armedAndWorking(list.id);
  await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders/cancel' } });
  await stack.sim.price('BTC-PERP', '48900');
  await until(list.id, 'completed', ({ state }) => state === 'COMPLETED');
  const orders = await sinceThen(before);
  expect([sold(orders), orders.map(({ status }) => status)]).toEqual([10_000, ['canceled', 'filled']]);
  await flat();
}, 120_000);

test('a bracket: exits grow with each part fill of the entry, the stop is amended, then moved to break-even after the first take-profit; its workflow is lost, and it still ends flat', async () => {
  const before = await exits();
  const list = await create('BRACKET', [
    { role: 'entry', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '49999' },
    { role: 'takeProfit', type: 'limit', quantity: '0.004', limitPrice: INSIDE },
    { role: 'takeProfit', type: 'limit', quantity: '0.006', limitPrice: '60000' },
    { role: 'stop', type: 'stopMarket', triggerPrice: '45000', triggerPriceType: 'mark' },
  ], { breakEvenAfter: 1 });
  await until(list.id, 'waiting for its entry', ({ legs }) => legs[0]?.state === 'WORKING');
  const sell = (quantity: string) => stack.sim.call('POST', '/__sim/external-order', { account: OTHER, clientId: randomUUID(), symbol: 'BTC-PERP', side: 'sell', type: 'limit', timeInForce: 'IOC', price: '49999', quantity });
  await sell('0.003');
  const open = async (): Promise<number> => (await sinceThen(before)).filter(({ status }) => status === 'open').reduce((total, { quantity }) => total + micro(quantity), 0);
  await stack.client.until('exits for what was entered', async () => ((await open()) === 3_000 ? true : null));
  await sell('0.007');
  await stack.client.until('exits for all of it', async () => ((await open()) === 10_000 ? true : null));
  await until(list.id, 'armed', ({ legs }) => legs[0]?.state === 'FILLED' && legs[3]?.state === 'ARMED');
  // Its workflow may note something between the read and the amendment: then that is refused, and is made of what is read next.
  const { armed, amended } = await stack.client.until('the amendment', async () => {
    const now = await read(list.id);
    const answer = await stack.client.call<ApiList>('PATCH', `/api/v1/order-lists/${list.id}`, { legs: [{ n: 3, triggerPrice: '44000' }] }, { 'if-match': `"${now.revision}"` });
    return answer.status === 412 ? null : { armed: now, amended: answer };
  });
  expect([amended.status, amended.body.legs[3]?.triggerPrice]).toEqual([200, '44000']);
  expect((await stack.client.call('PATCH', `/api/v1/order-lists/${list.id}`, { legs: [{ n: 3, triggerPrice: '43000' }] }, { 'if-match': `"${armed.revision}"` })).status).toBe(412);
  const connection = await Connection.connect({ address: stack.temporal.url });
  try {
    const handle = new Client({ connection }).workflow.getHandle(orderListWorkflowId(list.id));
    const { runId } = await handle.describe();
    await handle.terminate('a test');
    await stack.client.until('another execution', async () => {
      const now = await handle.describe();
      return now.status.name === 'RUNNING' && now.runId !== runId ? true : null;
    });
  } finally {
    await connection.close();
  }
  await bySomebody('0.004');
  const moved = await until(list.id, 'moved to break-even', ({ legs }) => legs[3]?.breakEvenPrice !== null);
  expect([moved.legs[1]?.state, moved.legs[3]?.breakEvenPrice]).toEqual(['FILLED', '49999']);
  await stack.sim.price('BTC-PERP', '49900');
  const done = await until(list.id, 'completed', ({ state }) => state === 'COMPLETED');
  expect(done.legs.map(({ filledQuantity }) => filledQuantity)).toEqual(['0.01', '0.004', '0', '0.006']);
  expect(sold(await sinceThen(before))).toBe(10_000);
  await flat();
  expect(await eventsOf(list.id)).toEqual(expect.arrayContaining(['orderList.stopMoved', 'orderList.amended', 'orderList.triggered', 'orderList.completed']));
}, 120_000);

test('a kill switch ends a list with all its orders: the price that would have set it off then moves nothing', async () => {
  const before = await entered();
  const list = await create('OUO', [{ ...EXIT, limitPrice: '60000' }, STOP]);
  await armedAndWorking(list.id);
  const { body } = await stack.client.call<{ id: string }>('POST', '/api/v1/kill-switch', { scope: 'account', accountId: stack.accountId, mode: 'flatten' });
  const ended = await until(list.id, 'over', ({ state }) => state !== 'ACTIVE');
  expect([ended.state, ended.reason]).toEqual(['CANCELED', `kill switch ${body.id}`]);
  await stack.client.until('the switch to be confirmed', async () => ((await stack.client.call<{ confirmed: boolean }>('GET', `/api/v1/kill-switch/${body.id}`)).body.confirmed ? true : null));
  expect((await stack.client.call('POST', `/api/v1/kill-switch/${body.id}/release`)).status).toBe(200);
  const placed = (await ordersOf(list.id)).length;
  const sentinel = await entered();
  const other = await create('OUO', [{ ...EXIT, limitPrice: '60000' }, STOP]);
  await armedAndWorking(other.id);
  await stack.sim.price('BTC-PERP', '48900');
  // The one beside it was set off: so the price was heard, and the ended one was not.
  await until(other.id, 'completed', ({ state }) => state === 'COMPLETED');
  expect([(await ordersOf(list.id)).length, (await read(list.id)).state, sold(await sinceThen(sentinel)), sold(await sinceThen(before))]).toEqual([placed, 'CANCELED', 10_000, 20_000]);
  await flat();
}, 120_000);
