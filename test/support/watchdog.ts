import { tell } from '../../scripts/watchdog-client';
import type { ManagedProcess } from '../../src/main/launcher/managed-process';
import type { ServerWatch } from '../../src/main/launcher/managed-server';

/**
 * Reports every server process to the watchdog, from its first moment: it ends when this test process ends, however. So it need not
 * keep this process alive: a test that forgets to stop one must not hang the run.
 */
export const watchedByWatchdog: ServerWatch = {
  started: (process) => {
    tell({ add: process.identity });
    process.child?.unref();
    process.child?.channel?.unref();
  },
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

/** A SUREFILL_HOME whose supervisor and servers are killed in the end, by its lock and run records. */
export function emptyHomeInTheEnd(home: string): void {
  tell({ home });
}
