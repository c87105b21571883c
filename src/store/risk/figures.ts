/** The figures of risk, read under the accounts' locks: a handful of rows per account, whatever the number of its orders. */
import { isoTime } from '../../domain/clock';
import { decimal, decimalText, minOf, ZERO } from '../../domain/decimal';
import { unrealizedPnl } from '../../domain/position';
import { emptySymbol, type AccountFigures, type SymbolFigures } from '../../risk/figures';
import type { MarkOf, QuoteOf } from '../orders/apply-evidence';
import { columnName, recordset } from '../database/columns';
import type { Queryable } from '../database/database';
import type { LockedAccount } from '../database/locks';
import { EXPOSURE_FIGURES } from '../database/tables';

interface ExposureRow {
  readonly accountId: string;
  readonly symbol: string;
  readonly openOrders: number;
  readonly openBuyQuantity: string;
  readonly openSellQuantity: string;
  readonly openBuyNotional: string;
  readonly openSellNotional: string;
  readonly reduceOnlyBuyQuantity: string;
  readonly reduceOnlySellQuantity: string;
}

interface PositionFigures {
  readonly accountId: string;
  readonly symbol: string;
  readonly quantity: string;
  readonly entryPrice: string | null;
  readonly unrealizedPnl: string | null;
  readonly leverage: string | null;
}

interface FigureRows {
  readonly exposures: readonly ExposureRow[] | null;
  readonly positions: readonly PositionFigures[] | null;
  readonly collateral: readonly { readonly accountId: string; readonly total: string }[] | null;
  readonly profits: readonly { readonly accountId: string; readonly profit: string; readonly opening: string | null }[] | null;
  readonly leverages: readonly { readonly accountId: string; readonly symbol: string; readonly maxLeverage: string }[] | null;
}

const EXPOSURE_FIELDS = Object.entries(EXPOSURE_FIGURES)
  .map(([field, kind]) => `'${field}', ${kind === 'numeric' ? `trim_scale(e.${columnName(field)})::text` : `e.${columnName(field)}`}`)
  .join(', ');

/**
 * Four scalar subqueries over ($1 account ids, $2 day, $3 wanted symbols). Where the venue has told a position, its word (and
 * the fills since) counts rather than our own sum. Collateral is what is held in the quote assets of the venue's markets.
 */
export const FIGURES_SQL = `
  (SELECT json_agg(json_build_object('accountId', e.account_id, 'symbol', e.symbol, ${EXPOSURE_FIELDS}))
     FROM exposures e WHERE e.account_id = ANY($1::text[]) AND (e.open_orders > 0 OR e.open_buy_quantity > 0 OR e.open_sell_quantity > 0 OR e.reduce_only_buy_quantity > 0 OR e.reduce_only_sell_quantity > 0)) AS exposures,
  (SELECT json_agg(json_build_object('accountId', p.account_id, 'symbol', p.symbol, 'quantity', trim_scale(coalesce(p.venue_quantity, p.quantity))::text,
     'entryPrice', trim_scale(CASE WHEN p.venue_quantity IS DISTINCT FROM p.quantity THEN coalesce(p.venue_entry_price, p.entry_price) ELSE p.entry_price END)::text,
     'unrealizedPnl', trim_scale(p.unrealized_pnl)::text, 'leverage', trim_scale(p.leverage)::text))
     FROM positions p WHERE p.account_id = ANY($1::text[]) AND (p.quantity <> 0 OR p.venue_quantity <> 0 OR p.leverage IS NOT NULL)) AS positions,
  (SELECT json_agg(json_build_object('accountId', c.account_id, 'total', c.total))
     FROM (SELECT b.account_id, trim_scale(sum(b.total))::text AS total FROM balances b JOIN accounts a ON a.id = b.account_id
            WHERE b.account_id = ANY($1::text[]) AND EXISTS (SELECT 1 FROM markets m WHERE m.venue = a.venue AND m.quote = b.asset)
            GROUP BY b.account_id) c) AS collateral,
  (SELECT json_agg(json_build_object('accountId', d.account_id, 'profit', trim_scale(coalesce(t.profit, 0))::text, 'opening', trim_scale(d.opening)::text))
     FROM (SELECT i.account_id, (SELECT b.closing_unrealized FROM daily_profits b WHERE b.account_id = i.account_id AND b.day < $2::date AND b.closing_unrealized IS NOT NULL ORDER BY b.day DESC LIMIT 1) AS opening
             FROM unnest($1::text[]) AS i(account_id)) d LEFT JOIN daily_profits t ON t.account_id = d.account_id AND t.day = $2::date) AS profits,
  (SELECT json_agg(json_build_object('accountId', a.id, 'symbol', m.symbol, 'maxLeverage', trim_scale(m.max_leverage)::text))
     FROM accounts a JOIN markets m ON m.venue = a.venue WHERE a.id = ANY($1::text[])
      AND (m.symbol IN (SELECT r."symbol" FROM ${recordset({ symbol: 'text' }, 3)})
        OR m.symbol IN (SELECT e.symbol FROM exposures e WHERE e.account_id = a.id) OR m.symbol IN (SELECT p.symbol FROM positions p WHERE p.account_id = a.id))) AS leverages`;

/** The day (UTC) that profits are counted by, YYYY-MM-DD. */
export function dayOf(ms: number): string {
  return isoTime(ms).slice(0, 'YYYY-MM-DD'.length);
}

/** Where fresh prices come from. */
export interface PriceSource {
  readonly markOf: MarkOf;
  readonly quoteOf: QuoteOf;
}

/** Assembles what FIGURES_SQL read. */
export function figuresFrom(row: unknown, accounts: Iterable<LockedAccount>, wanted: readonly { readonly accountId: string; readonly symbol: string }[], { markOf, quoteOf }: PriceSource): Map<string, AccountFigures> {
  const { exposures, positions, collateral, profits: profitRows, leverages } = row as FigureRows;
  const result = new Map<string, AccountFigures>();
  for (const account of accounts) {
    const own = <T extends { readonly accountId: string }>(rows: readonly T[] | null): readonly T[] => (rows ?? []).filter((each) => each.accountId === account.id);
    const held = new Map(own(positions).map((position) => [position.symbol, position]));
    const open = new Map(own(exposures).map((exposure) => [exposure.symbol, exposure]));
    const caps = new Map(own(leverages).map((each) => [each.symbol, each.maxLeverage]));
    const symbols: Record<string, SymbolFigures> = {};
    for (const symbol of new Set([...held.keys(), ...open.keys(), ...wanted.filter((each) => each.accountId === account.id).map((each) => each.symbol)])) {
      const { openOrders: _, accountId: __, ...sums } = open.get(symbol) ?? { openOrders: 0, accountId: account.id };
      const leverage = held.get(symbol)?.leverage ?? capped(account.leverage, caps.get(symbol));
      symbols[symbol] = { ...emptySymbol(symbol, markOf(account.venue, symbol), leverage, quoteOf(account.venue, symbol)), ...sums, positionQuantity: held.get(symbol)?.quantity ?? '0' };
    }
    const mark = (symbol: string): string | null => markOf(account.venue, symbol);
    const profits = own(profitRows)[0];
    const unrealized = unrealizedOf([...held.values()], mark);
    result.set(account.id, {
      accountId: account.id,
      status: account.status,
      limits: account.limits,
      equity: equityOf(own(collateral)[0]?.total ?? null, [...held.values()], mark),
      openOrders: [...open.values()].reduce((count, exposure) => count + exposure.openOrders, 0),
      dailyProfit: dailyProfit(profits?.profit ?? '0', profits?.opening ?? '0', unrealized),
      unrealizedPnl: unrealized,
      symbols,
    });
  }
  return result;
}

/** Read on its own, for whoever holds the locks or only shows the figures. */
export async function loadFigures(tx: Queryable, accounts: readonly LockedAccount[], wanted: readonly { readonly accountId: string; readonly symbol: string }[], nowMs: number, prices: PriceSource): Promise<Map<string, AccountFigures>> {
  const rows = await tx.rows(`SELECT ${FIGURES_SQL}`, accounts.map((account) => account.id), dayOf(nowMs), JSON.stringify(wanted));
  return figuresFrom(rows[0], accounts, wanted, prices);
}

function capped(leverage: string, maxLeverage: string | undefined): string {
  return maxLeverage === undefined ? leverage : decimalText(minOf(decimal(leverage), decimal(maxLeverage)));
}

/** null when the balance was never read. Without a mark the venue's own figure stands, then nothing gained. */
function equityOf(total: string | null, positions: readonly PositionFigures[], markOf: (symbol: string) => string | null): string | null {
  if (total === null) return null;
  return decimalText(positions.reduce((equity, position) => equity.plus(unrealizedPnl(position, markOf(position.symbol)) ?? position.unrealizedPnl ?? ZERO), decimal(total)));
}

/** What these positions have gained at fresh marks; null where one that is held has none. */
export function unrealizedOf(positions: readonly Omit<PositionFigures, 'accountId' | 'leverage'>[], markOf: (symbol: string) => string | null): string | null {
  let total = ZERO;
  for (const position of positions) {
    const mark = markOf(position.symbol);
    // Without an entry price only the venue knows what it gained, and its word is as fresh as our mark.
    const gained = decimal(position.quantity).isZero() ? '0' : mark === null ? null : (unrealizedPnl(position, mark) ?? position.unrealizedPnl);
    if (gained === null) return null;
    total = total.plus(decimal(gained));
  }
  return decimalText(total);
}

/** `opening`: the unrealized profit the day began with, which is an earlier day's. */
function dailyProfit(realized: string, opening: string, unrealized: string | null): string | null {
  return unrealized === null ? null : decimalText(decimal(realized).plus(decimal(unrealized)).minus(decimal(opening)));
}
