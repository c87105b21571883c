/** Reads of trades and of the ledger. */
import type { LedgerEntry } from '../../domain/ledger';
import { DomainError } from '../../domain/errors';
import type { Trade } from '../../domain/trade';
import { plainRow, selectList } from '../database/columns';
import type { StoreCore } from '../core';
import type { Parameter } from '../database/database';
import { newestFirst, type ListedTable, type ListFilters, type ListOptions } from '../database/listing';
import { LEDGER_COLUMNS } from '../database/tables';
import { tradeOf, tradeRowOf, TRADE_SELECT } from './trade-rows';

export interface TradeListQuery extends ListFilters {
  readonly status: 'open' | 'closed' | 'all';
}

export interface LedgerListQuery {
  readonly userId: string;
  readonly accountId: string;
  readonly cursor: string | null;
  readonly limit: number;
}

export const LISTED_TRADES: ListedTable = { table: 'trades', alias: 't', select: TRADE_SELECT, at: 'opened_at', atField: 'openedAt' };
export const TRADE_LISTS: Readonly<Record<TradeListQuery['status'], ListOptions>> = {
  all: {},
  // A market has at most one that is open, so among the newest there are few to pass over.
  closed: { condition: 't.closed_at IS NOT NULL' },
  open: { few: { condition: 't.closed_at IS NULL', order: 'symbol' } },
};

export class Trades {
  constructor(private readonly core: StoreCore) {}

  /** Newest first, by when they were opened. Throws VALIDATION on a foreign cursor. */
  async list(query: TradeListQuery): Promise<{ readonly trades: readonly Trade[]; readonly nextCursor: string | null }> {
    const { rows, nextCursor } = await newestFirst(this.core.database, LISTED_TRADES, query, TRADE_LISTS[query.status]);
    return { trades: rows.map((row) => tradeOf(tradeRowOf(row))), nextCursor };
  }
}

export class Ledger {
  constructor(private readonly core: StoreCore) {}

  /** Newest first, as they were booked; the lines of one fact together. Throws VALIDATION on a foreign cursor. */
  async list(query: LedgerListQuery): Promise<{ readonly entries: readonly LedgerEntry[]; readonly nextCursor: string | null }> {
    const { sql, parameters } = ledgerStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const page = rows.slice(0, query.limit);
    const entries = page.map((row) => {
      const { accountId, fact, book, asset, amount, kind, symbol, at } = plainRow(row) as unknown as LedgerEntry;
      return { accountId, fact, book, asset, amount, kind, symbol, at };
    });
    return { entries, nextCursor: rows.length > query.limit ? String(page.at(-1)?.['number']) : null };
  }
}

export function ledgerStatement({ userId, accountId, cursor, limit }: LedgerListQuery): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  if (cursor !== null && !/^\d{1,15}$/.test(cursor)) throw new DomainError('VALIDATION', 'the cursor is not one that a listing gave: leave it out to start from the newest', { details: { field: 'cursor' } });
  const before = cursor === null ? '' : 'AND l.number < $4::bigint';
  return {
    sql: `SELECT ${selectList(LEDGER_COLUMNS, 'l')}, l.number::float8 AS number FROM ledger_entries l WHERE l.account_id = $1 AND l.user_id = $2 ${before} ORDER BY l.number DESC LIMIT $3::int`,
    parameters: [accountId, userId, limit + 1, ...(cursor === null ? [] : [Number(cursor)])],
  };
}
