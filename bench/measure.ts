/** A closed loop: `concurrency` callers, each calling again as soon as it is answered. */
export interface Measurement {
  readonly elapsedMs: number;
  /** One for each call, in the order of their ends. */
  readonly latenciesMs: readonly number[];
  /** Processor time of this process meanwhile. */
  readonly cpuMs: number;
}

/** `index` numbers the calls from 0. Throws with the first call that does. */
export async function measure(call: (index: number) => Promise<void>, count: number, concurrency: number): Promise<Measurement> {
  const latenciesMs: number[] = [];
  let next = 0;
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const caller = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const beforeMs = performance.now();
      await call(index);
      latenciesMs.push(Math.round((performance.now() - beforeMs) * 1_000) / 1_000);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const { user, system } = process.cpuUsage(startedCpu);
  return { elapsedMs: performance.now() - startedMs, latenciesMs, cpuMs: (user + system) / 1_000 };
}

/** The smallest value that `share` (0 to 1) of the values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
