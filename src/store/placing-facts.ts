/** What is known of an order's placing requests: whether any may have left, and until when the venue would take it. */
import type { PlacingFacts } from '../domain/resolution';
import type { StoreCore } from './core';

/** Outcomes after which nothing of the attempt can reach the venue any more. */
const NEVER_LEFT = ['notSent', 'rateLimited'];

export class PlacingHistory {
  constructor(private readonly core: StoreCore) {}

  /** Of one order; null when it does not exist or was placed outside. */
  async factsOf(orderId: string): Promise<PlacingFacts | null> {
    const [row] = await this.core.database.rows<{ placeBefore: Date | null; mayHaveLeft: boolean | null; lastDeadlineMs: number | null; lastOutcome: string | null }>(
      `SELECT o.place_before AS "placeBefore",
              bool_or(t.outcome IS NULL OR NOT (t.outcome = ANY($2::text[]))) AS "mayHaveLeft",
              max(coalesce(t.venue_deadline_ms, (extract(epoch FROM t.send_before) * 1000)::bigint))::float8 AS "lastDeadlineMs",
              (array_agg(t.outcome ORDER BY t.prepared_at DESC, t.id DESC))[1] AS "lastOutcome"
         FROM orders o LEFT JOIN attempt_orders m ON m.order_id = o.id LEFT JOIN attempts t ON t.id = m.attempt_id AND t.kind = 'place'
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
}
