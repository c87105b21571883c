/** S25, S26 and S16 of strategies: over pauses, deploys, crashes, lost answers and a venue that is away; the kill switch over venues that limit and are away, and restarts. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { settledAndBalanced } from '../support/afterwards';
import { startStack, type Stack, WIDE_LIMITS } from '../support/stack';
import { SimulatorControl } from '../support/simulator-control';

interface ApiStrategy {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly revision: number;
  readonly filledQuantity: string;
}

interface ApiKillSwitch {
  readonly id: string;
  readonly confirmed: boolean;
  readonly venues: readonly { readonly venue: string; readonly state: string; readonly reason: string | null }[];
}

/** Longer than any run: they are lifted by hand. */
const HIDDEN_MS = 600_000;
const UNTIL_LIFTED = 1_000_000;

let stack: Stack;
/** A second venue, and an account on it. */
let other: SimulatorControl;
let otherAccount: string;
beforeAll(async () => {
  stack = await startStack({ moreVenues: ['other'] });
  // Its price moves nowhere by itself here: what fills is ours to say.
  await stack.sim.price('BTC-PERP', '50000');
  other = new SimulatorControl(stack.simulators.get('other')?.url ?? '');
  await other.price('BTC-PERP', '50000');
  otherAccount = (await stack.client.call<{ id: string }>('POST', '/api/v1/accounts', { name: 'elsewhere', venue: 'other', credentials: { key: 'elsewhere' }, limits: WIDE_LIMITS })).body.id;
  await stack.client.balanceKnown(otherAccount);
}, 180_000);
afterAll(async () => {
  await stack.stop();
});

const create = (clientStrategyId: string, body: object) => stack.client.call<ApiStrategy>('POST', '/api/v1/strategies', { accountId: stack.accountId, clientStrategyId, symbol: 'BTC-PERP', side: 'buy', ...body });
const strategy = async (id: string): Promise<ApiStrategy> => (await stack.client.call<ApiStrategy>('GET', `/api/v1/strategies/${id}`)).body;
const until = (id: string, what: string, holds: (strategy: ApiStrategy) => boolean): Promise<ApiStrategy> =>
  stack.client.until(`the strategy to be ${what}`, async () => {
    const now = await strategy(id);
    return holds(now) ? now : null;
  });
const legs = async (id: string) => (await stack.client.call<{ children: { orderId: string; leg: string; state: string; filledQuantity: string }[] }>('GET', `/api/v1/strategies/${id}/timeline`)).body.children;

test('a TWAP paused at 40 % survives a deploy, takes an edit only with the right revision, and comes to its quantity exactly', async () => {
  const made = await create('twap', { type: 'twap', quantity: '0.05', parameters: { durationMs: 10_000, slices: 5, slippageBps: 500 } });
  expect(made.status).toBe(201);
  const { id } = made.body;
  await until(id, '40 % filled', ({ filledQuantity }) => Number(filledQuantity) >= 0.02);
  const paused = (await stack.client.call<ApiStrategy>('POST', `/api/v1/strategies/${id}/pause`)).body;
  expect(paused.state).toBe('PAUSED');
  await stack.worker.restart();
  const before = (await legs(id)).length;
  const edit = (revision: number) => stack.client.call<ApiStrategy>('PATCH', `/api/v1/strategies/${id}`, { parameters: { catchUp: 'next' } }, { 'if-match': String(revision) });
  expect((await edit(paused.revision - 1)).status).toBe(409);
  const edited = await edit(paused.revision);
  expect([edited.status, edited.body.state]).toEqual([200, 'PAUSED']);
  expect((await legs(id)).length).toBe(before);
  expect((await stack.client.call('POST', `/api/v1/strategies/${id}/resume`)).status).toBe(200);
  const ended = await until(id, 'completed', ({ state }) => state === 'COMPLETED');
  expect([ended.filledQuantity, ended.reason]).toEqual(['0.05', null]);
  const children = await legs(id);
  const ours = new Set((await Promise.all(children.map(({ orderId }) => stack.client.order(orderId)))).map((order) => order.venueOrderId));
  const atVenue = (await stack.sim.orders()).filter((order) => ours.has(order.orderId));
  expect(atVenue.reduce((total, order) => total + Math.round(Number(order.filledQuantity) * 1e6), 0)).toBe(50_000);
  await settledAndBalanced(stack);
}, 120_000);

test('a worker killed between a chase\'s cancel and its next order never leaves two live ones', async () => {
  const made = await create('chase', { type: 'chase', quantity: '0.03', parameters: { timeoutMs: 600_000, repriceMs: 500, distance: '500' } });
  const { id } = made.body;
  const liveOf = async (): Promise<number> => (await stack.sim.orders()).filter((order) => order.status === 'open').length;
  await stack.client.until('the chase to rest', async () => ((await liveOf()) === 1 ? true : null));
  const first = (await legs(id)).length;
  // The venue has taken the cancel, and its answer is on its way, when the worker dies.
  const held = await stack.sim.fault({ kind: 'hold', count: 1, match: { method: 'POST', path: '/orders/cancel' } });
  await stack.sim.price('BTC-PERP', '51000');
  await stack.sim.met(held);
  await stack.worker.kill();
  await stack.sim.release(held);
  expect(await liveOf()).toBeLessThanOrEqual(1);
  await stack.worker.start();
  await stack.client.until('the chase to rest anew', async () => {
    const live = await liveOf();
    expect(live).toBeLessThanOrEqual(1);
    return live === 1 && (await legs(id)).length > first ? true : null;
  });
  expect((await stack.client.call('DELETE', `/api/v1/strategies/${id}`)).status).toBe(202);
  await until(id, 'canceled', ({ state }) => state === 'CANCELED');
  expect(await liveOf()).toBe(0);
  await settledAndBalanced(stack);
}, 120_000);

test.each(['/orders/cancel', '/orders'])('S16: the answer to a half of a chase\'s replacement is lost (%s): there are never two live orders, and it rests anew', async (path) => {
  const { sim, client } = stack;
  await sim.price('BTC-PERP', '50000');
  const { id } = (await create(`lost${path.replaceAll('/', '-')}`, { type: 'chase', quantity: '0.03', parameters: { timeoutMs: 600_000, repriceMs: 500, distance: '500' } })).body;
  const live = async () => {
    const open = (await sim.orders()).filter(({ status }) => status === 'open');
    expect(open.length).toBeLessThanOrEqual(1);
    return open;
  };
  await client.until('the chase to rest', async () => ((await live()).length === 1 ? true : null));
  const before = (await legs(id)).length;
  const lost = await sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path } });
  await sim.price('BTC-PERP', '51000');
  await sim.met(lost);
  await client.until('the chase to rest near the new price', async () => (Number((await live())[0]?.price ?? 0) > 50_000 && (await legs(id)).length > before ? true : null));
  const remaining = (await live())[0]?.quantity;
  expect([remaining, (await strategy(id)).filledQuantity]).toEqual(['0.03', '0']);
  await client.call('DELETE', `/api/v1/strategies/${id}`);
  await until(id, 'canceled', ({ state }) => state === 'CANCELED');
  expect(await live()).toEqual([]);
  await settledAndBalanced(stack);
}, 120_000);

test('a venue that is away pauses a TWAP there as PAUSED_VENUE_DOWN; once it is back it goes on with the remainder, exactly', async () => {
  const { client } = stack;
  const { id } = (await create('away', { accountId: otherAccount, type: 'twap', quantity: '0.04', parameters: { durationMs: 600_000, slices: 4, slippageBps: 500 } })).body;
  await until(id, 'a quarter filled', ({ filledQuantity }) => filledQuantity === '0.01');
  await other.listen(false);
  // Its next slice is minutes away; its owner wants it sooner, and the venue is not there.
  await client.until('the edit', async () => {
    const { revision } = await strategy(id);
    return (await client.call('PATCH', `/api/v1/strategies/${id}`, { parameters: { durationMs: 4_000 } }, { 'if-match': String(revision) })).status === 200 ? true : null;
  });
  const down = await until(id, 'paused by its venue', ({ state }) => state === 'PAUSED_VENUE_DOWN');
  expect([down.filledQuantity, down.reason]).toEqual(['0.01', expect.stringMatching(/no fresh price|did not reach the venue/)]);
  await other.listen(true);
  const ended = await until(id, 'completed', ({ state }) => state === 'COMPLETED');
  const bought = (await other.orders()).reduce((total, { side, filledQuantity }) => total + (side === 'buy' ? Math.round(Number(filledQuantity) * 1e6) : 0), 0);
  expect([ended.filledQuantity, bought]).toEqual(['0.04', 40_000]);
}, 120_000);

test('silence cancels: by our timer, and by the venue\'s own switch while we are dead', async () => {
  const { client, sim, worker } = stack;
  const guarded = async (clientOrderId: string) => (await client.place({ accountId: stack.accountId, clientOrderId, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' })).body;
  const beat = async (timeoutMs: number) => (await client.call<{ venue: { supported: boolean; armed: boolean } }>('POST', '/api/v1/heartbeat', { accountId: stack.accountId, timeoutMs })).body.venue;
  const first = await guarded('guarded');
  expect(await beat(1_500)).toMatchObject({ supported: true, armed: true });
  expect((await client.untilState(first.id, 'CANCELED')).filledQuantity).toBe('0');
  // Heard of again: until then what is open goes on being canceled.
  await beat(600_000);
  const second = await guarded('guarded-by-the-venue');
  await client.untilState(second.id, 'WORKING');
  await worker.kill();
  expect(await beat(1_500)).toMatchObject({ armed: true });
  await client.until('the venue to cancel it', async () => ((await sim.orders()).every(({ status }) => status !== 'open') ? true : null));
  await worker.start();
  await client.untilState(second.id, 'CANCELED');
}, 120_000);

test('the kill switch ends flat where the venue answers and says why where it does not; entries stay blocked over restarts until a person releases', async () => {
  const { client, sim } = stack;
  await sim.price('BTC-PERP', '50000');
  const held = await client.place({ accountId: stack.accountId, clientOrderId: 'held', symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity: '0.02' });
  await client.untilState(held.body.id, 'FILLED');
  const elsewhere = await client.place({ accountId: otherAccount, clientOrderId: 'elsewhere', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.02', limitPrice: '1000' });
  await client.untilState(elsewhere.body.id, 'WORKING');
  const resting = await client.place({ accountId: stack.accountId, clientOrderId: 'resting', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
  await client.untilState(resting.body.id, 'WORKING');
  const twap = (await create('running', { type: 'twap', quantity: '0.5', parameters: { durationMs: 600_000, slices: 10 } })).body;
  await until(twap.id, 'a tenth filled', ({ state, filledQuantity }) => state === 'RUNNING' && filledQuantity === '0.05');
  // The answer is lost and the order shown nowhere: UNKNOWN. Then that venue answers 429 to everything, and the other one is away.
  await sim.fault({ kind: 'hide', count: 1, durationMs: HIDDEN_MS });
  await sim.fault({ kind: 'stallStream', durationMs: HIDDEN_MS });
  await sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
  const unknown = await client.place({ accountId: stack.accountId, clientOrderId: 'unknown', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1001' }, {}, '?timeoutMs=0');
  await client.untilState(unknown.body.id, 'UNKNOWN');
  await sim.fault({ kind: 'rateLimit', count: UNTIL_LIFTED, retryAfterSeconds: 1 });
  await other.listen(false);

  const latched = await client.call<ApiKillSwitch>('POST', '/api/v1/kill-switch', { scope: 'all', mode: 'flatten', reason: 'S26' });
  expect(latched.status).toBe(201);
  const { id } = latched.body;
  const read = async (): Promise<ApiKillSwitch> => (await client.call<ApiKillSwitch>('GET', `/api/v1/kill-switch/${id}`)).body;
  const at = async (venue: string) => (await read()).venues.find((each) => each.venue === venue);
  const entry = (n: number) => client.place({ accountId: stack.accountId, clientOrderId: `blocked-${n}`, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
  const says = async () => {
    // Its exits may be among the open ones.
    expect(await at('paper')).toMatchObject({ state: 'FLATTENING', reason: expect.stringMatching(/orders are open, of \d the outcome is unknown.* BTC-PERP is held/) });
    expect(await at('other')).toMatchObject({ state: 'FLATTENING', reason: expect.stringMatching(/orders are open.* BTC-PERP is held/) });
  };
  expect((await entry(1)).body.error.code).toBe('RISK_ACCOUNT_HALTED');
  await until(twap.id, 'canceled', ({ state }) => state === 'CANCELED');
  await says();
  await Promise.all([stack.api.restart(), stack.worker.restart()]);
  expect((await entry(2)).body.error.code).toBe('RISK_ACCOUNT_HALTED');
  await says();

  const hidden = (await sim.orders()).find(({ price, status }) => price === '1001' && status === 'open');
  await sim.clearFaults();
  await sim.fault({ kind: 'hide', clientId: hidden?.clientId, durationMs: 0 });
  await client.until('one venue to be flat', async () => ((await at('paper'))?.state === 'FLAT_CONFIRMED' ? true : null));
  for (const order of [resting, unknown]) expect((await client.order(order.body.id)).state).toBe('CANCELED');
  expect([(await at('other'))?.state, (await read()).confirmed]).toEqual(['FLATTENING', false]);
  const ofOurs = async () => (await sim.orders()).filter(({ account }) => account === hidden?.account);
  expect((await ofOurs()).filter(({ status }) => status === 'open')).toEqual([]);

  // A fill that nobody here asked for takes it back, and is closed.
  const closed = (await ofOurs()).filter(({ side }) => side === 'sell').length;
  await sim.call('POST', '/__sim/external-order', { account: hidden?.account, clientId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'market', timeInForce: 'IOC', quantity: '0.01' });
  await client.until('the late fill to be closed', async () => ((await ofOurs()).filter(({ side }) => side === 'sell').slice(closed).some(({ filledQuantity }) => filledQuantity === '0.01') ? true : null));
  await client.until('the venue to be flat again', async () => ((await at('paper'))?.state === 'FLAT_CONFIRMED' ? true : null));
  const net = (await ofOurs()).reduce((total, { side, filledQuantity }) => total + (side === 'buy' ? 1 : -1) * Math.round(Number(filledQuantity) * 1e6), 0);
  expect(net).toBe(0);

  await other.listen(true);
  await client.until('every venue to be flat', async () => ((await read()).confirmed ? true : null));
  expect((await client.call('PATCH', `/api/v1/accounts/${stack.accountId}`, { status: 'ACTIVE' })).status).toBe(409);
  expect((await client.call('POST', `/api/v1/kill-switch/${id}/release`, {})).status).toBe(200);
  const after = await entry(3);
  await client.untilState(after.body.id, 'WORKING');
  await client.call('DELETE', `/api/v1/orders/${after.body.id}`);
  await client.untilState(after.body.id, 'CANCELED');
  await settledAndBalanced(stack);
}, 180_000);
