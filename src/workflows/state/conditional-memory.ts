/** Where a conditional order begins: at its intent, or at the row and the children of an execution that was lost. */
import type { HeldOrderView } from '../../activities/conditional-activities';
import type { OrderCondition } from '../../domain/condition';
import { decimalText } from '../../domain/decimal';
import type { HeldEvidence } from '../../domain/evidence';
import { UNCONDITIONAL, type OrderIntent } from '../../domain/order';
import type { SupervisedOrder } from '../../domain/supervised-order';
import type { ConditionalOrder } from './conditional-order';
import type { Child, ConditionalMemory } from './conditional-steps';

/** What its intent waits for. */
export function waitingOf(intent: OrderIntent): OrderCondition {
  return intent.condition ?? { ...UNCONDITIONAL, execution: 'durable' };
}

export function memoryOfRow(held: HeldOrderView, intent: OrderIntent): ConditionalMemory {
  const { quantity, limitPrice, condition, triggeredAtMs, pendingCancel } = held;
  const children = held.children.map(childOf).sort((a, b) => a.n - b.n);
  const fired = triggeredAtMs === null ? null : { by: 'trigger' as const, level: condition.triggerPrice ?? intent.condition?.triggerPrice ?? null, atMs: triggeredAtMs, evidence: {} };
  const pursuit = children.find(({ step }) => step !== 'native');
  // Its trigger counts its amendments; where that is not armed (any more), whoever arms it learns what it is.
  const armedVersion = held.armedRevision == null ? null : held.armedRevision - 1;
  return { condition, quantity, limitPrice, termsVersion: armedVersion ?? 0, armedVersion, triggerNumber: 0, fired, pursuitSinceMs: pursuit?.placedAtMs ?? null, children, cancelAsked: pendingCancel, failures: 0, nativeFailures: 0 };
}

/** `<parent>.<leg>.<n>`, as domain/client-ids.ts writes it. */
function childOf(view: SupervisedOrder): Child {
  const [, leg = '0', n = '0'] = view.clientOrderId.split('.');
  const step = leg === '1' ? 'native' : view.type === 'market' || view.timeInForce === 'IOC' ? 'market' : 'limit';
  return { n: Number(n), orderId: view.id, step, placedAtMs: Date.parse(view.updatedAt), termsVersion: 0, view, cancelAskedAtMs: null };
}

/** The parent's figures of this moment; null before anything filled. */
export function childrenEvidence(state: ConditionalOrder, at: string): Extract<HeldEvidence, { kind: 'childrenSeen' }> | null {
  const { quantity, value, fee, feeAsset } = state.filled;
  if (quantity.isZero()) return null;
  const avgPrice = value.isZero() ? null : decimalText(value.dividedBy(quantity).toSignificantDigits(AVERAGE_DIGITS));
  return { kind: 'childrenSeen', key: `children/${decimalText(quantity)}/${decimalText(value)}/${decimalText(fee)}`, filledQuantity: decimalText(quantity), avgPrice, fee: decimalText(fee), feeAsset, at };
}

/** An average is a quotient and may not end; 18 significant digits exceed any venue's tick. */
const AVERAGE_DIGITS = 18;
