/** What is kept for a time only. Orders, fills, evidence, positions and the audit log are kept for ever. */
import { isoTime } from '../domain/clock';
import { purgeAlerts } from './alerts/alert-retention';
import type { StoreCore } from './core';
import type { Parameter } from './database/database';

const DAY_MS = 86_400_000;

export interface RetentionRules {
  /** How long the answer to an Idempotency-Key is remembered, ms. */
  readonly idempotencyMs: number;
  /** How long signed bytes stay after their last moment, ms: to look into an incident, sealed all the while. */
  readonly signedRequestsMs: number;
  /** How long events can be read again, ms; each stream keeps its newest, from which it goes on counting. */
  readonly eventsMs: number;
  /** How long webhook deliveries stay once settled, ms, attempts with them; exhausted ones at least as long as events: they can be recovered. */
  readonly webhooksMs: number;
  /** How long alerts stay once every channel has carried or given up on them, ms, their messages with them. Longer than any cooldown. */
  readonly alertsMs: number;
}

export const DEFAULT_RETENTION: RetentionRules = { idempotencyMs: 7 * DAY_MS, signedRequestsMs: DAY_MS, eventsMs: 365 * DAY_MS, webhooksMs: 30 * DAY_MS, alertsMs: 365 * DAY_MS };

/** Rows per statement, so that no purge holds locks for long. */
export const PURGE_BATCH = 1_000;

export interface Purged {
  readonly idempotencyKeys: number;
  readonly signedRequests: number;
  readonly events: number;
  readonly webhookDeliveries: number;
  /** Alerts, their messages, and what rules remember of subjects. */
  readonly alerts: number;
}

/**
 * Deletes up to a batch of each: old idempotency records, old events, settled webhook deliveries, alerts that were carried, and the
 * signed bytes of requests that ended. Bytes of an attempt under way stay, and those of one whose nonce holds its signer.
 */
export async function purge(core: StoreCore): Promise<Purged> {
  const nowMs = core.clock.nowMs();
  const { idempotencyMs, signedRequestsMs, eventsMs, webhooksMs } = core.retention;
  const count = async (sql: string, ...parameters: Parameter[]): Promise<number> => (await core.database.rows(sql, ...parameters)).length;
  const idempotencyKeys = await count(
    `DELETE FROM idempotency_keys WHERE (user_id, key) IN (SELECT k.user_id, k.key FROM idempotency_keys k WHERE k.created_at < $1::timestamptz LIMIT ${PURGE_BATCH}) RETURNING 1 AS done`,
    isoTime(nowMs - idempotencyMs),
  );
  const signedRequests = await count(
    `UPDATE attempts SET data = NULL WHERE id IN (
       SELECT t.id FROM attempts t WHERE t.data IS NOT NULL AND t.prepared_at < $1::timestamptz AND t.send_before < $1::timestamptz
          AND coalesce(t.venue_deadline_ms, 0) < $2::bigint AND (t.reported_at IS NOT NULL OR t.superseded_at IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM signers s WHERE s.open_attempt_id = t.id) LIMIT ${PURGE_BATCH}) RETURNING 1 AS done`,
    isoTime(nowMs - signedRequestsMs),
    nowMs - signedRequestsMs,
  );
  // From the front of each stream, so that what is left has no gap.
  const events = await count(
    `DELETE FROM events WHERE (stream, sequence) IN (
       SELECT e.stream, e.sequence FROM events e WHERE e.at < $1::timestamptz AND EXISTS (SELECT 1 FROM events later WHERE later.stream = e.stream AND later.sequence > e.sequence)
        ORDER BY e.at, e.stream, e.sequence LIMIT ${PURGE_BATCH}) RETURNING 1 AS done`,
    isoTime(nowMs - eventsMs),
  );
  // The time is asked of the row itself, too: one that is resent meanwhile is pending again, and stays.
  const webhookDeliveries = await count(
    `WITH gone AS (
       DELETE FROM webhook_deliveries WHERE settled_at < $1::timestamptz AND id IN (
         SELECT d.id FROM webhook_deliveries d WHERE d.settled_at < $1::timestamptz AND (d.status <> 'exhausted' OR d.settled_at < $2::timestamptz
             OR NOT EXISTS (SELECT 1 FROM webhook_endpoints w WHERE w.id = d.endpoint_id AND w.deleted_at IS NULL)) ORDER BY d.settled_at LIMIT ${PURGE_BATCH}) RETURNING id),
     attempts_gone AS (DELETE FROM webhook_attempts WHERE delivery_id IN (SELECT g.id FROM gone g) RETURNING 1)
     SELECT 1 AS done FROM gone`,
    isoTime(nowMs - webhooksMs),
    isoTime(nowMs - eventsMs),
  );
  const alerts = await purgeAlerts(core, nowMs, PURGE_BATCH);
  return { idempotencyKeys, signedRequests, events, webhookDeliveries, alerts };
}
