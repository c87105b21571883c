/** Protection of positions in a real database: what is shown, what is remembered, and who is told when. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account } from '../../../src/domain/account';
import { UNCONDITIONAL, type OrderIntent } from '../../../src/domain/order';
import { legTrigger, legTriggerId, NEW_LEG, type LegTerms, type OrderListLeg } from '../../../src/domain/order-list';
import { EpochLost, type WriterEpoch } from '../../../src/domain/order-store';
import type { ShownPosition } from '../../../src/domain/protection';
import { fillOf, intentFor, openStoreWorld, OWNER, seen, signingVenue, SYMBOL, VENUE_SYMBOL, viewOf, type StoreWorld } from './harness';

const ALERT_MS = 30_000;

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld([signingVenue('other')]);
});
afterAll(() => world.close());

async function holding(quantity: string): Promise<{ account: Account; writer: WriterEpoch; entry: OrderIntent }> {
  const account = await world.newAccount();
  const writer = await world.store.watching.takeEpoch(`account/${account.id}`, 'test');
  const entry = intentFor(account, { quantity: '20' });
  await world.store.placing.recordOrders([entry], OWNER);
  await world.store.watching.applyFills(writer, account.id, [fillOf(entry, { quantity, atMs: world.clock.nowMs() })]);
  return { account, writer, entry };
}

async function armed(account: Account, quantity: string): Promise<OrderIntent> {
  const stop = intentFor(account, { side: 'sell', type: 'stopMarket', limitPrice: null, quantity, reduceOnly: true, condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.8', triggerPriceType: 'mark', gapPolicy: 'traded' } });
  await world.store.placing.recordOrders([stop], OWNER);
  return stop;
}

async function shown(account: Account): Promise<ShownPosition | undefined> {
  return (await world.store.positions.list({ userId: account.userId, accountId: account.id, symbol: SYMBOL, venue: null, status: 'all', cursor: null, limit: 10 })).positions[0];
}

const told = async (account: Account) =>
  (await world.store.events.since(`account:${account.id}`, 0, 100)).filter(({ type, data }) => type === 'position.protectionChanged' || (type === 'account.alert' && data['kind'] === 'UNPROTECTED')).map(({ type, data }) => [type, data] as const);

test('a position without a stop is told of once it had none for so long, once', async () => {
  const { account, writer } = await holding('10');
  const check = () => world.store.protections.check(writer, account.id, ALERT_MS);
  await check();
  world.clock.ms += ALERT_MS - 1;
  await check();
  expect([await told(account), await shown(account)]).toMatchObject([[], { protection: 'none', desiredStop: null, unprotectedMs: ALERT_MS - 1 }]);
  expect((await world.store.gauges.unprotectedMs()).get('paper')).toBe(ALERT_MS - 1);
  world.clock.ms += 1;
  await check();
  world.clock.ms += ALERT_MS;
  await check();
  expect(await told(account)).toMatchObject([['account.alert', { kind: 'UNPROTECTED', symbol: SYMBOL, quantity: '10', unprotectedMs: ALERT_MS, belowMinimum: false }]]);

  await armed(account, '10');
  await check();
  expect([(await told(account)).at(-1), await shown(account)]).toMatchObject([['position.protectionChanged', { previousProtection: 'none', position: { protection: 'durable', unprotectedMs: 0 } }], { protection: 'durable', desiredStop: { triggerPrice: '1.8' }, confirmedStop: null, unprotectedMs: 0 }]);
  expect((await world.store.gauges.unprotectedMs()).get('paper')).toBe(0);
});

test('a stop that covers less than what is held protects nothing, and a stretch without one begins anew when it ends', async () => {
  const { account, writer, entry } = await holding('5');
  const check = () => world.store.protections.check(writer, account.id, ALERT_MS);
  await armed(account, '5');
  await check();
  expect(await shown(account)).toMatchObject({ protection: 'durable' });
  await world.store.watching.applyFills(writer, account.id, [fillOf(entry, { quantity: '3', atMs: world.clock.nowMs() })]);
  await check();
  world.clock.ms += ALERT_MS;
  await check();
  expect((await told(account)).map(([type]) => type)).toEqual(['position.protectionChanged', 'position.protectionChanged', 'account.alert']);
  await armed(account, '3');
  await check();
  expect(await shown(account)).toMatchObject({ protection: 'durable', unprotectedMs: 0 });
});

test('the stop at the venue counts once the venue has acknowledged it', async () => {
  const { account, writer } = await holding('5');
  const stop = intentFor(account, { side: 'sell', type: 'stopMarket', limitPrice: null, quantity: '5', reduceOnly: true, condition: { ...UNCONDITIONAL, execution: 'native', triggerPrice: '1.7', triggerPriceType: 'mark' } });
  await world.store.placing.recordOrders([stop], OWNER);
  expect(await shown(account)).toMatchObject({ protection: 'none', desiredStop: { orderId: stop.id }, confirmedStop: null });
  await world.store.evidence.apply([{ orderId: stop.id, evidence: seen(viewOf(stop)) }]);
  expect(await shown(account)).toMatchObject({ protection: 'native', desiredStop: { orderId: stop.id }, confirmedStop: { orderId: stop.id, quantity: '5' } });
  await world.store.protections.check(writer, account.id, ALERT_MS);
  expect((await told(account)).map(([, data]) => (data['position'] as ShownPosition).protection)).toEqual(['native']);
});

test('a stop that is the leg of an order list protects as one alone does, also where the list is of another account; with one at the venue it is both', async () => {
  const { account, writer } = await holding('5');
  const { orderLists, triggers } = world.store;
  const { execution: _execution, startAt: _startAt, expireTime: _expireTime, ...nothing } = UNCONDITIONAL;
  const leg = (n: number, of: Account, terms: Partial<LegTerms>): OrderListLeg => ({ ...NEW_LEG, ...nothing, role: 'order', accountId: of.id, venue: of.venue, symbol: SYMBOL, venueSymbol: VENUE_SYMBOL, side: 'sell', type: 'limit', timeInForce: 'GTC', quantity: '5', limitPrice: '3', postOnly: false, reduceOnly: true, ...terms, n });
  const other = await world.newAccount();
  const id = randomUUID();
  const trail = { type: 'trailingStopMarket', limitPrice: null, trailingOffset: '0.2', trailingOffsetType: 'price', triggerPriceType: 'mark', gapPolicy: 'traded' } as const;
  const made = await orderLists.create({ id, clientListId: id, userId: other.userId, accountId: other.id, venue: other.venue, symbol: SYMBOL, type: 'OUO', legs: [leg(0, other, {}), leg(1, account, trail)], expireTime: null, timeLimitMs: null, breakEvenAfter: null, ownerWorkflowId: `order-list/${id}` }, null);
  expect(await shown(account)).toMatchObject({ protection: 'none', desiredStop: null });
  const [profit, stop] = made.legs as [OrderListLeg, OrderListLeg];
  const parameters = legTrigger(stop);
  if (parameters === null) throw new Error('a trailing stop waits for a price');
  await triggers.arm({ id: legTriggerId(id, stop), userId: account.userId, accountId: account.id, workflowId: 'w', venue: account.venue, symbol: SYMBOL, parameters });
  await orderLists.advance(id, { revision: 1, afterN: 0, note: { state: 'ACTIVE', reason: null, closeAt: null, legs: [profit, { ...stop, state: 'ARMED' }] }, place: [], cancel: [], alerts: [] });
  expect(await shown(account)).toMatchObject({ protection: 'durable', desiredStop: { orderId: id, orderListId: id, leg: 1, quantity: '5', triggerPrice: null, trailingOffset: '0.2' }, confirmedStop: null, unprotectedMs: 0 });
  await world.store.protections.check(writer, account.id, ALERT_MS);
  world.clock.ms += ALERT_MS;
  await world.store.protections.check(writer, account.id, ALERT_MS);
  expect(await told(account)).toMatchObject([['position.protectionChanged', { position: { protection: 'durable' } }]]);
  const backstop = intentFor(account, { side: 'sell', type: 'stopMarket', limitPrice: null, quantity: '5', reduceOnly: true, condition: { ...UNCONDITIONAL, execution: 'native', triggerPrice: '1.7', triggerPriceType: 'mark' } });
  await world.store.placing.recordOrders([backstop], OWNER);
  await world.store.evidence.apply([{ orderId: backstop.id, evidence: seen(viewOf(backstop)) }]);
  expect(await shown(account)).toMatchObject({ protection: 'both', confirmedStop: { orderId: backstop.id } });
  await orderLists.command(id, other.userId, { kind: 'cancel', reason: 'canceled by its owner' });
  expect(await shown(account)).toMatchObject({ protection: 'native', desiredStop: { orderId: backstop.id, orderListId: null, leg: null } });
});

test('what is below the market\'s minimum is said to be so; 0 tells nobody; what is flat is forgotten', async () => {
  const { account, writer, entry } = await holding('0.05');
  await world.store.protections.check(writer, account.id, 0);
  world.clock.ms += 10 * ALERT_MS;
  await world.store.protections.check(writer, account.id, 0);
  expect(await told(account)).toEqual([]);
  await world.store.protections.check(writer, account.id, ALERT_MS);
  expect(await told(account)).toMatchObject([['account.alert', { belowMinimum: true, words: expect.stringContaining('below') }]]);
  await world.store.watching.applyFills(writer, account.id, [fillOf(entry, { side: 'sell', venueOrderId: 'outside', venueClientId: null, quantity: '0.05', atMs: world.clock.nowMs() })]);
  await world.store.protections.check(writer, account.id, ALERT_MS);
  expect(await shown(account)).toMatchObject({ side: 'flat', protection: 'none', unprotectedMs: 0 });
});

test('a position that was closed and opened again between two looks is another one: its owner is told of it too', async () => {
  const { account, writer, entry } = await holding('5');
  const check = () => world.store.protections.check(writer, account.id, ALERT_MS);
  await check();
  world.clock.ms += ALERT_MS;
  await check();
  await world.store.watching.applyFills(writer, account.id, [fillOf(entry, { side: 'sell', venueOrderId: 'outside', venueClientId: null, quantity: '5', atMs: world.clock.nowMs() })]);
  await world.store.watching.applyFills(writer, account.id, [fillOf(entry, { quantity: '7', atMs: world.clock.nowMs() + 1 })]);
  await check();
  expect(await shown(account)).toMatchObject({ quantity: '7', protection: 'none', unprotectedMs: 0 });
  await check();
  world.clock.ms += ALERT_MS;
  await check();
  await check();
  expect((await told(account)).map(([, { kind, quantity }]) => [kind, quantity])).toEqual([['UNPROTECTED', '5'], ['UNPROTECTED', '7']]);
});

test('a watcher that was replaced tells nobody', async () => {
  const { account, writer } = await holding('5');
  await world.store.watching.takeEpoch(writer.scope, 'its successor');
  await expect(world.store.protections.check(writer, account.id, ALERT_MS)).rejects.toThrow(EpochLost);
});
