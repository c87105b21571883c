/** Markets, venues and prices that the API's tests stand on. */
import type { Market, OrderBook, Ticker } from '../../src/domain/market';
import type { Position } from '../../src/domain/account';
import type { ShownPosition } from '../../src/domain/protection';
import type { Fill } from '../../src/domain/order';
import type { VenuesPort, VenueState } from '../../src/api/ports';
import type { Readiness } from '../../src/schemas/health';

const AT_MS = Date.parse('2026-01-31T12:00:00.000Z');

function market(venue: string, symbol: string, venueSymbol: string): Market {
  return {
    venue, symbol, venueSymbol, assetClass: 'crypto', base: symbol.split('-')[0] ?? symbol, quote: 'USD', kind: 'perpetual',
    tickRule: { kind: 'step', step: '0.5' }, lot: '0.001', minQuantity: '0.001', minNotional: '10', maxLeverage: '20',
    makerFeeRate: '0.0002', takerFeeRate: '0.0005', sessionHours: null, status: 'open',
  };
}

export const MARKETS: readonly Market[] = [
  market('paper', 'BTC-PERP', 'BTCUSD'),
  market('paper', 'ETH-PERP', 'ETHUSD'),
  { ...market('paper', 'OLD-PERP', 'OLDUSD'), status: 'closed' },
  market('other', 'BTC-PERP', 'XBT/USD'),
  market('other', 'xyz:TSLA-PERP', 'TSLA'),
];

const CAPABILITIES: VenueState['capabilities'] = {
  resendSafety: 'uniqueClientId', absenceFinalAfterMs: 120_000, strictNonces: false, nonceRule: 'none', acknowledgement: 'sync', clientIds: true,
  maxBatchSize: 50, orderTypes: ['market', 'limit'], timesInForce: ['GTC', 'IOC', 'FOK'], postOnly: true, reduceOnly: true, amend: 'inPlace',
  deadManSwitch: true, fullFillHistory: true, budget: { capacity: 100, refillPerSecond: 10, reserve: 0.2 },
};

export const VENUES: readonly VenueState[] = [
  { name: 'paper', status: 'available', capabilities: CAPABILITIES },
  { name: 'other', status: 'unavailable', capabilities: { ...CAPABILITIES, collateralMoves: ['margin', 'transfer'], amend: 'none', postOnly: false, reduceOnly: false, timesInForce: ['GTC', 'IOC'] } },
];

export const BOOK: OrderBook = { venue: 'paper', symbol: 'BTC-PERP', bids: [['49999.5', '1'], ['49999', '2']], asks: [['50000.5', '1']], sequence: 7, at: AT_MS };

export const TICKERS: readonly Ticker[] = [
  { venue: 'paper', symbol: 'BTC-PERP', bid: '49999.5', ask: '50000.5', last: '50000', mark: '50000', at: AT_MS },
  { venue: 'other', symbol: 'BTC-PERP', bid: '49998', ask: '50002', last: null, mark: '50000', at: AT_MS },
];

export function readiness(postgresqlAway: boolean, temporalAway: boolean): Readiness {
  const part = (away: boolean): Readiness['temporal'] => ({ status: away ? 'away' : 'ok', detail: away ? 'connection refused' : null });
  return { status: postgresqlAway || temporalAway ? 'notReady' : 'ready', postgresql: part(postgresqlAway), temporal: part(temporalAway), workers: part(false), entries: { status: 'open', detail: null }, chains: [{ name: 'arbitrum', status: 'stalled', detail: 'the endpoints of arbitrum tell different things of block 7: nothing is concluded until they agree', since: '2026-01-31T12:00:00.000Z' }], venues: VENUES.map(({ name, status }) => ({ name, status })) };
}

export function position(id: string, accountId: string, side: Position['side'], quantity: string): ShownPosition {
  const at = new Date(AT_MS).toISOString();
  return {
    id, accountId, venue: 'paper', symbol: 'BTC-PERP', side, quantity, entryPrice: '50000', exitPrice: null, markPrice: '50000', notional: null, leverage: '10', marginMode: 'cross',
    margin: null, liquidationPrice: null, unrealizedPnl: '0', realizedPnl: '0', fees: '0', fundingPaid: '0', profit: '0', tradeId: null, openedAt: at, closedAt: null, updatedAt: at, protection: 'none', desiredStop: null, confirmedStop: null, unprotectedMs: side === 'flat' ? 0 : 1_000,
  };
}

export function fill(accountId: string, orderId: string | null, venueFillId: string): Fill {
  return { venueFillId, orderId, venueOrderId: 'v-1', accountId, venue: 'paper', symbol: 'BTC-PERP', side: 'buy', price: '50000', quantity: '0.01', fee: '0.25', feeAsset: 'USD', liquidity: 'taker', realizedPnl: null, at: new Date(AT_MS).toISOString() };
}

/** What the venues answer to anyone: three trades, an hourly candle for each hour asked for, a funding rate. */
export function publicReads(nowMs: () => number): Omit<VenuesPort, 'list' | 'makeCredentials'> {
  return {
    orderBook: async (_venue, _symbol, depth) => ({ ...BOOK, bids: BOOK.bids.slice(0, depth) }),
    trades: async (_venue, _symbol, limit) => [1, 2, 3].slice(-limit).map((n) => ({ id: `t-${n}`, price: '50000', quantity: `0.${n}`, side: 'buy' as const, at: AT_MS + n })),
    candles: async (_venue, _symbol, { intervalMs, fromMs, toMs }) =>
      Array.from({ length: Math.floor((toMs - fromMs) / intervalMs) }, (_, index) => ({ at: fromMs + index * intervalMs, open: '1', high: '3', low: '0.5', close: '2', volume: '0.1' })),
    funding: async (_venue, symbol) => ({ symbol, rate: '0.0001', predicted: '0.0002', nextAt: AT_MS + 3_600_000, at: AT_MS }),
    fundingHistory: async (venue, symbol, fromMs, toMs) => (venue === 'paper' ? [3, 2, 1].map((hours) => ({ symbol, rate: `0.000${hours}`, nextAt: null, at: AT_MS - hours * 3_600_000 })).filter(({ at }) => at >= fromMs && at <= toMs) : null),
    tickers: async (venue) => TICKERS.filter((ticker) => ticker.venue === venue).map((ticker) => ({ ...ticker, last: '50001', at: nowMs() })),
    timeMs: async () => nowMs() + 25,
    tryCredentials: async () => undefined,
    signerOf: () => null,
  };
}
