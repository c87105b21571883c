/** Where the venue's prices come from, and when: the only place here that sets timers for market data. */
import { basename } from 'node:path';
import { Decimal } from '../domain/decimal';
import type { AmbientUpdate } from './book';
import { type AmbientTrade, GeneratedMarket } from './generator';
import type { PaperMarket } from './market';
import type { MarketTrade } from './matching';
import { type RecordedUpdate, readRecording } from './recording';

export interface PriceSourceOptions {
  readonly markets: readonly PaperMarket[];
  readonly seed: number;
  /** Time between two generator steps; 0: the generated books stand still. */
  readonly tickMs: number;
  /** Path of a recording, or null. */
  readonly data: string | null;
  /** Recording time per real time; 0: it stands still and moves only by `replay`. */
  readonly speed: number;
  /** True: the recording starts over at its end. False: its last book stays. */
  readonly loop: boolean;
  readonly warn: (line: string) => void;
}

export interface PriceSink {
  /** The first book of a market after the start. */
  open(symbol: string, update: AmbientUpdate): void;
  update(symbol: string, update: AmbientUpdate): void;
  /** A trade that a recording tells of, and the book after it. */
  trade(symbol: string, trade: MarketTrade, depth: AmbientUpdate): void;
  /** A trade of a generated market, at its best price. */
  ambientTrade(symbol: string, trade: AmbientTrade): void;
}

/** Where a market was when the venue stopped. */
export interface SavedPrice {
  readonly price: Decimal;
  readonly moved: boolean;
}

export class PriceSource {
  private readonly generated = new Map<string, GeneratedMarket>();
  private recording: AsyncGenerator<RecordedUpdate, void> | null = null;
  private recordedSymbol: string | null = null;
  /** The recorded market was moved by hand: deltas of the recording no longer fit its book. */
  private readonly moved = new Set<string>();
  private next: RecordedUpdate | null = null;
  private ticker: NodeJS.Timeout | null = null;
  private replayTimer: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(
    private readonly options: PriceSourceOptions,
    private readonly sink: PriceSink,
  ) {
    options.markets.forEach((market, index) => this.generated.set(market.symbol, new GeneratedMarket(market, options.seed + index)));
  }

  /** Puts the generated markets where they were when the venue stopped; nothing is published yet. */
  restore(saved: ReadonlyMap<string, SavedPrice>): void {
    for (const [symbol, { price, moved }] of saved) {
      this.generated.get(symbol)?.moveTo(price);
      if (moved) this.moved.add(symbol);
    }
  }

  /** Fills every book and starts the timers. Throws when the recording cannot be read or is of no market here. */
  async start(): Promise<void> {
    if (this.options.data !== null) await this.openRecording(this.options.data);
    for (const [symbol, market] of this.generated) {
      if (this.isGenerated(symbol)) this.sink.open(symbol, market.book());
    }
    if (this.options.tickMs > 0) this.ticker = setInterval(() => this.tick(), this.options.tickMs);
    if (this.options.speed > 0) this.schedule();
  }

  stop(): void {
    this.stopped = true;
    if (this.ticker !== null) clearInterval(this.ticker);
    if (this.replayTimer !== null) clearTimeout(this.replayTimer);
    void this.recording?.return();
  }

  describe(): string {
    const generator = `generator seed ${this.options.seed}`;
    if (this.options.data === null) return generator;
    const end = this.options.loop ? 'looped' : 'its last book stays';
    return `recording ${basename(this.options.data)} for ${this.recordedSymbol ?? '?'} at speed ${this.options.speed} (${end}), ${generator} for the rest`;
  }

  /** Puts a market's middle at `price`. A recorded market leaves its recording: the generator goes on from there. */
  moveTo(symbol: string, price: Decimal): void {
    const market = this.generated.get(symbol);
    if (market === undefined) throw new Error(`no generated market ${symbol}`);
    this.moved.add(symbol);
    this.sink.update(symbol, market.moveTo(price));
  }

  /** The generated markets' middles, for the journal. */
  prices(): { symbol: string; price: string; moved: boolean }[] {
    return [...this.generated]
      .filter(([symbol]) => this.isGenerated(symbol))
      .map(([symbol, market]) => ({ symbol, price: market.price().toFixed(), moved: this.moved.has(symbol) }));
  }

  /** Applies the recording's next `count` messages at once; returns how many there were. */
  async replay(count: number): Promise<number> {
    let applied = 0;
    while (applied < count && this.next !== null) {
      this.applyNext();
      applied += 1;
      await this.readNext();
    }
    return applied;
  }

  private isGenerated(symbol: string): boolean {
    return symbol !== this.recordedSymbol || this.moved.has(symbol);
  }

  private tick(): void {
    for (const [symbol, market] of this.generated) {
      if (!this.isGenerated(symbol)) continue;
      this.sink.update(symbol, market.step());
      const trade = market.trade();
      if (trade !== null) this.sink.ambientTrade(symbol, trade);
    }
  }

  private async openRecording(path: string): Promise<void> {
    this.recording = readRecording(path);
    await this.readNext();
    const first = this.next;
    if (first === null) throw new Error(`${path} holds no order-book message`);
    if (!first.update.replace) throw new Error(`${path} does not begin with a snapshot`);
    const market = this.options.markets.find((candidate) => candidate.recordedAs === first.symbol);
    if (market === undefined) throw new Error(`${path} records ${first.symbol}, which no market here is fed by`);
    this.recordedSymbol = market.symbol;
    if (!this.moved.has(market.symbol)) this.sink.open(market.symbol, first.update);
    await this.readNext();
  }

  private applyNext(): void {
    const message = this.next;
    if (message === null || this.recordedSymbol === null || this.moved.has(this.recordedSymbol)) return;
    this.sink.update(this.recordedSymbol, message.update);
  }

  private async readNext(): Promise<void> {
    const previous = this.next;
    const read = await this.recording?.next();
    this.next = read === undefined || read.done === true ? null : read.value;
    if (this.next === null && previous !== null && this.options.loop && this.options.data !== null) {
      this.recording = readRecording(this.options.data);
      const first = await this.recording.next();
      // The new round's first message comes when the last one of the old did: its delay is then zero.
      this.next = first.done === true ? null : first.value;
    }
  }

  private schedule(): void {
    const message = this.next;
    if (message === null || this.stopped) return;
    let last = message.time;
    const advance = (): void => {
      if (this.stopped) return;
      this.applyNext();
      this.readNext().then(
        () => {
          const following = this.next;
          if (following === null || this.stopped) return;
          const delayMs = Math.max(0, following.time - last) / this.options.speed;
          last = following.time;
          this.replayTimer = setTimeout(advance, delayMs);
        },
        (error: Error) => this.options.warn(`recording stopped, its last book stays: ${error.message}`),
      );
    };
    this.replayTimer = setTimeout(advance, 0);
  }
}
