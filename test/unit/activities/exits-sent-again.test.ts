import { describe, expect, test } from '@jest/globals';
import { NO_MEMORY } from '../../../src/domain/resolution';
import { VenueOutcomeUnknown, VenueRateLimited, VenueUnavailable } from '../../../src/domain/venue-errors';
import { sampleFill, sampleOrder, sampleView } from '../domain/order-samples';
import { CREATED_MS, longAfter, signal, world, World } from './resolver-world';

describe('an absent order whose bytes the venue would refuse as expired', () => {
  const EXIT = { resendSafety: 'sameBytes', absenceFinalAfterMs: 1_000, fullFillHistory: true } as const;
  const exit = (changes: Partial<World>): World => {
    const made = longAfter({ order: sampleOrder({ state: 'UNKNOWN', reduceOnly: true }), capabilities: EXIT, ...changes });
    return Object.assign(made, { facts: { placeBeforeMs: CREATED_MS + 86_400_000, mayHaveLeft: true, lastDeadlineMs: CREATED_MS + 10_000, lastRateLimited: false, ...changes.facts } });
  };

  test('goes again as new ones after two final looks, which says until when the old ones are gone', async () => {
    const given = exit({});
    const first = await given.step();
    expect([first, given.sent]).toMatchObject([{ kind: 'pending', memory: { finalAbsences: 1 } }, []]);
    given.onSend = () => (given.order = { ...given.order, state: 'WORKING' });
    expect(await given.step(first.kind === 'pending' ? first.memory : NO_MEMORY)).toEqual({ kind: 'settled', state: 'WORKING' });
    expect([given.sent, given.goneUntil]).toEqual([['t2'], [CREATED_MS + 10_000]]);
  });

  describe('where the venue uses up a nonce', () => {
    // Its absence is final two minutes after that deadline: nobody waits for that here.
    const early = (changes: Partial<World> = {}): World => exit({ nowMs: CREATED_MS + 10_001, nonceVoid: true, capabilities: { ...EXIT, absenceFinalAfterMs: 120_000 }, ...changes });

    test('goes again as new ones at once: what the nonce is used up for can never take effect', async () => {
      const given = early();
      given.onSend = () => (given.order = { ...given.order, state: 'WORKING' });
      expect(await given.step()).toEqual({ kind: 'settled', state: 'WORKING' });
      expect([given.voided, given.sent, given.goneUntil]).toEqual([['left'], ['t2'], [CREATED_MS + 10_000]]);
    });

    test('is not asked for anew what an earlier step has proven', async () => {
      const given = early({ conflict: true });
      const first = await given.step();
      expect([first, given.sent]).toMatchObject([{ kind: 'pending', memory: { voiding: { deadlineMs: CREATED_MS + 10_000, nonceVoid: true } } }, []]);
      given.conflict = false;
      await given.step(first.kind === 'pending' ? first.memory : NO_MEMORY);
      expect([given.voided, given.sent]).toEqual([['left'], ['t2']]);
    });

    test('waits for a final absence where the nonce is used: once is enough to know that', async () => {
      const given = early({ nonceVoid: false });
      const first = await given.step();
      const second = await given.step(first.kind === 'pending' ? first.memory : NO_MEMORY);
      expect([first.kind, second.kind, given.voided, given.sent]).toEqual(['pending', 'pending', ['left'], []]);
      given.nowMs = CREATED_MS + 130_001;
      const third = await given.step(second.kind === 'pending' ? second.memory : NO_MEMORY);
      await given.step(third.kind === 'pending' ? third.memory : NO_MEMORY);
      expect([given.voided, given.sent, given.goneUntil]).toEqual([['left'], ['t2'], [CREATED_MS + 10_000]]);
    });

    test('asks for it again where nobody heard the answer, and after new bytes for these', async () => {
      const given = early({ nonceVoid: new VenueOutcomeUnknown('paper', 'no answer', 'timeout') });
      const first = await given.step();
      expect(first).toMatchObject({ kind: 'pending', memory: { tries: 1 } });
      given.nonceVoid = false;
      await given.step({ finalAbsences: 0, tries: 5, voiding: { deadlineMs: CREATED_MS + 5_000, nonceVoid: true } });
      expect([given.voided, given.sent]).toEqual([['left', 'left'], []]);
    });

    test.each<[string, Partial<World>]>([
      ['while the venue takes the bytes: they go again', { nowMs: CREATED_MS + 9_000 }],
      ['of an order that the venue shows', { byId: sampleView() }],
      ['where a look may have missed it', { truncatedBeforeMs: CREATED_MS + 1 }],
      ['after the order\'s own time', { facts: { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: true, lastDeadlineMs: CREATED_MS + 10_000, lastRateLimited: false } }],
      ['where nobody has the bytes', { doubted: null }],
      ['where another request may have left', { doubted: { kind: 'place', bytes: 'another', nonce: '2', venueDeadlineMs: CREATED_MS + 9_999 } }],
      ['of a venue that has no such request', { nonceVoid: null }],
      ['where what makes it safe is another thing', { capabilities: { ...EXIT, resendSafety: 'uniqueClientId' } }],
    ])('uses none up %s', async (_why, changes) => {
      const given = early(changes);
      await given.step();
      expect(given.voided).toEqual([]);
    });
  });

  test('goes again as they are while the venue takes them', async () => {
    const given = exit({ nowMs: CREATED_MS + 9_000 });
    await given.step();
    expect([given.sent, given.goneUntil]).toEqual([['t2'], [null]]);
  });

  test.each<[string, Partial<World>]>([
    ['a history that may be cut', { truncatedBeforeMs: CREATED_MS + 1 }],
    ['too early a look, by the venue\'s clock', { venueOffsetMs: -49_500 }],
    ['absences of an earlier request', { facts: { placeBeforeMs: CREATED_MS + 86_400_000, mayHaveLeft: true, lastDeadlineMs: CREATED_MS + 59_500, lastRateLimited: false } }],
  ])('does not go again on the word of %s', async (_why, changes) => {
    const given = exit(changes);
    expect(await given.step({ finalAbsences: 2, tries: 9, absentAfterMs: CREATED_MS + 9_999 })).toMatchObject({ kind: 'pending' });
    expect(given.sent).toEqual([]);
  });

  test('does not go again with its group while one of that is there by any read', async () => {
    const stop = sampleOrder({ id: 'stop', venueClientId: 'v-stop', state: 'UNKNOWN', reduceOnly: true, grouping: 'positionExits', groupId: 'order1' });
    const memory = { finalAbsences: 1, tries: 9, absentAfterMs: CREATED_MS + 10_000 };
    const grouped = (changes: Partial<World>): World => exit({ order: sampleOrder({ state: 'UNKNOWN', reduceOnly: true, grouping: 'positionExits', groupId: 'order1' }), companions: [stop], ...changes });
    for (const changes of [{ open: [sampleView({ venueClientId: 'v-stop' })] }, { fills: [sampleFill({ venueClientId: 'v-stop' })] }]) {
      const given = grouped(changes);
      expect(await given.step(memory)).toMatchObject({ kind: 'pending', memory: { finalAbsences: 2 } });
      expect(given.sent).toEqual([]);
    }
    const absent = grouped({});
    await absent.step(memory);
    expect([absent.sent, absent.asked]).toEqual([['t2'], [absent.order.id, 'stop']]);
  });
});

describe('an absent exit that never left', () => {
  const facts = { placeBeforeMs: CREATED_MS + 86_400_000, mayHaveLeft: false, lastDeadlineMs: null, lastRateLimited: false };
  const waiting = (changes: Partial<World> = {}): World => longAfter({ order: sampleOrder({ state: 'SUBMITTING', reduceOnly: true }), facts, ...changes });

  test('costs one question and goes out as soon as the venue answers it', async () => {
    const given = waiting();
    await given.step();
    expect([given.sent, given.asked, given.since]).toEqual([['t2'], [given.order.id], []]);
  });

  test('asks for what works where it carries no client id: only so can it tell whether the venue answers', async () => {
    const given = waiting({ carriesClientId: false, failure: new VenueUnavailable('paper', 'connection refused', 'connection') });
    expect(await given.step()).toMatchObject({ kind: 'pending' });
    expect(given.sent).toEqual([]);
  });

  test('goes out although the question went unanswered: what nobody heard says nothing of a request', async () => {
    const given = waiting({ failure: new VenueOutcomeUnknown('paper', 'no answer', 'timeout') });
    await given.step();
    expect(given.sent).toEqual(['t2']);
  });

  test('is tried every few seconds however long the venue is away, and an entry ever more seldom', async () => {
    const memory = { finalAbsences: 0, tries: 50 };
    const failure = new VenueUnavailable('paper', 'connection refused', 'connection');
    const waits = await Promise.all([waiting({ failure }), waiting({ prepared: 't2' }), world({ failure }), waiting({ failure: new VenueRateLimited('paper', 'banned', 9_000, 'venue') })].map((given) => given.step(memory)));
    expect(waits.map((step) => step.kind === 'pending' && step.askAgainInMs)).toEqual([1_500, 1_500, 15_000, 9_000]);
  });

  test('does not ask a venue that another order just found away', async () => {
    const given = waiting({ failure: new VenueUnavailable('paper', 'connection refused', 'connection') });
    const resolver = given.resolver();
    for (let n = 0; n < 10; n += 1) await resolver.step(given.order.id, NO_MEMORY, signal);
    expect(given.questions).toBe(1);
    given.nowMs += 500;
    given.failure = null;
    await resolver.step(given.order.id, NO_MEMORY, signal);
    expect(given.sent).toEqual(['t2']);
  });
});

describe('an order of an account that places more than its venue\'s history shows', () => {
  const facts = { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: true, lastDeadlineMs: CREATED_MS + 2_000, lastRateLimited: false };
  const busy = (changes: Partial<World>): World => longAfter({ order: sampleOrder({ state: 'UNKNOWN', venueOrderId: null }), facts, closed: [], cut: true, ...changes });

  test('is called never placed when neither its client id nor the whole fills know it', async () => {
    expect(await busy({}).step({ finalAbsences: 1, tries: 9 })).toEqual({ kind: 'settled', state: 'REJECTED' });
  });

  test.each<[string, Partial<World>]>([['it carries no client id', { carriesClientId: false }], ['its fills are cut, too', { truncatedBeforeMs: CREATED_MS + 1 }]])('stays open where %s', async (_why, changes) => {
    expect(await busy(changes).step({ finalAbsences: 1, tries: 9 })).toMatchObject({ kind: 'pending', memory: { finalAbsences: 1 } });
  });

  test('is found among the newest', async () => {
    expect(await busy({ closed: [sampleView({ status: 'canceled' })] }).step()).toEqual({ kind: 'settled', state: 'CANCELED' });
  });
});
