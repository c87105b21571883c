/** What is looked at of one leg of a list, what is planned for it, and how often its orders failed. */
import { decimal, ZERO, type Decimal } from '../../domain/decimal';
import { isOpenListChild, type LegMarket, type ListChildPlan, type OrderListChild, type OrderListLeg } from '../../domain/order-list';

/** An exit that did not go through is tried again after this, doubled each time: soon, because its holder is exposed. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 15_000;

/**
 * What executions that began before go on without. `restores` is settled before each look, since recorded histories have its marker there; each
 * other is asked only where it makes a difference.
 */
export interface ListPatches {
  /** The exits of a bracket share one room. */
  exitsShareRoom(): boolean;
  /** An order that has all of its leg's share but what the lot cuts off has its share. */
  sharesAreCut(): boolean;
  /** A crossing of terms from before the leg was amended fires nothing, and one whose entry nobody has heard of waits. */
  restores(): boolean;
}

export const ALL_PATCHES: ListPatches = { exitsShareRoom: () => true, sharesAreCut: () => true, restores: () => true };

export interface LegView {
  readonly leg: OrderListLeg;
  readonly children: readonly OrderListChild[];
  /** Of the other legs of its group, those that take room from it. */
  readonly others: readonly OrderListChild[];
  /** What it may have open. */
  readonly share: Decimal;
  /** What its whole group may have open, less what others of it place at this look; null: its legs do not count together while they rest. */
  readonly groupLeft: Decimal | null;
  /** Of what is pursued: what it and the others of its group may have open together. */
  readonly room: Decimal;
  readonly market: LegMarket;
  readonly nowMs: number;
  readonly patches: ListPatches;
}

export interface LegPlan {
  readonly place: ListChildPlan | null;
  readonly cancel: readonly OrderListChild[];
  /** Look again then, whatever is heard; null: no need. */
  readonly wakeAtMs: number | null;
  /** It is to have an order and the market takes none so small. */
  readonly belowMinimum: string | null;
}

export const NOTHING: LegPlan = { place: null, cancel: [], wakeAtMs: null, belowMinimum: null };

/** Orders at the end that ended by themselves without a fill, oldest first. */
export function failuresOf(children: readonly OrderListChild[]): readonly OrderListChild[] {
  const good = children.findLastIndex((child) => isOpenListChild(child) || child.cancelAskedAtMs !== null || decimal(child.filledQuantity).greaterThan(ZERO));
  return children.slice(good + 1);
}

/** After an order that ended by itself, also where it filled in part. */
export function retryAt(children: readonly OrderListChild[]): number {
  const failures = failuresOf(children).length;
  const last = children.at(-1);
  if (failures === 0 || last === undefined) return 0;
  return (last.closedAtMs ?? last.recordedAtMs) + Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LONGEST_RETRY_MS);
}
