/** Webhook endpoints of a user: made, listed, changed, enabled, deleted, their secrets rotated. */
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { accountStream, userStream } from '../../domain/events';
import type { NewWebhook, ShownWebhook, WebhookChange } from '../../domain/webhook';
import { appendAct } from '../audit/audit';
import { fieldsOf, given } from '../database/columns';
import type { StoreCore } from '../core';
import type { Queryable, Row, Transaction } from '../database/database';
import { destroySecrets, insertSecret, sealSecret, supersedeSecrets, WebhookSecrets } from './webhook-secrets';

/** More than this are a mistake, and each costs a workflow. */
const MAX_ENDPOINTS = 50;

const FIELDS = ['id', 'userId', 'url', 'description', 'eventTypes', 'accountIds', 'rateLimit', 'ordering', 'status', 'disabledReason', 'disabledAt', 'failingSince', 'breakerOpenUntil', 'createdAt', 'updatedAt', 'waiting'];
export const WEBHOOK_SELECT =
  'w.id, w.user_id AS "userId", w.url, w.description, w.event_types AS "eventTypes", w.account_ids AS "accountIds", w.rate_limit AS "rateLimit", w.ordering, w.status, w.disabled_reason AS "disabledReason", w.disabled_at AS "disabledAt", w.failing_since AS "failingSince", w.breaker_open_until AS "breakerOpenUntil", w.created_at AS "createdAt", w.updated_at AS "updatedAt", w.waiting';

/** Of a user. */
export const WEBHOOKS_SQL = `SELECT ${WEBHOOK_SELECT} FROM webhook_endpoints w WHERE w.user_id = $1 AND w.deleted_at IS NULL ORDER BY w.created_at DESC, w.id DESC`;

/** The head of every stream of the user, so that an endpoint begins with what comes after this. */
const START_AT_HEADS_SQL = `INSERT INTO webhook_cursors(endpoint_id, stream, user_id, sequence)
  SELECT $1, s.stream, $2, s.head FROM (SELECT '${accountStream('')}' || a.id AS stream, a.event_sequence AS head FROM accounts a WHERE a.user_id = $2
    UNION ALL SELECT '${userStream('')}' || u.id, u.event_sequence FROM users u WHERE u.id = $2) s
  ON CONFLICT (endpoint_id, stream) DO UPDATE SET sequence = excluded.sequence RETURNING 1 AS done`;

/** Of a delivery: no attempt of it is claimed, whose end would decide what comes next. */
export const NOT_UNDER_WAY = 'NOT EXISTS (SELECT 1 FROM webhook_attempts t WHERE t.delivery_id = webhook_deliveries.id AND t.number = webhook_deliveries.attempts AND t.code IS NULL AND t.error_class IS NULL)';

export class Webhooks {
  private readonly secrets: WebhookSecrets;

  constructor(private readonly core: StoreCore) {
    this.secrets = new WebhookSecrets(core);
  }

  /** Delivers what commits after it; `secret` is made by our side, never by the caller. Throws CONFLICT beyond 50, NOT_FOUND for an account that is not the user's. */
  async create({ secret, ...endpoint }: NewWebhook & { readonly secret: string }, actor: string): Promise<ShownWebhook> {
    const id = randomUUID();
    const sealed = await sealSecret(this.core, secret);
    return this.core.database.transaction(async (tx) => {
      const { userId, url, description, eventTypes, accountIds, rateLimit, ordering } = endpoint;
      await tx.rows('SELECT id FROM users WHERE id = $1 FOR UPDATE', userId);
      await assertOwn(tx, userId, accountIds);
      const [row] = await tx.rows<{ count: number }>('SELECT count(*)::int AS count FROM webhook_endpoints w WHERE w.user_id = $1 AND w.deleted_at IS NULL', userId);
      if ((row?.count ?? 0) >= MAX_ENDPOINTS) throw new DomainError('CONFLICT', `you have ${MAX_ENDPOINTS} webhooks; delete some first`, { details: { limit: MAX_ENDPOINTS } });
      const at = this.now();
      await tx.rows(
        `INSERT INTO webhook_endpoints(id, user_id, url, description, event_types, account_ids, rate_limit, ordering, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5::text[], $6::jsonb, $7, $8, 'enabled', $9::timestamptz, $9::timestamptz)`,
        id, userId, url, description, [...eventTypes], accountIds === null ? null : JSON.stringify(accountIds), rateLimit, ordering, at,
      );
      await tx.rows(START_AT_HEADS_SQL, id, userId);
      await insertSecret(tx, { userId, endpointId: id, at, ...sealed });
      await appendAct(tx, { userId, actor, act: 'webhook.created', subject: `webhook:${id}`, data: { url, eventTypes, accountIds, ordering, rateLimit }, at });
      return readOne(tx, id, userId);
    });
  }

  /** Newest first. */
  async list(userId: string): Promise<readonly ShownWebhook[]> {
    return (await this.core.database.rows(WEBHOOKS_SQL, userId)).map(shown);
  }

  /** Throws NOT_FOUND. */
  get(id: string, userId: string): Promise<ShownWebhook> {
    return readOne(this.core.database, id, userId);
  }

  /** Throws NOT_FOUND. */
  async change(id: string, userId: string, change: WebhookChange, actor: string): Promise<ShownWebhook> {
    return this.core.database.transaction(async (tx) => {
      const before = await lockOne(tx, id, userId);
      if (change.accountIds !== undefined) await assertOwn(tx, userId, change.accountIds);
      const { enabled, ...wanted } = change;
      const after: ShownWebhook = { ...before, ...given(wanted) };
      const at = this.now();
      const disables = enabled === false && before.status === 'enabled';
      await tx.rows(
        `UPDATE webhook_endpoints SET url = $2, description = $3, event_types = $4::text[], account_ids = $5::jsonb, rate_limit = $6, ordering = $7, updated_at = $8::timestamptz,
           status = CASE WHEN $9 THEN 'disabled' ELSE status END, disabled_reason = CASE WHEN $9 THEN 'owner' ELSE disabled_reason END, disabled_at = CASE WHEN $9 THEN $8::timestamptz ELSE disabled_at END,
           rate_tokens = CASE WHEN rate_limit IS DISTINCT FROM $6 THEN NULL ELSE rate_tokens END WHERE id = $1`,
        id, after.url, after.description, [...after.eventTypes], after.accountIds === null ? null : JSON.stringify(after.accountIds), after.rateLimit, after.ordering, at, disables,
      );
      await appendAct(tx, { userId, actor, act: 'webhook.changed', subject: `webhook:${id}`, data: { ...change }, at });
      return readOne(tx, id, userId);
    });
  }

  /** Signs with both for the overlap; at most two old ones. Throws NOT_FOUND. */
  async rotateSecret(id: string, userId: string, secret: string, overlapSeconds: number, actor: string): Promise<ShownWebhook> {
    const sealed = await sealSecret(this.core, secret);
    return this.core.database.transaction(async (tx) => {
      await lockOne(tx, id, userId);
      const at = this.now();
      await supersedeSecrets(tx, id, { atMs: Date.parse(at), overlapSeconds });
      await insertSecret(tx, { userId, endpointId: id, at, ...sealed });
      await appendAct(tx, { userId, actor, act: 'webhook.secretRotated', subject: `webhook:${id}`, data: { overlapSeconds }, at });
      return readOne(tx, id, userId);
    });
  }

  /** Goes on where it stopped; with `skipMissed`, with what commits from now on (what waits already is delivered all the same). Throws NOT_FOUND. */
  async enable(id: string, userId: string, { skipMissed }: { readonly skipMissed: boolean }, actor: string): Promise<ShownWebhook> {
    return this.core.database.transaction(async (tx) => {
      await lockOne(tx, id, userId);
      const at = this.now();
      if (skipMissed) await tx.rows(START_AT_HEADS_SQL, id, userId);
      await tx.rows(
        `UPDATE webhook_endpoints SET status = 'enabled', disabled_reason = NULL, disabled_at = NULL, failing_since = NULL, failures_in_a_row = 0, breaker_trips = 0, breaker_open_until = NULL, told_failing_at = NULL, told_exhausted_at = NULL, updated_at = $2::timestamptz WHERE id = $1`,
        id, at,
      );
      // An attempt that is under way keeps its claim: made due, it would be made twice.
      await tx.rows(
        `UPDATE webhook_deliveries SET next_attempt_at = $2::timestamptz WHERE endpoint_id = $1 AND status = 'pending' AND NOT blocked AND next_attempt_at > $2::timestamptz AND ${NOT_UNDER_WAY}`,
        id, at,
      );
      await appendAct(tx, { userId, actor, act: 'webhook.enabled', subject: `webhook:${id}`, data: { skipMissed }, at });
      return readOne(tx, id, userId);
    });
  }

  /** Its secrets are destroyed, what waited is discarded. Throws NOT_FOUND. */
  async remove(id: string, userId: string, actor: string): Promise<ShownWebhook> {
    return this.core.database.transaction(async (tx) => {
      const before = await lockOne(tx, id, userId);
      const at = this.now();
      await tx.rows('UPDATE webhook_endpoints SET deleted_at = $2::timestamptz, waiting = 0 WHERE id = $1', id, at);
      await destroySecrets(tx, id);
      await tx.rows('DELETE FROM webhook_cursors WHERE endpoint_id = $1', id);
      await tx.rows(`UPDATE webhook_deliveries SET status = 'discarded', next_attempt_at = NULL, settled_at = $2::timestamptz WHERE endpoint_id = $1 AND status = 'pending'`, id, at);
      await appendAct(tx, { userId, actor, act: 'webhook.deleted', subject: `webhook:${id}`, data: { url: before.url }, at });
      return before;
    });
  }

  /** Secrets that sign now, the newest first; `lost`: what opened them is. */
  secretsOf(endpointId: string): Promise<readonly string[] | 'lost'> {
    return this.secrets.of(endpointId);
  }

  /** Every endpoint that should have a workflow at work. */
  async active(): Promise<readonly { readonly id: string }[]> {
    return this.core.database.rows<{ id: string }>(`SELECT w.id FROM webhook_endpoints w WHERE w.deleted_at IS NULL AND w.status = 'enabled' ORDER BY w.id`);
  }

  /** The enabled endpoints that these streams concern. */
  async concernedBy(streams: readonly string[]): Promise<readonly string[]> {
    const [accounts, users] = [accountStream(''), userStream('')].map((prefix) => streams.filter((stream) => stream.startsWith(prefix)).map((stream) => stream.slice(prefix.length)));
    const rows = await this.core.database.rows<{ id: string }>(
      `SELECT w.id FROM webhook_endpoints w WHERE w.deleted_at IS NULL AND w.status = 'enabled' AND w.user_id IN (SELECT a.user_id FROM accounts a WHERE a.id = ANY($1::text[]) UNION SELECT u FROM unnest($2::text[]) AS u)`,
      accounts ?? [],
      users ?? [],
    );
    return rows.map(({ id }) => id);
  }

  private now(): string {
    return isoTime(this.core.clock.nowMs());
  }
}

async function assertOwn(tx: Queryable, userId: string, accountIds: readonly string[] | null): Promise<void> {
  if (accountIds === null) return;
  const rows = await tx.rows<{ id: string }>('SELECT a.id FROM accounts a WHERE a.user_id = $1 AND a.deleted_at IS NULL AND a.id = ANY($2::text[])', userId, [...accountIds]);
  const known = new Set(rows.map(({ id }) => id));
  const foreign = accountIds.find((id) => !known.has(id));
  if (foreign !== undefined) throw new DomainError('NOT_FOUND', `account ${foreign} does not exist`);
}

/** Throws NOT_FOUND, and holds the endpoint's lock until the transaction ends. */
export async function lockOne(tx: Transaction, id: string, userId: string): Promise<ShownWebhook> {
  await tx.rows('SELECT w.id FROM webhook_endpoints w WHERE w.id = $1 AND w.user_id = $2 FOR UPDATE', id, userId);
  return readOne(tx, id, userId);
}

async function readOne(database: Queryable, id: string, userId: string): Promise<ShownWebhook> {
  const [row] = await database.rows(`SELECT ${WEBHOOK_SELECT} FROM webhook_endpoints w WHERE w.id = $1 AND w.user_id = $2 AND w.deleted_at IS NULL`, id, userId);
  if (row === undefined) throw new DomainError('NOT_FOUND', 'no such webhook');
  return shown(row);
}

function shown(row: Row): ShownWebhook {
  return fieldsOf(row, FIELDS) as unknown as ShownWebhook;
}
