import { describe, expect, test } from '@jest/globals';
import { FILL_OVERLAP_MS } from '../../../src/activities/account-look';
import { VenueUnavailable } from '../../../src/domain/venue-errors';
import { sampleOrder, sampleView } from '../domain/order-samples';
import { CREATED_MS, sampleAccount } from './account-model';
import { fillAt, looked, position, watch, world } from './watcher-harness';

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
    const lastMs = CREATED_MS + 1_800_000;
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

  test('so it does where the stream brought a fill after the gap, and a look was broken off before it', async () => {
    const { venue, store } = world();
    store.checkpoint = { fillsReadToMs: CREATED_MS + 2_000 };
    venue.truncatedBeforeMs = CREATED_MS + 60_000;
    venue.positions = [position('3')];
    venue.fills = [fillAt('f2', CREATED_MS + 120_000)];
    store.knowFill(fillAt('f1', CREATED_MS + 1_000));
    store.knowFill(fillAt('f2', CREATED_MS + 120_000));
    watch({ venue, store });
    await looked(store);
    expect([store.account.status, store.held.get('BTC-PERP')]).toEqual(['REDUCING', '3']);
  });

  test.each(['positions', 'balances'])('so it does where the first look found the cut, booked what was left and was broken off at its %s', async (brokenAt) => {
    const { venue, store } = world();
    venue.truncatedBeforeMs = CREATED_MS + 60_000;
    venue.positions = [position('3')];
    venue.fills = [fillAt('f2', CREATED_MS + 120_000)];
    let [broken, statusThen] = [false, 'not read'];
    venue.during = (call) => {
      if (call !== brokenAt || broken) return;
      broken = true;
      statusThen = store.account.status;
      throw new VenueUnavailable('paper', 'connection refused', 'connection');
    };
    watch({ venue, store });
    await looked(store);
    expect([broken, statusThen, store.account.status, store.alerts().includes('historyTruncated'), store.held.get('BTC-PERP')]).toEqual([true, 'REDUCING', 'REDUCING', true, '3']);
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

  test('a history that reaches back to what was read before changes nothing', async () => {
    const { venue, store } = world();
    store.checkpoint = { fillsReadToMs: CREATED_MS + 60_000 };
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

