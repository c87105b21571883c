import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../../src/domain/account';
import { EpochLost, type WriterEpoch } from '../../../src/domain/order-store';
import type { TriggerEvidence, TriggerIntent, TriggerParameters } from '../../../src/domain/trigger';
import { openStoreWorld, SYMBOL, type StoreWorld } from './harness';

let world: StoreWorld;
let account: Account;
beforeAll(async () => {
  world = await openStoreWorld();
  account = await world.newAccount();
});
afterAll(() => world.close());

const level: TriggerParameters = { kind: 'level', priceType: 'last', direction: 'atOrBelow', triggerPrice: '0.45', trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: 'traded' };
const trailing: TriggerParameters = { ...level, kind: 'trailing', triggerPrice: null, trailingOffset: '0.05', trailingOffsetType: 'price' };

function intent(changes: Partial<TriggerIntent> = {}): TriggerIntent {
  return { id: randomUUID(), userId: account.userId, accountId: account.id, workflowId: 'order/a/b', venue: account.venue, symbol: SYMBOL, parameters: level, ...changes };
}

function evidence(of: TriggerIntent, writer: WriterEpoch, changes: Partial<TriggerEvidence> = {}): TriggerEvidence {
  return { triggerId: of.id, revision: 1, price: '0.44', priceType: 'last', source: of.venue, backup: false, origin: 'stream', extreme: null, level: '0.45', atMs: 1, observedAtMs: 2, sequence: 3, scope: writer.scope, epoch: writer.epoch, ...changes };
}

const watcher = (): Promise<WriterEpoch> => world.store.watching.takeEpoch(`market/${randomUUID()}`, 'first');

describe('a trigger', () => {
  test('that is armed twice is armed once, and a new store finds it', async () => {
    const armed = intent();
    const first = await world.store.triggers.arm(armed);
    expect(await world.store.triggers.arm(armed)).toEqual(first);
    expect(first).toMatchObject({ ...armed, revision: 1, status: 'ARMED', extreme: null, evidence: null, acknowledged: false, armedAtMs: world.clock.ms, checkpointAtMs: world.clock.ms });
    const other = await world.openAnother();
    expect((await other.triggers.waiting(account.venue)).filter(({ id }) => id === armed.id)).toEqual([first]);
  });

  test('fires once, whoever says so, and waits until its workflow knows', async () => {
    const armed = intent();
    const writer = await watcher();
    await world.store.triggers.arm(armed);
    const results = await Promise.all([1, 2, 3].map((sequence) => world.store.triggers.fire(writer, evidence(armed, writer, { sequence }))));
    expect(results.map(({ verdict }) => verdict).sort()).toEqual(['fired', 'repeated', 'repeated']);
    expect(new Set(results.map(({ trigger }) => trigger?.evidence?.sequence)).size).toBe(1);
    const waiting = async () => (await world.store.triggers.waiting(account.venue)).some(({ id }) => id === armed.id);
    expect(await waiting()).toBe(true);
    expect(await world.store.triggers.acknowledge(armed.id)).toMatchObject({ status: 'FIRED', acknowledged: true, evidence: results[0]?.trigger?.evidence });
    expect(await waiting()).toBe(false);
    // What was armed again under its id has fired for ever.
    expect(await world.store.triggers.arm(armed)).toMatchObject({ status: 'FIRED' });
  });

  test('is not fired or marked by a watcher that was replaced', async () => {
    const armed = intent({ parameters: trailing });
    const writer = await watcher();
    await world.store.triggers.arm(armed);
    const next = await world.store.watching.takeEpoch(writer.scope, 'second');
    await expect(world.store.triggers.fire(writer, evidence(armed, writer))).rejects.toThrow(EpochLost);
    await expect(world.store.triggers.checkpoint(writer, [{ id: armed.id, revision: 1, extreme: '0.9', checkpointAtMs: 9 }])).rejects.toThrow(EpochLost);
    expect((await world.store.triggers.byIds([armed.id]))[0]).toMatchObject({ status: 'ARMED', extreme: null });
    await world.store.triggers.checkpoint(next, [{ id: armed.id, revision: 1, extreme: '0.9', checkpointAtMs: 9 }]);
    expect((await world.store.triggers.byIds([armed.id]))[0]).toMatchObject({ extreme: '0.9', checkpointAtMs: 9 });
  });

  test('is amended once for each revision; what was seen of the old one fires and marks nothing', async () => {
    const armed = intent({ parameters: trailing });
    const writer = await watcher();
    await world.store.triggers.arm(armed);
    await world.store.triggers.checkpoint(writer, [{ id: armed.id, revision: 1, extreme: '0.5', checkpointAtMs: 5 }]);
    const closer = { ...trailing, trailingOffset: '0.01' };
    world.clock.ms += 1_000;
    const amended = await world.store.triggers.amend(armed.id, 2, closer);
    expect(amended).toMatchObject({ revision: 2, parameters: closer, extreme: '0.5', checkpointAtMs: world.clock.ms });
    expect(await world.store.triggers.amend(armed.id, 2, trailing)).toEqual(amended);
    await world.store.triggers.checkpoint(writer, [{ id: armed.id, revision: 1, extreme: '0.9', checkpointAtMs: 9 }]);
    expect((await world.store.triggers.fire(writer, evidence(armed, writer))).verdict).toBe('stale');
    expect((await world.store.triggers.byIds([armed.id]))[0]).toEqual(amended);
  });

  test('that was disarmed fires no more; one that fired first stays fired and is told no more', async () => {
    const [calm, fired] = [intent(), intent()];
    const writer = await watcher();
    await world.store.triggers.arm(calm);
    await world.store.triggers.arm(fired);
    await world.store.triggers.fire(writer, evidence(fired, writer));
    expect(await world.store.triggers.disarm(calm.id)).toMatchObject({ status: 'DISARMED' });
    expect(await world.store.triggers.disarm(fired.id)).toMatchObject({ status: 'FIRED', acknowledged: true });
    expect((await world.store.triggers.fire(writer, evidence(calm, writer))).verdict).toBe('stale');
    expect(await world.store.triggers.disarm(randomUUID())).toBeNull();
  });

  test('whoever watches its venue is told of every change, and reads what changed since', async () => {
    const heard: string[] = [];
    let told: (() => void) | undefined;
    const listening = await world.store.events.listen((stream) => {
      heard.push(stream);
      if (heard.filter((each) => each === `triggers:${account.venue}`).length === 3) told?.();
    });
    const everyChange = new Promise<void>((resolve) => (told = resolve));
    const armed = intent();
    world.clock.ms += 60_000;
    const sinceMs = world.clock.ms;
    await world.store.triggers.arm(armed);
    await world.store.triggers.amend(armed.id, 2, { ...level, triggerPrice: '0.4' });
    await world.store.triggers.disarm(armed.id);
    await everyChange;
    await listening.close();
    expect(await world.store.triggers.changedSince(account.venue, sinceMs)).toMatchObject([{ id: armed.id, revision: 2, status: 'DISARMED' }]);
    expect(await world.store.triggers.changedSince(account.venue, sinceMs + 1)).toEqual([]);
  });
});
