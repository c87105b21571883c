/** What travels on the price, book, trades and feed topics. `observedAtMs`: the watcher's clock when the venue last said it. */
import { z } from 'zod';
import type { OrderBook, PublicTrade, Ticker } from '../../domain/market';

const priceOrNull = z.string().nullable();

const tickerSchema = z.object({ venue: z.string(), symbol: z.string(), bid: priceOrNull, ask: priceOrNull, last: priceOrNull, mark: priceOrNull, index: priceOrNull.optional(), at: z.number() }) satisfies z.ZodType<Ticker>;
const levelSchema = z.tuple([z.string(), z.string()]);
const bookSchema = z.object({ venue: z.string(), symbol: z.string(), bids: z.array(levelSchema), asks: z.array(levelSchema), sequence: z.number(), at: z.number() }) satisfies z.ZodType<OrderBook>;

export const priceMessageSchema = z.object({ ticker: tickerSchema, observedAtMs: z.number() });
export type PriceMessage = z.infer<typeof priceMessageSchema>;

export const bookMessageSchema = z.object({ book: bookSchema, observedAtMs: z.number() });
export type BookMessage = z.infer<typeof bookMessageSchema>;

export interface TradesMessage {
  readonly venue: string;
  readonly symbol: string;
  readonly trades: readonly PublicTrade[];
}

/** `down`: nothing known of the venue's markets is fresh, whatever its age. */
export const feedMessageSchema = z.object({ venue: z.string(), state: z.enum(['live', 'down']), reason: z.string(), observedAtMs: z.number() });
export type FeedMessage = z.infer<typeof feedMessageSchema>;
