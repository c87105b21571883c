/** What a venue's adapter must do when no answer comes, or nothing may be sent. Counts at the venue are compared, not logs. */
import assert from 'node:assert/strict';
import type { SendOptions, VenueAccountSession } from '../../../src/domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../../../src/domain/venue-errors';
import { acknowledged, refusedCode } from './checks-orders';
import type { ContractCheck } from './contract';
import { deadline, hasQuirk, newClientId, orderFor, place, prepared, reading, sending, termsOf, type VenueHarness } from './harness';

/** The error a call ends with; fails when it ends without one. */
export async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => assert.fail(`expected an error, got ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

/** The call certainly sent nothing: the error says so, and the venue counts no request more. */
async function sendsNothing(harness: VenueHarness, session: VenueAccountSession, options: SendOptions, reason: VenueUnavailable['reason']): Promise<void> {
  const request = await prepared(harness, session, [orderFor(harness)]);
  const before = await harness.control.received('place');
  const error = await errorOf(session.send(request, options));
  assert.ok(error instanceof VenueUnavailable, String(error));
  assert.equal(error.reason, reason);
  assert.equal(await harness.control.received('place'), before);
}

function unknownOutcome(error: unknown): VenueOutcomeUnknown {
  assert.ok(error instanceof VenueOutcomeUnknown, `silence is not an answer: ${String(error)}`);
  return error;
}

export const SILENCE_CHECKS: readonly ContractCheck[] = [
  {
    name: 'a lost answer leaves the outcome unknown, and the one order is found by its client id',
    run: async (harness) => {
      const { session, name } = await harness.account();
      const order = orderFor(harness);
      await harness.control.loseAnswer('place');
      unknownOutcome(await errorOf(place(harness, session, [order])));
      assert.deepEqual((await harness.control.accepted(name)).map(({ clientId }) => clientId), [order.venueClientId]);
      const found = await session.findOrder({ venueClientId: order.venueClientId, venueOrderId: null, venueSymbol: order.venueSymbol }, reading());
      assert.equal(found?.status, 'open');
    },
  },
  {
    name: 'a 5xx after the venue took the order leaves the outcome unknown',
    run: async (harness) => {
      const { session, name } = await harness.account();
      await harness.control.failAfterAccept('place');
      assert.equal(unknownOutcome(await errorOf(place(harness, session, [orderFor(harness)]))).reason, 'serverError');
      assert.equal((await harness.control.accepted(name)).length, 1);
    },
  },
  {
    name: 'an answer later than the deadline leaves the outcome unknown',
    run: async (harness) => {
      const { session, name } = await harness.account();
      const held = await harness.control.holdAnswer('place');
      const sent = errorOf(place(harness, session, [orderFor(harness)], sending({ sendBeforeMs: Date.now() + 1_500 })));
      const error = unknownOutcome(await sent);
      await held.taken();
      await held.release();
      assert.equal(error.reason, 'timeout');
      assert.equal((await harness.control.accepted(name)).length, 1);
    },
  },
  {
    name: 'a cancellation while the answer is out leaves the outcome unknown',
    run: async (harness) => {
      const { session } = await harness.account();
      const held = await harness.control.holdAnswer('place');
      const stop = new AbortController();
      const sent = errorOf(place(harness, session, [orderFor(harness)], sending({ signal: stop.signal })));
      await held.taken();
      stop.abort();
      unknownOutcome(await sent);
      await held.release();
    },
  },
  {
    name: 'the same bytes sent again after silence make no second order',
    run: async (harness) => {
      const { session, name } = await harness.account();
      const request = await prepared(harness, session, [orderFor(harness)]);
      await harness.control.loseAnswer('place');
      const before = await harness.control.received('place');
      unknownOutcome(await errorOf(session.send(request, sending())));
      assert.equal(await harness.control.received('place'), before + 1, 'a send is one request');
      const [again] = (await session.send(request, sending())).items;
      assert.ok(again?.kind === 'acknowledged' || (again?.kind === 'refused' && again.code === 'duplicateClientId'), JSON.stringify(again));
      assert.equal((await harness.control.accepted(name)).length, 1);
    },
  },
  {
    name: 'the lost answer of an amendment leaves it unknown, and its repeat has no second effect',
    run: async (harness) => {
      const { session } = await harness.account();
      const order = acknowledged(await place(harness, session, [orderFor(harness)]));
      const reference = { venueClientId: order.venueClientId ?? '', venueOrderId: order.venueOrderId, venueSymbol: order.venueSymbol };
      const request = session.prepareAmend({ order: reference, terms: termsOf(order), amendmentId: newClientId(), limitPrice: null, quantity: '0.05' }, await deadline(harness));
      await harness.control.loseAnswer('amend');
      unknownOutcome(await errorOf(session.send(request, sending())));
      const once = await session.findOrder(reference, reading());
      assert.equal(once?.quantity, '0.05');
      const again = await session.send(request, sending());
      if (hasQuirk(harness, 'replacingAmends')) assert.equal(refusedCode(again), 'duplicateClientId');
      else assert.equal(acknowledged(again).revision, once?.revision);
      assert.equal((await session.openOrders(reading())).length, 1);
    },
  },
  {
    name: 'the lost answer of a cancel leaves it unknown',
    run: async (harness) => {
      const { session } = await harness.account();
      const order = acknowledged(await place(harness, session, [orderFor(harness)]));
      const reference = { venueClientId: order.venueClientId ?? '', venueOrderId: order.venueOrderId, venueSymbol: order.venueSymbol };
      const request = session.prepareCancel([reference], await deadline(harness));
      await harness.control.loseAnswer('cancel');
      unknownOutcome(await errorOf(session.send(request, sending())));
      assert.equal((await session.findOrder(reference, reading()))?.status, 'canceled');
      assert.equal(refusedCode(await session.send(request, sending())), harness.venue.capabilities.nonceRule === 'none' ? 'alreadyClosed' : 'duplicateClientId');
    },
  },
  {
    name: 'a refused connection is certainly not sent',
    run: async (harness) => {
      const { name } = await harness.account();
      // No connection yet: one left from before could be cut in the middle.
      const venue = harness.freshVenue();
      const { session } = await harness.account(venue);
      const request = await prepared(harness, session, [orderFor(harness)]);
      await harness.control.whileUnreachable(async () => {
        const error = await errorOf(session.send(request, sending()));
        assert.ok(error instanceof VenueUnavailable && error.reason === 'connection', String(error));
        const read = await errorOf(session.openOrders(reading()));
        assert.ok(read instanceof VenueUnavailable && read.reason === 'connection', String(read));
      });
      assert.deepEqual(await harness.control.accepted(name), []);
      acknowledged(await session.send(request, sending()));
    },
  },
  {
    name: 'a 429 tells when to ask again, and nothing was done',
    run: async (harness) => {
      const { session, name } = await harness.account();
      await harness.control.rateLimit('place', 7);
      const error = await errorOf(place(harness, session, [orderFor(harness)]));
      assert.ok(error instanceof VenueRateLimited, String(error));
      assert.deepEqual([error.retryAfterMs, error.by], [7_000, 'venue']);
      assert.deepEqual(await harness.control.accepted(name), []);
      await harness.control.rateLimit('read', 3);
      const read = await errorOf(session.positions(reading()));
      assert.ok(read instanceof VenueRateLimited && read.retryAfterMs === 3_000, String(read));
    },
  },
  {
    name: 'a sender that lost its fence sends nothing',
    run: async (harness) => {
      const { session } = await harness.account();
      await sendsNothing(harness, session, sending({ maySend: () => Promise.resolve(false) }), 'fence');
    },
  },
  {
    name: 'a sender whose fence cannot be read sends nothing',
    run: async (harness) => {
      const { session } = await harness.account();
      await sendsNothing(harness, session, sending({ maySend: () => Promise.reject(new Error('the database is away')) }), 'fence');
    },
  },
  {
    name: 'the fence is asked once, before the request reaches the venue',
    run: async (harness) => {
      const { session } = await harness.account();
      const before = await harness.control.received('place');
      const seen: number[] = [];
      const maySend = async (): Promise<boolean> => {
        seen.push(await harness.control.received('place'));
        return true;
      };
      acknowledged(await place(harness, session, [orderFor(harness)], sending({ maySend })));
      assert.deepEqual(seen, [before]);
      assert.equal(await harness.control.received('place'), before + 1);
    },
  },
  {
    name: 'nothing is sent after the deadline, also when it passes while the fence is asked',
    run: async (harness) => {
      const { session } = await harness.account();
      await sendsNothing(harness, session, sending({ sendBeforeMs: Date.now() - 1 }), 'deadline');
      const sendBeforeMs = Date.now() + 300;
      const slowFence = (): Promise<boolean> => new Promise((resolve) => setTimeout(() => resolve(true), 600));
      await sendsNothing(harness, session, sending({ sendBeforeMs, maySend: slowFence }), 'deadline');
    },
  },
  {
    name: 'nothing is sent for a canceled caller',
    run: async (harness) => {
      const { session } = await harness.account();
      await sendsNothing(harness, session, sending({ signal: AbortSignal.abort() }), 'canceled');
      const stop = new AbortController();
      const canceling = (): Promise<boolean> => {
        stop.abort();
        return Promise.resolve(true);
      };
      await sendsNothing(harness, session, sending({ signal: stop.signal, maySend: canceling }), 'canceled');
    },
  },
  {
    name: 'a refused key is a refusal, and the key is seen nowhere',
    run: async (harness) => {
      const { session, key } = await harness.account();
      const answer = await place(harness, session, [orderFor(harness)]);
      assert.ok(!JSON.stringify(answer).includes(key));
      await harness.control.revokeKey(key);
      const errors = [await errorOf(place(harness, session, [orderFor(harness)])), await errorOf(session.balances(reading()))];
      for (const error of errors) {
        assert.ok(error instanceof VenueRefused && error.code === 'unauthorized', String(error));
        assert.ok(!JSON.stringify({ ...error, message: error.message, stack: error.stack }).includes(key));
      }
    },
  },
];
