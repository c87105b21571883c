/** What every change of an order goes through: its revision, its event, its close. Pure. */
import { decimal, decimalText, maxOf, ZERO } from './decimal';
import { REASON } from './errors';
import type { EventDraft, EventType } from './events';
import type { Order, OrderState } from './order';

export interface Transition {
  readonly order: Order;
  /** Empty when the evidence told nothing new. */
  readonly events: readonly EventDraft[];
}

export function leaves(quantity: string, filledQuantity: string): string {
  return decimalText(maxOf(decimal(quantity).minus(decimal(filledQuantity)), ZERO));
}

export function close(next: Order, state: OrderState, reasonCode: string | null, at: string): void {
  next.state = state;
  next.closedAt = next.closedAt ?? at;
  next.acknowledgedAt = next.acknowledgedAt ?? at;
  next.leavesQuantity = '0';
  next.reasonMessage = state === 'FILLED' ? null : next.reasonMessage;
  if (state === 'FILLED') next.filledAt = next.filledAt ?? at;
  if (state === 'CANCELED') next.canceledAt = next.canceledAt ?? at;
  next.reasonCode = state === 'FILLED' ? null : reasonCode ?? (state === 'CANCELED' && next.pendingCancel ? REASON.canceledByUser : next.reasonCode);
  next.pendingCancel = false;
  next.pendingReplace = false;
}

export const EVENT_OF_STATE: Record<OrderState, EventType> = {
  PENDING_RISK: 'order.updated',
  DENIED: 'order.denied',
  ARMED: 'order.armed',
  TRIGGERED: 'order.triggered',
  SUBMITTING: 'order.submitting',
  SUBMITTED: 'order.submitted',
  UNKNOWN: 'order.unknown',
  WORKING: 'order.working',
  PARTIALLY_FILLED: 'order.partiallyFilled',
  FILLED: 'order.filled',
  CANCELED: 'order.canceled',
  EXPIRED: 'order.expired',
  REJECTED: 'order.rejected',
};

/** Compares, counts the revision, and names the event; nothing changed means nothing is told. */
export function changed(before: Order, after: Order, type: EventType | null, at: string, data: Record<string, unknown> = {}): Transition {
  if (type === null && !differs(before, after)) return { order: before, events: [] };
  const order: Order = { ...after, revision: before.revision + 1, updatedAt: at };
  return { order, events: [{ type: type ?? 'order.updated', orderId: order.id, data: { ...data, order } }] };
}

function differs(before: Order, after: Order): boolean {
  return (Object.keys(after) as (keyof Order)[]).some((field) => before[field] !== after[field]);
}
