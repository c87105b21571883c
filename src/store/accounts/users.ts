/** Users and their API keys. A key is shown once; only its sha256 is stored (it is random, so no salt is needed). */
import { randomUUID } from 'node:crypto';
import { SYSTEM_ACTOR } from '../../domain/audit';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { callRateOf, CALL_KINDS, type CallRates } from '../../domain/call-rate';
import { hashOfKey, insertKey, KEY_PREFIX, type ApiKey } from './api-keys';
import { appendAct } from '../audit/audit';
import { plainRow } from '../database/columns';
import type { StoreCore } from '../core';
import type { Transaction } from '../database/database';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: 'owner' | 'member';
  readonly createdAt: string;
}

export interface Identity {
  readonly userId: string;
  readonly keyId: string;
  readonly scopes: readonly string[];
  /** Limits of the key's own; absent: the server's. */
  readonly rates?: Partial<CallRates>;
}

/** Longer texts are no keys of ours and are not hashed. */
const MAX_KEY_LENGTH = 128;
const OWNER_SCOPES = ['read', 'trade', 'admin'] as const;
/** A key's last use is this much behind at most: a write for every request would cost more than it tells. */
const NOTE_USE_SECONDS = 60;
const ENDLESS = { expiresAt: null, rates: null, rotatedFrom: null } as const;
/** Advisory lock: two first starts make one owner. Any constant; this one spells "owner". */
const OWNER_LOCK = 0x6f776e65;

export class Users {
  constructor(private readonly core: StoreCore) {}

  /** The owner, made on the first start; the key's plain text only then. */
  async ensureOwner(): Promise<{ readonly user: User; readonly apiKey: string | null }> {
    return this.core.database.transaction(async (tx) => {
      await tx.rows('SELECT pg_advisory_xact_lock($1::bigint)::text AS held', OWNER_LOCK);
      const [row] = await tx.rows(`SELECT id, name, role, created_at AS "createdAt" FROM users WHERE role = 'owner' ORDER BY created_at, id LIMIT 1`);
      if (row !== undefined) return { user: plainRow(row) as unknown as User, apiKey: null };
      const user = await this.insertUser(tx, 'owner', 'owner');
      const { plain } = await insertKey(tx, { ...ENDLESS, userId: user.id, name: 'owner', scopes: OWNER_SCOPES }, SYSTEM_ACTOR, isoTime(this.core.clock.nowMs()));
      return { user, apiKey: plain };
    });
  }

  async createUser(name: string, actor: string = SYSTEM_ACTOR): Promise<User> {
    return this.core.database.transaction((tx) => this.insertUser(tx, name, 'member', actor));
  }

  async createApiKey(userId: string, name: string, scopes: readonly string[], actor: string = SYSTEM_ACTOR): Promise<{ readonly id: string; readonly plain: string }> {
    return this.core.database.transaction(async (tx) => {
      const [user] = await tx.rows('SELECT id FROM users WHERE id = $1', userId);
      if (user === undefined) throw new DomainError('NOT_FOUND', `user ${userId} does not exist`);
      const { apiKey, plain } = await insertKey(tx, { ...ENDLESS, userId, name, scopes }, actor, isoTime(this.core.clock.nowMs()));
      return { id: apiKey.id, plain };
    });
  }

  /** null for a key that is unknown, revoked or over. When it was used is noted in the background, once a minute. */
  async authenticate(apiKey: string): Promise<Identity | null> {
    if (!apiKey.startsWith(KEY_PREFIX) || apiKey.length > MAX_KEY_LENGTH) return null;
    const nowIso = isoTime(this.core.clock.nowMs());
    const [row] = await this.core.database.rows<{ userId: string; keyId: string; scopes: string[]; rates: ApiKey['rates']; unnoted: boolean }>(
      `SELECT user_id AS "userId", id AS "keyId", scopes, rates, coalesce(last_used_at < $2::timestamptz - $3::int * interval '1 second', true) AS unnoted
       FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2::timestamptz)`,
      hashOfKey(apiKey), nowIso, NOTE_USE_SECONDS,
    );
    if (row === undefined) return null;
    const { userId, keyId, scopes, rates, unnoted } = row;
    if (unnoted) this.noteUse(keyId, nowIso);
    return { userId, keyId, scopes, ...(rates === null ? {} : { rates: ratesOf(rates) }) };
  }

  /** No request waits for it, and none fails by it. */
  private noteUse(keyId: string, nowIso: string): void {
    this.core.database.rows('UPDATE api_keys SET last_used_at = greatest(last_used_at, $2::timestamptz) WHERE id = $1 RETURNING id', keyId, nowIso).catch((error: unknown) => this.core.log.warn({ error, keyId }, 'the last use of an API key could not be noted'));
  }

  private async insertUser(tx: Transaction, name: string, role: User['role'], actor: string = SYSTEM_ACTOR): Promise<User> {
    const [row] = await tx.rows('INSERT INTO users(id, name, role) VALUES ($1, $2, $3) RETURNING id, name, role, created_at AS "createdAt"', randomUUID(), name, role);
    if (row === undefined) throw new Error('the new user was not returned');
    const user = plainRow(row) as unknown as User;
    await appendAct(tx, { userId: user.id, actor, act: 'user.created', subject: `user:${user.id}`, data: { name, role }, at: isoTime(this.core.clock.nowMs()) });
    return user;
  }
}

/** Texts that the schema let in. */
function ratesOf(texts: NonNullable<ApiKey['rates']>): Partial<CallRates> {
  return Object.fromEntries(CALL_KINDS.flatMap((kind) => (texts[kind] === undefined ? [] : [[kind, callRateOf(texts[kind]) ?? null]])));
}
