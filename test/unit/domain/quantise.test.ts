import { describe, expect, test } from '@jest/globals';
import { quantise, roundLimit, roundQuantityDown, roundStop, type QuantityRules } from '../../../src/domain/quantise';

const BTC: QuantityRules = { tickRule: { kind: 'step', step: '0.1' }, lot: '0.0001', minQuantity: '0.0001', minNotional: '5' };
/** Hyperliquid's rule for a perpetual with three size decimals. */
const FIGURES: QuantityRules = { tickRule: { kind: 'significant', figures: 5, maxDecimals: 3, integersAlwaysValid: true }, lot: '0.001', minQuantity: '0', minNotional: '10' };

const limit = (rules: QuantityRules, quantity: string, limitPrice: string) => quantise(rules, { quantity, limitPrice, referencePrice: null });
const market = (rules: QuantityRules, quantity: string, referencePrice: string | null) => quantise(rules, { quantity, limitPrice: null, referencePrice });

describe('an order on a market with a fixed tick', () => {
  test('passes when price and quantity are on the grid, and comes back in canonical text', () => {
    expect(limit(BTC, '0.00100', '97000.10')).toEqual({ kind: 'ok', quantity: '0.001', limitPrice: '97000.1' });
  });
  test('is told the two prices beside a price between ticks', () => {
    expect(limit(BTC, '0.001', '97000.13')).toEqual({ kind: 'violations', violations: [{ field: 'limitPrice', code: 'OFF_TICK', value: '97000.13', nearest: ['97000.1', '97000.2'] }] });
  });
  test('is told only the price above where the one below would be zero', () => {
    expect(limit({ ...BTC, minNotional: '0' }, '1', '0.04')).toMatchObject({ violations: [{ nearest: ['0.1'] }] });
  });
  test('is told the two quantities beside a quantity between lots', () => {
    expect(limit(BTC, '0.00105', '97000')).toMatchObject({ violations: [{ field: 'quantity', code: 'OFF_LOT', nearest: ['0.001', '0.0011'] }] });
  });
  test('is told the least quantity that is worth the minimum notional at its price', () => {
    expect(limit(BTC, '0.0001', '10000')).toMatchObject({ violations: [{ code: 'BELOW_MIN_NOTIONAL', nearest: ['0.0005'] }] });
  });
  test('is told the least quantity when it is below the minimum', () => {
    expect(market({ ...BTC, minQuantity: '0.00025' }, '0.0002', null)).toMatchObject({ violations: [{ code: 'BELOW_MIN_QUANTITY', nearest: ['0.0003'] }] });
  });
  test('is told both when price and quantity are wrong, and the pair of first values passes', () => {
    const verdict = limit(BTC, '0.00001', '1.23');
    expect(verdict).toMatchObject({ violations: [{ field: 'limitPrice', nearest: ['1.2', '1.3'] }, { field: 'quantity', nearest: ['4.1667'] }] });
    expect(limit(BTC, '4.1667', '1.2').kind).toBe('ok');
  });
  test.each(['0', '-1', '0.000'])('of quantity %s is told the least quantity', (quantity) => {
    expect(market(BTC, quantity, null)).toEqual({ kind: 'violations', violations: [{ field: 'quantity', code: 'NOT_POSITIVE', value: quantity, nearest: ['0.0001'] }] });
  });
  test('at price 0 is told the lowest price there is', () => {
    expect(limit({ ...BTC, minNotional: '0' }, '1', '0')).toMatchObject({ violations: [{ code: 'NOT_POSITIVE', nearest: ['0.1'] }] });
    expect(limit({ ...FIGURES, minNotional: '0' }, '1', '-3')).toMatchObject({ violations: [{ code: 'NOT_POSITIVE', nearest: ['0.001'] }] });
  });
  test('at the market is judged by the reference price, and by its quantity alone without one', () => {
    expect(market(BTC, '0.0001', '10000')).toMatchObject({ violations: [{ code: 'BELOW_MIN_NOTIONAL' }] });
    expect(market(BTC, '0.0001', null)).toEqual({ kind: 'ok', quantity: '0.0001', limitPrice: null });
  });
  test('with text that is no plain decimal is refused loudly', () => {
    expect(() => limit(BTC, '1e-3', '1')).toThrow('not a plain decimal');
    expect(() => limit(BTC, '1', 'NaN')).toThrow('not a plain decimal');
  });
  test('is exact far beyond floating point', () => {
    const rules: QuantityRules = { tickRule: { kind: 'step', step: '0.000000000000000001' }, lot: '1', minQuantity: '1', minNotional: '0' };
    expect(limit(rules, '1', '123456789012345678901234567890.000000000000000001').kind).toBe('ok');
    expect(limit(rules, '1', '123456789012345678901234567890.0000000000000000015').kind).toBe('violations');
  });
});

describe('an order on a market with significant figures', () => {
  test.each(['1234.5', '123456', '0.012', '99999', '1234567'])('passes at %s', (price) => {
    expect(limit(FIGURES, '1000', price).kind).toBe('ok');
  });
  test.each([
    ['1234.56', ['1234.5', '1234.6']],
    ['123456.7', ['123456', '123457']],
    ['0.0123', ['0.012', '0.013']],
    ['99999.5', ['99999', '100000']],
    ['0.0004', ['0.001']],
  ])('is told the prices beside %s', (price, nearest) => {
    expect(limit(FIGURES, '100000', price)).toMatchObject({ violations: [{ code: 'OFF_TICK', nearest }] });
  });
  test('holds integers to the figures where the venue makes no exception', () => {
    const strict: QuantityRules = { ...FIGURES, tickRule: { kind: 'significant', figures: 5, maxDecimals: 3, integersAlwaysValid: false } };
    expect(limit(strict, '1', '123456')).toMatchObject({ violations: [{ nearest: ['123450', '123460'] }] });
  });
});

describe('rounding what a program computed', () => {
  test('a sell stop fires no later than asked, a buy stop too', () => {
    expect(roundStop(BTC, 'sell', '96999.91')).toBe('97000');
    expect(roundStop(BTC, 'buy', '97000.19')).toBe('97000.1');
  });
  test('a stop on the grid stays where it is', () => {
    expect(roundStop(BTC, 'sell', '97000.10')).toBe('97000.1');
    expect(roundStop(FIGURES, 'buy', '1234.5')).toBe('1234.5');
  });
  test('there is no buy stop below the lowest price, and none at zero', () => {
    expect(roundStop(BTC, 'buy', '0.05')).toBeNull();
    expect(roundStop(BTC, 'sell', '0')).toBeNull();
  });
  test('a limit never becomes worse: a buyer pays no more, a seller gets no less', () => {
    expect(roundLimit(BTC, 'buy', '97000.19')).toBe('97000.1');
    expect(roundLimit(BTC, 'sell', '97000.11')).toBe('97000.2');
  });
  test('a quantity is rounded down, and to nothing below the minimum', () => {
    expect(roundQuantityDown(BTC, '0.00019', null)).toBe('0.0001');
    expect(roundQuantityDown(BTC, '0.00019', '97000')).toBe('0.0001');
    expect(roundQuantityDown(BTC, '0.00019', '10000')).toBeNull();
    expect(roundQuantityDown(BTC, '0.00009', null)).toBeNull();
    expect(roundQuantityDown(BTC, '0', null)).toBeNull();
  });
});
