import { afterEach, describe, expect, test } from '@jest/globals';
import { FILL_OVERLAP_MS } from '../../../src/activities/account-look';
import { AccountWatcher, KEY_REFUSED, type WatchEnd } from '../../../src/activities/account-watcher';
import { DomainError } from '../../../src/domain/errors';
import type { PrivateMessage, VenueFill, VenuePosition } from '../../../src/domain/venue';
import { sampleFill, sampleOrder, sampleView } from '../domain/order-samples';
import { AccountStore, AccountVenue, CREATED_MS, sampleAccount } from './account-model';

const HOUR_MS = 3_600_000;
const stops: AbortController[] = [];
const ends: Promise<unknown>[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  await Promise.allSettled(ends.splice(0));
});

function world(): { venue: AccountVenue; store: AccountStore } {
  const venue = new AccountVenue();
  return { venue, store: new AccountStore() };
}

/** Starts a watcher of the world; by default no audit falls into a test. */
function watch({ venue, store }: { venue: AccountVenue; store: AccountStore }, auditPollMs = HOUR_MS): { end: Promise<WatchEnd>; stop: AbortController; watcher: AccountWatcher } {
  const stop = new AbortController();
  const watcher = new AccountWatcher(store.ports(), venue.port, store.account, { auditPollMs, holder: 'test', keyQuestionMs: 1 });
  const end = watcher.run(stop.signal);
  stops.push(stop);
  ends.push(end.catch(() => undefined));
  return { end, stop, watcher };
}

const looked = (store: AccountStore, times = 1): Promise<void> => store.until(() => store.looks >= times);
const fillAt = (venueFillId: string, atMs: number): VenueFill => sampleFill({ venueFillId, atMs });
const position = (quantity: string, side: 'long' | 'short' = 'long'): VenuePosition => ({ venueSymbol: 'BTC-PERP', side, quantity, entryPrice: '100', markPrice: null, leverage: null, margin: null, liquidationPrice: null, unrealizedPnl: null, realizedPnl: null });

describe('starting', () => {
  test('the socket listens before the scope is taken, and what it brings meanwhile waits for the snapshot', async () => {
    const { venue, store } = world();
    venue.open = [sampleView({ venueOrderId: 'o1' })];
    venue.during = (call) => {
      if (call === 'openOrders' && venue.calls.length === 1) venue.live.tell({ kind: 'order', order: sampleView({ venueOrderId: 'o2' }), atMs: 5 });
    };
    watch({ venue, store });
    await store.until(() => store.of('order').length === 2);
    expect(store.of('order').map(({ order, source }) => [order.venueOrderId, source])).toEqual([['o1', 'query'], ['o2', 'stream']]);
    expect(store.writes.findIndex((write) => write.kind === 'balances')).toBeLessThan(store.writes.findIndex((write) => write.kind === 'order' && write.source === 'stream'));
  });

  test('a stream that does not open does not hold up the snapshot, and once it opens everything is read again', async () => {
    const { venue, store } = world();
    venue.streamRefused = true;
    watch({ venue, store });
    await looked(store);
    expect(store.of('positions')[0]?.complete).toBe(true);
    venue.openStream();
    await store.until(() => store.alerts().includes('streamResynced'));
    expect(store.looks).toBe(2);
  }, 15_000);

  test('an order that ended while nobody watched is asked about; one the venue does not show stays as it is', async () => {
    const { venue, store } = world();
    store.orders = [sampleOrder({ id: '1', state: 'WORKING', venueOrderId: 'o1', venueClientId: 'v1' }), sampleOrder({ id: '2', state: 'WORKING', venueOrderId: 'o2', venueClientId: 'v2' })];
    venue.closed = [sampleView({ venueOrderId: 'o1', venueClientId: 'v1', status: 'canceled' })];
    watch({ venue, store });
    await looked(store);
    expect(store.of('order').map(({ order }) => [order.venueOrderId, order.status])).toEqual([['o1', 'canceled']]);
    expect(venue.calls.filter((call) => call === 'findOrder').length).toBe(2);
  });

  test('an order placed outside is asked about by the venue\'s own name', async () => {
    const { venue, store } = world();
    store.orders = [sampleOrder({ origin: 'EXTERNAL', state: 'WORKING', clientOrderId: 'external-o9', venueClientId: 'external-o9', venueOrderId: 'o9' })];
    venue.closed = [sampleView({ venueOrderId: 'o9', venueClientId: null, status: 'filled' })];
    watch({ venue, store });
    await looked(store);
    expect(store.of('order').map(({ order }) => order.status)).toEqual(['filled']);
  });

  test('many missing orders are looked up in the history at once', async () => {
    const { venue, store } = world();
    store.orders = Array.from({ length: 30 }, (_, index) => sampleOrder({ id: `${index}`, state: 'WORKING', venueOrderId: `o${index}`, venueClientId: `v${index}` }));
    venue.closed = store.orders.slice(0, 29).map((order) => sampleView({ venueOrderId: order.venueOrderId ?? '', venueClientId: order.venueClientId, status: 'canceled', updatedAtMs: venue.nowMs }));
    watch({ venue, store });
    await looked(store);
    expect(store.of('order').length).toBe(29);
    expect(venue.calls.filter((call) => call === 'closedOrders').length).toBe(1);
    expect(venue.calls.filter((call) => call === 'findOrder').length).toBe(1);
  });

  test('a fresh order in a passing state is left to its own workflow', async () => {
    const { venue, store } = world();
    store.orders = [sampleOrder({ state: 'SUBMITTING', updatedAt: new Date().toISOString() })];
    watch({ venue, store });
    await looked(store);
    expect(venue.calls).not.toContain('findOrder');
  });
});

describe('reading fills back', () => {
  test('they are read to the venue\'s end, each is written once', async () => {
    const { venue, store } = world();
    const known = fillAt('f1', CREATED_MS + 1_000);
    store.knowFill(known);
    venue.fills = [known, ...['f2', 'f3', 'f4', 'f5'].map((id, index) => fillAt(id, CREATED_MS + 2_000 + index))];
    watch({ venue, store });
    await looked(store);
    expect(store.of('fill').map(({ fill }) => fill.venueFillId)).toEqual(['f2', 'f3', 'f4', 'f5']);
  });

  test('from ten minutes before the last that is known at least, the first instant included', async () => {
    const { venue, store } = world();
    const lastMs = CREATED_MS + HOUR_MS / 2;
    store.checkpoint = { fillsReadToMs: lastMs + 60_000 };
    store.knowFill(fillAt('f1', lastMs));
    venue.fills = [fillAt('late', lastMs - FILL_OVERLAP_MS)];
    watch({ venue, store });
    await store.until(() => store.of('fill').length === 1);
    expect(store.of('fill').map(({ fill }) => fill.venueFillId)).toEqual(['late']);
  });

  test('a history that begins after the last known fill puts the account into REDUCING with a carry-in, once', async () => {
    const { venue, store } = world();
    store.knowFill(fillAt('f1', CREATED_MS + 1_000));
    store.held.set('BTC-PERP', '1');
    store.orders = [sampleOrder({ state: 'WORKING', venueOrderId: 'o1' })];
    venue.open = [sampleView({ venueOrderId: 'o1' })];
    venue.truncatedBeforeMs = CREATED_MS + 60_000;
    venue.positions = [position('3')];
    watch({ venue, store }, 20);
    await looked(store, 3);
    expect(store.of('status')).toEqual([{ kind: 'status', status: 'REDUCING' }]);
    expect(store.of('carryIn')).toEqual([{ kind: 'carryIn', markets: ['BTC-PERP'] }]);
    expect(store.alerts()).toContain('historyTruncated');
    expect(store.orders.length).toBe(1);
  });

  test('a market that is flat at the venue is carried in as flat', async () => {
    const { venue, store } = world();
    store.knowFill(fillAt('f1', CREATED_MS + 1_000));
    store.held.set('BTC-PERP', '1');
    venue.truncatedBeforeMs = CREATED_MS + 60_000;
    watch({ venue, store });
    await looked(store);
    expect(store.held.get('BTC-PERP')).toBe('0');
  });

  test('an operator\'s HALTED is not loosened to REDUCING', async () => {
    const { venue, store } = world();
    store.account = sampleAccount({ status: 'HALTED', statusReason: 'operator' });
    store.knowFill(fillAt('f1', CREATED_MS + 1_000));
    venue.truncatedBeforeMs = CREATED_MS + 60_000;
    watch({ venue, store });
    await looked(store);
    expect(store.of('status')).toEqual([]);
  });

  test('a history that reaches back to a known fill changes nothing', async () => {
    const { venue, store } = world();
    store.knowFill(fillAt('f1', CREATED_MS + 60_000));
    venue.truncatedBeforeMs = CREATED_MS + 30_000;
    watch({ venue, store });
    await looked(store);
    expect(store.of('status')).toEqual([]);
    expect(store.of('carryIn')).toEqual([]);
  });

  test('what was held before the first look is carried in, once, and the account stays ACTIVE', async () => {
    const { venue, store } = world();
    venue.positions = [position('2', 'short')];
    watch({ venue, store }, 20);
    await looked(store, 3);
    expect(store.of('carryIn').length).toBe(1);
    expect(store.held.get('BTC-PERP')).toBe('-2');
    expect(store.of('status')).toEqual([]);
  });
});

describe('while it runs', () => {
  test('a gap is told, everything is read again, and its end is told', async () => {
    const { venue, store } = world();
    watch({ venue, store });
    await looked(store);
    venue.fills = [fillAt('f1', venue.nowMs)];
    venue.live.tell({ kind: 'gap', reason: 'reconnected' });
    await store.until(() => store.alerts().includes('streamResynced'));
    const kinds = store.writes.map((write) => (write.kind === 'alert' ? write.data['kind'] : write.kind));
    expect(kinds.indexOf('streamGap')).toBeLessThan(kinds.indexOf('fill'));
    expect(kinds.indexOf('fill')).toBeLessThan(kinds.indexOf('streamResynced'));
  });

  test('a venue that answers no reads does not keep the stream\'s messages back', async () => {
    const { venue, store } = world();
    venue.down = true;
    watch({ venue, store });
    await store.until(() => store.troubles.length > 0);
    venue.live.tell({ kind: 'fill', fill: fillAt('f1', venue.nowMs), atMs: venue.nowMs });
    await store.until(() => store.of('fill').length === 1);
    venue.down = false;
    await looked(store);
  });

  test('an audit finds what the stream did not bring, repairs it, and is counted', async () => {
    const { venue, store } = world();
    watch({ venue, store }, 20);
    await looked(store);
    venue.fills = [fillAt('f1', venue.nowMs)];
    venue.open = [sampleView({ venueOrderId: 'o7' })];
    await store.until(() => store.mismatches.length === 2);
    expect(store.mismatches).toEqual([['order', 1], ['fill', 1]]);
    expect(store.of('fill').length).toBe(1);
  });

  test('an audit that waits for the venue holds no message back', async () => {
    const { venue, store } = world();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    watch({ venue, store }, 20);
    await looked(store);
    let waiting = false;
    venue.during = async (call) => {
      if (call !== 'openOrders') return;
      waiting = true;
      await held;
    };
    const seen = (async () => {
      while (!waiting) await new Promise((resolve) => setImmediate(resolve));
    })();
    await seen;
    venue.live.tell({ kind: 'fill', fill: fillAt('f1', venue.nowMs), atMs: venue.nowMs });
    await store.until(() => store.of('fill').length === 1);
    release();
  });

  test('a position that differs in two audits is told, and one that was only late is not', async () => {
    const { venue, store } = world();
    watch({ venue, store }, 20);
    await looked(store);
    venue.positions = [position('2')];
    await store.until(() => store.mismatches.some(([kind]) => kind === 'position'));
    expect(store.alerts()).toContain('positionMismatch');
  });

  test('one message that cannot be written keeps nothing else out, is told once, and is read again by the next audit', async () => {
    const { venue, store } = world();
    store.refuse = (what) => ('venueFillId' in what && what.venueFillId === 'bad' ? new Error('numeric field overflow') : null);
    venue.fills = [fillAt('good', venue.nowMs), fillAt('bad', venue.nowMs + 1)];
    watch({ venue, store }, 20);
    await store.until(() => store.of('balances').length >= 3);
    expect(store.of('fill').map(({ fill }) => fill.venueFillId)).toEqual(['good']);
    expect(store.of('alert').filter(({ data }) => data['kind'] === 'notApplied').length).toBe(1);
    store.refuse = () => null;
    await store.until(() => store.of('fill').length === 2);
  });

  test('a database that is away ends it, so that its successor begins with a snapshot', async () => {
    const { venue, store } = world();
    store.refuse = () => new DomainError('SERVICE_UNAVAILABLE', 'the database cannot be reached');
    venue.open = [sampleView()];
    await expect(watch({ venue, store }).end).rejects.toThrow('the database cannot be reached');
    expect(venue.streams.every((stream) => stream.closed)).toBe(true);
  });

  test('told to stop, it closes its stream and ends', async () => {
    const { venue, store } = world();
    const { end, stop } = watch({ venue, store });
    await looked(store);
    stop.abort();
    expect(await end).toBe('stopped');
    expect(venue.streams.every((stream) => stream.closed)).toBe(true);
  });

  test('once a successor has the scope it writes nothing more and ends', async () => {
    const { venue, store } = world();
    const { end } = watch({ venue, store });
    await looked(store);
    store.epoch += 1;
    const before = store.writes.length;
    venue.live.tell({ kind: 'fill', fill: fillAt('f1', venue.nowMs), atMs: venue.nowMs } satisfies PrivateMessage);
    expect(await end).toBe('replaced');
    expect(store.writes.length).toBe(before);
  });

  test('a successor tells that there was a gap', async () => {
    const { venue, store } = world();
    store.epoch = 4;
    watch({ venue, store });
    await store.until(() => store.alerts().includes('streamResynced'));
    expect(store.alerts()).toEqual(['streamGap', 'streamResynced']);
  });

  test('asked to, it looks at everything anew', async () => {
    const { venue, store } = world();
    const { watcher } = watch({ venue, store });
    await looked(store);
    watcher.resync('an operator asked');
    await store.until(() => store.alerts().includes('streamResynced'));
    expect(venue.calls.filter((call) => call === 'openOrders').length).toBe(2);
  });
});

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
