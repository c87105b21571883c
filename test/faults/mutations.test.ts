/** S16: the answer to an amend or a cancel is lost. The state follows evidence, and nothing is done twice. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ApiOrder } from '../support/api-client';
import { settledAndBalanced } from '../support/afterwards';
import { startStack, type Stack } from '../support/stack';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ workers: 2 });
}, 180_000);
afterAll(async () => {
  await stack.stop();
});

async function working(): Promise<ApiOrder> {
  const { status, body } = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
  expect(status).toBe(201);
  return body;
}

/** The order as the venue has it. */
async function atVenue(order: ApiOrder): Promise<{ status: string; quantity: string; price: string | null }> {
  const found = (await stack.sim.orders()).find((each) => each.orderId === order.venueOrderId);
  if (found === undefined) throw new Error('the venue does not have the order');
  return found;
}

const amendPath = '/orders/amend';
const cancelPath = '/orders/cancel';

test.each([['dropResponse', {}], ['errorAfterAccept', { status: 502 }]])('an amend whose answer is lost (%s) takes effect once and shows', async (kind, more) => {
  const order = await working();
  await stack.sim.fault({ kind, count: 1, match: { method: 'POST', path: amendPath }, ...more });
  const { status } = await stack.client.call('PATCH', `/api/v1/orders/${order.id}`, { limitPrice: '1100', quantity: '0.02' }, { 'if-match': String(order.revision) });
  expect([200, 202]).toContain(status);
  const amended = await stack.client.until('the amendment to be settled', async () => {
    const now = await stack.client.order(order.id);
    return now.pendingReplace ? null : now;
  });
  expect(amended).toMatchObject({ state: 'WORKING', limitPrice: '1100', quantity: '0.02', leavesQuantity: '0.02' });
  expect(await atVenue(order)).toMatchObject({ status: 'open', quantity: '0.02', price: '1100' });
  await settledAndBalanced(stack);
}, 120_000);

test('a worker that dies while the venue has the amend changes nothing twice', async () => {
  const order = await working();
  const before = (await stack.sim.requests(amendPath)).length;
  const hold = await stack.sim.fault({ kind: 'hold', count: 1, match: { method: 'POST', path: amendPath } });
  const amending = stack.client.call('PATCH', `/api/v1/orders/${order.id}`, { quantity: '0.03' }, { 'if-match': String(order.revision) });
  await stack.client.until('the venue to have the amend', async () => ((await stack.sim.requests(amendPath)).length > before ? true : null));
  await Promise.all(stack.workers.map((worker) => worker.kill('SIGKILL')));
  await stack.sim.release(hold);
  await Promise.all(stack.workers.map((worker) => worker.start()));
  await amending;
  await stack.client.until('the amendment to be settled', async () => {
    const now = await stack.client.order(order.id);
    return !now.pendingReplace && now.quantity === '0.03' ? true : null;
  });
  expect(await atVenue(order)).toMatchObject({ status: 'open', quantity: '0.03' });
  await settledAndBalanced(stack);
}, 120_000);

test.each([['dropResponse', {}], ['errorAfterAccept', { status: 502 }]])('a native stop is moved and resized at its venue, also where the answer is lost (%s): it is one order all the while, and the position shows where it stands', async (kind, more) => {
  const { client, sim, accountId } = stack;
  const shown = async () => (await client.call<{ positions: { symbol: string; protection: string; desiredStop: { triggerPrice: string } | null; confirmedStop: { triggerPrice: string; quantity: string } | null }[] }>('GET', `/api/v1/positions?accountId=${accountId}`)).body.positions.find(({ symbol }) => symbol === 'BTC-PERP');
  const entry = await client.place({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity: '0.02' });
  await client.untilState(entry.body.id, 'FILLED');
  const stop = (await client.place({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '20000', triggerPriceType: 'mark', reduceOnly: true, execution: 'native' })).body;
  expect(stop).toMatchObject({ state: 'WORKING', triggerPrice: '20000' });
  await sim.fault({ kind, count: 1, match: { method: 'POST', path: amendPath }, ...more });
  const { status } = await client.call('PATCH', `/api/v1/orders/${stop.id}`, { triggerPrice: '21000', quantity: '0.02' }, { 'if-match': String(stop.revision) });
  expect([200, 202]).toContain(status);
  const amended = await client.until('the amendment to be settled', async () => {
    const now = await client.order(stop.id);
    return now.pendingReplace ? null : now;
  });
  expect(amended).toMatchObject({ state: 'WORKING', triggerPrice: '21000', quantity: '0.02' });
  expect((await sim.orders()).filter(({ side, status: at }) => side === 'sell' && at === 'open')).toMatchObject([{ orderId: stop.venueOrderId, quantity: '0.02' }]);
  await client.until('the position to show it', async () => {
    const now = await shown();
    return now?.protection === 'native' && now.desiredStop?.triggerPrice === '21000' && now.confirmedStop?.triggerPrice === '21000' && now.confirmedStop.quantity === '0.02' ? true : null;
  });
  expect((await client.call('PATCH', `/api/v1/orders/${stop.id}`, { trailingOffset: '5' }, { 'if-match': String(amended.revision) })).status).toBe(422);
  await client.call('DELETE', `/api/v1/orders/${stop.id}`);
  await client.untilState(stop.id, 'CANCELED');
  const exit = await client.place({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'sell', type: 'market', quantity: '0.02', reduceOnly: true });
  await client.untilState(exit.body.id, 'FILLED');
  await settledAndBalanced(stack);
}, 120_000);

test('a refused amend leaves the order as it was and says why', async () => {
  const order = await working();
  await stack.sim.fault({ kind: 'refuse', count: 1, code: 'BAD_TICK', message: 'no such price', match: { method: 'POST', path: amendPath } });
  await stack.client.call('PATCH', `/api/v1/orders/${order.id}`, { limitPrice: '1200' }, { 'if-match': String(order.revision) });
  await stack.client.until('the amendment to be settled', async () => ((await stack.client.order(order.id)).pendingReplace ? null : true));
  expect(await stack.client.order(order.id)).toMatchObject({ state: 'WORKING', limitPrice: '1000' });
  expect(await atVenue(order)).toMatchObject({ status: 'open', price: '1000' });
  await settledAndBalanced(stack);
}, 120_000);

test('a stale revision is refused before anything is sent', async () => {
  const order = await working();
  const before = (await stack.sim.requests(amendPath)).length;
  const { status, body } = await stack.client.call<{ error: { code: string } }>('PATCH', `/api/v1/orders/${order.id}`, { quantity: '0.05' }, { 'if-match': String(order.revision - 1) });
  expect([status, body.error.code]).toEqual([412, 'PRECONDITION_FAILED']);
  expect((await stack.client.call('PATCH', `/api/v1/orders/${order.id}`, { quantity: '0.05' })).status).toBe(428);
  expect((await stack.sim.requests(amendPath)).length).toBe(before);
}, 60_000);

test.each([['dropResponse', {}], ['errorAfterAccept', { status: 502 }]])('a cancel whose answer is lost (%s) ends CANCELED by evidence', async (kind, more) => {
  const order = await working();
  await stack.sim.fault({ kind, count: 1, match: { method: 'POST', path: cancelPath }, ...more });
  const { status } = await stack.client.call('DELETE', `/api/v1/orders/${order.id}`);
  expect([200, 202]).toContain(status);
  await stack.client.untilState(order.id, 'CANCELED');
  expect(await atVenue(order)).toMatchObject({ status: 'canceled' });
  await settledAndBalanced(stack);
}, 120_000);

test('a cancel of an order whose placing is still UNKNOWN is recorded at once and ends it', async () => {
  await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
  await stack.sim.fault({ kind: 'hide', count: 1, durationMs: 2_000 });
  await stack.sim.fault({ kind: 'stallStream', count: 1, durationMs: 2_000 });
  const placed = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' }, {}, '?timeoutMs=500');
  expect(placed.status).toBe(202);
  const canceling = await stack.client.call<ApiOrder>('DELETE', `/api/v1/orders/${placed.body.id}`);
  expect([200, 202]).toContain(canceling.status);
  const canceled = await stack.client.untilState(placed.body.id, 'CANCELED');
  expect(await atVenue(canceled)).toMatchObject({ status: 'canceled' });
  await settledAndBalanced(stack);
}, 120_000);

test('a cancel too late is told so, and the fill stands', async () => {
  const { body } = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity: '0.001' });
  const filled = await stack.client.untilState(body.id, 'FILLED');
  expect((await stack.client.call('DELETE', `/api/v1/orders/${filled.id}`)).status).toBe(409);
  expect((await stack.client.order(filled.id)).state).toBe('FILLED');
}, 60_000);
