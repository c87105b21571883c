/**
 * The order's state machine: (order, evidence) -> order, and what to tell. Pure; the store calls it under the order's
 * row lock, for every writer, so there is no other way for an order to change.
 *
 * Forward only: evidence about the past never takes back what is known. A fill after a terminal state is a correction
 * that is recorded and shown. Two states give way when the venue shows that it works the order after all: REJECTED, and FILLED that
 * was concluded from a quantity that has been raised (docs/decisions/revived-orders.md). Figures grow: filledQuantity is the larger
 * of the fills we have and what the venue says.
 */
import { decimal, decimalText, maxOf, ZERO, type Decimal } from './decimal';
import { REASON } from './errors';
import type { EventType } from './events';
import type { Evidence } from './evidence';
import { applyHeldEvidence } from './held-order-state';
import { changed, close, EVENT_OF_STATE, leaves, type Transition } from './order-changes';
import { isTerminal, type Order, type OrderState } from './order';
import type { VenueFill, VenueOrder } from './venue';

/** How far along an order is; a state never gives way to one of lower rank. */
const RANK: Record<OrderState, number> = {
  PENDING_RISK: 0,
  ARMED: 1,
  TRIGGERED: 2,
  SUBMITTING: 3,
  SUBMITTED: 4,
  UNKNOWN: 5,
  WORKING: 6,
  PARTIALLY_FILLED: 7,
  CANCELED: 8,
  EXPIRED: 8,
  REJECTED: 8,
  DENIED: 8,
  FILLED: 9,
};

/** Figures known of an order's fills at the moment evidence is applied: summed from the fill rows. */
export interface FillFigures {
  readonly quantity: string;
  /** Sum of price times quantity. */
  readonly value: string;
  readonly fee: string;
  readonly feeAsset: string | null;
}

export const NO_FILLS: FillFigures = { quantity: '0', value: '0', fee: '0', feeAsset: null };

/** The figures after one more fill. */
export function addFill(figures: FillFigures, fill: VenueFill): FillFigures {
  const quantity = decimal(fill.quantity);
  return {
    quantity: decimalText(decimal(figures.quantity).plus(quantity)),
    value: decimalText(decimal(figures.value).plus(quantity.times(decimal(fill.price)))),
    fee: decimalText(decimal(figures.fee).plus(decimal(fill.fee))),
    feeAsset: fill.feeAsset,
  };
}

/**
 * Applies one piece of evidence. `fills` are the figures of the order's fill rows, the evidence's own fill included.
 * Duplicate evidence must have been dropped by its key before; applying it again is harmless all the same.
 */
export function applyEvidence(order: Order, evidence: Evidence, fills: FillFigures): Transition {
  switch (evidence.kind) {
    case 'accepted':
      return accepted(order, evidence.venueOrderId, evidence.at);
    case 'venueView':
      return seen(order, evidence.order, fills, evidence.at);
    case 'fill':
      return filled(order, evidence.fill, fills, evidence.at);
    case 'refused':
    case 'notSent':
    case 'neverPlaced':
      return closedWithout(order, evidence.kind === 'neverPlaced' ? REASON.neverPlaced : evidence.reasonCode, evidence.message, evidence.at);
    case 'outcomeUnknown':
      return unknown(order, evidence.message, evidence.at);
    case 'cancelRequested':
      return overlay(order, { pendingCancel: true }, 'order.cancelRequested', {}, evidence.at);
    case 'cancelRefused':
      return overlay(order, { pendingCancel: false }, 'order.cancelRefused', { reasonCode: evidence.reasonCode, message: evidence.message }, evidence.at);
    case 'amendRequested':
      return overlay(order, { pendingReplace: true }, 'order.amendRequested', { limitPrice: evidence.limitPrice, quantity: evidence.quantity, ...(evidence.triggerPrice == null ? {} : { triggerPrice: evidence.triggerPrice }) }, evidence.at);
    case 'amendRefused':
      return refusedAmend(order, evidence.reasonCode, evidence.message, evidence.at);
    case 'amendSettled':
      return settledAmend(order, evidence.order, fills, evidence.at);
    case 'triggered':
    case 'childrenSeen':
    case 'conditionAmended':
    case 'escalated':
    case 'ended':
      return applyHeldEvidence(order, evidence);
  }
}

function accepted(order: Order, venueOrderId: string | null, at: string): Transition {
  const next: Order = { ...order, venueOrderId: order.venueOrderId ?? venueOrderId };
  if (RANK[order.state] >= RANK.SUBMITTED) return changed(order, next, null, at);
  next.state = 'SUBMITTED';
  next.submittedAt = order.submittedAt ?? at;
  return changed(order, next, 'order.submitted', at);
}

function unknown(order: Order, message: string, at: string): Transition {
  if (RANK[order.state] >= RANK.UNKNOWN) return { order, events: [] };
  return changed(order, { ...order, state: 'UNKNOWN', reasonMessage: message }, 'order.unknown', at);
}

/** Refused, not sent or never placed: only from before the venue is known to have it. */
function closedWithout(order: Order, reasonCode: string, message: string, at: string): Transition {
  if (RANK[order.state] >= RANK.WORKING || decimal(order.filledQuantity).greaterThan(ZERO)) return { order, events: [] };
  const next: Order = { ...order, state: 'REJECTED', reasonCode, reasonMessage: message, closedAt: at, pendingCancel: false, pendingReplace: false };
  return changed(order, next, 'order.rejected', at);
}

/** What the venue shows of the order. */
function seen(order: Order, view: VenueOrder, fills: FillFigures, at: string): Transition {
  const venueFilled = maxOf(decimal(view.filledQuantity), decimal(fills.quantity));
  const next = withFigures(order, venueFilled, fills, view.avgPrice);
  next.venueOrderId = order.venueOrderId ?? view.venueOrderId;
  // While an amendment is open its effect is settled by amendSettled, which knows what was asked; otherwise the venue's
  // working quantity and price are the truth (someone may have changed them outside).
  const newest = order.venueSeenAtMs === null || view.updatedAtMs >= order.venueSeenAtMs;
  const isNewer = order.venueSeenAtMs === null || view.updatedAtMs > order.venueSeenAtMs;
  const isRefuted = isNewer && ((order.state === 'REJECTED' && view.status !== 'rejected') || (order.state === 'FILLED' && worksOn(order, view, venueFilled)));
  if (newest && !order.pendingReplace && (!isTerminal(order.state) || isRefuted) && view.status === 'open') adoptTerms(next, view);
  if (newest) next.venueSeenAtMs = view.updatedAtMs;
  const target = stateSeen(view, venueFilled, isItsQuantityKnown(order) ? decimal(next.quantity) : null);
  return isRefuted ? revive(order, next, target, view.reasonCode, at) : advance(order, next, target, view.reasonCode, at);
}

/** Its quantity is the position's when it fires: only the venue can say that it filled. */
function isWholePosition({ grouping }: Order): boolean {
  return grouping === 'positionExits';
}

/** While an amendment is open the quantity may be more already than the row says: again only the venue can say that it filled. */
function isItsQuantityKnown(order: Order): boolean {
  return !isWholePosition(order) && !order.pendingReplace;
}

/** The venue works more of it than ever filled: its quantity was raised, and we had not heard of that when its fills made it full. */
function worksOn(order: Order, view: VenueOrder, filledQuantity: Decimal): boolean {
  return view.status === 'open' && !isWholePosition(order) && decimal(view.quantity).greaterThan(maxOf(filledQuantity, decimal(order.filledQuantity)));
}

/** `quantity`: null where figures do not tell that it filled. */
function stateSeen(view: VenueOrder, filledQuantity: Decimal, quantity: Decimal | null): OrderState {
  if (view.status === 'filled' || (quantity !== null && filledQuantity.greaterThanOrEqualTo(quantity))) return 'FILLED';
  if (view.status === 'canceled') return 'CANCELED';
  if (view.status === 'expired') return 'EXPIRED';
  if (view.status === 'rejected') return filledQuantity.greaterThan(ZERO) ? 'CANCELED' : 'REJECTED';
  return filledQuantity.greaterThan(ZERO) ? 'PARTIALLY_FILLED' : 'WORKING';
}

function filled(order: Order, fill: VenueFill, fills: FillFigures, at: string): Transition {
  const quantity = maxOf(decimal(fills.quantity), decimal(order.filledQuantity));
  const next = withFigures(order, quantity, fills, null);
  next.venueOrderId = order.venueOrderId ?? fill.venueOrderId;
  const target: OrderState = isItsQuantityKnown(order) && quantity.greaterThanOrEqualTo(decimal(order.quantity)) ? 'FILLED' : 'PARTIALLY_FILLED';
  // Where the venue itself showed the order rejected, its rest is gone; where that was concluded, it may still work.
  const isRefuted = order.state === 'REJECTED' && order.venueSeenAtMs === null;
  return isRefuted ? revive(order, next, target, null, at) : advance(order, next, target, null, at);
}

/** Moves to `target` if that is forward; a terminal order that still learns of fills is corrected, not reopened. */
function advance(order: Order, next: Order, target: OrderState, reasonCode: string | null, at: string): Transition {
  if (isTerminal(order.state)) {
    if (target === 'FILLED' && order.state !== 'FILLED') {
      close(next, 'FILLED', null, at);
      return changed(order, next, 'order.corrected', at);
    }
    return changed(order, next, next.filledQuantity !== order.filledQuantity ? 'order.corrected' : null, at);
  }
  if (RANK[target] < RANK[order.state]) return changed(order, next, null, at);
  if (isTerminal(target)) {
    close(next, target, reasonCode, at);
    return changed(order, next, EVENT_OF_STATE[target], at);
  }
  const moved = target !== order.state || next.filledQuantity !== order.filledQuantity;
  next.state = target;
  next.acknowledgedAt = order.acknowledgedAt ?? at;
  if (order.state === 'UNKNOWN') next.reasonMessage = null;
  return changed(order, next, moved ? EVENT_OF_STATE[target] : null, at);
}

/** The venue has, or had, an order that was called REJECTED, or works one that was called FILLED: it takes the venue's state, so that it counts as exposure again. */
function revive(order: Order, next: Order, target: OrderState, reasonCode: string | null, at: string): Transition {
  Object.assign(next, { reasonCode: null, reasonMessage: null, closedAt: null, filledAt: null, leavesQuantity: leaves(next.quantity, next.filledQuantity) });
  if (isTerminal(target)) close(next, target, reasonCode, at);
  else Object.assign(next, { state: target, acknowledgedAt: order.acknowledgedAt ?? at });
  return changed(order, next, 'order.corrected', at);
}

/** With its old quantity in force, what filled meanwhile may be all of it. */
function refusedAmend(order: Order, reasonCode: string, message: string, at: string): Transition {
  const refused = overlay(order, { pendingReplace: false }, 'order.amendRefused', { reasonCode, message }, at);
  const { order: cleared } = refused;
  if (isTerminal(cleared.state) || isWholePosition(cleared) || decimal(cleared.filledQuantity).lessThan(decimal(cleared.quantity))) return refused;
  const filledUp = advance(cleared, { ...cleared }, 'FILLED', null, at);
  return { order: filledUp.order, events: [...refused.events, ...filledUp.events] };
}

function settledAmend(order: Order, view: VenueOrder, fills: FillFigures, at: string): Transition {
  const cleared: Order = { ...order, pendingReplace: false };
  if (isTerminal(order.state)) return changed(order, cleared, null, at);
  const { order: next } = seen(cleared, view, fills, at);
  const amendedTerms = next.quantity !== order.quantity || next.limitPrice !== order.limitPrice || next.triggerPrice !== order.triggerPrice;
  if (isTerminal(next.state)) return changed(order, next, EVENT_OF_STATE[next.state], at);
  return changed(order, next, amendedTerms ? 'order.amended' : 'order.updated', at);
}

function adoptTerms(next: Order, view: VenueOrder): void {
  // Of an exit of the whole position a venue may name no size: what was asked stays shown until there is a better word.
  if (!isWholePosition(next)) next.quantity = decimalText(view.quantity);
  else if (decimal(view.quantity).greaterThan(ZERO)) next.quantity = decimalText(maxOf(decimal(view.quantity), decimal(next.filledQuantity)));
  if (view.limitPrice !== null && next.limitPrice !== null) next.limitPrice = decimalText(view.limitPrice);
  // What it waits for is told by venues that hold it; once it was reached some tell none.
  if (view.triggerPrice != null && next.triggerPrice !== null && decimal(view.triggerPrice).greaterThan(ZERO)) next.triggerPrice = decimalText(view.triggerPrice);
  next.leavesQuantity = leaves(next.quantity, next.filledQuantity);
}

function withFigures(order: Order, filledQuantity: Decimal, fills: FillFigures, venueAvgPrice: string | null): Order {
  const known = decimal(fills.quantity);
  const total = maxOf(filledQuantity, decimal(order.filledQuantity));
  const next: Order = { ...order, filledQuantity: decimalText(total), fee: decimalText(fills.fee), feeAsset: fills.feeAsset ?? order.feeAsset };
  if (isWholePosition(order)) next.quantity = decimalText(maxOf(decimal(order.quantity), total));
  // Our own average once every filled unit has its fill row; until then the venue's, which covers them all.
  if (known.greaterThan(ZERO) && known.equals(total)) next.avgPrice = decimalText(decimal(fills.value).dividedBy(known).toSignificantDigits(AVERAGE_DIGITS));
  else if (venueAvgPrice !== null) next.avgPrice = decimalText(venueAvgPrice);
  next.leavesQuantity = isTerminal(order.state) ? order.leavesQuantity : leaves(next.quantity, next.filledQuantity);
  return next;
}

/** An average is a quotient and may not end; 18 significant digits exceed any venue's tick. */
const AVERAGE_DIGITS = 18;

function overlay(order: Order, flags: Partial<Pick<Order, 'pendingCancel' | 'pendingReplace'>>, type: EventType, data: Record<string, unknown>, at: string): Transition {
  if (isTerminal(order.state)) return { order, events: [] };
  const next = { ...order, ...flags };
  if (next.pendingCancel === order.pendingCancel && next.pendingReplace === order.pendingReplace && !type.endsWith('Refused')) return { order, events: [] };
  return changed(order, next, type, at, data);
}

