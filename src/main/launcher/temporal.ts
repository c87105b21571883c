import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { ManagedProcess, plainEnvironment } from './managed-process';
import type { ServerPlan } from './managed-server';
import type { TemporalProgram } from './temporal-program';
import { serverFlags } from './temporal-settings';

/** A file of many workflows is read on start. */
const READY_WITHIN_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const PROBE_TIMEOUT_MS = 2_000;
const OWN_FILE = 0o600;

export interface TemporalOptions {
  readonly program: TemporalProgram;
  /** SQLite file; undefined keeps everything in memory until the process ends. */
  readonly databaseFile?: string;
  readonly port: number;
  /** Undefined runs without the Web UI. */
  readonly uiPort?: number;
  readonly namespace: string;
  readonly logFile: string;
}

/** The plan of one single-node Temporal server. Its `url` is host:port, as clients take it. */
export function temporalPlan(options: TemporalOptions): ServerPlan {
  const { program, port } = options;
  const address = `127.0.0.1:${port}`;
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn', '--log-format', 'json'],
    ...(options.uiPort === undefined ? ['--headless'] : ['--ui-port', String(options.uiPort)]),
    ...(options.namespace === 'default' ? [] : ['--namespace', options.namespace]),
    // With the file: a writer does not block readers, and a commit survives the process (not a power cut: the workflows'
    // truth for safety is PostgreSQL).
    ...(options.databaseFile === undefined ? [] : ['--db-filename', options.databaseFile]),
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'],
    ...serverFlags(),
  ];
  return {
    name: 'temporal',
    url: address,
    port,
    logFile: options.logFile,
    fingerprint: `${program.serverVersion} ${args.join(' ')}`,
    stop: { signal: 'SIGTERM', graceMs: STOP_GRACE_MS },
    readyWithinMs: READY_WITHIN_MS,
    // The file and the port are free as soon as the killed predecessor is gone. Ports of its own it looks for by itself, and loses
    // one to another server that starts in the same moment: then it panics while it is put together.
    passing: /database is locked|address already in use|temporal\.NewServerFx/,
    spawn: () =>
      ManagedProcess.start({
        name: 'temporal',
        command: program.file,
        args,
        environment: { ...plainEnvironment(process.env), TEMPORAL_CLI_DISABLE_UPDATE_CHECK: '1' },
        logFile: options.logFile,
      }),
    probe: () => answersTemporal(address, options.namespace),
    // The server makes its files readable for all; made by us beforehand, it takes them for a database with tables.
    prepare: () => Promise.resolve(closeToOthers(options.databaseFile)),
  };
}

function closeToOthers(databaseFile: string | undefined): void {
  if (databaseFile === undefined) return;
  for (const file of [databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`]) if (existsSync(file)) chmodSync(file, OWN_FILE);
}

/** Whether a Temporal server answers there and has the namespace. */
export async function answersTemporal(address: string, namespace: string): Promise<boolean> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: PROBE_TIMEOUT_MS });
    const { workflowService } = connection;
    await connection.withDeadline(Date.now() + PROBE_TIMEOUT_MS, () => workflowService.describeNamespace({ namespace }));
    return true;
  } catch {
    return false; // refused, starting, or frozen: the caller decides by its deadline
  } finally {
    await connection?.close();
  }
}

/** The server version that made a database file: an older one must not open it. */
export function versionOfData(databaseFile: string): string | undefined {
  const file = versionFile(databaseFile);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** Records the version that opens the file from now on. */
export function recordVersion(databaseFile: string, serverVersion: string): void {
  mkdirSync(path.dirname(databaseFile), { recursive: true });
  writeFileSync(versionFile(databaseFile), `${serverVersion}\n`);
}

function versionFile(databaseFile: string): string {
  return `${databaseFile}.version`;
}
