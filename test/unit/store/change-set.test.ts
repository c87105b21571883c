import { describe, expect, test } from '@jest/globals';
import { ChangeSet, statementOf } from '../../../src/store/change-set';
import type { LockedAccount } from '../../../src/store/database/locks';

const account = (id: string): LockedAccount => ({ id, userId: `user of ${id}`, venue: 'paper', status: 'ACTIVE', statusReason: null, killSwitchId: null, signerId: id, leverage: '1', isDeleted: false, eventSequence: 4 }) as LockedAccount;

function withEvent(id: string): ChangeSet {
  const changes = new ChangeSet();
  changes.addEvent(account(id), { type: 'account.alert', orderId: null, data: {} }, '2026-01-01T00:00:00.000Z');
  return changes;
}

function withEvidence(id: string): ChangeSet {
  const changes = withEvent(id);
  changes.insertEvidence({ orderId: `order of ${id}`, key: 'k', userId: 'u', accountId: id, kind: 'accepted', data: {}, at: '2026-01-01T00:00:00.000Z' });
  return changes;
}

const rowsOf = (parameter: unknown): readonly Record<string, unknown>[] => JSON.parse(String(parameter)) as Record<string, unknown>[];

describe('what several changes write', () => {
  test('is one statement: a row of each, table by table', () => {
    const statement = statementOf([withEvidence('a'), withEvent('b'), withEvidence('c')]);
    const [events, evidence, sequences] = statement?.parameters.map(rowsOf) ?? [];
    expect(events?.map(({ accountId, sequence }) => [accountId, sequence])).toEqual([['a', 5], ['b', 5], ['c', 5]]);
    expect(evidence?.map(({ orderId }) => orderId)).toEqual(['order of a', 'order of c']);
    expect(sequences).toEqual([{ id: 'a', eventSequence: 5 }, { id: 'b', eventSequence: 5 }, { id: 'c', eventSequence: 5 }]);
  });

  test('is the same statement whichever of them came first: it is prepared once', () => {
    const one = statementOf([withEvent('a'), withEvidence('b')]);
    const other = statementOf([withEvidence('b'), withEvent('a')]);
    expect(one?.sql).toBe(other?.sql);
    expect(one?.sql).not.toBe(statementOf([withEvent('a')])?.sql);
  });

  test('leaves the rows of each with it: a change that is done again writes its own only', () => {
    const first = withEvent('a');
    statementOf([first, withEvent('b')]);
    expect(rowsOf(statementOf([first])?.parameters[0])).toHaveLength(1);
  });

  test('is nothing where none of them writes', () => {
    expect(statementOf([new ChangeSet(), new ChangeSet()])).toBeNull();
  });
});
