/**
 * What a conditional order does next. Pure: it is told of its trigger, its children, amends, a cancel and the time, and answers with
 * one step; it is asked again after each. Whatever the order of all that: never two live children, never more placed than is left,
 * and a trigger that was told stays told.
 */
import type { ChildTerms } from '../../domain/child-intent';
import type { OrderCondition } from '../../domain/condition';
import { decimal, decimalText, maxOf, ZERO, type Decimal } from '../../domain/decimal';
import type { HeldTerms } from '../../domain/evidence';
import { figuresOfFolded, foldedWith, foldedWithout, NAMED_ENDED, NONE_FOLDED, type FoldedFigures, type FoldedOrders } from '../../domain/folded-orders';
import { isTerminal, type OrderIntent } from '../../domain/order';
import type { SupervisedOrder, TradingState } from '../../domain/supervised-order';
import { orderTriggerId } from '../../domain/trigger';
import { childOf, type Child, type ConditionalMemory, type Fired, type Step } from './conditional-steps';
import { nativeTerms, pursuitTerms, stepAt, wantsReprice, type PursuitStep } from './pursuit';

/** What says that there is nothing to exit from (any more): the venue's word and ours. */
export const NOTHING_TO_EXIT: ReadonlySet<string> = new Set(['RISK_NOTHING_TO_REDUCE', 'reduceOnlyWouldIncrease', 'REDUCE_ONLY_WOULD_INCREASE']);
const CANCELED_BY_USER = 'CANCELED_BY_USER';
/** An exit that did not fill is placed again after this, doubled each time: soon, because a holder is exposed; at last four times a minute. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 15_000;
/** A cancel whose order shows no sign of it for this long is asked for again. */
const REPEAT_CANCEL_MS = 10_000;
/** Most tries to have a native stop at the venue; after them the durable one stands alone, and says so. */
export const MAX_NATIVE_FAILURES = 5;

export class ConditionalOrder {
  quantity: string;
  limitPrice: string | null;
  condition: OrderCondition;
  termsVersion: number;
  fired: Fired | null;
  /** By name, in the order of their numbers: all that are open, and the newest that have ended. */
  children: Child[];
  /** The others. */
  folded: FoldedOrders;
  cancelAsked: boolean;
  failures: number;
  nativeFailures: number;
  triggerNumber: number;
  armedVersion: number | null;
  private pursuitSinceMs: number | null;

  /** `nativeExpiresAfterMs`: the venue ends native stops after this; null: it keeps them. */
  constructor(readonly intent: OrderIntent, condition: OrderCondition, memory: ConditionalMemory | null, private readonly nativeExpiresAfterMs: number | null = null) {
    this.condition = memory?.condition ?? condition;
    this.quantity = memory?.quantity ?? intent.quantity;
    this.limitPrice = memory === null ? intent.limitPrice : memory.limitPrice;
    this.termsVersion = memory?.termsVersion ?? 0;
    this.armedVersion = memory?.armedVersion ?? null;
    this.triggerNumber = memory?.triggerNumber ?? 0;
    this.fired = memory?.fired ?? null;
    this.pursuitSinceMs = memory?.pursuitSinceMs ?? null;
    this.children = (memory?.children ?? []).map((child) => ({ ...child }));
    this.folded = memory?.folded ?? NONE_FOLDED;
    this.cancelAsked = memory?.cancelAsked ?? false;
    this.failures = memory?.failures ?? 0;
    this.nativeFailures = memory?.nativeFailures ?? 0;
  }

  memory(): ConditionalMemory {
    const { condition, quantity, limitPrice, termsVersion, armedVersion, triggerNumber, fired, pursuitSinceMs, children, folded, cancelAsked, failures, nativeFailures } = this;
    return { condition, quantity, limitPrice, termsVersion, armedVersion, triggerNumber, fired, pursuitSinceMs, children, folded, cancelAsked, failures, nativeFailures };
  }

  get hasTrigger(): boolean {
    return this.condition.triggerPrice !== null || this.condition.trailingOffset !== null;
  }

  /** Sums over all children. */
  get filled(): FoldedFigures {
    return figuresOfFolded(foldedWith(this.folded, this.children.flatMap(({ view }) => view ?? [])));
  }

  get rest(): Decimal {
    return maxOf(decimal(this.quantity).minus(this.filled.quantity), ZERO);
  }

  get live(): Child | null {
    return this.children.find(({ view }) => view === null || !isTerminal(view.state)) ?? null;
  }

  /** A crossing that was checked. Only the first counts; before its start a scheduled order has no trigger. */
  triggered(fired: Fired): void {
    this.fired ??= fired;
  }

  armed(version: number): void {
    this.armedVersion = version;
  }

  /** What fired it did not hold: that trigger is used up, and the next one is armed. */
  disproved(): void {
    this.triggerNumber += 1;
    this.armedVersion = null;
  }

  get triggerId(): string {
    return orderTriggerId(this.intent.id, this.triggerNumber);
  }

  /** What its row took holds, though it fires at that moment: whoever asked was told. */
  amended(terms: HeldTerms): void {
    const { quantity, limitPrice, ...condition } = terms;
    this.quantity = quantity ?? this.quantity;
    this.limitPrice = limitPrice ?? this.limitPrice;
    this.condition = { ...this.condition, ...condition };
    this.termsVersion += 1;
  }

  /** `version`: of the terms that it was decided by; they may be others by now. */
  placed(n: number, step: Child['step'], orderId: string, nowMs: number, version: number): void {
    this.children.push({ n, orderId, step, placedAtMs: nowMs, termsVersion: version, view: null, cancelAskedAtMs: null });
    if (step !== 'native') this.pursuitSinceMs ??= nowMs;
  }

  childSeen(view: SupervisedOrder): void {
    const child = this.children.find(({ orderId }) => orderId === view.id);
    if (child === undefined || (child.view !== null && child.view.revision > view.revision)) return;
    const ended = isTerminal(view.state) && (child.view === null || !isTerminal(child.view.state));
    child.view = view;
    if (ended && view.state !== 'FILLED' && child.cancelAskedAtMs === null) {
      if (child.step === 'native') this.nativeFailures += 1;
      else this.failures += 1;
    }
  }

  /**
   * `orders`: the rows of those that are carried by name, and of those that were called over and are at work after all: these are carried by
   * name again. `read`: of the others.
   */
  foldedSeen(read: FoldedOrders, orders: readonly SupervisedOrder[]): void {
    const before = { count: this.nextN, filled: this.filled.quantity };
    const opened = orders.filter(({ id }) => !this.children.some(({ orderId }) => orderId === id));
    if (opened.length > 0) this.children = [...this.children, ...opened.map(childOf)].sort((a, b) => a.n - b.n);
    for (const view of orders) this.childSeen(view);
    const remembered = foldedWithout(this.folded, opened);
    this.folded = read;
    // A restored database lacks some of them, or of their fills: an order never fills less.
    if (this.nextN < before.count || this.filled.quantity.lessThan(before.filled)) this.folded = remembered;
  }

  /** `named`: so many that have ended stay by name. */
  fold(named = NAMED_ENDED): void {
    const ended = this.children.filter(({ view }) => view !== null && isTerminal(view.state));
    const older = new Set(ended.slice(0, Math.max(ended.length - named, 0)));
    this.folded = foldedWith(this.folded, [...older].flatMap(({ view }) => view ?? []));
    this.children = this.children.filter((child) => !older.has(child));
  }

  /** Numbers are never used twice, whatever is folded: an order's names are made of its own. */
  private get nextN(): number {
    return this.folded.count + this.children.length;
  }

  cancelSent(child: Child, nowMs: number): void {
    child.cancelAskedAtMs = nowMs;
  }

  /** `market`: read for this step alone; null asks for it where it is needed. */
  next(nowMs: number, market: TradingState | null): Step {
    const { live } = this;
    if (this.rest.isZero()) return live === null ? { kind: 'end', state: 'FILLED', reasonCode: null, message: null } : this.cancelOf(live, nowMs);
    return this.fired === null ? this.waiting(nowMs, live) : this.pursuing(nowMs, market, live, this.fired);
  }

  private waiting(nowMs: number, live: Child | null): Step {
    const { startAt, expireTime, execution } = this.condition;
    const startMs = startAt === null ? null : Date.parse(startAt);
    const expireMs = expireTime === null ? null : Date.parse(expireTime);
    const native = this.children.at(-1);
    // The venue's own stop was quicker, or ours was not there to see it.
    if (native?.view != null && decimal(native.view.filledQuantity).greaterThan(ZERO)) {
      return { kind: 'fire', fired: { by: 'native', level: this.condition.triggerPrice, atMs: nowMs, evidence: { orderId: native.orderId } } };
    }
    const over = this.cancelAsked ? 'CANCELED' : expireMs !== null && nowMs >= expireMs ? 'EXPIRED' : null;
    if (over !== null) {
      if (live !== null) return this.cancelOf(live, nowMs);
      return { kind: 'end', state: over, reasonCode: over === 'CANCELED' ? CANCELED_BY_USER : null, message: null };
    }
    if (startMs !== null && nowMs < startMs) return { kind: 'wait', untilMs: expireMs === null ? startMs : Math.min(startMs, expireMs), looking: false };
    if (!this.hasTrigger) return { kind: 'fire', fired: { by: 'time', level: null, atMs: nowMs, evidence: { startAt } } };
    if (this.armedVersion !== this.termsVersion) return { kind: 'arm', version: this.termsVersion };
    return execution === 'both' ? this.backstop(nowMs, live, expireMs) : { kind: 'wait', untilMs: expireMs, looking: false };
  }

  /** Keeps one native stop of the newest terms at the venue. */
  private backstop(nowMs: number, live: Child | null, expireMs: number | null): Step {
    const waitUntil = (ms: number | null, looking: boolean): Step => ({ kind: 'wait', untilMs: earliest(ms, expireMs), looking });
    if (live !== null) {
      const replaceAtMs = this.nativeExpiresAfterMs === null ? null : live.placedAtMs + this.nativeExpiresAfterMs * REPLACE_AT_SHARE;
      if (live.termsVersion !== this.termsVersion || (replaceAtMs !== null && nowMs >= replaceAtMs)) return this.cancelOf(live, nowMs);
      return waitUntil(replaceAtMs, live.view === null);
    }
    if (this.nativeFailures >= MAX_NATIVE_FAILURES) return waitUntil(null, false);
    const retryAtMs = this.retryAt(this.nativeFailures);
    if (retryAtMs > nowMs) return waitUntil(retryAtMs, false);
    return { kind: 'place', n: this.nextN, step: 'native', version: this.termsVersion, terms: nativeTerms(this.intent, this.condition, this.limitPrice, decimalText(this.rest)) };
  }

  private pursuing(nowMs: number, market: TradingState | null, live: Child | null, fired: Fired): Step {
    const isExit = this.intent.reduceOnly;
    const step = stepAt(this.intent.type, this.condition.escalation, this.pursuitSinceMs, nowMs);
    const expireMs = this.condition.expireTime === null || step.step !== 'limit' ? null : Date.parse(this.condition.expireTime);
    const over = this.cancelAsked ? 'CANCELED' : expireMs !== null && nowMs >= expireMs ? 'EXPIRED' : null;
    if (live !== null) {
      if (over !== null || live.step !== step.step) return this.cancelOf(live, nowMs);
      if (live.cancelAskedAtMs !== null || live.view === null) return { kind: 'wait', untilMs: null, looking: true };
      if (step.step === 'chase' && nowMs >= live.placedAtMs + CHASE_INTERVAL_MS) {
        if (market === null) return { kind: 'readMarket' };
        if (wantsReprice(this.intent.side, live.view.limitPrice, this.pursuit('chase', market, fired).limitPrice)) return this.cancelOf(live, nowMs);
        return { kind: 'wait', untilMs: earliest(nowMs + CHASE_INTERVAL_MS, step.untilMs), looking: true };
      }
      const chaseMs = step.step === 'chase' ? live.placedAtMs + CHASE_INTERVAL_MS : null;
      return { kind: 'wait', untilMs: earliest(earliest(step.untilMs, expireMs), chaseMs), looking: true };
    }
    if (over !== null) return { kind: 'end', state: over, reasonCode: over === 'CANCELED' ? CANCELED_BY_USER : null, message: null };
    const last = this.children.at(-1) ?? null;
    const ended = last === null || last.cancelAskedAtMs !== null || last.step === 'native' ? null : this.endedBy(last, isExit);
    if (ended !== null) return ended;
    const retryAtMs = last === null || last.cancelAskedAtMs !== null ? nowMs : this.retryAt(this.failures);
    if (retryAtMs > nowMs) return { kind: 'wait', untilMs: retryAtMs, looking: false };
    if (market === null) return { kind: 'readMarket' };
    return { kind: 'place', n: this.nextN, step: step.step, version: this.termsVersion, terms: this.pursuit(step.step, market, fired) };
  }

  /** Whether a child that ended by itself ends the order: an entry always, an exit only where nothing is left to exit from, or its user took it back. */
  private endedBy({ view }: Child, isExit: boolean): Step | null {
    if (view === null) return null;
    const { state, reasonCode, reasonMessage } = view;
    const reason = reasonCode ?? '';
    if (isExit && NOTHING_TO_EXIT.has(reason)) return { kind: 'end', state: 'CANCELED', reasonCode: 'RISK_NOTHING_TO_REDUCE', message: reasonMessage ?? 'there is no position left to exit from' };
    if (isExit && !(state === 'CANCELED' && reason === CANCELED_BY_USER)) return null;
    if (state === 'DENIED' || state === 'REJECTED' || state === 'EXPIRED') return { kind: 'end', state, reasonCode, message: reasonMessage };
    return { kind: 'end', state: 'CANCELED', reasonCode, message: reasonMessage };
  }

  private pursuit(step: PursuitStep, market: TradingState, fired: Fired): ChildTerms {
    return pursuitTerms({ intent: this.intent, limitPrice: this.limitPrice, escalation: this.condition.escalation, level: fired.level, step, quantity: decimalText(this.rest), market });
  }

  private retryAt(failures: number): number {
    const last = this.children.at(-1);
    if (failures === 0 || last === undefined) return 0;
    const endedMs = last.view === null ? last.placedAtMs : Date.parse(last.view.updatedAt);
    return endedMs + Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LONGEST_RETRY_MS);
  }

  private cancelOf(child: Child, nowMs: number): Step {
    if (child.view !== null && isTerminal(child.view.state)) return { kind: 'wait', untilMs: null, looking: true };
    const asked = child.cancelAskedAtMs;
    if (asked === null || (nowMs >= asked + REPEAT_CANCEL_MS && child.view?.pendingCancel === false)) return { kind: 'cancelChild', child };
    return { kind: 'wait', untilMs: asked + REPEAT_CANCEL_MS, looking: true };
  }
}

/** How often a chased limit is compared with the market: venues allow a few cancels a second, a person sees no more. */
export const CHASE_INTERVAL_MS = 1_000;
/** A native stop is placed anew when this share of its life is over. */
export const REPLACE_AT_SHARE = 0.9;

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
