import { describe, expect, test } from '@jest/globals';
import { DomainError } from '../../../src/domain/errors';
import type { PrivateMessage } from '../../../src/domain/venue';
import { sampleOrder, sampleView } from '../domain/order-samples';
import { fillAt, looked, position, watch, world } from './watcher-harness';

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

  test('a stream that failed for good before it opened ends the watcher, so that its successor has one', async () => {
    const { venue, store } = world();
    venue.streamFails = new TypeError('a subscription could not be made');
    const { end } = watch({ venue, store });
    await expect(end).rejects.toThrow('a subscription could not be made');
    expect([store.troubles, venue.streams.map(({ closed }) => closed)]).toEqual([[venue.streamFails], [true]]);
    venue.streamFails = null;
    watch({ venue, store });
    await looked(store);
    venue.live.tell({ kind: 'fill', fill: fillAt('f1', venue.nowMs), atMs: venue.nowMs });
    await store.until(() => store.of('fill').length === 1);
  });

  test('of a stream that failed, the account is looked at meanwhile; told to stop, the watcher ends as ever', async () => {
    const { venue, store } = world();
    venue.streamFails = new TypeError('a subscription could not be made');
    const { end, stop } = watch({ venue, store }, undefined, { streamFaultMs: 3_600_000 });
    await looked(store);
    stop.abort();
    expect(await end).toBe('stopped');
  });

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

  test('a venue that is away is told of while it is away, once, and so is its return', async () => {
    const { venue, store } = world();
    watch({ venue, store }, 10);
    await looked(store);
    venue.down = true;
    await store.until(() => store.alerts().includes('streamGap'));
    venue.down = false;
    await store.until(() => store.alerts().includes('streamResynced'));
    expect(store.alerts()).toEqual(['streamGap', 'streamResynced']);
  }, 15_000);

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
    venue.fills = [fillAt('good', venue.nowMs - 1), fillAt('bad', venue.nowMs)];
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

