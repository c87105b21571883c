/** An alert is raised: its row, what each channel has to carry, and its event, in the transaction that found its reason. */
import { createHash } from 'node:crypto';
import type { Alert, AlertFact, AlertRule } from '../../domain/alert';
import { afterFact } from '../../domain/alert-facts';
import { isoTime } from '../../domain/clock';
import { noticeChannels } from './alert-notices';
import type { Transaction } from '../database/database';
import type { UserChanges } from '../user-changes';

/** Words of an event are quoted, never a book. */
const MAX_BODY = 2_000;

/** The same for the same reason, however often it is judged. */
export function alertId(ruleId: string, ...reason: readonly (string | number)[]): string {
  return `alr_${createHash('sha256').update(JSON.stringify([ruleId, ...reason])).digest('base64url').slice(0, 27)}`;
}

/** Under the user's lock. Answers whether it was told: the cooldown keeps others silent, and the same id is told once. */
export async function raiseAlert(tx: Transaction, changes: UserChanges, rule: AlertRule, fact: AlertFact, { id, nowMs }: { readonly id: string; readonly nowMs: number }): Promise<boolean> {
  const at = isoTime(nowMs);
  const [known] = await tx.rows('SELECT 1 AS found FROM alerts a WHERE a.id = $1', id);
  if (known !== undefined) return false;
  const [state] = await tx.rows<{ raisedAt: Date | null; suppressed: number }>('SELECT s.raised_at AS "raisedAt", s.suppressed FROM alert_states s WHERE s.rule_id = $1 AND s.subject = $2', rule.id, fact.subject);
  const suppressed = state?.suppressed ?? 0;
  const { told, memory } = afterFact({ raisedAtMs: state?.raisedAt?.getTime() ?? null, suppressed }, rule.cooldownSeconds, nowMs);
  await tx.rows(
    `INSERT INTO alert_states(rule_id, subject, user_id, raised_at, suppressed) VALUES ($1, $2, $3, $4::timestamptz, $5::int)
     ON CONFLICT (rule_id, subject) DO UPDATE SET raised_at = excluded.raised_at, suppressed = excluded.suppressed RETURNING 1 AS done`,
    rule.id, fact.subject, rule.userId, memory.raisedAtMs === null ? null : isoTime(memory.raisedAtMs), memory.suppressed,
  );
  if (!told) return false;
  const alert: Alert = { ...fact, body: fact.body.slice(0, MAX_BODY), id, userId: rule.userId, ruleId: rule.id, ruleName: rule.name, kind: rule.kind, suppressed, raisedAt: at, acknowledgedAt: null, acknowledgedBy: null };
  await tx.rows(
    `INSERT INTO alerts(id, user_id, rule_id, rule_name, kind, subject, title, body, account_id, symbol, data, suppressed, raised_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12::int, $13::timestamptz)`,
    id, alert.userId, alert.ruleId, alert.ruleName, alert.kind, alert.subject, alert.title, alert.body, alert.accountId, alert.symbol, JSON.stringify(alert.data), suppressed, at,
  );
  await noticeChannels(tx, rule, id, nowMs);
  changes.addEvent({ type: 'alert.raised', orderId: null, data: { alert } }, at, fact.accountId);
  return true;
}
