/** The words of an order: what a caller asks for, and what the order is. Decimals are plain strings, times are ISO 8601. */

export type OrderSide = 'buy' | 'sell';

export type OrderType =
  | 'market'
  | 'limit'
  | 'stopMarket'
  | 'stopLimit'
  | 'takeProfitMarket'
  | 'takeProfitLimit'
  | 'trailingStopMarket'
  | 'trailingStopLimit';

export type TimeInForce = 'GTC' | 'IOC' | 'FOK' | 'GTD';

/**
 * PENDING_RISK -> DENIED | SUBMITTING -> SUBMITTED -> UNKNOWN? -> WORKING -> PARTIALLY_FILLED -> FILLED | CANCELED |
 * EXPIRED | REJECTED. DENIED is ours, REJECTED the venue's.
 */
export const ORDER_STATES = [
  'PENDING_RISK',
  'DENIED',
  'SUBMITTING',
  'SUBMITTED',
  'UNKNOWN',
  'WORKING',
  'PARTIALLY_FILLED',
  'FILLED',
  'CANCELED',
  'EXPIRED',
  'REJECTED',
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

export const TERMINAL_STATES: ReadonlySet<OrderState> = new Set(['DENIED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED']);

/** States whose outcome at the venue is not yet evidence. */
export const UNSETTLED_STATES: ReadonlySet<OrderState> = new Set(['PENDING_RISK', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN']);

export type OrderOrigin = 'API' | 'CONDITIONAL' | 'STRATEGY' | 'SIGNAL' | 'EXTERNAL';

/** What a caller wants placed, already validated and quantised. It travels in the workflow's start arguments. */
export interface OrderIntent {
  /** uuid; ours. */
  readonly id: string;
  readonly userId: string;
  readonly accountId: string;
  /** Whose nonces its request will use: orders of one signer share a lane where the venue's nonces are strict. */
  readonly signerId: string;
  readonly clientOrderId: string;
  /** What the venue is told: a function of (account, clientOrderId, leg, child, revision), see client-ids.ts. */
  readonly venueClientId: string;
  readonly venue: string;
  readonly symbol: string;
  readonly venueSymbol: string;
  readonly side: OrderSide;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly origin: OrderOrigin;
  /** ISO time after which nothing may be sent for the first time, or again. */
  readonly placeBefore: string;
  readonly idempotency: IdempotencyStamp | null;
}

/** Ties an order to the caller's Idempotency-Key; inserted in the placing transaction. */
export interface IdempotencyStamp {
  readonly key: string;
  readonly route: string;
  /** sha256 hex of the canonical body. */
  readonly bodyHash: string;
}

/** An order as the API shows it and the database keeps it. */
export interface Order {
  id: string;
  clientOrderId: string;
  venueClientId: string;
  venueOrderId: string | null;
  userId: string;
  accountId: string;
  venue: string;
  symbol: string;
  venueSymbol: string;
  side: OrderSide;
  type: OrderType;
  timeInForce: TimeInForce;
  quantity: string;
  limitPrice: string | null;
  postOnly: boolean;
  reduceOnly: boolean;
  filledQuantity: string;
  leavesQuantity: string;
  avgPrice: string | null;
  fee: string;
  feeAsset: string | null;
  state: OrderState;
  /** Why the state is what it is: one of the reason codes of errors.ts or the venue's mapped code. */
  reasonCode: string | null;
  reasonMessage: string | null;
  pendingCancel: boolean;
  pendingReplace: boolean;
  origin: OrderOrigin;
  /** Rises by one with each change that a caller can see; the ETag of the order. */
  revision: number;
  ownerWorkflowId: string | null;
  /** The venue's time (ms) of the newest view of the order that was applied; older views change no terms. */
  venueSeenAtMs: number | null;
  createdAt: string;
  submittedAt: string | null;
  acknowledgedAt: string | null;
  filledAt: string | null;
  canceledAt: string | null;
  closedAt: string | null;
  updatedAt: string;
}

export interface Fill {
  venueFillId: string;
  orderId: string | null;
  venueOrderId: string;
  accountId: string;
  venue: string;
  symbol: string;
  side: OrderSide;
  price: string;
  quantity: string;
  fee: string;
  feeAsset: string;
  liquidity: 'maker' | 'taker';
  realizedPnl: string | null;
  at: string;
}

export function isTerminal(state: OrderState): boolean {
  return TERMINAL_STATES.has(state);
}
