/** A small world for a strategy: its rows, a venue that does what a script says, and workers that crash between any two steps. */
import { Decimal, decimal, decimalText, maxOf, minOf, ZERO } from '../../../src/domain/decimal';
import { roundQuantityDown } from '../../../src/domain/quantise';
import { hasEnded, isOpenChild, type ChildPlan, type Strategy, type StrategyChild } from '../../../src/domain/strategy';
import type { AnyStrategyDefinition } from '../../../src/domain/strategies/definition';
import { withFallbacks } from '../../../src/domain/strategies/form';
import { strategyNamed } from '../../../src/domain/strategies/registry';
import { StrategyRun, type StrategyLook, type StrategyMemory, type StrategyNote } from '../../../src/workflows/state/strategy-run';

export const RULES = { tickRule: { kind: 'step', step: '0.5' }, lot: '0.01', minQuantity: '0.01', minNotional: '1' } as const;
export const START_MS = Date.parse('2026-01-01T00:00:00Z');

/** What happens between two looks. `of` picks a child by its number, whatever its state. */
export type Happening =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'price'; readonly moved: number }
  | { readonly kind: 'fill'; readonly of: number; readonly percent: number }
  | { readonly kind: 'lost'; readonly of: number }
  | { readonly kind: 'refuse'; readonly of: number }
  | { readonly kind: 'unreached'; readonly of: number }
  | { readonly kind: 'cancelConfirmed'; readonly of: number }
  | { readonly kind: 'venueDown' | 'venueUp' | 'pause' | 'resume' | 'crash' | 'crashBeforePlacing' | 'edit' };

type Row = { -readonly [Field in keyof StrategyChild]: StrategyChild[Field] };

export interface Planted {
  /** What the bug makes of the facts before a look. */
  readonly look?: (look: StrategyLook) => StrategyLook;
  readonly definition?: (type: string) => AnyStrategyDefinition;
}

export class StrategyWorld {
  strategy: Strategy;
  readonly children: Row[] = [];
  nowMs = START_MS;
  mid = new Decimal(100);
  venueUp = true;
  private crashBeforePlacing = false;
  private memory: StrategyMemory | undefined;
  private run: StrategyRun;

  constructor(type: string, quantity: string, parameters: Record<string, string | number | null>, private readonly planted: Planted = {}) {
    const at = new Date(START_MS).toISOString();
    this.strategy = {
      id: 'a0000000-0000-4000-8000-000000000001', clientStrategyId: 'c', userId: 'u', accountId: 'a', venue: 'paper', symbol: 'X-PERP', venueSymbol: 'X', type, side: 'buy', quantity, reduceOnly: false,
      parameters: withFallbacks(strategyNamed(type).form, parameters), state: 'SCHEDULED', reason: null, pendingCancel: false, filledQuantity: '0', avgPrice: null, revision: 1, run: 0,
      startAt: null, expireAt: null, startedAt: null, runStartedAt: null, pausedAt: null, pausedMs: 0, ownerWorkflowId: 'w', createdAt: at, updatedAt: at, endedAt: null,
    };
    this.run = this.worker();
  }

  /** One look and what it leads to. */
  look(): void {
    for (const child of this.children) if (child.timeInForce === 'IOC' && child.isPlaced && child.state === 'WORKING') this.answerAtOnce(child);
    const facts: StrategyLook = { strategy: this.strategy, children: this.children.map((child) => ({ ...child })), rules: RULES, prices: this.venueUp ? this.prices() : null };
    const step = this.run.step(this.planted.look?.(facts) ?? facts, this.nowMs);
    this.memory = this.run.memory();
    if (step.note !== null) this.note(step.note);
    const recorded = step.place.map((plan) => this.record(plan));
    if (this.crashBeforePlacing) {
      this.crashBeforePlacing = false;
      this.run = this.worker();
      return;
    }
    for (const child of [...recorded, ...this.children.filter((each) => step.placeAgain.some((again) => again.n === each.n))]) this.place(child);
    for (const orderId of step.cancel) for (const child of this.children) if (child.orderId === orderId) child.pendingCancel = true;
  }

  happen(happening: Happening): void {
    switch (happening.kind) {
      case 'time':
        this.nowMs += happening.ms;
        break;
      case 'price':
        this.mid = maxOf(this.mid.plus(happening.moved * 0.5), new Decimal(50));
        break;
      case 'fill':
        this.withChild(happening.of, (child) => this.fill(child, happening.percent));
        break;
      case 'lost':
        this.withChild(happening.of, (child) => (child.state = 'UNKNOWN'));
        break;
      case 'refuse':
        this.withChild(happening.of, (child) => this.close(child, 'REJECTED', 'OTHER'));
        break;
      case 'unreached':
        this.withChild(happening.of, (child) => this.close(child, 'REJECTED', 'NOT_SENT'));
        break;
      case 'cancelConfirmed':
        this.withChild(happening.of, (child) => child.pendingCancel && this.close(child, 'CANCELED', null));
        break;
      case 'venueDown':
      case 'venueUp':
        this.venueUp = happening.kind === 'venueUp';
        break;
      case 'pause':
        if (this.strategy.state === 'RUNNING' || this.strategy.state === 'PAUSED_VENUE_DOWN') this.strategy = { ...this.strategy, state: 'PAUSED', pausedAt: this.at(), revision: this.strategy.revision + 1 };
        break;
      case 'resume':
        if (this.strategy.state === 'PAUSED') this.strategy = { ...this.strategy, state: 'RUNNING', pausedMs: this.strategy.pausedMs + this.nowMs - Date.parse(this.strategy.pausedAt ?? this.at()), pausedAt: null, run: this.strategy.run + 1, runStartedAt: this.at(), revision: this.strategy.revision + 1 };
        break;
      case 'edit':
        if (!hasEnded(this.strategy.state) && this.strategy.startedAt !== null) this.strategy = { ...this.strategy, run: this.strategy.run + 1, runStartedAt: this.at(), revision: this.strategy.revision + 1 };
        break;
      case 'crash':
        this.run = this.worker();
        break;
      case 'crashBeforePlacing':
        this.crashBeforePlacing = true;
    }
  }

  /** The venue answers and fills everything, the clock runs, until the strategy has ended. */
  settle(looks: number, options: { readonly answerUnknown: boolean } = { answerUnknown: true }): void {
    this.venueUp = true;
    for (let count = 0; count < looks && !hasEnded(this.strategy.state); count += 1) {
      this.happen({ kind: 'resume' });
      for (const child of this.children) {
        if (child.state === 'UNKNOWN' && options.answerUnknown) child.state = 'WORKING';
        if (isOpenChild(child) && child.isPlaced && child.state !== 'UNKNOWN') {
          if (child.pendingCancel) this.close(child, 'CANCELED', null);
          else this.fill(child, 100);
        }
      }
      this.look();
      this.nowMs += 3_000;
    }
  }

  get filled(): Decimal {
    return this.children.reduce<Decimal>((total, child) => total.plus(decimal(child.filledQuantity)), ZERO);
  }

  /** What could have been bought at the worst: closed children as they filled, every other one whole. */
  get worst(): Decimal {
    return this.children.reduce<Decimal>((total, child) => total.plus(isOpenChild(child) ? decimal(child.quantity) : decimal(child.filledQuantity)), ZERO);
  }

  get live(): number {
    return this.children.filter(isOpenChild).length;
  }

  private worker(): StrategyRun {
    return new StrategyRun(this.memory, this.planted.definition);
  }

  private prices(): StrategyLook['prices'] {
    return { bid: decimalText(this.mid.minus('0.5')), ask: decimalText(this.mid.plus('0.5')), mark: decimalText(this.mid) };
  }

  private note({ state, reason, newRun, filledQuantity, avgPrice }: StrategyNote): void {
    const changed = state !== this.strategy.state;
    this.strategy = {
      ...this.strategy, state, reason, filledQuantity, avgPrice, updatedAt: changed ? this.at() : this.strategy.updatedAt, revision: this.strategy.revision + (changed ? 1 : 0),
      ...(newRun ? { run: this.strategy.run + 1, runStartedAt: this.at(), startedAt: this.strategy.startedAt ?? this.at() } : {}),
    };
  }

  private record(plan: ChildPlan): Row {
    if (roundQuantityDown(RULES, plan.quantity, plan.limitPrice) !== plan.quantity) throw new Error(`${plan.leg}: ${plan.quantity} is not on the grid`);
    const n = this.children.length + 1;
    const child: Row = {
      ...plan, n, orderId: `o${n}`, run: this.strategy.run, state: 'PENDING_RISK', isPlaced: false, filledQuantity: '0', avgPrice: null, reasonCode: null, reasonMessage: null, pendingCancel: false, createdAtMs: this.nowMs, closedAtMs: null,
    };
    this.children.push(child);
    return child;
  }

  private place(child: Row): void {
    if (child.isPlaced) return;
    Object.assign(child, { isPlaced: true, state: 'WORKING' });
  }

  /** What the venue did with an order that takes what it can; its answer may have been lost before. */
  private answerAtOnce(child: Row): void {
    this.fill(child, 100);
    if (isOpenChild(child)) this.close(child, 'CANCELED', null);
  }

  private fill(child: Row, percent: number): void {
    const left = decimal(child.quantity).minus(decimal(child.filledQuantity));
    const part = minOf(left.times(percent).dividedBy(100).toDecimalPlaces(2, Decimal.ROUND_UP), left);
    child.filledQuantity = decimalText(decimal(child.filledQuantity).plus(part));
    child.avgPrice = child.limitPrice;
    if (child.filledQuantity === decimalText(child.quantity)) this.close(child, 'FILLED', null);
    else child.state = 'PARTIALLY_FILLED';
  }

  private close(child: Row, state: Row['state'], reasonCode: string | null): void {
    if (state === 'REJECTED' && decimal(child.filledQuantity).greaterThan(ZERO)) return;
    Object.assign(child, { state, reasonCode, closedAtMs: this.nowMs });
  }

  private withChild(of: number, change: (child: Row) => unknown): void {
    const open = this.children.filter((child) => isOpenChild(child) && child.isPlaced);
    const child = open[of % Math.max(open.length, 1)];
    if (child !== undefined) change(child);
  }

  private at(): string {
    return new Date(this.nowMs).toISOString();
  }
}
