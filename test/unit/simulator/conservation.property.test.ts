/**
 * Money is conserved: what accounts gain, the market data loses, except for fees; after any mix of orders, cancels, prices,
 * trades of the market, triggers, expiries, funding and liquidations, in perpetuals and spot. A million random events in the
 * full run. The market data's side is kept here, from what the matching core says, by none of the code under test.
 */
import { describe, expect, test } from '@jest/globals';
import { type Decimal, ZERO, decimal } from '../../../src/domain/decimal';
import type { Account } from '../../../src/simulator/account';
import { PaperError } from '../../../src/simulator/errors';
import { Exchange } from '../../../src/simulator/exchange';
import { seededRandom } from '../../../src/simulator/generator';
import { INSURANCE_FUND } from '../../../src/simulator/maintenance';
import { PAPER_MARKETS, type PaperMarket } from '../../../src/simulator/market';
import { type Execution, Matcher, type MatchingPort } from '../../../src/simulator/matching';
import type { OrderRequest, OrderType, TimeInForce } from '../../../src/simulator/order';
import { scaledCount } from '../../support/scale';
import { NOW } from './exchange-samples';

const ALL_EVENTS = 1_000_000;
/** A twentieth in the quick run: some ten seconds. */
const EVENTS = scaledCount(ALL_EVENTS) < ALL_EVENTS ? ALL_EVENTS / 20 : ALL_EVENTS;
/** One world each: a venue keeps every order for ever, so one world of a million would be a test of memory. */
const EVENTS_A_WORLD = 25_000;
const CHECK_EACH = 2_500;
const OWNERS = ['alice', 'bob', 'carol', 'dave'] as const;
const MARKETS = PAPER_MARKETS.filter(({ symbol }) => ['BTC-PERP', 'XRP-PERP', 'BTC-USDT'].includes(symbol));
const ASSETS = ['USDC', 'USDT', 'BTC'] as const;

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

interface World {
  readonly exchange: Exchange;
  readonly accounts: readonly Account[];
  /** What was ever paid in, by asset. */
  readonly credited: Map<string, Decimal>;
  /** What the market data holds from its side of every execution: assets and, by perpetual, its position. */
  readonly ambient: Map<string, Decimal>;
  now: number;
}

type Plant = (port: MatchingPort) => MatchingPort;

function add(to: Map<string, Decimal>, key: string, amount: Decimal): void {
  to.set(key, (to.get(key) ?? ZERO).plus(amount));
}

function newWorld(plant: Plant): World {
  const ambient = new Map<string, Decimal>();
  const exchange: Exchange = new Exchange(MARKETS, (book, port) => {
    const planted = plant(port);
    return new Matcher(book, {
      ...planted,
      settle: (execution) => {
        noteAmbient(ambient, exchange, execution);
        planted.settle(execution);
      },
    });
  });
  const credited = new Map<string, Decimal>();
  const accounts = OWNERS.map((name) => exchange.state.openAccount(name));
  const world: World = { exchange, accounts, credited, ambient, now: NOW };
  for (const account of accounts) {
    credit(world, account, 'USDC', '20000');
    credit(world, account, 'USDT', '20000');
    credit(world, account, 'BTC', '1');
  }
  return world;
}

function credit({ exchange, credited }: World, account: Account, asset: string, amount: string): void {
  exchange.credit(account, asset, decimal(amount));
  add(credited, asset, decimal(amount));
}

/** The market data took the other side of an execution with one client order. */
function noteAmbient(ambient: Map<string, Decimal>, exchange: Exchange, { taker, maker, takerSide, price, quantity }: Execution): void {
  if (taker !== null && maker !== null) return;
  const { market } = exchange.state.venue((taker ?? maker)?.symbol ?? '');
  const ambientSells = (taker === null) === (takerSide === 'sell');
  const signed = ambientSells ? quantity.negated() : quantity;
  add(ambient, market.kind === 'spot' ? market.base : market.symbol, signed);
  add(ambient, market.quote, signed.times(price).negated());
}

/** A price near the market's, on its tick; sometimes far away. */
function priceNear(random: Random, market: PaperMarket, around: Decimal): Decimal {
  const spread = random() < 0.05 ? 0.3 : 0.01;
  const factor = decimal((1 + (random() * 2 - 1) * spread).toFixed(6));
  return around.times(factor).dividedBy(market.tickSize).round().times(market.tickSize);
}

function moveMarket(world: World, random: Random, market: PaperMarket): void {
  const middle = world.exchange.state.markOf(market.symbol) ?? market.startPrice;
  // Pulled back to where it began, so that it wanders for ever without leaving.
  const next = priceNear(random, market, middle.times(3).plus(market.startPrice).dividedBy(4));
  const levels = (direction: 1 | -1): [Decimal, Decimal][] =>
    [1, 2, 3].map((level) => [next.plus(market.tickSize.times(direction * level * 5)), market.lotSize.times(1 + Math.floor(random() * 20_000))]);
  world.exchange.updateMarket(market.symbol, { bids: levels(-1), asks: levels(1), replace: true }, world.now);
}

const TYPES: readonly OrderType[] = ['market', 'market', 'limit', 'limit', 'limit', 'limit', 'stopMarket', 'stopLimit', 'takeProfitMarket', 'takeProfitLimit'];

function randomOrder(world: World, random: Random, market: PaperMarket, id: number): OrderRequest {
  const around = world.exchange.state.markOf(market.symbol) ?? market.startPrice;
  const type = pick(random, TYPES);
  const isLimit = type === 'limit' || type === 'stopLimit' || type === 'takeProfitLimit';
  const hasTrigger = type !== 'market' && type !== 'limit';
  const timeInForce: TimeInForce = isLimit ? pick(random, ['GTC', 'GTC', 'GTD', 'IOC', 'FOK'] as const) : hasTrigger ? 'GTC' : 'IOC';
  // Up to some 30,000 of the quote asset: several times what an account has, at its leverage.
  const lots = 1 + Math.floor((random() * random() * 30_000) / market.startPrice.times(market.lotSize).toNumber());
  return {
    clientId: `o${id}`,
    symbol: market.symbol,
    side: random() < 0.5 ? 'buy' : 'sell',
    type,
    timeInForce,
    price: isLimit ? priceNear(random, market, around) : null,
    quantity: market.lotSize.times(lots),
    postOnly: type === 'limit' && timeInForce === 'GTC' && random() < 0.2,
    reduceOnly: market.kind === 'perpetual' && random() < 0.2,
    expireAt: timeInForce === 'GTD' ? world.now + 1 + Math.floor(random() * 3_600_000) : null,
    triggerPrice: hasTrigger ? priceNear(random, market, around) : null,
    triggerPriceType: random() < 0.5 ? 'mark' : 'last',
  };
}

function step(world: World, random: Random, id: number): void {
  const { exchange, accounts } = world;
  const market = pick(random, MARKETS);
  const account = pick(random, accounts);
  const open = [...account.open];
  const order = open[Math.floor(random() * open.length)];
  const chance = random();
  world.now += Math.floor(random() * 20_000);
  if (chance < 0.45) exchange.place(account, randomOrder(world, random, market, id), world.now);
  else if (chance < 0.65) moveMarket(world, random, market);
  else if (chance < 0.8) {
    const at = priceNear(random, market, exchange.state.markOf(market.symbol) ?? market.startPrice);
    exchange.tradeMarket(market.symbol, { side: random() < 0.5 ? 'buy' : 'sell', price: at, quantity: market.lotSize.times(1 + Math.floor(random() * 5_000)) }, world.now);
  } else if (chance < 0.9 && order !== undefined) exchange.cancel(account, { orderId: order.orderId }, world.now);
  else if (chance < 0.94 && order !== undefined) {
    const { tickSize } = exchange.state.venue(order.symbol).market;
    exchange.amend(account, { orderId: order.orderId, amendId: `a${id}`, ...(order.price === null ? {} : { price: order.price.plus(tickSize) }), quantity: order.quantity }, world.now);
  } else if (chance < 0.96) exchange.setLeverage(account, market.symbol, 1 + Math.floor(random() * market.maxLeverage));
  else if (chance < 0.97) exchange.setFunding('XRP-PERP', { rate: decimal(((random() * 2 - 1) / 100).toFixed(8)) }, world.now);
  else if (chance < 0.98) world.now += 28_800_000;
  // Whoever was liquidated starts again.
  else if (account.balance('USDC').lessThan(1_000)) credit(world, account, 'USDC', '20000');
}

/** What is wrong with the world's money: nothing, as long as it is conserved. */
function imbalances(world: World): string[] {
  const { exchange, ambient, credited } = world;
  const accounts = [...exchange.state.accounts.values()];
  const wrong: string[] = [];
  for (const asset of ASSETS) {
    let total = ambient.get(asset) ?? ZERO;
    for (const account of accounts) {
      total = total.plus(account.balance(asset));
      for (const fill of account.fills) if (fill.feeAsset === asset) total = total.plus(fill.fee);
      if (asset !== 'USDC') continue;
      // What a position cost is not in the balance yet; what was paid as funding went to the market data.
      for (const { cost } of account.holdings.values()) total = total.minus(cost);
      for (const { quantity, markPrice, rate } of account.fundingPayments) total = total.plus(quantity.times(markPrice).times(rate));
    }
    if (!total.equals(credited.get(asset) ?? ZERO)) wrong.push(`${asset} ${total.toFixed()} of ${(credited.get(asset) ?? ZERO).toFixed()}`);
  }
  for (const { symbol, kind } of MARKETS) {
    if (kind === 'spot') continue;
    const open = accounts.reduce((total, account) => total.plus(account.position(symbol)), ambient.get(symbol) ?? ZERO);
    if (!open.isZero()) wrong.push(`positions in ${symbol} add up to ${open.toFixed()}`);
  }
  return wrong;
}

interface Outcome {
  readonly imbalance: readonly string[];
  readonly liquidations: number;
  readonly fundings: number;
  readonly triggered: number;
  readonly expired: number;
}

function runWorld(seed: number, events: number, plant: Plant = (port) => port): Outcome {
  const world = newWorld(plant);
  const random = seededRandom(seed);
  for (const market of MARKETS) moveMarket(world, random, market);
  let imbalance: string[] = [];
  for (let event = 1; event <= events && imbalance.length === 0; event += 1) {
    try {
      step(world, random, event);
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
    }
    world.exchange.state.drain();
    if (event % CHECK_EACH === 0 || event === events) imbalance = imbalances(world);
  }
  const orders = [...world.exchange.state.orders.values()];
  return {
    imbalance,
    liquidations: orders.filter(({ liquidation }) => liquidation).length,
    fundings: world.accounts.reduce((count, { fundingPayments }) => count + fundingPayments.length, 0),
    triggered: orders.filter(({ triggeredAt }) => triggeredAt !== null).length,
    expired: orders.filter(({ status }) => status === 'expired').length,
  };
}

describe(`money over ${EVENTS} random events`, () => {
  test('is neither made nor lost, while positions are liquidated, charged, triggered and expired', () => {
    const outcomes = Array.from({ length: EVENTS / EVENTS_A_WORLD }, (_, index) => ({ seed: index + 1, ...runWorld(index + 1, EVENTS_A_WORLD) }));
    expect(outcomes.filter(({ imbalance }) => imbalance.length > 0)).toEqual([]);
    // A run in which nothing happened would prove nothing.
    for (const { liquidations, fundings, triggered, expired } of outcomes) {
      expect(Math.min(liquidations, fundings, triggered, expired)).toBeGreaterThan(10);
    }
  }, 1_200_000);

  test.each<[string, Plant]>([
    ['a fill between clients that is booked for its taker only', (port) => ({ ...port, settle: (execution) => port.settle(execution.taker === null ? execution : { ...execution, maker: null }) })],
    ['one trade in a hundred that is booked a tick too dear', dearer()],
  ])('finds %s', (_bug, plant) => {
    expect(runWorld(1, CHECK_EACH, plant).imbalance).not.toEqual([]);
  });

  test('finds a balance that grew from nowhere', () => {
    const world = newWorld((port) => port);
    expect(imbalances(world)).toEqual([]);
    world.exchange.state.openAccount(INSURANCE_FUND).add('USDC', decimal('0.00000001'));
    expect(imbalances(world)).toEqual(['USDC 80000.00000001 of 80000']);
  });
});

function dearer(): Plant {
  let count = 0;
  return (port) => ({
    ...port,
    settle: (execution) => {
      count += 1;
      port.settle(count % 100 === 0 ? { ...execution, price: execution.price.plus('0.1') } : execution);
    },
  });
}
