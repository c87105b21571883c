/** S8: the venue limits, fails after accepting, or is not there. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { settledAndBalanced } from '../support/afterwards';
import { startStack, type Stack } from '../support/stack';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
}, 180_000);
afterAll(async () => {
  await stack.stop();
});

const farBelow = { symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' } as const;
const place = (query = ''): ReturnType<Stack['client']['place']> => stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), ...farBelow }, {}, query);

test('no entry and no read goes out inside the window of a 429; a cancel goes from the reserve once the venue accepts it', async () => {
  const resting = (await place()).body;
  const windowSeconds = 3;
  await stack.sim.fault({ kind: 'rateLimit', count: 1, retryAfterSeconds: windowSeconds, match: { method: 'POST', path: '/orders' } });
  const limited = place('?timeoutMs=5000');
  const [refusedAt] = await stack.client.until('the 429', async () => {
    const hit = (await stack.sim.requests('/orders')).filter((request) => request.status === 429);
    return hit.length > 0 ? hit.map((request) => request.time) : null;
  });
  // Its owner knows at once, and when to try again; an entry that finds the window shut likewise.
  for (const refused of [await limited, await place('?timeoutMs=5000')]) {
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const { error } = refused.body as unknown as { error: { code: string; outcome: string; details: { orderId: string } } };
    expect(error).toMatchObject({ code: 'RATE_LIMITED', outcome: 'none' });
    expect(await stack.client.untilState(error.details.orderId, 'REJECTED')).toMatchObject({ reasonCode: 'RATE_LIMITED' });
  }
  await stack.client.until('the window to end', async () => (Date.now() > (refusedAt ?? 0) + windowSeconds * 1_000 ? true : null));
  const inside = (await stack.sim.requests()).filter((request) => request.time > (refusedAt ?? 0) + 100 && request.time < (refusedAt ?? 0) + windowSeconds * 1_000 - 100);
  expect(inside.map((request) => `${request.method} ${request.path}`).filter((request) => !request.includes('/cancel'))).toEqual([]);
  const canceled = await stack.client.call('DELETE', `/api/v1/orders/${resting.id}`);
  expect([200, 202]).toContain(canceled.status);
  await stack.client.untilState(resting.id, 'CANCELED');
  await settledAndBalanced(stack);
}, 120_000);

test('a 5xx after the venue accepted is no refusal: the order works, once', async () => {
  const before = (await stack.sim.orders()).length;
  await stack.sim.fault({ kind: 'errorAfterAccept', status: 503, count: 1, match: { method: 'POST', path: '/orders' } });
  const placed = await place();
  await stack.client.untilState(placed.body.id, 'WORKING');
  expect((await stack.sim.orders()).length - before).toBe(1);
  await settledAndBalanced(stack);
}, 120_000);

test('a refused connection is tried again with the same id until the venue is back', async () => {
  const before = (await stack.sim.orders()).length;
  await stack.sim.listen(false, 2_000);
  const placed = await place();
  const order = await stack.client.untilState(placed.body.id, 'WORKING');
  const after = await stack.sim.orders();
  expect(after.length - before).toBe(1);
  expect(after.find((each) => each.orderId === order.venueOrderId)).toBeDefined();
  await settledAndBalanced(stack);
}, 120_000);

test('a refused connection past the order\'s deadline ends it NOT_SENT, and none appears later', async () => {
  const before = (await stack.sim.orders()).length;
  await stack.sim.listen(false, 14_000);
  const placed = await place();
  const order = await stack.client.untilState(placed.body.id, 'REJECTED');
  expect(order.reasonCode).toBe('NOT_SENT');
  await stack.client.until('the venue to be back', async () => (await stack.sim.orders()) && true);
  const again = await place();
  await stack.client.untilState(again.body.id, 'WORKING');
  expect((await stack.sim.orders()).length - before).toBe(1);
  await settledAndBalanced(stack);
}, 180_000);
