/** S25 and S26: strategies over pauses, deploys and crashes; the kill switch over venues that limit, are away, and restarts. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ moreVenues: ['other'] });
  // Its price moves nowhere by itself here: what fills is ours to say.
  await stack.sim.price('BTC-PERP', '50000');
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

test('silence cancels: the dead-man switch fires once no heartbeat comes', async () => {
  const placed = await stack.client.place({ accountId: stack.accountId, clientOrderId: 'guarded', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
  const beat = await stack.client.call<{ expiresAt: string; venue: { supported: boolean } }>('POST', '/api/v1/heartbeat', { accountId: stack.accountId, timeoutMs: 1_500 });
  expect(beat.status).toBe(200);
  const order = await stack.client.untilState(placed.body.id, 'CANCELED');
  expect(order.filledQuantity).toBe('0');
}, 120_000);

test('the kill switch ends flat where the venue answers and says why where it does not; entries stay blocked over restarts until a person releases', async () => {
  const { client } = stack;
  const otherAccount = (await client.call<{ id: string }>('POST', '/api/v1/accounts', { name: 'elsewhere', venue: 'other', credentials: { key: 'elsewhere' }, limits: WIDE_LIMITS })).body.id;
  await client.balanceKnown(otherAccount);
  const other = new SimulatorControl(stack.simulators.get('other')?.url ?? '');
  await other.price('BTC-PERP', '50000');
  const held = await client.place({ accountId: stack.accountId, clientOrderId: 'held', symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity: '0.02' });
  await client.untilState(held.body.id, 'FILLED');
  const elsewhere = await client.place({ accountId: otherAccount, clientOrderId: 'elsewhere', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.02', limitPrice: '1000' });
  await client.untilState(elsewhere.body.id, 'WORKING');
  const resting = await client.place({ accountId: stack.accountId, clientOrderId: 'resting', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
  await client.untilState(resting.body.id, 'WORKING');
  const twap = (await create('running', { type: 'twap', quantity: '0.5', parameters: { durationMs: 600_000, slices: 10 } })).body;
  await until(twap.id, 'running', ({ state }) => state === 'RUNNING');
  // The answer is lost and the order is hidden: UNKNOWN. And one venue is away, the other limits us.
  await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
  const unknown = await client.place({ accountId: stack.accountId, clientOrderId: 'unknown', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1001' }, {}, '?timeoutMs=0');
  await stack.sim.fault({ kind: 'rateLimit', count: 1, retryAfterSeconds: 2, match: { path: '/orders/cancel' } });
  await other.listen(false, 15_000);
  const latched = await client.call<ApiKillSwitch>('POST', '/api/v1/kill-switch', { scope: 'all', mode: 'flatten', reason: 'S26' });
  expect(latched.status).toBe(201);
  const { id } = latched.body;
  const read = async (): Promise<ApiKillSwitch> => (await client.call<ApiKillSwitch>('GET', `/api/v1/kill-switch/${id}`)).body;
  const entry = (n: number) => client.place({ accountId: stack.accountId, clientOrderId: `blocked-${n}`, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
  expect((await entry(1)).body.error.code).toBe('RISK_ACCOUNT_HALTED');
  const half = await client.until('one venue to be flat', async () => {
    const now = await read();
    return now.venues.find(({ venue }) => venue === 'paper')?.state === 'FLAT_CONFIRMED' ? now : null;
  });
  const away = half.venues.find(({ venue }) => venue === 'other');
  if (away?.state !== 'FLAT_CONFIRMED') {
    expect(away?.state).toBe('FLATTENING');
    expect(away?.reason).toMatch(/open|read/);
  }
  for (const order of [resting, unknown]) expect(['CANCELED', 'REJECTED']).toContain((await client.order(order.body.id)).state);
  expect((await strategy(twap.id)).state).toBe('CANCELED');
  expect((await stack.sim.orders()).filter((order) => order.status === 'open')).toEqual([]);
  await Promise.all([stack.api.restart(), stack.worker.restart()]);
  expect((await entry(2)).body.error.code).toBe('RISK_ACCOUNT_HALTED');
  await client.until('every venue to be flat', async () => ((await read()).confirmed ? true : null));
  expect((await client.call('PATCH', `/api/v1/accounts/${stack.accountId}`, { status: 'ACTIVE' })).status).toBe(409);
  expect((await client.call('POST', `/api/v1/kill-switch/${id}/release`, {})).status).toBe(200);
  const after = await entry(3);
  await client.untilState(after.body.id, 'WORKING');
  await client.call('DELETE', `/api/v1/orders/${after.body.id}`);
  await client.untilState(after.body.id, 'CANCELED');
}, 180_000);
