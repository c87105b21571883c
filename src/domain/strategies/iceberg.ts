/** Iceberg: a resting order of which only a part is shown; the next part is placed once the one before is gone. */
import { decimal, decimalText, minOf, ZERO, type Decimal } from '../decimal';
import type { ParametersOf } from './form';
import { defineStrategy, openChildren, placeable, tooSmall, WAITING, type Decision, type PreviewLeg, type StrategyView } from './definition';
import { aroundOne } from './seeded-random';

/** A display quantity that needs more orders than this is too small for its quantity. */
const MAX_PARTS = 1_000;

const form = {
  limitPrice: { kind: 'decimal', title: 'Limit', description: 'Where it rests.' },
  displayQuantity: { kind: 'decimal', title: 'Shown quantity', description: 'How much of it the book shows at a time.' },
  randomSizePercent: { kind: 'integer', title: 'Random size', description: 'Each part is up to this much larger or smaller, percent.', min: 0, max: 90, fallback: 0 },
  postOnly: { kind: 'choice', title: 'Post only', description: 'Whether a part that would take liquidity is refused.', options: ['yes', 'no'], fallback: 'no' },
} as const;

type IcebergParameters = ParametersOf<typeof form>;

function partOf(id: string, index: number, { displayQuantity, randomSizePercent }: IcebergParameters): Decimal {
  return decimal(displayQuantity).times(aroundOne(id, 'part', index, randomSizePercent));
}

function decide(view: StrategyView<IcebergParameters>): Decision {
  const { id, children, remaining, parameters, rules } = view;
  const open = openChildren(children);
  if (open.length > 0) {
    const old = open.filter((child) => !child.pendingCancel && (child.limitPrice === null || !decimal(child.limitPrice).equals(decimal(parameters.limitPrice))));
    return { ...WAITING, cancel: old.map((child) => child.orderId) };
  }
  if (decimal(remaining).isZero()) return { ...WAITING, end: { state: 'COMPLETED', reason: null } };
  const left = decimal(remaining);
  const part = minOf(partOf(id, children.length, parameters), left);
  // A rest that the market would refuse is shown with this part.
  const rest = left.minus(part);
  const wanted = rest.greaterThan(ZERO) && placeable(rules, rest, remaining, parameters.limitPrice) === null ? left : part;
  const quantity = placeable(rules, wanted, remaining, parameters.limitPrice) ?? placeable(rules, left, remaining, parameters.limitPrice);
  if (quantity === null) return { ...WAITING, end: { state: 'COMPLETED', reason: tooSmall(remaining) } };
  return { ...WAITING, place: [{ leg: `part-${children.length}`, quantity, limitPrice: parameters.limitPrice, timeInForce: 'GTC', postOnly: parameters.postOnly === 'yes' }] };
}

export const iceberg = defineStrategy({
  type: 'iceberg',
  title: 'Iceberg',
  description: 'A resting order of which only a part is shown.',
  form,
  needsPrices: false,
  followsPrice: false,
  durationMs: () => null,
  issues: ({ parameters, quantity, rules }) => {
    const smallest = decimal(parameters.displayQuantity).times(100 - parameters.randomSizePercent).dividedBy(100);
    if (placeable(rules, smallest, quantity, parameters.limitPrice) === null) return [{ field: 'displayQuantity', message: 'is below the market\'s minimum' }];
    if (decimal(quantity).dividedBy(smallest).greaterThan(MAX_PARTS)) return [{ field: 'displayQuantity', message: `makes more than ${MAX_PARTS} orders` }];
    return [];
  },
  preview: ({ id, quantity, parameters }) => {
    const legs: PreviewLeg[] = [];
    for (let left = decimal(quantity); left.greaterThan(ZERO) && legs.length < MAX_PARTS; ) {
      const part = minOf(partOf(id, legs.length, parameters), left);
      legs.push({ leg: `part-${legs.length}`, atMs: 0, quantity: decimalText(part.toDecimalPlaces(40)), limitPrice: parameters.limitPrice, postOnly: parameters.postOnly === 'yes' });
      left = left.minus(part);
    }
    return legs;
  },
  decide,
});
