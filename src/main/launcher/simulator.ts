import path from 'node:path';
import { ROOT } from './folders';
import { ManagedProcess, plainEnvironment } from './managed-process';
import type { ServerPlan } from './managed-server';
import { acceptsConnections } from './ports';

/** Its journal is replayed on start. */
const READY_WITHIN_MS = 30_000;
const STOP_GRACE_MS = 3_000;

export interface SimulatorOptions {
  /** Name of the venue it stands for in SUREFILL_VENUES, for its log and record. */
  readonly name: string;
  /** The venue whose protocol it speaks. */
  readonly venue: string;
  readonly port: number;
  /** Its journal: a restart has the same book, orders and balances. */
  readonly home: string;
  readonly logFile: string;
  readonly data?: string | undefined;
  readonly dataMarket?: string | undefined;
  readonly speed?: number;
  readonly seed?: number;
  /** ms between two steps of its prices; 0: they move only where they are put. */
  readonly tickMs?: number;
  /** NODE_ENV: with `production` its control API is off. */
  readonly mode?: string | undefined;
}

/** The plan of one venue simulator, a program of its own in dist/simulator. */
export function simulatorPlan(options: SimulatorOptions): ServerPlan {
  const { port } = options;
  const args = [
    ...['--enable-source-maps', path.join(ROOT, 'dist', 'simulator', 'main.js')],
    ...['--venue', options.venue, '--port', String(port), '--home', options.home],
    ...(options.data === undefined ? [] : ['--data', path.resolve(options.data)]),
    ...(options.dataMarket === undefined ? [] : ['--data-market', options.dataMarket]),
    ...(options.speed === undefined ? [] : ['--speed', String(options.speed)]),
    ...(options.seed === undefined ? [] : ['--seed', String(options.seed)]),
    ...(options.tickMs === undefined ? [] : ['--tick-ms', String(options.tickMs)]),
  ];
  return {
    name: options.name,
    url: `http://127.0.0.1:${port}`,
    port,
    logFile: options.logFile,
    fingerprint: args.join(' '),
    stop: { signal: 'SIGTERM', graceMs: STOP_GRACE_MS },
    readyWithinMs: READY_WITHIN_MS,
    passing: /EADDRINUSE/,
    spawn: () =>
      ManagedProcess.start({
        name: options.name,
        command: process.execPath,
        args,
        environment: { ...plainEnvironment(process.env), ...(options.mode === undefined ? {} : { NODE_ENV: options.mode }) },
        logFile: options.logFile,
      }),
    probe: () => acceptsConnections(port),
  };
}
