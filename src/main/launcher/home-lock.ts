import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isRunning, startTimeOf, type ProcessIdentity } from '../../../scripts/process-identity';

/** Another supervisor runs on the same home. */
export class HomeInUse extends Error {
  override readonly name = 'HomeInUse';
}

/** Stale locks are removed at most this often in one attempt: each removal is followed by a race for the lock. */
const ATTEMPTS = 5;

/**
 * Takes a home for this process until it ends or calls the returned function. The lock is a file with our pid and start
 * time, linked into place whole, so that a lock left by a SIGKILL is told from a living one.
 * @throws HomeInUse naming the process that has it.
 */
export function lockHome(home: string): () => void {
  mkdirSync(home, { recursive: true });
  const lock = path.join(home, 'lock');
  const draft = `${lock}.${process.pid}`;
  const own: ProcessIdentity = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
  writeFileSync(draft, JSON.stringify(own));
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (linked(draft, lock)) return () => release(lock, own);
      const holder = holderOf(lock);
      if (holder && isRunning(holder)) {
        throw new HomeInUse(`another npm start (pid ${holder.pid}) runs on ${home}: stop it, or set SUREFILL_HOME to another folder`);
      }
      removeStale(lock, holder);
    }
    throw new HomeInUse(`${lock} could not be taken: several starts at once, try again`);
  } finally {
    rmSync(draft, { force: true });
  }
}

function linked(draft: string, lock: string): boolean {
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(lock: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity;
  } catch (error) {
    // Gone meanwhile, or not a lock of ours: nobody holds it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Moves the lock away and looks again: if another start replaced it just before, it gets its lock back. */
function removeStale(lock: string, expected: ProcessIdentity | undefined): void {
  const aside = `${lock}.stale.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = holderOf(aside);
  if (moved && moved.pid !== expected?.pid && isRunning(moved)) renameSync(aside, lock);
  else rmSync(aside, { force: true });
}

function release(lock: string, own: ProcessIdentity): void {
  if (existsSync(lock) && holderOf(lock)?.pid === own.pid) rmSync(lock, { force: true });
}
