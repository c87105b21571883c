/** A tradable market and its rules, as a venue states them. */

/** How prices are spaced: a fixed step, or a number of significant figures with a cap on decimals (Hyperliquid). */
export type TickRule =
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'significant'; readonly figures: number; readonly maxDecimals: number; readonly integersAlwaysValid: boolean };

export interface Market {
  readonly venue: string;
  /** Unified: `BTC-PERP`, `BTC-USDT`, `xyz:TSLA-PERP`. */
  readonly symbol: string;
  readonly venueSymbol: string;
  readonly assetClass: 'crypto' | 'equity' | 'index' | 'forex' | 'commodity';
  readonly base: string;
  readonly quote: string;
  readonly kind: 'perpetual' | 'spot';
  readonly tickRule: TickRule;
  /** Quantity step. */
  readonly lot: string;
  readonly minQuantity: string;
  /** In quote units; "0" for none. */
  readonly minNotional: string;
  readonly maxLeverage: string;
  /** Fractions, "0.00045" is 4.5 bps. */
  readonly makerFeeRate: string;
  readonly takerFeeRate: string;
  /** When the underlying trades, `Mon-Fri 09:30-16:00 America/New_York`; null: always. What the venue accepts meanwhile says `status`. */
  readonly sessionHours: string | null;
  readonly status: 'open' | 'closed';
}

/** A venue's best prices at one instant. `at` is the venue's time in ms. */
export interface Ticker {
  readonly venue: string;
  readonly symbol: string;
  readonly bid: string | null;
  readonly ask: string | null;
  readonly last: string | null;
  readonly mark: string | null;
  /** Absent where the venue tells none. */
  readonly index?: string | null;
  readonly at: number;
}

/** [price, quantity] from best to worst. */
export type BookLevel = readonly [price: string, quantity: string];

export interface OrderBook {
  readonly venue: string;
  readonly symbol: string;
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
  readonly sequence: number;
  readonly at: number;
}

export interface PublicTrade {
  readonly id: string;
  readonly price: string;
  readonly quantity: string;
  readonly side: 'buy' | 'sell';
  readonly at: number;
}

export interface Candle {
  readonly at: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
}

export interface FundingRate {
  readonly symbol: string;
  readonly rate: string;
  /** What the venue expects to charge at `nextAt`; absent where it predicts nothing. */
  readonly predicted?: string;
  readonly nextAt: number | null;
  readonly at: number;
}
