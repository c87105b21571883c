import { describe, expect, test } from '@jest/globals';
import { KEY_REFUSED } from '../../../src/domain/account';
import { sampleAccount, type AccountVenue } from './account-model';
import { looked, watch, world } from './watcher-harness';

describe('a key that is refused', () => {
  /** Calls that reached the venue with the key. */
  const attempts = (venue: AccountVenue): number => venue.calls.length + venue.streams.length;

  test('told by the stream: at most three more questions, then HALTED with an alert', async () => {
    const { venue, store } = world();
    const { end } = watch({ venue, store });
    await looked(store);
    const before = attempts(venue);
    venue.keyRevoked = true;
    venue.live.tell({ kind: 'keyRevoked', atMs: venue.nowMs });
    expect(await end).toBe('keyRevoked');
    expect(attempts(venue) - before).toBeLessThanOrEqual(3);
    expect(store.account).toMatchObject({ status: 'HALTED', statusReason: KEY_REFUSED });
    expect(store.alerts()).toContain('keyRevoked');
  });

  test('found by a read: at most three more attempts after the first refusal', async () => {
    const { venue, store } = world();
    const { end } = watch({ venue, store }, 20);
    await looked(store);
    venue.keyRevoked = true;
    const before = attempts(venue);
    expect(await end).toBe('keyRevoked');
    expect(attempts(venue) - before).toBeLessThanOrEqual(4);
  });

  test('refused from the start: halted all the same', async () => {
    const { venue, store } = world();
    venue.keyRevoked = true;
    expect(await watch({ venue, store }).end).toBe('keyRevoked');
    expect(attempts(venue)).toBeLessThanOrEqual(4);
  });

  test('an account that is halted for it is not asked about at all', async () => {
    const { venue, store } = world();
    store.account = sampleAccount({ status: 'HALTED', statusReason: KEY_REFUSED });
    expect(await watch({ venue, store }).end).toBe('keyRevoked');
    expect(attempts(venue)).toBe(0);
  });

  test('a refused key that was replaced meanwhile halts nothing: the new one is held with', async () => {
    const { venue, store } = world();
    watch({ venue, store });
    await looked(store);
    store.key = 'new key';
    venue.refusedKey = 'k';
    venue.live.tell({ kind: 'keyRevoked', atMs: venue.nowMs });
    await looked(store, 2);
    expect(store.account.status).toBe('ACTIVE');
    expect(venue.streams.length).toBe(2);
  });

  test('a refusal that was a hiccup: the stream is opened again and everything read', async () => {
    const { venue, store } = world();
    watch({ venue, store });
    await looked(store);
    venue.live.tell({ kind: 'keyRevoked', atMs: venue.nowMs });
    await looked(store, 2);
    expect(store.of('status')).toEqual([]);
    expect(venue.streams.length).toBe(2);
    expect(venue.live.closed).toBe(false);
  });
});
