/** A pairing heap, the smallest key first: two of them become one in O(1), and any node can leave in O(log n), amortised. */
import { compareExact, type Exact } from './exact-order';

export class OffsetNode<Value> {
  child: OffsetNode<Value> | null = null;
  next: OffsetNode<Value> | null = null;
  /** Its parent where it is the first child, otherwise the sibling before it; null of a root. */
  before: OffsetNode<Value> | null = null;

  constructor(
    readonly value: Value,
    readonly key: Exact,
  ) {}
}

type Heap<Value> = OffsetNode<Value> | null;

/** Both heaps as one; neither may be used by itself afterwards. */
export function meld<Value>(a: Heap<Value>, b: Heap<Value>): Heap<Value> {
  if (a === null) return b;
  if (b === null) return a;
  const [first, second] = compareExact(b.key, a.key) < 0 ? [b, a] : [a, b];
  second.before = first;
  second.next = first.child;
  if (first.child !== null) first.child.before = second;
  first.child = second;
  return first;
}

/** The heap without this node, which must be in it. */
export function without<Value>(root: OffsetNode<Value>, node: OffsetNode<Value>): Heap<Value> {
  const rest = paired(node.child);
  node.child = null;
  if (node === root) return rest;
  const { before, next } = node;
  if (before !== null) {
    if (before.child === node) before.child = next;
    else before.next = next;
  }
  if (next !== null) next.before = before;
  node.before = null;
  node.next = null;
  return meld(root, rest);
}

/** Every node, in no order. */
export function* nodesOf<Value>(root: Heap<Value>): Generator<OffsetNode<Value>> {
  const open = root === null ? [] : [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node;
    if (node.child !== null) open.push(node.child);
    if (node.next !== null) open.push(node.next);
  }
}

/** Siblings as one heap: in pairs from the front, then all from the back. Without recursion, because a first child may have 100,000 siblings. */
function paired<Value>(first: Heap<Value>): Heap<Value> {
  const pairs: OffsetNode<Value>[] = [];
  for (let node = first; node !== null; ) {
    const second: Heap<Value> = node.next;
    const after: Heap<Value> = second?.next ?? null;
    detach(node);
    if (second !== null) detach(second);
    pairs.push(meld(node, second) as OffsetNode<Value>);
    node = after;
  }
  let whole: Heap<Value> = null;
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) whole = meld(whole, pair);
  return whole;
}

function detach<Value>(node: OffsetNode<Value>): void {
  node.before = null;
  node.next = null;
}
