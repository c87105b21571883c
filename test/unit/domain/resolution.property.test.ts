import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { conclude } from '../../../src/domain/resolution';
import type { ResendSafety } from '../../../src/domain/venue';
import { ENTRY_LIFE_MS, EXIT_LIFE_MS, holds, ordersOf, play, repeatLive, usesUp, world, type Conclude, type Fate, type ToRepeat, type Voiding, type World } from './resolution-model';

const RUNS = { numRuns: 2_000 };
const property = (concluding: Conclude): fc.IPropertyWithHooks<[World]> => fc.property(world, (made) => holds(made, concluding));
/** An exit, and a venue that hears nothing, or nobody, for a while and then answers at once. */
const returning: fc.Arbitrary<World> = fc.record({
  safety: fc.constantFrom<ResendSafety>('sameBytes', 'uniqueClientId', 'venueDeadline'),
  bad: fc.array(fc.constantFrom<Fate>({ kind: 'notSent' }, { kind: 'lost' }), { maxLength: 6 }),
  venueOffsetMs: fc.constantFrom(0, -60_000, 60_000),
  steps: fc.array(fc.constantFrom(5_000, 15_000), { minLength: 240, maxLength: 240 }),
  voids: fc.boolean(),
}).map(({ bad, ...made }) => ({ ...made, lifeMs: EXIT_LIFE_MS, hiddenForMs: 0, truncated: false, enforcesDeadline: true, fates: [...bad, { kind: 'taken', afterMs: 0 }], lyingLook: -1 }));
const arrives = (concluding: Conclude, toRepeat: ToRepeat = repeatLive): fc.IPropertyWithHooks<[World]> =>
  fc.property(returning, (made) => {
    const { last, requests } = play(made, concluding, toRepeat);
    if (last !== 'found' || ordersOf(made, requests) !== 1) throw new Error(`the exit did not go out: ${last} after ${requests.length} requests`);
  });
/** The rules with something wrong about what they are given. */
const planted = (wrong: (given: Parameters<Conclude>) => Parameters<Conclude>): Conclude => (...given) => conclude(...wrong(given));
const patient: World = { safety: 'uniqueClientId', lifeMs: ENTRY_LIFE_MS, venueOffsetMs: 0, hiddenForMs: 0, truncated: false, enforcesDeadline: true, fates: [{ kind: 'lost' }], steps: Array<number>(60).fill(5_000), lyingLook: -1, voids: false };

describe('an order the venue does not show', () => {
  test('is never called dead while it may live, never sent in doubt, whatever is hidden, lost, late or skewed', () => {
    fc.assert(property(conclude), RUNS);
  });

  test('goes out, once, whenever the venue takes it again, however long it was away and whatever it heard before', () => {
    fc.assert(arrives(conclude), RUNS);
  });

  test('goes out as soon as the venue takes it again where a nonce can be used up: nobody waits for its absence to be final', () => {
    // Nothing arrived for a minute; then the venue is well.
    const away: World = { ...patient, safety: 'sameBytes', lifeMs: EXIT_LIFE_MS, fates: [{ kind: 'lost' }, { kind: 'taken', afterMs: 0 }], steps: [60_000, 250, 15_000] };
    expect([play({ ...away, voids: true }, conclude).last, play(away, conclude).last]).toEqual(['found', 'askAgain']);
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

  test('and that only one goes out by a nonce that counts as used up though its bytes were taken', () => {
    const breaks = (voiding: Voiding): boolean =>
      fc.check(fc.property(world, (made) => {
        const risky: World = { ...made, safety: 'sameBytes', enforcesDeadline: true, voids: true };
        if (ordersOf(risky, play(risky, conclude, repeatLive, voiding).requests) > 1) throw new Error('two orders');
      }), { ...RUNS, seed: 1 }).failed;
    expect([breaks(() => true), breaks(usesUp)]).toEqual([true, false]);
  });

  test('and that only one goes out by new bytes while the old ones live', () => {
    const hasty: ToRepeat = () => null;
    expect(fc.check(fc.property(world, (made) => holds({ ...made, safety: 'sameBytes', enforcesDeadline: true }, conclude, hasty)), { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});
