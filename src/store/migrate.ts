/** Brings a database's tables up to date: forward only, under a lock, with Prisma's own engine (docs/decisions/migrations.md). */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { ApplyMigrationsInput, MigrationDirectory, SchemaEngine } from '@prisma/schema-engine-wasm' with { 'resolution-mode': 'import' };
import { Client, Pool } from 'pg';

export interface MigrateOptions {
  readonly log?: (message: string) => void;
  /** Where the migrations lie; the checkout's by default. */
  readonly folder?: string;
}

/** From src/store/ and from dist/store/ alike. */
const MIGRATIONS_FOLDER = path.resolve(__dirname, '../../prisma/migrations');
const LOCKFILE = 'migration_lock.toml';
const SCRIPT = 'migration.sql';
/** Advisory lock of all starts; any constant, this one spells "migr". */
const MIGRATION_LOCK = 0x6d696772;
/** The engine loads its WebAssembly from this file beside its JavaScript. */
const ENGINE_MODULE = '@prisma/schema-engine-wasm/schema_engine_bg';
const ENGINE_FILE = 'schema_engine_bg.wasm';

/**
 * Applies what is missing and gives its names. A second start waits for the first and finds nothing to do. Throws when the
 * database is ahead of this program, or when a migration failed (it names it; PostgreSQL has rolled it back).
 */
export async function migrate(databaseUrl: string, options: MigrateOptions = {}): Promise<readonly string[]> {
  const folder = options.folder ?? MIGRATIONS_FOLDER;
  const directories = migrationsIn(folder);
  const client = new Client({ connectionString: databaseUrl, application_name: 'surefill-migrate' });
  await client.connect();
  try {
    if (await isCurrent(client, directories)) return [];
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // Only under the lock is an unfinished migration a failed one: before, another start may be at it.
    refuseFailed(await unfinished(client));
    if (await isCurrent(client, directories)) return [];
    const applied = await applyMissing(databaseUrl, folder, directories);
    for (const name of applied) options.log?.(`applied migration ${name}`);
    return applied;
  } finally {
    await client.end(); // gives the lock back
  }
}

interface MigrationRow {
  readonly name: string;
  readonly done: boolean;
}

/** Migrations that were begun here, in no order; none where the table is not there yet. */
async function begun(client: Client): Promise<readonly MigrationRow[]> {
  const { rows: tables } = await client.query<{ there: boolean }>(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`);
  if (tables[0]?.there !== true) return [];
  const { rows } = await client.query<MigrationRow>('SELECT migration_name AS name, finished_at IS NOT NULL AS done FROM _prisma_migrations WHERE rolled_back_at IS NULL');
  return rows;
}

async function unfinished(client: Client): Promise<readonly MigrationRow[]> {
  return (await begun(client)).filter((row) => !row.done);
}

function refuseFailed([failed]: readonly MigrationRow[]): void {
  if (failed !== undefined) throw new Error(`migration ${failed.name} failed earlier: read its log in the table _prisma_migrations, repair the cause, and delete that row to try again`);
}

/** One read, so that an ordinary start loads no engine. Throws when the database is ahead. */
async function isCurrent(client: Client, directories: readonly MigrationDirectory[]): Promise<boolean> {
  const rows = await begun(client);
  const known = new Set(directories.map((directory) => directory.path));
  const ahead = rows.find((row) => !known.has(row.name));
  if (ahead !== undefined) throw new Error(`the database has migration ${ahead.name}, which this version does not know: start the newer version that made it (migrations only go forward)`);
  return known.size === new Set(rows.filter((row) => row.done).map((row) => row.name)).size;
}

function migrationsIn(folder: string): MigrationDirectory[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => ({ path: name, migrationFile: { path: SCRIPT, content: { tag: 'ok', value: readFileSync(path.join(folder, name, SCRIPT), 'utf8') } } }));
}

async function applyMissing(databaseUrl: string, folder: string, directories: MigrationDirectory[]): Promise<readonly string[]> {
  const engineModule = await loadEngineOnce();
  const pool = new Pool({ connectionString: databaseUrl, application_name: 'surefill-migrate' });
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg(pool));
  const silent = (): void => undefined;
  const runner = await engineModule.SchemaEngine.new({ datamodels: undefined }, silent, adapter);
  try {
    const input: ApplyMigrationsInput = {
      migrationsList: { baseDir: folder, lockfile: { path: LOCKFILE, content: readFileSync(path.join(folder, LOCKFILE), 'utf8') }, shadowDbInitScript: '', migrationDirectories: directories },
      filters: { externalTables: [], externalEnums: [] },
    };
    const { appliedMigrationNames } = await runner.applyMigrations(input);
    return appliedMigrationNames;
  } finally {
    runner.free();
    await pool.end();
  }
}

/** The engine's JavaScript half. */
interface EngineGlue {
  readonly SchemaEngine: typeof SchemaEngine;
  __wbg_set_wasm(exports: object): void;
}

/** The part of the global WebAssembly that is used: Node has it, @types/node leaves it to the browser's library. */
interface WebAssemblyLoader {
  instantiate(bytes: Uint8Array, imports: Readonly<Record<string, object>>): Promise<{ readonly instance: { readonly exports: Readonly<Record<string, unknown>> } }>;
}

let engine: Promise<EngineGlue> | null = null;

/** Once per process: the glue is one module with one instance behind it. */
function loadEngineOnce(): Promise<EngineGlue> {
  engine ??= loadEngine();
  return engine;
}

/** The package's own entry leaves the WebAssembly to a bundler; Node is given the file by its path. */
async function loadEngine(): Promise<EngineGlue> {
  const { WebAssembly: loader } = globalThis as unknown as { readonly WebAssembly: WebAssemblyLoader };
  const glue = (await import(ENGINE_MODULE)) as EngineGlue;
  const bytes = readFileSync(path.join(path.dirname(require.resolve(ENGINE_MODULE)), ENGINE_FILE));
  const { instance } = await loader.instantiate(bytes, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  const begin = instance.exports['__wbindgen_start'];
  if (typeof begin !== 'function') throw new Error(`${ENGINE_FILE} is not the engine this program was made for`);
  begin();
  return glue;
}
