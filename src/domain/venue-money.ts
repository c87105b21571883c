/** What a venue says of money: fills, positions, balances, funding, and collateral that moves (the port: venue.ts). */
import type { Balance } from './account';
import type { OrderSide } from './order';

export interface VenueFill {
  readonly venueFillId: string;
  readonly venueOrderId: string;
  readonly venueClientId: string | null;
  readonly venueSymbol: string;
  readonly side: OrderSide;
  readonly price: string;
  readonly quantity: string;
  readonly fee: string;
  readonly feeAsset: string;
  readonly liquidity: 'maker' | 'taker';
  readonly realizedPnl: string | null;
  readonly atMs: number;
}

/** One page of fills, oldest first. `next`: how to ask for the one after it; `truncatedBeforeMs`: the venue hides what is older; null: it hides nothing. */
export interface FillsPage {
  readonly fills: readonly VenueFill[];
  readonly next: string | null;
  readonly truncatedBeforeMs: number | null;
}

export interface VenuePosition {
  readonly venueSymbol: string;
  readonly side: 'long' | 'short';
  readonly quantity: string;
  readonly entryPrice: string;
  readonly markPrice: string | null;
  readonly leverage: string | null;
  readonly margin: string | null;
  readonly liquidationPrice: string | null;
  readonly unrealizedPnl: string | null;
  readonly realizedPnl: string | null;
}

export type VenueBalance = Pick<Balance, 'asset' | 'total' | 'available' | 'locked'>;

/** One position's funding at one funding time. */
export interface VenueFundingPayment {
  /** Unique within the account and the market. */
  readonly venuePaymentId: string;
  readonly venueSymbol: string;
  /** What the balance changed by, in `asset`: negative was paid, positive received. */
  readonly amount: string;
  readonly asset: string;
  /** Of one funding period; null where the venue does not tell it. */
  readonly rate: string | null;
  /** Signed: negative is short; null where the venue does not tell it. */
  readonly quantity: string | null;
  readonly markPrice: string | null;
  /** Venue's time (ms) of the funding it is for. */
  readonly atMs: number;
}

export interface FundingPaymentsPage {
  readonly payments: readonly VenueFundingPayment[];
  /** Cursor of the next page, or null at the venue's end. */
  readonly next: string | null;
}
