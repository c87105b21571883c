/** The prices of one market as its watcher heard them: which is news, which stood at a time, and how far back they are still here. */
import type { PriceType } from '../../domain/condition';
import { PriceGuard, type PriceRules } from './price-guard';

/** The newest prices of each market and type, for triggers that were armed a moment before they were known here. */
const RECENT_PRICES = 64;
/** Messages of one venue overtake each other by less; a price further back is not late, its clock was changed. */
export const CLOCK_JUMP_MS = 5_000;

export interface Price {
  readonly type: PriceType;
  readonly text: string;
  readonly source: string;
  /** By its venue's clock. */
  readonly atMs: number;
  /** By ours. */
  readonly observedAtMs: number;
}

const NOBODY: readonly string[] = [];

export class MarketPrices {
  readonly guard: PriceGuard;
  sequence = 0;
  heardMs = -Infinity;
  /** When (our clock) a price was asked for last, because the stream was silent. */
  askedMs = -Infinity;
  /** A trigger on the last price came after the past was asked for last: that does not tell it everything. */
  joined = false;
  private readonly recent = new Map<PriceType, Price[]>();
  private readonly newest = new Map<string, { readonly text: string; readonly atMs: number }>();
  /** What was read back tells every trigger of this market everything up to then (the venue's clock). */
  private readUntilMs = -Infinity;
  /** From when on (our clock) `recent` misses nothing but what it has no room for. */
  private completeFromMs = -Infinity;
  /** Triggers that alone were told of the past, each up to when (the venue's clock). */
  private readonly told = new Map<string, number>();

  constructor(rules: PriceRules) {
    this.guard = new PriceGuard(rules);
  }

  /**
   * Overtaken by a newer price of its kind. One that is older by far says that the venue's clock was set back. A price that is told again
   * with the time of another message (a ticker repeats the last trade) is no newer than it was: what happened in between still counts.
   * Each trade was a price, also one that comes after a ticker which tells of a later trade: only later trades overtake it.
   */
  isOvertaken(price: Price, channel: 'ticker' | 'trades'): boolean {
    const { type, source, atMs } = price;
    const isBehindAny = this.isBehind(`${source} ${type}`, price);
    const isBehind = channel === 'trades' ? this.isBehind(`${source} trades`, price) : isBehindAny;
    return isBehind || (type === 'last' && atMs <= this.readUntilMs);
  }

  /** Behind the newest of those that were told under this key, which it becomes otherwise. */
  private isBehind(key: string, { text, atMs }: Price): boolean {
    const newest = this.newest.get(key);
    const newestMs = newest?.atMs ?? -Infinity;
    if (atMs < newestMs && newestMs - atMs < CLOCK_JUMP_MS) return true;
    if (newest?.text !== text || atMs < newestMs) this.newest.set(key, { text, atMs });
    return false;
  }

  /** A price that counts. */
  remember(price: Price): void {
    this.sequence += 1;
    const recent = this.recent.get(price.type) ?? [];
    this.recent.set(price.type, recent);
    recent.push(price);
    if (recent.length > RECENT_PRICES) recent.shift();
  }

  /** Every price since then (our clock) is still here. */
  remembersSince(type: PriceType, ms: number): boolean {
    const recent = this.recent.get(type) ?? [];
    return ms >= this.completeFromMs && (recent.length < RECENT_PRICES || (recent[0]?.observedAtMs ?? Infinity) <= ms);
  }

  /** What was heard since then, oldest first. */
  since(type: PriceType, ms: number): readonly Price[] {
    return this.recent.get(type)?.filter(({ observedAtMs }) => observedAtMs >= ms) ?? [];
  }

  /** What stood then, unless it was heard longer ago than `staleMs`; null: not known. */
  standingAt(type: PriceType, ms: number, staleMs: number): Price | null {
    const before = this.recent.get(type)?.findLast(({ observedAtMs }) => observedAtMs < ms);
    return before === undefined || ms - before.observedAtMs > staleMs ? null : before;
  }

  /** The past was read for all triggers on the last price: what is heard of it later (`untilMs`: the venue's clock) is known, and not remembered. */
  toldAll(untilMs: number, nowMs: number): void {
    this.readUntilMs = Math.max(this.readUntilMs, untilMs);
    this.completeFromMs = nowMs;
  }

  toldAlone(id: string, untilMs: number): void {
    this.told.set(id, untilMs);
  }

  /** The triggers to which a last price of then (the venue's clock) is no news. */
  knownTo(atMs: number): readonly string[] {
    if (this.told.size === 0) return NOBODY;
    for (const [id, untilMs] of this.told) if (untilMs < atMs || untilMs - atMs >= CLOCK_JUMP_MS) this.told.delete(id);
    return [...this.told.keys()];
  }
}
