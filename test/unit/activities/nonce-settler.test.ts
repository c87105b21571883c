import { describe, expect, test } from '@jest/globals';
import { NonceSettler, type NonceHold } from '../../../src/activities/nonce-settler';
import type { Venue, VenueAccountSession } from '../../../src/domain/venue';
import { VenueUnavailable } from '../../../src/domain/venue-errors';

const HOLD: NonceHold = { signerId: 's1', attemptId: 't1', nonce: 7n, isOver: false, venueDeadlineMs: 1_000 };
const signal = new AbortController().signal;

class World {
  settled: [string, bigint][] = [];
  hold: NonceHold | null = HOLD;
  strict = true;
  asked = 0;
  nextNonce: VenueAccountSession['nextNonce'] | undefined = async () => 8n;
  venueTimeMs = 0;

  settle(): Promise<void> {
    const session = { nextNonce: this.nextNonce && (async (options: Parameters<NonNullable<VenueAccountSession['nextNonce']>>[0]) => {
      this.asked += 1;
      return (await this.nextNonce?.(options)) ?? 0n;
    }) };
    const venue = { name: 'strict', capabilities: { strictNonces: this.strict, absenceFinalAfterMs: 500 }, session: () => session, venueTimeMs: async () => this.venueTimeMs } as unknown as Venue;
    return new NonceSettler({
      nonces: { holdOf: async () => this.hold, settle: async (_hold, fate, venueNext) => void this.settled.push([fate, venueNext]) },
      credentials: async () => ({ key: 'k' }),
    }).settle(venue, 'a1', signal);
  }
}

const world = (changes: Partial<World> = {}): World => Object.assign(new World(), changes);

describe('what became of the nonce that holds a signer', () => {
  test('is used when the venue counts further', async () => {
    const given = world();
    await given.settle();
    expect(given.settled).toEqual([['used', 8n]]);
  });

  test('stays open while the venue still expects it and could still take the bytes; later it is free', async () => {
    const given = world({ nextNonce: async () => 7n });
    await given.settle();
    expect(given.settled).toEqual([]);
    given.venueTimeMs = 1_500;
    await given.settle();
    expect(given.settled).toEqual([['free', 7n]]);
  });

  test('stays open when the venue cannot be read; a fault of ours is thrown', async () => {
    const down = world({ nextNonce: async () => Promise.reject(new VenueUnavailable('strict', 'connection refused', 'connection')) });
    await down.settle();
    expect(down.settled).toEqual([]);
    await expect(world({ nextNonce: async () => Promise.reject(new TypeError('x is undefined')) }).settle()).rejects.toThrow(TypeError);
  });

  test('is not asked where nothing holds the signer, or nonces are not strict', async () => {
    const free = world({ hold: null });
    const loose = world({ strict: false });
    await free.settle();
    await loose.settle();
    expect([free.asked, loose.asked]).toEqual([0, 0]);
  });

  test('an adapter that cannot tell is a fault that says so', async () => {
    await expect(world({ nextNonce: undefined }).settle()).rejects.toThrow('has no nextNonce');
  });
});
