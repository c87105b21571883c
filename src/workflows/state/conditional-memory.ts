/** Where a conditional order begins: at its intent, or at the row and the children of an execution that was lost. */
import type { HeldOrderView } from '../../activities/conditional-activities';
import type { OrderCondition } from '../../domain/condition';
import { decimalText } from '../../domain/decimal';
import type { HeldEvidence } from '../../domain/evidence';
import { NONE_FOLDED } from '../../domain/folded-orders';
import { UNCONDITIONAL, type OrderIntent } from '../../domain/order';
import type { ConditionalOrder } from './conditional-order';
import { childOf, type ConditionalMemory } from './conditional-steps';

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
  return { condition, quantity, limitPrice, termsVersion: armedVersion ?? 0, armedVersion, triggerNumber: 0, fired, pursuitSinceMs: pursuit?.placedAtMs ?? null, children, folded: held.folded ?? NONE_FOLDED, cancelAsked: pendingCancel, failures: 0, nativeFailures: 0 };
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
