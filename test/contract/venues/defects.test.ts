import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { failuresOf } from './contract';
import { PLANTED_DEFECTS, UNCHANGED } from './defects';
import type { VenueHarness } from './harness';
import { paperHarness, startPaperSimulator, type PaperSimulator } from './paper-harness';

/** Defects that keep something back are waited for; the last test shows that what a good adapter tells comes in time. */
const NOTHING_MORE_COMES_MS = 500;

let simulator: PaperSimulator;
let harness: VenueHarness | undefined;
beforeAll(async () => {
  simulator = await startPaperSimulator();
});
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});
afterAll(() => simulator.stop());

describe('the contract of a venue finds each planted defect', () => {
  test.each(PLANTED_DEFECTS)('$defect', async ({ foundBy, plant }) => {
    harness = paperHarness(simulator, { wrap: plant, hearWithinMs: NOTHING_MORE_COMES_MS });
    const failures = await failuresOf(harness, foundBy);
    expect([...failures.keys()]).toEqual([...foundBy]);
  });

  test('and the same checks pass for the adapter without it', async () => {
    harness = paperHarness(simulator, { wrap: UNCHANGED });
    const failures = await failuresOf(harness, [...new Set(PLANTED_DEFECTS.flatMap(({ foundBy }) => foundBy))]);
    expect([...failures]).toEqual([]);
  });
});
