/** A deposit whose money is to go on to an account, and there into a bracket. */
import type { Deposit } from '../../../src/domain/deposit';
import type { FundedOrder } from '../../../src/domain/funded-order';
import { leg, LEGS } from '../order-lists/list-samples';
import { depositSample } from './deposit-samples';

export function fundedOrderSample(changes: Partial<FundedOrder> = {}): FundedOrder {
  return {
    state: 'WAITING', reason: null, onRefused: 'keep', asked: { symbol: 'X-PERP' }, credited: null, entry: null, back: null,
    list: { id: 'l-1', clientListId: 'deposit-d-1', userId: 'u-1', accountId: 'a', venue: 'paper', symbol: 'X-PERP', type: 'BRACKET', legs: LEGS.BRACKET.map(leg), expireTime: null, timeLimitMs: null, breakEvenAfter: null, ownerWorkflowId: 'order-list/l-1' },
    ...changes,
  };
}

export function fundedDeposit(order: Partial<FundedOrder> = {}): Deposit {
  return depositSample({ state: 'CREDITED', sourceOutcome: 'final', destination: { accountId: 'a', fundingId: 'w-1', order: fundedOrderSample(order) } });
}
