/** The columns of strategies and of their children. */
import type { Columns } from '../database/columns';

export const STRATEGY_COLUMNS = {
  id: 'text', clientStrategyId: 'text', userId: 'text', accountId: 'text', venue: 'text', symbol: 'text', venueSymbol: 'text', type: 'text', side: 'text',
  quantity: 'numeric', reduceOnly: 'boolean', parameters: 'jsonb', state: 'text', reason: 'text', pendingCancel: 'boolean', filledQuantity: 'numeric', avgPrice: 'numeric',
  revision: 'integer', run: 'integer', startAt: 'timestamptz', expireAt: 'timestamptz', startedAt: 'timestamptz', runStartedAt: 'timestamptz', pausedAt: 'timestamptz', pausedMs: 'bigint',
  ownerWorkflowId: 'text', createdAt: 'timestamptz', updatedAt: 'timestamptz', endedAt: 'timestamptz',
} as const satisfies Columns;

export const STRATEGY_CHILD_COLUMNS = {
  strategyId: 'text', n: 'integer', userId: 'text', orderId: 'text', run: 'integer', leg: 'text', quantity: 'numeric', limitPrice: 'numeric', timeInForce: 'text', postOnly: 'boolean', recordedAt: 'timestamptz',
} as const satisfies Columns;
