/** Each figure: what runs, against what, and how it becomes a number. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ManagedProcess } from '../src/main/launcher/managed-process';
import { SimulatorControl } from '../test/support/simulator-control';
import { WIDE_LIMITS, type Stack } from '../test/support/stack';
import { watchedByWatchdog } from '../test/support/watchdog';
import { quantile, type Measurement } from './measure';
import type { RestLoad } from './rest';

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target: string;
  readonly repeat: number;
  readonly samples: readonly number[];
}

const ROOT = path.resolve(__dirname, '..');
const HOOK = path.join(ROOT, 'scripts', 'typescript.js');
/** Enough for a p99 that three samples lie beyond. */
const LATENCY_COUNT = 300;
/** Calls before the clock runs: connections, caches, compiled code. */
const WARM_UP = 40;
/** How late the slow venue answers. */
const SLOW_MS = 50;

/** Runs a program of bench/ and reads the one JSON line it prints. */
async function program(file: string, args: readonly string[]): Promise<Measurement> {
  const child = spawn(process.execPath, ['-r', HOOK, path.join(__dirname, file), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${file} ended with exit code ${code}`);
  return JSON.parse(output) as Measurement;
}

/** Runs `run` beside the worker of the bare workflow. */
async function besideBareWorker<Value>(stack: Stack, run: () => Promise<Value>): Promise<Value> {
  const worker = await ManagedProcess.start({
    name: 'bare-worker',
    command: process.execPath,
    args: ['-r', HOOK, path.join(__dirname, 'bare.ts'), 'worker', stack.temporal.url],
    environment: process.env,
    logFile: path.join(stack.home, 'logs', 'bare-worker.log'),
    messages: true,
  });
  watchedByWatchdog.started(worker);
  await new Promise<void>((resolve) => worker.child?.once('message', () => resolve()));
  try {
    return await run();
  } finally {
    await worker.kill();
    watchedByWatchdog.ended(worker);
  }
}

const bare = (stack: Stack, count: number, concurrency: number): Promise<Measurement> => program('bare.ts', ['client', stack.temporal.url, String(count), String(concurrency)]);
const rest = (stack: Stack, load: Omit<RestLoad, 'url' | 'key'>): Promise<Measurement> => program('rest.ts', [JSON.stringify({ url: stack.apiUrl, key: stack.client.key, ...load })]);

/** An account without narrow limits: thousands of orders rest in it. */
export async function account(stack: Stack, venue: string): Promise<string> {
  const { status, body } = await stack.client.call<{ id: string }>('POST', '/api/v1/accounts', {
    name: `bench-${randomUUID()}`,
    venue,
    limits: WIDE_LIMITS,
  });
  if (status !== 201) throw new Error(`no account: ${JSON.stringify(body)}`);
  await stack.client.balanceKnown(body.id);
  return body.id;
}

/** (a) Time to acknowledgement, one caller. */
export async function compareLatency(stack: Stack, repeat: number): Promise<Row[]> {
  const accountIds = [await account(stack, 'paper')];
  return besideBareWorker(stack, async () => {
    await bare(stack, WARM_UP, 1);
    await rest(stack, { accountIds, count: WARM_UP, concurrency: 1, what: 'place' });
    const base = (await bare(stack, LATENCY_COUNT, 1)).latenciesMs;
    const place = (await rest(stack, { accountIds, count: LATENCY_COUNT, concurrency: 1, what: 'place' })).latenciesMs;
    const cancel = (await rest(stack, { accountIds, count: LATENCY_COUNT, concurrency: 1, what: 'placeAndCancel' })).latenciesMs;
    const row = (name: string, value: number, unit: string, target: string, samples: readonly number[]): Row => ({ name, value, unit, target, repeat, samples });
    return [
      row('bare update-with-start, p50', quantile(base, 0.5), 'ms', '', base),
      row('bare update-with-start, p99', quantile(base, 0.99), 'ms', '', []),
      row('POST /orders to acknowledgement, p50', quantile(place, 0.5), 'ms', '', place),
      row('POST /orders to acknowledgement, p99', quantile(place, 0.99), 'ms', '', []),
      row('DELETE /orders/{id} to acknowledgement, p50', quantile(cancel, 0.5), 'ms', '', cancel),
      row('DELETE /orders/{id} to acknowledgement, p99', quantile(cancel, 0.99), 'ms', '', []),
      row('(a) POST against bare, p50', quantile(place, 0.5) / quantile(base, 0.5), 'times', '1.75 or less, goal 1.3', []),
      row('(a) POST against bare, p99', quantile(place, 0.99) / quantile(base, 0.99), 'times', '', []),
      row('(a) DELETE against bare, p50', quantile(cancel, 0.5) / quantile(base, 0.5), 'times', '1.75 or less, goal 1.3', []),
    ];
  });
}

/** (b) Orders per second through REST against one bare workflow per order. */
export async function compareThroughput(stack: Stack, repeat: number): Promise<Row[]> {
  const sixteen: string[] = [];
  for (let index = 0; index < 16; index += 1) sixteen.push(await account(stack, index % 2 === 0 ? 'paper' : 'slow'));
  const slow = stack.simulators.get('slow');
  if (slow === undefined) throw new Error('the slow venue is missing');
  const slowControl = new SimulatorControl(slow.url);
  const rows: Row[] = [];
  await besideBareWorker(stack, async () => {
    await rest(stack, { accountIds: [await account(stack, 'paper')], count: 500, concurrency: 64, what: 'place' });
    for (const [concurrency, bareCount, restCount, target] of [
      [64, 600, 4_000, '8 or more, goal 12'],
      [256, 600, 8_000, '18 or more, goal 25'],
    ] as const) {
      const rate = (measurement: Measurement): number => (measurement.latenciesMs.length / measurement.elapsedMs) * 1_000;
      const base = rate(await bare(stack, bareCount, concurrency));
      // A fresh account: as many orders as rest in it are a part of what is measured, and the same for each repeat.
      const one = [await account(stack, 'paper')];
      const oneAccount = rate(await rest(stack, { accountIds: one, count: restCount, concurrency, what: 'place' }));
      const fault = await slowControl.fault({ kind: 'delay', delayMs: SLOW_MS, count: 1_000_000, match: { method: 'POST', path: '/orders' } });
      const twoVenues = rate(await rest(stack, { accountIds: sixteen, count: restCount, concurrency, what: 'place' }));
      await slowControl.call('DELETE', `/__sim/faults/${fault}`);
      const row = (name: string, value: number, unit: string, wanted: string): Row => ({ name, value, unit, target: wanted, repeat, samples: [] });
      rows.push(
        row(`bare workflow per order, concurrency ${concurrency}`, base, 'orders/s', ''),
        row(`POST /orders, one account, concurrency ${concurrency}`, oneAccount, 'orders/s', ''),
        row(`POST /orders, 16 accounts on two venues, one ${SLOW_MS} ms late, concurrency ${concurrency}`, twoVenues, 'orders/s', ''),
        row(`(b) one account against bare, concurrency ${concurrency}`, oneAccount / base, 'times', target),
        row(`(b) 16 accounts, two venues against bare, concurrency ${concurrency}`, twoVenues / base, 'times', target),
      );
    }
  });
  return rows;
}

/** (c) Resident memory of the idle stack, and what each working order adds. Linux only: read from /proc. */
export async function memory(stack: Stack, repeat: number): Promise<Row[]> {
  const orders = 2_000;
  const accountIds = [await account(stack, 'paper')];
  await rest(stack, { accountIds, count: 200, concurrency: 16, what: 'place' });
  const processes: [string, number][] = [
    ['api', stack.api.pid],
    ['worker', stack.worker.pid],
    ['watcher', stack.watcher.pid],
    ['temporal', stack.temporal.pid],
    ['simulator', stack.simulator.pid],
  ];
  const before = processes.map(([, pid]) => residentBytes(pid));
  await rest(stack, { accountIds, count: orders, concurrency: 16, what: 'place' });
  const after = processes.map(([, pid]) => residentBytes(pid));
  const ours = (values: readonly number[]): number => (values[0] ?? 0) + (values[1] ?? 0) + (values[2] ?? 0);
  return [
    ...processes.map(([name], index): Row => ({ name: `(c) memory idle, ${name}`, value: (before[index] ?? 0) / 2 ** 20, unit: 'MiB', target: '', repeat, samples: [] })),
    { name: '(c) memory per working order, api, worker and watcher', value: (ours(after) - ours(before)) / orders / 1_024, unit: 'KiB', target: '', repeat, samples: [] },
  ];
}

function residentBytes(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) * 1_024;
}

/** (d) From the worker's SIGKILL, with an order in flight, to that order's acknowledgement by a fresh worker. */
export async function failOver(stack: Stack, repeat: number): Promise<Row[]> {
  const before = (await stack.sim.orders()).length;
  const hold = await stack.sim.fault({ kind: 'hold', count: 1, match: { method: 'POST', path: '/orders' } });
  const placing = stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' }, {}, '?timeoutMs=30000');
  await stack.client.until('the venue to have the order', async () => ((await stack.sim.orders()).length > before ? true : null));
  const killedMs = performance.now();
  await stack.worker.kill('SIGKILL');
  await stack.sim.release(hold);
  const started = stack.worker.start().then(() => performance.now());
  const { body } = await placing;
  await stack.client.untilState(body.id, 'WORKING');
  const answeredMs = performance.now();
  const readyMs = await started;
  const row = (name: string, value: number): Row => ({ name, value: value / 1_000, unit: 's', target: '', repeat, samples: [] });
  return [row('(d) worker SIGKILL to acknowledgement', answeredMs - killedMs), row('(d) of it, until a fresh worker is ready', readyMs - killedMs)];
}
