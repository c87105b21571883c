import { describe, expect, test } from '@jest/globals';
import { accountStream, channelOf, EVENT_TYPES, userStream } from '../../../src/domain/events';
import { EpochLost } from '../../../src/domain/order-store';
import { describeIntent } from '../../../src/domain/order-summary';
import { isoTime, systemClock } from '../../../src/domain/clock';

describe('an event', () => {
  test.each(EVENT_TYPES)('%s goes to the channel of its first word', (type) => {
    const channels: Record<string, string> = { order: 'orders', fill: 'fills', position: 'positions', balance: 'balances', trade: 'trades', account: 'account', deposit: 'deposits', swap: 'deposits', strategy: 'strategies', orderList: 'orderLists', alert: 'alerts', signal: 'account', withdrawal: 'deposits' };
    expect(channelOf(type)).toBe(channels[type.split('.')[0] ?? '']);
  });

  test('has a stream per account, or per user, that cannot be mistaken for each other', () => {
    expect(accountStream('7')).toBe('account:7');
    expect(userStream('7')).toBe('user:7');
  });
});

describe('an order in one line', () => {
  const intent = { side: 'buy', quantity: '0.5', symbol: 'BTC-PERP', type: 'limit', limitPrice: '61250', timeInForce: 'GTC', venue: 'paper', reduceOnly: false } as const;

  test('says side, quantity, symbol, type, price, time in force and venue', () => {
    expect(describeIntent(intent)).toBe('BUY 0.5 BTC-PERP limit 61250 GTC on paper');
  });

  test('leaves out a price that there is not, and says reduce-only', () => {
    expect(describeIntent({ ...intent, side: 'sell', type: 'market', limitPrice: null, timeInForce: 'IOC', reduceOnly: true })).toBe('SELL 0.5 BTC-PERP market IOC reduce-only on paper');
  });
});

describe('small words', () => {
  test('a watcher that lost its scope says which epoch was taken over', () => {
    const error = new EpochLost({ scope: 'account/a1', epoch: 3 });
    expect(error).toMatchObject({ name: 'EpochLost', writer: { scope: 'account/a1', epoch: 3 } });
    expect(error.message).toBe('epoch 3 of account/a1 was taken over');
  });

  test('times are ISO 8601 in UTC, and the clock is the machine\'s', () => {
    expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
    const before = Date.now();
    const now = systemClock.nowMs();
    expect(now >= before && now <= Date.now()).toBe(true);
  });
});
