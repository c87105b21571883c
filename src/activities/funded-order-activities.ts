/** The activity of orders that wait for their deposit's money: what it does is in funded-order-path.ts. */
import type { FundedOrderState } from '../domain/funded-order';
import { beating } from './beating';
import type { FundedOrderPath } from './funded-order-path';

export interface FundedOrderActivities {
  lookAtFundedOrder(input: { readonly depositId: string }): Promise<FundedOrderState>;
}

export function createFundedOrderActivities(path: Pick<FundedOrderPath, 'look'>): FundedOrderActivities {
  return { lookAtFundedOrder: ({ depositId }) => beating(() => path.look(depositId)) };
}
