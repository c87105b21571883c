/**
 * Triggers by slot: a number that stands for one of them while it waits. What a price, an arming or a disarming needs of a trigger is one
 * line of memory in one buffer, the rest one text (packed-trigger.ts) until it fires; the collector of garbage looks into neither of them.
 */
import type { Trigger } from '../../domain/trigger';
import { packed, unpacked } from './packed-trigger';
import { NONE, SlotsById } from './slots-by-id';
import { TextCells } from './text-cells';
import { presentOf, type TrailGroup } from './trail-group';

/** Of the 32 bytes of a slot: a double, then six numbers. */
const DOUBLES = 4;
const WORDS = 8;
/** The number in a free slot's `NEXT` is the free slot after it. */
const [CHILD, NEXT, BEFORE, STAMP, TERMS, REVISION] = [2, 3, 4, 5, 6, 7] as const;

/** What of a trigger's terms says where it is: flags, and above them its market's number. */
const [TRAILING, ABOVE, BY_PRICE, LONG] = [1, 2, 4, 8] as const;
const FLAG_BITS = 4;

/** Of a few; it doubles when it is full. */
const LEAST = 4;

export class TriggerSlots {
  private doubles = new Float64Array(LEAST * DOUBLES);
  private words = new Int32Array(this.doubles.buffer);
  private readonly ids: string[] = [];
  private readonly texts = new TextCells();
  /** Of each slot the cell of its text, and how many bytes that is. */
  private cells = new Int32Array(LEAST * 2);
  private readonly groups: (TrailGroup | null)[] = [];
  private readonly byId = new SlotsById();
  private free = NONE;

  get size(): number {
    return this.byId.size;
  }

  find(id: string): number | undefined {
    return this.byId.get(id);
  }

  all(): Generator<number> {
    return this.byId.slots();
  }

  /** Its id must be new here. `key`: what it is ordered by; `isLong`: another number may have the same double. */
  add(trigger: Trigger, market: number, key: number, isLong: boolean): number {
    const slot = this.vacant();
    const { kind, direction, trailingOffsetType } = trigger.parameters;
    const flags = (kind === 'trailing' ? TRAILING : 0) | (direction === 'atOrAbove' ? ABOVE : 0) | (trailingOffsetType === 'price' ? BY_PRICE : 0) | (isLong ? LONG : 0);
    const text = packed(trigger);
    const bytes = Buffer.byteLength(text);
    this.ids[slot] = trigger.id;
    this.cells[slot * 2] = this.texts.add(text, bytes);
    this.cells[slot * 2 + 1] = bytes;
    this.byId.add(trigger.id, slot);
    this.doubles[slot * DOUBLES] = key;
    this.write(slot, TERMS, (market << FLAG_BITS) | flags);
    this.write(slot, REVISION, trigger.revision);
    this.detach(slot);
    this.setChild(slot, NONE);
    return slot;
  }

  /** From now on the slot may be another trigger's, which its stamp tells. */
  release(slot: number): void {
    this.byId.delete(this.id(slot));
    this.ids[slot] = '';
    this.texts.release(this.cells[slot * 2] as number, this.cells[slot * 2 + 1] as number);
    if (this.isTrailing(slot)) this.groups[slot] = null;
    this.write(slot, STAMP, (this.stamp(slot) + 1) | 0);
    this.setNext(slot, this.free);
    this.free = slot;
  }

  id(slot: number): string {
    return this.ids[slot] as string;
  }

  /** As it was armed. */
  trigger(slot: number): Trigger {
    return unpacked(this.id(slot), this.texts.read(this.cells[slot * 2] as number, this.cells[slot * 2 + 1] as number));
  }

  /** Of a trailing one: what it follows the price in; null: it follows nothing yet. */
  group(slot: number): TrailGroup | null {
    const group = this.groups[slot] as TrailGroup | null;
    if (group === null || group.joined === null) return group;
    const present = presentOf(group);
    this.groups[slot] = present;
    return present;
  }

  setGroup(slot: number, group: TrailGroup): void {
    this.groups[slot] = group;
  }

  revision(slot: number): number {
    return this.read(slot, REVISION);
  }

  /** Another one for each trigger that has this slot in turn. */
  stamp(slot: number): number {
    return this.read(slot, STAMP);
  }

  market(slot: number): number {
    return this.read(slot, TERMS) >> FLAG_BITS;
  }

  isTrailing(slot: number): boolean {
    return (this.read(slot, TERMS) & TRAILING) !== 0;
  }

  isAbove(slot: number): boolean {
    return (this.read(slot, TERMS) & ABOVE) !== 0;
  }

  isByPrice(slot: number): boolean {
    return (this.read(slot, TERMS) & BY_PRICE) !== 0;
  }

  isLong(slot: number): boolean {
    return (this.read(slot, TERMS) & LONG) !== 0;
  }

  key(slot: number): number {
    return this.doubles[slot * DOUBLES] as number;
  }

  child(slot: number): number {
    return this.read(slot, CHILD);
  }

  next(slot: number): number {
    return this.read(slot, NEXT);
  }

  before(slot: number): number {
    return this.read(slot, BEFORE);
  }

  setChild(slot: number, child: number): void {
    this.write(slot, CHILD, child);
  }

  setNext(slot: number, next: number): void {
    this.write(slot, NEXT, next);
  }

  setBefore(slot: number, before: number): void {
    this.write(slot, BEFORE, before);
  }

  detach(slot: number): void {
    this.setBefore(slot, NONE);
    this.setNext(slot, NONE);
  }

  private vacant(): number {
    const { free } = this;
    if (free !== NONE) {
      this.free = this.next(free);
      return free;
    }
    const slot = this.groups.push(null) - 1;
    if (slot * WORDS === this.words.length) this.grow();
    return slot;
  }

  private grow(): void {
    const { doubles, cells } = this;
    this.doubles = new Float64Array(doubles.length * 2);
    this.doubles.set(doubles);
    this.words = new Int32Array(this.doubles.buffer);
    this.cells = new Int32Array(cells.length * 2);
    this.cells.set(cells);
  }

  private read(slot: number, field: number): number {
    return this.words[slot * WORDS + field] as number;
  }

  private write(slot: number, field: number, value: number): void {
    this.words[slot * WORDS + field] = value;
  }
}
