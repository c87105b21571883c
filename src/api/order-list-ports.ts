/** What the API asks of order lists. */
import type { StreamEvent } from '../domain/events';
import type { IdempotencyStamp } from '../domain/order';
import type { OrderList, OrderListChild } from '../domain/order-list';
import type { OrderListCommand } from '../domain/order-list-commands';

/** Of orders, and of whatever else is listed by account, market and being open. */
export interface OrderListQuery {
  readonly userId: string;
  readonly status: 'open' | 'closed' | 'all';
  readonly accountId: string | null;
  readonly symbol: string | null;
  readonly venue: string | null;
  readonly cursor: string | null;
  readonly limit: number;
}

/** What an order list begins as. */
export type NewOrderListWish = Pick<OrderList, 'id' | 'clientListId' | 'userId' | 'accountId' | 'venue' | 'symbol' | 'type' | 'legs' | 'expireTime' | 'timeLimitMs' | 'breakEvenAfter' | 'ownerWorkflowId'>;

export interface OrderListsPort {
  /** The list of that client id, made now or before. Throws RISK_ACCOUNT_HALTED, RISK_ACCOUNT_REDUCING, IDEMPOTENCY_MISMATCH. */
  create(wish: NewOrderListWish, stamp: IdempotencyStamp | null): Promise<OrderList>;
  byId(id: string, userId: string): Promise<OrderList | null>;
  list(query: OrderListQuery): Promise<{ readonly orderLists: readonly OrderList[]; readonly nextCursor: string | null }>;
  timeline(id: string, userId: string): Promise<{ readonly orderList: OrderList; readonly orders: readonly OrderListChild[]; readonly events: readonly StreamEvent[] } | null>;
  /** Records it, and tells its workflow. Throws NOT_FOUND, PRECONDITION_FAILED and CONFLICT. */
  command(id: string, userId: string, command: OrderListCommand): Promise<OrderList>;
  /** Starts its workflow; settles when that is under way. */
  started(list: OrderList): Promise<void>;
}
