/** Hyperliquid as the port tells of venues: what it takes, why repeats are safe, and what may be asked of it. */
import type * as port from '../../domain/venue';
import type * as wire from './schemas';

/** Weight 1 + floor(n / 40) an action: more orders in one request gain little and hold each other up. */
const MAX_BATCH_SIZE = 40;
/** What an address of the network may ask for; a fifth of it is for exits, cancels and outcome queries. */
function hyperliquidBudget(weightPerMinute: number): port.RateBudgetRule {
  return { capacity: weightPerMinute, refillPerSecond: weightPerMinute / 60, reserve: 0.2 };
}

/** What the venue can do. */
export function hyperliquidCapabilities({ absenceFinalAfterMs, weightPerMinute }: wire.HyperliquidOptions): port.VenueCapabilities {
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
    collateralMoves: ['margin', 'transfer'],
    groupings: ['entryWithExits', 'positionExits'],
    deadManSwitch: true,
    marginModes: ['cross', 'isolated'],
    fullFillHistory: true,
    budget: hyperliquidBudget(weightPerMinute),
  };
}
