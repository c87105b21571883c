/** An account's sealed trade-only keys: opened outside transactions, and kept in memory for seconds only. */
import type { KeyProvider, SealContext } from '../../domain/key-provider';
import { needsNewKey, type Account } from '../../domain/account';
import type { Clock } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { VenueCredentials } from '../../domain/venue';
import type { Database, Row } from '../database/database';
import { openIfAtHand, sealedOf } from '../keys/envelope';
import { lostKeyIds } from '../keys/lost-key-list';

/** How long opened keys stay in memory: one database read and one unwrap per account in that time. */
const CREDENTIAL_CACHE_MS = 15_000;
/** Accounts whose keys are in memory at once; the oldest goes first. */
const MAX_CACHED_CREDENTIALS = 1_000;

/** Why nothing can be signed for an account, in its users' words. */
export const NO_KEY = 'the account has no key that can be opened: give it a new one';
/** The same where it is ours to mend: nothing is refused for good. */
export const KEY_ELSEWHERE = 'the master key that sealed the account\'s key is not at hand in this process: its operator gives it all master keys in use';

export interface OpenedKeys {
  readonly opened: ReadonlyMap<string, VenueCredentials>;
  /** Of them, sealed by a master key that is not here and that nobody called lost: another process may open it, or this one once it is set up right. */
  readonly elsewhere: ReadonlySet<string>;
}

/** Its key can be opened, and not here; one that waits for a new key has none worth opening. */
export function isElsewhere({ elsewhere }: Pick<OpenedKeys, 'elsewhere'>, account: Pick<Account, 'id' | 'status' | 'statusReason'>): boolean {
  return elsewhere.has(account.id) && !needsNewKey(account);
}

const NOBODY: ReadonlySet<string> = new Set();

export function credentialContext(credentialId: string): SealContext {
  return { table: 'credentials', row: credentialId, field: 'data' };
}

interface SealedRow extends Row {
  readonly id: string;
  readonly accountId: string;
  readonly keyId: string;
  readonly wrappedKey: string;
  readonly data: string;
}

export class Credentials {
  private readonly opened = new Map<string, { readonly credentials: VenueCredentials; readonly untilMs: number }>();

  constructor(
    private readonly database: Database,
    private readonly keys: KeyProvider,
    private readonly clock: Clock,
  ) {}

  /** Throws NOT_FOUND where the account has none, CONFLICT where they are lost, SERVICE_UNAVAILABLE where they cannot be opened here. */
  async of(accountId: string): Promise<VenueCredentials> {
    const { opened, elsewhere } = await this.ofAll([accountId]);
    const found = opened.get(accountId);
    if (found !== undefined) return found;
    if (elsewhere.has(accountId)) throw new DomainError('SERVICE_UNAVAILABLE', `account ${accountId}: ${KEY_ELSEWHERE}`);
    throw new DomainError((await this.sealedRows([accountId])).length === 0 ? 'NOT_FOUND' : 'CONFLICT', `account ${accountId}: ${NO_KEY}`);
  }

  /** Of these accounts, or of all: whose stored key only a lost master key opens, as it is in the database now. */
  async lostOf(accountIds: readonly string[] | null): Promise<ReadonlySet<string>> {
    const lost = await lostKeyIds(this.database);
    if (lost.size === 0) return NOBODY;
    const rows = await this.sealedRows(accountIds, [...lost]);
    // It may have been found again.
    const unopened = await Promise.all(rows.map(async (row) => ((await this.openRow(row)) === null ? [row.accountId] : [])));
    return new Set(unopened.flat());
  }

  /** As they are in the database now: another process may have replaced them. Null where they cannot be opened: sealed by a master key that is lost, or damaged. */
  async openable(accountId: string): Promise<VenueCredentials | null> {
    const row = (await this.sealedRows([accountId]))[0];
    if (row === undefined) throw new DomainError('NOT_FOUND', `account ${accountId} has no stored credentials`);
    // Whatever opening says, it is about these bytes and our keys: the read is over.
    return this.openRow(row).catch(() => null);
  }

  /** Those of several accounts; one without any, or whose is lost, is absent from both answers: it holds up no other. */
  async ofAll(accountIds: readonly string[]): Promise<OpenedKeys> {
    const nowMs = this.clock.nowMs();
    const found = new Map<string, VenueCredentials>();
    const missing: string[] = [];
    for (const accountId of accountIds) {
      const cached = this.opened.get(accountId);
      if (cached !== undefined && cached.untilMs > nowMs) found.set(accountId, cached.credentials);
      else missing.push(accountId);
    }
    if (missing.length === 0) return { opened: found, elsewhere: NOBODY };
    const unopened: SealedRow[] = [];
    for (const row of await this.sealedRows(missing)) {
      const credentials = await this.openRow(row);
      if (credentials === null) {
        unopened.push(row);
        continue;
      }
      found.set(row.accountId, credentials);
      this.remember(row.accountId, credentials, nowMs);
    }
    if (unopened.length === 0) return { opened: found, elsewhere: NOBODY };
    const lost = await lostKeyIds(this.database);
    return { opened: found, elsewhere: new Set(unopened.filter(({ keyId }) => !lost.has(keyId)).map(({ accountId }) => accountId)) };
  }

  forget(accountId: string): void {
    this.opened.delete(accountId);
  }

  /** null: of all accounts, under any master key. */
  private sealedRows(accountIds: readonly string[] | null, keyIds: readonly string[] | null = null): Promise<readonly SealedRow[]> {
    return this.database.rows<SealedRow>(
      `SELECT c.id, c.account_id AS "accountId", c.key_id AS "keyId", encode(c.wrapped_key, 'base64') AS "wrappedKey", encode(c.data, 'base64') AS data FROM credentials c
        WHERE ($1::text[] IS NULL OR c.account_id = ANY($1::text[])) AND ($2::text[] IS NULL OR c.key_id = ANY($2::text[]))`,
      accountIds, keyIds,
    );
  }

  /** null: no master key at hand opens it. */
  private async openRow(row: SealedRow): Promise<VenueCredentials | null> {
    const plain = await openIfAtHand(this.keys, sealedOf(row), credentialContext(row.id));
    return plain === null ? null : (JSON.parse(plain.toString('utf8')) as VenueCredentials);
  }

  private remember(accountId: string, credentials: VenueCredentials, nowMs: number): void {
    this.opened.delete(accountId);
    this.opened.set(accountId, { credentials, untilMs: nowMs + CREDENTIAL_CACHE_MS });
    const [oldest] = this.opened.keys();
    if (this.opened.size > MAX_CACHED_CREDENTIALS && oldest !== undefined) this.opened.delete(oldest);
  }
}
