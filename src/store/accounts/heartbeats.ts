/** The dead-man switch of an account: until when it waits for the next heartbeat, and what it did when none came. */
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { Heartbeat, SeenHeartbeat } from '../../domain/heartbeat';
import { plainRow } from '../database/columns';
import { change, type StoreCore } from '../core';
import type { Queryable, Row } from '../database/database';
import { lockAccounts } from '../database/locks';
import { OPEN_SQL } from '../orders/orders';

const SELECT = 'h.account_id AS "accountId", h.user_id AS "userId", h.timeout_ms AS "timeoutMs", h.expires_at AS "expiresAt", h.beat_at AS "beatAt", h.fired_at AS "firedAt"';

/** What came after the silence is not of it: whoever works without heartbeats is left alone. */
const LEFT_SQL = `EXISTS (SELECT 1 FROM orders o WHERE o.account_id = h.account_id AND ${OPEN_SQL} AND NOT o.pending_cancel AND o.origin <> 'EXTERNAL' AND o.created_at <= h.fired_at)
  OR EXISTS (SELECT 1 FROM strategies s WHERE s.account_id = h.account_id AND s.ended_at IS NULL AND NOT s.pending_cancel AND s.created_at <= h.fired_at)
  OR EXISTS (SELECT 1 FROM order_lists l WHERE l.ended_at IS NULL AND NOT l.pending_cancel AND l.created_at <= h.fired_at AND l.legs @> jsonb_build_array(jsonb_build_object('accountId', h.account_id)))`;

export class Heartbeats {
  constructor(private readonly core: StoreCore) {}

  /**
   * `isSooner`: nobody waits for this deadline yet, because it was disarmed or later before. 0 disarms it. Its time is later than that of the one
   * before, whichever process's clock it is by: an earlier one is what tells that the database was restored.
   */
  async beat(accountId: string, userId: string, timeoutMs: number): Promise<{ readonly heartbeat: Heartbeat; readonly isSooner: boolean }> {
    const nowMs = this.core.clock.nowMs();
    const expiresAt = timeoutMs === 0 ? null : isoTime(nowMs + timeoutMs);
    return this.core.database.transaction(async (tx) => {
      const before = await read(tx, accountId);
      const [row] = await tx.rows(
        `INSERT INTO heartbeats AS h (account_id, user_id, timeout_ms, expires_at, beat_at) SELECT a.id, a.user_id, $3::int, $4::timestamptz, $5::timestamptz FROM accounts a WHERE a.id = $1 AND a.user_id = $2 AND a.deleted_at IS NULL
         ON CONFLICT (account_id) DO UPDATE SET timeout_ms = excluded.timeout_ms, expires_at = excluded.expires_at, beat_at = greatest(excluded.beat_at, h.beat_at + interval '1 millisecond'), fired_at = NULL RETURNING ${SELECT}`,
        accountId, userId, timeoutMs, expiresAt, isoTime(nowMs),
      );
      if (row === undefined) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
      const waited = before?.expiresAt ?? null;
      return { heartbeat: heartbeatOf(row), isSooner: expiresAt !== null && (waited === null || expiresAt < waited) };
    });
  }

  async byAccount(accountId: string): Promise<Heartbeat | null> {
    return read(this.core.database, accountId);
  }

  /** Whoever's, for the sweeper: those that wait for a heartbeat, and those that fired and have not ended yet what stood then. */
  async unended(): Promise<readonly Heartbeat[]> {
    return (await this.core.database.rows(`SELECT ${SELECT} FROM heartbeats h WHERE h.expires_at IS NOT NULL OR (h.fired_at IS NOT NULL AND (${LEFT_SQL})) ORDER BY h.account_id`)).map(heartbeatOf);
  }

  /**
   * Of a database that lost it: armed again, with its whole time from now, for nobody could be heard while the database was away. Told, because
   * whoever disarmed it since must do so again. null: it is there, or the account is gone.
   */
  async rearm(accountId: string, { timeoutMs, beatAt }: SeenHeartbeat): Promise<Heartbeat | null> {
    return change(this.core, [accountId], async (tx, changes) => {
      const account = (await lockAccounts(tx, [accountId])).get(accountId);
      if (account === undefined) return null;
      const nowMs = this.core.clock.nowMs();
      const [row] = await tx.rows(
        `INSERT INTO heartbeats AS h (account_id, user_id, timeout_ms, expires_at, beat_at) SELECT a.id, a.user_id, $2::int, $3::timestamptz, $4::timestamptz FROM accounts a WHERE a.id = $1 AND a.deleted_at IS NULL
         ON CONFLICT (account_id) DO UPDATE SET timeout_ms = excluded.timeout_ms, expires_at = excluded.expires_at, beat_at = excluded.beat_at, fired_at = NULL WHERE h.beat_at < excluded.beat_at RETURNING ${SELECT}`,
        accountId, timeoutMs, isoTime(nowMs + timeoutMs), beatAt,
      );
      if (row === undefined) return null;
      const heartbeat = heartbeatOf(row);
      changes.addEvent(account, { type: 'account.alert', orderId: null, data: { kind: 'deadManRearmed', timeoutMs, lastHeartbeatAt: beatAt, expiresAt: heartbeat.expiresAt } }, isoTime(nowMs));
      return heartbeat;
    });
  }

  /** Silence: disarms it and tells, once. false: a heartbeat came after all. */
  async fire(accountId: string, expiresAt: string, openOrders: number): Promise<boolean> {
    return change(this.core, [accountId], async (tx, changes) => {
      const account = (await lockAccounts(tx, [accountId])).get(accountId);
      if (account === undefined) return false;
      const at = isoTime(this.core.clock.nowMs());
      const [row] = await tx.rows(`UPDATE heartbeats h SET fired_at = $3::timestamptz, expires_at = NULL WHERE h.account_id = $1 AND h.expires_at = $2::timestamptz AND h.expires_at <= $3::timestamptz RETURNING ${SELECT}`, accountId, expiresAt, at);
      if (row === undefined) return false;
      const { timeoutMs, beatAt } = heartbeatOf(row);
      changes.addEvent(account, { type: 'account.alert', orderId: null, data: { kind: 'deadManFired', timeoutMs, lastHeartbeatAt: beatAt, openOrders } }, at);
      return true;
    });
  }
}

async function read(database: Queryable, accountId: string): Promise<Heartbeat | null> {
  const [row] = await database.rows(`SELECT ${SELECT} FROM heartbeats h WHERE h.account_id = $1`, accountId);
  return row === undefined ? null : heartbeatOf(row);
}

function heartbeatOf(row: Row): Heartbeat {
  return plainRow(row) as unknown as Heartbeat;
}
