/** The public side: book deltas, tickers, trades and candles of every market. */
import { Decimal } from '../domain/decimal';
import type { Book, BookSide } from './book';
import type { ExchangeState } from './exchange-state';
import type { AmbientTrade } from './generator';
import type { MarketTrade } from './matching';
import { type Trade, tradeView } from './order';
import type { StreamHub } from './stream-hub';
import { Tape } from './tape';

interface Channels {
  readonly tape: Tape;
  tickerSequence: number;
  tickerText: string;
  tradeSequence: number;
}

export interface Ticker {
  symbol: string;
  bid: string | null;
  ask: string | null;
  last: string | null;
  mark: string | null;
}

export class MarketData {
  /** By symbol, of every open market. */
  readonly tapes = new Map<string, Tape>();
  private readonly channels = new Map<string, Channels>();

  constructor(
    private readonly state: ExchangeState,
    private readonly hub: StreamHub,
    private readonly now: () => number,
  ) {
    for (const symbol of state.venues.keys()) {
      const tape = new Tape();
      this.tapes.set(symbol, tape);
      this.channels.set(symbol, { tape, tickerSequence: 0, tickerText: '', tradeSequence: 0 });
    }
  }

  tape(symbol: string): Tape {
    return this.channel(symbol).tape;
  }

  /** Notes the new mark in the candles. */
  priceMoved(symbol: string): void {
    const mark = this.state.markOf(symbol);
    if (mark !== null) this.tape(symbol).addPrice(mark, this.now());
  }

  /** Where a trade of the market's own traffic happens: at the best price, unless less than its quantity stands there. */
  ambientTrade(symbol: string, trade: AmbientTrade): MarketTrade | null {
    const book = this.state.venue(symbol).book;
    const best = (trade.side === 'buy' ? book.asks : book.bids).best();
    return best === undefined || best.total.lessThan(trade.quantity) ? null : { ...trade, price: best.price };
  }

  /** Publishes trades, and the books and tickers that changed since the last call. */
  publish(trades: readonly Trade[]): void {
    for (const trade of trades) this.publishTrade(trade);
    for (const { market, book } of this.state.venues.values()) {
      if (book.bids.changed.size === 0 && book.asks.changed.size === 0) continue;
      this.publishBook(market.symbol, book);
      this.publishTicker(market.symbol);
    }
  }

  ticker(symbol: string): Ticker {
    const { book } = this.state.venue(symbol);
    return {
      symbol,
      bid: book.bids.best()?.text ?? null,
      ask: book.asks.best()?.text ?? null,
      last: textOf(this.tape(symbol).last()?.price ?? book.mark()),
      mark: textOf(book.mark()),
    };
  }

  tickerMessage(symbol: string): string {
    const channel = this.channel(symbol);
    return this.tickerText(symbol, channel);
  }

  /** One ticker on the stream that is not so, as a venue's mistake: the market itself stays as it is. `agoMs`: how old it says it is. */
  misstate(symbol: string, wrong: Partial<Omit<Ticker, 'symbol'>>, agoMs: number): void {
    const channel = this.channel(symbol);
    channel.tickerSequence += 1;
    // What is true afterwards is told again.
    channel.tickerText = '';
    const frame = { channel: 'ticker', sequence: channel.tickerSequence, previousSequence: channel.tickerSequence - 1, time: this.now() - agoMs, ...this.ticker(symbol), ...wrong };
    this.hub.publish(`ticker:${symbol}`, 'ticker', null, JSON.stringify(frame));
  }

  tickerSequence(symbol: string): number {
    return this.channel(symbol).tickerSequence;
  }

  tradeSequence(symbol: string): number {
    return this.channel(symbol).tradeSequence;
  }

  /** The first message of a book subscription. */
  snapshotMessage(symbol: string): string {
    const { book } = this.state.venue(symbol);
    return JSON.stringify({
      channel: 'book',
      symbol,
      type: 'snapshot',
      sequence: book.sequence,
      previousSequence: book.sequence,
      time: this.now(),
      bids: book.view('buy', Infinity),
      asks: book.view('sell', Infinity),
    });
  }

  private publishTrade(trade: Trade): void {
    const channel = this.channel(trade.symbol);
    channel.tape.addTrade(trade);
    const previousSequence = channel.tradeSequence;
    channel.tradeSequence += 1;
    const topic = `trades:${trade.symbol}`;
    if (!this.hub.hasListeners(topic)) return;
    const message = { channel: 'trades', symbol: trade.symbol, sequence: channel.tradeSequence, previousSequence, time: this.now(), trades: [tradeView(trade)] };
    this.hub.publish(topic, 'trades', null, JSON.stringify(message));
  }

  private publishBook(symbol: string, book: Book): void {
    const previousSequence = book.sequence;
    book.sequence += 1;
    const topic = `book:${symbol}`;
    if (this.hub.hasListeners(topic)) {
      const message = {
        channel: 'book',
        symbol,
        type: 'delta',
        sequence: book.sequence,
        previousSequence,
        time: this.now(),
        bids: changedLevels(book.bids),
        asks: changedLevels(book.asks),
      };
      this.hub.publish(topic, 'book', null, JSON.stringify(message));
    }
    book.bids.changed.clear();
    book.asks.changed.clear();
  }

  private publishTicker(symbol: string): void {
    const channel = this.channel(symbol);
    const topic = `ticker:${symbol}`;
    if (!this.hub.hasListeners(topic)) return;
    const text = JSON.stringify(this.ticker(symbol));
    if (text === channel.tickerText) return;
    channel.tickerText = text;
    channel.tickerSequence += 1;
    this.hub.publish(topic, 'ticker', null, this.tickerText(symbol, channel));
  }

  private tickerText(symbol: string, channel: Channels): string {
    const previousSequence = Math.max(0, channel.tickerSequence - 1);
    return JSON.stringify({ channel: 'ticker', sequence: channel.tickerSequence, previousSequence, time: this.now(), ...this.ticker(symbol) });
  }

  private channel(symbol: string): Channels {
    this.state.venue(symbol);
    return this.channels.get(symbol) as Channels;
  }
}

function textOf(value: Decimal | null): string | null {
  return value === null ? null : value.toFixed();
}

function changedLevels(side: BookSide): [string, string][] {
  return [...side.changed].map((text) => [text, side.find(new Decimal(text))?.total.toFixed() ?? '0']);
}

