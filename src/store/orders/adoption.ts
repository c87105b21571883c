/** Orders that the venue has and we did not place: adopted with origin EXTERNAL, and never canceled by us. */
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../domain/clock';
import { decimalText } from '../../domain/decimal';
import { exposureOf } from '../../domain/exposure';
import { isTerminal, UNCONDITIONAL, UNGROUPED, UNSUPERVISED, type Order } from '../../domain/order';
import type { VenueFill, VenueOrder } from '../../domain/venue';
import { valuationPrice } from '../../risk/judge';
import { exposed, type MarkOf } from './apply-evidence';
import type { ChangeSet } from '../change-set';
import type { Queryable } from '../database/database';
import { lockedOrderOf, LOCKED_ORDER_SELECT, type LockedAccount, type LockedOrder, type OrderBookkeeping } from '../database/locks';

/** What names an order in a venue's messages. */
export interface VenueNames {
  readonly venueOrderId: string;
  readonly venueClientId: string | null;
  readonly venueSymbol: string;
  readonly side: Order['side'];
}

/** Each name by its own index: an OR of both, or a join, may look at every order of the account (docs/decisions/sql-plans.md). */
const LOCK_BY_VENUE_NAMES_SQL = `
SELECT ${LOCKED_ORDER_SELECT} FROM orders o WHERE o.id = ANY(ARRAY(
  SELECT n.id FROM orders n WHERE n.venue_client_id = ANY($2::text[]) AND n.account_id = $1
  UNION SELECT n.id FROM orders n WHERE n.venue_order_id = ANY($3::text[]) AND n.account_id = $1)) ORDER BY o.id FOR UPDATE OF o`;

/** Our own orders behind the venue's names, locked, by `venueOrderId`. */
export async function lockByVenueNames(tx: Queryable, accountId: string, names: readonly VenueNames[]): Promise<Map<string, LockedOrder>> {
  const rows = await tx.rows(LOCK_BY_VENUE_NAMES_SQL, accountId, names.flatMap(({ venueClientId }) => venueClientId ?? []), names.map(({ venueOrderId }) => venueOrderId));
  const locked = rows.map(lockedOrderOf);
  const byClientId = new Map(locked.map((each) => [each.order.venueClientId, each]));
  const byOrderId = new Map(locked.flatMap((each) => (each.order.venueOrderId === null ? [] : [[each.order.venueOrderId, each] as const])));
  const found = new Map<string, LockedOrder>();
  for (const { venueOrderId, venueClientId } of names) {
    const match = (venueClientId === null ? undefined : byClientId.get(venueClientId)) ?? byOrderId.get(venueOrderId);
    if (match !== undefined) found.set(venueOrderId, match);
  }
  return found;
}

/** Which of these views, by their evidence keys, are evidence of our orders already. Read without locks: what is known stays known. */
export async function knownViews(database: Queryable, accountId: string, views: readonly { readonly venueClientId: string | null; readonly key: string }[]): Promise<ReadonlySet<string>> {
  const named = views.flatMap(({ venueClientId, key }) => (venueClientId === null ? [] : [{ venueClientId, key }]));
  if (named.length === 0) return new Set();
  const rows = await database.rows<{ key: string; venueClientId: string }>(
    `SELECT r."key", r."venueClientId" FROM unnest($2::text[], $3::text[]) AS r("venueClientId", "key")
      CROSS JOIN LATERAL (SELECT n.id FROM orders n WHERE n.venue_client_id = r."venueClientId" AND n.account_id = $1 OFFSET 0) o
      CROSS JOIN LATERAL (SELECT 1 FROM order_evidence e WHERE e.order_id = o.id AND e.key = r."key" OFFSET 0) e`,
    accountId,
    named.map((view) => view.venueClientId),
    named.map((view) => view.key),
  );
  return new Set(rows.map(({ key, venueClientId }) => `${venueClientId} ${key}`));
}

/**
 * Orders of ours that the venue may have under a name we do not know yet: a nameless message of the same market and side may
 * be theirs, so it is not adopted but left to the next read.
 */
export async function unnamedOrders(tx: Queryable, accountId: string): Promise<ReadonlySet<string>> {
  const rows = await tx.rows(`SELECT DISTINCT o.venue_symbol AS "venueSymbol", o.side FROM orders o WHERE o.account_id = $1 AND o.venue_order_id IS NULL AND o.state IN ('PENDING_RISK', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN')`, accountId);
  return new Set(rows.map((row) => `${String(row['venueSymbol'])} ${String(row['side'])}`));
}

/** Our symbol for each of the venue's spellings; the venue's own where the market is unknown. */
export async function symbolsOf(tx: Queryable, venue: string, venueSymbols: readonly string[]): Promise<(venueSymbol: string) => string> {
  const rows = await tx.rows<{ symbol: string; venueSymbol: string }>('SELECT symbol, venue_symbol AS "venueSymbol" FROM markets WHERE venue = $1 AND venue_symbol = ANY($2::text[])', venue, [...new Set(venueSymbols)]);
  const known = new Map(rows.map((row) => [row.venueSymbol, row.symbol]));
  return (venueSymbol) => known.get(venueSymbol) ?? venueSymbol;
}

/** Terms of an order that is only known by a fill: the fill is all that is known of it, until the venue shows the order. */
export function viewOfFill(fill: VenueFill): Pick<VenueOrder, 'venueOrderId' | 'venueClientId' | 'venueSymbol' | 'side' | 'type' | 'timeInForce' | 'quantity' | 'limitPrice' | 'postOnly' | 'reduceOnly'> {
  const { venueOrderId, venueClientId, venueSymbol, side, quantity } = fill;
  return { venueOrderId, venueClientId, venueSymbol, side, quantity, type: 'market', timeInForce: 'GTC', limitPrice: null, postOnly: false, reduceOnly: false };
}

/** Adds the order's row, its exposure and its event; evidence is folded in afterwards, by the caller. */
export function adopt(account: LockedAccount, symbol: string, view: ReturnType<typeof viewOfFill> & Pick<VenueOrder, 'wholePosition'>, nowMs: number, changes: ChangeSet, markOf: MarkOf): LockedOrder {
  const at = isoTime(nowMs);
  const external = `external-${view.venueOrderId}`;
  const order: Order = {
    id: randomUUID(), clientOrderId: external, venueClientId: view.venueClientId ?? external, venueOrderId: view.venueOrderId, userId: account.userId, accountId: account.id,
    venue: account.venue, symbol, venueSymbol: view.venueSymbol, side: view.side, type: view.type, timeInForce: view.timeInForce, quantity: decimalText(view.quantity),
    limitPrice: view.limitPrice === null ? null : decimalText(view.limitPrice), postOnly: view.postOnly, reduceOnly: view.reduceOnly, filledQuantity: '0', leavesQuantity: decimalText(view.quantity),
    avgPrice: null, fee: '0', feeAsset: null, state: 'SUBMITTED', reasonCode: null, reasonMessage: null, pendingCancel: false, pendingReplace: false, origin: 'EXTERNAL', revision: 1,
    ...UNSUPERVISED, ...UNCONDITIONAL, ...(view.wholePosition === true ? { ...UNGROUPED, grouping: 'positionExits' } : UNGROUPED), triggeredAt: null, ownerWorkflowId: null, venueSeenAtMs: null, createdAt: at, submittedAt: at, acknowledgedAt: null, filledAt: null, canceledAt: null, closedAt: null, updatedAt: at,
  };
  const price = valuationPrice(order, markOf(account.venue, symbol));
  const books: OrderBookkeeping = { fillsQuantity: '0', fillsValue: '0', fillsMissing: '0', valuationPrice: price === null ? (order.limitPrice ?? '0') : decimalText(price), amendQuantity: null, amendValuation: null };
  changes.insertOrder(order, { ...books, placeBefore: null, fence: 0, riskFigures: null });
  changes.addEvent(account, { type: 'order.adopted', orderId: order.id, data: { order } }, at);
  if (!isTerminal(order.state)) changes.addExposure(account, symbol, exposureOf(exposed(order, books)));
  return { order, books };
}
