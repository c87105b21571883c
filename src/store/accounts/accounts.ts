/** Accounts: made with their sealed keys, read by their owner, halted by whoever must. */
import { randomUUID } from 'node:crypto';
import type { Account, AccountStatus, RiskLimits } from '../../domain/account';
import { SYSTEM_ACTOR } from '../../domain/audit';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { KeyProvider } from '../../domain/key-provider';
import type { WriterEpoch } from '../../domain/order-store';
import type { VenueCredentials } from '../../domain/venue';
import type { AccountFigures } from '../../risk/figures';
import type { UserFigures } from '../../risk/user-limits';
import { appendAct } from '../audit/audit';
import { plainRow } from '../database/columns';
import { change, holdEpoch, type StoreCore } from '../core';
import { credentialContext, type Credentials } from './credentials';
import { sqlStateOf, type Queryable, type Row } from '../database/database';
import { seal, sealedText } from '../keys/envelope';
import { loadFigures } from '../risk/figures';
import { latchNewAccount } from '../risk/kill-switches';
import { lockAccounts, readAccounts, STATUS_SELECT } from '../database/locks';
import { readUserFigures } from '../risk/user-figures';

export interface NewAccount {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly venue: string;
  readonly signerId: string;
  readonly credential: VenueCredentials;
  readonly limits: RiskLimits;
}

export const UNIQUE_VIOLATION = '23505';
export const ACCOUNT_SELECT = `a.id, a.user_id AS "userId", a.name, a.venue, ${STATUS_SELECT}, a.signer_id AS "signerId", a.credential_id AS "credentialId", a.limits, a.created_at AS "createdAt"`;

const OF_USER = 'a.user_id = $1';
const accountsSql = (condition: string): string => `SELECT ${ACCOUNT_SELECT} FROM accounts a WHERE a.deleted_at IS NULL AND ${condition} ORDER BY a.created_at, a.id`;
/** Of a user, oldest first. */
export const ACCOUNTS_SQL = accountsSql(OF_USER);

export class Accounts {
  constructor(
    private readonly core: StoreCore,
    private readonly sealed: Credentials,
  ) {}

  /** Repeating it with the same id is harmless. Throws CONFLICT when the user has another account of that name. */
  async create(account: NewAccount, actor: string = SYSTEM_ACTOR): Promise<Account> {
    const sealed = await sealedCredential(this.core.keys, account.credential);
    try {
      return await change(this.core, [account.id], async (tx, changes) => {
        const existing = await this.read(tx, 'a.id = $1 AND a.user_id = $2', account.id, account.userId);
        if (existing[0] !== undefined) return existing[0];
        const at = isoTime(this.core.clock.nowMs());
        await tx.rows(
          'INSERT INTO accounts(id, user_id, name, venue, signer_id, credential_id, limits, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::timestamptz, $8::timestamptz)',
          account.id, account.userId, account.name, account.venue, account.signerId, sealed.id, JSON.stringify(account.limits), at,
        );
        await insertCredential(tx, account, sealed);
        await latchNewAccount(tx, account.id, account.userId);
        const [made] = await this.read(tx, 'a.id = $1', account.id);
        const locked = (await lockAccounts(tx, [account.id])).get(account.id);
        if (made === undefined || locked === undefined) throw new Error(`account ${account.id} vanished while it was made`);
        changes.addEvent(locked, { type: 'account.created', orderId: null, data: { account: shownAccount(made) } }, at);
        await appendAct(tx, { userId: made.userId, actor, act: 'account.created', subject: `account:${made.id}`, data: { account: shownAccount(made) }, at });
        return made;
      });
    } catch (error) {
      if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
      throw new DomainError('CONFLICT', `you have an account named ${account.name} already`, { details: { field: 'name' }, cause: error });
    }
  }

  async get(id: string, userId?: string): Promise<Account | null> {
    return (await this.read(this.core.database, 'a.id = $1 AND ($2::text IS NULL OR a.user_id = $2)', id, userId ?? null))[0] ?? null;
  }

  /** Whether it is the user's, a deleted one too. */
  async owns(id: string, userId: string): Promise<boolean> {
    return (await this.core.database.rows('SELECT a.id FROM accounts a WHERE a.id = $1 AND a.user_id = $2', id, userId)).length > 0;
  }

  async byId(id: string): Promise<Account | null> {
    return this.get(id);
  }

  /** Oldest first. */
  async list(userId: string): Promise<readonly Account[]> {
    return this.read(this.core.database, OF_USER, userId);
  }

  /** Every account of every user: each is watched, a HALTED one too. */
  async allActive(): Promise<readonly Account[]> {
    return this.read(this.core.database, 'true');
  }

  /** Accounts, of all users, that nobody can look at: their keys were sealed by a master key that is lost. */
  withLostKeys(): Promise<ReadonlySet<string>> {
    return this.sealed.lostOf(null);
  }

  async credentials(accountId: string): Promise<VenueCredentials> {
    return this.sealed.of(accountId);
  }

  /** As they are in the database now: a watcher that begins must not begin with a key that was replaced. */
  async freshCredentials(accountId: string): Promise<VenueCredentials> {
    this.sealed.forget(accountId);
    return this.sealed.of(accountId);
  }

  /** Another process changed the account. */
  forgetCredentials(accountId: string): void {
    this.sealed.forget(accountId);
  }

  /**
   * Throws NOT_FOUND, and EpochLost for a writer whose successor works. Setting what is set already tells nobody. `onlyFrom`:
   * where another status is set by the time the account is locked, it stays: somebody decided otherwise meanwhile.
   */
  async setStatus(id: string, status: AccountStatus, reason: string | null, writer?: WriterEpoch, { actor = SYSTEM_ACTOR, onlyFrom = null }: { readonly actor?: string; readonly onlyFrom?: AccountStatus | null } = {}): Promise<Account> {
    return change(this.core, [id], async (tx, changes) => {
      await holdEpoch(tx, writer);
      const account = (await lockAccounts(tx, [id])).get(id);
      if (account === undefined) throw new DomainError('NOT_FOUND', `account ${id} does not exist`);
      const at = isoTime(this.core.clock.nowMs());
      // Under a kill switch it is the account's own status that is set: it counts again once the switch is released.
      const isExpected = onlyFrom === null || account.status === onlyFrom;
      if (isExpected && (account.status !== status || account.statusReason !== reason)) {
        await tx.rows('UPDATE accounts SET status = $2, status_reason = $3, updated_at = $4::timestamptz WHERE id = $1', id, status, reason, at);
        changes.addEvent(account, { type: 'account.statusChanged', orderId: null, data: { status, reason, previousStatus: account.status } }, at);
        await appendAct(tx, { userId: account.userId, actor, act: 'account.statusChanged', subject: `account:${id}`, data: { status, reason, previousStatus: account.status, previousReason: account.statusReason }, at });
      }
      const [after] = await this.read(tx, 'a.id = $1', id);
      if (after === undefined) throw new Error(`account ${id} vanished under its lock`);
      return after;
    });
  }

  /** Tells the account's owner of something that needs a person. */
  async alert(id: string, data: Readonly<Record<string, unknown>>, writer?: WriterEpoch): Promise<void> {
    await change(this.core, [id], async (tx, changes) => {
      await holdEpoch(tx, writer);
      const account = (await lockAccounts(tx, [id])).get(id);
      if (account === undefined) throw new DomainError('NOT_FOUND', `account ${id} does not exist`);
      changes.addEvent(account, { type: 'account.alert', orderId: null, data }, isoTime(this.core.clock.nowMs()));
    });
  }

  /** The figures risk would judge by now, for showing: of one moment, without any lock. Throws NOT_FOUND. */
  async figures(accountId: string, symbols: readonly string[] = []): Promise<AccountFigures> {
    return (await this.judgedBy(accountId, symbols)).account;
  }

  /** With those of the user's other accounts, where the user has limits over all of them. Throws NOT_FOUND. */
  async judgedBy(accountId: string, symbols: readonly string[]): Promise<{ readonly account: AccountFigures; readonly user: UserFigures | null }> {
    return this.core.database.transaction(async (tx) => {
      await tx.rows('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const account = (await readAccounts(tx, [accountId])).get(accountId);
      const wanted = symbols.map((symbol) => ({ accountId, symbol }));
      const figures = account === undefined ? undefined : (await loadFigures(tx, [account], wanted, this.core.clock.nowMs(), this.core)).get(accountId);
      if (account === undefined || figures === undefined) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
      return { account: figures, user: await readUserFigures(this.core, tx, account) };
    });
  }

  private async read(tx: Queryable, condition: string, ...parameters: readonly (string | null)[]): Promise<readonly Account[]> {
    return (await tx.rows(accountsSql(condition), ...parameters)).map(accountOf);
  }
}

export function accountOf(row: Row): Account {
  return plainRow(row) as unknown as Account;
}

/** An account as its events show it. */
export function shownAccount({ id, name, venue, status, statusReason, limits, createdAt }: Account): Record<string, unknown> {
  return { id, name, venue, status, statusReason, limits, createdAt };
}

/** A key, sealed before the transaction that stores it. */
export interface SealedCredential {
  readonly id: string;
  readonly envelope: Awaited<ReturnType<typeof seal>>;
}

export async function sealedCredential(keys: KeyProvider, credential: VenueCredentials): Promise<SealedCredential> {
  const id = randomUUID();
  return { id, envelope: await seal(keys, Buffer.from(JSON.stringify(credential), 'utf8'), credentialContext(id)) };
}

export async function insertCredential(tx: Queryable, account: { readonly id: string; readonly userId: string }, { id, envelope }: SealedCredential): Promise<void> {
  const { keyId, wrappedKey, data } = sealedText(envelope);
  await tx.rows(
    `INSERT INTO credentials(id, user_id, account_id, key_id, wrapped_key, data) VALUES ($1, $2, $3, $4, decode($5, 'base64'), decode($6, 'base64'))`,
    id, account.userId, account.id, keyId, wrappedKey, data,
  );
}
