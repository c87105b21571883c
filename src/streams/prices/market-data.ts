/**
 * Market data from one venue to the bus, in the watcher's process: tickers and books at a bounded rate but always the last,
 * trades as they come. A market the stream is silent about is asked for, so that a quiet market keeps a confirmed price and
 * a stream that died unnoticed does not keep an old one.
 */
import type { Clock } from '../../domain/clock';
import type { OrderBook, Ticker } from '../../domain/market';
import type { PublicMessage, Venue, VenueStream } from '../../domain/venue';
import { reasonOf, type Bus, type JsonObject } from '../bus/bus';
import type { BookMessage, FeedMessage, PriceMessage, TradesMessage } from './market-messages';
import { OrderBookState } from './order-book-state';
import { TOPICS } from '../bus/topics';

/** Between two publications: triggers are evaluated before this, on every message. After a quiet moment the first goes at once. */
export const PUBLISH_INTERVAL_MS = 50;
/** Levels a side that are published. */
export const BOOK_DEPTH = 50;
/** A market unheard for so long is asked for: a third of what makes a price stale. */
export const SILENCE_MS = 3_000;
/** An answer that takes longer confirms nothing. */
const ASK_TIMEOUT_MS = 2_000;

export interface MarketDataOptions {
  readonly venue: Pick<Venue, 'name' | 'streamPublic' | 'tickers'>;
  /** What the venue calls the markets to watch. */
  readonly venueSymbols: readonly string[];
  /** Our name of what the venue calls so: everything behind this point asks by ours. Absent: both are the same. */
  readonly symbolOf?: (venueSymbol: string) => string;
  readonly bus: Pick<Bus, 'publish'>;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  /** Each message before it is conflated, and each price that was asked for (`asked`): for triggers. */
  readonly onMessage?: (message: PublicMessage, asked: boolean) => void;
  readonly publishIntervalMs?: number;
  readonly silenceMs?: number;
}

export class MarketData {
  private readonly stream: VenueStream;
  private readonly books = new Map<string, OrderBookState>();
  /** `observedAtMs` is published; how long ago it was (`heardAt`) is measured by what nobody sets back. */
  private readonly tickers = new Map<string, { readonly ticker: Ticker; readonly observedAtMs: number; readonly heardAt: number }>();
  private readonly changedTickers = new Set<string>();
  private readonly changedBooks = new Set<string>();
  private readonly silenceTimer: NodeJS.Timeout;
  private publishTimer: NodeJS.Timeout | null = null;
  private publishedAtMs = -Infinity;
  private readonly closing = new AbortController();
  private asking: Promise<void> | null = null;
  private askedAt = -Infinity;
  private state: FeedMessage['state'] | null = null;

  /** Opens the stream, and asks for all tickers at once. */
  constructor(private readonly options: MarketDataOptions) {
    const openedAt = performance.now();
    this.stream = options.venue.streamPublic(options.venueSymbols, (message) => this.heard(message));
    // Told again to the holder by what it misses: prices.
    this.stream.ready.then(() => this.options.onMessage?.({ kind: 'gap', reason: 'the stream begins', missingForMs: performance.now() - openedAt }, false)).catch((error: unknown) => this.tellState('down', reasonOf(error)));
    this.silenceTimer = setInterval(() => this.look(), (options.silenceMs ?? SILENCE_MS) / 3);
    this.ask();
  }

  /** Settles when the stream is subscribed; rejects when the venue refuses it or it is closed before. */
  get ready(): Promise<void> {
    return this.stream.ready;
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearInterval(this.silenceTimer);
    if (this.publishTimer) clearTimeout(this.publishTimer);
    this.stream.close();
    await this.asking;
  }

  private heard(told: PublicMessage): void {
    if (this.closing.signal.aborted) return;
    const message = this.inOurWords(told);
    this.options.onMessage?.(message, false);
    if (message.kind === 'ticker') this.noteTicker(message.ticker);
    else if (message.kind === 'book') this.noteBook(message);
    else if (message.kind === 'trades') this.publish(TOPICS.trades(this.venue, message.symbol), { venue: this.venue, symbol: message.symbol, trades: message.trades } satisfies TradesMessage);
    // Something may be missing: books wait for their next snapshot by themselves, prices are asked for.
    else this.ask();
  }

  private inOurWords(message: PublicMessage): PublicMessage {
    if (message.kind === 'ticker') return { ...message, ticker: this.named(message.ticker) };
    return message.kind === 'book' || message.kind === 'trades' ? this.named(message) : message;
  }

  private named<Told extends { readonly symbol: string }>(told: Told): Told {
    const symbol = this.options.symbolOf?.(told.symbol) ?? told.symbol;
    return symbol === told.symbol ? told : { ...told, symbol };
  }

  private noteTicker(ticker: Ticker): void {
    this.tickers.set(ticker.symbol, { ticker, observedAtMs: this.options.clock.nowMs(), heardAt: performance.now() });
    this.changedTickers.add(ticker.symbol);
    this.tellState('live', 'prices arrive');
    this.schedule();
  }

  private noteBook(message: Extract<PublicMessage, { kind: 'book' }>): void {
    const book = this.books.get(message.symbol) ?? new OrderBookState();
    this.books.set(message.symbol, book);
    book.apply(message);
    this.changedBooks.add(message.symbol);
    this.schedule();
  }

  private schedule(): void {
    const dueInMs = this.publishedAtMs + (this.options.publishIntervalMs ?? PUBLISH_INTERVAL_MS) - performance.now();
    this.publishTimer ??= setTimeout(() => this.publishChanged(), Math.max(0, dueInMs));
  }

  private publishChanged(): void {
    this.publishTimer = null;
    this.publishedAtMs = performance.now();
    for (const symbol of this.changedTickers) {
      const entry = this.tickers.get(symbol);
      if (entry) this.publish(TOPICS.price(this.venue, symbol), { ticker: entry.ticker, observedAtMs: entry.observedAtMs } satisfies PriceMessage);
    }
    for (const symbol of this.changedBooks) {
      const top = this.books.get(symbol)?.top(BOOK_DEPTH);
      const book: OrderBook | null = top ? { venue: this.venue, symbol, ...top } : null;
      if (book) this.publish(TOPICS.book(this.venue, symbol), { book: { ...book, bids: pairs(book.bids), asks: pairs(book.asks) }, observedAtMs: this.options.clock.nowMs() } satisfies BookMessage);
    }
    this.changedTickers.clear();
    this.changedBooks.clear();
  }

  /** Asks where any market was silent for too long, or none was ever heard. */
  private look(): void {
    const before = performance.now() - (this.options.silenceMs ?? SILENCE_MS);
    if (this.askedAt > before) return;
    const silent = this.tickers.size === 0 || [...this.tickers.values()].some(({ heardAt }) => heardAt <= before);
    if (silent) this.ask();
  }

  private ask(): void {
    this.asking ??= this.askTickers().finally(() => {
      this.asking = null;
    });
  }

  private async askTickers(): Promise<void> {
    const askedAt = performance.now();
    this.askedAt = askedAt;
    const late = new AbortController();
    const stop = (): void => late.abort();
    const timer = setTimeout(stop, ASK_TIMEOUT_MS);
    this.closing.signal.addEventListener('abort', stop);
    try {
      const tickers = await this.options.venue.tickers({ signal: late.signal, priority: 'read' });
      if (this.closing.signal.aborted) return;
      for (const told of tickers) {
        const ticker = this.named(told);
        const heard = this.tickers.get(ticker.symbol);
        // The stream overtook the answer; the venue's own times are no guide, its clock may be set back.
        if (heard !== undefined && heard.heardAt >= askedAt) continue;
        // A price that the stream lost, in a market that is silent since, reaches triggers this way only.
        this.options.onMessage?.({ kind: 'ticker', ticker }, true);
        // Some venues tell the last trade on their stream only: it stays the last.
        this.noteTicker({ ...ticker, last: ticker.last ?? heard?.ticker.last ?? null });
      }
    } catch (error) {
      if (this.closing.signal.aborted) return;
      this.options.onError(error);
      if (this.everySilent()) this.tellState('down', reasonOf(error));
    } finally {
      clearTimeout(timer);
      this.closing.signal.removeEventListener('abort', stop);
    }
  }

  private everySilent(): boolean {
    const before = performance.now() - (this.options.silenceMs ?? SILENCE_MS);
    return [...this.tickers.values()].every(({ heardAt }) => heardAt <= before);
  }

  private tellState(state: FeedMessage['state'], reason: string): void {
    if (this.state === state || this.closing.signal.aborted) return;
    this.state = state;
    this.publish(TOPICS.feed(this.venue), { venue: this.venue, state, reason, observedAtMs: this.options.clock.nowMs() } satisfies FeedMessage);
  }

  private publish(topic: string, message: JsonObject): void {
    try {
      this.options.bus.publish(topic, message);
    } catch (error) {
      // One market's strange name or size is not the others' loss.
      this.options.onError(error);
    }
  }

  private get venue(): string {
    return this.options.venue.name;
  }
}

function pairs(levels: OrderBook['bids']): [string, string][] {
  return levels.map(([price, quantity]) => [price, quantity]);
}
