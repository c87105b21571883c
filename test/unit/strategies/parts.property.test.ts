/** The parts that a TWAP and a ladder are made of, as the preview shows them and the strategy places them. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText, sum, ZERO, type Decimal } from '../../../src/domain/decimal';
import { withFallbacks } from '../../../src/domain/strategies/form';
import { strategyNamed } from '../../../src/domain/strategies/registry';
import { RULES } from './strategy-model';

const RUNS = 1_000;
const seed = Number(process.env['SUREFILL_TEST_SEED'] ?? Date.now() % 2 ** 31);
const PRICES = { bid: '99.5', ask: '100.5', mark: '100' } as const;
const LOT = decimal(RULES.lot);
const TICK = decimal(RULES.tickRule.step);

interface Part {
  readonly quantity: Decimal;
  readonly price: Decimal | null;
}

function partsOf(type: 'twap' | 'scale', id: string, side: 'buy' | 'sell', lots: number, asked: Record<string, string | number>, partsAsBefore: boolean): readonly Part[] {
  const { form, preview } = strategyNamed(type);
  const input = { id, side, quantity: decimalText(LOT.times(lots)), parameters: withFallbacks(form, asked), rules: RULES, prices: PRICES, partsAsBefore };
  return preview(input).legs.map(({ quantity, limitPrice }) => ({ quantity: decimal(quantity), price: limitPrice === null ? null : decimal(limitPrice) }));
}

/** Throws where the parts are not the whole, or one is a lot or more from its share. */
function assertShares(parts: readonly Part[], lots: number, sharesFrom: (index: number) => readonly [least: Decimal, most: Decimal]): void {
  if (!sum(parts.map(({ quantity }) => quantity)).equals(LOT.times(lots))) throw new Error('the parts are not the whole');
  parts.forEach(({ quantity }, index) => {
    const [least, most] = sharesFrom(index);
    if (!quantity.dividedBy(LOT).isInteger()) throw new Error(`part ${index} of ${quantity.toFixed()} is off the lot grid`);
    if (quantity.lessThanOrEqualTo(least.minus(LOT)) || quantity.greaterThanOrEqualTo(most.plus(LOT))) throw new Error(`part ${index} of ${quantity.toFixed()} is not within ${least.toFixed(6)} to ${most.toFixed(6)}`);
  });
}

const side = fc.constantFrom('buy' as const, 'sell' as const);
const lots = fc.integer({ min: 1, max: 100_000 });

const twaps = (partsAsBefore: boolean) =>
  fc.property(fc.uuid(), side, lots, fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 90 }), (id, way, count, slices, randomSizePercent) => {
    const equal = LOT.times(count).dividedBy(slices);
    const spread = equal.times(randomSizePercent).dividedBy(100);
    assertShares(partsOf('twap', id, way, count, { durationMs: slices * 1_000, slices, randomSizePercent }, partsAsBefore), count, () => [equal.minus(spread), equal.plus(spread)]);
  });

const skew = fc.integer({ min: 20, max: 300 }).map((hundredths) => (hundredths / 100).toFixed(2));
const ladders = (partsAsBefore: boolean) =>
  fc.property(side, lots, fc.integer({ min: 2, max: 50 }), skew, skew, fc.boolean(), (way, count, levels, sizeSkew, priceSkew, falling) => {
    const [priceFrom, priceTo] = falling ? ['950', '100'] : ['100', '950'];
    const parts = partsOf('scale', 'i', way, count, { priceFrom, priceTo, levels, sizeSkew, priceSkew }, partsAsBefore);
    const weights = Array.from({ length: levels }, (_, index) => decimal(sizeSkew).pow(index));
    const share = (index: number): Decimal => LOT.times(count).times(weights[index] ?? ZERO).dividedBy(sum(weights));
    assertShares(parts, count, (index) => [share(index), share(index)]);
    const prices = parts.map(({ price }) => price ?? decimal('NaN'));
    const gaps = prices.slice(1).map((price, index) => price.minus(prices[index] ?? ZERO).abs());
    const sloped = prices.slice(1).every((price, index) => (falling ? price.lessThanOrEqualTo(prices[index] ?? ZERO) : price.greaterThanOrEqualTo(prices[index] ?? ZERO)));
    if (!sloped) throw new Error('the ladder turns back');
    if (!decimal(priceFrom).equals(prices[0] ?? ZERO) || !decimal(priceTo).equals(prices.at(-1) ?? ZERO)) throw new Error('the ladder does not go from its first price to its last');
    // Each price is less than a tick from its place, so a gap is less than two from its own.
    const shares = gaps.map((_, index) => decimal(priceSkew).pow(index));
    gaps.forEach((gap, index) => {
      const own = decimal('850').times(shares[index] ?? ZERO).dividedBy(sum(shares));
      if (gap.minus(own).abs().greaterThan(TICK.times(2))) throw new Error(`gap ${index} of ${gap.toFixed()} is not ${own.toFixed(4)}`);
    });
  });

const found = (property: fc.IProperty<unknown>): unknown => {
  const details = fc.check(property, { numRuns: RUNS, seed });
  return details.errorInstance instanceof Error ? details.errorInstance.message : details.failed;
};

describe(`parts (seed ${seed})`, () => {
  it('of a TWAP are all of its quantity, each no further from an equal part than asked', () => {
    fc.assert(twaps(false), { numRuns: RUNS, seed });
  });

  it('of a ladder are all of its quantity, each in its ratio to the one before, at prices whose gaps are in theirs', () => {
    fc.assert(ladders(false), { numRuns: RUNS, seed });
  });

  it('are found out where the last one takes all that rounding left, or sizes are drawn one by one', () => {
    expect(found(twaps(true) as fc.IProperty<unknown>)).toMatch(/^part \d+ of/);
    expect(found(ladders(true) as fc.IProperty<unknown>)).toMatch(/^part \d+ of/);
  });
});
