/** A small read-through cache with an age and a size limit. Concurrent reads of one key are one read; failures and null are not kept. */
import type { Clock } from '../domain/clock';

interface Entry<Value> {
  readonly value: Promise<Value | null>;
  /** By either time. */
  readonly readAtMs: number;
  readonly readAtSteadyMs: number;
}

export class ExpiringCache<Value> {
  private readonly entries = new Map<string, Entry<Value>>();

  /** `steadyNowMs`: a time that nobody sets. */
  constructor(private readonly options: { readonly maxAgeMs: number; readonly maxEntries: number; readonly clock: Clock; readonly steadyNowMs?: () => number }) {}

  get(key: string, read: () => Promise<Value | null>): Promise<Value | null> {
    const known = this.entries.get(key);
    if (known !== undefined && this.isFresh(known)) return known.value;
    const value = read();
    const entry: Entry<Value> = { value, readAtMs: this.options.clock.nowMs(), readAtSteadyMs: this.steadyNowMs() };
    this.entries.delete(key);
    this.entries.set(key, entry);
    this.evict();
    const forget = (): void => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    };
    value.then((found) => (found === null ? forget() : undefined), forget);
    return value;
  }

  /** The next reader reads anew. */
  forget(key: string): void {
    this.entries.delete(key);
  }

  /** By both times: a clock that is set back makes nothing younger, and the steady one stands still while its machine sleeps. */
  private isFresh({ readAtMs, readAtSteadyMs }: Entry<Value>): boolean {
    const ageMs = this.options.clock.nowMs() - readAtMs;
    return ageMs >= 0 && ageMs < this.options.maxAgeMs && this.steadyNowMs() - readAtSteadyMs < this.options.maxAgeMs;
  }

  private steadyNowMs(): number {
    return this.options.steadyNowMs?.() ?? performance.now();
  }

  /** Oldest first: a Map keeps the order of insertion. */
  private evict(): void {
    for (const key of this.entries.keys()) {
      if (this.entries.size <= this.options.maxEntries) return;
      this.entries.delete(key);
    }
  }
}
