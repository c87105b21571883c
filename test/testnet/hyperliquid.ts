/** `npm run test:testnet -- hyperliquid`: the contract of a venue, held against the venue. Never part of `npm test`. */
import { afterAll, afterEach, beforeAll, describe, test } from '@jest/globals';
import { VENUE_CHECKS } from '../contract/venues/contract';
import type { VenueHarness } from '../contract/venues/harness';
import { accessOf } from './access';
import { NEEDS_A_SIMULATOR } from './needs-a-simulator';
import { liveHarness } from './live-harness';

/** Requests cross the world, and a check makes dozens. */
const CHECK_WITHIN_MS = 120_000;

describe('the testnet of hyperliquid keeps the contract of a venue', () => {
  let harness: VenueHarness;
  beforeAll(async () => {
    harness = await liveHarness(accessOf(process.env));
  }, CHECK_WITHIN_MS);
  afterEach(() => harness.reset(), CHECK_WITHIN_MS);
  afterAll(() => harness.close());

  test.each(VENUE_CHECKS.filter(({ name }) => !NEEDS_A_SIMULATOR.has(name)))('$name', ({ run }) => run(harness), CHECK_WITHIN_MS);
});
