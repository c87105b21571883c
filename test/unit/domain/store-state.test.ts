import { describe, expect, test } from '@jest/globals';
import { admissionOf, compareStores, entriesHeld, type StoreReading, type StoreState } from '../../../src/domain/store-state';

function reading(changes: Partial<StoreState> = {}, now: Partial<Omit<StoreReading, 'state'>> = {}): StoreReading {
  const state: StoreState = { instance: 'i1', generation: 'g1', phase: 'open', beat: 5, token: 't5', beatAtMs: 1_000, lostBeforeMs: null, unread: [], reason: null, noticedAtMs: null, ...changes };
  return { state, instance: 'i1', generation: 'g1', ...now };
}
const mark = (beat: number, token = `t${beat}`) => ({ beat, token });

describe('comparing PostgreSQL with what Temporal remembers', () => {
  test.each([
    ['the same beat', mark(5), reading(), 'agree'],
    ['PostgreSQL one ahead: the answer of that beat did not reach Temporal', mark(4), reading(), 'agree'],
    ['a new installation', null, reading({ beat: 0, generation: '' }), 'agree'],
    ['the first beat\'s answer was lost', null, reading({ beat: 1 }), 'agree'],
    ['PostgreSQL was started anew', mark(5), reading({}, { instance: 'i2' }), 'restarted'],
  ])('%s', (_what, given, found, kind) => {
    expect(compareStores(given, found).kind).toBe(kind);
  });

  test.each([
    ['an older copy of the database', mark(6), reading(), 'postgresql'],
    ['another database that counted to the same number', mark(5, 'other'), reading(), 'postgresql'],
    ['another generation', mark(5), reading({}, { generation: 'g2' }), 'postgresql'],
    ['an older copy of Temporal\'s store', mark(3), reading(), 'temporal'],
    ['an empty Temporal', null, reading(), 'temporal'],
  ])('%s is told, and which of the two lost something', (_what, given, found, lost) => {
    expect(compareStores(given, found)).toMatchObject({ kind: 'differ', lost });
  });
});

describe('what may become of an intent without a row', () => {
  const entry = { accountId: 'a1', reduceOnly: false, intendedAtMs: 10_000 };
  const exit = { ...entry, reduceOnly: true };

  test.each([
    ['both agree', reading(), 'send', 'send'],
    ['nobody has compared this PostgreSQL yet', reading({}, { instance: 'i2' }), 'hold', 'hold'],
    ['orders are being read back', reading({ phase: 'replaying' }), 'hold', 'ask'],
    ['its account was not looked at yet', reading({ phase: 'reading', unread: ['a1'] }), 'hold', 'ask'],
    ['only others were not looked at yet', reading({ phase: 'reading', unread: ['a2'] }), 'send', 'send'],
    ['it is older than the restored database', reading({ lostBeforeMs: 10_001 }), 'ask', 'ask'],
    ['it is younger than the restored database', reading({ lostBeforeMs: 10_000 }), 'send', 'send'],
  ])('%s', (_when, found, ofEntry, ofExit) => {
    expect([admissionOf(found, entry), admissionOf(found, exit)]).toEqual([ofEntry, ofExit]);
  });

  test('an intent whose time is not known counts as new', () => {
    expect(admissionOf(reading({ lostBeforeMs: 10_001 }), { ...entry, intendedAtMs: null })).toBe('send');
  });
});

describe('what a caller is told', () => {
  test('nothing while both agree, and the reason while they do not', () => {
    expect(entriesHeld(reading(), 'a1')).toBeNull();
    expect(entriesHeld(reading({}, { instance: 'i2' }), 'a1')).toContain('started anew');
    expect(entriesHeld(reading({ phase: 'replaying', reason: 'beat 3' }), 'a1')).toContain('beat 3');
  });

  test('while venues are read, only of the accounts that were not; without an account, of any', () => {
    const found = reading({ phase: 'reading', unread: ['a1'], reason: 'beat 3' });
    expect([entriesHeld(found, 'a1'), entriesHeld(found, 'a2'), entriesHeld(found, null)]).toEqual([expect.stringContaining('beat 3'), null, expect.stringContaining('beat 3')]);
  });

  test('the same as the placing transaction decides for an entry', () => {
    for (const found of [reading(), reading({}, { instance: 'i2' }), reading({ phase: 'replaying' }), reading({ phase: 'reading', unread: ['a1'] }), reading({ phase: 'reading', unread: ['a2'] })]) {
      expect(entriesHeld(found, 'a1') === null).toBe(admissionOf(found, { accountId: 'a1', reduceOnly: false, intendedAtMs: null }) === 'send');
    }
  });
});
