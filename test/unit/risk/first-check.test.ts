import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isCertainlyDenied } from '../../../src/risk/first-check';
import { judgeOrder } from '../../../src/risk/judge';
import { accountFigures, riskOrder, symbolFigures, WIDE_LIMITS } from './risk-samples';

describe('the first check', () => {
  test.each([
    ['a symbol off the allow-list', {}, { allowedSymbols: ['ETH-PERP'] }, true],
    ['a symbol on it', {}, { allowedSymbols: ['BTC-PERP'] }, false],
    ['a notional at the limit', { quantity: '10' }, { maxOrderNotional: '1000' }, false],
    ['a notional above the limit', { quantity: '10.01' }, { maxOrderNotional: '1000' }, true],
    ['a market order, whose price is no fact that stands', { quantity: '1000000', limitPrice: null }, { maxOrderNotional: '1' }, false],
    ['an exit, which passes every limit', { quantity: '1000000', reduceOnly: true }, { maxOrderNotional: '1', allowedSymbols: [] }, false],
  ] as const)('of %s', (_, order, limits, denied) => {
    expect(isCertainlyDenied(riskOrder(order), { ...WIDE_LIMITS, ...limits })).toBe(denied);
  });

  const situation = fc.record({
    order: fc.record({ side: fc.constantFrom('buy' as const, 'sell' as const), quantity: fc.integer({ min: 1, max: 50 }).map(String), limitPrice: fc.option(fc.integer({ min: 1, max: 300 }).map(String)), reduceOnly: fc.boolean() }),
    limits: fc.record({ maxOrderNotional: fc.integer({ min: 1, max: 5_000 }).map(String), allowedSymbols: fc.option(fc.subarray(['BTC-PERP', 'ETH-PERP'])), priceBandPercent: fc.option(fc.constantFrom('1', '50')) }),
    market: fc.record({ markPrice: fc.option(fc.integer({ min: 1, max: 300 }).map(String)), positionQuantity: fc.integer({ min: -50, max: 50 }).map(String) }),
    account: fc.record({ status: fc.constantFrom('ACTIVE' as const, 'REDUCING' as const, 'HALTED' as const), equity: fc.option(fc.integer({ min: 0, max: 100_000 }).map(String)), dailyProfit: fc.option(fc.constantFrom('0', '-9999')) }),
  });
  type Check = typeof isCertainlyDenied;
  const deniesOnlyTheDenied = (check: Check) =>
    fc.property(situation, ({ order, limits, market, account }) => {
      const figures = accountFigures(account, [symbolFigures(market)], limits);
      if (check(riskOrder(order), figures.limits)) expect(judgeOrder(riskOrder(order), figures).verdict).toBe('denied');
    });

  test('suspects nothing that the judge accepts, under any figures', () => {
    fc.assert(deniesOnlyTheDenied(isCertainlyDenied), { numRuns: 5_000 });
  });

  test('the property finds a check that forgets that exits pass', () => {
    const strict: Check = (order, limits) => isCertainlyDenied({ ...order, reduceOnly: false }, limits);
    expect(fc.check(deniesOnlyTheDenied(strict), { numRuns: 5_000, seed: 1 }).failed).toBe(true);
  });
});
