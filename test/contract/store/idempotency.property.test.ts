import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Account } from '../../../src/domain/account';
import type { OrderIntent } from '../../../src/domain/order';
import type { RecordedGroup } from '../../../src/domain/order-store';
import type { Store } from '../../../src/store';
import { intentFor, openStoreWorld, type StoreWorld } from './harness';

/** One arrival of a request: which of the client's intents it is, through which process, by which workflow. */
interface Request {
  readonly intent: number;
  readonly store: 0 | 1;
  readonly owner: number;
}

/** The Idempotency-Key of each workflow's start arguments: fixed for the workflow, and free to clash with any other's. */
type Keys = readonly (number | null)[];
const INTENTS = 3;
const OWNERS = 2;
const keyOf = (keys: Keys, { intent, owner }: Request): number | null => keys[intent * OWNERS + owner] ?? null;

const RUNS = 1_000;
const request = fc.record({ intent: fc.nat(INTENTS - 1), store: fc.constantFrom(0 as const, 1 as const), owner: fc.nat(OWNERS - 1) });
const keysOfRun = fc.array(fc.option(fc.nat(2)), { minLength: INTENTS * OWNERS, maxLength: INTENTS * OWNERS });
const rounds = fc.array(fc.array(request, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });

let world: StoreWorld;
let account: Account;
let stores: readonly [Store, Store];
beforeAll(async () => {
  world = await openStoreWorld();
  account = await world.newAccount({ balance: '1000000000', limits: { maxOpenOrders: 1_000_000, maxPositionNotional: '1000000000' } });
  stores = [world.store, await world.openAnother()];
});
afterAll(() => world.close());

let run = 0;
const uuidOf = (text: string): string => createHash('sha256').update(text).digest('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** The intent of a request: its id is its workflow's, its client order id the client's. */
function intentOf(name: string, keys: Keys, request: Request): OrderIntent {
  const { intent, owner } = request;
  const key = keyOf(keys, request);
  return intentFor(account, {
    id: uuidOf(`${name}/${intent}/${owner}`), clientOrderId: `${name}-${intent}`,
    idempotency: key === null ? null : { key: `${name}-${key}`, route: 'POST /orders', bodyHash: String(intent) },
  });
}

type Record = (store: Store, intent: OrderIntent, owner: string) => Promise<RecordedGroup>;
const asIs: Record = (store, intent, ownerWorkflowId) => store.placing.recordOrders([intent], { ownerWorkflowId, sendTtlMs: 1_000 });

/** Requests of a round are at once, rounds follow each other: retries, reordered, by two workflows over two processes. */
async function neverTwice(record: Record, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(rounds, keysOfRun, async (plan, keys) => {
      run += 1;
      const name = `run-${run}`;
      const placed: { readonly request: Request; readonly group: RecordedGroup }[] = [];
      for (const round of plan) {
        const groups = await Promise.all(round.map(async (each) => ({ request: each, group: await record(stores[each.store], intentOf(name, keys, each), `${name}/${each.intent}/${each.owner}`) })));
        placed.push(...groups);
      }
      const byIntent = new Map<number, Set<string>>();
      const byKey = new Map<number, Set<string>>();
      const attempts = new Map<string, Set<string>>();
      for (const { request: each, group } of placed) {
        const { intent } = each;
        const key = keyOf(keys, each);
        const orderId = group.items[0]?.orderId ?? '';
        if (group.items[0]?.verdict === 'accepted') byIntent.set(intent, (byIntent.get(intent) ?? new Set()).add(orderId));
        if (key !== null && group.items[0]?.verdict === 'accepted') byKey.set(key, (byKey.get(key) ?? new Set()).add(orderId));
        for (const call of group.calls) for (const id of call.orderIds) attempts.set(id, (attempts.get(id) ?? new Set()).add(call.attemptId));
      }
      // One order per client order id, one per key, one attempt per order, and every answer names an order that exists.
      for (const orders of [...byIntent.values(), ...byKey.values(), ...attempts.values()]) expect(orders.size).toBe(1);
      const ids = [...new Set(placed.map(({ group }) => group.items[0]?.orderId ?? ''))];
      expect(await world.store.orders.byIds(ids)).toHaveLength(ids.length);
    }),
    { numRuns },
  );
}

test('requests that are repeated and reordered, over processes, never make two orders of one', () => neverTwice(asIs, RUNS), 240_000);

test('a retry that makes up a new client order id is found out', async () => {
  let retries = 0;
  const planted: Record = (store, intent, owner) => asIs(store, { ...intent, id: uuidOf(`${intent.id}/${(retries += 1)}`), clientOrderId: `${intent.clientOrderId}-${retries}`, venueClientId: `${retries}`, idempotency: null }, owner);
  await expect(neverTwice(planted, RUNS)).rejects.toThrow(/seed/);
});
