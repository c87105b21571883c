/** The triggers of order lists: amended with their leg, armed by what the list says then, and counting from when the leg became due. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../../src/domain/account';
import type { OrderIntent } from '../../../src/domain/order';
import { breakEvenTrigger, breakEvenTriggerId, legTrigger, legTriggerId, type OrderList } from '../../../src/domain/order-list';
import type { TriggerParameters } from '../../../src/domain/trigger';
import { until } from '../streams/bus-until';
import { listTriggers } from '../list-triggers-world';
import { fillOf, intentFor, openStoreWorld, OWNER, seen, viewOf, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

const { exits, bracket, legAt, arm, amend, triggerOfLeg, fire } = listTriggers(() => world);

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
