import { Decimal } from '../domain/decimal';
import type { AmbientLevel, AmbientUpdate } from './book';
import type { PaperMarket } from './market';
import type { Side } from './order';

/** Levels per side: deep enough that a 50,000 USD order walks a few of them and never empties the book. */
const LEVELS = 20;
/** Distance between two levels, as a fraction of the price: half a basis point. */
const LEVEL_STEP_FRACTION = 0.00005;
/** Largest move of one tick, in level steps: about 60 % a year at four ticks a second. */
const MAX_MOVE_STEPS = 2;
/** One tick in five prints a trade at the best price. */
const TRADE_CHANCE = 0.2;

/** A trade of the market's own traffic. */
export interface AmbientTrade {
  readonly side: Side;
  readonly quantity: Decimal;
}

/** Mulberry32: a small seeded generator of numbers in [0, 1), the same on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * A random walk and a book around it for one market. Prices are counted in ticks and quantities in lots (integers), and
 * become decimals only by an exact multiplication. Pure: the same seed and calls give the same books.
 */
export class GeneratedMarket {
  private middleTicks: number;
  private readonly random: () => number;
  private readonly bestLots: number;

  constructor(
    readonly market: PaperMarket,
    seed: number,
  ) {
    this.random = seededRandom(seed);
    this.middleTicks = this.inTicks(market.startPrice);
    this.bestLots = Math.max(1, market.levelQuantity.dividedToIntegerBy(market.lotSize).toNumber());
  }

  price(): Decimal {
    return this.ticks(this.middleTicks);
  }

  /** Puts the middle at `price` (rounded to the tick); the walk goes on from there. */
  moveTo(price: Decimal): AmbientUpdate {
    this.middleTicks = this.inTicks(price);
    return this.book();
  }

  /** One step of the walk. */
  step(): AmbientUpdate {
    const steps = Math.round((this.random() * 2 - 1) * MAX_MOVE_STEPS);
    // Never below the room its own levels need.
    this.middleTicks = Math.max((LEVELS + 1) * this.stepTicks(), this.middleTicks + steps * this.stepTicks());
    return this.book();
  }

  /** Perhaps a trade of the market's own traffic. */
  trade(): AmbientTrade | null {
    if (this.random() >= TRADE_CHANCE) return null;
    const side = this.random() < 0.5 ? 'buy' : 'sell';
    const lots = 1 + Math.floor((this.random() * this.bestLots) / 10);
    return { side, quantity: this.market.lotSize.times(lots) };
  }

  /** The whole book around the present middle. */
  book(): AmbientUpdate {
    const step = this.stepTicks();
    const bids: AmbientLevel[] = [];
    const asks: AmbientLevel[] = [];
    for (let level = 1; level <= LEVELS; level += 1) {
      if (this.middleTicks - level * step > 0) bids.push([this.ticks(this.middleTicks - level * step), this.levelQuantity(level)]);
      asks.push([this.ticks(this.middleTicks + level * step), this.levelQuantity(level)]);
    }
    return { bids, asks, replace: true };
  }

  private levelQuantity(level: number): Decimal {
    const lots = Math.max(1, Math.round(this.bestLots * (0.5 + this.random()) * (1 + level / 4)));
    return this.market.lotSize.times(lots);
  }

  private stepTicks(): number {
    return Math.max(1, Math.round(this.middleTicks * LEVEL_STEP_FRACTION));
  }

  private ticks(count: number): Decimal {
    return this.market.tickSize.times(count);
  }

  private inTicks(price: Decimal): number {
    return Math.max(1, price.dividedBy(this.market.tickSize).round().toNumber());
  }
}
