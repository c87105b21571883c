/**
 * The one contract suite for venues: named checks that run against any adapter and its simulator, over HTTP and WebSocket
 * to a separate process. An adapter passes when every check passes; test/contract/venues/defects.test.ts shows that the
 * checks find what they are for.
 */
import { afterAll, afterEach, beforeAll, describe, test } from '@jest/globals';
import { ACCOUNT_CHECKS } from './checks-account';
import { GROUP_CHECKS } from './checks-groups';
import { NATIVE_CHECKS } from './checks-native';
import { ORDER_CHECKS } from './checks-orders';
import { PUBLIC_CHECKS } from './checks-public';
import { SILENCE_CHECKS } from './checks-silence';
import { STREAM_CHECKS } from './checks-streams';
import type { VenueHarness } from './harness';

/** Throws when the adapter breaks what the name says. */
export interface ContractCheck {
  readonly name: string;
  readonly run: (harness: VenueHarness) => Promise<void>;
}

export const VENUE_CHECKS: readonly ContractCheck[] = [...PUBLIC_CHECKS, ...ORDER_CHECKS, ...SILENCE_CHECKS, ...ACCOUNT_CHECKS, ...STREAM_CHECKS, ...NATIVE_CHECKS, ...GROUP_CHECKS];

/** The whole suite as Jest tests. */
export function describeVenueContract(name: string, makeHarness: () => Promise<VenueHarness>): void {
  describe(`${name} keeps the contract of a venue`, () => {
    let harness: VenueHarness;
    beforeAll(async () => {
      harness = await makeHarness();
    });
    afterEach(() => harness.reset());
    afterAll(() => harness.close());

    test.each(VENUE_CHECKS)('$name', ({ run }) => run(harness));
  });
}

/** Runs named checks one after the other; tells the error of each that failed. Throws on a name that is no check's. */
export async function failuresOf(harness: VenueHarness, names: readonly string[]): Promise<Map<string, unknown>> {
  const failures = new Map<string, unknown>();
  for (const name of names) {
    const check = VENUE_CHECKS.find((candidate) => candidate.name === name);
    if (!check) throw new Error(`the contract has no check ${JSON.stringify(name)}`);
    try {
      await check.run(harness);
    } catch (error) {
      failures.set(name, error);
    }
    await harness.reset();
  }
  return failures;
}
