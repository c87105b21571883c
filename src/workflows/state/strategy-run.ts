/**
 * What a strategy's workflow does next: a plain class, so that it is tested without Temporal. It reads the durable facts (the row, the
 * children's rows), asks the definition, and bounds what that wants: filled, open, UNKNOWN and just recorded together never exceed the
 * quantity. Children are recorded before they are placed, so its memory is but two clocks that may be lost.
 */
import { decimal, decimalText, ZERO } from '../../domain/decimal';
import type { QuantityRules } from '../../domain/quantise';
import { hasEnded, isOpenChild, type BestPrices, type ChildPlan, type Decision, type Strategy, type StrategyChild, type StrategyState, type StrategyView } from '../../domain/strategy';
import type { AnyStrategyDefinition } from '../../domain/strategies/definition';
import type { Parameters } from '../../domain/strategies/form';
import { strategyNamed } from '../../domain/strategies/registry';
import { bounded, figuresOf, remainingOf, shown, type Figures } from './strategy-figures';
import { isRefused, refusalsInRow, STOPPED_REASONS, VENUE_DOWN_REASONS, wordsOf, wouldHaveTaken } from './strategy-refusals';

/** The durable facts of one moment. */
export interface StrategyLook {
  readonly strategy: Strategy;
  /** In the order of their numbers. */
  readonly children: readonly StrategyChild[];
  readonly rules: QuantityRules;
  /** Fresh ones, or null. */
  readonly prices: BestPrices | null;
}

export interface StrategyMemory {
  /** Since when there is no fresh price; null while there is. */
  readonly unpricedSinceMs: number | null;
  /** How often in a row it came back from a venue that was down, to no avail. */
  readonly returns: number;
}

export const NO_STRATEGY_MEMORY: StrategyMemory = { unpricedSinceMs: null, returns: 0 };

/**
 * How executions that began before a change go on as they began. `partsAsBefore` is settled at each look, right after its facts are there,
 * since recorded histories have its marker there; each other is asked only where it matters.
 */
export interface EarlierWays {
  /** Parts took what rounding left of all others; see StrategyView. */
  readonly partsAsBefore: () => boolean;
  /** It looked each minute, and each two seconds while an order rested. */
  readonly looksAsBefore: () => boolean;
  /** Of a run's refusals it heeded the reason of the newest alone. */
  readonly refusalsAsBefore: () => boolean;
}

const NEWEST_WAYS: EarlierWays = { partsAsBefore: () => false, looksAsBefore: () => false, refusalsAsBefore: () => false };

/** A change of the strategy's row. */
export interface StrategyNote {
  readonly state: StrategyState;
  readonly reason: string | null;
  /** It begins anew. */
  readonly newRun: boolean;
  readonly filledQuantity: string;
  readonly avgPrice: string | null;
}

export interface StrategyStep {
  /** To be recorded, then placed. */
  readonly place: readonly ChildPlan[];
  /** Recorded children whose order has no row yet: placing them again is harmless. */
  readonly placeAgain: readonly StrategyChild[];
  readonly cancel: readonly string[];
  /** null: the row says it already. */
  readonly note: StrategyNote | null;
  /** When to look again if nothing is heard, ms from now. */
  readonly waitMs: number;
  readonly ended: boolean;
}

/** A lost signal costs this much while the outcome of an order of it is awaited. */
export const OPEN_LOOK_MS = 2_000;
/** And while its orders only rest at the venue: for weeks, maybe. */
export const RESTING_LOOK_MS = 30_000;
/** And while nothing of it is open: what its owner wants is told again by the sweeper, and nothing else can happen before the next order is due. */
export const IDLE_LOOK_MS = 86_400_000;
/** As executions look that began before 2026-11-29. */
const IDLE_LOOK_BEFORE_MS = 60_000;
/** A venue without fresh prices for so long is down; a worker that has just started hears its first prices sooner. */
export const VENUE_DOWN_AFTER_MS = 5_000;
/** A venue that is down is looked at so often. */
const DOWN_LOOK_MS = 1_000;
/** A venue that showed prices and took no orders is tried again after this, doubled each time up to the longest. */
const FIRST_RETURN_MS = 1_000;
const LONGEST_RETURN_MS = 60_000;
/** So many refusals in a row end it. */
export const MAX_REFUSALS = 5;
/** Between two refusals, doubled each time. */
const FIRST_REFUSAL_MS = 1_000;

export class StrategyRun {
  private unpricedSinceMs: number | null;
  private returns: number;
  private newest: StrategyLook | null = null;

  constructor(memory: StrategyMemory = NO_STRATEGY_MEMORY, private readonly definitionOf: (type: string) => AnyStrategyDefinition = strategyNamed, private readonly ways: EarlierWays = NEWEST_WAYS) {
    this.unpricedSinceMs = memory.unpricedSinceMs;
    this.returns = memory.returns;
  }

  /** What the next execution must know. */
  memory(): StrategyMemory {
    return { unpricedSinceMs: this.unpricedSinceMs, returns: this.returns };
  }

  step(look: StrategyLook, nowMs: number): StrategyStep {
    this.newest = look;
    const figures = figuresOf(look.children);
    const { strategy } = look;
    if (look.prices !== null) this.unpricedSinceMs = null;
    else this.unpricedSinceMs ??= nowMs;
    if (hasEnded(strategy.state)) return this.stepOf(look, figures, { ended: true });
    const stopping = this.stopping(look, figures, nowMs);
    if (stopping !== null) return stopping;
    switch (strategy.state) {
      case 'SCHEDULED':
        return this.scheduled(look, figures, nowMs);
      case 'PAUSED':
        return this.stepOf(look, figures, { cancel: cancelable(look.children), waitMs: this.idle(look) });
      case 'PAUSED_VENUE_DOWN':
        return this.venueDown(look, figures, nowMs);
      default:
        return this.running(look, figures, nowMs);
    }
  }

  /** Asked to end, or out of time: what is open is canceled first, and the end is told once nothing is. */
  private stopping(look: StrategyLook, figures: Figures, nowMs: number): StrategyStep | null {
    const { strategy, children } = look;
    const isExpired = strategy.expireAt !== null && nowMs >= Date.parse(strategy.expireAt);
    if (!strategy.pendingCancel && !isExpired) return null;
    if (isBusy(children)) return this.stepOf(look, figures, { cancel: cancelable(children), waitMs: OPEN_LOOK_MS });
    const left = decimal(strategy.quantity).minus(figures.filled);
    if (left.lessThanOrEqualTo(ZERO)) return noted(figures, { state: 'COMPLETED', reason: null });
    return noted(figures, strategy.pendingCancel ? { state: 'CANCELED', reason: strategy.reason } : { state: 'EXPIRED', reason: `${decimalText(left)} was not filled by its end` });
  }

  private scheduled(look: StrategyLook, figures: Figures, nowMs: number): StrategyStep {
    const inMs = look.strategy.startAt === null ? 0 : Date.parse(look.strategy.startAt) - nowMs;
    if (inMs > 0) return this.stepOf(look, figures, { waitMs: inMs });
    return noted(figures, { state: 'RUNNING', reason: null, newRun: true });
  }

  private venueDown(look: StrategyLook, figures: Figures, nowMs: number): StrategyStep {
    const since = Date.parse(look.strategy.updatedAt);
    const backOffMs = Math.min(FIRST_RETURN_MS * 2 ** this.returns, LONGEST_RETURN_MS);
    if (look.prices === null || nowMs - since < backOffMs) return this.stepOf(look, figures, { waitMs: DOWN_LOOK_MS });
    this.returns += 1;
    return noted(figures, { state: 'RUNNING', reason: null, newRun: true });
  }

  private running(look: StrategyLook, figures: Figures, nowMs: number): StrategyStep {
    const { strategy, children } = look;
    const mine = children.filter((child) => child.run === strategy.run);
    const last = mine.at(-1);
    if (last !== undefined && (isOpenChild(last) || decimal(last.filledQuantity).greaterThan(ZERO))) this.returns = 0;
    const stopped = this.refusedFor(STOPPED_REASONS, mine);
    if (stopped !== undefined) return noted(figures, { state: 'PAUSED', reason: `its order was refused: ${wordsOf(stopped)}` });
    const unreached = this.refusedFor(VENUE_DOWN_REASONS, mine);
    if (unreached !== undefined) return noted(figures, { state: 'PAUSED_VENUE_DOWN', reason: `its order did not reach the venue: ${wordsOf(unreached)}` });
    if (this.unpricedSinceMs !== null && nowMs - this.unpricedSinceMs >= VENUE_DOWN_AFTER_MS) return noted(figures, { state: 'PAUSED_VENUE_DOWN', reason: `no fresh price of ${strategy.symbol} since ${new Date(this.unpricedSinceMs).toISOString()}` });
    const inRow = refusalsInRow(mine);
    const refused = this.failures(strategy, inRow);
    if (refused.length >= MAX_REFUSALS) {
      if (isBusy(children)) return this.stepOf(look, figures, { waitMs: OPEN_LOOK_MS });
      return noted(figures, { state: 'FAILED', reason: `${MAX_REFUSALS} orders in a row were refused, the last: ${wordsOf(refused.at(-1))}` });
    }
    const decision = this.decide(look, figures, nowMs);
    const cancel = cancelable(children).filter((orderId) => decision.cancel.includes(orderId));
    const restMs = inRow.length === 0 ? 0 : (inRow.at(-1)?.createdAtMs ?? 0) + FIRST_REFUSAL_MS * 2 ** Math.max(refused.length - 1, 0) - nowMs;
    if (decision.place.length > 0 && restMs > 0) return this.stepOf(look, figures, { cancel, waitMs: restMs });
    if (decision.end !== null && !isBusy(children)) return noted(figures, decision.end);
    const place = bounded(remainingOf(strategy, figures), decision.place);
    return this.stepOf(look, figures, { place, cancel, waitMs: this.wait(look, decision, nowMs) });
  }

  /** Orders are recorded several at once: one of them says it, whatever became of those after it. Another run begins when that is over. */
  private refusedFor(reasons: ReadonlySet<string>, mine: readonly StrategyChild[]): StrategyChild | undefined {
    const found = mine.findLast((child) => isRefused(child) && reasons.has(child.reasonCode ?? ''));
    return found === undefined || found === mine.at(-1) || !this.ways.refusalsAsBefore() ? found : undefined;
  }

  /** Of refusals in a row, those that may end it: one that follows the price is late now and then, and is placed anew at the price as it is. */
  private failures({ type }: Strategy, inRow: readonly StrategyChild[]): readonly StrategyChild[] {
    if (!this.definitionOf(type).followsPrice) return inRow;
    const others = inRow.filter((child) => !wouldHaveTaken(child));
    return others.length === inRow.length || this.ways.refusalsAsBefore() ? inRow : others;
  }

  private decide({ strategy, children, rules, prices }: StrategyLook, figures: Figures, nowMs: number): Decision {
    const view: StrategyView<Parameters> = {
      id: strategy.id,
      side: strategy.side,
      quantity: strategy.quantity,
      parameters: strategy.parameters,
      rules,
      run: strategy.run,
      elapsedMs: this.elapsed(strategy, nowMs),
      runFromMs: this.elapsed(strategy, Date.parse(strategy.runStartedAt ?? strategy.createdAt)),
      children,
      filled: decimalText(figures.filled),
      remaining: decimalText(remainingOf(strategy, figures)),
      prices,
      partsAsBefore: this.ways.partsAsBefore(),
    };
    return this.definitionOf(strategy.type).decide(view);
  }

  /** ms since its start that were not paused by people. */
  private elapsed(strategy: Strategy, atMs: number): number {
    return Math.max(0, atMs - Date.parse(strategy.startedAt ?? strategy.createdAt) - strategy.pausedMs);
  }

  private idle({ children }: StrategyLook): number {
    return isBusy(children) ? OPEN_LOOK_MS : this.ways.looksAsBefore() ? IDLE_LOOK_BEFORE_MS : IDLE_LOOK_MS;
  }

  private wait(look: StrategyLook, decision: Decision, nowMs: number): number {
    const elapsed = this.elapsed(look.strategy, nowMs);
    const until = decision.wakeAtMs === null ? Infinity : Math.max(decision.wakeAtMs - elapsed, 0);
    const expiry = look.strategy.expireAt === null ? Infinity : Math.max(Date.parse(look.strategy.expireAt) - nowMs, 0);
    // Without fresh prices the venue may be down: that is to be noticed in time.
    const unpriced = look.prices === null ? DOWN_LOOK_MS : Infinity;
    const soonest = decision.place.length > 0 || decision.cancel.length > 0 ? OPEN_LOOK_MS : this.isResting(look) ? RESTING_LOOK_MS : this.idle(look);
    return Math.max(Math.min(until, soonest, expiry, unpriced), LEAST_WAIT_MS);
  }

  /** Its orders rest at the venue, and no price moves them. */
  private isResting({ strategy, children }: StrategyLook): boolean {
    const open = children.filter(isOpenChild);
    const isSettled = open.every((child) => !child.pendingCancel && child.timeInForce === 'GTC' && (child.state === 'WORKING' || child.state === 'PARTIALLY_FILLED'));
    return open.length > 0 && isSettled && !this.definitionOf(strategy.type).needsPrices && !this.ways.looksAsBefore();
  }

  private stepOf({ strategy, children }: StrategyLook, figures: Figures, step: Partial<StrategyStep>): StrategyStep {
    const isKnown = decimal(strategy.filledQuantity).equals(figures.filled);
    const note: StrategyNote | null = isKnown ? null : { state: strategy.state, reason: strategy.reason, newRun: false, ...shown(figures) };
    return { place: [], placeAgain: children.filter((child) => !child.isPlaced), cancel: [], note, waitMs: IDLE_LOOK_MS, ended: false, ...step };
  }

  /** Markdown for the Web UI. */
  details(): string {
    if (this.newest === null) return 'reads what is known of it';
    const { strategy, children } = this.newest;
    const open = children.filter(isOpenChild);
    const lines = [
      `**${strategy.state}** ${strategy.type}: ${strategy.side} ${strategy.quantity} ${strategy.symbol}, ${strategy.filledQuantity} filled, ${children.length} orders, ${open.length} open, run ${strategy.run}`,
      ...(strategy.reason === null ? [] : [strategy.reason]),
      ...open.slice(0, DETAIL_LINES).map((child) => `- \`${child.leg}\` ${child.state} ${child.filledQuantity}/${child.quantity} at ${child.limitPrice ?? 'market'}`),
    ];
    return lines.join('\n');
  }
}

/** Two looks are at least so far apart: a definition that wants to be woken at once, again and again, cannot spin. */
const LEAST_WAIT_MS = 50;
const DETAIL_LINES = 10;

/** A change of state is written first; what it means is decided at the look that follows at once. */
function noted(figures: Figures, change: Pick<StrategyNote, 'state' | 'reason'> & { readonly newRun?: boolean }): StrategyStep {
  return { place: [], placeAgain: [], cancel: [], note: { newRun: false, ...change, ...shown(figures) }, waitMs: 0, ended: false };
}

function isBusy(children: readonly StrategyChild[]): boolean {
  return children.some(isOpenChild);
}

function cancelable(children: readonly StrategyChild[]): readonly string[] {
  return children.filter((child) => child.isPlaced && isOpenChild(child) && !child.pendingCancel).map((child) => child.orderId);
}
