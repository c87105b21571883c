/** What the streams of a venue tell (the port: venue.ts). */
import type { BookLevel, PublicTrade, Ticker } from './market';
import type { VenueBalance, VenueFill, VenueFundingPayment, VenueOrder, VenuePosition } from './venue';

/** What a private stream tells. `gap` asks the holder to snapshot again. */
export type PrivateMessage =
  | { readonly kind: 'order'; readonly order: VenueOrder; readonly atMs: number }
  | { readonly kind: 'fill'; readonly fill: VenueFill; readonly atMs: number }
  | { readonly kind: 'balance'; readonly balance: VenueBalance; readonly atMs: number }
  | { readonly kind: 'position'; readonly position: VenuePosition | { readonly venueSymbol: string; readonly side: 'flat' }; readonly atMs: number }
  | { readonly kind: 'funding'; readonly payment: VenueFundingPayment; readonly atMs: number }
  /** The venue said something its adapter does not know, in these words; what else it says is read as ever. */
  | { readonly kind: 'drift'; readonly what: string; readonly atMs: number }
  | { readonly kind: 'keyRevoked'; readonly atMs: number }
  | { readonly kind: 'gap'; readonly reason: string };

export type PublicMessage =
  | { readonly kind: 'ticker'; readonly ticker: Ticker }
  | { readonly kind: 'book'; readonly symbol: string; readonly type: 'snapshot' | 'delta'; readonly bids: readonly BookLevel[]; readonly asks: readonly BookLevel[]; readonly sequence: number; readonly atMs: number }
  | { readonly kind: 'trades'; readonly symbol: string; readonly trades: readonly PublicTrade[] }
  /** `missingForMs`: how long ago the last came before what may be missing; messages of the new connection may have been told since. */
  | { readonly kind: 'gap'; readonly reason: string; readonly missingForMs: number };
