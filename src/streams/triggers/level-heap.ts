/**
 * Levels in the order in which the price reaches them: a binary heap of doubles, each beside its trigger's slot, so that sorting one in or out
 * touches no trigger. One that is disarmed stays until it comes first or the heap is full: its slot's stamp tells that it is void.
 */
import type { Exact } from './exact-order';
import { NONE } from './slots-by-id';
import type { TriggerSlots } from './trigger-slots';

const LEAST = 4;

export class LevelHeap {
  /** Times `sign`: the smallest first. */
  private keys = new Float64Array(LEAST);
  private slotsAt = new Int32Array(LEAST);
  private stamps = new Int32Array(LEAST);
  private size = 0;
  private void = 0;

  /** `sign` 1: the lowest first; -1: the highest. */
  constructor(
    private readonly sign: 1 | -1,
    private readonly slots: TriggerSlots,
  ) {}

  add(slot: number, key: number): void {
    if (this.size === this.keys.length) this.makeRoom();
    this.rise(this.size++, this.sign * key, slot, this.slots.stamp(slot));
  }

  /** One of its triggers gives its slot back. */
  remove(): void {
    this.void += 1;
  }

  /** NONE where it is empty. */
  first(): number {
    while (this.size > 0) {
      const slot = this.slotsAt[0] as number;
      if (this.slots.stamp(slot) === this.stamps[0]) return slot;
      this.void -= 1;
      this.pop();
    }
    return NONE;
  }

  /** Of `first`, which must be there. */
  firstKey(): number {
    return this.sign * (this.keys[0] as number);
  }

  /**
   * Those that the price reaches leave. `settle` is asked of each whose double is no further than the price's, and answers null where an equal
   * double hid that it is: that one stays.
   */
  take<Taken>(price: Exact, settle: (slot: number) => Taken | null): Taken[] {
    const taken: Taken[] = [];
    const stay: number[] = [];
    const { rounded } = price;
    for (let slot = this.first(); slot !== NONE && this.sign * (this.firstKey() - rounded) <= 0; slot = this.first()) {
      const settled = settle(slot);
      this.pop();
      if (settled === null) stay.push(slot);
      else taken.push(settled);
    }
    for (const slot of stay) this.add(slot, rounded);
    return taken;
  }

  private pop(): void {
    this.size -= 1;
    if (this.size > 0) this.sink(0, this.keys[this.size] as number, this.slotsAt[this.size] as number, this.stamps[this.size] as number);
  }

  /** It grows only where more than half of it counts. */
  private makeRoom(): void {
    if (this.void * 2 > this.size) return this.dropVoid();
    const { keys, slotsAt, stamps } = this;
    this.keys = new Float64Array(keys.length * 2);
    this.slotsAt = new Int32Array(keys.length * 2);
    this.stamps = new Int32Array(keys.length * 2);
    this.keys.set(keys);
    this.slotsAt.set(slotsAt);
    this.stamps.set(stamps);
  }

  private dropVoid(): void {
    let kept = 0;
    for (let at = 0; at < this.size; at += 1) {
      const slot = this.slotsAt[at] as number;
      if (this.slots.stamp(slot) !== this.stamps[at]) continue;
      this.put(kept++, this.keys[at] as number, slot, this.stamps[at] as number);
    }
    this.size = kept;
    this.void = 0;
    for (let at = (kept >> 1) - 1; at >= 0; at -= 1) this.sink(at, this.keys[at] as number, this.slotsAt[at] as number, this.stamps[at] as number);
  }

  private rise(from: number, key: number, slot: number, stamp: number): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (key >= (this.keys[above] as number)) break;
      this.put(at, this.keys[above] as number, this.slotsAt[above] as number, this.stamps[above] as number);
      at = above;
    }
    this.put(at, key, slot, stamp);
  }

  private sink(from: number, key: number, slot: number, stamp: number): void {
    let at = from;
    for (let child = 2 * at + 1; child < this.size; child = 2 * at + 1) {
      if (child + 1 < this.size && (this.keys[child + 1] as number) < (this.keys[child] as number)) child += 1;
      if ((this.keys[child] as number) >= key) break;
      this.put(at, this.keys[child] as number, this.slotsAt[child] as number, this.stamps[child] as number);
      at = child;
    }
    this.put(at, key, slot, stamp);
  }

  private put(at: number, key: number, slot: number, stamp: number): void {
    this.keys[at] = key;
    this.slotsAt[at] = slot;
    this.stamps[at] = stamp;
  }
}
