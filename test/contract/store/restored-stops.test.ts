/**
 * A database restored from a backup meets what happened since: each pair of what the backup has of an order that waits, and what its workflow
 * knows. Rows stand as the backup left them, and the workflow's word is given back as the store guard does it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConditionalActivities } from '../../../src/activities/conditional-orders';
import { endAgain, standAgain, standAsAccepted, type StandingPorts } from '../../../src/activities/standing-orders';
import type { Account } from '../../../src/domain/account';
import type { OrderCondition } from '../../../src/domain/condition';
import { UNCONDITIONAL, type Order, type OrderIntent } from '../../../src/domain/order';
import type { StandingOrder } from '../../../src/domain/remembered-orders';
import { triggerOf, type Trigger, type TriggerIntent } from '../../../src/domain/trigger';
import { fireTrigger } from '../list-triggers-world';
import { intentFor, openStoreWorld, OWNER, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

const WAITING: OrderCondition = { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'last', gapPolicy: 'traded' };
const { ownerWorkflowId } = OWNER;

const ports = (): StandingPorts => ({ clock: world.clock, placing: world.store.placing, held: world.store.held, triggers: world.store.triggers, evidence: world.store.evidence, orderById: (id) => world.store.orders.byId(id) });

interface Stop {
  readonly account: Account;
  readonly intent: OrderIntent;
  order(): Promise<Order | null>;
  trigger(n?: number): Promise<Trigger | null>;
}

/** As its user asked for it; not recorded. */
async function stop(condition: OrderCondition = WAITING): Promise<Stop> {
  const account = await world.newAccount();
  const intent = intentFor(account, { type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: true, condition });
  return { account, intent, order: () => world.store.orders.byId(intent.id), trigger: async (n = 0) => (await world.store.triggers.byIds([`${intent.id}/${n}`]))[0] ?? null };
}

/** As the backup has it. */
async function backedUp(condition: OrderCondition = WAITING): Promise<Stop> {
  const made = await stop(condition);
  await world.store.placing.recordOrders([made.intent], OWNER);
  return made;
}

/** As its workflow knows it. */
function known({ intent }: Stop, changes: Partial<StandingOrder> & { readonly triggerPrice?: string } = {}): StandingOrder {
  const { triggerPrice = '1.2', ...rest } = changes;
  return { quantity: intent.quantity, limitPrice: null, condition: { ...(intent.condition ?? WAITING), triggerPrice }, revision: 3, triggerId: `${intent.id}/0`, triggerNumber: 0, triggerRevision: 3, triggered: null, pricesSinceMs: world.clock.ms, ...rest };
}

const giveBack = (made: Stop, standing: StandingOrder): Promise<boolean> => standAgain(ports(), { intent: made.intent, ownerWorkflowId, standing });

function triggerIntent({ account, intent }: Stop, n: number): TriggerIntent {
  const parameters = triggerOf({ ...intent, condition: intent.condition ?? WAITING });
  if (parameters === null) throw new Error('a stop has a trigger');
  return { id: `${intent.id}/${n}`, userId: account.userId, accountId: account.id, workflowId: ownerWorkflowId, venue: account.venue, symbol: intent.symbol, parameters };
}

describe('the backup has a stop that waits, and since then', () => {
  test('it was moved twice: its row and its trigger are as its owner was told, and what was traded since it was moved counts', async () => {
    const made = await backedUp();
    world.clock.ms += 60_000;
    const movedMs = world.clock.ms;
    world.clock.ms += 60_000;
    expect(await giveBack(made, known(made, { pricesSinceMs: movedMs }))).toBe(true);
    expect(await made.order()).toMatchObject({ state: 'ARMED', triggerPrice: '1.2', revision: 3 });
    // The watcher that lived through it has this revision in memory: what it fires is believed.
    expect(await made.trigger()).toMatchObject({ status: 'ARMED', revision: 3, checkpointAtMs: movedMs, parameters: { triggerPrice: '1.2' } });
    expect(await giveBack(made, known(made, { pricesSinceMs: movedMs }))).toBe(false);
  });

  test('nothing was changed: nothing is', async () => {
    const made = await backedUp();
    const before = await made.trigger();
    world.clock.ms += 5_000;
    expect(await giveBack(made, known(made, { triggerPrice: '1.5', revision: 1, triggerRevision: 1, pricesSinceMs: world.clock.ms - 4_000 }))).toBe(false);
    expect(await made.trigger()).toEqual(before);
  });

  test('its quantity was changed alone: its trigger goes on where it was', async () => {
    const made = await backedUp();
    const before = await made.trigger();
    world.clock.ms += 5_000;
    expect(await giveBack(made, known(made, { triggerPrice: '1.50', quantity: '7', revision: 2, triggerRevision: 2 }))).toBe(true);
    expect(await made.order()).toMatchObject({ quantity: '7', revision: 2 });
    expect(await made.trigger()).toMatchObject({ revision: 2, checkpointAtMs: before?.checkpointAtMs });
  });

  test('it was moved, and the old level fired before its workflow was heard: that firing is left to the workflow, which arms the next', async () => {
    const made = await backedUp();
    await fireTrigger(world.store, await made.trigger(), '1.4');
    expect(await giveBack(made, known(made))).toBe(true);
    expect([await made.order(), await made.trigger()]).toEqual([expect.objectContaining({ state: 'ARMED', triggerPrice: '1.2' }), expect.objectContaining({ status: 'FIRED', revision: 1 })]);
  });

  test('its first trigger was used up: that one is given up, and the next is armed with what was traded since', async () => {
    const made = await backedUp();
    const sinceMs = world.clock.ms;
    world.clock.ms += 30_000;
    await giveBack(made, known(made, { triggerNumber: 1, triggerId: `${made.intent.id}/1`, pricesSinceMs: sinceMs }));
    expect([await made.trigger(0), await made.trigger(1)]).toEqual([expect.objectContaining({ status: 'DISARMED' }), expect.objectContaining({ status: 'ARMED', revision: 3, checkpointAtMs: sinceMs, parameters: expect.objectContaining({ triggerPrice: '1.2' }) as unknown })]);
  });

  test('the trigger that took the place of the first was amended: it is now, since then', async () => {
    const made = await backedUp();
    await world.store.triggers.disarm(`${made.intent.id}/0`);
    await world.store.triggers.arm(triggerIntent(made, 1));
    const movedMs = (world.clock.ms += 10_000);
    world.clock.ms += 10_000;
    await giveBack(made, known(made, { triggerNumber: 1, triggerId: `${made.intent.id}/1`, pricesSinceMs: movedMs }));
    expect(await made.trigger(1)).toMatchObject({ status: 'ARMED', revision: 3, checkpointAtMs: movedMs, parameters: { triggerPrice: '1.2' } });
  });

  test('it went off, and its exit is under way: it is TRIGGERED, and nothing fires it again', async () => {
    const made = await backedUp();
    expect(await giveBack(made, known(made, { triggerPrice: '1.5', triggerId: null, triggered: { by: 'trigger', level: '1.5', evidence: { price: '1.4' } } }))).toBe(true);
    expect([await made.order(), await made.trigger()]).toEqual([expect.objectContaining({ state: 'TRIGGERED' }), expect.objectContaining({ status: 'DISARMED' })]);
    expect(await giveBack(made, known(made, { triggerPrice: '1.5', triggerId: null, triggered: { by: 'trigger', level: '1.5', evidence: {} } }))).toBe(false);
  });

  test.each(['CANCELED', 'EXPIRED', 'REJECTED', 'FILLED'] as const)('it ended %s: no price fires it any more', async (ended) => {
    const made = await backedUp();
    expect(await endAgain(ports(), { workflowId: ownerWorkflowId, intent: made.intent, ended })).toBe(true);
    expect([(await made.order())?.state, (await made.trigger())?.status]).toEqual([ended === 'FILLED' ? 'TRIGGERED' : ended, 'DISARMED']);
    expect(await endAgain(ports(), { workflowId: ownerWorkflowId, intent: made.intent, ended })).toBe(false);
  });

  test('it was moved, and its owner amends what the backup shows: refused by the revision, and the row is brought up to date first', async () => {
    const made = await backedUp();
    const { amendConditional } = createConditionalActivities({ ...ports(), held: world.store.held, triggers: world.store.triggers, capabilities: () => null, alert: () => Promise.resolve() });
    const amending = { intent: made.intent, ownerWorkflowId, standing: known(made) };
    expect(await amendConditional({ ...amending, expectedRevision: 1, terms: { quantity: '4' } })).toMatchObject({ verdict: 'denied', code: 'PRECONDITION_FAILED' });
    expect(await made.order()).toMatchObject({ triggerPrice: '1.2', quantity: '10', revision: 3 });
    expect(await amendConditional({ ...amending, expectedRevision: 3, terms: { quantity: '4' } })).toMatchObject({ verdict: 'applied' });
    expect(await made.order()).toMatchObject({ triggerPrice: '1.2', quantity: '4', revision: 4 });
  });
});

describe('the backup does not have a stop, because', () => {
  test('it was accepted later, and moved: it waits as its owner was told', async () => {
    const made = await stop();
    const movedMs = world.clock.ms;
    world.clock.ms += 30_000;
    expect(await giveBack(made, known(made, { pricesSinceMs: movedMs }))).toBe(true);
    expect(await made.order()).toMatchObject({ state: 'ARMED', triggerPrice: '1.2' });
    expect((await made.order())?.revision).toBeGreaterThanOrEqual(3);
    expect(await made.trigger()).toMatchObject({ status: 'ARMED', revision: 3, checkpointAtMs: movedMs, parameters: { triggerPrice: '1.2' } });
  });

  test('it was accepted later and its time has come: prices count from that time on', async () => {
    const made = await stop({ ...WAITING, startAt: new Date(world.clock.ms + 10_000).toISOString() });
    const startMs = world.clock.ms + 10_000;
    world.clock.ms += 40_000;
    expect(await giveBack(made, known(made, { triggerPrice: '1.5', revision: 1, triggerRevision: 1, pricesSinceMs: startMs }))).toBe(true);
    expect(await made.trigger()).toMatchObject({ status: 'ARMED', checkpointAtMs: startMs });
  });

  test('it was accepted later, and its time has not come: nothing is armed', async () => {
    const made = await stop({ ...WAITING, startAt: new Date(world.clock.ms + 600_000).toISOString() });
    expect(await giveBack(made, known(made, { triggerPrice: '1.5', revision: 1, triggerRevision: 1, triggerId: null }))).toBe(true);
    expect([(await made.order())?.state, await made.trigger()]).toEqual(['ARMED', null]);
  });

  test('it was accepted later and its exit is under way: it is TRIGGERED', async () => {
    const made = await stop();
    expect(await giveBack(made, known(made, { triggerId: null, triggered: { by: 'trigger', level: '1.2', evidence: {} } }))).toBe(true);
    expect([(await made.order())?.state, (await made.trigger())?.status]).toEqual(['TRIGGERED', 'DISARMED']);
  });

  test('it was accepted later, and its workflow does not answer: it waits as it was accepted, once', async () => {
    const made = await stop();
    const acceptedAtMs = world.clock.ms;
    world.clock.ms += 20_000;
    expect(await standAsAccepted(ports(), { intent: made.intent, ownerWorkflowId, acceptedAtMs })).toBe(true);
    expect([(await made.order())?.state, await made.trigger()]).toEqual(['ARMED', expect.objectContaining({ status: 'ARMED', revision: 1, checkpointAtMs: acceptedAtMs })]);
    expect(await standAsAccepted(ports(), { intent: made.intent, ownerWorkflowId, acceptedAtMs })).toBe(false);
    // It answers later.
    expect(await giveBack(made, known(made, { pricesSinceMs: acceptedAtMs + 5_000 }))).toBe(true);
    expect(await made.trigger()).toMatchObject({ revision: 3, checkpointAtMs: acceptedAtMs + 5_000, parameters: { triggerPrice: '1.2' } });
  });

  test('it was accepted later and canceled: it is there, CANCELED', async () => {
    const made = await stop();
    expect(await endAgain(ports(), { workflowId: ownerWorkflowId, intent: made.intent, ended: 'CANCELED' })).toBe(true);
    expect([(await made.order())?.state, (await made.trigger())?.status]).toEqual(['CANCELED', 'DISARMED']);
  });
});
