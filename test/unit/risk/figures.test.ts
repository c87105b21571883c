import { describe, expect, test } from '@jest/globals';
import { decimal } from '../../../src/domain/decimal';
import { emptySymbol, isPriced, requiredMargin, withOpenOrder, worstQuantity } from '../../../src/risk/figures';
import { accountFigures, riskOrder, symbolFigures } from './risk-samples';

describe('the margin a market can come to need', () => {
  test.each([
    ['nothing held, nothing open', {}, '0'],
    ['a long', { positionQuantity: '5' }, '50'],
    ['a short', { positionQuantity: '-5' }, '50'],
    ['a long and more buys', { positionQuantity: '5', openBuyQuantity: '5', openBuyNotional: '450' }, '95'],
    ['a short and more sells', { positionQuantity: '-5', openSellQuantity: '5', openSellNotional: '550' }, '105'],
    ['orders on both sides count once, the worse', { openBuyQuantity: '5', openBuyNotional: '500', openSellQuantity: '6', openSellNotional: '600' }, '60'],
    ['sells against a long count whole: an exit may close it first', { positionQuantity: '5', openSellQuantity: '8', openSellNotional: '800' }, '80'],
    ['reduce-only orders need nothing', { positionQuantity: '5', reduceOnlySellQuantity: '50' }, '50'],
  ])('%s', (_name, overrides, expected) => {
    expect(requiredMargin(symbolFigures(overrides)).toFixed()).toBe(expected);
  });

  test('is never taken for nothing when the price or the leverage cannot be read', () => {
    expect(() => requiredMargin(symbolFigures({ positionQuantity: '1', markPrice: null }))).toThrow(/no mark price of BTC-PERP, of which 1 is held/);
    expect(() => requiredMargin(symbolFigures({ leverage: '0' }))).toThrow(/leverage of BTC-PERP is 0/);
    expect(requiredMargin(symbolFigures({ markPrice: null, openBuyQuantity: '1', openBuyNotional: '90' })).toFixed()).toBe('9');
    expect(isPriced(symbolFigures({ markPrice: null }))).toBe(true);
    expect(isPriced(symbolFigures({ positionQuantity: '-1', markPrice: null }))).toBe(false);
  });
});

describe('the figures after one more order', () => {
  test('worst quantities are by direction, with what is against them gone', () => {
    const market = symbolFigures({ positionQuantity: '5', openBuyQuantity: '2', openSellQuantity: '9' });
    expect(worstQuantity(market, 'buy').toFixed()).toBe('7');
    expect(worstQuantity(market, 'sell').toFixed()).toBe('9');
    expect(worstQuantity(symbolFigures({ positionQuantity: '-5', openBuyQuantity: '2' }), 'sell').toFixed()).toBe('5');
  });

  test('each order is added to its own side and kind, and to no other', () => {
    const start = emptySymbol('BTC-PERP', '100', '10');
    const after = (overrides: Parameters<typeof riskOrder>[0]) => withOpenOrder(accountFigures(), riskOrder({ quantity: '2', ...overrides }), decimal('50')).symbols['BTC-PERP'];
    expect(after({})).toEqual({ ...start, openBuyQuantity: '2', openBuyNotional: '100' });
    expect(after({ side: 'sell' })).toEqual({ ...start, openSellQuantity: '2', openSellNotional: '100' });
    expect(after({ reduceOnly: true })).toEqual({ ...start, reduceOnlyBuyQuantity: '2' });
    expect(after({ side: 'sell', reduceOnly: true })).toEqual({ ...start, reduceOnlySellQuantity: '2' });
  });

  test('an unknown market is a fault', () => {
    expect(() => withOpenOrder(accountFigures(), riskOrder({ symbol: 'X' }), decimal('1'))).toThrow(/no figures for X/);
  });
});
