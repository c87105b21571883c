import { Decimal } from '../domain/decimal';
import type { Order, TriggerPriceType } from './order';

interface Queues {
  /** Fire when the price rises to them: lowest first. */
  readonly rising: Order[];
  /** Fire when the price falls to them: highest first. */
  readonly falling: Order[];
}

/** The armed orders of one market, sorted by the price that fires them, then by the order in which they came. */
export class TriggerBook {
  private readonly queues: Readonly<Record<TriggerPriceType, Queues>> = { mark: { rising: [], falling: [] }, last: { rising: [], falling: [] } };

  add(order: Order): void {
    const queue = this.queueOf(order);
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (goesBefore(queue[middle] as Order, order)) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, order);
  }

  remove(order: Order): void {
    const queue = this.queueOf(order);
    const index = queue.indexOf(order);
    if (index !== -1) queue.splice(index, 1);
  }

  /** The next order that the prices reach (null: not known yet); it stays here until it is removed. */
  due(mark: Decimal | null, last: Decimal | null): Order | undefined {
    let next: Order | undefined;
    for (const [type, price] of [['mark', mark], ['last', last]] as const) {
      for (const [first] of [this.queues[type].rising, this.queues[type].falling]) {
        if (first === undefined || !isReached(first, price)) continue;
        if (next === undefined || first.priority < next.priority) next = first;
      }
    }
    return next;
  }

  private queueOf(order: Order): Order[] {
    const queues = this.queues[order.triggerPriceType];
    return firesRising(order) ? queues.rising : queues.falling;
  }
}

/** A stop fires against its holder, a take-profit for him. */
export function firesRising({ type, side }: Pick<Order, 'type' | 'side'>): boolean {
  const isStop = type === 'stopMarket' || type === 'stopLimit';
  return isStop === (side === 'buy');
}

/** True when `price` is at the trigger or beyond it; an unknown price reaches nothing. */
export function isReached(order: Pick<Order, 'type' | 'side'> & { readonly triggerPrice?: Decimal | null }, price: Decimal | null): boolean {
  if (price === null || order.triggerPrice === null || order.triggerPrice === undefined) return false;
  return firesRising(order) ? price.greaterThanOrEqualTo(order.triggerPrice) : price.lessThanOrEqualTo(order.triggerPrice);
}

function goesBefore(a: Order, b: Order): boolean {
  const compared = (a.triggerPrice as Decimal).comparedTo(b.triggerPrice as Decimal);
  if (compared === 0) return a.priority < b.priority;
  return firesRising(a) ? compared < 0 : compared > 0;
}
