/** Order lists and strategies of a database that was restored from a backup: each pair of what the backup has, and what their workflows know. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createStrategyActivities, type StrategyFacts } from '../../../src/activities/strategy-activities';
import type { OrderList } from '../../../src/domain/order-list';
import { isBeingReadBack } from '../../../src/domain/store-state';
import type { Strategy, StrategyChild } from '../../../src/domain/strategy';
import { ordersThatMatter } from '../../../src/domain/strategies/orders-that-matter';
import { listTriggers } from '../list-triggers-world';
import { openStoreWorld, SYMBOL, VENUE_SYMBOL, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

const { exits, arm, amend, triggerOfLeg, fire } = listTriggers(() => world);

describe('a restored database', () => {
  test('that lost a list arms nothing for it: its workflow looks again', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    expect(await arm({ ...list, id: randomUUID() }, 1)).toBeNull();
  });

  test('that lost a list whose stop was moved counts prices for it since then, not from before it was moved', async () => {
    const account = await world.newAccount();
    const made = await exits(account);
    world.clock.ms += 30_000;
    const movedAt = new Date(world.clock.ms).toISOString();
    const id = randomUUID();
    const lost: OrderList = { ...made, id, clientListId: `c-${id}`, ownerWorkflowId: `order-list/${id}`, revision: 2, updatedAt: movedAt, legs: made.legs.map((each) => (each.n === 1 ? { ...each, triggerPrice: '1.3', version: 1 } : each)) };
    expect(await world.store.readBack.orderList(lost, [])).toBe(true);
    world.clock.ms += 5_000;
    expect(await arm(lost, 1)).toMatchObject({ checkpointAtMs: Date.parse(movedAt), parameters: { triggerPrice: '1.3' } });
  });

  describe('that has a list with a stop as it was before it was moved', () => {
    const moved = async (): Promise<{ readonly list: OrderList; readonly known: OrderList }> => {
      const account = await world.newAccount();
      const list = await exits(account);
      await arm(list, 1);
      world.clock.ms += 30_000;
      const known: OrderList = { ...list, revision: 4, updatedAt: new Date(world.clock.ms).toISOString(), legs: list.legs.map((each) => (each.n === 1 ? { ...each, triggerPrice: '1.3', version: 2 } : each)) };
      world.clock.ms += 30_000;
      return { list, known };
    };

    test('watches the new level when its workflow gives it back, with what was traded since it was moved', async () => {
      const { list, known } = await moved();
      expect(await world.store.readBack.orderList(known, [])).toBe(true);
      expect(await triggerOfLeg(list, 1)).toMatchObject({ status: 'ARMED', revision: 3, checkpointAtMs: Date.parse(known.updatedAt), parameters: { triggerPrice: '1.3' } });
      expect(await world.store.readBack.orderList(known, [])).toBe(false);
    });

    test('and fired by the old level before: the trigger that takes its place counts since it was moved', async () => {
      const { list, known } = await moved();
      await fire(await triggerOfLeg(list, 1), '0.9');
      await world.store.readBack.orderList(known, []);
      expect(await triggerOfLeg(list, 1)).toMatchObject({ status: 'FIRED', revision: 1 });
      const next = known.legs.map((each) => (each.n === 1 ? { ...each, triggerNumber: 1 } : each));
      await world.store.orderLists.advance(list.id, { revision: known.revision, afterN: 0, note: { state: 'ACTIVE', reason: null, closeAt: null, legs: next }, place: [], cancel: [], alerts: [] });
      expect(await arm({ ...known, legs: next }, 1)).toMatchObject({ status: 'ARMED', checkpointAtMs: Date.parse(known.updatedAt), parameters: { triggerPrice: '1.3' } });
    });

    test('and whose end nobody there knows: it has ended, and nothing of it is watched', async () => {
      const { list, known } = await moved();
      const over: OrderList = { ...known, state: 'COMPLETED', endedAt: known.updatedAt };
      expect(await world.store.readBack.orderList(over, [])).toBe(true);
      expect([await world.store.orderLists.byId(list.id), await triggerOfLeg(list, 1)]).toEqual([expect.objectContaining({ state: 'COMPLETED', endedAt: known.updatedAt }), expect.objectContaining({ status: 'DISARMED' })]);
      expect((await world.store.orderLists.unended(500)).map(({ id }) => id)).not.toContain(list.id);
    });
  });

  test('that lost orders of a list at the revision it has gets them back, once', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    const child = { n: 1, orderId: randomUUID(), leg: 0, step: 'rest', version: 0, type: 'limit', timeInForce: 'GTC', postOnly: false, quantity: '10', limitPrice: '3', triggerPrice: null, state: 'WORKING', isPlaced: true, filledQuantity: '0', avgPrice: null, reasonCode: null, reasonMessage: null, pendingCancel: false, recordedAtMs: world.clock.ms, cancelAskedAtMs: null, closedAtMs: null } as const;
    expect(await world.store.readBack.orderList(list, [child])).toBe(true);
    expect(await world.store.orderLists.children(list.id)).toEqual([expect.objectContaining({ n: 1, orderId: child.orderId, quantity: '10' })]);
    expect(await world.store.readBack.orderList(list, [child])).toBe(false);
  });

  test('makes no list and amends none before it has those back that it lost: a repeat would make it a second time', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    await world.store.states.begin({ lost: 'postgresql', reason: 'a test', accountIds: [] });
    try {
      await expect(exits(account)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'unknown' });
      await expect(amend(list, { n: 1, triggerPrice: '1.1' })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      expect(await world.store.orderLists.command(list.id, list.userId, { kind: 'cancel', reason: 'mine' })).toMatchObject({ pendingCancel: true });
    } finally {
      await world.store.states.open(null);
    }
    expect(await exits(account)).toMatchObject({ state: 'ACTIVE' });
  });

  test('whose row was told to cancel since then keeps that when its workflow gives back newer terms', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    const canceled = await world.store.orderLists.command(list.id, list.userId, { kind: 'cancel', reason: 'its owner asked' });
    expect(canceled).toMatchObject({ pendingCancel: true });
    expect(await world.store.readBack.orderList({ ...list, revision: canceled.revision + 3, legs: list.legs.map((each) => (each.n === 1 ? { ...each, triggerPrice: '1.3', version: 1 } : each)) }, [])).toBe(true);
    expect(await world.store.orderLists.byId(list.id)).toMatchObject({ pendingCancel: true, revision: canceled.revision + 3, legs: [{}, { triggerPrice: '1.3' }] });
  });
});

describe('a strategy that the backup', () => {
  const made = async (): Promise<Strategy> => {
    const account = await world.newAccount();
    const id = randomUUID();
    const started = await world.store.strategies.create(
      { id, clientStrategyId: `c-${id}`, userId: account.userId, accountId: account.id, venue: account.venue, symbol: SYMBOL, venueSymbol: VENUE_SYMBOL, type: 'iceberg', side: 'buy', quantity: '100', reduceOnly: false, parameters: { limitPrice: '2', displayQuantity: '60' }, startAt: null, expireAt: null, ownerWorkflowId: `strategy/${id}` },
      null,
    );
    return (await world.store.strategies.advance(started.id, { revision: 1, afterN: 0, note: { state: 'RUNNING', reason: null, newRun: true, filledQuantity: '0', avgPrice: null }, place: [] }))?.strategy ?? started;
  };
  const child = { n: 1, orderId: randomUUID(), leg: 'part-0', run: 1, quantity: '60', limitPrice: '2', timeInForce: 'GTC', postOnly: false, state: 'WORKING', isPlaced: true, filledQuantity: '0', avgPrice: null, createdAtMs: 1_767_225_600_000 } as unknown as StrategyChild;
  const at = '2026-01-02T00:00:00.000Z';

  test.each([
    ['has running, and that was paused', { state: 'PAUSED', pausedAt: at }],
    ['has running, and that ended', { state: 'COMPLETED', endedAt: at }],
    ['has running, and that was canceled', { state: 'CANCELED', pendingCancel: true, endedAt: at }],
  ] as const)('%s is so again', async (_words, changed) => {
    const strategy = await made();
    const known: Strategy = { ...strategy, ...changed, revision: strategy.revision + 2 };
    expect(await world.store.readBack.strategy(known, [])).toBe(true);
    expect(await world.store.strategies.byId(strategy.id)).toMatchObject(changed);
    expect((await world.store.strategies.unended(500)).some(({ id }) => id === strategy.id)).toBe(known.endedAt === null);
    expect(await world.store.readBack.strategy(known, [])).toBe(false);
  });

  test('does not have, and that ended, meets the repeat of its client', async () => {
    const strategy = await made();
    const id = randomUUID();
    const over: Strategy = { ...strategy, id, clientStrategyId: `c-${id}`, ownerWorkflowId: `strategy/${id}`, state: 'COMPLETED', endedAt: at };
    expect(await world.store.readBack.strategy(over, [])).toBe(true);
    const { state: _state, ...wish } = over;
    expect(await world.store.strategies.create({ ...wish, id: randomUUID() }, null)).toMatchObject({ id, state: 'COMPLETED' });
  });

  test('has at its revision without an order that it placed gets that back, once, so that it places it no second time', async () => {
    const strategy = await made();
    expect(await world.store.readBack.strategy(strategy, [child])).toBe(true);
    expect(await world.store.strategies.children(strategy.id)).toEqual([expect.objectContaining({ n: 1, orderId: child.orderId })]);
    expect(await world.store.readBack.strategy(strategy, [child])).toBe(false);
    expect(await world.store.strategies.advance(strategy.id, { revision: strategy.revision, afterN: 0, note: null, place: [{ leg: 'part-0', quantity: '60', limitPrice: '2', timeInForce: 'GTC', postOnly: false }] })).toBeNull();
  });

  test('has as a chase without the newest of its hundreds of orders is looked at in fewer than its workflow saw, and has those back that matter', async () => {
    const strategy: Strategy = { ...(await made()), type: 'chase' };
    const { store } = world;
    const canceled = (each: StrategyChild): StrategyChild => ({ ...each, state: 'CANCELED', isPlaced: true });
    const activities = createStrategyActivities({
      readBack: (known, children) => store.readBack.strategy(known, children),
      isBeingReadBack: async () => isBeingReadBack(await store.states.read()),
      strategies: { byId: () => Promise.resolve(strategy), children: async (id) => (await store.strategies.children(id)).map(canceled), advance: (id, advance) => store.strategies.advance(id, advance) },
      market: (venue, symbol) => store.markets.get(venue, symbol), account: (accountId) => store.accounts.byId(accountId), markOf: () => null, quoteOf: () => null,
    });
    const look = async (): Promise<StrategyFacts['children']> => (await activities.lookAtStrategy({ strategyId: strategy.id }))?.children ?? [];
    const orders = Array.from({ length: 300 }, (_, index) => canceled({ ...child, n: index + 1, orderId: randomUUID(), leg: 'chase', reasonCode: null }));
    const seen = ordersThatMatter(orders, strategy.run, 'with spare');
    await store.readBack.strategy(strategy, orders.slice(0, 280));
    await store.states.begin({ lost: 'postgresql', reason: 'a test', accountIds: [] });
    try {
      expect((await look()).length).toBeLessThan(seen.length);
      expect(await activities.readBackStrategy({ strategy, children: seen })).toBe(true);
      expect((await look()).at(-1)).toMatchObject({ n: 300, orderId: orders[299]?.orderId });
      expect(await activities.readBackStrategy({ strategy, children: seen })).toBe(false);
    } finally {
      await store.states.open(null);
    }
  });

  test('may lack is not made, nor amended, before it is read back; it is paused all the same', async () => {
    const strategy = await made();
    await world.store.states.begin({ lost: 'postgresql', reason: 'a test', accountIds: [] });
    try {
      await expect(made()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'unknown' });
      await expect(world.store.strategies.command(strategy.id, strategy.userId, { kind: 'amend', expectedRevision: strategy.revision, quantity: '200', parameters: strategy.parameters, expireAt: null })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      expect(await world.store.strategies.command(strategy.id, strategy.userId, { kind: 'pause', reason: null })).toMatchObject({ state: 'PAUSED' });
    } finally {
      await world.store.states.open(null);
    }
  });
});
