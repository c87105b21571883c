/** What a kill switch has canceled and closed, and what it leaves alone. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createKillSwitchActivities, type KillSwitchPorts } from '../../../src/activities/kill-switch-activities';
import type { Account } from '../../../src/domain/account';
import type { Heartbeat } from '../../../src/domain/heartbeat';
import type { KillSwitch, KillSwitchFacts, KillSwitchMode } from '../../../src/domain/kill-switch';
import type { Market } from '../../../src/domain/market';
import type { Order } from '../../../src/domain/order';
import type { KillSwitchExit } from '../../../src/store/risk/kill-switches';
import { sampleOrder } from '../domain/order-samples';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const SWITCH_ID = '11111111-1111-4111-8111-111111111111';
const facts: KillSwitchFacts = { accountId: 'a1', venue: 'paper', openOrders: 1, unknownOrders: 0, outsideOrders: 0, openStrategies: 0, openLists: 0, positions: [], readFromMs: null, fillsReadToMs: null, lastFillMs: null, exitTrouble: null };

function world(mode: KillSwitchMode, orders: readonly Order[], cancelHeld: KillSwitchPorts['cancelHeld'] = async () => undefined, openLists = 0) {
  const killSwitch: KillSwitch = { id: 'k', userId: 'u1', scope: 'account', accountId: 'a1', venue: null, mode, reason: null, latchedAt: new Date(NOW_MS).toISOString(), latchedBy: 'key:k', releasedAt: null, releasedBy: null };
  const [asked, troubles, looks]: string[][] = [[], [], []];
  const commands: string[] = [];
  const ports: KillSwitchPorts = {
    clock: { nowMs: () => NOW_MS },
    switches: { byId: async () => killSwitch, latchAgain: async () => null, facts: async () => [{ ...facts, openLists }], exits: async () => [], recordExit: async () => null },
    strategies: { openOf: async () => [], command: async () => undefined, tell: async () => undefined },
    lists: {
      openOf: async () => (openLists === 0 ? [] : [{ id: 'l1', userId: 'u1' }]),
      command: async (id, _userId, { kind }) => commands.push(`${kind} ${id}`),
      tell: async (id) => void commands.push(`told ${id}`),
    },
    heartbeats: { byAccount: async () => null, rearm: async () => null, fire: async () => false },
    open: async () => orders,
    account: async () => null,
    market: async () => null,
    askForLook: (accountId) => looks?.push(accountId),
    cancelHeld: (order) => {
      asked?.push(order.id);
      return cancelHeld(order);
    },
    onTrouble: (subject) => troubles?.push(Object.values(subject).join()),
    sha256Hex: (text) => text,
  };
  return { ports, step: () => createKillSwitchActivities(ports).stepKillSwitch({ killSwitchId: 'k' }), asked, troubles, looks, commands };
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

test('one that a restored database has lost is latched again by what its workflow remembers, and ends only where whom it held is lost too', async () => {
  const { ports } = world('halt', []);
  const latched = { id: 'k', userId: 'u1', scope: 'account', accountId: 'a1', venue: null, mode: 'halt', reason: null } as const;
  const held = await ports.switches.byId('k');
  const again: string[] = [];
  const step = (known: boolean, input: { latched?: typeof latched }) =>
    createKillSwitchActivities({ ...ports, switches: { ...ports.switches, byId: async () => null, latchAgain: async ({ id }) => (again.push(id), known ? held : null) } }).stepKillSwitch({ killSwitchId: 'k', ...input });
  expect(await step(true, { latched })).toMatchObject({ released: false, accounts: [{ accountId: 'a1', state: 'HALTED' }] });
  expect([await step(false, { latched }), await step(true, {})]).toMatchObject([{ released: true }, { released: true }]);
  expect(again).toEqual(['k', 'k']);
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

/** An account whose silence began at NOW_MS: `beats` when its caller is heard of after all. */
function silent(beats = false) {
  const told: string[] = [];
  let heartbeat: Heartbeat = { accountId: 'a1', userId: 'u1', timeoutMs: 1_000, expiresAt: new Date(NOW_MS).toISOString(), beatAt: new Date(NOW_MS - 1_000).toISOString(), firedAt: null };
  const { ports } = world('cancel', [order('resting'), waiting('armed')], undefined, 1);
  const activities = createKillSwitchActivities({
    ...ports,
    strategies: { openOf: async () => [{ id: 's1', userId: 'u1' }], command: async (id, _userId, { kind, reason }) => told.push(`${kind} ${id}: ${reason ?? ''}`), tell: async (id) => void told.push(`told ${id}`) },
    lists: { ...ports.lists, command: async (id, _userId, { kind, reason }) => told.push(`${kind} ${id}: ${reason}`), tell: async (id) => void told.push(`told ${id}`) },
    heartbeats: {
      byAccount: async () => heartbeat,
      rearm: async () => Promise.reject(new Error('nothing was lost')),
      fire: async (_accountId, expiresAt, openOrders) => {
        if (beats) heartbeat = { ...heartbeat, expiresAt: new Date(NOW_MS + 5_000).toISOString() };
        if (heartbeat.expiresAt !== expiresAt) return false;
        heartbeat = { ...heartbeat, expiresAt: null, firedAt: new Date(NOW_MS).toISOString() };
        told.push(`fired with ${openOrders} open`);
        return true;
      },
    },
  });
  return { check: () => activities.checkHeartbeat({ accountId: 'a1' }), told };
}

test('an account that fell silent has its strategies and lists canceled before its orders, after that was decided; and again until it is heard of', async () => {
  const { check, told } = silent();
  expect((await check()).cancel.map(({ orderId }) => orderId)).toEqual(['resting']);
  const ended = ['cancel s1: the account fell silent', 'told s1', 'cancel l1: the account fell silent', 'told l1'];
  expect(told).toEqual(['fired with 2 open', ...ended]);
  expect((await check()).cancel).toHaveLength(1);
  expect(told).toEqual(['fired with 2 open', ...ended, ...ended]);
});

test('a heartbeat that comes after all finds everything as it was', async () => {
  const { check, told } = silent(true);
  expect([await check(), told]).toEqual([{ expiresAtMs: NOW_MS + 5_000, cancel: [], seen: { timeoutMs: 1_000, beatAt: new Date(NOW_MS - 1_000).toISOString() } }, []]);
});

describe('a dead-man switch that a restored database has lost', () => {
  const seen = { timeoutMs: 1_000, beatAt: new Date(NOW_MS - 500).toISOString() };
  const beat = (beatAt: string, expiresAt: string | null): Heartbeat => ({ accountId: 'a1', userId: 'u1', timeoutMs: 1_000, expiresAt, beatAt, firedAt: null });
  const PAST = new Date(NOW_MS - 60_000).toISOString();
  /** Of a database that has this row; `isThere`: the account, too. */
  const checking = (row: Heartbeat | null, isThere = true) => {
    const rearmed: unknown[] = [];
    const { ports } = world('cancel', [order('resting')]);
    const fire = async (): Promise<boolean> => Promise.reject(new Error('fired'));
    const rearm = async (_accountId: string, lost: object): Promise<Heartbeat | null> => (rearmed.push(lost), isThere ? beat(seen.beatAt, new Date(NOW_MS + 1_000).toISOString()) : null);
    const { checkHeartbeat } = createKillSwitchActivities({ ...ports, heartbeats: { byAccount: async () => row, fire, rearm } });
    return { check: (remembers = true) => checkHeartbeat({ accountId: 'a1', ...(remembers ? { seen } : {}) }), rearmed };
  };

  test.each<[string, Heartbeat | null]>([
    ['was armed since the backup', null],
    ['was disarmed there', beat(PAST, null)],
    ['is due there, as it was long ago', beat(PAST, PAST)],
  ])('that %s is armed again, and fires nothing', async (_what, row) => {
    const { check, rearmed } = checking(row);
    expect([await check(), rearmed]).toEqual([{ expiresAtMs: NOW_MS + 1_000, cancel: [], seen }, [seen]]);
  });

  test('is not where nobody remembers it, where the account is gone, and where the database knows more', async () => {
    expect([await checking(null).check(false), await checking(null, false).check()]).toEqual([{ expiresAtMs: null, cancel: [] }, { expiresAtMs: null, cancel: [] }]);
    const newer = checking(beat(new Date(NOW_MS).toISOString(), new Date(NOW_MS + 900).toISOString()));
    expect([(await newer.check()).expiresAtMs, newer.rearmed]).toEqual([NOW_MS + 900, []]);
    const same = checking(beat(seen.beatAt, null));
    expect([await same.check(), same.rearmed]).toEqual([{ expiresAtMs: null, cancel: [] }, []]);
  });
});

test.each(['strategies', 'lists'] as const)('one of the %s that cannot be stopped now holds up nothing else, and is told of', async (kind) => {
  const { ports, troubles } = world('cancel', [order('resting')], undefined, 1);
  const stuck: KillSwitchPorts[typeof kind] = { openOf: async () => [{ id: 'stuck', userId: 'u1' }], command: async () => Promise.reject(new Error('canceling statement due to lock timeout')), tell: async () => undefined };
  const step = await createKillSwitchActivities({ ...ports, [kind]: stuck, switches: { ...ports.switches, facts: async () => [{ ...facts, openStrategies: 1, openLists: 1 }] } }).stepKillSwitch({ killSwitchId: 'k' });
  expect([step.cancel.map(({ orderId }) => orderId), troubles]).toEqual([['resting'], ['stuck']]);
});

describe('what is held of a market that takes no order so small', () => {
  const DAY_MS = 86_400_000;
  const market = { venue: 'paper', symbol: 'BTC', venueSymbol: 'BTC', tickRule: { kind: 'step', step: '0.1' }, lot: '0.0001', minQuantity: '0.001', minNotional: '5' } as unknown as Market;
  /** A switch that flattens what is held; `recorded`: the quantity of an exit that was recorded, and of which nothing is known since. */
  const flattening = (recorded?: string) => {
    const exits: KillSwitchExit[] = recorded === undefined ? [] : [{ n: 1, accountId: 'a1', symbol: 'BTC', orderId: 'o1', side: 'sell', quantity: recorded, recordedAtMs: NOW_MS, state: null, filledQuantity: '0' }];
    const { ports } = world('flatten', []);
    const at = async (quantity: string, afterMs = 0): Promise<readonly string[]> => {
      const nowMs = NOW_MS + afterMs;
      const switches: KillSwitchPorts['switches'] = {
        ...ports.switches,
        byId: async () => ({ id: SWITCH_ID, userId: 'u1', scope: 'account', accountId: 'a1', venue: null, mode: 'flatten', reason: null, latchedAt: new Date(NOW_MS).toISOString(), latchedBy: 'key:k', releasedAt: null, releasedBy: null }),
        facts: async () => [{ ...facts, positions: [{ symbol: 'BTC', quantity }] }],
        exits: async () => [...exits],
        recordExit: async (_id, exit) => {
          const made: KillSwitchExit = { ...exit, orderId: `o${exit.n}`, recordedAtMs: nowMs, state: null, filledQuantity: '0' };
          exits.push(made);
          return made;
        },
      };
      const account = async () => ({ id: 'a1', userId: 'u1', signerId: 's1', venue: 'paper' }) as Account;
      const step = await createKillSwitchActivities({ ...ports, clock: { nowMs: () => nowMs }, switches, account, market: async () => market, sha256Hex: (text) => createHash('sha256').update(text).digest('hex') }).stepKillSwitch({ killSwitchId: SWITCH_ID });
      return step.exits.map((intent) => `${intent.side} ${intent.quantity}`);
    };
    return { at, exits };
  };

  test('is closed with the rest once a late fill has made it large enough, and once only', async () => {
    const { at, exits } = flattening();
    expect([await at('0.0004'), await at('1', 15_000), await at('1', 30_000)]).toEqual([[], ['sell 1'], ['sell 1']]);
    expect(exits.map(({ n, quantity }) => [n, quantity])).toEqual([[1, '1']]);
  });

  test('and was recorded as an exit waits for as long as that may be on its way, and no longer', async () => {
    const { at, exits } = flattening('0.0004');
    expect([await at('1', 15_000), await at('1', DAY_MS)]).toEqual([[], []]);
    expect([await at('0.0004', DAY_MS + 1), await at('-1', DAY_MS + 1), exits.length]).toEqual([[], ['buy 1'], 2]);
  });

  test('does not hold back an exit that was recorded and may be placed: it is the same one at every look, whatever is held meanwhile', async () => {
    const { at, exits } = flattening('0.5');
    expect([await at('1'), await at('0.0004', 15_000), await at('2', 30_000), exits.length]).toEqual([['sell 0.5'], ['sell 0.5'], ['sell 0.5'], 1]);
  });
});
