import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import type { Evidence } from '../../../src/domain/evidence';
import type { OrderIntent } from '../../../src/domain/order';
import type { SendRight } from '../../../src/domain/order-store';
import { queried } from '../../support/queried';
import { intentFor, OWNER, openStoreWorld, seen, signingVenue, viewOf, type StoreWorld } from './harness';

let world: StoreWorld;
let account: Account;
beforeAll(async () => {
  world = await openStoreWorld([signingVenue('deadline', { resendSafety: 'venueDeadline' }, { nowMs: () => world.clock.nowMs() }), signingVenue('nonced', { resendSafety: 'sameBytes', nonceRule: 'timeMs' }, { nowMs: () => world.clock.nowMs() }), signingVenue('never', { resendSafety: 'none' })]);
  account = await world.newAccount();
});
afterAll(() => world.close());

async function recorded(changes: Partial<OrderIntent> = {}, of: Account = account): Promise<{ readonly intent: OrderIntent; readonly attemptId: string }> {
  const intent = intentFor(of, changes);
  const [call] = (await world.store.placing.recordOrders([intent], OWNER)).calls;
  if (call === undefined) throw new Error('no call was recorded');
  return { intent, attemptId: call.attemptId };
}

const refused = (attemptId: string): Evidence => ({ kind: 'refused', key: `refused/${attemptId}`, reasonCode: 'INVALID_PRICE', message: 'no', at: isoTime(Date.now()) });
const answer = { raw: '{"status":"ok"}', latencyMs: 12.5, venueTimeMs: 1_700_000_000_000 };

describe('the right to send', () => {
  test('is given once by the process that recorded the attempt; its fence holds', async () => {
    const { intent, attemptId } = await recorded();
    const right = await world.store.sending.takeSend(attemptId);
    expect(right).toMatchObject({ attemptId, fence: 1, maybeSent: false, venue: 'paper', accountId: account.id });
    expect(right?.orders.map((order) => order.id)).toEqual([intent.id]);
    expect(await world.store.sending.holdsFence(attemptId, 1)).toBe(true);
  });

  test('taken a second time raises the fence: the first holder may write no more, and the second must ask first', async () => {
    const { attemptId } = await recorded();
    const first = await world.store.sending.takeSend(attemptId);
    const second = await world.store.sending.takeSend(attemptId);
    expect(second).toMatchObject({ fence: 2, maybeSent: true });
    expect([first?.request?.kind, second?.request]).toEqual(['place', undefined]);
    expect(await world.store.sending.holdsFence(attemptId, 1)).toBe(false);
    expect(await world.store.sending.holdsFence(attemptId, 2)).toBe(true);
  });

  test('is answered to each for itself when many ask at the same moment', async () => {
    const [kept, raised, reported] = [await recorded(), await recorded(), await recorded()];
    for (const { attemptId } of [kept, raised, raised, reported]) await world.store.sending.takeSend(attemptId);
    await world.store.sending.report({ attemptId: reported.attemptId, fence: 1, outcome: 'notSent', answer: null, evidence: [] });
    const asked: [string, number][] = [[kept.attemptId, 1], [raised.attemptId, 1], [raised.attemptId, 2], [reported.attemptId, 1], [kept.attemptId, 2], ['nobody', 1]];
    expect(await Promise.all(asked.map(([attemptId, fence]) => world.store.sending.holdsFence(attemptId, fence)))).toEqual([true, false, true, false, false, false]);
  });

  test('in another process is never the first: it asks, and needs no bytes for it', async () => {
    const { attemptId } = await recorded();
    const other = await world.openAnother();
    expect(await other.sending.takeSend(attemptId)).toMatchObject({ fence: 2, maybeSent: true, orders: [{ state: 'SUBMITTING' }] });
  });

  test('ends with the report', async () => {
    const { attemptId } = await recorded();
    const right = await world.store.sending.takeSend(attemptId);
    await world.store.sending.report({ attemptId, fence: right?.fence ?? 0, outcome: 'notSent', answer: null, evidence: [] });
    expect(await world.store.sending.takeSend(attemptId)).toBeNull();
    expect(await world.store.sending.holdsFence(attemptId, 1)).toBe(false);
  });
});

describe('a report', () => {
  test('commits the answer, its evidence and the events together', async () => {
    const { intent, attemptId } = await recorded();
    await world.store.sending.takeSend(attemptId);
    const [applied] = await world.store.sending.report({ attemptId, fence: 1, outcome: 'answered', answer, evidence: [{ orderId: intent.id, evidence: seen(viewOf(intent)) }] });
    expect(applied).toMatchObject({ changed: true, order: { state: 'WORKING', venueOrderId: `v-${intent.venueClientId}` } });
    const timeline = await world.store.orders.timeline(intent.id, account.userId);
    expect(timeline?.attempts).toEqual([expect.objectContaining({ outcome: 'answered', latencyMs: 12.5, answer: '{"status":"ok"}', sentAt: expect.any(String), reportedAt: expect.any(String) })]);
    expect(timeline?.events.map((event) => event.type)).toEqual(['order.submitting', 'order.working']);
    expect(timeline?.attempts[0]?.request).not.toContain('secret of');
  });

  test('of a lost fence can refuse nothing', async () => {
    const { intent, attemptId } = await recorded();
    await world.store.sending.takeSend(attemptId);
    await world.store.sending.takeSend(attemptId);
    await world.store.sending.report({ attemptId, fence: 1, outcome: 'refused', answer, evidence: [{ orderId: intent.id, evidence: refused(attemptId) }] });
    expect((await world.store.orders.byId(intent.id))?.state).toBe('SUBMITTING');
    expect(await world.store.sending.holdsFence(attemptId, 2)).toBe(true);
  });

  test('of a lost fence still shows what the venue showed: evidence is evidence', async () => {
    const { intent, attemptId } = await recorded();
    await world.store.sending.takeSend(attemptId);
    await world.store.sending.takeSend(attemptId);
    await world.store.sending.report({ attemptId, fence: 1, outcome: 'answered', answer, evidence: [{ orderId: intent.id, evidence: seen(viewOf(intent)) }] });
    expect((await world.store.orders.byId(intent.id))?.state).toBe('WORKING');
  });

  test('that is repeated changes nothing', async () => {
    const { intent, attemptId } = await recorded();
    await world.store.sending.takeSend(attemptId);
    const report = { attemptId, fence: 1, outcome: 'answered' as const, answer, evidence: [{ orderId: intent.id, evidence: seen(viewOf(intent)) }] };
    await world.store.sending.report(report);
    const before = await world.store.orders.byId(intent.id);
    expect(await world.store.sending.report(report)).toEqual([{ order: before, changed: false }]);
    expect(await world.store.orders.byId(intent.id)).toEqual(before);
  });
});

describe('preparing an order again', () => {
  test('takes the earlier right away, and the new attempt tells the same client id', async () => {
    const { intent, attemptId } = await recorded();
    await world.store.sending.takeSend(attemptId);
    const again = await world.store.resend.prepareAgain(intent.id, 1_000);
    expect(await world.store.sending.holdsFence(attemptId, 1)).toBe(false);
    expect(await world.store.sending.takeSend(attemptId)).toBeNull();
    const right = await world.store.sending.takeSend(again ?? '');
    expect(right).toMatchObject({ maybeSent: false, fence: 1 });
    expect(right?.request?.bytes).toContain(intent.venueClientId);
  });

  test('is refused after placeBefore, and for an order whose outcome is known', async () => {
    const { intent } = await recorded({ placeBefore: isoTime(world.clock.nowMs() + 100) });
    world.clock.ms += 200;
    expect(await world.store.resend.prepareAgain(intent.id, 1_000)).toBeNull();
    const settled = await recorded();
    await world.store.evidence.apply([{ orderId: settled.intent.id, evidence: seen(viewOf(settled.intent)) }]);
    expect(await world.store.resend.prepareAgain(settled.intent.id, 1_000)).toBeNull();
  });

  test('where only a deadline makes it safe, waits until that has passed', async () => {
    const of = await world.newAccount({ venue: 'deadline' });
    const { intent } = await recorded({}, of);
    await expect(world.store.resend.prepareAgain(intent.id, 1_000)).rejects.toMatchObject({ code: 'CONFLICT' });
    world.clock.ms += OWNER.sendTtlMs + 1;
    expect(await world.store.resend.prepareAgain(intent.id, 1_000)).toEqual(expect.any(String));
  });

  test('where the nonce makes it safe, sends the very same bytes while the venue takes them', async () => {
    const of = await world.newAccount({ venue: 'nonced' });
    const { intent, attemptId } = await recorded({}, of);
    const first = await world.store.sending.takeSend(attemptId);
    world.clock.ms += OWNER.sendTtlMs - 1;
    const again = await world.store.resend.prepareAgain(intent.id, 1_000);
    expect((await world.store.sending.takeSend(again ?? ''))?.request).toEqual(first?.request);
  });

  describe('whose bytes the venue would refuse as expired', () => {
    async function expired(outcome: 'notSent' | 'rateLimited' | 'unknown'): Promise<{ readonly intent: OrderIntent; readonly first: SendRight | null; readonly deadlineMs: number }> {
      const of = await world.newAccount({ venue: 'nonced' });
      const { intent, attemptId } = await recorded({}, of);
      const first = await world.store.sending.takeSend(attemptId);
      await world.store.sending.report({ attemptId, fence: 1, outcome, answer: null, evidence: [] });
      world.clock.ms += OWNER.sendTtlMs + 1;
      return { intent, first, deadlineMs: first?.request?.venueDeadlineMs ?? NaN };
    }

    test.each(['notSent', 'rateLimited'] as const)('signs others under the same client id at once where these never left (%s)', async (outcome) => {
      const { intent, first } = await expired(outcome);
      const right = await world.store.sending.takeSend((await world.store.resend.prepareAgain(intent.id, 1_000)) ?? '');
      expect(right).toMatchObject({ maybeSent: false, earlierGone: true, request: { bytes: first?.request?.bytes } });
      expect([right?.request?.nonce === first?.request?.nonce, (right?.request?.venueDeadlineMs ?? 0) > world.clock.nowMs()]).toEqual([false, true]);
    });

    test('gives out what may have left, by its deadline, to have its nonce used up; never what nobody can say all of', async () => {
      const { intent, first, deadlineMs } = await expired('unknown');
      const doubted = (at = deadlineMs): Promise<unknown> => world.store.resend.doubted(intent.id, at);
      expect([await doubted(), await doubted(deadlineMs + 1), await doubted(deadlineMs - 1)]).toEqual([first?.request, null, null]);
      const second = await world.store.sending.takeSend((await world.store.resend.prepareAgain(intent.id, 1_000, deadlineMs)) ?? '');
      // The newest counts now: the first is proven gone.
      expect([await doubted(), await doubted(second?.request?.venueDeadlineMs ?? 0)]).toEqual([null, second?.request]);
      await queried(world.databaseUrl, 'UPDATE attempts SET data = NULL WHERE id IN (SELECT attempt_id FROM attempt_orders WHERE order_id = $1) RETURNING id', intent.id);
      expect(await doubted(second?.request?.venueDeadlineMs ?? 0)).toBeNull();
    });

    test('gives out nothing of what never left', async () => {
      const { intent, deadlineMs } = await expired('notSent');
      expect(await world.store.resend.doubted(intent.id, deadlineMs)).toBeNull();
    });

    test('signs others only when it is told that those which may have left are gone', async () => {
      const { intent, first, deadlineMs } = await expired('unknown');
      await expect(world.store.resend.prepareAgain(intent.id, 1_000)).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(world.store.resend.prepareAgain(intent.id, 1_000, deadlineMs - 1)).rejects.toMatchObject({ code: 'CONFLICT' });
      const again = (await world.store.resend.prepareAgain(intent.id, 1_000, deadlineMs)) ?? '';
      const second = await world.store.sending.takeSend(again);
      expect(second?.request?.nonce).not.toBe(first?.request?.nonce);
      // The same word again says nothing of the second, which lives: its bytes are repeated, and once dead they are as open as the first were.
      expect((await world.store.sending.takeSend((await world.store.resend.prepareAgain(intent.id, 1_000, deadlineMs)) ?? ''))?.request).toEqual(second?.request);
      world.clock.ms += 1_001;
      await expect(world.store.resend.prepareAgain(intent.id, 1_000, deadlineMs)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await world.store.placingHistory.factsOf(intent.id)).toMatchObject({ mayHaveLeft: true, lastDeadlineMs: second?.request?.venueDeadlineMs });
    });

    test('signs others at once where those that were found gone were followed by some that never left', async () => {
      const { intent, deadlineMs } = await expired('unknown');
      const second = (await world.store.resend.prepareAgain(intent.id, 1_000, deadlineMs)) ?? '';
      await world.store.sending.takeSend(second);
      await world.store.sending.report({ attemptId: second, fence: 1, outcome: 'notSent', answer: null, evidence: [] });
      expect(await world.store.resend.prepareAgain(intent.id, 1_000, deadlineMs)).toEqual(expect.any(String));
    });
  });

  test('where nothing makes it safe, never happens', async () => {
    const of = await world.newAccount({ venue: 'never' });
    const { intent } = await recorded({}, of);
    expect(await world.store.resend.prepareAgain(intent.id, 1_000)).toBeNull();
  });
});
