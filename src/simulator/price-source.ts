/** Where the venue's prices come from, and when: the only place here that sets timers for market data. */
import { Decimal } from '../domain/decimal';
import type { AmbientUpdate } from './book';
import { type AmbientTrade, GeneratedMarket } from './generator';
import type { PaperMarket } from './market';
import type { MarketTrade } from './matching';
import { Playback } from './playback';
import { openRecording } from './recordings';

export interface PriceSourceOptions {
  readonly markets: readonly PaperMarket[];
  readonly seed: number;
  /** Time between two generator steps; 0: the generated books stand still. */
  readonly tickMs: number;
  /** Path of a recording, or null. */
  readonly data: string | null;
  /** Symbol of the market it feeds; null: as it says itself. */
  readonly dataMarket: string | null;
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
  private playback: Playback | null = null;
  /** The recorded market was moved by hand: its recording no longer fits its book. */
  private readonly moved = new Set<string>();
  private ticker: NodeJS.Timeout | null = null;

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
    if (this.options.data !== null) await this.play(this.options.data);
    for (const [symbol, market] of this.generated) {
      if (this.isGenerated(symbol)) this.sink.open(symbol, market.book());
    }
    if (this.options.tickMs > 0) this.ticker = setInterval(() => this.tick(), this.options.tickMs);
    this.playback?.start();
  }

  stop(): void {
    if (this.ticker !== null) clearInterval(this.ticker);
    this.playback?.stop();
  }

  describe(): string {
    const generator = `generator seed ${this.options.seed}`;
    return this.playback === null ? generator : `${this.playback.describe()}, ${generator} for the rest`;
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

  /** Applies the recording's next `count` messages, trades or quarters of candles at once; returns how many there were. */
  async replay(count: number): Promise<number> {
    let applied = 0;
    while (applied < count && (await this.playback?.step()) === true) applied += 1;
    return applied;
  }

  private isGenerated(symbol: string): boolean {
    return symbol !== this.playback?.recording.market.symbol || this.moved.has(symbol);
  }

  private tick(): void {
    for (const [symbol, market] of this.generated) {
      if (!this.isGenerated(symbol)) continue;
      this.sink.update(symbol, market.step());
      const trade = market.trade();
      if (trade !== null) this.sink.ambientTrade(symbol, trade);
    }
  }

  private async play(path: string): Promise<void> {
    const recording = await openRecording(path, this.options.markets, this.options.dataMarket);
    const { symbol } = recording.market;
    const unlessMoved = (act: () => void): void => {
      if (!this.moved.has(symbol)) act();
    };
    this.playback = new Playback(recording, this.options, {
      open: (update) => unlessMoved(() => this.sink.open(symbol, update)),
      update: (update) => unlessMoved(() => this.sink.update(symbol, update)),
      trade: (trade, depth) => unlessMoved(() => this.sink.trade(symbol, trade, depth)),
    });
    await this.playback.open();
  }
}
