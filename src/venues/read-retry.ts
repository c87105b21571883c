/** Repeats reads that failed without an answer. What has an effect is never repeated here (DESIGN.md section 6). */
import { VenueOutcomeUnknown, VenueUnavailable } from '../domain/venue-errors';
import { backOffMs, READ_BACK_OFF, sleepUnlessAborted, type BackOffRule, type Random } from './back-off';
import { EFFECTFUL_CALLS, type Around } from './decorate';

/** Repeats after the first try. */
export const READ_RETRIES = 3;

export interface ReadRetryOptions {
  readonly retries?: number;
  readonly rule?: BackOffRule;
  readonly random?: Random;
  /** Resolves false when the signal aborted. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<boolean>;
}

/** A decorator: up to three repeats, 1 s to 10 s apart, of reads that met a 5xx, a time-out, a reset or no connection. */
export function readRetry(options: ReadRetryOptions = {}): Around {
  const { retries = READ_RETRIES, rule = READ_BACK_OFF, random, sleep = sleepUnlessAborted } = options;
  return async (call, run) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await run();
      } catch (error) {
        if (EFFECTFUL_CALLS.has(call.call) || !worthRepeating(error) || attempt >= retries) throw error;
        if (!(await sleep(backOffMs(rule, attempt, random), call.signal))) throw error;
      }
    }
  };
}

function worthRepeating(error: unknown): boolean {
  if (error instanceof VenueUnavailable) return error.reason === 'connection';
  return error instanceof VenueOutcomeUnknown && error.reason !== 'unreadable';
}
