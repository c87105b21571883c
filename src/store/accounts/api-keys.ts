/** API keys of a user: made, listed, replaced with an overlap, revoked. A key is shown once; only its sha256 is stored. */
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { isoTime, LAST_KEPT_MS } from '../../domain/clock';
import type { CallKind } from '../../domain/call-rate';
import { DomainError } from '../../domain/errors';
import { appendAct } from '../audit/audit';
import { plainRow } from '../database/columns';
import type { StoreCore } from '../core';
import type { Queryable, Row, Transaction } from '../database/database';

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  /** null: never. */
  readonly expiresAt: string | null;
  /** At most a minute old. */
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
  /** The key this one replaced. */
  readonly rotatedFrom: string | null;
  /** Limits of its own, by kind of call, as texts of domain/call-rate.ts; null: the server's. */
  readonly rates: Readonly<Partial<Record<CallKind, string>>> | null;
}

export interface NewApiKey {
  readonly userId: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt: string | null;
  readonly rates: ApiKey['rates'];
}

/** The plain key is in no other answer. */
export interface MadeApiKey {
  readonly apiKey: ApiKey;
  readonly plain: string;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 32 characters of 62: 190 bits, so that a hash needs no salt. */
const KEY_LENGTH = 32;
export const KEY_PREFIX = 'sf_';
/** A user with more has lost count of them, and each is a way in. */
const MAX_LIVING_KEYS = 100;

const KEY_SELECT = 'k.id, k.name, k.scopes, k.created_at AS "createdAt", k.expires_at AS "expiresAt", k.last_used_at AS "lastUsedAt", k.revoked_at AS "revokedAt", k.rotated_from AS "rotatedFrom", k.rates';
/** Of a user, newest first. */
export const API_KEYS_SQL = `SELECT ${KEY_SELECT} FROM api_keys k WHERE k.user_id = $1 ORDER BY k.created_at DESC, k.id DESC`;
const IS_ALIVE = 'k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2::timestamptz)';

export class ApiKeys {
  constructor(private readonly core: StoreCore) {}

  /** Throws NOT_FOUND for an unknown user, CONFLICT when it has too many keys. */
  async create(key: NewApiKey, actor: string): Promise<MadeApiKey> {
    return this.core.database.transaction(async (tx) => {
      const nowIso = await this.lockUser(tx, key.userId);
      await this.assertRoom(tx, key.userId, nowIso);
      return insertKey(tx, { ...key, rotatedFrom: null }, actor, nowIso);
    });
  }

  /** Newest first, those that ended too. */
  async list(userId: string): Promise<readonly ApiKey[]> {
    return (await this.core.database.rows(API_KEYS_SQL, userId)).map(keyOf);
  }

  /**
   * Makes a key with the same name, scopes and limits; the old one ends after the overlap, or at its own end if that comes
   * first. A key that would end lives as long again, also where the old one is rotated once more: its answer may have been lost. Throws NOT_FOUND, and CONFLICT for a key that has ended.
   */
  async rotate(id: string, userId: string, overlapSeconds: number, actor: string): Promise<MadeApiKey> {
    return this.core.database.transaction(async (tx) => {
      const nowIso = await this.lockUser(tx, userId);
      const old = await this.living(tx, id, userId, nowIso);
      await this.assertRoom(tx, userId, nowIso);
      const nowMs = Date.parse(nowIso);
      const meant = await notRotated(tx, old, userId);
      const lifeMs = meant.expiresAt === null ? null : Date.parse(meant.expiresAt) - Date.parse(meant.createdAt);
      const made = await insertKey(tx, { userId, name: old.name, scopes: old.scopes, rates: old.rates, expiresAt: lifeMs === null ? null : isoTime(Math.min(nowMs + lifeMs, LAST_KEPT_MS)), rotatedFrom: id }, actor, nowIso);
      const overlapEnds = nowMs + overlapSeconds * 1_000;
      const expiresAt = isoTime(old.expiresAt === null ? overlapEnds : Math.min(overlapEnds, Date.parse(old.expiresAt)));
      await tx.rows('UPDATE api_keys SET expires_at = $2::timestamptz WHERE id = $1 RETURNING id', id, expiresAt);
      await appendAct(tx, { userId, actor, act: 'apiKey.rotated', subject: `apiKey:${id}`, data: { name: old.name, replacedBy: made.apiKey.id, expiresAt }, at: nowIso });
      return made;
    });
  }

  /** Its holder gets 401 within a second. Revoking again changes nothing. Throws NOT_FOUND, and CONFLICT for the last key that may administer. */
  async revoke(id: string, userId: string, actor: string): Promise<ApiKey> {
    return this.core.database.transaction(async (tx) => {
      const nowIso = await this.lockUser(tx, userId);
      const key = await readKey(tx, id, userId);
      if (key.revokedAt !== null) return key;
      const [other] = !mayAdminister(key) ? [key] : await tx.rows(`SELECT k.id FROM api_keys k WHERE k.user_id = $1 AND k.id <> $3 AND k.scopes && '{admin,*}'::text[] AND ${IS_ALIVE} LIMIT 1`, userId, nowIso, id);
      if (other === undefined) throw new DomainError('CONFLICT', 'this is your last key that may administer; make another one first', { details: { keyId: id } });
      await tx.rows('UPDATE api_keys SET revoked_at = $2::timestamptz WHERE id = $1 RETURNING id', id, nowIso);
      await appendAct(tx, { userId, actor, act: 'apiKey.revoked', subject: `apiKey:${id}`, data: { name: key.name }, at: nowIso });
      return { ...key, revokedAt: nowIso };
    });
  }

  /** One change of a user's keys at a time: what is counted stays true. Answers the time of the change. */
  private async lockUser(tx: Transaction, userId: string): Promise<string> {
    const [user] = await tx.rows('SELECT id FROM users WHERE id = $1 FOR UPDATE', userId);
    if (user === undefined) throw new DomainError('NOT_FOUND', `user ${userId} does not exist`);
    return isoTime(this.core.clock.nowMs());
  }

  private async living(tx: Transaction, id: string, userId: string, nowIso: string): Promise<ApiKey> {
    const key = await readKey(tx, id, userId);
    if (key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= nowIso)) throw new DomainError('CONFLICT', 'this key has ended; make a new one', { details: { keyId: id } });
    return key;
  }

  private async assertRoom(tx: Transaction, userId: string, nowIso: string): Promise<void> {
    const [row] = await tx.rows<{ count: number }>(`SELECT count(*)::int AS count FROM api_keys k WHERE k.user_id = $1 AND ${IS_ALIVE}`, userId, nowIso);
    if ((row?.count ?? 0) >= MAX_LIVING_KEYS) throw new DomainError('CONFLICT', `you have ${MAX_LIVING_KEYS} keys that work; revoke some first`, { details: { limit: MAX_LIVING_KEYS } });
  }
}

/** The end of a key that was rotated is that of its overlap: the life it had is the one its last successor has. */
async function notRotated(tx: Transaction, key: ApiKey, userId: string): Promise<ApiKey> {
  const [successor] = await tx.rows(`SELECT ${KEY_SELECT} FROM api_keys k WHERE k.user_id = $2 AND k.rotated_from = $1 ORDER BY k.created_at, k.id LIMIT 1`, key.id, userId);
  return successor === undefined ? key : notRotated(tx, keyOf(successor), userId);
}

/** In the transaction that makes the key's user, or that locked it. */
export async function insertKey(tx: Transaction, key: NewApiKey & { readonly rotatedFrom: string | null }, actor: string, at: string): Promise<MadeApiKey> {
  const id = randomUUID();
  const plain = KEY_PREFIX + Array.from({ length: KEY_LENGTH }, () => BASE62[randomInt(BASE62.length)]).join('');
  const { userId, name, scopes, expiresAt, rates, rotatedFrom } = key;
  await tx.rows(
    'INSERT INTO api_keys(id, user_id, name, key_hash, scopes, created_at, expires_at, rates, rotated_from) VALUES ($1, $2, $3, $4, $5::text[], $6::timestamptz, $7::timestamptz, $8::jsonb, $9)',
    id, userId, name, hashOfKey(plain), scopes, at, expiresAt, rates === null ? null : JSON.stringify(rates), rotatedFrom,
  );
  await appendAct(tx, { userId, actor, act: 'apiKey.created', subject: `apiKey:${id}`, data: { name, scopes, expiresAt, rates, rotatedFrom }, at });
  return { apiKey: { id, name, scopes, createdAt: at, expiresAt, lastUsedAt: null, revokedAt: null, rotatedFrom, rates }, plain };
}

function mayAdminister({ scopes }: ApiKey): boolean {
  return scopes.includes('admin') || scopes.includes('*');
}

export function hashOfKey(plain: string): string {
  return createHash('sha256').update(plain).digest('hex');
}

async function readKey(tx: Queryable, id: string, userId: string): Promise<ApiKey> {
  const [row] = await tx.rows(`SELECT ${KEY_SELECT} FROM api_keys k WHERE k.id = $1 AND k.user_id = $2`, id, userId);
  if (row === undefined) throw new DomainError('NOT_FOUND', 'no such API key');
  return keyOf(row);
}

function keyOf(row: Row): ApiKey {
  return plainRow(row) as unknown as ApiKey;
}
