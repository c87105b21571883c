import { describe, expect, test } from '@jest/globals';
import { decimal } from '../../../src/domain/decimal';
import { positionView } from '../../../src/simulator/account';
import { NOW, ambient, funded, place, quietExchange, refusal } from './exchange-samples';

describe('what an order must satisfy', () => {
  test.each([
    ['a price between two ticks', 'BAD_TICK', '10', { price: '2.00005' }],
    ['a quantity between two lots', 'BAD_LOT', '10.05', { price: '2' }],
    ['less than the minimum notional', 'BELOW_MINIMUM', '2', { price: '2' }],
    ['a market nobody knows', 'UNKNOWN_MARKET', '10', { price: '2', symbol: 'DOGE-PERP' }],
    ['more than the margin allows', 'INSUFFICIENT_MARGIN', '600000', { price: '2' }],
  ])('%s is refused and creates no order', (_what, code, quantity, wanted) => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    expect(refusal(() => place(exchange, alice, 'buy', quantity, wanted))).toBe(code);
    expect([alice.orders.size, exchange.state.orders.size]).toEqual([0, 0]);
  });

  test('a client id is used up by an accepted order for ever, not by a refused one', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    expect(refusal(() => place(exchange, alice, 'buy', '0.05', { price: '2', clientId: 'mine' }))).toBe('BAD_LOT');
    const order = place(exchange, alice, 'buy', '10', { price: '2', clientId: 'mine' });
    exchange.cancel(alice, { orderId: order.orderId }, NOW);
    expect(refusal(() => place(exchange, alice, 'buy', '10', { price: '2', clientId: 'mine' }))).toBe('DUPLICATE_CLIENT_ID');
    expect(place(exchange, funded(exchange, 'bob'), 'buy', '10', { price: '2', clientId: 'mine' }).status).toBe('open');
  });
});

describe('margin', () => {
  test('holds the worst case of position and open orders, divided by leverage', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice', '1000');
    ambient(exchange, [['1.99', '9999']], [['2', '9999']]);
    place(exchange, alice, 'buy', '1000');
    expect(alice.usedMargin().toFixed()).toBe('200');
    // Selling what is held reduces: nothing more is held. Beyond it, the excess is.
    place(exchange, alice, 'sell', '1000', { price: '3' });
    expect(alice.usedMargin().toFixed()).toBe('200');
    place(exchange, alice, 'sell', '1000', { price: '3' });
    expect(alice.usedMargin().toFixed()).toBe('300');
    place(exchange, alice, 'buy', '1000', { price: '1.5' });
    expect(alice.usedMargin().toFixed()).toBe('350');
  });

  test('concurrent orders cannot over-commit it, and an exit passes when nothing is left', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice', '101.2');
    ambient(exchange, [['2', '9999']], [['2', '9999']]);
    place(exchange, alice, 'buy', '500');
    expect(refusal(() => place(exchange, alice, 'buy', '100', { price: '1' }))).toBe('INSUFFICIENT_MARGIN');
    exchange.credit(alice, 'USDC', decimal('-150'));
    expect(place(exchange, alice, 'sell', '500').status).toBe('filled');
  });

  test('leverage has the market\'s maximum, and lowering it needs the margin', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice', '100');
    expect(refusal(() => exchange.setLeverage(alice, 'XRP-PERP', 21))).toBe('LEVERAGE_TOO_HIGH');
    exchange.setLeverage(alice, 'XRP-PERP', 20);
    place(exchange, alice, 'buy', '900', { price: '2' });
    expect(alice.usedMargin().toFixed()).toBe('90');
    expect(refusal(() => exchange.setLeverage(alice, 'XRP-PERP', 10))).toBe('INSUFFICIENT_MARGIN');
    expect(alice.usedMargin().toFixed()).toBe('90');
  });
});

describe('positions', () => {
  test('average entry, realised profit, fees, and a turn through zero', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice', '1000');
    ambient(exchange, [['1.98', '9999']], [['2', '100'], ['2.1', '100']]);
    place(exchange, alice, 'buy', '200');
    const holding = alice.holding(exchange.state.venue('XRP-PERP').market);
    expect(positionView(holding, exchange.state.markOf)).toMatchObject({ side: 'long', quantity: '200', entryPrice: '2.05', margin: '41' });
    ambient(exchange, [['2.2', '9999']], [['2.3', '100']]);
    place(exchange, alice, 'sell', '300');
    // 200 closed with 0.15 each; 100 short at 2.2.
    expect(positionView(holding, exchange.state.markOf)).toMatchObject({ side: 'short', quantity: '100', entryPrice: '2.2', realizedPnl: '30', unrealizedPnl: '-5' });
    // 1000 + 30 - 0.00055 x (410 + 660)
    expect(alice.balance('USDC').toFixed()).toBe('1029.4115');
  });

  test('spot: a buy holds quote and fee, a sell holds base, both move on the fill', () => {
    const exchange = quietExchange();
    const alice = exchange.state.openAccount('alice');
    exchange.credit(alice, 'USDT', decimal('1000'));
    expect(refusal(() => place(exchange, alice, 'sell', '0.01', { symbol: 'BTC-USDT', price: '90000' }))).toBe('INSUFFICIENT_MARGIN');
    expect(refusal(() => place(exchange, alice, 'buy', '0.01', { symbol: 'BTC-USDT', price: '100000' }))).toBe('INSUFFICIENT_MARGIN');
    const order = place(exchange, alice, 'buy', '0.01', { symbol: 'BTC-USDT', price: '90000' });
    expect(alice.locked('USDT').toFixed()).toBe('900.9');
    ambient(exchange, [], [['89000', '1']], { symbol: 'BTC-USDT' });
    expect(order.status).toBe('filled');
    expect([alice.balance('USDT').toFixed(), alice.balance('BTC').toFixed(), alice.locked('USDT').toFixed()]).toEqual(['99.1', '0.01', '0']);
    place(exchange, alice, 'sell', '0.01', { symbol: 'BTC-USDT', price: '95000' });
    expect([alice.locked('BTC').toFixed(), alice.available('BTC', exchange.state.markOf).toFixed()]).toEqual(['0.01', '0']);
  });
});
