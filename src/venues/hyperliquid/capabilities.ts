/** What Hyperliquid can do, and how much of it. */
import type * as port from '../../domain/venue';

/** Weight 1 + floor(n / 40) an action: more orders in one request gain little and hold each other up. */
const MAX_BATCH_SIZE = 40;
/** 1,200 of weight a minute and address of the network. */
export const HYPERLIQUID_BUDGET: port.RateBudgetRule = { capacity: 1_200, refillPerSecond: 20, reserve: 0.2 };

export function capabilities(absenceFinalAfterMs: number): port.VenueCapabilities {
  return {
    resendSafety: 'sameBytes',
    absenceFinalAfterMs,
    strictNonces: false,
    nonceRule: 'timeMs',
    acknowledgement: 'sync',
    clientIds: true,
    maxBatchSize: MAX_BATCH_SIZE,
    orderTypes: ['market', 'limit', 'stopMarket', 'stopLimit', 'takeProfitMarket', 'takeProfitLimit'],
    timesInForce: ['GTC', 'IOC'],
    triggerPriceTypes: ['mark'],
    indexPrice: true,
    postOnly: true,
    reduceOnly: true,
    amend: 'cancelReplace',
    groupings: ['entryWithExits', 'positionExits'],
    deadManSwitch: true,
    marginModes: ['cross', 'isolated'],
    fullFillHistory: true,
    budget: HYPERLIQUID_BUDGET,
  };
}
