import type { AmbientUpdate } from '../book';
import type { MarketTrade } from '../matching';

/** One moment of a recording. */
export type RecordedEvent =
  /** The book as it was, or what changed in it. */
  | { readonly kind: 'book'; readonly time: number; readonly update: AmbientUpdate }
  /** A trade; of quantity zero where only the price is known. */
  | { readonly kind: 'trade'; readonly time: number; readonly trade: MarketTrade };
