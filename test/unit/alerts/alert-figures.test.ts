import { describe, expect, test } from '@jest/globals';
import { afterFiring, isNear, liquidationDistance, liquidationFact, lossFact, priceTriggerOf } from '../../../src/domain/alert-figures';
import { decimal } from '../../../src/domain/decimal';
import type { TriggerEvidence } from '../../../src/domain/trigger';
import { ruleOf } from './alert-samples';

const above = { venue: 'paper', symbol: 'BTC-PERP', direction: 'atOrAbove', price: '50000', priceType: 'mark', repeats: true, rearmBps: 10 } as const;
const below = { ...above, direction: 'atOrBelow' } as const;
const evidence = (changes: Partial<TriggerEvidence> = {}): TriggerEvidence => ({
  triggerId: 't', revision: 1, price: '50001', priceType: 'mark', source: 'paper', backup: false, origin: 'stream', extreme: null, level: '50000', atMs: 1, observedAtMs: 1, sequence: 1, scope: 's', epoch: 1, ...changes,
});

describe('a rule of a price', () => {
  test('waits for its level, and between two alerts for the way back', () => {
    expect(priceTriggerOf(above, 0)).toMatchObject({ kind: 'level', direction: 'atOrAbove', triggerPrice: '50000', priceType: 'mark' });
    expect(priceTriggerOf(above, 1)).toMatchObject({ direction: 'atOrBelow', triggerPrice: '49950' });
    expect(priceTriggerOf(below, 2)).toMatchObject({ direction: 'atOrBelow', triggerPrice: '50000' });
    expect(priceTriggerOf(below, 3)).toMatchObject({ direction: 'atOrAbove', triggerPrice: '50050' });
  });

  test('tells the level, not the way back; once is enough where it does not repeat', () => {
    const repeating = ruleOf({ kind: 'price', parameters: above });
    expect(afterFiring(repeating, 0, evidence())).toMatchObject({ next: 1, fact: { title: 'BTC-PERP is at or above 50000', body: 'The mark price at paper was 50001.' } });
    expect(afterFiring(repeating, 1, evidence())).toEqual({ next: 2, fact: null });
    const once = ruleOf({ kind: 'price', parameters: { ...below, repeats: false } });
    expect(afterFiring(once, 0, evidence({ origin: 'trades', price: '49999' }))).toMatchObject({ next: null, fact: { title: 'BTC-PERP is at or below 50000', body: 'The mark price at paper was 49999, found in what was traded while nobody watched.' } });
  });
});

describe('a rule of the distance to liquidation', () => {
  const long = { accountId: 'a1', accountName: 'main', venue: 'paper', symbol: 'BTC-PERP', quantity: '0.5', markPrice: '50000', liquidationPrice: '47500' };
  const short = { ...long, quantity: '-0.5', liquidationPrice: '52500' };

  test('is in percent of the mark, for both sides alike', () => {
    expect([long, short].map((position) => liquidationDistance(position).toFixed())).toEqual(['5', '5']);
    expect(liquidationDistance({ ...long, markPrice: '47500' }).toFixed()).toBe('0');
    expect(liquidationDistance({ ...short, markPrice: '53000' }).isNegative()).toBe(true);
  });

  test('is near at its level, and has left only a tenth beyond it', () => {
    expect([false, true].map((was) => isNear(was, decimal('5'), '5'))).toEqual([true, true]);
    expect([false, true].map((was) => isNear(was, decimal('5.2'), '5'))).toEqual([false, true]);
    expect([false, true].map((was) => isNear(was, decimal('5.51'), '5'))).toEqual([false, false]);
  });

  test('is told with both prices', () => {
    expect(liquidationFact(long, '6')).toMatchObject({ subject: 'liquidation/a1/BTC-PERP', title: 'BTC-PERP is 5 % from liquidation', body: 'Account main at paper holds 0.5: mark 50000, liquidation at 47500. You asked to be told at 6 %.' });
  });
});

describe('a rule of a day\'s loss', () => {
  const day = { accountId: 'a1', accountName: 'main', day: '2026-01-31' };
  test('speaks at the amount, once a day: the day is in its subject', () => {
    expect(lossFact({ ...day, dailyProfit: '-100' }, '100')).toMatchObject({ subject: 'loss/a1/2026-01-31', title: 'Account main has lost 100 today' });
  });
  test.each(['-99.99', '0', '250', null])('is silent at a profit of %s', (dailyProfit) => {
    expect(lossFact({ ...day, dailyProfit }, '100')).toBeNull();
  });
});
