/**
 * What happened while nobody watched, told to the triggers that waited. From trades in their order; where those do not reach back far
 * enough, from candles, whose extremes are taken in the order that protects the holder: first the one a trailing trigger follows, then
 * the one that fires it.
 */
import { decimalText } from '../../domain/decimal';
import type { Candle, PublicTrade } from '../../domain/market';
import { evaluate, type PriceOrigin, type Trigger, type TriggerDirection } from '../../domain/trigger';
import { TriggerIndex } from './trigger-index';

/** A price of the past. `fromMs`: from when on it may have been, by the venue's clock; a candle's extremes may be of its first moment. */
interface PastPrice {
  readonly price: string;
  readonly fromMs: number;
  readonly atMs: number;
}

export interface History {
  readonly origin: Exclude<PriceOrigin, 'stream'>;
  /** In their order, oldest first; the one before the time that was asked for tells which price stood then. */
  readonly trades: readonly PublicTrade[];
  readonly candles: readonly Candle[];
  readonly candleMs: number;
  /** It tells everything up to then, by the venue's clock. */
  readonly untilMs: number;
}

export interface CaughtUp {
  /** With the price that fired them. */
  readonly fired: readonly { readonly trigger: Trigger; readonly level: string; readonly extreme: string | null; readonly price: string; readonly atMs: number }[];
  /** The others, with what they have seen by now. */
  readonly armed: readonly Trigger[];
}

/** `sinceMs`: from when on a trigger has missed prices, by the venue's clock. Triggers of one market that look at its last price. */
export function catchUp(triggers: readonly Trigger[], history: History, sinceMs: (trigger: Trigger) => number): CaughtUp {
  const parts = (['atOrAbove', 'atOrBelow'] as const).map((direction) => one(triggers.filter(({ parameters }) => parameters.direction === direction), pricesOf(history, direction), sinceMs));
  return { fired: parts.flatMap(({ fired }) => fired), armed: parts.flatMap(({ armed }) => armed) };
}

/** Oldest first. Where a candle goes beyond what a trigger could have seen of it, only its close counts for that trigger. */
export function pricesOf({ trades, candles, candleMs, origin }: History, direction: TriggerDirection): readonly PastPrice[] {
  if (origin === 'trades') return trades.map(({ price, at }) => ({ price, fromMs: at, atMs: at }));
  return candles.flatMap(({ at, open, high, low, close }) => {
    const end = at + candleMs;
    const extremes = direction === 'atOrBelow' ? [open, high, low] : [open, low, high];
    return [...extremes.map((price) => ({ price, fromMs: at, atMs: end })), { price: close, fromMs: end, atMs: end }];
  });
}

function one(triggers: readonly Trigger[], prices: readonly PastPrice[], sinceMs: (trigger: Trigger) => number): CaughtUp {
  const fired: CaughtUp['fired'][number][] = [];
  const symbol = triggers[0]?.symbol ?? '';
  const armed: Trigger[] = [];
  const index = new TriggerIndex();
  // Those that only look at the present price follow the past too, but it fires none of them.
  const [current, traded] = [triggers.filter(({ parameters }) => parameters.gapPolicy === 'current'), triggers.filter(({ parameters }) => parameters.gapPolicy === 'traded')];
  const waiting = [...traded].sort((a, b) => sinceMs(a) - sinceMs(b));
  let next = 0;
  let before: PastPrice | null = null;
  for (const past of prices) {
    const { price, fromMs, atMs } = past;
    for (let trigger = waiting[next]; trigger !== undefined && sinceMs(trigger) <= fromMs; trigger = waiting[next]) {
      index.arm(begun(trigger, before, sinceMs(trigger)));
      next += 1;
    }
    before = past;
    for (const { trigger, level, extreme } of index.tick(symbol, 'last', price)) fired.push({ trigger, level: decimalText(level), extreme: extreme === null ? null : decimalText(extreme), price, atMs });
  }
  for (const trigger of waiting.slice(next)) armed.push(begun(trigger, before, sinceMs(trigger)));
  for (const trigger of index.all()) armed.push({ ...trigger, extreme: index.extremeOf(trigger.id) ?? trigger.extreme });
  for (const trigger of current) {
    const since = sinceMs(trigger);
    const seen = prices.filter(({ fromMs }) => fromMs >= since);
    const { extreme: first } = begun(trigger, prices.findLast(({ fromMs }) => fromMs < since) ?? null, since);
    armed.push({ ...trigger, extreme: seen.reduce<string | null>((extreme, { price }) => evaluate(trigger.parameters, extreme, price).extreme, first) });
  }
  return { fired, armed };
}

/** A trailing one that has seen nothing begins at the price that stood then; within a candle that is not known. */
function begun(trigger: Trigger, before: PastPrice | null, sinceMs: number): Trigger {
  if (trigger.extreme !== null || before === null || before.atMs > sinceMs) return trigger;
  return { ...trigger, extreme: evaluate(trigger.parameters, null, before.price).extreme };
}
