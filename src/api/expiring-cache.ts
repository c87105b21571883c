/** A small read-through cache with an age and a size limit. Concurrent reads of one key are one read; failures and null are not kept. */
import type { Clock } from '../domain/clock';

interface Entry<Value> {
  readonly value: Promise<Value | null>;
  readonly expiresAtMs: number;
}

export class ExpiringCache<Value> {
  private readonly entries = new Map<string, Entry<Value>>();

  constructor(private readonly options: { readonly maxAgeMs: number; readonly maxEntries: number; readonly clock: Clock }) {}

  get(key: string, read: () => Promise<Value | null>): Promise<Value | null> {
    const known = this.entries.get(key);
    if (known !== undefined && known.expiresAtMs > this.options.clock.nowMs()) return known.value;
    const value = read();
    const entry: Entry<Value> = { value, expiresAtMs: this.options.clock.nowMs() + this.options.maxAgeMs };
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

  /** Oldest first: a Map keeps the order of insertion. */
  private evict(): void {
    for (const key of this.entries.keys()) {
      if (this.entries.size <= this.options.maxEntries) return;
      this.entries.delete(key);
    }
  }
}
