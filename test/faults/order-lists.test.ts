/** S20, S21, S16 and the kill switch over order lists: whatever is lost or dies, the exits come to the position, once, and never reverse it. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { orderListWorkflowId } from '../../src/temporal/workflow-ids';
import { startStack, type Stack } from '../support/stack';
import { bracketTests } from './order-list-brackets';
import { crossingTests } from './order-list-crossings';
import { INSIDE, INSIDE_BID, ListKit, micro, OTHER, filled, type ApiList } from './order-list-kit';
import { nativeStopTests } from './order-list-natives';
import { ELSEWHERE, listsOnTwoVenues } from './order-list-venues';

let stack: Stack;
beforeAll(async () => {
  // What fills a resting order, and when, is ours to say.
  stack = await startStack({ tickMs: 0, moreVenues: [ELSEWHERE] });
  await stack.sim.call('POST', '/__sim/accounts', { account: OTHER, key: 'somebody-else', collateral: '10000000' });
}, 180_000);
afterAll(() => stack.stop());
beforeEach(async () => {
  await stack.sim.clearFaults();
  await stack.sim.price('BTC-PERP', '50000');
});

const kit = new ListKit(() => stack);
const EXIT = { side: 'sell', type: 'limit', quantity: '0.01', limitPrice: INSIDE };
const STOP = { side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '49000', triggerPriceType: 'mark' };

test('S20: both legs of an OUO are marketable in one tick and the take-profit fills 40 % unheard: the stop exits 60 %, the position is never reversed', async () => {
  const before = await kit.entered();
  const list = await kit.create('OUO', [EXIT, STOP]);
  await kit.armedAndWorking(list.id);
  // What fills now is not told: the stop goes off by a look that knows nothing of it.
  await stack.sim.fault({ kind: 'dropMessages', count: 50 });
  await kit.bySomebody('0.004');
  await stack.sim.price('BTC-PERP', '48900');
  const done = await kit.completed(list.id);
  expect(done.legs.map(({ filledQuantity }) => filledQuantity)).toEqual(['0.004', '0.006']);
  const orders = await kit.sinceThen(before);
  expect(orders.map(({ filledQuantity }) => filledQuantity)).toEqual(['0.004', '0.006']);
  await stack.sim.clearFaults();
  await kit.flat();
  expect(await kit.eventsOf(list.id)).toEqual(expect.arrayContaining(['orderList.created', 'orderList.placing', 'orderList.triggered', 'orderList.completed']));
}, 120_000);

test('S20: a part fill of one resting leg of an OUO leaves the other with the rest; the first fill of an OCO cancels it', async () => {
  const before = await kit.entered();
  const far = { ...EXIT, limitPrice: '60000' };
  const ouo = await kit.create('OUO', [EXIT, far]);
  await kit.until(ouo.id, 'working', ({ legs }) => legs.every(({ state }) => state === 'WORKING'));
  await kit.bySomebody('0.004');
  await stack.client.until('the other leg to be 60 %', async () => {
    const open = (await kit.sinceThen(before)).filter(({ status, price }) => status === 'open' && Number(price) === 60_000);
    return open.length === 1 && open[0]?.quantity === '0.006' ? true : null;
  });
  await stack.client.call('DELETE', `/api/v1/order-lists/${ouo.id}`);
  expect((await kit.until(ouo.id, 'canceled', ({ state }) => state === 'CANCELED')).legs[0]?.filledQuantity).toBe('0.004');
  const oco = await kit.create('OCO', [{ ...EXIT, quantity: '0.006', reduceOnly: true }, { ...far, quantity: '0.006', reduceOnly: true }]);
  await kit.until(oco.id, 'working', ({ legs }) => legs.every(({ state }) => state === 'WORKING'));
  await kit.bySomebody('0.002');
  await stack.client.until('the other leg to be gone', async () => ((await kit.sinceThen(before)).every(({ status, price }) => status !== 'open' || Number(price) !== 60_000) ? true : null));
  await kit.bySomebody('0.004');
  const done = await kit.completed(oco.id);
  expect(done.legs.map(({ state, filledQuantity }) => [state, filledQuantity])).toEqual([['FILLED', '0.006'], ['CANCELED', '0']]);
  expect(filled(await kit.sinceThen(before))).toBe(10_000);
  await kit.flat();
}, 120_000);

test('S21: the exit filled and its answer and event are lost, the worker dies: there is no second exit', async () => {
  const before = await kit.entered();
  const list = await kit.create('OUO', [{ ...EXIT, limitPrice: '60000' }, STOP]);
  await kit.armedAndWorking(list.id);
  await stack.sim.fault({ kind: 'dropMessages', count: 50 });
  const lost = await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
  await stack.sim.price('BTC-PERP', '48900');
  await stack.sim.met(lost);
  await stack.worker.kill();
  await stack.worker.start();
  const done = await kit.completed(list.id);
  expect(done.legs.map(({ filledQuantity }) => filledQuantity)).toEqual(['0', '0.01']);
  const orders = await kit.sinceThen(before);
  expect([filled(orders), orders.filter(({ filledQuantity }) => filledQuantity !== '0').length]).toEqual([10_000, 1]);
  await stack.sim.clearFaults();
  await kit.flat();
}, 120_000);

test('S16: the answer to the cancel of a leg is lost: the other leg goes out for what is left, and nothing is open twice', async () => {
  const before = await kit.entered();
  const list = await kit.create('OUO', [{ ...EXIT, limitPrice: '60000' }, STOP]);
  await kit.armedAndWorking(list.id);
  await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders/cancel' } });
  await stack.sim.price('BTC-PERP', '48900');
  await kit.completed(list.id);
  const orders = await kit.sinceThen(before);
  expect([filled(orders), orders.map(({ status }) => status)]).toEqual([10_000, ['canceled', 'filled']]);
  await kit.flat();
}, 120_000);

test('a bracket: exits grow with each part fill of the entry, the stop is amended, then moved to break-even after the first take-profit; its workflow is lost, and it still ends flat', async () => {
  const before = await kit.exits();
  const list = await kit.create('BRACKET', [
    { role: 'entry', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: INSIDE_BID },
    { role: 'takeProfit', type: 'limit', quantity: '0.004', limitPrice: INSIDE },
    { role: 'takeProfit', type: 'limit', quantity: '0.006', limitPrice: '60000' },
    { role: 'stop', type: 'stopMarket', triggerPrice: '45000', triggerPriceType: 'mark' },
  ], { breakEvenAfter: 1 });
  await kit.until(list.id, 'waiting for its entry', ({ legs }) => legs[0]?.state === 'WORKING');
  await kit.bySomebody('0.003', 'sell');
  const open = async (): Promise<number> => (await kit.sinceThen(before)).filter(({ status }) => status === 'open').reduce((total, { quantity }) => total + micro(quantity), 0);
  await stack.client.until('exits for what was entered', async () => ((await open()) === 3_000 ? true : null));
  await kit.bySomebody('0.007', 'sell');
  await stack.client.until('exits for all of it', async () => ((await open()) === 10_000 ? true : null));
  await kit.until(list.id, 'armed', ({ legs }) => legs[0]?.state === 'FILLED' && legs[3]?.state === 'ARMED');
  // Its workflow may note something between the read and the amendment: then that is refused, and is made of what is read next.
  const { armed, amended } = await stack.client.until('the amendment', async () => {
    const now = await kit.read(list.id);
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
  await kit.bySomebody('0.004');
  const moved = await kit.until(list.id, 'moved to break-even', ({ legs }) => legs[3]?.breakEvenPrice !== null);
  expect([moved.legs[1]?.state, moved.legs[3]?.breakEvenPrice]).toEqual(['FILLED', '49999']);
  await stack.sim.price('BTC-PERP', '49900');
  const done = await kit.completed(list.id);
  expect(done.legs.map(({ filledQuantity }) => filledQuantity)).toEqual(['0.01', '0.004', '0', '0.006']);
  expect(filled(await kit.sinceThen(before))).toBe(10_000);
  await kit.flat();
  expect(await kit.eventsOf(list.id)).toEqual(expect.arrayContaining(['orderList.stopMoved', 'orderList.amended', 'orderList.triggered', 'orderList.completed']));
}, 120_000);

test('a kill switch ends a list with all its orders: the price that would have set it off then moves nothing', async () => {
  const before = await kit.entered();
  const list = await kit.create('OUO', [{ ...EXIT, limitPrice: '60000' }, STOP]);
  await kit.armedAndWorking(list.id);
  const killSwitch = await kit.killSwitch('flatten');
  const ended = await kit.until(list.id, 'over', ({ state }) => state !== 'ACTIVE');
  expect([ended.state, ended.reason]).toEqual(['CANCELED', `kill switch ${killSwitch.id}`]);
  await stack.client.until('the switch to be confirmed', async () => ((await stack.client.call<{ confirmed: boolean }>('GET', `/api/v1/kill-switch/${killSwitch.id}`)).body.confirmed ? true : null));
  await killSwitch.release();
  const placed = (await kit.ordersOf(list.id)).length;
  const sentinel = await kit.entered();
  const other = await kit.create('OUO', [{ ...EXIT, limitPrice: '60000' }, STOP]);
  await kit.armedAndWorking(other.id);
  await stack.sim.price('BTC-PERP', '48900');
  // The one beside it was set off: so the price was heard, and the ended one was not.
  await kit.completed(other.id);
  expect([(await kit.ordersOf(list.id)).length, (await kit.read(list.id)).state, filled(await kit.sinceThen(sentinel)), filled(await kit.sinceThen(before))]).toEqual([placed, 'CANCELED', 10_000, 20_000]);
  await kit.flat();
}, 120_000);

bracketTests(kit);
crossingTests(kit);
nativeStopTests(kit);
listsOnTwoVenues(kit);

test('a list\'s timeline is told while Temporal is down: from PostgreSQL alone', async () => {
  await kit.entered();
  const list = await kit.create('OUO', [EXIT, STOP]);
  await kit.armedAndWorking(list.id);
  await kit.bySomebody('0.01');
  const told = { list: await kit.completed(list.id), orders: await kit.ordersOf(list.id), events: await kit.eventsOf(list.id) };
  await stack.temporal.kill();
  expect({ list: await kit.read(list.id), orders: await kit.ordersOf(list.id), events: await kit.eventsOf(list.id) }).toEqual(told);
  expect(told.events).toEqual(expect.arrayContaining(['orderList.created', 'orderList.placing', 'orderList.completed']));
  await stack.temporal.start();
}, 120_000);
