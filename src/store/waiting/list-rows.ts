/** Rows of order lists and of the orders they placed, as they are read and written. */
import { waitsForPrice, type OrderList, type OrderListChild } from '../../domain/order-list';
import { plainRow, selectList, type Columns } from '../database/columns';
import type { Row } from '../database/database';

export const ORDER_LIST_COLUMNS = {
  id: 'text', clientListId: 'text', userId: 'text', accountId: 'text', venue: 'text', symbol: 'text', type: 'text', state: 'text', reason: 'text', pendingCancel: 'boolean', entriesStopped: 'boolean',
  legs: 'jsonb', expireTime: 'timestamptz', timeLimitMs: 'bigint', closeAt: 'timestamptz', breakEvenAfter: 'integer', revision: 'integer', ownerWorkflowId: 'text',
  createdAt: 'timestamptz', updatedAt: 'timestamptz', endedAt: 'timestamptz',
} as const satisfies Columns;

export const CHILD_COLUMNS = {
  orderListId: 'text', n: 'integer', userId: 'text', orderId: 'text', leg: 'integer', step: 'text', version: 'integer', type: 'text', timeInForce: 'text', quantity: 'numeric', limitPrice: 'numeric', triggerPrice: 'numeric', postOnly: 'boolean',
  recordedAt: 'timestamptz', cancelAskedAt: 'timestamptz',
} as const satisfies Columns;

export const ORDER_LIST_SELECT = selectList(ORDER_LIST_COLUMNS, 'l');

export const CHILDREN_SQL = `SELECT ${selectList(CHILD_COLUMNS, 'c')}, coalesce(o.state, 'PENDING_RISK') AS state, o.id IS NOT NULL AS "isPlaced", trim_scale(coalesce(o.filled_quantity, 0))::text AS "filledQuantity",
    trim_scale(coalesce(o.quantity, c.quantity))::text AS "orderQuantity", trim_scale(o.avg_price)::text AS "avgPrice", o.reason_code AS "reasonCode", o.reason_message AS "reasonMessage", coalesce(o.pending_cancel, false) AS "pendingCancel", o.closed_at AS "closedAt"
  FROM order_list_children c LEFT JOIN orders o ON o.id = c.order_id WHERE c.order_list_id = $1 ORDER BY c.n`;

export function orderListOf(row: Row): OrderList {
  const plain = plainRow(row);
  const list = Object.fromEntries(Object.keys(ORDER_LIST_COLUMNS).map((field) => [field, plain[field]])) as unknown as OrderList;
  // Legs from before it could be said are durable.
  return { ...list, legs: list.legs.map((leg) => ({ ...leg, execution: leg.execution ?? (waitsForPrice(leg) ? 'durable' : null) })) };
}

export function childOf(row: Row): OrderListChild {
  const { n, orderId, leg, step, version, type, timeInForce, postOnly, state, isPlaced, orderQuantity, limitPrice, triggerPrice, filledQuantity, avgPrice, reasonCode, reasonMessage, pendingCancel } = plainRow(row) as unknown as OrderListChild & { readonly orderQuantity: string };
  const timeOf = (field: string): number | null => (row[field] instanceof Date ? row[field].getTime() : null);
  return { n, orderId, leg, step, version, type, timeInForce, postOnly, state, isPlaced, quantity: orderQuantity, limitPrice, triggerPrice: triggerPrice ?? null, filledQuantity, avgPrice, reasonCode, reasonMessage, pendingCancel, recordedAtMs: timeOf('recordedAt') ?? 0, cancelAskedAtMs: timeOf('cancelAskedAt'), closedAtMs: timeOf('closedAt') };
}
