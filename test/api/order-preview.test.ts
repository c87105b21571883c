import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DEFAULT_RISK_LIMITS } from '../../src/domain/account';
import { BOOK } from './samples';
import { ApiHarness } from './harness';

const api = new ApiHarness();
beforeAll(() => api.start());
afterAll(() => api.close());
beforeEach(() => {
  api.backend.book = { book: BOOK, ageMs: 5, stale: false };
});

const ORDER = { accountId: 'main', symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity: '0.5' };
const preview = (changes: object = {}, key?: string) => api.ask('POST', '/api/v1/orders/preview', { body: { ...ORDER, ...changes }, ...(key === undefined ? {} : { key }) });

describe('a preview', () => {
  test('shows the order on the grid, the verdict with its figures, fees and what the book would give', async () => {
    const { status, body } = await preview({ quantity: '0.500' });
    expect(status).toBe(200);
    expect(body.order).toEqual({ accountId: 'main', venue: 'paper', symbol: 'BTC-PERP', side: 'buy', type: 'market', timeInForce: 'IOC', quantity: '0.5', limitPrice: null, postOnly: false, reduceOnly: false });
    expect(body.risk).toMatchObject({ verdict: 'accepted', code: null, message: null, figures: { orderNotional: '25500', markPrice: '50000', equity: '10000' } });
    expect(body.fill).toEqual({ quantity: '0.5', averagePrice: '50000.5', worstPrice: '50000.5', bestPrice: '50000.5', slippageBps: '0', restingQuantity: '0', unfilledQuantity: '0', beyondBook: false });
    expect(body.fees).toMatchObject({ expected: String(25_000.25 * Number(body.fees.takerFeeRate)) });
    expect(body.book).toEqual({ sequence: 7, ageMs: 5 });
  });

  test('of what risk would deny says so, with the code', async () => {
    api.backend.limits.ofUser.clear();
    const account = api.backend.accounts.get('main');
    if (account !== undefined) api.backend.accounts.set('main', { ...account, limits: { ...DEFAULT_RISK_LIMITS, maxOrderNotional: '100' } });
    const { status, body } = await preview();
    expect([status, body.risk.verdict, body.risk.code, body.risk.figures.maxOrderNotional]).toEqual([200, 'denied', 'RISK_ORDER_NOTIONAL', '100']);
    if (account !== undefined) api.backend.accounts.set('main', account);
  });

  test('shows slippage over levels, and a limit\'s rest at the maker\'s fee', async () => {
    const sell = await preview({ side: 'sell', quantity: '3' });
    expect(sell.body.fill).toMatchObject({ quantity: '3', worstPrice: '49999', bestPrice: '49999.5', unfilledQuantity: '0' });
    expect(Number(sell.body.fill.slippageBps)).toBeGreaterThan(0);
    const limit = await preview({ type: 'limit', limitPrice: '50000.5', quantity: '3' });
    expect(limit.body.fill).toMatchObject({ quantity: '1', restingQuantity: '2' });
    expect(Number(limit.body.fees.expected)).toBeCloseTo(50_000.5 * (Number(limit.body.fees.takerFeeRate) + 2 * Number(limit.body.fees.makerFeeRate)), 6);
  });

  test('without a fresh book says nothing of fills, and values the fee as risk does', async () => {
    api.backend.book = null;
    const { body } = await preview();
    expect([body.fill, body.book, body.fees.expected]).toEqual([null, null, String(25_500 * Number(body.fees.takerFeeRate))]);
  });

  test('trusts a book that stood still for long only where fresh best prices agree with it', async () => {
    api.backend.book = { book: BOOK, ageMs: 60_000, stale: true };
    expect((await preview()).body.book).toEqual({ sequence: 7, ageMs: 60_000 });
    api.backend.book = { book: { ...BOOK, asks: [['50001', '1']] }, ageMs: 60_000, stale: true };
    expect((await preview()).body.fill).toBeNull();
    api.backend.book = { book: { ...BOOK, asks: [] }, ageMs: 60_000, stale: true };
    expect((await preview()).body.fill).toBeNull();
  });

  test('refuses what placing refuses before it is recorded', async () => {
    const offGrid = await preview({ quantity: '0.50001' });
    expect([offGrid.status, offGrid.body.error.code, offGrid.body.error.details.violations[0].nearest.length]).toEqual([422, 'UNPROCESSABLE', 2]);
    expect((await preview({ accountId: 'foreign' })).status).toBe(404);
    expect((await preview({ quantity: '-1' })).status).toBe(400);
  });

  test('needs no more than a key that reads, and places nothing', async () => {
    api.backend.addAccount('of-reader', 'reader');
    expect((await preview({ accountId: 'of-reader', clientOrderId: 'c-1' }, api.readKey)).status).toBe(200);
    expect([api.backend.orders.size, api.backend.records.size, api.backend.calls.placed, api.backend.calls.suspected]).toEqual([0, 0, 0, 0]);
  });
});
