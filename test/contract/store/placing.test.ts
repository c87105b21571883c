import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { decimal } from '../../../src/domain/decimal';
import { intentFor, OWNER, openStoreWorld, signingVenue, SYMBOL, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld([signingVenue('counting', { nonceRule: 'increment', maxBatchSize: 2 }), signingVenue('plain', { reduceOnly: false })]);
});
afterAll(() => world.close());

describe('a group of orders', () => {
  test('is recorded with a verdict each, in the order given, and one call per batch', async () => {
    const account = await world.newAccount();
    const intents = [intentFor(account), intentFor(account, { quantity: '100000' }), intentFor(account)];
    const group = await world.store.placing.recordOrders(intents, OWNER);
    expect(group.items).toEqual([
      { orderId: intents[0]?.id, verdict: 'accepted' },
      { orderId: intents[1]?.id, verdict: 'denied' },
      { orderId: intents[2]?.id, verdict: 'accepted' },
    ]);
    expect(group.calls).toEqual([{ attemptId: expect.any(String), venue: 'paper', accountId: account.id, orderIds: [intents[0]?.id, intents[2]?.id], exit: false }]);
    const orders = await world.store.orders.byIds(intents.map((intent) => intent.id));
    expect(new Map(orders.map((order) => [order.id, order.state]))).toEqual(new Map([[intents[0]?.id, 'SUBMITTING'], [intents[1]?.id, 'DENIED'], [intents[2]?.id, 'SUBMITTING']]));
  });

  test('shows the figures of a refusal', async () => {
    const account = await world.newAccount({ limits: { maxOrderNotional: '100' } });
    const intent = intentFor(account, { quantity: '51' });
    await world.store.placing.recordOrders([intent], OWNER);
    const timeline = await world.store.orders.timeline(intent.id, account.userId);
    expect(timeline?.risk).toEqual({ verdict: 'denied', code: 'RISK_ORDER_NOTIONAL', message: 'order notional 102 is above 100', figures: { status: 'ACTIVE', orderNotional: '102', maxOrderNotional: '100' } });
    expect(timeline?.attempts).toEqual([]);
  });

  test('refuses a reduce-only order where the venue knows none: it could open what it was to close', async () => {
    const account = await world.newAccount({ venue: 'plain' });
    const writer = await world.store.watching.takeEpoch(`account:${account.id}`, 'test');
    await world.store.watching.putPositions(writer, account.id, [{ venueSymbol: 'XRPUSDT', side: 'long', quantity: '30', entryPrice: '2', markPrice: '2', leverage: '10', margin: '6', liquidationPrice: null, unrealizedPnl: '0', realizedPnl: '0' }], world.clock.nowMs());
    const exit = intentFor(account, { side: 'sell', reduceOnly: true });
    const group = await world.store.placing.recordOrders([exit, intentFor(account, { side: 'sell' })], OWNER);
    expect(group.items.map((item) => item.verdict)).toEqual(['denied', 'accepted']);
    expect(await world.store.orders.byId(exit.id)).toMatchObject({ state: 'DENIED', reasonCode: 'UNPROCESSABLE', reasonMessage: 'plain takes no reduce-only orders' });
  });

  test('keeps exits apart from entries, so that they can use the reserve', async () => {
    const account = await world.newAccount();
    const writer = await world.store.watching.takeEpoch(`account:${account.id}`, 'test');
    await world.store.watching.putPositions(writer, account.id, [{ venueSymbol: 'XRPUSDT', side: 'long', quantity: '30', entryPrice: '2', markPrice: '2', leverage: '10', margin: '6', liquidationPrice: null, unrealizedPnl: '0', realizedPnl: '0' }], world.clock.nowMs());
    const group = await world.store.placing.recordOrders([intentFor(account), intentFor(account, { side: 'sell', reduceOnly: true })], OWNER);
    expect(group.calls.map((call) => call.exit)).toEqual([false, true]);
  });

  test('an order that a workflow placed says so, in its row and in its event; a caller\'s own names nobody', async () => {
    const account = await world.newAccount();
    const own = intentFor(account);
    const child = intentFor(account, { origin: 'STRATEGY', supervision: { workflowId: 'twap/a/1', parentOrderId: own.id, strategyId: 's1', orderListId: 'l1', contingencyType: 'OUO' } });
    await world.store.placing.recordOrders([own, child], OWNER);
    const shown = { origin: 'STRATEGY', supervisorWorkflowId: 'twap/a/1', parentOrderId: own.id, strategyId: 's1', orderListId: 'l1', contingencyType: 'OUO', state: 'SUBMITTING' };
    expect(await world.store.orders.byId(child.id)).toMatchObject(shown);
    expect((await world.store.events.ofOrder(child.id)).map(({ data }) => data['order'])).toEqual([expect.objectContaining(shown)]);
    expect(await world.store.orders.byId(own.id)).toMatchObject({ supervisorWorkflowId: null, parentOrderId: null, strategyId: null, orderListId: null, contingencyType: null, execution: null });
  });

  test('that is recorded again by its owner gets the same answer and adds nothing', async () => {
    const account = await world.newAccount();
    const intents = [intentFor(account, { idempotency: { key: randomUUID(), route: 'POST /orders', bodyHash: 'x' } }), intentFor(account, { quantity: '100000' })];
    const first = await world.store.placing.recordOrders(intents, OWNER);
    const events = await world.store.events.heads([`account:${account.id}`]);
    const other = await world.openAnother();
    expect(await other.placing.recordOrders(intents, OWNER)).toEqual(first);
    expect(await world.store.events.heads([`account:${account.id}`])).toEqual(events);
  });

  test('of another owner, with the same client order id, gets the first one\'s order as a duplicate, and the others go on', async () => {
    const account = await world.newAccount();
    const mine = intentFor(account, { clientOrderId: 'mine' });
    await world.store.placing.recordOrders([mine], OWNER);
    const fresh = intentFor(account);
    const group = await world.store.placing.recordOrders([intentFor(account, { clientOrderId: 'mine' }), fresh], { ...OWNER, ownerWorkflowId: 'order/another' });
    expect(group.items).toEqual([{ orderId: mine.id, verdict: 'duplicate' }, { orderId: fresh.id, verdict: 'accepted' }]);
    expect(group.calls.map((call) => call.orderIds)).toEqual([[fresh.id]]);
  });

  test('with one client order id twice, or one Idempotency-Key twice, places it once', async () => {
    const account = await world.newAccount();
    const stamp = { key: randomUUID(), route: 'POST /orders', bodyHash: 'x' };
    const intents = [intentFor(account, { clientOrderId: 'twice' }), intentFor(account, { clientOrderId: 'twice' }), intentFor(account, { idempotency: stamp }), intentFor(account, { idempotency: stamp })];
    const group = await world.store.placing.recordOrders(intents, OWNER);
    expect(group.items.map((item) => item.verdict)).toEqual(['accepted', 'duplicate', 'accepted', 'duplicate']);
    expect(group.items[1]?.orderId).toBe(intents[0]?.id);
    expect(group.items[3]?.orderId).toBe(intents[2]?.id);
  });

  test('leaves the record of its Idempotency-Key, for a week', async () => {
    const account = await world.newAccount();
    const key = randomUUID();
    const intent = intentFor(account, { idempotency: { key, route: 'POST /orders', bodyHash: 'hash' } });
    await world.store.placing.recordOrders([intent], OWNER);
    expect(await world.store.idempotency.find(account.userId, key)).toEqual({ route: 'POST /orders', bodyHash: 'hash', orderId: intent.id, isOwn: true });
    const later = await world.openAnother({ clock: { nowMs: () => world.clock.nowMs() + 8 * 86_400_000 } });
    expect(await later.idempotency.find(account.userId, key)).toBeNull();
    const again = intentFor(account, { idempotency: { key, route: 'POST /orders', bodyHash: 'other' } });
    expect((await later.placing.recordOrders([again], OWNER)).items[0]?.verdict).toBe('accepted');
  });

  test('of an account that is not there says so, and beside others is left out', async () => {
    const account = await world.newAccount();
    const lost = { ...account, id: randomUUID() };
    await expect(world.store.placing.recordOrders([intentFor(lost)], OWNER)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const stranger = intentFor(account, { userId: randomUUID() });
    const group = await world.store.placing.recordOrders([intentFor(lost), stranger, intentFor(account)], OWNER);
    expect(group.items.map((item) => item.verdict)).toEqual(['denied', 'denied', 'accepted']);
    expect(await world.store.orders.byId(stranger.id)).toBeNull();
  });

  test('denies what its venue adapter cannot sign, and sends the rest', async () => {
    const account = await world.newAccount();
    world.marks.set('BAD-PERP', '2');
    const bad = intentFor(account, { symbol: 'BAD-PERP', venueSymbol: 'UNSIGNABLE', reduceOnly: false });
    const good = intentFor(await world.newAccount());
    const group = await world.store.placing.recordOrders([bad, good], OWNER);
    expect(group.items.map((item) => item.verdict)).toEqual(['denied', 'accepted']);
    expect((await world.store.orders.byId(bad.id))?.reasonMessage).toContain('this market cannot be signed');
    expect((await world.store.accounts.figures(bad.accountId, ['BAD-PERP'])).openOrders).toBe(0);
  });

  test('with a balance that was never read is denied: risk fails closed', async () => {
    const intent = intentFor(await world.newAccount({ balance: null }));
    expect((await world.store.placing.recordOrders([intent], OWNER)).items[0]?.verdict).toBe('denied');
    expect((await world.store.orders.byId(intent.id))?.reasonCode).toBe('INSUFFICIENT_BALANCE');
  });
});

describe('concurrent orders', () => {
  test('cannot over-commit: of 50 at once, with margin for 10, exactly 10 are accepted', async () => {
    // 10 XRP at 2, leverage 10: each needs 2 of margin.
    const account = await world.newAccount({ balance: '20' });
    const [other, third] = [await world.openAnother(), await world.openAnother()];
    const stores = [world.store, other, third];
    const groups = await Promise.all(Array.from({ length: 50 }, (_, index) => (stores[index % 3] ?? world.store).placing.recordOrders([intentFor(account)], OWNER)));
    expect(groups.filter((group) => group.items[0]?.verdict === 'accepted')).toHaveLength(10);
    const figures = await world.store.accounts.figures(account.id);
    expect(figures.openOrders).toBe(10);
    expect(figures.symbols[SYMBOL]?.openBuyNotional).toBe('200');
  });

  test('of two accounts, listed in opposite orders, all get through', async () => {
    const [a, b] = [await world.newAccount(), await world.newAccount()];
    const other = await world.openAnother();
    const groups = await Promise.all(Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? world.store.placing.recordOrders([intentFor(a), intentFor(b)], OWNER) : other.placing.recordOrders([intentFor(b), intentFor(a)], OWNER))));
    expect(groups.flatMap((group) => group.items).every((item) => item.verdict === 'accepted')).toBe(true);
  });

  test('of one signer, over accounts and processes, use each nonce once and leave none out', async () => {
    const signerId = `counting/${randomUUID()}`;
    const accounts = await Promise.all(Array.from({ length: 4 }, () => world.newAccount({ venue: 'counting', signerId })));
    const other = await world.openAnother();
    const groups = await Promise.all(accounts.flatMap((account, index) => Array.from({ length: 5 }, (_, round) => ((index + round) % 2 === 0 ? world.store : other).placing.recordOrders([intentFor(account), intentFor(account), intentFor(account)], OWNER))));
    const calls = groups.flatMap((group) => group.calls);
    expect(calls).toHaveLength(40);
    const nonces = await Promise.all(calls.map(async (call) => {
      const rights = [await world.store.sending.takeSend(call.attemptId), await other.sending.takeSend(call.attemptId)];
      return Number(rights.find((right) => right?.maybeSent === false)?.request?.nonce);
    }));
    expect(nonces.sort((x, y) => x - y)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  test('of one Idempotency-Key on two accounts make one order', async () => {
    const [a, b] = [await world.newAccount(), await world.newAccount()];
    const stamp = { key: randomUUID(), route: 'POST /orders', bodyHash: 'x' };
    const other = await world.openAnother();
    const groups = await Promise.all([world.store.placing.recordOrders([intentFor(a, { idempotency: stamp })], OWNER), other.placing.recordOrders([intentFor(b, { idempotency: stamp })], OWNER)]);
    expect(groups.flatMap((group) => group.items.map((item) => item.verdict)).sort()).toEqual(['accepted', 'duplicate']);
    expect(groups.flatMap((group) => group.calls)).toHaveLength(1);
  });
});

test('the margin of what is open never exceeds what is there, whatever is asked', async () => {
  const account = await world.newAccount({ balance: '50', limits: { maxOpenOrders: 10_000 } });
  for (let round = 0; round < 10; round += 1) {
    const quantities = Array.from({ length: 8 }, (_, index) => String(((round * 7 + index * 13) % 40) + 1));
    await Promise.all(quantities.map((quantity, index) => world.store.placing.recordOrders([intentFor(account, { quantity, side: index % 2 === 0 ? 'buy' : 'sell' })], OWNER)));
  }
  const { openBuyNotional = '0', openSellNotional = '0' } = (await world.store.accounts.figures(account.id)).symbols[SYMBOL] ?? {};
  for (const notional of [openBuyNotional, openSellNotional]) expect(decimal(notional).dividedBy(10).lessThanOrEqualTo('50')).toBe(true);
});
