/**
 * What a channel has to carry, one message at a time: claimed by a mark on its row before it is sent, settled after. A claim whose process
 * died runs out, and the same message is sent again under the same id.
 */
import { randomUUID } from 'node:crypto';
import type { AlertChannel, ChannelDisabledReason, ChannelKind, ChannelStatus, MessageKind } from '../../domain/alert';
import { afterSend, composed, EMAIL_MAX_LENGTH, GIVE_UP_AFTER_MS, TELEGRAM_MAX_LENGTH, type SendOutcome, type ToldAlert } from '../../domain/alert-delivery';
import { isoTime } from '../../domain/clock';
import { CODE_MS } from './alert-channels';
import { DUE_NOTICES } from './alert-notices';
import { targetHash } from './alert-secrets';
import { plainRow } from '../database/columns';
import type { StoreCore } from '../core';
import type { Transaction } from '../database/database';
import { changeUser, type UserChanges } from '../user-changes';

/** An attempt is over after 20 s (delivery/mail.ts); one that has not said so by then never will. */
const CLAIM_MS = 25_000;
/** Alerts that are looked at for one message: more never fit. */
const MOST_IN_MESSAGE = 400;

export interface ClaimedMessage {
  readonly id: string;
  readonly attempt: number;
  readonly channelKind: ChannelKind;
  readonly target: string;
  readonly kind: MessageKind;
  readonly subject: string;
  readonly body: string;
  readonly createdAt: string;
}

export interface SettledMessage {
  readonly id: string;
  readonly attempt: number;
  readonly outcome: SendOutcome;
}

/** `claimed` null: nothing may be sent now; then `nextDueAtMs` says when, null for never without a change. */
export interface ChannelStep {
  readonly state: ChannelStatus | 'deleted';
  readonly name: string;
  readonly disabledReason: ChannelDisabledReason | null;
  readonly waiting: number;
  readonly claimed: ClaimedMessage | null;
  readonly nextDueAtMs: number | null;
}

interface LockedChannel extends Pick<AlertChannel, 'id' | 'userId' | 'kind' | 'name' | 'target' | 'status' | 'disabledReason' | 'heldUntil'> {
  readonly failuresInARow: number;
}

const DELETED: ChannelStep = { state: 'deleted', name: '', disabledReason: null, waiting: 0, claimed: null, nextDueAtMs: null };
const LOCK_SQL = `SELECT c.id, c.user_id AS "userId", c.kind, c.name, c.target, c.status, c.disabled_reason AS "disabledReason", c.failures_in_a_row AS "failuresInARow", c.held_until AS "heldUntil" FROM alert_channels c WHERE c.id = $1 AND c.deleted_at IS NULL`;
/** What may leave: alerts and tests of an enabled channel, codes of one that is not verified. */
const SENDABLE_SQL = `m.channel_id = $1 AND m.status = 'pending' AND (m.kind = 'verification') = ($2 = 'unverified')`;

export class AlertOutbox {
  constructor(private readonly core: StoreCore) {}

  /** Writes how an attempt ended, then claims the next message; `claim` false: none. */
  async step(channelId: string, settled: SettledMessage | null, claim: boolean): Promise<ChannelStep> {
    const [owner] = await this.core.database.rows<{ userId: string }>('SELECT c.user_id AS "userId" FROM alert_channels c WHERE c.id = $1 AND c.deleted_at IS NULL', channelId);
    if (owner === undefined) return DELETED;
    return changeUser(this.core, owner.userId, async (tx, changes) => {
      const nowMs = this.core.clock.nowMs();
      const before = await this.lock(tx, channelId);
      if (before === null) return DELETED;
      if (settled !== null) await this.settle(tx, changes, before, settled, nowMs);
      const channel = settled === null ? before : ((await this.lock(tx, channelId)) ?? before);
      const next = await this.next(tx, changes, channel, claim, nowMs);
      const [row] = await tx.rows<{ count: number }>(`SELECT (SELECT count(*) FROM alert_notices n WHERE n.channel_id = $1 AND n.message_id IS NULL)::int + (SELECT count(*) FROM alert_messages m WHERE m.channel_id = $1 AND m.status = 'pending')::int AS count`, channelId);
      return { state: channel.status, name: channel.name, disabledReason: channel.disabledReason, waiting: row?.count ?? 0, ...next };
    });
  }

  /** Channels with something to send, now or later. */
  async active(): Promise<readonly { readonly id: string }[]> {
    return this.core.database.rows<{ id: string }>(`SELECT c.id FROM alert_channels c WHERE c.deleted_at IS NULL AND ${HAS_WORK_SQL}`);
  }

  /** Those of them that belong to these users. */
  async concernedBy(userIds: readonly string[]): Promise<readonly string[]> {
    return (await this.core.database.rows<{ id: string }>(`SELECT c.id FROM alert_channels c WHERE c.user_id = ANY($1::text[]) AND c.deleted_at IS NULL AND ${HAS_WORK_SQL}`, [...userIds])).map(({ id }) => id);
  }

  private async lock(tx: Transaction, channelId: string): Promise<LockedChannel | null> {
    const [row] = await tx.rows(`${LOCK_SQL} FOR UPDATE`, channelId);
    return row === undefined ? null : (plainRow(row) as unknown as LockedChannel);
  }

  private async settle(tx: Transaction, changes: UserChanges, channel: LockedChannel, { id, attempt, outcome }: SettledMessage, nowMs: number): Promise<void> {
    const [row] = await tx.rows<{ attempts: number; kind: MessageKind; createdAt: Date }>(`SELECT m.attempts, m.kind, m.created_at AS "createdAt" FROM alert_messages m WHERE m.id = $1 AND m.status = 'pending' FOR UPDATE`, id);
    // A success counts whenever it came; anything else only of the newest attempt.
    if (row === undefined || (row.attempts !== attempt && outcome.kind !== 'delivered')) return;
    const heldUntilMs = channel.heldUntil === null ? null : Date.parse(channel.heldUntil);
    const after = afterSend({ failuresInARow: channel.failuresInARow, heldUntilMs }, outcome, row.createdAt.getTime(), nowMs, Math.random());
    const at = isoTime(nowMs);
    const said = outcome.kind === 'delivered' || outcome.kind === 'interrupted' ? null : outcome.message;
    // A code that cannot be sent is asked for again by who wants it.
    const status = after.disabled !== null && row.kind === 'verification' ? 'exhausted' : after.status;
    await tx.rows(
      'UPDATE alert_messages SET status = $2, next_attempt_at = $3::timestamptz, settled_at = $4::timestamptz, external_id = coalesce($5, external_id), last_error = $6 WHERE id = $1',
      id, status, status === 'pending' ? at : null, status === 'pending' ? null : at, outcome.kind === 'delivered' ? outcome.externalId : null, said,
    );
    const disables = after.disabled !== null && channel.status === 'enabled';
    const target = outcome.kind === 'moved' ? outcome.target : channel.target;
    await tx.rows(
      `UPDATE alert_channels SET failures_in_a_row = $2::int, held_until = $3::timestamptz, last_error = $4, last_delivered_at = CASE WHEN $5 THEN $6::timestamptz ELSE last_delivered_at END, target = $7, target_hash = $8,
         status = CASE WHEN $9 THEN 'disabled' ELSE status END, disabled_reason = CASE WHEN $9 THEN $10 ELSE disabled_reason END, disabled_at = CASE WHEN $9 THEN $6::timestamptz ELSE disabled_at END WHERE id = $1`,
      channel.id, after.channel.failuresInARow, after.channel.heldUntilMs === null ? null : isoTime(after.channel.heldUntilMs), said, outcome.kind === 'delivered', at, target, targetHash(channel.kind, target), disables, after.disabled,
    );
    const named = { channelId: channel.id, name: channel.name, channelKind: channel.kind, message: said };
    if (disables) changes.addEvent({ type: 'alert.channelDisabled', orderId: null, data: { ...named, reason: after.disabled } }, at);
    if (status === 'exhausted' && row.kind === 'alerts') await this.tellUndelivered(tx, changes, named, id, at);
  }

  private async tellUndelivered(tx: Transaction, changes: UserChanges, named: object, messageId: string, at: string): Promise<void> {
    const rows = await tx.rows<{ id: string }>('SELECT n.alert_id AS id FROM alert_notices n WHERE n.message_id = $1 ORDER BY n.raised_at, n.alert_id', messageId);
    changes.addEvent({ type: 'alert.undelivered', orderId: null, data: { ...named, messageId, alertIds: rows.map(({ id }) => id) } }, at);
  }

  private async next(tx: Transaction, changes: UserChanges, channel: LockedChannel, claim: boolean, nowMs: number): Promise<Pick<ChannelStep, 'claimed' | 'nextDueAtMs'>> {
    const nothing = { claimed: null, nextDueAtMs: null };
    if (channel.status === 'disabled') return nothing;
    const heldMs = channel.heldUntil === null ? 0 : Date.parse(channel.heldUntil);
    await this.giveUpOld(tx, changes, channel, nowMs);
    const [pending] = await tx.rows<{ id: string; dueAt: Date }>(`SELECT m.id, m.next_attempt_at AS "dueAt" FROM alert_messages m WHERE ${SENDABLE_SQL} ORDER BY m.created_at, m.id LIMIT 1`, channel.id, channel.status);
    if (pending === undefined && channel.status === 'unverified') return nothing;
    const [notice] = pending !== undefined ? [] : await tx.rows<{ dueAt: Date | null }>('SELECT min(n.due_at) AS "dueAt" FROM alert_notices n WHERE n.channel_id = $1 AND n.message_id IS NULL', channel.id);
    const dueMs = pending?.dueAt.getTime() ?? notice?.dueAt?.getTime() ?? null;
    if (dueMs === null) return nothing;
    const nextDueAtMs = Math.max(dueMs, heldMs);
    if (!claim || nextDueAtMs > nowMs) return { claimed: null, nextDueAtMs };
    const id = pending?.id ?? (await this.compose(tx, channel, nowMs));
    const [row] = await tx.rows(`UPDATE alert_messages SET attempts = attempts + 1, next_attempt_at = $2::timestamptz WHERE id = $1 RETURNING id, attempts AS attempt, kind, subject, body, created_at AS "createdAt"`, id, isoTime(nowMs + CLAIM_MS));
    if (row === undefined) throw new Error(`message ${id} vanished under its lock`);
    return { claimed: { ...(plainRow(row) as unknown as ClaimedMessage), channelKind: channel.kind, target: channel.target }, nextDueAtMs };
  }

  /** One message of all that is due, or of as much as fits. What is in it is decided here, once. */
  private async compose(tx: Transaction, channel: LockedChannel, nowMs: number): Promise<string> {
    const rows = await tx.rows(
      `SELECT a.id, a.title, a.body, a.raised_at AS "raisedAt", a.suppressed, a.rule_name AS "ruleName" FROM alert_notices n JOIN alerts a ON a.id = n.alert_id
        WHERE ${DUE_NOTICES} LIMIT ${MOST_IN_MESSAGE}`,
      channel.id, isoTime(nowMs),
    );
    const alerts = rows.map((row) => plainRow(row) as unknown as ToldAlert);
    const { subject, body, count } = composed(alerts, channel.kind === 'telegram' ? TELEGRAM_MAX_LENGTH : EMAIL_MAX_LENGTH);
    return this.putAlerts(tx, channel, { subject, body, status: 'pending', alertIds: alerts.slice(0, count).map(({ id }) => id) }, nowMs);
  }

  private async putAlerts(tx: Transaction, channel: LockedChannel, message: { readonly subject: string; readonly body: string; readonly status: 'pending' | 'exhausted'; readonly alertIds: readonly string[] }, nowMs: number): Promise<string> {
    const [id, at] = [`alm_${randomUUID()}`, isoTime(nowMs)];
    await tx.rows(
      `INSERT INTO alert_messages(id, user_id, channel_id, target_hash, kind, subject, body, status, next_attempt_at, created_at, settled_at) VALUES ($1, $2, $3, $4, 'alerts', $5, $6, $7, $8::timestamptz, $9::timestamptz, $10::timestamptz)`,
      id, channel.userId, channel.id, targetHash(channel.kind, channel.target), message.subject, message.body, message.status, message.status === 'pending' ? at : null, at, message.status === 'pending' ? null : at,
    );
    await tx.rows('UPDATE alert_notices SET message_id = $3 WHERE channel_id = $1 AND alert_id = ANY($2::text[])', channel.id, [...message.alertIds], id);
    return id;
  }

  /** What waited through days of a channel that was disabled is told as undelivered; a code nobody waits for any more goes with its time. */
  private async giveUpOld(tx: Transaction, changes: UserChanges, channel: LockedChannel, nowMs: number): Promise<void> {
    await tx.rows(`UPDATE alert_messages SET status = 'exhausted', next_attempt_at = NULL, settled_at = $2::timestamptz WHERE channel_id = $1 AND status = 'pending' AND kind = 'verification' AND created_at <= $3::timestamptz RETURNING 1 AS done`, channel.id, isoTime(nowMs), isoTime(nowMs - CODE_MS));
    if (channel.status !== 'enabled') return;
    const old = await tx.rows<{ id: string }>(`SELECT n.alert_id AS id FROM alert_notices n WHERE n.channel_id = $1 AND n.message_id IS NULL AND n.due_at <= $2::timestamptz ORDER BY n.raised_at LIMIT ${MOST_IN_MESSAGE}`, channel.id, isoTime(nowMs - GIVE_UP_AFTER_MS));
    if (old.length === 0) return;
    const at = isoTime(nowMs);
    const message = 'it waited for three days';
    const id = await this.putAlerts(tx, channel, { subject: `${old.length} alerts`, body: message, status: 'exhausted', alertIds: old.map((each) => each.id) }, nowMs);
    await this.tellUndelivered(tx, changes, { channelId: channel.id, name: channel.name, channelKind: channel.kind, message }, id, at);
  }
}

const HAS_WORK_SQL = `(EXISTS (SELECT 1 FROM alert_messages m WHERE m.channel_id = c.id AND m.status = 'pending' AND (m.kind = 'verification') = (c.status = 'unverified') AND c.status <> 'disabled')
  OR (c.status = 'enabled' AND EXISTS (SELECT 1 FROM alert_notices n WHERE n.channel_id = c.id AND n.message_id IS NULL)))`;
