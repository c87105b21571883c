/**
 * TWAP: the quantity in slices over a time. A slice is an order that takes what it can at once (IOC), bounded by the limit and by the
 * slippage from the best price, so at most one moment of it is in the book. Sizes and times may be randomised, seeded by the id.
 *
 * What a slice did not fill, or that was missed while the venue was away, is caught up by the rule: `next` puts it into the next
 * slice, `spread` over all that are left, `none` lets it go.
 */
import { decimal, decimalText, sum, ZERO, type Decimal } from '../decimal';
import { MAX_DURATION_MS, type ParametersOf } from './form';
import { defineStrategy, isWorse, openChildren, oppositePrice, placeable, slipped, split, splitAsBefore, tooSmall, type ChildPlan, type Decision, type StrategyView } from './definition';
import { aroundOne, fractionOf, weightsAroundOne } from './seeded-random';

/** More slices than this are another strategy: each is an order with its own rows. */
const MAX_SLICES = 500;
/** After the last slice, what is left is tried so many slices more, and then given up. */
const EXTRA_SLICES = 20;
/** Slices nearer than this could not know what the one before filled. */
const MIN_INTERVAL_MS = 1_000;

const form = {
  durationMs: { kind: 'integer', title: 'Duration', description: 'From the first slice\'s interval to the end of the last, ms.', min: MIN_INTERVAL_MS, max: MAX_DURATION_MS },
  slices: { kind: 'integer', title: 'Slices', description: 'How many orders, at least one second apart.', min: 1, max: MAX_SLICES },
  randomSizePercent: { kind: 'integer', title: 'Random size', description: 'Each slice is up to this much larger or smaller, percent.', min: 0, max: 90, fallback: 0 },
  randomTimePercent: { kind: 'integer', title: 'Random time', description: 'Each slice is up to this part of its interval late, percent.', min: 0, max: 90, fallback: 0 },
  limitPrice: { kind: 'decimal', title: 'Limit', description: 'No slice pays more (sells for less). A slice that would is skipped.', fallback: null },
  slippageBps: { kind: 'integer', title: 'Slippage limit', description: 'How far beyond the best price a slice may fill, basis points.', min: 0, max: 5_000, fallback: 100 },
  catchUp: { kind: 'choice', title: 'Catch up', description: 'What becomes of what a slice did not fill: next, spread or none.', options: ['next', 'spread', 'none'], fallback: 'spread' },
} as const;

type TwapParameters = ParametersOf<typeof form>;

interface Slice {
  readonly atMs: number;
  readonly quantity: Decimal;
}

type Planned = Pick<StrategyView<TwapParameters>, 'id' | 'quantity' | 'parameters' | 'rules' | 'partsAsBefore'>;

function slicesOf({ id, quantity, parameters, rules, partsAsBefore }: Planned): readonly Slice[] {
  const { slices, randomSizePercent, randomTimePercent } = parameters;
  const parts =
    partsAsBefore === true
      ? splitAsBefore(quantity, Array.from({ length: slices }, (_, index) => aroundOne(id, 'size', index, randomSizePercent)), rules.lot)
      : split(quantity, weightsAroundOne(id, 'size', slices, randomSizePercent), rules.lot);
  return parts.map((part, index) => ({ quantity: part, atMs: Math.floor(index * intervalOf(parameters) + fractionOf(id, 'time', index).times(randomTimePercent).dividedBy(100).times(intervalOf(parameters)).toNumber()) }));
}

function intervalOf({ durationMs, slices }: TwapParameters): number {
  return durationMs / slices;
}

/** `slice-<index>`: counted on beyond the plan for what is caught up after its end. */
function indexOf(leg: string): number {
  return Number(leg.slice('slice-'.length));
}

function decide(view: StrategyView<TwapParameters>): Decision {
  const { parameters, elapsedMs, remaining, rules, children } = view;
  const plan = slicesOf(view);
  const open = openChildren(children).length > 0;
  const left = decimal(remaining);
  if (left.isZero()) return open ? wait(null) : { ...wait(null), end: { state: 'COMPLETED', reason: null } };
  // What is caught up after the plan is counted from where this run found itself, however late the venue came back.
  const planEndMs = Math.max(parameters.durationMs, view.runFromMs);
  const timeOf = (index: number): number => plan[index]?.atMs ?? Math.floor(planEndMs + (index - plan.length) * intervalOf(parameters));
  const mine = children.filter((child) => child.run === view.run).map((child) => indexOf(child.leg));
  // Slices whose time was before this run began are not this run's: what they left is caught up.
  let next = Math.max(-1, ...mine) + 1;
  while (mine.length === 0 && next < plan.length && timeOf(next) < view.runFromMs) next += 1;
  const last = parameters.catchUp === 'none' ? plan.length - 1 : plan.length - 1 + EXTRA_SLICES;
  const price = oppositePrice(view.prices, view.side);
  const limitPrice = price === null ? null : slipped(rules, view.side, price, parameters.slippageBps, parameters.limitPrice);
  // What a slice may fill at, and the market judges its value by; null without a price.
  const worst = limitPrice ?? price;
  if (next > last) return ended(view, open, worst);
  if (timeOf(next) > elapsedMs) return wait(timeOf(next));
  // Of several that are due, the latest counts; the earlier ones were missed.
  let due = next;
  while (due < last && timeOf(due + 1) <= elapsedMs) due += 1;
  const after = due < last ? timeOf(due + 1) : null;
  // Without a fresh price there is nothing to bound the slice by; the driver wakes us when there is one.
  if (price === null) return wait(Math.max(after ?? 0, elapsedMs + MIN_INTERVAL_MS));
  const skipped = (): Decision => (due >= last ? ended(view, open, worst) : wait(after));
  if (parameters.limitPrice !== null && isWorse(view.side, price, parameters.limitPrice)) return skipped();
  const whole = placeable(rules, left, remaining, worst);
  // A part that is too small waits for the next one; the last ones take all there is.
  const quantity = placeable(rules, wantedOf(view, plan, due), remaining, worst) ?? (due >= plan.length - 1 && parameters.catchUp !== 'none' ? whole : null);
  if (whole === null) return ended(view, open, worst);
  if (quantity === null || limitPrice === null) return skipped();
  const child: ChildPlan = { leg: `slice-${due}`, quantity, limitPrice, timeInForce: 'IOC', postOnly: false };
  return { place: [child], cancel: [], wakeAtMs: after, end: null };
}

/** How much slice `index` is to be, by the rule. */
function wantedOf({ parameters, quantity, remaining }: StrategyView<TwapParameters>, plan: readonly Slice[], index: number): Decimal {
  const left = decimal(remaining);
  if (index >= plan.length) return parameters.catchUp === 'next' ? left : decimal(quantity).dividedBy(parameters.slices).toDecimalPlaces(40);
  const own = plan[index]?.quantity ?? ZERO;
  switch (parameters.catchUp) {
    case 'none':
      return own;
    case 'next':
      // Up to what the plan wants by now: what is claimed already is not placed again.
      return sum(plan.slice(0, index + 1).map((slice) => slice.quantity)).minus(decimal(quantity).minus(left));
    case 'spread':
      return index === plan.length - 1 ? left : left.times(own).dividedBy(sum(plan.slice(index).map((slice) => slice.quantity)));
  }
}

function ended(view: StrategyView<TwapParameters>, open: boolean, worst: string | null): Decision {
  if (open) return wait(null);
  const { remaining, rules, parameters } = view;
  if (placeable(rules, decimal(remaining), remaining, worst) === null) return { ...wait(null), end: { state: 'COMPLETED', reason: tooSmall(remaining) } };
  if (parameters.catchUp === 'none') return { ...wait(null), end: { state: 'COMPLETED', reason: `${remaining} was not filled, and the rule is to let it go` } };
  return { ...wait(null), end: { state: 'EXPIRED', reason: `${remaining} was not filled in its time and ${EXTRA_SLICES} slices more` } };
}

function wait(wakeAtMs: number | null): Decision {
  return { place: [], cancel: [], wakeAtMs, end: null };
}

export const twap = defineStrategy({
  type: 'twap',
  title: 'TWAP',
  description: 'The quantity in equal slices over a time; sizes and times may be randomised.',
  form,
  needsPrices: true,
  followsPrice: false,
  durationMs: (parameters) => parameters.durationMs,
  issues: ({ parameters, quantity, rules, prices, side }) => {
    if (intervalOf(parameters) < MIN_INTERVAL_MS) return [{ field: 'slices', message: `gives less than ${MIN_INTERVAL_MS} ms a slice; take fewer slices or a longer duration` }];
    const smallest = decimal(quantity).dividedBy(parameters.slices).times(100 - parameters.randomSizePercent).dividedBy(100);
    if (placeable(rules, smallest, quantity, oppositePrice(prices, side)) === null) return [{ field: 'slices', message: `a slice of ${decimalText(smallest.toDecimalPlaces(12))} is below the market's minimum; take fewer slices` }];
    return [];
  },
  preview: ({ prices, side, ...input }) =>
    slicesOf(input).map((slice, index) => {
      const price = oppositePrice(prices, side);
      return { leg: `slice-${index}`, atMs: slice.atMs, quantity: decimalText(slice.quantity), limitPrice: price === null ? input.parameters.limitPrice : slipped(input.rules, side, price, input.parameters.slippageBps, input.parameters.limitPrice), postOnly: false };
    }),
  decide,
});
