import { Decimal, decimal } from '../domain/decimal';
import { isValidPrice } from '../domain/grid';
import type { TickRule } from '../domain/market';
import { PaperError } from './errors';

/** Trading rules of one paper market. Quantities are in base units, prices in quote per base. */
export interface PaperMarket {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly kind: 'perpetual' | 'spot';
  readonly assetClass: 'crypto' | 'equity' | 'index' | 'commodity';
  /** Spacing of generated prices, and of clients' prices where there is no `tickRule`. */
  readonly tickSize: Decimal;
  /** Which prices clients may ask for, where that is not a fixed step. */
  readonly tickRule?: TickRule;
  readonly lotSize: Decimal;
  readonly minQuantity: Decimal;
  readonly minNotional: Decimal;
  readonly maxLeverage: number;
  /** A new reduce-only order that rests ends the earliest of those that rest with it for more than the position. Absent: they rest until it is gone. */
  readonly endsExcessReductions?: boolean;
  /** Its positions are always isolated. */
  readonly onlyIsolated?: boolean;
  readonly makerFeeRate: Decimal;
  readonly takerFeeRate: Decimal;
  /** Absent: as most venues, each eight hours. */
  readonly funding?: { readonly rate: Decimal; readonly intervalMs: number };
  readonly status: 'open' | 'closed';
  /** The symbol the same market has in a recording, for example XRPUSDT of Bybit's archive. */
  readonly recordedAs: string;
  /** Where the generator starts, in quote per base. */
  readonly startPrice: Decimal;
  /** Typical quantity of the generator's best level. */
  readonly levelQuantity: Decimal;
}

/** What perpetuals are margined and settled in. */
export const COLLATERAL = 'USDC';

/** Leverage of an account in a market it never set one for (or the market's maximum, if that is lower). */
export const DEFAULT_LEVERAGE = 10;

/** A centralised exchange's base tier for perpetuals: 2 basis points made, 5.5 taken. */
const PERPETUAL_FEES = { makerFeeRate: decimal('0.0002'), takerFeeRate: decimal('0.00055') };
const SPOT_FEES = { makerFeeRate: decimal('0.001'), takerFeeRate: decimal('0.001') };

interface MarketRow {
  base: string;
  tick: string;
  lot: string;
  maxLeverage: number;
  startPrice: string;
  levelQuantity: string;
}

function perpetual(row: MarketRow): PaperMarket {
  return {
    symbol: `${row.base}-PERP`,
    base: row.base,
    quote: COLLATERAL,
    kind: 'perpetual',
    assetClass: 'crypto',
    tickSize: decimal(row.tick),
    lotSize: decimal(row.lot),
    minQuantity: decimal(row.lot),
    minNotional: decimal('5'),
    maxLeverage: row.maxLeverage,
    ...PERPETUAL_FEES,
    status: 'open',
    recordedAs: `${row.base}USDT`,
    startPrice: decimal(row.startPrice),
    levelQuantity: decimal(row.levelQuantity),
  };
}

/** The markets the venue opens with. A recording of Bybit's linear XRPUSDT feeds XRP-PERP. */
export const PAPER_MARKETS: readonly PaperMarket[] = [
  perpetual({ base: 'BTC', tick: '0.1', lot: '0.0001', maxLeverage: 50, startPrice: '97000', levelQuantity: '1.5' }),
  perpetual({ base: 'ETH', tick: '0.01', lot: '0.001', maxLeverage: 50, startPrice: '3600', levelQuantity: '30' }),
  perpetual({ base: 'SOL', tick: '0.01', lot: '0.01', maxLeverage: 20, startPrice: '235', levelQuantity: '400' }),
  perpetual({ base: 'XRP', tick: '0.0001', lot: '0.1', maxLeverage: 20, startPrice: '1.95', levelQuantity: '9000' }),
  {
    symbol: 'BTC-USDT',
    base: 'BTC',
    quote: 'USDT',
    kind: 'spot',
    assetClass: 'crypto',
    tickSize: decimal('0.01'),
    lotSize: decimal('0.00001'),
    minQuantity: decimal('0.00001'),
    minNotional: decimal('5'),
    maxLeverage: 1,
    ...SPOT_FEES,
    status: 'open',
    recordedAs: 'BTC-USDT',
    startPrice: decimal('97000'),
    levelQuantity: decimal('1'),
  },
];

/** Opened only when a recording of them is played, or when they are asked for by name. */
export const RECORDED_MARKETS: readonly PaperMarket[] = [
  {
    symbol: 'XRP-ETH',
    base: 'XRP',
    quote: 'ETH',
    kind: 'spot',
    assetClass: 'crypto',
    tickSize: decimal('0.00000001'),
    lotSize: decimal('1'),
    minQuantity: decimal('1'),
    minNotional: decimal('0.001'),
    maxLeverage: 1,
    ...SPOT_FEES,
    status: 'open',
    recordedAs: 'XRP-ETH',
    startPrice: decimal('0.0015'),
    levelQuantity: decimal('500'),
  },
];

/** Every market the venue can open. */
export const ALL_MARKETS: readonly PaperMarket[] = [...PAPER_MARKETS, ...RECORDED_MARKETS];

/**
 * Checks an order's price and quantity against the market's rules. `reference` is the price a market order's notional is
 * judged at (null when the book is empty; then only the quantity is judged).
 */
export function checkMarketRules(market: PaperMarket, price: Decimal | null, quantity: Decimal, reference: Decimal | null): void {
  if (market.status !== 'open') throw new PaperError('UNKNOWN_MARKET', `${market.symbol} is closed`);
  if (price !== null && market.tickRule !== undefined) {
    if (!isValidPrice(market.tickRule, price)) throw new PaperError('BAD_TICK', `price ${price.toFixed()} is not a price of ${market.symbol}`);
  } else if (price !== null && !price.mod(market.tickSize).isZero()) {
    throw new PaperError('BAD_TICK', `price ${price.toFixed()} is not a multiple of the tick size ${market.tickSize.toFixed()} of ${market.symbol}`);
  }
  if (!quantity.mod(market.lotSize).isZero()) {
    throw new PaperError('BAD_LOT', `quantity ${quantity.toFixed()} is not a multiple of the lot size ${market.lotSize.toFixed()} of ${market.symbol}`);
  }
  if (quantity.lessThan(market.minQuantity)) {
    throw new PaperError('BELOW_MINIMUM', `quantity ${quantity.toFixed()} is below the minimum ${market.minQuantity.toFixed()} of ${market.symbol}`);
  }
  const judgedAt = price ?? reference;
  if (judgedAt !== null && judgedAt.times(quantity).lessThan(market.minNotional)) {
    throw new PaperError('BELOW_MINIMUM', `notional ${judgedAt.times(quantity).toFixed()} is below the minimum ${market.minNotional.toFixed()} of ${market.symbol}`);
  }
}

/** The market as GET /markets shows it. */
export function marketView(market: PaperMarket): Record<string, unknown> {
  return {
    symbol: market.symbol,
    base: market.base,
    quote: market.quote,
    kind: market.kind,
    assetClass: market.assetClass,
    tickSize: market.tickSize.toFixed(),
    lotSize: market.lotSize.toFixed(),
    minQuantity: market.minQuantity.toFixed(),
    minNotional: market.minNotional.toFixed(),
    maxLeverage: String(market.maxLeverage),
    makerFeeRate: market.makerFeeRate.toFixed(),
    takerFeeRate: market.takerFeeRate.toFixed(),
    status: market.status,
  };
}
