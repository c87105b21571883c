import { Decimal, ZERO, maxOf, minOf } from '../domain/decimal';
import type { Book, Level } from './book';
import { type Order, type Side, opposite } from './order';

/** Two sides met. A null order is the market data's own liquidity. */
export interface Execution {
  readonly taker: Order | null;
  readonly maker: Order | null;
  readonly takerSide: Side;
  readonly price: Decimal;
  readonly quantity: Decimal;
}

/** A trade of the market data's own traffic; `side` is the taker's. */
export interface MarketTrade {
  readonly side: Side;
  readonly price: Decimal;
  readonly quantity: Decimal;
}

/** What matching needs from the accounts. */
export interface MatchingPort {
  /** How much of a reduce-only order may still fill without turning its account's position; null for other orders. */
  allowance(order: Order): Decimal | null;
  /** Books the execution in the accounts; called after the orders and the book have changed. */
  settle(execution: Execution): void;
  /** Ends a resting reduce-only order that has nothing left to reduce. */
  cancelForReduceOnly(order: Order): void;
}

/**
 * Price-time priority for one market. Pure: no clock, no I/O. At a price the market data's quantity goes first (it was
 * there before any client of a paper venue), then client orders in the order they came. A trade is at the resting price.
 */
export class Matcher {
  constructor(
    readonly book: Book,
    private readonly port: MatchingPort,
  ) {}

  /** Trades an incoming order against the other side as far as its limit reaches. What is left stays in `leaves`. */
  take(taker: Order): void {
    const against = this.book.side(opposite(taker.side));
    while (taker.leaves.greaterThan(0)) {
      const level = against.best();
      if (level === undefined || !against.reaches(level.price, taker.price)) return;
      const wanted = this.cap(taker, taker.leaves);
      if (wanted.isZero()) return;
      if (level.ambient.greaterThan(0)) this.takeAmbient(taker, level, minOf(wanted, level.ambient));
      else this.takeResting(taker, level, wanted);
    }
  }

  /** Fills client orders that new market data crosses, best price and earliest first, at their own prices. */
  crossAmbient(): void {
    for (const side of ['buy', 'sell'] as const) {
      const resting = this.book.side(side);
      const against = this.book.side(opposite(side));
      for (;;) {
        const ambient = against.bestAmbient();
        if (ambient === undefined) break;
        const level = resting.bestResting(ambient.price);
        const maker = level === undefined ? undefined : this.nextMaker(level);
        if (maker === undefined) break;
        const quantity = minOf(this.cap(maker, maker.leaves), ambient.ambient);
        if (quantity.isZero()) {
          this.port.cancelForReduceOnly(maker);
          continue;
        }
        this.book.takeAmbient(against, ambient, quantity);
        this.fill(maker, quantity, maker.price as Decimal, true);
        this.port.settle({ taker: null, maker, takerSide: opposite(side), price: maker.price as Decimal, quantity });
      }
    }
  }

  /**
   * Lets the market data's own trade pass: client orders at better prices fill first, at their own; those at its price in
   * the order they came, each after the market data's quantity that was there before it. Returns what filled none of them.
   */
  tradeThrough({ side, price, quantity }: MarketTrade): Decimal {
    const resting = this.book.side(opposite(side));
    let left = quantity;
    for (;;) {
      const level = resting.bestResting(price);
      const maker = level === undefined || level.price.equals(price) ? undefined : this.nextMaker(level);
      if (maker === undefined || left.isZero()) break;
      left = left.minus(this.fillFromTrade(maker, left, side));
    }
    const level = resting.find(price);
    if (level === undefined) return left;
    let passed = ZERO;
    for (const maker of [...level.orders]) {
      if (left.isZero()) break;
      const before = minOf(left, maxOf(ZERO, maker.queueAhead.minus(passed)));
      passed = passed.plus(before);
      left = left.minus(before);
      if (left.greaterThan(0)) left = left.minus(this.fillFromTrade(maker, left, side));
    }
    // What traded of the market data's quantity is no longer there, whether it stood before the clients or behind them.
    const behind = minOf(left, maxOf(ZERO, level.ambient.minus(passed)));
    this.book.takeAmbient(resting, level, minOf(level.ambient, passed.plus(behind)), passed);
    return left.plus(passed);
  }

  /**
   * What an order would get now, without changing anything: the quantity its limit reaches, its notional, and the worst
   * price. `positions` gives an account's signed position so that reduce-only makers count only for what they may fill.
   */
  preview(side: Side, limit: Decimal | null, quantity: Decimal, positions: (account: string) => Decimal): { quantity: Decimal; notional: Decimal } {
    const against = this.book.side(opposite(side));
    const moved = new Map<string, Decimal>();
    let left = quantity;
    let notional = ZERO;
    for (const level of against.levels) {
      if (left.isZero() || !against.reaches(level.price, limit)) break;
      let taken = minOf(left, level.ambient);
      left = left.minus(taken);
      for (const maker of level.orders) {
        if (left.isZero()) break;
        const position = moved.get(maker.account) ?? positions(maker.account);
        const room = maker.reduceOnly ? reducible(position, maker.side) : maker.leaves;
        const part = minOf(left, minOf(maker.leaves, room));
        moved.set(maker.account, maker.side === 'buy' ? position.plus(part) : position.minus(part));
        taken = taken.plus(part);
        left = left.minus(part);
      }
      notional = notional.plus(taken.times(level.price));
    }
    return { quantity: quantity.minus(left), notional };
  }

  /** The order at the front of a level's queue. */
  protected nextMaker(level: Level): Order | undefined {
    for (const order of level.orders) return order;
    return undefined;
  }

  /** Changes an order by one fill; a resting one also in the book. */
  protected fill(order: Order, quantity: Decimal, price: Decimal, resting: boolean): void {
    order.filled = order.filled.plus(quantity);
    order.leaves = order.leaves.minus(quantity);
    order.filledNotional = order.filledNotional.plus(quantity.times(price));
    if (resting) this.book.shrink(order, quantity);
  }

  /** Fills a resting order from a trade of the market data; returns how much of it that was. */
  private fillFromTrade(maker: Order, available: Decimal, takerSide: Side): Decimal {
    const quantity = minOf(available, this.cap(maker, maker.leaves));
    if (quantity.isZero()) {
      this.port.cancelForReduceOnly(maker);
      return ZERO;
    }
    const price = maker.price as Decimal;
    this.fill(maker, quantity, price, true);
    this.port.settle({ taker: null, maker, takerSide, price, quantity });
    return quantity;
  }

  private takeAmbient(taker: Order, level: Level, quantity: Decimal): void {
    this.book.takeAmbient(this.book.side(opposite(taker.side)), level, quantity);
    this.fill(taker, quantity, level.price, false);
    this.port.settle({ taker, maker: null, takerSide: taker.side, price: level.price, quantity });
  }

  private takeResting(taker: Order, level: Level, wanted: Decimal): void {
    const maker = this.nextMaker(level);
    if (maker === undefined) throw new Error(`book: level ${level.text} is neither empty nor tradable`);
    const quantity = minOf(wanted, this.cap(maker, maker.leaves));
    if (quantity.isZero()) {
      this.port.cancelForReduceOnly(maker);
      return;
    }
    this.fill(maker, quantity, level.price, true);
    this.fill(taker, quantity, level.price, false);
    this.port.settle({ taker, maker, takerSide: taker.side, price: level.price, quantity });
  }

  private cap(order: Order, quantity: Decimal): Decimal {
    const allowance = this.port.allowance(order);
    return allowance === null ? quantity : minOf(quantity, allowance);
  }
}

/** How much an order of `side` can reduce a signed position: zero when the position is flat or on the same side. */
export function reducible(position: Decimal, side: Side): Decimal {
  if (side === 'sell') return position.greaterThan(0) ? position : ZERO;
  return position.lessThan(0) ? position.negated() : ZERO;
}
