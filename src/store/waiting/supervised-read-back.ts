/**
 * Order lists and strategies that a restored database has lost, or has as they were at the backup: their workflows saw them later. What is
 * missing is written as it was seen then; the orders of it are read back by themselves (activities/store-recovery.ts).
 */
import { isoTime } from '../../domain/clock';
import type { EventType } from '../../domain/events';
import { accountsOfList, type OrderList, type OrderListChild } from '../../domain/order-list';
import type { Strategy, StrategyChild } from '../../domain/strategy';
import { columnName, insertRows, updateRows, type Columns } from '../database/columns';
import { change, type StoreCore } from '../core';
import type { ChangeSet } from '../change-set';
import type { Queryable } from '../database/database';
import { restoreLegTriggers } from './list-triggers';
import { lockAccounts } from '../database/locks';
import { CHILD_COLUMNS as LIST_CHILD_COLUMNS, ORDER_LIST_COLUMNS } from './list-rows';
import { STRATEGY_CHILD_COLUMNS, STRATEGY_COLUMNS } from './strategy-columns';

interface Seen {
  readonly table: 'order_lists' | 'strategies';
  readonly columns: Columns;
  readonly childTable: 'order_list_children' | 'strategy_children';
  readonly childColumns: Columns;
  readonly row: { readonly id: string; readonly userId: string; readonly accountId: string; readonly revision: number };
  readonly children: readonly Readonly<Record<string, unknown>>[];
  readonly accountIds: readonly string[];
  /** Fields that only ever become true: what was asked of the restored row stays asked. */
  readonly latches: readonly string[];
  readonly told: (how: 'created' | 'amended' | 'progressed') => { readonly type: EventType; readonly data: Readonly<Record<string, unknown>> };
  /** What goes with its row. */
  readonly restored: (tx: Queryable, changes: ChangeSet) => Promise<void>;
}

export class SupervisedReadBack {
  constructor(private readonly core: StoreCore) {}

  /** True: it was gone or behind. */
  orderList(list: OrderList, children: readonly OrderListChild[]): Promise<boolean> {
    return this.readBack({
      table: 'order_lists', columns: ORDER_LIST_COLUMNS, childTable: 'order_list_children', childColumns: LIST_CHILD_COLUMNS, row: list, accountIds: accountsOfList(list), latches: ['pendingCancel', 'entriesStopped'],
      children: children.map(({ recordedAtMs, cancelAskedAtMs, ...child }) => ({ ...child, orderListId: list.id, userId: list.userId, recordedAt: isoTime(recordedAtMs), cancelAskedAt: cancelAskedAtMs === null ? null : isoTime(cancelAskedAtMs) })),
      told: (how) => ({ type: `orderList.${how}`, data: { orderList: list } }),
      restored: (tx, changes) => restoreLegTriggers(tx, changes, list, this.core.clock.nowMs()),
    });
  }

  /** True: it was gone or behind. */
  strategy(strategy: Strategy, children: readonly StrategyChild[]): Promise<boolean> {
    return this.readBack({
      table: 'strategies', columns: STRATEGY_COLUMNS, childTable: 'strategy_children', childColumns: STRATEGY_CHILD_COLUMNS, row: strategy, accountIds: [strategy.accountId], latches: ['pendingCancel'],
      children: children.map(({ createdAtMs, ...child }) => ({ ...child, strategyId: strategy.id, userId: strategy.userId, recordedAt: isoTime(createdAtMs) })),
      told: (how) => ({ type: `strategy.${how}`, data: { strategy } }),
      restored: () => Promise.resolve(),
    });
  }

  private async readBack({ table, columns, childTable, childColumns, row, children, accountIds, latches, told, restored }: Seen): Promise<boolean> {
    return change(this.core, [...accountIds], async (tx, changes) => {
      const accounts = await lockAccounts(tx, [...accountIds]);
      const account = accounts.get(row.accountId);
      if (account === undefined || accountIds.some((id) => accounts.get(id)?.userId !== row.userId)) return false;
      const [known] = await tx.rows<{ revision: number; asked: readonly boolean[] }>(`SELECT t.revision, ARRAY[${latches.map((field) => `t.${columnName(field)}`).join(', ')}] AS asked FROM ${table} t WHERE t.id = $1 FOR UPDATE`, row.id);
      const isNew = known === undefined;
      const isBehind = isNew || known.revision < row.revision;
      if (isNew) {
        // Its client's name may stand for another by now.
        const inserted = await tx.rows(`${insertRows(table, columns, 1)} ON CONFLICT DO NOTHING RETURNING id`, JSON.stringify([row]));
        if (inserted.length === 0) return false;
      } else if (isBehind) {
        const asked = latches.filter((_, index) => known.asked[index] === true);
        await tx.rows(`${updateRows(table, columns, ['id'], 1)} RETURNING ${table}.id`, JSON.stringify([{ ...row, ...Object.fromEntries(asked.map((field) => [field, true])) }]));
      }
      // At the same revision it may have lost orders that it placed.
      const orders = children.length === 0 ? [] : await tx.rows(`${insertRows(childTable, childColumns, 1)} ON CONFLICT DO NOTHING RETURNING n`, JSON.stringify(children));
      if (!isBehind && orders.length === 0) return false;
      if (isBehind) await restored(tx, changes);
      const { type, data } = told(isNew ? 'created' : isBehind ? 'amended' : 'progressed');
      changes.addEvent(account, { type, orderId: null, data }, isoTime(this.core.clock.nowMs()));
      return true;
    });
  }
}
