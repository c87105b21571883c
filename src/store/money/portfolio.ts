/** Reads of fills, positions and balances. */
import type { Balance, Position } from '../../domain/account';
import { decimal, decimalText } from '../../domain/decimal';
import type { Fill } from '../../domain/order';
import type { ShownPosition } from '../../domain/protection';
import { plainRow, selectList } from '../database/columns';
import type { StoreCore } from '../core';
import { keyCursorOf, keyOf } from '../database/cursor';
import type { Parameter, Row } from '../database/database';
import { positionOf, positionRowOf, POSITION_FROM, POSITION_SELECT } from '../orders/fill-rows';
import { HELD_SQL } from '../orders/orders';
import { newestFirst, type ListedTable, type ListFilters, type ListOptions } from '../database/listing';
import { withProtection } from '../waiting/protections';
import { BALANCE_COLUMNS, FILL_COLUMNS } from '../database/tables';

export interface FillListQuery extends ListFilters {
  readonly orderId: string | null;
}

export interface PositionListQuery extends ListFilters {
  readonly status: 'open' | 'closed' | 'all';
}

const POSITIONS_WITH: Readonly<Record<PositionListQuery['status'], readonly string[]>> = {
  all: [],
  open: ['p.quantity <> 0'],
  // What is open is few beside what was closed: it is passed over.
  closed: ['p.quantity = 0', 'p.closed_at IS NOT NULL'],
};

export const FILL_SELECT = selectList(FILL_COLUMNS, 'f');

export const LISTED_FILLS: ListedTable = { table: 'fills', alias: 'f', select: FILL_SELECT, at: 'at', atField: 'at', apart: true };

/** The fills of one order are few, and have an index of their own. */
export function fillListOf(orderId: string | null): ListOptions {
  return orderId === null ? {} : { equal: { order_id: orderId }, few: { condition: 'true', order: 'order_id' } };
}

/** A fill's row as the API shows it. */
export function fillOf(row: Row): Fill {
  const { venueFillId, orderId, venueOrderId, accountId, venue, symbol, side, price, quantity, fee, feeAsset, liquidity, realizedPnl, at } = plainRow(row) as unknown as Fill;
  return { venueFillId, orderId, venueOrderId, accountId, venue, symbol, side, price, quantity, fee, feeAsset, liquidity, realizedPnl, at };
}

/**
 * By symbol, then account: what a position is does not change while its pages are read, as the time of its last change does.
 * Each account gives its first by its key, or by that of what is open. The statement alone, for the test that reads its plan.
 */
export function positionsStatement(query: PositionListQuery): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const parameters: Parameter[] = [query.userId];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const accounts = ['a.user_id = $1', ...(query.accountId === null ? [] : [`a.id = ${given(query.accountId)}`]), ...(query.venue === null ? [] : [`a.venue = ${given(query.venue)}`])];
  const rows = ['p.account_id = a.id', ...POSITIONS_WITH[query.status], ...(query.symbol === null ? [] : [`p.symbol = ${given(query.symbol)}`])];
  const after = keyOf('positions', query.cursor);
  if (after !== null) {
    const symbol = given(after[0]);
    rows.push(`p.symbol >= ${symbol}`, `(p.symbol, p.account_id) > (${symbol}, ${given(after[1])})`);
  }
  const limit = `LIMIT ${given(query.limit + 1)}::int`;
  const held = `SELECT p.* FROM accounts a CROSS JOIN LATERAL (SELECT * FROM positions p WHERE ${rows.join(' AND ')} ORDER BY p.symbol ${limit}) p WHERE ${accounts.join(' AND ')} ORDER BY p.symbol, p.account_id ${limit}`;
  return { sql: `SELECT ${POSITION_SELECT} FROM (${held}) p LEFT JOIN trades t ON t.id = p.trade_id ORDER BY p.symbol, p.account_id`, parameters };
}

/** Of an account of a user. */
export const BALANCES_SQL = `SELECT ${selectList(BALANCE_COLUMNS, 'b')} FROM balances b WHERE b.account_id = $1 AND b.user_id = $2 ORDER BY b.asset`;

export class Portfolio {
  constructor(private readonly core: StoreCore) {}

  /** Newest first. Throws VALIDATION on a foreign cursor. */
  async fills(query: FillListQuery): Promise<{ readonly fills: readonly Fill[]; readonly nextCursor: string | null }> {
    const { rows, nextCursor } = await newestFirst(this.core.database, LISTED_FILLS, query, fillListOf(query.orderId));
    return { fills: rows.map(fillOf), nextCursor };
  }

  /** By symbol, then account. Throws VALIDATION on a foreign cursor. */
  async positions(query: PositionListQuery): Promise<{ readonly positions: readonly ShownPosition[]; readonly nextCursor: string | null }> {
    const { sql, parameters } = positionsStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const page = rows.slice(0, query.limit).map((row) => this.shown(row));
    const last = page.at(-1);
    return { positions: await withProtection(this.core, page), nextCursor: rows.length > query.limit && last !== undefined ? keyCursorOf('positions', [last.symbol, last.accountId]) : null };
  }

  /** All that an account of the user holds. */
  async openPositions(accountId: string, userId: string): Promise<readonly Position[]> {
    const rows = await this.core.database.rows(`SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE p.account_id = $1 AND p.user_id = $2 AND p.quantity <> 0 ORDER BY p.symbol`, accountId, userId);
    return rows.map((row) => this.shown(row));
  }

  async position(id: string, userId: string): Promise<ShownPosition | null> {
    const [row] = await this.core.database.rows(`SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE p.id = $1 AND p.user_id = $2`, id, userId);
    if (row === undefined) return null;
    const [shown] = await withProtection(this.core, [this.shown(row)]);
    return shown ?? null;
  }

  /**
   * What there is to close of a position: with what orders say filled whose fills have not come yet, as the venue counts it already.
   * Orders that wait in a workflow show the sums of their children.
   */
  async closable(id: string, userId: string): Promise<Position | null> {
    const [row] = await this.core.database.rows(
      `SELECT ${POSITION_SELECT}, (p.quantity + coalesce(u.quantity, 0))::text AS "closable"
         FROM ${POSITION_FROM} LEFT JOIN LATERAL (
           SELECT sum(CASE o.side WHEN 'buy' THEN 1 ELSE -1 END * (o.filled_quantity - o.fills_quantity - o.fills_missing)) AS quantity
             FROM orders o WHERE o.account_id = p.account_id AND o.symbol = p.symbol AND o.filled_quantity > o.fills_quantity + o.fills_missing AND NOT ${HELD_SQL}) u ON true
        WHERE p.id = $1 AND p.user_id = $2`,
      id, userId,
    );
    return row === undefined ? null : positionOf({ ...positionRowOf(row), quantity: decimalText(decimal(row['closable'] as string)) });
  }

  async balances(accountId: string, userId: string): Promise<readonly Balance[]> {
    const rows = await this.core.database.rows(BALANCES_SQL, accountId, userId);
    return rows.map((row) => {
      const { asset, total, available, locked, updatedAt } = plainRow(row) as unknown as Balance;
      return { accountId, asset, total, available, locked, updatedAt };
    });
  }

  /** With a fresh mark where one is at hand. */
  private shown(row: Row): Position {
    const position = positionRowOf(row);
    return positionOf({ ...position, markPrice: this.core.markOf(position.venue, position.symbol) ?? position.markPrice });
  }
}
