/**
 * Alerts that came, each once for its id, and what became of them. A row is written before anything is placed, so that whoever dies
 * leaves it to the next; what was placed is read from the orders and strategies themselves, by the client id of the row.
 */
import { randomUUID } from 'node:crypto';
import { HOST_CLOCK_JUMP_MS, isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { ReceivedAlert, Signal, SignalEnd, SignalSource, SignalStatus, TakenAlert } from '../../domain/signal';
import { fieldsOf } from '../database/columns';
import { change, type StoreCore } from '../core';
import { cursorOf, positionOf } from '../database/cursor';
import type { Parameter, Queryable, Row } from '../database/database';
import { lockAccounts } from '../database/locks';
import { HEARD_EVERY_MS } from './signal-sources';

export interface SignalListQuery {
  readonly sourceId: string;
  readonly userId: string;
  readonly status: SignalStatus | null;
  readonly cursor: string | null;
  readonly limit: number;
}

const FIELDS = ['id', 'userId', 'sourceId', 'accountId', 'kind', 'alertId', 'status', 'code', 'message', 'alert', 'request', 'address', 'receivedAt', 'placeBefore', 'settledAt', 'orderId', 'strategyId', 'state'];
const SELECT = `SELECT s.id, s.user_id AS "userId", s.source_id AS "sourceId", s.account_id AS "accountId", s.kind, s.alert_id AS "alertId", s.status, s.code, s.message, s.alert, s.request, s.address, s.received_at AS "receivedAt",
    s.place_before AS "placeBefore", s.settled_at AS "settledAt", o.id AS "orderId", g.id AS "strategyId", coalesce(o.state, g.state) AS state
  FROM signals s LEFT JOIN orders o ON s.kind = 'order' AND o.account_id = s.account_id AND o.client_order_id = s.client_id
    LEFT JOIN strategies g ON s.kind = 'strategy' AND g.account_id = s.account_id AND g.client_strategy_id = s.client_id`;
/** A message is for people, and a refusal may quote what was sent. */
const MAX_MESSAGE = 1_000;
const EVENTS = { placed: 'signal.placed', refused: 'signal.refused', expired: 'signal.expired' } as const;

/** The statement alone, for the test that reads its plan. */
export function signalsStatement({ sourceId, status, cursor, limit }: Omit<SignalListQuery, 'userId'>): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const parameters: Parameter[] = [sourceId];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const conditions = ['s.source_id = $1', ...(status === null ? [] : [`s.status = ${given(status)}`])];
  const position = positionOf('signals', cursor);
  if (position !== null) conditions.push(`(s.received_at, s.id) < (${given(position.at)}::timestamptz, ${given(position.id)})`);
  return { sql: `${SELECT} WHERE ${conditions.join(' AND ')} ORDER BY s.received_at DESC, s.id DESC LIMIT ${given(limit + 1)}::int`, parameters };
}

export class Signals {
  constructor(private readonly core: StoreCore) {}

  /** Recorded once for its alert id, and the caller's to place for `leaseMs`; `isNew: false`: an earlier one has that id. */
  async take(alert: TakenAlert, leaseMs: number): Promise<{ readonly signal: Signal; readonly isNew: boolean }> {
    const id = randomUUID();
    const nowMs = this.core.clock.nowMs();
    await this.heard(alert.source, nowMs);
    const rows = await this.insert(this.core.database, id, alert, { key: alert.alertId, clientId: alert.clientId, status: 'taken', code: null, message: null, nowMs, nextAttemptAt: isoTime(nowMs + leaseMs), settledAt: null });
    if (rows > 0) return { signal: await this.read(id), isNew: true };
    const [earlier] = await this.core.database.rows(`${SELECT} WHERE s.source_id = $1 AND s.alert_key = $2`, alert.source.id, alert.alertId);
    if (earlier === undefined) throw new Error(`the signal of ${alert.source.id} with this alert id is gone`);
    return { signal: signalOf(earlier), isNew: false };
  }

  /** One that is not placed: its alert id is not used up. With its event, unless it was a dry run. */
  async note(alert: ReceivedAlert, end: SignalEnd): Promise<Signal> {
    const id = randomUUID();
    const nowMs = this.core.clock.nowMs();
    const at = isoTime(nowMs);
    await this.heard(alert.source, nowMs);
    return this.told(alert.source.accountId, end.status, at, async (tx) => {
      await this.insert(tx, id, alert, { key: null, clientId: null, ...end, nowMs, nextAttemptAt: null, settledAt: at });
      return this.read(id, tx);
    });
  }

  /** How it ended, once: a later word changes nothing. */
  async settle(id: string, end: SignalEnd): Promise<Signal> {
    const known = await this.read(id);
    if (known.status !== 'taken') return known;
    const at = isoTime(this.core.clock.nowMs());
    return this.told(known.accountId, end.status, at, async (tx) => {
      const rows = await tx.rows(`UPDATE signals SET status = $2, code = $3, message = $4, settled_at = $5::timestamptz, next_attempt_at = NULL WHERE id = $1 AND status = 'taken' RETURNING id`, id, end.status, end.code, shortened(end.message), at);
      return rows.length === 0 ? null : this.read(id, tx);
    }, () => this.read(id));
  }

  /** Why it could not be placed yet, and when it is tried again. */
  async delay(id: string, { code, message }: Pick<SignalEnd, 'code' | 'message'>, untilMs: number): Promise<Signal> {
    await this.core.database.rows(`UPDATE signals SET code = $2, message = $3, next_attempt_at = $4::timestamptz WHERE id = $1 AND status = 'taken' RETURNING id`, id, code, shortened(message), isoTime(untilMs));
    return this.read(id);
  }

  /** Throws NOT_FOUND. */
  async get(id: string, sourceId: string, userId: string): Promise<Signal> {
    const [row] = await this.core.database.rows(`${SELECT} WHERE s.id = $1 AND s.source_id = $2 AND s.user_id = $3`, id, sourceId, userId);
    if (row === undefined) throw new DomainError('NOT_FOUND', 'no such signal');
    return signalOf(row);
  }

  /** Newest first, also those of a source that was deleted. */
  async list(query: SignalListQuery): Promise<{ readonly signals: readonly Signal[]; readonly nextCursor: string | null }> {
    const [source] = await this.core.database.rows('SELECT s.id FROM signal_sources s WHERE s.id = $1 AND s.user_id = $2', query.sourceId, query.userId);
    if (source === undefined) throw new DomainError('NOT_FOUND', 'no such signal source');
    const { sql, parameters } = signalsStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const signals = rows.slice(0, query.limit).map(signalOf);
    const last = signals.at(-1);
    return { signals, nextCursor: rows.length > query.limit && last !== undefined ? cursorOf('signals', { at: last.receivedAt, id: last.id }) : null };
  }

  /**
   * Those that nobody is at any more: the caller's for `leaseMs`. So is one that is leased beyond what a lease and another host's clock can be ahead:
   * the clock was set back since, and it would be placed that much later than it came.
   */
  async due(limit: number, leaseMs: number): Promise<readonly Signal[]> {
    const nowMs = this.core.clock.nowMs();
    const taken = await this.core.database.rows<{ id: string }>(
      `UPDATE signals SET next_attempt_at = $2::timestamptz WHERE id IN (SELECT s.id FROM signals s WHERE s.status = 'taken' AND (s.next_attempt_at <= $1::timestamptz OR s.next_attempt_at > $4::timestamptz) ORDER BY s.next_attempt_at LIMIT $3::int FOR UPDATE SKIP LOCKED) RETURNING id`,
      isoTime(nowMs), isoTime(nowMs + leaseMs), limit, isoTime(nowMs + leaseMs + HOST_CLOCK_JUMP_MS),
    );
    if (taken.length === 0) return [];
    return (await this.core.database.rows(`${SELECT} WHERE s.id = ANY($1::text[]) ORDER BY s.received_at, s.id`, taken.map(({ id }) => id))).map(signalOf);
  }

  private async heard({ id }: SignalSource, nowMs: number): Promise<void> {
    await this.core.database.rows('UPDATE signal_sources SET last_signal_at = $2::timestamptz WHERE id = $1 AND (last_signal_at IS NULL OR last_signal_at < $3::timestamptz) RETURNING id', id, isoTime(nowMs), isoTime(nowMs - HEARD_EVERY_MS));
  }

  private async read(id: string, database: Queryable = this.core.database): Promise<Signal> {
    const [row] = await database.rows(`${SELECT} WHERE s.id = $1`, id);
    if (row === undefined) throw new Error(`signal ${id} is gone`);
    return signalOf(row);
  }

  private async insert(database: Queryable, id: string, { source, alertId, alert, address, request }: ReceivedAlert, more: { readonly key: string | null; readonly clientId: string | null; readonly status: SignalStatus; readonly code: string | null; readonly message: string | null; readonly nowMs: number; readonly nextAttemptAt: string | null; readonly settledAt: string | null }): Promise<number> {
    const rows = await database.rows(
      `INSERT INTO signals(id, user_id, source_id, account_id, kind, alert_id, alert_key, alert, address, request, client_id, status, code, message, received_at, place_before, next_attempt_at, settled_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10::jsonb, $11, $12, $13, $14, $15::timestamptz, $16::timestamptz, $17::timestamptz, $18::timestamptz) ON CONFLICT (source_id, alert_key) DO NOTHING RETURNING id`,
      id, source.userId, source.id, source.accountId, source.kind, alertId, more.key, JSON.stringify(alert), address, request === null ? null : JSON.stringify(request), more.clientId, more.status, more.code, shortened(more.message),
      isoTime(more.nowMs), isoTime(more.nowMs + source.maxDelaySeconds * 1_000), more.nextAttemptAt, more.settledAt,
    );
    return rows.length;
  }

  /** The change and its event, on the stream of its account: one transaction. An account that was deleted has no stream any more. */
  private told(accountId: string, status: SignalEnd['status'], at: string, work: (tx: Queryable) => Promise<Signal>): Promise<Signal>;
  private told(accountId: string, status: SignalEnd['status'], at: string, work: (tx: Queryable) => Promise<Signal | null>, otherwise: () => Promise<Signal>): Promise<Signal>;
  private async told(accountId: string, status: SignalEnd['status'], at: string, work: (tx: Queryable) => Promise<Signal | null>, otherwise?: () => Promise<Signal>): Promise<Signal> {
    const signal = await change(this.core, [accountId], async (tx, changes) => {
      const account = (await lockAccounts(tx, [accountId])).get(accountId);
      const changed = await work(tx);
      if (changed !== null && account !== undefined && status !== 'dryRun') changes.addEvent(account, { type: EVENTS[status], orderId: changed.orderId, data: { signal: changed } }, at);
      return changed;
    });
    if (signal !== null) return signal;
    if (otherwise === undefined) throw new Error('a signal was not written');
    return otherwise();
  }
}

function shortened(message: string | null): string | null {
  return message === null || message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1)}…`;
}

function signalOf(row: Row): Signal {
  return fieldsOf(row, FIELDS) as unknown as Signal;
}
