/** Long durations of the scenarios: a tenth of them in `npm test`, whole in `npm run test:faults`. */
const SCALE = process.env['SUREFILL_TEST_FULL'] === '1' ? 1 : 0.1;

export function scaledMs(ms: number): number {
  return Math.round(ms * SCALE);
}

/** For SUREFILL_DURATION_SCALE of the processes under test. */
export const DURATION_SCALE = String(SCALE);

/** How many of something that a scenario makes many of: the tenth of them in `npm test`. */
export function scaledCount(count: number): number {
  return Math.round(count * SCALE);
}
