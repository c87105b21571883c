/** S12, S13: what happens at the venue without us: its history is cut, orders are placed and canceled elsewhere. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ApiOrder } from '../support/api-client';
import { settledAndBalanced } from '../support/afterwards';
import { startStack, WIDE_LIMITS, type Stack } from '../support/stack';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
}, 180_000);
afterAll(async () => {
  await stack.stop();
});
afterEach(async () => {
  await stack.sim.clearFaults();
});

const MARKET = 'BTC-PERP';

/** As the account's owner would elsewhere, with the venue's own app. */
async function atVenue(key: string, path: string, body: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const response = await fetch(`${stack.simulator.url}${path}`, { method: 'POST', headers: { 'x-paper-key': key, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const text = await response.text();
  expect([path, response.status, text]).toEqual([path, 200, text]);
  return JSON.parse(text) as Record<string, unknown>;
}

async function placedOutside(key: string, order: Readonly<Record<string, unknown>>): Promise<string> {
  const { time } = (await (await fetch(`${stack.simulator.url}/time`)).json()) as { time: number };
  const clientId = `app-${randomUUID()}`;
  await atVenue(key, '/orders', { expiresAt: time + 60_000, orders: [{ clientId, symbol: MARKET, side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '0.01', price: '1000', postOnly: false, reduceOnly: false, ...order }] });
  return clientId;
}

async function ordersOf(accountId: string): Promise<ApiOrder[]> {
  return stack.client.orders(`status=all&accountId=${accountId}`);
}

async function ourLimit(accountId: string, limitPrice: string, quantity = '0.01'): Promise<ApiOrder> {
  const placed = await stack.client.place({ accountId, clientOrderId: randomUUID(), symbol: MARKET, side: 'buy', type: 'limit', quantity, limitPrice });
  return stack.client.untilState(placed.body.id, 'WORKING');
}

async function mark(): Promise<number> {
  const { markets } = await stack.sim.call<{ markets: { symbol: string; mark: string }[] }>('GET', '/__sim/state');
  return Number(markets.find((market) => market.symbol === MARKET)?.mark);
}

async function everythingRestarts(): Promise<void> {
  for (const process of [stack.watcher, stack.worker, stack.api]) await process.restart();
}

describe('S13: orders placed or canceled outside', () => {
  test('an order placed elsewhere is adopted as EXTERNAL once, and never canceled by us', async () => {
    await placedOutside(stack.venueKey, { price: '1500' });
    const adopted = await stack.client.until('the order to be adopted', async () => (await ordersOf(stack.accountId)).find((order) => order.limitPrice === '1500') ?? null);
    expect([adopted.origin, adopted.state]).toEqual(['EXTERNAL', 'WORKING']);
    await everythingRestarts();
    await ourLimit(stack.accountId, '900');
    await settledAndBalanced(stack);
    const mine = (await ordersOf(stack.accountId)).filter((order) => order.limitPrice === '1500');
    expect(mine.map(({ id, state }) => [id, state])).toEqual([[adopted.id, 'WORKING']]);
    expect((await stack.sim.requests()).filter((request) => request.path.startsWith('/orders/cancel'))).toEqual([]);
  }, 180_000);

  test('placed elsewhere while nobody watched, and filled: adopted with its fill, counted once', async () => {
    const before = (await stack.client.call<{ fills: unknown[] }>('GET', `/api/v1/fills?accountId=${stack.accountId}&limit=200`)).body.fills.length;
    await stack.watcher.kill('SIGKILL');
    await placedOutside(stack.venueKey, { type: 'market', timeInForce: 'IOC', price: undefined, quantity: '0.002' });
    await stack.watcher.start();
    await stack.client.until('its fill', async () => {
      const filled = (await ordersOf(stack.accountId)).find((order) => order.quantity === '0.002');
      return filled?.state === 'FILLED' && filled.origin === 'EXTERNAL' ? true : null;
    });
    await everythingRestarts();
    await settledAndBalanced(stack);
    const { body } = await stack.client.call<{ fills: { quantity: string }[] }>('GET', `/api/v1/fills?accountId=${stack.accountId}&limit=200`);
    expect(body.fills.slice(0, body.fills.length - before).reduce((sum, fill) => sum + Number(fill.quantity), 0)).toBeCloseTo(0.002, 9);
    const { body: held } = await stack.client.call<{ positions: { symbol: string; quantity: string }[] }>('GET', `/api/v1/positions?accountId=${stack.accountId}`);
    expect(Number(held.positions.find((position) => position.symbol === MARKET)?.quantity)).toBeCloseTo(0.002, 9);
  }, 180_000);

  test('an order of ours that is canceled elsewhere is CANCELED, also while nobody watched', async () => {
    const seen = await ourLimit(stack.accountId, '1100');
    await atVenue(stack.venueKey, '/orders/cancel', { cancels: [{ orderId: seen.venueOrderId }] });
    await stack.client.untilState(seen.id, 'CANCELED');
    const unseen = await ourLimit(stack.accountId, '1200');
    await stack.watcher.kill('SIGKILL');
    await atVenue(stack.venueKey, '/orders/cancel', { cancels: [{ orderId: unseen.venueOrderId }] });
    await stack.watcher.start();
    await stack.client.untilState(unseen.id, 'CANCELED');
    await settledAndBalanced(stack);
  }, 180_000);
});

describe('S12: the venue\'s fill history is cut', () => {
  test('working orders are kept, the account is REDUCING with a carry-in entry, and nothing refuses to start', async () => {
    const key = `cut-${randomUUID()}`;
    const made = await stack.client.call<{ id: string }>('POST', '/api/v1/accounts', { name: `cut-${key}`, venue: 'paper', credentials: { key }, limits: WIDE_LIMITS });
    const accountId = made.body.id;
    await stack.client.balanceKnown(accountId);
    const resting = await ourLimit(accountId, '1300');
    const filling = await ourLimit(accountId, String(Math.floor((await mark()) * 0.99)), '0.004');
    await stack.watcher.kill('SIGKILL');
    await stack.sim.price(MARKET, String(Math.floor((await mark()) * 0.98)));
    const { time } = (await (await fetch(`${stack.simulator.url}/time`)).json()) as { time: number };
    // The venue forgets that fill before anybody of ours has read it.
    await stack.sim.fault({ kind: 'truncateHistory', before: time + 1 });
    await stack.watcher.start();

    const account = async (): Promise<{ status: string; statusReason: string | null }> => (await stack.client.call<{ status: string; statusReason: string | null }>('GET', `/api/v1/accounts/${accountId}`)).body;
    await stack.client.until('the account to be REDUCING', async () => ((await account()).status === 'REDUCING' ? true : null));
    expect((await account()).statusReason).toContain('history begins after the last fill we know');
    const events = await stack.client.until('the carry-in', async () => {
      const { body } = await stack.client.call<{ events: { type: string; data: { kind?: string } }[] }>('GET', `/api/v1/events?accountId=${accountId}&sinceSequence=0&limit=200`);
      return body.events.some((event) => event.type === 'account.carryIn') ? body.events : null;
    });
    expect(events.filter((event) => event.type === 'account.alert').map((event) => event.data.kind)).toContain('historyTruncated');
    const held = async (): Promise<number> => {
      const { body } = await stack.client.call<{ positions: { symbol: string; quantity: string }[] }>('GET', `/api/v1/positions?accountId=${accountId}`);
      return Number(body.positions.find((position) => position.symbol === MARKET)?.quantity ?? 0);
    };
    expect(await held()).toBeCloseTo(0.004, 9);
    expect((await stack.client.order(resting.id)).state).toBe('WORKING');

    const entry = await stack.client.place({ accountId, clientOrderId: randomUUID(), symbol: MARKET, side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
    expect([entry.status, entry.body.error.code]).toEqual([422, 'RISK_ACCOUNT_REDUCING']);
    await everythingRestarts();
    expect((await account()).status).toBe('REDUCING');
    expect(await held()).toBeCloseTo(0.004, 9);
    expect((await stack.client.order(resting.id)).state).toBe('WORKING');
    expect((await stack.sim.orders()).find((order) => order.orderId === resting.venueOrderId)?.status).toBe('open');
    expect((await stack.client.order(filling.id)).state).not.toBe('REJECTED');
    const exit = await stack.client.until('a price to exit by', async () => {
      const answer = await stack.client.place({ accountId, clientOrderId: randomUUID(), symbol: MARKET, side: 'sell', type: 'market', timeInForce: 'IOC', quantity: '0.004', reduceOnly: true });
      return answer.status === 422 ? null : answer.body;
    });
    await stack.client.untilState(exit.id, 'FILLED');
    await stack.client.until('a flat position', async () => ((await held()) === 0 ? true : null));
  }, 180_000);
});
