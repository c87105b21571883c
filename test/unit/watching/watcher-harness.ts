/** Starts watchers over the account model and ends them after each test. */
import { afterEach } from '@jest/globals';
import { AccountWatcher, type WatchEnd } from '../../../src/activities/account-watcher';
import type { VenueFill, VenuePosition } from '../../../src/domain/venue';
import { sampleFill } from '../domain/order-samples';
import { AccountStore, AccountVenue } from './account-model';

const HOUR_MS = 3_600_000;
const stops: AbortController[] = [];
const ends: Promise<unknown>[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  await Promise.allSettled(ends.splice(0));
});

export function world(): { venue: AccountVenue; store: AccountStore } {
  return { venue: new AccountVenue(), store: new AccountStore() };
}

/** Starts a watcher of the world; by default no audit falls into a test. */
export function watch({ venue, store }: { venue: AccountVenue; store: AccountStore }, auditPollMs = HOUR_MS, options: { readonly streamFaultMs?: number } = {}): { end: Promise<WatchEnd>; stop: AbortController; watcher: AccountWatcher } {
  const stop = new AbortController();
  const watcher = new AccountWatcher(store.ports(), venue.port, store.account, { auditPollMs, holder: 'test', keyQuestionMs: 1, streamFaultMs: 1, ...options });
  const end = watcher.run(stop.signal);
  stops.push(stop);
  ends.push(end.catch(() => undefined));
  return { end, stop, watcher };
}

/** So many looks at the venue were complete. */
export const looked = (store: AccountStore, times = 1): Promise<void> => store.until(() => store.looks >= times);

export const fillAt = (venueFillId: string, atMs: number): VenueFill => sampleFill({ venueFillId, atMs });

export function position(quantity: string, side: 'long' | 'short' = 'long'): VenuePosition {
  return { venueSymbol: 'BTC-PERP', side, quantity, entryPrice: '100', markPrice: null, leverage: null, margin: null, liquidationPrice: null, unrealizedPnl: null, realizedPnl: null };
}
