/** Hyperliquid limits, fails or is away, and a dex is traded without client ids. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiOrder } from '../support/api-client';
import { startHyperliquidStack, type HyperliquidStack } from '../support/hyperliquid-stack';

const ORDER = { path: '/exchange/order' } as const;
const PRICE = 97_000;
/** An action expires ten seconds after it was signed. */
const LONGER_THAN_BYTES_LIVE_S = 12;
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

const passes = (change: Readonly<Record<string, unknown>> = {}): Promise<ApiOrder> => hl.passes(PRICE, change);

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

  test('a stop that the venue holds back for longer than its bytes live there goes out anew, once', async () => {
    const entry = await passes({ limitPrice: '98000', timeInForce: 'IOC', quantity: '0.01' });
    await client().untilState(entry.id, 'FILLED');
    const stop = await hl.placed({ side: 'sell', type: 'stopMarket', limitPrice: undefined, quantity: '0.01', triggerPrice: '96000', triggerPriceType: 'mark', execution: 'durable', reduceOnly: true });
    const before = await count();
    const limited = await hl.sim.fault({ kind: 'rateLimit', count: 1, retryAfterSeconds: LONGER_THAN_BYTES_LIVE_S, match: ORDER });
    await hl.sim.price('BTC', '95900');
    await hl.sim.met(limited);
    await client().untilState(stop.id, 'FILLED');
    expect((await count()) - before).toBe(1);
    await hl.sim.price('BTC', String(PRICE));
    await hl.settled();
  }, 180_000);

  test('a stop that the venue\'s gateway fails for longer than its bytes live goes out anew as soon as their nonce is used up, once', async () => {
    const entry = await passes({ limitPrice: '98000', timeInForce: 'IOC', quantity: '0.01' });
    await client().untilState(entry.id, 'FILLED');
    const stop = await hl.placed({ side: 'sell', type: 'stopMarket', limitPrice: undefined, quantity: '0.01', triggerPrice: '96000', triggerPriceType: 'mark', execution: 'durable', reduceOnly: true });
    const [before, noops] = [await count(), await hl.posted('noop')];
    const failing = await hl.sim.fault({ kind: 'refuse', code: 'BAD_GATEWAY', message: 'bad gateway', status: 502, count: 10_000, match: ORDER });
    await hl.sim.price('BTC', '95900');
    await hl.sim.met(failing);
    await client().until('the nonce of its bytes to be used up', async () => ((await hl.posted('noop')) > noops ? true : null));
    await hl.sim.clearFaults();
    await client().untilState(stop.id, 'FILLED');
    expect((await count()) - before).toBe(1);
    await hl.sim.price('BTC', String(PRICE));
    await hl.settled();
  }, 180_000);

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
