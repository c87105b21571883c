/** The watchdog outlives its owner; whoever waits for the owner's words must not wait for it. */
import { afterEach, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, mkdtempSync, openSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from '../../../src/main/launcher/folders';

/** Nobody has this number. */
const NOBODY = JSON.stringify({ pid: 2 ** 30, startTime: 'never' });
const home = mkdtempSync(path.join(os.tmpdir(), 'surefill-watchdog-'));
/** A lock that cannot be read until somebody writes it holds the watchdog at its work. */
const lock = path.join(home, 'lock');
const CLIENT = path.join(ROOT, 'scripts', 'watchdog-client.js');

// After a failure the watchdog, and with it this process, would wait for ever.
afterEach(() => {
  if (!existsSync(lock)) return;
  const fd = openSync(lock, constants.O_RDWR | constants.O_NONBLOCK);
  writeSync(fd, NOBODY);
  closeSync(fd);
});

(process.platform === 'win32' ? test.skip : test)('its owner\'s words end with the owner, while the watchdog is still at work', async () => {
  expect(spawnSync('mkfifo', [lock]).status).toBe(0);
  const owner = spawn(process.execPath, ['-e', `require(${JSON.stringify(CLIENT)}).tell(${JSON.stringify({ home })}); require(${JSON.stringify(CLIENT)}).tell(${JSON.stringify({ folder: home })});`], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  owner.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
  // "close" comes when the process has ended and nobody holds its streams any more.
  await once(owner, 'close');
  expect(words).toBe('');
  expect(existsSync(home)).toBe(true);
  writeFileSync(lock, NOBODY);
  while (existsSync(home)) await new Promise((resolve) => setImmediate(resolve));
});
