import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NO_USER_LIMITS } from '../../../src/domain/account';
import { decimal, decimalText, maxOf, sum, ZERO, type Decimal } from '../../../src/domain/decimal';
import type { OrderSide } from '../../../src/domain/order';
import { emptySymbol, type AccountFigures, type RiskOrder } from '../../../src/risk/figures';
import { judgeOrder } from '../../../src/risk/judge';
import type { UserFigures } from '../../../src/risk/user-limits';
import { accountFigures } from './risk-samples';

const MARK = 100;
const ACCOUNTS = 3;

interface Open {
  readonly account: number;
  readonly side: OrderSide;
  leaves: number;
}

type Step = { readonly kind: 'order'; readonly account: number; readonly side: OrderSide; readonly quantity: number } | { readonly kind: 'fill' | 'end'; readonly which: number; readonly quantity: number };

const account = fc.nat(ACCOUNTS - 1);
const quantity = fc.integer({ min: 1, max: 9 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('order' as const), account, side: fc.constantFrom<OrderSide>('buy', 'sell'), quantity }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('fill' as const, 'end' as const), which: fc.nat(20), quantity }) },
  ),
  { minLength: 5, maxLength: 40 },
);
const scenario = fc.record({ steps, maxOpenOrders: fc.integer({ min: 1, max: 8 }), maxPosition: fc.integer({ min: 5, max: 40 }) });
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

/** A user's accounts at the venue: what each holds, and what rests. */
class Holdings {
  readonly held = Array.from({ length: ACCOUNTS }, () => 0);
  readonly open: Open[] = [];

  figures(of: number): AccountFigures {
    const leaves = (side: OrderSide): string => String(this.open.filter((each) => each.account === of && each.side === side).reduce((total, each) => total + each.leaves, 0));
    const notional = (side: OrderSide): string => decimalText(decimal(leaves(side)).times(MARK));
    const market = { ...emptySymbol('BTC-PERP', String(MARK), '10'), positionQuantity: String(this.held[of]), openBuyQuantity: leaves('buy'), openSellQuantity: leaves('sell'), openBuyNotional: notional('buy'), openSellNotional: notional('sell') };
    return accountFigures({ accountId: `a${of}`, equity: '1000000', openOrders: this.open.filter((each) => each.account === of).length }, [market]);
  }

  end(which: number, filled: number): void {
    const resting = this.open[which % Math.max(this.open.length, 1)];
    if (resting === undefined) return;
    const moved = Math.min(resting.leaves, filled);
    this.held[resting.account] = (this.held[resting.account] ?? 0) + (resting.side === 'buy' ? moved : -moved);
    resting.leaves -= moved;
    if (resting.leaves === 0 || filled === 0) this.open.splice(this.open.indexOf(resting), 1);
  }

  /** The most that all accounts can hold on one side at once, whatever fills and in whatever order. */
  worst(side: OrderSide): Decimal {
    const direction = side === 'buy' ? 1 : -1;
    return sum(this.held.map((held, of) => maxOf(decimal(String(held * direction)), ZERO).plus(this.open.filter((each) => each.account === of && each.side === side).reduce((total, each) => total + each.leaves, 0))));
  }
}

type Judge = (order: RiskOrder, own: AccountFigures, user: UserFigures) => boolean;
const accepts: Judge = (order, own, user) => judgeOrder(order, own, user).verdict === 'accepted';

function neverOverCommitted(judge: Judge): fc.IPropertyWithHooks<[Scenario]> {
  return fc.property(scenario, ({ steps: taken, maxOpenOrders, maxPosition }) => {
    const holdings = new Holdings();
    const limits = { ...NO_USER_LIMITS, maxOpenOrders, maxPositionNotional: String(maxPosition * MARK) };
    for (const step of taken) {
      if (step.kind !== 'order') {
        holdings.end(step.which, step.kind === 'fill' ? step.quantity : 0);
        continue;
      }
      const others = holdings.held.map((_, of) => of).filter((of) => of !== step.account).map((of) => holdings.figures(of));
      const order: RiskOrder = { symbol: 'BTC-PERP', side: step.side, quantity: String(step.quantity), limitPrice: String(MARK), reduceOnly: false };
      const before = holdings.worst(step.side);
      if (!judge(order, holdings.figures(step.account), { limits, others })) continue;
      holdings.open.push({ account: step.account, side: step.side, leaves: step.quantity });
      if (holdings.open.length > maxOpenOrders) throw new Error(`${holdings.open.length} orders are open, ${maxOpenOrders} may be`);
      const own = holdings.figures(step.account).symbols['BTC-PERP'];
      const shrinks = own !== undefined && decimal(step.side === 'buy' ? own.openBuyQuantity : own.openSellQuantity).lessThanOrEqualTo(decimal(own.positionQuantity).times(step.side === 'buy' ? -1 : 1));
      // What only gives back a position of its own account may always be sent.
      if (!shrinks && holdings.worst(step.side).greaterThan(maxPosition)) throw new Error(`${holdings.worst(step.side).toFixed()} may come to be held after ${before.toFixed()}, ${maxPosition} may be`);
    }
  });
}

const RUNS = { numRuns: 1_500 };

describe('whatever the accounts of a user order, and however it fills', () => {
  test('together they never have more orders open, nor can come to hold more of a market, than their user may', () => {
    fc.assert(neverOverCommitted(accepts), RUNS);
  });

  test.each<[string, Judge]>([
    ['looks at one account only', (order, own, user) => accepts(order, own, { ...user, others: [] })],
    ['forgets what rests elsewhere', (order, own, user) => accepts(order, own, { ...user, others: user.others.map((each) => ({ ...each, openOrders: 0, symbols: Object.fromEntries(Object.entries(each.symbols).map(([symbol, market]) => [symbol, { ...market, openBuyQuantity: '0', openSellQuantity: '0' }])) })) })],
    ['sets one account\'s position off against another\'s', (order, own, user) => accepts(order, { ...own, symbols: { 'BTC-PERP': { ...emptySymbol('BTC-PERP', String(MARK), '10'), ...own.symbols['BTC-PERP'], positionQuantity: decimalText(sum([own, ...user.others].map((each) => decimal(each.symbols['BTC-PERP']?.positionQuantity ?? '0')))) } } }, { ...user, others: user.others.map((each) => ({ ...each, symbols: Object.fromEntries(Object.entries(each.symbols).map(([symbol, market]) => [symbol, { ...market, positionQuantity: '0' }])) })) })],
  ])('the property finds a judge that %s', (_name, judge) => {
    expect(fc.check(neverOverCommitted(judge), { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});
