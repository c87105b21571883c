/**
 * (a) and (b): placing and canceling through REST against a bare workflow per order. What is compared takes turns in short rounds
 * within a repeat, because a machine is not equally busy for minutes.
 */
import { SimulatorControl } from '../test/support/simulator-control';
import type { Stack } from '../test/support/stack';
import { quantile, type Measurement } from './measure';
import { account, bare, besideBareWorker, rest, type Row } from './parts';

/** Calls before the clock runs: connections, caches, compiled code. */
const WARM_UP = 40;
/**
 * The same for rates, of each load. A role runs for weeks, and compiling what has become hot took an eighth of all processor time over the first
 * twelve thousand orders; the bare workflow's cost is Temporal's, which is compiled beforehand.
 */
const RATE_WARM_UP = 3_000;
const BARE_WARM_UP = 200;
/** Rounds of a repeat, and calls of each kind in one: together a p99 that three samples lie beyond. */
const LATENCY_ROUNDS = 3;
const LATENCY_CALLS = 100;
const RATE_ROUNDS = 2;
/** How late the slow venue answers. */
export const SLOW_MS = 50;
const SLOW_COUNT = 1_000_000;
const ACCOUNTS = 16;

/** What each round of (b) does. */
const LOADS = [
  { concurrency: 64, bareCalls: 300, orders: 1_500, target: '8 or more, goal 12' },
  { concurrency: 256, bareCalls: 512, orders: 3_000, target: '18 or more, goal 25' },
] as const;

/** (a) Time to acknowledgement, one caller. */
export async function compareLatency(stack: Stack, repeat: number): Promise<Row[]> {
  const accountIds = [await account(stack, 'paper')];
  const base: number[] = [];
  const place: number[] = [];
  const cancel: number[] = [];
  await besideBareWorker(stack, async () => {
    await bare(stack, WARM_UP, 1);
    await rest(stack, { accountIds, count: WARM_UP, concurrency: 1, what: 'placeAndCancel' });
    for (let round = 0; round < LATENCY_ROUNDS; round += 1) {
      base.push(...(await bare(stack, LATENCY_CALLS, 1)).latenciesMs);
      place.push(...(await rest(stack, { accountIds, count: LATENCY_CALLS, concurrency: 1, what: 'place' })).latenciesMs);
      cancel.push(...(await rest(stack, { accountIds, count: LATENCY_CALLS, concurrency: 1, what: 'placeAndCancel' })).latenciesMs);
    }
  });
  const row = (name: string, value: number, unit: string, target: string, samples: readonly number[]): Row => ({ name, value, unit, target, repeat, samples });
  const asked = '1.75 or less, goal 1.3';
  return [
    row('bare update-with-start, p50', quantile(base, 0.5), 'ms', '', base),
    row('bare update-with-start, p99', quantile(base, 0.99), 'ms', '', []),
    row('POST /orders to acknowledgement, p50', quantile(place, 0.5), 'ms', '', place),
    row('POST /orders to acknowledgement, p99', quantile(place, 0.99), 'ms', '', []),
    row('DELETE /orders/{id} to acknowledgement, p50', quantile(cancel, 0.5), 'ms', '', cancel),
    row('DELETE /orders/{id} to acknowledgement, p99', quantile(cancel, 0.99), 'ms', '', []),
    row('(a) POST against bare, p50', quantile(place, 0.5) / quantile(base, 0.5), 'times', asked, []),
    row('(a) POST against bare, p99', quantile(place, 0.99) / quantile(base, 0.99), 'times', '', []),
    row('(a) DELETE against bare, p50', quantile(cancel, 0.5) / quantile(base, 0.5), 'times', asked, []),
    row('(a) DELETE against bare, p99', quantile(cancel, 0.99) / quantile(base, 0.99), 'times', '', []),
  ];
}

/** (b) Orders per second. */
export async function compareThroughput(stack: Stack, repeat: number): Promise<Row[]> {
  const sixteen: string[] = [];
  for (let index = 0; index < ACCOUNTS; index += 1) sixteen.push(await account(stack, index % 2 === 0 ? 'paper' : 'slow'));
  const slow = slowVenue(stack);
  const rows: Row[] = [];
  await besideBareWorker(stack, async () => {
    await bare(stack, BARE_WARM_UP, 64);
    await rest(stack, { accountIds: [await account(stack, 'paper')], count: RATE_WARM_UP, concurrency: 64, what: 'place' });
    await rest(stack, { accountIds: sixteen, count: RATE_WARM_UP, concurrency: 64, what: 'place' });
    for (const { concurrency, bareCalls, orders, target } of LOADS) {
      const base: Measurement[] = [];
      const oneAccount: Measurement[] = [];
      const twoVenues: Measurement[] = [];
      for (let round = 0; round < RATE_ROUNDS; round += 1) {
        base.push(await bare(stack, bareCalls, concurrency));
        // A fresh account: as many orders as rest in it are a part of what is measured, and the same for each round.
        oneAccount.push(await rest(stack, { accountIds: [await account(stack, 'paper')], count: orders, concurrency, what: 'place' }));
        const fault = await slow.fault({ kind: 'delay', delayMs: SLOW_MS, count: SLOW_COUNT, match: { method: 'POST', path: '/orders' } });
        twoVenues.push(await rest(stack, { accountIds: sixteen, count: orders, concurrency, what: 'place' }));
        await slow.call('DELETE', `/__sim/faults/${fault}`);
      }
      const row = (name: string, value: number, unit: string, wanted: string, measured: readonly Measurement[]): Row => ({ name, value, unit, target: wanted, repeat, samples: measured.flatMap(({ latenciesMs }) => latenciesMs) });
      rows.push(
        row(`bare workflow per order, concurrency ${concurrency}`, rate(base), 'orders/s', '', base),
        row(`POST /orders, one account, concurrency ${concurrency}`, rate(oneAccount), 'orders/s', '', oneAccount),
        row(`POST /orders, ${ACCOUNTS} accounts on two venues, one ${SLOW_MS} ms late, concurrency ${concurrency}`, rate(twoVenues), 'orders/s', '', twoVenues),
        row(`(b) one account against bare, concurrency ${concurrency}`, rate(oneAccount) / rate(base), 'times', target, []),
        row(`(b) ${ACCOUNTS} accounts, two venues against bare, concurrency ${concurrency}`, rate(twoVenues) / rate(base), 'times', target, []),
      );
    }
  });
  return rows;
}

/** Control of the second venue's simulator. */
export function slowVenue(stack: Stack): SimulatorControl {
  const slow = stack.simulators.get('slow');
  if (slow === undefined) throw new Error('the slow venue is missing');
  return new SimulatorControl(slow.url);
}

/** Calls per second over all rounds. */
function rate(rounds: readonly Measurement[]): number {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return (sum(rounds.map(({ latenciesMs }) => latenciesMs.length)) / sum(rounds.map(({ elapsedMs }) => elapsedMs))) * 1_000;
}
