/** A strategy as its owner asks for it: an iceberg of 100. */
import { randomUUID } from 'node:crypto';
import type { Account } from '../../src/domain/account';
import { withFallbacks } from '../../src/domain/strategies/form';
import { strategyNamed } from '../../src/domain/strategies/registry';
import type { NewStrategy } from '../../src/store/waiting/strategies';
import { SYMBOL, VENUE_SYMBOL } from './store/harness';

export function wish(account: Account): NewStrategy {
  const id = randomUUID();
  return {
    id, clientStrategyId: `c-${id}`, userId: account.userId, accountId: account.id, venue: account.venue, symbol: SYMBOL, venueSymbol: VENUE_SYMBOL, type: 'iceberg', side: 'buy', quantity: '100', reduceOnly: false,
    parameters: withFallbacks(strategyNamed('iceberg').form, { limitPrice: '2', displayQuantity: '60' }), startAt: null, expireAt: null, ownerWorkflowId: `strategy/${id}`,
  };
}
