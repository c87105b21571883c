import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { conclude, NO_MEMORY, type AbsentLook, type Conclusion, type PlacingFacts, type ResolutionMemory } from '../../../src/domain/resolution';
import type { ResendSafety } from '../../../src/domain/venue';

const RUNS = { numRuns: 2_000 };
/** An entry is placed soon or not at all; an exit as soon as it can be. */
const ENTRY_LIFE_MS = 10_000;
const EXIT_LIFE_MS = 86_400_000;
const TTL_MS = 2_000;
/** Where the same bytes are what makes a second sending safe, they live this long. */
const BYTES_LIVE_MS = 10_000;
const FINAL_AFTER_MS = 120_000;

type Conclude = typeof conclude;
/** Which request's bytes go again where only those may; null: new ones are signed; 'wait': neither is safe yet. */
type ToRepeat = (requests: readonly Request[], venueMs: number, goneUntilMs: number | null) => Request | 'wait' | null;

/** How one request fares: never left, lost on its way, or taken by the venue after so long. */
type Fate = { readonly kind: 'notSent' } | { readonly kind: 'lost' } | { readonly kind: 'taken'; readonly afterMs: number };

interface World {
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
}

const fate: fc.Arbitrary<Fate> = fc.oneof(
  fc.constant({ kind: 'notSent' } as const),
  fc.constant({ kind: 'lost' } as const),
  fc.record({ kind: fc.constant('taken' as const), afterMs: fc.integer({ min: 0, max: 30_000 }) }),
);

const world: fc.Arbitrary<World> = fc.record({
  safety: fc.constantFrom<ResendSafety>('sameBytes', 'uniqueClientId', 'venueDeadline', 'none'),
  lifeMs: fc.constantFrom(ENTRY_LIFE_MS, EXIT_LIFE_MS),
  venueOffsetMs: fc.constantFrom(0, -60_000, 60_000, 150_000),
  hiddenForMs: fc.constantFrom(0, 90_000, FINAL_AFTER_MS - 1),
  truncated: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  enforcesDeadline: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  fates: fc.array(fate, { minLength: 1, maxLength: 6 }),
  steps: fc.array(fc.constantFrom(250, 1_000, 5_000, 15_000), { minLength: 60, maxLength: 60 }),
  lyingLook: fc.integer({ min: -1, max: 3 }),
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

interface Outcome {
  readonly last: Conclusion['kind'] | 'found';
  readonly requests: readonly Request[];
  readonly sentLate: boolean;
}

/** As the store does it (store/orders/resend.ts). */
const repeatLive: ToRepeat = (requests, venueMs, goneUntilMs) => {
  const left = requests.filter((request) => request.fate.kind !== 'notSent');
  const last = left.at(-1);
  if (last === undefined) return null;
  if (venueMs <= last.deadlineMs) return last;
  return left.every(({ deadlineMs }) => goneUntilMs !== null && deadlineMs <= goneUntilMs) ? null : 'wait';
};

/** Runs looks and conclusions against the venue until something is final or the steps are over. */
function play(made: World, concluding: Conclude, toRepeat: ToRepeat = repeatLive): Outcome {
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
    const look: AbsentLook = { venueTimeMs: venueMs, complete: !made.truncated };
    const conclusion = concluding(factsOf(made, requests), look, { resendSafety: safety, absenceFinalAfterMs: FINAL_AFTER_MS }, memory, nowMs);
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
function ordersOf({ safety }: World, requests: readonly Request[]): number {
  const taken = new Set(requests.filter((request) => request.takenAtMs !== null).map(({ bytes }) => bytes));
  return safety === 'uniqueClientId' ? Math.min(taken.size, 1) : taken.size;
}

function holds(made: World, concluding: Conclude, toRepeat: ToRepeat = repeatLive): void {
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

const property = (concluding: Conclude): fc.IPropertyWithHooks<[World]> => fc.property(world, (made) => holds(made, concluding));
/** An exit, and a venue that hears nothing, or nobody, for a while and then answers at once. */
const returning: fc.Arbitrary<World> = fc.record({
  safety: fc.constantFrom<ResendSafety>('sameBytes', 'uniqueClientId', 'venueDeadline'),
  bad: fc.array(fc.constantFrom<Fate>({ kind: 'notSent' }, { kind: 'lost' }), { maxLength: 6 }),
  venueOffsetMs: fc.constantFrom(0, -60_000, 60_000),
  steps: fc.array(fc.constantFrom(5_000, 15_000), { minLength: 240, maxLength: 240 }),
}).map(({ bad, ...made }) => ({ ...made, lifeMs: EXIT_LIFE_MS, hiddenForMs: 0, truncated: false, enforcesDeadline: true, fates: [...bad, { kind: 'taken', afterMs: 0 }], lyingLook: -1 }));
const arrives = (concluding: Conclude, toRepeat: ToRepeat = repeatLive): fc.IPropertyWithHooks<[World]> =>
  fc.property(returning, (made) => {
    const { last, requests } = play(made, concluding, toRepeat);
    if (last !== 'found' || ordersOf(made, requests) !== 1) throw new Error(`the exit did not go out: ${last} after ${requests.length} requests`);
  });
/** The rules with something wrong about what they are given. */
const planted = (wrong: (given: Parameters<Conclude>) => Parameters<Conclude>): Conclude => (...given) => conclude(...wrong(given));
const patient: World = { safety: 'uniqueClientId', lifeMs: ENTRY_LIFE_MS, venueOffsetMs: 0, hiddenForMs: 0, truncated: false, enforcesDeadline: true, fates: [{ kind: 'lost' }], steps: Array<number>(60).fill(5_000), lyingLook: -1 };

describe('an order the venue does not show', () => {
  test('is never called dead while it may live, never sent in doubt, whatever is hidden, lost, late or skewed', () => {
    fc.assert(property(conclude), RUNS);
  });

  test('goes out, once, whenever the venue takes it again, however long it was away and whatever it heard before', () => {
    fc.assert(arrives(conclude), RUNS);
  });

  test('these runs come to every conclusion, so the property is about something', () => {
    const seen = new Set<string>();
    for (const made of fc.sample(world, { numRuns: 500, seed: 1 })) seen.add(play(made, conclude).last);
    expect([...seen].sort()).toEqual(['askAgain', 'found', 'neverPlaced', 'notSent', 'sendAgain']);
  });

  test('is in the end called never placed, or not sent, where that is provable', () => {
    expect(play(patient, conclude).last).toBe('neverPlaced');
    expect(play({ ...patient, fates: [{ kind: 'notSent' }] }, conclude).last).toBe('notSent');
  });

  test.each<[string, Partial<World>]>([
    ['its history may be truncated', { truncated: true }],
    ['the venue enforces no deadline: a stopped process may still send', { enforcesDeadline: false }],
  ])('stays open for ever where %s', (_why, changes) => {
    expect(play({ ...patient, ...changes }, conclude).last).toBe('askAgain');
  });

  test('stays open where the venue declares absence never final', () => {
    const never: Conclude = (facts, look, capabilities, memory, nowMs) => conclude(facts, look, { ...capabilities, absenceFinalAfterMs: null }, memory, nowMs);
    expect(play(patient, never).last).toBe('askAgain');
  });
});

describe('the property finds', () => {
  test.each<[string, Conclude]>([
    ['one absent look taken for two', planted(([facts, look, capabilities, memory, nowMs]) => [facts, look, capabilities, { ...memory, finalAbsences: 1 }, nowMs])],
    ['our clock taken for the venue\'s', planted(([facts, look, capabilities, memory, nowMs]) => [facts, { ...look, venueTimeMs: nowMs }, capabilities, memory, nowMs])],
    ['absence taken as final at once', planted(([facts, look, capabilities, memory, nowMs]) => [facts, look, { ...capabilities, absenceFinalAfterMs: 0 }, memory, nowMs])],
    ['a truncated history taken for a whole one', planted(([facts, look, capabilities, memory, nowMs]) => [facts, { ...look, complete: true }, capabilities, memory, nowMs])],
    ['sending after the order\'s life', planted(([facts, look, capabilities, memory]) => [facts, look, capabilities, memory, 0])],
    ['new bytes while the old ones live', planted(([facts, look, capabilities, memory, nowMs]) => [facts, { ...look, venueTimeMs: Infinity }, capabilities, memory, nowMs])],
    ['a request that may have left taken for one that did not', planted(([facts, look, capabilities, memory, nowMs]) => [{ ...facts, mayHaveLeft: false }, look, capabilities, memory, nowMs])],
    ['absences counted for a request that was sent after them', planted(([facts, look, capabilities, memory, nowMs]) => [facts, look, capabilities, memory.absentAfterMs === undefined ? { ...memory, finalAbsences: 2 } : memory, nowMs])],
    ['the same bytes signed anew before their absence was final', planted(([facts, look, capabilities, memory, nowMs]) => [facts, look, { ...capabilities, absenceFinalAfterMs: 0 }, { tries: memory.tries, finalAbsences: capabilities.resendSafety === 'sameBytes' ? 1 : memory.finalAbsences }, nowMs])],
    ['no rule about sending twice', planted(([facts, look, capabilities, memory, nowMs]) => [facts, look, { ...capabilities, resendSafety: 'uniqueClientId' }, memory, nowMs])],
  ])('%s', (_what, wrong) => {
    expect(fc.check(property(wrong), { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});

describe('that an exit goes out is found broken by', () => {
  test.each<[string, Conclude, ToRepeat]>([
    ['bytes that are repeated although the venue refuses them as expired', (...given) => { const made = conclude(...given); return made.kind === 'askAgain' ? { kind: 'sendAgain', goneUntilMs: null } : made; }, (requests) => requests.at(-1) ?? null],
    ['a rule that never signs anew what may have left', (...given) => { const made = conclude(...given); return made.kind === 'sendAgain' ? { ...made, goneUntilMs: null } : made; }, repeatLive],
  ])('%s', (_what, wrong, toRepeat) => {
    expect(fc.check(arrives(wrong, toRepeat), { ...RUNS, seed: 1 }).failed).toBe(true);
  });

  test('and that only one goes out by new bytes while the old ones live', () => {
    const hasty: ToRepeat = () => null;
    expect(fc.check(fc.property(world, (made) => holds({ ...made, safety: 'sameBytes', enforcesDeadline: true }, conclude, hasty)), { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});
