/** Hyperliquid's streams fail, cancels meet fills, and in the end the agent wallet is gone. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiOrder } from '../support/api-client';
import { startHyperliquidStack, type HyperliquidStack } from '../support/hyperliquid-stack';
import { scaledMs } from '../support/scale';
import { StreamClient } from '../support/socket-client';

const PRICE = 97_000;

let hl: HyperliquidStack;
beforeAll(async () => {
  hl = await startHyperliquidStack({ workers: 1 });
}, 180_000);
afterAll(() => hl.stop());
afterEach(() => hl.sim.clearFaults());

const client = () => hl.stack.client;

const passes = (change: Readonly<Record<string, unknown>> = {}): Promise<ApiOrder> => hl.passes(PRICE, change);

interface Fill { readonly venueFillId: string }
const fills = async (): Promise<Fill[]> => (await client().call<{ fills: Fill[] }>('GET', `/api/v1/fills?accountId=${hl.accountId}&limit=200`)).body.fills;
const below = async (...fractions: readonly number[]): Promise<ApiOrder[]> => {
  const orders: ApiOrder[] = [];
  for (const fraction of fractions) orders.push(await client().untilState((await passes({ limitPrice: String(Math.floor(PRICE * fraction)) })).id, 'WORKING'));
  return orders;
};
/** Our net position is the sum of what the venue's orders filled. */
const positionsAgree = async (): Promise<void> => {
  await hl.settled();
  const there = (await hl.atVenue()).filter(({ symbol }) => symbol === 'BTC').reduce((sum, { side, filledQuantity }) => sum + Number(filledQuantity) * (side === 'buy' ? 1 : -1), 0);
  await client().until('the position to equal the venue\'s', async () => {
    const { body } = await client().call<{ positions: { symbol: string; side: string; quantity: string }[] }>('GET', `/api/v1/positions?accountId=${hl.accountId}`);
    const held = body.positions.find(({ symbol }) => symbol === 'BTC-PERP');
    return Math.abs(Number(held?.quantity ?? 0) * (held?.side === 'short' ? -1 : 1) - there) < 1e-9 ? true : null;
  });
};

describe('the private stream', () => {
  test.each([
    ['S5: is closed while three orders fill and one is canceled, and cannot come back', { kind: 'closeStream', durationMs: scaledMs(60_000) }],
    ['S5: is alive, and its frames are dropped', { kind: 'stallStream', count: 1, durationMs: scaledMs(60_000) }],
    ['S9: says everything twice', { kind: 'duplicateMessages', count: 20 }],
    ['S9: says it out of order', { kind: 'reorderMessages', count: 20 }],
    ['S9: loses messages', { kind: 'dropMessages', count: 20 }],
  ])('%s: each fill and the cancel are there once, in order, and the books agree', async (_what, fault) => {
    await hl.sim.price('BTC', String(PRICE));
    const live = await StreamClient.connect(hl.stack.apiUrl, client().key);
    try {
      await live.subscribe({ channel: 'orders', accountId: hl.accountId });
      await live.subscribe({ channel: 'fills', accountId: hl.accountId });
      const before = (await fills()).length;
      const orders = await below(0.99, 0.985, 0.98, 0.6);
      await hl.sim.fault(fault);
      await hl.sim.price('BTC', String(Math.floor(PRICE * 0.97)));
      await hl.sim.call('POST', '/__sim/cancel-all', { accounts: [hl.address] });
      await Promise.all(orders.slice(0, 3).map(({ id }) => client().untilState(id, 'FILLED')));
      await client().untilState(orders[3]?.id ?? '', 'CANCELED');
      await client().until('three fills', async () => ((await fills()).length - before >= 3 && live.of('fills').length >= 3 ? true : null));
      await positionsAgree();
      expect([(await fills()).length - before, live.of('fills').length]).toEqual([3, 3]);
      const sequences = live.of('orders').map(({ sequence }) => sequence);
      expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
    } finally {
      live.close();
    }
  }, 180_000);

  test('S5: clients see gap, then resync', async () => {
    const live = await StreamClient.connect(hl.stack.apiUrl, client().key);
    try {
      await live.subscribe({ channel: 'orders', accountId: hl.accountId });
      await hl.sim.fault({ kind: 'closeStream', count: 1 });
      const kinds = await client().until('gap and resync', async () => {
        const seen = live.notices.map(({ kind }) => kind);
        return seen.includes('gap') && seen.includes('resync') ? seen : null;
      });
      expect(kinds.indexOf('gap')).toBeLessThan(kinds.indexOf('resync'));
    } finally {
      live.close();
    }
  }, 120_000);
});

describe('S9: a cancel meets fills', () => {
  /** Places inside the spread, lets somebody else sell into it while the cancel is held at the venue's door. */
  async function canceledWhileFilling(sold: string): Promise<ApiOrder> {
    await hl.sim.price('BTC', String(PRICE));
    const seller = `0x${randomBytes(20).toString('hex')}`;
    await hl.sim.call('POST', '/__sim/accounts', { account: seller, key: `seller-${randomUUID()}`, collateral: '1000000' });
    const { markets } = await hl.sim.call<{ markets: { symbol: string; bid: string }[] }>('GET', '/__sim/state');
    const bid = Number(markets.find(({ symbol }) => symbol === 'BTC')?.bid);
    const order = await client().untilState((await passes({ limitPrice: String(bid + 1) })).id, 'WORKING');
    const held = await hl.sim.fault({ kind: 'hold', count: 1, before: true, match: { path: '/exchange/cancelByCloid' } });
    const canceling = client().call('DELETE', `/api/v1/orders/${order.id}`);
    await hl.sim.met(held);
    await hl.sim.call('POST', '/__sim/external-order', { account: seller, symbol: 'BTC', side: 'sell', type: 'limit', timeInForce: 'IOC', price: String(bid + 1), quantity: sold });
    await hl.sim.release(held);
    await canceling;
    return order;
  }

  test('a partial fill before it: filled plus canceled is the quantity', async () => {
    const { id } = await canceledWhileFilling('0.0004');
    expect(await client().untilState(id, 'CANCELED')).toMatchObject({ filledQuantity: '0.0004' });
    await positionsAgree();
  }, 120_000);

  test('filled whole before it: the order is FILLED, and the cancel has no effect', async () => {
    const { id } = await canceledWhileFilling('0.001');
    expect(await client().untilState(id, 'FILLED')).toMatchObject({ filledQuantity: '0.001' });
    await positionsAgree();
  }, 120_000);
});

describe('S14: the agent wallet is revoked', () => {
  test('the account is halted with an alert after at most three attempts more, and orders ask nothing of the venue', async () => {
    await client().until('the account to be at rest', async () => ((await client().orders(`status=open&accountId=${hl.accountId}`)).some(({ pendingCancel }) => pendingCancel) ? null : true));
    const since = async (sequence: number) => (await client().call<{ headSequence: number; events: { type: string; data: Record<string, unknown> }[] }>('GET', `/api/v1/events?accountId=${hl.accountId}&sinceSequence=${sequence}&limit=200`)).body;
    const { headSequence } = await since(0);
    const [asked, entered] = [(await hl.sim.requests('/info/userRole')).length, await hl.posted('order')];
    await hl.sim.fault({ kind: 'revokeKey', key: hl.agent });
    // Streams of this venue need no key: the next look asks. One after a gap is not put off by what the looks before it have cost.
    await hl.sim.fault({ kind: 'closeStream', count: 1 });
    await client().until('the account to be halted', async () => {
      const { body } = await client().call<{ status: string }>('GET', `/api/v1/accounts/${hl.accountId}`);
      return body.status === 'HALTED' ? true : null;
    });
    const alerts = await client().until('the alert', async () => {
      const { events } = await since(headSequence);
      const told = events.filter(({ type, data }) => type === 'account.alert' && JSON.stringify(data).includes('keyRevoked'));
      return told.length > 0 ? told : null;
    });
    expect(alerts).toHaveLength(1);
    expect((await hl.place()).status).toBeGreaterThanOrEqual(400);
    // The first refusal and three questions.
    expect((await hl.sim.requests('/info/userRole')).length - asked).toBeLessThanOrEqual(4);
    expect((await hl.posted('order')) - entered).toBe(0);
  }, 120_000);
});
