/** Following committed events: each once, in order, none missing, whatever happens to notices and reads. */
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { StreamEvent } from '../../../src/domain/events';
import { EventTail } from '../../../src/streams/event-tail';
import type { ResyncReason } from '../../../src/streams/follower';
import { until } from '../../contract/streams/bus-until';
import { EventsTable } from './events-table';
import { RUNS } from './runs';

const NEVER_MS = 3_600_000;
let tails: EventTail[] = [];
afterEach(async () => {
  await Promise.all(tails.map((tail) => tail.close()));
  tails = [];
});

async function tailOf(table: EventsTable, options: { pollMs?: number; pageEvents?: number; onError?: (error: unknown) => void } = {}): Promise<EventTail> {
  const tail = new EventTail({ source: table, onError: () => undefined, pollMs: NEVER_MS, ...options });
  tails.push(tail);
  await tail.start();
  return tail;
}

function collector() {
  const sequences: number[] = [];
  const resyncs: ResyncReason[] = [];
  return {
    sequences,
    resyncs,
    handlers: {
      onEvents: (events: readonly StreamEvent[]): void => void sequences.push(...events.map(({ sequence }) => sequence)),
      onResync: (reason: ResyncReason): void => void resyncs.push(reason),
    },
  };
}
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('an event tail', () => {
  test('gives each event after the given sequence once and in order, past and live', async () => {
    const table = new EventsTable();
    for (let n = 0; n < 25; n += 1) table.commit('a');
    const tail = await tailOf(table, { pageEvents: 10 });
    const [all, some] = [collector(), collector()];
    tail.follow('account:a', 0, all.handlers);
    tail.follow('account:a', 20, some.handlers);
    await until('the past', () => all.sequences.length === 25);
    for (let n = 0; n < 25; n += 1) table.commit('a');
    await until('the rest', () => all.sequences.length === 50 && some.sequences.length === 30);
    expect(all.sequences).toEqual(upTo(50));
    expect(some.sequences).toEqual(upTo(50, 21));
  });

  test('reads nothing for streams that nobody follows, and one query for all that wait', async () => {
    const table = new EventsTable();
    const tail = await tailOf(table);
    const [a, b] = [collector(), collector()];
    tail.follow('account:a', 0, a.handlers);
    tail.follow('account:b', 0, b.handlers);
    await until('both are live', () => table.reads.some((read) => read.startsWith('sinceMany')));
    await new Promise((resolve) => setImmediate(resolve));
    table.reads.length = 0;
    table.commit('c');
    for (let n = 0; n < 5; n += 1) {
      table.commit('a');
      table.commit('b');
    }
    await until('all', () => a.sequences.length === 5 && b.sequences.length === 5);
    expect(table.reads).toEqual(['sinceMany account:a 0 account:b 0']);
  });

  test('finds by polling what no notice told, and what came while the store was away', async () => {
    const table = new EventsTable();
    const errors: unknown[] = [];
    const tail = await tailOf(table, { pollMs: 5, onError: (error) => errors.push(error) });
    const { sequences, handlers } = collector();
    tail.follow('account:a', 0, handlers);
    table.commit('a', 'order.working', {}, false);
    await until('the silent one', () => sequences.length === 1);
    table.away = true;
    table.commit('a');
    await until('the failure is told', () => errors.length > 0);
    table.away = false;
    await until('the one of the outage', () => sequences.length === 2);
    expect(sequences).toEqual([1, 2]);
  });

  test('a notice that says it was away makes it look at once', async () => {
    const table = new EventsTable();
    const tail = await tailOf(table);
    const { sequences, handlers } = collector();
    await tail.follow('account:a', 0, handlers).ready;
    table.commit('a', 'order.working', {}, false);
    table.notify('*', 0);
    await until('the event', () => sequences.length === 1);
  });

  test('"now" needs no query where the stream is known, and misses nothing committed after', async () => {
    const table = new EventsTable();
    for (let n = 0; n < 3; n += 1) table.commit('a');
    const tail = await tailOf(table);
    table.commit('a');
    expect(tail.knownSequence('account:a')).toBe(4);
    table.reads.length = 0;
    const { sequences, handlers } = collector();
    const following = tail.follow('account:a', 'now', handlers);
    table.commit('a');
    await following.ready;
    table.commit('a');
    await until('both', () => sequences.length === 2);
    expect(sequences).toEqual([5, 6]);
    expect(table.reads.filter((read) => read.startsWith('heads'))).toEqual([]);
  });

  test.each([
    ['the generation changes', (table: EventsTable) => (table.generationNow = 'generation-2')],
    ['the stream ends before what was delivered', (table: EventsTable) => table.restore('a', 3)],
  ])('tells everyone to resync when %s, and follows anew from there', async (_what, restore) => {
    const table = new EventsTable();
    for (let n = 0; n < 10; n += 1) table.commit('a');
    const tail = await tailOf(table, { pollMs: 5 });
    const { sequences, resyncs, handlers } = collector();
    tail.follow('account:a', 0, handlers);
    await until('the past', () => sequences.length === 10);
    restore(table);
    await until('the resync', () => resyncs.length === 1);
    expect(resyncs).toEqual(['restored']);
    const again = collector();
    const head = await tail.head('account:a');
    tail.follow('account:a', head, again.handlers);
    table.commit('a');
    await until('the next', () => again.sequences.length === 1);
    expect(again.sequences).toEqual([head + 1]);
    expect(sequences).toEqual(upTo(10));
  });

  test('tells a follower whose events were purged to resync instead of skipping them', async () => {
    const table = new EventsTable();
    for (let n = 0; n < 10; n += 1) table.commit('a');
    table.purge('a', 6);
    const tail = await tailOf(table);
    const [late, fine] = [collector(), collector()];
    tail.follow('account:a', 6, fine.handlers);
    await until('the past', () => fine.sequences.length === 4);
    tail.follow('account:a', 2, late.handlers);
    await until('the resync', () => late.resyncs.length === 1);
    expect([late.resyncs, late.sequences]).toEqual([['purged'], []]);
    expect(fine.sequences).toEqual(upTo(10, 7));
  });

  test('a listener that fails harms nobody else', async () => {
    const table = new EventsTable();
    const errors: unknown[] = [];
    const tail = await tailOf(table, { onError: (error) => errors.push(error) });
    const { sequences, handlers } = collector();
    tail.follow('account:a', 0, { ...handlers, onEvents: () => { throw new Error('planted'); } });
    tail.follow('account:a', 0, handlers);
    for (let n = 0; n < 3; n += 1) table.commit('a');
    await until('all', () => sequences.length === 3);
    expect(errors.length).toBeGreaterThan(0);
  });

  test('a follower that needs time holds nobody back, and later has everything', async () => {
    const table = new EventsTable();
    const tail = await tailOf(table, { pageEvents: 5 });
    const fast = collector();
    const slow: number[] = [];
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => (release = resolve));
    tail.follow('account:a', 0, fast.handlers);
    tail.follow('account:a', 0, {
      onEvents: (events) => {
        slow.push(...events.map(({ sequence }) => sequence));
        return blocked;
      },
      onResync: () => undefined,
    });
    table.commit('a');
    await until('the first at both', () => fast.sequences.length === 1 && slow.length === 1);
    for (let n = 0; n < 30; n += 1) table.commit('a');
    await until('the rest at the fast one', () => fast.sequences.length === 31);
    expect(slow.length).toBe(1);
    release();
    await until('the rest at the slow one', () => slow.length === 31);
    expect(slow).toEqual(upTo(31));
  });

  test('following from now on goes on after the store was away and after a restore, until it is stopped', async () => {
    const table = new EventsTable();
    for (let n = 0; n < 5; n += 1) table.commit('a', 'order.working', {}, false);
    const tail = await tailOf(table, { pollMs: 5 });
    const sequences: number[] = [];
    table.away = true;
    const stop = tail.followFromNow('account:a', (events) => sequences.push(...events.map(({ sequence }) => sequence)));
    await until('a failed try', () => table.reads.some((read) => read.startsWith('heads')));
    table.away = false;
    const live = async (): Promise<void> => {
      const before = sequences.length;
      // What is committed before it follows again may be missed; what comes after is not.
      await until('an event', () => {
        table.commit('a');
        return sequences.length > before;
      });
    };
    await live();
    table.restore('a', 3);
    sequences.length = 0;
    await live();
    stop();
    const after = sequences.length;
    table.commit('a');
    await tail.head('account:a');
    expect(sequences.length).toBe(after);
    expect(sequences.every((sequence) => sequence > 3)).toBe(true);
  });

  test('what was known of a past that did not happen is forgotten: whoever follows from now on after a restore misses nothing', async () => {
    const table = new EventsTable();
    for (let n = 0; n < 50; n += 1) table.commit('a');
    const tail = await tailOf(table);
    const before = collector();
    await tail.follow('account:a', 50, before.handlers).ready;
    table.restore('a', 3);
    table.notify('*', 0);
    await until('the resync', () => before.resyncs.length === 1);
    const after = collector();
    await tail.follow('account:a', 'now', after.handlers).ready;
    table.commit('a');
    await until('the event', () => after.sequences.length === 1);
    expect([before.resyncs, after.sequences, after.resyncs]).toEqual([['restored'], [4], []]);
  });

  test('the same where a stream is seen to end earlier before the generation is', async () => {
    const table = new EventsTable();
    for (let n = 0; n < 50; n += 1) table.commit('a');
    const tail = await tailOf(table);
    const before = collector();
    await tail.follow('account:a', 50, before.handlers).ready;
    const { generationNow } = table;
    table.restore('a', 3);
    table.generationNow = generationNow;
    table.notify('*', 0);
    await until('the resync', () => before.resyncs.length === 1);
    expect(tail.knownSequence('account:a')).toBeUndefined();
  });

  test('waitFor answers with the event it waits for, and ends when it is aborted', async () => {
    const table = new EventsTable();
    const tail = await tailOf(table);
    const filled = tail.waitFor('account:a', ({ type }) => type === 'order.filled', new AbortController().signal);
    const abort = new AbortController();
    const never = tail.waitFor('account:a', () => false, abort.signal);
    const outcome = expect(never).rejects.toThrow('no longer waited for');
    await until('both wait', () => table.reads.some((read) => read.startsWith('sinceMany')));
    table.commit('a', 'order.working');
    table.commit('a', 'order.filled');
    expect(await filled).toMatchObject({ sequence: 2, type: 'order.filled' });
    abort.abort();
    await outcome;
    await expect(tail.waitFor('account:a', () => true, abort.signal)).rejects.toThrow();
  });

  test('whatever the order of commits, notices, reads, arrivals and departures: each follower has each event once, in order', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('commit' as const), account: fc.constantFrom('a', 'b'), notify: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('follow' as const), account: fc.constantFrom('a', 'b'), back: fc.nat({ max: 8 }), slow: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), index: fc.nat({ max: 5 }) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), async (scheduler, steps, pageEvents) => {
        const failures: unknown[] = [];
        const table = new EventsTable();
        for (const account of ['a', 'b']) for (let n = 0; n < 5; n += 1) table.commit(account);
        const tail = await tailOf(table, { onError: (error) => failures.push(error), pageEvents });
        table.pause = (what) => scheduler.schedule(Promise.resolve(), what);
        const followers: { account: string; from: number; got: number[]; close(): void; left: boolean }[] = [];
        const { task } = scheduler.scheduleSequence(steps.map((action) => ({
          label: JSON.stringify(action),
          builder: async () => {
            if (action.kind === 'commit') table.commit(action.account, 'order.working', {}, action.notify);
            else if (action.kind === 'leave') {
              const follower = followers[action.index];
              if (follower) follower.left = true;
              follower?.close();
            } else {
              const from = Math.max(0, table.headOf(action.account) - action.back);
              const got: number[] = [];
              const { close } = tail.follow(`account:${action.account}`, from, {
                onEvents: (events) => {
                  got.push(...events.map(({ sequence }) => sequence));
                  return action.slow ? scheduler.schedule(Promise.resolve(), 'a slow follower') : undefined;
                },
                onResync: (reason) => failures.push(reason),
              });
              followers.push({ account: action.account, from, got, close, left: false });
            }
          },
        })));
        await scheduler.waitFor(task);
        // Lost notices are made good by a poll.
        table.notify('*', 0);
        await scheduler.waitIdle();
        expect(failures).toEqual([]);
        for (const { account, from, got, left } of followers) {
          const all = upTo(table.headOf(account), from + 1);
          expect(got).toEqual(left ? all.slice(0, got.length) : all);
        }
        table.pause = null;
        await tail.close();
      }),
      { numRuns: RUNS },
    );
  }, 300_000);
});
