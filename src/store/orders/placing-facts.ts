/** What is known of an order's placing requests: whether any may have left, and until when the venue would take it. */
import type { Order } from '../../domain/order';
import { NEVER_LEFT } from '../../domain/order-store';
import type { PlacingFacts } from '../../domain/resolution';
import type { StoreCore } from '../core';
import { orderOf, ORDER_SELECT } from '../database/locks';

export class PlacingHistory {
  constructor(private readonly core: StoreCore) {}

  /** Of one order; null when it does not exist or was placed outside. */
  async factsOf(orderId: string): Promise<PlacingFacts | null> {
    const [row] = await this.core.database.rows<{ placeBefore: Date | null; mayHaveLeft: boolean | null; lastDeadlineMs: number | null; lastOutcome: string | null }>(
      `SELECT o.place_before AS "placeBefore",
              bool_or(t.left_us) AS "mayHaveLeft",
              CASE WHEN bool_or(t.left_us AND t.venue_deadline_ms IS NULL) THEN NULL ELSE max(t.venue_deadline_ms) FILTER (WHERE t.left_us) END::float8 AS "lastDeadlineMs",
              (array_agg(t.outcome ORDER BY t.prepared_at DESC, t.id DESC) FILTER (WHERE t.id IS NOT NULL))[1] AS "lastOutcome"
         FROM orders o LEFT JOIN LATERAL (
           SELECT a.id, a.outcome, a.prepared_at, a.venue_deadline_ms, (a.outcome IS NULL OR NOT (a.outcome = ANY($2::text[]))) AS left_us
             FROM attempt_orders m JOIN attempts a ON a.id = m.attempt_id WHERE m.order_id = o.id AND a.kind = 'place'
         ) t ON true
        WHERE o.id = $1 GROUP BY o.id`,
      orderId,
      NEVER_LEFT,
    );
    if (row === undefined || row.placeBefore === null) return null;
    return {
      placeBeforeMs: row.placeBefore.getTime(),
      mayHaveLeft: row.mayHaveLeft ?? false,
      lastDeadlineMs: row.lastDeadlineMs,
      lastRateLimited: row.lastOutcome === 'rateLimited',
    };
  }

  /** The other orders of its group, which go to the venue in one request with it. */
  async companionsOf(orderId: string): Promise<readonly Order[]> {
    const rows = await this.core.database.rows(
      `SELECT ${ORDER_SELECT} FROM orders o WHERE o.id <> $1 AND o.id = ANY(ARRAY(
         SELECT other.order_id FROM attempt_orders own JOIN attempt_orders other ON other.attempt_id = own.attempt_id JOIN orders o ON o.id = own.order_id AND o.grouping IS NOT NULL
          WHERE own.order_id = $1)) ORDER BY o.id`,
      orderId,
    );
    return rows.map(orderOf);
  }
}
