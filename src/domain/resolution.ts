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
  /** Of an order that belongs to a group: the look found none of the others either. Absent: it stands alone. */
  readonly groupAbsent?: boolean;
  /** The nonce of what may have left was used up by a request without effect: none of it took effect, and none will. Absent: that is not known. */
  readonly nonceVoid?: boolean;
}

/** How often it was finally absent so far; carried by the workflow from look to look. */
export interface ResolutionMemory {
  readonly finalAbsences: number;
  readonly tries: number;
  /** The `lastDeadlineMs` that these absences were final for: a request sent since begins the count anew. */
  readonly absentAfterMs?: number | null;
  /** What using up the nonce of the requests up to that deadline brought: an answer is asked for once. */
  readonly voiding?: { readonly deadlineMs: number; readonly nonceVoid: boolean };
}

export const NO_MEMORY: ResolutionMemory = { finalAbsences: 0, tries: 0 };

export type Conclusion =
  /** `goneUntilMs`: requests with a deadline up to it are proven to have had no effect, and never will; null: none is. */
  | { readonly kind: 'sendAgain'; readonly goneUntilMs: number | null }
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
  if (!facts.mayHaveLeft) return alive ? { kind: 'sendAgain', goneUntilMs: null } : { kind: 'notSent', rateLimited: facts.lastRateLimited };
  if (alive && isHarmless(facts, look, capabilities.resendSafety)) return { kind: 'sendAgain', goneUntilMs: null };
  const counted = memory.absentAfterMs === undefined || memory.absentAfterMs === facts.lastDeadlineMs ? memory.finalAbsences : 0;
  const finalAbsences = counted + (isFinalAbsence(facts, look, capabilities.absenceFinalAfterMs) ? 1 : 0);
  const isGone = finalAbsences >= FINAL_ABSENCES_NEEDED;
  const isProven = isGone || look.nonceVoid === true;
  if (!alive && isGone) return { kind: 'neverPlaced' };
  // The bytes that could be repeated are dead at the venue: others may take their place once these are proven to have done nothing.
  if (alive && isProven && capabilities.resendSafety === 'sameBytes' && look.groupAbsent !== false) return { kind: 'sendAgain', goneUntilMs: facts.lastDeadlineMs };
  return { kind: 'askAgain', memory: { finalAbsences, tries: memory.tries + 1, ...(finalAbsences > 0 ? { absentAfterMs: facts.lastDeadlineMs } : {}), ...(memory.voiding === undefined ? {} : { voiding: memory.voiding }) } };
}

/**
 * Whether it is worth using up the nonce of what may have left: only that, or a long wait, tells what became of bytes that the venue refuses by
 * now, while others should take their place. By then they are of no use to anybody.
 */
export function isWorthVoiding(facts: PlacingFacts, look: AbsentLook, { resendSafety }: Pick<VenueCapabilities, 'resendSafety'>, nowMs: number): boolean {
  return resendSafety === 'sameBytes' && facts.mayHaveLeft && nowMs < facts.placeBeforeMs && look.complete && look.groupAbsent !== false && isOver(facts, look);
}

/** Whether sending again what may have left cannot have a second effect. */
function isHarmless(facts: PlacingFacts, look: AbsentLook, safety: VenueCapabilities['resendSafety']): boolean {
  switch (safety) {
    case 'sameBytes':
      // Past their deadline the venue refuses these very bytes, for ever.
      return !isOver(facts, look);
    case 'uniqueClientId':
      return true;
    case 'venueDeadline':
      // New bytes only once the venue itself would refuse the old ones, and a whole look afterwards found nothing.
      return look.complete && isOver(facts, look);
    case 'none':
      return false;
  }
}

/** By its own clock the venue takes none of them any more. */
function isOver({ lastDeadlineMs }: PlacingFacts, look: AbsentLook): boolean {
  return lastDeadlineMs !== null && look.venueTimeMs > lastDeadlineMs;
}

function isFinalAbsence(facts: PlacingFacts, look: AbsentLook, absenceFinalAfterMs: number | null): boolean {
  // Without a deadline of the venue's own a process that was stopped in the middle of sending may still send.
  if (absenceFinalAfterMs === null || facts.lastDeadlineMs === null || !look.complete) return false;
  return look.venueTimeMs >= facts.lastDeadlineMs + absenceFinalAfterMs;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;
/**
 * An exit that waits for nothing but a venue that answers is there within 5 s of that (DESIGN.md promise 6): what is left of a question that
 * went unanswered (1 s; of a whole look 3), this wait, the durable timer, one question and one send.
 */
export const EXIT_LONGEST_WAIT_MS = 1_500;

/** Soon at first, because most answers are late by little; at last four times a minute. */
export function waitBeforeAsking(tries: number, longestMs: number = LONGEST_WAIT_MS): number {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries, 10), longestMs);
}
