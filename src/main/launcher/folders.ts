import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { UnixUser } from './managed-process';

/** The checkout: three folders up, from src/ and from dist/ alike. */
export const ROOT = path.resolve(__dirname, '../../..');

/** Bits of a Unix mode. */
const OTHERS = { shift: 0, readAndSearch: 0o5 } as const;
const GROUP_SHIFT = 3;
const OWNER_SHIFT = 6;
const SEARCH = 0o1;

/** The user's folder for what can be fetched again: servers, templates. Shared by all checkouts. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const home = os.homedir();
  if (process.platform === 'win32') return path.join(environment['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local'), 'surefill');
  if (process.platform === 'darwin') return path.join(home, 'Library', 'Caches', 'surefill');
  return path.join(environment['XDG_CACHE_HOME'] ?? path.join(home, '.cache'), 'surefill');
}

/** Whether the user can search every folder on the way to the path, and the path itself ('enter') or read it too ('read'). */
export function canReach(user: UnixUser, target: string, what: 'read' | 'enter' = 'read'): boolean {
  let folder = path.resolve(target);
  for (let needed: number = what === 'read' ? OTHERS.readAndSearch : SEARCH; ; needed = SEARCH) {
    const { uid, gid, mode } = statSync(folder);
    const shift = uid === user.uid ? OWNER_SHIFT : gid === user.gid ? GROUP_SHIFT : OTHERS.shift;
    if (((mode >> shift) & needed) !== needed) return false;
    const parent = path.dirname(folder);
    if (parent === folder) return true;
    folder = parent;
  }
}

/** A short name for a path, for what is kept elsewhere on its behalf. */
export function keyOfPath(target: string): string {
  return createHash('sha256').update(path.resolve(target)).digest('hex').slice(0, 16);
}

/**
 * A folder that an unprivileged user can reach, for what cannot live where it belongs. Only for root, whose own folders
 * are usually closed to everybody else.
 */
export function reachableFolder(kind: 'lib' | 'cache', user: UnixUser, key: string): string {
  for (const base of [`/var/${kind}/surefill`, path.join(os.tmpdir(), 'surefill')]) {
    const folder = path.join(base, key);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EROFS' || code === 'EACCES') continue;
      throw error;
    }
    // Anyone may have made a folder of that name in the temporary folder before us.
    const ours = [base, folder].every((each) => statSync(each).uid === process.getuid?.());
    if (ours && canReach(user, folder)) return folder;
  }
  throw new Error(`no folder that the user postgres can reach: start as an ordinary user, or set DATABASE_URL`);
}

/** Every file of that name in the folders of PATH, in order. */
export function filesOnPath(name: string, environment: NodeJS.ProcessEnv): string[] {
  const folders = (environment['PATH'] ?? environment['Path'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => path.join(folder, name)).filter((file) => existsSync(file));
}
