/** What a workflow sees of the orders it placed: read from PostgreSQL, small enough for Temporal's history. */
import type { Market } from './market';
import type { Order } from './order';
import type { QuantityRules } from './quantise';

const SEEN = [
  'id', 'clientOrderId', 'state', 'side', 'type', 'timeInForce', 'reduceOnly', 'quantity', 'limitPrice', 'triggerPrice', 'filledQuantity', 'leavesQuantity', 'avgPrice', 'fee', 'feeAsset',
  'pendingCancel', 'pendingReplace', 'reasonCode', 'reasonMessage', 'revision', 'updatedAt',
] as const satisfies readonly (keyof Order)[];

export type SupervisedOrder = Readonly<Pick<Order, (typeof SEEN)[number]>>;

export function supervisedView(order: Order): SupervisedOrder {
  return Object.fromEntries(SEEN.map((field) => [field, order[field]])) as unknown as SupervisedOrder;
}

/** What a workflow needs of a market and an account before it decides on a child. */
export interface TradingState {
  readonly market: QuantityRules & Pick<Market, 'venueSymbol' | 'status'>;
  readonly signerId: string;
  /** Signed: negative is short. By our own fills, or by the venue's word where that is newer. */
  readonly position: string;
  /** Fresh ones, or null. */
  readonly mark: string | null;
  readonly bid: string | null;
  readonly ask: string | null;
  /** When it was read, ms. */
  readonly atMs: number;
}
