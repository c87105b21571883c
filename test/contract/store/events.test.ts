import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StreamEvent } from '../../../src/domain/events';
import { intentFor, OWNER, openStoreWorld, type StoreWorld } from './harness';
import { queried } from '../../support/queried';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

/** A notice as it came; `next` waits for one that matches. */
class Notices {
  private readonly seen: string[] = [];
  private waiting: { readonly matches: (notice: string) => boolean; readonly resolve: () => void }[] = [];

  readonly note = (stream: string, sequence: number): void => {
    const notice = `${stream} ${sequence}`;
    this.seen.push(notice);
    this.waiting = this.waiting.filter(({ matches, resolve }) => !matches(notice) || resolve());
  };

  next(matches: (notice: string) => boolean): Promise<void> {
    if (this.seen.some(matches)) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ matches, resolve }));
  }
}

const query = (sql: string, ...values: unknown[]): Promise<readonly Record<string, unknown>[]> => queried(world.databaseUrl, sql, ...values);

describe('a stream', () => {
  test('is read from any sequence on, alone or with others, and says which life of the database it is of', async () => {
    const [a, b] = [await world.newAccount(), await world.newAccount()];
    await world.store.placing.recordOrders([intentFor(a), intentFor(b), intentFor(a)], OWNER);
    const [streamA, streamB] = [`account:${a.id}`, `account:${b.id}`];
    const all = await world.store.events.since(streamA, 0, 100);
    expect(all.map((event) => [event.sequence, event.type])).toEqual([[1, 'account.created'], [2, 'balance.updated'], [3, 'order.submitting'], [4, 'order.submitting']]);
    expect(await world.store.events.since(streamA, 2, 1)).toEqual([all[2]]);
    const many = await world.store.events.sinceMany([{ stream: streamA, sequence: 3 }, { stream: streamB, sequence: 2 }, { stream: 'account:nobody', sequence: 0 }], 10);
    expect(many.map((event) => [event.stream, event.sequence]).sort()).toEqual([[streamA, 4], [streamB, 3]].sort());
    expect(await world.store.events.heads([streamA, streamB, 'account:nobody'])).toEqual(new Map([[streamA, 4], [streamB, 3], ['account:nobody', 0]]));
    const generation = await world.store.generation();
    expect(new Set(all.map((event) => event.generation))).toEqual(new Set([generation]));
    expect(new Set(all.map((event) => event.id)).size).toBe(all.length);
  });

  test('tells the newest alert up to a sequence that opened or closed a gap, other alerts apart', async () => {
    const { id } = await world.newAccount();
    const stream = `account:${id}`;
    const last = async (upTo: number): Promise<unknown> => (await world.store.events.lastStreamAlert(stream, upTo))?.data['kind'] ?? null;
    const head = async (): Promise<number> => (await world.store.events.heads([stream])).get(stream) ?? 0;
    expect(await last(await head())).toBeNull();
    for (const kind of ['streamGap', 'keyRevoked', 'streamResynced', 'keyRevoked']) await world.store.accounts.alert(id, { kind });
    const end = await head();
    expect([await last(end - 4), await last(end - 3), await last(end - 2), await last(end - 1), await last(end)]).toEqual([null, 'streamGap', 'streamGap', 'streamResynced', 'streamResynced']);
  });

  test('tells its own process of each commit, after it, as others will read it', async () => {
    const account = await world.newAccount();
    const told: StreamEvent[] = [];
    const stop = world.store.events.onCommitted((events) => told.push(...events));
    await world.store.placing.recordOrders([intentFor(account)], OWNER);
    stop();
    await world.store.placing.recordOrders([intentFor(account)], OWNER);
    expect(told).toEqual(await world.store.events.since(`account:${account.id}`, 2, 1));
  });
});

describe('a listener in another process', () => {
  test('is told stream and sequence, and after its connection broke, to look everywhere', async () => {
    const account = await world.newAccount();
    const notices = new Notices();
    const other = await world.openAnother();
    const listening = await other.events.listen(notices.note);
    try {
      await world.store.placing.recordOrders([intentFor(account)], OWNER);
      await notices.next((notice) => notice === `account:${account.id} 3`);
      await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'surefill-events' AND datname = current_database()`);
      await notices.next((notice) => notice === '* 0');
      await world.store.placing.recordOrders([intentFor(account)], OWNER);
      await notices.next((notice) => notice === `account:${account.id} 4`);
    } finally {
      await listening.close();
    }
  });

  test('hears of an account event only after it can be read', async () => {
    const account = await world.newAccount();
    const stream = `account:${account.id}`;
    const reads: Promise<number>[] = [];
    const listening = await world.store.events.listen((of, sequence) => {
      if (of === stream) reads.push(world.store.events.since(stream, 0, 1_000).then((events) => (events.at(-1)?.sequence ?? 0) - sequence));
    });
    try {
      for (let index = 0; index < 10; index += 1) await world.store.placing.recordOrders([intentFor(account)], OWNER);
      const notices = new Notices();
      const last = await world.store.events.listen(notices.note);
      await world.store.placing.recordOrders([intentFor(account)], OWNER);
      await notices.next((notice) => notice === `${stream} 13`);
      await last.close();
    } finally {
      await listening.close();
    }
    const behind = await Promise.all(reads);
    expect(behind.length).toBeGreaterThan(0);
    expect(behind.every((difference) => difference >= 0)).toBe(true);
  });

  test('hears of no event whose commit failed: the next one has its sequence', async () => {
    const account = await world.newAccount();
    const heard: string[] = [];
    const notices = new Notices();
    const listening = await world.store.events.listen((stream, sequence) => {
      heard.push(`${stream} ${sequence}`);
      notices.note(stream, sequence);
    });
    try {
      await query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$`);
      await query(`CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.account_id = '${account.id}') EXECUTE FUNCTION refuse()`);
      const writer = await world.store.watching.takeEpoch('a scope', 'a holder');
      const balance = { asset: 'USDT', total: '77', available: '77', locked: '0' };
      await expect(world.store.watching.putBalances(writer, account.id, [balance], world.clock.nowMs() + 5)).rejects.toThrow('no room');
      await query('DROP TRIGGER refuse ON events');
      await world.store.watching.putBalances(writer, account.id, [balance], world.clock.nowMs() + 6);
      await notices.next((notice) => notice === `account:${account.id} 3`);
    } finally {
      await query('DROP FUNCTION IF EXISTS refuse() CASCADE');
      await listening.close();
    }
    expect(heard.filter((notice) => notice.startsWith(`account:${account.id} `))).toEqual([`account:${account.id} 3`]);
  });
});

describe('the generation', () => {
  test('stays over restarts of the program, and changes when the tables were loaded from a dump', async () => {
    const before = await world.store.generation();
    const other = await world.openAnother();
    expect(await other.generation()).toBe(before);
    // What a restored dump does to a table: the same rows in a new one.
    await query('BEGIN; CREATE TABLE events_restored (LIKE events INCLUDING ALL); INSERT INTO events_restored SELECT * FROM events; DROP TABLE events; ALTER TABLE events_restored RENAME TO events; COMMIT');
    const fresh = await world.openAnother();
    expect(await fresh.generation()).not.toBe(before);
  });
});
