/** Orders, fills and venue views to build tests from. */
import { UNCONDITIONAL, UNGROUPED, UNSUPERVISED, type Order } from '../../../src/domain/order';
import type { VenueFill, VenueOrder } from '../../../src/domain/venue';

export const AT = '2026-01-01T00:00:00.000Z';

export function sampleOrder(overrides: Partial<Order> = {}): Order {
  return {
    id: '00000000-0000-4000-8000-000000000001',
    clientOrderId: 'c1',
    venueClientId: 'v1',
    venueOrderId: null,
    userId: 'u1',
    accountId: 'a1',
    venue: 'paper',
    symbol: 'BTC-PERP',
    venueSymbol: 'BTC-PERP',
    side: 'buy',
    type: 'limit',
    timeInForce: 'GTC',
    quantity: '10',
    limitPrice: '100',
    postOnly: false,
    reduceOnly: false,
    filledQuantity: '0',
    leavesQuantity: '10',
    avgPrice: null,
    fee: '0',
    feeAsset: null,
    state: 'SUBMITTING',
    reasonCode: null,
    reasonMessage: null,
    pendingCancel: false,
    pendingReplace: false,
    origin: 'API',
    revision: 1,
    ownerWorkflowId: 'order/a1/c1',
    ...UNSUPERVISED,
    ...UNGROUPED,
    ...UNCONDITIONAL,
    triggeredAt: null,
    venueSeenAtMs: null,
    createdAt: AT,
    submittedAt: null,
    acknowledgedAt: null,
    filledAt: null,
    canceledAt: null,
    closedAt: null,
    updatedAt: AT,
    ...overrides,
  };
}

export function sampleView(overrides: Partial<VenueOrder> = {}): VenueOrder {
  return {
    venueOrderId: 'o1',
    venueClientId: 'v1',
    venueSymbol: 'BTC-PERP',
    side: 'buy',
    type: 'limit',
    timeInForce: 'GTC',
    quantity: '10',
    limitPrice: '100',
    filledQuantity: '0',
    avgPrice: null,
    status: 'open',
    reasonCode: null,
    postOnly: false,
    reduceOnly: false,
    revision: 1,
    updatedAtMs: 1_000,
    ...overrides,
  };
}

export function sampleFill(overrides: Partial<VenueFill> = {}): VenueFill {
  return {
    venueFillId: 'f1',
    venueOrderId: 'o1',
    venueClientId: 'v1',
    venueSymbol: 'BTC-PERP',
    side: 'buy',
    price: '100',
    quantity: '1',
    fee: '0.1',
    feeAsset: 'USDC',
    liquidity: 'maker',
    realizedPnl: null,
    atMs: 1_000,
    ...overrides,
  };
}
