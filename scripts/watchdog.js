'use strict';
// Stops what a test run started when the run itself is gone, however it went. It is told of each process on its standard
// input, one JSON line each; the end of that input is the end of its owner, because only the owner holds the other end.
//   {"add": {pid, startTime}}  {"remove": pid}  {"folder": path to delete}  {"home": a SUREFILL_HOME: its lock and records}

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { signalExactly } = require('./process-identity');

/** A stopped server may still write into its folder for a moment. */
const DELETE_RETRIES = 10;

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

function read(file) {
  return fs.existsSync(file) ? [JSON.parse(fs.readFileSync(file, 'utf8'))] : [];
}

/** What runs for a home. The supervisor, which holds the lock, comes first, or it would start its children again. */
function processesOf(home) {
  const run = path.join(home, 'run');
  const records = fs.existsSync(run) ? fs.readdirSync(run).filter((name) => name.endsWith('.json')) : [];
  return [path.join(home, 'lock'), ...records.map((name) => path.join(run, name))].flatMap(read);
}

/** Where its owner's words go to whoever started the owner, as those of Jest's workers do, a copy that we hold keeps that one waiting for more. */
function leaveOwnersPipe() {
  const words = fs.fstatSync(process.stderr.fd);
  if (words.isFIFO() || words.isSocket()) fs.closeSync(process.stderr.fd);
}

orders.on('close', () => {
  leaveOwnersPipe();
  // What left the map of its own accord has ended; the rest was left by a test, or by a killed run.
  for (const identity of processes.values()) signalExactly(identity, 'SIGKILL');
  for (const home of homes) for (const identity of processesOf(home)) signalExactly(identity, 'SIGKILL');
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true, maxRetries: DELETE_RETRIES });
  process.exit(0);
});
