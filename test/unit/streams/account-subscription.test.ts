/** A client's subscription to an account's channel: snapshot, replay and live events meet without loss or repeat. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { channelOf, type EventType } from '../../../src/domain/events';
import { AccountSubscription } from '../../../src/streams/account-subscription';
import { EventTail } from '../../../src/streams/event-tail';
import type { FollowHandlers } from '../../../src/streams/follower';
import type { Subscribed } from '../../../src/streams/socket-events';
import { until } from '../../contract/streams/bus-until';
import { CarefulClient, headOf, NEVER_MS, setUp, snapshotsOf } from './careful-client';
import { EventsTable } from './events-table';
import { RUNS } from './runs';

describe('a subscription to an account\'s channel', () => {
  test('begins with a snapshot and its sequence, and goes on with the channel\'s events only, each naming the one before it', async () => {
    const { table, tail, open } = await setUp();
    table.commit('a', 'order.working');
    table.commit('a', 'fill.created');
    const client = new CarefulClient();
    const { subscribed } = await open(client);
    expect(subscribed).toMatchObject({ sequence: 2, generation: 'generation-1' });
    expect(headOf(subscribed)).toBe(2);
    for (const type of ['fill.created', 'order.partiallyFilled', 'position.updated', 'balance.updated', 'order.filled'] as EventType[]) table.commit('a', type);
    table.commit('b', 'order.working');
    await until('both events', () => client.events.length === 2);
    expect(client.events.map(({ sequence, previousSequence, type }) => [sequence, previousSequence, type])).toEqual([[4, 2, 'order.partiallyFilled'], [7, 4, 'order.filled']]);
    expect(client.events[0]).toMatchObject({ channel: 'orders', accountId: 'a', generation: 'generation-1', at: '2026-01-31T12:00:00.000Z', data: { n: 4 } });
    await tail.close();
  });

  test('replays what came after sinceSequence, without a snapshot, then goes on', async () => {
    const { table, tail, open } = await setUp();
    for (let n = 0; n < 20; n += 1) table.commit('a', n % 2 === 0 ? 'order.working' : 'fill.created');
    const client = new CarefulClient();
    const { subscribed } = await open(client, { sinceSequence: 5, generation: 'generation-1' });
    expect(subscribed).toEqual({ snapshot: null, sequence: 5, generation: 'generation-1' });
    table.commit('a', 'order.filled');
    await until('the last', () => client.at === 21);
    expect(client.sequences).toEqual([7, 9, 11, 13, 15, 17, 19, 21]);
    expect(client.broken).toEqual([]);
    expect(client.notices).toEqual([]);
    await tail.close();
  });

  test.each([
    ['the generation is another', { sinceSequence: 5, generation: 'generation-0' }, 'restored'],
    ['the sequence is from a future that did not happen', { sinceSequence: 99 }, 'restored'],
    ['too much came since', { sinceSequence: 1 }, 'tooOld'],
  ])('answers a resume with resync and a fresh snapshot when %s', async (_what, request, reason) => {
    const { table, tail, open } = await setUp({ replayMaxEvents: 10 });
    for (let n = 0; n < 20; n += 1) table.commit('a');
    const client = new CarefulClient();
    const { subscribed } = await open(client, request);
    expect(client.notices).toEqual([{ channel: 'orders', accountId: 'a', reason, sequence: 20, generation: 'generation-1', snapshot: null }]);
    expect([subscribed.sequence, headOf(subscribed)]).toEqual([20, 20]);
    table.commit('a');
    await until('the next', () => client.events.length === 1);
    expect(client.broken).toEqual([]);
    await tail.close();
  });

  test('when the events after sinceSequence were purged, it tells resync with a fresh snapshot and goes on from there', async () => {
    const { table, tail, open } = await setUp();
    for (let n = 0; n < 20; n += 1) table.commit('a');
    table.purge('a', 12);
    const client = new CarefulClient();
    await open(client, { sinceSequence: 5 });
    await until('the resync', () => client.notices.length === 1);
    expect(client.notices[0]).toMatchObject({ reason: 'tooOld', sequence: 20, snapshot: [{ head: 20 }] });
    table.commit('a');
    await until('the next', () => client.events.length === 1);
    expect([client.sequences, client.broken]).toEqual([[21], []]);
    await tail.close();
  });

  test('when the database is restored under a live subscription, it tells resync with the state and sequence of now', async () => {
    const { table, tail, open, errors } = await setUp({ pollMs: 5 });
    for (let n = 0; n < 20; n += 1) table.commit('a');
    const client = new CarefulClient();
    await open(client);
    table.restore('a', 15);
    await until('the resync', () => client.notices.length === 1);
    expect(client.notices[0]).toMatchObject({ reason: 'restored', sequence: 15, generation: 'generation-1\'', snapshot: [{ head: 15 }] });
    table.commit('a');
    await until('the next', () => client.events.length === 1);
    expect([client.sequences, client.broken, errors]).toEqual([[16], [], []]);
    await tail.close();
  });

  test('a client that reads slowly while the database is restored is told nothing more of the past that did not happen', async () => {
    const { table, tail, open } = await setUp({ pollMs: 5 });
    const client = new CarefulClient();
    await open(client);
    let read = (): void => undefined;
    const full = new Promise<void>((resolve) => (read = resolve));
    client.roomAfter = () => full;
    for (let n = 0; n < 3; n += 1) table.commit('a');
    await until('the first event', () => client.events.length === 1);
    table.restore('a', 1);
    await until('the resync', () => client.notices.length === 1);
    client.roomAfter = null;
    read();
    table.commit('a');
    await until('an event of now', () => client.events.some(({ generation }) => generation === 'generation-1\''));
    expect(client.events.map(({ generation, sequence, previousSequence }) => [generation, previousSequence, sequence])).toEqual([['generation-1', 0, 1], ['generation-1\'', 1, 2]]);
    await tail.close();
  });

  test('while the store is away nothing is lost: the chain goes on where it stopped', async () => {
    const { table, tail, open } = await setUp({ pollMs: 5 });
    for (let n = 0; n < 5; n += 1) table.commit('a');
    const client = new CarefulClient();
    const { subscribed } = await open(client, { sinceSequence: 2 });
    table.away = true;
    table.commit('a');
    await new Promise((resolve) => setTimeout(resolve, 20));
    table.away = false;
    await until('all', () => client.at === 6);
    expect([subscribed.sequence, client.sequences, client.broken]).toEqual([2, [3, 4, 5, 6], []]);
    expect(client.notices).toEqual([]);
    await tail.close();
  });

  test('a closed subscription sends nothing more', async () => {
    const { table, tail, open } = await setUp();
    const [closed, kept] = [new CarefulClient(), new CarefulClient()];
    const { subscription } = await open(closed);
    await open(kept);
    subscription.close();
    table.commit('a');
    await until('the other\'s', () => kept.events.length === 1);
    expect(closed.events).toEqual([]);
    await tail.close();
  });
});

type Tail = Pick<EventTail, 'follow' | 'head' | 'currentGeneration'>;

/** Commits, subscriptions, resumes, slow clients in any order; what each client must have seen is counted. */
function seamHolds(disturb: (tail: Tail) => Tail) {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('commit' as const), type: fc.constantFrom<EventType>('order.working', 'fill.created', 'order.filled'), notify: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), back: fc.option(fc.nat({ max: 6 })), slow: fc.boolean() }) },
  );
  return fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 25 }), async (scheduler, steps) => {
    const table = new EventsTable();
    for (let n = 0; n < 4; n += 1) table.commit('a', n % 2 === 0 ? 'order.working' : 'fill.created');
    const failures: unknown[] = [];
    const tail = new EventTail({ source: table, onError: (error) => failures.push(error), pollMs: NEVER_MS, pageEvents: 2 });
    await tail.start();
    try {
      const pause = (what: string): Promise<void> => scheduler.schedule(Promise.resolve(), what);
      table.pause = pause;
      const clients: { client: CarefulClient; subscribed: Subscribed }[] = [];
      const subscriptions: Promise<void>[] = [];
      const subscribe = async (sinceSequence: number | null, slow: boolean): Promise<void> => {
        const client = new CarefulClient();
        if (slow) client.roomAfter = () => pause('a slow client');
        const request = { channel: 'orders' as const, accountId: 'a', ...(sinceSequence === null ? {} : { sinceSequence }) };
        const subscription = new AccountSubscription(request, 'u1', { tail: disturb(tail), snapshots: snapshotsOf(table, pause), lastStreamAlert: (stream, upTo) => table.lastStreamAlert(stream, upTo), onError: (error) => failures.push(error) }, client);
        const subscribed = await subscription.open();
        client.answered(subscribed);
        subscription.start();
        clients.push({ client, subscribed });
      };
      const { task } = scheduler.scheduleSequence(steps.map((action) => ({
        label: JSON.stringify(action),
        builder: async () => {
          if (action.kind === 'commit') table.commit('a', action.type, {}, action.notify);
          else subscriptions.push(subscribe(action.back === null ? null : Math.max(0, table.headOf('a') - action.back), action.slow));
        },
      })));
      await scheduler.waitFor(task);
      await scheduler.waitFor(Promise.all(subscriptions));
      table.notify('*', 0);
      await scheduler.waitIdle();
      table.pause = null;
      const orders = (await table.since('account:a', 0, 1_000)).filter(({ type }) => channelOf(type) === 'orders').map(({ sequence }) => sequence);
      expect(failures).toEqual([]);
      for (const { client, subscribed } of clients) {
        expect(client.broken).toEqual([]);
        expect(client.sequences).toEqual(orders.filter((sequence) => sequence > subscribed.sequence));
        // The snapshot is at least as new as its sequence: nothing falls between them.
        if (subscribed.snapshot !== null) expect(headOf(subscribed)).toBeGreaterThanOrEqual(subscribed.sequence);
      }
    } finally {
      table.pause = null;
      await tail.close();
    }
  });
}

describe('the seam between snapshot, replay and live events', () => {
  test('holds in every order of commits, lost notices, subscriptions and slow clients', async () => {
    await fc.assert(seamHolds((tail) => tail), { numRuns: RUNS });
  }, 300_000);

  const follow = (tail: Tail, change: (handlers: FollowHandlers) => FollowHandlers, from: (sequence: number) => number = (sequence) => sequence): Tail => ({
    head: (stream) => tail.head(stream),
    currentGeneration: () => tail.currentGeneration(),
    follow: (stream, sequence, handlers) => tail.follow(stream, sequence === 'now' ? sequence : from(sequence), change(handlers)),
  });
  test.each<[string, (tail: Tail) => Tail]>([
    ['an event is lost', (tail) => follow(tail, (handlers) => ({ ...handlers, onEvents: (events) => handlers.onEvents(events.slice(0, Math.max(1, events.length - 1))) }))],
    ['an event comes twice', (tail) => follow(tail, (handlers) => ({ ...handlers, onEvents: (events) => handlers.onEvents([...events, ...events.slice(-1)]) }))],
    ['live begins one too late', (tail) => follow(tail, (handlers) => handlers, (sequence) => sequence + 1)],
    ['live begins one too early', (tail) => follow(tail, (handlers) => handlers, (sequence) => Math.max(0, sequence - 1))],
    ['the sequence is newer than the snapshot', (tail) => ({ ...follow(tail, (handlers) => handlers), head: async (stream) => (await tail.head(stream)) + 1 })],
  ])('the test itself fails when %s', async (_what, disturb) => {
    const result = await fc.check(seamHolds(disturb), { numRuns: RUNS, seed: 1 });
    expect(result.failed).toBe(true);
  }, 300_000);
});
