import { describe, expect, test } from '@jest/globals';
import { NO_USER_LIMITS, type RiskLimits, type UserRiskLimits } from '../../../src/domain/account';
import { assertWithinUser, widerThanUser, withinUser } from '../../../src/risk/limits';
import { WIDE_LIMITS } from './risk-samples';

const USER: UserRiskLimits = { maxOrderNotional: '1000', maxPositionNotional: '2000', maxOpenOrders: 10, maxDailyLoss: '100', priceBandPercent: '5', allowedSymbols: ['BTC-PERP', 'ETH-PERP'] };
const INSIDE: RiskLimits = { maxOrderNotional: '1000.00', maxPositionNotional: '1999', maxOpenOrders: 10, maxDailyLoss: '99', priceBandPercent: '4.5', allowedSymbols: ['ETH-PERP'] };

describe('an account\'s limits under its user\'s', () => {
  test('are its own where the user has none', () => {
    for (const user of [null, NO_USER_LIMITS]) {
      expect(withinUser(WIDE_LIMITS, user)).toEqual(WIDE_LIMITS);
      expect(widerThanUser(WIDE_LIMITS, user)).toEqual([]);
    }
  });

  test('are the tighter of the two, field by field', () => {
    expect(withinUser(WIDE_LIMITS, USER)).toEqual({ ...USER });
    expect(withinUser(INSIDE, USER)).toEqual({ ...INSIDE, maxOrderNotional: '1000' });
    expect(withinUser({ ...INSIDE, allowedSymbols: ['ETH-PERP', 'XRP-PERP'] }, USER).allowedSymbols).toEqual(['ETH-PERP']);
    expect(withinUser({ ...INSIDE, allowedSymbols: ['XRP-PERP'] }, USER).allowedSymbols).toEqual([]);
    expect(withinUser(INSIDE, { ...USER, allowedSymbols: null }).allowedSymbols).toEqual(['ETH-PERP']);
  });

  test('beyond them are refused, with what was asked and what would be within', () => {
    expect(() => assertWithinUser(INSIDE, USER)).not.toThrow();
    expect(() => assertWithinUser({ ...INSIDE, maxOpenOrders: 11 }, USER)).toThrow(expect.objectContaining({ code: 'RISK_LIMITS_TOO_WIDE', details: { fields: { maxOpenOrders: { asked: 11, within: 10 } } } }));
  });

  test('are named where they are wider', () => {
    expect(widerThanUser(WIDE_LIMITS, USER)).toEqual(['maxOrderNotional', 'maxPositionNotional', 'maxOpenOrders', 'maxDailyLoss', 'priceBandPercent', 'allowedSymbols']);
    expect(widerThanUser(INSIDE, USER)).toEqual([]);
    expect(widerThanUser({ ...INSIDE, allowedSymbols: ['ETH-PERP', 'XRP-PERP'] }, USER)).toEqual(['allowedSymbols']);
  });
});
