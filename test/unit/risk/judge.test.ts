import { describe, expect, test } from '@jest/globals';
import { judgeOrder, type RiskVerdict } from '../../../src/risk/judge';
import { emptySymbol } from '../../../src/risk/figures';
import { accountFigures, riskOrder, symbolFigures } from './risk-samples';

function denied(verdict: RiskVerdict): { code: string; message: string; shown: Readonly<Record<string, unknown>> } {
  if (verdict.verdict !== 'denied') throw new Error(`expected a denial, got ${JSON.stringify(verdict)}`);
  return verdict;
}

describe('an order that opens or enlarges', () => {
  test('is accepted inside every limit, with the figures it was judged by', () => {
    const verdict = judgeOrder(riskOrder({ quantity: '2', limitPrice: '99' }), accountFigures());
    expect(verdict).toMatchObject({
      verdict: 'accepted',
      shown: { status: 'ACTIVE', orderNotional: '198', positionNotional: '200', equity: '1000', requiredMargin: '19.8', openOrders: 1, markPrice: '100', leverage: '10' },
      after: { openOrders: 1, symbols: { 'BTC-PERP': { openBuyQuantity: '2', openBuyNotional: '198' } } },
    });
  });

  test.each([
    ['HALTED', 'RISK_ACCOUNT_HALTED'],
    ['REDUCING', 'RISK_ACCOUNT_REDUCING'],
  ] as const)('is denied while the account is %s', (status, code) => {
    expect(denied(judgeOrder(riskOrder(), accountFigures({ status })))).toMatchObject({ code, shown: { status } });
  });

  test('is denied outside the allow-list and accepted on it', () => {
    expect(denied(judgeOrder(riskOrder(), accountFigures({}, undefined, { allowedSymbols: ['ETH-PERP'] }))).code).toBe('RISK_SYMBOL_NOT_ALLOWED');
    expect(judgeOrder(riskOrder(), accountFigures({}, undefined, { allowedSymbols: ['BTC-PERP'] })).verdict).toBe('accepted');
  });

  test('may be the last open order that is allowed, not one more', () => {
    expect(judgeOrder(riskOrder(), accountFigures({ openOrders: 4 }, undefined, { maxOpenOrders: 5 })).verdict).toBe('accepted');
    expect(denied(judgeOrder(riskOrder(), accountFigures({ openOrders: 5 }, undefined, { maxOpenOrders: 5 })))).toMatchObject({ code: 'RISK_OPEN_ORDERS', shown: { openOrders: 5, maxOpenOrders: 5 } });
  });

  test('is denied from the moment the daily loss limit is reached', () => {
    expect(judgeOrder(riskOrder(), accountFigures({ dailyProfit: '-4999.99' })).verdict).toBe('accepted');
    expect(denied(judgeOrder(riskOrder(), accountFigures({ dailyProfit: '-5000' })))).toMatchObject({ code: 'RISK_DAILY_LOSS', shown: { dailyProfit: '-5000', maxDailyLoss: '5000' } });
  });

  test('is denied above the order notional, which a market order is valued for above the mark', () => {
    const limits = { maxOrderNotional: '1000' };
    expect(judgeOrder(riskOrder({ quantity: '10' }), accountFigures({}, undefined, limits)).verdict).toBe('accepted');
    expect(denied(judgeOrder(riskOrder({ quantity: '10', limitPrice: null }), accountFigures({}, undefined, limits)))).toMatchObject({ code: 'RISK_ORDER_NOTIONAL', shown: { orderNotional: '1020', maxOrderNotional: '1000' } });
  });

  test('a sell limit far below the mark is valued at the mark, where it will fill', () => {
    expect(denied(judgeOrder(riskOrder({ side: 'sell', quantity: '11', limitPrice: '1' }), accountFigures({}, undefined, { maxOrderNotional: '1000' })))).toMatchObject({ code: 'RISK_ORDER_NOTIONAL', shown: { orderNotional: '1100' } });
    expect(judgeOrder(riskOrder({ side: 'sell', quantity: '5', limitPrice: '150' }), accountFigures())).toMatchObject({ shown: { orderNotional: '750' } });
  });

  test('that its venue holds until a trigger is reached is valued there, where that is above the mark', () => {
    const limits = { maxOrderNotional: '1000' };
    const stop = (triggerPrice: string, changes = {}) => judgeOrder(riskOrder({ quantity: '9', limitPrice: null, condition: { triggerPrice }, ...changes }), accountFigures({ equity: '100000' }, undefined, limits));
    expect(denied(stop('300'))).toMatchObject({ code: 'RISK_ORDER_NOTIONAL', shown: { orderNotional: '2754' } });
    expect(stop('105').verdict).toBe('accepted');
    // Below the mark it is a sell stop's: it is worth the mark until then.
    expect(stop('50', { side: 'sell' }).verdict).toBe('accepted');
    expect(denied(stop('300', { side: 'sell', limitPrice: '200' })).code).toBe('RISK_ORDER_NOTIONAL');
  });

  test('counts what is held and every open order of its direction towards the position limit', () => {
    const market = symbolFigures({ positionQuantity: '5', openBuyQuantity: '3', openBuyNotional: '300' });
    const limits = { maxPositionNotional: '1000' };
    expect(judgeOrder(riskOrder({ quantity: '2' }), accountFigures({}, [market], limits)).verdict).toBe('accepted');
    expect(denied(judgeOrder(riskOrder({ quantity: '2.1' }), accountFigures({}, [market], limits)))).toMatchObject({ code: 'RISK_POSITION_NOTIONAL', shown: { positionNotional: '1010', maxPositionNotional: '1000' } });
  });

  test('lets an order against an oversized position through up to its size, never to a reversed one above the limit', () => {
    const oversized = symbolFigures({ positionQuantity: '100' });
    const limits = { maxPositionNotional: '5000' };
    const sell = (quantity: string) => judgeOrder(riskOrder({ side: 'sell', quantity }), accountFigures({ equity: '100000' }, [oversized], limits));
    expect(sell('100').verdict).toBe('accepted');
    expect(denied(sell('180')).code).toBe('RISK_POSITION_NOTIONAL');
    const short = symbolFigures({ positionQuantity: '-100' });
    expect(judgeOrder(riskOrder({ quantity: '100' }), accountFigures({ equity: '100000' }, [short], limits)).verdict).toBe('accepted');
    expect(denied(judgeOrder(riskOrder({ quantity: '101' }), accountFigures({ equity: '100000' }, [short], limits))).code).toBe('RISK_POSITION_NOTIONAL');
  });

  test('an exit that fills first does not leave ordinary orders with more than the limit', () => {
    const market = symbolFigures({ positionQuantity: '10', reduceOnlySellQuantity: '10' });
    expect(denied(judgeOrder(riskOrder({ side: 'sell', quantity: '15' }), accountFigures({}, [market], { maxPositionNotional: '1000' }))).code).toBe('RISK_POSITION_NOTIONAL');
  });

  test('is denied without margin, with what is needed and what is there', () => {
    expect(judgeOrder(riskOrder({ quantity: '100' }), accountFigures()).verdict).toBe('accepted');
    expect(denied(judgeOrder(riskOrder({ quantity: '100.1' }), accountFigures()))).toMatchObject({ code: 'INSUFFICIENT_BALANCE', shown: { requiredMargin: '1001', equity: '1000' } });
  });

  test('margin is counted over all markets of the account', () => {
    const other = { ...emptySymbol('ETH-PERP', '50', '5'), positionQuantity: '-60', openSellQuantity: '10', openSellNotional: '500' };
    expect(judgeOrder(riskOrder({ quantity: '30' }), accountFigures({}, [symbolFigures(), other])).verdict).toBe('accepted');
    expect(denied(judgeOrder(riskOrder({ quantity: '31' }), accountFigures({}, [symbolFigures(), other])))).toMatchObject({ shown: { requiredMargin: '1010' } });
  });

  test('an account short of margin may still trade against its position, not enlarge it', () => {
    const market = symbolFigures({ positionQuantity: '100' });
    const figures = accountFigures({ equity: '500' }, [market]);
    expect(judgeOrder(riskOrder({ side: 'sell', quantity: '100' }), figures).verdict).toBe('accepted');
    expect(denied(judgeOrder(riskOrder({ quantity: '1' }), figures)).code).toBe('INSUFFICIENT_BALANCE');
  });

  test('is denied while the balance was never read', () => {
    expect(denied(judgeOrder(riskOrder(), accountFigures({ equity: null })))).toMatchObject({ code: 'INSUFFICIENT_BALANCE', shown: { equity: null } });
  });

  test('a market without figures is a fault of ours, told loudly', () => {
    expect(() => judgeOrder(riskOrder({ symbol: 'DOGE-PERP' }), accountFigures())).toThrow(/no figures for DOGE-PERP/);
    expect(() => judgeOrder(riskOrder({ symbol: 'DOGE-PERP', reduceOnly: true }), accountFigures())).toThrow(/no figures for DOGE-PERP/);
  });
});

describe('without a fresh price', () => {
  const dark = symbolFigures({ markPrice: null });

  test('a market order and a sell limit are denied, because nothing bounds what they may fill at', () => {
    expect(denied(judgeOrder(riskOrder({ limitPrice: null }), accountFigures({}, [dark]))).code).toBe('RISK_PRICE_UNKNOWN');
    expect(denied(judgeOrder(riskOrder({ side: 'sell', quantity: '1000000', limitPrice: '0.01' }), accountFigures({}, [dark]))).code).toBe('RISK_PRICE_UNKNOWN');
  });

  test('a buy limit is judged by its limit, and earlier buys by theirs', () => {
    const limits = { maxPositionNotional: '120' };
    expect(judgeOrder(riskOrder({ limitPrice: '90' }), accountFigures({}, [dark], limits))).toMatchObject({ verdict: 'accepted', shown: { orderNotional: '90', markPrice: null } });
    const earlier = symbolFigures({ markPrice: null, openBuyQuantity: '1', openBuyNotional: '100' });
    expect(denied(judgeOrder(riskOrder({ quantity: '10', limitPrice: '10' }), accountFigures({}, [earlier], limits)))).toMatchObject({ code: 'RISK_POSITION_NOTIONAL', shown: { positionNotional: '200' } });
  });

  test('of any market that is held, nothing can be opened: its margin is unknown', () => {
    const held = { ...emptySymbol('ETH-PERP', null, '5'), positionQuantity: '3' };
    expect(denied(judgeOrder(riskOrder(), accountFigures({}, [symbolFigures(), held])))).toMatchObject({ code: 'RISK_PRICE_UNKNOWN', shown: { symbol: 'ETH-PERP', position: '3' } });
  });
});

describe('a reduce-only order', () => {
  const exit = (overrides: Parameters<typeof riskOrder>[0] = {}) => riskOrder({ side: 'sell', reduceOnly: true, ...overrides });

  test.each(['ACTIVE', 'REDUCING', 'HALTED'] as const)('passes every limit while the account is %s', (status) => {
    const figures = accountFigures({ status, equity: null, openOrders: 500, dailyProfit: '-9000' }, [symbolFigures({ positionQuantity: '5' })], { allowedSymbols: [], maxOrderNotional: '1', maxPositionNotional: '1' });
    expect(judgeOrder(exit({ quantity: '5' }), figures)).toMatchObject({ verdict: 'accepted', after: { openOrders: 501, symbols: { 'BTC-PERP': { reduceOnlySellQuantity: '5', openSellQuantity: '0' } } } });
  });

  test('passes without any price', () => {
    expect(judgeOrder(exit({ limitPrice: null }), accountFigures({}, [symbolFigures({ positionQuantity: '5', markPrice: null })])).verdict).toBe('accepted');
  });

  test('buys back a short as well', () => {
    expect(judgeOrder(exit({ side: 'buy' }), accountFigures({}, [symbolFigures({ positionQuantity: '-5' })]))).toMatchObject({ after: { symbols: { 'BTC-PERP': { reduceOnlyBuyQuantity: '1', openBuyQuantity: '0' } } } });
  });

  test.each([
    ['sell', '0'],
    ['buy', '0'],
    ['sell', '-5'],
    ['buy', '5'],
  ] as const)('to %s is denied with a position of %s: there is nothing on the other side', (side, positionQuantity) => {
    expect(denied(judgeOrder(exit({ side }), accountFigures({}, [symbolFigures({ positionQuantity })])))).toMatchObject({ code: 'RISK_NOTHING_TO_REDUCE', shown: { position: positionQuantity } });
  });

  test.each([
    ['sell', { openBuyQuantity: '2' }],
    ['buy', { openSellQuantity: '2' }],
  ] as const)('a %s passes while an entry of the other side may have filled: its answer is there before its fills are', (side, open) => {
    expect(judgeOrder(exit({ side }), accountFigures({}, [symbolFigures({ positionQuantity: '0', ...open })])).verdict).toBe('accepted');
    expect(denied(judgeOrder(exit({ side: side === 'buy' ? 'sell' : 'buy' }), accountFigures({}, [symbolFigures({ positionQuantity: '0', ...open })])))).toMatchObject({ code: 'RISK_NOTHING_TO_REDUCE' });
  });

  test('may be larger than the position, alone or with others: the venue cuts each fill to what is held', () => {
    const market = symbolFigures({ positionQuantity: '5', reduceOnlySellQuantity: '5' });
    expect(judgeOrder(exit({ quantity: '8' }), accountFigures({}, [market]))).toMatchObject({ verdict: 'accepted', shown: { position: '5', openReductions: '5' } });
  });
});
