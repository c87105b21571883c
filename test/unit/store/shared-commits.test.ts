import { describe, expect, test } from '@jest/globals';
import { ChangeSet } from '../../../src/store/change-set';
import type { Statement, Transaction, Work } from '../../../src/store/database';
import { SharedCommits, type Change } from '../../../src/store/shared-commits';

/** A database whose commits the test lets through one by one. */
class HeldDatabase {
  /** What each transaction ran, in order. */
  readonly transactions: string[][] = [];
  private readonly gates: (() => void)[] = [];

  async changing<T>(work: Work<T>): Promise<T> {
    const ran: string[] = [];
    this.transactions.push(ran);
    const tx: Transaction = {
      rows: (sql) => {
        ran.push(sql);
        return Promise.resolve([]);
      },
      keepHead: () => undefined,
    };
    await new Promise<void>((resolve) => this.gates.push(resolve));
    const { answer } = await work(tx);
    return answer;
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
