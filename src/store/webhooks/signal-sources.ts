/** Sources of incoming signals. Only the sha256 of a token is stored: 190 random bits need no salt. */
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { SIGNAL_TOKEN_PREFIX, type SignalSource } from '../../domain/signal';
import { appendAct } from '../audit/audit';
import { fieldsOf } from '../database/columns';
import type { StoreCore } from '../core';
import type { Queryable, Row, Transaction } from '../database/database';

export type SignalSourceTerms = Pick<SignalSource, 'name' | 'kind' | 'accountId' | 'template' | 'fields' | 'alertId' | 'allowedAddresses' | 'rateLimit' | 'mode' | 'maxDelaySeconds'>;
export type SignalSourceChange = { readonly [Field in Exclude<keyof SignalSourceTerms, 'kind'> | 'status']?: SignalSource[Field] | undefined };

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const TOKEN_LENGTH = 32;
/** More than this are a mistake, and each is a way in. */
const MAX_SOURCES = 50;
/** The list shows when a source was last heard; a busy one does not rewrite its row for each alert. */
export const HEARD_EVERY_MS = 10_000;

const FIELDS = ['id', 'userId', 'name', 'kind', 'accountId', 'template', 'fields', 'alertId', 'allowedAddresses', 'rateLimit', 'mode', 'maxDelaySeconds', 'status', 'oldTokenUntil', 'lastSignalAt', 'createdAt', 'updatedAt'];
const SELECT =
  's.id, s.user_id AS "userId", s.name, s.kind, s.account_id AS "accountId", s.template, s.fields, s.alert_id AS "alertId", s.allowed_addresses AS "allowedAddresses", s.rate_limit AS "rateLimit", s.mode, s.max_delay_seconds AS "maxDelaySeconds", s.status, s.old_token_until AS "oldTokenUntil", s.last_signal_at AS "lastSignalAt", s.created_at AS "createdAt", s.updated_at AS "updatedAt"';

/** Of a user. */
export const SIGNAL_SOURCES_SQL = `SELECT ${SELECT} FROM signal_sources s WHERE s.user_id = $1 AND s.deleted_at IS NULL ORDER BY s.created_at DESC, s.id DESC`;

export class SignalSources {
  constructor(private readonly core: StoreCore) {}

  /** Throws CONFLICT beyond 50, NOT_FOUND for an account that is not the user's. */
  async create(userId: string, terms: SignalSourceTerms, actor: string): Promise<{ readonly source: SignalSource; readonly token: string }> {
    const [id, token] = [randomUUID(), newToken()];
    return this.core.database.transaction(async (tx) => {
      await tx.rows('SELECT id FROM users WHERE id = $1 FOR UPDATE', userId);
      await assertOwn(tx, userId, terms.accountId);
      const [row] = await tx.rows<{ count: number }>('SELECT count(*)::int AS count FROM signal_sources s WHERE s.user_id = $1 AND s.deleted_at IS NULL', userId);
      if ((row?.count ?? 0) >= MAX_SOURCES) throw new DomainError('CONFLICT', `you have ${MAX_SOURCES} signal sources; delete some first`, { details: { limit: MAX_SOURCES } });
      const at = isoTime(this.core.clock.nowMs());
      await tx.rows(
        `INSERT INTO signal_sources(id, user_id, kind, token_hash, name, account_id, template, fields, alert_id, allowed_addresses, rate_limit, mode, max_delay_seconds, status, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9, $10::jsonb, $11, $12, $13::int, 'enabled', $14::timestamptz, $14::timestamptz)`,
        id, userId, terms.kind, hashOfToken(token), ...columnsOf(terms), at,
      );
      await appendAct(tx, { userId, actor, act: 'signalSource.created', subject: `signalSource:${id}`, data: { ...terms }, at });
      return { source: await readOne(tx, id, userId), token };
    });
  }

  /** Newest first. */
  async list(userId: string): Promise<readonly SignalSource[]> {
    return (await this.core.database.rows(SIGNAL_SOURCES_SQL, userId)).map(sourceOf);
  }

  /** Throws NOT_FOUND. */
  get(id: string, userId: string): Promise<SignalSource> {
    return readOne(this.core.database, id, userId);
  }

  /** Throws NOT_FOUND. */
  async change(id: string, userId: string, change: SignalSourceChange, actor: string): Promise<SignalSource> {
    return this.core.database.transaction(async (tx) => {
      const before = await lockOne(tx, id, userId);
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const after: SignalSource = { ...before, ...given };
      if (after.accountId !== before.accountId) await assertOwn(tx, userId, after.accountId);
      const at = isoTime(this.core.clock.nowMs());
      await tx.rows(
        `UPDATE signal_sources SET status = $2, name = $3, account_id = $4, template = $5::jsonb, fields = $6::jsonb, alert_id = $7, allowed_addresses = $8::jsonb, rate_limit = $9, mode = $10, max_delay_seconds = $11::int, updated_at = $12::timestamptz WHERE id = $1`,
        id, after.status, ...columnsOf(after), at,
      );
      await appendAct(tx, { userId, actor, act: 'signalSource.changed', subject: `signalSource:${id}`, data: given, at });
      return readOne(tx, id, userId);
    });
  }

  /** The token before works for the overlap; the one before that no more. Throws NOT_FOUND. */
  async rotateToken(id: string, userId: string, overlapSeconds: number, actor: string): Promise<{ readonly source: SignalSource; readonly token: string }> {
    const token = newToken();
    return this.core.database.transaction(async (tx) => {
      await lockOne(tx, id, userId);
      const nowMs = this.core.clock.nowMs();
      const at = isoTime(nowMs);
      await tx.rows('UPDATE signal_sources SET old_token_hash = token_hash, old_token_until = $2::timestamptz, token_hash = $3, updated_at = $4::timestamptz WHERE id = $1', id, isoTime(nowMs + overlapSeconds * 1_000), hashOfToken(token), at);
      await appendAct(tx, { userId, actor, act: 'signalSource.tokenRotated', subject: `signalSource:${id}`, data: { overlapSeconds }, at });
      return { source: await readOne(tx, id, userId), token };
    });
  }

  /** Its tokens work no more; what it sent stays to be read. What was taken is placed all the same. Throws NOT_FOUND. */
  async remove(id: string, userId: string, actor: string): Promise<SignalSource> {
    return this.core.database.transaction(async (tx) => {
      const before = await lockOne(tx, id, userId);
      const at = isoTime(this.core.clock.nowMs());
      await tx.rows('UPDATE signal_sources SET deleted_at = $2::timestamptz, old_token_hash = NULL, old_token_until = NULL WHERE id = $1', id, at);
      await appendAct(tx, { userId, actor, act: 'signalSource.deleted', subject: `signalSource:${id}`, data: { name: before.name }, at });
      return before;
    });
  }

  /** Whose token it is, the newest or the one before within its overlap; null: nobody's. */
  async byToken(token: string): Promise<SignalSource | null> {
    const [row] = await this.core.database.rows(
      `SELECT ${SELECT} FROM signal_sources s WHERE s.deleted_at IS NULL AND (s.token_hash = $1 OR (s.old_token_hash = $1 AND s.old_token_until > $2::timestamptz))`,
      hashOfToken(token), isoTime(this.core.clock.nowMs()),
    );
    return row === undefined ? null : sourceOf(row);
  }
}

function newToken(): string {
  return SIGNAL_TOKEN_PREFIX + Array.from({ length: TOKEN_LENGTH }, () => BASE62[randomInt(BASE62.length)]).join('');
}

function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** In the order in which both statements name them. */
function columnsOf({ name, accountId, template, fields, alertId, allowedAddresses, rateLimit, mode, maxDelaySeconds }: SignalSourceTerms): (string | number | null)[] {
  return [name, accountId, JSON.stringify(template), JSON.stringify(fields), alertId, allowedAddresses === null ? null : JSON.stringify(allowedAddresses), rateLimit, mode, maxDelaySeconds];
}

async function assertOwn(tx: Queryable, userId: string, accountId: string): Promise<void> {
  const [row] = await tx.rows('SELECT a.id FROM accounts a WHERE a.id = $1 AND a.user_id = $2 AND a.deleted_at IS NULL', accountId, userId);
  if (row === undefined) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
}

async function lockOne(tx: Transaction, id: string, userId: string): Promise<SignalSource> {
  await tx.rows('SELECT s.id FROM signal_sources s WHERE s.id = $1 AND s.user_id = $2 FOR UPDATE', id, userId);
  return readOne(tx, id, userId);
}

async function readOne(database: Queryable, id: string, userId: string): Promise<SignalSource> {
  const [row] = await database.rows(`SELECT ${SELECT} FROM signal_sources s WHERE s.id = $1 AND s.user_id = $2 AND s.deleted_at IS NULL`, id, userId);
  if (row === undefined) throw new DomainError('NOT_FOUND', 'no such signal source');
  return sourceOf(row);
}

function sourceOf(row: Row): SignalSource {
  return fieldsOf(row, FIELDS) as unknown as SignalSource;
}
