/**
 * What an order list's workflow does next: a plain class, so that it is tested without Temporal. It reads the durable facts (the row,
 * its orders' rows, its triggers), has the shares computed (domain/order-list-shares.ts), and plans each leg. It remembers nothing:
 * orders are recorded before they are placed, and what a price has set off stands in the list's row, so whoever takes over goes on.
 */
import { decimal, decimalText, ZERO, type Decimal } from '../../domain/decimal';
import { isNativeStop, isOpenListChild, legHasEnded, legTrigger, type LegState, type ListChildPlan, type OrderList, type OrderListChild, type OrderListFacts, type OrderListLeg, type OrderListState } from '../../domain/order-list';
import type { LegAlert, OrderListNote } from '../../domain/order-list-commands';
import { entryIsOver, figuresOfLegs, groupOf, heldOf, isPast, sharesOf, sharesRoom, type LegFigures } from '../../domain/order-list-shares';
import { isWithoutNative, NO_NATIVE_STOP } from './order-list-backstop';
import { wordsOfLeg } from './order-list-words';
import { ALL_PATCHES, NOTHING, type LegPlan, type LegView, type ListPatches } from './order-list-leg-plan';
import { legEnd, NOTHING_LEFT, planLeg, troubleOf } from './order-list-legs';
import { afterCrossings, closeTime, movedStop } from './order-list-turns';
import { triggerStep, type TriggerStep } from './order-list-triggers';

export interface OrderListStep {
  /** null: the row says it already. */
  readonly note: OrderListNote | null;
  /** To be recorded, then placed. */
  readonly place: readonly ListChildPlan[];
  /** Recorded orders that have no row yet: placing them again is harmless. */
  readonly placeAgain: readonly OrderListChild[];
  readonly cancel: readonly OrderListChild[];
  readonly alerts: readonly LegAlert[];
  readonly triggers: TriggerStep;
  /** When to look again if nothing is heard, ms from now; null: not before something is. */
  readonly waitMs: number | null;
  readonly ended: boolean;
}

/** A lost signal costs this much while the outcome of an order of it is awaited. */
export const BUSY_LOOK_MS = 2_000;
/** And while its orders only rest at the venue: for weeks, maybe. */
export const RESTING_LOOK_MS = 30_000;
/** Two looks are at least so far apart. */
const LEAST_WAIT_MS = 50;

export class OrderListRun {
  private newest: Pick<OrderListFacts, 'list' | 'children'> | null = null;

  constructor(private readonly patches: ListPatches = ALL_PATCHES) {}

  step(look: OrderListFacts, nowMs: number): OrderListStep {
    const { children, triggers, markets } = look;
    const alerts: LegAlert[] = [];
    const figures = figuresOfLegs(look.list, children);
    let list = look.list;
    if (list.endedAt === null) {
      list = closeTime(list, figures, nowMs);
      list = afterCrossings(list, nowMs, { children, triggers, shares: sharesOf(list, figures, nowMs), figures, alerts, restores: () => this.patches.restores() });
      list = endedLegs(list, children, figures, nowMs);
      list = movedStop(list, figures, sharesOf(list, figures, nowMs), markets);
    }
    const shares = sharesOf(list, figures, nowMs);
    const planned = this.planned(list, look, figures, shares, nowMs);
    list = this.judged(list, children, figures, shares, planned, nowMs, alerts);
    this.newest = { list, children };
    const isOver = list.endedAt !== null || list.state !== 'ACTIVE';
    const plans = isOver ? [] : planned;
    const cancel = plans.flatMap((plan) => plan.cancel).filter((child) => child.isPlaced && !child.pendingCancel);
    return {
      note: sameShown(look.list, list) ? null : { state: list.state, reason: list.reason, legs: list.legs, closeAt: list.closeAt },
      place: plans.flatMap(({ place }) => place ?? []),
      placeAgain: children.filter((child) => !child.isPlaced),
      cancel,
      alerts,
      triggers: triggerStep(list, triggers, shares),
      waitMs: isOver ? 0 : waitOf(list, children, plans, nowMs),
      ended: isOver,
    };
  }

  /** Markdown for the Web UI. */
  details(): string {
    if (this.newest === null) return 'reads what is known of it';
    const { list, children } = this.newest;
    const open = children.filter(isOpenListChild).length;
    return [
      `**${list.state}** ${list.type} on ${list.venue}: ${children.length} orders, ${open} open${list.pendingCancel ? ', being canceled' : ''}${list.closeAt === null ? '' : `, closes at ${list.closeAt}`}`,
      ...(list.reason === null ? [] : [list.reason]),
      ...list.legs.map((leg) => `- ${leg.n} ${leg.role} **${leg.state}** ${wordsOfLeg(leg)}`),
    ].join('\n');
  }

  private planned(list: OrderList, look: OrderListFacts, figures: readonly LegFigures[], shares: readonly Decimal[], nowMs: number): readonly LegPlan[] {
    const held = list.type === 'BRACKET' ? heldOf(figures) : null;
    const apart = list.legs.map((leg) => this.plan(list, leg, look, shares, nowMs, leg.n > 0 ? held : null));
    const exits = apart.filter(({ place }) => place !== null && place.leg > 0 && !isNativeStop(place)).length;
    if (held === null || (exits < 2 && !list.legs.some((leg) => leg.role === 'takeProfit' && leg.triggered !== null))) return apart;
    const together = this.inOneRoom(list, look, held, shares, nowMs);
    return apart.every((plan, n) => isSamePlan(plan, together[n])) || !this.patches.exitsShareRoom() ? apart : together;
  }

  /** No two exits take the same room in one look, and what rests for its share keeps no room from what a price has set off. */
  private inOneRoom(list: OrderList, look: OrderListFacts, held: Decimal, shares: readonly Decimal[], nowMs: number): readonly LegPlan[] {
    const plans = new Map<number, LegPlan>();
    let left = held;
    for (const leg of [...list.legs].sort((a, b) => Number(b.triggered !== null) - Number(a.triggered !== null))) {
      const plan = leg.n > 0 ? this.plan(list, leg, look, shares, nowMs, left, left) : this.plan(list, leg, look, shares, nowMs, null);
      plans.set(leg.n, plan);
      if (leg.n > 0 && plan.place !== null && !isNativeStop(plan.place)) left = left.minus(decimal(plan.place.quantity));
    }
    return list.legs.map(({ n }) => plans.get(n) ?? NOTHING);
  }

  private plan(list: OrderList, leg: OrderListLeg, { children, markets }: OrderListFacts, shares: readonly Decimal[], nowMs: number, groupLeft: Decimal | null, room = shares[leg.n] ?? ZERO): LegPlan {
    const market = markets[leg.n];
    if (market === undefined) throw new RangeError(`no market of leg ${leg.n}`);
    const group = groupOf(list, leg.n);
    const view: LegView = {
      leg, market, nowMs, groupLeft, room, patches: this.patches,
      children: children.filter((child) => child.leg === leg.n),
      others: children.filter((child) => child.leg !== leg.n && group.includes(child.leg) && sharesRoom(list, child, leg.n)),
      share: shares[leg.n] ?? ZERO,
    };
    const plan = planLeg(view);
    // A leg that is to have nothing has nothing, whatever it waited for.
    return view.share.isZero() ? { ...plan, place: null, cancel: view.children.filter(isOpenListChild) } : plan;
  }

  /** The states of its legs, and whether it is over. */
  private judged(before: OrderList, children: readonly OrderListChild[], figures: readonly LegFigures[], shares: readonly Decimal[], plans: readonly LegPlan[], nowMs: number, alerts: LegAlert[]): OrderList {
    if (before.endedAt !== null) return before;
    const over = entryIsOver(before, figures, shares);
    const legs = before.legs.map((leg) => {
      const own = children.filter((child) => child.leg === leg.n);
      const small = plans[leg.n]?.belowMinimum ?? null;
      const isDust = small !== null && (over || leg.role === 'stop');
      const trouble = troubleOf({ leg, children: own }) ?? (isDust && leg.reduceOnly && before.type !== 'OTO' ? `${small ?? ''} of ${leg.symbol} is to be exited and below what ${leg.venue} takes` : null);
      const told = leg.alerted === NO_NATIVE_STOP ? null : leg.alerted;
      const bare = isWithoutNative(leg, own) ? NO_NATIVE_STOP : null;
      if (trouble !== null && told === null) alerts.push({ leg: leg.n, kind: isDust ? 'belowMinimum' : 'exitNotFilled', words: trouble });
      else if (bare !== null && leg.alerted === null) alerts.push({ leg: leg.n, kind: 'noNativeStop', words: bare });
      return { ...leg, ...shownFigures(figures[leg.n]), alerted: told ?? trouble ?? leg.alerted ?? bare, state: stateOf(before, leg, figures, shares, over) };
    });
    const list = { ...before, legs };
    const end = endOf(list, children, figures, shares, plans, over, nowMs);
    if (end === null) return list;
    const rest: LegState = end.state === 'EXPIRED' ? 'EXPIRED' : 'CANCELED';
    return { ...list, ...end, legs: legs.map((leg) => (leg.state === 'FILLED' || legHasEnded(leg) ? leg : { ...leg, state: rest })) };
  }
}

function isSamePlan(a: LegPlan, b: LegPlan | undefined): boolean {
  return b !== undefined && a.place?.quantity === b.place?.quantity && a.wakeAtMs === b.wakeAtMs && a.belowMinimum === b.belowMinimum && a.cancel.length === b.cancel.length;
}

/** Legs whose own order ended them. Where nothing is left to reduce, that is so of every exit of the same market. */
function endedLegs(list: OrderList, children: readonly OrderListChild[], figures: readonly LegFigures[], nowMs: number): OrderList {
  const over = entryIsOver(list, figures, sharesOf(list, figures, nowMs));
  const legs = list.legs.map((leg) => {
    if (legHasEnded(leg) || leg.state === 'FILLED') return leg;
    const end = legEnd({ leg, children: children.filter((child) => child.leg === leg.n) }, over);
    return end === null ? leg : { ...leg, ...end };
  });
  const empty = legs.filter((leg) => leg.reason === NOTHING_LEFT);
  if (empty.length === 0) return { ...list, legs };
  return { ...list, legs: legs.map((leg) => (!legHasEnded(leg) && leg.reduceOnly && empty.some((each) => each.accountId === leg.accountId && each.symbol === leg.symbol && each.side === leg.side) ? { ...leg, state: 'CANCELED' as const, reason: NOTHING_LEFT } : leg)) };
}

function stateOf(list: OrderList, leg: OrderListLeg, figures: readonly LegFigures[], shares: readonly Decimal[], over: boolean): LegState {
  if (legHasEnded(leg)) return leg.state;
  const { filled, open } = figures[leg.n] ?? { filled: ZERO, open: ZERO };
  const share = shares[leg.n] ?? ZERO;
  const isDone = list.type === 'BRACKET' && leg.role === 'stop' ? leg.triggered !== null && over && share.isZero() && filled.greaterThan(ZERO) : filled.greaterThanOrEqualTo(decimal(leg.quantity));
  if (isDone && open.isZero()) return 'FILLED';
  if (leg.triggered !== null) return 'TRIGGERED';
  if (open.greaterThan(ZERO)) return 'WORKING';
  return legTrigger(leg) !== null && share.greaterThan(ZERO) ? 'ARMED' : 'WAITING';
}

/** Nothing is open, and no leg has anything left to do. null: that is not so. */
function endOf(list: OrderList, children: readonly OrderListChild[], figures: readonly LegFigures[], shares: readonly Decimal[], plans: readonly LegPlan[], over: boolean, nowMs: number): { readonly state: OrderListState; readonly reason: string | null } | null {
  if (!over || children.some(isOpenListChild)) return null;
  // A share of an OTO is a fraction of what its entry filled: what the market takes no order for is no part of it.
  const isDust = (leg: OrderListLeg): boolean => list.type === 'OTO' && leg.n > 0 && plans[leg.n]?.belowMinimum != null;
  if (list.legs.some((leg) => (shares[leg.n] ?? ZERO).greaterThan(ZERO) && !isDust(leg))) return null;
  const filled = figures.reduce((sumOf, each) => sumOf.plus(each.filled), ZERO);
  if (isComplete(list, figures)) return { state: 'COMPLETED', reason: list.reason };
  if (list.pendingCancel || list.entriesStopped) return { state: 'CANCELED', reason: list.reason };
  const ended = list.legs.filter((leg) => legHasEnded(leg));
  if (isPast(list.expireTime, nowMs) && ended.every((leg) => leg.state !== 'REJECTED')) return { state: 'EXPIRED', reason: 'its time is over' };
  const [first] = ended;
  if (filled.isZero() && ended.some((leg) => leg.state === 'REJECTED')) return { state: 'REJECTED', reason: ended.find((leg) => leg.state === 'REJECTED')?.reason ?? null };
  return { state: first?.state === 'EXPIRED' ? 'EXPIRED' : 'CANCELED', reason: first?.reason ?? null };
}

function isComplete(list: OrderList, figures: readonly LegFigures[]): boolean {
  const filled = list.legs.filter((leg) => leg.state === 'FILLED');
  if (list.type === 'BRACKET') return (figures[0]?.filled ?? ZERO).greaterThan(ZERO) && heldOf(figures).isZero();
  if (list.type === 'OTO') return (figures[0]?.filled ?? ZERO).greaterThan(ZERO) && list.legs.every((leg) => leg.n === 0 || !legHasEnded(leg) || leg.state === 'FILLED');
  if (list.type === 'OCO') return filled.length > 0;
  const [first] = list.legs;
  return first !== undefined && figures.reduce((sumOf, each) => sumOf.plus(each.filled), ZERO).greaterThanOrEqualTo(decimal(first.quantity));
}

/** More digits than any price has. */
const AVERAGE_DIGITS = 30;

function shownFigures(figures: LegFigures | undefined): Pick<OrderListLeg, 'filledQuantity' | 'avgPrice'> {
  const { filled, value } = figures ?? { filled: ZERO, value: ZERO };
  return { filledQuantity: decimalText(filled), avgPrice: filled.isZero() ? null : decimalText(value.dividedBy(filled).toSignificantDigits(AVERAGE_DIGITS)) };
}

/** What the row shows is what was found. */
function sameShown(a: OrderList, b: OrderList): boolean {
  return a.state === b.state && a.reason === b.reason && a.closeAt === b.closeAt && a.legs.every((leg, n) => b.legs[n] === leg || sameLeg(leg, b.legs[n]));
}

function sameLeg(a: OrderListLeg, b: OrderListLeg | undefined): boolean {
  return b !== undefined && (['state', 'reason', 'filledQuantity', 'avgPrice', 'triggerNumber', 'breakEvenPrice', 'alerted'] as const).every((field) => a[field] === b[field]) && a.triggered?.at === b.triggered?.at;
}

function waitOf(list: OrderList, children: readonly OrderListChild[], plans: readonly LegPlan[], nowMs: number): number | null {
  const open = children.filter(isOpenListChild);
  const isBusy = plans.some(({ place, cancel }) => place !== null || cancel.length > 0) || open.some((child) => child.pendingCancel || !['WORKING', 'PARTIALLY_FILLED'].includes(child.state) || child.timeInForce !== 'GTC');
  const at = (time: string | null): number => (time === null || isPast(time, nowMs) ? Infinity : Date.parse(time) - nowMs);
  const waits = [isBusy ? BUSY_LOOK_MS : open.length > 0 ? RESTING_LOOK_MS : Infinity, at(list.expireTime), at(list.closeAt), ...plans.map(({ wakeAtMs }) => (wakeAtMs === null ? Infinity : wakeAtMs - nowMs))];
  const soonest = Math.min(...waits);
  return soonest === Infinity ? null : Math.max(soonest, LEAST_WAIT_MS);
}
