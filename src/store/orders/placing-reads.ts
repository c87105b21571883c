/** What recordOrders reads once it holds the locks: orders that are there already, idempotency records, and risk figures. */
import { isoTime } from '../../domain/clock';
import type { Order, OrderIntent } from '../../domain/order';
import type { RecordedCall } from '../../domain/order-store';
import type { StoreReading } from '../../domain/store-state';
import { recordset } from '../database/columns';
import type { Queryable } from '../database/database';
import { dayOf, FIGURES_SQL } from '../risk/figures';
import { readingOf, STORE_STATE_SQL } from '../store-states';

/** An order that an intent collides with: by its client id (the venue's is made of it), or by its idempotency key. */
export interface EarlierOrder {
  readonly id: string;
  readonly ownerWorkflowId: string | null;
  readonly state: string;
}

const INTENT_KEYS = { position: 'integer', id: 'text', userId: 'text', accountId: 'text', clientOrderId: 'text', symbol: 'text', key: 'text', route: 'text', bodyHash: 'text' } as const;

/**
 * One statement. Idempotency records are inserted here, in list order, with the id their order has or will have; a key that
 * was not inserted is another request's, which then decides; one whose retention is over is taken anew. A key whose client id has
 * an order already is used up as well, but the order was not made under it and may have other terms: its record's time is never
 * that order's, while the record of an order's own key has the order's, by which OWN_KEY_SQL tells them apart.
 */
const READ_GROUP_SQL = `
WITH r AS (SELECT * FROM ${recordset(INTENT_KEYS, 3)} WHERE (SELECT a.user_id FROM accounts a WHERE a.id = r."accountId") = r."userId"),
earlier AS (
  SELECT r."position", o.id, o.owner_workflow_id, o.state, o.created_at FROM r
    JOIN orders o ON o.account_id = r."accountId" AND o.client_order_id = r."clientOrderId"),
stamped AS (
  INSERT INTO idempotency_keys(user_id, key, route, body_hash, order_id, created_at)
  SELECT s."userId", s."key", s."route", s."bodyHash", coalesce(e.id, s."id"), $5::timestamptz + CASE WHEN e.created_at = $5::timestamptz THEN interval '1 millisecond' ELSE interval '0' END
    FROM (SELECT DISTINCT ON ("userId", "key") * FROM r WHERE "key" IS NOT NULL ORDER BY "userId", "key", "position") s
    LEFT JOIN earlier e ON e."position" = s."position"
  ON CONFLICT (user_id, key) DO UPDATE SET route = excluded.route, body_hash = excluded.body_hash, order_id = excluded.order_id, created_at = excluded.created_at
   WHERE idempotency_keys.created_at < $4::timestamptz
  RETURNING user_id, key)
SELECT ${FIGURES_SQL},
  (SELECT json_agg(json_build_object('position', e."position", 'id', e.id, 'ownerWorkflowId', e.owner_workflow_id, 'state', e.state)) FROM earlier e) AS earlier,
  (SELECT json_agg(json_build_object('userId', s.user_id, 'key', s.key)) FROM stamped s) AS stamped,
  ${STORE_STATE_SQL} AS gate`;

/** Of a record `k`: whether its order was recorded with it. A key that came with its order's client id later, or in its group, made none. */
export const OWN_KEY_SQL = 'EXISTS (SELECT 1 FROM orders o WHERE o.id = k.order_id AND o.created_at = k.created_at)';

/** Orders behind idempotency keys that another request had first. */
const KEY_OWNERS_SQL = `
SELECT k.user_id AS "userId", k.key, k.order_id AS id, o.owner_workflow_id AS "ownerWorkflowId", coalesce(o.state, '') AS state
  FROM idempotency_keys k JOIN ${recordset({ userId: 'text', key: 'text' }, 1)} ON k.user_id = r."userId" AND k.key = r."key" LEFT JOIN orders o ON o.id = k.order_id`;

export interface GroupReading {
  readonly figures: unknown;
  /** Whether PostgreSQL and Temporal agree, and if not, what may be recorded. */
  readonly stores: Pick<StoreReading, 'state' | 'instance'>;
  /** The order that makes this intent a duplicate (or a repeat), including one recorded earlier in the same group. */
  earlier(intent: OrderIntent): EarlierOrder | null;
  remember(order: Order): void;
}

/** Reads for these intents, whose accounts are locked; nothing is read or written for one of another user's account. */
export async function readGroup(tx: Queryable, intents: readonly OrderIntent[], accountIds: readonly string[], nowMs: number, idempotencyMs: number): Promise<GroupReading> {
  const keys = intents.map(({ id, userId, accountId, clientOrderId, symbol, idempotency }, position) => ({
    position, id, userId, accountId, clientOrderId, symbol, key: idempotency?.key ?? null, route: idempotency?.route ?? null, bodyHash: idempotency?.bodyHash ?? null,
  }));
  const [row] = await tx.rows(READ_GROUP_SQL, accountIds, dayOf(nowMs), JSON.stringify(keys), isoTime(nowMs - idempotencyMs), isoTime(nowMs));
  const earlierRows = (row?.['earlier'] ?? []) as unknown as readonly (EarlierOrder & { readonly position: number })[];
  const stamped = new Set(((row?.['stamped'] ?? []) as unknown as readonly { userId: string; key: string }[]).map(({ userId, key }) => `${userId} ${key}`));
  const earlier = new Map<OrderIntent, EarlierOrder>();
  const remembered = new Map<string, EarlierOrder>();
  for (const { position, ...order } of earlierRows) {
    const intent = intents[position];
    if (intent !== undefined) earlier.set(intent, order);
  }
  const taken = intents.filter((intent) => intent.idempotency !== null && !stamped.has(`${intent.userId} ${intent.idempotency.key}`) && !earlier.has(intent));
  const owners = await keyOwners(tx, taken);
  for (const intent of taken) {
    const owner = owners.get(keyOf(intent) ?? '');
    if (owner !== undefined) earlier.set(intent, owner);
  }
  return {
    figures: row,
    stores: readingOf(row?.['gate']),
    earlier: (intent) => {
      const found = earlier.get(intent) ?? namesOf(intent).map((name) => remembered.get(name)).find((order) => order !== undefined) ?? null;
      const key = keyOf(intent);
      // Its key is bound to that order now, also for those that come after it in the group.
      if (found !== null && key !== null && !remembered.has(key)) remembered.set(key, found);
      return found;
    },
    remember: (order) => {
      const intent = intents.find((each) => each.id === order.id);
      if (intent !== undefined) for (const name of namesOf(intent)) remembered.set(name, order);
    },
  };
}

async function keyOwners(tx: Queryable, intents: readonly OrderIntent[]): Promise<ReadonlyMap<string, EarlierOrder>> {
  if (intents.length === 0) return new Map();
  const rows = await tx.rows<{ userId: string; key: string; id: string; ownerWorkflowId: string | null; state: string }>(KEY_OWNERS_SQL, JSON.stringify(intents.map((intent) => ({ userId: intent.userId, key: intent.idempotency?.key }))));
  return new Map(rows.map(({ userId, key, ...order }) => [`key ${userId} ${key}`, order]));
}

function keyOf(intent: OrderIntent): string | null {
  return intent.idempotency === null ? null : `key ${intent.userId} ${intent.idempotency.key}`;
}

/** Everything by which two intents of one group can be the same. */
function namesOf(intent: OrderIntent): string[] {
  const key = keyOf(intent);
  return [`id ${intent.id}`, `client ${intent.accountId} ${intent.clientOrderId}`, `venue ${intent.accountId} ${intent.venueClientId}`, ...(key === null ? [] : [key])];
}

/** The placing attempts that these orders got when they were recorded, as the calls that were answered then. */
export async function existingCalls(tx: Queryable, orderIds: readonly string[]): Promise<readonly RecordedCall[]> {
  if (orderIds.length === 0) return [];
  const rows = await tx.rows<{ attemptId: string; venue: string; accountId: string; exit: boolean; orderIds: string[] }>(
    `SELECT t.id AS "attemptId", t.venue, t.account_id AS "accountId", t.is_exit AS "exit", array_agg(m.order_id ORDER BY m.position) AS "orderIds"
       FROM attempts t JOIN attempt_orders m ON m.attempt_id = t.id
      WHERE t.kind = 'place' AND t.resend_of IS NULL AND t.id IN (SELECT w.attempt_id FROM attempt_orders w WHERE w.order_id = ANY($1::text[]))
      GROUP BY t.id, t.venue, t.account_id, t.is_exit, t.prepared_at ORDER BY t.prepared_at, t.id`,
    orderIds,
  );
  return rows.map((row) => ({ attemptId: row.attemptId, venue: row.venue, accountId: row.accountId, orderIds: row.orderIds, exit: row.exit }));
}
