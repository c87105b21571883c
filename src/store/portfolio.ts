/** Reads of fills, positions and balances. */
import type { Balance, Position } from '../domain/account';
import type { Fill } from '../domain/order';
import { plainRow, selectList } from './columns';
import type { StoreCore } from './core';
import type { Parameter, Row } from './database';
import { positionOf, positionRowOf, POSITION_FROM, POSITION_SELECT } from './fill-rows';
import { newestFirst, type ListedTable, type ListFilters, type ListOptions } from './listing';
import { BALANCE_COLUMNS, FILL_COLUMNS } from './tables';

export interface FillListQuery extends ListFilters {
  readonly orderId: string | null;
}

export interface PositionListQuery {
  readonly userId: string;
  readonly status: 'open' | 'closed' | 'all';
  readonly accountId: string | null;
  readonly symbol: string | null;
  readonly venue: string | null;
}

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

/** `alias.user_id = $1` and an equality for each filter that is given. */
function filtered(alias: string, userId: string, filters: Readonly<Record<string, string | null>>): { conditions: string[]; parameters: Parameter[] } {
  const conditions = [`${alias}.user_id = $1`];
  const parameters: Parameter[] = [userId];
  for (const [column, value] of Object.entries(filters)) {
    if (value === null) continue;
    parameters.push(value);
    conditions.push(`${alias}.${column} = $${parameters.length}`);
  }
  return { conditions, parameters };
}

/** The statement alone, for the test that reads its plan. */
export function positionsStatement(query: PositionListQuery): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const { conditions, parameters } = filtered('p', query.userId, { account_id: query.accountId, symbol: query.symbol, venue: query.venue });
  if (query.status === 'open') conditions.push('p.quantity <> 0');
  if (query.status === 'closed') conditions.push('p.quantity = 0 AND p.closed_at IS NOT NULL');
  return { sql: `SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE ${conditions.join(' AND ')} ORDER BY p.updated_at DESC, p.id DESC`, parameters };
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

  /** Most recently changed first. */
  async positions(query: PositionListQuery): Promise<readonly Position[]> {
    const { sql, parameters } = positionsStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    return rows.map((row) => this.shown(row));
  }

  async position(id: string, userId: string): Promise<Position | null> {
    const [row] = await this.core.database.rows(`SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE p.id = $1 AND p.user_id = $2`, id, userId);
    return row === undefined ? null : this.shown(row);
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
