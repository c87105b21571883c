/**
 * Trailing triggers of one market, price type and direction, at a cost that does not grow with their number. Triggers that have the same
 * extreme move together: they are one group (trail-group.ts), so that its next level is made of two numbers. A new extreme joins every group
 * behind it into one, and a group only ever comes into being where a trigger is armed or activated: joining costs O(log n) for each trigger
 * once in its life, whatever the prices do.
 */
import { decimal, type Decimal } from '../../domain/decimal';
import { isActivatedBy, type Trigger, type TriggerDirection } from '../../domain/trigger';
import { compareExact, exactly, OrderedHeap, type Exact, type HeardPrice } from './exact-order';
import { LevelHeap } from './level-heap';
import type { OffsetHeaps } from './offset-heap';
import type { QuietPrices } from './quiet-prices';
import { NONE } from './slots-by-id';
import { TrailGroup } from './trail-group';
import type { TriggerSlots } from './trigger-slots';

export interface Crossed {
  readonly trigger: Trigger;
  readonly level: Decimal;
  /** null of a fixed level. */
  readonly extreme: Decimal | null;
}

export class TrailingIndex {
  /** 1 where higher is better for the holder. */
  private readonly sign: 1 | -1;
  /** By their activation price. */
  private readonly waiting: LevelHeap;
  /** Without an activation price, and armed since the last price. */
  private readonly fresh = new Set<number>();
  /** The worst extreme first: what a new price overtakes. */
  private readonly byExtreme: OrderedHeap<TrailGroup>;
  /** The level that the price reaches first. */
  private readonly byLevel: OrderedHeap<TrailGroup>;
  private readonly moved = new Set<TrailGroup>();

  constructor(
    private readonly direction: TriggerDirection,
    private readonly slots: TriggerSlots,
    private readonly offsets: OffsetHeaps,
  ) {
    this.sign = direction === 'atOrBelow' ? 1 : -1;
    this.waiting = new LevelHeap(this.sign, slots);
    this.byExtreme = new OrderedHeap(this.sign);
    this.byLevel = new OrderedHeap(this.sign === 1 ? -1 : 1);
  }

  add(slot: number, { extreme, parameters: { activationPrice } }: Trigger): void {
    if (extreme !== null) this.found(exactly(decimal(extreme)), [slot]);
    else if (activationPrice !== null) this.waiting.add(slot, decimal(activationPrice).toNumber());
    else this.fresh.add(slot);
  }

  /** Before it gives its slot back. */
  remove(slot: number): void {
    const group = this.slots.group(slot);
    if (group !== null) this.leave(group, slot);
    else if (!this.fresh.delete(slot)) this.waiting.remove();
  }

  /** The extreme that a trigger has now; null: it follows nothing. */
  extremeOf(slot: number): string | null {
    return this.slots.group(slot)?.extremeText ?? null;
  }

  /** Which prices would change something here; see QuietPrices. */
  narrow(quiet: QuietPrices): void {
    if (this.fresh.size > 0) return quiet.none();
    const better = [this.byExtreme.first?.key.rounded, this.waiting.first() === NONE ? undefined : this.waiting.firstKey()];
    const level = this.byLevel.first?.key.rounded;
    for (const key of this.sign === 1 ? better : [level]) if (key !== undefined) quiet.below(key);
    for (const key of this.sign === 1 ? [level] : better) if (key !== undefined) quiet.above(key);
  }

  /** What the price reaches leaves the index and is added to `crossed`. */
  tick(price: HeardPrice, crossed: Crossed[]): void {
    this.overtake(price);
    this.activate(price);
    for (let group = this.byLevel.first?.value; group !== undefined && this.sign * compareExact(price, group.atLevel.key) <= 0; group = this.byLevel.first?.value) {
      const { slot, level } = group.next(this.slots, this.direction);
      crossed.push({ trigger: this.slots.trigger(slot), level, extreme: group.extreme.exact });
      this.leave(group, slot);
      this.slots.release(slot);
    }
  }

  /** Of those whose extreme moved since this was asked last, with what it is now. */
  takeMoved(take: (slot: number, extreme: string) => void): void {
    for (const group of this.moved) {
      for (const slot of group.slotsOf(this.offsets)) take(slot, group.extremeText);
    }
    this.moved.clear();
  }

  /** Every group whose extreme is worse than the price becomes one, with the price as its extreme. */
  private overtake(price: HeardPrice): void {
    let whole: TrailGroup | null = null;
    for (let group = this.byExtreme.first?.value; group !== undefined && this.sign * compareExact(group.extreme, price) < 0; group = this.byExtreme.first?.value) {
      this.withdraw(group);
      this.moved.delete(group);
      if (whole === null) whole = group;
      else whole.join(this.offsets, group);
    }
    if (whole === null) return;
    whole.extreme = exactly(price.exact);
    this.place(whole);
    this.moved.add(whole);
  }

  private activate(price: HeardPrice): void {
    if (this.fresh.size === 0 && this.waiting.first() === NONE) return;
    const started = this.waiting.take(price, (slot) => (isActivatedBy(this.slots.trigger(slot).parameters, price.exact) ? slot : null));
    for (const slot of this.fresh) started.push(slot);
    this.fresh.clear();
    if (started.length > 0) this.moved.add(this.found(exactly(price.exact), started));
  }

  /** Into the group that has this extreme, if it is the worst (where a price just arrived it is), or into a new one. */
  private found(extreme: Exact, started: readonly number[]): TrailGroup {
    const worst = this.byExtreme.first?.value;
    const group = worst !== undefined && compareExact(worst.extreme, extreme) === 0 ? worst : new TrailGroup(extreme);
    if (group === worst) this.withdraw(group);
    for (const slot of started) group.add(this.slots, this.offsets, slot);
    this.place(group);
    return group;
  }

  private leave(group: TrailGroup, slot: number): void {
    if (!group.remove(this.slots, this.offsets, slot)) return;
    this.withdraw(group);
    if (group.isEmpty) this.moved.delete(group);
    else this.place(group);
  }

  private withdraw(group: TrailGroup): void {
    this.byExtreme.remove(group.atExtreme);
    this.byLevel.remove(group.atLevel);
  }

  private place(group: TrailGroup): void {
    group.atExtreme.key = group.extreme;
    group.atLevel.key = exactly(group.next(this.slots, this.direction).level);
    this.byExtreme.add(group.atExtreme);
    this.byLevel.add(group.atLevel);
  }
}
