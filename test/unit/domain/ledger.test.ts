import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText, sum } from '../../../src/domain/decimal';
import { fillPostings, fundingPostings, isBalanced, transferPostings, type LedgerFill, type LedgerMarket, type Posting } from '../../../src/domain/ledger';
import { applyFill, FLAT_POSITION, type HeldPosition } from '../../../src/domain/position';

const PERPETUAL: LedgerMarket = { base: 'BTC', quote: 'USDC', kind: 'perpetual' };
const SPOT: LedgerMarket = { base: 'BTC', quote: 'USDT', kind: 'spot' };
const AT = '2026-01-01T00:00:00.000Z';
const sell: LedgerFill = { side: 'sell', price: '110', quantity: '2', fee: '0.5', feeAsset: 'USDC' };

describe('what a fact posts', () => {
  test('of a perpetual\'s fill is the profit and the fee', () => {
    expect(fillPostings(sell, PERPETUAL, '20')).toEqual([
      { book: 'realizedProfit', asset: 'USDC', amount: '-20' },
      { book: 'cash', asset: 'USDC', amount: '19.5' },
      { book: 'fees', asset: 'USDC', amount: '0.5' },
    ]);
    expect(fillPostings({ ...sell, fee: '0' }, PERPETUAL, '0')).toEqual([]);
  });

  test('of a spot fill is the goods and the money, and the profit out of what they had cost', () => {
    expect(fillPostings({ ...sell, feeAsset: 'BNB' }, SPOT, '20')).toEqual([
      { book: 'trading', asset: 'BTC', amount: '2' },
      { book: 'cash', asset: 'BTC', amount: '-2' },
      { book: 'cash', asset: 'USDT', amount: '220' },
      { book: 'trading', asset: 'USDT', amount: '-200' },
      { book: 'realizedProfit', asset: 'USDT', amount: '-20' },
      { book: 'cash', asset: 'BNB', amount: '-0.5' },
      { book: 'fees', asset: 'BNB', amount: '0.5' },
    ]);
  });

  test('of funding and transfers is what the balance changed by', () => {
    expect(fundingPostings('USDC', '-1.5')).toEqual([{ book: 'funding', asset: 'USDC', amount: '1.5' }, { book: 'cash', asset: 'USDC', amount: '-1.5' }]);
    expect(transferPostings('USDC', '100')).toEqual([{ book: 'transfers', asset: 'USDC', amount: '-100' }, { book: 'cash', asset: 'USDC', amount: '100' }]);
  });

  test('is not balanced when one line is missing, or in another asset', () => {
    const lines = fillPostings(sell, PERPETUAL, '20');
    expect(isBalanced(lines)).toBe(true);
    expect(isBalanced(lines.slice(1))).toBe(false);
    expect(isBalanced([{ book: 'cash', asset: 'USDC', amount: '1' }, { book: 'fees', asset: 'USDT', amount: '-1' }])).toBe(false);
  });
});

const fills = fc.array(
  fc.record({ side: fc.constantFrom('buy' as const, 'sell' as const), price: fc.integer({ min: 1, max: 10_000 }).map((n) => decimalText(decimal(String(n)).dividedBy(100))), quantity: fc.integer({ min: 1, max: 40 }).map((n) => decimalText(decimal(String(n)).dividedBy(8))), fee: fc.integer({ min: -9, max: 99 }).map((n) => decimalText(decimal(String(n)).dividedBy(1_000))), feeAsset: fc.constantFrom('USDT', 'BTC', 'BNB') }),
  { minLength: 1, maxLength: 30 },
);

type Posts = typeof fillPostings;

/** Every fact balances; cash is what the fills moved; and once all is sold, nothing is left in `trading`. */
function conserves(posts: Posts): fc.IPropertyWithHooks<[LedgerFill[]]> {
  return fc.property(fills, (list) => {
    let held: HeldPosition = FLAT_POSITION;
    const lines: Posting[] = [];
    const take = (fill: LedgerFill): boolean => {
      const step = applyFill(held, { ...fill, realizedPnl: null, at: AT });
      held = step.position;
      const posted = posts(fill, SPOT, step.realizedPnl);
      lines.push(...posted);
      return isBalanced(posted);
    };
    const balanced = list.map(take).every((each) => each);
    const rest = decimal(held.quantity);
    const closing: LedgerFill[] = rest.isZero() ? [] : [{ side: rest.isPositive() ? 'sell' : 'buy', price: '50', quantity: decimalText(rest.abs()), fee: '0', feeAsset: 'USDT' }];
    closing.forEach(take);
    const of = (book: string, asset: string) => sum(lines.filter((line) => line.book === book && line.asset === asset).map((line) => decimal(line.amount)));
    const moved = sum([...list, ...closing].map((fill) => decimal(fill.quantity).times(decimal(fill.price)).times(fill.side === 'buy' ? -1 : 1)));
    const fees = sum(list.filter((fill) => fill.feeAsset === 'USDT').map((fill) => decimal(fill.fee)));
    return balanced && of('cash', 'USDT').equals(moved.minus(fees)) && of('trading', 'USDT').abs().lessThan('1e-20') && of('trading', 'BTC').isZero();
  });
}

describe('over any fills', () => {
  test('every fact sums to zero and no money appears or disappears', () => fc.assert(conserves(fillPostings), { numRuns: 1_000 }));

  test('a ledger that forgets to take the profit out of the goods is found out', () => {
    expect(fc.check(conserves((fill, market) => fillPostings(fill, market, '0')), { numRuns: 1_000, seed: 1 }).failed).toBe(true);
  });
});
