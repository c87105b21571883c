import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { canReach, reachableFolder } from './folders';
import { ManagedProcess, plainEnvironment, type UnixUser } from './managed-process';
import type { ServerPlan } from './managed-server';
import { acceptsConnections } from './ports';
import type { PostgresProgram } from './postgres-program';

/** Role and database of everything we store. */
const OWNER = 'surefill';
const PASSWORD_BYTES = 24;
/** Recovery after a crash replays the log; it answers "starting up" meanwhile, so waiting is safe. */
const READY_WITHIN_MS = 120_000;
/** A fast shutdown writes one checkpoint. */
const STOP_GRACE_MS = 20_000;
const CONNECT_TIMEOUT_MS = 2_000;
const DUPLICATE_DATABASE = '42P04';

/** Each value with its reason. */
const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1', // ours alone
  unix_socket_directories: '', // socket paths are limited to about 100 characters, homes are not
  max_connections: '200', // a pool per process, four workers, tests side by side
  shared_buffers: '128MB', // the working set of a single trader; the system's cache holds the rest
  synchronous_commit: 'on', // an acknowledged order survives a crash
  max_wal_size: '1GB', // checkpoints by time, not by load
  checkpoint_timeout: '10min',
  wal_buffers: '4MB',
  jit: 'off', // statements take a millisecond; compiling them takes fifty
  max_parallel_workers_per_gather: '0', // the same, and no shared memory segments to leave behind
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
};

export interface PostgresOptions {
  readonly program: PostgresProgram;
  readonly dataFolder: string;
  readonly port: number;
  readonly password: string;
  readonly logFile: string;
  /** Changes to the settings above, for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A new password for the role that owns everything. */
export function newPassword(): string {
  return randomBytes(PASSWORD_BYTES).toString('hex');
}

/**
 * Where the data of a home goes: inside it, or as root, when PostgreSQL's user cannot get there, beside the system's state.
 * The home remembers that place, so a deleted home never meets the data, and the password, of its predecessor.
 */
export function postgresDataFolder(home: string, user: UnixUser | undefined, say: (text: string) => void): string {
  mkdirSync(home, { recursive: true });
  const memory = path.join(home, 'postgres.location');
  if (existsSync(memory)) return readFileSync(memory, 'utf8').trim();
  const inside = path.join(home, 'postgres');
  if (!user || existsSync(inside) || canReach(user, home, 'enter')) return inside;
  const outside = path.join(reachableFolder('lib', user, randomBytes(8).toString('hex')), 'postgres');
  writeFileSync(memory, `${outside}\n`, { mode: 0o600 });
  say(`PostgreSQL keeps its data in ${outside}: its user cannot reach ${home}`);
  return outside;
}

/** Makes an empty cluster unless there is one. A start that is cut short leaves nothing that looks like a cluster. */
export async function initialisePostgres(program: PostgresProgram, dataFolder: string, password: string): Promise<boolean> {
  if (existsSync(path.join(dataFolder, 'PG_VERSION'))) return false;
  const draft = `${dataFolder}.draft`;
  const passwordFile = `${dataFolder}.password`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (program.user) for (const each of [draft, passwordFile]) chownSync(each, program.user.uid, program.user.gid);
  try {
    await run(program.initdb, [
      ...['-D', draft, '-U', OWNER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8'],
      // The same order of text on every platform.
      ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions', '--no-sync'],
    ], program.user);
    rmSync(dataFolder, { recursive: true, force: true });
    renameSync(draft, dataFolder);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  return true;
}

/** Where a home's PostgreSQL serves: our own database, or another. */
export function postgresUrl(port: number, password: string, database: string = OWNER): string {
  return `postgresql://${OWNER}:${password}@127.0.0.1:${port}/${database}`;
}

/** The plan of one PostgreSQL server over an initialised cluster. */
export function postgresPlan(options: PostgresOptions): ServerPlan {
  const { program, dataFolder, port, password } = options;
  const settings = Object.entries({ ...SERVER_SETTINGS, ...options.settings });
  const args = ['-D', dataFolder, '-p', String(port), ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  return {
    name: 'postgres',
    url: postgresUrl(port, password),
    port,
    logFile: options.logFile,
    fingerprint: `${program.version} ${args.join(' ')}`,
    stop: { signal: 'SIGINT', graceMs: STOP_GRACE_MS },
    readyWithinMs: READY_WITHIN_MS,
    // The children of a killed server hold its memory for a moment.
    passing: /pre-existing shared memory block|lock file "postmaster\.pid" already exists|could not bind/,
    spawn: async () => {
      prepareLog(options.logFile);
      return ManagedProcess.start({
        name: 'postgres',
        command: program.postgres,
        args,
        environment: { ...plainEnvironment(process.env), LC_MESSAGES: 'C' },
        logFile: options.logFile,
        cwd: dataFolder,
        user: program.user,
      });
    },
    probe: async () => (await acceptsConnections(port)) && answers(postgresUrl(port, password, 'postgres')),
    prepare: () => createDatabase(postgresUrl(port, password, 'postgres'), OWNER),
  };
}

function prepareLog(logFile: string): void {
  mkdirSync(path.dirname(logFile), { recursive: true });
  writeFileSync(logFile, '', { flag: 'a', mode: 0o600 });
  chmodSync(logFile, 0o600);
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined); // a server that ends under the probe is seen by the next one
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false; // not yet, or not ours: the caller decides by its deadline and by the process
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Asks a server of the user's own whether it serves. @throws Error that names the place, never the password. */
export async function greetPostgres(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined); // a connection that breaks later is not ours to judge here
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (error) {
    const { host, pathname } = new URL(url);
    const reason = (error as { message: string; code?: string }).message || (error as { code?: string }).code;
    throw new Error(`DATABASE_URL names ${host}${pathname}, which does not serve (${reason}): start it, or unset the variable`, { cause: error });
  } finally {
    await client.end();
  }
}

/** Creates a database unless it exists. `url` names any other database of the server. */
export async function createDatabase(url: string, name: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } catch (error) {
    if ((error as { code?: string }).code !== DUPLICATE_DATABASE) throw error;
  } finally {
    await client.end();
  }
}

/** Reads the password of a home, or makes it on the first start. Readable by its user alone. */
export function passwordOf(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const password = newPassword();
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}

async function run(command: string, args: readonly string[], user: UnixUser | undefined): Promise<void> {
  const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'pipe'], windowsHide: true, cwd: path.parse(command).root, ...user });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (words += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${path.basename(command)} failed with exit code ${code}: ${words.trim()}`);
}
