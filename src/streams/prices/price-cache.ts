/** The newest ticker of every market, from the bus, with its age: what risk judges by and what clients are shown. */
import { HOST_CLOCK_JUMP_MS, type Clock } from '../../domain/clock';
import { decimal, decimalText, isPlainDecimal } from '../../domain/decimal';
import type { OrderBook, Ticker } from '../../domain/market';
import type { Bus, JsonObject } from '../bus/bus';
import { bookMessageSchema, feedMessageSchema, priceMessageSchema } from './market-messages';
import { TOPIC_PREFIXES } from '../bus/topics';

/**
 * A price nobody confirmed for longer is stale, and no entry is judged by it. The watcher confirms each price every
 * SILENCE_MS of market-data.ts at the latest, so three confirmations must be missing.
 */
export const PRICE_STALE_AFTER_MS = 10_000;

export interface Aged {
  readonly ageMs: number;
  /** Not confirmed for PRICE_STALE_AFTER_MS, or seen later than now by more than HOST_CLOCK_JUMP_MS, or its venue's market data is down. */
  readonly stale: boolean;
}
export interface PricedTicker extends Aged {
  readonly ticker: Ticker;
}
export interface AgedBook extends Aged {
  readonly book: OrderBook;
}

/** Told of each new value. */
export type MarketListener = (venue: string, symbol: string) => void;

interface Entry<T> {
  readonly value: T;
  readonly observedAtMs: number;
}

export interface PriceCacheOptions {
  readonly bus: Pick<Bus, 'subscribe'>;
  readonly clock: Clock;
}

export class PriceCache {
  private readonly prices = new Map<string, Entry<Ticker>>();
  private readonly books = new Map<string, Entry<OrderBook>>();
  /** When each venue's market data went down; absent while it is live. */
  private readonly downSinceMs = new Map<string, number>();
  private readonly priceListeners = new Set<MarketListener>();
  private readonly bookListeners = new Set<MarketListener>();
  private stopBooks: (() => void) | null = null;
  private readonly stops: (() => void)[];

  constructor(private readonly options: PriceCacheOptions) {
    const { bus } = options;
    this.stops = [bus.subscribe(TOPIC_PREFIXES.price, (message) => this.heardPrice(message)), bus.subscribe(TOPIC_PREFIXES.feed, (message) => this.heardFeed(message))];
  }

  latest(venue: string, symbol: string): PricedTicker | null {
    const entry = this.prices.get(key(venue, symbol));
    return entry ? { ticker: entry.value, ...this.aged(venue, entry.observedAtMs) } : null;
  }

  /** All known; null asks for every venue or symbol. */
  list(venue: string | null, symbols: readonly string[] | null): PricedTicker[] {
    const wanted = symbols && new Set(symbols);
    const known = [...this.prices.values()].filter(({ value }) => (venue === null || value.venue === venue) && (wanted === null || wanted.has(value.symbol)));
    return known.map(({ value, observedAtMs }) => ({ ticker: value, ...this.aged(value.venue, observedAtMs) }));
  }

  /** The mark price, else the middle of an uncrossed book's best, else the last trade; null when stale, absent or not above zero. */
  markOf(venue: string, symbol: string): string | null {
    const latest = this.latest(venue, symbol);
    return latest === null || latest.stale ? null : markOfTicker(latest.ticker);
  }

  /** The best prices, each null where the venue shows none above zero; null when stale or absent. */
  quoteOf(venue: string, symbol: string): { readonly bid: string | null; readonly ask: string | null } | null {
    const latest = this.latest(venue, symbol);
    if (latest === null || latest.stale) return null;
    const { bid, ask } = latest.ticker;
    return { bid: bid === null ? null : aboveZero(bid), ask: ask === null ? null : aboveZero(ask) };
  }

  /** The best levels; known from the first call of `onBook` in this process on. */
  book(venue: string, symbol: string): AgedBook | null {
    const entry = this.books.get(key(venue, symbol));
    return entry ? { book: entry.value, ...this.aged(venue, entry.observedAtMs) } : null;
  }

  onPrice(listener: MarketListener): () => void {
    this.priceListeners.add(listener);
    return () => void this.priceListeners.delete(listener);
  }

  /** Books are large: they are fetched only in a process that shows them. */
  onBook(listener: MarketListener): () => void {
    this.bookListeners.add(listener);
    this.stopBooks ??= this.options.bus.subscribe(TOPIC_PREFIXES.book, (message) => this.heardBook(message));
    return () => void this.bookListeners.delete(listener);
  }

  close(): void {
    for (const stop of this.stops) stop();
    this.stopBooks?.();
  }

  private heardPrice(message: JsonObject): void {
    const { ticker, observedAtMs } = priceMessageSchema.parse(message);
    keepNewest(this.prices, ticker, observedAtMs, this.priceListeners);
  }

  private heardBook(message: JsonObject): void {
    const { book, observedAtMs } = bookMessageSchema.parse(message);
    keepNewest(this.books, book, observedAtMs, this.bookListeners);
  }

  private heardFeed(message: JsonObject): void {
    const { venue, state, observedAtMs } = feedMessageSchema.parse(message);
    if (state === 'live') this.downSinceMs.delete(venue);
    else this.downSinceMs.set(venue, observedAtMs);
    // What is shown of the venue became stale, or fresh again.
    for (const { value } of this.prices.values()) if (value.venue === venue) for (const listener of this.priceListeners) listener(venue, value.symbol);
    for (const { value } of this.books.values()) if (value.venue === venue) for (const listener of this.bookListeners) listener(venue, value.symbol);
  }

  private aged(venue: string, observedAtMs: number): Aged {
    const sinceMs = this.options.clock.nowMs() - observedAtMs;
    // Clocks of two hosts differ a little: nothing is younger than now.
    const ageMs = Math.max(0, sinceMs);
    const downSinceMs = this.downSinceMs.get(venue);
    // A price seen after the feed went down proves itself.
    const down = downSinceMs !== undefined && observedAtMs <= downSinceMs;
    return { ageMs, stale: down || ageMs > PRICE_STALE_AFTER_MS || sinceMs < -HOST_CLOCK_JUMP_MS };
  }
}

/** See PriceCache.markOf, staleness apart. */
export function markOfTicker({ mark, bid, ask, last }: Ticker): string | null {
  if (mark !== null) return aboveZero(mark);
  if (bid !== null && ask !== null) {
    if (aboveZero(bid) === null || aboveZero(ask) === null || decimal(bid).greaterThanOrEqualTo(ask)) return null;
    return decimalText(decimal(bid).plus(ask).dividedBy(2));
  }
  return last === null ? null : aboveZero(last);
}

function aboveZero(text: string): string | null {
  return isPlainDecimal(text) && decimal(text).greaterThan(0) ? text : null;
}

function keepNewest<T extends { readonly venue: string; readonly symbol: string }>(entries: Map<string, Entry<T>>, value: T, observedAtMs: number, listeners: ReadonlySet<MarketListener>): void {
  const name = key(value.venue, value.symbol);
  // After a take-over two watchers may publish for a moment.
  const laterMs = (entries.get(name)?.observedAtMs ?? -Infinity) - observedAtMs;
  if (laterMs > 0 && laterMs <= HOST_CLOCK_JUMP_MS) return;
  entries.set(name, { value, observedAtMs });
  for (const listener of listeners) listener(value.venue, value.symbol);
}

function key(venue: string, symbol: string): string {
  return `${venue}/${symbol}`;
}
