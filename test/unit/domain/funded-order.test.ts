import { describe, expect, test } from '@jest/globals';
import { orderOfDeposit, resumedOrder } from '../../../src/domain/funded-order';
import { fundedOrderSample } from './funded-order-samples';

describe('an order that waits for a deposit\'s money', () => {
  const ended = (state: string) => ({ state, isEnded: true });

  test.each(['REFUNDED', 'FAILED', 'EXPIRED', 'CANCELED'])('is over once its deposit is %s, and says why', (state) => {
    expect(orderOfDeposit(fundedOrderSample(), ended(state))).toMatchObject({ state: 'NOT_FUNDED', reason: `DEPOSIT_${state}` });
  });

  test('waits on while its deposit is under way, and once it is credited', () => {
    const waiting = fundedOrderSample();
    expect(orderOfDeposit(waiting, { state: 'BRIDGING', isEnded: false })).toBe(waiting);
    expect(orderOfDeposit(waiting, ended('CREDITED'))).toBe(waiting);
  });

  test('waits again where a chain took its deposit\'s end back, not where it was given up for another reason', () => {
    const over = orderOfDeposit(fundedOrderSample(), ended('REFUNDED'));
    expect(orderOfDeposit(over, { state: 'MANUAL_REVIEW', isEnded: false })).toMatchObject({ state: 'WAITING', reason: null });
    const givenUp = fundedOrderSample({ state: 'NOT_FUNDED', reason: 'FUNDING_FAILED' });
    expect(orderOfDeposit(givenUp, { state: 'MANUAL_REVIEW', isEnded: false })).toBe(givenUp);
  });

  test.each(['PLACED', 'FILLED', 'RETURNING', 'RETURNED', 'HELD'] as const)('keeps what it is where it is %s already', (state) => {
    const order = fundedOrderSample({ state });
    expect(orderOfDeposit(order, ended('FAILED'))).toBe(order);
  });

  test('is asked for anew by a person where its money is held, and nowhere else', () => {
    expect(resumedOrder(fundedOrderSample({ state: 'HELD', reason: 'SIGNER_REFUSED: no' }))).toMatchObject({ state: 'RETURNING', reason: 'RESUMED' });
    expect(resumedOrder(fundedOrderSample({ state: 'RETURNED' }))).toBeNull();
  });
});
