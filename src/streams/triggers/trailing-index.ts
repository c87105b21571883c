/**
 * Trailing triggers of one market, price type and direction, at a cost that does not grow with their number. Triggers that have the same
 * extreme move together: they are one group, with a heap of offsets in price and one of offsets in parts of the price, so that its next
 * level is made of two numbers. A new extreme joins every group behind it into one, and a group only ever comes into being where a
 * trigger is armed or activated: joining costs O(log n) for each trigger once in its life, whatever the prices do.
 */
import { decimal, type Decimal } from '../../domain/decimal';
import { offsetRatio, trailingLevel, type Trigger, type TriggerDirection } from '../../domain/trigger';
import { compareExact, exactly, HeapPlace, OrderedHeap, type Exact, type HeardPrice } from './exact-order';
import { meld, nodesOf, OffsetNode, without } from './offset-heap';
import type { QuietPrices } from './quiet-prices';

export interface Crossed {
  readonly trigger: Trigger;
  readonly level: Decimal;
  /** null of a fixed level. */
  readonly extreme: Decimal | null;
}

class Member {
  /** Its place among those that wait for their activation price; null where it has none. */
  readonly waiting: HeapPlace<Member> | null;
  node: OffsetNode<Member> | null = null;
  group: Group | null = null;

  constructor(readonly trigger: Trigger) {
    const { activationPrice } = trigger.parameters;
    this.waiting = activationPrice === null ? null : new HeapPlace<Member>(this, exactly(decimal(activationPrice)));
  }
}

class Group {
  byPrice: OffsetNode<Member> | null = null;
  byRatio: OffsetNode<Member> | null = null;
  joined: Group | null = null;
  readonly atExtreme: HeapPlace<Group>;
  readonly atLevel: HeapPlace<Group>;

  constructor(public extreme: Exact) {
    this.atExtreme = new HeapPlace<Group>(this, extreme);
    this.atLevel = new HeapPlace<Group>(this, extreme);
  }
}

export class TrailingIndex {
  private readonly members = new Map<string, Member>();
  /** 1 where higher is better for the holder. */
  private readonly sign: 1 | -1;
  private readonly waiting: OrderedHeap<Member>;
  /** Without an activation price, and armed since the last price. */
  private readonly fresh = new Set<Member>();
  /** The worst extreme first: what a new price overtakes. */
  private readonly byExtreme: OrderedHeap<Group>;
  /** The level that the price reaches first. */
  private readonly byLevel: OrderedHeap<Group>;
  private readonly moved = new Set<Group>();

  constructor(direction: TriggerDirection) {
    this.sign = direction === 'atOrBelow' ? 1 : -1;
    this.waiting = new OrderedHeap(this.sign);
    this.byExtreme = new OrderedHeap(this.sign);
    this.byLevel = new OrderedHeap(this.sign === 1 ? -1 : 1);
  }

  add(trigger: Trigger): void {
    const member = new Member(trigger);
    this.members.set(trigger.id, member);
    if (trigger.extreme !== null) this.found(exactly(decimal(trigger.extreme)), [member]);
    else if (member.waiting !== null) this.waiting.add(member.waiting);
    else this.fresh.add(member);
  }

  remove(id: string): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    this.members.delete(id);
    this.fresh.delete(member);
    if (member.waiting !== null) this.waiting.remove(member.waiting);
    const group = groupOf(member);
    if (group !== null) this.leave(group, member);
  }

  /** The extreme that a trigger has now; null: it follows nothing. */
  extremeOf(id: string): Decimal | null {
    const member = this.members.get(id);
    return member === undefined ? null : (groupOf(member)?.extreme.exact ?? null);
  }

  /** Which prices would change something here; see QuietPrices. */
  narrow(quiet: QuietPrices): void {
    if (this.fresh.size > 0) return quiet.none();
    const better = [this.byExtreme.first?.key, this.waiting.first?.key];
    const level = this.byLevel.first?.key;
    for (const key of this.sign === 1 ? better : [level]) if (key !== undefined) quiet.below(key);
    for (const key of this.sign === 1 ? [level] : better) if (key !== undefined) quiet.above(key);
  }

  /** What the price reaches leaves the index and is added to `crossed`. */
  tick(price: HeardPrice, crossed: Crossed[]): void {
    if (this.members.size === 0) return;
    this.overtake(price);
    this.activate(price);
    for (let group = this.byLevel.first?.value; group !== undefined && this.sign * compareExact(price, group.atLevel.key) <= 0; group = this.byLevel.first?.value) {
      const { node, level } = this.nextOf(group);
      crossed.push({ trigger: node.value.trigger, level, extreme: group.extreme.exact });
      this.members.delete(node.value.trigger.id);
      this.leave(group, node.value);
    }
  }

  /** Triggers whose extreme moved since this was asked last, with what it is now. */
  takeMoved(): { readonly trigger: Trigger; readonly extreme: Decimal }[] {
    const taken = [...this.moved].flatMap((group) => [...nodesOf(group.byPrice), ...nodesOf(group.byRatio)].map(({ value }) => ({ trigger: value.trigger, extreme: group.extreme.exact })));
    this.moved.clear();
    return taken;
  }

  /** Every group whose extreme is worse than the price becomes one, with the price as its extreme. */
  private overtake(price: HeardPrice): void {
    let whole: Group | null = null;
    for (let group = this.byExtreme.first?.value; group !== undefined && this.sign * compareExact(group.extreme, price) < 0; group = this.byExtreme.first?.value) {
      this.withdraw(group);
      this.moved.delete(group);
      whole = whole === null ? group : join(whole, group);
    }
    if (whole === null) return;
    whole.extreme = exactly(price.exact);
    this.place(whole);
    this.moved.add(whole);
  }

  private activate(price: HeardPrice): void {
    const started = [...this.fresh];
    this.fresh.clear();
    for (let place = this.waiting.first; place !== undefined && this.sign * compareExact(place.key, price) <= 0; place = this.waiting.first) {
      this.waiting.remove(place);
      started.push(place.value);
    }
    if (started.length > 0) this.moved.add(this.found(exactly(price.exact), started));
  }

  /** Into the group that has this extreme, if it is the worst (where a price just arrived it is), or into a new one. */
  private found(extreme: Exact, members: readonly Member[]): Group {
    const worst = this.byExtreme.first?.value;
    const group = worst !== undefined && compareExact(worst.extreme, extreme) === 0 ? worst : new Group(extreme);
    if (group === worst) this.withdraw(group);
    for (const member of members) {
      const { trailingOffset, trailingOffsetType } = member.trigger.parameters;
      const offset = decimal(trailingOffset ?? '');
      const isPrice = trailingOffsetType === 'price';
      const node = new OffsetNode(member, exactly(isPrice ? offset : offsetRatio(offset, trailingOffsetType ?? 'bps')));
      member.node = node;
      member.group = group;
      if (isPrice) group.byPrice = meld(group.byPrice, node);
      else group.byRatio = meld(group.byRatio, node);
    }
    this.place(group);
    return group;
  }

  private leave(group: Group, member: Member): void {
    const { node } = member;
    if (node === null) return;
    this.withdraw(group);
    if (member.trigger.parameters.trailingOffsetType === 'price') group.byPrice = group.byPrice && without(group.byPrice, node);
    else group.byRatio = group.byRatio && without(group.byRatio, node);
    if (group.byPrice !== null || group.byRatio !== null) this.place(group);
    else this.moved.delete(group);
  }

  private withdraw(group: Group): void {
    this.byExtreme.remove(group.atExtreme);
    this.byLevel.remove(group.atLevel);
  }

  private place(group: Group): void {
    group.atExtreme.key = group.extreme;
    group.atLevel.key = exactly(this.nextOf(group).level);
    this.byExtreme.add(group.atExtreme);
    this.byLevel.add(group.atLevel);
  }

  /** Of its two smallest offsets the one whose level the price reaches first. */
  private nextOf({ byPrice, byRatio, extreme }: Group): { readonly node: OffsetNode<Member>; readonly level: Decimal } {
    const candidates = [byPrice, byRatio].flatMap((node) => (node === null ? [] : [{ node, level: trailingLevel(node.value.trigger.parameters, extreme.exact) }]));
    const [first, second] = candidates;
    if (first === undefined) throw new Error('a group without triggers has no level');
    return second !== undefined && this.sign * second.level.comparedTo(first.level) > 0 ? second : first;
  }
}

function join(into: Group, from: Group): Group {
  into.byPrice = meld(into.byPrice, from.byPrice);
  into.byRatio = meld(into.byRatio, from.byRatio);
  from.byPrice = null;
  from.byRatio = null;
  from.joined = into;
  return into;
}

/** Groups that were joined lead to the one they are in now; the way is shortened for the next who asks. */
function groupOf(member: Member): Group | null {
  let group = member.group;
  while (group !== null && group.joined !== null) {
    if (group.joined.joined !== null) group.joined = group.joined.joined;
    group = group.joined;
  }
  member.group = group;
  return group;
}
