/** Stops that are legs of open order lists: read with the stops that are orders (protections.ts). */
import { isStopLeg, stopsOfList } from '../../domain/list-stops';
import { legTriggerId } from '../../domain/order-list';
import type { StandingStop } from '../../domain/protection';
import type { Queryable } from '../database/database';
import { CHILDREN_SQL, childOf, ORDER_LIST_SELECT, orderListOf } from './list-rows';

/** An account's legs may be of a list of another account of its user; open lists are found by account, and few. */
const LISTS_SQL = `SELECT ${ORDER_LIST_SELECT} FROM order_lists l
  WHERE l.ended_at IS NULL AND l.account_id IN (SELECT a.id FROM accounts a WHERE a.user_id IN (SELECT own.user_id FROM accounts own WHERE own.id = ANY($1::text[])))
    AND EXISTS (SELECT 1 FROM jsonb_array_elements(l.legs) AS leg WHERE leg ->> 'accountId' = ANY($1::text[]) AND leg ->> 'state' IN ('ARMED', 'TRIGGERED') AND (leg ->> 'reduceOnly')::boolean)
  ORDER BY l.id`;
const EXTREMES_SQL = 'SELECT t.id, t.extreme::text AS extreme FROM triggers t WHERE t.id = ANY($1::text[])';

/** Those on the accounts. */
export async function standingListStops(database: Queryable, accountIds: readonly string[], nowMs: number): Promise<readonly StandingStop[]> {
  const lists = (await database.rows(LISTS_SQL, accountIds)).map(orderListOf);
  if (lists.length === 0) return [];
  const triggerIds = lists.flatMap((list) => list.legs.filter(isStopLeg).map((leg) => legTriggerId(list.id, leg)));
  const [extremes, ...children] = await Promise.all([database.rows<{ id: string; extreme: string | null }>(EXTREMES_SQL, triggerIds), ...lists.map(({ id }) => database.rows(CHILDREN_SQL, id))]);
  const seen = new Map(extremes.map(({ id, extreme }) => [id, extreme]));
  return lists.flatMap((list, index) => stopsOfList(list, (children[index] ?? []).map(childOf), seen, nowMs)).filter(({ accountId }) => accountIds.includes(accountId));
}
