/**
 * Order lists: made and commanded by their owner, advanced by their workflow. Every change is one transaction under the locks of all
 * accounts of the list, and every advance names the revision and the last order it was decided on: one that was decided on older facts
 * changes nothing, and one that would place more than a leg's share is turned away by what the database says then.
 */
import { createHash } from 'node:crypto';
import { childOrderId } from '../../domain/client-ids';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { StreamEvent } from '../../domain/events';
import type { IdempotencyStamp } from '../../domain/order';
import { accountsOfList, type ListChildPlan, type OrderList, type OrderListChild } from '../../domain/order-list';
import { commandedTo, fitsShares, noted, type Commanded, type OrderListAdvance, type OrderListCommand } from '../../domain/order-list-commands';
import type { Trigger, TriggerIntent } from '../../domain/trigger';
import type { ChangeSet } from '../change-set';
import { insertRows, plainRow } from '../database/columns';
import { change, type StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { newestFirst, type ListedTable, type ListFilters, type ListOptions } from '../database/listing';
import { CHILD_COLUMNS, CHILDREN_SQL, childOf, ORDER_LIST_COLUMNS, ORDER_LIST_SELECT, orderListOf } from './list-rows';
import { amendLegTriggers, armLegTrigger } from './list-triggers';
import { lockAccounts, type LockedAccount } from '../database/locks';
import { assertReadBack } from '../store-states';
import { takeKey } from './taken-keys';

export interface OrderListListQuery extends ListFilters {
  readonly status: 'open' | 'closed' | 'all';
}

export type NewOrderList = Pick<OrderList, 'id' | 'clientListId' | 'userId' | 'accountId' | 'venue' | 'symbol' | 'type' | 'legs' | 'expireTime' | 'timeLimitMs' | 'breakEvenAfter' | 'ownerWorkflowId'>;

export const LISTED_ORDER_LISTS: ListedTable = { table: 'order_lists', alias: 'l', select: ORDER_LIST_SELECT, at: 'created_at', atField: 'createdAt', apart: true };
export const ORDER_LIST_LISTS: Readonly<Record<OrderListListQuery['status'], ListOptions>> = {
  all: {},
  closed: { condition: 'l.ended_at IS NOT NULL' },
  open: { few: { condition: 'l.ended_at IS NULL', order: 'account_id' } },
};

/** Written as the partial index events_order_list_idx has it. */
const EVENTS_SQL = `SELECT e.stream, e.user_id AS "userId", e.account_id AS "accountId", e.sequence::float8 AS sequence, e.type, e.at, e.order_id AS "orderId", e.data
  FROM events e WHERE left(e.type, 10) = 'orderList.' AND (e.data -> 'orderList' ->> 'id') = $1 ORDER BY e.sequence`;

export class OrderLists {
  constructor(
    private readonly core: StoreCore,
    private readonly generation: () => Promise<string>,
  ) {}

  /** The list of that client id, made now or before. Throws RISK_ACCOUNT_HALTED or _REDUCING where one of its entries is not taken. */
  async create(wish: NewOrderList, stamp: IdempotencyStamp | null): Promise<OrderList> {
    return change(this.core, accountsOfList(wish), async (tx, changes) => {
      const accounts = await ownAccounts(tx, wish);
      const [earlier] = await tx.rows(`SELECT ${ORDER_LIST_SELECT} FROM order_lists l WHERE l.client_list_id = $1 AND l.account_id = $2`, wish.clientListId, wish.accountId);
      if (earlier !== undefined) return orderListOf(earlier);
      await assertReadBack(tx);
      for (const leg of wish.legs) assertMayEnter(accountAt(accounts, leg.accountId), leg.reduceOnly);
      const at = isoTime(this.core.clock.nowMs());
      const made: OrderList = { ...wish, state: 'ACTIVE', reason: null, pendingCancel: false, entriesStopped: false, closeAt: null, revision: 1, createdAt: at, updatedAt: at, endedAt: null };
      if (stamp !== null) await takeKey(tx, this.core, stamp, made);
      await tx.rows(`${insertRows('order_lists', ORDER_LIST_COLUMNS, 1)} RETURNING id`, JSON.stringify([made]));
      told(changes, accountAt(accounts, made.accountId), { type: 'orderList.created', data: {} }, made, at);
      return made;
    });
  }

  async byId(id: string, userId?: string): Promise<OrderList | null> {
    const [row] = await this.core.database.rows(`SELECT ${ORDER_LIST_SELECT} FROM order_lists l WHERE l.id = $1 AND ($2::text IS NULL OR l.user_id = $2)`, id, userId ?? null);
    return row === undefined ? null : orderListOf(row);
  }

  /** Newest first. Throws VALIDATION on a foreign cursor. */
  async list(query: OrderListListQuery): Promise<{ readonly orderLists: readonly OrderList[]; readonly nextCursor: string | null }> {
    const { rows, nextCursor } = await newestFirst(this.core.database, LISTED_ORDER_LISTS, query, ORDER_LIST_LISTS[query.status]);
    return { orderLists: rows.map(orderListOf), nextCursor };
  }

  /** In the order of their numbers. */
  async children(id: string): Promise<readonly OrderListChild[]> {
    return (await this.core.database.rows(CHILDREN_SQL, id)).map(childOf);
  }

  /** Every open one, whoever's: for the sweeper. */
  async unended(limit: number, after: Pick<OrderList, 'accountId' | 'id'> | null = null): Promise<readonly OrderList[]> {
    return (await this.core.database.rows(`SELECT ${ORDER_LIST_SELECT} FROM order_lists l WHERE l.ended_at IS NULL AND ($2::text IS NULL OR (l.account_id, l.id) > ($2, $3)) ORDER BY l.account_id, l.id LIMIT $1::int`, limit, after?.accountId ?? null, after?.id ?? null)).map(orderListOf);
  }

  /** Those with a leg on the account. */
  async openOf(accountId: string): Promise<readonly OrderList[]> {
    return (await this.core.database.rows(`SELECT ${ORDER_LIST_SELECT} FROM order_lists l WHERE l.ended_at IS NULL AND l.legs @> jsonb_build_array(jsonb_build_object('accountId', $1::text)) ORDER BY l.created_at, l.id`, accountId)).map(orderListOf);
  }

  async timeline(id: string, userId: string): Promise<{ readonly orderList: OrderList; readonly orders: readonly OrderListChild[]; readonly events: readonly StreamEvent[] } | null> {
    const orderList = await this.byId(id, userId);
    if (orderList === null) return null;
    const [orders, rows, generation] = await Promise.all([this.children(id), this.core.database.rows(EVENTS_SQL, id), this.generation()]);
    const events = rows.map((row) => {
      const event = plainRow(row) as unknown as Omit<StreamEvent, 'id' | 'generation'>;
      return { ...event, id: `${event.stream}/${event.sequence}`, generation };
    });
    return { orderList, orders, events };
  }

  /** What its owner, or a switch, wants of it. What is so already tells nobody. Throws NOT_FOUND, PRECONDITION_FAILED and CONFLICT. */
  async command(id: string, userId: string, command: OrderListCommand): Promise<OrderList> {
    const known = await this.byId(id, userId);
    if (known === null) throw new DomainError('NOT_FOUND', `order list ${id} does not exist`);
    return change(this.core, accountsOfList(known), async (tx, changes) => {
      const accounts = await ownAccounts(tx, known);
      const before = await locked(tx, id);
      if (command.kind === 'amend') await assertReadBack(tx);
      const commanded = commandedTo(before, command, (await tx.rows(CHILDREN_SQL, id)).map(childOf));
      if (commanded === null) return before;
      const at = isoTime(this.core.clock.nowMs());
      const after: OrderList = { ...before, ...commanded.change, revision: before.revision + 1, updatedAt: at };
      await amendLegTriggers(tx, changes, before, after, this.core.clock.nowMs());
      await write(tx, after);
      told(changes, accountAt(accounts, after.accountId), commanded, after, at);
      return after;
    });
  }

  /** One trigger of a leg, by the leg's terms as they are now. null: the list has changed or is lost, and the leg waits for it no more. */
  async armTrigger(id: string, intent: TriggerIntent): Promise<Trigger | null> {
    return change(this.core, [], async (tx, changes) => {
      const list = await lockedList(tx, id);
      return list === null ? null : armLegTrigger(tx, changes, list, intent, this.core.clock.nowMs());
    });
  }

  /** What its workflow decided, unless the facts have moved on: then null, and nothing is changed. Answers the orders that were recorded. */
  async advance(id: string, { revision, afterN, note, place, cancel, alerts }: OrderListAdvance): Promise<{ readonly children: readonly OrderListChild[] } | null> {
    const known = await this.byId(id);
    if (known === null) return null;
    return change(this.core, accountsOfList(known), async (tx, changes) => {
      const accounts = await ownAccounts(tx, known);
      const before = await locked(tx, id);
      const children = (await tx.rows(CHILDREN_SQL, id)).map(childOf);
      if (before.endedAt !== null || before.revision !== revision || (children.at(-1)?.n ?? 0) !== afterN) return null;
      const nowMs = this.core.clock.nowMs();
      const at = isoTime(nowMs);
      const { list: after, events } = note === null ? { list: before, events: [] } : noted(before, note, at);
      // A late fill may have come between.
      if (place.length > 0 && !fitsShares(after, children, place, nowMs)) return null;
      if (note !== null) await write(tx, after);
      for (const event of events) told(changes, accountAt(accounts, after.accountId), event, after, at);
      for (const { leg, ...alert } of alerts) changes.addEvent(accountAt(accounts, after.legs[leg]?.accountId ?? after.accountId), { type: 'account.alert', orderId: null, data: { ...alert, orderListId: id, leg } }, at);
      if (cancel.length > 0) await tx.rows('UPDATE order_list_children SET cancel_asked_at = $3::timestamptz WHERE order_list_id = $1 AND n = ANY($2::int[]) AND cancel_asked_at IS NULL RETURNING n', id, cancel.map(String), at);
      if (place.length === 0) return { children: [] };
      const recorded = place.map((plan, index) => recordedChild(after, plan, afterN + 1 + index, at));
      await tx.rows(`${insertRows('order_list_children', CHILD_COLUMNS, 1)} RETURNING n`, JSON.stringify(recorded));
      const shown = recorded.map(({ n, leg, step, orderId, type, quantity, limitPrice, triggerPrice }) => ({ n, leg, step, orderId, type, quantity, limitPrice, triggerPrice }));
      told(changes, accountAt(accounts, after.accountId), { type: 'orderList.placing', data: { orders: shown } }, after, at);
      return { children: (await tx.rows(CHILDREN_SQL, id)).map(childOf).filter((child) => child.n > afterN) };
    });
  }
}

const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

function recordedChild({ id, userId }: OrderList, plan: ListChildPlan, n: number, at: string) {
  return { orderListId: id, n, userId, orderId: childOrderId({ parentId: id, leg: plan.leg, child: n }, sha256Hex), triggerPrice: null, ...plan, recordedAt: at, cancelAskedAt: null };
}

function told(changes: ChangeSet, account: LockedAccount, { type, data }: Pick<Commanded, 'type' | 'data'>, orderList: OrderList, at: string): void {
  changes.addEvent(account, { type, orderId: null, data: { orderList, ...data } }, at);
}

async function ownAccounts(tx: Queryable, list: Pick<OrderList, 'accountId' | 'legs' | 'userId'>): Promise<ReadonlyMap<string, LockedAccount>> {
  const accounts = await lockAccounts(tx, accountsOfList(list));
  for (const id of accountsOfList(list)) if (accounts.get(id)?.userId !== list.userId) throw new DomainError('NOT_FOUND', `account ${id} does not exist`);
  return accounts;
}

function accountAt(accounts: ReadonlyMap<string, LockedAccount>, id: string): LockedAccount {
  const account = accounts.get(id);
  if (account === undefined) throw new DomainError('NOT_FOUND', `account ${id} does not exist`);
  return account;
}

function assertMayEnter(account: LockedAccount, reduceOnly: boolean): void {
  if (reduceOnly || account.status === 'ACTIVE') return;
  throw new DomainError(account.status === 'HALTED' ? 'RISK_ACCOUNT_HALTED' : 'RISK_ACCOUNT_REDUCING', `the account is ${account.status}: ${account.statusReason ?? 'no reason was given'}`);
}

async function lockedList(tx: Queryable, id: string): Promise<OrderList | null> {
  const [row] = await tx.rows(`SELECT ${ORDER_LIST_SELECT} FROM order_lists l WHERE l.id = $1 FOR UPDATE`, id);
  return row === undefined ? null : orderListOf(row);
}

async function locked(tx: Queryable, id: string): Promise<OrderList> {
  const list = await lockedList(tx, id);
  if (list === null) throw new DomainError('NOT_FOUND', `order list ${id} does not exist`);
  return list;
}

/** Everything of it that can change. */
async function write(tx: Queryable, { id, state, reason, pendingCancel, entriesStopped, legs, expireTime, closeAt, revision, updatedAt, endedAt }: OrderList): Promise<void> {
  await tx.rows(
    `UPDATE order_lists SET state = $2, reason = $3, pending_cancel = $4, entries_stopped = $5, legs = $6::jsonb, expire_time = $7::timestamptz, close_at = $8::timestamptz, revision = $9::int, updated_at = $10::timestamptz, ended_at = $11::timestamptz WHERE id = $1 RETURNING id`,
    id, state, reason, pendingCancel, entriesStopped, JSON.stringify(legs), expireTime, closeAt, revision, updatedAt, endedAt,
  );
}
