import { describe, expect, test } from '@jest/globals';
import { AttemptSender, failureOf } from '../../../src/activities/attempt-sender';
import type { MutationSettlerPorts } from '../../../src/activities/mutation-settler';
import type { Order } from '../../../src/domain/order';
import { VENUE_SHARE_MS } from '../../../src/temporal/activity-options';
import { ManualClock, ModelStore, ModelVenue, START_MS, type Fate } from './order-path-model';

const NEVER = new AbortController().signal;

function path(fate: Fate, ports: Partial<MutationSettlerPorts> = {}, orders: Partial<Order>[] = [{}]) {
  const clock = new ManualClock();
  const venue = new ModelVenue(clock, [fate]);
  const store = new ModelStore(clock, venue);
  const added = store.addOrders(...orders);
  store.addPlacing('t1', added);
  const sender = new AttemptSender(store.ports(ports));
  return { clock, venue, store, sender, send: (signal = NEVER) => sender.sendPlacing('t1', added.map((order) => order.id), signal) };
}

describe('each way a send can end', () => {
  test.each<[Fate, Order['state'], boolean, string, number]>([
    ['answer', 'WORKING', false, 'answered', 1],
    ['refuse', 'REJECTED', false, 'answered', 0],
    ['dropAnswer', 'UNKNOWN', true, 'unknown', 1],
    ['errorAfterEffect', 'UNKNOWN', true, 'unknown', 1],
    ['lost', 'UNKNOWN', true, 'unknown', 0],
    ['late', 'UNKNOWN', true, 'unknown', 0],
    ['duplicateClientId', 'UNKNOWN', true, 'unknown', 0],
    ['notFound', 'UNKNOWN', true, 'unknown', 0],
    ['connectionRefused', 'SUBMITTING', true, 'notSent', 0],
    ['refuseLate', 'SUBMITTING', true, 'notSent', 0],
    ['rateLimited', 'REJECTED', false, 'rateLimited', 0],
  ])('%s leaves the order %s (open: %s), recorded as %s, with %i at the venue', async (fate, state, open, outcome, atVenue) => {
    const { send, store, venue } = path(fate);
    expect(await send()).toEqual(open ? ['order1'] : []);
    expect(store.order('order1').state).toBe(state);
    expect(store.reports).toMatchObject([{ attemptId: 't1', fence: 1, outcome }]);
    expect(venue.orders).toHaveLength(atVenue);
  });

  test('an entry without room in the rate limit is refused at once, and told when there is room; an exit waits for it', async () => {
    const entry = path('rateLimited');
    expect(await entry.send()).toEqual([]);
    expect(entry.store.order('order1')).toMatchObject({ state: 'REJECTED', reasonCode: 'RATE_LIMITED', reasonMessage: 'the venue\'s rate limit has no room for 700 ms; nothing was sent' });
    const exit = path('rateLimited', {}, [{ reduceOnly: true }]);
    expect(await exit.send()).toEqual(['order1']);
    expect(exit.store.order('order1').state).toBe('SUBMITTING');
  });

  test.each<[Order['state']]>([['UNKNOWN'], ['SUBMITTED']])('no room for an order that was %s says nothing of what was sent before', async (state) => {
    const { send, store } = path('rateLimited', {}, [{ state }]);
    expect(await send()).toEqual(['order1']);
    expect(store.order('order1').state).toBe(state);
  });

  test('a refusal of new bytes settles an order whose earlier ones are proven gone', async () => {
    const given = path('refuse', {}, [{ state: 'UNKNOWN' }]);
    const { sending } = given.store.ports();
    const sender = new AttemptSender(given.store.ports({ sending: { ...sending, takeSend: async (id) => { const right = await sending.takeSend(id); return right === null ? null : { ...right, earlierGone: true }; } } }));
    expect(await sender.sendPlacing('t1', ['order1'], NEVER)).toEqual([]);
    expect(given.store.order('order1')).toMatchObject({ state: 'REJECTED', reasonCode: 'INSUFFICIENT_MARGIN' });
  });

  test.each<[Order['state']]>([['UNKNOWN'], ['SUBMITTED']])('a refusal of bytes sent again leaves an order that was %s as open as it was: earlier ones may have left', async (state) => {
    const { send, store } = path('refuse', {}, [{ state }]);
    expect(await send()).toEqual(['order1']);
    expect(store.order('order1').state).toBe(state);
  });

  test('a list is answered item by item, and what an answer leaves out stays open', async () => {
    const { store, venue } = path('answer', {}, [{}, {}, {}]);
    const port = venue.port;
    const answering = { ...port, session: () => ({ ...port.session({}), send: async () => ({ items: [{ kind: 'acknowledged', order: { ...SHOWN, venueClientId: 'v1' } }, { kind: 'refused', code: 'invalidPrice', venueCode: 'P', message: 'tick' }], raw: 'r', venueTimeMs: null, latencyMs: 1 }) }) } as typeof port;
    const sender = new AttemptSender(store.ports({ venues: new Map([['paper', answering]]) }));
    expect(await sender.sendPlacing('t1', ['order1', 'order2', 'order3'], NEVER)).toEqual(['order3']);
    expect(['order1', 'order2', 'order3'].map((id) => store.order(id).state)).toEqual(['WORKING', 'REJECTED', 'UNKNOWN']);
    expect(store.order('order2')).toMatchObject({ reasonCode: 'INVALID_PRICE', reasonMessage: 'P: tick' });
  });

  test('the timeline keeps the venue\'s own words and how long a failure took', async () => {
    const { store, clock, venue } = path('errorAfterEffect');
    const port = venue.port;
    const slow = { ...port, session: () => ({ ...port.session({}), send: async (...args: Parameters<ReturnType<typeof port.session>['send']>) => {
      clock.advance(900);
      return port.session({}).send(...args);
    } }) } as typeof port;
    await new AttemptSender(store.ports({ venues: new Map([['paper', slow]]) })).sendPlacing('t1', ['order1'], NEVER);
    expect(store.reports[0]?.answer).toEqual({ raw: 'oops', latencyMs: 900, venueTimeMs: null });
  });

  test('a fault of ours while sending counts as maybe sent', () => {
    expect(failureOf(new TypeError('undefined is not a function'))).toEqual({ kind: 'unknown', message: 'undefined is not a function', raw: null });
    expect(failureOf('thrown text')).toEqual({ kind: 'unknown', message: 'thrown text', raw: null });
  });
});

describe('nothing is sent', () => {
  test('by a second run: it may have been sent, so the order becomes UNKNOWN and is asked for', async () => {
    const { send, store, venue } = path('answer');
    await store.ports().sending.takeSend('t1'); // a run that died after taking the right
    expect(await send()).toEqual(['order1']);
    expect(venue.written).toEqual([]);
    expect(store.order('order1').state).toBe('UNKNOWN');
    expect(store.reports).toMatchObject([{ fence: 2, outcome: 'unknown', answer: null }]);
  });

  test('after an earlier run reported: whoever asks learns that it is to be looked up', async () => {
    const { send, venue } = path('answer');
    await send();
    expect(await send()).toEqual(['order1']);
    expect(venue.written).toHaveLength(1);
  });

  test('once the fence was taken over, however far the send had come', async () => {
    const { store, venue } = path('answer');
    const ports = store.ports();
    const overtaken = new AttemptSender({ ...ports, credentials: async () => {
      await ports.sending.takeSend('t1');
      return {};
    } });
    expect(await overtaken.sendPlacing('t1', ['order1'], NEVER)).toEqual(['order1']);
    expect(venue.written).toEqual([]);
    expect(store.reports).toMatchObject([{ fence: 1, outcome: 'notSent' }]);
  });

  test('after the activity was cancelled', async () => {
    const { send, store, venue } = path('answer');
    expect(await send(AbortSignal.abort())).toEqual(['order1']);
    expect(venue.written).toEqual([]);
    expect(store.reports).toMatchObject([{ outcome: 'notSent' }]);
  });

  test.each([
    ['the venue\'s share of the activity\'s time, counted from its start', VENUE_SHARE_MS, 5_000],
    ['the attempt\'s own time', 100, 100],
  ])('after %s', async (_name, lateMs, ttlMs) => {
    for (const [waitMs, written] of [[lateMs - 1, 1], [lateMs, 0]] as const) {
      const { store, venue, clock } = path('answer');
      store.attempts.clear();
      store.addPlacing('t1', [store.order('order1')], ttlMs);
      const sender = new AttemptSender(store.ports({ credentials: async () => {
        clock.advance(waitMs);
        return {};
      } }));
      await sender.sendPlacing('t1', ['order1'], NEVER);
      expect(venue.written).toHaveLength(written);
    }
  });

  test('by a process that was stopped while it asked for its fence and wakes too late', async () => {
    const { store, venue, clock } = path('answer');
    const ports = store.ports();
    const sender = new AttemptSender({ ...ports, sending: { ...ports.sending, holdsFence: async () => {
      clock.advance(60_000);
      return true;
    } } });
    expect(await sender.sendPlacing('t1', ['order1'], NEVER)).toEqual(['order1']);
    expect(venue.written).toEqual([]);
  });

  test('to a venue that is not configured, or without credentials; and it is known that nothing was', async () => {
    const unconfigured = path('answer', { venues: new Map() });
    expect(await unconfigured.send()).toEqual(['order1']);
    expect(unconfigured.store.reports).toMatchObject([{ outcome: 'notSent', answer: { raw: 'venue paper is not configured' } }]);
    const sealed = path('answer', { credentials: () => Promise.reject(new Error('unknown key id')) });
    expect(await sealed.send()).toEqual(['order1']);
    expect(sealed.store.reports).toMatchObject([{ outcome: 'notSent', answer: { raw: 'the account\'s credentials cannot be opened: unknown key id' } }]);
    expect(sealed.store.order('order1').state).toBe('SUBMITTING');
  });
});

describe('what the venue\'s adapter is told', () => {
  test('a list of exits goes from the reserve, a list with one entry in it does not', async () => {
    const exits = path('answer', {}, [{ reduceOnly: true }, { reduceOnly: true }]);
    await exits.send();
    const mixed = path('answer', {}, [{ reduceOnly: true }, {}]);
    await mixed.send();
    expect([exits.venue.sends[0]?.priority, mixed.venue.sends[0]?.priority]).toEqual(['exit', 'entry']);
  });

  test('the socket is destroyed at the earlier of the two deadlines', async () => {
    const { send, venue } = path('answer');
    await send();
    expect(venue.sends[0]?.sendBeforeMs).toBe(START_MS + VENUE_SHARE_MS);
  });
});

const SHOWN = { venueOrderId: 'o1', venueClientId: 'v1', venueSymbol: 'BTC-PERP', side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '10', limitPrice: '100', filledQuantity: '0', avgPrice: null, status: 'open', reasonCode: null, postOnly: false, reduceOnly: false, revision: 1, updatedAtMs: START_MS } as const;
