/** The triggers of one market and price type, in the order in which the price reaches them. */
import { decimal } from '../../domain/decimal';
import { reaches, type Trigger } from '../../domain/trigger';
import type { HeardPrice } from './exact-order';
import { LevelHeap } from './level-heap';
import type { OffsetHeaps } from './offset-heap';
import { QuietPrices } from './quiet-prices';
import { NONE } from './slots-by-id';
import { TrailingIndex, type Crossed } from './trailing-index';
import type { TriggerSlots } from './trigger-slots';

export class MarketTriggers {
  private readonly above: LevelHeap;
  private readonly below: LevelHeap;
  private readonly trailsAbove: TrailingIndex;
  private readonly trailsBelow: TrailingIndex;
  private readonly quiet = new QuietPrices();

  constructor(
    /** Which of the index's markets it is. */
    readonly number: number,
    readonly symbol: string,
    private readonly slots: TriggerSlots,
    offsets: OffsetHeaps,
  ) {
    this.above = new LevelHeap(1, slots);
    this.below = new LevelHeap(-1, slots);
    this.trailsAbove = new TrailingIndex('atOrAbove', slots, offsets);
    this.trailsBelow = new TrailingIndex('atOrBelow', slots, offsets);
  }

  /** Whether a price of this double changes nothing here. */
  isQuiet(rounded: number): boolean {
    return this.quiet.has(rounded);
  }

  add(slot: number, trigger: Trigger): void {
    this.quiet.none();
    if (this.slots.isTrailing(slot)) this.trailsOf(slot).add(slot, trigger);
    else this.levelsOf(slot).add(slot, this.slots.key(slot));
  }

  /** Before it gives its slot back. */
  remove(slot: number): void {
    this.quiet.none();
    if (this.slots.isTrailing(slot)) this.trailsOf(slot).remove(slot);
    else this.levelsOf(slot).remove();
  }

  /** What the price reaches gives its slot back. */
  tick(price: HeardPrice, crossed: Crossed[]): void {
    for (const levels of [this.above, this.below]) for (const reached of levels.take(price, (slot) => this.settle(slot, price))) crossed.push(reached);
    this.trailsAbove.tick(price, crossed);
    this.trailsBelow.tick(price, crossed);
    this.quiet.all();
    if (this.above.first() !== NONE) this.quiet.below(this.above.firstKey());
    if (this.below.first() !== NONE) this.quiet.above(this.below.firstKey());
    this.trailsAbove.narrow(this.quiet);
    this.trailsBelow.narrow(this.quiet);
  }

  extremeOf(slot: number): string | null {
    return this.slots.isTrailing(slot) ? this.trailsOf(slot).extremeOf(slot) : null;
  }

  takeMoved(take: (slot: number, extreme: string) => void): void {
    this.trailsAbove.takeMoved(take);
    this.trailsBelow.takeMoved(take);
  }

  /** null: an equal double hid that the price has not reached it. */
  private settle(slot: number, price: HeardPrice): Crossed | null {
    const trigger = this.slots.trigger(slot);
    const { direction, triggerPrice } = trigger.parameters;
    const level = decimal(triggerPrice ?? '');
    if (!reaches(direction, price.exact, level)) return null;
    this.slots.release(slot);
    return { trigger, level, extreme: null };
  }

  private levelsOf(slot: number): LevelHeap {
    return this.slots.isAbove(slot) ? this.above : this.below;
  }

  private trailsOf(slot: number): TrailingIndex {
    return this.slots.isAbove(slot) ? this.trailsAbove : this.trailsBelow;
  }
}
