/** The event tail over real PostgreSQL: commits of several processes, lost notices, a restored database. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { accountStream, type StreamEvent } from '../../../src/domain/events';
import type { Store } from '../../../src/store';
import { EventTail } from '../../../src/streams/event-tail';
import type { ResyncReason } from '../../../src/streams/follower';
import { until } from './bus-until';
import { openStoreWorld, type StoreWorld } from '../store/harness';

let world: StoreWorld;
let reader: Store;
let control: Client;
beforeAll(async () => {
  world = await openStoreWorld();
  reader = await world.openAnother();
  control = new Client({ connectionString: world.databaseUrl });
  await control.connect();
}, 120_000);
afterAll(async () => {
  await control.end();
  await world.close();
});

async function following<T>(run: (tail: EventTail, errors: unknown[]) => Promise<T>, pollMs?: number): Promise<T> {
  const errors: unknown[] = [];
  const tail = new EventTail({ source: reader.events, onError: (error) => errors.push(error), ...(pollMs === undefined ? {} : { pollMs }) });
  await tail.start();
  try {
    return await run(tail, errors);
  } finally {
    await tail.close();
  }
}

function collect(tail: EventTail, accountId: string, from: number | 'now') {
  const events: StreamEvent[] = [];
  const resyncs: ResyncReason[] = [];
  const { ready } = tail.follow(accountStream(accountId), from, { onEvents: (more) => void events.push(...more), onResync: (reason) => void resyncs.push(reason) });
  return { events, resyncs, ready };
}
const upTo = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('following committed events', () => {
  test('of two processes that write four accounts at once, each event comes once, in order', async () => {
    const accounts = await Promise.all(Array.from({ length: 4 }, () => world.newAccount()));
    const writers = [world.store, await world.openAnother()];
    await following(async (tail, errors) => {
      const heads = await Promise.all(accounts.map(({ id }) => tail.head(accountStream(id))));
      const followed = accounts.map(({ id }, index) => collect(tail, id, heads[index] ?? 0));
      await Promise.all(followed.map(({ ready }) => ready));
      const writes = writers.flatMap((writer, w) => accounts.map(async ({ id }, a) => {
        for (let n = 0; n < 25; n += 1) await writer.accounts.alert(id, { n: `${w}/${a}/${n}` });
      }));
      await Promise.all(writes);
      await until('all', () => followed.every(({ events }) => events.length >= 50));
      followed.forEach(({ events }, index) => expect(events.map(({ sequence }) => sequence)).toEqual(upTo((heads[index] ?? 0) + 1, (heads[index] ?? 0) + 50)));
      expect(new Set(followed.flatMap(({ events }) => events.map(({ data }) => data['n']))).size).toBe(200);
      expect(errors).toEqual([]);
    });
  });

  test('while the connection that listens is cut again and again, nothing is missed', async () => {
    const account = await world.newAccount();
    await following(async (tail) => {
      const head = await tail.head(accountStream(account.id));
      const { events } = collect(tail, account.id, head);
      for (let n = 0; n < 60; n += 1) {
        if (n % 10 === 5) await control.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'surefill-events' AND datname = current_database()`);
        await world.store.accounts.alert(account.id, { n });
      }
      await until('all', () => events.length >= 60);
      expect(events.map(({ sequence }) => sequence)).toEqual(upTo(head + 1, head + 60));
    }, 200);
  });

  test('how long an event takes from its commit to its follower in another process (told, not judged)', async () => {
    const account = await world.newAccount();
    await following(async (tail) => {
      const { events, ready } = collect(tail, account.id, 'now');
      await ready;
      const samplesMs: number[] = [];
      for (let n = 0; n < 100; n += 1) {
        const before = events.length;
        await world.store.accounts.alert(account.id, { n });
        const committedAtMs = performance.now();
        while (events.length === before) await new Promise((resolve) => setImmediate(resolve));
        samplesMs.push(performance.now() - committedAtMs);
      }
      samplesMs.sort((a, b) => a - b);
      process.stderr.write(`commit to follower: median ${samplesMs[50]?.toFixed(2)} ms, p99 ${samplesMs[98]?.toFixed(2)} ms\n`);
      expect(events.length).toBeGreaterThanOrEqual(100);
    }, 60_000);
  });

  test('a restored database is told to every follower', async () => {
    const account = await world.newAccount();
    await following(async (tail) => {
      const { resyncs, ready } = collect(tail, account.id, 'now');
      await ready;
      await control.query(`UPDATE settings SET value = to_jsonb('another life'::text) WHERE key = 'generation-marker'`);
      await until('the resync', () => resyncs.length === 1);
      expect(resyncs).toEqual(['restored']);
    }, 20);
  });
});
