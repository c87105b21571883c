/** Trailing triggers that have the same extreme, and so move together: a heap of offsets in price and one of offsets in parts of the price. */
import type { Decimal } from '../../domain/decimal';
import { trailingLevel, type TriggerDirection, type TriggerParameters } from '../../domain/trigger';
import { HeapPlace, type Exact } from './exact-order';
import type { OffsetHeaps } from './offset-heap';
import { NONE } from './slots-by-id';
import type { TriggerSlots } from './trigger-slots';

/** The first of one of its heaps, read once while it is that. */
class First {
  slot = NONE;
  private stamp = 0;
  private parameters: TriggerParameters | null = null;

  level(slots: TriggerSlots, extreme: Decimal): Decimal {
    const { slot } = this;
    if (this.parameters === null || this.stamp !== slots.stamp(slot)) {
      this.stamp = slots.stamp(slot);
      this.parameters = slots.trigger(slot).parameters;
    }
    return trailingLevel(this.parameters, extreme);
  }

  is(slot: number): void {
    if (slot !== this.slot) this.parameters = null;
    this.slot = slot;
  }
}

export class TrailGroup {
  private readonly byPrice = new First();
  private readonly byRatio = new First();
  /** The group that it is part of by now, or was for a time. */
  joined: TrailGroup | null = null;
  private told: { readonly of: Exact; readonly text: string } | null = null;
  readonly atExtreme: HeapPlace<TrailGroup>;
  readonly atLevel: HeapPlace<TrailGroup>;

  constructor(public extreme: Exact) {
    this.atExtreme = new HeapPlace<TrailGroup>(this, extreme);
    this.atLevel = new HeapPlace<TrailGroup>(this, extreme);
  }

  /** Made once for all of its triggers. */
  get extremeText(): string {
    if (this.told?.of !== this.extreme) this.told = { of: this.extreme, text: this.extreme.exact.toFixed() };
    return this.told.text;
  }

  get isEmpty(): boolean {
    return this.byPrice.slot === NONE && this.byRatio.slot === NONE;
  }

  add(slots: TriggerSlots, offsets: OffsetHeaps, slot: number): void {
    const first = slots.isByPrice(slot) ? this.byPrice : this.byRatio;
    first.is(offsets.meld(first.slot, slot));
    slots.setGroup(slot, this);
  }

  /** Whether another trigger may be the next now. */
  remove(slots: TriggerSlots, offsets: OffsetHeaps, slot: number): boolean {
    const first = slots.isByPrice(slot) ? this.byPrice : this.byRatio;
    const wasFirst = slot === first.slot;
    first.is(offsets.without(first.slot, slot));
    return wasFirst;
  }

  /** All of the other's, which is part of this one from now on. */
  join(offsets: OffsetHeaps, other: TrailGroup): void {
    this.byPrice.is(offsets.meld(this.byPrice.slot, other.byPrice.slot));
    this.byRatio.is(offsets.meld(this.byRatio.slot, other.byRatio.slot));
    other.byPrice.is(NONE);
    other.byRatio.is(NONE);
    other.joined = this;
  }

  *slotsOf(offsets: OffsetHeaps): Generator<number> {
    yield* offsets.slotsOf(this.byPrice.slot);
    yield* offsets.slotsOf(this.byRatio.slot);
  }

  /** Of its two smallest offsets the one whose level the price reaches first. */
  next(slots: TriggerSlots, direction: TriggerDirection): { readonly slot: number; readonly level: Decimal } {
    const { byPrice, byRatio } = this;
    if (this.isEmpty) throw new Error('a group without triggers has no level');
    const ofPrice = byPrice.slot === NONE ? null : byPrice.level(slots, this.extreme.exact);
    const ofRatio = byRatio.slot === NONE ? null : byRatio.level(slots, this.extreme.exact);
    if (ofPrice === null || (ofRatio !== null && isSooner(direction, ofRatio, ofPrice))) return { slot: byRatio.slot, level: ofRatio as Decimal };
    return { slot: byPrice.slot, level: ofPrice };
  }
}

/** The group that this one is part of by now, or itself; the way is shortened for the next who asks. */
export function presentOf(group: TrailGroup): TrailGroup {
  let present = group;
  while (present.joined !== null) {
    if (present.joined.joined !== null) present.joined = present.joined.joined;
    present = present.joined;
  }
  return present;
}

/** Whether the price reaches this level before the other. */
function isSooner(direction: TriggerDirection, level: Decimal, than: Decimal): boolean {
  return direction === 'atOrBelow' ? level.greaterThan(than) : level.lessThan(than);
}
