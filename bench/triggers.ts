/**
 * `npm run bench:triggers`: the trigger index on one core against the loop that looks at every trigger of a market on every price, in one
 * run and with the same outcome. 1 % of the prices reach a trigger; what fired is armed anew, and others are disarmed and armed meanwhile.
 * Recordings (SUREFILL_SHARED_DATA, ../shared/data) give half of the prices' steps where they are there, a generator the others. Then, unless
 * `--index` is given, the way of a price through the whole program (trigger-path.ts).
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { decimal } from '../src/domain/decimal';
import type { Trigger, TriggerParameters } from '../src/domain/trigger';
import { TriggerIndex } from '../src/streams/triggers/trigger-index';
import { NaiveTriggers, triggerNamed } from '../test/unit/triggers/naive-triggers';
import { quantile } from './measure';
import { tellPath } from './trigger-path';

const MARKETS = 200;
const TICKS = 400_000;
/** A price out of so many reaches a trigger. */
const CROSSES_EVERY = 100;
/** Of each kind per tick at 100,000 ticks a second: 1,000 arms and 1,000 disarms a second. */
const CHANGES_EVERY = 100;
/** Of each size, in turn, so that a slow moment of the machine meets all of them; the median counts. */
const RUNS = 5;
const SIZES = [10_000, 100_000, 1_000_000];
const WARMING = 10_000;
/** The naive loop is slow: it is compared over the first ticks of the same run. */
const COMPARED_TICKS = 4_000;
const RECORDING = path.join(process.env['SUREFILL_SHARED_DATA'] ?? path.resolve(__dirname, '..', '..', '..', 'shared', 'data'), 'btc-perp-1m-2022-01.csv.gz');

setFlagsFromString('--expose-gc');
/** Collects what building left: more of it the more triggers there are, and no price's cost. */
const collect = runInNewContext('gc') as () => void;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Steps as parts of the price: in turn one of the recording's closes, where it is there, and one that is made. */
function steps(): { readonly from: string; readonly moves: readonly number[] } {
  const random = seeded(7);
  const made = (): number => (random() - 0.5) / 500;
  if (!existsSync(RECORDING)) return { from: 'generated', moves: Array.from({ length: 10_000 }, made) };
  const closes = gunzipSync(readFileSync(RECORDING)).toString('utf8').trim().split('\n').slice(1).map((line) => Number(line.split(',')[4]));
  return { from: 'recorded and generated', moves: closes.slice(1).flatMap((close, n) => [close / (closes[n] ?? close) - 1, made()]) };
}

interface Tick {
  readonly market: number;
  readonly price: string;
}

/** Prices walk inside a corridor, so that triggers beyond it wait for ever and only those that are meant to are reached. */
function ticks(moves: readonly number[]): readonly Tick[] {
  const random = seeded(11);
  const prices = new Array<number>(MARKETS).fill(10_000);
  return Array.from({ length: TICKS }, (_, n) => {
    const market = Math.floor(random() * MARKETS);
    const moved = (prices[market] ?? 0) * (1 + (moves[n % moves.length] ?? 0));
    prices[market] = Math.min(10_400, Math.max(9_600, moved));
    return { market, price: (prices[market] ?? 0).toFixed(2) };
  });
}

/** Half levels, half trails of each unit, both ways, far enough to wait. */
function parametersOf(random: () => number): TriggerParameters {
  const direction = random() < 0.5 ? 'atOrBelow' : 'atOrAbove';
  const shared = { priceType: 'last', direction, gapPolicy: 'traded', activationPrice: null } as const;
  const far = 600 + Math.floor(random() * 3_000);
  if (random() < 0.5) return { kind: 'level', ...shared, triggerPrice: String(direction === 'atOrBelow' ? 10_000 - far : 10_000 + far), trailingOffset: null, trailingOffsetType: null };
  const [trailingOffset, trailingOffsetType] = random() < 0.5 ? [String(900 + far), 'price' as const] : [String(900 + far), 'bps' as const];
  return { kind: 'trailing', ...shared, triggerPrice: null, trailingOffset, trailingOffsetType };
}

type Watch = Pick<TriggerIndex, 'arm' | 'disarm'> & { tick(symbol: string, priceType: 'last', price: string): readonly unknown[] };

interface Played {
  /** Of processor, us. */
  readonly perTick: number;
  /** What an armed trigger takes of the memory, as its owner gave it and as it is watched. */
  readonly bytesEach: number;
}

function usedBytes(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** What happens, to whoever watches: the same for the index and for the loop. `each` is told how long a tick took that crosses for sure. */
function play(watch: Watch, count: number, all: readonly Tick[], upTo: number, each: (fired: readonly unknown[], microseconds: number) => void): Played {
  const random = seeded(3);
  // What the pass before held outside of the heap is only given back by the second.
  collect();
  const before = usedBytes();
  const made = (id: string, market: number, parameters = parametersOf(random)): Trigger => triggerNamed(id, parameters, { symbol: `M${market}` });
  for (let n = 0; n < count; n += 1) watch.arm(made(`t${n}`, n % MARKETS));
  // Everybody's first price, so that trails follow.
  for (let market = 0; market < MARKETS; market += 1) watch.tick(`M${market}`, 'last', '10000');
  const changes = Array.from({ length: Math.ceil(upTo / CHANGES_EVERY) }, () => {
    const n = Math.floor(random() * count);
    return made(`t${n}`, n % MARKETS);
  });
  const bytesEach = (usedBytes() - before) / count;
  // The time of this process alone: the machine may have other work.
  const begun = process.cpuUsage();
  for (let n = 0; n < upTo; n += 1) {
    const { market, price } = all[n] as Tick;
    const change = n % CHANGES_EVERY === 0 ? changes[n / CHANGES_EVERY] : undefined;
    if (change !== undefined) {
      watch.disarm(change.id);
      watch.arm(change);
    }
    const isReached = n % CROSSES_EVERY === 0;
    if (isReached) watch.arm(made(`c${n}`, market, { kind: 'level', priceType: 'last', direction: 'atOrBelow', triggerPrice: price, trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: 'traded' }));
    const startedMs = isReached ? performance.now() : 0;
    const fired = watch.tick(`M${market}`, 'last', price);
    each(fired, isReached ? (performance.now() - startedMs) * 1_000 : 0);
  }
  const { user, system } = process.cpuUsage(begun);
  return { perTick: (user + system) / upTo, bytesEach };
}

const shownIndex = (fired: readonly unknown[]): string => (fired as ReturnType<TriggerIndex['tick']>).map(({ trigger, level, extreme }) => `${trigger.id} ${level.toFixed()} ${extreme?.toFixed() ?? ''}`).sort().join();
const shownNaive = (fired: readonly unknown[]): string => (fired as ReturnType<NaiveTriggers['tick']>).map(({ id, level, extreme }) => `${id} ${decimal(level).toFixed()} ${extreme ?? ''}`).sort().join();

function run(): void {
  const { from, moves } = steps();
  const all = ticks(moves);
  const usPerTick = new Map<number, number>();
  const measured = new Map(SIZES.map((count) => [count, { costs: [] as number[], bytes: [] as number[], crossings: 0, latencies: [] as number[] }]));
  // The first pass pays for compiling what the others run.
  play(new TriggerIndex(), WARMING, all, TICKS, () => undefined);
  for (let repeat = 0; repeat < RUNS; repeat += 1) {
    for (const [count, seen] of measured) {
      seen.crossings = 0;
      seen.latencies = [];
      const { perTick, bytesEach } = play(new TriggerIndex(), count, all, TICKS, (fired, microseconds) => {
        if (fired.length === 0) return;
        seen.crossings += 1;
        if (microseconds > 0) seen.latencies.push(microseconds);
      });
      seen.costs.push(perTick);
      seen.bytes.push(bytesEach);
    }
  }
  for (const [count, { costs, bytes, crossings, latencies }] of measured) {
    const cost = quantile(costs, 0.5);
    usPerTick.set(count, cost);
    const range = [Math.min(...costs), Math.max(...costs)].map((each) => each.toFixed(2)).join(' to ');
    say(`${count} triggers over ${MARKETS} markets, ${from} prices: ${cost.toFixed(2)} us (${range}) of processor a tick with its share of arms and disarms, ${Math.round(1_000_000 / cost)} ticks/s on one core; ${((100 * crossings) / TICKS).toFixed(2)} % cross, a crossing tick takes ${quantile(latencies, 0.99).toFixed(0)} us (p99); ${Math.round(quantile(bytes, 0.5))} bytes each`);
  }
  for (const [few, many] of [[10_000, 100_000], [100_000, 1_000_000]] as const) say(`${many} instead of ${few}: ${((usPerTick.get(many) ?? NaN) / (usPerTick.get(few) ?? NaN)).toFixed(2)} times as long a tick`);

  const told: string[] = [];
  const { perTick: indexUs } = play(new TriggerIndex(), 100_000, all, COMPARED_TICKS, (fired) => told.push(shownIndex(fired)));
  let differing = 0;
  let compared = 0;
  const { perTick: naiveUs } = play(new PerMarketLoop(), 100_000, all, COMPARED_TICKS, (fired) => {
    if (shownNaive(fired) !== told[compared]) differing += 1;
    compared += 1;
  });
  say(`the naive loop over a market's triggers, ${COMPARED_TICKS} ticks of the same run: ${naiveUs.toFixed(0)} us a tick, ${(naiveUs / indexUs).toFixed(0)} times the index; ${differing} ticks of ${compared} ended otherwise`);
  if (differing > 0) process.exitCode = 1;
}

/** The naive loop at its best: it looks at the market's triggers only. */
class PerMarketLoop implements Watch {
  private readonly markets = new Map<string, NaiveTriggers>();
  private readonly marketOf = new Map<string, string>();

  arm(trigger: Trigger): void {
    const market = this.markets.get(trigger.symbol) ?? new NaiveTriggers();
    this.markets.set(trigger.symbol, market);
    this.marketOf.set(trigger.id, trigger.symbol);
    market.arm(trigger);
  }

  disarm(id: string): void {
    this.markets.get(this.marketOf.get(id) ?? '')?.disarm(id);
  }

  tick(symbol: string, priceType: 'last', price: string): readonly unknown[] {
    return this.markets.get(symbol)?.tick(symbol, priceType, price) ?? [];
  }
}

run();
if (!process.argv.includes('--index')) {
  tellPath(say).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  });
}
