/**
 * From the outbox to deliveries, and from deliveries to attempts. The endpoint's row is locked in both, so that who is next with a
 * key is decided once. An attempt is claimed by a row of its own before it is made; a claim whose process died runs out.
 */
import { createHash } from 'node:crypto';
import { callRateOf } from '../../domain/call-rate';
import { isoTime } from '../../domain/clock';
import { isDelivered, retryDelayMs } from '../../domain/delivery-schedule';
import { afterAttempt, attemptsAllowed, healthOf, TOLD_AT_FAILURE, type EndpointHealth } from '../../domain/endpoint-health';
import type { StreamEvent } from '../../domain/events';
import { takeTokens } from '../../domain/token-bucket';
import { isWanted, orderingKey, payloadOf, webhookTypesOf, type AttemptEnd } from '../../domain/webhook';
import { insertRows, plainRow, updateRows } from '../database/columns';
import type { StoreCore } from '../core';
import type { Transaction } from '../database/database';
import type { Generation } from '../database/generation';
import { appendUserEvent } from '../user-changes';
import { lockEndpoint, settleAttempts, UNREAD_SQL, type ClaimedDelivery, type DeliveryStep, type LockedEndpoint, type SettledAttempt } from './webhook-rows';

/** What leaves the outbox in one transaction. */
export const FAN_OUT_PAGE = 200;
/** Beyond it events stay in the outbox, where they cost nothing, until some are delivered. */
export const MAX_WAITING = 20_000;
/** An attempt is over after 15 s; one that has not said so by then never will. */
export const CLAIM_MS = 20_000;
/** Word of one endpoint's failures to its owner, at most. */
const TELL_EVERY_MS = 3_600_000;

const DELIVERY_INSERT = { id: 'text', userId: 'text', endpointId: 'text', number: 'bigint', eventType: 'text', stream: 'text', sequence: 'bigint', orderingKey: 'text', body: 'text', status: 'text', blocked: 'boolean', nextAttemptAt: 'timestamptz', createdAt: 'timestamptz' } as const;
const DELIVERY_SETTLE = { id: 'text', status: 'text', failures: 'integer', nextAttemptAt: 'timestamptz', settledAt: 'timestamptz' } as const;
const ATTEMPT_INSERT = { deliveryId: 'text', number: 'integer', userId: 'text', at: 'timestamptz' } as const;
/** The first of each key that waits is free to go, unless it is already. */
const UNBLOCK_SQL = `UPDATE webhook_deliveries SET blocked = false WHERE id IN (
    SELECT n.id FROM unnest($2::text[]) AS k CROSS JOIN LATERAL (SELECT d.id, d.blocked FROM webhook_deliveries d WHERE d.endpoint_id = $1 AND d.ordering_key = k AND d.status = 'pending' ORDER BY d.number LIMIT 1) n WHERE n.blocked) RETURNING id`;

/** The same for every attempt and resend, and after a restored backup: an event at the same place but of another time is another one. */
function deliveryId(endpointId: string, event: StreamEvent, type: string): string {
  return `msg_${createHash('sha256').update(JSON.stringify([endpointId, event.stream, event.sequence, event.at, type])).digest('base64url').slice(0, 27)}`;
}

export class WebhookOutbox {
  constructor(
    private readonly core: StoreCore,
    private readonly generation: Generation,
  ) {}

  /** Makes deliveries of up to a page of unread events; `more`: there may be others. Nothing while disabled: events wait in the outbox. */
  async fanOut(endpointId: string): Promise<{ readonly made: number; readonly more: boolean }> {
    return this.core.database.transaction(async (tx) => {
      const endpoint = await lockEndpoint(tx, endpointId);
      if (endpoint === null || endpoint.status === 'disabled' || endpoint.waiting >= MAX_WAITING) return { made: 0, more: false };
      const rows = await tx.rows(UNREAD_SQL(this.generation.sql), endpoint.userId, endpointId, FAN_OUT_PAGE);
      if (rows.length === 0) return { made: 0, more: false };
      const events = rows.map((row) => plainRow(row) as unknown as StreamEvent);
      const made = await this.insertDeliveries(tx, endpoint, events);
      const heads = new Map(events.map(({ stream, sequence }) => [stream, sequence]));
      await tx.rows(
        `INSERT INTO webhook_cursors(endpoint_id, stream, user_id, sequence) SELECT $1, k, $2, v FROM unnest($3::text[], $4::bigint[]) AS t(k, v) ON CONFLICT (endpoint_id, stream) DO UPDATE SET sequence = excluded.sequence RETURNING 1 AS done`,
        endpointId, endpoint.userId, [...heads.keys()], [...heads.values()].map(String),
      );
      return { made, more: rows.length === FAN_OUT_PAGE };
    });
  }

  /** Writes how attempts ended, then claims up to `wanted` more beside those in flight. */
  async step(endpointId: string, settled: readonly SettledAttempt[], { wanted, inFlight }: { readonly wanted: number; readonly inFlight: number }): Promise<DeliveryStep> {
    return this.core.database.transaction(async (tx) => {
      const endpoint = await lockEndpoint(tx, endpointId);
      const nowMs = this.core.clock.nowMs();
      if (endpoint === null) {
        await settleAttempts(tx, settled);
        return { state: 'deleted', url: '', waiting: 0, breakerOpenUntil: null, disabledReason: null, claims: [], ends: [], nextDueAtMs: null };
      }
      const health = await this.settle(tx, endpoint, settled, nowMs);
      const allowed = Math.max(0, attemptsAllowed(health.now, nowMs, inFlight + wanted) - inFlight);
      const claims = await this.claim(tx, endpoint, Math.min(allowed, wanted), nowMs);
      const [due] = await tx.rows<{ at: Date | null }>(`SELECT min(d.next_attempt_at) AS at FROM webhook_deliveries d WHERE d.endpoint_id = $1 AND d.status = 'pending' AND NOT d.blocked`, endpointId);
      const earliestMs = due?.at?.getTime() ?? null;
      const nextDueAtMs = earliestMs === null || health.now.disabled !== null ? null : Math.max(earliestMs, health.now.breakerOpenUntilMs ?? 0, claims.freeAtMs);
      const { breakerOpenUntilMs, disabled } = health.now;
      return { state: disabled === null ? 'enabled' : 'disabled', url: endpoint.url, waiting: health.waiting, breakerOpenUntil: breakerOpenUntilMs === null ? null : isoTime(breakerOpenUntilMs), disabledReason: disabled, claims: claims.taken, ends: health.ends, nextDueAtMs };
    });
  }

  private async insertDeliveries(tx: Transaction, endpoint: LockedEndpoint, events: readonly StreamEvent[]): Promise<number> {
    const createdAt = isoTime(this.core.clock.nowMs());
    let number = endpoint.lastNumber;
    const rows = events.flatMap((event) =>
      webhookTypesOf(event).filter((type) => isWanted(endpoint, event, type)).map((type) => {
        const id = deliveryId(endpoint.id, event, type);
        number += 1;
        return { id, userId: endpoint.userId, endpointId: endpoint.id, number, eventType: type, stream: event.stream, sequence: event.sequence, orderingKey: orderingKey(endpoint.ordering, event, id), body: payloadOf(event, type), status: 'pending', blocked: false, nextAttemptAt: createdAt, createdAt };
      }),
    );
    if (rows.length === 0) return 0;
    const keys = [...new Set(rows.map(({ orderingKey: key }) => key))];
    const busy = new Set((await tx.rows<{ key: string }>(`SELECT k AS key FROM unnest($2::text[]) AS k WHERE EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = $1 AND d.ordering_key = k AND d.status = 'pending')`, endpoint.id, keys)).map(({ key }) => key));
    const placed = rows.map((row) => {
      const blocked = busy.has(row.orderingKey);
      busy.add(row.orderingKey);
      return { ...row, blocked };
    });
    const inserted = await tx.rows(`${insertRows('webhook_deliveries', DELIVERY_INSERT, 1)} ON CONFLICT (id) DO NOTHING RETURNING id`, JSON.stringify(placed));
    await tx.rows('UPDATE webhook_endpoints SET last_number = $2::bigint, waiting = waiting + $3::int WHERE id = $1', endpoint.id, number, inserted.length);
    // One that was there already may have been settled long ago: who was placed behind it must not wait for it.
    if (inserted.length < placed.length) await tx.rows(UNBLOCK_SQL, endpoint.id, keys);
    return inserted.length;
  }

  private async settle(tx: Transaction, endpoint: LockedEndpoint, settled: readonly SettledAttempt[], nowMs: number): Promise<{ readonly now: EndpointHealth; readonly waiting: number; readonly ends: readonly AttemptEnd[] }> {
    let health = healthOf(endpoint, nowMs);
    if (settled.length === 0) return { now: health, waiting: endpoint.waiting, ends: [] };
    await settleAttempts(tx, settled);
    const rows = await tx.rows<{ id: string; orderingKey: string; eventType: string; attempts: number; failures: number }>(
      `SELECT d.id, d.ordering_key AS "orderingKey", d.event_type AS "eventType", d.attempts, d.failures FROM webhook_deliveries d WHERE d.id = ANY($1::text[]) AND d.status = 'pending'`,
      settled.map(({ id }) => id),
    );
    const pending = new Map(rows.map((row) => [row.id, row]));
    const at = isoTime(nowMs);
    const changed: object[] = [];
    const free: string[] = [];
    const ends: AttemptEnd[] = [];
    const alerts: Record<string, unknown>[] = [];
    for (const { id, number, outcome } of settled) {
      const delivery = pending.get(id);
      // Interrupted by our own end, it says nothing of the endpoint: it is simply due again.
      if (outcome.errorClass !== 'interrupted') health = afterAttempt(health, outcome, nowMs);
      // A success counts whenever it came; a failure only of the newest attempt.
      if (delivery === undefined || (number !== delivery.attempts && !isDelivered(outcome))) continue;
      pending.delete(id);
      if (isDelivered(outcome)) {
        ends.push('delivered');
        changed.push({ id, status: 'delivered', failures: delivery.failures, nextAttemptAt: null, settledAt: at });
        free.push(delivery.orderingKey);
        continue;
      }
      // Nothing of it was sent: it waits for its endpoint, and no try of it was used.
      const isUnsent = outcome.errorClass === 'interrupted' || outcome.errorClass === 'secretLost';
      const failures = isUnsent ? delivery.failures : delivery.failures + 1;
      const delayMs = isUnsent ? 0 : retryDelayMs({ failures, outcome, chance: Math.random() });
      ends.push(outcome.errorClass === 'interrupted' ? 'interrupted' : delayMs === null ? 'exhausted' : 'retried');
      changed.push({ id, status: delayMs === null ? 'exhausted' : 'pending', failures, nextAttemptAt: delayMs === null ? null : isoTime(nowMs + delayMs), settledAt: delayMs === null ? at : null });
      if (delayMs === null) free.push(delivery.orderingKey);
      const lastAnswer = { deliveryId: id, eventType: delivery.eventType, code: outcome.code, errorClass: outcome.errorClass };
      if (delayMs === null) alerts.push({ kind: 'webhookExhausted', ...lastAnswer });
      else if (failures === TOLD_AT_FAILURE && !isUnsent) alerts.push({ kind: 'webhookFailing', failures, nextAttemptAt: isoTime(nowMs + delayMs), ...lastAnswer });
    }
    if (changed.length > 0) await tx.rows(updateRows('webhook_deliveries', DELIVERY_SETTLE, ['id'], 1), JSON.stringify(changed));
    if (free.length > 0) await tx.rows(UNBLOCK_SQL, endpoint.id, [...new Set(free)]);
    const disables = health.disabled !== null && endpoint.status === 'enabled';
    if (disables) alerts.push({ kind: 'webhookDisabled', reason: health.disabled, waiting: endpoint.waiting - free.length });
    const told = await this.tell(tx, endpoint, alerts, nowMs);
    const iso = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));
    await tx.rows(
      `UPDATE webhook_endpoints SET waiting = $2::int, failing_since = $3::timestamptz, failures_in_a_row = $4::int, breaker_trips = $5::int, breaker_open_until = $6::timestamptz, told_failing_at = $7::timestamptz, told_exhausted_at = $8::timestamptz,
         status = CASE WHEN $9 THEN 'disabled' ELSE status END, disabled_reason = CASE WHEN $9 THEN $10 ELSE disabled_reason END, disabled_at = CASE WHEN $9 THEN $11::timestamptz ELSE disabled_at END WHERE id = $1`,
      endpoint.id, endpoint.waiting - free.length, iso(health.failingSinceMs), health.failuresInARow, health.breakerTrips, iso(health.breakerOpenUntilMs), told.webhookFailing ?? endpoint.toldFailingAt, told.webhookExhausted ?? endpoint.toldExhaustedAt,
      disables, health.disabled, at,
    );
    return { now: health, waiting: endpoint.waiting - free.length, ends };
  }

  /** On the user's own stream: their other endpoints deliver it. One word of a kind in an hour, except of an end. */
  private async tell(tx: Transaction, endpoint: LockedEndpoint, alerts: readonly Record<string, unknown>[], nowMs: number): Promise<Record<string, string>> {
    const told: Record<string, string> = {};
    const last: Readonly<Record<string, string | null>> = { webhookFailing: endpoint.toldFailingAt, webhookExhausted: endpoint.toldExhaustedAt };
    for (const alert of alerts) {
      const kind = String(alert['kind']);
      const before = told[kind] ?? last[kind] ?? null;
      if (before !== null && nowMs - Date.parse(before) < TELL_EVERY_MS) continue;
      told[kind] = isoTime(nowMs);
      await appendUserEvent(tx, endpoint.userId, { type: 'account.alert', orderId: null, data: { ...alert, endpointId: endpoint.id, url: endpoint.url } }, isoTime(nowMs));
    }
    return told;
  }

  private async claim(tx: Transaction, endpoint: LockedEndpoint, wanted: number, nowMs: number): Promise<{ readonly taken: readonly ClaimedDelivery[]; readonly freeAtMs: number }> {
    const nothing = { taken: [], freeAtMs: 0 };
    if (wanted <= 0) return nothing;
    const rate = endpoint.rateLimit === null ? null : (callRateOf(endpoint.rateLimit) ?? null);
    const bucket = endpoint.rateTokens === null || endpoint.rateAt === null ? null : { tokens: endpoint.rateTokens, atMs: Date.parse(endpoint.rateAt) };
    const room = rate === null ? null : takeTokens(bucket, rate, nowMs, wanted);
    const most = room?.taken ?? wanted;
    const at = isoTime(nowMs);
    const rows = await tx.rows<{ id: string; number: number; eventType: string; body: string }>(
      `UPDATE webhook_deliveries SET attempts = attempts + 1, next_attempt_at = $3::timestamptz WHERE id IN (
         SELECT d.id FROM webhook_deliveries d WHERE d.endpoint_id = $1 AND d.status = 'pending' AND NOT d.blocked AND d.next_attempt_at <= $2::timestamptz ORDER BY d.next_attempt_at, d.number LIMIT $4::int)
       RETURNING id, attempts AS number, event_type AS "eventType", body`,
      endpoint.id, at, isoTime(nowMs + CLAIM_MS), most,
    );
    if (rows.length > 0) {
      await tx.rows(`UPDATE webhook_attempts SET error_class = 'interrupted' WHERE delivery_id = ANY($1::text[]) AND code IS NULL AND error_class IS NULL`, rows.map(({ id }) => id));
      await tx.rows(insertRows('webhook_attempts', ATTEMPT_INSERT, 1), JSON.stringify(rows.map(({ id, number }) => ({ deliveryId: id, number, userId: endpoint.userId, at }))));
    }
    // Tokens that found nothing to send go back.
    if (room !== null) await tx.rows('UPDATE webhook_endpoints SET rate_tokens = $2::float8, rate_at = $3::timestamptz WHERE id = $1', endpoint.id, room.bucket.tokens + (most - rows.length), isoTime(room.bucket.atMs));
    return { taken: rows.map((row) => ({ ...row })), freeAtMs: room !== null && rows.length === most ? nowMs + room.nextInMs : 0 };
  }
}
