import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import { EpochLost, type WriterEpoch } from '../../../src/domain/order-store';
import type { OrderIntent } from '../../../src/domain/order';
import type { VenuePosition } from '../../../src/domain/venue';
import { fillOf, intentFor, OWNER, openStoreWorld, seen, SYMBOL, VENUE_SYMBOL, viewOf, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

async function watched(): Promise<{ readonly account: Account; readonly writer: WriterEpoch }> {
  const account = await world.newAccount();
  return { account, writer: await world.store.watching.takeEpoch(`account:${account.id}`, 'first') };
}

async function placed(account: Account, changes: Partial<OrderIntent> = {}): Promise<OrderIntent> {
  const intent = intentFor(account, changes);
  await world.store.placing.recordOrders([intent], OWNER);
  return intent;
}

const positionsOf = async (account: Account) => (await world.store.positions.list({ userId: account.userId, status: 'all', accountId: account.id, symbol: null, venue: null, cursor: null, limit: 100 })).positions;
const fillsOf = async (account: Account) => (await world.store.fills.list({ userId: account.userId, accountId: account.id, orderId: null, symbol: null, venue: null, cursor: null, limit: 100 })).fills;
const held: VenuePosition = { venueSymbol: VENUE_SYMBOL, side: 'long', quantity: '10', entryPrice: '2', markPrice: '2.5', leverage: '5', margin: '4', liquidationPrice: '0.5', unrealizedPnl: '5', realizedPnl: '0' };

describe('a watcher', () => {
  test('that was taken over is refused everything', async () => {
    const { account, writer } = await watched();
    const intent = await placed(account);
    await world.store.watching.takeEpoch(writer.scope, 'second');
    const attempts = [
      () => world.store.watching.applyFills(writer, account.id, [fillOf(intent)]),
      () => world.store.watching.applyVenueOrders(writer, account.id, [viewOf(intent)], 'stream'),
      () => world.store.watching.putPositions(writer, account.id, [held], world.clock.nowMs()),
      () => world.store.watching.putBalances(writer, account.id, [{ asset: 'USDT', total: '1', available: '1', locked: '0' }], world.clock.nowMs()),
      () => world.store.watching.checkpoint(writer.scope, { seen: 1 }, writer),
      () => world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }], writer),
      () => world.store.accounts.setStatus(account.id, 'HALTED', null, writer),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toThrow(EpochLost);
    expect((await world.store.orders.byId(intent.id))?.state).toBe('SUBMITTING');
  });

  test('finds its checkpoint again', async () => {
    const { writer } = await watched();
    expect(await world.store.watching.readCheckpoint(writer.scope)).toBeNull();
    await world.store.watching.checkpoint(writer.scope, { cursor: 'x' }, writer);
    const next = await world.store.watching.takeEpoch(writer.scope, 'second');
    expect(next.epoch).toBe(writer.epoch + 1);
    expect(await world.store.watching.readCheckpoint(writer.scope)).toEqual({ cursor: 'x' });
  });
});

describe('fills', () => {
  test('count once however often they are read, and give the time to read on from', async () => {
    const { account, writer } = await watched();
    const intent = await placed(account);
    const fills = [fillOf(intent, { quantity: '3', atMs: 1_700_000_000_000 }), fillOf(intent, { quantity: '2', atMs: 1_700_000_001_000 })];
    expect(await world.store.watching.lastFillTime(account.id)).toBeNull();
    expect(await world.store.watching.applyFills(writer, account.id, fills)).toEqual({ newFills: 2, adopted: 0, deferred: 0 });
    expect(await world.store.watching.applyFills(writer, account.id, fills)).toEqual({ newFills: 0, adopted: 0, deferred: 0 });
    expect(await world.store.watching.lastFillTime(account.id)).toBe(1_700_000_001_000);
    expect((await positionsOf(account))[0]).toMatchObject({ quantity: '5', side: 'long' });
  });

  test('with one id on both sides, and in two markets, are different fills', async () => {
    const { account, writer } = await watched();
    const [buy, sell] = [await placed(account), await placed(account, { side: 'sell', limitPrice: '3' })];
    const shared = { venueFillId: '7', venueOrderId: 'shared', venueClientId: null };
    await world.store.watching.applyVenueOrders(writer, account.id, [viewOf(buy), viewOf(sell)], 'query');
    await world.store.watching.applyFills(writer, account.id, [fillOf(buy, { ...shared, venueClientId: buy.venueClientId, quantity: '1' }), fillOf(sell, { ...shared, venueClientId: sell.venueClientId, quantity: '1' })]);
    expect(await fillsOf(account)).toHaveLength(2);
  });

  test('of an order placed elsewhere adopt it, once, with origin EXTERNAL', async () => {
    const { account, writer } = await watched();
    const foreign = intentFor(account);
    const fill = fillOf(foreign, { venueOrderId: 'elsewhere-1', venueClientId: null, quantity: '3' });
    expect(await world.store.watching.applyFills(writer, account.id, [fill])).toEqual({ newFills: 1, adopted: 1, deferred: 0 });
    expect(await world.store.watching.applyFills(writer, account.id, [fill, { ...fill, venueFillId: 'another' }])).toEqual({ newFills: 1, adopted: 0, deferred: 0 });
    const order = await world.store.orders.byClientId(account.id, 'external-elsewhere-1');
    expect(order).toMatchObject({ origin: 'EXTERNAL', venueOrderId: 'elsewhere-1', filledQuantity: '6', state: 'FILLED', symbol: SYMBOL });
    expect(await fillsOf(account)).toHaveLength(2);
  });

  test.each(['in one page', 'one by one'])('of two orders that traded by turns make the position and the round trips of their time: %s', async (how) => {
    const { account, writer } = await watched();
    const [buy, sell] = [await placed(account, { quantity: '10' }), await placed(account, { side: 'sell', quantity: '10', limitPrice: '1' })];
    await world.store.watching.applyVenueOrders(writer, account.id, [viewOf(buy), viewOf(sell)], 'query');
    const [id, atMs] = [fillOf(buy).venueFillId, world.clock.nowMs()];
    const fills = [
      fillOf(buy, { venueFillId: `${id}-1`, quantity: '5', price: '2', realizedPnl: '0', atMs }),
      fillOf(sell, { venueFillId: `${id}-2`, quantity: '5', price: '3', realizedPnl: '5', atMs: atMs + 1 }),
      fillOf(buy, { venueFillId: `${id}-3`, quantity: '4', price: '1', realizedPnl: '0', atMs: atMs + 2 }),
    ];
    for (const page of how === 'in one page' ? [fills] : fills.map((fill) => [fill])) await world.store.watching.applyFills(writer, account.id, page);
    expect(await positionsOf(account)).toMatchObject([{ side: 'long', quantity: '4', entryPrice: '1' }]);
    const { trades } = await world.store.trades.list({ userId: account.userId, status: 'all', accountId: account.id, symbol: null, venue: null, cursor: null, limit: 10 });
    expect(trades.map(({ status, entryPrice, exitPrice }) => [status, entryPrice, exitPrice]).sort()).toEqual([['closed', '2', '3'], ['open', '1', null]]);
    // An order that is continued is told, kept and counted as if it had been folded at once.
    expect([await world.store.orders.byId(buy.id), await world.store.orders.byId(sell.id)]).toMatchObject([{ filledQuantity: '9', leavesQuantity: '1' }, { filledQuantity: '5', leavesQuantity: '5' }]);
    expect((await world.store.accounts.figures(account.id, [SYMBOL])).symbols[SYMBOL]).toMatchObject({ openBuyQuantity: '1', openSellQuantity: '5' });
  });

  test('without a client id are left for later while an order of ours may be theirs', async () => {
    const { account, writer } = await watched();
    const intent = await placed(account);
    const nameless = fillOf(intent, { venueClientId: null, quantity: '4' });
    expect(await world.store.watching.applyFills(writer, account.id, [nameless])).toEqual({ newFills: 0, adopted: 0, deferred: 1 });
    await world.store.watching.applyVenueOrders(writer, account.id, [viewOf(intent)], 'query');
    expect(await world.store.watching.applyFills(writer, account.id, [nameless])).toEqual({ newFills: 1, adopted: 0, deferred: 0 });
    expect((await world.store.orders.byId(intent.id))?.filledQuantity).toBe('4');
  });
});

describe('orders that the venue shows', () => {
  test('are evidence for ours and adopted if foreign, with their exposure', async () => {
    const { account, writer } = await watched();
    const [ours, foreign] = [await placed(account), intentFor(account, { side: 'sell', limitPrice: '3', quantity: '7' })];
    const applied = await world.store.watching.applyVenueOrders(writer, account.id, [viewOf(ours), viewOf(foreign, { venueOrderId: 'elsewhere-2', venueClientId: null, filledQuantity: '2' })], 'query');
    expect(applied.map(({ order }) => [order.origin, order.state])).toEqual([['API', 'WORKING'], ['EXTERNAL', 'PARTIALLY_FILLED']]);
    expect((await world.store.accounts.figures(account.id)).symbols[SYMBOL]).toMatchObject({ openBuyQuantity: '10', openSellQuantity: '7', openSellNotional: '21' });
    // Two of the foreign order filled before we looked: once all fills that the venue tells are read, they are waited for no more.
    expect(await world.store.watching.settleUnbooked(writer, account.id, Date.now() - 60_000)).toBe(0);
    expect(await world.store.watching.settleUnbooked(writer, account.id, Date.now() + 60_000)).toBe(1);
    expect((await world.store.accounts.figures(account.id)).symbols[SYMBOL]).toMatchObject({ openBuyQuantity: '10', openSellQuantity: '5', openSellNotional: '15' });
    expect((await world.store.orders.working(account.id)).map((order) => order.origin).sort()).toEqual(['API', 'EXTERNAL']);
    const types = (await world.store.events.since(`account:${account.id}`, 0, 100)).map((event) => event.type);
    expect(types).toContain('order.adopted');
    expect(await world.store.watching.applyVenueOrders(writer, account.id, [viewOf(foreign, { venueOrderId: 'elsewhere-2', venueClientId: null, filledQuantity: '2' })], 'stream')).toMatchObject([{ changed: false }]);
  });
});

test('an exit of a whole position that was made at the venue, where it has no size, is adopted as it is', async () => {
  const { account, writer } = await watched();
  const exit = intentFor(account, { side: 'sell', limitPrice: '3', quantity: '7' });
  const view = viewOf(exit, { venueOrderId: 'elsewhere-3', venueClientId: null, quantity: '0', wholePosition: true, reduceOnly: true });
  const [applied] = await world.store.watching.applyVenueOrders(writer, account.id, [view], 'query');
  expect(applied?.order).toMatchObject({ origin: 'EXTERNAL', state: 'WORKING', quantity: '0', grouping: 'positionExits' });
});

describe('the venue\'s word', () => {
  test('on a position is shown beside the fills, an older one changes nothing, and risk judges by it', async () => {
    const { account, writer } = await watched();
    const nowMs = world.clock.nowMs();
    await world.store.watching.putPositions(writer, account.id, [held], nowMs);
    await world.store.watching.putPositions(writer, account.id, [{ ...held, quantity: '99' }], nowMs - 1);
    expect((await positionsOf(account))[0]).toMatchObject({ quantity: '0', leverage: '5', liquidationPrice: '0.5' });
    expect((await world.store.accounts.figures(account.id)).symbols[SYMBOL]).toMatchObject({ positionQuantity: '10', leverage: '5' });
    await world.store.watching.putPositions(writer, account.id, [], nowMs + 1, { complete: true });
    expect((await world.store.accounts.figures(account.id)).symbols[SYMBOL]).toMatchObject({ positionQuantity: '0' });
  });

  test('is moved by fills that are newer than it, not by those it holds already', async () => {
    const { account, writer } = await watched();
    const intent = await placed(account);
    const nowMs = world.clock.nowMs();
    await world.store.watching.putPositions(writer, account.id, [held], nowMs);
    await world.store.watching.applyFills(writer, account.id, [fillOf(intent, { quantity: '3', atMs: nowMs - 5 }), fillOf(intent, { quantity: '2', atMs: nowMs + 5 })]);
    expect((await world.store.accounts.figures(account.id)).symbols[SYMBOL]?.positionQuantity).toBe('12');
  });

  test('becomes our own base where the fills were lost, with a carry-in entry', async () => {
    const { account, writer } = await watched();
    await world.store.watching.carryIn(writer, account.id, [held], world.clock.nowMs());
    expect((await positionsOf(account))[0]).toMatchObject({ side: 'long', quantity: '10', entryPrice: '2' });
    const events = await world.store.events.since(`account:${account.id}`, 0, 100);
    expect(events.find((event) => event.type === 'account.carryIn')?.data).toMatchObject({ symbol: SYMBOL, quantity: '10', previousQuantity: '0' });
  });

  test('on a balance is told when it changed, and an older one is not', async () => {
    const { account, writer } = await watched();
    const balance = { asset: 'USDT', total: '5', available: '4', locked: '1' };
    const nowMs = world.clock.nowMs() + 1;
    const stream = `account:${account.id}`;
    const before = (await world.store.events.heads([stream])).get(stream) ?? 0;
    await world.store.watching.putBalances(writer, account.id, [balance], nowMs);
    await world.store.watching.putBalances(writer, account.id, [balance], nowMs + 1);
    await world.store.watching.putBalances(writer, account.id, [{ ...balance, total: '9' }], nowMs - 1);
    expect((await world.store.events.since(stream, before, 10)).map((event) => event.type)).toEqual(['balance.updated']);
    expect(await world.store.balances.list(account.id, account.userId)).toEqual([{ ...balance, accountId: account.id, updatedAt: expect.any(String) }]);
    expect(await world.store.balances.list(account.id, 'a stranger')).toEqual([]);
  });
});

test('an order whose outcome stays open is found by the sweeper, with the number of its resolver', async () => {
  const { account } = await watched();
  const intent = await placed(account);
  world.clock.ms += 20_000;
  const stuck = await world.store.orders.stuck(10_000, 100);
  expect(stuck).toContainEqual({ orderId: intent.id, accountId: account.id, venue: 'paper', ownerWorkflowId: OWNER.ownerWorkflowId, resolutions: 0 });
  expect(await world.store.orders.noteResolution(intent.id)).toBe(1);
  await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
  expect((await world.store.orders.stuck(0, 100)).map((order) => order.orderId)).not.toContain(intent.id);
  await world.store.evidence.apply([{ orderId: intent.id, evidence: { kind: 'cancelRequested', key: 'cancelRequested/1', at: isoTime(world.clock.nowMs() - 20_000) } }]);
  expect((await world.store.orders.stuck(10_000, 100)).map((order) => order.orderId)).toContain(intent.id);
});
