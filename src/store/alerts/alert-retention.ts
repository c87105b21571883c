/** Alerts whose time is over go with their notices and messages; what a channel still has to carry stays. */
import { isoTime } from '../../domain/clock';
import type { StoreCore } from '../core';

/** Up to so many rows of each kind. Answers how many went. */
export async function purgeAlerts({ database, retention }: Pick<StoreCore, 'database' | 'retention'>, nowMs: number, batch: number): Promise<number> {
  const before = isoTime(nowMs - retention.alertsMs);
  const alerts = await database.rows(
    `WITH gone AS (
       DELETE FROM alerts WHERE id IN (
         SELECT a.id FROM alerts a WHERE a.raised_at < $1::timestamptz
            AND NOT EXISTS (SELECT 1 FROM alert_notices n LEFT JOIN alert_messages m ON m.id = n.message_id WHERE n.alert_id = a.id AND (m.id IS NULL OR m.status = 'pending')) LIMIT ${batch}) RETURNING id),
     notices_gone AS (DELETE FROM alert_notices WHERE alert_id IN (SELECT g.id FROM gone g) RETURNING 1)
     SELECT 1 AS done FROM gone`,
    before,
  );
  // Codes and tests too; one that carried alerts goes when the last of them has gone.
  const messages = await database.rows(
    `DELETE FROM alert_messages WHERE id IN (
       SELECT m.id FROM alert_messages m WHERE m.settled_at < $1::timestamptz AND NOT EXISTS (SELECT 1 FROM alert_notices n WHERE n.message_id = m.id) LIMIT ${batch}) RETURNING 1 AS done`,
    before,
  );
  // When a rule spoke last counts for its cooldown alone, which is shorter. A figure beyond its level is remembered, but for a day's loss: that day is over.
  const states = await database.rows(
    `DELETE FROM alert_states WHERE (rule_id, subject) IN (
       SELECT s.rule_id, s.subject FROM alert_states s WHERE s.raised_at < $1::timestamptz AND s.suppressed = 0 AND (NOT s.is_inside OR starts_with(s.subject, 'loss/')) LIMIT ${batch}) RETURNING 1 AS done`,
    before,
  );
  return alerts.length + messages.length + states.length;
}
