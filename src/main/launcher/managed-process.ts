import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { isRunning, signalExactly, startTimeOf, type ProcessIdentity } from '../../../scripts/process-identity';

/** How a process ended: its exit code, or the signal; both null when it was adopted and only its absence was seen. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What to run. The process leads its own group, so the terminal's Ctrl-C reaches only the supervisor. */
export interface LaunchSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Both output streams are appended here: a pipe would break, and kill the process, when the supervisor dies. */
  readonly logFile: string;
  readonly cwd?: string;
  /** Unix user to run as; only root can choose one. */
  readonly user?: UnixUser | undefined;
  /** Written to its standard input, which is then closed. */
  readonly input?: string;
  /** Open a message channel (Node children only). */
  readonly messages?: boolean;
}

export interface UnixUser {
  readonly uid: number;
  readonly gid: number;
}

export interface StopOptions {
  readonly signal: NodeJS.Signals;
  /** After this long it is killed. */
  readonly graceMs: number;
}

/** What a foreign program may know of our environment: how to run at all, and nothing of our settings and secrets. */
const PLAIN_VARIABLES = ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'SystemDrive', 'LOCALAPPDATA', 'USERPROFILE'];

/** The environment for programs that are not ours. */
export function plainEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(PLAIN_VARIABLES.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])));
}

/** How often the end of a process that is not our child is looked for: nothing reports it to us. */
const ADOPTED_POLL_MS = 250;

/** A running process, started by us or adopted from an earlier supervisor. */
export class ManagedProcess {
  /** Settles when the process has ended. Never rejects. */
  readonly exited: Promise<ProcessExit>;

  private constructor(
    readonly name: string,
    readonly identity: ProcessIdentity,
    exited: Promise<ProcessExit>,
    /** Absent for an adopted process. */
    readonly child: ChildProcess | undefined,
  ) {
    this.exited = exited;
  }

  /** @throws Error when the program cannot be started at all. */
  static async start(spec: LaunchSpec): Promise<ManagedProcess> {
    mkdirSync(path.dirname(spec.logFile), { recursive: true });
    const log = openSync(spec.logFile, 'a');
    try {
      const child = spawn(spec.command, [...spec.args], {
        env: spec.environment,
        stdio: [spec.input === undefined ? 'ignore' : 'pipe', log, log, ...(spec.messages ? (['ipc'] as const) : [])],
        detached: process.platform !== 'win32',
        windowsHide: true,
        ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
        ...(spec.user ?? {}),
      });
      const exited = new Promise<ProcessExit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (error) => reject(new Error(`${spec.name} could not be started: ${error.message}`, { cause: error })));
      });
      // Later errors (a signal or message that could not be delivered) concern a process that is ending: 'exit' reports it.
      child.on('error', () => undefined);
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(spec.input);
      const pid = child.pid ?? 0;
      return new ManagedProcess(spec.name, { pid, startTime: startTimeOf(pid) ?? 'ended' }, exited, child);
    } finally {
      closeSync(log);
    }
  }

  /** Takes over a process that an earlier supervisor left; undefined if it has ended. */
  static adopt(name: string, identity: ProcessIdentity): ManagedProcess | undefined {
    if (!isRunning(identity)) return undefined;
    const exited = new Promise<ProcessExit>((resolve) => {
      const timer = setInterval(() => {
        if (isRunning(identity)) return;
        clearInterval(timer);
        resolve({ code: null, signal: null });
      }, ADOPTED_POLL_MS);
      timer.unref();
    });
    return new ManagedProcess(name, identity, exited, undefined);
  }

  get pid(): number {
    return this.identity.pid;
  }

  isRunning(): boolean {
    return isRunning(this.identity);
  }

  /** Signals exactly this process; false if it has ended. */
  signal(signal: NodeJS.Signals): boolean {
    return signalExactly(this.identity, signal);
  }

  /** SIGKILL, then waits for the end. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.waitForEnd();
  }

  /** Asks it to end, kills it if it has not within the grace. */
  async stop(options: StopOptions): Promise<void> {
    if (this.child?.connected && process.platform === 'win32') this.child.send({ type: 'stop' });
    else this.signal(options.signal);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), options.graceMs);
    });
    const outcome = await Promise.race([this.waitForEnd(), grace]);
    clearTimeout(timer);
    if (outcome === 'late') await this.kill();
  }

  /** Adopted processes are watched by an unreferenced timer, so waiting for one needs a timer of its own. */
  private async waitForEnd(): Promise<void> {
    const keepAlive = setInterval(() => undefined, ADOPTED_POLL_MS);
    await this.exited;
    clearInterval(keepAlive);
  }
}
