/**
 * Chase: one resting order that follows the best price on its own side, canceled and placed anew when that has moved away. The next
 * is placed only once the last one's end is evidence: never two live ones. After its time it takes what is left from the market, or
 * stops.
 */
import { decimal, type Decimal } from '../decimal';
import { MAX_DURATION_MS, type ParametersOf } from './form';
import { defineStrategy, limitOnGrid, noWorseThan, openChildren, oppositePrice, ownPrice, placeable, slipped, tooSmall, WAITING, type ChildPlan, type Decision, type StrategyView } from './definition';

/** At its end it takes from the market so often, and then gives up. */
const MARKET_TRIES = 5;
const MIN_REPRICE_MS = 500;
/** How far beyond the best price the orders at its end may fill, basis points. */
const END_SLIPPAGE_BPS = 500;

const form = {
  distance: { kind: 'decimal', title: 'Distance', description: 'How far behind the best price on its own side the order rests, in price; 0 joins it.', zero: true, fallback: '0' },
  repriceMs: { kind: 'integer', title: 'Reprice interval', description: 'The order is moved at most so often, ms.', min: MIN_REPRICE_MS, max: 3_600_000, fallback: 2_000 },
  limitPrice: { kind: 'decimal', title: 'Limit', description: 'It never rests above this (sells never below).', fallback: null },
  timeoutMs: { kind: 'integer', title: 'Timeout', description: 'How long it chases, ms.', min: MIN_REPRICE_MS, max: MAX_DURATION_MS },
  onTimeout: { kind: 'choice', title: 'After that', description: 'market: what is left is taken from the market, inside the limit; stop: it is let go.', options: ['market', 'stop'], fallback: 'market' },
} as const;

type ChaseParameters = ParametersOf<typeof form>;

const REST = 'chase';
const TAKE = 'market';

function decide(view: StrategyView<ChaseParameters>): Decision {
  const { parameters, children, remaining, elapsedMs } = view;
  const open = openChildren(children);
  if (decimal(remaining).isZero() && open.length === 0) return { ...WAITING, end: { state: 'COMPLETED', reason: null } };
  if (elapsedMs >= parameters.timeoutMs) return atTimeout(view);
  const target = targetOf(view);
  const wakeAtMs = Math.min(elapsedMs + parameters.repriceMs, parameters.timeoutMs);
  // Without a fresh price the order stays where it is.
  if (target === null) return { ...WAITING, wakeAtMs };
  const [resting] = open;
  if (resting !== undefined) {
    const moved = resting.limitPrice === null || !decimal(resting.limitPrice).equals(decimal(target));
    const cancel = moved && !resting.pendingCancel ? [resting.orderId] : [];
    return { ...WAITING, cancel, wakeAtMs };
  }
  const quantity = placeable(view.rules, decimal(remaining), remaining, target);
  if (quantity === null) return { ...WAITING, end: { state: 'COMPLETED', reason: tooSmall(remaining) } };
  return { ...WAITING, place: [{ leg: REST, quantity, limitPrice: target, timeInForce: 'GTC', postOnly: true }], wakeAtMs };
}

/** Where it is to rest now; null without a fresh price. */
function targetOf({ prices, side, parameters, rules }: Pick<StrategyView<ChaseParameters>, 'prices' | 'side' | 'parameters' | 'rules'>): string | null {
  const best = ownPrice(prices, side);
  if (best === null) return null;
  const distance = decimal(parameters.distance);
  const behind: Decimal = side === 'buy' ? decimal(best).minus(distance) : decimal(best).plus(distance);
  return limitOnGrid(rules, side, noWorseThan(side, behind, parameters.limitPrice));
}

function atTimeout(view: StrategyView<ChaseParameters>): Decision {
  const { parameters, children, remaining, elapsedMs, run } = view;
  const open = openChildren(children);
  const wakeAtMs = elapsedMs + parameters.repriceMs;
  const resting = open.filter((child) => child.leg === REST && !child.pendingCancel);
  if (open.length > 0) return { ...WAITING, cancel: resting.map((child) => child.orderId), wakeAtMs };
  if (parameters.onTimeout === 'stop') return { ...WAITING, end: { state: 'EXPIRED', reason: `${remaining} was not filled in its time` } };
  if (children.filter((child) => child.leg === TAKE && child.run === run).length >= MARKET_TRIES) {
    return { ...WAITING, end: { state: 'EXPIRED', reason: `${remaining} was not filled in its time, nor from the market in ${MARKET_TRIES} tries` } };
  }
  const price = oppositePrice(view.prices, view.side);
  const limitPrice = price === null ? null : slipped(view.rules, view.side, price, END_SLIPPAGE_BPS, parameters.limitPrice);
  if (limitPrice === null) return { ...WAITING, wakeAtMs };
  const quantity = placeable(view.rules, decimal(remaining), remaining, limitPrice);
  if (quantity === null) return { ...WAITING, end: { state: 'COMPLETED', reason: tooSmall(remaining) } };
  const child: ChildPlan = { leg: TAKE, quantity, limitPrice, timeInForce: 'IOC', postOnly: false };
  return { ...WAITING, place: [child], wakeAtMs };
}

export const chase = defineStrategy({
  type: 'chase',
  title: 'Chase',
  description: 'One resting order that follows the best price, then the market or nothing.',
  form,
  needsPrices: true,
  followsPrice: true,
  durationMs: (parameters) => parameters.timeoutMs,
  issues: ({ quantity, rules, prices, side }) => (placeable(rules, decimal(quantity), quantity, ownPrice(prices, side)) === null ? [{ field: 'quantity', message: 'is below the market\'s minimum' }] : []),
  preview: (input) => [{ leg: REST, atMs: 0, quantity: input.quantity, limitPrice: targetOf(input), postOnly: true }],
  decide,
});
