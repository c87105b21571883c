import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText, sum, ZERO } from '../../../src/domain/decimal';
import { applyFill, FLAT_POSITION, type HeldPosition } from '../../../src/domain/position';
import { averagePrice, carriedTrip, foldTrip, profitOf, type RoundTrip, type TripFill } from '../../../src/domain/trade';

const AT = '2026-01-01T00:00:00.000Z';
const fill = (side: 'buy' | 'sell', quantity: string, price: string, fee = '0', realizedPnl = '0'): TripFill => ({ side, quantity, price, fee, realizedPnl, at: AT });

interface Books {
  held: HeldPosition;
  open: RoundTrip | null;
  readonly ended: RoundTrip[];
}

type Fold = typeof foldTrip;

/** The fills as the store books them: the position first tells what each realized. */
function book(fills: readonly Omit<TripFill, 'realizedPnl'>[], fold: Fold = foldTrip): Books {
  const books: Books = { held: FLAT_POSITION, open: null, ended: [] };
  for (const each of fills) {
    const { position, realizedPnl } = applyFill(books.held, { ...each, realizedPnl: null });
    const { ended, open } = fold(books.open, books.held, { ...each, realizedPnl });
    if (ended !== null) books.ended.push(ended);
    Object.assign(books, { held: position, open });
  }
  return books;
}

describe('a trade', () => {
  test('goes from flat to flat, with the averages of what went in and came out', () => {
    const { ended, open } = book([fill('buy', '2', '100', '0.2'), fill('buy', '1', '130', '0.1'), fill('sell', '1', '120', '0.1'), fill('sell', '2', '150', '0.3')]);
    expect(open).toBeNull();
    expect(ended).toHaveLength(1);
    const [trade] = ended;
    expect(trade).toMatchObject({ side: 'long', entryQuantity: '3', entryValue: '330', exitQuantity: '3', exitValue: '420', realizedPnl: '90', fees: '0.7', closedAt: AT, carriedIn: false });
    expect([averagePrice('3', '330'), averagePrice('3', '420'), trade && profitOf(trade)]).toEqual(['110', '140', '89.3']);
    expect(averagePrice('0', '0')).toBeNull();
  });

  test('that is crossed ends, and another begins with the rest of the fill and of its fee', () => {
    const { ended, open } = book([fill('buy', '1', '100'), fill('sell', '3', '110', '0.3')]);
    expect(ended).toMatchObject([{ side: 'long', exitQuantity: '1', exitValue: '110', realizedPnl: '10', fees: '0.1' }]);
    expect(open).toMatchObject({ side: 'short', entryQuantity: '2', entryValue: '220', fees: '0.2', realizedPnl: '0', closedAt: null });
  });

  test('of a position from before trades were kept is said to be carried in', () => {
    const held = { quantity: '-2', entryPrice: '50', openedAt: null };
    expect(foldTrip(null, held, fill('buy', '2', '40', '0.1', '20'))).toMatchObject({ open: null, ended: { side: 'short', entryQuantity: '2', entryValue: '100', exitValue: '80', realizedPnl: '20', carriedIn: true, openedAt: AT } });
    expect(carriedTrip({ ...held, entryPrice: null, openedAt: '2025-01-01T00:00:00.000Z' }, AT)).toMatchObject({ entryValue: '0', openedAt: '2025-01-01T00:00:00.000Z' });
  });

  test('takes a venue\'s figure for what it realized, also on an entry', () => {
    const first = foldTrip(null, { quantity: '0', entryPrice: null, openedAt: null }, fill('buy', '1', '10'));
    expect(foldTrip(first.open, { quantity: '1', entryPrice: '10', openedAt: AT }, fill('buy', '1', '12', '0', '-0.01')).open).toMatchObject({ entryQuantity: '2', realizedPnl: '-0.01' });
  });
});

const fills = fc.array(
  fc.record({ side: fc.constantFrom('buy' as const, 'sell' as const), quantity: fc.integer({ min: 1, max: 50 }).map((n) => decimalText(decimal(String(n)).dividedBy(10))), price: fc.integer({ min: 1, max: 5_000 }).map((n) => decimalText(decimal(String(n)).dividedBy(100))), fee: fc.integer({ min: -50, max: 100 }).map((n) => decimalText(decimal(String(n)).dividedBy(1_000))), at: fc.constant(AT) }),
  { minLength: 1, maxLength: 40 },
);

/** Quantities, money and fees of the round trips are those of the fills; nothing is counted twice or lost. */
function addsUp(fold: Fold): fc.IPropertyWithHooks<[Omit<TripFill, 'realizedPnl'>[]]> {
  return fc.property(fills, (list) => {
    const { ended, open, held } = book(list, fold);
    const trips = open === null ? ended : [...ended, open];
    const over = (field: 'fees' | 'realizedPnl' | 'entryQuantity' | 'exitQuantity' | 'entryValue' | 'exitValue') => sum(trips.map((trip) => decimal(trip[field])));
    const total = sum(list.map(({ quantity }) => decimal(quantity)));
    const value = sum(list.map(({ quantity, price }) => decimal(quantity).times(decimal(price))));
    const same = [
      over('fees').equals(sum(list.map(({ fee }) => decimal(fee)))),
      over('entryQuantity').plus(over('exitQuantity')).equals(total),
      over('entryValue').plus(over('exitValue')).equals(value),
      over('realizedPnl').equals(decimal(held.realizedPnl)),
      ended.every((trip) => trip.entryQuantity === trip.exitQuantity && trip.closedAt !== null),
      (open === null ? ZERO : decimal(open.entryQuantity).minus(decimal(open.exitQuantity))).equals(decimal(held.quantity).abs()),
      // What a round trip realized is what came out less what went in, whichever way: to the digits an average keeps.
      ended.every((trip) => decimal(trip.exitValue).minus(decimal(trip.entryValue)).times(trip.side === 'long' ? 1 : -1).minus(decimal(trip.realizedPnl)).abs().lessThan('1e-20')),
    ];
    return same.every((holds) => holds);
  });
}

describe('over any fills', () => {
  test('the trades add up to them', () => fc.assert(addsUp(foldTrip), { numRuns: 1_000 }));

  test('a trade that takes the whole fee when it is crossed is found out', () => {
    const planted: Fold = (open, held, each) => {
      const step = foldTrip(open, held, each);
      return step.ended !== null && step.open !== null ? { ...step, ended: { ...step.ended, fees: decimalText(decimal(step.ended.fees).plus(decimal(step.open.fees))) } } : step;
    };
    expect(fc.check(addsUp(planted), { numRuns: 1_000, seed: 1 }).failed).toBe(true);
  });
});
