import { expect, test } from '@jest/globals';
import { HistoryCut } from '../../../../src/domain/venue-errors';
import type { HyperliquidClient } from '../../../../src/venues/hyperliquid/client';
import { HyperliquidHistory } from '../../../../src/venues/hyperliquid/history';

const READ = { signal: new AbortController().signal, priority: 'read' } as const;
const SHOWN = 2_000;

/** The venue's answer: the newest of `count` orders, one ended each millisecond up to `count`. */
function historyOf(count: number): HyperliquidHistory {
  const states = Array.from({ length: Math.min(count, SHOWN) }, (_, index) => {
    const at = count - index;
    return { order: { coin: 'BTC', side: 'A', limitPx: '79000', sz: '0', oid: at, timestamp: at, origSz: '1.0', cloid: null }, status: 'canceled', statusTimestamp: at };
  });
  const client = { info: () => Promise.resolve(states) } as unknown as HyperliquidClient;
  return new HyperliquidHistory('hyperliquid', '0xabc', { client, options: { dexes: [], fillsPerPage: 2_000 }, tellDrift: () => false, collateralOf: () => 'USDC' });
}

test('orders that ended since some time, the oldest first', async () => {
  expect((await historyOf(5).closedOrders(3, READ)).map(({ venueOrderId }) => venueOrderId)).toEqual(['3', '4', '5']);
});

test('a history that reaches back just far enough is whole', async () => {
  expect(await historyOf(SHOWN + 10).closedOrders(11, READ)).toHaveLength(SHOWN);
});

test('one that does not gives its newest, and says that it is cut', async () => {
  const cut = await historyOf(SHOWN + 10).closedOrders(5, READ).then(() => null, (error: unknown) => error);
  expect(cut).toBeInstanceOf(HistoryCut);
  expect((cut as HistoryCut<{ venueOrderId: string }>).newest.map(({ venueOrderId }) => venueOrderId).slice(0, 2)).toEqual(['11', '12']);
});
