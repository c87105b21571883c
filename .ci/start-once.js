'use strict';
// Runs `npm start` until its ready line, then stops it. Exit code 1 if it ends without one.

const path = require('node:path');
const readline = require('node:readline');
const { spawn } = require('node:child_process');

const LIMIT_MS = 25 * 60_000;

const child = spawn(process.execPath, [path.join(__dirname, '..', 'scripts', 'start.js')], { stdio: ['ignore', 'pipe', 'inherit'] });
const limit = setTimeout(() => child.kill(), LIMIT_MS);
let ready = false;
readline.createInterface({ input: child.stdout }).on('line', (line) => {
  process.stdout.write(`${line}\n`);
  if (!line.startsWith('ready ')) return;
  ready = true;
  child.kill('SIGINT');
});
child.on('exit', (code, signal) => {
  clearTimeout(limit);
  process.stdout.write(`npm start ended with ${signal ?? code}\n`);
  // Windows ends a process on a signal without asking it.
  process.exitCode = ready && (code === 0 || process.platform === 'win32') ? 0 : 1;
});
