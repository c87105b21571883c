/**
 * What protects open positions: read with each position that is shown, and judged by the account's watcher, which remembers since when
 * one has no stop that covers it and tells its owner once. A user who never sets a stop is told of each position once, or not at all
 * (a setting).
 */
import { isoTime } from '../../domain/clock';
import type { Position } from '../../domain/account';
import type { WriterEpoch } from '../../domain/order-store';
import { isBelowMinimum, protectionOf, STOP_TYPES, type Protection, type ShownPosition, type StandingStop } from '../../domain/protection';
import type { ChangeSet } from '../change-set';
import { change, holdEpoch, type StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { standingListStops } from './list-stops';
import { positionOf, positionRowOf, POSITION_FROM, POSITION_SELECT } from '../orders/fill-rows';
import { lockAccounts, orderOf, ORDER_SELECT, type LockedAccount } from '../database/locks';
import { OPEN_SQL } from '../orders/orders';

interface Remembered {
  readonly symbol: string;
  readonly tradeId: string | null;
  readonly protection: Protection;
  readonly unprotectedSinceMs: number | null;
  readonly alerted: boolean;
}

/** An order's first triggers by their ids (workflows/state/conditional-order.ts): another follows only where evidence did not hold. */
const TRIGGER_NUMBERS = [0, 1, 2];
const STOPS_SQL = `SELECT ${ORDER_SELECT}, (SELECT t.extreme::text FROM triggers t WHERE t.id = ANY(ARRAY[${TRIGGER_NUMBERS.map((n) => `o.id || '/${n}'`).join(', ')}]) AND t.status <> 'DISARMED' ORDER BY t.id DESC LIMIT 1) AS extreme
   FROM orders o WHERE o.account_id = ANY($1::text[]) AND ${OPEN_SQL} AND o.reduce_only AND o.type = ANY($2::text[]) ORDER BY o.id`;

/** Orders, and legs of order lists. */
export async function standingStops(database: Queryable, accountIds: readonly string[], nowMs: number): Promise<readonly StandingStop[]> {
  if (accountIds.length === 0) return [];
  const [rows, legs] = await Promise.all([database.rows<{ extreme: string | null }>(STOPS_SQL, accountIds, STOP_TYPES), standingListStops(database, accountIds, nowMs)]);
  return [...rows.map((row) => ({ ...orderOf(row), leg: null, breakEvenPrice: null, extreme: row.extreme })), ...legs];
}

/** With what protects each; flat ones need nothing. */
export async function withProtection(core: StoreCore, positions: readonly Position[]): Promise<readonly ShownPosition[]> {
  const open = [...new Set(positions.filter(({ side }) => side !== 'flat').map(({ accountId }) => accountId))];
  const [stops, remembered] = await Promise.all([standingStops(core.database, open, core.clock.nowMs()), Promise.all(open.map(async (accountId) => [accountId, await read(core.database, accountId)] as const))]);
  const nowMs = core.clock.nowMs();
  const known = new Map(remembered.flatMap(([accountId, rows]) => rows.map((row) => [`${accountId} ${row.symbol}`, row])));
  return positions.map((position) => {
    const own = protectionOf(position, stops.filter(({ accountId, symbol }) => accountId === position.accountId && symbol === position.symbol));
    const isBare = position.side !== 'flat' && own.protection === 'none';
    const sinceMs = ofTrip(known.get(`${position.accountId} ${position.symbol}`), position)?.unprotectedSinceMs ?? Date.parse(position.updatedAt);
    return { ...position, ...own, unprotectedMs: isBare ? Math.max(0, nowMs - sinceMs) : 0 };
  });
}

export class Protections {
  constructor(private readonly core: StoreCore) {}

  /** `alertAfterMs`: how long a position may be without a stop before its owner is told; 0: for ever. Throws EpochLost. */
  async check(writer: WriterEpoch, accountId: string, alertAfterMs: number): Promise<void> {
    const { database } = this.core;
    const [held] = await database.rows<{ held: boolean }>('SELECT EXISTS (SELECT 1 FROM positions p WHERE p.account_id = $1 AND p.quantity <> 0) OR EXISTS (SELECT 1 FROM position_protections r WHERE r.account_id = $1) AS held', accountId);
    if (held?.held !== true || (await this.news(database, accountId, alertAfterMs)).length === 0) return;
    await change(this.core, [accountId], async (tx, changes) => {
      await holdEpoch(tx, writer);
      const account = (await lockAccounts(tx, [accountId])).get(accountId);
      if (account === undefined) return;
      // Judged again under the lock: fills and stops may have come meanwhile.
      for (const each of await this.news(tx, accountId, alertAfterMs)) await this.put(tx, changes, account, each);
    });
  }

  private async news(tx: Queryable, accountId: string, alertAfterMs: number): Promise<readonly News[]> {
    const [rows, stops, remembered] = await Promise.all([
      tx.rows(`SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE p.account_id = $1 AND p.quantity <> 0`, accountId),
      standingStops(tx, [accountId], this.core.clock.nowMs()),
      read(tx, accountId),
    ]);
    const nowMs = this.core.clock.nowMs();
    const known = new Map(remembered.map((row) => [row.symbol, row]));
    const open = rows.map((row) => positionOf(positionRowOf(row)));
    const changed = open.flatMap((position): News[] => {
      const before = ofTrip(known.get(position.symbol), position);
      const own = protectionOf(position, stops.filter(({ symbol }) => symbol === position.symbol));
      const sinceMs = own.protection !== 'none' ? null : (before?.unprotectedSinceMs ?? nowMs);
      const alerts = sinceMs !== null && alertAfterMs > 0 && before?.alerted !== true && nowMs - sinceMs >= alertAfterMs;
      if (before?.protection === own.protection && !alerts) return []; // a trip that is new has no row that would be the same
      const unprotectedMs = sinceMs === null ? 0 : nowMs - sinceMs;
      return [{ kind: 'open', position: { ...position, ...own, unprotectedMs }, before, sinceMs, alerts }];
    });
    const symbols = new Set(open.map(({ symbol }) => symbol));
    return [...changed, ...remembered.filter(({ symbol }) => !symbols.has(symbol)).map(({ symbol }): News => ({ kind: 'flat', symbol }))];
  }

  private async put(tx: Queryable, changes: ChangeSet, account: LockedAccount, news: News): Promise<void> {
    if (news.kind === 'flat') {
      await tx.rows('DELETE FROM position_protections WHERE account_id = $1 AND symbol = $2 RETURNING symbol', account.id, news.symbol);
      return;
    }
    const { position, before, sinceMs, alerts } = news;
    const at = isoTime(this.core.clock.nowMs());
    const alertedAt = sinceMs === null ? null : alerts || before?.alerted === true ? at : null;
    await tx.rows(
      `INSERT INTO position_protections(account_id, symbol, user_id, venue, protection, unprotected_since, alerted_at, trade_id) VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $7::timestamptz, $8)
       ON CONFLICT (account_id, symbol) DO UPDATE SET protection = excluded.protection, unprotected_since = excluded.unprotected_since, trade_id = excluded.trade_id,
         alerted_at = CASE WHEN excluded.alerted_at IS NULL THEN NULL ELSE coalesce(position_protections.alerted_at, excluded.alerted_at) END RETURNING symbol`,
      account.id, position.symbol, account.userId, position.venue, position.protection, sinceMs === null ? null : isoTime(sinceMs), alertedAt, position.tradeId,
    );
    // That a new position has no stop yet is no news: its stop comes after it.
    if ((before?.protection ?? 'none') !== position.protection) changes.addEvent(account, { type: 'position.protectionChanged', orderId: null, data: { position, previousProtection: before?.protection ?? 'none' } }, at);
    if (alerts) changes.addEvent(account, { type: 'account.alert', orderId: null, data: await this.alertOf(tx, position) }, at);
  }

  private async alertOf(tx: Queryable, position: ShownPosition): Promise<Readonly<Record<string, unknown>>> {
    const { accountId, venue, symbol, side, quantity, unprotectedMs, desiredStop, confirmedStop } = position;
    const [market] = await tx.rows<{ minQuantity: string; lot: string }>('SELECT m.min_quantity::text AS "minQuantity", m.lot::text AS lot FROM markets m WHERE m.venue = $1 AND m.symbol = $2', venue, symbol);
    const belowMinimum = market !== undefined && isBelowMinimum(quantity, market);
    const words = belowMinimum ? `${quantity} ${symbol} is below what ${venue} takes as an order: no stop can stand for it until it grows; closing it is possible` : `${side} ${quantity} ${symbol} has no stop that covers it`;
    return { kind: 'UNPROTECTED', accountId, venue, symbol, side, quantity, unprotectedMs, belowMinimum, desiredStop, confirmedStop, words };
  }
}

/** What is remembered of this round trip; another's is not its own, though nobody looked while the account was flat between them. */
function ofTrip(remembered: Remembered | undefined, { tradeId }: Pick<Position, 'tradeId'>): Remembered | null {
  return remembered?.tradeId === tradeId ? remembered : null;
}

type News =
  | { readonly kind: 'flat'; readonly symbol: string }
  | { readonly kind: 'open'; readonly position: ShownPosition; readonly before: Remembered | null; readonly sinceMs: number | null; readonly alerts: boolean };

async function read(database: Queryable, accountId: string): Promise<readonly Remembered[]> {
  const rows = await database.rows<{ symbol: string; tradeId: string | null; protection: Protection; unprotectedSince: Date | null; alerted: boolean }>(
    'SELECT r.symbol, r.trade_id AS "tradeId", r.protection, r.unprotected_since AS "unprotectedSince", r.alerted_at IS NOT NULL AS alerted FROM position_protections r WHERE r.account_id = $1', accountId,
  );
  return rows.map(({ symbol, tradeId, protection, unprotectedSince, alerted }) => ({ symbol, tradeId, protection, unprotectedSinceMs: unprotectedSince?.getTime() ?? null, alerted }));
}
