import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { canReach, reachableFolder } from '../../src/main/launcher/folders';
import { ManagedServer, type ServerPlan } from '../../src/main/launcher/managed-server';
import { freePort } from '../../src/main/launcher/ports';
import { createDatabase, postgresPlan } from '../../src/main/launcher/postgres';
import { findPostgres, type PostgresProgram } from '../../src/main/launcher/postgres-program';
import { findRedis, newRedisPassword, redisPlan } from '../../src/main/launcher/redis';
import { simulatorPlan } from '../../src/main/launcher/simulator';
import { temporalPlan } from '../../src/main/launcher/temporal';
import { findTemporal } from '../../src/main/launcher/temporal-program';
import { copyCluster, postgresTemplate } from './postgres-template';
import { deleteInTheEnd, watchedByWatchdog } from './watchdog';

/**
 * Servers of a test's own, started by the code of `npm start`: real PostgreSQL, Temporal, Redis, simulator. Each has `url`,
 * `port`, `pid`, `kill('SIGKILL' | 'SIGSTOP' | ...)`, `restart()` (same port, same data), `stop()`. All of them end when the
 * test process ends. Addresses of the run's shared servers come from the environment (see sharedServers).
 */
export type TestServer = ManagedServer;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** A new empty folder under the temporary folder, deleted in the end. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), `surefill-test-${name}-`));
  deleteInTheEnd(folder);
  return folder;
}

async function started(plan: ServerPlan): Promise<TestServer> {
  const server = new ManagedServer(plan, watchedByWatchdog);
  await server.start();
  return server;
}

/** Options of a private PostgreSQL: `settings` go to the server as they are. */
export interface TestPostgresOptions {
  readonly settings?: Readonly<Record<string, string>>;
}

/** A private PostgreSQL. Its `url` names an empty database; `npm start`'s durability settings, except waiting for the disk. */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestServer> {
  const program = findPostgres(say);
  const template = await postgresTemplate(program);
  const folder = clusterParent(program);
  const dataFolder = path.join(folder, 'data');
  copyCluster(template.dataFolder, dataFolder, program.user);
  return started(
    postgresPlan({
      program,
      dataFolder,
      password: template.password,
      port: await freePort(),
      logFile: path.join(temporaryFolder('postgres-log'), 'postgres.log'),
      // Killed processes lose nothing by it; only a power cut would.
      settings: { fsync: 'off', full_page_writes: 'off', ...options.settings },
    }),
  );
}

function clusterParent(program: PostgresProgram): string {
  const folder = temporaryFolder('postgres');
  if (!program.user) return folder;
  rmSync(folder, { recursive: true });
  mkdirSync(folder, { mode: 0o755 });
  if (canReach(program.user, folder)) return folder;
  const outside = path.join(reachableFolder('lib', program.user, 'test'), path.basename(folder));
  mkdirSync(outside, { recursive: true, mode: 0o755 });
  deleteInTheEnd(outside);
  return outside;
}

/** Makes a new empty database on a server and gives its URL; a file's own, so that files run side by side. */
export async function newDatabase(serverUrl: string, purpose = 'test'): Promise<string> {
  const name = `${purpose}_${randomBytes(6).toString('hex')}`;
  await createDatabase(serverUrl, name);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Drops such a database, ending the connections that still use it. */
export async function dropDatabase(serverUrl: string, databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(new URL(databaseUrl).pathname.slice(1))} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}

/** Options of a private Temporal server. */
export interface TestTemporalOptions {
  /** Keep its state in a file, so that a restart has it. Default true. */
  readonly durable?: boolean;
  /** Which file; default one of its own. */
  readonly databaseFile?: string;
  readonly namespace?: string;
  /** Also run the Web UI. */
  readonly webUi?: boolean;
}

/** A private Temporal server with the settings of temporal/. Its `url` is host:port. */
export async function startTemporal(options: TestTemporalOptions = {}): Promise<TestServer> {
  const program = await findTemporal({ environment: process.env, versionOfData: undefined, say });
  const folder = temporaryFolder('temporal');
  return started(
    temporalPlan({
      program,
      port: await freePort(),
      namespace: options.namespace ?? 'default',
      logFile: path.join(folder, 'temporal.log'),
      ...((options.durable ?? true) ? { databaseFile: options.databaseFile ?? path.join(folder, 'temporal.db') } : {}),
      ...(options.webUi ? { uiPort: await freePort() } : {}),
    }),
  );
}

/** Whether startRedis can work here; without it, tests that need Redis are skipped aloud. */
export function hasRedis(): boolean {
  return findRedis(process.env) !== undefined;
}

/** A private Redis. @throws Error when the machine has no redis-server. */
export async function startRedis(): Promise<TestServer> {
  const file = findRedis(process.env);
  if (file === undefined) throw new Error('no redis-server on PATH: install it, or skip the test with hasRedis()');
  const folder = temporaryFolder('redis');
  const options = { file, folder, password: newRedisPassword(), port: await freePort(), logFile: path.join(folder, 'redis.log') };
  return started(redisPlan(options));
}

/** Options of a private simulator. */
export interface TestSimulatorOptions {
  readonly venue?: string;
  readonly home?: string;
  readonly data?: string;
  readonly speed?: number;
  readonly seed?: number;
  readonly tickMs?: number;
}

/** A private venue simulator, a separate process with its control API on. Needs dist/ (scripts/test.js builds it). */
export async function startSimulator(options: TestSimulatorOptions = {}): Promise<TestServer> {
  const venue = options.venue ?? 'paper';
  const home = options.home ?? temporaryFolder(venue);
  const logFile = path.join(temporaryFolder('simulator-log'), `${venue}.log`);
  return started(simulatorPlan({ ...options, name: `simulator-${venue}`, venue, home, logFile, port: await freePort() }));
}

/** Addresses of the servers that the whole run shares; a file makes its own database and task queues on them. */
export interface SharedServers {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly redisUrl: string | undefined;
}

let own: Promise<SharedServers> | undefined;

/** The run's shared servers; started for this file alone when it runs outside scripts/test.js. */
export function sharedServers(): Promise<SharedServers> {
  own ??= findShared();
  return own;
}

async function findShared(): Promise<SharedServers> {
  const { SUREFILL_TEST_DATABASE_URL: databaseUrl, SUREFILL_TEST_TEMPORAL_ADDRESS: temporalAddress, SUREFILL_TEST_REDIS_URL: redisUrl } = process.env;
  return {
    databaseUrl: databaseUrl ?? (await startPostgres()).url,
    temporalAddress: temporalAddress ?? (await startTemporal({ durable: false })).url,
    redisUrl: redisUrl ?? (hasRedis() && databaseUrl === undefined ? (await startRedis()).url : undefined),
  };
}
