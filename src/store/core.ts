/** What every room of the store stands on: the database, the clock, the venues and the keys, and the changing transaction. */
import type { Clock } from '../domain/clock';
import { EpochLost, type WriterEpoch } from '../domain/order-store';
import type { KeyProvider } from '../domain/key-provider';
import type { Venue } from '../domain/venue';
import type { MarkOf, QuoteOf } from './orders/apply-evidence';
import { ChangeSet } from './change-set';
import type { Database, Queryable, Transaction } from './database/database';
import type { CommitAnnouncer } from './commit-announcer';
import type { RetentionRules } from './retention';
import type { Changed, SharedCommits } from './database/shared-commits';
import type { Turns } from './database/turns';
import type { VenueOffsets } from './orders/venue-offsets';

/** The few words the store needs of a logger. */
export interface StoreLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface StoreCore {
  readonly database: Database;
  readonly clock: Clock;
  readonly venues: ReadonlyMap<string, Venue>;
  readonly keys: KeyProvider;
  readonly markOf: MarkOf;
  readonly quoteOf: QuoteOf;
  readonly log: StoreLog;
  readonly announcer: CommitAnnouncer;
  readonly offsets: VenueOffsets;
  readonly turns: Turns;
  readonly retention: RetentionRules;
  readonly commits: SharedCommits;
}

export interface ChangeOptions {
  /** It may take nonces of a signer, which belongs to several accounts: then it shares its transaction with nobody. */
  readonly signing?: boolean;
  /** It may well be given up: then nobody else's work is rolled back with it. */
  readonly tentative?: boolean;
}

/** Whether requests to this venue are signed with nonces. */
export function signsWithNonces(core: StoreCore, venue: string): boolean {
  return (core.venues.get(venue)?.capabilities.nonceRule ?? 'none') !== 'none';
}

/** A transaction (maybe shared) that may change things of these accounts: what it gathered is written last, and told after the commit. */
export async function change<T>(core: StoreCore, accountIds: readonly string[], work: (tx: Transaction, changes: ChangeSet) => Promise<T>, options: ChangeOptions = {}): Promise<T> {
  const once = async (tx: Transaction): Promise<Changed<T>> => {
    const changes = new ChangeSet();
    return { answer: await work(tx, changes), changes };
  };
  const alone = options.signing === true || options.tentative === true || accountIds.length === 0;
  const { answer, changes } = await core.turns.inTurn(accountIds, () => (alone ? core.commits.runAlone(once) : core.commits.run(once, accountIds)));
  core.announcer.announce(changes.events, changes.moreFollows);
  return answer;
}

/** Holds the writer's epoch row until the transaction ends. Throws EpochLost when its successor took over. */
export async function holdEpoch(tx: Queryable, writer: WriterEpoch | undefined): Promise<void> {
  if (writer === undefined) return;
  const rows = await tx.rows<{ epoch: number }>('SELECT epoch::float8 AS epoch FROM epochs WHERE scope = $1 FOR SHARE', writer.scope);
  if (rows[0]?.epoch !== writer.epoch) throw new EpochLost(writer);
}
