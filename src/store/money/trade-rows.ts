/** Rows of round trips, and what their changes write: the row and its event, in the transaction of the fact that changed it. */
import { randomUUID } from 'node:crypto';
import { decimal, decimalText } from '../../domain/decimal';
import { averagePrice, profitOf, type RoundTrip, type Trade } from '../../domain/trade';
import type { ChangeSet } from '../change-set';
import { plainRow, selectList } from '../database/columns';
import type { Row } from '../database/database';
import type { LockedAccount } from '../database/locks';
import { TRADE_COLUMNS } from '../database/tables';

/** A round trip's whole row. */
export interface TradeRow extends RoundTrip {
  readonly id: string;
  readonly userId: string;
  readonly accountId: string;
  readonly venue: string;
  readonly symbol: string;
  readonly venueSymbol: string;
  /** Quote asset of the market. */
  readonly asset: string;
  readonly updatedAt: string;
}

const JOINED = 'trade_';
export const TRADE_SELECT = selectList(TRADE_COLUMNS, 't');
/** Beside the columns of another table. */
export const JOINED_TRADE_SELECT = selectList(TRADE_COLUMNS, 't', JOINED);

export function tradeRowOf(row: Row): TradeRow {
  return plainRow(row) as unknown as TradeRow;
}

/** null where the outer join found none. */
export function joinedTradeOf(row: Row): TradeRow | null {
  if (row[`${JOINED}id`] === null || row[`${JOINED}id`] === undefined) return null;
  const plain = plainRow(row);
  return Object.fromEntries(Object.keys(TRADE_COLUMNS).map((field) => [field, plain[`${JOINED}${field}`]])) as unknown as TradeRow;
}

/** A round trip as the API shows it. */
export function tradeOf(row: TradeRow): Trade {
  return {
    id: row.id, accountId: row.accountId, venue: row.venue, symbol: row.symbol, side: row.side, status: row.closedAt === null ? 'open' : 'closed',
    quantity: row.entryQuantity, entryPrice: averagePrice(row.entryQuantity, row.entryValue) ?? '0', exitQuantity: row.exitQuantity, exitPrice: averagePrice(row.exitQuantity, row.exitValue),
    realizedPnl: row.realizedPnl, fees: row.fees, funding: row.funding, profit: profitOf(row), asset: row.asset, carriedIn: row.carriedIn, openedAt: row.openedAt, closedAt: row.closedAt, updatedAt: row.updatedAt,
  };
}

/** Where a round trip belongs. */
export interface TradePlace {
  readonly venue: string;
  readonly symbol: string;
  readonly venueSymbol: string;
  readonly asset: string;
}

/** Adds the round trip's row and event; `before` is the row it continues, if any. Gives the new row. */
export function putTrip(changes: ChangeSet, account: LockedAccount, before: TradeRow | null, trip: RoundTrip, { venue, symbol, venueSymbol, asset }: TradePlace, orderId: string | null, at: string): TradeRow {
  const row: TradeRow = { ...trip, id: before?.id ?? randomUUID(), userId: account.userId, accountId: account.id, venue, symbol, venueSymbol, asset: before?.asset ?? asset, updatedAt: at };
  changes.putTrade(row);
  const type = row.closedAt !== null && before?.closedAt !== row.closedAt ? 'trade.closed' : before === null ? 'trade.opened' : 'trade.updated';
  changes.addEvent(account, { type, orderId, data: { trade: tradeOf(row) } }, at);
  return row;
}

/** The round trip after a funding payment; `amount` as the balance changed. */
export function withFunding<Trip extends RoundTrip>(trip: Trip, amount: string): Trip {
  return { ...trip, funding: decimalText(decimal(trip.funding).plus(decimal(amount))) };
}
