/** Rules of what a user wants to hear of: made, changed, snoozed, deleted; and what of their prices has to be armed. */
import { randomUUID } from 'node:crypto';
import type { AlertRule, AlertRuleChange, NewAlertRule } from '../../domain/alert';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { accountStream, userStream } from '../../domain/events';
import { snoozeNotices } from './alert-notices';
import { appendAct } from '../audit/audit';
import { fieldsOf, given } from '../database/columns';
import type { StoreCore } from '../core';
import type { Queryable, Row, Transaction } from '../database/database';
import { changeUser } from '../user-changes';

/** More are a mistake; each is looked at with every event. */
const MAX_RULES = 200;

const FIELDS = ['id', 'userId', 'name', 'kind', 'parameters', 'accountIds', 'symbols', 'channelIds', 'cooldownSeconds', 'digestMinutes', 'snoozedUntil', 'enabled', 'activeSince', 'revision', 'createdAt', 'updatedAt'];
export const RULE_SELECT =
  'r.id, r.user_id AS "userId", r.name, r.kind, r.parameters, r.account_ids AS "accountIds", r.symbols, r.channel_ids AS "channelIds", r.cooldown_seconds AS "cooldownSeconds", r.digest_minutes AS "digestMinutes", r.snoozed_until AS "snoozedUntil", r.enabled, r.active_since AS "activeSince", r.revision, r.created_at AS "createdAt", r.updated_at AS "updatedAt"';

export const ALERT_RULES_SQL = `SELECT ${RULE_SELECT} FROM alert_rules r WHERE r.user_id = $1 AND r.deleted_at IS NULL ORDER BY r.created_at DESC, r.id DESC`;

/** Whoever begins to listen begins with what comes next. */
const START_AT_HEADS_SQL = `INSERT INTO alert_cursors(user_id, stream, sequence)
  SELECT $1, s.stream, s.head FROM (SELECT '${accountStream('')}' || a.id AS stream, a.event_sequence AS head FROM accounts a WHERE a.user_id = $1
    UNION ALL SELECT '${userStream('')}' || u.id, u.event_sequence FROM users u WHERE u.id = $1) s
  ON CONFLICT (user_id, stream) DO UPDATE SET sequence = excluded.sequence RETURNING 1 AS done`;

/** A rule of a price, and which of its triggers is armed. */
export interface PriceRule {
  readonly rule: Extract<AlertRule, { kind: 'price' }>;
  readonly step: number;
}

export class AlertRules {
  constructor(private readonly core: StoreCore) {}

  /** Looks at what commits after it. Throws CONFLICT beyond 200, NOT_FOUND for an account or channel that is not the user's. */
  async create(wanted: NewAlertRule, actor: string): Promise<AlertRule> {
    return changeUser(this.core, wanted.userId, async (tx) => {
      const { userId, name, kind, parameters, accountIds, symbols, channelIds, cooldownSeconds, digestMinutes, snoozedUntil } = wanted;
      await assertOwned(tx, userId, accountIds, channelIds);
      const [counted] = await tx.rows<{ all: number; enabled: number }>('SELECT count(*)::int AS all, (count(*) FILTER (WHERE r.enabled))::int AS enabled FROM alert_rules r WHERE r.user_id = $1 AND r.deleted_at IS NULL', userId);
      if ((counted?.all ?? 0) >= MAX_RULES) throw new DomainError('CONFLICT', `you have ${MAX_RULES} alert rules; delete some first`, { details: { limit: MAX_RULES } });
      if (counted?.enabled === 0) await tx.rows(START_AT_HEADS_SQL, userId);
      const [id, at] = [randomUUID(), this.now()];
      await tx.rows(
        `INSERT INTO alert_rules(id, user_id, name, kind, parameters, account_ids, symbols, channel_ids, cooldown_seconds, digest_minutes, snoozed_until, enabled, active_since, revision, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7::jsonb, $8::text[], $9::int, $10::int, $11::timestamptz, true, $12::timestamptz, 1, $12::timestamptz, $12::timestamptz)`,
        id, userId, name, kind, JSON.stringify(parameters), listOrNull(accountIds), listOrNull(symbols), [...channelIds], cooldownSeconds, digestMinutes, snoozedUntil, at,
      );
      await appendAct(tx, { userId, actor, act: 'alertRule.created', subject: `alertRule:${id}`, data: { name, kind, parameters, accountIds, symbols, channelIds }, at });
      return readRule(tx, id, userId);
    });
  }

  /** Newest first. */
  async list(userId: string): Promise<readonly AlertRule[]> {
    return (await this.core.database.rows(ALERT_RULES_SQL, userId)).map(ruleOfRow);
  }

  /** Throws NOT_FOUND. */
  get(id: string, userId: string): Promise<AlertRule> {
    return readRule(this.core.database, id, userId);
  }

  /** Other parameters begin anew; what a snooze held back goes with its new end. Throws NOT_FOUND. */
  async change(id: string, userId: string, change: AlertRuleChange, actor: string): Promise<AlertRule> {
    return changeUser(this.core, userId, async (tx) => {
      const before = await readRule(tx, id, userId);
      await assertOwned(tx, userId, change.accountIds ?? null, change.channelIds ?? []);
      const after = { ...before, ...given(change) };
      const at = this.now();
      const begins = after.enabled && !before.enabled;
      const isNew = begins || change.parameters !== undefined;
      if (begins) {
        const [other] = await tx.rows('SELECT 1 AS found FROM alert_rules r WHERE r.user_id = $1 AND r.enabled AND r.deleted_at IS NULL LIMIT 1', userId);
        if (other === undefined) await tx.rows(START_AT_HEADS_SQL, userId);
      }
      await tx.rows(
        `UPDATE alert_rules SET name = $2, parameters = $3::jsonb, account_ids = $4::jsonb, symbols = $5::jsonb, channel_ids = $6::text[], cooldown_seconds = $7::int, digest_minutes = $8::int, snoozed_until = $9::timestamptz, enabled = $10,
           active_since = CASE WHEN $11 THEN $12::timestamptz ELSE active_since END, revision = revision + CASE WHEN $11 THEN 1 ELSE 0 END, price_step = CASE WHEN $11 THEN 0 ELSE price_step END, updated_at = $12::timestamptz WHERE id = $1`,
        id, after.name, JSON.stringify(after.parameters), listOrNull(after.accountIds), listOrNull(after.symbols), [...after.channelIds], after.cooldownSeconds, after.digestMinutes, after.snoozedUntil, after.enabled, isNew, at,
      );
      if (isNew || !after.enabled) await forget(tx, id);
      if (after.snoozedUntil !== before.snoozedUntil) await snoozeNotices(tx, id, after.snoozedUntil);
      await appendAct(tx, { userId, actor, act: 'alertRule.changed', subject: `alertRule:${id}`, data: { ...change }, at });
      return readRule(tx, id, userId);
    });
  }

  /** What it raised stays, and is still delivered. Throws NOT_FOUND. */
  async remove(id: string, userId: string, actor: string): Promise<AlertRule> {
    return changeUser(this.core, userId, async (tx) => {
      const before = await readRule(tx, id, userId);
      const at = this.now();
      await tx.rows('UPDATE alert_rules SET deleted_at = $2::timestamptz, enabled = false WHERE id = $1', id, at);
      await forget(tx, id);
      await appendAct(tx, { userId, actor, act: 'alertRule.deleted', subject: `alertRule:${id}`, data: { name: before.name, kind: before.kind }, at });
      return before;
    });
  }

  /** The user's prices that are waited for. */
  async prices(userId: string): Promise<readonly PriceRule[]> {
    const rows = await this.core.database.rows(`SELECT ${RULE_SELECT}, r.price_step AS "priceStep" FROM alert_rules r WHERE r.user_id = $1 AND r.kind = 'price' AND r.enabled AND r.deleted_at IS NULL ORDER BY r.id`, userId);
    return rows.map((row) => ({ rule: ruleOfRow(row) as PriceRule['rule'], step: Number(row['priceStep']) }));
  }

  /** Users whose rules have to be looked at: everyone with an enabled one. */
  async active(): Promise<readonly { readonly id: string }[]> {
    return this.core.database.rows<{ id: string }>('SELECT DISTINCT r.user_id AS id FROM alert_rules r WHERE r.enabled AND r.deleted_at IS NULL');
  }

  /** Those of them whom these streams concern. */
  async concernedBy(streams: readonly string[]): Promise<readonly string[]> {
    const [accounts, users] = [accountStream(''), userStream('')].map((prefix) => streams.filter((stream) => stream.startsWith(prefix)).map((stream) => stream.slice(prefix.length)));
    const rows = await this.core.database.rows<{ id: string }>(
      `SELECT DISTINCT u.id FROM (SELECT a.user_id AS id FROM accounts a WHERE a.id = ANY($1::text[]) UNION SELECT n FROM unnest($2::text[]) AS n) u
        WHERE EXISTS (SELECT 1 FROM alert_rules r WHERE r.user_id = u.id AND r.enabled AND r.deleted_at IS NULL)`,
      accounts ?? [], users ?? [],
    );
    return rows.map(({ id }) => id);
  }

  private now(): string {
    return isoTime(this.core.clock.nowMs());
  }
}

/** Inside or outside a transaction. Throws NOT_FOUND. */
async function readRule(database: Queryable, id: string, userId: string): Promise<AlertRule> {
  const [row] = await database.rows(`SELECT ${RULE_SELECT} FROM alert_rules r WHERE r.id = $1 AND r.user_id = $2 AND r.deleted_at IS NULL`, id, userId);
  if (row === undefined) throw new DomainError('NOT_FOUND', 'no such alert rule');
  return ruleOfRow(row);
}

export function ruleOfRow(row: Row): AlertRule {
  return fieldsOf(row, FIELDS) as unknown as AlertRule;
}

/** What it waited for, and whether a figure was beyond its level, is nothing to its new terms; when it spoke last still is. */
async function forget(tx: Transaction, ruleId: string): Promise<void> {
  await tx.rows('DELETE FROM alert_waits WHERE rule_id = $1 RETURNING 1 AS done', ruleId);
  await tx.rows('UPDATE alert_states SET is_inside = false WHERE rule_id = $1 AND is_inside RETURNING 1 AS done', ruleId);
}

async function assertOwned(tx: Queryable, userId: string, accountIds: readonly string[] | null, channelIds: readonly string[]): Promise<void> {
  const accounts = await tx.rows<{ id: string }>('SELECT a.id FROM accounts a WHERE a.user_id = $1 AND a.deleted_at IS NULL AND a.id = ANY($2::text[])', userId, [...(accountIds ?? [])]);
  const channels = await tx.rows<{ id: string }>('SELECT c.id FROM alert_channels c WHERE c.user_id = $1 AND c.deleted_at IS NULL AND c.id = ANY($2::text[])', userId, [...channelIds]);
  const known = new Set([...accounts, ...channels].map(({ id }) => id));
  const account = (accountIds ?? []).find((id) => !known.has(id));
  if (account !== undefined) throw new DomainError('NOT_FOUND', `account ${account} does not exist`);
  const channel = channelIds.find((id) => !known.has(id));
  if (channel !== undefined) throw new DomainError('NOT_FOUND', `alert channel ${channel} does not exist`);
}

function listOrNull(list: readonly string[] | null): string | null {
  return list === null ? null : JSON.stringify(list);
}
