import { describe, expect, test } from '@jest/globals';
import { NO_USER_LIMITS, type UserRiskLimits } from '../../../src/domain/account';
import { judgeOrder } from '../../../src/risk/judge';
import { spansAccounts } from '../../../src/risk/user-limits';
import type { AccountFigures, RiskOrder } from '../../../src/risk/figures';
import { accountFigures, riskOrder, symbolFigures } from './risk-samples';

const code = (limits: Partial<UserRiskLimits>, others: readonly AccountFigures[], order: Partial<RiskOrder> = {}, own: AccountFigures = accountFigures()): string => {
  const verdict = judgeOrder(riskOrder(order), own, { limits: { ...NO_USER_LIMITS, ...limits }, others });
  return verdict.verdict === 'denied' ? verdict.code : 'accepted';
};
const holding = (positionQuantity: string, more: Parameters<typeof symbolFigures>[0] = {}): AccountFigures => accountFigures({ accountId: 'other' }, [symbolFigures({ positionQuantity, ...more })]);

describe('a user\'s limits over all accounts', () => {
  test('count the open orders of all of them, with the new one', () => {
    expect(code({ maxOpenOrders: 3 }, [accountFigures({ openOrders: 2 })])).toBe('accepted');
    expect(code({ maxOpenOrders: 3 }, [accountFigures({ openOrders: 1 }), accountFigures({ openOrders: 2 })])).toBe('RISK_OPEN_ORDERS');
  });

  test('add up the day\'s profits: another account\'s gain sets a loss off, its loss is the user\'s too', () => {
    const lost = accountFigures({ dailyProfit: '-60' });
    expect(code({ maxDailyLoss: '100' }, [lost])).toBe('accepted');
    expect(code({ maxDailyLoss: '100' }, [lost, accountFigures({ dailyProfit: '-40' })])).toBe('RISK_DAILY_LOSS');
    expect(code({ maxDailyLoss: '100' }, [lost, accountFigures({ dailyProfit: '-40' }), accountFigures({ dailyProfit: '1' })])).toBe('accepted');
    expect(code({ maxDailyLoss: '100' }, [accountFigures({ dailyProfit: null })])).toBe('RISK_PRICE_UNKNOWN');
  });

  test('add up what one market can come to on the order\'s side; the other side sets nothing off', () => {
    expect(code({ maxPositionNotional: '1000' }, [holding('9')])).toBe('accepted');
    expect(code({ maxPositionNotional: '1000' }, [holding('9.1')])).toBe('RISK_POSITION_NOTIONAL');
    expect(code({ maxPositionNotional: '1000' }, [holding('5', { openBuyQuantity: '4.1' })])).toBe('RISK_POSITION_NOTIONAL');
    expect(code({ maxPositionNotional: '1000' }, [holding('9.1'), holding('-50')])).toBe('RISK_POSITION_NOTIONAL');
    expect(code({ maxPositionNotional: '1000' }, [holding('-50')])).toBe('accepted');
    expect(code({ maxPositionNotional: '1000' }, [holding('9.1')], { side: 'sell' })).toBe('accepted');
  });

  test('cannot be judged where a price is missing for what another account has of the market', () => {
    expect(code({ maxPositionNotional: '1000' }, [holding('1', { markPrice: null })])).toBe('RISK_PRICE_UNKNOWN');
    expect(code({ maxPositionNotional: '1000' }, [holding('0', { markPrice: null, openSellQuantity: '1' })])).toBe('RISK_PRICE_UNKNOWN');
    expect(code({ maxPositionNotional: '1000' }, [holding('0', { markPrice: null })])).toBe('accepted');
    expect(code({ maxPositionNotional: '1000' }, [accountFigures({}, [symbolFigures({ symbol: 'ETH-PERP', positionQuantity: '90' })])])).toBe('accepted');
  });

  test('let through exits, and orders that only shrink what is too large', () => {
    const long = accountFigures({}, [symbolFigures({ positionQuantity: '5' })]);
    expect(code({ maxPositionNotional: '100', maxOpenOrders: 1, maxDailyLoss: '1' }, [holding('-30'), accountFigures({ openOrders: 5, dailyProfit: '-9' })], { side: 'sell', reduceOnly: true }, long)).toBe('accepted');
    expect(code({ maxPositionNotional: '100' }, [holding('-30')], { side: 'sell', quantity: '5' }, long)).toBe('accepted');
    expect(code({ maxPositionNotional: '100' }, [holding('-30')], { side: 'sell', quantity: '6' }, long)).toBe('RISK_POSITION_NOTIONAL');
  });

  test('are told with the figures they were judged by', () => {
    const verdict = judgeOrder(riskOrder(), accountFigures(), { limits: { ...NO_USER_LIMITS, maxPositionNotional: '1000' }, others: [holding('9.1')] });
    expect(verdict).toMatchObject({ verdict: 'denied', shown: { positionNotionalOfUser: '1010', maxPositionNotionalOfUser: '1000' } });
  });

  test('deny entries while all accounts together are too far below their peak, whichever of them lost', () => {
    const drawn = (profit: string | null, peak: string | null, order: Partial<RiskOrder> = {}): string => {
      const verdict = judgeOrder(riskOrder(order), accountFigures({}, [symbolFigures({ positionQuantity: '5' })]), { limits: { ...NO_USER_LIMITS, maxDrawdown: '100' }, others: [], standing: { profit, peak } });
      return verdict.verdict === 'denied' ? verdict.code : 'accepted';
    };
    expect([drawn('400.01', '500'), drawn('400', '500'), drawn('-100', '0')]).toEqual(['accepted', 'RISK_DRAWDOWN', 'RISK_DRAWDOWN']);
    // What is gained since the last look is the peak; without one nothing was lost yet.
    expect([drawn('900', '500'), drawn('-900', null)]).toEqual(['accepted', 'accepted']);
    expect(drawn(null, '500')).toBe('RISK_PRICE_UNKNOWN');
    expect(drawn('-900', '500', { side: 'sell', reduceOnly: true })).toBe('accepted');
    expect(() => judgeOrder(riskOrder(), accountFigures(), { limits: { ...NO_USER_LIMITS, maxDrawdown: '100' }, others: [] })).toThrow(RangeError);
  });

  test('bind accounts together only where one of these is set', () => {
    expect([null, NO_USER_LIMITS, { ...NO_USER_LIMITS, maxOrderNotional: '5', allowedSymbols: [] }].map(spansAccounts)).toEqual([false, false, false]);
    expect([{ ...NO_USER_LIMITS, maxOpenOrders: 1 }, { ...NO_USER_LIMITS, maxDailyLoss: '1' }, { ...NO_USER_LIMITS, maxPositionNotional: '1' }, { ...NO_USER_LIMITS, maxDrawdown: '1' }].map(spansAccounts)).toEqual([true, true, true, true]);
  });
});
