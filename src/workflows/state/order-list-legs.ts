/** What one leg of a list does next, given its share: one order at rest, or the pursuit of what a price has set off. */
import { decimalText, minOf, sum, ZERO, type Decimal } from '../../domain/decimal';
import { REASON } from '../../domain/errors';
import { isNativeStop, isOpenListChild, type ListChildPlan, type ListStep, type OrderListChild, type OrderListLeg } from '../../domain/order-list';
import { CANCEL_PATIENCE_MS, isAwaited, openOf } from '../../domain/order-list-shares';
import { multipleAtOrBelow } from '../../domain/grid';
import { roundLimit, roundQuantityDown } from '../../domain/quantise';
import { CHASE_INTERVAL_MS, NOTHING_TO_EXIT } from './conditional-order';
import { backstop } from './order-list-backstop';
import { failuresOf, NOTHING, retryAt, type LegPlan, type LegView } from './order-list-leg-plan';
import { pursuitTerms, stepAt, wantsReprice, type PursuitStep } from './pursuit';

/** Refusals in a row after which a person is told, and after which an order at rest is given up: its stop still stands. */
const ALERT_AFTER_FAILURES = 3;
export const MAX_REST_FAILURES = 5;
/** So often in a row "nothing to reduce" is believed: once may be said before the entry's fill is known. */
export const NOTHING_TRIES = 4;
/** More open orders of one leg than this are drawn together into one. */
const MAX_OPEN_PER_LEG = 4;

export function planLeg(view: LegView): LegPlan {
  if (view.leg.triggered !== null) return pursue(view, view.leg.triggered);
  return view.leg.triggerPrice !== null || view.leg.trailingOffset !== null ? backstop(view) : rest(view);
}

/** Its own limit or market order, as large as its share. */
function rest(view: LegView): LegPlan {
  const { leg, children, share, nowMs } = view;
  const open = children.filter(isOpenListChild);
  const outdated = open.filter((child) => child.version !== leg.version);
  const missing = share.minus(sum(open.map(openOf)));
  if (missing.isNegative()) return { ...NOTHING, cancel: surplus(open, missing.negated()) };
  if (outdated.length > 0) return { ...NOTHING, cancel: outdated };
  if (missing.isZero()) return NOTHING;
  if (open.length >= MAX_OPEN_PER_LEG) return { ...NOTHING, cancel: open };
  const retryAtMs = retryAt(children);
  if (retryAtMs > nowMs) return { ...NOTHING, wakeAtMs: retryAtMs };
  return placing(view, 'rest', { type: leg.type === 'market' ? 'market' : 'limit', timeInForce: leg.timeInForce, limitPrice: leg.limitPrice, postOnly: leg.postOnly }, view.groupLeft === null ? missing : minOf(missing, freeOf(view, view.groupLeft)));
}

/** One order at a time: at its limit, then chasing, then at the market; only where it has the room to itself. */
function pursue(view: LegView, triggered: NonNullable<OrderListLeg['triggered']>): LegPlan {
  const { leg, children, share, room, market, nowMs } = view;
  const sinceMs = children.find((child) => child.step !== 'rest' && !isNativeStop(child))?.recordedAtMs ?? null;
  const { step, untilMs } = triggered.by === 'timeLimit' ? { step: 'market' as const, untilMs: null } : stepAt(leg.type, leg.escalation, sinceMs, nowMs);
  const live = children.find(isOpenListChild);
  const terms = (at: PursuitStep, quantity: Decimal) =>
    pursuitTerms({ intent: triggered.by === 'timeLimit' ? { ...leg, type: 'market' } : leg, limitPrice: leg.limitPrice, escalation: leg.escalation, level: triggered.level, step: at, quantity: decimalText(quantity), market });
  if (live !== undefined) {
    // A share may lie off the grid; an order never does.
    const isSettled = live.step === 'market' || openOf(live).equals(share) || (openOf(live).equals(multipleAtOrBelow(share, market.rules.lot)) && view.patches.sharesAreCut());
    if (live.step !== step || share.isZero() || !isSettled) return { ...NOTHING, cancel: [live] };
    if (step !== 'chase') return { ...NOTHING, wakeAtMs: untilMs };
    const lookAtMs = live.recordedAtMs + CHASE_INTERVAL_MS;
    if (nowMs >= lookAtMs && wantsReprice(leg.side, live.limitPrice, terms('chase', share).limitPrice)) return { ...NOTHING, cancel: [live] };
    return { ...NOTHING, wakeAtMs: Math.max(lookAtMs, nowMs + CHASE_INTERVAL_MS) };
  }
  if (share.isZero()) return NOTHING;
  const free = minOf(share, freeOf(view, room));
  // The others are taken away first: until then what they may fill is theirs.
  if (free.lessThanOrEqualTo(ZERO)) return { ...NOTHING, wakeAtMs: nowMs + CANCEL_PATIENCE_MS };
  const retryAtMs = retryAt(besidesNative(children));
  if (retryAtMs > nowMs) return { ...NOTHING, wakeAtMs: retryAtMs };
  const { type, timeInForce, limitPrice, postOnly } = terms(step, free);
  return placing(view, step, { type: type === 'market' ? 'market' : 'limit', timeInForce, limitPrice, postOnly }, free);
}

/** Of `room`, what no open order of the group may fill. */
function freeOf({ leg, children, others, nowMs }: LegView, room: Decimal): Decimal {
  return room.minus(sum([...children.filter(isOpenListChild), ...others.filter((child) => isAwaited(child, leg, nowMs))].map(openOf)));
}

function placing({ leg, market }: LegView, step: ListStep, terms: Pick<ListChildPlan, 'type' | 'timeInForce' | 'limitPrice' | 'postOnly'>, quantity: Decimal): LegPlan {
  if (quantity.lessThanOrEqualTo(ZERO)) return NOTHING;
  const limitPrice = terms.limitPrice === null ? null : roundLimit(market.rules, leg.side, terms.limitPrice);
  const judgedAt = leg.reduceOnly ? null : (limitPrice ?? market.mark);
  const rounded = roundQuantityDown(market.rules, decimalText(quantity), judgedAt);
  if (rounded === null || (terms.limitPrice !== null && limitPrice === null)) return { ...NOTHING, belowMinimum: decimalText(quantity) };
  return { ...NOTHING, place: { leg: leg.n, step, version: leg.version, ...terms, limitPrice, quantity: rounded } };
}

/** The youngest orders, until what is open is no more than the share. */
function surplus(open: readonly OrderListChild[], excess: Decimal): readonly OrderListChild[] {
  const taken: OrderListChild[] = [];
  let left = excess;
  for (const child of [...open].reverse()) {
    if (left.lessThanOrEqualTo(ZERO)) break;
    taken.push(child);
    left = left.minus(openOf(child));
  }
  return taken;
}

/** What becomes of the stop at the venue says nothing of the leg: its own stop stands. */
function besidesNative(children: readonly OrderListChild[]): readonly OrderListChild[] {
  return children.filter((child) => !isNativeStop(child));
}

export interface LegEnd {
  readonly state: 'CANCELED' | 'EXPIRED' | 'REJECTED';
  readonly reason: string;
}

/**
 * Whether an order that ended by itself ends its leg: an entry's always; an exit's where its owner took it back, nothing is left to
 * reduce, or an order at rest is refused again and again. What a price has set off is tried for ever.
 */
export function legEnd({ leg, children: all }: Pick<LegView, 'leg' | 'children'>, entryIsOver: boolean): LegEnd | null {
  const children = besidesNative(all);
  const last = children.at(-1);
  if (last === undefined || isOpenListChild(last) || last.cancelAskedAtMs !== null || last.state === 'FILLED') return null;
  const words = `${last.reasonCode ?? last.state}${last.reasonMessage === null ? '' : `: ${last.reasonMessage}`}`;
  const state = last.state === 'DENIED' || last.state === 'REJECTED' ? 'REJECTED' : last.state === 'EXPIRED' ? 'EXPIRED' : 'CANCELED';
  if (!leg.reduceOnly) return { state, reason: words };
  if (last.state === 'CANCELED' && last.reasonCode === REASON.canceledByUser) return { state: 'CANCELED', reason: 'its order was canceled outside of the list' };
  const failures = failuresOf(children);
  const inVain = failures.filter((child) => NOTHING_TO_EXIT.has(child.reasonCode ?? '')).length;
  if (entryIsOver && failures.length >= NOTHING_TRIES && inVain === failures.length) return { state: 'CANCELED', reason: NOTHING_LEFT };
  return leg.triggered === null && failures.length >= MAX_REST_FAILURES ? { state, reason: words } : null;
}

export const NOTHING_LEFT = 'there is no position left to reduce';

/** An exit that fails again and again is told to a person, once. */
export function troubleOf({ leg, children }: Pick<LegView, 'leg' | 'children'>): string | null {
  const failures = failuresOf(besidesNative(children));
  if (!leg.reduceOnly || failures.length < ALERT_AFTER_FAILURES) return null;
  const last = failures.at(-1);
  return `an exit has not gone through ${failures.length} times, the last: ${last?.reasonCode ?? 'no code'} (${last?.reasonMessage ?? 'no words'})`;
}
