/** An account's sealed trade-only keys: opened outside transactions, and kept in memory for seconds only. */
import { KeyNotAtHand, type KeyProvider, type SealContext } from '../../domain/key-provider';
import type { Clock } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { VenueCredentials } from '../../domain/venue';
import type { Database, Row } from '../database/database';
import { open } from '../keys/envelope';

/** How long opened keys stay in memory: one database read and one unwrap per account in that time. */
const CREDENTIAL_CACHE_MS = 15_000;
/** Accounts whose keys are in memory at once; the oldest goes first. */
const MAX_CACHED_CREDENTIALS = 1_000;

/** Why nothing can be signed for an account, in its users' words. */
export const NO_KEY = 'the account has no key that can be opened: give it a new one';

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

  /** Throws NOT_FOUND where the account has none, or one that no master key at hand opens. */
  async of(accountId: string): Promise<VenueCredentials> {
    const found = (await this.ofAll([accountId])).get(accountId);
    if (found === undefined) throw new DomainError('NOT_FOUND', `account ${accountId}: ${NO_KEY}`);
    return found;
  }

  /** As they are in the database now: another process may have replaced them. Null where they cannot be opened: sealed by a master key that is lost, or damaged. */
  async openable(accountId: string): Promise<VenueCredentials | null> {
    const row = (await this.sealedRows([accountId]))[0];
    if (row === undefined) throw new DomainError('NOT_FOUND', `account ${accountId} has no stored credentials`);
    // Whatever opening says, it is about these bytes and our keys: the read is over.
    return this.openRow(row).catch(() => null);
  }

  /** Those of several accounts; one without any, or whose no master key at hand opens, is absent from the answer: it holds up no other. */
  async ofAll(accountIds: readonly string[]): Promise<ReadonlyMap<string, VenueCredentials>> {
    const nowMs = this.clock.nowMs();
    const found = new Map<string, VenueCredentials>();
    const missing: string[] = [];
    for (const accountId of accountIds) {
      const cached = this.opened.get(accountId);
      if (cached !== undefined && cached.untilMs > nowMs) found.set(accountId, cached.credentials);
      else missing.push(accountId);
    }
    if (missing.length === 0) return found;
    for (const row of await this.sealedRows(missing)) {
      const credentials = await this.openRow(row).catch((error: unknown) => {
        if (error instanceof KeyNotAtHand) return null;
        throw error;
      });
      if (credentials === null) continue;
      found.set(row.accountId, credentials);
      this.remember(row.accountId, credentials, nowMs);
    }
    return found;
  }

  forget(accountId: string): void {
    this.opened.delete(accountId);
  }

  private sealedRows(accountIds: readonly string[]): Promise<readonly SealedRow[]> {
    return this.database.rows<SealedRow>(
      `SELECT c.id, c.account_id AS "accountId", c.key_id AS "keyId", encode(c.wrapped_key, 'base64') AS "wrappedKey", encode(c.data, 'base64') AS data FROM credentials c WHERE c.account_id = ANY($1::text[])`,
      accountIds,
    );
  }

  private async openRow(row: SealedRow): Promise<VenueCredentials> {
    const sealed = { keyId: row.keyId, wrappedKey: Buffer.from(row.wrappedKey, 'base64'), data: Buffer.from(row.data, 'base64') };
    return JSON.parse((await open(this.keys, sealed, credentialContext(row.id))).toString('utf8')) as VenueCredentials;
  }

  private remember(accountId: string, credentials: VenueCredentials, nowMs: number): void {
    this.opened.delete(accountId);
    this.opened.set(accountId, { credentials, untilMs: nowMs + CREDENTIAL_CACHE_MS });
    const [oldest] = this.opened.keys();
    if (this.opened.size > MAX_CACHED_CREDENTIALS && oldest !== undefined) this.opened.delete(oldest);
  }
}
