/** Outages in recorded markets: who comes back and reads what was traded meanwhile ends as who was never away. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Candle, PublicTrade } from '../../../src/domain/market';
import { decimal } from '../../../src/domain/decimal';
import { evaluate, type Trigger, type TriggerDirection, type TriggerParameters } from '../../../src/domain/trigger';
import { catchUp, type History } from '../../../src/streams/triggers/trigger-catch-up';
import { TriggerIndex } from '../../../src/streams/triggers/trigger-index';
import { arrayTrades, csvCandles, csvTrades, describeWith } from '../simulator/recorded-files';
import { NaiveTriggers, triggerNamed } from './naive-triggers';

const OUTAGES = 200;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

const trail = (direction: TriggerDirection, offset: string, type: 'bps' | 'percent' | 'price', activationPrice: string | null = null): TriggerParameters => ({ kind: 'trailing', priceType: 'last', direction, triggerPrice: null, trailingOffset: offset, trailingOffsetType: type, activationPrice, gapPolicy: 'traded' });
const stop = (direction: TriggerDirection, triggerPrice: string): TriggerParameters => ({ kind: 'level', priceType: 'last', direction, triggerPrice, trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: 'traded' });

/** Trails near and far, both ways, in each unit, and levels around the first price. */
function triggersAround(first: string): readonly Trigger[] {
  const near = (bps: number): string => decimal(first).times(decimal(String(10_000 + bps))).dividedBy(decimal('10000')).toFixed();
  const parameters = (['atOrAbove', 'atOrBelow'] as const).flatMap((direction) => [
    ...['5', '20', '75', '300', '1200'].map((offset) => trail(direction, offset, 'bps')), trail(direction, '2.5', 'percent'), trail(direction, decimal(first).dividedBy(decimal('250')).toFixed(), 'price'),
    trail(direction, '30', 'bps', near(direction === 'atOrBelow' ? 40 : -40)), ...[20, 90, 400].map((bps) => stop(direction, near(direction === 'atOrAbove' ? bps : -bps))),
  ]);
  return parameters.map((given, n) => triggerNamed(`t${n}`, given));
}

/** Where each trigger fired, and from what; those that did not, with their extreme. */
type Ending = ReadonlyMap<string, string>;

const ended = (fired: readonly { readonly id: string; readonly price: string; readonly level: string; readonly extreme: string | null }[], left: readonly { readonly id: string; readonly extreme: string | null }[]): Ending =>
  new Map([...fired.map(({ id, price, level, extreme }) => [id, `fired at ${price} from ${extreme ?? ''} at ${level}`] as const), ...left.map(({ id, extreme }) => [id, `waits at ${extreme ?? ''}`] as const)].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Never away: every trigger looked at on every price. */
function neverAway(triggers: readonly Trigger[], prices: (direction: TriggerDirection) => readonly string[]): Ending {
  const fired: { id: string; price: string; level: string; extreme: string | null }[] = [];
  const left: { id: string; extreme: string | null }[] = [];
  for (const { id, parameters } of triggers) {
    let extreme: string | null = null;
    let reached: { readonly price: string; readonly level: string; readonly extreme: string | null } | null = null;
    for (const price of prices(parameters.direction)) {
      const next = evaluate(parameters, extreme, price);
      if (next.reached !== null) {
        reached = { price, ...next.reached };
        break;
      }
      extreme = next.extreme;
    }
    if (reached === null) left.push({ id, extreme });
    else fired.push({ id, ...reached });
  }
  return ended(fired, left);
}

/** Away from the n-th price or candle to the m-th, with what was seen before it and what the venue tells after it. */
function away<Item>(triggers: readonly Trigger[], items: readonly Item[], from: number, to: number, live: (index: TriggerIndex, item: Item) => { readonly id: string; readonly price: string; readonly level: string; readonly extreme: string | null }[], history: (missed: readonly Item[]) => History): Ending {
  const fired: { id: string; price: string; level: string; extreme: string | null }[] = [];
  const before = new TriggerIndex();
  for (const trigger of triggers) before.arm(trigger);
  for (const item of items.slice(0, from)) fired.push(...live(before, item));
  const kept = [...before.all()].map((trigger) => ({ ...trigger, extreme: before.extremeOf(trigger.id) }));
  const caughtUp = catchUp(kept, history(items.slice(from, to)), () => from);
  fired.push(...caughtUp.fired.map(({ trigger, price, level, extreme }) => ({ id: trigger.id, price, level, extreme })));
  const after = new TriggerIndex();
  for (const trigger of caughtUp.armed) after.arm(trigger);
  for (const item of items.slice(to)) fired.push(...live(after, item));
  return ended(fired, [...after.all()].map(({ id }) => ({ id, extreme: after.extremeOf(id) })));
}

const tick = (index: TriggerIndex, price: string) => index.tick('BTC-PERP', 'last', price).map(({ trigger, level, extreme }) => ({ id: trigger.id, price, level: level.toFixed(), extreme: extreme?.toFixed() ?? null }));

/** Trades a second apart, numbered by their place: outages are cut there. */
function throughTrades(prices: readonly string[]): void {
  const triggers = triggersAround(prices[0] ?? '1');
  const truth = neverAway(triggers, () => prices);
  const trades = prices.map((price, n): PublicTrade => ({ id: String(n), price, quantity: '1', side: 'buy', at: n }));
  fc.assert(
    fc.property(fc.nat(prices.length), fc.nat(prices.length), (a, b) => {
      const history = (missed: readonly PublicTrade[]): History => ({ origin: 'trades', trades: missed, candles: [], candleMs: 0, untilMs: Math.max(a, b) });
      expect(away(triggers, trades, Math.min(a, b), Math.max(a, b), (index, { price }) => tick(index, price), history)).toEqual(truth);
    }),
    { numRuns: OUTAGES },
  );
}

/** One market seen by each direction: the order inside a candle that protects the holder differs. */
function throughCandles(candles: readonly Candle[]): void {
  const order = (direction: TriggerDirection, { open, high, low, close }: Candle): string[] => (direction === 'atOrBelow' ? [open, high, low, close] : [open, low, high, close]);
  for (const direction of ['atOrAbove', 'atOrBelow'] as const) {
    const triggers = triggersAround(candles[0]?.open ?? '1').filter(({ parameters }) => parameters.direction === direction);
    const truth = neverAway(triggers, () => candles.flatMap((candle) => order(direction, candle)));
    fc.assert(
      fc.property(fc.nat(candles.length), fc.nat(candles.length), (a, b) => {
        const history = (missed: readonly Candle[]): History => ({ origin: 'candles', trades: [], candles: missed, candleMs: MINUTE_MS, untilMs: 0 });
        expect(away(triggers, candles, Math.min(a, b), Math.max(a, b), (index, candle) => order(direction, candle).flatMap((price) => tick(index, price)), history)).toEqual(truth);
      }),
      { numRuns: OUTAGES / 2 },
    );
  }
}

const asCandles = (rows: readonly Omit<Candle, 'at'>[]): Candle[] => rows.map((row, n) => ({ ...row, at: n * MINUTE_MS + SECOND_MS }));

/** A walk of small and large steps, for where the recordings are absent. */
function walk(length: number): string[] {
  const prices = [10_000];
  for (let n = 1; n < length; n += 1) prices.push((prices[n - 1] ?? 0) + Math.round(Math.sin(n * 12.9898) * 43) + (n % 97 === 0 ? -180 : 0) + (n % 89 === 0 ? 190 : 0));
  return prices.map((price) => (price / 100).toFixed(2));
}

describe('a generated market', () => {
  const prices = walk(600);
  test('through 200 outages, by its trades', () => throughTrades(prices));
  test('through 200 outages, by its candles', () => {
    const candles = Array.from({ length: 40 }, (_, n) => prices.slice(n * 15, n * 15 + 15)).map((part) => ({ open: part[0] ?? '', close: part.at(-1) ?? '', high: part.reduce((a, b) => (Number(a) >= Number(b) ? a : b)), low: part.reduce((a, b) => (Number(a) <= Number(b) ? a : b)), volume: '1' }));
    throughCandles(asCandles(candles));
  });

  test('and an outage that is not read back ends otherwise', () => {
    const triggers = triggersAround(prices[0] ?? '1');
    const blind = away(triggers, prices, 5, prices.length - 5, tick, () => ({ origin: 'trades', trades: [], candles: [], candleMs: 0, untilMs: 0 }));
    expect(blind).not.toEqual(neverAway(triggers, () => prices));
  });
});

describeWith('xrp-eth-trades-2019-10.json.gz', 'recorded trades of XRP/ETH', (path) => {
  test('through 200 outages', () => throughTrades(arrayTrades(path).map(({ price }) => decimal(price).toFixed()).slice(0, 600)));
});

describeWith('binance-ethusdt-trades-2023-02-02.csv.gz', 'recorded trades of ETHUSDT', (path) => {
  test('through 200 outages', () => throughTrades(csvTrades(path).map(({ price }) => price).slice(0, 600)));
});

describeWith('btc-perp-1m-2022-01.csv.gz', 'recorded candles of a BTC perpetual', (path) => {
  test('through 200 outages', () => throughCandles(asCandles(csvCandles(path).slice(5_000, 5_150))));

  test('trails over the whole month fire where the loop over every trigger says', () => {
    const prices = csvCandles(path).map(({ close }) => close);
    const [index, naive] = [new TriggerIndex(), new NaiveTriggers()];
    // Armed all over the month, so that their extremes differ.
    prices.forEach((price, n) => {
      if (n % 6_000 === 0) for (const { id, parameters } of triggersAround(price)) {
        const trigger = triggerNamed(`${n}/${id}`, parameters);
        index.arm(trigger);
        naive.arm(trigger);
      }
      const [fired, expected] = [index.tick('BTC-PERP', 'last', price), naive.tick('BTC-PERP', 'last', price)];
      if (fired.length === 0 && expected.length === 0) return;
      expect(fired.map(({ trigger, level, extreme }) => [trigger.id, level.toFixed(), extreme?.toFixed() ?? null].join()).sort()).toEqual(expected.map(({ id, level, extreme }) => [id, level, extreme].join()).sort());
    });
    expect(index.size).toBe(naive.ids.length);
  });
});

describe('what happened before a trigger waited', () => {
  const armedAt = (ms: number): Trigger => triggerNamed('late', stop('atOrBelow', '90'), { checkpointAtMs: ms });
  const history: History = { origin: 'trades', trades: [['89', 5], ['100', 10], ['95', 15]].map(([price, at]) => ({ id: String(at), price: String(price), quantity: '1', side: 'sell', at: Number(at) })), candles: [], candleMs: 0, untilMs: 15 };

  test('fires nothing: trades', () => {
    expect(catchUp([armedAt(6)], history, ({ checkpointAtMs }) => checkpointAtMs).fired).toEqual([]);
    expect(catchUp([armedAt(5)], history, ({ checkpointAtMs }) => checkpointAtMs).fired).toMatchObject([{ price: '89', atMs: 5 }]);
  });

  test('fires nothing: of the candle it was armed in only the close counts', () => {
    const candles: History = { ...history, origin: 'candles', trades: [], candleMs: 60, candles: [{ at: 0, open: '100', high: '101', low: '80', close: '95', volume: '1' }, { at: 60, open: '95', high: '96', low: '94', close: '94', volume: '1' }] };
    expect(catchUp([armedAt(6)], candles, ({ checkpointAtMs }) => checkpointAtMs).fired).toEqual([]);
    expect(catchUp([armedAt(0)], candles, ({ checkpointAtMs }) => checkpointAtMs).fired).toMatchObject([{ price: '80' }]);
  });

  test('and one that looks at the present only is not fired by the past, but follows it', () => {
    const current = triggerNamed('current', { ...trail('atOrBelow', '1', 'price'), gapPolicy: 'current' });
    expect(catchUp([current], history, () => 0)).toMatchObject({ fired: [], armed: [{ id: 'current', extreme: '100' }] });
  });
});
