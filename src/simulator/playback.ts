/** A recording being played: one event after the other, at its own pace or when asked, with a book where it has none. */
import { basename } from 'node:path';
import { Decimal } from '../domain/decimal';
import type { AmbientLevel, AmbientUpdate } from './book';
import type { PaperMarket } from './market';
import type { MarketTrade } from './matching';
import { nothingIn, type RecordedEvent, type Recording } from './recordings';

/** Levels behind each best price of a recording that tells trades only. */
const MADE_UP_LEVELS = 20;
/** Distance between two of them: half a basis point, as in the generated markets. */
const MADE_UP_STEP = new Decimal('0.00005');
/** Each level behind the best holds so much more of the market's typical quantity than the one before it. */
const MADE_UP_GROWTH = new Decimal('0.25');

export interface PlaybackOptions {
  /** Recording time per real time; 0: it stands still and moves only by `step`. */
  readonly speed: number;
  /** True: it starts over at its end. False: its last book stays. */
  readonly loop: boolean;
  readonly warn: (line: string) => void;
}

/** What becomes of an event: nothing where the market left its recording. */
export interface PlaybackSink {
  open(update: AmbientUpdate): void;
  update(update: AmbientUpdate): void;
  trade(trade: MarketTrade, depth: AmbientUpdate): void;
}

export class Playback {
  private readonly depth: MadeUpDepth;
  private events: AsyncGenerator<RecordedEvent, void> | null = null;
  private next: RecordedEvent | null = null;
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(
    readonly recording: Recording,
    private readonly options: PlaybackOptions,
    private readonly sink: PlaybackSink,
  ) {
    this.depth = new MadeUpDepth(recording.market);
  }

  /** Fills the book from the first event. Throws when there is none, or when it cannot be read. */
  async open(): Promise<void> {
    await this.readNext();
    const first = this.next;
    if (first === null) throw new Error(nothingIn(this.recording.path));
    this.sink.open(first.kind === 'book' ? first.update : this.depth.after(first.trade));
    await this.readNext();
  }

  /** Plays by itself from here on. */
  start(): void {
    if (this.options.speed > 0) this.schedule();
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    void this.events?.return();
  }

  describe(): string {
    const { path, format, market } = this.recording;
    const end = this.options.loop ? 'looped' : 'its last book stays';
    return `recording ${basename(path)} for ${market.symbol} (${format}) at speed ${this.options.speed} (${end})`;
  }

  /** Applies the next event; false at the end. */
  async step(): Promise<boolean> {
    if (this.next === null) return false;
    this.apply(this.next);
    await this.readNext();
    return true;
  }

  private apply(event: RecordedEvent): void {
    if (event.kind === 'book') this.sink.update(event.update);
    else this.sink.trade(event.trade, this.depth.after(event.trade));
  }

  private async readNext(): Promise<void> {
    const isFirst = this.events === null;
    this.events ??= this.recording.read();
    let read = await this.events.next();
    if (read.done === true && this.options.loop && !isFirst) {
      // The new round's first event comes when the last one of the old did: its delay is then zero.
      this.events = this.recording.read();
      read = await this.events.next();
    }
    this.next = read.done === true ? null : read.value;
  }

  private schedule(): void {
    if (this.next === null || this.stopped) return;
    let last = this.next.time;
    const advance = (): void => {
      if (this.stopped) return;
      this.step().then(
        () => {
          const following = this.next;
          if (following === null || this.stopped) return;
          const delayMs = Math.max(0, following.time - last) / this.options.speed;
          last = following.time;
          this.timer = setTimeout(advance, delayMs);
        },
        (error: Error) => this.options.warn(`recording stopped, its last book stays: ${error.message}`),
      );
    };
    this.timer = setTimeout(advance, 0);
  }
}

/**
 * A book around recorded trades, which tell none: on each side the last trade's price with its quantity, and behind it
 * levels of the market's typical quantity, so that market orders find somebody. No evidence of anything (`depthOnly`).
 */
class MadeUpDepth {
  private bid: MarketTrade | null = null;
  private ask: MarketTrade | null = null;

  constructor(private readonly market: PaperMarket) {}

  after(trade: MarketTrade): AmbientUpdate {
    const { tickSize } = this.market;
    if (trade.side === 'buy') {
      this.ask = trade;
      if (this.bid === null || this.bid.price.greaterThanOrEqualTo(trade.price)) this.bid = { ...trade, price: trade.price.minus(tickSize) };
    } else {
      this.bid = trade;
      if (this.ask === null || this.ask.price.lessThanOrEqualTo(trade.price)) this.ask = { ...trade, price: trade.price.plus(tickSize) };
    }
    return { bids: this.levels(this.bid, -1), asks: this.levels(this.ask ?? trade, 1), replace: true, depthOnly: true };
  }

  private levels(best: MarketTrade, direction: 1 | -1): AmbientLevel[] {
    const { tickSize, levelQuantity } = this.market;
    const step = Decimal.max(1, best.price.times(MADE_UP_STEP).dividedToIntegerBy(tickSize)).times(tickSize).times(direction);
    const levels: AmbientLevel[] = best.quantity.isZero() ? [] : [[best.price, best.quantity]];
    for (let level = 1; level <= MADE_UP_LEVELS; level += 1) {
      const price = best.price.plus(step.times(level));
      if (price.greaterThan(0)) levels.push([price, levelQuantity.times(MADE_UP_GROWTH.times(level).plus(1)).toDecimalPlaces(this.market.lotSize.decimalPlaces())]);
    }
    return levels;
  }
}
