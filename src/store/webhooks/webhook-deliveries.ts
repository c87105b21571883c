/** Deliveries as their owner sees and repeats them. */
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { WEBHOOK_TEST, type DeliveryDetail, type DeliveryListQuery, type WebhookAttempt, type WebhookDelivery } from '../../domain/webhook';
import { appendAct } from '../audit/audit';
import { fieldsOf } from '../database/columns';
import type { StoreCore } from '../core';
import { cursorOf, positionOf } from '../database/cursor';
import type { Parameter, Queryable, Row } from '../database/database';
import { lockOne, NOT_UNDER_WAY } from './webhooks';

const FIELDS = ['id', 'endpointId', 'eventType', 'stream', 'sequence', 'status', 'attempts', 'createdAt', 'nextAttemptAt', 'settledAt'];
const SELECT = 'd.id, d.endpoint_id AS "endpointId", d.event_type AS "eventType", d.stream, d.sequence::float8 AS sequence, d.status, d.attempts, d.created_at AS "createdAt", d.next_attempt_at AS "nextAttemptAt", d.settled_at AS "settledAt"';
/** Of one recovery; what is left is recovered by asking again. */
export const RECOVERY_PAGE = 5_000;

export class WebhookDeliveries {
  constructor(private readonly core: StoreCore) {}

  /** Newest first. Throws NOT_FOUND for an endpoint that is not the user's. */
  async list(query: DeliveryListQuery): Promise<{ readonly deliveries: readonly WebhookDelivery[]; readonly nextCursor: string | null }> {
    await assertOwn(this.core.database, query.endpointId, query.userId);
    const { sql, parameters } = deliveriesStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const deliveries = rows.slice(0, query.limit).map(deliveryOf);
    const last = deliveries.at(-1);
    return { deliveries, nextCursor: rows.length > query.limit && last !== undefined ? cursorOf('webhook_deliveries', { at: last.createdAt, id: last.id }) : null };
  }

  /** With its bytes and every attempt. Throws NOT_FOUND. */
  async get(id: string, endpointId: string, userId: string): Promise<DeliveryDetail> {
    const [row] = await this.core.database.rows(`SELECT ${SELECT}, d.body FROM webhook_deliveries d WHERE d.id = $1 AND d.endpoint_id = $2 AND d.user_id = $3`, id, endpointId, userId);
    if (row === undefined) throw new DomainError('NOT_FOUND', 'no such delivery');
    const log = await this.core.database.rows('SELECT t.number, t.at, t.code, t.latency_ms AS "latencyMs", t.error_class AS "errorClass", t.answer FROM webhook_attempts t WHERE t.delivery_id = $1 ORDER BY t.number', id);
    return { ...deliveryOf(row), body: String(row['body']), log: log.map((attempt) => fieldsOf(attempt, ['number', 'at', 'code', 'latencyMs', 'errorClass', 'answer']) as unknown as WebhookAttempt) };
  }

  /** The same bytes and webhook-id once more, beside what waits; one that is pending becomes due now. Throws NOT_FOUND. */
  async resend(id: string, endpointId: string, userId: string, actor: string): Promise<WebhookDelivery> {
    return this.core.database.transaction(async (tx) => {
      assertEnabled(await lockOne(tx, endpointId, userId));
      const at = isoTime(this.core.clock.nowMs());
      const [before] = await tx.rows<{ status: string }>('SELECT d.status FROM webhook_deliveries d WHERE d.id = $1 AND d.endpoint_id = $2', id, endpointId);
      if (before === undefined) throw new DomainError('NOT_FOUND', 'no such delivery');
      if (before.status === 'pending') {
        // An attempt that is under way keeps its claim: its end decides.
        await tx.rows(`UPDATE webhook_deliveries SET next_attempt_at = $2::timestamptz WHERE id = $1 AND ${NOT_UNDER_WAY}`, id, at);
      } else {
        // Of a key of its own: what came after it long ago does not wait for it.
        await tx.rows(`UPDATE webhook_deliveries SET status = 'pending', failures = 0, blocked = false, ordering_key = 'resend/' || id, next_attempt_at = $2::timestamptz, settled_at = NULL WHERE id = $1`, id, at);
        await tx.rows('UPDATE webhook_endpoints SET waiting = waiting + 1 WHERE id = $1', endpointId);
      }
      await appendAct(tx, { userId, actor, act: 'webhook.resent', subject: `webhook:${endpointId}`, data: { deliveryId: id }, at });
      return readDelivery(tx, id);
    });
  }

  /** Every exhausted delivery since then is pending again, in order by its key. `more`: ask again for the rest. Throws NOT_FOUND. */
  async recover(endpointId: string, userId: string, since: string, actor: string): Promise<{ readonly recovered: number; readonly more: boolean }> {
    return this.core.database.transaction(async (tx) => {
      assertEnabled(await lockOne(tx, endpointId, userId));
      const at = isoTime(this.core.clock.nowMs());
      // By number: many were made in one moment, and the rest must not come after a later one of its key.
      const rows = await tx.rows<{ key: string }>(
        `UPDATE webhook_deliveries SET status = 'pending', failures = 0, blocked = true, next_attempt_at = $3::timestamptz, settled_at = NULL WHERE id IN (
           SELECT d.id FROM webhook_deliveries d WHERE d.endpoint_id = $1 AND d.status = 'exhausted' AND d.created_at >= $2::timestamptz ORDER BY d.number LIMIT ${RECOVERY_PAGE}) RETURNING ordering_key AS key`,
        endpointId, since, at,
      );
      // Who is first with each key goes first: also before those that came after it.
      await tx.rows(
        `UPDATE webhook_deliveries d SET blocked = EXISTS (SELECT 1 FROM webhook_deliveries p WHERE p.endpoint_id = d.endpoint_id AND p.ordering_key = d.ordering_key AND p.status = 'pending' AND p.number < d.number)
          WHERE d.endpoint_id = $1 AND d.status = 'pending' AND d.ordering_key = ANY($2::text[])`,
        endpointId, [...new Set(rows.map(({ key }) => key))],
      );
      await tx.rows('UPDATE webhook_endpoints SET waiting = waiting + $2::int WHERE id = $1', endpointId, rows.length);
      await appendAct(tx, { userId, actor, act: 'webhook.recovered', subject: `webhook:${endpointId}`, data: { since, recovered: rows.length }, at });
      return { recovered: rows.length, more: rows.length === RECOVERY_PAGE };
    });
  }

  /** Makes an event of type webhook.test, for this endpoint alone. Throws NOT_FOUND, CONFLICT while it is disabled. */
  async test(endpointId: string, userId: string): Promise<WebhookDelivery> {
    return this.core.database.transaction(async (tx) => {
      assertEnabled(await lockOne(tx, endpointId, userId));
      const at = isoTime(this.core.clock.nowMs());
      const id = `msg_${randomUUID()}`;
      const body = JSON.stringify({ type: WEBHOOK_TEST, timestamp: at, stream: null, sequence: null, generation: null, accountId: null, orderId: null, data: { endpointId, message: 'a test: nothing happened' } });
      const [numbered] = await tx.rows<{ number: number }>('UPDATE webhook_endpoints SET last_number = last_number + 1, waiting = waiting + 1 WHERE id = $1 RETURNING last_number::float8 AS number', endpointId);
      await tx.rows(
        `INSERT INTO webhook_deliveries(id, user_id, endpoint_id, number, event_type, ordering_key, body, status, blocked, next_attempt_at, created_at) VALUES ($1, $2, $3, $4::bigint, $5, 'test/' || $1, $6, 'pending', false, $7::timestamptz, $7::timestamptz)`,
        id, userId, endpointId, numbered?.number ?? 0, WEBHOOK_TEST, body, at,
      );
      return readDelivery(tx, id);
    });
  }
}

/** The statement alone, for the test that reads its plan. */
export function deliveriesStatement({ endpointId, status, cursor, limit }: Omit<DeliveryListQuery, 'userId'>): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const parameters: Parameter[] = [endpointId];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const conditions = ['d.endpoint_id = $1', ...(status === null ? [] : [`d.status = ${given(status)}`])];
  const position = positionOf('webhook_deliveries', cursor);
  if (position !== null) conditions.push(`(d.created_at, d.id) < (${given(position.at)}::timestamptz, ${given(position.id)})`);
  return { sql: `SELECT ${SELECT} FROM webhook_deliveries d WHERE ${conditions.join(' AND ')} ORDER BY d.created_at DESC, d.id DESC LIMIT ${given(limit + 1)}::int`, parameters };
}

async function assertOwn(database: Queryable, endpointId: string, userId: string): Promise<void> {
  const [row] = await database.rows('SELECT w.id FROM webhook_endpoints w WHERE w.id = $1 AND w.user_id = $2 AND w.deleted_at IS NULL', endpointId, userId);
  if (row === undefined) throw new DomainError('NOT_FOUND', 'no such webhook');
}

function assertEnabled({ status }: { readonly status: string }): void {
  if (status !== 'enabled') throw new DomainError('CONFLICT', 'the webhook is disabled: enable it first');
}

async function readDelivery(tx: Queryable, id: string): Promise<WebhookDelivery> {
  const [row] = await tx.rows(`SELECT ${SELECT} FROM webhook_deliveries d WHERE d.id = $1`, id);
  if (row === undefined) throw new Error(`delivery ${id} is gone`);
  return deliveryOf(row);
}

function deliveryOf(row: Row): WebhookDelivery {
  return fieldsOf(row, FIELDS) as unknown as WebhookDelivery;
}
