/** Orders that wait in workflows: amended under their lock while they are armed, and read back with their children. */
import { isoTime } from '../../domain/clock';
import type { ErrorCode } from '../../domain/errors';
import { conditionOf } from '../../domain/condition';
import { sameTerms } from '../../domain/amended-terms';
import type { HeldTerms } from '../../domain/evidence';
import { decimal } from '../../domain/decimal';
import { NAMED_ENDED, VALUE_PLACES, type FoldedOrders, type PartlyFolded } from '../../domain/folded-orders';
import { isTerminal, type Order } from '../../domain/order';
import { disproof, triggerOf, type Trigger } from '../../domain/trigger';
import { applyToLocked, lockForEvidence } from '../orders/apply-evidence';
import type { ChangeSet } from '../change-set';
import { change, type StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { lockAccounts, orderOf, ORDER_SELECT } from '../database/locks';
import { OPEN_SQL } from '../orders/orders';
import { amendedTrigger, lockNewestTrigger, writeTrigger } from './trigger-rows';

export interface HeldAmendment {
  readonly orderId: string;
  readonly userId: string;
  readonly accountId: string;
  readonly expectedRevision: number;
  readonly terms: HeldTerms;
}

/** What its workflow knows of a row that a restored database has as it was at the backup. */
export interface HeldReadBack extends Pick<HeldAmendment, 'orderId' | 'accountId' | 'terms'> {
  /** Of the order, as its owner was told. */
  readonly revision: number;
  /** Of its trigger, as the watcher that lived through it may have it; null: one more than the row's. */
  readonly triggerRevision: number | null;
  /** Since when it has these terms, ms: nobody has watched them here since. */
  readonly pricesSinceMs: number;
}

export type HeldAmendmentAnswer = { readonly verdict: 'applied'; readonly order: Order } | { readonly verdict: 'denied'; readonly code: ErrorCode; readonly message: string };

/** The last part of a child's client id, as domain/client-ids.ts writes it. */
const CHILD_N_SQL = `split_part(o.client_order_id, '.', 3)::int`;
const FOLDED_SELECT = `jsonb_build_object('count', count(*), 'filledQuantity', trim_scale(coalesce(sum(o.filled_quantity), 0))::text, 'value', trim_scale(coalesce(sum(round(o.filled_quantity * o.avg_price, ${VALUE_PLACES})), 0))::text,
    'fee', trim_scale(coalesce(sum(o.fee), 0))::text, 'feeAsset', max(o.fee_asset))`;

export class HeldOrders {
  constructor(private readonly core: StoreCore) {}

  /** New terms of the order and of its trigger at once, if it is armed and at that revision and no price has reached it. A repeat of the same terms gets the same answer. */
  async amend({ orderId, userId, accountId, expectedRevision, terms }: HeldAmendment): Promise<HeldAmendmentAnswer> {
    return change(this.core, [accountId], async (tx, changes): Promise<HeldAmendmentAnswer> => {
      const at = isoTime(this.core.clock.nowMs());
      const item = { orderId, evidence: { kind: 'conditionAmended', key: `amended/${expectedRevision}`, terms, at } } as const;
      const accounts = await lockAccounts(tx, [accountId]);
      const locked = await lockForEvidence(tx, [item]);
      const order = locked.orders.get(orderId)?.order;
      if (order === undefined || order.userId !== userId || order.accountId !== accountId) return { verdict: 'denied', code: 'NOT_FOUND', message: `order ${orderId} does not exist` };
      if (locked.known.has(`${orderId} ${item.evidence.key}`) && sameTerms(await termsTaken(tx, orderId, item.evidence.key), terms)) return { verdict: 'applied', order };
      const trigger = await lockNewestTrigger(tx, orderId);
      const denied = refusalOf(order, trigger, expectedRevision, terms);
      if (denied !== null) return denied;
      const [applied] = await applyToLocked(tx, accounts, locked, [item], changes, this.core.markOf);
      const after = applied?.order ?? order;
      if (trigger?.status === 'ARMED') await this.amendTrigger(tx, changes, trigger, after, { revision: trigger.revision + 1, sinceMs: this.core.clock.nowMs() });
      return { verdict: 'applied', order: after };
    });
  }

  /**
   * What its workflow knows better than a row of a restored database: terms that were amended since the backup, of the order and of its
   * trigger, and the revision that its owner was told. True: something was behind. An order that is not armed (any more) is left as it is.
   */
  async readBack({ orderId, accountId, terms, revision, triggerRevision, pricesSinceMs }: HeldReadBack): Promise<boolean> {
    return change(this.core, [accountId], async (tx, changes) => {
      const item = { orderId, evidence: { kind: 'conditionAmended', key: `readBack/${revision}`, terms, revision, at: isoTime(this.core.clock.nowMs()) } } as const;
      const accounts = await lockAccounts(tx, [accountId]);
      const locked = await lockForEvidence(tx, [item]);
      const order = locked.orders.get(orderId)?.order;
      if (order?.state !== 'ARMED' || order.revision >= revision) return false;
      const [applied] = await applyToLocked(tx, accounts, locked, [item], changes, this.core.markOf);
      const trigger = await lockNewestTrigger(tx, orderId);
      const watched = { revision: Math.max((trigger?.revision ?? 0) + 1, triggerRevision ?? 0), sinceMs: Math.min(pricesSinceMs, this.core.clock.nowMs()) };
      if (trigger?.status === 'ARMED') await this.amendTrigger(tx, changes, trigger, applied?.order ?? order, watched);
      return true;
    });
  }

  /** Each amendment is one revision of its trigger, as its workflow counts them. `sinceMs`: from when on prices count for the new terms. */
  private async amendTrigger(tx: Queryable, changes: ChangeSet, trigger: Trigger, { type, side, ...order }: Order, { revision, sinceMs }: { readonly revision: number; readonly sinceMs: number }): Promise<void> {
    const condition = conditionOf(order);
    const parameters = condition === null ? null : triggerOf({ type, side, condition });
    if (parameters === null) throw new Error(`trigger ${trigger.id} belongs to an order that waits for no price`);
    const next = amendedTrigger(trigger, revision, parameters, sinceMs);
    await writeTrigger(tx, next, this.core.clock.nowMs());
    changes.triggerChanged(next.venue, next.revision);
  }

  /** Of the orders that one placed: all that are open, the newest that have ended and the first of its pursuit, in no order; `folded`: the others. */
  async childrenOf(orderId: string): Promise<PartlyFolded<Order>> {
    const named = await this.core.database.rows<{ id: string }>(`(SELECT o.id FROM orders o WHERE o.parent_order_id = $1 ORDER BY ${CHILD_N_SQL} DESC LIMIT $2::int) UNION (SELECT o.id FROM orders o WHERE o.parent_order_id = $1 AND split_part(o.client_order_id, '.', 2) = '0' ORDER BY ${CHILD_N_SQL} LIMIT 1)`, orderId, NAMED_ENDED);
    return this.childrenNamed(orderId, named.map(({ id }) => id));
  }

  /** Of the orders that one placed: those named and all that are open, in no order; `folded`: the others. */
  async childrenNamed(orderId: string, named: readonly string[]): Promise<PartlyFolded<Order>> {
    // One statement: an order that is over, or open again, in between is in one of the two.
    const rows = await this.core.database.rows(
      `SELECT ${ORDER_SELECT}, f.folded FROM (SELECT ${FOLDED_SELECT} AS folded FROM orders o WHERE o.parent_order_id = $1 AND o.id <> ALL($2::text[]) AND NOT (${OPEN_SQL})) f
         LEFT JOIN orders o ON o.parent_order_id = $1 AND (o.id = ANY($2::text[]) OR ${OPEN_SQL})`,
      orderId, [...named],
    );
    return { orders: rows.filter(({ id }) => id !== null).map(orderOf), folded: rows[0]?.['folded'] as unknown as FoldedOrders };
  }

  /** Held orders that have not ended, have not changed for this long and whose workflow is none of `running`, longest unchanged first. */
  async unattended(olderThanMs: number, running: readonly string[], limit: number): Promise<readonly Order[]> {
    const rows = await this.core.database.rows(
      `SELECT ${ORDER_SELECT} FROM orders o WHERE o.execution IN ('durable', 'both') AND ${OPEN_SQL} AND o.updated_at < $1::timestamptz AND NOT (o.owner_workflow_id = ANY($2::text[])) ORDER BY o.updated_at LIMIT $3::int`,
      isoTime(this.core.clock.nowMs() - olderThanMs),
      [...running],
      limit,
    );
    return rows.map(orderOf);
  }
}

/** Of the amendment that this evidence is of. */
async function termsTaken(tx: Queryable, orderId: string, key: string): Promise<HeldTerms> {
  const [row] = await tx.rows(`SELECT data->'terms' AS terms FROM order_evidence WHERE order_id = $1 AND key = $2`, orderId, key);
  if (row === undefined) throw new Error(`order ${orderId} has no evidence ${key}`);
  return row['terms'] as HeldTerms;
}

function refusalOf(order: Order, trigger: Trigger | null, expectedRevision: number, terms: HeldTerms): Extract<HeldAmendmentAnswer, { verdict: 'denied' }> | null {
  const deny = (code: ErrorCode, message: string): Extract<HeldAmendmentAnswer, { verdict: 'denied' }> => ({ verdict: 'denied', code, message });
  if (isTerminal(order.state)) return deny('CONFLICT', `the order is ${order.state}`);
  if (expectedRevision !== order.revision) return deny('PRECONDITION_FAILED', `the order is at revision ${order.revision}, not ${expectedRevision}`);
  if (order.pendingCancel) return deny('CONFLICT', 'a cancel of the order is under way');
  if (order.state !== 'ARMED') return deny('CONFLICT', `the order is ${order.state}: its trigger was crossed already`);
  // The watcher was quicker: its workflow does not know yet. What does not hold of a firing fires nothing.
  if (trigger?.evidence != null && trigger.status === 'FIRED' && disproof(trigger, trigger.evidence) === null) return deny('CONFLICT', 'its trigger was crossed already');
  if (terms.quantity !== undefined && decimal(terms.quantity).lessThanOrEqualTo(decimal(order.filledQuantity))) return deny('UNPROCESSABLE', `the new quantity must be above what is filled, ${order.filledQuantity}: cancel the order instead`);
  return null;
}
