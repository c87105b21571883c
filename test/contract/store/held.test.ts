import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderCondition } from '../../../src/domain/condition';
import type { HeldTerms } from '../../../src/domain/evidence';
import { UNCONDITIONAL } from '../../../src/domain/order';
import { triggerOf, type TriggerEvidence, type TriggerParameters } from '../../../src/domain/trigger';
import { until } from '../streams/bus-until';
import { intentFor, openStoreWorld, OWNER, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

describe('orders that wait in workflows', () => {
  test('an order that waits is ARMED, costs nothing, is not sent, and is nothing that a venue is asked about', async () => {
    const account = await world.newAccount();
    const stop = intentFor(account, { type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: true, condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark', gapPolicy: 'traded' } });
    const group = await world.store.placing.recordOrders([stop], OWNER);
    expect(group).toEqual({ items: [{ orderId: stop.id, verdict: 'accepted' }], calls: [] });
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ state: 'ARMED', execution: 'durable', triggerPrice: '1.5' });
    expect(await world.store.orders.working(account.id)).toEqual([]);
    const figures = await world.store.accounts.figures(account.id, [stop.symbol]);
    expect([figures.openOrders, figures.symbols[stop.symbol]?.reduceOnlySellQuantity]).toEqual([0, '0']);
    expect(await world.store.placing.recordOrders([stop], OWNER)).toEqual(group);
  });

  describe('its trigger', () => {
    const waiting = { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark', gapPolicy: 'traded' } as const;
    const trail = { ...UNCONDITIONAL, execution: 'durable', trailingOffset: '0.1', trailingOffsetType: 'price', triggerPriceType: 'last', gapPolicy: 'traded' } as const;
    const accepted = async (condition: OrderCondition) => {
      const account = await world.newAccount();
      const stop = intentFor(account, { type: condition.trailingOffset === null ? 'stopMarket' : 'trailingStopMarket', side: 'sell', limitPrice: null, reduceOnly: true, condition });
      const heard: string[] = [];
      const listening = await world.store.events.listen((stream) => void heard.push(stream));
      await world.store.placing.recordOrders([stop], OWNER);
      return { account, stop, heard, listening, trigger: async () => (await world.store.triggers.byIds([`${stop.id}/0`]))[0] ?? null };
    };
    const amend = ({ account, stop }: Awaited<ReturnType<typeof accepted>>, expectedRevision: number, terms: HeldTerms) => world.store.held.amend({ orderId: stop.id, userId: account.userId, accountId: account.id, expectedRevision, terms });

    test('is armed by the transaction that accepts it, and its venue\'s watcher is told', async () => {
      const made = await accepted(waiting);
      expect(await made.trigger()).toMatchObject({ status: 'ARMED', revision: 1, workflowId: OWNER.ownerWorkflowId, symbol: made.stop.symbol, armedAtMs: world.clock.ms, checkpointAtMs: world.clock.ms, parameters: { kind: 'level', triggerPrice: '1.5', direction: 'atOrBelow', priceType: 'mark' } });
      await until('the watcher is told', () => made.heard.includes(`triggers:${made.account.venue}`));
      await made.listening.close();
      // Its workflow arms it again, and a repeat of the acceptance does.
      const armed = await made.trigger();
      world.clock.ms += 5_000;
      await world.store.placing.recordOrders([made.stop], OWNER);
      expect(await made.trigger()).toEqual(armed);
    });

    test('is there for no order that is refused or begins at a time', async () => {
      const later = await accepted({ ...waiting, startAt: new Date(world.clock.ms + 60_000).toISOString() });
      await later.listening.close();
      expect(await later.trigger()).toBeNull();
      const account = await world.newAccount();
      const refused = intentFor(account, { type: 'stopMarket', limitPrice: null, quantity: '100000', condition: waiting });
      expect((await world.store.placing.recordOrders([refused], OWNER)).items[0]?.verdict).toBe('denied');
      expect(await world.store.triggers.byIds([`${refused.id}/0`])).toEqual([]);
    });

    test('armed for a time that has passed counts from then on; one to come counts from now', async () => {
      const { account, stop, listening } = await accepted(waiting);
      await listening.close();
      const names = { userId: account.userId, accountId: account.id, workflowId: 'w', venue: account.venue, symbol: stop.symbol };
      const parameters = triggerOf({ ...stop, condition: waiting });
      if (parameters === null) throw new Error('the stop has a trigger');
      expect(await world.store.triggers.arm({ id: `${stop.id}/1`, ...names, parameters }, world.clock.ms - 9_000)).toMatchObject({ armedAtMs: world.clock.ms, checkpointAtMs: world.clock.ms - 9_000 });
      expect(await world.store.triggers.arm({ id: `${stop.id}/2`, ...names, parameters }, world.clock.ms + 9_000)).toMatchObject({ checkpointAtMs: world.clock.ms });
    });

    test('is amended with the order, one revision each time; only other terms begin anew', async () => {
      const made = await accepted(trail);
      await made.listening.close();
      const armedMs = world.clock.ms;
      world.clock.ms += 1_000;
      expect(await amend(made, 1, { quantity: '7' })).toMatchObject({ verdict: 'applied', order: { revision: 2 } });
      expect(await made.trigger()).toMatchObject({ revision: 2, checkpointAtMs: armedMs });
      expect(await amend(made, 2, { trailingOffset: '0.2' })).toMatchObject({ verdict: 'applied', order: { revision: 3 } });
      expect(await made.trigger()).toMatchObject({ revision: 3, checkpointAtMs: world.clock.ms, parameters: { trailingOffset: '0.2' } });
      // A repeat, and what its workflow says of it afterwards, changes nothing.
      await amend(made, 2, { trailingOffset: '0.2' });
      expect(await world.store.triggers.amend(`${made.stop.id}/0`, 3, { ...((await made.trigger())?.parameters as TriggerParameters), trailingOffset: '9' })).toMatchObject({ revision: 3, parameters: { trailingOffset: '0.2' } });
    });

    test('that took the place of one whose firing did not hold is amended with the order, and refuses once a price has reached it', async () => {
      const made = await accepted(waiting);
      await made.listening.close();
      const { account, stop } = made;
      const writer = await world.store.watching.takeEpoch(`market/${stop.id}`, 'first');
      const fire = (n: number, revision: number, price: string, level: string) =>
        world.store.triggers.fire(writer, { triggerId: `${stop.id}/${n}`, revision, price, priceType: 'mark', source: account.venue, backup: false, origin: 'stream', extreme: null, level, atMs: 1, observedAtMs: 2, sequence: 3, scope: writer.scope, epoch: writer.epoch });
      const second = async () => (await world.store.triggers.byIds([`${stop.id}/1`]))[0];
      expect((await fire(0, 1, '1.6', '1.5')).verdict).toBe('fired');
      expect(await amend(made, 1, { triggerPrice: '1.4' })).toMatchObject({ verdict: 'applied', order: { revision: 2 } });
      const first = await made.trigger();
      if (first === null) throw new Error('it was armed');
      const { id: _id, ...names } = first;
      // Its workflow arms the next one with the terms that it knows, as the second revision of them.
      await world.store.triggers.arm({ ...names, id: `${stop.id}/1`, parameters: { ...first.parameters, triggerPrice: '1.4' } }, undefined, 2);
      expect(await amend(made, 2, { triggerPrice: '1.3' })).toMatchObject({ verdict: 'applied', order: { revision: 3 } });
      expect(await second()).toMatchObject({ status: 'ARMED', revision: 3, parameters: { triggerPrice: '1.3' } });
      expect((await fire(1, 3, '1.25', '1.3')).verdict).toBe('fired');
      expect(await amend(made, 3, { triggerPrice: '1.2' })).toMatchObject({ verdict: 'denied', code: 'CONFLICT', message: 'its trigger was crossed already' });
    });

    test('that a price has reached refuses an amendment, though its workflow does not know yet', async () => {
      const made = await accepted(waiting);
      await made.listening.close();
      const writer = await world.store.watching.takeEpoch(`market/${made.stop.id}`, 'first');
      const evidence: TriggerEvidence = { triggerId: `${made.stop.id}/0`, revision: 1, price: '1.4', priceType: 'mark', source: made.account.venue, backup: false, origin: 'stream', extreme: null, level: '1.5', atMs: 1, observedAtMs: 2, sequence: 3, scope: writer.scope, epoch: writer.epoch };
      expect((await world.store.triggers.fire(writer, evidence)).verdict).toBe('fired');
      expect(await amend(made, 1, { triggerPrice: '1.2' })).toMatchObject({ verdict: 'denied', code: 'CONFLICT' });
      expect(await world.store.orders.byId(made.stop.id)).toMatchObject({ triggerPrice: '1.5', revision: 1 });
    });
  });

  test('an entry that waits gets a first check; one that could not pass now is DENIED', async () => {
    const account = await world.newAccount();
    const entry = intentFor(account, { type: 'stopMarket', limitPrice: null, quantity: '100000', condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '3', triggerPriceType: 'mark' } });
    expect((await world.store.placing.recordOrders([entry], OWNER)).items[0]?.verdict).toBe('denied');
  });

  test('of several amendments of one revision at once one is taken, and nobody else is told so', async () => {
    const account = await world.newAccount();
    const stop = intentFor(account, { type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: true, quantity: '10', condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark' } });
    await world.store.placing.recordOrders([stop], OWNER);
    const other = await world.openAnother();
    const prices = ['1.1', '1.2', '1.3', '1.4', '1.6', '1.7'];
    const answers = await Promise.all(prices.map((triggerPrice, index) => (index % 2 === 0 ? world.store : other).held.amend({ orderId: stop.id, userId: account.userId, accountId: account.id, expectedRevision: 1, terms: { triggerPrice } })));
    const taken = prices.filter((_, index) => answers[index]?.verdict === 'applied');
    expect(taken).toHaveLength(1);
    expect(answers.flatMap((answer) => (answer.verdict === 'denied' ? [answer.code] : []))).toEqual(Array(5).fill('PRECONDITION_FAILED'));
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ triggerPrice: taken[0], revision: 2 });
  });

  test('an armed order is amended against its revision, once, and not after it fired; its children\'s figures become its own', async () => {
    const account = await world.newAccount();
    const stop = intentFor(account, { type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: true, quantity: '10', condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark' } });
    await world.store.placing.recordOrders([stop], OWNER);
    const amend = (expectedRevision: number, triggerPrice: string) => world.store.held.amend({ orderId: stop.id, userId: account.userId, accountId: account.id, expectedRevision, terms: { triggerPrice } });
    expect(await amend(1, '1.6')).toMatchObject({ verdict: 'applied', order: { triggerPrice: '1.6', revision: 2 } });
    expect(await amend(1, '1.6')).toMatchObject({ verdict: 'applied', order: { revision: 2 } });
    // Of two with one revision the first is taken; a repeat of its terms is its repeat, other terms are another's.
    expect(await amend(1, '1.7')).toMatchObject({ verdict: 'denied', code: 'PRECONDITION_FAILED', message: 'the order is at revision 2, not 1' });
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ triggerPrice: '1.6', revision: 2 });
    expect(await amend(7, '1.7')).toMatchObject({ verdict: 'denied', code: 'PRECONDITION_FAILED' });
    const at = new Date(world.clock.nowMs()).toISOString();
    await world.store.evidence.apply([{ orderId: stop.id, evidence: { kind: 'triggered', key: 'triggered', trigger: { level: '1.6' }, at } }]);
    expect(await amend(3, '1.7')).toMatchObject({ verdict: 'denied', code: 'CONFLICT' });
    await world.store.evidence.apply([{ orderId: stop.id, evidence: { kind: 'childrenSeen', key: 'children/4', filledQuantity: '4', avgPrice: '1.5', fee: '0.1', feeAsset: 'USDT', at } }]);
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ state: 'PARTIALLY_FILLED', filledQuantity: '4', leavesQuantity: '6', avgPrice: '1.5', fee: '0.1', triggeredAt: at });
    await world.store.evidence.apply([{ orderId: stop.id, evidence: { kind: 'childrenSeen', key: 'children/10', filledQuantity: '10', avgPrice: '1.5', fee: '0.2', feeAsset: 'USDT', at } }]);
    expect(await world.store.orders.byId(stop.id)).toMatchObject({ state: 'FILLED', leavesQuantity: '0' });
  });
});
