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
}
