/** Order lists in PostgreSQL: what is recorded holds whoever asks, and how often. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account } from '../../../src/domain/account';
import type { LegTerms, ListChildPlan, OrderList, OrderListLeg } from '../../../src/domain/order-list';
import type { NewOrderList } from '../../../src/store/waiting/order-lists';
import { exitLeg } from '../list-legs';
import { openStoreWorld, SYMBOL, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

const leg = (account: Account, n: number, terms: Partial<LegTerms> = {}): OrderListLeg => exitLeg(account, n, { quantity: '100', limitPrice: '2', ...terms });

function wish(account: Account, change: Partial<NewOrderList> = {}): NewOrderList {
  const id = randomUUID();
  return {
    id, clientListId: `c-${id}`, userId: account.userId, accountId: account.id, venue: account.venue, symbol: SYMBOL, type: 'OUO', legs: [leg(account, 0), leg(account, 1, { type: 'stopMarket', limitPrice: null, triggerPrice: '1' })],
    expireTime: null, timeLimitMs: null, breakEvenAfter: null, ownerWorkflowId: `order-list/${id}`, ...change,
  };
}

const rest = (quantity: string): ListChildPlan => ({ leg: 0, step: 'rest', version: 0, type: 'limit', timeInForce: 'GTC', postOnly: false, quantity, limitPrice: '2' });
const decided = { revision: 1, afterN: 0, note: null, place: [rest('100')], cancel: [], alerts: [] };
const kinds = async (list: OrderList): Promise<readonly string[]> => (await world.store.orderLists.timeline(list.id, list.userId))?.events.map(({ type }) => type) ?? [];

test('a list is made once by its client id, and advances only from the facts it was decided on', async () => {
  const account = await world.newAccount();
  const { orderLists } = world.store;
  const asked = wish(account);
  const made = await orderLists.create(asked, null);
  expect((await orderLists.create({ ...asked, id: randomUUID() }, null)).id).toBe(made.id);
  // Two workers decided the same at once: one of them is too late.
  const both = await Promise.all([orderLists.advance(made.id, decided), orderLists.advance(made.id, decided)]);
  expect(both.filter((answer) => answer !== null)).toHaveLength(1);
  // A decision that knows of the first and still wants more than a leg's share records nothing: the first counts whole before it is placed.
  expect(await orderLists.advance(made.id, { ...decided, afterN: 1, place: [rest('1')] })).toBeNull();
  expect(await orderLists.children(made.id)).toMatchObject([{ n: 1, leg: 0, state: 'PENDING_RISK', isPlaced: false, quantity: '100' }]);
  await orderLists.advance(made.id, { ...decided, afterN: 1, place: [], cancel: [1], alerts: [{ leg: 1, kind: 'exitNotFilled', words: 'it was refused' }] });
  const [child] = await orderLists.children(made.id);
  expect(child?.cancelAskedAtMs).not.toBeNull();
  expect(await kinds(made)).toEqual(['orderList.created', 'orderList.placing']);
  expect((await world.store.events.since(`account:${account.id}`, 0, 100)).find(({ type }) => type === 'account.alert')?.data).toMatchObject({ kind: 'exitNotFilled', orderListId: made.id, leg: 1 });
});

test('what its workflow notes is told by what it says: set off, moved, over', async () => {
  const account = await world.newAccount();
  const { orderLists } = world.store;
  const made = await orderLists.create(wish(account), null);
  const at = new Date().toISOString();
  const [profit, stop] = made.legs as [OrderListLeg, OrderListLeg];
  const triggered = { by: 'price', level: '1', at, evidence: null } as const;
  const note = { state: 'ACTIVE', reason: null, closeAt: null, legs: [profit, { ...stop, state: 'TRIGGERED', triggered, breakEvenPrice: '1.5' }] } as const;
  await orderLists.advance(made.id, { ...decided, place: [], note });
  const ended = { ...note, state: 'COMPLETED', legs: note.legs } as const;
  await orderLists.advance(made.id, { ...decided, revision: 2, place: [], note: ended });
  expect(await orderLists.byId(made.id)).toMatchObject({ state: 'COMPLETED', revision: 3, endedAt: expect.any(String) });
  expect(await kinds(made)).toEqual(['orderList.created', 'orderList.triggered', 'orderList.stopMoved', 'orderList.completed']);
  // It is over: nothing of it is recorded any more.
  expect(await orderLists.advance(made.id, { ...decided, revision: 3 })).toBeNull();
});

test('an edit needs the present revision, and a quantity above what filled; a cancel is taken once', async () => {
  const account = await world.newAccount();
  const { orderLists } = world.store;
  const made = await orderLists.create(wish(account), null);
  const amend = (expectedRevision: number) => orderLists.command(made.id, account.userId, { kind: 'amend', expectedRevision, legs: [{ n: 1, triggerPrice: '1.1' }] });
  await expect(amend(7)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
  expect(await amend(1)).toMatchObject({ revision: 2, legs: [{ version: 0 }, { version: 1, triggerPrice: '1.1' }] });
  await expect(orderLists.command(made.id, 'somebody', { kind: 'cancel', reason: 'theirs' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const canceled = await orderLists.command(made.id, account.userId, { kind: 'cancel', reason: 'mine' });
  expect([canceled.pendingCancel, (await orderLists.command(made.id, account.userId, { kind: 'cancel', reason: 'again' })).revision]).toEqual([true, canceled.revision]);
  await expect(amend(canceled.revision)).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('a halt stops entries and leaves exits alone; a halted account takes no list that enters', async () => {
  const account = await world.newAccount();
  const { orderLists, killSwitches } = world.store;
  const exits = await orderLists.create(wish(account), null);
  const entering = await orderLists.create(wish(account, { type: 'OTO', legs: [leg(account, 0, { role: 'entry', side: 'buy', reduceOnly: false }), leg(account, 1)] }), null);
  const halt = (list: OrderList) => orderLists.command(list.id, account.userId, { kind: 'stopEntries', reason: 'kill switch k' });
  expect([(await halt(exits)).revision, (await halt(entering)).entriesStopped]).toEqual([1, true]);
  expect((await orderLists.openOf(account.id)).map(({ id }) => id).sort()).toEqual([exits.id, entering.id].sort());
  await killSwitches.latch({ id: randomUUID(), userId: account.userId, scope: 'account', accountId: account.id, venue: null, mode: 'halt', reason: null }, 'key:k');
  await expect(orderLists.create(wish(account, { type: 'OTO', legs: entering.legs }), null)).rejects.toMatchObject({ code: 'RISK_ACCOUNT_HALTED' });
  expect((await orderLists.create(wish(account), null)).state).toBe('ACTIVE');
});

test('a list over two accounts is locked, found and stopped by either', async () => {
  const [one, other] = [await world.newAccount(), await world.newAccount()];
  const made = await world.store.orderLists.create(wish(one, { legs: [leg(one, 0), leg(other, 1)] }), null);
  expect((await world.store.orderLists.openOf(other.id)).map(({ id }) => id)).toEqual([made.id]);
  const { orderLists, nextCursor } = await world.store.orderLists.list({ userId: one.userId, status: 'open', accountId: one.id, symbol: null, venue: null, cursor: null, limit: 10 });
  expect([orderLists.map(({ id }) => id), nextCursor]).toEqual([[made.id], null]);
  expect((await world.store.orderLists.unended(1_000)).some(({ id }) => id === made.id)).toBe(true);
});

test('an account on which a list may place an order later is not deleted before that list has ended', async () => {
  const [first, second] = [await world.newAccount(), await world.newAccount()];
  const { orderLists, accountChanges } = world.store;
  const made = await orderLists.create(wish(first, { type: 'OCO', legs: [leg(first, 0), leg(second, 1, { type: 'stopMarket', limitPrice: null, triggerPrice: '1' })] }), null);
  for (const account of [first, second]) await expect(accountChanges.remove(account.id, account.userId, 'key:boss')).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('1 open order lists'), details: { orderLists: 1, strategies: 0 } });
  await orderLists.advance(made.id, { ...decided, place: [], note: { state: 'CANCELED', reason: null, closeAt: null, legs: made.legs } });
  for (const account of [first, second]) await accountChanges.remove(account.id, account.userId, 'key:boss');
  expect(await world.store.accounts.byId(first.id)).toBeNull();
});
