import { describe, expect, test } from '@jest/globals';
import { ChangeSet } from '../../../src/store/change-set';
import type { Statement, Transaction, Work } from '../../../src/store/database/database';
import { LOCK_ALL_SQL, SharedCommits, type Change } from '../../../src/store/database/shared-commits';

/** A database whose commits the test lets through one by one. */
class HeldDatabase {
  /** What each transaction ran, in order. */
  readonly transactions: string[][] = [];
  lockFails: Error | null = null;
  /** Why each transaction failed. */
  readonly failures: unknown[] = [];
  private readonly gates: (() => void)[] = [];

  /** How often each transaction may be tried; undefined: as often as a database does by itself. */
  readonly tries: (number | undefined)[] = [];

  async changing<T>(work: Work<T>, tries?: number): Promise<T> {
    const ran: string[] = [];
    this.transactions.push(ran);
    this.tries.push(tries);
    const tx: Transaction = {
      rows: (sql, ...parameters) => {
        ran.push(sql === LOCK_ALL_SQL ? `lock ${String(parameters[0])}` : sql);
        if (sql === LOCK_ALL_SQL && this.lockFails !== null) return Promise.reject(this.lockFails);
        return Promise.resolve([]);
      },
      keepHead: () => undefined,
    };
    await new Promise<void>((resolve) => this.gates.push(resolve));
    try {
      return (await work(tx)).answer;
    } catch (error) {
      this.failures.push(error);
      throw error;
    }
  }

  async commit(): Promise<void> {
    this.gates.shift()?.();
    for (let turns = 0; turns < 30; turns += 1) await Promise.resolve();
  }
}

const changeOf = (name: string): Change<string> => async (tx) => {
  await tx.rows(name);
  return { answer: name, changes: new ChangeSet() };
};
const failing = (name: string): Change<string> => async (tx) => {
  await tx.rows(name);
  throw new Error(`${name} cannot be`);
};

function opened(): { database: HeldDatabase; commits: SharedCommits } {
  const database = new HeldDatabase();
  return { database, commits: new SharedCommits(database, (): Statement | null => null) };
}

describe('changes that are ready at the same time', () => {
  test('one alone goes at once, in a transaction of its own', async () => {
    const { database, commits } = opened();
    const done = commits.run(changeOf('a'));
    await database.commit();
    expect((await done).answer).toBe('a');
    expect(database.transactions).toEqual([['a']]);
  });

  test('what comes while two transactions are under way shares the next', async () => {
    const { database, commits } = opened();
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => commits.run(changeOf(name)));
    await database.commit();
    await database.commit();
    await database.commit();
    expect((await Promise.all(all)).map((each) => each.answer)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(database.transactions).toEqual([['a'], ['b'], ['c', 'd', 'e']]);
  });

  test('are tried once together: a row that stays locked keeps only its own account waiting', async () => {
    const { database, commits } = opened();
    const all = ['a', 'b', 'c', 'd'].map((name) => commits.run(changeOf(name), [name]));
    for (let count = 0; count < 3; count += 1) await database.commit();
    await Promise.all(all);
    expect(database.transactions).toEqual([['a'], ['b'], ['lock c,d', 'c', 'd']]);
    expect(database.tries).toEqual([undefined, undefined, 1]);
  });

  test('one that fails takes nobody with it: the others are done again, each alone', async () => {
    const { database, commits } = opened();
    const all = ['a', 'b', 'c'].map((name) => commits.run(changeOf(name)));
    const guilty = commits.run(failing('d'));
    const told = expect(guilty).rejects.toThrow('d cannot be');
    for (let count = 0; count < 6; count += 1) await database.commit();
    await told;
    expect((await Promise.all(all)).map((each) => each.answer)).toEqual(['a', 'b', 'c']);
    expect(database.transactions).toEqual([['a'], ['b'], ['c', 'd'], ['c'], ['d']]);
  });

  test('lock all their accounts first, in one statement, so that two processes cannot hold each other\'s; one alone locks as it goes', async () => {
    const { database, commits } = opened();
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => commits.run(changeOf(name), [`account ${name}`, 'and one of all']));
    for (let count = 0; count < 3; count += 1) await database.commit();
    await Promise.all(all);
    expect(database.transactions).toEqual([['a'], ['b'], ['lock account c,and one of all,account d,account e', 'c', 'd', 'e']]);
  });

  test('are told of the lock that was not to be had, not of what failed after it: only then is the transaction tried again', async () => {
    const { database, commits } = opened();
    database.lockFails = new Error('lock timeout');
    const aborted: Change<string> = () => Promise.reject(new Error('current transaction is aborted'));
    const all = [commits.run(changeOf('a')), commits.run(changeOf('b')), commits.run(aborted, ['c']), commits.run(aborted, ['d'])];
    const settled = Promise.allSettled(all);
    for (let count = 0; count < 5; count += 1) await database.commit();
    await settled;
    expect(database.failures[0]).toBe(database.lockFails);
  });

  test('one that must be alone is, whatever is under way', async () => {
    const { database, commits } = opened();
    const shared = ['a', 'b'].map((name) => commits.run(changeOf(name)));
    const alone = commits.runAlone(changeOf('alone'));
    expect(database.transactions).toHaveLength(3);
    for (let count = 0; count < 3; count += 1) await database.commit();
    await Promise.all([...shared, alone]);
    expect(database.transactions).toEqual([['a'], ['b'], ['alone']]);
  });
});
