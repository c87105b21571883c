/** The programs that are measured, and the figures of memory and fail-over. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ManagedProcess } from '../src/main/launcher/managed-process';
import { WIDE_LIMITS, type Stack } from '../test/support/stack';
import { watchedByWatchdog } from '../test/support/watchdog';
import type { Measurement } from './measure';
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
export async function besideBareWorker<Value>(stack: Stack, run: () => Promise<Value>): Promise<Value> {
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

export const bare = (stack: Stack, count: number, concurrency: number): Promise<Measurement> => program('bare.ts', ['client', stack.temporal.url, String(count), String(concurrency)]);
export const rest = (stack: Stack, load: Omit<RestLoad, 'url' | 'key'>): Promise<Measurement> => program('rest.ts', [JSON.stringify({ url: stack.apiUrl, key: stack.client.key, ...load })]);

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
