/** The audit log: every administrative act is a row of its user's chain, and what was done to the rows afterwards is named. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { AuditHead } from '../../../src/domain/audit';
import { CHAIN_START, hashOfEntry } from '../../../src/store/audit/audit-chain';
import { openStoreWorld, type StoreWorld } from './harness';

const ROWS = 5;

let world: StoreWorld;
let client: Client;
let userId: string;
/** Heads told of this test's user, as the file would have them. */
let witnessed: readonly AuditHead[];

beforeAll(async () => {
  world = await openStoreWorld();
  client = new Client({ connectionString: world.databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await world.close();
});

/** A user with a chain of ROWS rows: made, two keys, both revoked. */
beforeEach(async () => {
  const user = await world.store.users.createUser('an administrator');
  userId = user.id;
  const keys = [await world.store.users.createApiKey(userId, 'first', ['read'], 'key:boss'), await world.store.users.createApiKey(userId, 'second', ['trade'], 'key:boss')];
  for (const key of keys) await world.store.apiKeys.revoke(key.id, userId, 'key:boss');
  witnessed = world.heads.filter((head) => head.userId === userId);
});
afterEach(async () => {
  await client.query('DELETE FROM audit_entries WHERE user_id = $1', [userId]);
  await client.query('DELETE FROM audit_heads WHERE user_id = $1', [userId]);
});

/** What is wrong, as [row, words], with and without the heads outside the database. */
async function faults(heads: readonly AuditHead[] = []): Promise<(readonly [number, string])[]> {
  const report = await world.store.audit.check(heads);
  return report.faults.map((fault) => {
    expect(fault.userId).toBe(userId);
    return [fault.number, fault.problem] as const;
  });
}

describe('an administrative act', () => {
  test('is a row that says who did what to what, and its head is told once it has committed', async () => {
    const { rows } = await client.query<{ number: string; actor: string; act: string; subject: string }>('SELECT number, actor, act, subject FROM audit_entries WHERE user_id = $1 ORDER BY number', [userId]);
    expect(rows.map((row) => [row.number, row.actor, row.act])).toEqual([
      ['1', 'system', 'user.created'],
      ['2', 'key:boss', 'apiKey.created'],
      ['3', 'key:boss', 'apiKey.created'],
      ['4', 'key:boss', 'apiKey.revoked'],
      ['5', 'key:boss', 'apiKey.revoked'],
    ]);
    expect(rows.map((row) => row.subject.split(':')[0])).toEqual(['user', 'apiKey', 'apiKey', 'apiKey', 'apiKey']);
    expect(witnessed.map((head) => head.number)).toEqual([1, 2, 3, 4, 5]);
    expect((await world.store.audit.heads()).filter((head) => head.userId === userId)).toEqual(witnessed.slice(-1));
    expect(await faults(witnessed)).toEqual([]);
  });

  test('that did not commit leaves neither row nor head', async () => {
    const told = world.heads.length;
    await expect(world.store.users.createApiKey(userId, 'bad', ['a', '\u0000'])).rejects.toThrow();
    expect(world.heads).toHaveLength(told);
    expect(await faults(witnessed)).toEqual([]);
  });

  test('done by many at once still makes one chain without a gap', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => world.store.users.createApiKey(userId, `key ${index}`, ['read'])));
    const heads = world.heads.filter((head) => head.userId === userId);
    expect(heads.map((head) => head.number).sort((a, b) => a - b)).toEqual(Array.from({ length: ROWS + 12 }, (_, index) => index + 1));
    expect(await faults(heads)).toEqual([]);
  });

  test('of many accounts of one user at the same moment, whose changes share a transaction, makes one chain, too', async () => {
    const accounts = await Promise.all(Array.from({ length: 6 }, () => world.newAccount({ userId, balance: null })));
    await Promise.all(accounts.map((account) => world.store.accounts.setStatus(account.id, 'HALTED', 'a test')));
    const heads = world.heads.filter((head) => head.userId === userId);
    expect(heads).toHaveLength(ROWS + 12);
    expect(await faults(heads)).toEqual([]);
  });

  test('that changes nothing is none: a key revoked twice, a status set again, a setting as it is', async () => {
    const by = { userId, actor: 'key:boss' };
    const account = await world.newAccount({ userId });
    const key = await world.store.users.createApiKey(userId, 'third', ['read']);
    await world.store.settings.set('of the audit', { value: 1 }, by);
    for (let time = 0; time < 2; time += 1) {
      await world.store.apiKeys.revoke(key.id, userId, 'system');
      await world.store.accounts.setStatus(account.id, 'HALTED', 'a person said so', undefined, { actor: 'key:boss' });
      await world.store.settings.set('of the audit', { value: 1 }, by);
    }
    const { rows } = await client.query<{ act: string; data: unknown }>('SELECT act, data FROM audit_entries WHERE user_id = $1 AND number > $2 ORDER BY number', [userId, ROWS]);
    expect(rows.map((row) => row.act)).toEqual(['account.created', 'apiKey.created', 'setting.changed', 'apiKey.revoked', 'account.statusChanged']);
    expect(rows[4]?.data).toEqual({ status: 'HALTED', reason: 'a person said so', previousStatus: 'ACTIVE', previousReason: null });
  });

  test('holds no secret', async () => {
    const { plain } = await world.store.users.createApiKey(userId, 'fourth', ['read']);
    await world.newAccount({ userId });
    const { rows } = await client.query('SELECT * FROM audit_entries WHERE user_id = $1', [userId]);
    const text = JSON.stringify(rows);
    expect(text).not.toContain(plain);
    expect(text).not.toContain('key-of-');
  });
});

/** Makes every hash from row 1 on anew, as somebody would who knows how; without the heads outside nothing is wrong then. */
async function rechain(): Promise<void> {
  const { rows } = await client.query<{ number: string; at: Date; actor: string; act: string; subject: string; data: string }>('SELECT number, at, actor, act, subject, data::text AS data FROM audit_entries WHERE user_id = $1 ORDER BY number', [userId]);
  let previousHash = CHAIN_START;
  for (const row of rows) {
    const hash = hashOfEntry({ ...row, userId, number: Number(row.number), at: row.at.toISOString(), previousHash });
    await client.query('UPDATE audit_entries SET previous_hash = $3, hash = $4 WHERE user_id = $1 AND number = $2', [userId, row.number, previousHash, hash]);
    previousHash = hash;
  }
  await client.query('UPDATE audit_heads SET number = $2, hash = $3 WHERE user_id = $1', [userId, rows.length, previousHash]);
}

describe('the check names the row', () => {
  test.each([
    ['data', `'{"name":"first","scopes":["admin"]}'`],
    ['actor', `'key:somebody else'`],
    ['act', `'apiKey.revoked'`],
    ['subject', `'apiKey:x'`],
    ['at', `at + interval '1 second'`],
    ['hash', `repeat('a', 64)`],
    ['previous_hash', `repeat('a', 64)`],
  ])('after an edit of its %s', async (column, value) => {
    await client.query(`UPDATE audit_entries SET ${column} = ${value} WHERE user_id = $1 AND number = 2`, [userId]);
    for (const heads of [[], witnessed]) expect(await faults(heads)).toEqual([[2, 'was changed: its content does not give its hash']]);
  });

  test('after an edit with a hash that fits it', async () => {
    const { rows } = await client.query<{ at: Date; actor: string; act: string; subject: string; previousHash: string }>('SELECT at, actor, act, subject, previous_hash AS "previousHash" FROM audit_entries WHERE user_id = $1 AND number = 3', [userId]);
    const [row] = rows;
    if (row === undefined) throw new Error('no row 3');
    const data = '{"name":"second","scopes":["admin"]}';
    await client.query('UPDATE audit_entries SET data = $2, hash = $3 WHERE user_id = $1 AND number = 3', [userId, data, hashOfEntry({ ...row, userId, number: 3, at: row.at.toISOString(), data })]);
    expect(await faults()).toEqual([[3, 'was replaced: row 4 continues another one']]);
    expect(await faults(witnessed)).toEqual([[3, 'was replaced: another hash of it was written down outside the database']]);
  });

  test('after an edit for which the whole chain was made anew: only the heads outside know', async () => {
    await client.query(`UPDATE audit_entries SET actor = 'key:nobody' WHERE user_id = $1 AND number = 4`, [userId]);
    await rechain();
    expect(await faults()).toEqual([]);
    expect((await faults(witnessed)).map(([number]) => number)).toEqual([4, 5]);
  });

  test.each([1, 3])('after row %i was deleted', async (number) => {
    await client.query('DELETE FROM audit_entries WHERE user_id = $1 AND number = $2', [userId, number]);
    for (const heads of [[], witnessed]) expect(await faults(heads)).toEqual([[number, 'is missing']]);
  });

  test('after two were deleted', async () => {
    await client.query('DELETE FROM audit_entries WHERE user_id = $1 AND number IN (2, 3)', [userId]);
    expect(await faults(witnessed)).toEqual([[2, 'is missing, and so is every row up to 3']]);
  });

  test('after one was deleted, the rest moved up and the chain made anew', async () => {
    await client.query('DELETE FROM audit_entries WHERE user_id = $1 AND number = 2', [userId]);
    await client.query('UPDATE audit_entries SET number = number - 1 WHERE user_id = $1 AND number = 3', [userId]);
    await client.query('UPDATE audit_entries SET number = number - 1 WHERE user_id = $1 AND number = 4', [userId]);
    await client.query('UPDATE audit_entries SET number = number - 1 WHERE user_id = $1 AND number = 5', [userId]);
    await rechain();
    expect(await faults()).toEqual([]);
    expect((await faults(witnessed)).map(([number]) => number)).toEqual([2, 3, 4, 5]);
  });

  test('after two rows were swapped', async () => {
    for (const [from, to] of [[2, 99], [3, 2], [99, 3]]) await client.query('UPDATE audit_entries SET number = $3 WHERE user_id = $1 AND number = $2', [userId, from, to]);
    for (const heads of [[], witnessed]) expect((await faults(heads)).map(([number]) => number)).toEqual([2, 3]);
  });

  test('after the end was cut off', async () => {
    await client.query('DELETE FROM audit_entries WHERE user_id = $1 AND number >= 4', [userId]);
    for (const heads of [[], witnessed]) expect(await faults(heads)).toEqual([[4, 'is missing, and so is every row up to 5']]);
  });

  test('after the end was cut off and the chain\'s end set back: only the heads outside know', async () => {
    await client.query('DELETE FROM audit_entries WHERE user_id = $1 AND number = 5', [userId]);
    await rechain();
    expect(await faults()).toEqual([]);
    expect(await faults(witnessed)).toEqual([[5, 'is missing']]);
  });

  test('after a whole chain was deleted', async () => {
    await client.query('DELETE FROM audit_entries WHERE user_id = $1', [userId]);
    expect(await faults()).toEqual([[1, 'is missing, and so is every row up to 5']]);
    await client.query('DELETE FROM audit_heads WHERE user_id = $1', [userId]);
    expect((await faults(witnessed))[0]).toEqual([1, 'is missing, and so is every row up to 5']);
  });

  test('after rows were appended behind the chain\'s end, or its end was removed', async () => {
    await client.query('UPDATE audit_heads SET number = 3, hash = (SELECT hash FROM audit_entries WHERE user_id = $1 AND number = 3) WHERE user_id = $1', [userId]);
    expect((await faults()).map(([number]) => number)).toEqual([4]);
    await client.query('DELETE FROM audit_heads WHERE user_id = $1', [userId]);
    expect((await faults()).map(([number]) => number)).toEqual([5]);
  });
});
