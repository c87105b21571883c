import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import { decimalText } from '../../../src/domain/decimal';
import { exposureOf, NO_EXPOSURE, plus } from '../../../src/domain/exposure';
import { fillKey } from '../../../src/domain/evidence';
import type { OrderIntent } from '../../../src/domain/order';
import type { VenueFill } from '../../../src/domain/venue';
import { fillOf, intentFor, OWNER, openStoreWorld, seen, SYMBOL, viewOf, type StoreWorld } from './harness';
import { queried } from '../../support/queried';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

async function placed(account: Account, changes: Partial<OrderIntent> = {}): Promise<OrderIntent> {
  const intent = intentFor(account, changes);
  await world.store.placing.recordOrders([intent], OWNER);
  return intent;
}

const fillEvidence = (intent: OrderIntent, fill: VenueFill) => ({ orderId: intent.id, evidence: { kind: 'fill' as const, key: fillKey(fill), fill, at: isoTime(fill.atMs) } });

/** Sums over the account's orders, by the pure rule, to hold against the stored figures. */
async function countedExposure(account: Account): Promise<Record<string, string | number>> {
  const rows = await queried<Parameters<typeof exposureOf>[0]>(
    world.databaseUrl,
    `SELECT state, side, reduce_only AS "reduceOnly", filled_quantity::text AS "filledQuantity", leaves_quantity::text AS "leavesQuantity", fills_quantity::text AS "fillsQuantity", fills_missing::text AS "fillsMissing", valuation_price::text AS "valuationPrice", amend_quantity::text AS "amendQuantity", amend_valuation::text AS "amendValuation" FROM orders WHERE account_id = $1`,
    account.id,
  );
  const { openOrders, ...sums } = rows.reduce((total, row) => plus(total, exposureOf(row)), NO_EXPOSURE);
  return { openOrders, ...Object.fromEntries(Object.entries(sums).map(([field, value]) => [field, decimalText(value)])) };
}

async function storedExposure(account: Account): Promise<Record<string, string | number>> {
  const { openOrders, symbols } = await world.store.accounts.figures(account.id, [SYMBOL]);
  const { openBuyQuantity, openSellQuantity, openBuyNotional, openSellNotional, reduceOnlyBuyQuantity, reduceOnlySellQuantity } = symbols[SYMBOL] ?? {};
  return { openOrders, openBuyQuantity: openBuyQuantity ?? '', openSellQuantity: openSellQuantity ?? '', openBuyNotional: openBuyNotional ?? '', openSellNotional: openSellNotional ?? '', reduceOnlyBuyQuantity: reduceOnlyBuyQuantity ?? '', reduceOnlySellQuantity: reduceOnlySellQuantity ?? '' };
}

describe('evidence', () => {
  test('counts once, by whatever way and however often it comes', async () => {
    const account = await world.newAccount();
    const intent = await placed(account);
    const fill = fillOf(intent, { quantity: '4' });
    const other = await world.openAnother();
    await Promise.all([world.store.evidence.apply([fillEvidence(intent, fill)]), other.evidence.apply([fillEvidence(intent, fill), fillEvidence(intent, fill)]), world.store.evidence.apply([fillEvidence(intent, fill)])]);
    expect(await world.store.orders.byId(intent.id)).toMatchObject({ filledQuantity: '4', leavesQuantity: '6', state: 'PARTIALLY_FILLED', avgPrice: '2', fee: '0.01' });
    expect((await world.store.fills.list({ userId: account.userId, accountId: account.id, orderId: null, symbol: null, venue: null, cursor: null, limit: 10 })).fills).toHaveLength(1);
  });

  test('about an order that does not exist is an error, not silence', async () => {
    const intent = intentFor(await world.newAccount());
    await expect(world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }])).rejects.toThrow();
  });

  test('of fills makes the position and the day\'s profit, fees off', async () => {
    const account = await world.newAccount();
    const buy = await placed(account, { quantity: '10' });
    const sell = await placed(account, { side: 'sell', limitPrice: '3', quantity: '4' });
    await world.store.evidence.apply([fillEvidence(buy, fillOf(buy, { price: '2', fee: '0.1' })), fillEvidence(sell, fillOf(sell, { price: '3', fee: '0.2' }))]);
    const { positions: [position] } = await world.store.positions.list({ userId: account.userId, status: 'open', accountId: account.id, symbol: null, venue: null, cursor: null, limit: 100 });
    expect(position).toMatchObject({ side: 'long', quantity: '6', entryPrice: '2', realizedPnl: '4', markPrice: '2', notional: '12' });
    expect(await world.store.positions.byId(position?.id ?? '', account.userId)).toEqual(position);
    expect(await world.store.positions.byId(position?.id ?? '', 'a stranger')).toBeNull();
    expect((await world.store.accounts.figures(account.id)).dailyProfit).toBe('3.7');
  });

  test('keeps an unknown order\'s reservation whole, and gives it back when it ends', async () => {
    const account = await world.newAccount();
    const intent = await placed(account);
    const at = isoTime(Date.now());
    await world.store.evidence.apply([{ orderId: intent.id, evidence: { kind: 'outcomeUnknown', key: 'unknown/1', message: 'timeout', at } }]);
    expect((await world.store.accounts.figures(account.id)).symbols[SYMBOL]).toMatchObject({ openBuyQuantity: '10', openBuyNotional: '20' });
    await world.store.evidence.apply([{ orderId: intent.id, evidence: { kind: 'neverPlaced', key: 'never/1', message: 'absent', at } }]);
    expect((await world.store.accounts.figures(account.id, [SYMBOL])).symbols[SYMBOL]).toMatchObject({ openBuyQuantity: '0', openBuyNotional: '0' });
  });

  test('that a rejected order lives after all takes its reservation again, and risk counts it', async () => {
    const account = await world.newAccount({ limits: { maxOpenOrders: 1 } });
    const intent = await placed(account);
    const at = isoTime(Date.now());
    await world.store.evidence.apply([{ orderId: intent.id, evidence: { kind: 'neverPlaced', key: 'never/1', message: 'absent', at } }]);
    await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent, { filledQuantity: '4', avgPrice: '2' })) }]);
    expect(await world.store.orders.byId(intent.id)).toMatchObject({ state: 'PARTIALLY_FILLED', leavesQuantity: '6', reasonCode: null, closedAt: null });
    await world.store.evidence.apply([fillEvidence(intent, fillOf(intent, { quantity: '4' }))]);
    expect(await storedExposure(account)).toMatchObject({ openOrders: 1, openBuyQuantity: '6', openBuyNotional: '12' });
    expect(await storedExposure(account)).toEqual(await countedExposure(account));
    const next = await placed(account);
    expect(await world.store.orders.byId(next.id)).toMatchObject({ state: 'DENIED', reasonCode: 'RISK_OPEN_ORDERS' });
    await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent, { status: 'canceled', filledQuantity: '4', avgPrice: '2', revision: 2, updatedAtMs: Date.now() + 1_000 })) }]);
    expect(await storedExposure(account)).toMatchObject({ openOrders: 0, openBuyQuantity: '0', openBuyNotional: '0' });
  });

  test('that an order filled is counted as exposure until its fills are the position\'s', async () => {
    const account = await world.newAccount({ limits: { maxPositionNotional: '30' } });
    const intent = await placed(account);
    await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent, { status: 'filled', filledQuantity: '10', avgPrice: '2', revision: 2 })) }]);
    expect(await world.store.orders.byId(intent.id)).toMatchObject({ state: 'FILLED' });
    expect(await storedExposure(account)).toMatchObject({ openOrders: 0, openBuyQuantity: '10', openBuyNotional: '20' });
    const tooMuch = await placed(account);
    expect(await world.store.orders.byId(tooMuch.id)).toMatchObject({ state: 'DENIED', reasonCode: 'RISK_POSITION_NOTIONAL' });
    await world.store.evidence.apply([fillEvidence(intent, fillOf(intent, { quantity: '3' }))]);
    expect(await storedExposure(account)).toMatchObject({ openOrders: 0, openBuyQuantity: '7', openBuyNotional: '14' });
    await world.store.evidence.apply([fillEvidence(intent, fillOf(intent, { quantity: '7' }))]);
    expect(await storedExposure(account)).toMatchObject({ openOrders: 0, openBuyQuantity: '0', openBuyNotional: '0' });
    expect((await world.store.accounts.figures(account.id, [SYMBOL])).symbols[SYMBOL]).toMatchObject({ positionQuantity: '10' });
    expect(await storedExposure(account)).toEqual(await countedExposure(account));
  });

  test('under load from several processes leaves a stream without a gap and exposures that add up', async () => {
    const account = await world.newAccount({ balance: '1000000', limits: { maxOpenOrders: 1_000 } });
    const stores = [world.store, await world.openAnother(), await world.openAnother()];
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const store = stores[index % 3] ?? world.store;
        const intent = intentFor(account, { side: index % 2 === 0 ? 'buy' : 'sell', quantity: String((index % 9) + 1), limitPrice: index % 2 === 0 ? '1.9' : '2.1' });
        await store.placing.recordOrders([intent], OWNER);
        const view = viewOf(intent);
        const filled = decimalText(String(Math.floor(((index % 9) + 1) / 2)));
        const steps = [seen(view), fillEvidence(intent, fillOf(intent, { quantity: filled === '0' ? intent.quantity : filled })).evidence, ...(index % 5 === 0 ? [seen({ ...view, status: 'canceled', revision: 2 })] : [])];
        await Promise.all(steps.map((evidence, step) => (stores[(index + step) % 3] ?? store).evidence.apply([{ orderId: intent.id, evidence }])));
      }),
    );
    const events = await world.store.events.since(`account:${account.id}`, 0, 10_000);
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.sequence).toBe((await world.store.events.heads([`account:${account.id}`])).get(`account:${account.id}`));
    expect(await storedExposure(account)).toEqual(await countedExposure(account));
  });
});
