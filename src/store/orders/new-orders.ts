/** How an intent becomes an order's first row: as one that is to be sent, one that waits in a workflow, or one that is denied. */
import { isoTime } from '../../domain/clock';
import { isElsewhere, NO_KEY } from '../accounts/credentials';
import { conditionOf } from '../../domain/condition';
import type { ErrorCode } from '../../domain/errors';
import { UNCONDITIONAL, UNGROUPED, UNSUPERVISED, type Order, type OrderIntent, type Supervision } from '../../domain/order';
import { orderTriggerId, triggerOf } from '../../domain/trigger';
import { judgeOrder } from '../../risk/judge';
import type { ChangeSet } from '../change-set';
import type { StoreCore } from '../core';
import type { LockedAccount, OrderBookkeeping } from '../database/locks';
import type { Candidate, GroupState } from './placing';
import { newTriggerRow } from '../waiting/trigger-rows';
import { userFiguresOf } from '../risk/user-figures';

export const NO_BOOKS: OrderBookkeeping = { fillsQuantity: '0', fillsValue: '0', fillsMissing: '0', valuationPrice: '0', amendQuantity: null, amendValuation: null };

export function newOrder(intent: OrderIntent, ownerWorkflowId: string | null, at: string): Order {
  // Written out: a literal has one shape that V8 knows. With anything spread into so large an object it is made field by field: 0.1 ms an order.
  const { parentOrderId, orderListId, strategyId, contingencyType, supervisorWorkflowId } = supervisedBy(intent.supervision);
  const { execution, triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation, startAt, expireTime } = intent.condition ?? UNCONDITIONAL;
  const { grouping, groupId } = intent.group ?? UNGROUPED;
  const { id, clientOrderId, venueClientId, userId, accountId, venue, symbol, venueSymbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, origin } = intent;
  return {
    id, clientOrderId, venueClientId, venueOrderId: null, userId, accountId, venue, symbol, venueSymbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, origin,
    filledQuantity: '0', leavesQuantity: quantity, avgPrice: null, fee: '0', feeAsset: null, state: 'SUBMITTING', reasonCode: null, reasonMessage: null,
    pendingCancel: false, pendingReplace: false, revision: 1, ownerWorkflowId, venueSeenAtMs: null,
    parentOrderId, orderListId, strategyId, contingencyType, supervisorWorkflowId, grouping, groupId,
    execution, triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation, startAt, expireTime,
    createdAt: at, submittedAt: null, acknowledgedAt: null, triggeredAt: null, filledAt: null, canceledAt: null, closedAt: null, updatedAt: at,
  };
}

function supervisedBy(supervision: Supervision | undefined): Pick<Order, keyof typeof UNSUPERVISED> {
  if (supervision === undefined) return UNSUPERVISED;
  const { workflowId, parentOrderId = null, orderListId = null, strategyId = null, contingencyType = null } = supervision;
  return { parentOrderId, orderListId, strategyId, contingencyType, supervisorWorkflowId: workflowId };
}

export function denied(candidate: Candidate, code: ErrorCode, message: string): Candidate {
  const order: Order = { ...candidate.order, state: 'DENIED', reasonCode: code, reasonMessage: message, leavesQuantity: '0', closedAt: candidate.order.createdAt };
  return { ...candidate, order };
}

/**
 * An order that waits in a workflow: nothing of it is sent, so it is armed also while entries are held back, and nothing is reserved.
 * An entry gets a first check, as if it were to be placed at the market now; each child is judged when it is placed.
 */
export function armed(core: StoreCore, intent: OrderIntent, account: LockedAccount, state: GroupState): Candidate {
  const order: Order = { ...newOrder(intent, state.context.ownerWorkflowId, isoTime(state.nowMs)), state: 'ARMED' };
  const candidate: Candidate = { intent, account, order, books: NO_BOOKS, shown: {} };
  const venue = core.venues.get(intent.venue);
  if (venue === undefined) return denied(candidate, 'VENUE_UNAVAILABLE', `venue ${intent.venue} is not configured`);
  if (intent.reduceOnly && !venue.capabilities.reduceOnly) return denied(candidate, 'UNPROCESSABLE', `${intent.venue} takes no reduce-only orders`);
  // What it places later, a process places that has the key; what waited when it was lost waits on.
  if (!state.credentials.has(account.id) && !isElsewhere(state, account) && state.context.readBack === undefined) return denied(candidate, 'FORBIDDEN', NO_KEY);
  const figures = state.figures.get(account.id);
  // What was accepted before the database was restored is judged no more.
  if (intent.reduceOnly || figures === undefined || state.context.readBack !== undefined) return candidate;
  const verdict = judgeOrder({ ...intent, limitPrice: null, condition: undefined }, figures, userFiguresOf(account, state.companions, state.figures));
  // Without a price there is nothing to judge by yet; there will be one when its trigger is crossed.
  if (verdict.verdict === 'denied' && verdict.code !== 'RISK_PRICE_UNKNOWN') return denied({ ...candidate, shown: verdict.shown }, verdict.code, verdict.message);
  return { ...candidate, shown: verdict.shown };
}

/**
 * Who is told that it is armed may rely on it: its trigger is committed with it, whatever becomes of the worker then. One that begins at a
 * time has no trigger before that.
 */
export function armWith(changes: ChangeSet, order: Order, nowMs: number, pricesSinceMs?: number): void {
  const condition = order.state === 'ARMED' ? conditionOf(order) : null;
  const parameters = condition === null || condition.startAt !== null ? null : triggerOf({ type: order.type, side: order.side, condition });
  const { id, userId, accountId, venue, symbol, ownerWorkflowId } = order;
  if (parameters === null || ownerWorkflowId === null) return;
  changes.armTrigger(venue, newTriggerRow({ id: orderTriggerId(id, 0), userId, accountId, workflowId: ownerWorkflowId, venue, symbol, parameters }, nowMs, pricesSinceMs));
}
