/** How the market data's own trades fill client orders: by volume, after what stood before them. */
import { describe, expect, test } from '@jest/globals';
import { ambient, fillsOf, funded, place, quietExchange, traded } from './exchange-samples';

const book = [['1.99', '50'], ['1.98', '100']] as const;

describe('a trade of the market data', () => {
  test('fills a resting order only after what was at its price before it, and then by its volume', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, book, [['2.01', '50']]);
    const order = place(exchange, alice, 'buy', '30', { price: '1.99' });
    expect(order.queueAhead.toFixed()).toBe('50');
    traded(exchange, 'sell', '45', '1.99');
    expect([order.queueAhead.toFixed(), order.filled.toFixed()]).toEqual(['5', '0']);
    traded(exchange, 'sell', '20', '1.99');
    expect([order.queueAhead.toFixed(), order.filled.toFixed()]).toEqual(['0', '15']);
    traded(exchange, 'sell', '100', '1.99');
    expect(fillsOf(alice)).toEqual(['buy 15 @ 1.99 maker', 'buy 15 @ 1.99 maker']);
  });

  test('what came to the price later stands behind the order, what left counts as behind while it can', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, book, [['2.01', '50']]);
    const order = place(exchange, alice, 'buy', '30', { price: '1.99' });
    ambient(exchange, [['1.99', '90']], [], { replace: false });
    expect(order.queueAhead.toFixed()).toBe('50');
    ambient(exchange, [['1.99', '60']], [], { replace: false });
    expect(order.queueAhead.toFixed()).toBe('50');
    ambient(exchange, [['1.99', '20']], [], { replace: false });
    expect(order.queueAhead.toFixed()).toBe('20');
    traded(exchange, 'sell', '50', '1.99');
    expect([order.status, exchange.state.venue('XRP-PERP').book.bids.find(order.price ?? order.quantity)?.ambient]).toEqual(['filled', undefined]);
  });

  test('clients at one price are served in the order they came, each after what stood before it', () => {
    const exchange = quietExchange();
    const [alice, bob] = [funded(exchange, 'alice'), funded(exchange, 'bob')];
    ambient(exchange, [['1.99', '10']], [['2.01', '50']]);
    place(exchange, alice, 'buy', '10', { price: '1.99' });
    ambient(exchange, [['1.99', '25']], [], { replace: false });
    place(exchange, bob, 'buy', '10', { price: '1.99' });
    traded(exchange, 'sell', '20', '1.99');
    expect([fillsOf(alice), fillsOf(bob)]).toEqual([['buy 10 @ 1.99 maker'], []]);
    traded(exchange, 'sell', '20', '1.99');
    // The other 15 that came between them go before Bob.
    expect(fillsOf(bob)).toEqual(['buy 5 @ 1.99 maker']);
  });

  test('through an order fills it at its own price, by no more than it traded', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    place(exchange, alice, 'buy', '30', { price: '1.99' });
    place(exchange, alice, 'buy', '30', { price: '1.98' });
    traded(exchange, 'sell', '40', '1.97');
    expect(fillsOf(alice)).toEqual(['buy 30 @ 1.99 maker', 'buy 10 @ 1.98 maker']);
    expect(exchange.state.drainTrades().map(({ quantity }) => quantity.toFixed())).toEqual(['30', '10']);
  });

  test('of the other side, or at a worse price, touches nothing', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    const order = place(exchange, alice, 'buy', '30', { price: '1.99' });
    traded(exchange, 'buy', '100', '1.99');
    traded(exchange, 'sell', '100', '2');
    expect(order.filled.toFixed()).toBe('0');
    expect(exchange.state.drainTrades().map(({ quantity, side }) => `${side} ${quantity.toFixed()}`)).toEqual(['buy 100', 'sell 100']);
  });

  test('a client that takes from the price moves everybody there up', () => {
    const exchange = quietExchange();
    const [alice, bob] = [funded(exchange, 'alice'), funded(exchange, 'bob')];
    ambient(exchange, book, [['2.01', '50']]);
    const order = place(exchange, alice, 'buy', '30', { price: '1.99' });
    place(exchange, bob, 'sell', '20');
    expect(order.queueAhead.toFixed()).toBe('30');
  });

  test('a picture of the depth fills nobody and moves nobody up', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, book, [['2.01', '50']]);
    const order = place(exchange, alice, 'buy', '30', { price: '1.99' });
    const { price } = order;
    if (price === null) throw new Error('a limit order has a price');
    exchange.updateMarket('XRP-PERP', { bids: [], asks: [[price, order.quantity]], replace: true, depthOnly: true }, 1_700_000_000_000);
    expect([order.filled.toFixed(), order.queueAhead.toFixed(), exchange.state.venue('XRP-PERP').book.asks.levels.length]).toEqual(['0', '50', 0]);
  });
});
