import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText } from '../../../src/domain/decimal';
import { exposureOf, isNothing, minus, NO_EXPOSURE, plus, valuationAfter, type ExposedOrder, type Exposure } from '../../../src/domain/exposure';
import { ORDER_STATES } from '../../../src/domain/order';

const open: ExposedOrder = { state: 'WORKING', side: 'buy', reduceOnly: false, filledQuantity: '0', leavesQuantity: '10', fillsQuantity: '0', fillsMissing: '0', valuationPrice: '2', amendQuantity: null, amendValuation: null };

describe('what an order can still do', () => {
  test('is its leaves at its price', () => {
    expect(exposureOf({ ...open, filledQuantity: '4', fillsQuantity: '4', leavesQuantity: '6' })).toEqual({ ...NO_EXPOSURE, openOrders: 1, openBuyQuantity: decimal('6'), openBuyNotional: decimal('12') });
  });

  test('is all of it while its outcome is unknown', () => {
    expect(exposureOf({ ...open, state: 'UNKNOWN' })).toEqual(exposureOf(open));
  });

  test('is also what filled while its fills are not booked, ended or not', () => {
    expect(exposureOf({ ...open, filledQuantity: '4', fillsQuantity: '1', leavesQuantity: '6' })).toEqual({ ...NO_EXPOSURE, openOrders: 1, openBuyQuantity: decimal('9'), openBuyNotional: decimal('18') });
    expect(exposureOf({ ...open, state: 'FILLED', filledQuantity: '10', leavesQuantity: '0' })).toEqual({ ...NO_EXPOSURE, openBuyQuantity: decimal('10'), openBuyNotional: decimal('20') });
    expect(isNothing(exposureOf({ ...open, state: 'CANCELED', filledQuantity: '4', fillsQuantity: '4', leavesQuantity: '0' }))).toBe(true);
  });

  test('is not what filled long ago and the venue tells no fills of', () => {
    expect(isNothing(exposureOf({ ...open, state: 'FILLED', filledQuantity: '10', fillsQuantity: '3', fillsMissing: '7', leavesQuantity: '0' }))).toBe(true);
    expect(isNothing(exposureOf({ ...open, state: 'FILLED', filledQuantity: '10', fillsQuantity: '9', fillsMissing: '7', leavesQuantity: '0' }))).toBe(true);
  });

  test('is nothing once it ended', () => {
    for (const state of ['DENIED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED'] as const) expect(isNothing(exposureOf({ ...open, state }))).toBe(true);
  });

  test('is the worse of old and new terms while an amendment is under way', () => {
    expect(exposureOf({ ...open, amendQuantity: '15', amendValuation: '1' })).toMatchObject({ openBuyQuantity: decimal('15'), openBuyNotional: decimal('30') });
    expect(exposureOf({ ...open, amendQuantity: '5', amendValuation: '3' })).toMatchObject({ openBuyQuantity: decimal('10'), openBuyNotional: decimal('30') });
  });

  test('of a reduce-only order is counted apart and opens nothing', () => {
    expect(exposureOf({ ...open, side: 'sell', reduceOnly: true })).toEqual({ ...NO_EXPOSURE, openOrders: 1, reduceOnlySellQuantity: decimal('10') });
  });

  test('values a sell never below the mark', () => {
    const after = (side: 'buy' | 'sell', limitPrice: string | null, triggerPrice: string | null = null) => valuationAfter({ side, limitPrice, triggerPrice }, '2', '9');
    expect([after('sell', '1'), after('sell', '3'), after('buy', '1'), after('buy', null)]).toEqual(['2', '3', '1', '9']);
    // What waits for a price fills there at the earliest.
    expect([after('buy', null, '12'), after('buy', null, '5'), after('sell', '3', '7'), after('buy', '13', '12')]).toEqual(['12', '9', '7', '13']);
  });
});

const order = fc.record({
  state: fc.constantFrom(...ORDER_STATES),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  reduceOnly: fc.boolean(),
  filledQuantity: fc.nat(100).map(String),
  leavesQuantity: fc.nat(100).map(String),
  fillsQuantity: fc.nat(100).map(String),
  fillsMissing: fc.nat(20).map(String),
  valuationPrice: fc.nat(1_000_000).map((cents) => decimalText(decimal(String(cents)).dividedBy(1000))),
  amendQuantity: fc.option(fc.nat(200).map(String)),
  amendValuation: fc.option(fc.nat(100).map(String)),
});

type Difference = typeof minus;

/** Deltas of every change, added up, are the contributions of the orders as they are: the stored sums never drift. */
function neverDrifts(difference: Difference): void {
  fc.assert(
    fc.property(fc.array(fc.array(order, { minLength: 1, maxLength: 6 }), { maxLength: 10 }), (lives) => {
      const stored = lives.reduce<Exposure>((total, life) => life.reduce((sums, now, index) => plus(sums, difference(exposureOf(now), index === 0 ? NO_EXPOSURE : exposureOf(life[index - 1] ?? now))), total), NO_EXPOSURE);
      const counted = lives.reduce<Exposure>((total, life) => plus(total, exposureOf(life.at(-1) ?? open)), NO_EXPOSURE);
      expect(isNothing(minus(stored, counted))).toBe(true);
    }),
    { numRuns: 1_000 },
  );
}

describe('over any lives of orders', () => {
  test('the sums of deltas are the sums over the orders', () => neverDrifts(minus));

  test('a delta that forgets reduce-only orders is found out', () => {
    expect(() => neverDrifts((a, b) => ({ ...minus(a, b), reduceOnlySellQuantity: decimal('0') }))).toThrow(/seed/);
  });
});

test('an order that waits in a workflow costs nothing: its children count, whatever it says of them', () => {
  for (const execution of ['durable', 'both'] as const) {
    for (const state of ['ARMED', 'TRIGGERED', 'PARTIALLY_FILLED', 'FILLED'] as const) {
      expect(isNothing(exposureOf({ state, side: 'sell', reduceOnly: true, filledQuantity: '3', leavesQuantity: '7', fillsQuantity: '0', fillsMissing: '0', valuationPrice: '10', amendQuantity: null, amendValuation: null, execution }))).toBe(true);
    }
  }
});
