/** Holds calls back until the venue's request budget grants them, and tells the budget of a venue's own ban. */
import type { Clock } from '../domain/clock';
import type { BudgetClass, BudgetVerdict, RateBudget } from '../domain/rate-budget';
import type { RateBudgetRule } from '../domain/venue';
import { VenueRateLimited, VenueUnavailable } from '../domain/venue-errors';
import { sleepUnlessAborted } from './back-off';
import type { Around, VenueCall } from './decorate';
import { DEFAULT_RETRY_AFTER_MS, ENTRY_WAIT_MS } from './http';

/** How long each class waits for its budget; a send never waits past its deadline. */
export const BUDGET_WAIT_MS: Readonly<Record<BudgetClass, number>> = {
  entry: ENTRY_WAIT_MS,
  // A read is worth waiting for longer than an entry: nobody's price moves away meanwhile.
  read: 2_000,
  // An exit waits as long as its deadline lets it; this bounds outcome queries.
  exit: 5_000,
};

/** What a call costs at its venue. */
export type WeightOf = (call: VenueCall) => number;

export interface RateLimiterOptions {
  readonly budget: RateBudget;
  readonly rule: RateBudgetRule;
  readonly clock: Clock;
  readonly weightOf: WeightOf;
  /** The budget itself failed; what follows of it is written at `askBudget`. */
  readonly onBudgetError?: (error: unknown) => void;
  /** What a granted call left of the budget. */
  readonly onBudget?: (venue: string, remaining: number) => void;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<boolean>;
}

/** A decorator. Throws VenueRateLimited: by 'budget' when the wait would be too long, by 'venue' inside a venue's ban. */
export function rateLimiter(options: RateLimiterOptions): Around {
  const { clock } = options;
  return async (call, run) => {
    await waitForBudget(options, call);
    try {
      return await run();
    } catch (error) {
      if (error instanceof VenueRateLimited && error.by === 'venue') await tellBan(options, call.venue, clock.nowMs() + error.retryAfterMs);
      throw error;
    }
  };
}

async function waitForBudget(options: RateLimiterOptions, call: VenueCall): Promise<void> {
  const { clock, sleep = sleepUnlessAborted } = options;
  const startedAtMs = clock.nowMs();
  // The time the call may wait in all; a send's deadline counts for every class.
  let lastMs = startedAtMs + BUDGET_WAIT_MS[call.class];
  if (call.sendBeforeMs !== null) lastMs = call.class === 'exit' ? call.sendBeforeMs : Math.min(lastMs, call.sendBeforeMs);
  for (;;) {
    const verdict: BudgetVerdict = await askBudget(options, call);
    if (verdict.granted) return;
    const { retryAfterMs, bannedByVenue } = verdict;
    if (bannedByVenue) throw new VenueRateLimited(call.venue, `${call.venue} asked us to stay away for ${retryAfterMs} ms more; nothing was sent`, retryAfterMs, 'venue');
    if (clock.nowMs() + retryAfterMs > lastMs) {
      throw new VenueRateLimited(call.venue, `the request budget of ${call.venue} is spent; ask again in ${retryAfterMs} ms; nothing was sent`, retryAfterMs, 'budget');
    }
    if (!(await sleep(retryAfterMs, call.signal))) throw new VenueUnavailable(call.venue, `${call.venue}: canceled while it waited for the request budget; nothing was sent`, 'canceled');
  }
}

/** A budget that cannot be asked: exits go on without it, everything else is told to wait (DESIGN.md promise 8). */
async function askBudget(options: RateLimiterOptions, call: VenueCall): Promise<BudgetVerdict> {
  const { budget, rule, weightOf, onBudgetError } = options;
  try {
    const verdict = await budget.take({ scope: call.venue, rule, weight: weightOf(call), class: call.class });
    if (verdict.granted && verdict.remaining !== undefined) options.onBudget?.(call.venue, verdict.remaining);
    return verdict;
  } catch (error) {
    onBudgetError?.(error);
    if (call.class === 'exit') return { granted: true };
    throw new VenueRateLimited(call.venue, `the request budget of ${call.venue} cannot be read; nothing was sent`, DEFAULT_RETRY_AFTER_MS, 'budget');
  }
}

/** The caller must hear of the venue's ban even when the other processes cannot. */
async function tellBan(options: RateLimiterOptions, scope: string, untilMs: number): Promise<void> {
  try {
    await options.budget.ban(scope, untilMs);
  } catch (error) {
    options.onBudgetError?.(error);
  }
}
