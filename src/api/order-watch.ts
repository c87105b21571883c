/** One request that waits for one order. */
import { DomainError } from '../domain/errors';
import type { Order } from '../domain/order';
import { LAST_READ_MS, RECORD_WAIT_MS } from './limits';

export interface WatchTarget {
  readonly accountId: string;
  /** The id the order has if this request is the first with its intent. */
  readonly orderId: string;
  /** Also answers to the order that has this client id, whatever its id; null for an order that exists already. */
  readonly clientOrderId: string | null;
}

export type WatchOutcome =
  | { readonly kind: 'settled'; readonly order: Order }
  /** The time is up; the order is recorded and its outcome open. */
  | { readonly kind: 'unsettled'; readonly order: Order }
  /** Nothing on record. */
  | { readonly kind: 'absent' };

export interface WatchRules {
  /** Ends the wait. */
  readonly isSettled: (order: Order) => boolean;
  /** Whether what was asked for is on record, so that it may be answered as open when the time is up. */
  readonly isRecorded: (order: Order) => boolean;
}

interface Hooks {
  /** Asks for a read of the rows of all watches that want one; at once, or after the events had their chance. */
  read(when: 'now' | 'afterEvents'): void;
  closed(): void;
}

export class OrderWatch {
  /** The newest view so far. */
  latest: Order | null = null;
  /** Set while the row should be read. */
  wantsRead = false;
  /** True once the intent was recorded or certainly failed: from then on a row that is not there is an answer. */
  recorded = false;
  isOpen = true;
  private failure: Error | null = null;
  private readonly timers: NodeJS.Timeout[] = [];
  private timeIsUp = false;
  private readonly result: Promise<WatchOutcome>;
  private settle: (outcome: WatchOutcome) => void = () => undefined;
  private fail: (error: Error) => void = () => undefined;

  constructor(
    readonly target: WatchTarget,
    private readonly rules: WatchRules,
    private readonly hooks: Hooks,
  ) {
    this.result = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
    // A failure that comes when nobody asks any more has nobody to tell.
    this.result.catch(() => undefined);
  }

  /**
   * The order once it is settled; as it is after `timeoutMs`. When the intent is not even recorded by then, waits until
   * it is, at most RECORD_WAIT_MS and one read. Rejects with the error given to `readAfterFailure` if there is no row after it.
   */
  outcome(timeoutMs: number): Promise<WatchOutcome> {
    if (!this.isOpen) return this.result;
    this.timers.push(setTimeout(() => this.expire(), timeoutMs));
    this.timers.push(setTimeout(() => this.giveUp(), Math.max(timeoutMs, RECORD_WAIT_MS)));
    return this.result;
  }

  /** The start was answered: if no event has told the outcome soon, the row does. */
  recordedNow(): void {
    this.recorded = true;
    this.requestRead('afterEvents');
  }

  /** For an order that exists: its row answers, or what comes after it. */
  readNow(): void {
    this.recorded = true;
    this.requestRead('now');
  }

  /** The start failed: a row may be there all the same, else `error` is the answer. */
  readAfterFailure(error: Error): void {
    this.failure = error;
    this.readNow();
  }

  see(order: Order): void {
    if (!this.isOpen) return;
    if (this.latest !== null && (order.id !== this.latest.id || order.revision < this.latest.revision)) return;
    this.latest = order;
    if (this.rules.isSettled(order)) this.finish({ kind: 'settled', order });
    else if (this.timeIsUp) this.finishOpen();
  }

  /** A read after the start's answer found nothing. */
  absent(): void {
    if (!this.isOpen || this.latest !== null) return;
    if (this.failure === null) this.finish({ kind: 'absent' });
    else this.end(() => this.fail(this.failure ?? new DomainError('INTERNAL', 'no order and no reason')));
  }

  /** Stops waiting. Harmless when it has ended. */
  close(): void {
    this.finishOpen();
    this.finish({ kind: 'absent' });
  }

  private requestRead(when: 'now' | 'afterEvents'): void {
    if (!this.isOpen || this.wantsRead) return;
    this.wantsRead = true;
    this.hooks.read(when);
  }

  private expire(): void {
    this.timeIsUp = true;
    this.finishOpen();
  }

  /** Ends the wait with an open outcome, if what was asked for is on record. */
  private finishOpen(): void {
    if (this.latest !== null && this.rules.isRecorded(this.latest)) this.finish({ kind: 'unsettled', order: this.latest });
  }

  /**
   * Nobody told of it, and whoever records intents may be away: what was asked for may be on record all the same, by an earlier request with its
   * client id. That is read before the caller hears that nothing is.
   */
  private giveUp(): void {
    this.finishOpen();
    if (!this.isOpen || this.recorded || this.latest !== null || this.target.clientOrderId === null) return this.nothingFound();
    this.readNow();
    this.timers.push(setTimeout(() => this.nothingFound(), LAST_READ_MS));
  }

  private nothingFound(): void {
    this.absent();
    this.finish({ kind: 'absent' });
  }

  private finish(outcome: WatchOutcome): void {
    this.end(() => this.settle(outcome));
  }

  private end(tell: () => void): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const timer of this.timers) clearTimeout(timer);
    tell();
    this.hooks.closed();
  }
}
