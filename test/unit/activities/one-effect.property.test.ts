import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AttemptSender } from '../../../src/activities/attempt-sender';
import { MutationSettler, type MutationSettlerPorts } from '../../../src/activities/mutation-settler';
import type { MutationStep } from '../../../src/activities/order-activities';
import { isoTime } from '../../../src/domain/clock';
import type { SignedRequest, Venue } from '../../../src/domain/venue';
import { VenueOutcomeUnknown, VenueRefused } from '../../../src/domain/venue-errors';
import { sampleView } from '../domain/order-samples';
import { ManualClock, ModelStore, ModelVenue, START_MS, type Fate } from './order-path-model';

/** A way to build the ports wrongly, to see that the property notices. */
type Plant = (ports: MutationSettlerPorts, venue: ModelVenue) => MutationSettlerPorts;
const asBuilt: Plant = (ports) => ports;

const fate = fc.constantFrom<Fate>('answer', 'answer', 'dropAnswer', 'errorAfterEffect', 'lost', 'late', 'connectionRefused', 'rateLimited', 'refuse', 'refuseLate', 'duplicateClientId', 'notFound');
const RUNS = { numRuns: 1_500 };

/** Throws what Jest's expect would, without its cost: these run thousands of times. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

describe('placing', () => {
  /** Up to four runs of one step, interleaved at every wait, over a venue that refuses no repeated id. */
  function atMostOneOrder(plant: Plant): fc.IAsyncPropertyWithHooks<[fc.Scheduler, Fate[], boolean[]]> {
    return fc.asyncProperty(fc.scheduler(), fc.array(fate, { minLength: 4, maxLength: 4 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), async (scheduler, fates, runs) => {
      const pause = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label).then(() => undefined);
      const clock = new ManualClock();
      const venue = new ModelVenue(clock, [...fates], pause);
      const store = new ModelStore(clock, venue, pause);
      const [order] = store.addOrders({});
      if (order === undefined) throw new Error('no order');
      store.addPlacing('t1', [order]);
      const sender = new AttemptSender(plant(store.ports(), venue));
      const stopped = new AbortController();
      const all = Promise.all(
        runs.map((stoppedLater) => {
          if (stoppedLater) void pause('stop').then(() => stopped.abort());
          return sender.sendPlacing('t1', [order.id], stoppedLater ? stopped.signal : new AbortController().signal);
        }),
      );
      await scheduler.waitFor(all);
      venue.deliverLate();
      const placed = venue.placed(order.venueClientId).length;
      const { state } = store.order(order.id);
      must(placed <= 1, `${placed} orders at the venue`);
      must(!(placed === 1 && state === 'REJECTED'), 'an order that lives was called REJECTED');
      must(!(placed === 0 && state === 'WORKING'), 'an order that is nowhere was called WORKING');
    });
  }

  test('however runs of one step overlap and answers are lost, one order at the venue at most, and none called dead that lives', async () => {
    await fc.assert(atMostOneOrder(asBuilt), RUNS);
  });

  test('the property finds a sender that sends again what may have been sent', async () => {
    const resending: Plant = (ports) => {
      const requests = new Map<string, SignedRequest>();
      return {
        ...ports,
        sending: {
          ...ports.sending,
          takeSend: async (attemptId) => {
            const right = await ports.sending.takeSend(attemptId);
            if (right?.maybeSent === false) requests.set(attemptId, right.request);
            const request = requests.get(attemptId);
            return right === null || request === undefined ? right : { ...right, maybeSent: false, request };
          },
        },
      };
    };
    expect((await fc.check(atMostOneOrder(resending), { ...RUNS, seed: 1 })).failed).toBe(true);
  });

  test('the property finds a venue adapter that takes silence for a refusal', async () => {
    const deaf: Plant = (ports, venue) => withSession(ports, venue, (session) => ({
      ...session,
      send: (request, options) => session.send(request, options).catch((error: unknown) => {
        throw error instanceof VenueOutcomeUnknown ? new VenueRefused('paper', 'other', 'TIMEOUT', 'no answer') : error;
      }),
    }));
    expect((await fc.check(atMostOneOrder(deaf), { ...RUNS, seed: 1 })).failed).toBe(true);
  });

  test('the property finds an adapter that words a duplicate id as a final no', async () => {
    const final: Plant = (ports, venue) => withSession(ports, venue, (session) => ({
      ...session,
      send: async (request, options) => {
        const answer = await session.send(request, options);
        if (venue.placed('v1').length > 0) throw new VenueRefused('paper', 'other', 'DUPLICATE', 'seen before');
        return answer;
      },
    }));
    expect((await fc.check(atMostOneOrder(final), { ...RUNS, seed: 1 })).failed).toBe(true);
  });
});

describe('amending and cancelling', () => {
  interface Turn {
    readonly advanceMs: number;
    readonly twice: boolean;
    readonly hidden: boolean;
    readonly readable: boolean;
    readonly deliver: boolean;
    readonly fills: boolean;
  }
  const turn: fc.Arbitrary<Turn> = fc.record({
    advanceMs: fc.constantFrom(10, 300, 1_500, 2_500, 6_000, 20_000),
    twice: fc.boolean(),
    hidden: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    readable: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
    deliver: fc.boolean(),
    fills: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  /** What a venue truly says of an amend or cancel; refusing at random would be a venue that lies. */
  const honest = fc.constantFrom<Fate>('answer', 'dropAnswer', 'errorAfterEffect', 'lost', 'late', 'late', 'connectionRefused', 'rateLimited', 'refuseLate', 'notFound');
  const scenario = fc.record({ kind: fc.constantFrom('amend' as const, 'cancel' as const), fates: fc.array(honest, { maxLength: 12 }), turns: fc.array(turn, { minLength: 2, maxLength: 14 }), venueOffsetMs: fc.constantFrom(0, -60_000, 60_000) });

  /** Whatever was heard, the verdict is what is true at the venue once everything under way has arrived. */
  function verdictIsTrue(plant: Plant): fc.IAsyncPropertyWithHooks<[fc.Scheduler, typeof scenario extends fc.Arbitrary<infer S> ? S : never]> {
    return fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, { kind, fates, turns, venueOffsetMs }) => {
      const pause = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label).then(() => undefined);
      const clock = new ManualClock();
      const venue = new ModelVenue(clock, [...fates], pause);
      venue.clockOffsetMs = venueOffsetMs;
      const store = new ModelStore(clock, venue, pause);
      const [order] = store.addOrders({ state: 'WORKING', venueOrderId: 'o1' });
      if (order === undefined) throw new Error('no order');
      venue.orders.push(sampleView({ venueClientId: order.venueClientId, updatedAtMs: START_MS }));
      const mutation = store.addMutation(kind, order);
      const attemptId = store.addMutationAttempt(mutation);
      const ports = plant(store.ports(), venue);
      const settler = new MutationSettler(ports, new AttemptSender(ports));
      const signal = new AbortController().signal;
      let settled: MutationStep | null = null;
      for (const [index, { advanceMs, twice, hidden, readable, deliver, fills }] of turns.entries()) {
        Object.assign(venue, { hidden, readable });
        if (fills && venue.placed(order.venueClientId)[0]?.status === 'open') venue.change(order.venueClientId, { status: 'filled', filledQuantity: '10' });
        const run = (): Promise<MutationStep> => (index === 0 ? settler.sendFirst(mutation.id, attemptId, signal) : settler.askAndRepeat(mutation.id, signal));
        const steps = await scheduler.waitFor(Promise.all(twice ? [run(), run()] : [run()]));
        settled ??= steps.find((step) => step.kind === 'settled') ?? null;
        if (deliver) venue.deliverLate();
        if (settled !== null) break;
        clock.advance(advanceMs);
      }
      venue.deliverLate();
      must(venue.orders.length === 1, `${venue.orders.length} orders at the venue`);
      const truth = venue.orders[0];
      if (settled?.kind !== 'settled' || truth === undefined) return;
      if (kind === 'cancel') must((settled.verdict === 'applied') === (truth.status === 'canceled') && truth.status !== 'open', `cancel ${settled.verdict}, the order is ${truth.status}`);
      if (kind === 'amend' && settled.verdict === 'applied') must(truth.limitPrice === '99', `amend applied, the price is ${truth.limitPrice ?? ''}`);
      if (kind === 'amend' && settled.code === 'NOT_APPLIED') must(truth.limitPrice === '100', `amend not applied, the price is ${truth.limitPrice ?? ''}`);
    });
  }

  test('whatever is lost, late, hidden or run twice, the verdict is what is true at the venue', async () => {
    await fc.assert(verdictIsTrue(asBuilt), RUNS);
  });

  test('some of these runs end with each verdict, so the property is about something', async () => {
    const seen = new Set<string>();
    const noticing: Plant = (ports) => ({
      ...ports,
      mutations: {
        ...ports.mutations,
        settle: (id, state, evidence, reasonCode) => {
          seen.add(`${id}/${state}/${reasonCode ?? '-'}`);
          return ports.mutations.settle(id, state, evidence, reasonCode);
        },
      },
    });
    await fc.check(verdictIsTrue(noticing), { ...RUNS, seed: 7 });
    expect([...seen].sort()).toEqual(['amend1/applied/-', 'amend1/refused/NOT_APPLIED', 'amend1/refused/ORDER_CLOSED', 'cancel1/applied/-', 'cancel1/refused/ORDER_CLOSED']);
  });

  test('the property finds a settler that takes "not found" for an answer', async () => {
    const credulous: Plant = (ports, venue) => withSession(ports, venue, (session) => ({
      ...session,
      send: (request, options) => session.send(request, options).catch((error: unknown) => {
        throw error instanceof VenueRefused && error.code === 'notFound' ? new VenueRefused('paper', 'other', 'E', 'gone') : error;
      }),
    }));
    expect((await fc.check(verdictIsTrue(credulous), { ...RUNS, seed: 1 })).failed).toBe(true);
  });

  test('the property finds a settler that calls an amend lost before its request has expired', async () => {
    const hasty: Plant = (ports) => ({
      ...ports,
      mutations: {
        ...ports.mutations,
        find: async (id) => {
          const mutation = await ports.mutations.find(id);
          return mutation === null ? null : { ...mutation, createdAt: isoTime(Date.parse(mutation.createdAt) - 100_000) };
        },
      },
    });
    expect((await fc.check(verdictIsTrue(hasty), { ...RUNS, seed: 1 })).failed).toBe(true);
  });
});

type Session = ReturnType<Venue['session']>;

function withSession(ports: MutationSettlerPorts, venue: ModelVenue, change: (session: Session) => Session): MutationSettlerPorts {
  const port = venue.port;
  return { ...ports, venues: new Map([['paper', { ...port, session: (credentials) => change(port.session(credentials)) }]]) };
}
