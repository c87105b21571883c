/**
 * Processor time of an order, process by process: what a busy machine changes least. Linux only: read from /proc.
 * `npm run bench:cost [-- --only one,64,256,two64,two256,bare1,bare64,bare256,cancel]`: of one caller, of 64 or 256, on one account or
 * on 16 accounts of two venues. Less what the stack does at rest in as much time: its heartbeats, prices and polls.
 */
import { Client } from 'pg';
import { startStack, type Stack } from '../test/support/stack';
import { median, quantile } from './measure';
import { processMs, treeMs } from './processor-time';
import { account, bare, besideBareWorker, rest } from './parts';
import { SLOW_MS, slowVenue } from './placing';

interface Cost {
  readonly orders: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly groups: number;
  readonly attempts: number;
  readonly commits: number;
  readonly cpuMs: Readonly<Record<string, number>>;
}

function cpu(stack: Stack): Record<string, number> {
  const postgres = treeMs(stack.postgres.pid);
  const simulators = [...stack.simulators.values()].reduce((sum, server) => sum + processMs(server.pid), 0);
  return {
    api: processMs(stack.api.pid),
    worker: processMs(stack.worker.pid),
    watcher: processMs(stack.watcher.pid),
    temporal: processMs(stack.temporal.pid),
    postgres,
    simulators,
  };
}

async function counts(db: Client): Promise<{ orders: number; groups: number; attempts: number; commits: number }> {
  const { rows } = await db.query<Record<string, string>>("SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(DISTINCT owner_workflow_id) FROM orders) AS groups, (SELECT count(*) FROM attempts) AS attempts, (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits");
  const [row] = rows;
  return { orders: Number(row?.['orders']), groups: Number(row?.['groups']), attempts: Number(row?.['attempts']), commits: Number(row?.['commits']) };
}

/** Processor time of each process at rest, ms for each ms that goes by. */
type AtRest = Readonly<Record<string, number>>;

/** Long enough to see each periodic work a few times. */
const REST_MS = 10_000;
/** What follows the last answer: the watcher's echo, the closing of workflows. */
const AFTERMATH_MS = 1_000;

async function atRest(stack: Stack): Promise<AtRest> {
  const before = cpu(stack);
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  return Object.fromEntries(Object.entries(cpu(stack)).map(([name, value]) => [name, (value - (before[name] ?? 0)) / REST_MS]));
}

async function costOf(stack: Stack, db: Client, orders: number, resting: AtRest, run: () => Promise<{ elapsedMs: number; latenciesMs: readonly number[]; cpuMs?: number }>): Promise<Cost> {
  const before = cpu(stack);
  const was = await counts(db);
  const measurement = await run();
  await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS));
  const tookMs = measurement.elapsedMs + AFTERMATH_MS;
  const after = cpu(stack);
  const is = await counts(db);
  const cpuMs = Object.fromEntries(Object.entries(after).map(([name, value]) => [name, (value - (before[name] ?? 0) - (resting[name] ?? 0) * tookMs) / orders]));
  return {
    orders,
    elapsedMs: measurement.elapsedMs,
    p50Ms: median(measurement.latenciesMs),
    p99Ms: quantile(measurement.latenciesMs, 0.99),
    groups: is.groups - was.groups,
    attempts: is.attempts - was.attempts,
    commits: is.commits - was.commits,
    cpuMs: { ...cpuMs, load: (measurement.cpuMs ?? 0) / orders },
  };
}

async function main(): Promise<void> {
  const at = process.argv.indexOf('--only');
  const only = at < 0 ? ['bare1', 'one', 'cancel', 'bare64', '64', 'two64', '256', 'two256'] : (process.argv[at + 1] ?? '').split(',');
  const stack = await startStack({ workers: 1, moreVenues: ['slow'], environment: { LOG_LEVEL: 'warn', SUREFILL_DURATION_SCALE: '1' } });
  const db = new Client({ connectionString: stack.postgres.url });
  await db.connect();
  try {
    const slowControl = slowVenue(stack);
    const sixteen = await Promise.all(Array.from({ length: 16 }, (_, index) => account(stack, index % 2 === 0 ? 'paper' : 'slow')));
    const first = await account(stack, 'paper');
    await rest(stack, { accountIds: [first], count: 1_000, concurrency: 64, what: 'place' });
    await rest(stack, { accountIds: [first], count: 40, concurrency: 1, what: 'place' });
    const resting = await atRest(stack);
    process.stdout.write(`at rest, ms a second: ${Object.entries(resting).map(([name, share]) => `${name} ${(share * 1_000).toFixed(0)}`).join('  ')}\n`);
    const show = (name: string, cost: Cost): void => {
      const total = Object.values(cost.cpuMs).reduce((sum, value) => sum + value, 0);
      const parts = Object.entries(cost.cpuMs).map(([key, value]) => `${key} ${value.toFixed(2)}`).join('  ');
      process.stdout.write(`${name.padEnd(10)} ${((cost.orders / cost.elapsedMs) * 1_000).toFixed(0).padStart(5)}/s p50 ${cost.p50Ms.toFixed(1)} p99 ${cost.p99Ms.toFixed(1)}  total ${total.toFixed(2)} ms: ${parts}  | ${(cost.orders / Math.max(1, cost.groups)).toFixed(1)} a group, ${(cost.orders / Math.max(1, cost.attempts)).toFixed(1)} a request, ${(cost.orders / Math.max(1, cost.commits)).toFixed(1)} a commit\n`);
    };
    for (const name of only) {
      const concurrency = Number(/\d+$/.exec(name)?.[0] ?? '1');
      const count = concurrency === 1 ? 300 : concurrency === 64 ? 4_000 : 8_000;
      if (name.startsWith('bare')) {
        const calls = concurrency === 1 ? 300 : 800;
        await besideBareWorker(stack, async () => {
          await bare(stack, 100, concurrency);
          show(name, await costOf(stack, db, calls, resting, () => bare(stack, calls, concurrency)));
        });
      } else if (name === 'cancel') {
        show(name, await costOf(stack, db, 300, resting, () => rest(stack, { accountIds: [first], count: 300, concurrency: 1, what: 'placeAndCancel' })));
      } else if (name.startsWith('two')) {
        const fault = await slowControl.fault({ kind: 'delay', delayMs: SLOW_MS, count: 1_000_000, match: { method: 'POST', path: '/orders' } });
        show(name, await costOf(stack, db, count, resting, () => rest(stack, { accountIds: sixteen, count, concurrency, what: 'place' })));
        await slowControl.call('DELETE', `/__sim/faults/${fault}`);
      } else {
        const accountIds = [await account(stack, 'paper')];
        show(name, await costOf(stack, db, count, resting, () => rest(stack, { accountIds, count, concurrency, what: 'place' })));
      }
    }
  } finally {
    await db.end();
    await stack.stop();
  }
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
