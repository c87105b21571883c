/** Tells what each call of a venue came to. */
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../domain/venue-errors';
import type { Around, VenueCallName } from './decorate';

export type CallOutcome = 'ok' | 'refused' | 'rateLimited' | 'unavailable' | 'unknown' | 'error';

export interface CallReport {
  readonly venue: string;
  readonly call: VenueCallName;
  readonly outcome: CallOutcome;
  readonly latencyMs: number;
}

/** A decorator that reports each call once, whatever came of it. */
export function telemetry(onCall: (report: CallReport) => void, nowMs: () => number = () => performance.now()): Around {
  return async (call, run) => {
    const startedAt = nowMs();
    const report = (outcome: CallOutcome): void => onCall({ venue: call.venue, call: call.call, outcome, latencyMs: nowMs() - startedAt });
    try {
      const result = await run();
      report('ok');
      return result;
    } catch (error) {
      report(outcomeOf(error));
      throw error;
    }
  };
}

export function outcomeOf(error: unknown): CallOutcome {
  if (error instanceof VenueRefused) return 'refused';
  if (error instanceof VenueRateLimited) return 'rateLimited';
  if (error instanceof VenueUnavailable) return 'unavailable';
  return error instanceof VenueOutcomeUnknown ? 'unknown' : 'error';
}
