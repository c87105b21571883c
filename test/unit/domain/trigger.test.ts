import { describe, expect, test } from '@jest/globals';
import { carriedExtreme, directionOf, disproof, evaluate, triggerOf, triggerProblem, type TriggerEvidence, type TriggerParameters } from '../../../src/domain/trigger';

const stop: TriggerParameters = { kind: 'level', priceType: 'mark', direction: 'atOrBelow', triggerPrice: '100', trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: 'traded' };
const trail: TriggerParameters = { ...stop, kind: 'trailing', triggerPrice: null, trailingOffset: '10', trailingOffsetType: 'price' };
const buyTrail: TriggerParameters = { ...trail, direction: 'atOrAbove' };

/** Prices in their order; where it fired, and from what level. */
function run(parameters: TriggerParameters, prices: readonly string[]): { readonly at: number; readonly level: string; readonly extreme: string | null } | null {
  let extreme: string | null = null;
  for (const [at, price] of prices.entries()) {
    const next = evaluate(parameters, extreme, price);
    if (next.reached !== null) return { at, ...next.reached };
    extreme = next.extreme;
  }
  return null;
}

describe('which way a trigger looks', () => {
  test.each([
    ['stopMarket', 'sell', 'atOrBelow'], ['stopLimit', 'buy', 'atOrAbove'], ['takeProfitMarket', 'sell', 'atOrAbove'],
    ['takeProfitLimit', 'buy', 'atOrBelow'], ['trailingStopMarket', 'sell', 'atOrBelow'], ['trailingStopLimit', 'buy', 'atOrAbove'],
  ] as const)('a %s to %s fires %s its level', (type, side, direction) => {
    expect(directionOf(type, side)).toBe(direction);
  });

  test('an order that waits for a price has one, any other has none', () => {
    const none = { triggerPrice: null, triggerPriceType: null, trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: null };
    expect(triggerOf({ type: 'limit', side: 'sell', condition: none })).toBeNull();
    expect(triggerOf({ type: 'stopMarket', side: 'sell', condition: { ...none, triggerPrice: '100', triggerPriceType: 'mark' } })).toEqual(stop);
    expect(triggerOf({ type: 'trailingStopMarket', side: 'sell', condition: { ...none, trailingOffset: '10', trailingOffsetType: 'price', triggerPriceType: 'mark' } })).toEqual(trail);
  });
});

describe('a level', () => {
  test('fires when the price is at it or beyond it, and not a hair before', () => {
    expect(run(stop, ['101', '100.000000000000000001'])).toBeNull();
    expect(run(stop, ['101', '100'])).toEqual({ at: 1, level: '100', extreme: null });
    expect(run({ ...stop, direction: 'atOrAbove' }, ['99', '99.999999999999999999', '100.1'])).toEqual({ at: 2, level: '100', extreme: null });
  });
});

describe('a trailing trigger', () => {
  test('follows the best price and fires when it comes back by the offset', () => {
    expect(run(trail, ['100', '120', '111', '110.0001', '110'])).toEqual({ at: 4, level: '110', extreme: '120' });
    expect(run(buyTrail, ['100', '80', '89', '90'])).toEqual({ at: 3, level: '90', extreme: '80' });
  });

  test('counts basis points and percent of the best price, exactly', () => {
    expect(run({ ...trail, trailingOffset: '1', trailingOffsetType: 'bps' }, ['0.3', '0.29997'])).toEqual({ at: 1, level: '0.29997', extreme: '0.3' });
    expect(run({ ...trail, trailingOffset: '0.1', trailingOffsetType: 'percent' }, ['3', '2.9970000000000001', '2.997'])).toEqual({ at: 2, level: '2.997', extreme: '3' });
  });

  test('with an activation price follows nothing before it, and begins with the price that reached it', () => {
    expect(run({ ...trail, activationPrice: '150' }, ['140', '100', '149.9', '151', '141'])).toEqual({ at: 4, level: '141', extreme: '151' });
    expect(run({ ...buyTrail, activationPrice: '50' }, ['60', '90', '49', '59'])).toEqual({ at: 3, level: '59', extreme: '49' });
  });

  test('keeps its extreme when it is amended, unless that means something else now', () => {
    expect(carriedExtreme(trail, { ...trail, trailingOffset: '5' }, '120')).toBe('120');
    expect(carriedExtreme(trail, { ...trail, activationPrice: '110' }, '120')).toBe('120');
    expect(carriedExtreme(trail, { ...trail, activationPrice: '130' }, '120')).toBeNull();
    expect(carriedExtreme(trail, { ...trail, priceType: 'last' }, '120')).toBeNull();
    expect(carriedExtreme(trail, buyTrail, '120')).toBeNull();
    expect(carriedExtreme(stop, trail, null)).toBeNull();
    expect(carriedExtreme(stop, trail, '120')).toBeNull();
  });
});

test.each([
  [{ ...stop, triggerPrice: null }, /triggerPrice/], [{ ...stop, triggerPrice: '0' }, /triggerPrice/], [{ ...trail, trailingOffset: null }, /trailingOffset/],
  [{ ...trail, trailingOffset: '0' }, /trailingOffset/], [{ ...trail, trailingOffset: '100', trailingOffsetType: 'percent' as const }, /whole price/], [{ ...trail, activationPrice: '0' }, /activationPrice/],
])('what can never fire is refused, %#', (parameters, problem) => {
  expect(triggerProblem(parameters)).toMatch(problem);
});

describe('evidence', () => {
  const trigger = { id: 't', revision: 2, parameters: trail };
  const evidence: TriggerEvidence = { triggerId: 't', revision: 2, price: '110', priceType: 'mark', source: 'paper', backup: false, origin: 'stream', extreme: '120', level: '110', atMs: 1, observedAtMs: 1, sequence: 1, scope: 'market/paper', epoch: 1 };

  test('that holds is taken', () => {
    expect([stop, trail, { ...trail, activationPrice: '120' }].map(triggerProblem)).toEqual([null, null, null]);
    expect(disproof(trigger, evidence)).toBeNull();
    expect(disproof({ ...trigger, parameters: stop }, { ...evidence, extreme: null, level: '100', price: '99' })).toBeNull();
  });

  test.each<[string, Partial<TriggerEvidence>, RegExp]>([
    ['another trigger', { triggerId: 'u' }, /trigger u/], ['an older revision', { revision: 1 }, /revision 1/], ['another price', { priceType: 'last' }, /looks at mark/],
    ['no price', { price: '0' }, /is none/], ['another level', { level: '111' }, /level is 110/], ['a price before the level', { price: '110.01' }, /has not reached/], ['no extreme', { extreme: null }, /extreme/],
  ])('of %s is not', (_, changes, reason) => {
    expect(disproof(trigger, { ...evidence, ...changes })).toMatch(reason);
  });

  test('from before the activation is not', () => {
    expect(disproof({ ...trigger, parameters: { ...trail, activationPrice: '121' } }, evidence)).toMatch(/before the activation/);
  });
});
