/** The venue's word on positions and balances: kept beside what the fills make, and told when it changes. */
import { isoTime } from '../../domain/clock';
import { decimal, decimalText, ZERO } from '../../domain/decimal';
import { carriedTrip } from '../../domain/trade';
import type { VenueBalance, VenuePosition } from '../../domain/venue';
import { symbolsOf } from '../orders/adoption';
import type { ChangeSet } from '../change-set';
import type { StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { dayOf, unrealizedOf } from '../risk/figures';
import { emptyPosition, positionOf, positionRowOf, POSITION_FROM, POSITION_SELECT, type PositionRow } from '../orders/fill-rows';
import { LISTED_SQL } from '../database/listing';
import type { LockedAccount } from '../database/locks';
import { putTrip } from './trade-rows';

/** A position, or that there is none. */
export type ConfirmedPosition = VenuePosition | { readonly venueSymbol: string; readonly side: 'flat' };
export type ConfirmedBalance = VenueBalance;

interface PositionWord {
  readonly account: LockedAccount;
  readonly positions: readonly ConfirmedPosition[];
  /** Venue's time of this word, ms. */
  readonly atMs: number;
  readonly complete: boolean;
  /** Make it our own base too. */
  readonly carryIn: boolean;
}

export async function putPositions(core: StoreCore, tx: Queryable, changes: ChangeSet, word: PositionWord): Promise<void> {
  const { account, positions, atMs } = word;
  const at = isoTime(core.clock.nowMs());
  const symbolOf = await symbolsOf(tx, account.venue, positions.map((position) => position.venueSymbol));
  const rows = (await tx.rows(`SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE p.account_id = $1`, account.id)).map(positionRowOf);
  const held = new Map(rows.map((row) => [row.venueSymbol, row]));
  const told = new Set(positions.map((position) => position.venueSymbol));
  const known = new Map(rows.map((row) => [row.venueSymbol, row]));
  const missing: ConfirmedPosition[] = word.complete ? rows.filter((row) => !told.has(row.venueSymbol) && row.venueQuantity !== '0').map((row) => ({ venueSymbol: row.venueSymbol, side: 'flat' })) : [];
  for (const position of [...positions, ...missing]) {
    const before = held.get(position.venueSymbol) ?? emptyPosition(account, symbolOf(position.venueSymbol), position.venueSymbol, at);
    if (before.venueAtMs !== null && before.venueAtMs > atMs) continue;
    const confirmed = confirmedRow(before, position, atMs);
    const after = word.carryIn ? carryTrip(changes, account, before, await carriedIn(tx, confirmed, atMs, at), await quoteOf(tx, confirmed), at) : confirmed;
    changes.putPosition(after);
    known.set(after.venueSymbol, after);
    if (word.carryIn) changes.addEvent(account, { type: 'account.carryIn', orderId: null, data: { symbol: after.symbol, quantity: after.quantity, previousQuantity: before.quantity, atMs } }, at);
    if (isNews(before, after)) changes.addEvent(account, { type: 'position.updated', orderId: null, data: { position: positionOf(after) } }, at);
  }
  if (word.complete) await keepUnrealized(core, tx, account, [...known.values()]);
}

/**
 * What the positions have gained by now, kept with the day: the last word of a day is where the next day's profit begins. It is
 * written with every complete look of the watcher, so it is as old as that at midnight; what a price does between counts
 * for the new day. Without a fresh price of something held the earlier word stays, and the longer loss counts.
 */
async function keepUnrealized(core: StoreCore, tx: Queryable, account: LockedAccount, rows: readonly PositionRow[]): Promise<void> {
  const held = rows.map((row) => ({ ...row, quantity: row.venueQuantity ?? row.quantity, entryPrice: row.venueQuantity === null || row.venueQuantity === row.quantity ? row.entryPrice : (row.venueEntryPrice ?? row.entryPrice) }));
  const unrealized = unrealizedOf(held, (symbol) => core.markOf(account.venue, symbol));
  if (unrealized === null) return;
  await tx.rows(
    `INSERT INTO daily_profits(account_id, day, user_id, profit, closing_unrealized) VALUES ($1, $2::date, $3, 0, $4::numeric)
     ON CONFLICT (account_id, day) DO UPDATE SET closing_unrealized = excluded.closing_unrealized WHERE daily_profits.closing_unrealized IS DISTINCT FROM excluded.closing_unrealized RETURNING account_id`,
    account.id, dayOf(core.clock.nowMs()), account.userId, unrealized,
  );
}

export async function putBalances(core: StoreCore, tx: Queryable, changes: ChangeSet, account: LockedAccount, balances: readonly ConfirmedBalance[], atMs: number): Promise<void> {
  const rows = await tx.rows<{ asset: string; total: string; available: string; locked: string; atMs: number }>(
    'SELECT asset, trim_scale(total)::text AS total, trim_scale(available)::text AS available, trim_scale(locked)::text AS locked, at_ms::float8 AS "atMs" FROM balances WHERE account_id = $1',
    account.id,
  );
  const held = new Map(rows.map((row) => [row.asset, row]));
  const updatedAt = isoTime(core.clock.nowMs());
  const newest = new Map(balances.map((balance) => [balance.asset, balance]));
  for (const balance of newest.values()) {
    const before = held.get(balance.asset);
    if (before !== undefined && before.atMs > atMs) continue;
    const after = { asset: balance.asset, total: decimalText(balance.total), available: decimalText(balance.available), locked: decimalText(balance.locked) };
    changes.putBalance({ ...after, accountId: account.id, userId: account.userId, atMs, updatedAt });
    const same = before?.total === after.total && before.available === after.available && before.locked === after.locked;
    if (!same) changes.addEvent(account, { type: 'balance.updated', orderId: null, data: { balance: { ...after, accountId: account.id, updatedAt } } }, updatedAt);
  }
}

/** `updatedAt` stays: it is when the holding changed, and marks move all the time. */
function confirmedRow(before: PositionRow, position: ConfirmedPosition, atMs: number): PositionRow {
  if (position.side === 'flat') return { ...before, venueQuantity: '0', venueEntryPrice: null, margin: null, liquidationPrice: null, unrealizedPnl: null, venueAtMs: atMs };
  const quantity = decimal(position.quantity);
  return {
    ...before,
    venueQuantity: decimalText(position.side === 'long' ? quantity : quantity.negated()), venueEntryPrice: position.entryPrice,
    markPrice: position.markPrice ?? before.markPrice, leverage: position.leverage ?? before.leverage, margin: position.margin, liquidationPrice: position.liquidationPrice, unrealizedPnl: position.unrealizedPnl,
    venueAtMs: atMs,
  };
}

/** Fills that are newer than the venue's word come on top of it. */
async function carriedIn(tx: Queryable, row: PositionRow, atMs: number, at: string): Promise<PositionRow> {
  const [since] = await tx.rows<{ added: string }>(
    `SELECT coalesce(sum(CASE f.side WHEN 'buy' THEN f.quantity ELSE -f.quantity END), 0)::text AS added FROM fills f WHERE f.account_id = $1 AND ${LISTED_SQL('f')} AND f.symbol = $2 AND f.at > $3::timestamptz`,
    row.accountId, row.symbol, isoTime(atMs),
  );
  const quantity = decimal(row.venueQuantity ?? '0').plus(decimal(since?.added ?? '0'));
  const flat = quantity.equals(ZERO);
  return { ...row, quantity: decimalText(quantity), entryPrice: flat ? null : (row.venueEntryPrice ?? row.entryPrice), openedAt: flat ? row.openedAt : (row.openedAt ?? at), closedAt: flat ? at : null, updatedAt: at };
}

/** What is carried in has no fills: the round trip that was open ends as far as it is known, and what is held begins another. */
function carryTrip(changes: ChangeSet, account: LockedAccount, before: PositionRow, after: PositionRow, asset: string, at: string): PositionRow {
  const open = before.trade !== null && before.trade.closedAt === null ? before.trade : null;
  const isFlat = decimal(after.quantity).isZero();
  if (decimal(after.quantity).equals(decimal(before.quantity)) && (isFlat || open !== null)) return after;
  const place = { venue: after.venue, symbol: after.symbol, venueSymbol: after.venueSymbol, asset };
  const ended = open === null ? before.trade : putTrip(changes, account, open, { ...open, carriedIn: true, closedAt: at }, place, null, at);
  const trade = isFlat ? ended : putTrip(changes, account, null, carriedTrip({ ...after, openedAt: open === null ? after.openedAt : at }, at), place, null, at);
  return { ...after, tradeId: trade?.id ?? null, trade };
}

/** Empty where the market is unknown. */
async function quoteOf(tx: Queryable, { venue, symbol }: PositionRow): Promise<string> {
  const [row] = await tx.rows<{ quote: string }>('SELECT m.quote FROM markets m WHERE m.venue = $1 AND m.symbol = $2', venue, symbol);
  return row?.quote ?? '';
}

/** Marks and what follows from them change with every tick and are no news. */
function isNews(before: PositionRow, after: PositionRow): boolean {
  return (['quantity', 'venueQuantity', 'venueEntryPrice', 'leverage', 'marginMode'] as const).some((field) => before[field] !== after[field] && !(before[field] === null && after[field] === '0'));
}
