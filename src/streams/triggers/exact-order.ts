/**
 * Exact decimals in order, compared fast. A double is kept beside each: rounding to the nearest double never turns an order round, so
 * two different doubles decide, and only equal ones need the exact comparison. No decision is ever made by a rounded number.
 */
import { decimal, type Decimal } from '../../domain/decimal';

export interface Exact {
  readonly rounded: number;
  readonly exact: Decimal;
}

export function exactly(value: Decimal): Exact {
  return { rounded: value.toNumber(), exact: value };
}

/** A price as it came: its decimal is only made where the double cannot decide. */
export class HeardPrice implements Exact {
  readonly rounded: number;
  private parsed: Decimal | null = null;

  constructor(readonly text: string) {
    this.rounded = Number(text);
  }

  get exact(): Decimal {
    this.parsed ??= decimal(this.text);
    return this.parsed;
  }
}

export function compareExact(a: Exact, b: Exact): number {
  if (a.rounded !== b.rounded) return a.rounded < b.rounded ? -1 : 1;
  return a.exact.comparedTo(b.exact);
}

/** A value's place in an OrderedHeap. */
export class HeapPlace<Value> {
  position = -1;
  constructor(
    readonly value: Value,
    public key: Exact,
  ) {}
}

/** A binary heap whose elements know their place, so that any of them can leave or move in O(log n). `sign` 1: the lowest first; -1: the highest. */
export class OrderedHeap<Value> {
  private readonly places: HeapPlace<Value>[] = [];

  constructor(private readonly sign: 1 | -1) {}

  get first(): HeapPlace<Value> | undefined {
    return this.places[0];
  }

  get size(): number {
    return this.places.length;
  }

  add(place: HeapPlace<Value>): void {
    this.places.push(place);
    this.settle(place, this.places.length - 1);
    this.rise(place);
  }

  /** Leaves what is not in it as it is. */
  remove(place: HeapPlace<Value>): void {
    const { position } = place;
    const last = this.places[this.places.length - 1];
    if (position < 0 || last === undefined) return;
    this.places.pop();
    place.position = -1;
    if (last === place) return;
    this.settle(last, position);
    this.rise(last);
    this.sink(last);
  }

  move(place: HeapPlace<Value>, key: Exact): void {
    place.key = key;
    this.rise(place);
    this.sink(place);
  }

  private settle(place: HeapPlace<Value>, position: number): void {
    this.places[position] = place;
    place.position = position;
  }

  private isBefore(a: HeapPlace<Value>, b: HeapPlace<Value>): boolean {
    return this.sign * compareExact(a.key, b.key) < 0;
  }

  private rise(place: HeapPlace<Value>): void {
    for (let at = place.position; at > 0; ) {
      const above = (at - 1) >> 1;
      const parent = this.places[above] as HeapPlace<Value>;
      if (!this.isBefore(place, parent)) return;
      this.settle(parent, at);
      this.settle(place, above);
      at = above;
    }
  }

  private sink(place: HeapPlace<Value>): void {
    for (let at = place.position; ; ) {
      const left = 2 * at + 1;
      const [a, b] = [this.places[left], this.places[left + 1]];
      if (a === undefined) return;
      const child = b !== undefined && this.isBefore(b, a) ? b : a;
      if (!this.isBefore(child, place)) return;
      const below = child.position;
      this.settle(child, at);
      this.settle(place, below);
      at = below;
    }
  }
}
