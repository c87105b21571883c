/** Seats over real PostgreSQL: two processes, one count. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { SeatHolder } from '../../../src/domain/seats';
import type { Store } from '../../../src/store';
import { Database } from '../../../src/store/database/database';
import { SharedSeats } from '../../../src/store/seats';
import { SeatKeeper } from '../../../src/streams/bus/seat-keeper';
import { until } from '../streams/bus-until';
import { openStoreWorld, type StoreWorld } from './harness';

/** Longer than any test of this file: who lives is never taken for dead. */
const LONG_MS = 600_000;
/** Of those that die. */
const SHORT_MS = 1;

let world: StoreWorld;
let another: Store;
let sql: Client;
const keepers: SeatKeeper[] = [];
beforeAll(async () => {
  world = await openStoreWorld();
  another = await world.openAnother();
  sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await Promise.all(keepers.map((keeper) => keeper.close()));
  await sql.end();
  await world.close();
});

const holderOf = (options: Partial<SeatHolder> = {}): SeatHolder => ({ id: randomUUID(), place: null, leaseMs: LONG_MS, ...options });
function keeperOver(store: Store, options: Partial<SeatHolder> = {}, nowMs: () => number = () => 0): SeatKeeper {
  const keeper = new SeatKeeper({ holder: holderOf(options), store: () => store.seats, nowMs, onError: () => undefined });
  keepers.push(keeper);
  return keeper;
}
const newScope = (): string => `sockets/${randomUUID()}`;
const rows = async (scope: string): Promise<string[]> => (await sql.query<{ name: string }>('SELECT name FROM seats WHERE scope = $1 ORDER BY name', [scope])).rows.map(({ name }) => name);

describe('seats of two processes', () => {
  test('are one count, however many ask at the same moment', async () => {
    const [here, there] = [keeperOver(world.store), keeperOver(another)];
    const scopes = [newScope(), newScope()];
    // Both ask for both scopes, in turns: their locks are taken in one order.
    const asked = await Promise.all(Array.from({ length: 80 }, async (_, n) => {
      const scope = scopes[n % 2] ?? '';
      return { scope, granted: await (n % 4 < 2 ? here : there).take({ scope, name: `s${n}`, max: 7 }) };
    }));
    for (const scope of scopes) {
      expect(asked.filter((each) => each.scope === scope && each.granted)).toHaveLength(7);
      expect(await rows(scope)).toHaveLength(7);
    }
  });

  test('that are given back are free for the other at once', async () => {
    const [here, there] = [keeperOver(world.store), keeperOver(another)];
    const scope = newScope();
    expect(await here.take({ scope, name: 'a', max: 1 })).toBe(true);
    expect(await there.take({ scope, name: 'b', max: 1 })).toBe(false);
    here.giveBack({ scope, name: 'a' });
    await until('the seat', () => there.take({ scope, name: 'b', max: 1 }));
    expect(await rows(scope)).toEqual(['b']);
    await expect(there.take({ scope, name: 'b', max: 1 })).rejects.toThrow(RangeError);
    // In order: given back, then taken again.
    there.giveBack({ scope, name: 'b' });
    expect(await there.take({ scope, name: 'b', max: 1 })).toBe(true);
  });

  test('of one name are one seat', async () => {
    const [here, there] = [keeperOver(world.store), keeperOver(another)];
    const scope = newScope();
    expect(await here.take({ scope, name: '0xuser', max: 1 })).toBe(true);
    expect(await there.take({ scope, name: '0xuser', max: 1 })).toBe(true);
    expect(await there.take({ scope, name: '0xother', max: 1 })).toBe(false);
    here.giveBack({ scope, name: '0xuser' });
    await until('one of the two', async () => (await rows(scope)).length === 1);
    expect(await here.take({ scope, name: '0xother', max: 1 })).toBe(false);
  });
});

describe('a process that is gone', () => {
  test('loses its seats once its lease has ended, and only to one that was answered for a whole lease', async () => {
    let nowMs = 0;
    const scope = newScope();
    const dead = holderOf({ leaseMs: SHORT_MS });
    await world.store.seats.enter(dead, [{ scope, name: 'of the dead' }], true);
    const survivor = keeperOver(another, {}, () => nowMs);
    expect(await survivor.take({ scope, name: 'mine', max: 1 })).toBe(false);
    const beatAt = async (ms: number): Promise<void> => {
      nowMs = ms;
      await survivor.beat();
    };
    await beatAt(LONG_MS / 3);
    await beatAt((LONG_MS * 2) / 3);
    expect(await rows(scope)).toEqual(['of the dead']);
    await beatAt(LONG_MS);
    expect(await rows(scope)).toEqual([]);
    expect(await survivor.take({ scope, name: 'mine', max: 1 })).toBe(true);
  });

  test('is known to be gone where another one took its place', async () => {
    const place = `host:${randomUUID()}`;
    const scope = newScope();
    await world.store.seats.enter(holderOf({ place }), [{ scope, name: 'before' }], true);
    await world.store.seats.enter(holderOf(), [{ scope, name: 'elsewhere' }], true);
    expect(await keeperOver(another, { place }).take({ scope, name: 'after', max: 2 })).toBe(true);
    expect(await rows(scope)).toEqual(['after', 'elsewhere']);
  });

  test('that was only silent enters again with what it had, over the limit if need be', async () => {
    const [silent, other] = [keeperOver(world.store), keeperOver(another)];
    const scope = newScope();
    expect(await silent.take({ scope, name: 'kept', max: 1 })).toBe(true);
    await sql.query('DELETE FROM seat_holders WHERE id IN (SELECT holder_id FROM seats WHERE scope = $1)', [scope]);
    expect(await other.take({ scope, name: 'new', max: 1 })).toBe(true);
    await silent.beat();
    expect(await rows(scope)).toEqual(['kept', 'new']);
    other.giveBack({ scope, name: 'new' });
    await until('one is left', async () => (await rows(scope)).length === 1);
    expect(await other.take({ scope, name: 'newer', max: 1 })).toBe(false);
  });

  test('that was forgotten between two signs of life finds out when it asks', async () => {
    const keeper = keeperOver(world.store);
    const scope = newScope();
    await keeper.take({ scope, name: 'first', max: 5 });
    await sql.query('DELETE FROM seat_holders WHERE id IN (SELECT holder_id FROM seats WHERE scope = $1)', [scope]);
    expect(await keeper.take({ scope, name: 'second', max: 5 })).toBe(true);
    expect(await rows(scope)).toEqual(['first', 'second']);
  });

  test('that stops in good order leaves nothing', async () => {
    const keeper = keeperOver(world.store);
    const scope = newScope();
    await keeper.take({ scope, name: 'a', max: 5 });
    await keeper.close();
    expect(await rows(scope)).toEqual([]);
    await expect(keeper.take({ scope, name: 'b', max: 5 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });
});

test('who holds a lease is told by name with the time it lasts, until it ends or is given back', async () => {
  const scope = newScope();
  const lasting = holderOf();
  await world.store.seats.enter(lasting, [{ scope, name: 'lives' }], true);
  await world.store.seats.enter(holderOf({ leaseMs: SHORT_MS }), [{ scope, name: 'dead' }], true);
  await world.store.seats.enter(holderOf(), [{ scope: newScope(), name: 'elsewhere' }], true);
  await until('the short lease to end', async () => (await another.seats.leases(scope)).size === 1);
  const [[name, leftMs] = ['none', 0]] = [...(await another.seats.leases(scope))];
  expect(name).toBe('lives');
  expect(leftMs).toBeGreaterThan(LONG_MS / 2);
  expect(leftMs).toBeLessThanOrEqual(LONG_MS);
  await world.store.seats.leave(lasting);
  expect((await another.seats.leases(scope)).size).toBe(0);
});

test('while the database is away a seat can neither be had nor lost', async () => {
  const nowhere = new Database({ databaseUrl: 'postgresql://surefill@127.0.0.1:1/nowhere', poolSize: 1, statementTimeoutMs: 1_000, lockTimeoutMs: 500, onError: () => undefined, onAuditHead: () => undefined });
  let isAway = false;
  const errors: unknown[] = [];
  const keeper = new SeatKeeper({ holder: holderOf(), store: () => (isAway ? new SharedSeats(nowhere) : world.store.seats), nowMs: () => 0, onError: (error) => errors.push(error) });
  keepers.push(keeper);
  const scope = newScope();
  for (const name of ['a', 'b']) expect(await keeper.take({ scope, name, max: 3 })).toBe(true);
  isAway = true;
  await expect(keeper.take({ scope, name: 'c', max: 3 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  keeper.giveBack({ scope, name: 'b' });
  await keeper.beat();
  expect(errors).toContainEqual(expect.objectContaining({ code: 'SERVICE_UNAVAILABLE' }));
  expect(await rows(scope)).toEqual(['a', 'b']);
  isAway = false;
  await keeper.beat();
  expect(await rows(scope)).toEqual(['a']);
  await nowhere.close();
});
