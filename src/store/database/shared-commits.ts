/**
 * Changes of different accounts that are ready at the same time share one transaction: their statements leave in one packet
 * and they are committed at once (docs/decisions/shared-commits.md). With nothing under way a change goes at once and alone.
 * Whoever runs here has the turn of its accounts (turns.ts), so no two of one transaction touch the same rows.
 */
import { statementOf, type ChangeSet } from '../change-set';
import type { Database, Statement, Transaction } from './database';

export interface Changed<T> {
  readonly answer: T;
  readonly changes: ChangeSet;
}

/** Runs its statements in the transaction it is given; may be run again, from its start, after a rollback. */
export type Change<T> = (tx: Transaction) => Promise<Changed<T>>;

/**
 * Said first where several share a transaction: each locks its own account, in the order they came, and with the same two accounts met the
 * other way round in another process both would wait for each other. Nobody waits for its answer: it leaves in the packet of the others.
 */
export const LOCK_ALL_SQL = 'SELECT count(*)::int AS locked FROM (SELECT a.id FROM accounts a WHERE a.id = ANY($1::text[]) ORDER BY a.id FOR UPDATE) held';

/** Transactions of shared changes under way. The second goes on when an account's row keeps the first one waiting. */
const MAX_IN_FLIGHT = 2;
/** Changes of one transaction: each holds its account's row until all are done, some milliseconds. */
const MAX_SHARED = 32;
/** A row that stays locked is one account's: the others go on without it, instead of waiting for it together again and again. */
const SHARED_TRIES = 1;

interface Waiting {
  readonly accountIds: readonly string[];
  readonly work: Change<unknown>;
  readonly resolve: (changed: Changed<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

export class SharedCommits {
  private readonly waiting: Waiting[] = [];
  private inFlight = 0;

  constructor(
    private readonly database: Pick<Database, 'changing'>,
    /** The statement that tells of what was committed, if anything was. */
    private readonly announcement: (changes: readonly ChangeSet[]) => Statement | null,
  ) {}

  /** `accountIds`: whose rows the change locks. */
  run<T>(work: Change<T>, accountIds: readonly string[] = []): Promise<Changed<T>> {
    return new Promise((resolve, reject) => {
      // Answers come back to who gave the work: the list holds many kinds of them.
      this.waiting.push({ accountIds, work, resolve: (changed) => resolve(changed as Changed<T>), reject });
      if (this.inFlight < MAX_IN_FLIGHT) void this.commitWaiting();
    });
  }

  /** In a transaction of its own, whatever is under way. */
  async runAlone<T>(work: Change<T>): Promise<Changed<T>> {
    const [changed] = await this.together([work], []);
    return changed as Changed<T>;
  }

  private async commitWaiting(): Promise<void> {
    this.inFlight += 1;
    while (this.waiting.length > 0) await this.commit(this.waiting.splice(0, MAX_SHARED));
    this.inFlight -= 1;
  }

  private async commit(group: readonly Waiting[]): Promise<void> {
    try {
      const changed = await this.together(group.map((each) => each.work), group.length === 1 ? [] : [...new Set(group.flatMap((each) => each.accountIds))]);
      group.forEach((each, index) => each.resolve(changed[index] as Changed<unknown>));
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      // One of them failed, and everything was rolled back: each is done again by itself, so that only the guilty one fails.
      else for (const each of group) void this.runAlone(each.work).then(each.resolve, each.reject);
    }
  }

  private together(works: readonly Change<unknown>[], accountIds: readonly string[]): Promise<readonly Changed<unknown>[]> {
    return this.database.changing(async (tx) => {
      const locking = accountIds.length < 2 ? null : tx.rows(LOCK_ALL_SQL, accountIds).then(() => null, (error: unknown) => ({ error }));
      const ended = await Promise.allSettled(works.map((work) => work(tx)));
      // After a lock that was not to be had, the others only say that the transaction is over: this says that it is worth another try.
      const failure = await locking;
      if (failure !== null) throw failure.error;
      const answer = ended.map((each) => {
        if (each.status === 'rejected') throw each.reason;
        return each.value;
      });
      const changes = answer.map((each) => each.changes);
      const written = statementOf(changes);
      return { answer, last: written === null ? [] : [written], after: this.announcement(changes) };
    }, works.length === 1 ? undefined : SHARED_TRIES);
  }
}
