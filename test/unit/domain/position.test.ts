import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, sum, ZERO } from '../../../src/domain/decimal';
import { applyFill, FLAT_POSITION, signedQuantity, unrealizedPnl, type HeldPosition, type PositionFill } from '../../../src/domain/position';

const fill = (side: 'buy' | 'sell', quantity: string, price: string, realizedPnl: string | null = null): PositionFill => ({ side, quantity, price, realizedPnl, at: '2026-01-01T00:00:00.000Z' });
const after = (...fills: PositionFill[]): HeldPosition => fills.reduce((position, each) => applyFill(position, each).position, FLAT_POSITION);

describe('a position', () => {
  test('averages its entry as it grows', () => {
    expect(after(fill('buy', '1', '100'), fill('buy', '3', '200'))).toMatchObject({ quantity: '4', entryPrice: '175', realizedPnl: '0' });
  });

  test('realizes profit as it shrinks, and keeps its entry', () => {
    expect(after(fill('buy', '4', '100'), fill('sell', '1', '110'))).toMatchObject({ quantity: '3', entryPrice: '100', realizedPnl: '10' });
  });

  test('of a short gains when the price falls', () => {
    expect(after(fill('sell', '2', '100'), fill('buy', '2', '90'))).toMatchObject({ quantity: '0', entryPrice: null, realizedPnl: '20', closedAt: '2026-01-01T00:00:00.000Z' });
  });

  test('that crosses zero closes the old side and opens the new one at the fill', () => {
    expect(after(fill('buy', '1', '100'), fill('sell', '3', '120'))).toMatchObject({ quantity: '-2', entryPrice: '120', realizedPnl: '20', closedAt: null });
  });

  test('takes the venue\'s realized profit over its own', () => {
    expect(after(fill('buy', '1', '100'), fill('sell', '1', '120', '19.5')).realizedPnl).toBe('19.5');
  });

  test('has an unrealized profit only with a mark and an entry', () => {
    expect(unrealizedPnl(after(fill('sell', '2', '100')), '90')).toBe('20');
    expect(unrealizedPnl(FLAT_POSITION, '90')).toBeNull();
    expect(unrealizedPnl(after(fill('buy', '1', '100')), null)).toBeNull();
  });
});

const fills = fc.array(
  fc.record({ side: fc.constantFrom('buy' as const, 'sell' as const), quantity: fc.integer({ min: 1, max: 50 }), price: fc.integer({ min: 1, max: 500 }) }).map(({ side, quantity, price }) => fill(side, String(quantity), String(price))),
  { minLength: 1, maxLength: 30 },
);

type Apply = typeof applyFill;

/** Cash in and out plus the value held at any mark = what was realized plus what is not: nothing is lost between fills. */
function conserves(apply: Apply): void {
  fc.assert(
    fc.property(fills, fc.integer({ min: 1, max: 500 }), (list, mark) => {
      const position = list.reduce((held, each) => apply(held, each).position, FLAT_POSITION);
      const cash = sum(list.map((each) => signedQuantity(each.side, each.quantity).times(decimal(each.price)).negated()));
      const total = cash.plus(decimal(position.quantity).times(mark));
      const told = decimal(position.realizedPnl).plus(decimal(unrealizedPnl(position, String(mark)) ?? ZERO));
      expect(told.minus(total).abs().lessThan('0.00000001')).toBe(true);
      expect(position.quantity).toBe(sum(list.map((each) => signedQuantity(each.side, each.quantity))).toFixed());
    }),
    { numRuns: 1_000 },
  );
}

describe('over any fills', () => {
  test('profit and holdings add up to the cash that moved', () => conserves(applyFill));

  test('a position that forgets to close its old side before it crosses is found out', () => {
    const planted: Apply = (position, each) => {
      const crossed = decimal(position.quantity).times(signedQuantity(each.side, each.quantity)).isNegative() && decimal(each.quantity).greaterThan(decimal(position.quantity).abs());
      const right = applyFill(position, each);
      return crossed ? { ...right, position: { ...right.position, realizedPnl: position.realizedPnl } } : right;
    };
    expect(() => conserves(planted)).toThrow(/seed/);
  });
});
