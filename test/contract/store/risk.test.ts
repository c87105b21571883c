/** Limits that hold inside the placing transaction: the day's loss and the price band; and a denial on its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account, RiskLimits } from '../../../src/domain/account';
import { fillKey } from '../../../src/domain/evidence';
import { isoTime } from '../../../src/domain/clock';
import type { OrderIntent } from '../../../src/domain/order';
import type { WriterEpoch } from '../../../src/domain/order-store';
import { fillOf, intentFor, OWNER, openStoreWorld, SYMBOL, VENUE_SYMBOL, type StoreWorld } from './harness';

const DAY_MS = 86_400_000;
/** Noon, so that a test can move hours within the day. */
const NOON_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.clock.ms = NOON_MS;
  world.marks.set(SYMBOL, '2');
  world.quotes.clear();
});

/** An account with that limit, and the writer that tells of its positions. */
async function watched(limits: Partial<RiskLimits> = {}): Promise<{ account: Account; writer: WriterEpoch }> {
  const account = await world.newAccount({ limits, balance: '100000' });
  return { account, writer: await world.store.watching.takeEpoch(`account:${account.id}`, 'test') };
}

/** What a look of the watcher writes: `quantity` held long, entered at 2. */
async function look(writer: WriterEpoch, account: Account, quantity: string): Promise<void> {
  const position = { venueSymbol: VENUE_SYMBOL, side: 'long' as const, quantity, entryPrice: '2', markPrice: null, leverage: '10', margin: null, liquidationPrice: null, unrealizedPnl: null, realizedPnl: null };
  await world.store.watching.putPositions(writer, account.id, quantity === '0' ? [] : [position], world.clock.nowMs(), { complete: true });
}

async function ask(account: Account, changes: Partial<OrderIntent> = {}): Promise<string | null> {
  const intent = intentFor(account, changes);
  await world.store.placing.recordOrders([intent], OWNER);
  return (await world.store.orders.byId(intent.id))?.reasonCode ?? null;
}

const profitOf = async (account: Account): Promise<string | null> => (await world.store.accounts.figures(account.id, [SYMBOL])).dailyProfit;

describe('the day\'s loss', () => {
  test('counts what was realized, and what is not yet', async () => {
    const { account, writer } = await watched({ maxDailyLoss: '100' });
    await look(writer, account, '100');
    world.marks.set(SYMBOL, '1.01');
    expect(await profitOf(account)).toBe('-99');
    expect(await ask(account, { limitPrice: '1' })).toBeNull();
    world.marks.set(SYMBOL, '1');
    expect(await profitOf(account)).toBe('-100');
    expect(await ask(account, { limitPrice: '1' })).toBe('RISK_DAILY_LOSS');
    expect(await ask(account, { side: 'sell', reduceOnly: true })).toBeNull();
    world.marks.set(SYMBOL, '1.5');
    expect(await ask(account, { limitPrice: '1' })).toBeNull();
  });

  test('realized by fills of the day, fees on top, adds to it', async () => {
    const { account } = await watched({ maxDailyLoss: '100' });
    const [buy, sell] = [intentFor(account, { quantity: '100' }), intentFor(account, { quantity: '100', side: 'sell', limitPrice: '1' })];
    for (const intent of [buy, sell]) {
      await world.store.placing.recordOrders([intent], OWNER);
      const fill = fillOf(intent, { price: intent === buy ? '2' : '1.1', fee: '5', atMs: world.clock.nowMs() });
      await world.store.evidence.apply([{ orderId: intent.id, evidence: { kind: 'fill', key: fillKey(fill), fill, at: isoTime(fill.atMs) } }]);
    }
    expect(await profitOf(account)).toBe('-100');
    expect(await ask(account, { limitPrice: '1' })).toBe('RISK_DAILY_LOSS');
    world.clock.ms += DAY_MS;
    expect(await profitOf(account)).toBe('0');
    expect(await ask(account, { limitPrice: '1' })).toBeNull();
  });

  test('begins a new day where the watcher last saw the old one: an old loss is not counted again, what it became is', async () => {
    const { account, writer } = await watched({ maxDailyLoss: '100' });
    await look(writer, account, '100');
    world.marks.set(SYMBOL, '1.2');
    await look(writer, account, '100');
    expect(await profitOf(account)).toBe('-80');
    world.clock.ms += DAY_MS;
    expect(await profitOf(account)).toBe('0');
    // The watcher's word of the new day does not move where the day began.
    world.marks.set(SYMBOL, '0.3');
    await look(writer, account, '100');
    expect(await profitOf(account)).toBe('-90');
    world.marks.set(SYMBOL, '0.2');
    expect(await ask(account, { limitPrice: '0.6' })).toBe('RISK_DAILY_LOSS');
    // Realized, it is the same loss, not another one.
    world.marks.set(SYMBOL, '1.2');
    expect(await profitOf(account)).toBe('0');
  });

  test('of days without a watcher all counts for the day that it is', async () => {
    const { account, writer } = await watched();
    await look(writer, account, '100');
    world.clock.ms += 5 * DAY_MS;
    world.marks.set(SYMBOL, '1.5');
    expect(await profitOf(account)).toBe('-50');
  });

  test('without a fresh price of what is held is not known, and nothing is opened; a look then leaves the earlier word', async () => {
    const { account, writer } = await watched();
    await look(writer, account, '100');
    world.marks.delete(SYMBOL);
    expect(await profitOf(account)).toBeNull();
    expect(await ask(account)).toBe('RISK_PRICE_UNKNOWN');
    expect(await ask(account, { side: 'sell', reduceOnly: true })).toBeNull();
    await look(writer, account, '100');
    world.clock.ms += DAY_MS;
    world.marks.set(SYMBOL, '1');
    expect(await profitOf(account)).toBe('-100');
  });

  test('is the account\'s own', async () => {
    const [losing, other] = [await watched({ maxDailyLoss: '1' }), await watched({ maxDailyLoss: '1' })];
    await look(losing.writer, losing.account, '100');
    world.marks.set(SYMBOL, '1');
    expect(await ask(losing.account, { limitPrice: '1' })).toBe('RISK_DAILY_LOSS');
    expect(await ask(other.account, { limitPrice: '1' })).toBeNull();
  });
});

describe('the price band', () => {
  test('holds orders against the mark in the placing transaction', async () => {
    const { account } = await watched({ priceBandPercent: '10' });
    expect(await ask(account, { limitPrice: '2.2' })).toBeNull();
    expect(await ask(account, { limitPrice: '2.2001' })).toBe('RISK_PRICE_BAND');
    world.quotes.set(SYMBOL, { bid: '1.7', ask: '2.1' });
    expect(await ask(account, { type: 'market', timeInForce: 'IOC', limitPrice: null })).toBeNull();
    expect(await ask(account, { type: 'market', timeInForce: 'IOC', limitPrice: null, side: 'sell' })).toBe('RISK_PRICE_BAND');
    world.marks.delete(SYMBOL);
    expect(await ask(account, { limitPrice: '2' })).toBe('RISK_PRICE_UNKNOWN');
  });

  test('holds amendments, too, a sell that is only made cheaper among them', async () => {
    const { account } = await watched({ priceBandPercent: '10' });
    const intent = intentFor(account, { side: 'sell', limitPrice: '3' });
    await world.store.placing.recordOrders([intent], OWNER);
    await world.store.evidence.apply([{ orderId: intent.id, evidence: { kind: 'venueView', key: 'v', source: 'answer', at: isoTime(world.clock.nowMs()), order: { venueOrderId: 'v1', venueClientId: intent.venueClientId, venueSymbol: VENUE_SYMBOL, side: 'sell', type: 'limit', timeInForce: 'GTC', quantity: '10', limitPrice: '3', filledQuantity: '0', avgPrice: null, status: 'open', reasonCode: null, postOnly: false, reduceOnly: false, revision: 1, updatedAtMs: world.clock.nowMs() } } }]);
    const amend = async (limitPrice: string): Promise<string> => {
      const revision = (await world.store.orders.byId(intent.id))?.revision ?? 0;
      const answer = await world.store.mutations.record({ id: randomUUID(), kind: 'amend', userId: account.userId, accountId: account.id, venue: 'paper', orderId: intent.id, expectedRevision: revision, limitPrice, quantity: null, sendBefore: isoTime(world.clock.nowMs() + 10_000) }, OWNER);
      return answer.verdict === 'denied' ? answer.code : answer.verdict;
    };
    expect(await amend('1.79')).toBe('RISK_PRICE_BAND');
    expect(await amend('1.8')).toBe('accepted');
  });
});

describe('a denial on its own', () => {
  const stamp = () => ({ key: randomUUID(), route: 'POST /orders', bodyHash: 'x' });

  test('is recorded as from a workflow: row, figures, event, key', async () => {
    const { account } = await watched({ maxOrderNotional: '10' });
    const intent = intentFor(account, { idempotency: stamp() });
    expect(await world.store.placing.recordDenied(intent)).toBe(true);
    expect(await world.store.orders.byId(intent.id)).toMatchObject({ state: 'DENIED', reasonCode: 'RISK_ORDER_NOTIONAL', ownerWorkflowId: null });
    const timeline = await world.store.orders.timeline(intent.id, account.userId);
    expect(timeline?.risk).toMatchObject({ verdict: 'denied', figures: { orderNotional: '20', maxOrderNotional: '10' } });
    expect(timeline?.events.map((event) => event.type)).toEqual(['order.denied']);
    expect(await world.store.idempotency.find(account.userId, intent.idempotency?.key ?? '')).toMatchObject({ orderId: intent.id });
    const group = await world.store.placing.recordOrders([intentFor(account, { clientOrderId: intent.clientOrderId, quantity: '1' })], OWNER);
    expect(group).toEqual({ items: [{ orderId: intent.id, verdict: 'duplicate' }], calls: [] });
  });

  test('of what passes, or is there already, leaves nothing', async () => {
    const { account } = await watched({ maxOrderNotional: '30' });
    const passing = intentFor(account, { idempotency: stamp() });
    expect(await world.store.placing.recordDenied(passing)).toBe(false);
    expect(await world.store.orders.byId(passing.id)).toBeNull();
    expect(await world.store.idempotency.find(account.userId, passing.idempotency?.key ?? '')).toBeNull();
    const group = await world.store.placing.recordOrders([passing], OWNER);
    expect(group.items).toEqual([{ orderId: passing.id, verdict: 'accepted' }]);
    const repeat = intentFor(account, { clientOrderId: passing.clientOrderId, quantity: '100', idempotency: stamp() });
    expect(await world.store.placing.recordDenied(repeat)).toBe(false);
    expect(await world.store.idempotency.find(account.userId, repeat.idempotency?.key ?? '')).toBeNull();
    expect((await world.store.events.since(`account:${account.id}`, 0, 100)).filter((event) => event.type.startsWith('order.')).map((event) => event.type)).toEqual(['order.submitting']);
  });
});
