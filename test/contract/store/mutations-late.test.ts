import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import type { OrderIntent } from '../../../src/domain/order';
import type { MutationIntent } from '../../../src/domain/order-store';
import { intentFor, OWNER, openStoreWorld, type StoreWorld } from './harness';
import { mutationOf, workingOrder } from './mutation-samples';

let world: StoreWorld;
let account: Account;
beforeAll(async () => {
  world = await openStoreWorld();
  account = await world.newAccount();
});
afterAll(() => world.close());

const working = (of: Account = account): Promise<OrderIntent> => workingOrder(world, intentFor(of));
const mutation = (kind: 'amend' | 'cancel', of: OrderIntent, changes: Partial<MutationIntent> = {}): MutationIntent => mutationOf(world, kind, of, changes);
const record = (intent: MutationIntent) => world.store.mutations.record(intent, OWNER);

const amendsSigned = async ({ id, userId }: OrderIntent) => (await world.store.orders.timeline(id, userId))?.attempts.filter(({ kind }) => kind === 'amend').length;
const late = () => ({ sendBefore: isoTime(world.clock.nowMs() - 3_590_000) });

describe('after the time in which it was to be sent', () => {
  const askedFor = (ms: number) => ({ sendBefore: isoTime(world.clock.nowMs() + ms) });

  test('an amend is denied with what to do: its price is of an hour ago. Nothing of it is on record, and it may be asked for again', async () => {
    const order = await working();
    const before = await world.store.orders.byId(order.id);
    const intent = mutation('amend', order, { limitPrice: '1.9', ...late() });
    expect(await record(intent)).toMatchObject({ verdict: 'denied', code: 'SERVICE_UNAVAILABLE', message: expect.stringMatching(/nothing was sent.*ask again/) });
    expect([await world.store.orders.byId(order.id), await world.store.mutations.find(intent.id)]).toEqual([before, null]);
    expect(await record(mutation('amend', order, { limitPrice: '1.9' }))).toMatchObject({ verdict: 'accepted', attemptId: expect.any(String) });
  });

  test('an amend of what changed meanwhile hears that, because asking again would not help', async () => {
    const order = await working();
    expect(await record(mutation('amend', order, { limitPrice: '1.9', expectedRevision: 77, ...late() }))).toMatchObject({ verdict: 'denied', code: 'PRECONDITION_FAILED' });
  });

  test('an amend that was recorded in time keeps its answer, and is neither sent nor signed anew', async () => {
    const order = await working();
    const intent = mutation('amend', order, { limitPrice: '1.9', ...askedFor(1_000) });
    await record(intent);
    world.clock.ms += 400;
    const again = await world.store.sending.takeSend((await world.store.mutations.newAttempt(intent.id, 2_000)) ?? '');
    expect(again).toMatchObject({ maybeSent: false, sendBeforeMs: Date.parse(intent.sendBefore) });
    world.clock.ms += 600;
    expect(await world.store.mutations.newAttempt(intent.id, 2_000)).toBeNull();
    expect(await record(intent)).toMatchObject({ verdict: 'accepted', attemptId: again?.attemptId });
    expect(await amendsSigned(order)).toBe(2);
    // What may have left is still to be found out.
    expect(await world.store.mutations.pendingOf(order.id)).toMatchObject([{ id: intent.id, state: 'pending' }]);
  });

  test('a cancel is taken and signed anew all the same: who asked wants the order gone', async () => {
    const intent = mutation('cancel', await working(), late());
    expect(await record(intent)).toMatchObject({ verdict: 'accepted', order: { pendingCancel: true } });
    const again = await world.store.sending.takeSend((await world.store.mutations.newAttempt(intent.id, 2_000)) ?? '');
    expect(again).toMatchObject({ maybeSent: false, sendBeforeMs: world.clock.nowMs() + 2_000 });
  });
});

describe('while a restored database is read back', () => {
  test('an amend that a restored database has lost may have been sent: it is on record again, to be asked about, and is not sent', async () => {
    const order = await working();
    const intent = mutation('amend', order, { limitPrice: '1.9', ...late() });
    expect(await world.store.mutations.record(intent, { ...OWNER, isReadBack: true })).toMatchObject({ verdict: 'accepted', attemptId: null, order: { pendingReplace: true } });
    expect([await world.store.mutations.newAttempt(intent.id, 2_000), await amendsSigned(order)]).toEqual([null, 0]);
  });

  test('an amend of an entry that is read back while entries are held is on record again as well, and is not sent; a new one is held', async () => {
    const order = await working();
    const intent = mutation('amend', order, { limitPrice: '1.9' });
    await world.store.states.begin({ lost: 'postgresql', reason: 'a test', accountIds: [] });
    try {
      expect(await record(mutation('amend', order, { limitPrice: '1.8' }))).toMatchObject({ verdict: 'denied', code: 'SERVICE_UNAVAILABLE' });
      expect(await world.store.mutations.record(intent, { ...OWNER, isReadBack: true })).toMatchObject({ verdict: 'accepted', attemptId: null, order: { pendingReplace: true } });
    } finally {
      await world.store.states.open(null);
    }
    expect([await world.store.mutations.newAttempt(intent.id, 2_000), await amendsSigned(order)]).toEqual([null, 0]);
  });

  test.each([
    ['names a revision that the backup is too old to have', { limitPrice: '1.9', expectedRevision: 77 }],
    ['asks for more than risk takes by now', { quantity: '999999999' }],
  ])('an amend that is read back and %s may have been sent before: it is on record, to be asked about, and is not sent', async (_what, changes) => {
    const order = await working(await world.newAccount());
    const intent = mutation('amend', order, changes);
    expect(await record({ ...intent, id: randomUUID() })).toMatchObject({ verdict: 'denied' });
    expect(await world.store.mutations.record(intent, { ...OWNER, isReadBack: true })).toMatchObject({ verdict: 'accepted', attemptId: null, order: { pendingReplace: true } });
    expect([await world.store.mutations.newAttempt(intent.id, 2_000), await amendsSigned(order)]).toEqual([null, 0]);
  });
});
