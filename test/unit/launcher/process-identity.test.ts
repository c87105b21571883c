import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { isRunning, signalExactly, startTimeOf } from '../../../scripts/process-identity';

const children: ChildProcess[] = [];

async function sleeper(): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: process.platform !== 'win32' });
  children.push(child);
  await once(child, 'spawn');
  return { child, pid: child.pid ?? 0 };
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

test('a process is known by its pid and start time together', async () => {
  const { pid } = await sleeper();
  const startTime = startTimeOf(pid);
  expect(startTime).toBeDefined();
  expect(startTimeOf(pid)).toBe(startTime);
  expect(isRunning({ pid, startTime: startTime ?? '' })).toBe(true);
  expect(isRunning({ pid, startTime: `${startTime}0` })).toBe(false);
});

test('a process that has ended is not running, and no number names one that never was', async () => {
  const { child, pid } = await sleeper();
  const startTime = startTimeOf(pid) ?? '';
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isRunning({ pid, startTime })).toBe(false);
  expect(startTimeOf(0)).toBeUndefined();
  expect(startTimeOf(-1)).toBeUndefined();
});

test('a signal reaches exactly the process that was recorded, never another that got its pid', async () => {
  const { child, pid } = await sleeper();
  const startTime = startTimeOf(pid) ?? '';
  expect(signalExactly({ pid, startTime: 'of an earlier process' }, 'SIGKILL')).toBe(false);
  expect(isRunning({ pid, startTime })).toBe(true);
  const exited = once(child, 'exit');
  expect(signalExactly({ pid, startTime }, 'SIGKILL')).toBe(true);
  expect(await exited).toEqual([null, 'SIGKILL']);
});
