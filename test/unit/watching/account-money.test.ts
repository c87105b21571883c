import { describe, expect, test } from '@jest/globals';
import { FUNDING_OVERLAP_MS } from '../../../src/activities/account-money';
import type { VenueFundingPayment } from '../../../src/domain/venue';
import { CREATED_MS } from './account-model';
import { looked, watch, world } from './watcher-harness';

const payment = (venuePaymentId: string, atMs: number, amount = '-1'): VenueFundingPayment => ({ venuePaymentId, venueSymbol: 'BTC-PERP', amount, asset: 'USDC', rate: null, quantity: null, markPrice: null, atMs });
const usdc = (total: string) => [{ asset: 'USDC', total, available: total, locked: '0' }];

describe('funding', () => {
  test('is read to the venue\'s end at every look, from before the last one, and booked once', async () => {
    const { venue, store } = world();
    venue.fundingPageSize = 2;
    venue.funding = ['1', '2', '3'].map((id, index) => payment(id, CREATED_MS + index));
    watch({ venue, store }, 20);
    await looked(store, 2);
    venue.funding.push(payment('late', venue.nowMs - FUNDING_OVERLAP_MS));
    await store.until(() => store.of('funding').length === 4);
    expect(store.of('funding').map((write) => write.payment.venuePaymentId)).toEqual(['1', '2', '3', 'late']);
    expect(venue.calls).toContain(`fundingPayments ${CREATED_MS - FUNDING_OVERLAP_MS}`);
    expect(venue.calls).toContain(`fundingPayments ${venue.nowMs - FUNDING_OVERLAP_MS}`);
  });

  test('is not asked for where the venue tells none', async () => {
    const { venue, store } = world();
    watch({ venue, store });
    await looked(store);
    expect(venue.calls.some((call) => call.startsWith('fundingPayments'))).toBe(false);
  });
});

describe('what the balance has beyond the ledger', () => {
  test('is the opening deposit when it stood still over the first look', async () => {
    const { venue, store } = world();
    venue.cashBalances = true;
    venue.fundingPageSize = 5;
    venue.funding = [payment('1', CREATED_MS, '-4')];
    watch({ venue, store });
    await store.until(() => store.of('transfer').length === 1);
    expect(store.of('transfer')).toEqual([{ kind: 'transfer', asset: 'USDC', amount: '104' }]);
    expect(store.cash.get('USDC')).toBe('100');
  });

  test('is a transfer once two looks agree on it, and nothing while a payment is on its way to explain it', async () => {
    const { venue, store } = world();
    venue.cashBalances = true;
    venue.fundingPageSize = 5;
    store.cash.set('USDC', '100');
    store.checkpoint = { fillsReadToMs: CREATED_MS + 1_000, fundingReadToMs: CREATED_MS + 1_000 };
    venue.balances = usdc('97');
    // The venue lists the payment that took the three only after its balance shows it.
    let looks = 0;
    venue.during = (call) => {
      if (call !== 'balances') return;
      looks += 1;
      if (looks === 1) venue.funding = [payment('1', venue.nowMs, '-3')];
      if (looks === 3) venue.balances = usdc('147');
    };
    watch({ venue, store }, 20);
    await store.until(() => store.of('transfer').length > 0);
    expect(store.of('funding').length).toBe(1);
    expect(store.of('transfer')).toEqual([{ kind: 'transfer', asset: 'USDC', amount: '50' }]);
    expect(looks).toBeGreaterThanOrEqual(4);
    expect(store.cash.get('USDC')).toBe('147');
  });

  test('is a withdrawal where the venue no longer lists the asset', async () => {
    const { venue, store } = world();
    venue.cashBalances = true;
    store.cash.set('BTC', '2');
    store.cash.set('USDC', '100');
    store.checkpoint = { fillsReadToMs: CREATED_MS };
    watch({ venue, store }, 20);
    await store.until(() => store.of('transfer').length > 0);
    expect(store.of('transfer')).toEqual([{ kind: 'transfer', asset: 'BTC', amount: '-2' }]);
  });

  test('is left alone where a balance is not cash', async () => {
    const { venue, store } = world();
    watch({ venue, store }, 20);
    await looked(store, 3);
    expect(store.of('transfer')).toEqual([]);
  });
});
