/** Alerts that were raised, as their owner reads and acknowledges them. */
import type { AlertListQuery, ShownAlert } from '../../domain/alert';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { plainRow } from '../database/columns';
import type { StoreCore } from '../core';
import { cursorOf, positionOf } from '../database/cursor';
import type { Parameter, Queryable, Row } from '../database/database';
import { changeUser } from '../user-changes';

const SELECT = `a.id, a.user_id AS "userId", a.rule_id AS "ruleId", a.rule_name AS "ruleName", a.kind, a.subject, a.title, a.body, a.account_id AS "accountId", a.symbol, a.data, a.suppressed, a.raised_at AS "raisedAt", a.acknowledged_at AS "acknowledgedAt", a.acknowledged_by AS "acknowledgedBy",
  coalesce((SELECT json_agg(json_build_object('channelId', n.channel_id, 'status', CASE WHEN m.id IS NULL THEN 'waiting' WHEN m.status = 'pending' THEN 'sending' ELSE m.status END, 'at', coalesce(m.settled_at, n.due_at)) ORDER BY n.channel_id)
     FROM alert_notices n LEFT JOIN alert_messages m ON m.id = n.message_id WHERE n.alert_id = a.id), '[]'::json) AS deliveries`;

export class Alerts {
  constructor(private readonly core: StoreCore) {}

  /** Newest first. Throws NOT_FOUND for a rule that is not the user's; one that was deleted still has its history. */
  async list(query: AlertListQuery): Promise<{ readonly alerts: readonly ShownAlert[]; readonly nextCursor: string | null }> {
    const { userId, ruleId, limit } = query;
    if (ruleId !== null && (await this.core.database.rows('SELECT 1 AS found FROM alert_rules r WHERE r.id = $1 AND r.user_id = $2', ruleId, userId)).length === 0) throw new DomainError('NOT_FOUND', `alert rule ${ruleId} does not exist`);
    const { sql, parameters } = alertsStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const alerts = rows.slice(0, limit).map(alertOfRow);
    const last = alerts.at(-1);
    return { alerts, nextCursor: rows.length > limit && last !== undefined ? cursorOf('alerts', { at: last.raisedAt, id: last.id }) : null };
  }

  /** Throws NOT_FOUND. */
  get(id: string, userId: string): Promise<ShownAlert> {
    return readAlert(this.core.database, id, userId);
  }

  /** Once; a repeat answers it as it is. Throws NOT_FOUND. */
  async acknowledge(id: string, userId: string, actor: string): Promise<ShownAlert> {
    return changeUser(this.core, userId, async (tx, changes) => {
      const at = isoTime(this.core.clock.nowMs());
      const [changed] = await tx.rows('UPDATE alerts SET acknowledged_at = $3::timestamptz, acknowledged_by = $4 WHERE id = $1 AND user_id = $2 AND acknowledged_at IS NULL RETURNING id', id, userId, at, actor);
      const alert = await readAlert(tx, id, userId);
      const { deliveries: _, ...told } = alert;
      if (changed !== undefined) changes.addEvent({ type: 'alert.acknowledged', orderId: null, data: { alert: told } }, at, alert.accountId);
      return alert;
    });
  }
}

/** One more than the page, to know whether there are others. */
export function alertsStatement({ userId, ruleId, kind, acknowledged, cursor, limit }: AlertListQuery): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const parameters: Parameter[] = [userId];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const conditions = ['a.user_id = $1'];
  if (ruleId !== null) conditions.push(`a.rule_id = ${given(ruleId)}`);
  if (kind !== null) conditions.push(`a.kind = ${given(kind)}`);
  if (acknowledged !== null) conditions.push(`a.acknowledged_at IS ${acknowledged ? 'NOT NULL' : 'NULL'}`);
  const position = positionOf('alerts', cursor);
  if (position !== null) conditions.push(`(a.raised_at, a.id) < (${given(position.at)}::timestamptz, ${given(position.id)})`);
  return { sql: `SELECT ${SELECT} FROM alerts a WHERE ${conditions.join(' AND ')} ORDER BY a.raised_at DESC, a.id DESC LIMIT ${given(limit + 1)}::int`, parameters };
}

async function readAlert(database: Queryable, id: string, userId: string): Promise<ShownAlert> {
  const [row] = await database.rows(`SELECT ${SELECT} FROM alerts a WHERE a.id = $1 AND a.user_id = $2`, id, userId);
  if (row === undefined) throw new DomainError('NOT_FOUND', 'no such alert');
  return alertOfRow(row);
}

/** Times inside JSON come as PostgreSQL writes them. */
function alertOfRow(row: Row): ShownAlert {
  const alert = plainRow(row) as unknown as ShownAlert;
  return { ...alert, deliveries: alert.deliveries.map((delivery) => ({ ...delivery, at: isoTime(Date.parse(delivery.at)) })) };
}
