/** Where a conditional order's workflow begins: what it takes from its row, so that it arms and amends nothing twice. */
import { expect, test } from '@jest/globals';
import type { OrderCondition } from '../../../src/domain/condition';
import { UNCONDITIONAL, type OrderIntent } from '../../../src/domain/order';
import { memoryOfRow } from '../../../src/workflows/state/conditional-memory';
import { ConditionalOrder } from '../../../src/workflows/state/conditional-order';

const STOP: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000001', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'c1', venueClientId: 'v1', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '10', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: '2026-01-01T00:00:00.000Z', idempotency: null,
};
const CONDITION: OrderCondition = { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '100', triggerPriceType: 'mark' };
const AT = Date.parse('2026-01-01T00:00:00.000Z');

test('knows the trigger that was armed as it was accepted, and how often that was amended', () => {
  const held = { state: 'ARMED', quantity: '8', limitPrice: null, condition: CONDITION, pendingCancel: false, revision: 3, triggeredAtMs: null, children: [] } as const;
  const taken = new ConditionalOrder(STOP, CONDITION, memoryOfRow({ ...held, armedRevision: 3 }, STOP));
  expect(taken.next(AT, null)).toEqual({ kind: 'wait', untilMs: null, looking: false });
  taken.amended({ triggerPrice: '101' });
  expect(taken.next(AT, null)).toEqual({ kind: 'arm', version: 3 });
  // It fired before anybody looked, or was never armed: whoever arms it learns that.
  expect(new ConditionalOrder(STOP, CONDITION, memoryOfRow({ ...held, armedRevision: null }, STOP)).next(AT, null)).toEqual({ kind: 'arm', version: 0 });
});
