/**
 * Triggers that may have missed prices, until their venue has told what was traded meanwhile: those that waited while nobody watched or the
 * stream was down, and those that became known here later than the prices that are still remembered. A market that the venue does not tell of
 * now is asked for again, ever less often; at most one question for each market is under way, and one market's trouble is not the others'.
 */
import { believed } from './believed-history';
import { CLOCK_JUMP_MS } from './market-prices';
import type { History } from '../triggers/trigger-catch-up';
import type { TriggerEngineOptions } from '../triggers/trigger-engine';

/** Before the second try to read back what the venue did not tell; each later one waits twice as long. */
export const READ_AGAIN_MS = 1_000;
/** Never longer: within 5 s of everything answering again, what was traded through has to fire. */
const READ_AGAIN_MAX_MS = 4_000;
/** Questions about the past that a venue is asked at once. */
const ASKED_AT_ONCE = 8;

/** Of a trigger that missed prices as much as is needed until they are told: there may be a million of them. */
export interface Missed {
  readonly id: string;
  readonly revision: number;
  readonly symbol: string;
  /** What a trailing one had seen then. */
  readonly extreme: string | null;
  /** From when on prices are missing, by our clock. */
  readonly sinceMs: number;
  /** Whoever watches next must not believe that anything later (our clock) was watched, or it misses them too. */
  readonly watchedMs: number;
}

/** A market whose past could not be read, or not all of it. */
interface Postponed {
  readonly failures: number;
  /** By performance.now(), ms. */
  readonly untilMs: number;
}

export class MissedPrices {
  private readonly unread = new Map<string, Missed>();
  private readonly postponed = new Map<string, Postponed>();
  private reading = false;
  private readAgain: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly options: Pick<TriggerEngineOptions, 'clock' | 'rules' | 'history' | 'venueAheadMs' | 'onTrouble' | 'onUnread'>,
    /** `aheadMs`: the venue's clock before ours. */
    private readonly take: (symbol: string, missed: readonly Missed[], history: History, aheadMs: number) => void,
  ) {}

  /** What is missing already stays missing; an answer that is under way does not tell what is missing since. */
  add(missed: Missed): void {
    const known = this.unread.get(missed.id);
    const isNewer = known === undefined || known.revision < missed.revision;
    this.unread.set(missed.id, isNewer ? missed : { ...known });
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

  /** At once, unless a round is under way, or the market was asked for in vain a moment ago: what is added then waits with the rest of it. */
  soon(): void {
    if (!this.reading) void this.read();
  }

  /** The venue speaks again: what it did not tell before is asked for now. */
  atOnce(): void {
    this.postponed.clear();
    this.soon();
  }

  /** Settles once what is due was asked for. */
  async read(): Promise<void> {
    if (this.reading || this.closed) return;
    this.forgetTimer();
    const nowMs = performance.now();
    const due = [...bySymbol(this.unread.values())].filter(([symbol]) => (this.postponed.get(symbol)?.untilMs ?? -Infinity) <= nowMs);
    if (due.length > 0) {
      this.reading = true;
      await this.ask(due);
      this.reading = false;
    }
    this.schedule();
  }

  close(): void {
    this.closed = true;
    this.forgetTimer();
  }

  private async ask(due: readonly (readonly [string, readonly Missed[]])[]): Promise<void> {
    let aheadMs: number;
    try {
      aheadMs = await this.options.venueAheadMs();
    } catch (error) {
      this.options.onTrouble(error);
      for (const [symbol] of due) this.postpone(symbol);
      return;
    }
    await inGroups(due, async ([symbol, asked]) => {
      try {
        if (!(await this.readMarket(symbol, asked, aheadMs))) this.postpone(symbol);
      } catch (error) {
        // Of whatever kind: the other markets are asked for all the same.
        this.options.onTrouble(error);
        this.postpone(symbol);
      }
    });
  }

  /** Once the first that may be asked for may. */
  private schedule(): void {
    if (this.closed || this.reading) return;
    const symbols = new Set(Array.from(this.unread.values(), ({ symbol }) => symbol));
    for (const symbol of this.postponed.keys()) if (!symbols.has(symbol)) this.postponed.delete(symbol);
    if (symbols.size === 0) return;
    const first = Math.min(...[...symbols].map((symbol) => this.postponed.get(symbol)?.untilMs ?? -Infinity));
    this.readAgain = setTimeout(() => void this.read(), Math.max(0, first - performance.now()));
  }

  private forgetTimer(): void {
    if (this.readAgain !== null) clearTimeout(this.readAgain);
    this.readAgain = null;
  }

  private postpone(symbol: string): void {
    const failures = (this.postponed.get(symbol)?.failures ?? 0) + 1;
    this.postponed.set(symbol, { failures, untilMs: performance.now() + Math.min(READ_AGAIN_MS * 2 ** (failures - 1), READ_AGAIN_MAX_MS) });
    this.options.onUnread?.(symbol);
  }

  /** false: the venue does not tell now. */
  private async readMarket(symbol: string, asked: readonly Missed[], aheadMs: number): Promise<boolean> {
    const history = await this.options.history(symbol, asked.reduce((earliest, { sinceMs }) => Math.min(earliest, sinceMs), Infinity) + aheadMs);
    if (this.closed) return true;
    if (history === null) return false;
    // What was missed meanwhile is asked for again, not in the same breath.
    this.postponed.set(symbol, { failures: 0, untilMs: performance.now() + READ_AGAIN_MS });
    // Those that were amended, disarmed or missed yet more meanwhile are another matter.
    const still = asked.filter((missed) => this.unread.get(missed.id) === missed);
    for (const { id } of still) this.unread.delete(id);
    try {
      if (still.length > 0) this.take(symbol, still, believed(ofThisClock(history, this.options.clock.nowMs() + aheadMs), this.options.rules), aheadMs);
    } catch (error) {
      for (const missed of still) this.add(missed);
      throw error;
    }
    return true;
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
    const group = groups.get(missed.symbol) ?? [];
    groups.set(missed.symbol, group);
    group.push(missed);
  }
  return groups;
}
