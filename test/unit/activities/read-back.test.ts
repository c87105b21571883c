/** What is read back from Temporal after PostgreSQL was restored: what waits comes first, and what does not answer is told, not passed over. */
import { describe, expect, test } from '@jest/globals';
import { readBack, type ReadBackPorts } from '../../../src/activities/read-back';
import { UNCONDITIONAL, type Order, type OrderIntent } from '../../../src/domain/order';
import type { ListedHeld, ListedSupervised, RememberedHeld, StandingOrder } from '../../../src/domain/remembered-orders';
import type { OrderList } from '../../../src/domain/order-list';
import { sampleOrder } from '../domain/order-samples';

const NOW_MS = 1_767_225_600_000;
const CONDITION = { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '60000', triggerPriceType: 'mark', gapPolicy: 'traded' } as const;
const INTENT: OrderIntent = {
  id: 'o1', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'stop-1', venueClientId: 'v9', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '0.5', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: '2026-01-01T00:00:00.000Z', idempotency: null, condition: CONDITION,
};
const STANDING: StandingOrder = { quantity: '0.5', limitPrice: null, condition: CONDITION, revision: 1, triggerId: 'o1/0', triggerNumber: 0, triggerRevision: 1, triggered: null, pricesSinceMs: NOW_MS };
const LIST = { id: 'l1', revision: 2 } as OrderList;

async function* given<Item>(items: readonly Item[]): AsyncIterable<Item> {
  yield* items;
}

function heldBy(changes: Partial<ListedHeld> & { readonly read: ListedHeld['read'] }): ListedHeld {
  return { workflowId: 'conditional/a1/stop-1', startedAtMs: NOW_MS - 5_000, isOver: false, ...changes };
}
const answer = (changes: Partial<RememberedHeld>): RememberedHeld => ({ workflowId: 'conditional/a1/stop-1', intent: INTENT, standing: null, ended: null, ...changes });

function world(held: readonly ListedHeld[], supervised: readonly ListedSupervised[] = [], { row = null as Order | null, hasEnded = false } = {}) {
  const did: string[] = [];
  let order = row;
  const ports: ReadBackPorts = {
    clock: { nowMs: () => NOW_MS },
    history: {
      groupsSince: () => {
        did.push('orders');
        return given([]);
      },
      openMutations: () => given([]),
      heldSince: () => given(held),
      supervisedSince: () => given(supervised),
      haveSupervisorsLook: async () => did.push('look'),
      windowMs: async () => null,
    },
    standing: {
      clock: { nowMs: () => NOW_MS },
      placing: {
        recordOrders: async (_intents, { readBack: why }) => {
          did.push(`recorded since ${why?.pricesSinceMs ?? 'now'}`);
          order = sampleOrder({ id: 'o1', state: 'ARMED' });
          return { items: [], calls: [] };
        },
      },
      held: { readBack: async () => false },
      triggers: {
        arm: async (intent) => ({ ...intent, revision: 1, status: 'ARMED', extreme: null, armedAtMs: 1, checkpointAtMs: 1, evidence: null, acknowledged: false }),
        amend: async () => null,
        disarm: async () => null,
      },
      evidence: { apply: async () => [] },
      orderById: async () => order,
    },
    supervised: {
      hasEnded: async () => hasEnded,
      readBack: async ({ kind }) => {
        did.push(`gave back ${kind}`);
        return true;
      },
    },
    withoutRow: async () => [],
    recordOrders: async () => ({ items: [], calls: [] }),
    recordMutation: async () => { throw new Error('none is open'); },
    isMutationKnown: async () => true,
    endWorkflow: async () => undefined,
    accounts: async () => [{ id: 'a1' }],
    log: () => undefined,
  };
  return { did, found: () => readBack(ports, NOW_MS - 60_000) };
}

const list = (changes: Partial<ListedSupervised> = {}): ListedSupervised => ({ workflowId: 'order-list/l1', of: { kind: 'orderList', id: 'l1' }, isOver: false, read: async () => ({ kind: 'orderList', list: LIST, children: [] }), ...changes });

describe('what waits in workflows', () => {
  test('is read back before orders are: a price may come for it meanwhile', async () => {
    const { did, found } = world([heldBy({ read: async () => answer({ standing: STANDING }) })], [list()]);
    expect(await found()).toMatchObject({ readBack: 2, unfinished: [] });
    expect(did).toEqual([`recorded since ${NOW_MS}`, 'gave back orderList', 'look', 'orders']);
  });

  test('is there as it was accepted where its workflow does not answer, and is unfinished until it does', async () => {
    const { did, found } = world([heldBy({ read: async () => answer({ silence: new Error('no worker') }) })]);
    expect(await found()).toMatchObject({ readBack: 1, unfinished: ['conditional/a1/stop-1'] });
    expect(await found()).toMatchObject({ readBack: 0, unfinished: ['conditional/a1/stop-1'] });
    expect(did.filter((step) => step.startsWith('recorded'))).toEqual([`recorded since ${NOW_MS - 5_000}`]);
  });

  test('is unfinished where its workflow cannot be read, or has nothing to say yet', async () => {
    expect(await world([heldBy({ read: () => Promise.reject(new Error('Temporal is away')) })]).found()).toMatchObject({ readBack: 0, unfinished: ['conditional/a1/stop-1'] });
    expect(await world([heldBy({ read: async () => answer({}) })]).found()).toMatchObject({ readBack: 0, unfinished: ['conditional/a1/stop-1'] });
    expect(await world([], [list({ read: () => Promise.reject(new Error('no worker')) })]).found()).toMatchObject({ readBack: 0, unfinished: ['order-list/l1'] });
  });

  test('is nothing where it was refused, is forgotten, or is of an account that is not there', async () => {
    for (const held of [heldBy({ isOver: true, read: async () => answer({}) }), heldBy({ read: async () => null }), heldBy({ read: async () => answer({ standing: STANDING, intent: { ...INTENT, accountId: 'another' } }) })]) {
      const { did, found } = world([held]);
      expect(await found()).toMatchObject({ readBack: 0, unfinished: [] });
      expect(did).toEqual(['look', 'orders']);
    }
  });
});

describe('a list or strategy that has ended', () => {
  test('is asked for only where its row does not say so', async () => {
    expect((await world([], [list({ isOver: true })], { hasEnded: true }).found()).readBack).toBe(0);
    expect((await world([], [list({ isOver: true })]).found()).readBack).toBe(1);
  });
});
