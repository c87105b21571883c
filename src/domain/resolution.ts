/**
 * What may be concluded, and done, about an order that the venue does not show. Pure: one complete look at the venue found
 * nothing, what now? An order that was found never comes here; evidence settles it.
 */
import type { VenueCapabilities } from './venue';

/** What the database knows of an order's placing requests. Times in ms; deadlines by the venue's clock. */
export interface PlacingFacts {
  /** Our clock: nothing is sent for the intent after it. */
  readonly placeBeforeMs: number;
  /** False only when every attempt is known to have never left this machine. */
  readonly mayHaveLeft: boolean;
  /** Until when the venue would take the last of those that may have left; null when there is none, or one it takes for ever. */
  readonly lastDeadlineMs: number | null;
  /** The last attempt was held back or refused by a rate limit. */
  readonly lastRateLimited: boolean;
}

/** One look at the venue that found nothing. */
export interface AbsentLook {
  /** The venue's clock when the look began. */
  readonly venueTimeMs: number;
  /** The look covered id query, open orders, history and fills, and none of them was cut short. */
  readonly complete: boolean;
}

/** How often it was finally absent so far; carried by the workflow from look to look. */
export interface ResolutionMemory {
  readonly finalAbsences: number;
  readonly tries: number;
}

export const NO_MEMORY: ResolutionMemory = { finalAbsences: 0, tries: 0 };

export type Conclusion =
  | { readonly kind: 'sendAgain' }
  /** Certainly never sent, and its time is over. */
  | { readonly kind: 'notSent'; readonly rateLimited: boolean }
  | { readonly kind: 'neverPlaced' }
  | { readonly kind: 'askAgain'; readonly memory: ResolutionMemory };

/** One read may be served from a replica that lags; two, apart, are asked to agree. */
export const FINAL_ABSENCES_NEEDED = 2;

export function conclude(
  facts: PlacingFacts,
  look: AbsentLook,
  capabilities: Pick<VenueCapabilities, 'resendSafety' | 'absenceFinalAfterMs'>,
  memory: ResolutionMemory,
  nowMs: number,
): Conclusion {
  const alive = nowMs < facts.placeBeforeMs;
  if (alive && maySendAgain(facts, look, capabilities.resendSafety)) return { kind: 'sendAgain' };
  if (!alive && !facts.mayHaveLeft) return { kind: 'notSent', rateLimited: facts.lastRateLimited };
  const final = isFinalAbsence(facts, look, capabilities.absenceFinalAfterMs);
  const finalAbsences = final ? memory.finalAbsences + 1 : memory.finalAbsences;
  if (final && finalAbsences >= FINAL_ABSENCES_NEEDED) {
    if (!alive) return { kind: 'neverPlaced' };
    // Its bytes had no effect and never will: an intent that lives on, an exit above all, needs others.
    if (capabilities.resendSafety === 'sameBytes') return { kind: 'sendAgain' };
  }
  return { kind: 'askAgain', memory: { finalAbsences, tries: memory.tries + 1 } };
}

function maySendAgain(facts: PlacingFacts, look: AbsentLook, safety: VenueCapabilities['resendSafety']): boolean {
  if (!facts.mayHaveLeft) return true;
  if (safety === 'uniqueClientId') return true;
  // Once their deadline has passed the same bytes have no effect any more, and tell nothing.
  if (safety === 'sameBytes') return facts.lastDeadlineMs === null || look.venueTimeMs <= facts.lastDeadlineMs;
  // New bytes only once the venue itself would refuse the old ones, and a whole look afterwards found nothing.
  return safety === 'venueDeadline' && look.complete && facts.lastDeadlineMs !== null && look.venueTimeMs > facts.lastDeadlineMs;
}

function isFinalAbsence(facts: PlacingFacts, look: AbsentLook, absenceFinalAfterMs: number | null): boolean {
  // Without a deadline of the venue's own a process that was stopped in the middle of sending may still send.
  if (absenceFinalAfterMs === null || facts.lastDeadlineMs === null || !look.complete) return false;
  return look.venueTimeMs >= facts.lastDeadlineMs + absenceFinalAfterMs;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;

/** Soon at first, because most answers are late by little; at last four times a minute. */
export function waitBeforeAsking(tries: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries, 10), LONGEST_WAIT_MS);
}
