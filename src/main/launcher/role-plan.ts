import path from 'node:path';
import { ROOT } from './folders';
import { ManagedProcess } from './managed-process';
import type { ServerPlan } from './managed-server';

/** The processes of Surefill itself. */
export type Role = 'api' | 'worker' | 'watcher';

/** A cold start on a busy two-core machine, with recovery of what was open. */
const READY_WITHIN_MS = 120_000;
/** In-flight venue calls (1.5 s) and their commits finish; the rest is taken up by the successor. */
const STOP_GRACE_MS = 10_000;

/**
 * How Node runs our roles. Requests and rows live for milliseconds, and under load the default young generation (16 MiB) was collected while
 * many of them still lived: a seventh of the API's processor time. Four times as much costs a busy process up to 144 MiB, an idle one nothing
 * (docs/decisions/young-generation.md).
 */
export const NODE_ARGUMENTS: readonly string[] = ['--enable-source-maps', '--max-semi-space-size=64'];

export interface RoleOptions {
  readonly role: Role;
  readonly environment: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** What it listens on; 0 for a role that listens nowhere. */
  readonly port: number;
}

/** The plan of one of our processes. It is ready when it sends `{type: 'ready'}` over its message channel. */
export function rolePlan(options: RoleOptions): ServerPlan {
  let ready = false;
  return {
    name: options.role,
    url: options.port === 0 ? '' : `http://127.0.0.1:${options.port}`,
    port: options.port,
    logFile: options.logFile,
    // Never adopted: its message channel cannot be opened again, and its code may have changed.
    fingerprint: '',
    stop: { signal: 'SIGTERM', graceMs: STOP_GRACE_MS },
    readyWithinMs: READY_WITHIN_MS,
    spawn: async () => {
      ready = false;
      const started = await ManagedProcess.start({
        name: options.role,
        command: process.execPath,
        args: [...NODE_ARGUMENTS, path.join(ROOT, 'dist', 'main', 'index.js'), '--role', options.role],
        environment: options.environment,
        logFile: options.logFile,
        messages: true,
      });
      started.child?.on('message', (message) => {
        if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready') ready = true;
      });
      return started;
    },
    probe: () => Promise.resolve(ready),
  };
}
