import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Account } from '../../../src/domain/account';
import type { OrderIntent } from '../../../src/domain/order';
import type { PrepareContext } from '../../../src/domain/venue';
import { intentFor, OWNER, openStoreWorld, signingVenue, SYMBOL, type StoreWorld } from './harness';

/** How each request of the grouping venue was signed. */
const signed: { readonly ids: readonly string[]; readonly grouping: PrepareContext['grouping'] }[] = [];
const grouping = signingVenue('grouping', { groupings: ['entryWithExits', 'positionExits'], resendSafety: 'sameBytes', nonceRule: 'timeMs', maxBatchSize: 2 }, { nowMs: () => world.clock.nowMs() });
const VENUE = {
  ...grouping,
  session: (credentials: Readonly<Record<string, string>>) => {
    const session = grouping.session(credentials);
    return {
      ...session,
      preparePlace: (...[orders, context]: Parameters<typeof session.preparePlace>) => {
        signed.push({ ids: orders.map(({ venueClientId }) => venueClientId), grouping: context.grouping });
        return session.preparePlace(orders, context);
      },
    };
  },
};

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld([VENUE]);
});
afterAll(() => world.close());

/** An entry, a take-profit and a stop, as one group. */
function groupOf(account: Account, entry: Partial<OrderIntent> = {}): OrderIntent[] {
  const first = intentFor(account, entry);
  const group = { grouping: 'entryWithExits', groupId: first.id } as const;
  return [{ ...first, group }, intentFor(account, { side: 'sell', reduceOnly: true, group }), intentFor(account, { side: 'sell', reduceOnly: true, group })];
}

const statesOf = async (intents: readonly OrderIntent[]) => Promise.all(intents.map(async ({ id }) => (await world.store.orders.byId(id))?.state));

test('a group is one request of its own, signed as a group, and each order says to which it belongs', async () => {
  const account = await world.newAccount({ venue: 'grouping' });
  const intents = groupOf(account);
  const alone = intentFor(account);
  signed.length = 0;
  const { items, calls } = await world.store.placing.recordOrders([alone, ...intents], OWNER);
  expect(items.map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted', 'accepted', 'accepted']);
  expect(calls.map(({ orderIds, exit }) => [orderIds, exit])).toEqual([[[alone.id], false], [intents.map(({ id }) => id), false]]);
  expect(signed).toEqual([{ ids: [alone.venueClientId], grouping: undefined }, { ids: intents.map(({ venueClientId }) => venueClientId), grouping: 'entryWithExits' }]);
  const orders = await Promise.all(intents.map(({ id }) => world.store.orders.byId(id)));
  expect(orders.map((order) => [order?.grouping, order?.groupId])).toEqual(intents.map(() => ['entryWithExits', intents[0]?.id]));
  expect(await world.store.orders.byId(alone.id)).toMatchObject({ grouping: null, groupId: null });
});

test('a group of which one order is denied is denied whole, costs nothing, and holds nobody else back', async () => {
  const account = await world.newAccount({ venue: 'grouping', limits: { maxOrderNotional: '100', maxOpenOrders: 4 } });
  const intents = groupOf(account, { quantity: '51' });
  const others = Array.from({ length: 4 }, () => intentFor(account));
  const { items, calls } = await world.store.placing.recordOrders([...intents, ...others], OWNER);
  expect(items.map(({ verdict }) => verdict)).toEqual(['denied', 'denied', 'denied', 'accepted', 'accepted', 'accepted', 'accepted']);
  expect(calls.flatMap(({ orderIds }) => orderIds)).toEqual(others.map(({ id }) => id));
  expect((await Promise.all(intents.map(({ id }) => world.store.orders.byId(id)))).map((order) => order?.reasonCode)).toEqual(['RISK_ORDER_NOTIONAL', 'RISK_NOTHING_TO_REDUCE', 'RISK_NOTHING_TO_REDUCE']);
});

test('an entry that passes is taken back with an exit that does not', async () => {
  const account = await world.newAccount({ venue: 'grouping' });
  const [entry, profit, stop] = groupOf(account) as [OrderIntent, OrderIntent, OrderIntent];
  const torn = [entry, profit, { ...stop, side: 'buy' as const }];
  await world.store.placing.recordOrders(torn, OWNER);
  expect(await statesOf(torn)).toEqual(['DENIED', 'DENIED', 'DENIED']);
  expect((await world.store.orders.byId(entry.id))?.reasonMessage).toContain('another order of its group');
  expect((await world.store.accounts.figures(account.id)).symbols[SYMBOL]).toBeUndefined();
});

test('a group recorded again by its owner gets the same answer; one whose entry is another request\'s order is denied', async () => {
  const account = await world.newAccount({ venue: 'grouping' });
  const intents = groupOf(account, { clientOrderId: 'entry' });
  const first = await world.store.placing.recordOrders(intents, OWNER);
  expect(await (await world.openAnother()).placing.recordOrders(intents, OWNER)).toEqual(first);
  const again = groupOf(account, { clientOrderId: 'entry' });
  const { items, calls } = await world.store.placing.recordOrders(again, { ...OWNER, ownerWorkflowId: 'order/another' });
  expect([items.map(({ verdict }) => verdict), calls]).toEqual([['duplicate', 'denied', 'denied'], []]);
});

test('a group goes again as the very bytes of its first request, with all its orders, and never in parts', async () => {
  const account = await world.newAccount({ venue: 'grouping' });
  const intents = groupOf(account);
  const { calls } = await world.store.placing.recordOrders(intents, OWNER);
  const sent = await world.store.sending.takeSend(calls[0]?.attemptId ?? '');
  signed.length = 0;
  const attemptId = await world.store.resend.prepareAgain(intents[1]?.id ?? '', 1_000);
  const again = await world.store.sending.takeSend(attemptId ?? '');
  expect([again?.request, again?.orders.map(({ id }) => id), signed]).toEqual([sent?.request, intents.map(({ id }) => id), []]);
});

test('a group whose bytes died without having left is signed anew as a whole, and not at all once one of it is settled', async () => {
  const account = await world.newAccount({ venue: 'grouping' });
  const [intents, settled] = [groupOf(account), groupOf(account)];
  for (const group of [intents, settled]) {
    const { calls } = await world.store.placing.recordOrders(group, OWNER);
    await world.store.sending.takeSend(calls[0]?.attemptId ?? '');
    await world.store.sending.report({ attemptId: calls[0]?.attemptId ?? '', fence: 1, outcome: 'notSent', answer: null, evidence: [] });
  }
  expect((await world.store.placingHistory.companionsOf(intents[0]?.id ?? '')).map(({ id }) => id).sort()).toEqual([intents[1]?.id, intents[2]?.id].sort());
  world.clock.ms += OWNER.sendTtlMs + 1;
  signed.length = 0;
  const right = await world.store.sending.takeSend((await world.store.resend.prepareAgain(intents[2]?.id ?? '', 1_000)) ?? '');
  expect(right?.orders.map(({ id }) => id)).toEqual(intents.map(({ id }) => id));
  expect(signed).toEqual([{ ids: intents.map(({ venueClientId }) => venueClientId), grouping: 'entryWithExits' }]);
  // Another of the group now finds these bytes under way, and repeats them.
  expect((await world.store.sending.takeSend((await world.store.resend.prepareAgain(intents[0]?.id ?? '', 1_000)) ?? ''))?.request).toEqual(right?.request);
  await world.store.evidence.apply([{ orderId: settled[1]?.id ?? '', evidence: { kind: 'refused', key: 'refused', reasonCode: 'OTHER', message: 'no', at: new Date(world.clock.nowMs()).toISOString() } }]);
  expect(await world.store.resend.prepareAgain(settled[0]?.id ?? '', 1_000)).toBeNull();
});
