/**
 * Triggers that may have missed prices, until their venue has told what was traded meanwhile: those that waited while nobody watched or the
 * stream was down, and those that became known here later than the prices that are still remembered. A venue that does not tell now is
 * asked again; at most one question for each market is under way.
 */
import type { Trigger } from '../domain/trigger';
import { believed } from './believed-history';
import { CLOCK_JUMP_MS } from './market-prices';
import type { History } from './trigger-catch-up';
import type { TriggerEngineOptions } from './trigger-engine';

/** Between two tries to read back what the venue did not tell. */
export const READ_AGAIN_MS = 1_000;
/** Questions about the past that a venue is asked at once. */
const ASKED_AT_ONCE = 8;

export interface Missed {
  /** As it was then. */
  readonly trigger: Trigger;
  /** From when on prices are missing, by our clock. */
  readonly sinceMs: number;
  /** Whoever watches next must not believe that anything later (our clock) was watched, or it misses them too. */
  readonly watchedMs: number;
}

export class MissedPrices {
  private readonly unread = new Map<string, Missed>();
  private reading = false;
  private readAgain: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly options: Pick<TriggerEngineOptions, 'clock' | 'rules' | 'history' | 'venueAheadMs' | 'onTrouble'>,
    /** `aheadMs`: the venue's clock before ours. */
    private readonly take: (symbol: string, missed: readonly Missed[], history: History, aheadMs: number) => void,
  ) {}

  /** What is missing already stays missing; an answer that is under way does not tell what is missing since. */
  add(missed: Missed): void {
    const known = this.unread.get(missed.trigger.id);
    const isNewer = known === undefined || known.trigger.revision < missed.trigger.revision;
    this.unread.set(missed.trigger.id, isNewer ? missed : { ...known });
  }

  get(id: string): Missed | undefined {
    return this.unread.get(id);
  }

  forget(id: string): void {
    this.unread.delete(id);
  }

  /** Up to when (our clock) a successor may believe that everything was watched; Infinity: nothing is missing. */
  get watchedMs(): number {
    let earliest = Infinity;
    for (const { watchedMs } of this.unread.values()) earliest = Math.min(earliest, watchedMs);
    return earliest;
  }

  /** At once, unless a round is under way or soon to come: that takes it along. */
  soon(): void {
    if (!this.reading && this.readAgain === null) void this.read();
  }

  async read(): Promise<void> {
    if (this.unread.size === 0 || this.reading) return;
    this.reading = true;
    try {
      const aheadMs = await this.options.venueAheadMs();
      await inGroups([...bySymbol(this.unread.values())], (group) => this.readMarket(group, aheadMs));
    } catch (error) {
      this.options.onTrouble(error);
    } finally {
      this.reading = false;
    }
    if (this.unread.size === 0 || this.closed) return;
    this.readAgain = setTimeout(() => {
      this.readAgain = null;
      void this.read();
    }, READ_AGAIN_MS);
  }

  close(): void {
    this.closed = true;
    if (this.readAgain !== null) clearTimeout(this.readAgain);
  }

  private async readMarket([symbol, asked]: readonly [string, readonly Missed[]], aheadMs: number): Promise<void> {
    const history = await this.options.history(symbol, asked.reduce((earliest, { sinceMs }) => Math.min(earliest, sinceMs), Infinity) + aheadMs);
    if (this.closed || history === null) return;
    // Those that were amended, disarmed or missed yet more meanwhile are another matter.
    const still = asked.filter((missed) => this.unread.get(missed.trigger.id) === missed);
    for (const { trigger } of still) this.unread.delete(trigger.id);
    if (still.length > 0) this.take(symbol, still, believed(ofThisClock(history, this.options.clock.nowMs() + aheadMs), this.options.rules), aheadMs);
  }
}

/**
 * What is dated later than the venue's present clock was dated by a clock that was set back since: nobody knows when it was, so it fires
 * nothing, and what is heard from now on is not taken for it.
 */
function ofThisClock(history: History, venueNowMs: number): History {
  const trades = history.trades.filter(({ at }) => at <= venueNowMs + CLOCK_JUMP_MS);
  if (history.origin === 'trades') return trades.length === history.trades.length ? history : { ...history, trades, untilMs: trades.at(-1)?.at ?? -Infinity };
  return { ...history, candles: history.candles.filter(({ at }) => at <= venueNowMs), untilMs: Math.min(history.untilMs, venueNowMs) };
}

async function inGroups<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += ASKED_AT_ONCE) await Promise.all(items.slice(from, from + ASKED_AT_ONCE).map(each));
}

function bySymbol(all: Iterable<Missed>): ReadonlyMap<string, readonly Missed[]> {
  const groups = new Map<string, Missed[]>();
  for (const missed of all) {
    const group = groups.get(missed.trigger.symbol) ?? [];
    groups.set(missed.trigger.symbol, group);
    group.push(missed);
  }
  return groups;
}
