/**
 * The one writer of orders. Inside a transaction: lock accounts, lock orders, drop what is known by its key, fold the rest
 * by domain/order-state.ts, and add rows, exposure deltas and events to the change set, which the caller flushes.
 */
import { valuationAfter, exposureOf, minus, type ExposedOrder } from '../../domain/exposure';
import type { Evidence } from '../../domain/evidence';
import type { AppliedOrder, OrderEvidence } from '../../domain/order-store';
import { addFill, applyEvidence, type FillFigures } from '../../domain/order-state';
import type { Order } from '../../domain/order';
import type { ChangeSet } from '../change-set';
import type { Parameter, Queryable, Row } from '../database/database';
import { FillBook, fillIdentity, knownFills } from './fill-rows';
import { lockedOrderOf, LOCKED_ORDER_SELECT, type LockedAccount, type LockedOrder, type OrderBookkeeping } from '../database/locks';

/** A fresh mark price, or null. */
export type MarkOf = (venue: string, symbol: string) => string | null;
/** Fresh best prices, or null. */
export type QuoteOf = (venue: string, symbol: string) => { readonly bid: string | null; readonly ask: string | null } | null;

/** An order after some evidence, with its books. */
interface FoldedOrder extends LockedOrder, AppliedOrder {}

/** Orders under their locks, and which of some evidence they have already. */
export interface LockedForEvidence {
  readonly orders: Map<string, LockedOrder>;
  /** `<order id> <evidence key>`. */
  readonly known: Set<string>;
}

/** A statement that goes first, in the same round trip: its parameters begin at $3, `column` reads what it returned. */
export interface LeadingStatement {
  readonly with: string;
  readonly column: string;
  readonly parameters: readonly Parameter[];
}

/** Locks the orders of these items, by id, and reads what is known of their evidence, in one statement. */
export async function lockForEvidence(tx: Queryable, items: readonly OrderEvidence[], leading?: LeadingStatement): Promise<LockedForEvidence & { readonly first: Row | undefined }> {
  const rows = await tx.rows(
    `${leading === undefined ? '' : `WITH ${leading.with} `}SELECT ${LOCKED_ORDER_SELECT}, i.key AS "itemKey", e.key IS NOT NULL AS "itemKnown"${leading === undefined ? '' : `, ${leading.column}`}
       FROM unnest($1::text[], $2::text[]) AS i(order_id, key) JOIN orders o ON o.id = i.order_id LEFT JOIN order_evidence e ON e.order_id = i.order_id AND e.key = i.key
      ORDER BY o.id FOR UPDATE OF o`,
    items.map((item) => item.orderId),
    items.map((item) => item.evidence.key),
    ...(leading?.parameters ?? []),
  );
  const orders = new Map<string, LockedOrder>();
  const known = new Set<string>();
  for (const row of rows) {
    const id = row['id'] as string;
    if (!orders.has(id)) orders.set(id, lockedOrderOf(row));
    if (row['itemKnown'] === true) known.add(`${id} ${String(row['itemKey'])}`);
  }
  return { orders, known, first: rows[0] };
}

/** Applies evidence under the accounts' locks, which the caller holds; a transaction has one fill book for all its fills. Unknown orders are an error: nothing is dropped silently. */
export async function applyUnderLocks(tx: Queryable, accounts: ReadonlyMap<string, LockedAccount>, items: readonly OrderEvidence[], changes: ChangeSet, markOf: MarkOf, fillBook?: FillBook): Promise<AppliedOrder[]> {
  if (items.length === 0) return [];
  return applyToLocked(tx, accounts, await lockForEvidence(tx, items), items, changes, markOf, fillBook);
}

/** The same, to orders that are locked already. */
export async function applyToLocked(tx: Queryable, accounts: ReadonlyMap<string, LockedAccount>, { orders, known }: LockedForEvidence, items: readonly OrderEvidence[], changes: ChangeSet, markOf: MarkOf, fillBook = new FillBook(changes)): Promise<AppliedOrder[]> {
  const fresh = await withoutKnown(tx, orders, known, items);
  const withFills = fresh.flatMap((item) => (item.evidence.kind === 'fill' ? [lockedOrder(orders, item.orderId).order] : []));
  if (withFills.length > 0) await fillBook.load(tx, withFills);
  const applied = new Map<string, FoldedOrder>([...orders.values()].map(({ order, books }) => [order.id, { order, books, changed: false }]));
  // In the order given: a position is made of its fills in their time, whichever orders they are of.
  for (const { orderId, evidence } of runsOf(fresh)) {
    const before = applied.get(orderId) ?? { ...lockedOrder(orders, orderId), changed: false };
    const account = accounts.get(before.order.accountId);
    if (account === undefined) throw new Error(`account ${before.order.accountId} of order ${orderId} is not locked`);
    applied.set(orderId, foldOrder(account, before, evidence, changes, fillBook, markOf, before.changed));
  }
  // Books are the store's own.
  return [...applied.values()].map(({ order, changed }) => ({ order, changed }));
}

/** Folds evidence into one locked order, which may be continued with more. `wasChanged`: by what was folded into it before. Exported for adoption, whose order is not yet a row. */
export function foldOrder(account: LockedAccount, before: LockedOrder, evidence: readonly Evidence[], changes: ChangeSet, fillBook: FillBook, markOf: MarkOf, wasChanged = false): FoldedOrder {
  let { order } = before;
  let books = before.books;
  for (const piece of evidence) {
    const figures = piece.kind === 'fill' ? addFill(fillFigures(order, books), piece.fill) : fillFigures(order, books);
    const { order: next, events } = applyEvidence(order, piece, figures);
    books = booksAfter(order, next, piece, { ...books, fillsQuantity: figures.quantity, fillsValue: figures.value }, markOf(order.venue, order.symbol));
    for (const event of events) changes.addEvent(account, event, piece.at);
    if (piece.kind === 'fill') fillBook.add(account, next, piece.fill, piece.at);
    changes.insertEvidence({ orderId: order.id, key: piece.key, userId: order.userId, accountId: order.accountId, kind: piece.kind, data: piece, at: piece.at });
    order = next;
  }
  const changed = order !== before.order;
  const booked = (Object.keys(books) as (keyof OrderBookkeeping)[]).some((field) => books[field] !== before.books[field]);
  if (changed || booked) changes.updateOrder(order, books);
  changes.addExposure(account, order.symbol, minus(exposureOf(exposed(order, books)), exposureOf(exposed(before.order, before.books))));
  return { order, books, changed: changed || wasChanged };
}

export function exposed(order: Order, books: OrderBookkeeping): ExposedOrder {
  // Written out, like newOrder: it is made four times on the way of every order.
  const { state, side, reduceOnly, filledQuantity, leavesQuantity, execution } = order;
  const { fillsQuantity, fillsMissing, valuationPrice, amendQuantity, amendValuation } = books;
  return { state, side, reduceOnly, filledQuantity, leavesQuantity, execution, fillsQuantity, fillsMissing, valuationPrice, amendQuantity, amendValuation };
}

function booksAfter(before: Order, after: Order, evidence: Evidence, books: OrderBookkeeping, markPrice: string | null): OrderBookkeeping {
  const next = { ...books };
  if (evidence.kind === 'amendRequested' && after.pendingReplace) {
    next.amendQuantity = evidence.quantity ?? before.quantity;
    const asked = { side: before.side, limitPrice: evidence.limitPrice ?? before.limitPrice, triggerPrice: evidence.triggerPrice ?? before.triggerPrice };
    next.amendValuation = evidence.limitPrice === null && evidence.triggerPrice == null ? books.valuationPrice : valuationAfter(asked, markPrice, books.valuationPrice);
  }
  if (after.limitPrice !== before.limitPrice || after.triggerPrice !== before.triggerPrice) next.valuationPrice = valuationAfter(after, markPrice, books.valuationPrice);
  if (!after.pendingReplace) {
    next.amendQuantity = null;
    next.amendValuation = null;
  }
  return next;
}

function fillFigures(order: Order, books: OrderBookkeeping): FillFigures {
  return { quantity: books.fillsQuantity, value: books.fillsValue, fee: order.fee, feeAsset: order.feeAsset };
}

/** Drops evidence whose key its order has, repeats within the list, and fills the account has under another order. */
async function withoutKnown(tx: Queryable, orders: ReadonlyMap<string, LockedOrder>, known: ReadonlySet<string>, items: readonly OrderEvidence[]): Promise<OrderEvidence[]> {
  const seen = new Set(known);
  const fills = await knownFills(tx, items.flatMap(({ orderId, evidence }) => (evidence.kind === 'fill' ? [{ accountId: lockedOrder(orders, orderId).order.accountId, fill: evidence.fill }] : [])));
  return items.filter(({ orderId, evidence }) => {
    const { order } = lockedOrder(orders, orderId);
    const key = `${orderId} ${evidence.key}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if (evidence.kind !== 'fill') return true;
    const identity = `${order.accountId} ${fillIdentity(evidence.fill)}`;
    if (fills.has(identity)) return false;
    fills.add(identity);
    return true;
  });
}

function lockedOrder(orders: ReadonlyMap<string, LockedOrder>, orderId: string): LockedOrder {
  const found = orders.get(orderId);
  if (found === undefined) throw new Error(`evidence about order ${orderId}, which does not exist`);
  return found;
}

interface Run {
  readonly orderId: string;
  readonly evidence: Evidence[];
}

/** Neighbours of one order together. */
function runsOf(items: readonly OrderEvidence[]): readonly Run[] {
  const runs: Run[] = [];
  let last: Run | undefined;
  for (const { orderId, evidence } of items) {
    if (last?.orderId === orderId) last.evidence.push(evidence);
    else {
      last = { orderId, evidence: [evidence] };
      runs.push(last);
    }
  }
  return runs;
}
