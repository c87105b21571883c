import { describe, expect, test } from '@jest/globals';
import { decimal } from '../../../src/domain/decimal';
import { NOW, ambient, fillsOf, funded, place, quietExchange, refusal } from './exchange-samples';

describe('an order meets the market data', () => {
  test('a market order walks the levels and fills at their prices', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, [['1.99', '50']], [['2.00', '100'], ['2.01', '100']]);
    const order = place(exchange, alice, 'buy', '150');
    expect(fillsOf(alice)).toEqual(['buy 100 @ 2 taker', 'buy 50 @ 2.01 taker']);
    expect(order.status).toBe('filled');
  });

  test('what a client consumed stays consumed until the level is updated', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, [], [['2.00', '100']]);
    place(exchange, alice, 'buy', '100');
    const none = place(exchange, alice, 'buy', '10');
    expect([none.status, none.cancelReason, none.filled.toFixed()]).toEqual(['canceled', 'NO_LIQUIDITY', '0']);
    ambient(exchange, [], [['2.00', '30']], { replace: false });
    expect(place(exchange, alice, 'buy', '10').status).toBe('filled');
  });

  test('a resting order is filled at its own price when the market data crosses it', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, [['1.98', '100']], [['2.02', '100']]);
    const order = place(exchange, alice, 'buy', '80', { price: '2.00' });
    expect(order.status).toBe('open');
    ambient(exchange, [['1.97', '100']], [['1.99', '50']]);
    expect([order.filled.toFixed(), order.leaves.toFixed()]).toEqual(['50', '30']);
    ambient(exchange, [['1.97', '100']], [['1.99', '50']]);
    expect(order.status).toBe('filled');
    expect(fillsOf(alice)).toEqual(['buy 50 @ 2 maker', 'buy 30 @ 2 maker']);
    expect(exchange.state.venue('XRP-PERP').book.asks.best()?.ambient.toFixed()).toBe('20');
  });
});

describe('time in force and flags', () => {
  test('IOC fills what it can and cancels the rest; FOK fills all or nothing', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, [], [['2.00', '100']]);
    const all = place(exchange, alice, 'buy', '101', { price: '2.00', timeInForce: 'FOK' });
    expect([all.status, all.cancelReason, all.filled.toFixed()]).toEqual(['canceled', 'NO_LIQUIDITY', '0']);
    const some = place(exchange, alice, 'buy', '150', { price: '2.00', timeInForce: 'IOC' });
    expect([some.status, some.filled.toFixed(), some.leaves.toFixed()]).toEqual(['canceled', '100', '50']);
    ambient(exchange, [], [['2.00', '100']]);
    expect(place(exchange, alice, 'buy', '100', { price: '2.00', timeInForce: 'FOK' }).status).toBe('filled');
  });

  test('FOK counts a reduce-only maker only for what it may still reduce', () => {
    const exchange = quietExchange();
    const [alice, bob] = [funded(exchange, 'alice'), funded(exchange, 'bob')];
    ambient(exchange, [], [['2.00', '50']]);
    place(exchange, alice, 'buy', '50');
    // Two exits, each for the whole position: together they can give 50, not 100.
    place(exchange, alice, 'sell', '50', { price: '2.10', reduceOnly: true });
    place(exchange, alice, 'sell', '50', { price: '2.11', reduceOnly: true });
    expect(place(exchange, bob, 'buy', '60', { price: '2.20', timeInForce: 'FOK' }).status).toBe('canceled');
    expect(place(exchange, bob, 'buy', '50', { price: '2.20', timeInForce: 'FOK' }).status).toBe('filled');
  });

  test('post-only is refused when it would trade, and rests otherwise', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, [['1.99', '100']], [['2.00', '100']]);
    expect(refusal(() => place(exchange, alice, 'buy', '10', { price: '2.00', postOnly: true }))).toBe('POST_ONLY_WOULD_CROSS');
    expect(place(exchange, alice, 'buy', '10', { price: '1.9999', postOnly: true }).status).toBe('open');
  });

  test('reduce-only never opens or turns a position, and ends when there is nothing left to reduce', () => {
    const exchange = quietExchange();
    const [alice, bob] = [funded(exchange, 'alice'), funded(exchange, 'bob')];
    expect(refusal(() => place(exchange, alice, 'sell', '10', { price: '3', reduceOnly: true }))).toBe('REDUCE_ONLY_WOULD_INCREASE');
    ambient(exchange, [['1.99', '500']], [['2.00', '500']]);
    place(exchange, alice, 'buy', '100');
    expect(refusal(() => place(exchange, alice, 'buy', '10', { price: '1', reduceOnly: true }))).toBe('REDUCE_ONLY_WOULD_INCREASE');
    const [first, second] = [place(exchange, alice, 'sell', '100', { price: '2.5', reduceOnly: true }), place(exchange, alice, 'sell', '100', { price: '2.6', reduceOnly: true })];
    place(exchange, alice, 'sell', '40');
    place(exchange, bob, 'buy', '1000', { price: '2.6' });
    expect(alice.position('XRP-PERP').toFixed()).toBe('0');
    expect([first.filled.toFixed(), first.status, first.cancelReason]).toEqual(['60', 'canceled', 'REDUCE_ONLY']);
    expect([second.filled.toFixed(), second.status, second.cancelReason]).toEqual(['0', 'canceled', 'REDUCE_ONLY']);
  });
});

describe('time priority', () => {
  test('at one price the earlier order fills first, and an amend that only shrinks keeps its place', () => {
    const exchange = quietExchange();
    const [alice, bob, carol] = [funded(exchange, 'alice'), funded(exchange, 'bob'), funded(exchange, 'carol')];
    const early = place(exchange, alice, 'buy', '100', { price: '2' });
    const late = place(exchange, bob, 'buy', '100', { price: '2' });
    exchange.amend(alice, { orderId: early.orderId, amendId: 'smaller', quantity: decimal('60') }, NOW);
    place(exchange, carol, 'sell', '70', { price: '2', timeInForce: 'IOC' });
    expect([early.filled.toFixed(), late.filled.toFixed()]).toEqual(['60', '10']);
  });

  test.each([
    ['growing', { quantity: '120' }],
    ['a new price', { price: '2.01' }],
  ])('%s loses the place', (_what, change) => {
    const exchange = quietExchange();
    const [alice, bob, carol] = [funded(exchange, 'alice'), funded(exchange, 'bob'), funded(exchange, 'carol')];
    const early = place(exchange, alice, 'buy', '100', { price: '2' });
    const late = place(exchange, bob, 'buy', '100', { price: '2' });
    exchange.amend(alice, { orderId: early.orderId, amendId: 'a', ...('quantity' in change ? { quantity: decimal(change.quantity) } : { price: decimal(change.price) }) }, NOW);
    if ('price' in change) exchange.amend(alice, { orderId: early.orderId, amendId: 'b', price: decimal('2') }, NOW);
    place(exchange, carol, 'sell', '70', { price: '2', timeInForce: 'IOC' });
    expect([early.filled.toFixed(), late.filled.toFixed()]).toEqual(['0', '70']);
  });
});

describe('amend and cancel', () => {
  test('the same amend id answers the same and acts once', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    const order = place(exchange, alice, 'buy', '100', { price: '2' });
    const first = exchange.amend(alice, { clientId: order.clientId, amendId: 'a1', price: decimal('1.9') }, NOW);
    exchange.amend(alice, { clientId: order.clientId, amendId: 'a2', price: decimal('1.8') }, NOW);
    expect(exchange.amend(alice, { clientId: order.clientId, amendId: 'a1', price: decimal('1.9') }, NOW)).toBe(first);
    expect([order.price?.toFixed(), order.revision]).toEqual(['1.8', 2]);
  });

  test('an amend may take liquidity, may not fall below what is filled, and changes nothing when refused', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    ambient(exchange, [['1.9', '10']], [['2.1', '30']]);
    const order = place(exchange, alice, 'buy', '100', { price: '2' });
    exchange.amend(alice, { orderId: order.orderId, amendId: 'cross', price: decimal('2.1') }, NOW);
    expect([order.filled.toFixed(), order.leaves.toFixed(), order.status]).toEqual(['30', '70', 'open']);
    const lockedBefore = alice.locked('USDC').toFixed();
    expect(refusal(() => exchange.amend(alice, { orderId: order.orderId, amendId: 'x', quantity: decimal('29') }, NOW))).toBe('BAD_REQUEST');
    expect(refusal(() => exchange.amend(alice, { orderId: order.orderId, amendId: 'y', quantity: decimal('99999999') }, NOW))).toBe('INSUFFICIENT_MARGIN');
    expect(refusal(() => exchange.amend(alice, { orderId: order.orderId, amendId: 'z', price: decimal('2.00001') }, NOW))).toBe('BAD_TICK');
    expect([order.quantity.toFixed(), order.price?.toFixed(), alice.locked('USDC').toFixed()]).toEqual(['100', '2.1', lockedBefore]);
    exchange.amend(alice, { orderId: order.orderId, amendId: 'w', quantity: decimal('30') }, NOW);
    expect(order.status).toBe('filled');
  });

  test('a canceled order frees its margin; canceling it again says it is closed; another account never sees it', () => {
    const exchange = quietExchange();
    const [alice, bob] = [funded(exchange, 'alice'), funded(exchange, 'bob')];
    const order = place(exchange, alice, 'buy', '100', { price: '2' });
    expect(alice.locked('USDC').toFixed()).toBe('20');
    expect(refusal(() => exchange.cancel(bob, { orderId: order.orderId }, NOW))).toBe('ORDER_NOT_FOUND');
    exchange.cancel(alice, { clientId: order.clientId }, NOW);
    expect(alice.locked('USDC').toFixed()).toBe('0');
    expect(refusal(() => exchange.cancel(alice, { orderId: order.orderId }, NOW))).toBe('ORDER_CLOSED');
    expect(refusal(() => exchange.cancel(alice, { clientId: 'never' }, NOW))).toBe('ORDER_NOT_FOUND');
  });
});
