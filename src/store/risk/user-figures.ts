/**
 * Limits of a user over all accounts, inside the transactions that judge orders. An account of a user who has such limits is judged under
 * the locks of all of the user's accounts, so that orders of two of them cannot both take what only one may have. Other users' accounts
 * are locked alone, and cost nothing more (docs/decisions/risk-limits.md).
 */
import type { AccountFigures } from '../../risk/figures';
import { spansAccounts, type UserFigures } from '../../risk/user-limits';
import type { ChangeSet } from '../change-set';
import { change, type ChangeOptions, type StoreCore } from '../core';
import type { Queryable, Transaction } from '../database/database';
import { readAccounts, type LockedAccount } from '../database/locks';
import { loadStandings, type Standings } from './standing';

/** Once for what was remembered, once for what the locks show, and once for an account that was made meanwhile. */
const MAX_TRIES = 3;
/** Accounts whose companions are remembered, of users with such limits; beyond it all are forgotten and learned again. */
const MAX_REMEMBERED = 10_000;

/** The locks do not reach: these accounts belong together. */
class MoreAccounts extends Error {
  override readonly name = 'MoreAccounts';

  constructor(readonly accountIds: readonly string[]) {
    super(`limits of their user bind the accounts ${accountIds.join(', ')} together`);
  }
}

export class UserLimitChanges {
  /** What was last seen, by account: only which locks are tried first depends on it. */
  private readonly companions = new Map<string, readonly string[]>();

  constructor(private readonly core: StoreCore) {}

  /** `change` of core.ts. `work` gets the accounts to lock: the given, and those that its figures are to be read with. */
  async change<T>(accountIds: readonly string[], work: (tx: Transaction, changes: ChangeSet, lockIds: readonly string[]) => Promise<T>, options: ChangeOptions = {}): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const lockIds = [...new Set(accountIds.flatMap((id) => [id, ...(this.companions.get(id) ?? [])]))];
      try {
        return await change(this.core, lockIds, (tx, changes) => work(tx, changes, lockIds), options);
      } catch (error) {
        if (!(error instanceof MoreAccounts) || tries >= MAX_TRIES) throw error;
        this.remember(error.accountIds);
      }
    }
  }

  /**
   * What the accounts of `judged` are judged with beside their own figures; empty where no user has limits over all accounts. Throws
   * what `change` answers with more locks.
   */
  async read(tx: Queryable, locked: ReadonlyMap<string, LockedAccount>, judged: Iterable<LockedAccount>): Promise<Companions> {
    const userIds = [...new Set([...judged].filter((account) => this.isSpanned(account)).map((account) => account.userId))];
    if (userIds.length === 0) return NO_COMPANIONS;
    // Read after the locks were taken: an account that is made from now on cannot place before these locks are given back.
    const ids = await accountsOf(tx, userIds);
    if (ids.some((id) => !locked.has(id))) throw new MoreAccounts(ids);
    return companionsOf(this.core, tx, ids.map((id) => locked.get(id)).filter((account) => account !== undefined));
  }

  private isSpanned(account: LockedAccount): boolean {
    if (spansAccounts(account.userLimits)) return true;
    this.companions.delete(account.id);
    return false;
  }

  private remember(accountIds: readonly string[]): void {
    if (this.companions.size + accountIds.length > MAX_REMEMBERED) this.companions.clear();
    for (const id of accountIds) this.companions.set(id, accountIds);
  }
}

/** All accounts of users with limits over them, with the figures they had when they were read. */
export interface Companions {
  readonly accounts: readonly LockedAccount[];
  readonly figures: ReadonlyMap<string, AccountFigures>;
  /** null where there are none. */
  readonly standings: Standings | null;
}

export const NO_COMPANIONS: Companions = { accounts: [], figures: new Map(), standings: null };

/** What this account's user is judged by. `current`: figures that changed since, of the same transaction. */
export function userFiguresOf(account: LockedAccount, { accounts, figures, standings }: Companions, current: ReadonlyMap<string, AccountFigures>): UserFigures | null {
  const limits = account.userLimits;
  if (!spansAccounts(limits)) return null;
  const others = accounts.filter((each) => each.userId === account.userId && each.id !== account.id).map((each) => current.get(each.id) ?? figures.get(each.id));
  return { limits, others: others.filter((each) => each !== undefined), ...(standings === null ? {} : { standing: standings.ofUser(account.userId) }) };
}

/** The same for showing, without locks: of one moment where the transaction is. */
export async function readUserFigures(core: StoreCore, tx: Queryable, account: LockedAccount): Promise<UserFigures | null> {
  if (!spansAccounts(account.userLimits)) return null;
  const accounts = [...(await readAccounts(tx, await accountsOf(tx, [account.userId]))).values()];
  return userFiguresOf(account, await companionsOf(core, tx, accounts), new Map());
}

/** Deleted ones too: what they lost today counts. */
export async function accountsOf(tx: Queryable, userIds: readonly string[]): Promise<readonly string[]> {
  return (await tx.rows<{ id: string }>('SELECT a.id FROM accounts a WHERE a.user_id = ANY($1::text[]) ORDER BY a.id', userIds)).map((row) => row.id);
}

async function companionsOf(core: StoreCore, tx: Queryable, accounts: readonly LockedAccount[]): Promise<Companions> {
  const standings = await loadStandings(tx, accounts, core.clock.nowMs(), core);
  return { accounts, figures: standings.figures, standings };
}
