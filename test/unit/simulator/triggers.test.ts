/** Native stops and take-profits, and orders that end by themselves. */
import { describe, expect, test } from '@jest/globals';
import { decimal } from '../../../src/domain/decimal';
import { NOW, ambient, fillsOf, funded, place, quietExchange, refusal, traded } from './exchange-samples';

/** Mark 2, ten thousand on each side, and an account that is long 100. */
function longOf100() {
  const exchange = quietExchange();
  const alice = funded(exchange, 'alice');
  ambient(exchange, [['1.99', '10000']], [['2.01', '10000']]);
  place(exchange, alice, 'buy', '100');
  return { exchange, alice, moveTo: (bid: string, ask: string) => ambient(exchange, [[bid, '10000']], [[ask, '10000']]) };
}

describe('a trigger order', () => {
  test.each([
    ['a stop of a long', 'sell', 'stopMarket', '1.9', ['1.92', '1.94'], ['1.88', '1.9'], 'sell 100 @ 1.88 taker'],
    ['a take-profit of a long', 'sell', 'takeProfitMarket', '2.1', ['2.05', '2.07'], ['2.1', '2.12'], 'sell 100 @ 2.1 taker'],
    ['a stop that enters', 'buy', 'stopMarket', '2.1', ['2.05', '2.07'], ['2.1', '2.12'], 'buy 100 @ 2.12 taker'],
    ['an entry at a better price', 'buy', 'takeProfitMarket', '1.9', ['1.92', '1.94'], ['1.88', '1.9'], 'buy 100 @ 1.9 taker'],
  ] as const)('%s waits until the mark reaches it, then trades at the market', (_what, side, type, triggerPrice, before, at, fill) => {
    const { exchange, alice, moveTo } = longOf100();
    const order = place(exchange, alice, side, '100', { type, triggerPrice });
    expect([order.status, order.triggeredAt, exchange.state.venue('XRP-PERP').book.asks.levels.length]).toEqual(['open', null, 1]);
    moveTo(before[0], before[1]);
    expect(order.status).toBe('open');
    moveTo(at[0], at[1]);
    expect([order.status, order.triggeredAt, fillsOf(alice).at(-1)]).toEqual(['filled', NOW, fill]);
  });

  test('with a limit price becomes a limit order and rests', () => {
    const { exchange, alice, moveTo } = longOf100();
    const order = place(exchange, alice, 'sell', '100', { type: 'stopLimit', triggerPrice: '1.9', price: '1.95' });
    expect(alice.usedMargin().toFixed()).toBe('20.1');
    moveTo('1.88', '1.9');
    expect([order.status, order.filled.toFixed(), exchange.state.venue('XRP-PERP').book.asks.levels.map(({ text }) => text)]).toEqual(['open', '0', ['1.9', '1.95']]);
    moveTo('1.96', '1.98');
    expect(fillsOf(alice).at(-1)).toBe('sell 100 @ 1.95 maker');
  });

  test('looks at the last trade where it is told to, however the mark moves', () => {
    const { exchange, alice, moveTo } = longOf100();
    const order = place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '1.9', triggerPriceType: 'last' });
    moveTo('1.8', '1.82');
    expect(order.status).toBe('open');
    traded(exchange, 'sell', '1', '1.9');
    expect(order.status).toBe('filled');
  });

  test('is refused when its price was reached already, or off the tick', () => {
    const { exchange, alice } = longOf100();
    expect(refusal(() => place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '2.1' }))).toBe('TRIGGER_ALREADY_REACHED');
    expect(refusal(() => place(exchange, alice, 'buy', '100', { type: 'stopLimit', triggerPrice: '2', price: '2' }))).toBe('TRIGGER_ALREADY_REACHED');
    expect(refusal(() => place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '1.90001' }))).toBe('BAD_TICK');
    expect(refusal(() => place(exchange, alice, 'sell', '100', { type: 'stopLimit', triggerPrice: '1.9', price: '1.90001' }))).toBe('BAD_TICK');
  });

  test('holds no margin while it waits; without it when it fires, it is canceled and says so', () => {
    const { exchange, alice, moveTo } = longOf100();
    exchange.credit(alice, 'USDC', decimal('-99950'));
    const before = alice.usedMargin().toFixed();
    const order = place(exchange, alice, 'buy', '5000', { type: 'stopMarket', triggerPrice: '2.1' });
    expect(alice.usedMargin().toFixed()).toBe(before);
    moveTo('2.1', '2.12');
    expect([order.status, order.cancelReason, order.triggeredAt]).toEqual(['canceled', 'INSUFFICIENT_MARGIN', NOW]);
  });

  test('that only reduces needs a position, takes what is left of it, and ends with it', () => {
    const { exchange, alice, moveTo } = longOf100();
    expect(refusal(() => place(exchange, funded(exchange, 'bob'), 'sell', '100', { type: 'stopMarket', triggerPrice: '1.9', reduceOnly: true }))).toBe('REDUCE_ONLY_WOULD_INCREASE');
    const stop = place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '1.9', reduceOnly: true });
    const other = place(exchange, alice, 'sell', '100', { type: 'takeProfitMarket', triggerPrice: '2.2', reduceOnly: true });
    place(exchange, alice, 'sell', '40');
    moveTo('1.88', '1.9');
    expect([fillsOf(alice).at(-1), stop.status, stop.cancelReason]).toEqual(['sell 60 @ 1.88 taker', 'canceled', 'REDUCE_ONLY']);
    expect([other.status, other.cancelReason, alice.position('XRP-PERP').toFixed()]).toEqual(['canceled', 'REDUCE_ONLY', '0']);
    moveTo('2.2', '2.22');
    expect(alice.position('XRP-PERP').toFixed()).toBe('0');
  });

  test('can be amended and canceled while it waits', () => {
    const { exchange, alice, moveTo } = longOf100();
    const order = place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '1.9' });
    expect(refusal(() => exchange.amend(alice, { orderId: order.orderId, amendId: 'a', price: order.triggerPrice ?? undefined }, NOW))).toBe('BAD_REQUEST');
    expect(JSON.parse(exchange.amend(alice, { orderId: order.orderId, amendId: 'b', triggerPrice: order.triggerPrice?.minus('0.1') }, NOW))).toMatchObject({ order: { triggerPrice: '1.8', revision: 1 } });
    moveTo('1.88', '1.9');
    expect(order.status).toBe('open');
    exchange.cancel(alice, { orderId: order.orderId }, NOW);
    moveTo('1.7', '1.72');
    expect([order.status, order.cancelReason, fillsOf(alice).length]).toEqual(['canceled', 'REQUESTED', 1]);
  });

  test('that fires may fire the next: stops fall like dominoes, each at what the last one left', () => {
    const { exchange, alice } = longOf100();
    const bob = funded(exchange, 'bob');
    place(exchange, bob, 'buy', '100');
    place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '1.95' });
    place(exchange, bob, 'sell', '100', { type: 'stopMarket', triggerPrice: '1.9' });
    ambient(exchange, [['1.94', '100'], ['1.8', '100']], [['1.96', '100']]);
    expect([fillsOf(alice).at(-1), fillsOf(bob).at(-1)]).toEqual(['sell 100 @ 1.94 taker', 'sell 100 @ 1.8 taker']);
  });
});

describe('a good-till-date order', () => {
  test('ends at its time with what it has filled by then, and gives its margin back', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    const order = place(exchange, alice, 'buy', '100', { price: '2', expireAt: NOW + 1_000 });
    ambient(exchange, [], [['2', '30']]);
    expect(exchange.nextDueAt()).toBe(NOW + 1_000);
    exchange.advance(NOW + 999);
    expect([order.status, alice.usedMargin().toFixed()]).toEqual(['open', '20']);
    exchange.advance(NOW + 1_000);
    expect([order.status, order.cancelReason, order.filled.toFixed(), alice.usedMargin().toFixed()]).toEqual(['expired', 'EXPIRED', '30', '6']);
    ambient(exchange, [], [['2', '100']]);
    expect(order.filled.toFixed()).toBe('30');
  });

  test('ends before the market data of its very time can fill it', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    const order = place(exchange, alice, 'buy', '100', { price: '2', expireAt: NOW + 1_000 });
    const exactly = exchange.state.venue('XRP-PERP').market.tickSize.times(20_000);
    exchange.updateMarket('XRP-PERP', { bids: [], asks: [[exactly, order.quantity]], replace: true }, NOW + 1_000);
    expect([order.status, order.filled.toFixed()]).toEqual(['expired', '0']);
  });

  test('may be a stop, which then never fires', () => {
    const { exchange, alice, moveTo } = longOf100();
    const stop = place(exchange, alice, 'sell', '100', { type: 'stopMarket', triggerPrice: '1.9', expireAt: NOW + 1_000 });
    exchange.advance(NOW + 1_000);
    moveTo('1.8', '1.82');
    expect([stop.status, stop.triggeredAt, alice.position('XRP-PERP').toFixed()]).toEqual(['expired', null, '100']);
  });

  test('needs an end that is still to come, and only it has one', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    expect(refusal(() => place(exchange, alice, 'buy', '100', { price: '2', expireAt: NOW }))).toBe('BAD_REQUEST');
    expect(refusal(() => place(exchange, alice, 'buy', '100', { price: '2', timeInForce: 'GTD' }))).toBe('BAD_REQUEST');
    expect(refusal(() => place(exchange, alice, 'buy', '100', { price: '2', timeInForce: 'GTC', expireAt: NOW + 1 }))).toBe('BAD_REQUEST');
  });

  test('many of them end in the order of their times, canceled ones left out', () => {
    const exchange = quietExchange();
    const alice = funded(exchange, 'alice');
    const orders = [500, 300, 400, 300].map((ms) => place(exchange, alice, 'buy', '10', { price: '1', expireAt: NOW + ms }));
    exchange.cancel(alice, { orderId: orders[2]?.orderId ?? '' }, NOW);
    exchange.advance(NOW + 300);
    expect(orders.map(({ status }) => status)).toEqual(['open', 'expired', 'canceled', 'expired']);
    expect(exchange.nextDueAt()).toBe(NOW + 500);
  });
});
