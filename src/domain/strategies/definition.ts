/**
 * The template: a strategy is one file that gives a form, its rules over several fields, a preview and a decision. The decision is a
 * function of durable facts alone (its terms, its children's rows, the time, fresh prices), so it holds no memory that a crash could
 * lose, and any worker goes on with it. The driver (workflows/strategy.ts) bounds what it places by what is left of the quantity.
 *
 * To add one: write `<name>.ts` beside this, name it in registry.ts and give it a workflow type in workflows/index.ts.
 */
import { Decimal, decimal, decimalText, maxOf, minOf, sum, ZERO } from '../decimal';
import { roundLimit, roundQuantityDown, type QuantityRules } from '../quantise';
import type { OrderSide } from '../order';
import { isOpenChild, type BestPrices, type Decision, type PreviewLeg, type StrategyChild, type StrategyIssue, type StrategyPreview, type StrategyView } from '../strategy';
import type { Form, Parameters, ParametersOf } from './form';

/** What a preview reads. */
export interface PreviewInput<P> {
  readonly id: string;
  readonly side: OrderSide;
  readonly quantity: string;
  readonly parameters: P;
  readonly rules: QuantityRules;
  readonly prices: BestPrices | null;
}

export interface StrategyDefinition<F extends Form> {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly form: F;
  /** Rules over several fields, and between the quantity and the market. */
  readonly issues: (input: PreviewInput<ParametersOf<F>>) => readonly StrategyIssue[];
  readonly preview: (input: PreviewInput<ParametersOf<F>>) => readonly PreviewLeg[];
  readonly decide: (view: StrategyView<ParametersOf<F>>) => Decision;
  /** Longest it can run by its parameters, ms; null: until it is filled or canceled. */
  readonly durationMs: (parameters: ParametersOf<F>) => number | null;
  /** Whether it places nothing without fresh prices. */
  readonly needsPrices: boolean;
  /** Its post-only order is placed anew at another price where one would have taken liquidity: such a refusal is no failure. */
  readonly followsPrice: boolean;
}

/** A definition whose parameters' type was checked where it was written. */
export interface AnyStrategyDefinition extends Omit<StrategyDefinition<Form>, 'issues' | 'preview' | 'decide' | 'durationMs'> {
  readonly issues: (input: PreviewInput<Parameters>) => readonly StrategyIssue[];
  readonly preview: (input: PreviewInput<Parameters>) => StrategyPreview;
  readonly decide: (view: StrategyView<Parameters>) => Decision;
  readonly durationMs: (parameters: Parameters) => number | null;
}

export function defineStrategy<F extends Form>(definition: StrategyDefinition<F>): AnyStrategyDefinition {
  // Parameters are made by the form (form.ts: withFallbacks after the boundary's schema), so they are of its type.
  const typed = <Input extends { readonly parameters: Parameters }>(input: Input): Omit<Input, 'parameters'> & { readonly parameters: ParametersOf<F> } => input as unknown as Omit<Input, 'parameters'> & { readonly parameters: ParametersOf<F> };
  return {
    ...definition,
    issues: (input) => definition.issues(typed(input)),
    decide: (view) => definition.decide(typed(view)),
    durationMs: (parameters) => definition.durationMs(typed({ parameters }).parameters),
    preview: (input) => {
      const legs = definition.preview(typed(input));
      const longest = definition.durationMs(typed(input).parameters);
      return { children: legs.length, durationMs: longest ?? Math.max(0, ...legs.map((leg) => leg.atMs)), legs };
    },
  };
}

export function openChildren(children: readonly StrategyChild[]): readonly StrategyChild[] {
  return children.filter(isOpenChild);
}

/** The best price on the other side: what an order of `side` would meet. */
export function oppositePrice(prices: BestPrices | null, side: OrderSide): string | null {
  return (side === 'buy' ? prices?.ask : prices?.bid) ?? null;
}

export function ownPrice(prices: BestPrices | null, side: OrderSide): string | null {
  return (side === 'buy' ? prices?.bid : prices?.ask) ?? null;
}

/** Whether `price` is beyond `limit` for its holder: a buy above it, a sell below it. */
export function isWorse(side: OrderSide, price: string, limit: string): boolean {
  return side === 'buy' ? decimal(price).greaterThan(decimal(limit)) : decimal(price).lessThan(decimal(limit));
}

/** `price`, or `limit` where that is the better one for the holder to stop at. */
export function noWorseThan(side: OrderSide, price: Decimal, limit: string | null): Decimal {
  if (limit === null) return price;
  return side === 'buy' ? minOf(price, decimal(limit)) : maxOf(price, decimal(limit));
}

const BPS = 10_000;
/** A quotient may have no end: this is far finer than any lot or tick. */
const PLACES = 40;

/** The worst price that slippage of `bps` from `price` allows, on the grid; null where there is none. */
export function slipped(rules: QuantityRules, side: OrderSide, price: string, bps: number, limit: string | null): string | null {
  const moved = decimal(price).times(side === 'buy' ? BPS + bps : BPS - bps).dividedBy(BPS);
  return limitOnGrid(rules, side, noWorseThan(side, moved, limit));
}

export function limitOnGrid(rules: QuantityRules, side: OrderSide, price: Decimal): string | null {
  return price.greaterThan(ZERO) ? roundLimit(rules, side, decimalText(price.toDecimalPlaces(PLACES))) : null;
}

/** Smallest order that is worth placing; null when even `remaining` is below it. */
export function placeable(rules: QuantityRules, wanted: Decimal, remaining: string, price: string | null): string | null {
  const bounded = minOf(maxOf(wanted, ZERO), decimal(remaining));
  return bounded.isZero() ? null : roundQuantityDown(rules, decimalText(bounded.toDecimalPlaces(PLACES, Decimal.ROUND_DOWN)), price);
}

/**
 * Parts of `total` in these proportions, each on the lot grid and less than a lot from its share: what rounding takes from one goes to
 * the next. The sum is `total` exactly; what of it is off the grid goes to the last.
 */
export function split(total: string, weights: readonly Decimal[], lot: string): readonly Decimal[] {
  const whole = sum(weights);
  let passed = ZERO;
  let given = ZERO;
  return weights.map((weight, index) => {
    passed = passed.plus(weight);
    const until = index === weights.length - 1 ? decimal(total) : decimal(total).times(passed).dividedBy(whole).dividedToIntegerBy(decimal(lot)).times(decimal(lot));
    const part = until.minus(given);
    given = until;
    return part;
  });
}

/** As executions split that began before 2026-11-28: the last part took all that rounding left, of 500 parts up to half of the total. */
export function splitAsBefore(total: string, weights: readonly Decimal[], lot: string): readonly Decimal[] {
  const whole = sum(weights);
  let given = ZERO;
  return weights.map((weight, index) => {
    if (index === weights.length - 1) return decimal(total).minus(given);
    const part = decimal(total).times(weight).dividedBy(whole).dividedToIntegerBy(decimal(lot)).times(decimal(lot));
    given = given.plus(part);
    return part;
  });
}

/** What is left is less than the market takes: nobody can place it. */
export function tooSmall(remaining: string): string {
  return `the remaining ${remaining} is below the market's minimum`;
}

export { WAIT as WAITING } from '../strategy';
export type { ChildPlan, Decision, PreviewLeg, StrategyIssue, StrategyView } from '../strategy';
