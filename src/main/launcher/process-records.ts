import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isRunning, signalExactly, type ProcessIdentity } from '../../../scripts/process-identity';

/** What `$SUREFILL_HOME/run/<name>.json` says about one process: enough for the next start to adopt or stop exactly it. */
export interface ProcessRecord extends ProcessIdentity {
  readonly name: string;
  readonly port?: number;
  /** Second port of a server that has one (the Temporal Web UI). */
  readonly uiPort?: number;
  /** Changes with the program and its settings: a server is adopted only under the same one. */
  readonly fingerprint: string;
}

/** The run folder of one home. Each record is written whole, so a kill never leaves half of one. */
export class ProcessRecords {
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  write(record: ProcessRecord): void {
    const draft = `${this.file(record.name)}.${process.pid}.tmp`;
    writeFileSync(draft, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.file(record.name));
  }

  read(name: string): ProcessRecord | undefined {
    const file = this.file(name);
    return existsSync(file) ? parseRecord(readFileSync(file, 'utf8')) : undefined;
  }

  /** Removes the record, unless it is by now about another process of that name. */
  remove(name: string, pid: number): void {
    if (this.read(name)?.pid === pid) rmSync(this.file(name), { force: true });
  }

  /** Records of processes that still run; those of ended ones are deleted. */
  running(): ProcessRecord[] {
    const found: ProcessRecord[] = [];
    for (const entry of readdirSync(this.folder)) {
      const file = path.join(this.folder, entry);
      const record = entry.endsWith('.json') ? parseRecord(readFileSync(file, 'utf8')) : undefined;
      if (record && isRunning(record)) found.push(record);
      else rmSync(file, { force: true });
    }
    return found;
  }

  private file(name: string): string {
    return path.join(this.folder, `${name}.json`);
  }
}

/** How often the end of a stopped process is looked for; it is not our child, so nothing reports it. */
const END_POLL_MS = 50;

/** Stops a process that an earlier start left: asks, then kills after the grace. */
export async function stopRecorded(record: ProcessRecord, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  signalExactly(record, signal);
  while (isRunning(record)) {
    if (performance.now() >= deadline) signalExactly(record, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, END_POLL_MS));
  }
}

/** A record that cannot be read names no process: undefined. */
function parseRecord(text: string): ProcessRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // not written by us: we write records whole
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, pid, startTime, port, uiPort, fingerprint } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof pid !== 'number' || typeof startTime !== 'string') return undefined;
  return {
    name,
    pid,
    startTime,
    fingerprint: typeof fingerprint === 'string' ? fingerprint : '',
    ...(typeof port === 'number' ? { port } : {}),
    ...(typeof uiPort === 'number' ? { uiPort } : {}),
  };
}
