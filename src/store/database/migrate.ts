/**
 * Brings a database's tables up to date: forward only, under a lock, each migration whole or not at all. It keeps Prisma's own
 * record (_prisma_migrations), so Prisma's command line reads it too; docs/decisions/migrations.md says why it is not used.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';

export interface MigrateOptions {
  readonly log?: (message: string) => void;
  /** Where the migrations lie; the checkout's by default. */
  readonly folder?: string;
}

interface Migration {
  readonly name: string;
  readonly script: string;
}

/** From src/store/ and from dist/store/ alike. */
const MIGRATIONS_FOLDER = path.resolve(__dirname, '../../../prisma/migrations');
const SCRIPT = 'migration.sql';
/** Advisory lock of all starts; any constant, this one spells "migr". */
const MIGRATION_LOCK = 0x6d696772;

/** As Prisma makes it. */
const RECORD_SQL = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL, logs TEXT,
  rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

/**
 * Applies what is missing and gives its names. A second start waits for the first and finds nothing to do. Throws when the
 * database is ahead of this program, or when a migration fails: PostgreSQL has rolled it back, the next start tries it again.
 */
export async function migrate(databaseUrl: string, options: MigrateOptions = {}): Promise<readonly string[]> {
  const migrations = migrationsIn(options.folder ?? MIGRATIONS_FOLDER);
  const client = new Client({ connectionString: databaseUrl, application_name: 'surefill-migrate' });
  client.on('error', () => undefined); // the query that was under way rejects with the same
  await client.connect();
  try {
    if ((await missing(client, migrations)).length === 0) return [];
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const wanted = await missing(client, migrations);
    for (const migration of wanted) {
      await apply(client, migration);
      options.log?.(`applied migration ${migration.name}`);
    }
    return wanted.map((migration) => migration.name);
  } finally {
    await client.end(); // gives the lock back
  }
}

function migrationsIn(folder: string): readonly Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, script: readFileSync(path.join(folder, name, SCRIPT), 'utf8') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** In order. Throws when the database knows more than this program, or less than it should. */
async function missing(client: Client, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const { rows: tables } = await client.query<{ there: boolean }>(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`);
  if (tables[0]?.there !== true) return migrations;
  const { rows } = await client.query<{ name: string; done: boolean }>('SELECT migration_name AS name, finished_at IS NOT NULL AS done FROM _prisma_migrations WHERE rolled_back_at IS NULL');
  const ours = new Set(migrations.map((migration) => migration.name));
  const ahead = rows.find((row) => !ours.has(row.name));
  if (ahead !== undefined) throw new Error(`the database has migration ${ahead.name}, which this version does not know: start the newer version that made it (migrations only go forward)`);
  const failed = rows.find((row) => !row.done);
  if (failed !== undefined) throw new Error(`migration ${failed.name} was begun by another tool and not finished: repair what it left, then delete its row from the table _prisma_migrations`);
  const done = new Set(rows.map((row) => row.name));
  return migrations.filter((migration) => !done.has(migration.name));
}

/** The script and its record, in one transaction. */
async function apply(client: Client, { name, script }: Migration): Promise<void> {
  const checksum = createHash('sha256').update(script).digest('hex');
  await client.query('BEGIN');
  try {
    await client.query(RECORD_SQL);
    await client.query(script);
    await client.query('INSERT INTO _prisma_migrations(id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, clock_timestamp(), 1)', [randomUUID(), checksum, name]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // the connection may be what broke; PostgreSQL rolls back then
    throw new Error(`migration ${name} failed and was rolled back: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
