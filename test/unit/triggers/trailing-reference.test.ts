/** Trails over whole recordings against a reference that shares nothing with them: whole numbers, one trail at a time. */
import { expect, test } from '@jest/globals';
import type { TriggerDirection, TriggerParameters } from '../../../src/domain/trigger';
import { TriggerIndex } from '../../../src/streams/triggers/trigger-index';
import { arrayTrades, csvCandles, csvTrades, describeWith } from '../simulator/recorded-files';
import { triggerNamed } from './naive-triggers';

/** Prices and offsets as whole numbers of 10^-PLACES: exact, for a recorded price has fewer places, also times a part of the whole. */
const PLACES = 24;

interface Trail {
  readonly id: string;
  readonly direction: TriggerDirection;
  readonly offset: string;
  readonly unit: 'price' | 'bps' | 'percent';
  readonly activation: string | null;
}

function whole(text: string): bigint {
  const [units = '', part = ''] = text.split('.');
  if (!/^\d+$/.test(units) || part.length > PLACES) throw new Error(`${text} is no such price`);
  return BigInt(units + part.padEnd(PLACES, '0'));
}

const ONE = 10n ** BigInt(PLACES);
const WHOLE = { bps: 10_000n, percent: 100n } as const;

class Reference {
  private readonly sign: bigint;
  private readonly offset: bigint;
  private readonly activation: bigint | null;
  private extreme: bigint | null = null;

  constructor(readonly trail: Trail) {
    // A trail above is one below in a mirror.
    this.sign = trail.direction === 'atOrBelow' ? 1n : -1n;
    this.offset = whole(trail.offset);
    this.activation = trail.activation === null ? null : whole(trail.activation);
  }

  /** Whether this price fires it. */
  hear(price: bigint): boolean {
    const { sign, offset, extreme, activation } = this;
    if (extreme === null) {
      if (activation === null || sign * price >= sign * activation) this.extreme = price;
      return false;
    }
    const back = sign * (extreme - price);
    if (back < 0n) {
      this.extreme = price;
      return false;
    }
    const { unit } = this.trail;
    return unit === 'price' ? back >= offset : back * WHOLE[unit] * ONE >= extreme * offset;
  }
}

const parametersOf = ({ direction, offset, unit, activation }: Trail): TriggerParameters => ({ kind: 'trailing', priceType: 'last', direction, triggerPrice: null, trailingOffset: offset, trailingOffsetType: unit, activationPrice: activation, gapPolicy: 'traded' });

/** Near and far, in each unit, both ways, some from a price on. */
function trailsAt(n: number, price: string): readonly Trail[] {
  const [units = '', part = ''] = price.split('.');
  const tick = part === '' ? '1' : `0.${'1'.padStart(part.length, '0')}`;
  const offsets = [['10', 'bps'], ['37.5', 'bps'], ['2', 'percent'], ['0.4', 'percent'], ['9', 'percent'], [tick, 'price'], [units === '0' ? `0.00${part.slice(0, 3) || '1'}1` : `${Math.ceil(Number(units) / 80)}.5`, 'price']] as const;
  return (['atOrBelow', 'atOrAbove'] as const).flatMap((direction) => [null, price].flatMap((activation) => offsets.map(([offset, unit], at) => ({ id: `${n}/${direction}/${activation ?? ''}/${at}`, direction, offset, unit, activation }))));
}

/** What fires of each, in order, by the price's place. New trails are armed now and then, so that their extremes differ. */
function firings(prices: readonly string[], every: number, index: Pick<TriggerIndex, 'arm' | 'tick'> = new TriggerIndex()): { readonly seen: readonly string[]; readonly expected: readonly string[] } {
  const waiting = new Set<Reference>();
  const [seen, expected]: [string[], string[]] = [[], []];
  prices.forEach((price, n) => {
    if (n % every === 0) {
      for (const trail of trailsAt(n, price)) {
        waiting.add(new Reference(trail));
        index.arm(triggerNamed(trail.id, parametersOf(trail)));
      }
    }
    seen.push(...index.tick('BTC-PERP', 'last', price).map(({ trigger }) => `${trigger.id} at ${n}`).sort());
    const heard = whole(price);
    const fired = [...waiting].filter((reference) => reference.hear(heard));
    for (const reference of fired) waiting.delete(reference);
    expected.push(...fired.map(({ trail }) => `${trail.id} at ${n}`).sort());
  });
  return { seen, expected };
}

function agree(prices: readonly string[], every: number): void {
  const { seen, expected } = firings(prices, every);
  expect(seen.length).toBeGreaterThan(50);
  expect(seen).toEqual(expected);
}

/** An index whose offsets of 10 basis points are a hair too small. */
function hasty(): Pick<TriggerIndex, 'arm' | 'tick'> {
  const index = new TriggerIndex();
  const cut = (parameters: TriggerParameters): TriggerParameters => (parameters.trailingOffset === '10' && parameters.trailingOffsetType === 'bps' ? { ...parameters, trailingOffset: '9.99' } : parameters);
  return { arm: (trigger) => index.arm({ ...trigger, parameters: cut(trigger.parameters) }), tick: (...given) => index.tick(...given) };
}

const inside = ({ open, high, low, close }: { readonly open: string; readonly high: string; readonly low: string; readonly close: string }): string[] => [open, high, low, close];

describeWith('xrp-eth-trades-2019-10.json.gz', 'trails over all recorded trades of XRP/ETH', (path) => {
  test('fire where whole numbers say', () => agree(arrayTrades(path).map(({ price }) => price), 1_000));
});
describeWith('binance-ethusdt-trades-2023-02-02.csv.gz', 'trails over all recorded trades of ETHUSDT', (path) => {
  test('fire where whole numbers say', () => agree(csvTrades(path).map(({ price }) => price), 50));
});
describeWith('btc-perp-1m-2022-01.csv.gz', 'trails over a recorded month of a BTC perpetual', (path) => {
  test('fire where whole numbers say', () => agree(csvCandles(path).flatMap(inside), 20_000));

  test('and whoever is a hair off is found', () => {
    const { seen, expected } = firings(csvCandles(path).slice(0, 5_000).flatMap(inside), 100, hasty());
    expect(seen).not.toEqual(expected);
  });
});
