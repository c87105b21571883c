/**
 * Pairing heaps of trailing triggers by their offset, the smallest first: two of them become one in O(1), and any trigger can leave in O(log n),
 * amortised. A heap is named by the slot of its first one, NONE where it is empty; the links are in the slots.
 */
import type { Decimal } from '../../domain/decimal';
import { NONE } from './slots-by-id';
import type { TriggerSlots } from './trigger-slots';

export class OffsetHeaps {
  /** Of `paired`, kept because most removals need a few places. */
  private readonly pairs: number[] = [];

  /** `exactOffset`: asked for where two doubles are equal and may hide two numbers. */
  constructor(
    private readonly slots: TriggerSlots,
    private readonly exactOffset: (slot: number) => Decimal,
  ) {}

  /** Both heaps as one; neither may be used by itself afterwards. */
  meld(a: number, b: number): number {
    if (a === NONE) return b;
    if (b === NONE) return a;
    const { slots } = this;
    const isSwapped = this.isBefore(b, a);
    const first = isSwapped ? b : a;
    const second = isSwapped ? a : b;
    const child = slots.child(first);
    slots.setBefore(second, first);
    slots.setNext(second, child);
    if (child !== NONE) slots.setBefore(child, second);
    slots.setChild(first, second);
    return first;
  }

  /** The heap without this one, which must be in it. Its first stays the first unless that is the one that leaves. */
  without(root: number, slot: number): number {
    const { slots } = this;
    const rest = this.paired(slots.child(slot));
    slots.setChild(slot, NONE);
    if (slot === root) return rest;
    // Its parent where it is the first child, otherwise the sibling before it.
    const before = slots.before(slot);
    const next = slots.next(slot);
    if (slots.child(before) === slot) slots.setChild(before, next);
    else slots.setNext(before, next);
    if (next !== NONE) slots.setBefore(next, before);
    slots.detach(slot);
    return this.meld(root, rest);
  }

  /** Each of the heap, in no order. */
  *slotsOf(root: number): Generator<number> {
    const open = root === NONE ? [] : [root];
    for (let slot = open.pop(); slot !== undefined; slot = open.pop()) {
      yield slot;
      const [child, next] = [this.slots.child(slot), this.slots.next(slot)];
      if (child !== NONE) open.push(child);
      if (next !== NONE) open.push(next);
    }
  }

  private isBefore(a: number, b: number): boolean {
    const { slots } = this;
    const [keyOfA, keyOfB] = [slots.key(a), slots.key(b)];
    if (keyOfA !== keyOfB) return keyOfA < keyOfB;
    return (slots.isLong(a) || slots.isLong(b)) && this.exactOffset(a).lessThan(this.exactOffset(b));
  }

  /** Siblings as one heap: in pairs from the front, then all from the back. Without recursion, because a first child may have 100,000 siblings. */
  private paired(first: number): number {
    const { slots, pairs } = this;
    for (let slot = first; slot !== NONE; ) {
      const second = slots.next(slot);
      const after = second === NONE ? NONE : slots.next(second);
      slots.detach(slot);
      if (second !== NONE) slots.detach(second);
      pairs.push(this.meld(slot, second));
      slot = after;
    }
    let whole = NONE;
    for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) whole = this.meld(whole, pair);
    return whole;
  }
}
