/** S24, of the past: a price that spiked while nobody watched fires nothing, in trades and in candles alike. */
import { describe, expect, test } from '@jest/globals';
import type { Candle } from '../../../src/domain/market';
import type { TriggerParameters } from '../../../src/domain/trigger';
import { believed } from '../../../src/streams/prices/believed-history';
import { catchUp, type History } from '../../../src/streams/triggers/trigger-catch-up';
import { triggerNamed } from './naive-triggers';

const RULES = { bandBps: 1_000, confirmMs: 500, staleMs: 10_000 };
const MINUTE_MS = 60_000;

const candle = (n: number, open: string, high: string, low: string, close: string): Candle => ({ at: n * MINUTE_MS, open, high, low, close, volume: '1' });
const quiet = (n: number): Candle => candle(n, '100', '101', '99', '100');
const history = (...candles: readonly Candle[]): History => ({ origin: 'candles', trades: [], candles, candleMs: MINUTE_MS, untilMs: candles.length * MINUTE_MS });

const stop: TriggerParameters = { kind: 'level', priceType: 'last', direction: 'atOrBelow', triggerPrice: '80', trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: 'traded' };
const trail: TriggerParameters = { ...stop, kind: 'trailing', triggerPrice: null, trailingOffset: '15', trailingOffsetType: 'percent' };

function fired(past: History): readonly string[] {
  return catchUp([triggerNamed('stop', stop), triggerNamed('trail', trail)], believed(past, RULES), () => 0).fired.map(({ trigger, price }) => `${trigger.id} at ${price}`).sort();
}

describe('candles', () => {
  test.each<[string, History]>([
    ['a low that came and went within one', history(quiet(0), candle(1, '100', '101', '50', '100'), quiet(2))],
    ['a high that came and went within one', history(quiet(0), candle(1, '100', '190', '99', '100'), quiet(2))],
    ['a close that the next open takes back', history(quiet(0), candle(1, '100', '101', '50', '50'), quiet(2))],
    ['an open that its close takes back', history(quiet(0), candle(1, '50', '101', '50', '100'), quiet(2))],
  ])('fire nothing by %s', (_, past) => {
    expect(fired(past)).toEqual([]);
  });

  test('fire by a low that the market stayed at, or that the candle beside it saw as well', () => {
    expect(fired(history(quiet(0), candle(1, '100', '101', '78', '79'), candle(2, '79', '80', '78', '79')))).toEqual(['stop at 78', 'trail at 78']);
    expect(fired(history(quiet(0), candle(1, '100', '101', '70', '95'), candle(2, '95', '96', '72', '95')))).toEqual(['stop at 70', 'trail at 70']);
  });

  test('within the band are as they were', () => {
    const past = history(quiet(0), candle(1, '100', '108', '92', '95'), candle(2, '95', '96', '91', '92'));
    expect(believed(past, RULES)).toEqual(past);
  });
});

test('trades fire nothing by a spike, and fire by what stands', () => {
  const trades = (...list: readonly (readonly [string, number])[]): History => ({ origin: 'trades', candles: [], candleMs: 0, untilMs: 0, trades: list.map(([price, at]) => ({ id: String(at), price, quantity: '1', side: 'sell', at })) });
  expect(fired(trades(['100', 0], ['50', 100], ['100', 200]))).toEqual([]);
  expect(fired(trades(['100', 0], ['79', 100], ['79', 700]))).toEqual(['stop at 79', 'trail at 79']);
});
