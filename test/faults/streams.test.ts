/** S5, S9, S11, S17: the venue's private stream is away, lies, repeats itself; watchers stop, wake and restart. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ApiOrder } from '../support/api-client';
import { booksAgree, settledAndBalanced } from '../support/afterwards';
import { scaledMs } from '../support/scale';
import { StreamClient } from '../support/socket-client';
import { startStack, type Stack } from '../support/stack';

let stack: Stack;
let live: StreamClient;
beforeAll(async () => {
  stack = await startStack();
}, 180_000);
afterAll(async () => {
  await stack.stop();
});
beforeEach(async () => {
  live = await StreamClient.connect(stack.apiUrl, stack.client.key);
});
afterEach(async () => {
  live.close();
  await stack.sim.clearFaults();
});

interface Fill {
  readonly venueFillId: string;
  readonly orderId: string | null;
  readonly quantity: string;
}
async function fills(): Promise<Fill[]> {
  return (await stack.client.call<{ fills: Fill[] }>('GET', `/api/v1/fills?accountId=${stack.accountId}&limit=200`)).body.fills;
}
/** The venue's own mark: ours may be a moment old while a stream is away. */
async function mark(): Promise<number> {
  const { markets } = await stack.sim.call<{ markets: { symbol: string; mark: string }[] }>('GET', '/__sim/state');
  return Number(markets.find((market) => market.symbol === 'BTC-PERP')?.mark);
}
async function restingBelow(fractions: readonly number[]): Promise<ApiOrder[]> {
  const price = await mark();
  const orders: ApiOrder[] = [];
  for (const fraction of fractions) {
    const limitPrice = String(Math.floor(price * fraction));
    // While no watcher brings prices, an entry beside a held position is refused: nothing to value it by.
    const placed = await stack.client.until('a price to place by', async () => {
      const answer = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.001', limitPrice });
      return answer.status === 422 ? null : answer.body;
    });
    orders.push(await stack.client.untilState(placed.id, 'WORKING'));
  }
  return orders;
}
/** Our net position, from fills, equals what the venue's orders filled. */
async function positionAtVenueAndHere(): Promise<void> {
  await booksAgree(stack);
  const { body } = await stack.client.call<{ positions: { symbol: string; side: string; quantity: string }[] }>('GET', `/api/v1/positions?accountId=${stack.accountId}`);
  const here = body.positions.find((position) => position.symbol === 'BTC-PERP');
  const there = (await stack.sim.orders()).reduce((net, order) => net + Number(order.filledQuantity) * (order.side === 'buy' ? 1 : -1), 0);
  expect(Number(here?.quantity ?? 0) * (here?.side === 'short' ? -1 : 1)).toBeCloseTo(there, 9);
}

/** While the stream is silent: three orders fill and one is canceled outside. */
async function threeFillsAndACancel(silence: () => Promise<void>): Promise<ApiOrder[]> {
  const orders = await restingBelow([0.99, 0.985, 0.98, 0.5]);
  await silence();
  await stack.sim.price('BTC-PERP', String(Math.floor((await mark()) * 0.97)));
  const canceled = await fetch(`${stack.simulator.url}/orders/cancel`, {
    method: 'POST',
    headers: { 'x-paper-key': stack.venueKey, 'content-type': 'application/json' },
    body: JSON.stringify({ cancels: [{ orderId: orders[3]?.venueOrderId }] }),
  });
  expect(canceled.status).toBe(200);
  return orders;
}

describe('S5: the private stream is away while orders fill', () => {
  test.each([
    ['the stream is closed and cannot come back', async () => stack.sim.fault({ kind: 'closeStream', durationMs: scaledMs(60_000) })],
    ['heartbeats are alive, frames are dropped', async () => stack.sim.fault({ kind: 'stallStream', count: 1, durationMs: scaledMs(60_000) })],
  ])('%s: each fill appears once, in order, and the books agree', async (_what, arm) => {
    await live.subscribe({ channel: 'orders', accountId: stack.accountId });
    await live.subscribe({ channel: 'fills', accountId: stack.accountId });
    const before = (await fills()).length;
    const orders = await threeFillsAndACancel(async () => {
      await arm();
    });
    await Promise.all(orders.slice(0, 3).map((order) => stack.client.untilState(order.id, 'FILLED')));
    await stack.client.untilState(orders[3]?.id ?? '', 'CANCELED');
    expect((await fills()).length - before).toBe(3);
    await stack.client.until('three fills on the socket', async () => (live.of('fills').length >= 3 ? true : null));
    expect(live.of('fills').length).toBe(3);
    const sequences = live.of('orders').map((event) => event.sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
    await positionAtVenueAndHere();
    await settledAndBalanced(stack);
  }, 180_000);

  test('clients see gap, then resync', async () => {
    await live.subscribe({ channel: 'orders', accountId: stack.accountId });
    await stack.sim.fault({ kind: 'closeStream', count: 1 });
    await stack.client.until('gap and resync', async () => (live.notices.some((notice) => notice.kind === 'gap') && live.notices.some((notice) => notice.kind === 'resync') ? true : null));
    expect(live.notices.map((notice) => notice.kind).indexOf('gap')).toBeLessThan(live.notices.map((notice) => notice.kind).indexOf('resync'));
  }, 120_000);
});

describe('S9: stream messages come twice and out of order', () => {
  test.each(['duplicateMessages', 'reorderMessages', 'dropMessages'])('%s: filled plus canceled is the quantity, fills are counted once', async (kind) => {
    const before = (await fills()).length;
    await stack.sim.fault({ kind, count: 20 });
    const orders = await restingBelow([0.995, 0.99]);
    await stack.sim.price('BTC-PERP', String(Math.floor((await mark()) * 0.98)));
    await Promise.all(orders.map((order) => stack.client.untilState(order.id, 'FILLED')));
    await stack.client.until('both fills', async () => ((await fills()).length - before >= 2 ? true : null));
    expect((await fills()).length - before).toBe(2);
    await settledAndBalanced(stack);
  }, 120_000);
});

describe('S17: a watcher is stopped past its time-out, its successor works, then it wakes', () => {
  test('its writes are refused by epoch and nothing is counted twice', async () => {
    const before = (await fills()).length;
    const orders = await restingBelow([0.995, 0.99]);
    await stack.watcher.kill('SIGSTOP');
    const successor = stack.another('watcher');
    await successor.start();
    await stack.sim.price('BTC-PERP', String(Math.floor((await mark()) * 0.98)));
    await Promise.all(orders.map((order) => stack.client.untilState(order.id, 'FILLED')));
    await stack.watcher.kill('SIGCONT');
    const more = await restingBelow([0.995]);
    await stack.sim.price('BTC-PERP', String(Math.floor((await mark()) * 0.98)));
    await Promise.all(more.map((order) => stack.client.untilState(order.id, 'FILLED')));
    await stack.client.until('all fills', async () => ((await fills()).length - before >= 3 ? true : null));
    expect((await fills()).length - before).toBe(3);
    await settledAndBalanced(stack);
    await successor.stop();
  }, 180_000);
});

describe('S11: restarts with open positions', () => {
  test('20 restarts of the watcher leave row counts, positions and averages as they were', async () => {
    await restingBelow([0.9]);
    await settledAndBalanced(stack);
    const picture = async (): Promise<unknown> => ({
      fills: (await fills()).map((fill) => fill.venueFillId).sort(),
      // What was refused while no watcher brought prices is no order of the books.
      orders: (await stack.client.orders(`status=all&accountId=${stack.accountId}`)).filter(({ state }) => state !== 'DENIED').map(({ id, state, filledQuantity, avgPrice }) => [id, state, filledQuantity, avgPrice]).sort(),
      positions: (await stack.client.call<{ positions: { symbol: string; side: string; quantity: string; entryPrice: string; realizedPnl: string }[] }>('GET', `/api/v1/positions?accountId=${stack.accountId}`)).body.positions.map(({ symbol, side, quantity, entryPrice, realizedPnl }) => [symbol, side, quantity, entryPrice, realizedPnl]),
    });
    const before = await picture();
    for (let restart = 0; restart < 20; restart += 1) {
      await stack.watcher.kill('SIGKILL');
      await stack.watcher.start();
    }
    await restingBelow([0.91]).then(([order]) => stack.client.call('DELETE', `/api/v1/orders/${order?.id}`));
    await settledAndBalanced(stack);
    const after = (await picture()) as { orders: unknown[]; fills: unknown; positions: unknown };
    expect(after.fills).toEqual((before as { fills: unknown }).fills);
    expect(after.positions).toEqual((before as { positions: unknown }).positions);
    expect(after.orders.length).toBe((before as { orders: unknown[] }).orders.length + 1);
  }, 240_000);
});
