/** How an order list changes: by its owner's commands and by its workflow's notes. Pure; the store applies it under its accounts' locks. */
import { decimal, decimalText, sum, ZERO, type Decimal } from './decimal';
import { DomainError } from './errors';
import type { EventType } from './events';
import { isNativeStop, isOpenListChild, legHasEnded, type ListChildPlan, type OrderList, type OrderListChild, type OrderListLeg, type OrderListState } from './order-list';
import { figuresOfLegs, groupOf, heldOf, isAwaited, openOf, sharesOf, sharesRoom } from './order-list-shares';

/** Of one leg; what is absent stays. */
export type LegAmendment = { readonly n: number } & Partial<Record<'quantity' | 'limitPrice' | 'triggerPrice' | 'trailingOffset' | 'activationPrice', string>>;

export type OrderListCommand =
  | { readonly kind: 'cancel' | 'stopEntries'; readonly reason: string }
  /** Against the revision its caller saw. What is absent stays. */
  | { readonly kind: 'amend'; readonly expectedRevision: number; readonly legs: readonly LegAmendment[]; readonly expireTime?: string | null };

export interface OrderListNote {
  readonly state: OrderListState;
  readonly reason: string | null;
  readonly legs: readonly OrderListLeg[];
  readonly closeAt: string | null;
}

/** Something that a person should know of a leg. */
export interface LegAlert {
  readonly leg: number;
  readonly kind: string;
  readonly words: string;
}

export interface OrderListAdvance {
  readonly revision: number;
  /** The last child's number it was decided on; 0 without one. */
  readonly afterN: number;
  readonly note: OrderListNote | null;
  readonly place: readonly ListChildPlan[];
  /** Numbers of children whose cancel is asked for. */
  readonly cancel: readonly number[];
  readonly alerts: readonly LegAlert[];
}

export interface Commanded {
  readonly change: Partial<OrderList>;
  readonly type: EventType;
  readonly data: Readonly<Record<string, unknown>>;
}

/** null: it is so already. Throws PRECONDITION_FAILED and CONFLICT where the list or a leg forbids it. */
export function commandedTo(before: OrderList, command: OrderListCommand, children: readonly OrderListChild[]): Commanded | null {
  if (command.kind === 'amend') return amended(before, command, children);
  if (before.endedAt !== null || before.pendingCancel) return null;
  const { kind, reason } = command;
  if (kind === 'cancel') return { change: { pendingCancel: true, reason }, type: 'orderList.cancelRequested', data: { reason } };
  // Exits stay: a halt must leave nobody unprotected.
  if (before.entriesStopped || before.legs.every((leg) => leg.reduceOnly)) return null;
  return { change: { entriesStopped: true, reason }, type: 'orderList.entriesStopped', data: { reason } };
}

function amended(before: OrderList, command: Extract<OrderListCommand, { kind: 'amend' }>, children: readonly OrderListChild[]): Commanded {
  if (before.revision !== command.expectedRevision) throw new DomainError('PRECONDITION_FAILED', `the list is at revision ${before.revision}, not ${command.expectedRevision}`, { details: { revision: before.revision } });
  if (before.endedAt !== null || before.pendingCancel) throw new DomainError('CONFLICT', `the list is ${before.pendingCancel ? 'being canceled' : before.state}`);
  const figures = figuresOfLegs(before, children);
  const legs = before.legs.map((leg) => {
    const { n: _n, ...change } = command.legs.find(({ n }) => n === leg.n) ?? { n: leg.n };
    if (Object.keys(change).length === 0) return leg;
    if (legHasEnded(leg) || leg.state === 'FILLED') throw new DomainError('CONFLICT', `leg ${leg.n} is ${leg.state}: it cannot be amended`);
    if (leg.triggered !== null) throw new DomainError('CONFLICT', `leg ${leg.n} is being pursued since ${leg.triggered.at}: it cannot be amended`);
    const filled = figures[leg.n]?.filled;
    if (change.quantity !== undefined && filled !== undefined && decimal(change.quantity).lessThanOrEqualTo(filled)) {
      throw new DomainError('CONFLICT', `quantity ${change.quantity} of leg ${leg.n} is the new total and must be above the ${decimalText(filled)} filled already`);
    }
    return { ...leg, ...change, version: leg.version + 1 };
  });
  const expireTime = command.expireTime === undefined ? before.expireTime : command.expireTime;
  return { change: { legs, expireTime }, type: 'orderList.amended', data: { previous: { legs: command.legs.map(({ n }) => before.legs[n]), expireTime: before.expireTime } } };
}

/** A worker's clock and the database's may differ by so much: what one of them has waited for in vain, the other does not await. */
const CLOCKS_APART_MS = 1_000;

/**
 * The last guard, by what the database says under the accounts' locks: whoever decided, nothing is recorded beyond a leg's share, nor
 * beyond what its group has to do together: the exits of a bracket, and what a price has set off beside all that is open.
 */
export function fitsShares(list: OrderList, children: readonly OrderListChild[], place: readonly ListChildPlan[], nowMs: number): boolean {
  const figures = figuresOfLegs(list, children);
  const shares = sharesOf(list, figures, nowMs);
  const planned = (legs: readonly number[], n: number): Decimal => sum(place.filter((plan) => legs.includes(plan.leg) && sharesRoom(list, plan, n)).map(({ quantity }) => decimal(quantity)));
  return [...new Set(place.map((plan) => plan.leg))].every((n) => {
    const leg = list.legs[n];
    if (leg === undefined) return false;
    const share = shares[n] ?? ZERO;
    const own = sum(children.filter((child) => child.leg === n && isOpenListChild(child)).map(openOf)).plus(planned([n], n));
    if (own.greaterThan(share)) return false;
    // It waits at the venue beside what rests, as the durable one does here.
    if (place.every((plan) => plan.leg !== n || isNativeStop(plan))) return true;
    const group = groupOf(list, n);
    const isBracketExit = list.type === 'BRACKET' && n > 0;
    // The legs of an OCO or OUO rest side by side, each for all of it, until a price sets one off.
    if (!isBracketExit && leg.triggered === null) return true;
    const awaited = sum(children.filter((child) => group.includes(child.leg) && sharesRoom(list, child, n) && isAwaited(child, leg, nowMs + CLOCKS_APART_MS)).map(openOf));
    return awaited.plus(planned(group, n)).lessThanOrEqualTo(isBracketExit ? heldOf(figures) : share);
  });
}

/** The row after what its workflow noted, and what is told of it. */
export function noted(before: OrderList, note: OrderListNote, at: string): { readonly list: OrderList; readonly events: readonly Pick<Commanded, 'type' | 'data'>[] } {
  const triggered = note.legs.filter((leg) => leg.triggered !== null && before.legs[leg.n]?.triggered === null);
  const moved = note.legs.filter((leg) => leg.breakEvenPrice !== null && before.legs[leg.n]?.breakEvenPrice === null);
  const changed = note.state !== before.state || note.closeAt !== before.closeAt || note.legs.some((leg) => isOther(leg, before.legs[leg.n]));
  const list: OrderList = { ...before, ...note, revision: before.revision + (changed ? 1 : 0), updatedAt: at, endedAt: note.state === 'ACTIVE' ? null : at };
  const events = [
    ...triggered.map(({ n, triggered: why }) => ({ type: 'orderList.triggered' as const, data: { leg: n, ...why } })),
    ...moved.map(({ n, breakEvenPrice }) => ({ type: 'orderList.stopMoved' as const, data: { leg: n, breakEvenPrice } })),
  ];
  if (note.state !== before.state || events.length === 0) return { list, events: [...events, { type: TYPE_OF_STATE[note.state], data: {} }] };
  return { list, events };
}

const TYPE_OF_STATE: Record<OrderListState, EventType> = {
  ACTIVE: 'orderList.progressed', COMPLETED: 'orderList.completed', CANCELED: 'orderList.canceled', EXPIRED: 'orderList.expired', REJECTED: 'orderList.rejected',
};

/** By more than what it filled. */
function isOther(leg: OrderListLeg, before: OrderListLeg | undefined): boolean {
  return before === undefined || leg.state !== before.state || leg.triggered?.at !== before.triggered?.at || leg.breakEvenPrice !== before.breakEvenPrice || leg.triggerNumber !== before.triggerNumber;
}
