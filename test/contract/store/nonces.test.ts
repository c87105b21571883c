import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../../src/domain/clock';
import type { Account } from '../../../src/domain/account';
import type { AttemptReport } from '../../../src/domain/order-store';
import { intentFor, OWNER, openStoreWorld, seen, signingVenue, viewOf, type StoreWorld } from './harness';

let world: StoreWorld;
/** Two accounts of one signer. */
let first: Account;
let second: Account;
beforeAll(async () => {
  world = await openStoreWorld([
    signingVenue('strict', { nonceRule: 'increment', strictNonces: true, resendSafety: 'sameBytes', maxBatchSize: 1 }, { nowMs: () => world.clock.nowMs() }),
    signingVenue('strict-once', { nonceRule: 'increment', strictNonces: true, resendSafety: 'none', maxBatchSize: 1 }),
  ]);
});
beforeEach(() => pair('strict'));
afterAll(() => world.close());

async function pair(venue: string): Promise<void> {
  const signerId = `signer/${randomUUID()}`;
  [first, second] = [await world.newAccount({ venue, signerId }), await world.newAccount({ venue, signerId })];
}

async function placed(account: Account): Promise<{ readonly orderId: string; readonly attemptId: string | null }> {
  const intent = intentFor(account);
  const { calls, items } = await world.store.placing.recordOrders([intent], OWNER);
  expect(items).toEqual([{ orderId: intent.id, verdict: 'accepted' }]);
  return { orderId: intent.id, attemptId: calls[0]?.attemptId ?? null };
}

async function nonceOf(attemptId: string | null): Promise<string | null | undefined> {
  return (await world.store.sending.takeSend(attemptId ?? ''))?.request?.nonce;
}

const report = (attemptId: string | null, outcome: AttemptReport['outcome'], nonce?: AttemptReport['nonce']) =>
  world.store.sending.report({ attemptId: attemptId ?? '', fence: 1, outcome, answer: null, evidence: [], ...(nonce === undefined ? {} : { nonce }) });

describe('while a request of a signer is under way', () => {
  test('the next order is recorded and counted, but nothing is signed; after the answer it gets the next nonce', async () => {
    const one = await placed(first);
    expect(await nonceOf(one.attemptId)).toBe('1');
    const two = await placed(second);
    expect(two.attemptId).toBeNull();
    expect(await world.store.orders.byId(two.orderId)).toMatchObject({ state: 'SUBMITTING' });
    expect(await world.store.resend.prepareAgain(two.orderId, 1_000)).toBeNull();
    await report(one.attemptId, 'answered', 'used');
    expect(await nonceOf(await world.store.resend.prepareAgain(two.orderId, 1_000))).toBe('2');
  });

  test('of several requests of one group only the first is signed', async () => {
    const group = await world.store.placing.recordOrders([intentFor(first), intentFor(first), intentFor(second)], OWNER);
    expect(group.items.map((item) => item.verdict)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(group.calls).toHaveLength(1);
  });

  test('a cancel is recorded without bytes, and gets them when the signer is free', async () => {
    const one = await placed(first);
    await report(one.attemptId, 'answered', 'used');
    const intent = intentFor(first);
    const { calls } = await world.store.placing.recordOrders([intent], OWNER);
    await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
    const cancel = { id: randomUUID(), kind: 'cancel', userId: first.userId, accountId: first.id, venue: 'strict', orderId: intent.id, expectedRevision: null, limitPrice: null, quantity: null, sendBefore: isoTime(world.clock.nowMs() + 60_000) } as const;
    expect(await world.store.mutations.record(cancel, OWNER)).toMatchObject({ verdict: 'accepted', attemptId: null, order: { pendingCancel: true } });
    expect(await world.store.mutations.record(cancel, OWNER)).toMatchObject({ verdict: 'accepted', attemptId: null });
    expect(await world.store.mutations.newAttempt(cancel.id, 1_000)).toBeNull();
    await report(calls[0]?.attemptId ?? null, 'answered', 'used');
    expect(await nonceOf(await world.store.mutations.newAttempt(cancel.id, 1_000))).toBe('3');
  });

  test('another signer goes on', async () => {
    await placed(first);
    const other = await world.newAccount({ venue: 'strict' });
    expect((await placed(other)).attemptId).not.toBeNull();
  });
});

describe('a nonce', () => {
  test('of a request that never left is the next one\'s', async () => {
    const one = await placed(first);
    await report(one.attemptId, 'notSent', 'free');
    expect(await nonceOf((await placed(second)).attemptId)).toBe('1');
  });

  test('is not free by the word of one whose fence was raised: its successor may have sent the bytes', async () => {
    const one = await placed(first);
    await world.store.sending.takeSend(one.attemptId ?? '');
    await world.store.sending.takeSend(one.attemptId ?? ''); // somebody else, with fence 2
    await report(one.attemptId, 'notSent', 'free');
    expect((await placed(second)).attemptId).toBeNull();
  });

  test('of an unknown outcome holds the signer until the venue\'s count tells; the signer goes on from that count', async () => {
    const one = await placed(first);
    await report(one.attemptId, 'unknown');
    expect((await placed(second)).attemptId).toBeNull();
    const hold = await world.store.nonces.holdOf(second.id);
    expect(hold).toMatchObject({ attemptId: one.attemptId, nonce: 1n, isOver: false });
    if (hold === null) throw new Error('nothing holds the signer');
    await world.store.nonces.settle(hold, 'used', 5n);
    expect(await world.store.nonces.holdOf(first.id)).toBeNull();
    expect(await nonceOf((await placed(second)).attemptId)).toBe('5');
  });

  test('that is found free ends the right to its bytes, and is used by the next', async () => {
    await pair('strict-once');
    const one = await placed(first);
    await report(one.attemptId, 'unknown');
    const hold = await world.store.nonces.holdOf(first.id);
    if (hold === null) throw new Error('nothing holds the signer');
    await world.store.nonces.settle(hold, 'free', 1n);
    expect(await world.store.sending.holdsFence(one.attemptId ?? '', 1)).toBe(false);
    expect(await world.store.placingHistory.factsOf(one.orderId)).toMatchObject({ mayHaveLeft: false });
    expect(await nonceOf((await placed(second)).attemptId)).toBe('1');
  });

  test('a settlement that comes when another request holds the signer changes nothing', async () => {
    const one = await placed(first);
    await report(one.attemptId, 'unknown');
    const hold = await world.store.nonces.holdOf(first.id);
    if (hold === null) throw new Error('nothing holds the signer');
    await world.store.nonces.settle(hold, 'used', 2n);
    const two = await placed(second);
    await world.store.nonces.settle(hold, 'free', 1n);
    expect((await world.store.nonces.holdOf(first.id))?.attemptId).toBe(two.attemptId);
  });
});

describe('the same bytes sent again', () => {
  test('hold the signer in the place of the first, and only they may go', async () => {
    const one = await placed(first);
    const two = await placed(second);
    await report(one.attemptId, 'unknown');
    const again = await world.store.resend.prepareAgain(one.orderId, 1_000);
    expect(await nonceOf(again)).toBe('1');
    expect(await world.store.resend.prepareAgain(two.orderId, 1_000)).toBeNull();
    expect((await world.store.nonces.holdOf(first.id))?.attemptId).toBe(again);
  });

  test('stay where they are once the venue would refuse them as expired: what became of their nonce is found out first', async () => {
    const one = await placed(first);
    await report(one.attemptId, 'unknown');
    world.clock.ms += OWNER.sendTtlMs + 1;
    await expect(world.store.resend.prepareAgain(one.orderId, 1_000)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await world.store.nonces.holdOf(first.id))?.attemptId).toBe(one.attemptId);
  });

  test('that did not leave the second time prove nothing: the first may have', async () => {
    const one = await placed(first);
    await report(one.attemptId, 'unknown');
    const again = await world.store.resend.prepareAgain(one.orderId, 1_000);
    await report(again, 'notSent', 'free');
    expect(await world.store.nonces.holdOf(first.id)).toMatchObject({ attemptId: again, isOver: false });
    expect((await placed(second)).attemptId).toBeNull();
  });

  test('are never sent once their nonce was found free and given to another: fresh ones are made', async () => {
    const one = await placed(first);
    await report(one.attemptId, 'unknown');
    const hold = await world.store.nonces.holdOf(first.id);
    if (hold === null) throw new Error('nothing holds the signer');
    await world.store.nonces.settle(hold, 'free', 1n);
    const two = await placed(second);
    expect(await nonceOf(two.attemptId)).toBe('1');
    await report(two.attemptId, 'answered', 'used');
    expect(await nonceOf(await world.store.resend.prepareAgain(one.orderId, 1_000))).toBe('2');
  });
});
