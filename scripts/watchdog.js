'use strict';
// Stops what a test run started when the run itself is gone, however it went. It is told of each process on its standard
// input, one JSON line each; the end of that input is the end of its owner, because only the owner holds the other end.
//   {"add": {pid, startTime}}  {"remove": pid}  {"folder": path to delete}  {"home": a SUREFILL_HOME whose run records count}

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { signalExactly } = require('./process-identity');

const processes = new Map();
const folders = new Set();
const homes = new Set();

// It outlives the terminal and the signals that end its owner; that is its purpose.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

const orders = readline.createInterface({ input: process.stdin });
orders.on('line', (line) => {
  const order = JSON.parse(line);
  if (order.add) processes.set(order.add.pid, order.add);
  if (order.remove) processes.delete(order.remove);
  if (order.folder) folders.add(order.folder);
  if (order.home) homes.add(order.home);
});

function recordsOf(home) {
  const folder = path.join(home, 'run');
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')))
    .sort((one, other) => Number(other.name === 'supervisor') - Number(one.name === 'supervisor'));
}

orders.on('close', () => {
  // A supervisor goes first, or it would start its children again.
  const found = [...processes.values(), ...[...homes].flatMap(recordsOf)];
  for (const identity of found) signalExactly(identity, 'SIGKILL');
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
});
