/**
 * Exact snapping of decimals to the values a venue accepts. Everything is integer arithmetic: a division carried to some
 * number of digits may call a wrong value right.
 */
import { Decimal, decimal, type DecimalInput } from './decimal';
import type { TickRule } from './market';

/** `digits` times ten to the power of minus `decimals`. */
interface Scaled {
  readonly digits: bigint;
  readonly decimals: number;
}

function scaled(value: DecimalInput, decimals?: number): Scaled {
  const parsed = decimal(value);
  const places = Math.max(decimals ?? 0, parsed.decimalPlaces());
  return { digits: BigInt(parsed.toFixed(places).replace('.', '')), decimals: places };
}

function unscaled(digits: bigint, decimals: number): Decimal {
  return new Decimal(`${digits}e-${decimals}`);
}

/** The largest multiple of `step` not above `value`; both 0 or more. */
export function multipleAtOrBelow(value: DecimalInput, step: DecimalInput): Decimal {
  const decimals = Math.max(scaled(value).decimals, scaled(step).decimals);
  const unit = scaled(step, decimals).digits;
  return unscaled((scaled(value, decimals).digits / unit) * unit, decimals);
}

/** The smallest multiple of `step` not below `value`; both 0 or more. */
export function multipleAtOrAbove(value: DecimalInput, step: DecimalInput): Decimal {
  const below = multipleAtOrBelow(value, step);
  return below.equals(decimal(value)) ? below : exactSum(below, decimal(step));
}

/** The fewest multiples of `step`, in all, whose product with `price` is at least `total`. `price` and `step` above 0. */
export function multipleWorth(total: DecimalInput, price: DecimalInput, step: DecimalInput): Decimal {
  const [wanted, each, unit] = [scaled(total), scaled(price), scaled(step)];
  const perStep = each.digits * unit.digits;
  const shift = each.decimals + unit.decimals - wanted.decimals;
  const numerator = wanted.digits * 10n ** BigInt(Math.max(shift, 0));
  const denominator = perStep * 10n ** BigInt(Math.max(-shift, 0));
  const count = (numerator + denominator - 1n) / denominator;
  return unscaled(count * unit.digits, unit.decimals);
}

/** Whether `quantity * price` is at least `total`, exactly. */
export function worthAtLeast(quantity: DecimalInput, price: DecimalInput, total: DecimalInput): boolean {
  const [amount, each, wanted] = [scaled(quantity), scaled(price), scaled(total)];
  const decimals = Math.max(amount.decimals + each.decimals, wanted.decimals);
  const product = amount.digits * each.digits * 10n ** BigInt(decimals - amount.decimals - each.decimals);
  return product >= scaled(total, decimals).digits;
}

/** The highest valid price not above `price`; 0 when there is none above 0. `price` above 0. */
export function priceAtOrBelow(rule: TickRule, price: DecimalInput): Decimal {
  return multipleAtOrBelow(price, stepAt(rule, decimal(price)));
}

/** The lowest valid price not below `price`. `price` above 0. */
export function priceAtOrAbove(rule: TickRule, price: DecimalInput): Decimal {
  return multipleAtOrAbove(price, stepAt(rule, decimal(price)));
}

export function isValidPrice(rule: TickRule, price: DecimalInput): boolean {
  return priceAtOrBelow(rule, price).equals(decimal(price));
}

/**
 * The spacing of valid prices around `price`. With significant figures it is ten to the power of the price's magnitude less
 * the figures, never finer than `maxDecimals`, and never coarser than 1 where integers are always valid.
 */
function stepAt(rule: TickRule, price: Decimal): Decimal {
  if (rule.kind === 'step') return decimal(rule.step);
  const byFigures = rule.figures - 1 - price.e;
  const decimals = Math.min(rule.maxDecimals, rule.integersAlwaysValid ? Math.max(byFigures, 0) : byFigures);
  return new Decimal(`1e${-decimals}`);
}

function exactSum(a: Decimal, b: Decimal): Decimal {
  const decimals = Math.max(scaled(a).decimals, scaled(b).decimals);
  return unscaled(scaled(a, decimals).digits + scaled(b, decimals).digits, decimals);
}
