/**
 * Scale: a ladder of resting orders between two prices. The skews make the far levels denser and larger (above 1) or thinner (below
 * 1). Every level is placed once in a run, for what is left of it.
 */
import { Decimal, decimal, decimalText, maxOf, minOf, ZERO } from '../decimal';
import type { StrategyChild } from '../strategy';
import type { ParametersOf } from './form';
import { defineStrategy, limitOnGrid, openChildren, placeable, split, splitAsBefore, tooSmall, WAITING, type ChildPlan, type Decision, type PreviewLeg, type StrategyView } from './definition';

/** A ladder of more orders than one batch carries would hold others' orders up. */
const MAX_LEVELS = 50;
const MAX_SKEW = '10';

const form = {
  priceFrom: { kind: 'decimal', title: 'First price', description: 'Where the ladder begins.' },
  priceTo: { kind: 'decimal', title: 'Last price', description: 'Where it ends.' },
  levels: { kind: 'integer', title: 'Levels', description: 'How many orders.', min: 2, max: MAX_LEVELS },
  priceSkew: { kind: 'decimal', title: 'Price skew', description: 'Ratio of each gap to the one before: 1 spaces evenly, above 1 the gaps grow towards the last price.', max: MAX_SKEW, fallback: '1' },
  sizeSkew: { kind: 'decimal', title: 'Size skew', description: 'Ratio of each level\'s quantity to the one before: above 1 the quantities grow towards the last price.', max: MAX_SKEW, fallback: '1' },
  postOnly: { kind: 'choice', title: 'Post only', description: 'Whether a level that would take liquidity is refused.', options: ['yes', 'no'], fallback: 'no' },
} as const;

type ScaleParameters = ParametersOf<typeof form>;
type Laddered = Pick<StrategyView<ScaleParameters>, 'side' | 'quantity' | 'parameters' | 'rules' | 'partsAsBefore'>;

interface Level {
  readonly leg: string;
  readonly price: string | null;
  readonly quantity: Decimal;
}

function powers(ratio: string, count: number): readonly Decimal[] {
  return Array.from({ length: count }, (_, index) => decimal(ratio).pow(index));
}

function ladder({ side, quantity, parameters, rules, partsAsBefore }: Laddered): readonly Level[] {
  const { levels, priceFrom, priceTo, priceSkew, sizeSkew } = parameters;
  const gaps = powers(priceSkew, levels - 1);
  const whole = gaps.reduce<Decimal>((total, gap) => total.plus(gap), ZERO);
  const width = decimal(priceTo).minus(decimal(priceFrom));
  const quantities = (partsAsBefore === true ? splitAsBefore : split)(quantity, powers(sizeSkew, levels), rules.lot);
  let passed = ZERO;
  return quantities.map((part, index) => {
    const price = decimal(priceFrom).plus(width.times(passed).dividedBy(whole));
    passed = passed.plus(gaps[index] ?? ZERO);
    return { leg: `level-${index}`, price: limitOnGrid(rules, side, new Decimal(price.toSignificantDigits(30))), quantity: part };
  });
}

function standsFor(child: StrategyChild, level: Level): boolean {
  return child.leg === level.leg && level.price !== null && child.limitPrice !== null && decimal(child.limitPrice).equals(decimal(level.price)) && decimal(child.quantity).lessThanOrEqualTo(level.quantity);
}

function decide(view: StrategyView<ScaleParameters>): Decision {
  const { children, run, remaining, parameters, rules } = view;
  const open = openChildren(children);
  const levels = ladder(view);
  // An order of an earlier run stays where it stands for a level as it is now; the others go before anything new is placed.
  const old = open.filter((child) => child.run !== run && !levels.some((level) => standsFor(child, level)));
  if (old.length > 0) return { ...WAITING, cancel: old.filter((child) => !child.pendingCancel).map((child) => child.orderId) };
  const placed = new Set([...children.filter((child) => child.run === run), ...open].map((child) => child.leg));
  let left = decimal(remaining);
  const place: ChildPlan[] = [];
  for (const level of levels) {
    if (placed.has(level.leg) || level.price === null) continue;
    const filled = children.filter((child) => child.leg === level.leg).reduce<Decimal>((total, child) => total.plus(decimal(child.filledQuantity)), ZERO);
    const quantity = placeable(rules, minOf(level.quantity.minus(filled), left), decimalText(left), level.price);
    if (quantity === null) continue;
    left = maxOf(left.minus(decimal(quantity)), ZERO);
    place.push({ leg: level.leg, quantity, limitPrice: level.price, timeInForce: 'GTC', postOnly: parameters.postOnly === 'yes' });
  }
  if (place.length > 0) return { ...WAITING, place };
  if (open.length > 0) return WAITING;
  if (decimal(remaining).isZero()) return { ...WAITING, end: { state: 'COMPLETED', reason: null } };
  const dust = placeable(rules, decimal(remaining), remaining, parameters.priceFrom) === null;
  return { ...WAITING, end: { state: 'COMPLETED', reason: dust ? tooSmall(remaining) : `${remaining} was not filled: its levels were canceled, refused, or below the market's minimum` } };
}

export const scale = defineStrategy({
  type: 'scale',
  title: 'Scale',
  description: 'A ladder of resting orders between two prices.',
  form,
  needsPrices: false,
  followsPrice: false,
  durationMs: () => null,
  issues: (input) => {
    const { parameters, rules, quantity } = input;
    const levels = ladder(input);
    if (new Set(levels.map((level) => level.price)).size < levels.length || levels.some((level) => level.price === null)) return [{ field: 'levels', message: 'are closer together than the market\'s price steps; take fewer, or prices further apart' }];
    const small = levels.find((level) => placeable(rules, level.quantity, quantity, level.price) === null);
    return small === undefined ? [] : [{ field: 'levels', message: `${small.leg} of ${decimalText(small.quantity)} is below the market's minimum at ${String(small.price)}; take fewer levels or less skew (sizeSkew ${parameters.sizeSkew})` }];
  },
  preview: (input) => ladder(input).map((level): PreviewLeg => ({ leg: level.leg, atMs: 0, quantity: decimalText(level.quantity), limitPrice: level.price, postOnly: input.parameters.postOnly === 'yes' })),
  decide,
});
