/** The venue takes an order and its answer is lost, late or doubled: one intent stays one order. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { settledAndBalanced } from '../support/afterwards';
import { startStack, type Stack } from '../support/stack';
import { scaledMs } from '../support/scale';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ workers: 2 });
}, 180_000);
afterAll(async () => {
  await stack.stop();
});

const farBelow = { symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' } as const;

/** Orders at the venue that came from these client order ids. */
async function atVenue(orderIds: readonly string[]): Promise<number> {
  const venueIds = new Set((await Promise.all(orderIds.map((id) => stack.client.order(id)))).map((order) => order.venueOrderId));
  return (await stack.sim.orders()).filter((order) => venueIds.has(order.orderId)).length;
}

/** As a caller does that is told to send the same again: two workers that die one after the other may leave an intent unrecorded for longer than one is waited for. */
const repeated = (key: string): ReturnType<typeof stack.client.place> =>
  stack.client.until('an answer', async () => {
    const answer = await stack.client.place({ accountId: stack.accountId, ...farBelow }, { 'idempotency-key': key });
    return answer.status === 503 ? null : answer;
  });

describe('no worker is there to record an intent', () => {
  test('its caller is told that it is not recorded yet and may still be; sent again it is the same order, once', async () => {
    const before = (await stack.sim.orders()).length;
    const key = randomUUID();
    await Promise.all(stack.workers.map((worker) => worker.kill('SIGSTOP')));
    try {
      const { status, body } = await stack.client.call<{ error: { message: string; outcome: string } }>('POST', '/api/v1/orders', { accountId: stack.accountId, ...farBelow }, { 'idempotency-key': key });
      expect([status, body.error.message, body.error.outcome]).toEqual([503, 'the order is not recorded yet and may still be', 'unknown']);
    } finally {
      await Promise.all(stack.workers.map((worker) => worker.kill('SIGCONT')));
    }
    const { status, body } = await repeated(key);
    expect([201, 202]).toContain(status);
    await stack.client.untilState(body.id, 'WORKING');
    expect((await stack.sim.orders()).length - before).toBe(1);
    await settledAndBalanced(stack);
  }, 180_000);
});

describe('S2: the venue accepts and drops the response', () => {
  test('50 retries with one Idempotency-Key and 3 worker kills are one order at the venue and one id from the API', async () => {
    const before = (await stack.sim.orders()).length;
    await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
    const key = randomUUID();
    const retry = (): ReturnType<typeof stack.client.place> => repeated(key);
    const retries = Array.from({ length: 50 }, async (_, index) => {
      if (index > 0) await stack.client.until('the venue has the order', async () => ((await stack.sim.orders()).length > before ? true : null));
      return retry();
    });
    const kills = (async () => {
      for (const worker of [stack.workers[0], stack.workers[1], stack.workers[0]]) {
        await worker?.kill('SIGKILL');
        await worker?.start();
      }
    })();
    const answers = await Promise.all(retries);
    await kills;
    expect(answers.filter(({ status }) => status !== 201 && status !== 202).map(({ status, body }) => [status, body])).toEqual([]);
    const ids = new Set(answers.map((answer) => answer.body.id));
    expect(ids.size).toBe(1);
    const [id] = [...ids];
    const order = await stack.client.untilState(id ?? '', 'WORKING');
    expect((await stack.sim.orders()).length - before).toBe(1);
    const { body } = await stack.client.call('GET', `/api/v1/orders/${order.id}/timeline`);
    expect(JSON.stringify(body)).toContain('order.unknown');
    await settledAndBalanced(stack);
  }, 180_000);
});

describe('S3: the order is hidden from queries', () => {
  test('it stays UNKNOWN while hidden, counts as exposure, and works when it appears', async () => {
    const hiddenMs = scaledMs(90_000);
    await stack.sim.fault({ kind: 'hide', count: 1, durationMs: hiddenMs });
    await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
    // The stream would tell of it too: hidden means hidden from everything we may read.
    await stack.sim.fault({ kind: 'stallStream', count: 1, durationMs: hiddenMs });
    const startedMs = Date.now();
    const placed = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), ...farBelow }, {}, '?timeoutMs=1000');
    const seen = new Set<string>([placed.body.state]);
    while (Date.now() - startedMs < hiddenMs * 0.8) {
      const order = await stack.client.order(placed.body.id);
      seen.add(order.state);
      if (order.state === 'WORKING') break;
    }
    expect([...seen].filter((state) => !['SUBMITTING', 'UNKNOWN', 'WORKING'].includes(state))).toEqual([]);
    await stack.client.untilState(placed.body.id, 'WORKING');
    expect(await atVenue([placed.body.id])).toBe(1);
    await settledAndBalanced(stack);
  }, 180_000);
});

describe('S4: the acknowledgement arrives on the stream before the HTTP time-out', () => {
  test('no second submit; the order works by the stream\'s word', async () => {
    const requestsBefore = (await stack.sim.requests('/orders')).filter((request) => request.method === 'POST').length;
    const faultId = await stack.sim.fault({ kind: 'hold', count: 1, match: { method: 'POST', path: '/orders' } });
    const placed = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), ...farBelow }, {}, '?timeoutMs=4000');
    expect(placed.body.state).toBe('WORKING');
    await stack.sim.release(faultId);
    await stack.client.untilState(placed.body.id, 'WORKING');
    await settledAndBalanced(stack);
    const posts = (await stack.sim.requests('/orders')).filter((request) => request.method === 'POST').length - requestsBefore;
    expect(posts).toBe(1);
    expect(await atVenue([placed.body.id])).toBe(1);
  }, 120_000);
});
