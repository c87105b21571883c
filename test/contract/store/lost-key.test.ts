/** After a master key was given up: what it sealed is opened by nobody, and everything that does not need it goes on. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { AttemptSender } from '../../../src/activities/attempt-sender';
import { environmentKeyProvider } from '../../../src/store/keys/local-key-provider';
import type { Account } from '../../../src/domain/account';
import type { Store } from '../../../src/store';
import { intentFor, openStoreWorld, OWNER, signingVenue, type StoreWorld } from './harness';

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
