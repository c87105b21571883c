/** What happens to a list beside its orders' fills: a price comes, a time passes, a stop is moved. Pure; each answers the list as it is then. */
import { isoTime } from '../../domain/clock';
import { decimal, decimalText, minOf, ZERO, type Decimal } from '../../domain/decimal';
import { breakEvenTriggerId, isNativeStop, legHasEnded, legTrigger, legTriggerId, type LegMarket, type LegTriggered, type OrderList, type OrderListChild, type OrderListLeg } from '../../domain/order-list';
import type { LegAlert } from '../../domain/order-list-commands';
import { entryIsOver, heldOf, isPast, type LegFigures } from '../../domain/order-list-shares';
import { roundStop } from '../../domain/quantise';
import { disproof, outdated, type Trigger } from '../../domain/trigger';

/** From the first fill of its entry on, the time limit runs; when it is over the stop goes off by it. */
export function closeTime(list: OrderList, figures: readonly LegFigures[], nowMs: number): OrderList {
  if (list.timeLimitMs === null) return list;
  const entered = (figures[0]?.filled ?? ZERO).greaterThan(ZERO);
  const closeAt = list.closeAt ?? (entered ? isoTime(nowMs + list.timeLimitMs) : null);
  if (!isPast(closeAt, nowMs) || heldOf(figures).isZero() || list.pendingCancel) return { ...list, closeAt };
  return { ...list, closeAt, legs: list.legs.map((leg) => (leg.role === 'stop' && leg.triggered === null ? setOff(leg, { by: 'timeLimit', level: null, at: isoTime(nowMs), evidence: null }) : leg)) };
}

/** What a crossing is judged by: the facts, and what its workflow has to say of them. */
export interface CrossingView {
  readonly children: readonly OrderListChild[];
  readonly triggers: readonly Trigger[];
  readonly shares: readonly Decimal[];
  readonly figures: readonly LegFigures[];
  readonly alerts: LegAlert[];
  /** Whether a crossing of terms from before the leg was amended fires nothing, and one whose entry nobody has heard of waits. */
  readonly restores: () => boolean;
}

/** Crossings as they are stored, each checked again. One that does not hold, or that found nothing to do, is used up: the next trigger takes its place. */
export function afterCrossings(list: OrderList, nowMs: number, { children, triggers, shares, figures, alerts, restores }: CrossingView): OrderList {
  const legs = list.legs.map((leg) => {
    if (leg.triggered !== null || legHasEnded(leg) || leg.state === 'FILLED' || list.pendingCancel) return leg;
    // The venue's own stop was quicker, or ours was not there to see it: what it leaves is pursued.
    const native = children.find((child) => child.leg === leg.n && isNativeStop(child) && decimal(child.filledQuantity).greaterThan(ZERO));
    if (native !== undefined) return setOff(leg, { by: 'native', level: native.triggerPrice ?? null, at: isoTime(nowMs), evidence: null });
    const own = triggers.find(({ id }) => id === legTriggerId(list.id, leg));
    const moved = triggers.find(({ id }) => id === breakEvenTriggerId(list.id, leg));
    const held = list.type === 'BRACKET' && leg.n > 0 ? heldOf(figures) : (shares[leg.n] ?? ZERO);
    for (const [trigger, by] of [[own, 'price'], [moved, 'breakEven']] as const) {
      if (trigger?.status !== 'FIRED' || trigger.evidence === null) continue;
      const wrong = disproof(trigger, trigger.evidence) ?? firedByOlder(leg, by, trigger, restores);
      if (wrong !== null) alerts.push({ leg: leg.n, kind: 'crossingDisproved', words: wrong });
      else if (held.greaterThan(ZERO)) return setOff(leg, { by, level: trigger.evidence.level, at: isoTime(trigger.evidence.atMs), evidence: trigger.evidence });
      else if (isUnheardOf(list, leg, children) && restores()) return leg;
      if (by === 'price') return { ...leg, triggerNumber: leg.triggerNumber + 1 };
    }
    return leg;
  });
  return { ...list, legs };
}

/** A restored database watches a leg by the terms of the backup until its list is given back; break-even has but one. */
function firedByOlder(leg: OrderListLeg, by: 'price' | 'breakEven', trigger: Trigger, restores: () => boolean): string | null {
  const parameters = by === 'price' ? legTrigger(leg) : null;
  const words = parameters === null ? null : outdated(trigger, { revision: leg.version + 1, parameters });
  return words === null || !restores() ? null : words;
}

/** Whether an order that it exits from may have filled without anybody having heard of it yet: what it finds then is not known. */
function isUnheardOf(list: OrderList, leg: OrderListLeg, children: readonly OrderListChild[]): boolean {
  if (list.type !== 'BRACKET' && list.type !== 'OTO') return false;
  return leg.n > 0 && children.some((child) => child.leg === 0 && (child.state === 'UNKNOWN' || !child.isPlaced));
}

/** After the nth take-profit the stop goes off at the price of the entry too. */
export function movedStop(list: OrderList, figures: readonly LegFigures[], shares: readonly Decimal[], markets: readonly LegMarket[]): OrderList {
  const stop = list.legs.find((leg) => leg.role === 'stop');
  const [entry] = figures;
  if (list.breakEvenAfter === null || stop === undefined || stop.breakEvenPrice !== null || stop.triggered !== null || entry === undefined || entry.filled.isZero()) return list;
  const isOver = entryIsOver(list, figures, shares);
  let left = entry.filled;
  let done = 0;
  for (const leg of list.legs) {
    if (leg.role !== 'takeProfit') continue;
    const due = minOf(decimal(leg.quantity), left);
    left = left.minus(due);
    const isWhole = due.equals(decimal(leg.quantity)) || isOver;
    if (isWhole && due.greaterThan(ZERO) && (figures[leg.n]?.filled ?? ZERO).greaterThanOrEqualTo(due)) done += 1;
  }
  const rules = markets[stop.n]?.rules;
  if (done < list.breakEvenAfter || rules === undefined) return list;
  const breakEvenPrice = roundStop(rules, stop.side, decimalText(entry.value.dividedBy(entry.filled).toSignificantDigits(PRICE_DIGITS)));
  return { ...list, legs: list.legs.map((leg) => (leg === stop ? { ...leg, breakEvenPrice } : leg)) };
}

/** An average is a quotient and may not end; more digits than any venue's tick. */
const PRICE_DIGITS = 18;

function setOff(leg: OrderListLeg, triggered: LegTriggered): OrderListLeg {
  return { ...leg, triggered };
}
