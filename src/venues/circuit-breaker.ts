/**
 * Stops asking a venue that does not answer. closed: all pass; open: only exits, outcome queries and what a protection waits for pass; half-open: one
 * call tries whether the venue is back. Refusals and rate limits are answers: they close it.
 */
import type { Clock } from '../domain/clock';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../domain/venue-errors';
import type { Around } from './decorate';

export interface BreakerRule {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open the first time; doubles with each failed trial. */
  readonly openForMs: number;
  readonly maxOpenForMs: number;
}

/** Five silent answers are no accident; one second keeps the return to trading short. */
export const DEFAULT_BREAKER_RULE: BreakerRule = { failures: 5, openForMs: 1_000, maxOpenForMs: 10_000 };

export type BreakerState = 'closed' | 'open' | 'halfOpen';

export class CircuitBreaker {
  private failuresInRow = 0;
  private openUntilMs: number | null = null;
  private openForMs: number;
  private trialRunning = false;

  constructor(
    private readonly venue: string,
    private readonly clock: Clock,
    private readonly rule: BreakerRule = DEFAULT_BREAKER_RULE,
    private readonly onChange: (venue: string, state: BreakerState) => void = () => undefined,
  ) {
    this.openForMs = rule.openForMs;
  }

  get state(): BreakerState {
    if (this.openUntilMs === null) return 'closed';
    return this.clock.nowMs() < this.openUntilMs ? 'open' : 'halfOpen';
  }

  /** The decorator. Throws VenueUnavailable('breaker') instead of a call it holds back. */
  readonly around: Around = async (call, run) => {
    const trial = this.admit(call.class === 'exit' || call.passesBreaker === true);
    try {
      const result = await run();
      this.answered();
      return result;
    } catch (error) {
      if (isSilence(error)) this.failed(trial);
      else if (isAnswer(error)) this.answered();
      throw error;
    } finally {
      if (trial) this.trialRunning = false;
    }
  };

  /** Whether this call is the trial of a half-open breaker. */
  private admit(passes: boolean): boolean {
    const { state } = this;
    if (state === 'closed' || passes) return false;
    if (state === 'open' || this.trialRunning) {
      throw new VenueUnavailable(this.venue, `${this.venue} has not answered ${this.failuresInRow} times in a row; nothing was sent`, 'breaker');
    }
    this.trialRunning = true;
    this.onChange(this.venue, 'halfOpen');
    return true;
  }

  private answered(): void {
    const wasOpen = this.openUntilMs !== null;
    this.failuresInRow = 0;
    this.openUntilMs = null;
    this.openForMs = this.rule.openForMs;
    if (wasOpen) this.onChange(this.venue, 'closed');
  }

  private failed(trial: boolean): void {
    this.failuresInRow += 1;
    if (trial) this.openForMs = Math.min(this.openForMs * 2, this.rule.maxOpenForMs);
    const opens = this.openUntilMs === null && this.failuresInRow >= this.rule.failures;
    if (!trial && !opens) return;
    this.openUntilMs = this.clock.nowMs() + this.openForMs;
    this.onChange(this.venue, 'open');
  }
}

/** The venue was asked and said nothing readable. */
function isSilence(error: unknown): boolean {
  return error instanceof VenueOutcomeUnknown || (error instanceof VenueUnavailable && error.reason === 'connection');
}

/** A fence, a deadline before the write, a cancellation or our own budget says nothing about the venue. */
function isAnswer(error: unknown): boolean {
  return error instanceof VenueRefused || (error instanceof VenueRateLimited && error.by === 'venue');
}
