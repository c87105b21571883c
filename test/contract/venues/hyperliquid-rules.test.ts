/** What the simulated Hyperliquid refuses, each sentence by its real cause; spoken to as a stranger's program would. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startPaperSimulator, type StartedSimulator } from '../../../src/simulator';
import { addressOf } from '../../../src/venues/ecdsa';
import { SimulatorControl } from '../../support/simulator-control';
import { freshNonce, postTo, sendAction, type Sent } from './hyperliquid-caller';

const DAY_MS = 24 * 60 * 60 * 1000;
const PRICE = 97_000;

let simulator: StartedSimulator;
let sim: SimulatorControl;
let user: string;
let key: Buffer;
beforeAll(async () => {
  simulator = await startPaperSimulator({ venue: 'hyperliquid', weightPerMinute: 1_000_000, switchVolume: 1_000_000, tickMs: 0 });
  sim = new SimulatorControl(simulator.url);
});
afterAll(() => simulator.close());
beforeEach(async () => {
  await sim.call('POST', '/__sim/prices', { symbol: 'BTC', price: String(PRICE) });
  user = `0x${randomBytes(20).toString('hex')}`;
  key = randomBytes(32);
  await sim.call('POST', '/__sim/accounts', { account: user, key: addressOf(key), collateral: '100000' });
});

/** The whole answer to a signed action: `err` with its sentence, or the statuses. */
async function act(action: object, sent: Sent = {}): Promise<unknown> {
  const { status, text } = await sendAction(simulator.url, key, action, sent);
  if (status !== 200) return { http: status, text };
  const answer = JSON.parse(text) as { status: string; response: string | { data?: { statuses: unknown[] } } };
  return typeof answer.response === 'string' ? answer.response : (answer.response.data?.statuses ?? 'done');
}

interface Wire {
  readonly a?: number;
  readonly b?: boolean;
  readonly p?: string;
  readonly s?: string;
  readonly r?: boolean;
  readonly t?: object;
  readonly c?: string;
}
const LIMIT = (tif: string): object => ({ limit: { tif } });
const TRIGGER = (triggerPx: string, tpsl: 'tp' | 'sl'): object => ({ trigger: { isMarket: true, triggerPx, tpsl } });
const wire = ({ a = 0, b = true, p = '90000', s = '0.01', r = false, t = LIMIT('Gtc'), c }: Wire = {}): object => ({ a, b, p, s, r, t, ...(c === undefined ? {} : { c }) });
const place = (orders: readonly Wire[], grouping = 'na', sent: Sent = {}): Promise<unknown> => act({ type: 'order', orders: orders.map(wire), grouping }, sent);
const info = async <T>(request: object): Promise<T> => JSON.parse((await postTo(simulator.url, '/info', { user, ...request })).text) as T;
const openSizes = async (): Promise<string[]> => (await info<{ sz: string }[]>({ type: 'openOrders' })).map(({ sz }) => sz);
const oidOf = (answer: unknown): number => (answer as { resting: { oid: number } }[])[0]?.resting.oid ?? 0;

describe('an order', () => {
  test.each<[string, Wire, string]>([
    ['of six significant figures', { a: 1, p: '3000.12', s: '1' }, 'Order has invalid price.'],
    ['off the lot', { s: '0.000001' }, 'Order has invalid size.'],
    ['of nothing', { s: '0' }, 'Order has zero size.'],
    ['far from the mark', { p: '10000' }, 'Order price cannot be more than 80% away from the reference price'],
    ['below the minimum', { s: '0.0001' }, 'Order must have minimum value of $10. asset=0'],
    ['without the margin', { s: '500' }, 'Insufficient margin to place order. asset=0'],
    ['with nothing to reduce', { b: false, p: '98000', r: true }, 'Reduce only order would increase position. asset=0'],
    ['immediate, with nothing to match', { p: '90000', t: LIMIT('Ioc') }, 'Order could not immediately match against any resting orders. asset=0'],
    ['whose trigger was reached already', { b: false, r: false, p: '90000', t: TRIGGER('98000', 'sl') }, 'Invalid TP/SL price. asset=0'],
  ])('%s', async (_what, order, words) => {
    expect(await place([order])).toEqual([{ error: words }]);
  });

  test('of few figures and more decimals than its market has is off the tick', async () => {
    await sim.call('POST', '/__sim/prices', { symbol: 'ETH', price: '5' });
    expect(await place([{ a: 1, p: '4.999', s: '10' }])).toEqual([{ error: 'Price must be divisible by tick size. asset=1' }]);
  });

  test('post-only that would match is told both best prices', async () => {
    const [status] = (await place([{ p: '98000', t: LIMIT('Alo') }])) as [{ error: string }];
    expect(status.error).toMatch(/^Post only order would have immediately matched, bbo was \d+(\.\d+)?@\d+(\.\d+)?\. asset=0$/);
  });

  test.each<[string, object]>([
    ['a client id that is no 16 bytes', wire({ c: '0x01' })],
    ['a price as a number', { ...wire(), p: 90_000 }],
    ['no time in force', wire({ t: { limit: { tif: 'Fok' } } })],
  ])('%s is no order to the venue: 422', async (_what, order) => {
    expect(await act({ type: 'order', orders: [order], grouping: 'na' })).toEqual({ http: 422, text: 'Failed to deserialize the JSON body into the target type' });
  });

  test('one client id may name a second order, and names it from then on', async () => {
    const c = `0x${randomBytes(16).toString('hex')}`;
    await place([{ c, p: '90000' }]);
    const second = oidOf(await place([{ c, p: '90001' }]));
    expect(await info({ type: 'orderStatus', oid: c })).toMatchObject({ order: { order: { oid: second } } });
  });
});

describe('a list', () => {
  test('of which the text of one cannot be is refused by one sentence, and nothing of it is placed', async () => {
    expect(await place([{}, { s: '0.000001' }, {}])).toEqual([{ error: 'Order has invalid size.' }]);
    expect(await place([])).toEqual([{ error: 'Orders are empty.' }]);
    expect(await openSizes()).toEqual([]);
  });

  test('is otherwise judged order by order', async () => {
    expect(await place([{}, { s: '500' }])).toEqual([{ resting: { oid: expect.any(Number) as unknown } }, { error: 'Insufficient margin to place order. asset=0' }]);
  });

  test.each<[string, Wire[], string, string]>([
    ['whose entry is a trigger', [{ b: false, p: '90000', t: TRIGGER('90000', 'sl') }, { b: false, r: true, p: '90000', t: TRIGGER('90000', 'sl') }], 'normalTpsl', 'Main order cannot be trigger order.'],
    ['of an entry alone', [{}], 'normalTpsl', 'Unexpected number of trigger orders'],
    ['of a position, with an order that is no trigger', [{}], 'positionTpsl', 'Unexpected number of trigger orders'],
    ['with an exit that is not reduce-only', [{}, { b: false, p: '90000', t: TRIGGER('90000', 'sl') }], 'normalTpsl', 'TP/SL orders must be reduce only.'],
  ])('a group %s', async (_what, orders, grouping, words) => {
    expect(await place(orders, grouping)).toEqual([{ error: words }]);
    expect(await openSizes()).toEqual([]);
  });
});

describe('reduce-only', () => {
  const held = (s: string): Promise<unknown> => place([{ p: '98000', s, t: LIMIT('Ioc') }]);

  test('for more than the position fills as much as there is', async () => {
    await held('0.01');
    expect(await place([{ b: false, p: '96000', s: '0.03', r: true, t: LIMIT('Ioc') }])).toEqual([{ filled: expect.objectContaining({ totalSz: '0.01' }) as unknown }]);
    expect(await info({ type: 'clearinghouseState' })).toMatchObject({ assetPositions: [] });
  });

  test('two that rest for more than the position together are one: the earlier is canceled', async () => {
    await held('0.01');
    const first = oidOf(await place([{ b: false, p: '99000', s: '0.01', r: true }]));
    await place([{ b: false, p: '99500', s: '0.006', r: true }]);
    expect([await openSizes(), await info({ type: 'orderStatus', oid: first })]).toMatchObject([['0.006'], { order: { status: 'reduceOnlyCanceled' } }]);
  });
});

describe('an amendment', () => {
  const modify = (oid: number, order: Wire, type: 'modify' | 'batchModify' = 'batchModify'): Promise<unknown> => act(type === 'modify' ? { type, oid, order: wire(order) } : { type, modifies: [{ oid, order: wire(order) }] });

  test.each<[string, Wire]>([
    ['of a post-only order into the other side', { p: '98000', t: LIMIT('Alo') }],
    ['that changes the side as well', { b: false, p: '90000', t: LIMIT('Alo') }],
  ])('%s cancels the order and places none', async (_what, order) => {
    const oid = oidOf(await place([{ t: LIMIT('Alo') }]));
    expect(await modify(oid, order)).toEqual([{ error: expect.stringMatching(/^Error placing new order during modify: Post only order would have immediately matched, bbo was /) as unknown }]);
    expect([await openSizes(), await info({ type: 'orderStatus', oid })]).toMatchObject([[], { order: { status: 'canceled' } }]);
    expect(await modify(oid, {})).toEqual([{ error: 'Cannot modify canceled or filled order' }]);
  });

  test('whose text cannot be leaves the order as it is', async () => {
    const oid = oidOf(await place([{}]));
    expect([await modify(oid, { p: '1' }), await modify(oid, { s: '0' }, 'modify')]).toEqual([[{ error: 'Order price cannot be more than 80% away from the reference price' }], 'Order has zero size.']);
    expect(await openSizes()).toEqual(['0.01']);
  });

  test('of one order alone says its refusal of the whole request', async () => {
    const oid = oidOf(await place([{}]));
    expect(await modify(oid, { p: '98000', t: LIMIT('Alo') }, 'modify')).toMatch(/^Error placing new order during modify: Post only/);
    expect(await modify(oidOf(await place([{}])), { p: '90001' }, 'modify')).toBe('done');
  });
});

describe('who signs, and when', () => {
  const noop = (sent: Sent = {}): Promise<unknown> => act({ type: 'noop' }, sent);
  const stranger = /^User or API Wallet 0x[0-9a-f]{40} does not exist\.$/;

  test('a changed action, a nonce that was not signed and the other network are somebody nobody knows', async () => {
    expect(await act({ type: 'order', orders: [wire()], grouping: 'na' }, { forged: { type: 'order', orders: [wire({ s: '0.02' })], grouping: 'na' } })).toMatch(stranger);
    expect(await noop({ network: 'mainnet' })).toMatch(stranger);
    key = randomBytes(32);
    expect(await noop()).toBe(`User or API Wallet ${addressOf(key)} does not exist.`);
  });

  test('a vault that the user does not lead', async () => {
    const vaultAddress = `0x${'de'.repeat(20)}` as const;
    expect(await noop({ vaultAddress })).toBe(`Vault not registered: ${vaultAddress}`);
  });

  test('an action after its time has used its nonce up, and five requests', async () => {
    const nonce = freshNonce();
    const used = async (): Promise<number> => (await info<{ nRequestsUsed: number }>({ type: 'userRateLimit' })).nRequestsUsed;
    const before = await used();
    expect(await noop({ nonce, expiresAfter: Date.now() - 1_000 })).toBe('Action already expired');
    expect((await used()) - before).toBe(5);
    expect(await noop({ nonce, expiresAfter: Date.now() - 1_000 })).toBe(`Invalid nonce: duplicate nonce ${nonce}`);
  });

  test('a nonce serves once, below the venue\'s clock by less than two days and above it by less than one', async () => {
    const nonce = freshNonce();
    expect([await noop({ nonce }), await noop({ nonce })]).toEqual(['done', `Invalid nonce: duplicate nonce ${nonce}`]);
    expect(await noop({ nonce: Date.now() - 2 * DAY_MS - 1 })).toMatch(/^Invalid nonce: nonce too low \d+ < \d+$/);
    expect(await noop({ nonce: Date.now() + DAY_MS + 60_000 })).toMatch(/^Invalid nonce: nonce too high \d+ > \d+$/);
    expect([await noop({ nonce: Date.now() - 2 * DAY_MS + 60_000 }), await noop({ nonce: Date.now() + DAY_MS - 60_000 })]).toEqual(['done', 'done']);
  });

  test('of a hundred nonces and more, one below the lowest of the hundred highest is too low, and one between them is taken', async () => {
    const base = Date.now() - 10_000_000;
    for (let index = 0; index < 100; index += 1) expect(await noop({ nonce: base + 2 * index })).toBe('done');
    // The lowest of them is still in: what is below it is not, what is between is.
    expect(await noop({ nonce: base - 1 })).toBe(`Invalid nonce: nonce too low ${base - 1} < ${base}`);
    expect(await noop({ nonce: base + 1 })).toBe('done');
    // That one pushed the lowest out: it is unused by the venue's memory, and too low by its rule.
    expect(await noop({ nonce: base })).toBe(`Invalid nonce: nonce too low ${base} < ${base + 1}`);
    expect(await noop({ nonce: base + 2 })).toBe(`Invalid nonce: duplicate nonce ${base + 2}`);
    expect(await noop({ nonce: base + 3 })).toBe('done');
  });

  test('an agent\'s nonces are its own', async () => {
    const nonce = freshNonce();
    const other = randomBytes(32);
    await noop({ nonce });
    await sim.call('POST', '/__sim/accounts', { account: user, key: addressOf(other) });
    key = other;
    expect(await noop({ nonce })).toBe('done');
  });
});

describe('an account', () => {
  test('needs a traded volume for a dead-man switch', async () => {
    expect(await act({ type: 'scheduleCancel', time: Date.now() + 60_000 })).toBe('Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $0.00.');
    expect(await act({ type: 'scheduleCancel' })).toBe('done');
  });

  test('moves margin of isolated positions only, and does not change their kind while they are held', async () => {
    await place([{ p: '98000', t: LIMIT('Ioc') }]);
    expect(await act({ type: 'updateIsolatedMargin', asset: 0, isBuy: true, ntli: 1_000_000 })).toBe('Position does not use isolated margin.');
    expect(await act({ type: 'updateLeverage', asset: 0, isCross: false, leverage: 5 })).toBe('Cannot switch leverage type with open position.');
  });

  test('with a thousand open orders may place one more, but no exit and no trigger', async () => {
    const hundred = Array.from({ length: 100 }, () => ({ p: '90000', s: '0.0002' }));
    for (let index = 0; index < 10; index += 1) await place(hundred);
    expect(await place([{ b: false, r: false, p: '80000', t: TRIGGER('80000', 'sl') }])).toEqual([{ error: 'Too many open orders. asset=0' }]);
    expect(await place([{ s: '0.0002' }])).toEqual([{ resting: { oid: expect.any(Number) as unknown } }]);
  });

  test('that has made its ten thousand requests is let in once in ten seconds; its cancels go on', async () => {
    const hundred = Array.from({ length: 100 }, (_, o) => ({ a: 0, o }));
    const missing = { error: 'Order was never placed, already canceled, or filled. asset=0' };
    const oid = oidOf(await place([{}]));
    for (let index = 0; index < 100; index += 1) expect(await act({ type: 'cancel', cancels: hundred })).toContainEqual(missing);
    expect(await place([{}])).toMatch(/^Too many cumulative requests sent \(10002 > 10000\) for cumulative volume traded \$0\.00\. Place taker orders to free up 1 request per USDC traded\.$/);
    expect(await act({ type: 'cancel', cancels: [{ a: 0, o: oid }] })).toEqual(['success']);
  });
});
