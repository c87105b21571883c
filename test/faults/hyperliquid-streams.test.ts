/** Hyperliquid's streams fail, its limits hold, a dex is traded without client ids, and in the end the agent wallet is gone. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiOrder } from '../support/api-client';
import { collateralScenarios } from '../support/collateral-scenarios';
import { startHyperliquidStack, type HyperliquidStack } from '../support/hyperliquid-stack';
import { scaledMs } from '../support/scale';
import { StreamClient } from '../support/socket-client';

const ORDER = { path: '/exchange/order' } as const;
const PRICE = 97_000;
const NAMELESS = { symbol: 'xyz:TSLA-PERP', quantity: '1', limitPrice: '300' } as const;

let hl: HyperliquidStack;
beforeAll(async () => {
  hl = await startHyperliquidStack({ workers: 1, environment: { SUREFILL_HYPERLIQUID_DEXES: 'xyz', SUREFILL_HYPERLIQUID_DEXES_WITHOUT_CLOID: 'xyz' } });
  // The dex margins itself: what it has is made by hand, as a transfer would.
  await hl.sim.call('POST', '/__sim/credit', { account: `${hl.address}@xyz`, asset: 'USDC', amount: '100000' });
}, 180_000);
afterAll(() => hl.stop());
afterEach(() => hl.sim.clearFaults());

const client = () => hl.stack.client;
const count = async (): Promise<number> => (await hl.atVenue()).length;

/**
 * An order that passes once what the last scenario left has ended: an entry may be refused meanwhile, with nothing done. The
 * market stands still here, so its price is told again: beside a held position an entry needs one to be valued by.
 */
async function passes(change: Readonly<Record<string, unknown>> = {}): Promise<ApiOrder> {
  let refusal: unknown = null;
  try {
    return await client().until('an entry to pass', async () => {
      await hl.sim.price('BTC', String(PRICE));
      const answer = await hl.place({ ...change, clientOrderId: randomUUID() });
      refusal = answer.body;
      return answer.status === 201 || answer.status === 202 ? answer.body : null;
    });
  } catch (error) {
    throw new Error(`no entry passed: ${JSON.stringify(refusal)}`, { cause: error });
  }
}

describe('a dex traded without client ids', () => {
  test('S2: five orders of equal terms whose answers are lost are five at the venue and five of ours, by evidence', async () => {
    const before = await count();
    await hl.sim.fault({ kind: 'dropResponse', count: 3, match: ORDER });
    const placed = await Promise.all(Array.from({ length: 5 }, () => hl.placed(NAMELESS)));
    const orders = await Promise.all(placed.map(({ id }) => client().untilState(id, 'WORKING')));
    expect(new Set(orders.map(({ venueOrderId }) => venueOrderId)).size).toBe(5);
    const made = (await hl.atVenue()).slice(before);
    expect([made.length, made.some(({ clientId }) => clientId.startsWith('0x'))]).toEqual([5, false]);
    await hl.settled();
  }, 180_000);

  test('S7: a worker dies after the venue took it: the one order is found by its terms', async () => {
    const before = await count();
    const held = await hl.sim.fault({ kind: 'hold', count: 1, match: ORDER });
    const placing = hl.placed({ ...NAMELESS, limitPrice: '301' });
    await hl.sim.met(held);
    await hl.killWorkers();
    await hl.sim.release(held);
    await hl.startWorkers();
    await client().untilState((await placing).id, 'WORKING');
    expect((await count()) - before).toBe(1);
    await hl.settled();
  }, 180_000);

  test('a cancel names it by the venue\'s id', async () => {
    const order = await client().untilState((await hl.placed({ ...NAMELESS, limitPrice: '302' })).id, 'WORKING');
    await client().call('DELETE', `/api/v1/orders/${order.id}`);
    await client().untilState(order.id, 'CANCELED');
    await hl.settled();
  }, 60_000);
});

describe('S8: the venue limits, fails or is away', () => {
  test('a 429 refuses an entry at once and with nothing done; the cancel goes as soon as the venue takes it', async () => {
    const resting = await client().untilState((await passes()).id, 'WORKING');
    const before = await count();
    await hl.sim.fault({ kind: 'rateLimit', count: 1, retryAfterSeconds: 5, match: ORDER });
    const refused = [await hl.place(), await hl.place()];
    expect(refused.map(({ status, body }) => [status, body.error.outcome])).toEqual([[429, 'none'], [429, 'none']]);
    const [hit] = (await hl.sim.requests('/exchange/order')).filter(({ status }) => status === 429);
    await client().call('DELETE', `/api/v1/orders/${resting.id}`);
    await client().untilState(resting.id, 'CANCELED');
    // Its owner has the Retry-After; inside it no entry knocks again.
    const again = (await hl.sim.requests('/exchange/order')).filter(({ time }) => time > (hit?.time ?? 0) && time < (hit?.time ?? 0) + 4_900);
    expect([again, await count()]).toEqual([[], before]);
    await hl.settled();
  }, 120_000);

  test('a 5xx after the venue took the order is no refusal: it works, once', async () => {
    const before = await count();
    const armed = await hl.sim.fault({ kind: 'errorAfterAccept', status: 502, count: 1, match: ORDER });
    const { id } = await passes();
    await hl.sim.met(armed);
    await client().untilState(id, 'WORKING');
    expect((await count()) - before).toBe(1);
    await hl.settled();
  }, 120_000);

  test('an order that cannot reach the venue before its deadline ends, with the reason, and none appears later', async () => {
    const before = await count();
    await hl.sim.listen(false);
    const { id } = await hl.placed();
    const order = await client().untilState(id, 'REJECTED');
    expect(['NOT_SENT', 'NEVER_PLACED']).toContain(order.reasonCode);
    await hl.sim.listen(true);
    const next = await passes();
    await client().untilState(next.id, 'WORKING');
    expect((await count()) - before).toBe(1);
    await hl.settled();
  }, 180_000);
});

collateralScenarios(() => hl);

test('the dead-man switch is the venue\'s own: with every worker of ours dead, silence cancels what is open', async () => {
  const before = await count();
  const { id } = await client().untilState((await passes()).id, 'WORKING');
  await hl.killWorkers();
  const cancels = await hl.posted('cancelByCloid');
  const { status, body } = await client().call<{ venue: { supported: boolean; armed: boolean } }>('POST', '/api/v1/heartbeat', { accountId: hl.accountId, timeoutMs: 6_000 });
  expect([status, body.venue]).toMatchObject([200, { supported: true, armed: true }]);
  await client().until('the venue to cancel it', async () => ((await hl.atVenue())[before]?.status === 'canceled' ? true : null));
  expect(await hl.posted('cancelByCloid')).toBe(cancels);
  await hl.startWorkers();
  await client().untilState(id, 'CANCELED');
  await hl.settled();
}, 120_000);

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
