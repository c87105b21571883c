/** A move of money against a venue that takes its bytes once: whatever is lost, late or repeated, it ends as what happened there, or as unresolved. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ENDED_MOVE_STATES } from '../../../src/domain/collateral-move';
import { advanceMove, nextMoveStep, takeMoveSend, type MoveFact, type MoveRecord } from '../../../src/domain/collateral-move-state';

const RUNS = 2_000;
const DEADLINE = 20_000;
const START: MoveRecord = { state: 'SENDING', reasonCode: null, reasonMessage: null, sends: 0, doubted: false, absences: 0, unclears: 0, venueDeadlineMs: DEADLINE, sendUntilMs: DEADLINE - 2_000 };
const FINAL_AFTER = 5_000;
const after = (record: MoveRecord, ...facts: readonly MoveFact[]): MoveRecord => facts.reduce((current, fact) => advanceMove(current, fact) ?? current, record);
const absent = (venueTimeMs: number, kind: 'absent' | 'unclear' = 'absent'): MoveFact => ({ kind, venueTimeMs, finalAfterMs: FINAL_AFTER });
const LATE = DEADLINE + FINAL_AFTER;

describe('what is learned of a move', () => {
  const sent = takeMoveSend(START);

  test('a no to the only send is its end, and a no beside others that may be on their way is none', () => {
    expect(after(sent, { kind: 'refused', send: 1, doubtedBefore: false, code: 'INSUFFICIENT_MARGIN', message: 'no' })).toMatchObject({ state: 'REFUSED', reasonCode: 'INSUFFICIENT_MARGIN', doubted: false });
    const again = takeMoveSend(after(sent, { kind: 'lost', message: 'reset' }));
    expect(after(again, { kind: 'refused', send: 2, doubtedBefore: true, code: 'X', message: 'no' })).toMatchObject({ state: 'UNKNOWN', doubted: true });
    // Its own send, and somebody else's began meanwhile.
    expect(after(takeMoveSend(sent), { kind: 'refused', send: 1, doubtedBefore: false, code: 'X', message: 'no' }).state).toBe('UNKNOWN');
  });

  test('silence is UNKNOWN, asked about before the same bytes are sent again, and never sent after its time', () => {
    const lost = after(sent, { kind: 'lost', message: 'reset' });
    expect([nextMoveStep(lost, 1_000, false), nextMoveStep(lost, 1_000, true), nextMoveStep(lost, DEADLINE, true)]).toEqual(['ask', 'send', 'wait']);
    expect([nextMoveStep(START, 0, false), nextMoveStep(START, DEADLINE - 2_000, false)]).toEqual(['send', 'timeOver']);
    // A process died between taking the right and telling what came of it.
    expect(nextMoveStep(sent, 1_000, false)).toBe('ask');
  });

  test('what never left ends when its time is over, and nothing else does', () => {
    const held = after(sent, { kind: 'notSent', send: 1, doubtedBefore: false, message: 'refused' });
    expect(held).toMatchObject({ state: 'SENDING', doubted: false });
    expect(after(held, { kind: 'timeOver' })).toMatchObject({ state: 'REFUSED', reasonCode: 'NOT_SENT', reasonMessage: 'refused' });
    expect(advanceMove(sent, { kind: 'timeOver' })).toBeNull();
  });

  test('absence counts twice, and only once nothing of it can have effect any more', () => {
    const lost = after(sent, { kind: 'lost', message: 'reset' });
    expect([advanceMove(lost, absent(LATE - 1)), advanceMove(START, absent(LATE))]).toEqual([null, null]);
    expect(after(lost, absent(LATE))).toMatchObject({ state: 'UNKNOWN', absences: 1 });
    expect(after(lost, absent(LATE), absent(LATE + 1))).toMatchObject({ state: 'REFUSED', reasonCode: 'NEVER_APPLIED' });
    expect(after(lost, absent(LATE, 'unclear'), absent(LATE))).toMatchObject({ state: 'UNKNOWN' });
    expect(after(lost, absent(LATE, 'unclear'), absent(LATE, 'unclear'))).toMatchObject({ state: 'UNRESOLVED', reasonCode: 'UNRESOLVED' });
  });

  test('what the venue shows counts whenever it is seen, and nothing takes it back', () => {
    const refused = after(sent, { kind: 'refused', send: 1, doubtedBefore: false, code: 'X', message: 'no' });
    const applied = after(refused, { kind: 'applied' });
    expect(applied).toMatchObject({ state: 'APPLIED', reasonCode: null });
    for (const fact of [{ kind: 'lost', message: '' }, { kind: 'applied' }, { kind: 'timeOver' }, absent(LATE)] as const) expect(advanceMove(applied, fact)).toBeNull();
  });
});

/** One send on its way: when the venue reads it, and whether its answer is heard. */
interface Flight { readonly delayMs: number; readonly heard: boolean; readonly leaves: boolean }
interface World { readonly flights: readonly Flight[]; readonly takesFromMs: number | null; readonly blind: boolean; readonly pausesMs: readonly number[] }

const flight: fc.Arbitrary<Flight> = fc.record({ delayMs: fc.integer({ min: 0, max: 30_000 }), heard: fc.boolean(), leaves: fc.boolean() });
const world: fc.Arbitrary<World> = fc.record({ flights: fc.array(flight, { minLength: 1, maxLength: 8 }), takesFromMs: fc.option(fc.integer({ min: 0, max: 25_000 }), { nil: null }), blind: fc.boolean(), pausesMs: fc.array(fc.integer({ min: 500, max: 9_000 }), { minLength: 1, maxLength: 8 }) });

/** The venue reads bytes when they arrive: they are expired, their nonce is used, it refuses them for a reason of its own that may pass, or it does what they say. */
function live({ flights, takesFromMs, blind, pausesMs }: World, advance: typeof advanceMove): { record: MoveRecord; effects: number } {
  let [record, nowMs, effects, used] = [START, 0, 0, false];
  const arrivals: number[] = [];
  const arrive = (atMs: number): 'expired' | 'used' | 'refused' | 'done' => {
    if (atMs > DEADLINE) return 'expired';
    if (used) return 'used';
    if (takesFromMs === null || atMs < takesFromMs) return 'refused';
    used = true;
    effects += 1;
    return 'done';
  };
  const settle = (untilMs: number): void => {
    arrivals.sort((a, b) => a - b);
    while (arrivals[0] !== undefined && arrivals[0] <= untilMs) arrive(arrivals.shift() ?? 0);
  };
  const learn = (fact: MoveFact): void => void (record = advance(record, fact) ?? record);
  for (let turn = 0; nowMs < 120_000 && !ENDED_MOVE_STATES.has(record.state); turn += 1) {
    for (let asked = false; ; ) {
      settle(nowMs);
      const step = nextMoveStep(record, nowMs, asked);
      if (step === 'end' || step === 'wait') break;
      if (step === 'timeOver') {
        learn({ kind: 'timeOver' });
        break;
      }
      if (step === 'ask') {
        learn(effects > 0 && !blind ? { kind: 'applied' } : absent(nowMs, blind ? 'unclear' : 'absent'));
        asked = true;
        continue;
      }
      const { delayMs, heard, leaves } = flights[record.sends % flights.length] as Flight;
      const doubtedBefore = record.doubted;
      record = takeMoveSend(record);
      const send = record.sends;
      if (!leaves) learn({ kind: 'notSent', send, doubtedBefore, message: 'refused connection' });
      else if (heard) {
        const answer = arrive(nowMs);
        learn(answer === 'done' ? { kind: 'applied' } : answer === 'refused' ? { kind: 'refused', send, doubtedBefore, code: 'X', message: 'no' } : { kind: 'lost', message: answer });
      } else {
        arrivals.push(nowMs + delayMs);
        learn({ kind: 'lost', message: 'reset' });
      }
      break;
    }
    nowMs += pausesMs[turn % pausesMs.length] ?? 1_000;
  }
  settle(Infinity);
  return { record, effects };
}

describe('whatever is lost and late', () => {
  const holds = (advance: typeof advanceMove) =>
    fc.property(world, (given) => {
      const { record, effects } = live(given, advance);
      expect(effects).toBeLessThanOrEqual(1);
      expect(ENDED_MOVE_STATES.has(record.state)).toBe(true);
      if (record.state === 'APPLIED') expect(effects).toBe(1);
      if (record.state === 'REFUSED') expect(effects).toBe(0);
    });

  test('it has one effect at most, and APPLIED and REFUSED are the truth', () => {
    fc.assert(holds(advanceMove), { numRuns: RUNS });
  });

  test.each<[string, typeof advanceMove]>([
    ['a no is believed beside bytes that are on their way', (record, fact) => advanceMove(record, fact.kind === 'refused' ? { ...fact, doubtedBefore: false } : fact)],
    ['absence is believed before the deadline', (record, fact) => advanceMove(record, fact.kind === 'absent' ? { ...fact, venueTimeMs: LATE } : fact)],
    ['silence is taken for a no', (record, fact) => advanceMove(record, fact.kind === 'lost' ? { kind: 'refused', send: record.sends, doubtedBefore: false, code: 'X', message: '' } : fact)],
    ['what may have left counts as never sent', (record, fact) => advanceMove(record, fact.kind === 'lost' ? { kind: 'notSent', send: record.sends, doubtedBefore: false, message: '' } : fact)],
  ])('and it would be found out if %s', (_what, planted) => {
    expect(fc.check(holds(planted), { numRuns: RUNS, seed: 5 }).failed).toBe(true);
  });
});
