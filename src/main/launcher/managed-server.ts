import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { ManagedProcess, type StopOptions } from './managed-process';

/** How to run one server. The same plan serves `npm start` and the tests. */
export interface ServerPlan {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly logFile: string;
  /** Changes with the program and its settings; a left-over server is adopted only under the same one. */
  readonly fingerprint: string;
  readonly stop: StopOptions;
  /** A server that is not ready within this time is killed and reported. */
  readonly readyWithinMs: number;
  /** Starts the process; it need not be ready. */
  spawn(): Promise<ManagedProcess>;
  /** One question to the server: does it serve? */
  probe(): Promise<boolean>;
  /** After each start, once it serves. */
  prepare?(): Promise<void>;
  /** A start that ended with such words in its log is tried again: what stood in its way is going away by itself. */
  readonly passing?: RegExp;
}

/** Told of every process, before it is ready and after it ended, so that no kill leaves an unknown one. */
export interface ServerWatch {
  started(process: ManagedProcess): void;
  ended(process: ManagedProcess): void;
}

const PROBE_INTERVAL_MS = 50;
/** Longest wait for what a killed predecessor still holds. */
const PASSING_LIMIT_MS = 20_000;
const PASSING_RETRY_MS = 200;
/** Enough of a log's end to see why a server gave up. */
const LOG_TAIL_BYTES = 2_000;

/** One server process at a time, that can be killed, stopped and started again on the same address and data. */
export class ManagedServer {
  private process: ManagedProcess | undefined;
  /** Counts stops, so that a start under way notices one. */
  private stops = 0;

  constructor(
    readonly plan: ServerPlan,
    private readonly watch: ServerWatch,
  ) {}

  get url(): string {
    return this.plan.url;
  }

  get port(): number {
    return this.plan.port;
  }

  /** @throws Error when it does not run. */
  get pid(): number {
    return this.current().pid;
  }

  /** The running process. @throws Error when it was never started. */
  current(): ManagedProcess {
    if (!this.process) throw new Error(`${this.plan.name} is not started`);
    return this.process;
  }

  /** Starts it and waits until it serves. @throws Error with the end of its log when it does not. */
  async start(): Promise<void> {
    const deadline = performance.now() + PASSING_LIMIT_MS;
    const { stops } = this;
    for (;;) {
      const logStart = sizeOf(this.plan.logFile);
      try {
        await this.startOnce(stops);
        return;
      } catch (error) {
        const tail = logTail(this.plan.logFile, logStart);
        const passing = this.plan.passing?.test(tail) ?? false;
        if (!passing || performance.now() > deadline || this.stops !== stops) {
          const reason = error instanceof Error ? error.message : String(error);
          throw new Error(`${reason}. The end of ${this.plan.logFile}:\n${tail}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, PASSING_RETRY_MS));
      }
    }
  }

  /** Goes on with a process that an earlier supervisor left, if it serves. */
  async adopt(process: ManagedProcess): Promise<boolean> {
    if (!(await this.plan.probe())) return false;
    this.take(process);
    return true;
  }

  /** Signals the process: SIGKILL, SIGSTOP, SIGCONT, ... With SIGKILL, waits for its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (signal === 'SIGKILL') await this.current().kill();
    else this.current().signal(signal);
  }

  /** Ends the process if it still runs, then starts it on the same address and data. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Stops the process gracefully, also one that is just starting; nothing happens if none runs. */
  async stop(graceMs = this.plan.stop.graceMs): Promise<void> {
    this.stops += 1;
    await this.process?.stop({ ...this.plan.stop, graceMs });
  }

  private take(process: ManagedProcess): void {
    this.process = process;
    this.watch.started(process);
    void process.exited.then(() => this.watch.ended(process));
  }

  private async startOnce(stops: number): Promise<void> {
    const process = await this.plan.spawn();
    this.take(process);
    if (this.stops !== stops) {
      await process.kill();
      throw new Error(`${this.plan.name} was stopped while it started`);
    }
    let ended = false;
    const onEnd = process.exited.then(({ code, signal }) => {
      ended = true;
      return `${this.plan.name} ended with ${signal ?? `exit code ${code}`} before it was ready`;
    });
    const deadline = performance.now() + this.plan.readyWithinMs;
    while (!(await this.plan.probe())) {
      if (ended) throw new Error(await onEnd);
      if (performance.now() > deadline) {
        await process.kill();
        throw new Error(`${this.plan.name} did not answer within ${this.plan.readyWithinMs} ms`);
      }
      await Promise.race([onEnd, new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS))]);
    }
    // Another server may answer on that address while ours has failed to take it.
    if (ended || !process.isRunning()) throw new Error(await onEnd);
    await this.plan.prepare?.();
  }
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}

/** The end of a log, no further back than the given position. */
export function logTail(file: string, from = 0): string {
  const size = sizeOf(file);
  const start = Math.max(from, size - LOG_TAIL_BYTES);
  if (size <= start) return '(empty)';
  const buffer = Buffer.alloc(size - start);
  const handle = openSync(file, 'r');
  try {
    const read = readSync(handle, buffer, 0, buffer.length, start);
    return buffer.subarray(0, read).toString('utf8');
  } finally {
    closeSync(handle);
  }
}
