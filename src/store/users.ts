/** Users and their API keys. A key is shown once; only its sha256 is stored (it is random, so no salt is needed). */
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { DomainError } from '../domain/errors';
import { plainRow } from './columns';
import type { StoreCore } from './core';
import type { Queryable } from './database';

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
      const { plain } = await this.insertKey(tx, user.id, 'owner', OWNER_SCOPES);
      return { user, apiKey: plain };
    });
  }

  async createUser(name: string): Promise<User> {
    return this.insertUser(this.core.database, name, 'member');
  }

  async createApiKey(userId: string, name: string, scopes: readonly string[]): Promise<{ readonly id: string; readonly plain: string }> {
    return this.core.database.transaction(async (tx) => {
      const [user] = await tx.rows('SELECT id FROM users WHERE id = $1', userId);
      if (user === undefined) throw new DomainError('NOT_FOUND', `user ${userId} does not exist`);
      return this.insertKey(tx, userId, name, scopes);
    });
  }

  /** Its holder gets 401 from the next request on. */
  async revokeApiKey(keyId: string): Promise<void> {
    await this.core.database.rows('UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING id', keyId);
  }

  /** null for a key that is unknown or revoked. */
  async authenticate(apiKey: string): Promise<Identity | null> {
    if (!apiKey.startsWith(KEY_PREFIX) || apiKey.length > MAX_KEY_LENGTH) return null;
    const [row] = await this.core.database.rows<{ userId: string; keyId: string; scopes: string[] }>('SELECT user_id AS "userId", id AS "keyId", scopes FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL', hashOf(apiKey));
    return row === undefined ? null : { userId: row.userId, keyId: row.keyId, scopes: row.scopes };
  }

  private async insertUser(tx: Queryable, name: string, role: User['role']): Promise<User> {
    const [row] = await tx.rows('INSERT INTO users(id, name, role) VALUES ($1, $2, $3) RETURNING id, name, role, created_at AS "createdAt"', randomUUID(), name, role);
    if (row === undefined) throw new Error('the new user was not returned');
    return plainRow(row) as unknown as User;
  }

  private async insertKey(tx: Queryable, userId: string, name: string, scopes: readonly string[]): Promise<{ readonly id: string; readonly plain: string }> {
    const id = randomUUID();
    const plain = KEY_PREFIX + Array.from({ length: KEY_LENGTH }, () => BASE62[randomInt(BASE62.length)]).join('');
    await tx.rows('INSERT INTO api_keys(id, user_id, name, key_hash, scopes) VALUES ($1, $2, $3, $4, $5::text[])', id, userId, name, hashOf(plain), scopes);
    return { id, plain };
  }
}

function hashOf(apiKey: string): string {
  return createHash('sha256').update(apiKey).digest('hex');
}
