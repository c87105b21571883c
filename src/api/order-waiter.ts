/**
 * Answers requests by the committed events of their orders. A watch is registered before the workflow is started; events of
 * the account's stream carry the whole order, so an answer costs no query. Rows are read in one batch for all watches that
 * ask for it, and each second for all that are waiting, because a notice may be lost.
 */
import type { Logger } from 'pino';
import { accountStream, type StreamEvent } from '../domain/events';
import type { Order } from '../domain/order';
import { FollowedStreams } from './followed-streams';
import { OrderWatch, type WatchRules, type WatchTarget } from './order-watch';
import type { OrdersPort } from './order-ports';
import type { EventTail } from './ports';

/** How often the rows of everything that waits are read besides the events. */
const POLL_INTERVAL_MS = 1_000;
/** How long a finished start waits for its orders' events before it reads their rows: they mostly arrive together. */
const EVENT_GRACE_MS = 25;
/** Rows of duplicates are read one by one, by client id; this many at once. */
const CLIENT_ID_READS_AT_ONCE = 16;

export interface OrderWaiterOptions {
  readonly tail: EventTail;
  readonly orders: Pick<OrdersPort, 'byIds' | 'byClientId'>;
  readonly log: Pick<Logger, 'warn'>;
  /** Told of every order that an event or a row shows here. */
  readonly onOrder?: (order: Order) => void;
  readonly pollIntervalMs?: number;
  readonly eventGraceMs?: number;
}

export class OrderWaiter {
  private readonly watches = new Set<OrderWatch>();
  private readonly byKey = new Map<string, Set<OrderWatch>>();
  private readonly streams: FollowedStreams;
  private pollTimer: NodeJS.Timeout | null = null;
  private readTimer: NodeJS.Timeout | null = null;
  private reading = false;

  constructor(private readonly options: OrderWaiterOptions) {
    this.streams = new FollowedStreams(options.tail, (event) => this.take(event));
  }

  /** How many requests are waiting now. */
  get size(): number {
    return this.watches.size;
  }

  /** Starts watching; the caller must `close()` the watch, whatever happens. */
  watch(target: WatchTarget, rules: WatchRules): OrderWatch {
    const watch: OrderWatch = new OrderWatch(target, rules, {
      read: (when) => this.scheduleRead(when === 'now' ? 0 : (this.options.eventGraceMs ?? EVENT_GRACE_MS)),
      closed: () => this.remove(watch),
    });
    this.watches.add(watch);
    for (const key of keysOf(target)) {
      const known = this.byKey.get(key);
      if (known === undefined) this.byKey.set(key, new Set([watch]));
      else known.add(watch);
    }
    this.streams.hold(accountStream(target.accountId));
    this.pollTimer ??= setInterval(() => this.poll(), this.options.pollIntervalMs ?? POLL_INTERVAL_MS).unref();
    return watch;
  }

  /** Ends every watch and every timer. */
  close(): void {
    for (const watch of [...this.watches]) watch.close();
    this.streams.close();
    if (this.readTimer !== null) clearTimeout(this.readTimer);
    this.readTimer = null;
  }

  private remove(watch: OrderWatch): void {
    if (!this.watches.delete(watch)) return;
    for (const key of keysOf(watch.target)) {
      const known = this.byKey.get(key);
      known?.delete(watch);
      if (known?.size === 0) this.byKey.delete(key);
    }
    this.streams.release(accountStream(watch.target.accountId));
    if (this.watches.size > 0 || this.pollTimer === null) return;
    clearInterval(this.pollTimer);
    this.pollTimer = null;
  }

  private take(event: StreamEvent): void {
    const order = orderOf(event);
    if (order !== null) this.deliver(order);
  }

  private deliver(order: Order): void {
    this.options.onOrder?.(order);
    for (const key of [idKey(order.id), clientKey(order.accountId, order.clientOrderId)]) {
      for (const watch of [...(this.byKey.get(key) ?? [])]) watch.see(order);
    }
  }

  private poll(): void {
    for (const watch of this.watches) watch.wantsRead = true;
    this.scheduleRead(0);
  }

  private scheduleRead(delayMs: number): void {
    if (this.reading || this.readTimer !== null) return;
    this.readTimer = setTimeout(() => {
      this.readTimer = null;
      void this.readRows();
    }, delayMs).unref();
  }

  /** One read for all that ask; what asks meanwhile is in the next one. */
  private async readRows(): Promise<void> {
    const batch = [...this.watches].filter((watch) => watch.wantsRead);
    if (batch.length === 0) return;
    this.reading = true;
    // What is asked for while this read is under way needs a later one: the row may be younger than this read.
    const absenceCounts = new Set(batch.filter((watch) => watch.recorded));
    for (const watch of batch) watch.wantsRead = false;
    try {
      const rows = await this.options.orders.byIds([...new Set(batch.map((watch) => watch.target.orderId))]);
      for (const row of rows) this.deliver(row);
      await this.readByClientId(batch.filter((watch) => absenceCounts.has(watch) && watch.isOpen && watch.latest === null));
    } catch (error) {
      // The rows are asked for again by the next poll; a request that gets no answer meanwhile is told so at its time-out.
      this.options.log.warn({ err: error, waiting: this.watches.size }, 'rows of waiting orders could not be read');
    } finally {
      this.reading = false;
      if ([...this.watches].some((watch) => watch.wantsRead)) this.scheduleRead(0);
    }
  }

  /** Orders that are recorded and not under our id: an earlier intent has their client id, or there is none. */
  private async readByClientId(watches: readonly OrderWatch[]): Promise<void> {
    for (let from = 0; from < watches.length; from += CLIENT_ID_READS_AT_ONCE) {
      const some = watches.slice(from, from + CLIENT_ID_READS_AT_ONCE);
      await Promise.all(
        some.map(async (watch) => {
          const { accountId, clientOrderId } = watch.target;
          const row = clientOrderId === null ? null : await this.options.orders.byClientId(accountId, clientOrderId);
          if (row === null) watch.absent();
          else watch.see(row);
        }),
      );
    }
  }
}

function keysOf(target: WatchTarget): string[] {
  const keys = [idKey(target.orderId)];
  if (target.clientOrderId !== null) keys.push(clientKey(target.accountId, target.clientOrderId));
  return keys;
}

function idKey(orderId: string): string {
  return `id/${orderId}`;
}

function clientKey(accountId: string, clientOrderId: string): string {
  return `client/${accountId}/${clientOrderId}`;
}

/** The whole order that an order's event carries. */
function orderOf(event: StreamEvent): Order | null {
  if (event.orderId === null) return null;
  const order = event.data.order;
  if (typeof order !== 'object' || order === null) return null;
  return 'id' in order && order.id === event.orderId && 'state' in order && 'revision' in order ? (order as Order) : null;
}
