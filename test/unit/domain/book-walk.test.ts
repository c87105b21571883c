import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { expectedFill, type WalkedOrder } from '../../../src/domain/book-walk';
import { decimal, decimalText, sum } from '../../../src/domain/decimal';
import type { BookLevel } from '../../../src/domain/market';

const BOOK = { bids: [['99', '1'], ['98', '2'], ['90', '10']] as BookLevel[], asks: [['100', '1'], ['101', '2'], ['110', '10']] as BookLevel[] };
const order = (changes: Partial<WalkedOrder> = {}): WalkedOrder => ({ side: 'buy', timeInForce: 'IOC', quantity: '2', limitPrice: null, postOnly: false, ...changes });

describe('an order walks the book', () => {
  test('from the best level on, and pays the average of what it takes', () => {
    expect(expectedFill(order(), BOOK, null)).toEqual({ quantity: '2', averagePrice: '100.5', worstPrice: '101', bestPrice: '100', slippageBps: '50', restingQuantity: '0', unfilledQuantity: '0', beyondBook: false });
    expect(expectedFill(order({ side: 'sell', quantity: '3' }), BOOK, null)).toMatchObject({ quantity: '3', bestPrice: '99', worstPrice: '98', slippageBps: decimalText(decimal('99').minus(decimal('295').dividedBy(3)).dividedBy(99).times(10_000).toDecimalPlaces(4)) });
  });

  test.each([
    ['a limit that is reached in part rests', { timeInForce: 'GTC', limitPrice: '101', quantity: '5' }, { quantity: '3', restingQuantity: '2', unfilledQuantity: '0', beyondBook: false }],
    ['a limit away from the book rests whole', { timeInForce: 'GTC', limitPrice: '99.5' }, { quantity: '0', averagePrice: null, slippageBps: null, bestPrice: '100', restingQuantity: '2', unfilledQuantity: '0' }],
    ['IOC gives its rest up', { limitPrice: '100' }, { quantity: '1', restingQuantity: '0', unfilledQuantity: '1' }],
    ['FOK takes all', { timeInForce: 'FOK', limitPrice: '101', quantity: '3' }, { quantity: '3', unfilledQuantity: '0' }],
    ['FOK or nothing', { timeInForce: 'FOK', limitPrice: '101', quantity: '3.1' }, { quantity: '0', averagePrice: null, unfilledQuantity: '3.1' }],
    ['post-only rests', { timeInForce: 'GTC', limitPrice: '99', postOnly: true }, { quantity: '0', restingQuantity: '2', unfilledQuantity: '0' }],
    ['post-only that would take is refused', { timeInForce: 'GTC', limitPrice: '100', postOnly: true }, { quantity: '0', restingQuantity: '0', unfilledQuantity: '2' }],
    ['more than the book shows', { quantity: '20' }, { quantity: '13', unfilledQuantity: '7', beyondBook: true }],
  ] as const)('%s', (_, changes, expected) => {
    expect(expectedFill(order(changes), BOOK, null)).toMatchObject(expected);
  });

  test('no further than the position, where it only reduces', () => {
    expect(expectedFill(order({ side: 'sell', quantity: '5' }), BOOK, '1')).toMatchObject({ quantity: '1', unfilledQuantity: '4', beyondBook: false });
    expect(expectedFill(order({ side: 'sell', timeInForce: 'GTC', limitPrice: '98', quantity: '5' }), BOOK, '4')).toMatchObject({ quantity: '3', restingQuantity: '1', unfilledQuantity: '1' });
  });

  test('an empty side fills nothing', () => {
    expect(expectedFill(order(), { bids: BOOK.bids, asks: [] }, null)).toMatchObject({ quantity: '0', bestPrice: null, unfilledQuantity: '2', beyondBook: true });
  });

  type Walk = typeof expectedFill;
  const levels = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9 })), { maxLength: 8 });
  const asked = fc.record({
    side: fc.constantFrom('buy' as const, 'sell' as const), timeInForce: fc.constantFrom('GTC' as const, 'IOC' as const, 'FOK' as const), postOnly: fc.boolean(),
    quantity: fc.integer({ min: 1, max: 40 }).map(String), limitPrice: fc.option(fc.integer({ min: 1, max: 200 }).map(String)),
  });
  const addsUp = (walk: Walk) =>
    fc.property(levels, asked, fc.option(fc.integer({ min: 0, max: 40 }).map(String)), (steps, wanted, takeable) => {
      let [ask, bid] = [100, 100];
      const book = { asks: steps.map(([gap, there]): BookLevel => [String((ask += gap)), String(there)]), bids: steps.map(([gap, there]): BookLevel => [String(Math.max(1, (bid -= gap))), String(there)]) };
      const fill = walk(wanted, book, takeable);
      expect(decimalText(sum([fill.quantity, fill.restingQuantity, fill.unfilledQuantity]))).toBe(wanted.quantity);
      for (const part of [fill.quantity, fill.restingQuantity, fill.unfilledQuantity]) expect(decimal(part).isNegative()).toBe(false);
      if (takeable !== null) expect(decimal(fill.quantity).plus(decimal(fill.restingQuantity)).lessThanOrEqualTo(decimal(takeable))).toBe(true);
      if (fill.averagePrice === null) return;
      expect(decimal(fill.slippageBps ?? '-1').isNegative()).toBe(false);
      const limit = wanted.limitPrice === null ? null : decimal(wanted.limitPrice);
      if (limit !== null) expect(wanted.side === 'buy' ? decimal(fill.worstPrice ?? '0').lessThanOrEqualTo(limit) : decimal(fill.worstPrice ?? '0').greaterThanOrEqualTo(limit)).toBe(true);
    });

  test('adds up to what was asked, never beyond the limit or the position, never better than the best', () => {
    fc.assert(addsUp(expectedFill), { numRuns: 2_000 });
  });

  test('the property finds a walk that forgets the position', () => {
    expect(fc.check(addsUp((wanted, book) => expectedFill(wanted, book, null)), { numRuns: 2_000, seed: 1 }).failed).toBe(true);
  });
});
