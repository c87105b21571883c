/**
 * A spike of the past is no better than one of now. Trades are judged as live prices are. Of a candle, open and close are judged so too;
 * its high and low count where the market was near them before or after: at its own open or close, or in the candle beside it. What nothing
 * confirms is cut back to the candle's body. So of a dip that came and went within one candle, further than the band, nothing fires.
 */
import { decimal, maxOf, minOf, type Decimal } from '../../domain/decimal';
import type { Candle } from '../../domain/market';
import { isWithin, PriceGuard, type PriceRules } from './price-guard';
import type { History } from '../triggers/trigger-catch-up';

export function believed(history: History, rules: PriceRules): History {
  const guard = new PriceGuard(rules);
  const counts = (price: string, atMs: number): boolean => guard.judge('last', price, atMs, 0) === 'counts';
  if (history.origin === 'trades') return { ...history, trades: history.trades.filter(({ price, at }) => counts(price, at)) };
  const bodies = history.candles.map(({ at, open, close }) => [open, close].filter((price, n) => counts(price, at + n * history.candleMs)));
  return { ...history, candles: history.candles.flatMap((candle, n) => cut(candle, bodies[n] ?? [], [history.candles[n - 1], history.candles[n + 1]], rules)) };
}

/** Nothing where neither its open nor its close counts. */
function cut(candle: Candle, body: readonly string[], beside: readonly (Candle | undefined)[], { bandBps }: PriceRules): readonly Candle[] {
  const [first] = body;
  const last = body.at(-1);
  if (first === undefined || last === undefined) return [];
  const [one, other] = [decimal(first), decimal(last)];
  const extreme = (side: 'high' | 'low', ofBody: Decimal): string => {
    const price = decimal(candle[side]);
    const others = [one, other, ...beside.flatMap((near) => (near === undefined ? [] : [decimal(near[side])]))];
    return price.greaterThan(0) && others.some((reference) => isWithin(price, reference, bandBps)) ? candle[side] : ofBody.toFixed();
  };
  return [{ ...candle, open: first, close: last, high: extreme('high', maxOf(one, other)), low: extreme('low', minOf(one, other)) }];
}
