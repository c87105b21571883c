/** `npm start` as a user runs it, for tests that watch it from outside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startTimeOf, type ProcessIdentity } from '../../scripts/process-identity';
import { ROOT } from '../../src/main/launcher/folders';
import { freePort } from '../../src/main/launcher/ports';
import { ProcessRecords } from '../../src/main/launcher/process-records';
import { temporaryFolder } from './servers';
import { emptyHomeInTheEnd } from './watchdog';

/** Where an `npm start` of a test keeps its data, and ports that are free now. The home, and all that runs for it, is gone in the end. */
export async function startEnvironment(): Promise<{ readonly home: string; readonly environment: NodeJS.ProcessEnv }> {
  const home = temporaryFolder('npm-start');
  emptyHomeInTheEnd(home);
  const [port, postgres, temporal, ui] = [await freePort(), await freePort(), await freePort(), await freePort()];
  return { home, environment: { ...process.env, SUREFILL_HOME: home, PORT: `${port}`, POSTGRES_PORT: `${postgres}`, TEMPORAL_PORT: `${temporal}`, TEMPORAL_UI_PORT: `${ui}` } };
}

/** What runs for a home, by name. */
export function recordedProcesses(home: string): Map<string, ProcessIdentity> {
  return new Map(new ProcessRecords(path.join(home, 'run')).running().map((record) => [record.name, record]));
}

/** Runs what `npm start` runs. */
export function npmStart(environment: NodeJS.ProcessEnv): NpmStart {
  return new NpmStart(spawn(process.execPath, [path.join(ROOT, 'scripts', 'start.js')], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** One `npm start` in a process of its own. */
export class NpmStart {
  readonly lines: string[] = [];
  private readonly listeners: ((line: string) => void)[] = [];
  readonly exited: Promise<number | null>;
  readonly identity: ProcessIdentity;

  constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        for (const listener of this.listeners) listener(line);
      });
    }
    this.exited = once(child, 'close').then(([code]) => code as number | null);
    this.identity = { pid: child.pid ?? 0, startTime: startTimeOf(child.pid ?? 0) ?? '' };
  }

  /** The first line, also an earlier one, with these words. @throws Error if the process ends without it. */
  async line(words: string): Promise<string> {
    const found = new Promise<string>((resolve) => {
      const look = (line: string): void => {
        if (line.includes(words)) resolve(line);
      };
      this.listeners.push(look);
      this.lines.forEach(look);
    });
    const ended = this.exited.then((code) => {
      throw new Error(`npm start ended with ${code} before it said "${words}":\n${this.lines.join('\n')}`);
    });
    return Promise.race([found, ended]);
  }

  /** The addresses of its ready line. */
  async ready(): Promise<Map<string, string>> {
    const line = await this.line('ready api=');
    return new Map(line.split(' ').flatMap((word) => (word.includes('=') ? [[word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] as const] : [])));
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
