/** After a master key was given up: what it sealed is opened by nobody, and everything that does not need it goes on. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { AttemptSender } from '../../../src/activities/attempt-sender';
import { createStoreRecoveryActivities, type StoreRecoveryPorts } from '../../../src/activities/store-recovery';
import { environmentKeyProvider } from '../../../src/store/keys/local-key-provider';
import { KEY_LOST, type Account } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import { UNCONDITIONAL, type OrderIntent } from '../../../src/domain/order';
import type { MutationIntent } from '../../../src/domain/order-store';
import type { Store } from '../../../src/store';
import { intentFor, openStoreWorld, OWNER, seen, signingVenue, viewOf, type StoreWorld } from './harness';

const keyOf = (words: string): Buffer => createHash('sha256').update(words).digest();
/** The key of every store world, and the one that came after it. */
const LOST = environmentKeyProvider([keyOf('a key of the tests')]);
const NEXT = environmentKeyProvider([keyOf('another key')]);

let world: StoreWorld;
/** Of a process that has the new master key only. */
let store: Store;

beforeAll(async () => {
  world = await openStoreWorld([signingVenue('nonced', { resendSafety: 'sameBytes', nonceRule: 'timeMs' }, { nowMs: () => world.clock.nowMs() })]);
  store = await world.openAnother({ keyProvider: NEXT });
});
afterAll(() => world.close());

const giveUp = (): Promise<unknown> => store.lostKeys.mark(LOST.currentKeyId, 'setting:SUREFILL_LOST_MASTER_KEY');
const giveNewKey = (account: Account): Promise<Account> => store.accountChanges.apply(account.id, world.userId, { credential: { key: 'new' }, status: { status: 'ACTIVE', reason: null } }, 'key:owner');

test('an order that was recorded under it and never heard of is asked about, and no longer stands as being submitted', async () => {
  const account = await world.newAccount({ venue: 'nonced' });
  const intent = intentFor(account);
  const [call] = (await world.store.placing.recordOrders([intent], OWNER)).calls;
  await giveUp();
  const sender = new AttemptSender({ clock: world.clock, venues: new Map(), sending: store.sending, credentials: (id) => store.accounts.credentials(id) });
  expect(await sender.sendPlacing(call?.attemptId ?? '', [intent.id], new AbortController().signal)).toEqual([intent.id]);
  expect(await store.orders.byId(intent.id)).toMatchObject({ state: 'UNKNOWN' });
  const timeline = await store.orders.timeline(intent.id, world.userId);
  expect(timeline?.attempts).toEqual([expect.objectContaining({ kind: 'place', outcome: 'unknown', request: null })]);
});

test('what it signed goes out no more: nobody has its bytes, and once they are dead others are signed with the new key', async () => {
  const account = await world.newAccount({ venue: 'nonced' });
  const intent = intentFor(account);
  const [call] = (await world.store.placing.recordOrders([intent], OWNER)).calls;
  const first = await world.store.sending.takeSend(call?.attemptId ?? '');
  await world.store.sending.report({ attemptId: call?.attemptId ?? '', fence: 1, outcome: 'unknown', answer: null, evidence: [] });
  await giveUp();
  await giveNewKey(account);
  const deadlineMs = first?.request?.venueDeadlineMs ?? NaN;
  await expect(store.resend.prepareAgain(intent.id, 1_000)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('cannot be sent again') });
  expect([await world.store.resend.doubted(intent.id, deadlineMs), await store.resend.doubted(intent.id, deadlineMs)]).toEqual([first?.request, null]);
  world.clock.ms += OWNER.sendTtlMs + 1;
  const again = await store.sending.takeSend((await store.resend.prepareAgain(intent.id, 1_000, deadlineMs)) ?? '');
  expect(again).toMatchObject({ maybeSent: false, earlierGone: true, request: { bytes: expect.stringContaining('secret of new') } });
});

const storeElsewhere = (): Promise<Store> => world.openAnother({ keyProvider: environmentKeyProvider([keyOf('of a worker that is set up otherwise')]) });

/** Sealed by a key that neither process of the world has, and that nobody called lost. */
const madeElsewhere = async (): Promise<Account> => {
  const account = await world.newAccount({ venue: 'nonced' });
  await (await storeElsewhere()).accountChanges.apply(account.id, world.userId, { credential: { key: 'k' } }, 'key:owner');
  return account;
};
const changeOf = (kind: MutationIntent['kind'], { id, accountId, userId, venue }: OrderIntent): MutationIntent => ({
  id: randomUUID(), kind, orderId: id, accountId, userId, venue, expectedRevision: null, limitPrice: kind === 'amend' ? '1.9' : null, quantity: null, sendBefore: isoTime(world.clock.nowMs() + 60_000),
});
const WISH = { ownerWorkflowId: 'mutation/1', sendTtlMs: 1_000 };

test('orders of an account whose key another process has are not denied here: they are tried again, under the same ids, until one has it', async () => {
  const account = await madeElsewhere();
  const [entry, exit] = [intentFor(account, { idempotency: { key: randomUUID(), route: 'POST /orders', bodyHash: 'h' } }), intentFor(account, { reduceOnly: true, side: 'sell' })];
  for (const intent of [entry, exit]) await expect(store.placing.recordOrders([intent], OWNER)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', message: expect.stringContaining('not at hand in this process') });
  expect([await store.placing.recordDenied(entry), await store.orders.byId(entry.id), await store.orders.byId(exit.id)]).toEqual([false, null, null]);
  // Nor does a refusal of somebody else's order wait with them.
  const [ours, theirs] = [await world.newAccount(), await madeElsewhere()];
  await giveNewKey(ours);
  const [tooLarge, besides] = [intentFor(ours, { quantity: '1000000' }), intentFor(theirs)];
  await store.placing.recordOrders([tooLarge, besides], OWNER);
  expect((await Promise.all([tooLarge, besides].map(({ id }) => store.orders.byId(id)))).map((order) => order?.reasonCode)).toEqual(['RISK_ORDER_NOTIONAL', 'SERVICE_UNAVAILABLE']);
  const right = await storeElsewhere();
  expect((await right.placing.recordOrders([entry], OWNER)).items).toEqual([{ orderId: entry.id, verdict: 'accepted' }]);
});

test('a conditional order is armed also where its account\'s key is not at hand: nothing of it is signed yet', async () => {
  const account = await madeElsewhere();
  const intent = intentFor(account, { type: 'stopMarket', limitPrice: null, side: 'buy', condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '3', triggerPriceType: 'mark', gapPolicy: 'traded' } });
  expect((await store.placing.recordOrders([intent], OWNER)).items).toEqual([{ orderId: intent.id, verdict: 'accepted' }]);
  expect(await store.orders.byId(intent.id)).toMatchObject({ state: 'ARMED' });
});

test('one that waited when the key was lost is read back as one that waits, whatever a restored database says of its account', async () => {
  const account = await world.newAccount({ venue: 'nonced' });
  await giveUp();
  const stop = intentFor(account, { type: 'stopMarket', limitPrice: null, side: 'sell', reduceOnly: true, condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark', gapPolicy: 'traded' } });
  await store.placing.recordOrders([stop], { ...OWNER, readBack: { denied: new Set() } });
  expect(await store.orders.byId(stop.id)).toMatchObject({ state: 'ARMED' });
});

test('a cancel whose account\'s key is not at hand is on record, for who has the key to send; an amendment is not taken yet', async () => {
  const account = await madeElsewhere();
  const intent = intentFor(account);
  const right = await storeElsewhere();
  await right.placing.recordOrders([intent], OWNER);
  await right.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
  expect(await store.mutations.record(changeOf('amend', intent), WISH)).toMatchObject({ verdict: 'denied', code: 'SERVICE_UNAVAILABLE' });
  const cancel = changeOf('cancel', intent);
  expect(await store.mutations.record(cancel, WISH)).toMatchObject({ verdict: 'accepted', attemptId: null, order: { state: 'WORKING', pendingCancel: true } });
  await expect(store.mutations.newAttempt(cancel.id, 1_000)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(await right.mutations.newAttempt(cancel.id, 1_000)).toEqual(expect.any(String));
});

test('while its account has no new key, orders are refused in words, and a cancel says what is missing: the order is there', async () => {
  const account = await world.newAccount({ venue: 'nonced' });
  const intent = intentFor(account);
  await world.store.placing.recordOrders([intent], OWNER);
  await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
  await giveUp();
  const later = intentFor(account);
  expect((await store.placing.recordOrders([later], OWNER)).items).toEqual([{ orderId: later.id, verdict: 'denied' }]);
  expect(await store.orders.byId(later.id)).toMatchObject({ state: 'DENIED', reasonCode: 'FORBIDDEN' });
  expect(await store.mutations.record(changeOf('cancel', intent), WISH)).toMatchObject({ verdict: 'denied', code: 'CONFLICT', message: expect.stringContaining('give it a new one'), order: { state: 'WORKING' } });
  await giveNewKey(account);
  expect(await store.mutations.record(changeOf('cancel', intent), WISH)).toMatchObject({ verdict: 'accepted', attemptId: expect.any(String) });
});

test('its account is not released without a new key, whatever its status says, and nothing waits for it to be looked at', async () => {
  const account = await world.newAccount({ venue: 'nonced' });
  await giveUp();
  const change = (status: 'ACTIVE' | 'REDUCING' | 'HALTED', reason: string | null = null): Promise<Account> => store.accountChanges.apply(account.id, world.userId, { status: { status, reason } }, 'key:owner');
  await expect(change('ACTIVE')).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('give it a new key first') });
  await expect(change('REDUCING')).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await store.accounts.byId(account.id)).toMatchObject({ status: 'HALTED', statusReason: KEY_LOST });
  // Halted for a person's reason it still has no key.
  await change('HALTED', 'on holiday');
  await expect(change('ACTIVE')).rejects.toMatchObject({ code: 'CONFLICT' });
  expect((await store.accounts.withLostKeys()).has(account.id)).toBe(true);
  const others = await world.newAccount({ venue: 'nonced' });
  await giveNewKey(others);
  const asked: string[] = [];
  const ports: Pick<StoreRecoveryPorts, 'accounts' | 'withLostKeys' | 'venues' | 'clock' | 'ensureAccountWatched' | 'reconcile'> & { states: Pick<StoreRecoveryPorts['states'], 'reading'> } = {
    clock: world.clock, venues: ['nonced'], accounts: () => store.accounts.allActive(), withLostKeys: () => store.accounts.withLostKeys(),
    states: { reading: async () => undefined }, ensureAccountWatched: async () => undefined, reconcile: async (id) => void asked.push(id),
  };
  const { unread } = await new MockActivityEnvironment().run<[{ reason: string }], { unread: readonly string[] }, (input: { reason: string }) => Promise<{ unread: readonly string[] }>>(createStoreRecoveryActivities(ports as StoreRecoveryPorts).lookAtAccounts, { reason: 'a test' });
  expect([account.id, others.id].map((id) => [unread.includes(id), asked.includes(id)])).toEqual([[false, false], [true, true]]);
  // Whoever found the old key again opens it.
  expect((await world.store.accounts.withLostKeys()).has(account.id)).toBe(false);
  expect(await giveNewKey(account)).toMatchObject({ status: 'ACTIVE', statusReason: null });
  expect((await store.accounts.withLostKeys()).has(account.id)).toBe(false);
});
