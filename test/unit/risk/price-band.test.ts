import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { judgeOrder } from '../../../src/risk/judge';
import { judgePriceBand } from '../../../src/risk/price-band';
import { accountFigures, riskOrder, symbolFigures } from './risk-samples';

const TEN = { priceBandPercent: '10' };
const codeOf = (...asked: Parameters<typeof judgePriceBand>): string | null => judgePriceBand(...asked)?.code ?? null;

describe('the price band', () => {
  test.each([
    ['buy', '110', null],
    ['buy', '110.01', 'RISK_PRICE_BAND'],
    ['buy', '1', null],
    ['sell', '90', null],
    ['sell', '89.99', 'RISK_PRICE_BAND'],
    ['sell', '1000', null],
  ] as const)('a %s limit of %s at a mark of 100, 10 %% wide: %s', (side, limitPrice, code) => {
    expect(codeOf(riskOrder({ side, limitPrice }), accountFigures({}, undefined, TEN))).toBe(code);
  });

  test.each([
    ['buy', '126.5', '115', null],
    ['buy', '126.51', '115', 'RISK_PRICE_BAND'],
    ['buy', null, '150', null],
    ['sell', '72', '80', null],
    ['sell', '71.99', '80', 'RISK_PRICE_BAND'],
  ] as const)('a %s limit of %s that waits at its venue for %s, at a mark of 100, is held against what it waits for: %s', (side, limitPrice, triggerPrice, code) => {
    expect(codeOf(riskOrder({ side, limitPrice, condition: { triggerPrice } }), accountFigures({}, undefined, TEN))).toBe(code);
  });

  test.each([
    ['buy', { askPrice: '110' }, null],
    ['buy', { askPrice: '111', bidPrice: '100' }, 'RISK_PRICE_BAND'],
    ['buy', { askPrice: null, bidPrice: '1' }, null],
    ['sell', { bidPrice: '90' }, null],
    ['sell', { bidPrice: '89', askPrice: '100' }, 'RISK_PRICE_BAND'],
    ['sell', { bidPrice: null, askPrice: '500' }, null],
  ] as const)('a market %s where the best prices are %j: %s', (side, best, code) => {
    expect(codeOf(riskOrder({ side, limitPrice: null }), accountFigures({}, [symbolFigures(best)], TEN))).toBe(code);
  });

  test('denies with the price, the bound and the mark', () => {
    const verdict = judgeOrder(riskOrder({ limitPrice: '120' }), accountFigures({}, undefined, TEN));
    expect(verdict).toMatchObject({ verdict: 'denied', code: 'RISK_PRICE_BAND', message: 'a buy limit of 120 is beyond 110, 10 % from the mark 100', shown: { price: '120', priceBound: '110', markPrice: '100', priceBandPercent: '10' } });
  });

  test('denies without a fresh mark, where it is set; where it is not, a buy limit in a flat account needs none', () => {
    const dark = [symbolFigures({ markPrice: null })];
    expect(judgeOrder(riskOrder(), accountFigures({}, dark, TEN))).toMatchObject({ verdict: 'denied', code: 'RISK_PRICE_UNKNOWN' });
    expect(judgeOrder(riskOrder(), accountFigures({}, dark)).verdict).toBe('accepted');
  });

  test('holds no exit back', () => {
    const long = symbolFigures({ positionQuantity: '1', bidPrice: '1' });
    for (const market of [long, { ...long, markPrice: null }]) {
      for (const limitPrice of [null, '0.01']) expect(judgeOrder(riskOrder({ side: 'sell', limitPrice, reduceOnly: true }), accountFigures({}, [market], TEN)).verdict).toBe('accepted');
    }
  });

  test('of a market without figures is a fault of ours, told loudly', () => {
    expect(() => judgePriceBand(riskOrder({ symbol: 'DOGE-PERP' }), accountFigures({}, undefined, TEN))).toThrow(/no figures for DOGE-PERP/);
  });

  const prices = fc.record({ side: fc.constantFrom('buy' as const, 'sell' as const), cents: fc.integer({ min: 1, max: 30_000 }), percent: fc.integer({ min: 1, max: 99 }) });
  type Band = typeof judgePriceBand;
  /** What passes never loses more than the band against the mark, and what loses no more passes. */
  const neverLosesMore = (band: Band) =>
    fc.property(prices, ({ side, cents, percent }) => {
      const breach = band(riskOrder({ side, limitPrice: (cents / 100).toFixed(2) }), accountFigures({}, undefined, { priceBandPercent: String(percent) }));
      const losesCents = side === 'buy' ? cents - 10_000 : 10_000 - cents;
      expect(breach === null).toBe(losesCents <= percent * 100);
    });

  test('passes what loses no more than the band against the mark, and nothing else', () => {
    fc.assert(neverLosesMore(judgePriceBand), { numRuns: 1_000 });
  });

  test('the property finds a band that forgets on which side it stands', () => {
    const blind: Band = (order, figures) => judgePriceBand({ ...order, side: 'buy' }, figures);
    expect(fc.check(neverLosesMore(blind), { numRuns: 1_000, seed: 1 }).failed).toBe(true);
  });
});

describe('the daily loss', () => {
  test('is not judged by a profit that is not known: nothing is opened then', () => {
    expect(judgeOrder(riskOrder(), accountFigures({ dailyProfit: null }))).toMatchObject({ verdict: 'denied', code: 'RISK_PRICE_UNKNOWN' });
    expect(judgeOrder(riskOrder({ side: 'sell', reduceOnly: true }), accountFigures({ dailyProfit: null }, [symbolFigures({ positionQuantity: '1' })])).verdict).toBe('accepted');
  });

  test('reached, lets only exits through', () => {
    const figures = accountFigures({ dailyProfit: '-5000' }, [symbolFigures({ positionQuantity: '1' })]);
    expect(judgeOrder(riskOrder({ side: 'sell' }), figures)).toMatchObject({ verdict: 'denied', code: 'RISK_DAILY_LOSS' });
    expect(judgeOrder(riskOrder({ side: 'sell', reduceOnly: true }), figures).verdict).toBe('accepted');
  });
});
