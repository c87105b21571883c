import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startTimeOf } from '../../../scripts/process-identity';
import { HomeInUse, lockHome } from '../../../src/main/launcher/home-lock';

let home = '';

beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'surefill-test-lock-'));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

test('a second npm start on the same home is refused and told who has it', () => {
  const release = lockHome(home);
  expect(() => lockHome(home)).toThrow(HomeInUse);
  expect(() => lockHome(home)).toThrow(`another npm start (pid ${process.pid}) runs on ${home}: stop it, or set SUREFILL_HOME to another folder`);
  release();
  lockHome(home)();
  expect(existsSync(path.join(home, 'lock'))).toBe(false);
});

test('a lock whose process was killed is taken over', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(path.join(home, 'lock'), JSON.stringify({ pid, startTime: 'long ago' }));
  lockHome(home)();
});

test('a lock whose pid now belongs to another process is taken over', () => {
  writeFileSync(path.join(home, 'lock'), JSON.stringify({ pid: process.pid, startTime: `${startTimeOf(process.pid)}0` }));
  lockHome(home)();
});

test('a lock that holds no process is taken over', () => {
  writeFileSync(path.join(home, 'lock'), '');
  lockHome(home)();
});
