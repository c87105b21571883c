import { Decimal, ZERO, maxOf, minOf } from '../domain/decimal';
import type { Order, Side } from './order';

/** A price and what waits there: the market data's own quantity first in the queue, then client orders in time order. */
export class Level {
  /** Insertion order is time priority; a Set removes from the middle without a search. */
  readonly orders = new Set<Order>();
  ambient: Decimal = ZERO;
  resting: Decimal = ZERO;

  constructor(
    readonly price: Decimal,
    readonly text: string,
  ) {}

  get total(): Decimal {
    return this.ambient.plus(this.resting);
  }

  get empty(): boolean {
    return this.orders.size === 0 && this.ambient.isZero();
  }
}

/** One side of a book, best price first. */
export class BookSide {
  readonly levels: Level[] = [];
  /** Prices whose total changed since the last published delta. */
  readonly changed = new Set<string>();

  constructor(readonly side: Side) {}

  best(): Level | undefined {
    return this.levels[0];
  }

  /** True when an order of the other side limited at `limit` (null: at any price) may trade at `price`. */
  reaches(price: Decimal, limit: Decimal | null): boolean {
    if (limit === null) return true;
    return this.side === 'buy' ? price.greaterThanOrEqualTo(limit) : price.lessThanOrEqualTo(limit);
  }

  find(price: Decimal): Level | undefined {
    const level = this.levels[this.lowerBound(price)];
    return level !== undefined && level.price.equals(price) ? level : undefined;
  }

  at(price: Decimal): Level {
    const index = this.lowerBound(price);
    const found = this.levels[index];
    if (found !== undefined && found.price.equals(price)) return found;
    const level = new Level(price, price.toFixed());
    this.levels.splice(index, 0, level);
    return level;
  }

  /** Says that a level's total changed; drops the level when nothing is left there. */
  touch(level: Level): void {
    this.changed.add(level.text);
    if (!level.empty) return;
    const index = this.lowerBound(level.price);
    if (this.levels[index] === level) this.levels.splice(index, 1);
  }

  /** The best level that holds market-data quantity. */
  bestAmbient(): Level | undefined {
    for (const level of this.levels) if (!level.ambient.isZero()) return level;
    return undefined;
  }

  /** The best level that holds client orders. */
  bestClient(): Level | undefined {
    for (const level of this.levels) if (level.orders.size > 0) return level;
    return undefined;
  }

  /** The best level that holds client orders, none worse than `limit`. */
  bestResting(limit: Decimal): Level | undefined {
    for (const level of this.levels) {
      if (!this.reaches(level.price, limit)) return undefined;
      if (level.orders.size > 0) return level;
    }
    return undefined;
  }

  private lowerBound(price: Decimal): number {
    let low = 0;
    let high = this.levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = (this.levels[middle] as Level).price.comparedTo(price);
      const before = this.side === 'buy' ? order > 0 : order < 0;
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** [price, quantity]; quantity zero deletes a level. */
export type AmbientLevel = readonly [Decimal, Decimal];

export interface AmbientUpdate {
  readonly bids: readonly AmbientLevel[];
  readonly asks: readonly AmbientLevel[];
  /** True: levels not named are emptied (a snapshot). False: only the named levels change (a delta). */
  readonly replace: boolean;
  /**
   * True: a picture of the depth made up around a recorded price, no evidence of what traded or left. It fills no client
   * order (levels that would are left out), and moves none up in its queue.
   */
  readonly depthOnly?: boolean;
}

/** The book of one market: market-data ("ambient") liquidity and the client orders that rest in it. */
export class Book {
  readonly bids = new BookSide('buy');
  readonly asks = new BookSide('sell');
  /** Grows by one with every published change. */
  sequence = 0;
  private mid: Decimal | null = null;
  private midStale = false;

  side(side: Side): BookSide {
    return side === 'buy' ? this.bids : this.asks;
  }

  /** Puts an open order at the end of its price's queue. */
  rest(order: Order): void {
    const side = this.side(order.side);
    const level = side.at(order.price as Decimal);
    order.queueAhead = level.ambient;
    level.orders.add(order);
    level.resting = level.resting.plus(order.leaves);
    side.touch(level);
  }

  remove(order: Order): void {
    const side = this.side(order.side);
    const level = side.find(order.price as Decimal);
    if (level === undefined || !level.orders.delete(order)) return;
    level.resting = level.resting.minus(order.leaves);
    side.touch(level);
  }

  /** A resting order became smaller by `quantity` where it stands (a fill, or an amend that keeps its place). */
  shrink(order: Order, quantity: Decimal): void {
    const side = this.side(order.side);
    const level = side.find(order.price as Decimal);
    if (level === undefined || !level.orders.has(order)) return;
    level.resting = level.resting.minus(quantity);
    if (order.leaves.isZero()) level.orders.delete(order);
    side.touch(level);
  }

  /** `passed`: how much of the queue before the level's orders that was, if more than is shown there. */
  takeAmbient(side: BookSide, level: Level, quantity: Decimal, passed: Decimal = quantity): void {
    level.ambient = level.ambient.minus(quantity);
    for (const order of level.orders) order.queueAhead = maxOf(ZERO, order.queueAhead.minus(passed));
    this.midStale = true;
    side.touch(level);
  }

  /** Applies market data. What clients consumed stays consumed at every level the update does not name. */
  update(update: AmbientUpdate): void {
    this.updateSide(this.bids, update.bids, update);
    this.updateSide(this.asks, update.asks, update);
    this.midStale = true;
  }

  /** The middle of the market data's best prices: the mark. Null until the first data; the last one while a side is empty. */
  mark(): Decimal | null {
    if (!this.midStale) return this.mid;
    this.midStale = false;
    const bid = this.bids.bestAmbient();
    const ask = this.asks.bestAmbient();
    if (bid !== undefined && ask !== undefined) this.mid = bid.price.plus(ask.price).dividedBy(2);
    return this.mid;
  }

  view(side: Side, depth: number): [string, string][] {
    return this.side(side)
      .levels.slice(0, depth)
      .map((level) => [level.text, level.total.toFixed()]);
  }

  private updateSide(side: BookSide, levels: readonly AmbientLevel[], { replace, depthOnly = false }: AmbientUpdate): void {
    if (replace) {
      const named = new Set(levels.map(([price]) => price.toFixed()));
      for (const level of [...side.levels]) {
        if (!level.ambient.isZero() && !named.has(level.text)) setAmbient(side, level, ZERO, depthOnly);
      }
    }
    for (const [price, quantity] of levels) {
      const level = quantity.isZero() ? side.find(price) : side.at(price);
      if (level !== undefined && !level.ambient.equals(quantity)) setAmbient(side, level, quantity, depthOnly);
    }
  }
}

/** What left a level may have stood behind an order as well as before it: it counts as behind while that is possible. */
function setAmbient(side: BookSide, level: Level, quantity: Decimal, depthOnly: boolean): void {
  level.ambient = quantity;
  if (!depthOnly) for (const order of level.orders) order.queueAhead = minOf(order.queueAhead, quantity);
  side.touch(level);
}
