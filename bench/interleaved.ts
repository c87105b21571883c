/** Compares pieces of work on a machine that is never quite quiet: by turns, in small portions, and the median portion of each counts. */

/** Enough for the compiler to settle on each. */
const WARM_UP = 300;
const PORTIONS = 400;

/** Microseconds of one run of each, by name. `runsPerPortion`: so many that a portion is longer than the clock's grain, and shorter than the scheduler's. */
export async function medianMicroseconds<Name extends string>(work: Readonly<Record<Name, () => unknown>>, runsPerPortion: number): Promise<Readonly<Record<Name, number>>> {
  const names = Object.keys(work) as Name[];
  const samples = new Map(names.map((name) => [name, [] as number[]]));
  for (const name of names) for (let run = 0; run < WARM_UP; run += 1) await work[name]();
  for (let portion = 0; portion < PORTIONS; portion += 1) {
    for (const name of names) {
      const run = work[name];
      const startedAt = process.hrtime.bigint();
      for (let index = 0; index < runsPerPortion; index += 1) {
        const made = run();
        if (made instanceof Promise) await made;
      }
      samples.get(name)?.push(Number(process.hrtime.bigint() - startedAt) / 1_000 / runsPerPortion);
    }
  }
  return Object.fromEntries([...samples].map(([name, list]) => [name, median(list)])) as Record<Name, number>;
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
}
