/**
 * S10: every market of the recorded venue universes, with random prices and sizes. What the quantiser passes, the venue's
 * documented rules accept; what it offers instead, too; a stop is never rounded to the wrong side.
 *
 * Hyperliquid: the perpetuals and spot markets of its recorded `meta` and `spotMeta` (test/vectors/hyperliquid.json), and the
 * rules of its page "Tick and lot size": at most five significant figures and 6 (spot 8) minus szDecimals decimals, integers
 * always; sizes to szDecimals; at least $10. Extended and edgeX: their recorded markets' minPriceChange, minOrderSizeChange
 * and minOrderSize; tickSize and stepSize.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Decimal, decimal, decimalText } from '../../../src/domain/decimal';
import { quantise, roundStop, type QuantityRules } from '../../../src/domain/quantise';
import recorded from '../../vectors/hyperliquid.json';

const RUNS = 1_000;

interface VenueMarket {
  readonly name: string;
  readonly rules: QuantityRules;
  /** The documented rules, judged by the text of a number. */
  readonly accepts: (quantity: string, price: string) => boolean;
}

const places = (text: string): number => text.split('.')[1]?.length ?? 0;

function hyperliquid(name: string, szDecimals: number, maxDecimals: number): VenueMarket {
  const decimals = maxDecimals - szDecimals;
  const lot = decimalText(new Decimal(10).pow(-szDecimals));
  const validPrice = (price: string): boolean => {
    const digits = price.replace('.', '').replace(/^0+/, '');
    return places(price) === 0 || (digits.length <= 5 && places(price) <= decimals);
  };
  return {
    name,
    rules: { tickRule: { kind: 'significant', figures: 5, maxDecimals: decimals, integersAlwaysValid: true }, lot, minQuantity: lot, minNotional: '10' },
    accepts: (quantity, price) => validPrice(price) && places(quantity) <= szDecimals && Number(quantity) > 0 && decimal(quantity).times(price).greaterThanOrEqualTo(10),
  };
}

function stepped(name: string, tick: string, lot: string, minQuantity: string): VenueMarket {
  const isMultiple = (value: string, unit: string): boolean => {
    const scaled = (text: string): bigint => BigInt((text.split('.')[0] ?? '0') + (text.split('.')[1] ?? '').padEnd(24, '0'));
    return scaled(value) % scaled(unit) === 0n;
  };
  return {
    name,
    rules: { tickRule: { kind: 'step', step: tick }, lot, minQuantity, minNotional: '0' },
    accepts: (quantity, price) => isMultiple(price, tick) && isMultiple(quantity, lot) && decimal(quantity).greaterThanOrEqualTo(minQuantity) && Number(price) > 0,
  };
}

const { meta, xyz_meta: xyz, flx_meta: flx, spotMeta } = recorded;
const sizeOfToken = new Map(spotMeta.tokens.map((token) => [token.index, token.szDecimals]));
const MARKETS: readonly VenueMarket[] = [
  ...[meta, xyz, flx].flatMap(({ universe }) => universe.map((market) => hyperliquid(`Hyperliquid ${market.name}`, market.szDecimals, 6))),
  ...spotMeta.universe.map((market) => hyperliquid(`Hyperliquid ${market.name}`, sizeOfToken.get(market.tokens[0] ?? -1) ?? 0, 8)),
  stepped('Extended BTC-USD', '0.1', '0.00001', '0.0001'),
  stepped('edgeX BTCUSD', '0.1', '0.001', '0.001'),
];

/** Six orders of magnitude to either side of one, with as many digits as a program may compute. */
const magnitude = fc.tuple(fc.integer({ min: 1, max: 99_999_999 }), fc.integer({ min: 0, max: 12 })).map(([digits, decimals]) => decimalText(new Decimal(digits).times(new Decimal(10).pow(-decimals))));

/** Beside those, values near the market's own grid: on it, and a hair off. */
function around(unit: string): fc.Arbitrary<string> {
  return fc.oneof(magnitude, fc.tuple(fc.integer({ min: 1, max: 2_000_000 }), fc.constantFrom('0', '0', '0.0000000001')).map(([count, off]) => decimalText(decimal(unit).times(count).plus(off))));
}

const ordersOf = ({ rules }: VenueMarket) => fc.record({ quantity: around(rules.lot), price: around(rules.tickRule.kind === 'step' ? rules.tickRule.step : '0.01'), side: fc.constantFrom('buy' as const, 'sell' as const) });

const passesOnlyWhatIsAccepted = (market: VenueMarket, judge: typeof quantise) =>
  fc.property(ordersOf(market), ({ quantity, price }) => {
    const verdict = judge(market.rules, { quantity, limitPrice: price, referencePrice: null });
    return (verdict.kind === 'ok') === market.accepts(quantity, price) && (verdict.kind !== 'ok' || market.accepts(verdict.quantity, verdict.limitPrice ?? ''));
  });

const stopsLieInside = (market: VenueMarket, round: typeof roundStop) =>
  fc.property(ordersOf(market), ({ price, side }) => {
    const rounded = round(market.rules, side, price);
    if (rounded === null) return side === 'buy';
    const inside = side === 'sell' ? decimal(rounded).greaterThanOrEqualTo(price) : decimal(rounded).lessThanOrEqualTo(price);
    // Large enough for any minimum: only the price is judged here.
    return inside && market.accepts(decimalText(decimal(market.rules.lot).times('1e15')), rounded);
  });

describe.each(MARKETS.map((market) => [market.name, market] as const))('S10: %s', (_name, market) => {
  test('accepts exactly what the quantiser passes', () => {
    fc.assert(passesOnlyWhatIsAccepted(market, quantise), { numRuns: RUNS });
  });

  test('accepts every value that is offered in place of a wrong one', () => {
    fc.assert(
      fc.property(ordersOf(market), ({ quantity, price }) => {
        const verdict = quantise(market.rules, { quantity, limitPrice: price, referencePrice: null });
        if (verdict.kind === 'ok') return true;
        const prices = verdict.violations.find(({ field }) => field === 'limitPrice')?.nearest ?? [price];
        const quantities = verdict.violations.find(({ field }) => field === 'quantity')?.nearest ?? [quantity];
        return quantities.every((each) => market.accepts(each, prices[0] ?? ''));
      }),
      { numRuns: RUNS },
    );
  });

  test('takes every rounded stop, and none lies on the wrong side', () => {
    fc.assert(stopsLieInside(market, roundStop), { numRuns: RUNS });
  });

  test('and a planted bug is found: another market\'s grid, a stop rounded the other way', () => {
    const finer: typeof quantise = (rules, request) => quantise({ ...rules, tickRule: { kind: 'step', step: '0.00000001' } }, request);
    const otherWay: typeof roundStop = (rules, side, trigger) => roundStop(rules, side === 'buy' ? 'sell' : 'buy', trigger);
    expect(fc.check(passesOnlyWhatIsAccepted(market, finer), { numRuns: RUNS, seed: 1 }).failed).toBe(true);
    expect(fc.check(stopsLieInside(market, otherWay), { numRuns: RUNS, seed: 1 }).failed).toBe(true);
  });
});
