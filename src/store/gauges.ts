/** Figures over everything the installation holds, for operators: never for a user, whose rows are their own. */
import { isoTime } from '../domain/clock';
import { DEPOSIT_STATES } from '../domain/deposit';
import type { StoreCore } from './core';

/** Quotes whose unit is worth a dollar, near enough for a gauge. */
const DOLLARS = ['USD', 'USDC', 'USDT', 'USDE', 'USDT0', 'USDH'];

export class Gauges {
  constructor(private readonly core: StoreCore) {}

  /** Orders in state UNKNOWN, by venue; every venue that has a market is named. */
  async unknownOrders(): Promise<ReadonlyMap<string, number>> {
    return this.byVenue(
      `SELECT v.venue, count(o.id)::float8 AS value FROM (SELECT DISTINCT venue FROM markets) v
         LEFT JOIN orders o ON o.venue = v.venue AND o.state = 'UNKNOWN' AND o.state NOT IN ('DENIED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED') GROUP BY v.venue`,
    );
  }

  /** Open positions at their mark (at their entry where none is known), longs and shorts added up, in dollars. */
  async positionsValueUsd(): Promise<ReadonlyMap<string, number>> {
    return this.byVenue(
      `SELECT v.venue, coalesce(sum(abs(p.quantity) * coalesce(p.mark_price, p.entry_price, 0)), 0)::float8 AS value FROM (SELECT DISTINCT venue FROM markets WHERE quote = ANY($1::text[])) v
         LEFT JOIN (positions p JOIN markets m ON m.venue = p.venue AND m.symbol = p.symbol AND m.quote = ANY($1::text[])) ON p.venue = v.venue AND p.quantity <> 0 GROUP BY v.venue`,
      DOLLARS,
    );
  }

  /** The longest that an open position has had no stop that covers it, ms, by venue; every venue that has a market is named. */
  async unprotectedMs(): Promise<ReadonlyMap<string, number>> {
    return this.byVenue(
      `SELECT v.venue, coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(r.unprotected_since)) * 1000), 0)::float8 AS value FROM (SELECT DISTINCT venue FROM markets) v
         LEFT JOIN position_protections r ON r.venue = v.venue AND r.unprotected_since IS NOT NULL GROUP BY v.venue`,
      isoTime(this.core.clock.nowMs()),
    );
  }

  /** Age of what waits longest for an enabled endpoint, s, a delivery or an event that has none yet; 0 where nothing does. Who is disabled was told, and decides. */
  async oldestWebhookSeconds(): Promise<number> {
    const [row] = await this.core.database.rows<{ seconds: number }>(
      `SELECT coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(t.at))), 0)::float8 AS seconds FROM webhook_endpoints w CROSS JOIN LATERAL (
           SELECT min(d.created_at) AS at FROM webhook_deliveries d WHERE d.endpoint_id = w.id AND d.status = 'pending'
           UNION ALL
           SELECT x.at FROM (SELECT 'account:' || a.id AS stream FROM accounts a WHERE a.user_id = w.user_id UNION ALL SELECT 'user:' || w.user_id) s
             LEFT JOIN webhook_cursors c ON c.endpoint_id = w.id AND c.stream = s.stream
             CROSS JOIN LATERAL (SELECT e.at FROM events e WHERE e.stream = s.stream AND e.sequence > coalesce(c.sequence, 0) ORDER BY e.sequence LIMIT 1) x) t
        WHERE w.deleted_at IS NULL AND w.status = 'enabled'`,
      isoTime(this.core.clock.nowMs()),
    );
    return row?.seconds ?? 0;
  }

  /** Deposits in each state, 0 where there is none. */
  async depositsByState(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.core.database.rows<{ state: string; value: number }>('SELECT d.state, count(*)::float8 AS value FROM deposits d GROUP BY d.state');
    return new Map([...DEPOSIT_STATES.map((state): [string, number] => [state, 0]), ...rows.map(({ state, value }): [string, number] => [state, value])]);
  }

  private async byVenue(sql: string, ...parameters: readonly (string | string[])[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.core.database.rows<{ venue: string; value: number }>(sql, ...parameters);
    return new Map(rows.map(({ venue, value }) => [venue, value]));
  }
}
