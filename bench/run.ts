/**
 * The figures of docs/benchmarks.md: `npm run bench [-- --repeats 3] [--only a,b,c,d,e,f,g]`. Everything that is compared runs on
 * the same servers, in turns; each repeat has a fresh Temporal database. Raw samples go to bench/results/.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startStack } from '../test/support/stack';
import { clientMemory, deliveryCost } from './delivery';
import { liveLatency } from './live';
import { failOver, memory, type Row } from './parts';
import { compareLatency, compareThroughput } from './placing';

/** Medians of at least three. */
const DEFAULT_REPEATS = 3;

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

async function main(): Promise<void> {
  const repeats = Number(option('repeats') ?? DEFAULT_REPEATS);
  const only = option('only')?.split(',');
  const rows: Row[] = [];
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    const wanted = (part: string): boolean => only === undefined || only.includes(part);
    try {
      // Alone on the machine: they need no servers.
      if (wanted('f')) rows.push(...(await deliveryCost(repeat)));
      if (wanted('g')) rows.push(...(await clientMemory(repeat)));
      if (['a', 'b', 'c', 'd', 'e'].some(wanted)) rows.push(...(await withStack(repeat, wanted)));
    } finally {
      // Kept after each repeat: a later one that fails takes nothing with it.
      keep(repeats, only, rows);
    }
  }
  process.stdout.write(`${table(rows)}\n`);
}

/** Durations as users have them, not the shortened ones of tests: those look at each account ten times as often. */
const BENCH_ENVIRONMENT = { LOG_LEVEL: 'warn', SUREFILL_DURATION_SCALE: '1' };

async function withStack(repeat: number, wanted: (part: string) => boolean): Promise<Row[]> {
  const stack = await startStack({ workers: 1, moreVenues: ['slow'], environment: BENCH_ENVIRONMENT });
  try {
    return [
      ...(wanted('d') ? await failOver(stack, repeat) : []),
      ...(wanted('c') ? await memory(stack, repeat) : []),
      ...(wanted('e') ? await liveLatency(stack, repeat) : []),
      ...(wanted('a') ? await compareLatency(stack, repeat) : []),
      ...(wanted('b') ? await compareThroughput(stack, repeat) : []),
    ];
  } finally {
    await stack.stop();
  }
}

/** Raw samples, beside the table they make; a run of some figures leaves the others' samples alone. */
function keep(repeats: number, only: readonly string[] | undefined, rows: readonly Row[]): void {
  const folder = path.join(__dirname, 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, only === undefined ? 'latest.json' : `latest-${[...only].sort().join('')}.json`), `${JSON.stringify({ node: process.version, repeats, rows })}\n`);
}

/** Medians over the repeats, as the table of docs/benchmarks.md. */
function table(rows: readonly Row[]): string {
  const names = [...new Set(rows.map((row) => row.name))];
  const lines = names.map((name) => {
    const values = rows.filter((row) => row.name === name).map((row) => row.value).sort((a, b) => a - b);
    const middle = values[Math.floor(values.length / 2)] ?? NaN;
    const { unit, target } = rows.find((row) => row.name === name) ?? { unit: '', target: '' };
    return `| ${name} | ${middle.toFixed(2)} ${unit} | ${(values[0] ?? NaN).toFixed(2)} to ${(values.at(-1) ?? NaN).toFixed(2)} | ${target} |`;
  });
  return ['| figure | median | range | asked |', '|---|---|---|---|', ...lines].join('\n');
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
