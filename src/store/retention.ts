/** What is kept for a time only. */
import { isoTime } from '../domain/clock';
import type { StoreCore } from './core';

const DAY_MS = 86_400_000;
/** How long the answer to an Idempotency-Key is remembered. */
export const IDEMPOTENCY_RETENTION_MS = 7 * DAY_MS;
/** How long signed bytes stay after their last moment: long enough to look into an incident, sealed all the while. */
const SIGNED_BYTES_RETENTION_MS = DAY_MS;
/** Rows per statement, so that no purge holds locks for long. */
const PURGE_BATCH = 1_000;

export interface Purged {
  readonly idempotencyKeys: number;
  readonly signedRequests: number;
}

/** Deletes old idempotency records, and the signed bytes of requests that ended. Bytes of an attempt under way stay. */
export async function purge(core: StoreCore): Promise<Purged> {
  const nowMs = core.clock.nowMs();
  const keys = await core.database.rows(
    `DELETE FROM idempotency_keys WHERE (user_id, key) IN (SELECT k.user_id, k.key FROM idempotency_keys k WHERE k.created_at < $1::timestamptz LIMIT ${PURGE_BATCH}) RETURNING 1 AS done`,
    isoTime(nowMs - IDEMPOTENCY_RETENTION_MS),
  );
  const attempts = await core.database.rows(
    `UPDATE attempts SET data = NULL WHERE id IN (
       SELECT t.id FROM attempts t WHERE t.data IS NOT NULL AND t.prepared_at < $1::timestamptz AND t.send_before < $1::timestamptz
          AND coalesce(t.venue_deadline_ms, 0) < $2::bigint AND (t.reported_at IS NOT NULL OR t.superseded_at IS NOT NULL) LIMIT ${PURGE_BATCH}) RETURNING 1 AS done`,
    isoTime(nowMs - SIGNED_BYTES_RETENTION_MS),
    nowMs - SIGNED_BYTES_RETENTION_MS,
  );
  return { idempotencyKeys: keys.length, signedRequests: attempts.length };
}
