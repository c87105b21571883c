import { describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createBackgroundActivities, type BackgroundPorts } from '../../../src/activities/background-activities';
import type { MutationSettler } from '../../../src/activities/mutation-settler';
import type { OrderResolver } from '../../../src/activities/order-resolver';
import type { Order } from '../../../src/domain/order';
import type { Mutation, OwnedMutation, StuckOrder } from '../../../src/domain/order-store';
import { sampleOrder } from '../domain/order-samples';
import { sampleAccount } from './account-model';

interface World {
  readonly orders: Order[];
  readonly resolutions: Map<string, number>;
  readonly mutations: OwnedMutation[];
  readonly running: Set<string>;
  readonly started: [orderId: string, n: number, why: string][];
  readonly ensured: string[];
  readonly asked: string[];
}

function world(changes: Partial<World> = {}): World {
  return { orders: [], resolutions: new Map(), mutations: [], running: new Set(), started: [], ensured: [], asked: [], ...changes };
}

function mutation(kind: Mutation['kind'], orderId: string, ownerWorkflowId = `${kind}/${orderId}`, revision = 3): OwnedMutation {
  return { id: `${kind}-${orderId}`, orderId, accountId: 'a1', kind, revision, state: 'pending', limitPrice: null, quantity: null, reasonCode: null, createdAt: '2026-01-01T00:00:00.000Z', ownerWorkflowId };
}

describe('deleting what is old', () => {
  const prune = (batches: readonly (readonly [number, number, number, number?, number?])[]): { asked: () => number; result: ReturnType<ReturnType<typeof createBackgroundActivities>['pruneOldRows']> } => {
    let asked = 0;
    const ports = {
      purgeBatch: 10,
      sweepSupervisors: async () => undefined,
      purge: async () => {
        const [idempotencyKeys, signedRequests, events, webhookDeliveries = 0, alerts = 0] = batches[Math.min(asked, batches.length - 1)] ?? [0, 0, 0];
        asked += 1;
        return { idempotencyKeys, signedRequests, events, webhookDeliveries, alerts };
      },
    } as unknown as BackgroundPorts;
    return { asked: () => asked, result: new MockActivityEnvironment().run(createBackgroundActivities(ports).pruneOldRows) };
  };

  test('goes on while any kind of row fills a batch, and adds up', async () => {
    const { asked, result } = prune([[10, 0, 3], [4, 0, 10], [0, 1, 9, 10], [0, 0, 0, 0, 10], [0, 0, 0, 2, 1]]);
    expect(await result).toEqual({ idempotencyKeys: 14, signedRequests: 1, events: 22, webhookDeliveries: 12, alerts: 11, more: false });
    expect(asked()).toBe(5);
  });

  test('ends in time where there is more than one run should delete, and says so', async () => {
    const { result } = prune([[10, 10, 10]]);
    expect(await result).toMatchObject({ more: true });
  });
});

function sweep(given: World, environment = new MockActivityEnvironment(), sweepSupervisors = async (): Promise<void> => undefined): Promise<{ stuck: number; resolversStarted: number }> {
  const stuckOrder = (order: Order): StuckOrder => ({ orderId: order.id, accountId: order.accountId, venue: order.venue, ownerWorkflowId: order.ownerWorkflowId, resolutions: given.resolutions.get(order.id) ?? 0 });
  const ports: BackgroundPorts = {
    resolver: {} as OrderResolver,
    settler: {} as MutationSettler,
    stuckAfterMs: 10_000,
    stuck: async () => given.orders.map(stuckOrder),
    noteResolution: async (orderId) => {
      const n = (given.resolutions.get(orderId) ?? 0) + 1;
      given.resolutions.set(orderId, n);
      return n;
    },
    pendingMutations: async (orderId) => given.mutations.filter((each) => each.orderId === orderId),
    orderById: async (id) => given.orders.find((order) => order.id === id) ?? null,
    activeAccounts: async () => [sampleAccount({ id: 'a1' }), sampleAccount({ id: 'a2' })],
    venues: ['paper', 'paper2'],
    workflows: {
      isRunning: async (workflowId) => {
        given.asked.push(workflowId);
        return given.running.has(workflowId);
      },
      startResolution: async (orderId, n, why) => void given.started.push([orderId, n, why]),
      ensureAccountWatched: async (account) => void given.ensured.push(account.id),
      ensureMarketWatched: async (venue) => void given.ensured.push(venue),
    },
    purge: async () => ({ idempotencyKeys: 0, signedRequests: 0, events: 0, webhookDeliveries: 0, alerts: 0 }),
    purgeBatch: 1_000,
    sweepSupervisors,
  };
  return environment.run(createBackgroundActivities(ports).sweepOrders);
}

describe('the sweeper', () => {
  test('says that it goes on while a sweep takes long: one whose worker died is not waited for', async () => {
    const environment = new MockActivityEnvironment();
    const beat = new Promise<void>((resolve) => void environment.once('heartbeat', () => resolve()));
    expect(await sweep(world(), environment, () => beat)).toEqual({ stuck: 0, resolversStarted: 0 });
  });

  test('starts every venue\'s and every account\'s watcher that is missing', async () => {
    const given = world();
    await sweep(given);
    expect(given.ensured).toEqual(['paper', 'paper2', 'a1', 'a2']);
  });

  test('starts a resolver for an order in doubt whose workflow is gone, numbered', async () => {
    const given = world({ orders: [sampleOrder({ id: 'o', state: 'UNKNOWN', ownerWorkflowId: 'order/a1/c1' })], resolutions: new Map([['o', 2]]) });
    expect(await sweep(given)).toEqual({ stuck: 1, resolversStarted: 1 });
    expect(given.started).toEqual([['o', 3, 'it is UNKNOWN and its owner order/a1/c1 is not running']]);
  });

  test('leaves it alone while its workflow, or the last resolver, runs', async () => {
    const order = sampleOrder({ id: 'o', state: 'UNKNOWN', ownerWorkflowId: 'order/a1/c1' });
    const owned = world({ orders: [order], running: new Set(['order/a1/c1']) });
    const resolved = world({ orders: [order], running: new Set(['resolve/o/2']), resolutions: new Map([['o', 2]]) });
    await sweep(owned);
    await sweep(resolved);
    expect([...owned.started, ...resolved.started]).toEqual([]);
  });

  test('an order of a workflow that is gone is pursued although its cancel is', async () => {
    const given = world({ orders: [sampleOrder({ id: 'o', state: 'UNKNOWN', ownerWorkflowId: 'gone', pendingCancel: true })], mutations: [mutation('cancel', 'o')], running: new Set(['cancel/o']) });
    await sweep(given);
    expect(given.started.map(([id]) => id)).toEqual(['o']);
  });

  test.each([
    ['cancel', 'cancel/o'],
    ['amend', 'amend/o/3'],
    ['amend', 'amend/o/3/0f1e2d3c4b5a69788796a5b4c3d2e1f0'],
  ] as const)('an open %s of a working order is pursued once its own workflow is gone', async (kind, workflowId) => {
    const order = sampleOrder({ id: 'o', state: 'WORKING', ownerWorkflowId: 'ended long ago', pendingCancel: kind === 'cancel', pendingReplace: kind === 'amend' });
    const alive = world({ orders: [order], mutations: [mutation(kind, 'o', workflowId)], running: new Set([workflowId]) });
    const dead = world({ orders: [order], mutations: [mutation(kind, 'o', workflowId)] });
    await sweep(alive);
    await sweep(dead);
    expect(alive.started).toEqual([]);
    expect(dead.started).toEqual([['o', 1, `its ${kind} is open and ${workflowId} is not running`]]);
  });

  test('an order that ended meanwhile needs nobody', async () => {
    const given = world({ orders: [sampleOrder({ id: 'o', state: 'FILLED', ownerWorkflowId: null })] });
    await sweep(given);
    expect(given.started).toEqual([]);
  });

  test('one workflow of many orders is asked about once', async () => {
    const given = world({ orders: ['1', '2', '3'].map((id) => sampleOrder({ id, state: 'SUBMITTING', ownerWorkflowId: 'orders/paper/b1' })), running: new Set(['orders/paper/b1']) });
    await sweep(given);
    expect(given.asked).toEqual(['orders/paper/b1']);
  });
});
