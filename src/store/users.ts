/** Users and their API keys. A key is shown once; only its sha256 is stored (it is random, so no salt is needed). */
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { SYSTEM_ACTOR } from '../domain/audit';
import { isoTime } from '../domain/clock';
import { DomainError } from '../domain/errors';
import { appendAct } from './audit';
import { plainRow } from './columns';
import type { StoreCore } from './core';
import type { Transaction } from './database';

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
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 32 characters of 62: 190 bits. */
const KEY_LENGTH = 32;
const KEY_PREFIX = 'sf_';
/** Longer texts are no keys of ours and are not hashed. */
const MAX_KEY_LENGTH = 128;
const OWNER_SCOPES = ['read', 'trade', 'admin'] as const;
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
      const { plain } = await this.insertKey(tx, user.id, 'owner', OWNER_SCOPES, SYSTEM_ACTOR);
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
      return this.insertKey(tx, userId, name, scopes, actor);
    });
  }

  /** Its holder gets 401 from the next request on. */
  async revokeApiKey(keyId: string, actor: string = SYSTEM_ACTOR): Promise<void> {
    await this.core.database.transaction(async (tx) => {
      const at = isoTime(this.core.clock.nowMs());
      const [row] = await tx.rows<{ userId: string; name: string }>('UPDATE api_keys SET revoked_at = $2::timestamptz WHERE id = $1 AND revoked_at IS NULL RETURNING user_id AS "userId", name', keyId, at);
      if (row !== undefined) await appendAct(tx, { userId: row.userId, actor, act: 'apiKey.revoked', subject: `apiKey:${keyId}`, data: { name: row.name }, at });
    });
  }

  /** null for a key that is unknown or revoked. */
  async authenticate(apiKey: string): Promise<Identity | null> {
    if (!apiKey.startsWith(KEY_PREFIX) || apiKey.length > MAX_KEY_LENGTH) return null;
    const [row] = await this.core.database.rows<{ userId: string; keyId: string; scopes: string[] }>('SELECT user_id AS "userId", id AS "keyId", scopes FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL', hashOf(apiKey));
    return row === undefined ? null : { userId: row.userId, keyId: row.keyId, scopes: row.scopes };
  }

  private async insertUser(tx: Transaction, name: string, role: User['role'], actor: string = SYSTEM_ACTOR): Promise<User> {
    const [row] = await tx.rows('INSERT INTO users(id, name, role) VALUES ($1, $2, $3) RETURNING id, name, role, created_at AS "createdAt"', randomUUID(), name, role);
    if (row === undefined) throw new Error('the new user was not returned');
    const user = plainRow(row) as unknown as User;
    await appendAct(tx, { userId: user.id, actor, act: 'user.created', subject: `user:${user.id}`, data: { name, role }, at: isoTime(this.core.clock.nowMs()) });
    return user;
  }

  private async insertKey(tx: Transaction, userId: string, name: string, scopes: readonly string[], actor: string): Promise<{ readonly id: string; readonly plain: string }> {
    const id = randomUUID();
    const plain = KEY_PREFIX + Array.from({ length: KEY_LENGTH }, () => BASE62[randomInt(BASE62.length)]).join('');
    await tx.rows('INSERT INTO api_keys(id, user_id, name, key_hash, scopes) VALUES ($1, $2, $3, $4, $5::text[])', id, userId, name, hashOf(plain), scopes);
    await appendAct(tx, { userId, actor, act: 'apiKey.created', subject: `apiKey:${id}`, data: { name, scopes }, at: isoTime(this.core.clock.nowMs()) });
    return { id, plain };
  }
}

function hashOf(apiKey: string): string {
  return createHash('sha256').update(apiKey).digest('hex');
}
