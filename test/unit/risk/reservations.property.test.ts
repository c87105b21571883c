import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText, maxOf, sum, ZERO, type Decimal } from '../../../src/domain/decimal';
import type { OrderSide } from '../../../src/domain/order';
import { emptySymbol, type AccountFigures, type RiskOrder, type SymbolFigures } from '../../../src/risk/figures';
import { judgeOrder, type RiskVerdict } from '../../../src/risk/judge';
import { accountFigures } from './risk-samples';

type Judge = (order: RiskOrder, figures: AccountFigures) => RiskVerdict;

interface OpenOrder {
  readonly order: RiskOrder;
  readonly price: Decimal;
  leaves: Decimal;
}

/** What can happen to an account, at fixed marks: an order is asked for, or one that rests fills in part or whole. */
type Step = { readonly kind: 'order'; readonly order: RiskOrder } | { readonly kind: 'fill'; readonly which: number; readonly quantity: number };

const MARKS: Record<string, number> = { 'BTC-PERP': 100, 'ETH-PERP': 20 };
const SYMBOLS = Object.keys(MARKS);

const order: fc.Arbitrary<RiskOrder> = fc
  .record({ symbol: fc.constantFrom(...SYMBOLS), side: fc.constantFrom<OrderSide>('buy', 'sell'), quantity: fc.integer({ min: 1, max: 30 }), percent: fc.option(fc.integer({ min: 50, max: 150 })), reduceOnly: fc.boolean() })
  .map(({ percent, symbol, side, quantity, reduceOnly }) => {
    // Marks stand still here, so a buy that can fill has a limit at or above its mark.
    const bounded = percent === null ? null : side === 'buy' ? Math.max(percent, 100) : percent;
    return { symbol, side, quantity: String(quantity), reduceOnly, limitPrice: bounded === null ? null : decimalText(decimal(String(MARKS[symbol] ?? 0)).times(bounded).dividedBy(100)) };
  });

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: order.map((asked): Step => ({ kind: 'order', order: asked })) },
    { weight: 2, arbitrary: fc.record({ which: fc.nat(20), quantity: fc.integer({ min: 1, max: 30 }) }).map((fill): Step => ({ kind: 'fill', ...fill })) },
  ),
  { minLength: 5, maxLength: 40 },
);

const scenario = fc.record({
  steps,
  equity: fc.integer({ min: 10, max: 400 }),
  maxPosition: fc.integer({ min: 200, max: 3_000 }),
  positions: fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -20, max: 20 })),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

/** The venue's side of it: what is held and what rests. Reduce-only fills are cut to the position, as venues do. */
class Account {
  readonly open: OpenOrder[] = [];
  readonly held = new Map<string, Decimal>();

  constructor(private readonly start: Scenario) {
    SYMBOLS.forEach((symbol, index) => this.held.set(symbol, decimal(String(start.positions[index] ?? 0))));
  }

  quantity(symbol: string): Decimal {
    return this.held.get(symbol) ?? ZERO;
  }

  fill(which: number, quantity: Decimal): void {
    const resting = this.open[which % Math.max(this.open.length, 1)];
    if (resting === undefined) return;
    const { order: asked } = resting;
    const position = this.quantity(asked.symbol);
    const direction = asked.side === 'buy' ? 1 : -1;
    const against = maxOf(position.times(-direction), ZERO);
    let filled = resting.leaves.lessThan(quantity) ? resting.leaves : quantity;
    if (asked.reduceOnly && against.lessThan(filled)) filled = against;
    this.held.set(asked.symbol, position.plus(filled.times(direction)));
    resting.leaves = resting.leaves.minus(filled);
    if (resting.leaves.isZero()) this.open.splice(this.open.indexOf(resting), 1);
  }

  /** As the store reads them under the account's lock. */
  figures(): AccountFigures {
    const markets = SYMBOLS.map((symbol): SymbolFigures => {
      const of = (side: OrderSide, reduceOnly: boolean) => this.open.filter((open) => open.order.symbol === symbol && open.order.side === side && open.order.reduceOnly === reduceOnly);
      const leaves = (orders: OpenOrder[]) => decimalText(sum(orders.map((open) => open.leaves)));
      const notional = (orders: OpenOrder[]) => decimalText(sum(orders.map((open) => open.leaves.times(open.price))));
      return {
        ...emptySymbol(symbol, String(MARKS[symbol]), '10'),
        positionQuantity: decimalText(this.quantity(symbol)),
        openBuyQuantity: leaves(of('buy', false)),
        openSellQuantity: leaves(of('sell', false)),
        reduceOnlyBuyQuantity: leaves(of('buy', true)),
        reduceOnlySellQuantity: leaves(of('sell', true)),
        openBuyNotional: notional(of('buy', false)),
        openSellNotional: notional(of('sell', false)),
      };
    });
    return accountFigures({ equity: String(this.start.equity), openOrders: this.open.length }, markets, { maxPositionNotional: String(this.start.maxPosition) });
  }

  /** What a market comes to hold if nothing more fills, or first every exit and then every other order of one side. */
  outcomes(symbol: string): Decimal[] {
    const position = this.quantity(symbol);
    const onSide = (side: OrderSide): Decimal => {
      const direction = side === 'buy' ? 1 : -1;
      const leaves = (reduceOnly: boolean) => sum(this.open.filter((open) => open.order.symbol === symbol && open.order.side === side && open.order.reduceOnly === reduceOnly).map((open) => open.leaves));
      const against = maxOf(position.times(-direction), ZERO);
      const exits = leaves(true).lessThan(against) ? leaves(true) : against;
      return position.plus(exits.plus(leaves(false)).times(direction));
    };
    return [position, onSide('buy'), onSide('sell')];
  }

  worstNotional(symbol: string): Decimal {
    return this.outcomes(symbol)
      .reduce((worst, quantity) => maxOf(worst, quantity.abs()), ZERO)
      .times(MARKS[symbol] ?? 0);
  }

  worstMargin(): Decimal {
    return sum(SYMBOLS.map((symbol) => this.worstNotional(symbol))).dividedBy(10);
  }
}

function neverOverCommitted(judge: Judge): fc.IPropertyWithHooks<[Scenario]> {
  return fc.property(scenario, (start) => {
    const account = new Account(start);
    const mayHold = new Map(SYMBOLS.map((symbol) => [symbol, maxOf(account.worstNotional(symbol), decimal(String(start.maxPosition)))]));
    const mayNeed = maxOf(account.worstMargin(), decimal(String(start.equity)));
    for (const step of start.steps) {
      if (step.kind === 'fill') account.fill(step.which, decimal(String(step.quantity)));
      else ask(judge, account, step.order);
      for (const symbol of SYMBOLS) mustNotExceed(account.worstNotional(symbol), mayHold.get(symbol) ?? ZERO);
      mustNotExceed(account.worstMargin(), mayNeed);
    }
  });
}

function mustNotExceed(value: Decimal, limit: Decimal): void {
  if (value.greaterThan(limit)) throw new Error(`${value.toFixed()} exceeds ${limit.toFixed()}`);
}

function ask(judge: Judge, account: Account, asked: RiskOrder): void {
  const before = account.figures();
  const verdict = judge(asked, before);
  if (verdict.verdict === 'denied') return;
  const mark = decimal(String(MARKS[asked.symbol]));
  const limit = asked.limitPrice === null ? mark.times('1.02') : decimal(asked.limitPrice);
  account.open.push({ order: asked, price: asked.side === 'sell' ? maxOf(limit, mark) : limit, leaves: decimal(asked.quantity) });
  if (judge === judgeOrder) expect(verdict.after).toEqual(account.figures());
}

/** The same judge, shown other figures: the ways in which a reservation is forgotten. */
function shown(change: (market: SymbolFigures) => Partial<SymbolFigures>): Judge {
  return (asked, figures) => judgeOrder(asked, { ...figures, symbols: Object.fromEntries(Object.entries(figures.symbols).map(([symbol, market]) => [symbol, { ...market, ...change(market) }])) });
}

const RUNS = { numRuns: 1_500 };

describe('whatever is ordered and however it fills', () => {
  test('no position passes its limit and no margin passes the equity, exits included', () => {
    fc.assert(neverOverCommitted(judgeOrder), RUNS);
  });

  test('the property finds a judge that forgets open orders', () => {
    const forgetful = shown(() => ({ openBuyQuantity: '0', openBuyNotional: '0', openSellQuantity: '0', openSellNotional: '0' }));
    expect(fc.check(neverOverCommitted(forgetful), { ...RUNS, seed: 1 }).failed).toBe(true);
  });

  test('the property finds a judge that sets sells off against a long which an exit may close first', () => {
    const netting = shown((market) => {
      const rest = maxOf(decimal(market.openSellQuantity).minus(maxOf(decimal(market.positionQuantity), ZERO)), ZERO);
      return { openSellQuantity: decimalText(rest), openSellNotional: decimalText(rest.times(market.markPrice ?? '0')) };
    });
    expect(fc.check(neverOverCommitted(netting), { ...RUNS, seed: 1 }).failed).toBe(true);
  });

  test('the property finds a judge that never looks at what is held', () => {
    expect(fc.check(neverOverCommitted(shown(() => ({ positionQuantity: '0' }))), { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});
