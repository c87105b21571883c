/**
 * Which of its orders a strategy looks at that follows the price: it makes one after another for as long as it runs, and every look is
 * kept in Temporal's history, where more than 2 MB ends the workflow for good. What has ended and filled nothing says something by how
 * often it came of late at most; everything else stays, whatever its age.
 */
import { decimal } from '../decimal';
import { isOpenChild, type StrategyChild } from '../strategy';

/** Of one leg, end and reason the newest so many: twice as many as a strategy ever counts (MAX_REFUSALS and MARKET_TRIES are five). */
export const COUNTED = 10;
/** Of all others at least the newest so many; they go so many at once, because a look that is shorter than the one before has the database asked what it lost. */
export const SPARE = 10;

/**
 * In the order they are given, the newest among them. Without spare ones it is shorter than with them for whoever saw those, also where
 * newer orders are missing: that is how a strategy notices that the database was restored.
 */
export function ordersThatMatter(children: readonly StrategyChild[], run: number, spare: 'with spare' | 'without spare'): readonly StrategyChild[] {
  const counts = new Map<string, number>();
  const kept = new Set<StrategyChild>(children.slice(-1));
  for (const child of children.toReversed()) {
    if (isOpenChild(child) || !child.isPlaced || !decimal(child.filledQuantity).isZero()) kept.add(child);
    else if (child.run === run) {
      const kind = JSON.stringify([child.leg, child.state, child.reasonCode]);
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      if (count <= COUNTED) kept.add(child);
    }
  }
  if (spare === 'with spare') {
    const others = children.filter((child) => !kept.has(child));
    for (const child of others.slice(Math.max(Math.floor(others.length / SPARE) - 1, 0) * SPARE)) kept.add(child);
  }
  return children.filter((child) => kept.has(child));
}
