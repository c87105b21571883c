/** Alerts that channels have to carry, and when: with their digest, and not in a snooze, which may come, move and end while they wait. */
import type { AlertRule } from '../../domain/alert';
import { dueAtMs, readyAtMs } from '../../domain/alert-facts';
import { isoTime } from '../../domain/clock';
import type { Transaction } from '../database/database';

type NoticedRule = Pick<AlertRule, 'id' | 'userId' | 'channelIds' | 'digestMinutes' | 'snoozedUntil'>;

/** A channel that is disabled has it when it is enabled again; one that was never verified hears of nothing. */
export async function noticeChannels(tx: Transaction, rule: NoticedRule, alertId: string, nowMs: number): Promise<void> {
  if (rule.channelIds.length === 0) return;
  const channels = await tx.rows<{ id: string; openAt: Date | null }>(
    `SELECT c.id, (SELECT min(n.ready_at) FROM alert_notices n WHERE n.rule_id = $3 AND n.message_id IS NULL AND n.channel_id = c.id AND n.ready_at > $4::timestamptz) AS "openAt"
       FROM alert_channels c WHERE c.id = ANY($1::text[]) AND c.user_id = $2 AND c.status <> 'unverified' AND c.deleted_at IS NULL`,
    [...rule.channelIds], rule.userId, rule.id, isoTime(nowMs),
  );
  for (const { id, openAt } of channels) {
    const openMs = openAt?.getTime() ?? null;
    await tx.rows(
      'INSERT INTO alert_notices(channel_id, alert_id, user_id, rule_id, raised_at, ready_at, due_at) VALUES ($1, $2, $3, $4, $5::timestamptz, $6::timestamptz, $7::timestamptz) ON CONFLICT (channel_id, alert_id) DO NOTHING RETURNING 1 AS done',
      id, alertId, rule.userId, rule.id, isoTime(nowMs), isoTime(readyAtMs(rule, nowMs, openMs)), isoTime(dueAtMs(rule, nowMs, openMs)),
    );
  }
}

/** What waits of a rule is quiet until then; null: only until it is ready. */
export async function snoozeNotices(tx: Transaction, ruleId: string, until: string | null): Promise<void> {
  await tx.rows('UPDATE alert_notices SET due_at = greatest(ready_at, $2::timestamptz) WHERE rule_id = $1 AND message_id IS NULL RETURNING 1 AS done', ruleId, until);
}

/** What of a channel may leave by now, in the order in which it was raised. $1 channel, $2 time. */
export const DUE_NOTICES = 'n.channel_id = $1 AND n.message_id IS NULL AND n.due_at <= $2::timestamptz ORDER BY n.raised_at, n.alert_id';
