import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { migrate } from '../../../src/store/database/migrate';
import { wordsOfDatabase, wordsOfSchema } from './schema-words';
import { dropDatabase, newDatabase, startPostgres, temporaryFolder, type TestServer } from '../../support/servers';

const FOLDER = path.resolve(__dirname, '../../../prisma/migrations');
let own: TestServer | null = null;
let serverUrl = '';
const databases: string[] = [];

beforeAll(async () => {
  const shared = process.env['SUREFILL_TEST_DATABASE_URL'];
  own = shared === undefined ? await startPostgres() : null;
  serverUrl = own?.url ?? shared ?? '';
});
afterAll(async () => {
  for (const database of databases) await dropDatabase(serverUrl, database);
  await own?.stop();
});

async function emptyDatabase(): Promise<string> {
  const url = await newDatabase(serverUrl, 'migrate');
  databases.push(url);
  return url;
}

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

/** A copy of the migrations with one more. */
function withMigration(sql: string): string {
  const folder = path.join(temporaryFolder('migrations'), 'migrations');
  cpSync(FOLDER, folder, { recursive: true });
  mkdirSync(path.join(folder, '99990101000000_later'));
  writeFileSync(path.join(folder, '99990101000000_later', 'migration.sql'), sql);
  return folder;
}

describe('migrations', () => {
  test('are applied once, however many programs start at once', async () => {
    const url = await emptyDatabase();
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(url)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect(await migrate(url)).toEqual([]);
    expect(await query(url, 'SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 0 }]);
  });

  test('go forward: a later one is added to a database that is in use', async () => {
    const url = await emptyDatabase();
    await migrate(url);
    await query(url, `INSERT INTO users(id, name) VALUES ('1', 'one')`);
    expect(await migrate(url, { folder: withMigration('ALTER TABLE users ADD COLUMN later TEXT;') })).toEqual(['99990101000000_later']);
    expect(await query(url, 'SELECT id, later FROM users')).toEqual([{ id: '1', later: null }]);
  });

  test('of a newer version are never undone: the older program says so and stops', async () => {
    const url = await emptyDatabase();
    await migrate(url, { folder: withMigration('SELECT 1;') });
    await expect(migrate(url)).rejects.toThrow(/99990101000000_later, which this version does not know/);
  });

  test('that fail leave no half of themselves, and are tried again at the next start', async () => {
    const url = await emptyDatabase();
    const folder = withMigration('CREATE TABLE half (id TEXT); SELECT no_such_function();');
    await expect(migrate(url, { folder })).rejects.toThrow(/99990101000000_later failed and was rolled back: function no_such_function/);
    expect(await query(url, `SELECT to_regclass('half') AS half, to_regclass('orders')::text AS orders`)).toEqual([{ half: null, orders: 'orders' }]);
    expect(await migrate(url, { folder: withMigration('CREATE TABLE half (id TEXT);') })).toEqual(['99990101000000_later']);
  });

  test('of a program that was killed in the middle are rolled back by PostgreSQL, and the next start does them', async () => {
    const url = await emptyDatabase();
    const blocker = new Client({ connectionString: url });
    await blocker.connect();
    await blocker.query('SELECT pg_advisory_lock(7)');
    const broken = migrate(url, { folder: withMigration('CREATE TABLE half (id TEXT); SELECT pg_advisory_lock(7);') }).then(() => 'finished', () => 'broken');
    const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'surefill-migrate' AND wait_event = 'advisory'`;
    while ((await blocker.query(waiting)).rowCount === 0) await new Promise((resolve) => setImmediate(resolve));
    await blocker.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) held`);
    expect(await broken).toBe('broken');
    await blocker.end();
    expect(await query(url, `SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);
    expect(await migrate(url, { folder: withMigration('CREATE TABLE half (id TEXT);') })).toEqual(['99990101000000_later']);
  });

  test('make exactly the tables that prisma/schema.prisma says', async () => {
    const url = await emptyDatabase();
    await migrate(url);
    const words = await wordsOfDatabase((sql) => query(url, sql));
    expect(words).toEqual(wordsOfSchema());
    expect(words.columns.length).toBeGreaterThan(200);
  });
});
