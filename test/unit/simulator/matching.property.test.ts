/** The matching core under random orders and market data; each property is shown to find a planted bug. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Decimal, ZERO, decimal } from '../../../src/domain/decimal';
import type { Account } from '../../../src/simulator/account';
import type { Book, Level } from '../../../src/simulator/book';
import { PaperError } from '../../../src/simulator/errors';
import { Exchange } from '../../../src/simulator/exchange';
import { PAPER_MARKETS } from '../../../src/simulator/market';
import { type Execution, Matcher, type MatchingPort } from '../../../src/simulator/matching';
import type { Order } from '../../../src/simulator/order';
import { NOW, request } from './exchange-samples';

const RUNS = { numRuns: 1_000 };
const SYMBOL = 'XRP-PERP';
const OWNERS = ['alice', 'bob', 'carol'] as const;

// Few prices and quantities, so that orders meet, queue up and finish each other often.
const price = fc.integer({ min: 198, max: 202 }).map((cents) => decimal(cents.toString()).dividedBy(100).toFixed());
const side = fc.constantFrom('buy' as const, 'sell' as const);
const lots = fc.constantFrom('5', '10', '20', '40');
const ambientLevels = fc.array(fc.tuple(price, fc.integer({ min: 0, max: 80 }).map(String)), { maxLength: 4 });

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('place' as const), owner: fc.constantFrom(...OWNERS), side, quantity: lots, price: fc.option(price), timeInForce: fc.constantFrom('GTC' as const, 'IOC' as const, 'FOK' as const), reduceOnly: fc.boolean(), postOnly: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ambient' as const), bids: ambientLevels, asks: ambientLevels, replace: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('amend' as const), pick: fc.nat(50), price: fc.option(price), quantity: lots }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;
const commands = fc.array(command, { minLength: 1, maxLength: 40, size: 'max' });

type MakeMatcher = (book: Book, port: MatchingPort) => Matcher;

interface World {
  readonly exchange: Exchange;
  readonly accounts: readonly Account[];
  /** Every execution, with the queue that stood at its price and what stood at better ones just before the trade. */
  readonly executions: { execution: Execution; betterWaits: boolean; earlierWaits: boolean }[];
}

/** Watches each execution from outside the matcher: what the book still offered at better or earlier places. */
function world(makeMatcher: MakeMatcher, plant: (port: MatchingPort) => MatchingPort = (port) => port): World {
  const executions: World['executions'] = [];
  const exchange = new Exchange(PAPER_MARKETS, (book, port) =>
    makeMatcher(book, {
      ...port,
      settle: (execution) => {
        executions.push({ execution, ...waiting(book, execution) });
        plant(port).settle(execution);
      },
    }),
  );
  const accounts = OWNERS.map((name) => {
    const account = exchange.state.openAccount(name);
    exchange.credit(account, 'USDC', decimal('1000000'));
    return account;
  });
  // Two of them hold positions from the start, so that reduce-only orders have something to reduce.
  const start = (bids: [Decimal, Decimal][], asks: [Decimal, Decimal][]): void => exchange.updateMarket(SYMBOL, { bids, asks, replace: true }, NOW);
  const [alice, bob] = accounts as [Account, Account, Account];
  start([], [[decimal('2'), decimal('40')]]);
  exchange.place(alice, request('buy', '40'), NOW);
  start([[decimal('2'), decimal('40')]], []);
  exchange.place(bob, request('sell', '40'), NOW);
  return { exchange, accounts, executions };
}

function waiting(book: Book, { maker, price: at, takerSide }: Execution): { betterWaits: boolean; earlierWaits: boolean } {
  const makers = book.side(takerSide === 'buy' ? 'sell' : 'buy');
  const better = makers.levels.filter((level) => (takerSide === 'buy' ? level.price.lessThan(at) : level.price.greaterThan(at)));
  const queue = [...(makers.find(at)?.orders ?? [])];
  return { betterWaits: better.length > 0, earlierWaits: maker !== null && queue.some((order) => order !== maker && order.priority < maker.priority) };
}

function run({ exchange, accounts }: World, all: readonly Command[], each: () => void): void {
  for (const step of all) {
    try {
      apply(exchange, accounts, step);
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
    }
    each();
  }
}

function apply(exchange: Exchange, accounts: readonly Account[], step: Command): void {
  if (step.kind === 'place') {
    const account = accounts.find(({ name }) => name === step.owner) as Account;
    const wanted = step.price === null ? {} : { price: step.price, timeInForce: step.timeInForce, postOnly: step.postOnly && step.timeInForce === 'GTC' };
    exchange.place(account, request(step.side, step.quantity, { ...wanted, reduceOnly: step.reduceOnly }), NOW);
  } else if (step.kind === 'ambient') {
    const levels = (side: readonly (readonly [string, string])[]): [Decimal, Decimal][] => side.map(([at, quantity]) => [decimal(at), decimal(quantity)]);
    exchange.updateMarket(SYMBOL, { bids: levels(step.bids), asks: levels(step.asks), replace: step.replace }, NOW);
  } else {
    const open = accounts.flatMap((account) => [...account.open]);
    const order = open[step.pick % Math.max(1, open.length)];
    if (order === undefined) return;
    const owner = exchange.state.account(order.account);
    if (step.kind === 'cancel') exchange.cancel(owner, { orderId: order.orderId }, NOW);
    else exchange.amend(owner, { orderId: order.orderId, amendId: `a${exchange.state.counters.priority}`, price: step.price === null ? undefined : decimal(step.price), quantity: decimal(step.quantity) }, NOW);
  }
}

function everyOrder({ exchange }: World): Order[] {
  return [...exchange.state.orders.values()];
}

/** No trade passes over a better price or an earlier order, and none is worse than either side's limit. */
function pricesAndTimes(makeMatcher: MakeMatcher = (book, port) => new Matcher(book, port)) {
  return fc.property(commands, (all) => {
    const made = world(makeMatcher);
    run(made, all, () => undefined);
    for (const { execution, betterWaits, earlierWaits } of made.executions) {
      expect(betterWaits && execution.taker !== null).toBe(false);
      expect(earlierWaits).toBe(false);
    }
    for (const order of everyOrder(made)) {
      if (order.price === null || order.revision > 0) continue;
      const worst = order.filled.times(order.price);
      expect(order.side === 'buy' ? order.filledNotional.lessThanOrEqualTo(worst) : order.filledNotional.greaterThanOrEqualTo(worst)).toBe(true);
    }
  });
}

/** filled + leaves = quantity, nothing is negative, the book holds exactly the open orders' leaves, uncrossed. */
function quantities(makeMatcher: MakeMatcher = (book, port) => new Matcher(book, port)) {
  return fc.property(commands, (all) => {
    const made = world(makeMatcher);
    run(made, all, () => expect(brokenQuantities(made)).toEqual([]));
  });
}

function brokenQuantities(made: World): string[] {
  const broken: string[] = [];
  const check = (holds: boolean, what: string): void => void (holds || broken.push(what));
  for (const order of everyOrder(made)) {
    check(order.filled.plus(order.leaves).equals(order.quantity), `order ${order.orderId}: filled + leaves`);
    check(!order.filled.isNegative() && !order.leaves.isNegative(), `order ${order.orderId}: negative`);
    check((order.status === 'filled') === order.leaves.isZero(), `order ${order.orderId}: status`);
  }
  const { book } = made.exchange.state.venue(SYMBOL);
  const open = made.accounts.flatMap((account) => [...account.open]);
  for (const which of ['buy', 'sell'] as const) {
    const rested = book.side(which).levels.reduce((total, level) => total.plus(level.resting), ZERO);
    const leaves = open.filter((order) => order.side === which).reduce((total, order) => total.plus(order.leaves), ZERO);
    check(rested.equals(leaves), `${which} side of the book`);
    for (const level of book.side(which).levels) check(!level.ambient.isNegative() && !level.empty, `level ${level.text}`);
  }
  const [bid, ask] = [book.bids.bestResting(ZERO), book.asks.bestResting(decimal('999'))];
  check(bid === undefined || ask === undefined || bid.price.lessThan(ask.price), 'client orders cross');
  return broken;
}

/** Cash: what all accounts gained, the market data lost (at any mark), except the fees. Every position is the sum of its fills. */
function conserved(plant: (port: MatchingPort) => MatchingPort = (port) => port) {
  return fc.property(commands, (all) => {
    const made = world((book, port) => new Matcher(book, port), plant);
    run(made, all, () => undefined);
    let ambientCash = ZERO;
    let ambientPosition = ZERO;
    for (const { execution } of made.executions) {
      if (execution.taker !== null && execution.maker !== null) continue;
      const ambientSide = execution.taker === null ? execution.takerSide : execution.takerSide === 'buy' ? 'sell' : 'buy';
      const signed = ambientSide === 'buy' ? execution.quantity : execution.quantity.negated();
      ambientPosition = ambientPosition.plus(signed);
      ambientCash = ambientCash.minus(signed.times(execution.price));
    }
    const mark = decimal('2.01');
    let equity = ambientCash.plus(ambientPosition.times(mark));
    let fees = ZERO;
    for (const account of made.accounts) {
      const holding = account.holdings.get(SYMBOL);
      const filled = account.fills.reduce((total, fill) => (fill.side === 'buy' ? total.plus(fill.quantity) : total.minus(fill.quantity)), ZERO);
      expect(account.position(SYMBOL).toFixed()).toBe(filled.toFixed());
      fees = account.fills.reduce((total, fill) => total.plus(fill.fee), fees);
      equity = equity.plus(account.balance('USDC')).minus(decimal('1000000'));
      if (holding !== undefined) equity = equity.plus(holding.quantity.times(mark)).minus(holding.cost);
    }
    expect(equity.toFixed()).toBe(fees.negated().toFixed());
  });
}

/** A reduce-only order never makes a position larger, and never turns it. */
function reductions(makeMatcher: MakeMatcher = (book, port) => new Matcher(book, port)) {
  return fc.property(commands, (all) => {
    let exchange: Exchange | null = null;
    const positionOf = (order: Order): Decimal => exchange?.state.account(order.account).position(SYMBOL) ?? ZERO;
    const watched = (port: MatchingPort): MatchingPort => ({
      ...port,
      settle: (execution) => {
        const { maker, taker } = execution;
        // An account that trades with itself stays where it is: nothing is reduced, nothing turned.
        const reducing = [maker, taker].filter((order) => order !== null && order.reduceOnly && maker?.account !== taker?.account);
        const before = reducing.map((order) => positionOf(order as Order));
        port.settle(execution);
        reducing.forEach((order, index) => {
          const [was, is] = [before[index] as Decimal, positionOf(order as Order)];
          expect(is.abs().lessThan(was.abs()) && (is.isZero() || is.isPositive() === was.isPositive())).toBe(true);
        });
      },
    });
    const made = world(makeMatcher, watched);
    exchange = made.exchange;
    run(made, all, () => undefined);
  });
}

class NewestFirst extends Matcher {
  protected override nextMaker(level: Level): Order | undefined {
    return [...level.orders].pop();
  }
}

class ForgetsLeaves extends Matcher {
  protected override fill(order: Order, quantity: Decimal, at: Decimal, resting: boolean): void {
    const leaves = order.leaves;
    super.fill(order, quantity, at, resting);
    if (resting && order.leaves.greaterThan(0)) order.leaves = leaves.minus(quantity.dividedBy(2));
  }
}

/** Books a trade between two clients for its taker only. */
function forgetsMaker(port: MatchingPort): MatchingPort {
  return { ...port, settle: (execution) => port.settle(execution.taker === null ? execution : { ...execution, maker: null }) };
}

function ignoresReduceOnly(book: Book, port: MatchingPort): Matcher {
  return new Matcher(book, { ...port, allowance: () => null });
}

/** Takes the worst price first. */
function worstFirst(book: Book, port: MatchingPort): Matcher {
  for (const which of ['buy', 'sell'] as const) {
    const levels = book.side(which);
    levels.best = () => levels.levels[levels.levels.length - 1];
  }
  return new Matcher(book, port);
}

describe('the matching core, over random orders and market data', () => {
  test('trades by price, then time, and never beyond a limit', () => fc.assert(pricesAndTimes(), RUNS));
  test('keeps filled + leaves = quantity, nothing negative, the book equal to the open orders', () => fc.assert(quantities(), RUNS));
  test('conserves cash: accounts and market data together lose exactly the fees', () => fc.assert(conserved(), RUNS));
  test('lets reduce-only orders only reduce', () => fc.assert(reductions(), RUNS));
});

describe('each property finds a planted bug', () => {
  test.each([
    ['the newest order goes first', pricesAndTimes((book, port) => new NewestFirst(book, port))],
    ['the worst price goes first', pricesAndTimes(worstFirst)],
    ['a partial fill leaves too much', quantities((book, port) => new ForgetsLeaves(book, port))],
    ['a trade between clients is booked for its taker only', conserved(forgetsMaker)],
    ['reduce-only is ignored while matching', reductions(ignoresReduceOnly)],
  ])('%s', (_bug, property) => {
    expect(fc.check(property as fc.IProperty<unknown>, { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});
