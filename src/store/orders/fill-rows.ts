/** Fills inside the evidence transaction: which are new, and what they do to positions and the day's profit. */
import { randomUUID } from 'node:crypto';
import type { Position } from '../../domain/account';
import { isoTime } from '../../domain/clock';
import { decimal, decimalText } from '../../domain/decimal';
import { fillKey } from '../../domain/evidence';
import { fillPostings, type LedgerMarket } from '../../domain/ledger';
import { applyFill, signedQuantity, unrealizedPnl } from '../../domain/position';
import { foldTrip, type TripFill } from '../../domain/trade';
import type { Fill, Order } from '../../domain/order';
import type { VenueFill } from '../../domain/venue';
import type { ChangeSet } from '../change-set';
import { pick, plainRow, recordset, selectList } from '../database/columns';
import type { Queryable, Row } from '../database/database';
import { dayOf } from '../risk/figures';
import type { LockedAccount } from '../database/locks';
import { POSITION_COLUMNS } from '../database/tables';
import { JOINED_TRADE_SELECT, joinedTradeOf, putTrip, tradeOf, type TradeRow } from '../money/trade-rows';

/** A position's whole row. */
export interface PositionRow {
  id: string;
  userId: string;
  accountId: string;
  venue: string;
  symbol: string;
  venueSymbol: string;
  quantity: string;
  entryPrice: string | null;
  realizedPnl: string;
  openedAt: string | null;
  closedAt: string | null;
  updatedAt: string;
  venueQuantity: string | null;
  venueEntryPrice: string | null;
  markPrice: string | null;
  leverage: string | null;
  marginMode: string;
  margin: string | null;
  liquidationPrice: string | null;
  unrealizedPnl: string | null;
  venueAtMs: number | null;
  tradeId: string | null;
  /** The round trip `tradeId` names. */
  trade: TradeRow | null;
}

export const POSITION_SELECT = `${selectList(POSITION_COLUMNS, 'p')}, ${JOINED_TRADE_SELECT}`;
export const POSITION_FROM = 'positions p LEFT JOIN trades t ON t.id = p.trade_id';

export function positionRowOf(row: Row): PositionRow {
  return { ...pick(POSITION_COLUMNS, plainRow(row)), trade: joinedTradeOf(row) } as unknown as PositionRow;
}

export function emptyPosition(account: LockedAccount, symbol: string, venueSymbol: string, at: string): PositionRow {
  return {
    id: randomUUID(), userId: account.userId, accountId: account.id, venue: account.venue, symbol, venueSymbol,
    quantity: '0', entryPrice: null, realizedPnl: '0', openedAt: null, closedAt: null, updatedAt: at,
    venueQuantity: null, venueEntryPrice: null, markPrice: null, leverage: null, marginMode: 'cross', margin: null,
    liquidationPrice: null, unrealizedPnl: null, venueAtMs: null, tradeId: null, trade: null,
  };
}

/**
 * A position as the API shows it: its profit, fees and funding are those of its round trip, or of the last one while it is flat. What is
 * not realized is that of the quantity and the mark beside it: the venue's own figure is of its last report, before fills and prices since.
 */
export function positionOf(row: PositionRow): Position {
  const trade = row.trade === null ? null : tradeOf(row.trade);
  const quantity = decimal(row.quantity);
  const notional = row.markPrice === null ? null : decimalText(quantity.abs().times(decimal(row.markPrice)));
  return {
    id: row.id, accountId: row.accountId, venue: row.venue, symbol: row.symbol,
    side: quantity.isZero() ? 'flat' : quantity.isPositive() ? 'long' : 'short',
    quantity: decimalText(quantity.abs()), entryPrice: row.entryPrice ?? trade?.entryPrice ?? null, exitPrice: trade?.exitPrice ?? null, markPrice: row.markPrice, notional, leverage: row.leverage,
    marginMode: row.marginMode === 'isolated' ? 'isolated' : 'cross', margin: row.margin, liquidationPrice: row.liquidationPrice,
    unrealizedPnl: quantity.isZero() ? null : (unrealizedPnl(row, row.markPrice) ?? row.unrealizedPnl), realizedPnl: trade?.realizedPnl ?? row.realizedPnl,
    fees: trade?.fees ?? '0', fundingPaid: decimalText(decimal(trade?.funding ?? '0').negated()), profit: trade?.profit ?? row.realizedPnl, tradeId: row.tradeId, openedAt: row.openedAt, closedAt: row.closedAt, updatedAt: row.updatedAt,
  };
}

/** Identity of a fill within an account. */
export function fillIdentity(fill: Pick<VenueFill, 'venueSymbol' | 'venueOrderId' | 'venueFillId' | 'side'>): string {
  return JSON.stringify([fill.venueSymbol, fill.venueOrderId, fill.venueFillId, fill.side]);
}

/** Which of these fills an account has already: `accountId` + identity. Read under the account's lock. */
export async function knownFills(tx: Queryable, wanted: readonly { readonly accountId: string; readonly fill: VenueFill }[]): Promise<Set<string>> {
  if (wanted.length === 0) return new Set();
  const keys = wanted.map(({ accountId, fill }) => ({ accountId, venueSymbol: fill.venueSymbol, venueOrderId: fill.venueOrderId, venueFillId: fill.venueFillId, side: fill.side }));
  const columns = { accountId: 'text', venueSymbol: 'text', venueOrderId: 'text', venueFillId: 'text', side: 'text' } as const;
  const rows = await tx.rows(
    `SELECT ${selectList(columns, 'f')} FROM fills f JOIN ${recordset(columns, 1)} ON f.account_id = r."accountId" AND f.venue_symbol = r."venueSymbol" AND f.venue_order_id = r."venueOrderId" AND f.venue_fill_id = r."venueFillId" AND f.side = r."side"`,
    JSON.stringify(keys),
  );
  return new Set(rows.map((row) => `${String(row['accountId'])} ${fillIdentity(row as unknown as VenueFill)}`));
}

/** Positions and market words of the fills' symbols, then each fill folded in; adds rows and events to the change set. */
export class FillBook {
  private readonly positions = new Map<string, PositionRow>();
  private readonly markets = new Map<string, LedgerMarket>();

  constructor(private readonly changes: ChangeSet) {}

  async load(tx: Queryable, orders: readonly Order[]): Promise<void> {
    const keys = orders.map(({ accountId, venue, symbol }) => ({ accountId, venue, symbol }));
    const rows = await tx.rows(
      `SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE (p.account_id, p.symbol) IN (SELECT r."accountId", r."symbol" FROM ${recordset({ accountId: 'text', symbol: 'text' }, 1)})`,
      JSON.stringify(keys),
    );
    for (const row of rows.map(positionRowOf)) {
      const key = `${row.accountId}/${row.symbol}`;
      // What this transaction has changed is newer than what is stored.
      if (!this.positions.has(key)) this.positions.set(key, row);
    }
    const markets = await tx.rows(`SELECT m.venue, m.symbol, m.base, m.quote, m.kind FROM markets m WHERE (m.venue, m.symbol) IN (SELECT r."venue", r."symbol" FROM ${recordset({ venue: 'text', symbol: 'text' }, 1)})`, JSON.stringify(keys));
    for (const market of markets) this.markets.set(`${String(market['venue'])}/${String(market['symbol'])}`, { base: String(market['base']), quote: String(market['quote']), kind: market['kind'] === 'spot' ? 'spot' : 'perpetual' });
  }

  add(account: LockedAccount, order: Order, fill: VenueFill, recordedAt: string): void {
    const at = isoTime(fill.atMs);
    const key = `${account.id}/${order.symbol}`;
    const before = this.positions.get(key) ?? emptyPosition(account, order.symbol, order.venueSymbol, recordedAt);
    const market = this.marketOf(order, fill);
    // Of spot a venue's figure says nothing: what the goods had cost is known here.
    const { position, realizedPnl } = applyFill(before, { ...fill, realizedPnl: market.kind === 'spot' ? null : fill.realizedPnl, at });
    // The venue's last word moves only by fills that are newer than it.
    const venueQuantity = before.venueQuantity === null || (before.venueAtMs !== null && fill.atMs <= before.venueAtMs) ? before.venueQuantity : decimalText(decimal(before.venueQuantity).plus(signedQuantity(fill.side, fill.quantity)));
    const fee = this.feeInQuote(order, fill);
    const trade = this.tradeAfter(account, order, before, { side: fill.side, price: fill.price, quantity: fill.quantity, realizedPnl, fee, at }, market.quote, recordedAt);
    const after: PositionRow = { ...before, ...position, venueQuantity, updatedAt: recordedAt, tradeId: trade?.id ?? null, trade };
    this.positions.set(key, after);
    this.changes.putPosition(after);
    this.changes.addProfit(account, dayOf(fill.atMs), decimalText(decimal(realizedPnl).minus(fee)));
    this.changes.insertLedger(account, { fact: fillKey(fill), kind: 'fill', symbol: order.symbol, at, postings: fillPostings(fill, market, realizedPnl) });
    const shown: Fill = {
      venueFillId: fill.venueFillId, orderId: order.id, venueOrderId: fill.venueOrderId, accountId: account.id, venue: order.venue, symbol: order.symbol, side: fill.side,
      price: decimalText(fill.price), quantity: decimalText(fill.quantity), fee: decimalText(fill.fee), feeAsset: fill.feeAsset, liquidity: fill.liquidity, realizedPnl, at,
    };
    this.changes.insertFill({ ...shown, id: randomUUID(), userId: account.userId, venueSymbol: order.venueSymbol });
    this.changes.addEvent(account, { type: 'fill.created', orderId: order.id, data: { fill: shown } }, recordedAt);
    this.changes.addEvent(account, { type: 'position.updated', orderId: order.id, data: { position: positionOf(after) } }, recordedAt);
  }

  /** Writes the round trips that the fill changes; gives the one that is open after it, or the one it ended. */
  private tradeAfter(account: LockedAccount, order: Order, before: PositionRow, fill: TripFill, asset: string, recordedAt: string): TradeRow | null {
    const current = before.trade !== null && before.trade.closedAt === null ? before.trade : null;
    const { ended, open } = foldTrip(current, before, fill);
    const place = { venue: order.venue, symbol: order.symbol, venueSymbol: order.venueSymbol, asset };
    const last = ended === null ? null : putTrip(this.changes, account, current, ended, place, order.id, recordedAt);
    return open === null ? last : putTrip(this.changes, account, ended === null ? current : null, open, place, order.id, recordedAt);
  }

  /** Where the market is unknown, money is counted in what the fee was paid in. */
  private marketOf(order: Order, fill: { readonly feeAsset: string }): LedgerMarket {
    return this.markets.get(`${order.venue}/${order.symbol}`) ?? { base: order.symbol, quote: fill.feeAsset, kind: 'perpetual' };
  }

  /** A fee in the base asset is valued at the fill; one in a third asset has no price here and is left out. */
  private feeInQuote(order: Order, fill: VenueFill): string {
    const market = this.markets.get(`${order.venue}/${order.symbol}`);
    if (market === undefined || market.quote === fill.feeAsset) return fill.fee;
    return market.base === fill.feeAsset ? decimalText(decimal(fill.fee).times(decimal(fill.price))) : '0';
  }
}
