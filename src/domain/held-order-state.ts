/**
 * How an order that waits in a workflow moves: ARMED -> TRIGGERED -> PARTIALLY_FILLED -> an end. Its figures are sums over its
 * children, so they only grow; a child that learns of a fill after the end corrects it, as any late fill does.
 */
import { decimal, decimalText, maxOf, ZERO } from './decimal';
import type { HeldEvidence } from './evidence';
import { changed, close, EVENT_OF_STATE, leaves, type Transition } from './order-changes';
import { isTerminal, type Order } from './order';

export function applyHeldEvidence(order: Order, evidence: HeldEvidence): Transition {
  switch (evidence.kind) {
    case 'triggered':
      if (order.state !== 'ARMED') return { order, events: [] };
      return changed(order, { ...order, state: 'TRIGGERED', triggeredAt: evidence.at }, 'order.triggered', evidence.at, { trigger: evidence.trigger });
    case 'childrenSeen':
      return childrenSeen(order, evidence);
    case 'conditionAmended':
      if (order.state !== 'ARMED') return { order, events: [] };
      // Each change is one revision more than the one before.
      return changed({ ...order, revision: Math.max(order.revision, (evidence.revision ?? 0) - 1) }, amended(order, evidence.terms), 'order.amended', evidence.at);
    case 'escalated':
      if (isTerminal(order.state)) return { order, events: [] };
      return changed(order, order, 'order.escalated', evidence.at, { step: evidence.step, message: evidence.message });
    case 'ended':
      return ended(order, evidence);
  }
}

function childrenSeen(order: Order, seen: Extract<HeldEvidence, { kind: 'childrenSeen' }>): Transition {
  const filledQuantity = decimalText(maxOf(decimal(seen.filledQuantity), decimal(order.filledQuantity)));
  const grew = filledQuantity !== decimalText(order.filledQuantity);
  const next: Order = { ...order, filledQuantity, avgPrice: seen.avgPrice ?? order.avgPrice, fee: decimalText(seen.fee), feeAsset: seen.feeAsset ?? order.feeAsset };
  const isFull = decimal(filledQuantity).greaterThanOrEqualTo(decimal(order.quantity));
  if (isTerminal(order.state)) {
    if (isFull && order.state !== 'FILLED') close(next, 'FILLED', null, seen.at);
    return changed(order, next, grew ? 'order.corrected' : null, seen.at);
  }
  next.leavesQuantity = leaves(order.quantity, filledQuantity);
  if (isFull) {
    close(next, 'FILLED', null, seen.at);
    return changed(order, next, 'order.filled', seen.at);
  }
  if (decimal(filledQuantity).greaterThan(ZERO)) next.state = 'PARTIALLY_FILLED';
  return changed(order, next, grew ? 'order.partiallyFilled' : null, seen.at);
}

function amended(order: Order, terms: Extract<HeldEvidence, { kind: 'conditionAmended' }>['terms']): Order {
  const next = { ...order };
  for (const [field, value] of Object.entries(terms) as [keyof typeof terms, string | undefined][]) if (value !== undefined) next[field] = decimalText(value);
  next.leavesQuantity = leaves(next.quantity, next.filledQuantity);
  return next;
}

function ended(order: Order, evidence: Extract<HeldEvidence, { kind: 'ended' }>): Transition {
  if (isTerminal(order.state)) return { order, events: [] };
  const next: Order = { ...order, reasonMessage: evidence.message };
  close(next, evidence.state, evidence.reasonCode, evidence.at);
  return changed(order, next, EVENT_OF_STATE[evidence.state], evidence.at);
}
