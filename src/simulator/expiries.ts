import type { Order } from './order';

/** The good-till-date orders of the venue, soonest end first. Orders that ended otherwise are dropped when their turn comes. */
export class Expiries {
  private readonly orders: Order[] = [];

  add(order: Order): void {
    if (order.expireAt === null) return;
    let low = 0;
    let high = this.orders.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (timeOf(this.orders[middle] as Order) <= order.expireAt) low = middle + 1;
      else high = middle;
    }
    this.orders.splice(low, 0, order);
  }

  /** Venue time at which the next open order ends; Infinity when there is none. */
  nextAt(): number {
    for (;;) {
      const [first] = this.orders;
      if (first === undefined) return Infinity;
      if (first.status === 'open') return timeOf(first);
      this.orders.shift();
    }
  }

  /** Takes out the next open order whose time has come. */
  takeDue(now: number): Order | undefined {
    return this.nextAt() <= now ? this.orders.shift() : undefined;
  }
}

function timeOf(order: Order): number {
  return order.expireAt ?? Infinity;
}
