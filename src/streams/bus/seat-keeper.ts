/**
 * The seats of this process, over the store that all processes share. What is asked for at once goes in one transaction, and one sign
 * of life serves all of a process's seats, so a client that connects pays one round trip and a seated one nothing.
 *
 * A seat that was granted stays granted: nobody is put out because the store is away, or because this process was silent for too long.
 * It enters its seats again then, and new ones are refused until there are as few as may be.
 */
import { DomainError } from '../../domain/errors';
import { seatKey, type Seat, type SeatHolder, type SeatRequest, type Seats, type SeatStore } from '../../domain/seats';

/** Of a lease: one sign of life may be lost, and one may be late. */
const BEATS_PER_LEASE = 3;
/** In one transaction: a burst of connections is a few of them. */
const MAX_BATCH = 200;

export interface SeatKeeperOptions {
  readonly holder: SeatHolder;
  readonly store: () => SeatStore;
  /** Ms that only rise, from whenever. */
  readonly nowMs: () => number;
  readonly onError: (error: unknown) => void;
}

interface Waiting {
  readonly request: SeatRequest;
  readonly grant: (granted: boolean) => void;
  readonly fail: (error: unknown) => void;
}

export class SeatKeeper implements Seats {
  private readonly held = new Map<string, Seat>();
  /** To be told: given back, or taken perhaps by a call whose answer was lost. */
  private readonly given = new Map<string, Seat>();
  private waiting: Waiting[] = [];
  private readonly asked = new Set<string>();
  private entered: 'never' | 'now' | 'forgotten' = 'never';
  private beatDue = false;
  private running: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  /** Since when the store answers without a gap in which others could not have told that they live. null: it does not. */
  private answersSinceMs: number | null = null;
  private answeredAtMs = 0;

  constructor(private readonly options: SeatKeeperOptions) {}

  async take(request: SeatRequest): Promise<boolean> {
    const key = seatKey(request);
    if (this.closed) throw stopping();
    if (this.held.has(key) || this.asked.has(key)) throw new RangeError(`${request.name} has its seat of ${request.scope} already`);
    this.asked.add(key);
    this.timer ??= setInterval(() => void this.beat(), this.options.holder.leaseMs / BEATS_PER_LEASE).unref();
    try {
      return await new Promise<boolean>((grant, fail) => {
        this.waiting.push({ request, grant, fail });
        this.run();
      });
    } finally {
      this.asked.delete(key);
    }
  }

  giveBack({ scope, name }: Seat): void {
    const key = seatKey({ scope, name });
    if (!this.held.delete(key)) return;
    this.given.set(key, { scope, name });
    this.run();
  }

  /** A sign of life; the timer calls it. Settles when it was given, or failed and was reported. */
  async beat(): Promise<void> {
    this.beatDue = true;
    while (this.beatDue && !this.closed) {
      this.run();
      await this.running;
    }
  }

  /** Gives all seats back, or leaves that to the lease where the store is away. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.timer !== null) clearInterval(this.timer);
    await this.running;
    for (const { fail } of this.waiting.splice(0)) fail(stopping());
    if (this.entered !== 'now') return;
    await this.options.store().leave(this.options.holder).catch((error: unknown) => this.options.onError(error));
  }

  private run(): void {
    if (this.closed) return;
    this.running ??= this.work().then((isWell) => {
      this.running = null;
      // What was asked for while the last of it ended.
      if (this.waiting.length > 0 || this.beatDue || (isWell && this.given.size > 0)) this.run();
    });
  }

  /** One call to the store after another, so that a seat is never given back before it was taken. false: the store is away, and the next beat tells the rest. */
  private async work(): Promise<boolean> {
    // Calls of the same turn share a transaction.
    await Promise.resolve();
    while (!this.closed && (this.waiting.length > 0 || this.given.size > 0 || this.beatDue || this.entered === 'forgotten')) {
      const batch = this.waiting.splice(0, MAX_BATCH);
      try {
        await this.enter();
        if (this.beatDue) await this.tellLife();
        if (this.entered !== 'now' || !(await this.change(batch))) this.waiting.unshift(...batch);
      } catch (error) {
        this.answersSinceMs = null;
        this.beatDue = false;
        for (const { request, fail } of batch) {
          // Its answer may be lost, not its seat.
          this.given.set(seatKey(request), { scope: request.scope, name: request.name });
          fail(error);
        }
        if (batch.length === 0) this.options.onError(error);
        if (this.waiting.length === 0) return false;
      }
    }
    return true;
  }

  private async enter(): Promise<void> {
    if (this.entered === 'now') return;
    await this.options.store().enter(this.options.holder, [...this.held.values()], this.entered === 'never');
    this.entered = 'now';
    this.answered();
  }

  private async tellLife(): Promise<void> {
    const { holder, store, nowMs } = this.options;
    // Whose lease has ended may live: the store may have been away from everyone. It had time to say so once we were answered for a whole lease.
    const isPatient = this.answersSinceMs !== null && nowMs() - this.answersSinceMs >= holder.leaseMs && nowMs() - this.answeredAtMs <= holder.leaseMs / 2;
    if (!(await store().beat(holder, isPatient))) this.entered = 'forgotten';
    this.beatDue = false;
    this.answered();
  }

  /** Answers whether it was done: a holder that was forgotten enters first. */
  private async change(batch: readonly Waiting[]): Promise<boolean> {
    const given = [...this.given.values()];
    if (given.length === 0 && batch.length === 0) return true;
    const granted = await this.options.store().change(this.options.holder, given, batch.map(({ request }) => request));
    if (granted === null) {
      this.entered = 'forgotten';
      return false;
    }
    for (const seat of given) this.given.delete(seatKey(seat));
    batch.forEach(({ request, grant }, index) => {
      const isGranted = granted[index] ?? false;
      if (isGranted) this.held.set(seatKey(request), { scope: request.scope, name: request.name });
      grant(isGranted);
    });
    return true;
  }

  private answered(): void {
    const nowMs = this.options.nowMs();
    // Between answers further apart the store may have been away, and so may we.
    if (this.answersSinceMs === null || nowMs - this.answeredAtMs > this.options.holder.leaseMs / 2) this.answersSinceMs = nowMs;
    this.answeredAtMs = nowMs;
  }
}

function stopping(): DomainError {
  return new DomainError('SERVICE_UNAVAILABLE', 'the process is stopping', { retryAfterSeconds: 1 });
}
