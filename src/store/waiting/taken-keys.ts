/** Idempotency-Keys of what is made one at a time: order lists and strategies. Orders take theirs in the statement that reads their group. */
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { IdempotencyStamp } from '../../domain/order';
import type { StoreCore } from '../core';
import type { Queryable } from '../database/database';

const TAKE_SQL = `INSERT INTO idempotency_keys(user_id, key, route, body_hash, order_id, created_at) VALUES ($1, $2, $3, $4, $5, $6::timestamptz)
  ON CONFLICT (user_id, key) DO UPDATE SET route = excluded.route, body_hash = excluded.body_hash, order_id = excluded.order_id, created_at = excluded.created_at
   WHERE idempotency_keys.created_at < $7::timestamptz RETURNING key`;

/** A key stands for one request for as long as it is remembered, purged by then or not. Throws IDEMPOTENCY_MISMATCH where it stands for another. */
export async function takeKey(tx: Queryable, { clock, retention }: Pick<StoreCore, 'clock' | 'retention'>, { key, route, bodyHash }: IdempotencyStamp, { id, userId }: { readonly id: string; readonly userId: string }): Promise<void> {
  const nowMs = clock.nowMs();
  const rows = await tx.rows(TAKE_SQL, userId, key, route, bodyHash, id, isoTime(nowMs), isoTime(nowMs - retention.idempotencyMs));
  if (rows.length === 0) throw new DomainError('IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used before for another request');
}
