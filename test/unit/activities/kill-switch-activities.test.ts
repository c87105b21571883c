/** What a kill switch has canceled and closed, and what it leaves alone. */
import { expect, test } from '@jest/globals';
import { createKillSwitchActivities, type KillSwitchPorts } from '../../../src/activities/kill-switch-activities';
import type { KillSwitch, KillSwitchFacts, KillSwitchMode } from '../../../src/domain/kill-switch';
import type { Order } from '../../../src/domain/order';
import { sampleOrder } from '../domain/order-samples';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const facts: KillSwitchFacts = { accountId: 'a1', venue: 'paper', openOrders: 1, unknownOrders: 0, outsideOrders: 0, openStrategies: 0, openLists: 0, positions: [], readFromMs: null, fillsReadToMs: null, lastFillMs: null, exitTrouble: null };

function world(mode: KillSwitchMode, orders: readonly Order[], cancelHeld: KillSwitchPorts['cancelHeld'] = async () => undefined, openLists = 0) {
  const killSwitch: KillSwitch = { id: 'k', userId: 'u1', scope: 'account', accountId: 'a1', venue: null, mode, reason: null, latchedAt: new Date(NOW_MS).toISOString(), latchedBy: 'key:k', releasedAt: null, releasedBy: null };
  const [asked, troubles, looks]: string[][] = [[], [], []];
  const commands: string[] = [];
  const ports: KillSwitchPorts = {
    clock: { nowMs: () => NOW_MS },
    switches: { byId: async () => killSwitch, facts: async () => [{ ...facts, openLists }], exits: async () => [], recordExit: async () => null },
    strategies: { openOf: async () => [], command: async () => undefined, tell: async () => undefined },
    lists: {
      openOf: async () => (openLists === 0 ? [] : [{ id: 'l1', userId: 'u1' }]),
      command: async (id, _userId, { kind }) => commands.push(`${kind} ${id}`),
      tell: async (id) => void commands.push(`told ${id}`),
    },
    heartbeats: { byAccount: async () => null, fire: async () => false },
    working: async () => orders,
    account: async () => null,
    market: async () => null,
    askForLook: (accountId) => looks?.push(accountId),
    cancelHeld: (order) => {
      asked?.push(order.id);
      return cancelHeld(order);
    },
    onTrouble: (order) => troubles?.push(order.id),
    sha256Hex: (text) => text,
  };
  return { step: () => createKillSwitchActivities(ports).stepKillSwitch({ killSwitchId: 'k' }), asked, troubles, looks, commands };
}

const order = (id: string, changes: Partial<Order> = {}): Order => sampleOrder({ id, state: 'WORKING', ...changes });
const waiting = (id: string): Order => order(id, { state: 'ARMED', execution: 'durable' });

test('an order that waits in a workflow is canceled there, never by a request to a venue that does not know it', async () => {
  const { step, asked, looks } = world('cancel', [order('resting'), waiting('armed')]);
  const { cancel } = await step();
  expect([cancel.map(({ orderId }) => orderId), asked, looks]).toEqual([['resting'], ['armed'], ['a1']]);
});

test('one whose workflow does not answer holds up no other, and is told', async () => {
  const { step, asked, troubles } = world('flatten', [waiting('stuck'), waiting('armed'), order('resting')], async ({ id }) => {
    if (id === 'stuck') throw new Error('no answer');
  });
  expect((await step()).cancel.map(({ orderId }) => orderId)).toEqual(['resting']);
  expect([asked, troubles]).toEqual([['stuck', 'armed'], ['stuck']]);
});

test('outside orders are canceled by flatten only, those on their way are not canceled twice, and halt cancels nothing', async () => {
  const orders = [order('outside', { origin: 'EXTERNAL' }), order('going', { pendingCancel: true }), order('exit', { supervisorWorkflowId: 'kill-switch/k' }), order('ours')];
  const canceled = async (mode: KillSwitchMode): Promise<string[]> => (await world(mode, orders).step()).cancel.map(({ orderId }) => orderId);
  expect([await canceled('halt'), await canceled('cancel'), await canceled('flatten')]).toEqual([[], ['ours'], ['outside', 'ours']]);
});

test('order lists end before their orders are canceled; halted, they keep their exits', async () => {
  const commanded = async (mode: KillSwitchMode): Promise<readonly string[]> => {
    const { step, commands } = world(mode, [order('of-the-list')], undefined, 1);
    expect((await step()).confirmed).toBe(mode === 'halt');
    return commands;
  };
  expect(await commanded('halt')).toEqual(['stopEntries l1', 'told l1']);
  expect(await commanded('cancel')).toEqual(['cancel l1', 'told l1']);
  expect(await commanded('flatten')).toEqual(['cancel l1', 'told l1']);
});
