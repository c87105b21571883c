/** Orders that wait in workflows: amended under their lock while they are armed, and read back with their children. */
import { isoTime } from '../domain/clock';
import type { ErrorCode } from '../domain/errors';
import type { HeldTerms } from '../domain/evidence';
import { decimal } from '../domain/decimal';
import { isTerminal, type Order } from '../domain/order';
import { applyToLocked, lockForEvidence } from './apply-evidence';
import { change, type StoreCore } from './core';
import { lockAccounts, orderOf, ORDER_SELECT } from './locks';
import { OPEN_SQL } from './orders';

export interface HeldAmendment {
  readonly orderId: string;
  readonly userId: string;
  readonly accountId: string;
  readonly expectedRevision: number;
  readonly terms: HeldTerms;
}

export type HeldAmendmentAnswer = { readonly verdict: 'applied'; readonly order: Order } | { readonly verdict: 'denied'; readonly code: ErrorCode; readonly message: string };

export class HeldOrders {
  constructor(private readonly core: StoreCore) {}

  /** New terms, if the order is armed and at that revision. A repeat gets the same answer. */
  async amend({ orderId, userId, accountId, expectedRevision, terms }: HeldAmendment): Promise<HeldAmendmentAnswer> {
    return change(this.core, [accountId], async (tx, changes): Promise<HeldAmendmentAnswer> => {
      const at = isoTime(this.core.clock.nowMs());
      const item = { orderId, evidence: { kind: 'conditionAmended', key: `amended/${expectedRevision}`, terms, at } } as const;
      const accounts = await lockAccounts(tx, [accountId]);
      const locked = await lockForEvidence(tx, [item]);
      const order = locked.orders.get(orderId)?.order;
      if (order === undefined || order.userId !== userId || order.accountId !== accountId) return { verdict: 'denied', code: 'NOT_FOUND', message: `order ${orderId} does not exist` };
      if (locked.known.has(`${orderId} ${item.evidence.key}`)) return { verdict: 'applied', order };
      const denied = refusalOf(order, expectedRevision, terms);
      if (denied !== null) return denied;
      const [applied] = await applyToLocked(tx, accounts, locked, [item], changes, this.core.markOf);
      return { verdict: 'applied', order: applied?.order ?? order };
    });
  }

  /** Orders that one placed, oldest first. */
  async childrenOf(orderId: string): Promise<readonly Order[]> {
    return (await this.core.database.rows(`SELECT ${ORDER_SELECT} FROM orders o WHERE o.parent_order_id = $1 ORDER BY o.created_at, o.id`, orderId)).map(orderOf);
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

function refusalOf(order: Order, expectedRevision: number, terms: HeldTerms): Extract<HeldAmendmentAnswer, { verdict: 'denied' }> | null {
  const deny = (code: ErrorCode, message: string): Extract<HeldAmendmentAnswer, { verdict: 'denied' }> => ({ verdict: 'denied', code, message });
  if (isTerminal(order.state)) return deny('CONFLICT', `the order is ${order.state}`);
  if (expectedRevision !== order.revision) return deny('PRECONDITION_FAILED', `the order is at revision ${order.revision}, not ${expectedRevision}`);
  if (order.pendingCancel) return deny('CONFLICT', 'a cancel of the order is under way');
  if (order.state !== 'ARMED') return deny('CONFLICT', `the order is ${order.state}: its trigger was crossed already`);
  if (terms.quantity !== undefined && decimal(terms.quantity).lessThanOrEqualTo(decimal(order.filledQuantity))) return deny('UNPROCESSABLE', `the new quantity must be above what is filled, ${order.filledQuantity}: cancel the order instead`);
  return null;
}
