import { describe, expect, test } from '@jest/globals';
import { AttemptSender } from '../../../src/activities/attempt-sender';
import { MUTATION_LIFE_MS, MUTATION_SEND_TTL_MS, MutationSettler, type MutationSettlerPorts } from '../../../src/activities/mutation-settler';
import type { Order } from '../../../src/domain/order';
import type { Mutation } from '../../../src/domain/order-store';
import type { VenueCapabilities } from '../../../src/domain/venue';
import { VENUE_SHARE_MS } from '../../../src/temporal/activity-options';
import { sampleView } from '../domain/order-samples';
import { ManualClock, ModelStore, ModelVenue, START_MS, type Fate } from './order-path-model';

const NEVER = new AbortController().signal;
const VISIBLE_AFTER_MS = 1_000;
/** From the amend's record until old terms may be its answer. */
const FINAL_MS = MUTATION_LIFE_MS + VENUE_SHARE_MS + MUTATION_SEND_TTL_MS + VISIBLE_AFTER_MS;

/** A working order at the venue (unless `order` says otherwise) and one amend to 99, or cancel, of it. */
function path(kind: Mutation['kind'], fates: Fate[] = [], order: Partial<Order> = { state: 'WORKING', venueOrderId: 'o1' }, ports: Partial<MutationSettlerPorts> = {}) {
  const clock = new ManualClock();
  const venue = new ModelVenue(clock, fates);
  venue.capabilities = { absenceFinalAfterMs: VISIBLE_AFTER_MS } as VenueCapabilities;
  const store = new ModelStore(clock, venue);
  const [added] = store.addOrders(order);
  if (added === undefined) throw new Error('no order');
  if (added.state === 'WORKING') venue.orders.push(sampleView({ venueClientId: added.venueClientId, updatedAtMs: START_MS - 1_000 }));
  const mutation = store.addMutation(kind, added);
  const attemptId = store.addMutationAttempt(mutation);
  const all = store.ports(ports);
  const settler = new MutationSettler(all, new AttemptSender(all));
  return { clock, venue, store, mutation, settler, order: () => store.order(added.id), first: () => settler.sendFirst(mutation.id, attemptId, NEVER), again: () => settler.askAndRepeat(mutation.id, NEVER) };
}

const OPEN = { kind: 'open', askAgainInMs: 250 };
const APPLIED = { kind: 'settled', verdict: 'applied', code: null, message: null };

describe('a cancel', () => {
  test('that the venue confirms is applied, and the order says who asked for it', async () => {
    const { first, order, store } = path('cancel');
    expect(await first()).toEqual(APPLIED);
    expect(order()).toMatchObject({ state: 'CANCELED', reasonCode: 'CANCELED_BY_USER', pendingCancel: false });
    expect(store.mutations.get('cancel1')).toMatchObject({ state: 'applied' });
  });

  test.each<Fate>(['dropAnswer', 'errorAfterEffect'])('whose answer is lost (%s) is settled by asking, without a second request', async (fate) => {
    const { first, again, venue } = path('cancel', [fate]);
    expect(await first()).toEqual(OPEN);
    expect(await again()).toEqual(APPLIED);
    expect(venue.written).toHaveLength(1);
  });

  test.each<Fate>(['lost', 'connectionRefused', 'refuseLate'])('that did not arrive (%s) is sent again', async (fate) => {
    const { first, again, venue } = path('cancel', [fate]);
    expect(await first()).toEqual(OPEN);
    expect(await again()).toEqual(APPLIED);
    expect(venue.orders[0]?.status).toBe('canceled');
  });

  test('waits as long as the venue or the budget says', async () => {
    expect(await path('cancel', ['rateLimited']).first()).toEqual({ kind: 'open', askAgainInMs: 700 });
  });

  test('of an order that the venue does not show is repeated until the order comes to light: "not found" is no answer', async () => {
    const { first, again, venue, order } = path('cancel', [], { state: 'UNKNOWN' });
    expect(await first()).toEqual(OPEN);
    for (let tries = 0; tries < 5; tries += 1) expect(await again()).toEqual(OPEN);
    expect(venue.written).toHaveLength(6);
    venue.orders.push(sampleView({ venueClientId: 'v1' }));
    expect(await again()).toEqual(APPLIED);
    expect(order().state).toBe('CANCELED');
  });

  test.each<Fate>(['notFound', 'duplicateClientId'])('refused as a whole with %s is as open as before', async (fate) => {
    const { first, store, order } = path('cancel', [fate]);
    expect(await first()).toEqual(OPEN);
    expect(store.reports).toMatchObject([{ outcome: 'unknown', evidence: [] }]);
    expect(order()).toMatchObject({ state: 'WORKING', pendingCancel: true });
  });

  test('refused for a reason of its own is refused, where the order is known to work', async () => {
    const { first, order } = path('cancel', ['refuse']);
    expect(await first()).toEqual({ kind: 'settled', verdict: 'refused', code: 'INSUFFICIENT_MARGIN', message: 'insufficientMargin: no' });
    expect(order()).toMatchObject({ state: 'WORKING', pendingCancel: false });
  });

  test('refused while the order\'s own outcome is open goes on, because the order may still come alive', async () => {
    const { first, again, venue } = path('cancel', ['refuse'], { state: 'UNKNOWN' });
    expect(await first()).toEqual(OPEN);
    venue.orders.push(sampleView({ venueClientId: 'v1' }));
    expect(await again()).toEqual(APPLIED);
  });

  test('is repeated even while the venue answers no questions', async () => {
    const { first, again, venue } = path('cancel', ['lost']);
    await first();
    venue.readable = false;
    expect(await again()).toEqual(APPLIED);
    expect(venue.orders[0]?.status).toBe('canceled');
  });

  test('is repeated even when the question took longer than the send may', async () => {
    const { clock, venue, store, mutation } = path('cancel', ['lost']);
    const port = venue.port;
    const slow = { ...port, session: () => ({ ...port.session({}), findOrder: async (...args: Parameters<ReturnType<typeof port.session>['findOrder']>) => {
      clock.advance(VENUE_SHARE_MS + 500);
      return port.session({}).findOrder(...args);
    } }) } as typeof port;
    const ports = store.ports({ venues: new Map([['paper', slow]]) });
    const settler = new MutationSettler(ports, new AttemptSender(ports));
    venue.fates.length = 0;
    expect(await settler.askAndRepeat(mutation.id, NEVER)).toEqual(APPLIED);
  });

  test('of an order that has ended needs no venue to say that it came too late', async () => {
    const { again, store, venue } = path('cancel');
    store.orders.set('order1', { ...store.order('order1'), state: 'FILLED' });
    expect(await again()).toEqual({ kind: 'settled', verdict: 'refused', code: 'ORDER_CLOSED', message: 'the order is FILLED' });
    expect(venue.questions).toBe(0);
  });

  test('that lost its race to a fill learns it by asking', async () => {
    const { first, again, venue, order } = path('cancel', ['notFound']);
    await first();
    venue.change('v1', { status: 'filled', filledQuantity: '10' });
    expect(await again()).toEqual({ kind: 'settled', verdict: 'refused', code: 'ORDER_CLOSED', message: 'the order is FILLED' });
    expect(order().state).toBe('FILLED');
  });

  test('goes from the reserve, an amend of an entry does not, an amend of an exit does', async () => {
    const [cancel, entry, exit] = [path('cancel'), path('amend'), path('amend', [], { state: 'WORKING', venueOrderId: 'o1', reduceOnly: true })];
    for (const each of [cancel, entry, exit]) await each.first();
    expect([cancel, entry, exit].map((each) => each.venue.sends[0]?.priority)).toEqual(['exit', 'entry', 'exit']);
  });
});

describe('an amend', () => {
  test('that the venue confirms is applied', async () => {
    const { first, order } = path('amend');
    expect(await first()).toEqual(APPLIED);
    expect(order()).toMatchObject({ state: 'WORKING', limitPrice: '99', pendingReplace: false });
  });

  test('whose answer is lost is settled by the terms the venue shows, without a second request', async () => {
    const { first, again, venue, order } = path('amend', ['dropAnswer']);
    expect(await first()).toEqual(OPEN);
    expect(await again()).toEqual(APPLIED);
    expect(venue.written).toHaveLength(1);
    expect(order()).toMatchObject({ limitPrice: '99', pendingReplace: false });
  });

  test('that did not arrive is sent again while it lives', async () => {
    const { first, again, venue } = path('amend', ['lost']);
    await first();
    expect(await again()).toEqual(APPLIED);
    expect(venue.orders[0]?.limitPrice).toBe('99');
  });

  test('refused by the venue is refused, and the order keeps its terms', async () => {
    const { first, order } = path('amend', ['refuse']);
    expect(await first()).toMatchObject({ verdict: 'refused', code: 'INSUFFICIENT_MARGIN' });
    expect(order()).toMatchObject({ limitPrice: '100', pendingReplace: false });
  });

  test('is not sent while the venue answers no questions, nor after its life', async () => {
    const { first, again, venue, clock } = path('amend', ['lost']);
    await first();
    venue.readable = false;
    expect(await again()).toEqual(OPEN);
    venue.readable = true;
    clock.advance(MUTATION_LIFE_MS + 1);
    expect(await again()).toEqual(OPEN);
    expect(venue.written).toHaveLength(1);
  });

  test('that was asked for too long ago to be signed anew is asked about until its life is over, and then is NOT_APPLIED', async () => {
    const { store, venue, clock, mutation } = path('amend');
    const ports = store.ports();
    const late: MutationSettlerPorts = { ...ports, mutations: { ...ports.mutations, newAttempt: async () => null } };
    const again = () => new MutationSettler(late, new AttemptSender(late)).askAndRepeat(mutation.id, NEVER);
    expect(await again()).toEqual(OPEN);
    clock.advance(FINAL_MS);
    expect(await again()).toEqual(OPEN);
    clock.advance(1);
    expect(await again()).toMatchObject({ kind: 'settled', verdict: 'refused', code: 'NOT_APPLIED' });
    expect(venue.written).toEqual([]);
  });

  test('is never sent by a process that woke after the amend\'s life, though it had looked before', async () => {
    const { store, venue, clock, mutation } = path('amend');
    const ports = store.ports();
    const paused: MutationSettlerPorts = { ...ports, mutations: { ...ports.mutations, newAttempt: async (id, ttlMs) => {
      clock.advance(MUTATION_LIFE_MS * 3);
      return ports.mutations.newAttempt(id, ttlMs);
    } } };
    expect(await new MutationSettler(paused, new AttemptSender(paused)).askAndRepeat(mutation.id, NEVER)).toEqual(OPEN);
    expect(venue.written).toEqual([]);
  });

  test('is called NOT_APPLIED only after everything sent of it has expired and the venue\'s reads show that', async () => {
    const { again, venue, clock, order } = path('amend');
    clock.advance(FINAL_MS);
    expect(await again()).toEqual(OPEN);
    clock.advance(1);
    expect(await again()).toMatchObject({ kind: 'settled', verdict: 'refused', code: 'NOT_APPLIED' });
    expect(order()).toMatchObject({ limitPrice: '100', pendingReplace: false });
    expect(venue.written).toEqual([]);
  });

  test.each([
    ['slow', -60_000],
    ['fast', 60_000],
  ])('with a venue clock that is %s, still only after the deadline by both clocks', async (_name, offsetMs) => {
    const { again, venue, clock } = path('amend');
    venue.clockOffsetMs = offsetMs;
    clock.advance(MUTATION_LIFE_MS + 1);
    expect(await again()).toEqual(OPEN);
    clock.advance(FINAL_MS + Math.max(-offsetMs, 0));
    expect(await again()).toMatchObject({ code: 'NOT_APPLIED' });
  });

  test('that took effect between the question and the deadline is found by the reads after it', async () => {
    const { clock, venue, store, mutation } = path('amend');
    clock.advance(FINAL_MS + 1);
    const port = venue.port;
    const shifting = { ...port, venueTimeMs: (...args: Parameters<typeof port.venueTimeMs>) => {
      venue.change('v1', { limitPrice: '99' });
      return port.venueTimeMs(...args);
    } };
    const ports = store.ports({ venues: new Map([['paper', shifting]]) });
    expect(await new MutationSettler(ports, new AttemptSender(ports)).askAndRepeat(mutation.id, NEVER)).toEqual(APPLIED);
  });

  test('of a venue where absence is never final stays open until the order ends', async () => {
    const { again, venue, clock } = path('amend');
    Object.assign(venue.capabilities, { absenceFinalAfterMs: null });
    clock.advance(FINAL_MS * 100);
    expect(await again()).toEqual(OPEN);
  });

  test('of an order that ended meanwhile was too late', async () => {
    const { first, again, venue } = path('amend', ['lost']);
    await first();
    venue.change('v1', { status: 'canceled' });
    expect(await again()).toEqual({ kind: 'settled', verdict: 'refused', code: 'ORDER_CLOSED', message: 'the order is CANCELED' });
  });
});

describe('a step that runs twice', () => {
  test('sends a recorded attempt once: the second run asks', async () => {
    const { first, again, venue } = path('amend', ['lost', 'answer']);
    await first();
    expect(await first()).toEqual(OPEN);
    expect(venue.written).toHaveLength(1);
    expect(await again()).toEqual(APPLIED);
  });

  test('answers a settled mutation from its record, without the venue', async () => {
    const { first, again, venue } = path('cancel', ['refuse']);
    const refused = await first();
    expect(await again()).toEqual({ ...refused, message: null });
    const applied = path('cancel');
    await applied.first();
    expect(await applied.again()).toEqual(APPLIED);
    expect([venue.questions, applied.venue.questions]).toEqual([0, 0]);
  });

  test('takes a superseded amend for refused', async () => {
    const { again, store, mutation } = path('amend');
    store.mutations.set(mutation.id, { ...mutation, state: 'superseded' });
    expect(await again()).toMatchObject({ kind: 'settled', verdict: 'refused' });
  });

  test('of something never recorded is a fault, told loudly', async () => {
    await expect(path('cancel').settler.askAndRepeat('nothing', NEVER)).rejects.toThrow('mutation nothing is not recorded');
  });

  test('asks again later when the venue is not configured here', async () => {
    const { again } = path('cancel', [], undefined, { venues: new Map() });
    expect(await again()).toEqual(OPEN);
  });

  test('a fault of ours while asking is not taken for silence of the venue', async () => {
    const { again } = path('cancel', [], undefined, { credentials: () => Promise.reject(new Error('database is away')) });
    await expect(again()).rejects.toThrow('database is away');
  });
});
