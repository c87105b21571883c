/**
 * Open orders as this process heard of them last, so that a cancel soon after needs no read of the row before it is handed over. What a
 * cancel must know beforehand - whose order it is, its account, its venue - never changes; whether there is anything left to cancel
 * is decided by the transaction that records the cancel, under the order's lock. An order that ended, that waits in a workflow, or that
 * nobody here heard of lately is read.
 */
import type { Clock } from '../domain/clock';
import { isHeld } from '../domain/condition';
import { isTerminal, type Order } from '../domain/order';
import { RECENT_ORDER_MAX_AGE_MS, RECENT_ORDERS_SIZE } from './limits';

interface Heard {
  readonly order: Order;
  readonly atMs: number;
}

export class RecentOrders {
  /** The one heard of longest ago first. */
  private readonly heard = new Map<string, Heard>();

  constructor(private readonly clock: Clock) {}

  /** A committed view of the order, by an event or its row; views may come in any order. */
  see(order: Order): void {
    const known = this.heard.get(order.id);
    if (known !== undefined && known.order.revision > order.revision) return;
    this.heard.delete(order.id);
    if (isTerminal(order.state) || isHeld(order)) return;
    this.heard.set(order.id, { order, atMs: this.clock.nowMs() });
    if (this.heard.size <= RECENT_ORDERS_SIZE) return;
    const [oldest] = this.heard.keys();
    if (oldest !== undefined) this.heard.delete(oldest);
  }

  /** The caller's open order, as it was lately; null: read it. */
  open(orderId: string, userId: string): Order | null {
    const known = this.heard.get(orderId);
    if (known === undefined || known.order.userId !== userId || known.atMs + RECENT_ORDER_MAX_AGE_MS <= this.clock.nowMs()) return null;
    return known.order;
  }
}
