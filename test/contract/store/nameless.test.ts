/** Exactly once where orders carry no client id: one whose answer was lost takes an order of the venue by its terms, and none is taken twice. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Account } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import type { Evidence } from '../../../src/domain/evidence';
import type { OrderIntent } from '../../../src/domain/order';
import type { VenueOrder } from '../../../src/domain/venue';
import { intentFor, openStoreWorld, OWNER, seen, viewOf, type StoreWorld } from './harness';
import type { Store } from '../../../src/store';

let world: StoreWorld;
let other: Store;
beforeAll(async () => {
  world = await openStoreWorld();
  other = await world.openAnother();
});
afterAll(() => world.close());

/** Orders of equal terms, recorded together. */
async function recorded(account: Account, count: number): Promise<OrderIntent[]> {
  const intents = Array.from({ length: count }, () => intentFor(account));
  await world.store.placing.recordOrders(intents, OWNER);
  return intents;
}

const unheard = (): Evidence => ({ kind: 'outcomeUnknown', key: `unknown/${randomUUID()}`, message: 'the answer was lost', at: isoTime(Date.now()) });
const lose = (intents: readonly OrderIntent[]) => world.store.evidence.apply(intents.map(({ id }) => ({ orderId: id, evidence: unheard() })));
/** As the venue shows an order that carries no client id. */
const shown = (intent: OrderIntent, changes: Partial<VenueOrder> = {}): VenueOrder => viewOf(intent, { venueOrderId: `oid-${randomUUID()}`, venueClientId: null, ...changes });
const nameOf = async ({ id }: OrderIntent): Promise<string | null> => (await world.store.orders.byId(id))?.venueOrderId ?? null;

describe('an order that carries no client id', () => {
  test('whose answer was lost takes the venue\'s order of its terms, once, and keeps its name when it is asked again', async () => {
    const account = await world.newAccount();
    const [intent] = await recorded(account, 1);
    if (intent === undefined) throw new Error('nothing was recorded');
    await lose([intent]);
    const [first, second] = [shown(intent), shown(intent)];
    expect(await world.store.nameless.claim(intent.id, [first, second])).toMatchObject({ order: { state: 'WORKING', venueOrderId: first.venueOrderId } });
    expect(await world.store.nameless.claim(intent.id, [second])).toBeNull();
    expect(await nameOf(intent)).toBe(first.venueOrderId);
  });

  test('takes its fills\' state too, and nothing where every candidate is another\'s', async () => {
    const account = await world.newAccount();
    const [intent, late] = await recorded(account, 2);
    if (intent === undefined || late === undefined) throw new Error('nothing was recorded');
    await lose([intent, late]);
    const filled = shown(intent, { status: 'filled', filledQuantity: intent.quantity, avgPrice: '2' });
    expect(await world.store.nameless.claim(intent.id, [filled])).toMatchObject({ order: { state: 'FILLED', filledQuantity: '10' } });
    expect(await other.nameless.claim(late.id, [filled])).toBeNull();
    expect(await world.store.orders.byId(late.id)).toMatchObject({ state: 'UNKNOWN', venueOrderId: null });
  });

  test('waits while the answer of an equal order is still out, because that answer names its own', async () => {
    const account = await world.newAccount();
    const [asking, answered] = await recorded(account, 2);
    if (asking === undefined || answered === undefined) throw new Error('nothing was recorded');
    await lose([asking]);
    const [one, two] = [shown(asking), shown(answered)];
    expect(await world.store.nameless.claim(asking.id, [one, two])).toBe('wait');
    await world.store.evidence.apply([{ orderId: answered.id, evidence: seen(one) }]);
    expect(await world.store.nameless.claim(asking.id, [one, two])).toMatchObject({ order: { venueOrderId: two.venueOrderId } });
  });

  test('does not wait for one of other terms, and does not see orders of another account', async () => {
    const [account, stranger] = [await world.newAccount(), await world.newAccount()];
    const asking = intentFor(account);
    const unlike = intentFor(account, { quantity: '11' });
    const theirs = intentFor(stranger);
    await world.store.placing.recordOrders([asking, unlike], OWNER);
    await world.store.placing.recordOrders([theirs], OWNER);
    await lose([asking, theirs]);
    const view = shown(asking);
    // The ids of two accounts at the venue are the venue's own: one number may be another's order.
    expect(await world.store.nameless.claim(theirs.id, [view])).toMatchObject({ order: { venueOrderId: view.venueOrderId } });
    expect(await world.store.nameless.claim(asking.id, [view])).toMatchObject({ order: { venueOrderId: view.venueOrderId } });
  });

  test('that does not exist takes nothing', async () => {
    const account = await world.newAccount();
    expect(await world.store.nameless.claim(randomUUID(), [shown(intentFor(account))])).toBeNull();
  });

  test('two identical orders that ask at once, in two processes, take two orders, each round', async () => {
    const account = await world.newAccount({ limits: { maxOpenOrders: 1_000 } });
    for (let round = 0; round < 20; round += 1) {
      const pair = await recorded(account, 2);
      await lose(pair);
      const [first, second] = pair;
      if (first === undefined || second === undefined) throw new Error('nothing was recorded');
      const candidates = [shown(first), shown(second)];
      await Promise.all([world.store.nameless.claim(first.id, candidates), other.nameless.claim(second.id, candidates)]);
      expect(new Set([await nameOf(first), await nameOf(second)])).toEqual(new Set(candidates.map(({ venueOrderId }) => venueOrderId)));
    }
  });

  test('two identical orders of which one reached the venue: one has it, the other has none', async () => {
    const account = await world.newAccount({ limits: { maxOpenOrders: 1_000 } });
    for (let round = 0; round < 10; round += 1) {
      const pair = await recorded(account, 2);
      await lose(pair);
      const [first, second] = pair;
      if (first === undefined || second === undefined) throw new Error('nothing was recorded');
      const only = shown(first);
      const claims = await Promise.all([world.store.nameless.claim(first.id, [only]), other.nameless.claim(second.id, [only])]);
      expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
      expect([await nameOf(first), await nameOf(second)].filter((name) => name !== null)).toEqual([only.venueOrderId]);
    }
  });

  test('property: whatever is lost, answered and asked, in any order and at once, no order of the venue becomes two of ours', async () => {
    const account = await world.newAccount({ balance: '100000000', limits: { maxOpenOrders: 1_000_000, maxOrderNotional: '1000000000', maxPositionNotional: '1000000000' } });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), async (count, reached, answered) => {
        const intents = await recorded(account, count);
        // The venue has an order for each that reached it; which of them is whose only the answers tell.
        const there = intents.flatMap((intent, index) => (reached[index] === true ? [shown(intent)] : []));
        const named = new Map(intents.flatMap((intent, index) => (reached[index] === true && answered[index] === true ? [[intent.id, there[intents.slice(0, index).filter((_, at) => reached[at] === true).length]]] : [])) as [string, VenueOrder][]);
        const lost = intents.filter(({ id }) => !named.has(id));
        await lose(lost);
        await Promise.all([
          ...[...named].map(([orderId, view]) => world.store.evidence.apply([{ orderId, evidence: seen(view) }])),
          ...lost.map(({ id }, index) => (index % 2 === 0 ? world.store : other).nameless.claim(id, there)),
        ]);
        // Those that were told to wait ask again.
        for (const { id } of lost) await other.nameless.claim(id, there);
        const names = (await Promise.all(intents.map(nameOf))).filter((name) => name !== null);
        expect(names.sort()).toEqual(there.map(({ venueOrderId }) => venueOrderId).sort());
      }),
      { numRuns: 60 },
    );
  });
});
