import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { ManagedProcess } from '../../src/main/launcher/managed-process';
import type { ServerWatch } from '../../src/main/launcher/managed-server';

/**
 * One small process per test process, which kills what the tests started when their process is gone, even by SIGKILL.
 * It learns of that by the end of its standard input, whose other end only this process holds.
 */
let watchdog: ChildProcess | undefined;

function tell(order: object): void {
  if (!watchdog) {
    watchdog = spawn(process.execPath, [path.resolve(__dirname, '../../scripts/watchdog.js')], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
      windowsHide: true,
    });
    // Neither it nor its pipe keeps a finished test process alive.
    watchdog.unref();
    (watchdog.stdin as unknown as { unref(): void }).unref();
  }
  watchdog.stdin?.write(`${JSON.stringify(order)}\n`);
}

/** Reports every server process to the watchdog, from its first moment. */
export const watchedByWatchdog: ServerWatch = {
  started: (process) => tell({ add: process.identity }),
  ended: (process) => tell({ remove: process.pid }),
};

/** A process that a test started by itself. */
export function watchProcess(process: ManagedProcess): void {
  watchedByWatchdog.started(process);
  void process.exited.then(() => watchedByWatchdog.ended(process));
}

/** A folder to delete in the end, however the end comes. */
export function deleteInTheEnd(folder: string): void {
  tell({ folder });
}

/** A SUREFILL_HOME whose supervisor and servers are killed in the end, by its run records. */
export function emptyHomeInTheEnd(home: string): void {
  tell({ home });
}
