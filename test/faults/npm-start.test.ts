import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isRunning, signalExactly, startTimeOf, type ProcessIdentity } from '../../scripts/process-identity';
import { ROOT } from '../../src/main/launcher/folders';
import { freePort } from '../../src/main/launcher/ports';
import { ProcessRecords } from '../../src/main/launcher/process-records';
import { temporaryFolder } from '../support/servers';
import { emptyHomeInTheEnd } from '../support/watchdog';

const SERVERS = ['postgres', 'temporal'];
const OURS = ['api', 'simulator-paper', 'watcher', 'worker'];

/** One `npm start` in a process of its own. */
class Start {
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

describe('npm start', () => {
  let home = '';
  let environment: NodeJS.ProcessEnv = {};
  let running: Start;

  beforeAll(async () => {
    home = temporaryFolder('npm-start');
    emptyHomeInTheEnd(home);
    const [port, postgres, temporal, ui] = [await freePort(), await freePort(), await freePort(), await freePort()];
    environment = { ...process.env, SUREFILL_HOME: home, PORT: `${port}`, POSTGRES_PORT: `${postgres}`, TEMPORAL_PORT: `${temporal}`, TEMPORAL_UI_PORT: `${ui}` };
    running = start();
    await running.ready();
  });

  afterAll(async () => {
    running.kill('SIGTERM');
    await running.exited;
  });

  function start(more: NodeJS.ProcessEnv = {}): Start {
    const script = path.join(ROOT, 'scripts', 'start.js');
    return new Start(spawn(process.execPath, [script], { env: { ...environment, ...more }, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  function recorded(): Map<string, ProcessIdentity> {
    return new Map(new ProcessRecords(path.join(home, 'run')).running().map((record) => [record.name, record]));
  }

  test('says where everything is, and everything is there', async () => {
    const ready = await running.ready();
    expect([...ready.keys()]).toEqual(['api', 'docs', 'temporal-ui', 'paper', 'key-file']);
    const key = readFileSync(path.resolve(ROOT, path.join(home, 'owner-key')), 'utf8').trim();
    expect(statSync(path.join(home, 'owner-key')).mode & 0o077).toBe(0);
    const status = async (url: string, headers: Record<string, string> = {}): Promise<number> => (await fetch(url, { headers })).status;
    expect(await status(`${ready.get('api')}/healthz`)).toBe(200);
    expect(await status(`${ready.get('docs')}`)).toBe(200);
    expect(await status(`${ready.get('temporal-ui')}`)).toBe(200);
    expect(await status(`${ready.get('paper')}/markets`)).toBe(200);
    expect(await status(`${ready.get('api')}/api/v1/accounts`)).toBe(401);
    const accounts = await fetch(`${ready.get('api')}/api/v1/accounts`, { headers: { authorization: `Bearer ${key}` } });
    expect(JSON.stringify(await accounts.json())).toContain('"name":"paper"');
  });

  test('refuses a second start on the same home, and a wrong setting, in one clear line', async () => {
    const second = start();
    expect(await second.exited).toBe(1);
    expect(second.lines.at(-1)).toBe(`surefill: another npm start (pid ${running.identity.pid}) runs on ${home}: stop it, or set SUREFILL_HOME to another folder`);
    const wrong = start({ PORT: 'abc' });
    expect(await wrong.exited).toBe(1);
    expect(wrong.lines.at(-1)).toBe('surefill: PORT must be an integer from 1 to 65535, got "abc"');
    expect(isRunning(running.identity)).toBe(true);
  });

  test.each([...OURS, ...SERVERS])('starts %s again when it is killed', async (name) => {
    const before = recorded().get(name);
    if (!before) throw new Error(`${name} is not recorded`);
    const again = running.line(`${name} runs again`);
    signalExactly(before, 'SIGKILL');
    await again;
    expect(recorded().get(name)?.pid).not.toBe(before.pid);
    expect(isRunning(before)).toBe(false);
  });

  test('killed itself, it takes over the servers it left and replaces the rest, with the same key', async () => {
    const before = recorded();
    const key = readFileSync(path.join(home, 'owner-key'), 'utf8');
    running.kill('SIGKILL');
    await running.exited;
    running = start();
    await running.ready();
    const after = recorded();
    expect(SERVERS.map((name) => after.get(name)?.pid)).toEqual(SERVERS.map((name) => before.get(name)?.pid));
    expect(OURS.filter((name) => after.get(name)?.pid === before.get(name)?.pid)).toEqual([]);
    expect([...before].filter(([name, identity]) => OURS.includes(name) && isRunning(identity))).toEqual([]);
    expect(readFileSync(path.join(home, 'owner-key'), 'utf8')).toBe(key);
  });

  test('Ctrl-C stops everything it started', async () => {
    const before = recorded();
    expect([...before.keys()]).toEqual(expect.arrayContaining([...OURS, ...SERVERS]));
    running.kill('SIGINT');
    expect(await running.exited).toBe(0);
    expect([...before.values()].filter(isRunning)).toEqual([]);
    expect(recorded().size).toBe(0);
    running = start();
    await running.ready();
  });
});
