/**
 * Workers with a cache of workflows work in shifts: one ends when Temporal goes away, and the next begins with an empty cache when it
 * answers again. What comes back may be an older copy of its store; workflows that are cached from a later life of it would answer by
 * events that did not happen, and spoil their histories.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** Workers of one connection that take tasks together. */
export interface Shift {
  /** Takes no new tasks from now on, also while its server is away. */
  leave(): void;
  /** Settles when its last task is done; rejects when a worker failed. */
  readonly ended: Promise<void>;
}

export interface WorkerShiftsOptions {
  begin(): Promise<Shift>;
  onShift(words: string): void;
}

const TRY_AGAIN_MS = 100;
/** What a leaving shift has under way takes 2 s at most, and its grace is 5 s: one that stays longer has to be ended with its process. */
const LEFT_WITHIN_MS = 15_000;

export class WorkerShifts {
  private readonly stopping = new AbortController();
  private readonly leaving = new Set<Promise<void>>();
  private current: Shift | null = null;
  private beginning: Promise<void> | null = null;
  private wanted = false;
  /** Rises whenever a shift is to leave: one that is still being made then leaves before its first task. */
  private turn = 0;
  private fail: (error: unknown) => void = () => undefined;
  /** Never settles well: rejects when a worker failed or did not end. */
  readonly failed = new Promise<never>((_, reject) => (this.fail = reject));

  constructor(private readonly options: WorkerShiftsOptions) {
    this.failed.catch(() => undefined); // told by whoever waits for it
  }

  /** The first shift. Rejects where it cannot begin. */
  async start(): Promise<void> {
    this.wanted = true;
    this.take(await this.options.begin(), this.turn);
  }

  /** Nobody works until `resume`. */
  pause(why: string): void {
    this.turn += 1;
    this.wanted = false;
    this.dismiss(why);
  }

  /** A new shift, as soon as it can begin. */
  resume(): void {
    this.wanted = true;
    this.beginning ??= this.begin().finally(() => (this.beginning = null));
  }

  /** The present shift leaves and another one begins. */
  change(why: string): void {
    this.pause(why);
    this.resume();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.pause('told to stop');
    await this.beginning;
    await Promise.all(this.leaving);
  }

  private async begin(): Promise<void> {
    const { signal } = this.stopping;
    while (this.wanted && this.current === null && !signal.aborted) {
      const { turn } = this;
      try {
        this.take(await this.options.begin(), turn);
      } catch (error) {
        this.options.onShift(`workers cannot begin yet: ${error instanceof Error ? error.message : String(error)}`);
        await delay(TRY_AGAIN_MS, undefined, { signal }).catch(() => undefined); // told to stop
      }
    }
  }

  private take(shift: Shift, turn: number): void {
    this.current = shift;
    shift.ended.catch((error: unknown) => this.fail(error));
    if (turn !== this.turn) this.dismiss('Temporal went away while they began');
  }

  private dismiss(why: string): void {
    const { current } = this;
    if (current === null) return;
    this.current = null;
    this.options.onShift(`workers with cached workflows leave: ${why}`);
    current.leave();
    const limit = setTimeout(() => this.fail(new Error('workers did not end after Temporal went away: the process ends instead')), LEFT_WITHIN_MS);
    limit.unref();
    const left = current.ended.then(
      () => undefined,
      () => undefined, // `failed` has it
    );
    this.leaving.add(left);
    void left.then(() => {
      clearTimeout(limit);
      this.leaving.delete(left);
    });
  }
}
