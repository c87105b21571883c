/**
 * How much each leg of a list may have open: one arithmetic for OCO, OUO, OTO and brackets. Pure. What filled and what is open of a
 * group never come to more than what it is about: a quantity, or what an entry has filled.
 */
import { Decimal, decimal, maxOf, minOf, sum, ZERO } from './decimal';
import { isNativeStop, isOpenListChild, legHasEnded, type OrderList, type OrderListChild, type OrderListLeg } from './order-list';

export interface LegFigures {
  readonly filled: Decimal;
  /** Of what filled, at its prices. */
  readonly value: Decimal;
  /** What open orders may still fill; a native stop that waits at the venue not counted. */
  readonly open: Decimal;
}

/** By leg. */
export function figuresOfLegs(list: Pick<OrderList, 'legs'>, children: readonly OrderListChild[]): readonly LegFigures[] {
  return list.legs.map(({ n }) => {
    let [filled, value, open] = [ZERO, ZERO, ZERO];
    for (const child of children) {
      if (child.leg !== n) continue;
      const own = decimal(child.filledQuantity);
      filled = filled.plus(own);
      if (child.avgPrice !== null) value = value.plus(own.times(decimal(child.avgPrice)));
      if (isOpenListChild(child) && !isNativeStop(child)) open = open.plus(openOf(child));
    }
    return { filled, value, open };
  });
}

export function openOf(child: Pick<OrderListChild, 'quantity' | 'filledQuantity'>): Decimal {
  return maxOf(decimal(child.quantity).minus(decimal(child.filledQuantity)), ZERO);
}

/** What every leg may have at the venue or armed now, what filled of it not counted. */
export function sharesOf(list: OrderList, figures: readonly LegFigures[], nowMs: number): readonly Decimal[] {
  const shares = list.legs.map(() => ZERO);
  const live = list.legs.filter((leg) => actsStill(list, leg, nowMs));
  if (list.type === 'OCO') shareOneCancelsOthers(list, live, figures, shares);
  else if (list.type === 'OUO') shareOneReducesOthers(live, figures, shares);
  else if (list.type === 'OTO') shareTriggered(list, live, figures, shares);
  else shareBracket(list, live, figures, shares);
  return shares;
}

/** Legs whose open orders count together: what one of them fills, the others may not. */
export function groupOf(list: Pick<OrderList, 'type' | 'legs'>, n: number): readonly number[] {
  if (list.type === 'OCO' || list.type === 'OUO') return list.legs.map((leg) => leg.n);
  if (list.type === 'OTO' || n === 0) return [n];
  return list.legs.slice(1).map((leg) => leg.n);
}

/** The order of another leg whose cancel shows no outcome for this long holds back no exit any more: the venue cuts reduce-only fills to what is held. */
export const CANCEL_PATIENCE_MS = 3_000;

/**
 * Whether an order of another leg takes room from this one's. The native stop of a bracket stands for all that is held beside the
 * take-profits, as the durable one does; elsewhere one that another leg's price has ended must be gone first.
 */
export function sharesRoom(list: Pick<OrderList, 'type'>, child: Pick<OrderListChild, 'step' | 'leg'>, n: number): boolean {
  return !isNativeStop(child) || child.leg === n || list.type !== 'BRACKET';
}

/** What an open order may still fill, and whoever shares its room has to wait for. A cancel that nobody answers holds back no exit for ever. */
export function isAwaited(child: OrderListChild, exit: Pick<OrderListLeg, 'reduceOnly'>, nowMs: number): boolean {
  return isOpenListChild(child) && !(exit.reduceOnly && child.cancelAskedAtMs !== null && nowMs - child.cancelAskedAtMs >= CANCEL_PATIENCE_MS);
}

/** What the exits of a bracket have to do: what its entry filled less what they filled. */
export function heldOf(figures: readonly LegFigures[]): Decimal {
  return maxOf(filledAt(figures, 0).minus(sum(figures.slice(1).map(({ filled }) => filled))), ZERO);
}

/** The entry fills no more. */
export function entryIsOver(list: OrderList, figures: readonly LegFigures[], shares: readonly Decimal[]): boolean {
  if (list.type === 'OCO' || list.type === 'OUO') return true;
  return (shares[0] ?? ZERO).isZero() && (figures[0]?.open ?? ZERO).isZero();
}

export function isPast(time: string | null, nowMs: number): boolean {
  return time !== null && nowMs >= Date.parse(time);
}

function actsStill(list: OrderList, leg: OrderListLeg, nowMs: number): boolean {
  if (list.pendingCancel || legHasEnded(leg) || (list.entriesStopped && !leg.reduceOnly)) return false;
  if (!isPast(list.expireTime, nowMs)) return true;
  // What a price has set off goes on to its end unless it rests at a limit; what an entry has filled stays guarded.
  if (leg.triggered !== null && leg.type.endsWith('Market')) return true;
  return (list.type === 'BRACKET' || list.type === 'OTO') && leg.n > 0;
}

function filledAt(figures: readonly LegFigures[], n: number): Decimal {
  return figures[n]?.filled ?? ZERO;
}

function total(figures: readonly LegFigures[]): Decimal {
  return sum(figures.map(({ filled }) => filled));
}

function upTo(quantity: string, ...less: readonly Decimal[]): Decimal {
  return maxOf(less.reduce((left, each) => left.minus(each), decimal(quantity)), ZERO);
}

/** The one whose price came first; of one moment, the first that was given. */
function firstTriggered(legs: readonly OrderListLeg[]): OrderListLeg | undefined {
  return legs.filter((leg) => leg.triggered !== null).sort((a, b) => Date.parse(a.triggered?.at ?? '') - Date.parse(b.triggered?.at ?? '') || a.n - b.n)[0];
}

function shareOneCancelsOthers({ legs }: OrderList, live: readonly OrderListLeg[], figures: readonly LegFigures[], shares: Decimal[]): void {
  // Should two have filled before the cancel of one came through, the larger goes on, and only to its own quantity in all.
  const winner = [...legs].sort((a, b) => filledAt(figures, b.n).comparedTo(filledAt(figures, a.n)) || a.n - b.n)[0];
  if (winner !== undefined && filledAt(figures, winner.n).greaterThan(ZERO)) {
    if (live.includes(winner)) shares[winner.n] = upTo(winner.quantity, total(figures));
    return;
  }
  const triggered = firstTriggered(live);
  for (const leg of triggered === undefined ? live : [triggered]) shares[leg.n] = decimal(leg.quantity);
}

function shareOneReducesOthers(live: readonly OrderListLeg[], figures: readonly LegFigures[], shares: Decimal[]): void {
  const triggered = firstTriggered(live);
  for (const leg of triggered === undefined ? live : [triggered]) shares[leg.n] = upTo(leg.quantity, total(figures));
}

/** A share of what an entry filled is a quotient, which may not end: cut where no lot is finer, and never up, or the legs could come to more than what was entered. */
const SHARE_PLACES = 18;

function shareTriggered({ legs }: OrderList, live: readonly OrderListLeg[], figures: readonly LegFigures[], shares: Decimal[]): void {
  const [entry] = legs;
  if (entry === undefined) return;
  const entered = filledAt(figures, 0);
  for (const leg of live) {
    if (leg.n === 0) shares[0] = upTo(entry.quantity, entered);
    else {
      const whole = entered.greaterThanOrEqualTo(decimal(entry.quantity));
      const due = whole ? decimal(leg.quantity) : decimal(leg.quantity).times(entered).dividedBy(decimal(entry.quantity)).toDecimalPlaces(SHARE_PLACES, Decimal.ROUND_DOWN);
      shares[leg.n] = maxOf(due.minus(filledAt(figures, leg.n)), ZERO);
    }
  }
}

function shareBracket({ legs }: OrderList, live: readonly OrderListLeg[], figures: readonly LegFigures[], shares: Decimal[]): void {
  const [entry] = legs;
  const stop = live.find((leg) => leg.role === 'stop');
  // While it is being closed, nothing more is entered.
  const closing = legs.some((leg) => leg.role === 'stop' && leg.triggered !== null);
  if (entry !== undefined && live.includes(entry) && !closing) shares[0] = upTo(entry.quantity, filledAt(figures, 0));
  const held = heldOf(figures);
  if (stop !== undefined) shares[stop.n] = held;
  let left = stop !== undefined && stop.triggered !== null ? ZERO : held;
  const profits = live.filter((leg) => leg.role === 'takeProfit');
  // What a price has set off comes first; the others as they were given.
  for (const leg of [...profits.filter((each) => each.triggered !== null), ...profits.filter((each) => each.triggered === null)]) {
    const share = minOf(upTo(leg.quantity, filledAt(figures, leg.n)), left);
    shares[leg.n] = share;
    left = left.minus(share);
  }
}
