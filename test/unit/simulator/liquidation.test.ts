/** What happens to an account whose losses reach its maintenance margin, and what funding does to positions. */
import { describe, expect, test } from '@jest/globals';
import { decimal } from '../../../src/domain/decimal';
import type { Account } from '../../../src/simulator/account';
import type { Exchange } from '../../../src/simulator/exchange';
import { INSURANCE_FUND, liquidationPrice } from '../../../src/simulator/maintenance';
import { NOW, ambient, fillsOf, funded, place, quietExchange } from './exchange-samples';

/** An account with 20 USDC that is long 100 at 2 (margin 20.11 with the fee would be too much at 10x, so at 20x). */
function stretched(): { exchange: Exchange; alice: Account } {
  const exchange = quietExchange();
  const alice = funded(exchange, 'alice', '20');
  exchange.setLeverage(alice, 'XRP-PERP', 20);
  ambient(exchange, [['1.99', '10000']], [['2', '10000']]);
  place(exchange, alice, 'buy', '100');
  return { exchange, alice };
}

describe('liquidation', () => {
  test('closes the position into the book when the mark reaches the liquidation price, not a tick before', () => {
    const { exchange, alice } = stretched();
    const { market } = exchange.state.venue('XRP-PERP');
    // (200 - 19.89) / (100 x 0.975)
    const price = liquidationPrice(alice, alice.holding(market), exchange.state.markOf);
    expect(price?.toDecimalPlaces(8).toFixed()).toBe('1.84728205');
    ambient(exchange, [['1.8473', '10000']], [['1.8473', '10000']]);
    expect(alice.position('XRP-PERP').toFixed()).toBe('100');
    ambient(exchange, [['1.8472', '10000']], [['1.8472', '10000']]);
    expect(fillsOf(alice).at(-1)).toBe('sell 100 @ 1.8472 taker');
    const order = [...alice.orders.values()].at(-1);
    expect(order).toMatchObject({ liquidation: true, status: 'filled', reduceOnly: true, type: 'market' });
    expect(liquidationPrice(alice, alice.holding(market), exchange.state.markOf)).toBeNull();
  });

  test('first cancels the orders in perpetuals, so that nothing fills on the way', () => {
    const { exchange, alice } = stretched();
    const resting = place(exchange, alice, 'sell', '50', { price: '3' });
    const stop = place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '1', reduceOnly: true });
    exchange.credit(alice, 'USDT', decimal('100'));
    const spot = place(exchange, alice, 'buy', '0.001', { symbol: 'BTC-USDT', price: '50000' });
    ambient(exchange, [['1.8', '10000']], [['1.8', '10000']]);
    expect([resting, stop, spot].map(({ status, cancelReason }) => [status, cancelReason])).toEqual([
      ['canceled', 'LIQUIDATION'],
      ['canceled', 'LIQUIDATION'],
      ['open', null],
    ]);
  });

  test('a stop above the liquidation price goes first, at the very price that would have ruined the account', () => {
    const { exchange, alice } = stretched();
    place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '1.9', reduceOnly: true });
    ambient(exchange, [['1.84', '10000']], [['1.84', '10000']]);
    expect([...alice.orders.values()].map(({ liquidation }) => liquidation)).toEqual([false, false]);
    expect(alice.position('XRP-PERP').toFixed()).toBe('0');
  });

  test('what the book cannot take goes to the insurance fund at the mark, and the fund pays what is owed', () => {
    const { exchange, alice } = stretched();
    ambient(exchange, [['1.7', '40']], [['1.7', '10']]);
    expect(fillsOf(alice).slice(1)).toEqual(['sell 40 @ 1.7 taker', 'sell 60 @ 1.7 taker']);
    const fund = exchange.state.account(INSURANCE_FUND);
    expect([alice.position('XRP-PERP').toFixed(), fund.position('XRP-PERP').toFixed()]).toEqual(['0', '60']);
    // 20 - 0.11 (entry fee) - 30 (loss) - 0.0935 (exit fee)
    expect([alice.balance('USDC').toFixed(), fund.balance('USDC').toFixed()]).toEqual(['0', '-10.2035']);
  });

  test('closes the position that needs most margin first, and leaves the rest when that is enough', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice', '150');
    exchange.setLeverage(alice, 'XRP-PERP', 20);
    exchange.setLeverage(alice, 'SOL-PERP', 20);
    ambient(exchange, [['2', '10000']], [['2', '10000']]);
    ambient(exchange, [['200', '1000']], [['200', '1000']], { symbol: 'SOL-PERP' });
    place(exchange, alice, 'buy', '1000');
    place(exchange, alice, 'buy', '1', { symbol: 'SOL-PERP' });
    ambient(exchange, [['1.89', '10000']], [['1.89', '10000']]);
    expect([alice.position('XRP-PERP').toFixed(), alice.position('SOL-PERP').toFixed()]).toEqual(['0', '1']);
  });

  test('one account that falls may take the next with it', () => {
    const { exchange, alice } = stretched();
    const bob = funded(exchange, 'bob', '21');
    exchange.setLeverage(bob, 'XRP-PERP', 20);
    place(exchange, bob, 'buy', '100');
    // Alice's own selling empties the level at 1.84; the mark falls to where Bob is ruined.
    ambient(exchange, [['1.84', '100'], ['1.6', '1000']], [['1.8541', '10000']]);
    expect([alice.position('XRP-PERP').toFixed(), bob.position('XRP-PERP').toFixed()]).toEqual(['0', '0']);
    expect(fillsOf(bob).at(-1)).toBe('sell 100 @ 1.6 taker');
  });

  test('an account that lost its collateral but holds nothing is left alone', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice', '-5');
    ambient(exchange, [['2', '10']], [['2.01', '10']]);
    expect([alice.balance('USDC').toFixed(), exchange.state.accounts.has(INSURANCE_FUND)]).toEqual(['-5', false]);
  });
});

const EIGHT_HOURS_MS = 28_800_000;
const FIRST = NOW - (NOW % EIGHT_HOURS_MS) + EIGHT_HOURS_MS;

describe('funding', () => {
  test('longs pay shorts the rate of the position at the mark, at each funding time and at no other', () => {
    const exchange = quietExchange();
    const [alice, bob] = [funded(exchange, 'alice', '1000'), funded(exchange, 'bob', '1000')];
    place(exchange, bob, 'sell', '100', { price: '2' });
    place(exchange, alice, 'buy', '100', { price: '2' });
    ambient(exchange, [['1.99', '1']], [['2.03', '1']]);
    const before = [alice, bob].map((account) => account.balance('USDC'));
    exchange.advance(FIRST - 1);
    expect(alice.fundingPayments).toEqual([]);
    exchange.advance(FIRST);
    exchange.advance(FIRST + 1);
    // 100 x 2.01 x 0.0001
    expect([alice, bob].map((account, index) => account.balance('USDC').minus(before[index] ?? '0').toFixed())).toEqual(['-0.0201', '0.0201']);
    expect(alice.fundingPayments).toMatchObject([{ symbol: 'XRP-PERP', time: FIRST }]);
    expect(alice.holdings.get('XRP-PERP')?.fundingPaid.toFixed()).toBe('0.0201');
  });

  test('a clock that jumps over three funding times charges three', () => {
    const { exchange, alice } = stretched();
    exchange.advance(FIRST + 2 * EIGHT_HOURS_MS + 5);
    expect(alice.fundingPayments.map(({ time }) => time)).toEqual([FIRST, FIRST + EIGHT_HOURS_MS, FIRST + 2 * EIGHT_HOURS_MS]);
  });

  test('the rate and the interval can be set; a negative rate turns the payment round', () => {
    const { exchange, alice } = stretched();
    exchange.setFunding('XRP-PERP', { rate: decimal('-0.01'), intervalMs: 3_600_000 }, NOW);
    exchange.advance(NOW + 3_600_000);
    expect(alice.fundingPayments.map(({ amount }) => amount.toFixed())).toEqual(['1.995']);
  });

  test('that eats the margin up liquidates', () => {
    const { exchange, alice } = stretched();
    exchange.setFunding('XRP-PERP', { rate: decimal('0.08') }, NOW);
    exchange.advance(FIRST);
    expect([alice.position('XRP-PERP').toFixed(), [...alice.orders.values()].at(-1)?.liquidation]).toEqual(['0', true]);
  });

  test('a clock set back charges no funding time twice, unless it was set on purpose', () => {
    const { exchange, alice } = stretched();
    exchange.advance(FIRST);
    exchange.advance(FIRST - 10);
    exchange.advance(FIRST);
    expect(alice.fundingPayments.length).toBe(1);
    exchange.restartFunding(FIRST - 10);
    exchange.advance(FIRST);
    expect(alice.fundingPayments.length).toBe(2);
  });

  test('what a position paid is forgotten with the position', () => {
    const { exchange, alice } = stretched();
    exchange.advance(FIRST);
    place(exchange, alice, 'sell', '100');
    ambient(exchange, [['1.99', '10000']], [['2', '10000']]);
    place(exchange, alice, 'buy', '10');
    expect(alice.holdings.get('XRP-PERP')?.fundingPaid.toFixed()).toBe('0');
  });
});
