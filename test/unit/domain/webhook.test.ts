import { describe, expect, test } from '@jest/globals';
import type { StreamEvent } from '../../../src/domain/events';
import { isSubscribed, isWanted, MAX_PAYLOAD_BYTES, orderingKey, payloadOf, webhookTypesOf } from '../../../src/domain/webhook';

function event(changes: Partial<StreamEvent> = {}): StreamEvent {
  return { id: 'g/account:a1/7', stream: 'account:a1', userId: 'u1', accountId: 'a1', sequence: 7, generation: 'g', type: 'order.filled', at: '2026-01-31T12:00:00.000Z', orderId: 'o1', data: { order: { id: 'o1' } }, ...changes };
}

describe('what an endpoint is sent', () => {
  test.each([
    [['*'], 'order.filled', true],
    [['order.*'], 'order.filled', true],
    [['order.*'], 'orderList.done', false],
    [['order.filled'], 'order.canceled', false],
    [['fill.created', 'account.*'], 'account.alert', true],
    [[], 'order.filled', false],
  ])('a subscription to %j and %s: %s', (types, type, wanted) => {
    expect(isSubscribed(types, type)).toBe(wanted);
  });

  test('of the accounts that it names, and nothing that belongs to none then', () => {
    const all = { id: 'e1', eventTypes: ['*'], accountIds: null };
    expect([isWanted(all, event(), 'order.filled'), isWanted(all, event({ accountId: null }), 'order.filled')]).toEqual([true, true]);
    const one = { ...all, accountIds: ['a1'] };
    expect([event(), event({ accountId: 'a2' }), event({ accountId: null })].map((each) => isWanted(one, each, 'order.filled'))).toEqual([true, false, false]);
  });

  test('not what tells of itself: that would wait behind its own failure', () => {
    const alert = event({ type: 'account.alert', data: { kind: 'webhookFailing', endpointId: 'e1' } });
    expect(['e1', 'e2'].map((id) => isWanted({ id, eventTypes: ['*'], accountIds: null }, alert, alert.type))).toEqual([false, true]);
  });

  test('an order that is filled is told as trade.executed too', () => {
    expect(webhookTypesOf(event())).toEqual(['order.filled', 'trade.executed']);
    expect(webhookTypesOf(event({ type: 'fill.created' }))).toEqual(['fill.created']);
  });
});

describe('what is delivered in order', () => {
  test.each([
    ['of an order', { type: 'order.canceled' }, 'order/o1'],
    ['of a fill with its order', { type: 'fill.created' }, 'order/o1'],
    ['of a position', { type: 'position.updated', orderId: null, data: { position: { symbol: 'BTC-PERP' } } }, 'position/a1/BTC-PERP'],
    ['of a position that a fill of any order moved', { type: 'position.updated', data: { position: { symbol: 'BTC-PERP' } } }, 'position/a1/BTC-PERP'],
    ['of a round trip, by fills of any order', { type: 'trade.updated', data: { trade: { symbol: 'BTC-PERP' } } }, 'trade/a1/BTC-PERP'],
    ['of a deposit, wherever it names itself', { type: 'account.alert', orderId: null, data: { depositId: 'd1' } }, 'deposit/a1/d1'],
    ['of the account', { type: 'account.alert', orderId: null, data: { kind: 'x' } }, 'account:a1'],
  ] as const)('events %s share a key', (_name, changes, key) => {
    expect(orderingKey('perKey', event(changes as Partial<StreamEvent>), 'd')).toBe(key);
  });

  test('or everything, or nothing, as the endpoint says', () => {
    expect([orderingKey('serial', event(), 'd1'), orderingKey('none', event(), 'd1'), orderingKey('none', event(), 'd2')]).toEqual(['all', 'alone/d1', 'alone/d2']);
  });
});

describe('the body', () => {
  test('is the event, its place in the outbox included', () => {
    expect(JSON.parse(payloadOf(event(), 'trade.executed'))).toEqual({ type: 'trade.executed', timestamp: '2026-01-31T12:00:00.000Z', stream: 'account:a1', sequence: 7, generation: 'g', accountId: 'a1', orderId: 'o1', data: { order: { id: 'o1' } } });
  });

  test('never has more than 64 KB: data that would is left out, and it says so', () => {
    const body = payloadOf(event({ data: { words: 'ü'.repeat(MAX_PAYLOAD_BYTES / 2) } }), 'order.filled');
    expect(JSON.parse(body)).toMatchObject({ sequence: 7, data: {}, dataOmitted: true });
    expect(Buffer.byteLength(body)).toBeLessThan(1_000);
  });
});
