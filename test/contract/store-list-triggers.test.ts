/** The triggers of order lists: amended with their leg, armed by what the list says then, and counting from when the leg became due. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account } from '../../src/domain/account';
import type { OrderIntent } from '../../src/domain/order';
import { breakEvenTrigger, breakEvenTriggerId, legTrigger, legTriggerId, type LegTerms, type OrderList, type OrderListLeg } from '../../src/domain/order-list';
import type { LegAmendment } from '../../src/domain/order-list-commands';
import type { Trigger, TriggerEvidence, TriggerParameters } from '../../src/domain/trigger';
import { until } from './bus-until';
import { exitLeg } from './list-legs';
import { fillOf, intentFor, openStoreWorld, OWNER, seen, SYMBOL, viewOf, type StoreWorld } from './store-harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

const leg = (account: Account, n: number, terms: Partial<LegTerms> = {}): OrderListLeg => exitLeg(account, n, { quantity: '10', limitPrice: '3', ...terms });

const STOP = { type: 'stopMarket', limitPrice: null, triggerPrice: '1', triggerPriceType: 'last', gapPolicy: 'traded' } as const;

async function listOf(account: Account, type: OrderList['type'], legs: readonly OrderListLeg[], change: Partial<OrderList> = {}): Promise<OrderList> {
  const id = randomUUID();
  const made = await world.store.orderLists.create({ id, clientListId: `c-${id}`, userId: account.userId, accountId: account.id, venue: account.venue, symbol: SYMBOL, type, legs, expireTime: null, timeLimitMs: null, breakEvenAfter: null, ownerWorkflowId: `order-list/${id}` }, null);
  return { ...made, ...change };
}

const exits = (account: Account): Promise<OrderList> => listOf(account, 'OUO', [leg(account, 0), leg(account, 1, STOP)]);
const bracket = (account: Account): Promise<OrderList> => listOf(account, 'BRACKET', [leg(account, 0, { role: 'entry', side: 'buy', reduceOnly: false, limitPrice: '2' }), leg(account, 1, { role: 'takeProfit' }), leg(account, 2, { ...STOP, role: 'stop' })]);
const legAt = (list: OrderList, n: number): OrderListLeg => list.legs[n] as OrderListLeg;

/** As its workflow does it: it decided by the list that it read. */
const arm = (list: OrderList, n: number, parameters: TriggerParameters | null = legTrigger(legAt(list, n)), id = legTriggerId(list.id, legAt(list, n))): Promise<Trigger | null> =>
  world.store.orderLists.armTrigger(list.id, { id, userId: list.userId, accountId: list.accountId, workflowId: list.ownerWorkflowId, venue: list.venue, symbol: list.symbol, parameters: parameters as TriggerParameters });
const amend = (list: OrderList, ...legs: readonly LegAmendment[]): Promise<OrderList> => world.store.orderLists.command(list.id, list.userId, { kind: 'amend', expectedRevision: list.revision, legs });
const triggerOfLeg = async (list: OrderList, n: number): Promise<Trigger | null> => (await world.store.triggers.byIds([legTriggerId(list.id, legAt(list, n))]))[0] ?? null;

async function fire(trigger: Trigger | null, price: string): Promise<void> {
  if (trigger === null) throw new Error('it was not armed');
  const writer = await world.store.watching.takeEpoch(`market/${trigger.id}`, 'first');
  const level = trigger.parameters.triggerPrice ?? '';
  const evidence: TriggerEvidence = { triggerId: trigger.id, revision: trigger.revision, price, priceType: trigger.parameters.priceType, source: trigger.venue, backup: false, origin: 'stream', extreme: null, level, atMs: 1, observedAtMs: 2, sequence: 3, scope: writer.scope, epoch: writer.epoch };
  expect((await world.store.triggers.fire(writer, evidence)).verdict).toBe('fired');
}

/** An order of the list that filled at the venue at that time. */
async function filled(list: OrderList, account: Account, n: number, atMs: number, quantity = '10'): Promise<void> {
  const { n: after } = (await world.store.orderLists.children(list.id)).at(-1) ?? { n: 0 };
  const { side, limitPrice, reduceOnly } = legAt(list, n);
  const present = await world.store.orderLists.byId(list.id);
  const recorded = await world.store.orderLists.advance(list.id, { revision: present?.revision ?? 0, afterN: after, note: null, place: [{ leg: n, step: 'rest', version: 0, type: 'limit', timeInForce: 'GTC', postOnly: false, quantity, limitPrice }], cancel: [], alerts: [] });
  const changes: Partial<OrderIntent> = { id: recorded?.children[0]?.orderId ?? '', side, limitPrice, quantity, reduceOnly };
  const intent = intentFor(account, changes);
  expect((await world.store.placing.recordOrders([intent], OWNER)).items[0]?.verdict).toBe('accepted');
  await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
  const fill = fillOf(intent, { atMs });
  await world.store.evidence.apply([{ orderId: intent.id, evidence: { kind: 'fill', key: `fill/${fill.venueFillId}`, fill, at: new Date(world.clock.ms).toISOString() } }]);
}

describe('who is answered that a stop of a list was moved is watched at its new level', () => {
  test('its trigger is amended in the same transaction, and its venue\'s watcher is told', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    await arm(list, 1);
    const heard: string[] = [];
    const listening = await world.store.events.listen((stream) => void heard.push(stream));
    world.clock.ms += 1_000;
    const amended = await amend(list, { n: 1, triggerPrice: '1.1' });
    expect(await triggerOfLeg(list, 1)).toMatchObject({ status: 'ARMED', revision: 2, checkpointAtMs: world.clock.ms, parameters: { triggerPrice: '1.1' } });
    await until('the watcher is told', () => heard.includes(`triggers:${account.venue}`));
    await listening.close();
    // What its workflow says of it afterwards changes nothing, and each further amendment is one more.
    await world.store.triggers.amend(legTriggerId(list.id, legAt(list, 1)), 2, legTrigger(legAt(list, 1)) as TriggerParameters);
    await amend(amended, { n: 1, triggerPrice: '1.2' });
    expect(await triggerOfLeg(list, 1)).toMatchObject({ revision: 3, parameters: { triggerPrice: '1.2' } });
  });

  test('a price that has come already refuses it, though its workflow does not know yet; one that did not hold does not', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    await arm(list, 1);
    await fire(await triggerOfLeg(list, 1), '0.9');
    await expect(amend(list, { n: 1, triggerPrice: '0.8' })).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('leg 1') });
    expect(await world.store.orderLists.byId(list.id)).toMatchObject({ revision: list.revision, legs: [{}, { version: 0, triggerPrice: '1' }] });
    // The other leg waits for no price.
    expect(await amend(list, { n: 0, limitPrice: '3.1' })).toMatchObject({ legs: [{ version: 1 }, { version: 0 }] });
    const other = await exits(account);
    await arm(other, 1);
    await fire(await triggerOfLeg(other, 1), '1.5');
    expect(await amend(other, { n: 1, triggerPrice: '0.8' })).toMatchObject({ legs: [{}, { triggerPrice: '0.8' }] });
    expect(await triggerOfLeg(other, 1)).toMatchObject({ status: 'FIRED', revision: 1 });
  });

  test('nor may one be moved whose break-even was reached', async () => {
    const account = await world.newAccount();
    const list = await bracket(account);
    const moved = { ...legAt(list, 2), breakEvenPrice: '2' };
    await world.store.orderLists.advance(list.id, { revision: list.revision, afterN: 0, note: { state: 'ACTIVE', reason: null, closeAt: null, legs: [legAt(list, 0), legAt(list, 1), moved] }, place: [], cancel: [], alerts: [] });
    const armed = await arm(list, 2, breakEvenTrigger(moved), breakEvenTriggerId(list.id, moved));
    await fire(armed, '1.9');
    const present = await world.store.orderLists.byId(list.id);
    await expect(amend(present as OrderList, { n: 2, triggerPrice: '1.5' })).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

describe('a leg is armed by what the list says then', () => {
  test('one that was amended since its workflow looked is armed with the new level', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    await amend(list, { n: 1, triggerPrice: '1.3' });
    expect(await arm(list, 1)).toMatchObject({ status: 'ARMED', revision: 2, parameters: { triggerPrice: '1.3' } });
    // Armed before: as it is.
    world.clock.ms += 5_000;
    expect(await arm(list, 1)).toEqual(await triggerOfLeg(list, 1));
  });

  test('one of a list that is being ended, or that waits under another number, is not', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    expect(await arm({ ...list, legs: list.legs.map((each) => ({ ...each, triggerNumber: 1 })) }, 1)).toBeNull();
    await world.store.orderLists.command(list.id, list.userId, { kind: 'cancel', reason: 'mine' });
    expect(await arm(list, 1)).toBeNull();
    expect(await triggerOfLeg(list, 1)).toBeNull();
  });
});

describe('what a leg could not hear before it was armed is read back', () => {
  test('of exits alone: since the list was taken', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    world.clock.ms += 40_000;
    expect(await arm(list, 1)).toMatchObject({ armedAtMs: world.clock.ms, checkpointAtMs: Date.parse(list.createdAt) });
  });

  test('of a bracket: since its entry filled first, and never from before', async () => {
    const account = await world.newAccount();
    const list = await bracket(account);
    world.clock.ms += 60_000;
    const entered = world.clock.ms - 45_000;
    await filled(list, account, 0, entered, '4');
    await filled(list, account, 0, entered + 20_000, '6');
    expect(await arm(list, 2)).toMatchObject({ checkpointAtMs: entered });
  });

  test('of amended terms: nothing from before they were taken', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    world.clock.ms += 40_000;
    await amend(list, { n: 1, triggerPrice: '1.3' });
    world.clock.ms += 20_000;
    expect(await arm(list, 1)).toMatchObject({ checkpointAtMs: world.clock.ms - 20_000 });
    const entering = await bracket(account);
    await amend(entering, { n: 2, triggerPrice: '1.3' });
    world.clock.ms += 30_000;
    await filled(entering, account, 0, world.clock.ms - 10_000);
    expect(await arm(entering, 2)).toMatchObject({ checkpointAtMs: world.clock.ms - 10_000, parameters: { triggerPrice: '1.3' } });
  });

  test('of a stop that was moved to break-even: since the take-profit that moved it filled', async () => {
    const account = await world.newAccount();
    const list = await bracket(account);
    world.clock.ms += 60_000;
    await filled(list, account, 0, world.clock.ms - 45_000);
    await filled(list, account, 1, world.clock.ms - 30_000, '4');
    const moved = { ...legAt(list, 2), breakEvenPrice: '2' };
    await world.store.orderLists.advance(list.id, { revision: list.revision, afterN: 2, note: { state: 'ACTIVE', reason: null, closeAt: null, legs: [legAt(list, 0), legAt(list, 1), moved] }, place: [], cancel: [], alerts: [] });
    expect(await arm(list, 2, breakEvenTrigger(moved), breakEvenTriggerId(list.id, moved))).toMatchObject({ checkpointAtMs: world.clock.ms - 30_000, parameters: { triggerPrice: '2' } });
  });

  test('not of a trigger that takes the place of one that was used up: that one heard what was before, and nothing was held', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    await arm(list, 1);
    await fire(await triggerOfLeg(list, 1), '1.5');
    const next = list.legs.map((each) => (each.n === 1 ? { ...each, triggerNumber: 1 } : each));
    await world.store.orderLists.advance(list.id, { revision: list.revision, afterN: 0, note: { state: 'ACTIVE', reason: null, closeAt: null, legs: next }, place: [], cancel: [], alerts: [] });
    world.clock.ms += 9_000;
    expect(await arm({ ...list, legs: next }, 1)).toMatchObject({ checkpointAtMs: world.clock.ms, revision: 1 });
  });
});

describe('a restored database', () => {
  test('that lost a list arms nothing for it: its workflow looks again', async () => {
    const account = await world.newAccount();
    const list = await exits(account);
    expect(await arm({ ...list, id: randomUUID() }, 1)).toBeNull();
  });

  test('that lost when a stop was moved counts prices for it from now, not from before it was moved', async () => {
    const account = await world.newAccount();
    const made = await exits(account);
    world.clock.ms += 30_000;
    const id = randomUUID();
    const lost: OrderList = { ...made, id, clientListId: `c-${id}`, ownerWorkflowId: `order-list/${id}`, revision: 2, legs: made.legs.map((each) => (each.n === 1 ? { ...each, triggerPrice: '1.3', version: 1 } : each)) };
    expect(await world.store.readBack.orderList(lost, [])).toBe(true);
    world.clock.ms += 5_000;
    expect(await arm(lost, 1)).toMatchObject({ checkpointAtMs: world.clock.ms, parameters: { triggerPrice: '1.3' } });
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
