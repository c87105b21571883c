/** Terms of a conditional order that become others while something of it is on its way. */
import { expect, test } from '@jest/globals';
import { UNCONDITIONAL, type OrderIntent } from '../../../src/domain/order';
import { supervisedView } from '../../../src/domain/supervised-order';
import { ConditionalOrder } from '../../../src/workflows/state/conditional-order';
import { sampleOrder } from '../domain/order-samples';

const STOP: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000001', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'c1', venueClientId: 'v1', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '10', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: '2026-01-01T00:00:00.000Z', idempotency: null,
};
const AT = Date.parse('2026-01-01T00:00:00.000Z');

test('a native stop that was decided by the terms before an amendment is placed anew, however far it was on its way', () => {
  const order = new ConditionalOrder(STOP, { ...UNCONDITIONAL, execution: 'both', triggerPrice: '100', triggerPriceType: 'mark' }, null);
  order.armed(0);
  const step = order.next(AT, null);
  if (step.kind !== 'place') throw new Error(`it does ${step.kind}`);
  order.amended({ triggerPrice: '101' });
  order.placed(step.n, step.step, 'child-0', AT, step.version);
  expect(order.next(AT, null)).toEqual({ kind: 'arm', version: 1 });
  order.armed(1);
  const cancel = order.next(AT, null);
  if (cancel.kind !== 'cancelChild') throw new Error(`it does ${cancel.kind}`);
  order.cancelSent(cancel.child, AT);
  order.childSeen(supervisedView(sampleOrder({ id: 'child-0', state: 'CANCELED', updatedAt: new Date(AT).toISOString() })));
  expect(order.next(AT + 60_000, null)).toMatchObject({ kind: 'place', version: 1, terms: { condition: { triggerPrice: '101' } } });
});
