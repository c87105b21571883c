/** A venue that loses, delays, hides and skews, and the rules of resolution played against it until something is final. */
import fc from 'fast-check';
import { isWorthVoiding, NO_MEMORY, type AbsentLook, type conclude, type Conclusion, type PlacingFacts, type ResolutionMemory } from '../../../src/domain/resolution';
import type { ResendSafety } from '../../../src/domain/venue';

/** An entry is placed soon or not at all; an exit as soon as it can be. */
export const ENTRY_LIFE_MS = 10_000;
export const EXIT_LIFE_MS = 86_400_000;
const TTL_MS = 2_000;
/** Where the same bytes are what makes a second sending safe, they live this long. */
const BYTES_LIVE_MS = 10_000;
const FINAL_AFTER_MS = 120_000;

export type Conclude = typeof conclude;
/** Which request's bytes go again where only those may; null: new ones are signed; 'wait': neither is safe yet. */
export type ToRepeat = (requests: readonly Request[], venueMs: number, goneUntilMs: number | null) => Request | 'wait' | null;

/** How one request fares: never left, lost on its way, or taken by the venue after so long. */
export type Fate = { readonly kind: 'notSent' } | { readonly kind: 'lost' } | { readonly kind: 'taken'; readonly afterMs: number };

export interface World {
  readonly safety: ResendSafety;
  readonly lifeMs: number;
  readonly venueOffsetMs: number;
  /** How long after a request's deadline the venue may hide what it took. */
  readonly hiddenForMs: number;
  /** An order that ended is in a part of the history that cannot be read. */
  readonly truncated: boolean;
  readonly enforcesDeadline: boolean;
  readonly fates: readonly Fate[];
  readonly steps: readonly number[];
  /** Of the looks that could be final, this one is served by a replica that lags behind; -1: none is. */
  readonly lyingLook: number;
  /** The venue has a request that uses up a nonce. */
  readonly voids: boolean;
}

const fate: fc.Arbitrary<Fate> = fc.oneof(
  fc.constant({ kind: 'notSent' } as const),
  fc.constant({ kind: 'lost' } as const),
  fc.record({ kind: fc.constant('taken' as const), afterMs: fc.integer({ min: 0, max: 30_000 }) }),
);

export const world: fc.Arbitrary<World> = fc.record({
  safety: fc.constantFrom<ResendSafety>('sameBytes', 'uniqueClientId', 'venueDeadline', 'none'),
  lifeMs: fc.constantFrom(ENTRY_LIFE_MS, EXIT_LIFE_MS),
  venueOffsetMs: fc.constantFrom(0, -60_000, 60_000, 150_000),
  hiddenForMs: fc.constantFrom(0, 90_000, FINAL_AFTER_MS - 1),
  truncated: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  enforcesDeadline: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  fates: fc.array(fate, { minLength: 1, maxLength: 6 }),
  steps: fc.array(fc.constantFrom(250, 1_000, 5_000, 15_000), { minLength: 60, maxLength: 60 }),
  lyingLook: fc.integer({ min: -1, max: 3 }),
  voids: fc.boolean(),
});

/** One request at the venue: until when it takes it, by its clock, and when it takes effect. */
interface Request {
  readonly fate: Fate;
  /** Which signed bytes it is: the venue takes each once. */
  readonly bytes: number;
  readonly deadlineMs: number;
  /** Venue's clock; null: never. */
  readonly takenAtMs: number | null;
}

/** Whether a request without effect is taken in place of the newest bytes. */
export type Voiding = (requests: Request[], venueMs: number) => boolean;

/** As a venue does it: not where they were taken, and where it is, they never are. */
export const usesUp: Voiding = (requests, venueMs) => {
  const bytes = requests.at(-1)?.bytes;
  if (requests.some((request) => request.bytes === bytes && request.takenAtMs !== null && request.takenAtMs <= venueMs)) return false;
  requests.forEach((request, index) => {
    if (request.bytes === bytes) requests[index] = { ...request, takenAtMs: null };
  });
  return true;
};

interface Outcome {
  readonly last: Conclusion['kind'] | 'found';
  readonly requests: readonly Request[];
  readonly sentLate: boolean;
}

/** As the store does it (store/orders/resend.ts). */
export const repeatLive: ToRepeat = (requests, venueMs, goneUntilMs) => {
  const left = requests.filter((request) => request.fate.kind !== 'notSent');
  const last = left.at(-1);
  if (last === undefined) return null;
  if (venueMs <= last.deadlineMs) return last;
  return left.every(({ deadlineMs }) => goneUntilMs !== null && deadlineMs <= goneUntilMs) ? null : 'wait';
};

/** Runs looks and conclusions against the venue until something is final or the steps are over. */
export function play(made: World, concluding: Conclude, toRepeat: ToRepeat = repeatLive, voiding: Voiding = usesUp): Outcome {
  const { safety, venueOffsetMs, enforcesDeadline, lifeMs } = made;
  let nowMs = 0;
  const requests: Request[] = [];
  let sentLate = false;
  const send = (goneUntilMs: number | null): void => {
    const next = made.fates[Math.min(requests.length, made.fates.length - 1)] ?? { kind: 'lost' };
    const sentAtMs = nowMs + venueOffsetMs;
    const again = safety === 'sameBytes' ? toRepeat(requests, enforcesDeadline ? sentAtMs : -Infinity, goneUntilMs) : null;
    if (again === 'wait') return;
    const deadlineMs = again?.deadlineMs ?? sentAtMs + (safety === 'sameBytes' ? BYTES_LIVE_MS : Math.min(TTL_MS, lifeMs - nowMs));
    const arrivesMs = next.kind === 'taken' ? sentAtMs + next.afterMs : null;
    const inTime = arrivesMs !== null && (!enforcesDeadline || arrivesMs <= deadlineMs);
    sentLate ||= nowMs >= lifeMs;
    requests.push({ fate: next, bytes: again?.bytes ?? requests.length, deadlineMs, takenAtMs: inTime ? arrivesMs : null });
  };
  send(null);
  let memory: ResolutionMemory = NO_MEMORY;
  let last: Outcome['last'] = 'askAgain';
  let finalLooks = 0;
  for (const stepMs of made.steps) {
    nowMs += stepMs;
    const venueMs = nowMs + venueOffsetMs;
    const couldBeFinal = requests.every((request) => venueMs >= request.deadlineMs + FINAL_AFTER_MS);
    const lies = couldBeFinal && finalLooks === made.lyingLook;
    if (couldBeFinal) finalLooks += 1;
    if (!lies && requests.some((request) => shows(made, request, venueMs))) return { last: 'found', requests, sentLate };
    const seen: AbsentLook = { venueTimeMs: venueMs, complete: !made.truncated };
    const facts = factsOf(made, requests);
    const look: AbsentLook = made.voids && isWorthVoiding(facts, seen, { resendSafety: safety }, nowMs) ? { ...seen, nonceVoid: voiding(requests, venueMs) } : seen;
    const conclusion = concluding(facts, look, { resendSafety: safety, absenceFinalAfterMs: FINAL_AFTER_MS }, memory, nowMs);
    last = conclusion.kind;
    if (conclusion.kind === 'askAgain') memory = conclusion.memory;
    else if (conclusion.kind === 'sendAgain') send(conclusion.goneUntilMs);
    else return { last, requests, sentLate };
  }
  return { last, requests, sentLate };
}

/** A venue that relies on its deadline hides nothing past it: that is what declaring it promises. */
function shows(made: World, request: Request, venueMs: number): boolean {
  if (request.takenAtMs === null || made.truncated) return false;
  const hiddenUntilMs = made.safety === 'venueDeadline' ? request.takenAtMs : request.deadlineMs + made.hiddenForMs;
  return venueMs >= Math.max(request.takenAtMs, hiddenUntilMs);
}

function factsOf({ enforcesDeadline, lifeMs }: World, requests: readonly Request[]): PlacingFacts {
  const left = requests.filter((request) => request.fate.kind !== 'notSent');
  const lastDeadlineMs = left.length === 0 || !enforcesDeadline ? null : Math.max(...left.map((request) => request.deadlineMs));
  return { placeBeforeMs: lifeMs, mayHaveLeft: left.length > 0, lastDeadlineMs, lastRateLimited: false };
}

/** Orders the venue holds in the end: the same client id, and the same bytes, are taken once however often they arrive. */
export function ordersOf({ safety }: World, requests: readonly Request[]): number {
  const taken = new Set(requests.filter((request) => request.takenAtMs !== null).map(({ bytes }) => bytes));
  return safety === 'uniqueClientId' ? Math.min(taken.size, 1) : taken.size;
}

export function holds(made: World, concluding: Conclude, toRepeat: ToRepeat = repeatLive): void {
  const { last, requests, sentLate } = play(made, concluding, toRepeat);
  const orders = ordersOf(made, requests);
  const must = (rule: boolean, what: string): void => {
    if (!rule) throw new Error(what);
  };
  must(!(last === 'neverPlaced' && orders > 0), 'an order that the venue took was called never placed');
  must(!(last === 'notSent' && requests.some((request) => request.fate.kind !== 'notSent')), 'a request that may have left was called not sent');
  must(!sentLate, 'a request was sent after the order\'s life');
  must(orders <= 1, `${orders} orders at the venue`);
}
