/** Reads of orders. Those with a userId answer null for what is another user's. */
import { isoTime } from '../../domain/clock';
import { TERMINAL_STATES, UNSETTLED_STATES, type Order } from '../../domain/order';
import type { StuckOrder } from '../../domain/order-store';
import type { StoreCore } from '../core';
import { newestFirst, type ListedTable, type ListFilters, type ListOptions } from '../database/listing';
import { orderOf, ORDER_SELECT } from '../database/locks';
import { recordset } from '../database/columns';

export interface OrderListQuery extends ListFilters {
  readonly status: 'open' | 'closed' | 'all';
}

/** By what an order may be known already; null: not known. */
export interface OrderNames {
  readonly accountId: string;
  readonly clientOrderId: string;
  readonly venueClientId: string | null;
}

const quoted = (states: Iterable<string>): string => [...states].map((state) => `'${state}'`).join(', ');
/** Written as the partial index orders_open_idx has it. */
export const OPEN_SQL = `o.state NOT IN (${quoted(['DENIED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED'].filter((state) => TERMINAL_STATES.has(state as Order['state'])))})`;
export const LISTED_ORDERS: ListedTable = { table: 'orders', alias: 'o', select: ORDER_SELECT, at: 'created_at', atField: 'createdAt', apart: true };
export const ORDER_LISTS: Readonly<Record<OrderListQuery['status'], ListOptions>> = {
  all: {},
  // An account has few that are open, so among the newest there are few to pass over.
  closed: { condition: `NOT (${OPEN_SQL})` },
  open: { few: { condition: OPEN_SQL, order: 'updated_at' } },
};
/** The venue knows nothing of them: they wait in a workflow (domain/condition.ts). */
export const HELD_SQL = `(o.execution IS NOT NULL AND o.execution IN ('durable', 'both'))`;
const UNSETTLED_SQL = `o.state IN (${quoted(UNSETTLED_STATES)})`;

export class Orders {
  constructor(private readonly core: StoreCore) {}

  async byId(id: string, userId?: string): Promise<Order | null> {
    const [row] = await this.core.database.rows(`SELECT ${ORDER_SELECT} FROM orders o WHERE o.id = $1 AND ($2::text IS NULL OR o.user_id = $2)`, id, userId ?? null);
    return row === undefined ? null : orderOf(row);
  }

  /** In no order; unknown ids are absent. */
  async byIds(ids: readonly string[]): Promise<readonly Order[]> {
    if (ids.length === 0) return [];
    return (await this.core.database.rows(`SELECT ${ORDER_SELECT} FROM orders o WHERE o.id = ANY($1::text[])`, ids)).map(orderOf);
  }

  async byClientId(accountId: string, clientOrderId: string): Promise<Order | null> {
    const [row] = await this.core.database.rows(`SELECT ${ORDER_SELECT} FROM orders o WHERE o.account_id = $1 AND o.client_order_id = $2`, accountId, clientOrderId);
    return row === undefined ? null : orderOf(row);
  }

  /** Newest first. Throws VALIDATION on a foreign cursor. */
  async list(query: OrderListQuery): Promise<{ readonly orders: readonly Order[]; readonly nextCursor: string | null }> {
    const { rows, nextCursor } = await newestFirst(this.core.database, LISTED_ORDERS, query, ORDER_LISTS[query.status]);
    return { orders: rows.map(orderOf), nextCursor };
  }

  /** Every order of the account that the venue has or may have, oldest first. */
  async working(accountId: string): Promise<readonly Order[]> {
    return (await this.core.database.rows(`SELECT ${ORDER_SELECT} FROM orders o WHERE o.account_id = $1 AND ${OPEN_SQL} AND NOT ${HELD_SQL} ORDER BY o.created_at, o.id`, accountId)).map(orderOf);
  }

  /** Every open order of the account, oldest first: also those that wait in workflows, of which the venue knows nothing. */
  async open(accountId: string): Promise<readonly Order[]> {
    return (await this.core.database.rows(`SELECT ${ORDER_SELECT} FROM orders o WHERE o.account_id = $1 AND ${OPEN_SQL} ORDER BY o.created_at, o.id`, accountId)).map(orderOf);
  }

  /** Orders whose outcome, or whose mutation's, has been open for longer than this; the oldest first. */
  async stuck(olderThanMs: number, limit: number): Promise<readonly StuckOrder[]> {
    const rows = await this.core.database.rows<{ orderId: string; accountId: string; venue: string; ownerWorkflowId: string | null; resolutions: number }>(
      `SELECT o.id AS "orderId", o.account_id AS "accountId", o.venue, o.owner_workflow_id AS "ownerWorkflowId", o.resolutions
         FROM orders o WHERE ${OPEN_SQL} AND NOT ${HELD_SQL} AND o.updated_at < $1::timestamptz AND (${UNSETTLED_SQL} OR o.pending_cancel OR o.pending_replace) ORDER BY o.updated_at LIMIT $2::int`,
      isoTime(this.core.clock.nowMs() - olderThanMs),
      limit,
    );
    return rows.map((row) => ({ ...row }));
  }

  /** Of these, those that have no row: neither by client id, nor by the id that the venue was told. */
  async withoutRow<Named extends OrderNames>(orders: readonly Named[]): Promise<readonly Named[]> {
    if (orders.length === 0) return [];
    const names = orders.map(({ accountId, clientOrderId, venueClientId }, position) => ({ position, accountId, clientOrderId, venueClientId }));
    const rows = await this.core.database.rows<{ position: number }>(
      `SELECT r."position" FROM ${recordset({ position: 'integer', accountId: 'text', clientOrderId: 'text', venueClientId: 'text' }, 1)}
        WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.client_order_id = r."clientOrderId" AND o.account_id = r."accountId")
          AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.venue_client_id = r."venueClientId" AND o.account_id = r."accountId")`,
      JSON.stringify(names),
    );
    const missing = new Set(rows.map((row) => row.position));
    return orders.filter((_, position) => missing.has(position));
  }

  /** Counts one more resolver of an order, and gives its number. */
  async noteResolution(orderId: string): Promise<number> {
    const [row] = await this.core.database.rows<{ resolutions: number }>('UPDATE orders SET resolutions = resolutions + 1 WHERE id = $1 RETURNING resolutions', orderId);
    if (row === undefined) throw new Error(`order ${orderId} does not exist`);
    return row.resolutions;
  }
}
