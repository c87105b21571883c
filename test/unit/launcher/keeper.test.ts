import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isRunning } from '../../../scripts/process-identity';
import { Keeper, restartDelayMs } from '../../../src/main/launcher/keeper';
import { ManagedProcess } from '../../../src/main/launcher/managed-process';
import { ManagedServer, type ServerPlan } from '../../../src/main/launcher/managed-server';
import { watchedByWatchdog } from '../../support/watchdog';

let folder = '';
let keeper: Keeper | undefined;
let said: string[] = [];
/** The pid of the program that said last that it is up. */
let up: number | undefined;
let heard: { words: string; resolve: () => void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'surefill-test-keeper-'));
  said = [];
  heard = [];
});

afterEach(async () => {
  await keeper?.stop();
  rmSync(folder, { recursive: true });
});

/** Resolves when the keeper says something with these words. */
function hears(words: string): Promise<void> {
  return new Promise((resolve) => {
    heard.push({ words, resolve });
  });
}

function say(text: string): void {
  said.push(text);
  for (const { words, resolve } of heard) if (text.includes(words)) resolve();
}

/** A program that runs until it is signalled; `script` goes first. */
function planOf(script: string): ServerPlan {
  let running: ManagedProcess | undefined;
  return {
    name: 'program',
    url: '',
    port: 0,
    logFile: path.join(folder, 'program.log'),
    fingerprint: '',
    stop: { signal: 'SIGTERM', graceMs: 5_000 },
    readyWithinMs: 30_000,
    spawn: async () => {
      running = await ManagedProcess.start({
        name: 'program',
        command: process.execPath,
        args: ['-e', `${script}; setInterval(() => {}, 1000); process.send('up')`],
        environment: process.env,
        logFile: path.join(folder, 'program.log'),
        messages: true,
      });
      const { child } = running;
      child?.once('message', () => (up = child.pid));
      return running;
    },
    probe: () => Promise.resolve(up === running?.pid),
  };
}
function keep(script: string): Keeper {
  keeper = new Keeper(new ManagedServer(planOf(script), watchedByWatchdog), say);
  return keeper;
}

test('the first five deaths in a row are answered within a second each, later ones more slowly', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map(restartDelayMs);
  expect(Math.max(...delays.slice(0, 5))).toBeLessThanOrEqual(1_000);
  expect(delays).toEqual([...delays].sort((one, other) => one - other));
  expect(delays.at(-1)).toBe(10_000);
});

test('a process that dies is started again, and stays stopped once it was stopped', async () => {
  const kept = keep('');
  await kept.start();
  const first = kept.server.current().identity;
  const again = hears('runs again');
  kept.server.current().signal('SIGKILL');
  await again;
  const second = kept.server.current().identity;
  expect(said[0]).toBe('program ended with SIGKILL, starting it again');
  expect(isRunning(first)).toBe(false);
  expect(isRunning(second)).toBe(true);
  await kept.stop();
  expect(isRunning(second)).toBe(false);
  expect(kept.server.current().identity).toEqual(second);
});

test('a first start that fails says why, with the end of the log, and is not tried again', async () => {
  const kept = keep(`console.error('no such setting'); process.exit(3)`);
  await expect(kept.start()).rejects.toThrow(/program ended with exit code 3 before it was ready.*\n.*no such setting/s);
});

test('a program that does not exist is a clear error', async () => {
  await expect(
    ManagedProcess.start({ name: 'temporal', command: path.join(folder, 'absent'), args: [], environment: {}, logFile: path.join(folder, 'log') }),
  ).rejects.toThrow('temporal could not be started: ');
});

test('what ignores the request to stop is killed after its grace', async () => {
  const kept = keep(`process.on('SIGTERM', () => {})`);
  await kept.start();
  const { identity, exited } = kept.server.current();
  await kept.stop(50);
  expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(isRunning(identity)).toBe(false);
});
