/**
 * Whether an order's price and quantity are ones its market accepts, and if not, which are nearest. Nothing is ever rounded
 * behind a caller's back: a wrong value is told with the valid values beside it. Only a stop's trigger, which a program
 * computed, is rounded, and only to the side that protects its holder.
 */
import { Decimal, decimal, decimalText, isPlainDecimal } from './decimal';
import { isValidPrice, multipleAtOrAbove, multipleAtOrBelow, multipleWorth, priceAtOrAbove, priceAtOrBelow, worthAtLeast } from './grid';
import type { Market } from './market';
import type { OrderSide } from './order';

/** What of a market the quantiser reads. */
export type QuantityRules = Pick<Market, 'tickRule' | 'lot' | 'minQuantity' | 'minNotional'>;

export interface QuantiseRequest {
  readonly quantity: string;
  /** Null for a market order. */
  readonly limitPrice: string | null;
  /** What a market order's notional is judged at; null judges its quantity alone. */
  readonly referencePrice: string | null;
}

export type QuantiseCode = 'NOT_POSITIVE' | 'OFF_TICK' | 'OFF_LOT' | 'BELOW_MIN_QUANTITY' | 'BELOW_MIN_NOTIONAL';

export interface QuantiseViolation {
  readonly field: 'limitPrice' | 'quantity';
  readonly code: QuantiseCode;
  readonly value: string;
  /** Valid values around the given one, lower first; each passes when it replaces the given one. Never empty. */
  readonly nearest: readonly string[];
}

export type QuantiseVerdict =
  /** The same values in canonical text. */
  | { readonly kind: 'ok'; readonly quantity: string; readonly limitPrice: string | null }
  | { readonly kind: 'violations'; readonly violations: readonly QuantiseViolation[] };

/** Judges an order by its market's rules. Throws RangeError on what is no plain decimal: that is the boundary's to refuse. */
export function quantise(rules: QuantityRules, request: QuantiseRequest): QuantiseVerdict {
  const priceViolation = request.limitPrice === null ? null : judgePrice(rules, request.limitPrice);
  // With a wrong price the notional is judged at the lower valid one, so that both answers hold together.
  const judgedAt = priceViolation ? (priceViolation.nearest[0] ?? null) : (request.limitPrice ?? request.referencePrice);
  const quantityViolation = judgeQuantity(rules, request.quantity, judgedAt);
  const violations = [priceViolation, quantityViolation].filter((violation) => violation !== null);
  if (violations.length > 0) return { kind: 'violations', violations };
  return { kind: 'ok', quantity: decimalText(request.quantity), limitPrice: request.limitPrice === null ? null : decimalText(request.limitPrice) };
}

/**
 * A stop's trigger on the market's grid. A sell stop fires when the price falls to it: rounded up it fires no later than
 * asked. A buy stop fires when the price rises to it: rounded down. Null where no valid price lies on that side.
 */
export function roundStop(rules: Pick<Market, 'tickRule'>, side: OrderSide, trigger: string): string | null {
  const price = positive(trigger);
  if (price === null) return null;
  if (side === 'sell') return decimalText(priceAtOrAbove(rules.tickRule, price));
  const below = priceAtOrBelow(rules.tickRule, price);
  return below.isZero() ? null : decimalText(below);
}

/** A computed limit on the grid, never worse for its holder than asked: buys down, sells up. Null where there is none. */
export function roundLimit(rules: Pick<Market, 'tickRule'>, side: OrderSide, limitPrice: string): string | null {
  // The same sides as a stop, for another reason: a buyer never pays more, a seller never gets less.
  return roundStop(rules, side, limitPrice);
}

/** The largest valid quantity not above `quantity`, or null when even that is below the market's minimum. */
export function roundQuantityDown(rules: QuantityRules, quantity: string, price: string | null): string | null {
  const wanted = positive(quantity);
  if (wanted === null) return null;
  const below = multipleAtOrBelow(wanted, rules.lot);
  return below.lessThan(leastQuantity(rules, price)) ? null : decimalText(below);
}

function judgePrice(rules: QuantityRules, text: string): QuantiseViolation | null {
  const price = positive(text);
  if (price === null) return { field: 'limitPrice', code: 'NOT_POSITIVE', value: text, nearest: [decimalText(smallestPrice(rules))] };
  if (isValidPrice(rules.tickRule, price)) return null;
  const below = priceAtOrBelow(rules.tickRule, price);
  const nearest = [below, priceAtOrAbove(rules.tickRule, price)].filter((candidate) => candidate.greaterThan(0));
  return { field: 'limitPrice', code: 'OFF_TICK', value: text, nearest: nearest.map((candidate) => decimalText(candidate)) };
}

function judgeQuantity(rules: QuantityRules, text: string, price: string | null): QuantiseViolation | null {
  const quantity = positive(text);
  const code = quantityCode(rules, quantity, price);
  if (code === null) return null;
  const least = leastQuantity(rules, price);
  const around = quantity === null ? [] : [multipleAtOrBelow(quantity, rules.lot), multipleAtOrAbove(quantity, rules.lot)];
  const valid = around.filter((candidate) => candidate.greaterThanOrEqualTo(least));
  return { field: 'quantity', code, value: text, nearest: (valid.length > 0 ? valid : [least]).map((candidate) => decimalText(candidate)) };
}

function quantityCode(rules: QuantityRules, quantity: Decimal | null, price: string | null): QuantiseCode | null {
  if (quantity === null) return 'NOT_POSITIVE';
  if (!multipleAtOrBelow(quantity, rules.lot).equals(quantity)) return 'OFF_LOT';
  if (quantity.lessThan(decimal(rules.minQuantity))) return 'BELOW_MIN_QUANTITY';
  if (price !== null && !worthAtLeast(quantity, price, rules.minNotional)) return 'BELOW_MIN_NOTIONAL';
  return null;
}

/** The smallest quantity the market takes at `price`: one lot at least. */
function leastQuantity(rules: QuantityRules, price: string | null): Decimal {
  const candidates = [decimal(rules.lot), multipleAtOrAbove(rules.minQuantity, rules.lot)];
  if (price !== null) candidates.push(multipleWorth(rules.minNotional, price, rules.lot));
  return candidates.reduce((least, candidate) => (candidate.greaterThan(least) ? candidate : least));
}

function smallestPrice(rules: QuantityRules): Decimal {
  const rule = rules.tickRule;
  return rule.kind === 'step' ? decimal(rule.step) : new Decimal(`1e${-rule.maxDecimals}`);
}

function positive(text: string): Decimal | null {
  if (!isPlainDecimal(text)) throw new RangeError(`not a plain decimal: ${JSON.stringify(text.slice(0, 60))}`);
  const value = decimal(text);
  return value.greaterThan(0) ? value : null;
}
