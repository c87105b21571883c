/**
 * Kill switches. A latch is written into the row of every account of its scope, under that row's lock: the placing transaction, which
 * takes the same lock, sees it or came before it. It stays there over every restart, until a person releases the switch.
 */
import { createHash } from 'node:crypto';
import { SYSTEM_ACTOR } from '../../domain/audit';
import { childOrderId } from '../../domain/client-ids';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { sharper, type KillSwitch, type KillSwitchFacts, type KillSwitchMode, type NewKillSwitch } from '../../domain/kill-switch';
import type { OrderSide } from '../../domain/order';
import { appendAct } from '../audit/audit';
import { plainRow, type Columns, selectList } from '../database/columns';
import { change, type StoreCore } from '../core';
import type { Queryable, Row } from '../database/database';
import { LISTED_SQL } from '../database/listing';
import { lockAccounts, type LockedAccount } from '../database/locks';
import { OPEN_SQL } from '../orders/orders';

export const KILL_SWITCH_COLUMNS = {
  id: 'text', userId: 'text', scope: 'text', accountId: 'text', venue: 'text', mode: 'text', reason: 'text', latchedAt: 'timestamptz', latchedBy: 'text', releasedAt: 'timestamptz', releasedBy: 'text',
} as const satisfies Columns;

export interface KillSwitchExit {
  readonly n: number;
  readonly accountId: string;
  readonly symbol: string;
  readonly orderId: string;
  readonly side: OrderSide;
  readonly quantity: string;
  readonly recordedAtMs: number;
  /** null: its order has no row yet. */
  readonly state: string | null;
  readonly filledQuantity: string;
}

const SELECT = selectList(KILL_SWITCH_COLUMNS, 'k');
/** Whether a latched switch k covers an account a. */
const COVERS = `k.user_id = a.user_id AND k.released_at IS NULL AND (k.scope = 'all' OR (k.scope = 'venue' AND k.venue = a.venue) OR (k.scope = 'account' AND k.account_id = a.id))`;

const FACTS_SQL = `SELECT a.id AS "accountId", a.venue,
    (SELECT count(*)::int FROM orders o WHERE o.account_id = a.id AND ${OPEN_SQL}) AS "openOrders",
    (SELECT count(*)::int FROM orders o WHERE o.account_id = a.id AND ${OPEN_SQL} AND o.state = 'UNKNOWN') AS "unknownOrders",
    (SELECT count(*)::int FROM orders o WHERE o.account_id = a.id AND ${OPEN_SQL} AND o.origin = 'EXTERNAL') AS "outsideOrders",
    (SELECT count(*)::int FROM strategies s WHERE s.account_id = a.id AND s.ended_at IS NULL) AS "openStrategies",
    (SELECT count(*)::int FROM order_lists l WHERE l.ended_at IS NULL AND l.legs @> jsonb_build_array(jsonb_build_object('accountId', a.id))) AS "openLists",
    (SELECT coalesce(json_agg(json_build_object('symbol', p.symbol, 'quantity', trim_scale(CASE WHEN coalesce(p.venue_quantity, 0) <> 0 THEN p.venue_quantity ELSE p.quantity END)::text) ORDER BY p.symbol), '[]'::json)
       FROM positions p WHERE p.account_id = a.id AND (p.quantity <> 0 OR p.venue_quantity <> 0)) AS positions,
    (SELECT e.checkpoint FROM epochs e WHERE e.scope = 'account/' || a.id) AS checkpoint,
    (SELECT f.at FROM fills f WHERE f.account_id = a.id AND ${LISTED_SQL('f')} ORDER BY f.at DESC LIMIT 1) AS "lastFill",
    (SELECT e.trouble FROM (
       SELECT DISTINCT ON (x.symbol) x.n, CASE WHEN o.filled_quantity = 0 THEN o.reason_message END AS trouble FROM kill_switch_exits x JOIN orders o ON o.id = x.order_id JOIN positions p ON p.account_id = a.id AND p.symbol = x.symbol
         WHERE x.kill_switch_id = $1 AND x.account_id = a.id AND (o.filled_quantity > 0 OR o.reason_code IS NOT NULL) AND (p.quantity <> 0 OR p.venue_quantity <> 0) ORDER BY x.symbol, x.n DESC
     ) e WHERE e.trouble IS NOT NULL ORDER BY e.n DESC LIMIT 1) AS "exitTrouble"
  FROM accounts a JOIN kill_switches k ON k.id = $1 WHERE a.deleted_at IS NULL AND ${COVERS} ORDER BY a.id`;

/** Of a user. */
export const LATCHED_SQL = `SELECT ${SELECT} FROM kill_switches k WHERE k.user_id = $1 AND k.released_at IS NULL ORDER BY k.latched_at, k.id`;

export class KillSwitches {
  constructor(private readonly core: StoreCore) {}

  /**
   * Latches, or sharpens the switch that holds the same scope already; a milder one changes nothing. Throws NOT_FOUND for an account
   * that is not the user's.
   */
  async latch(wanted: NewKillSwitch, actor: string): Promise<{ readonly killSwitch: KillSwitch; readonly isNew: boolean }> {
    const known = await covered(this.core.database, wanted);
    if (wanted.scope === 'account' && known.length === 0) throw new DomainError('NOT_FOUND', `account ${wanted.accountId ?? ''} does not exist`);
    return change(this.core, known, async (tx, changes) => {
      const accounts = await lockCovered(tx, wanted, known);
      const accountIds = [...accounts.keys()];
      const at = isoTime(this.core.clock.nowMs());
      const [row] = await tx.rows(
        `SELECT ${SELECT} FROM kill_switches k WHERE k.user_id = $1 AND k.released_at IS NULL AND k.scope = $2 AND k.account_id IS NOT DISTINCT FROM $3 AND k.venue IS NOT DISTINCT FROM $4`,
        wanted.userId, wanted.scope, wanted.accountId, wanted.venue,
      );
      const earlier = row === undefined ? null : killSwitchOf(row);
      const killSwitch: KillSwitch = earlier === null ? { ...wanted, latchedAt: at, latchedBy: actor, releasedAt: null, releasedBy: null } : { ...earlier, mode: sharper(earlier.mode, wanted.mode) };
      if (earlier !== null && earlier.mode === killSwitch.mode) return { killSwitch: earlier, isNew: false };
      if (earlier === null) {
        await tx.rows(
          'INSERT INTO kill_switches(id, user_id, scope, account_id, venue, mode, reason, latched_at, latched_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::timestamptz, $9) RETURNING id',
          killSwitch.id, killSwitch.userId, killSwitch.scope, killSwitch.accountId, killSwitch.venue, killSwitch.mode, killSwitch.reason, at, actor,
        );
        await tx.rows('UPDATE accounts SET kill_switch_id = $2, updated_at = $3::timestamptz WHERE id = ANY($1::text[]) RETURNING id', accountIds, killSwitch.id, at);
      } else {
        await tx.rows('UPDATE kill_switches SET mode = $2 WHERE id = $1 RETURNING id', killSwitch.id, killSwitch.mode);
      }
      for (const account of accounts.values()) {
        if (account.status !== 'HALTED') changes.addEvent(account, { type: 'account.statusChanged', orderId: null, data: { status: 'HALTED', reason: latchedReason(killSwitch), previousStatus: account.status } }, at);
        changes.addEvent(account, { type: 'account.alert', orderId: null, data: { kind: 'killSwitchLatched', killSwitch } }, at);
      }
      await appendAct(tx, { userId: wanted.userId, actor, act: 'killSwitch.latched', subject: `killSwitch:${killSwitch.id}`, data: { ...killSwitch, previousMode: earlier?.mode ?? null }, at });
      return { killSwitch, isNew: earlier === null };
    });
  }

  /**
   * Latches what a restored database has lost: rows of switches are never deleted. null: whom or what it held is lost as well, or
   * another switch of its scope holds it.
   */
  async latchAgain(lost: NewKillSwitch): Promise<KillSwitch | null> {
    const [owner] = await this.core.database.rows('SELECT id FROM users WHERE id = $1', lost.userId);
    if (owner === undefined || (lost.scope === 'account' && (await covered(this.core.database, lost)).length === 0)) return null;
    const { killSwitch } = await this.latch(lost, SYSTEM_ACTOR);
    return killSwitch.id === lost.id ? killSwitch : null;
  }

  /** What its accounts' own status is counts again, unless another switch holds them. Throws NOT_FOUND. */
  async release(id: string, userId: string, actor: string): Promise<KillSwitch> {
    const known = await this.byId(id, userId);
    if (known === null) throw new DomainError('NOT_FOUND', `kill switch ${id} does not exist`);
    if (known.releasedAt !== null) return known;
    const first = await covered(this.core.database, known);
    return change(this.core, first, async (tx, changes) => {
      const accountIds = [...(await lockCovered(tx, known, first)).keys()];
      const at = isoTime(this.core.clock.nowMs());
      const [row] = await tx.rows(`UPDATE kill_switches k SET released_at = $2::timestamptz, released_by = $3 WHERE k.id = $1 AND k.released_at IS NULL RETURNING ${SELECT}`, id, at, actor);
      if (row === undefined) return { ...known, releasedAt: at, releasedBy: actor };
      await tx.rows(
        `UPDATE accounts a SET kill_switch_id = (SELECT k.id FROM kill_switches k WHERE ${COVERS} ORDER BY k.latched_at LIMIT 1), updated_at = $2::timestamptz WHERE a.user_id = $3 AND a.kill_switch_id = $1 RETURNING a.id`,
        id, at, userId,
      );
      const killSwitch = killSwitchOf(row);
      for (const account of (await lockAccounts(tx, accountIds)).values()) {
        if (account.status !== 'HALTED') changes.addEvent(account, { type: 'account.statusChanged', orderId: null, data: { status: account.status, reason: account.statusReason, previousStatus: 'HALTED' } }, at);
        changes.addEvent(account, { type: 'account.alert', orderId: null, data: { kind: 'killSwitchReleased', killSwitch } }, at);
      }
      await appendAct(tx, { userId, actor, act: 'killSwitch.released', subject: `killSwitch:${id}`, data: { ...killSwitch }, at });
      return killSwitch;
    });
  }

  async byId(id: string, userId?: string): Promise<KillSwitch | null> {
    const [row] = await this.core.database.rows(`SELECT ${SELECT} FROM kill_switches k WHERE k.id = $1 AND ($2::text IS NULL OR k.user_id = $2)`, id, userId ?? null);
    return row === undefined ? null : killSwitchOf(row);
  }

  /** The user's latched ones, oldest first. */
  async latched(userId: string): Promise<readonly KillSwitch[]> {
    return (await this.core.database.rows(LATCHED_SQL, userId)).map(killSwitchOf);
  }

  /** Whoever's: for the sweeper. */
  async allLatched(): Promise<readonly KillSwitch[]> {
    return (await this.core.database.rows(`SELECT ${SELECT} FROM kill_switches k WHERE k.released_at IS NULL ORDER BY k.id`)).map(killSwitchOf);
  }

  /** Of every account that it covers. */
  async facts(id: string): Promise<readonly KillSwitchFacts[]> {
    return (await this.core.database.rows(FACTS_SQL, id)).map(factsOf);
  }

  /** Its exits, oldest first. */
  async exits(id: string): Promise<readonly KillSwitchExit[]> {
    const rows = await this.core.database.rows(
      `SELECT x.n, x.account_id AS "accountId", x.symbol, x.order_id AS "orderId", x.side, trim_scale(x.quantity)::text AS quantity, x.recorded_at AS "recordedAt", o.state, trim_scale(coalesce(o.filled_quantity, 0))::text AS "filledQuantity"
         FROM kill_switch_exits x LEFT JOIN orders o ON o.id = x.order_id WHERE x.kill_switch_id = $1 ORDER BY x.n`,
      id,
    );
    return rows.map((row) => {
      const { n, accountId, symbol, orderId, side, quantity, state, filledQuantity } = plainRow(row) as unknown as KillSwitchExit;
      return { n, accountId, symbol, orderId, side, quantity, state, filledQuantity, recordedAtMs: (row['recordedAt'] as Date).getTime() };
    });
  }

  /** Recorded before it is placed; null where somebody recorded one of that number. */
  async recordExit(id: string, exit: Pick<KillSwitchExit, 'n' | 'accountId' | 'symbol' | 'side' | 'quantity'>): Promise<KillSwitchExit | null> {
    const atMs = this.core.clock.nowMs();
    const orderId = childOrderId({ parentId: id, leg: 0, child: exit.n }, (text) => createHash('sha256').update(text).digest('hex'));
    const rows = await this.core.database.rows(
      `INSERT INTO kill_switch_exits(kill_switch_id, n, user_id, account_id, symbol, order_id, side, quantity, recorded_at)
       SELECT k.id, $2::int, k.user_id, $3, $4, $5, $6, $7::numeric, $8::timestamptz FROM kill_switches k WHERE k.id = $1 AND k.released_at IS NULL ON CONFLICT DO NOTHING RETURNING n`,
      id, exit.n, exit.accountId, exit.symbol, orderId, exit.side, exit.quantity, isoTime(atMs),
    );
    return rows.length === 0 ? null : { ...exit, orderId, recordedAtMs: atMs, state: null, filledQuantity: '0' };
  }
}

type Covering = Pick<KillSwitch, 'userId' | 'scope' | 'accountId' | 'venue'>;

async function covered(tx: Queryable, { userId, scope, accountId, venue }: Covering): Promise<readonly string[]> {
  const rows = await tx.rows<{ id: string }>(
    `SELECT a.id FROM accounts a WHERE a.user_id = $1 AND a.deleted_at IS NULL AND ($2 = 'all' OR ($2 = 'venue' AND a.venue = $4) OR ($2 = 'account' AND a.id = $3)) ORDER BY a.id`,
    userId, scope, accountId, venue,
  );
  return rows.map((row) => row.id);
}

/**
 * Every account that it covers, locked. A new account looks at its user's switches under the user's row's lock (latchNewAccount): one that
 * had it first is found here though it was not known before, and one that comes after finds the switch.
 */
async function lockCovered(tx: Queryable, covering: Covering, known: readonly string[]): Promise<ReadonlyMap<string, LockedAccount>> {
  const accounts = await lockAccounts(tx, known);
  await tx.rows('SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE', covering.userId);
  const made = (await covered(tx, covering)).filter((id) => !accounts.has(id));
  return made.length === 0 ? accounts : new Map([...accounts, ...(await lockAccounts(tx, made))]);
}

/** Of an account that is made now: the switch that holds it from its beginning. The user's row is locked first, as latching does. */
export async function latchNewAccount(tx: Queryable, accountId: string, userId: string): Promise<void> {
  await tx.rows('SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE', userId);
  await tx.rows(`UPDATE accounts a SET kill_switch_id = (SELECT k.id FROM kill_switches k WHERE ${COVERS} ORDER BY k.latched_at LIMIT 1) WHERE a.id = $1 RETURNING a.id`, accountId);
}

export function latchedReason({ id, mode }: { readonly id: string; readonly mode?: KillSwitchMode }): string {
  return `kill switch ${id}${mode === undefined ? '' : ` (${mode})`} holds it until it is released`;
}

function killSwitchOf(row: Row): KillSwitch {
  const plain = plainRow(row);
  return Object.fromEntries(Object.keys(KILL_SWITCH_COLUMNS).map((field) => [field, plain[field]])) as unknown as KillSwitch;
}

function factsOf(row: Row): KillSwitchFacts {
  const { accountId, venue, openOrders, unknownOrders, outsideOrders, openStrategies, openLists, positions, exitTrouble } = plainRow(row) as unknown as KillSwitchFacts;
  const checkpoint = (row['checkpoint'] ?? {}) as Readonly<Record<string, unknown>>;
  const timeOf = (field: string): number | null => (typeof checkpoint[field] === 'number' ? checkpoint[field] : null);
  const lastFillMs = row['lastFill'] instanceof Date ? row['lastFill'].getTime() : null;
  return { accountId, venue, openOrders, unknownOrders, outsideOrders, openStrategies, openLists, positions, readFromMs: timeOf('lookedFromMs'), fillsReadToMs: timeOf('fillsReadToMs'), lastFillMs, exitTrouble };
}
