import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Decimal, decimal, decimalText } from '../../../src/domain/decimal';
import type { TickRule } from '../../../src/domain/market';
import type { OrderSide } from '../../../src/domain/order';
import { quantise, roundQuantityDown, roundStop, type QuantiseRequest, type QuantiseVerdict, type QuantityRules } from '../../../src/domain/quantise';

/** 2,000 orders a property: markets of steps and of significant figures, values on the grid, beside it and below minimums. */
const RUNS = 2_000;

interface Quantiser {
  readonly quantise: (rules: QuantityRules, request: QuantiseRequest) => QuantiseVerdict;
  readonly roundStop: (rules: QuantityRules, side: OrderSide, trigger: string) => string | null;
  readonly roundQuantityDown: (rules: QuantityRules, quantity: string, price: string | null) => string | null;
}

const real: Quantiser = { quantise, roundStop, roundQuantityDown };

/** `digits` with `decimals` places, as text. */
const scaledText = (digits: fc.Arbitrary<number>, decimals: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  fc.tuple(digits, decimals).map(([count, places]) => decimalText(new Decimal(`${count}e-${places}`)));

const step = scaledText(fc.constantFrom(1, 2, 5, 10, 25, 100), fc.integer({ min: 0, max: 8 }));
const tickRule: fc.Arbitrary<TickRule> = fc.oneof(
  step.map((value): TickRule => ({ kind: 'step', step: value })),
  fc.record({ kind: fc.constant('significant' as const), figures: fc.integer({ min: 3, max: 6 }), maxDecimals: fc.integer({ min: 0, max: 8 }), integersAlwaysValid: fc.boolean() }),
);
const rules: fc.Arbitrary<QuantityRules> = fc.record({
  tickRule,
  lot: step,
  minQuantity: fc.oneof(fc.constant('0'), step),
  minNotional: fc.constantFrom('0', '5', '10', '0.001', '100'),
});
const positiveText = scaledText(fc.integer({ min: 1, max: 999_999_999 }), fc.integer({ min: 0, max: 10 }));

/** Values around the market's own grid, so that right ones and nearly right ones come often. */
const order = rules.chain((market) => {
  const near = (unit: string): fc.Arbitrary<string> =>
    fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom('0', '0', unit, '0.000000001')).map(([count, off]) => decimalText(decimal(unit).times(count).plus(decimal(off))));
  const price = market.tickRule.kind === 'step' ? near(market.tickRule.step) : positiveText;
  return fc.record({
    market: fc.constant(market),
    quantity: fc.oneof(near(market.lot), positiveText),
    limitPrice: fc.oneof(price, positiveText),
    side: fc.constantFrom<OrderSide>('buy', 'sell'),
  });
});

/** The venue's documented rules, read from the text of a number and not by the quantiser's arithmetic. */
function venueAcceptsPrice(rule: TickRule, price: string): boolean {
  if (!(Number(price) > 0)) return false;
  if (rule.kind === 'step') return isMultiple(price, rule.step);
  const [whole = '', fraction = ''] = price.split('.');
  if (rule.integersAlwaysValid && fraction === '') return true;
  const significant = (whole + fraction).replace(/^0+/, '');
  const figures = fraction === '' ? significant.replace(/0+$/, '').length : significant.length;
  return figures <= rule.figures && fraction.length <= rule.maxDecimals;
}

function isMultiple(value: string, unit: string): boolean {
  const digits = (text: string): bigint => {
    const [whole = '0', fraction = ''] = text.split('.');
    return BigInt(whole + fraction.padEnd(20, '0'));
  };
  return digits(value) % digits(unit) === 0n;
}

function venueAccepts(market: QuantityRules, quantity: string, price: string): boolean {
  return (
    venueAcceptsPrice(market.tickRule, price) &&
    Number(quantity) > 0 &&
    isMultiple(quantity, market.lot) &&
    decimal(quantity).greaterThanOrEqualTo(market.minQuantity) &&
    decimal(quantity).times(price).greaterThanOrEqualTo(market.minNotional)
  );
}

/** Looks at the even divisions of an interval: where it spans several ticks, one of them is a tick. */
function anyValidBetween(rule: TickRule, from: Decimal, to: Decimal): boolean {
  return [2, 3, 4, 5, 6, 7].some((parts) => {
    const point = from.plus(to.minus(from).dividedBy(parts)).toDecimalPlaces(18);
    return venueAcceptsPrice(rule, decimalText(point));
  });
}

const properties = {
  'what passes is exactly what the venue accepts': (quantiser: Quantiser) =>
    fc.property(order, ({ market, quantity, limitPrice }) => {
      const verdict = quantiser.quantise(market, { quantity, limitPrice, referencePrice: null });
      return (verdict.kind === 'ok') === venueAccepts(market, quantity, limitPrice);
    }),
  'an order corrected with any of the nearest values passes': (quantiser: Quantiser) =>
    fc.property(order, ({ market, quantity, limitPrice }) => {
      const verdict = quantiser.quantise(market, { quantity, limitPrice, referencePrice: null });
      if (verdict.kind === 'ok') return true;
      const prices = verdict.violations.find(({ field }) => field === 'limitPrice')?.nearest ?? [limitPrice];
      if (prices.length === 0 || !prices.every((price) => venueAcceptsPrice(market.tickRule, price))) return false;
      const quantities = verdict.violations.find(({ field }) => field === 'quantity')?.nearest ?? [quantity];
      return quantities.length > 0 && quantities.every((candidate) => venueAccepts(market, candidate, prices[0] ?? ''));
    }),
  'the nearest prices lie on either side, with no valid price between': (quantiser: Quantiser) =>
    fc.property(order, ({ market, limitPrice }) => {
      const verdict = quantiser.quantise({ ...market, minNotional: '0' }, { quantity: market.lot, limitPrice, referencePrice: null });
      const violation = verdict.kind === 'ok' ? undefined : verdict.violations.find(({ field }) => field === 'limitPrice');
      if (!violation) return true;
      const asked = decimal(limitPrice);
      const [low, high] = violation.nearest.length === 2 ? violation.nearest : ['0', violation.nearest[0]];
      const [below, above] = [decimal(low ?? ''), decimal(high ?? '')];
      return below.lessThan(asked) && above.greaterThan(asked) && !anyValidBetween(market.tickRule, below, above);
    }),
  'a stop is never rounded to the wrong side, nor further than one tick': (quantiser: Quantiser) =>
    fc.property(order, ({ market, limitPrice: trigger, side }) => {
      const rounded = quantiser.roundStop(market, side, trigger);
      if (venueAcceptsPrice(market.tickRule, trigger)) return rounded === trigger;
      if (rounded === null) return side === 'buy';
      const inside = side === 'sell' ? decimal(rounded).greaterThan(trigger) : decimal(rounded).lessThan(trigger);
      return inside && venueAcceptsPrice(market.tickRule, rounded) && !anyValidBetween(market.tickRule, decimal(rounded), decimal(trigger));
    }),
  'a quantity rounded down is valid, never larger, and within one lot': (quantiser: Quantiser) =>
    fc.property(order, ({ market, quantity }) => {
      const rounded = quantiser.roundQuantityDown(market, quantity, '1');
      const lost = decimal(quantity).minus(rounded ?? '0');
      if (rounded === null) return !venueAccepts({ ...market, tickRule: { kind: 'step', step: '1' } }, decimalText(decimal(quantity).minus(decimal(quantity).mod(market.lot))), '1');
      return isMultiple(rounded, market.lot) && decimal(rounded).greaterThanOrEqualTo(market.minQuantity) && lost.greaterThanOrEqualTo(0) && lost.lessThan(market.lot);
    }),
};

type PropertyName = keyof typeof properties;

const withRules = (change: (market: QuantityRules) => QuantityRules): Quantiser => ({
  quantise: (market, request) => quantise(change(market), request),
  roundStop: (market, side, trigger) => roundStop(change(market), side, trigger),
  roundQuantityDown: (market, quantity, price) => roundQuantityDown(change(market), quantity, price),
});

const floatRemainder: Quantiser['quantise'] = (market, request) => {
  const offLot = Number(request.quantity) % Number(market.lot) !== 0;
  if (offLot) return { kind: 'violations', violations: [{ field: 'quantity', code: 'OFF_LOT', value: request.quantity, nearest: [market.lot] }] };
  return quantise(market, request);
};

const planted: readonly { readonly bug: string; readonly broken: Quantiser; readonly foundBy: PropertyName }[] = [
  { bug: 'remainders are taken in floating point', broken: { ...real, quantise: floatRemainder }, foundBy: 'what passes is exactly what the venue accepts' },
  { bug: 'the minimum notional is forgotten', broken: withRules((market) => ({ ...market, minNotional: '0' })), foundBy: 'what passes is exactly what the venue accepts' },
  { bug: 'the minimum quantity is forgotten', broken: withRules((market) => ({ ...market, minQuantity: '0' })), foundBy: 'what passes is exactly what the venue accepts' },
  {
    bug: 'significant figures are taken for decimals',
    broken: withRules((market) => (market.tickRule.kind === 'step' ? market : { ...market, tickRule: { kind: 'step', step: decimalText(new Decimal(`1e-${market.tickRule.maxDecimals}`)) } })),
    foundBy: 'what passes is exactly what the venue accepts',
  },
  {
    bug: 'large integers are held to the significant figures',
    broken: withRules((market) => (market.tickRule.kind === 'step' ? market : { ...market, tickRule: { ...market.tickRule, integersAlwaysValid: false } })),
    foundBy: 'what passes is exactly what the venue accepts',
  },
  {
    bug: 'the nearest quantity ignores the minimum notional',
    broken: {
      ...real,
      quantise: (market, request) => {
        const verdict = quantise(market, request);
        return verdict.kind === 'ok' ? verdict : { kind: 'violations', violations: verdict.violations.map((violation) => (violation.field === 'quantity' ? { ...violation, nearest: [market.lot] } : violation)) };
      },
    },
    foundBy: 'an order corrected with any of the nearest values passes',
  },
  {
    bug: 'the nearest prices are three ticks apart',
    broken: {
      ...real,
      quantise: (market, request) => quantise({ ...market, tickRule: market.tickRule.kind === 'step' ? { kind: 'step', step: decimalText(decimal(market.tickRule.step).times(3)) } : market.tickRule }, request),
    },
    foundBy: 'the nearest prices lie on either side, with no valid price between',
  },
  { bug: 'a stop is rounded to the other side', broken: { ...real, roundStop: (market, side, trigger) => roundStop(market, side === 'buy' ? 'sell' : 'buy', trigger) }, foundBy: 'a stop is never rounded to the wrong side, nor further than one tick' },
  { bug: 'every stop is rounded down', broken: { ...real, roundStop: (market, _side, trigger) => roundStop(market, 'buy', trigger) }, foundBy: 'a stop is never rounded to the wrong side, nor further than one tick' },
  {
    bug: 'a stop already on the grid is moved a tick',
    broken: { ...real, roundStop: (market, side, trigger) => roundStop(market, side, decimalText(decimal(trigger).plus(side === 'sell' ? '0.0000000000001' : '-0.0000000000001'))) },
    foundBy: 'a stop is never rounded to the wrong side, nor further than one tick',
  },
  {
    bug: 'a quantity is rounded to the nearest lot',
    broken: { ...real, roundQuantityDown: (market, quantity, price) => roundQuantityDown(market, decimalText(decimal(quantity).plus(decimal(market.lot).dividedBy(2))), price) },
    foundBy: 'a quantity rounded down is valid, never larger, and within one lot',
  },
];

describe('the quantiser', () => {
  test.each(Object.keys(properties) as PropertyName[])('%s', (name) => {
    fc.assert(properties[name](real), { numRuns: RUNS });
  });
});

describe('each property finds a planted bug', () => {
  test.each(planted)('$bug', ({ broken, foundBy }) => {
    expect(fc.check(properties[foundBy](broken), { numRuns: RUNS, seed: 1 }).failed).toBe(true);
  });
  test('and no property is without one', () => {
    expect(new Set(planted.map(({ foundBy }) => foundBy))).toEqual(new Set(Object.keys(properties)));
  });
});
