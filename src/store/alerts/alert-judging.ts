/** Judges a user's events, what was waited for and what fired, against their rules: each once, because the cursor moves in the same transaction. */
import type { AlertFact } from '../../domain/alert';
import { JUDGED_EVENTS, stepOf, type AlertStep, type KnownAccount } from '../../domain/alert-facts';
import { afterFiring, priceTriggerOf } from '../../domain/alert-figures';
import { isoTime } from '../../domain/clock';
import { accountStream, userStream, type StreamEvent } from '../../domain/events';
import { disproof, type Trigger } from '../../domain/trigger';
import { alertId, raiseAlert } from './alert-raising';
import { RULE_SELECT, ruleOfRow, type PriceRule } from './alert-rules';
import { plainRow, recordset, selectList } from '../database/columns';
import type { StoreCore } from '../core';
import type { Transaction } from '../database/database';
import { EVENT_COLUMNS } from '../database/tables';
import { changeUser } from '../user-changes';

/** Of each stream, in one transaction. */
const PAGE = 200;

export interface Judged {
  readonly raised: number;
  /** There may be others. */
  readonly more: boolean;
  readonly rules: number;
  /** When the next of what is waited for is due, ms since the epoch; null: nothing is. */
  readonly nextDueAtMs: number | null;
}

/** Where a user's streams stand, and where the judging does. What has a number is committed: both change under one lock. */
const STREAMS_SQL = `SELECT s.stream, s.head::float8 AS head, coalesce(c.sequence, 0)::float8 AS sequence
  FROM (SELECT '${accountStream('')}' || a.id AS stream, a.event_sequence AS head FROM accounts a WHERE a.user_id = $1 UNION ALL SELECT '${userStream('')}' || u.id, u.event_sequence FROM users u WHERE u.id = $1) s
  LEFT JOIN alert_cursors c ON c.user_id = $1 AND c.stream = s.stream WHERE s.head > coalesce(c.sequence, 0)`;
const UNJUDGED_SQL = `SELECT x.* FROM ${recordset({ stream: 'text', sequence: 'bigint', head: 'bigint' }, 1)}
  CROSS JOIN LATERAL (SELECT ${selectList(EVENT_COLUMNS, 'e')} FROM events e WHERE e.stream = r."stream" AND e.sequence > r."sequence" AND e.sequence <= r."head" AND e.type = ANY($2::text[]) ORDER BY e.sequence LIMIT ${PAGE}) x ORDER BY x.at, x.stream, x.sequence`;

export class AlertJudging {
  constructor(private readonly core: StoreCore) {}

  /** A page of each stream, and, once there is no other, all that is due. */
  async judge(userId: string): Promise<Judged> {
    return changeUser(this.core, userId, async (tx, changes) => {
      const rules = (await tx.rows(`SELECT ${RULE_SELECT} FROM alert_rules r WHERE r.user_id = $1 AND r.enabled AND r.deleted_at IS NULL ORDER BY r.created_at, r.id`, userId)).map(ruleOfRow);
      // Without a rule nothing is read: whoever makes the first one begins with what comes next.
      if (rules.length === 0) return { raised: 0, more: false, rules: 0, nextDueAtMs: null };
      const nowMs = this.core.clock.nowMs();
      const streams = (await tx.rows<{ stream: string; head: number; sequence: number }>(STREAMS_SQL, userId)).map((row) => ({ ...row }));
      const events = streams.length === 0 ? [] : (await tx.rows(UNJUDGED_SQL, JSON.stringify(streams), [...JUDGED_EVENTS])).map((row) => plainRow(row) as unknown as StreamEvent);
      const accounts = events.length === 0 ? new Map<string, KnownAccount>() : await accountsOf(tx, userId);
      let raised = 0;
      for (const event of events) {
        for (const rule of rules) {
          const step = stepOf(rule, event, (id) => accounts.get(id) ?? null);
          const id = alertId(rule.id, event.stream, event.sequence, event.at);
          if (step !== null && (await this.take(tx, rule.id, userId, event, step)) && step.kind === 'raise' && (await raiseAlert(tx, changes, rule, step.fact, { id, nowMs }))) raised += 1;
        }
      }
      const counts = new Map<string, StreamEvent[]>();
      for (const event of events) counts.set(event.stream, [...(counts.get(event.stream) ?? []), event]);
      const full = (stream: string): StreamEvent | null => ((counts.get(stream)?.length ?? 0) === PAGE ? (counts.get(stream)?.at(-1) ?? null) : null);
      const more = streams.some(({ stream }) => full(stream) !== null);
      // What ends a wait may lie on the next page.
      for (const { rule_id: ruleId, key, fact, openedAt } of more ? [] : await dueWaits(tx, userId, nowMs)) {
        const rule = rules.find(({ id }) => id === ruleId);
        if (rule !== undefined && (await raiseAlert(tx, changes, rule, fact, { id: alertId(ruleId, key, openedAt), nowMs }))) raised += 1;
      }
      for (const { stream, head } of streams) {
        await tx.rows('INSERT INTO alert_cursors(user_id, stream, sequence) VALUES ($1, $2, $3::bigint) ON CONFLICT (user_id, stream) DO UPDATE SET sequence = excluded.sequence RETURNING 1 AS done', userId, stream, full(stream)?.sequence ?? head);
      }
      const [next] = await tx.rows<{ at: Date | null }>('SELECT min(w.due_at) AS at FROM alert_waits w WHERE w.user_id = $1', userId);
      return { raised, more, rules: rules.length, nextDueAtMs: next?.at?.getTime() ?? null };
    });
  }

  /** What the fired trigger of a price comes to, once: a repeat, and one of other terms, change nothing. */
  async fired({ rule, step }: PriceRule, trigger: Trigger): Promise<boolean> {
    return changeUser(this.core, rule.userId, async (tx, changes) => {
      const [row] = await tx.rows(`SELECT r.id FROM alert_rules r WHERE r.id = $1 AND r.revision = $2::int AND r.price_step = $3::int AND r.enabled AND r.deleted_at IS NULL FOR UPDATE`, rule.id, rule.revision, step);
      const { evidence } = trigger;
      if (row === undefined || evidence === null) return false;
      const wrong = disproof({ id: trigger.id, parameters: priceTriggerOf(rule.parameters, step), revision: trigger.revision }, evidence);
      if (wrong !== null) {
        this.core.log.warn({ triggerId: trigger.id, wrong }, 'the evidence of a price alert does not hold: its trigger is armed anew');
        await tx.rows('UPDATE alert_rules SET price_step = price_step + 2 WHERE id = $1', rule.id);
        return false;
      }
      const { next, fact } = afterFiring(rule, step, evidence);
      await tx.rows('UPDATE alert_rules SET price_step = $2::int, enabled = $3 WHERE id = $1', rule.id, next ?? step, next !== null);
      return fact !== null && raiseAlert(tx, changes, rule, fact, { id: alertId(rule.id, trigger.id), nowMs: this.core.clock.nowMs() });
    });
  }

  /** A trigger that can fire no more is replaced by one of the same meaning. false: the rule's terms, or its step, are others by now. */
  async armAnew({ rule, step }: PriceRule): Promise<boolean> {
    return changeUser(this.core, rule.userId, async (tx) => {
      const rows = await tx.rows('UPDATE alert_rules SET price_step = price_step + 2 WHERE id = $1 AND revision = $2::int AND price_step = $3::int AND enabled AND deleted_at IS NULL RETURNING 1 AS done', rule.id, rule.revision, step);
      return rows.length > 0;
    });
  }

  /** What is waited for is written down, or forgotten. Answers true. */
  private async take(tx: Transaction, ruleId: string, userId: string, event: StreamEvent, step: AlertStep): Promise<true> {
    const cleared = step.kind === 'clear' ? step.key : step.kind === 'raise' ? step.clears : null;
    if (cleared !== null) await tx.rows('DELETE FROM alert_waits WHERE rule_id = $1 AND key = $2 RETURNING 1 AS done', ruleId, cleared);
    if (step.kind === 'wait') {
      await tx.rows(
        `INSERT INTO alert_waits(rule_id, key, user_id, fact, opened_at, due_at) VALUES ($1, $2, $3, $4::jsonb, $5::timestamptz, $6::timestamptz)
         ON CONFLICT (rule_id, key) DO UPDATE SET fact = excluded.fact, opened_at = excluded.opened_at, due_at = excluded.due_at RETURNING 1 AS done`,
        ruleId, step.key, userId, JSON.stringify(step.fact), event.at, isoTime(step.dueAtMs),
      );
    }
    return true;
  }
}

interface DueWait {
  readonly rule_id: string;
  readonly key: string;
  readonly fact: AlertFact;
  readonly openedAt: string;
}

async function dueWaits(tx: Transaction, userId: string, nowMs: number): Promise<readonly DueWait[]> {
  const rows = await tx.rows('DELETE FROM alert_waits WHERE user_id = $1 AND due_at <= $2::timestamptz RETURNING rule_id, key, fact, opened_at AS "openedAt"', userId, isoTime(nowMs));
  return rows.map((row) => plainRow(row) as unknown as DueWait);
}

/** Deleted ones too: what happened before is still told by their name. */
async function accountsOf(tx: Transaction, userId: string): Promise<ReadonlyMap<string, KnownAccount>> {
  const rows = await tx.rows<{ id: string; name: string; venue: string }>('SELECT a.id, a.name, a.venue FROM accounts a WHERE a.user_id = $1', userId);
  return new Map(rows.map(({ id, name, venue }) => [id, { name, venue }]));
}

