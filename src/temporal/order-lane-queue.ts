/** What waits in a lane for its turn: no more than can be started in time, and nothing longer than it may be started. */
import type { Clock } from '../domain/clock';
import { DomainError } from '../domain/errors';

/**
 * Orders that may wait in one lane, and as many exits: what could be started within the ten seconds that an intent lives, at 2.5 ms an order,
 * which is quicker than any that was measured. More would only wait to be too late. About 4 MB.
 */
export const MAX_WAITING_ORDERS = 4_000;

/** By then a fifth of a full queue is started, or all of it is past its time. */
const FULL_RETRY_AFTER_S = 2;

/** What is past its time leaves room: the same may be asked for at once, and not in a loop. */
const EXPIRED_RETRY_AFTER_S = 1;

export interface QueueOptions<Item> {
  /** The clock by which `startBeforeMs` was set. */
  readonly clock: Clock;
  /** From then on, ms, an item is not started any more: it would only be recorded as not sent. */
  readonly startBeforeMs: (item: Item) => number;
  readonly isExit: (item: Item) => boolean;
  /** Where not all that wait fit into one group. */
  readonly exitsFirst: boolean;
  /** Most orders of one group. */
  readonly maxOrders: number;
}

/** Items that were added together: they leave together, by a group or because the first of them is past its time. */
export interface Waiting<Item> {
  readonly items: readonly Item[];
  resolve(): void;
  reject(error: unknown): void;
}

interface Unit<Item> extends Waiting<Item> {
  readonly startBeforeMs: number;
  readonly isExit: boolean;
}

export class LaneQueue<Item> {
  private units: Unit<Item>[] = [];
  private ordersCount = 0;
  private exits = 0;
  /** Nothing that waits is past its time before this: one comparison says so. */
  private soonestMs = Infinity;

  constructor(private readonly options: QueueOptions<Item>) {}

  /** Orders that wait. */
  get orders(): number {
    return this.ordersCount;
  }

  /** Throws SERVICE_UNAVAILABLE (outcome none) where too many wait. Exits are kept out by exits only: a flood of entries must not. */
  add(waiting: Waiting<Item>): void {
    const { exitsFirst, isExit, startBeforeMs } = this.options;
    const unit = {
      ...waiting,
      isExit: exitsFirst && waiting.items.every(isExit),
      startBeforeMs: waiting.items.reduce((soonest, item) => Math.min(soonest, startBeforeMs(item)), Infinity),
    };
    if (!this.hasRoomFor(unit)) this.dropExpired();
    if (!this.hasRoomFor(unit)) {
      throw new DomainError('SERVICE_UNAVAILABLE', 'more orders wait to be started than can be in time: this one was not taken, and nothing was sent', { outcome: 'none', retryAfterSeconds: FULL_RETRY_AFTER_S });
    }
    this.units.push(unit);
    this.count(unit, 1);
    this.soonestMs = Math.min(this.soonestMs, unit.startBeforeMs);
  }

  /** The next group, without what is past its time; empty where nothing else waits. */
  take(): readonly Waiting<Item>[] {
    this.dropExpired();
    if (this.exits > 0 && this.ordersCount > this.options.maxOrders) this.units = [...this.units.filter((unit) => unit.isExit), ...this.units.filter((unit) => !unit.isExit)];
    let orders = 0;
    let count = 0;
    for (const { items } of this.units) {
      if (count > 0 && orders + items.length > this.options.maxOrders) break;
      orders += items.length;
      count += 1;
    }
    const group = this.units.splice(0, count);
    for (const unit of group) this.count(unit, -1);
    return group;
  }

  /** Its callers are told what is certain: it was never handed over. */
  dropExpired(): void {
    const nowMs = this.options.clock.nowMs();
    if (nowMs < this.soonestMs) return;
    const expired = this.units.filter((unit) => nowMs >= unit.startBeforeMs);
    this.units = this.units.filter((unit) => nowMs < unit.startBeforeMs);
    this.soonestMs = this.units.reduce((soonest, unit) => Math.min(soonest, unit.startBeforeMs), Infinity);
    if (expired.length === 0) return;
    const error = new DomainError('SERVICE_UNAVAILABLE', 'it waited for its turn until its time was up: it was never started, and nothing was sent', { outcome: 'none', retryAfterSeconds: EXPIRED_RETRY_AFTER_S });
    for (const unit of expired) {
      this.count(unit, -1);
      unit.reject(error);
    }
  }

  private hasRoomFor({ items, isExit }: Unit<Item>): boolean {
    return (isExit ? this.exits : this.ordersCount) + items.length <= MAX_WAITING_ORDERS;
  }

  private count({ items, isExit }: Unit<Item>, sign: 1 | -1): void {
    this.ordersCount += sign * items.length;
    if (isExit) this.exits += sign * items.length;
  }
}
