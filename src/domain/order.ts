/** The words of an order: what a caller asks for, and what the order is. Decimals are plain strings, times are ISO 8601. */
import type { Escalation, Execution, GapPolicy, OrderCondition, PriceType, TrailingOffsetType } from './condition';

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

/** Those that wait for a price. */
export const CONDITIONAL_TYPES = ['stopMarket', 'stopLimit', 'takeProfitMarket', 'takeProfitLimit', 'trailingStopMarket', 'trailingStopLimit'] as const satisfies readonly OrderType[];

export type TimeInForce = 'GTC' | 'IOC' | 'FOK' | 'GTD';

/**
 * A conditional order begins in ARMED and goes to TRIGGERED; it is never sent itself, its children are.
 * PENDING_RISK -> DENIED | SUBMITTING -> SUBMITTED -> UNKNOWN? -> WORKING -> PARTIALLY_FILLED -> FILLED | CANCELED |
 * EXPIRED | REJECTED. DENIED is ours, REJECTED the venue's.
 */
export const ORDER_STATES = [
  'PENDING_RISK',
  'DENIED',
  'ARMED',
  'TRIGGERED',
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

/** How the order hangs together with others: one triggers another (OTO), cancels it (OCO), reduces it by what filled (OUO). */
export type ContingencyType = 'OTO' | 'OCO' | 'OUO';

/** Says that a workflow placed the order and watches it: after each of its changes that workflow is told (`orderChanged`). */
export interface Supervision {
  readonly workflowId: string;
  readonly parentOrderId?: string;
  readonly orderListId?: string;
  readonly strategyId?: string;
  readonly contingencyType?: ContingencyType;
}

/**
 * How the orders of one list belong together at the venue:
 * - entryWithExits: the first opens, the others are its exits: they wait for its fill, and where one fills the others end;
 * - positionExits: exits of the position as it is when they fire; where one fills the others end.
 */
export const ORDER_GROUPINGS = ['entryWithExits', 'positionExits'] as const;
export type OrderGrouping = (typeof ORDER_GROUPINGS)[number];

/** Of an order that goes to the venue with others, in one request that stands or falls as a whole. */
export interface GroupMembership {
  readonly grouping: OrderGrouping;
  /** The id of the group's first order. */
  readonly groupId: string;
}

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
  /** Of orders that a workflow placed; absent from a caller's own. */
  readonly supervision?: Supervision;
  /** When it is sent, where that is not at once, and how it ends by itself; absent: at once, and never. */
  readonly condition?: OrderCondition;
  /** Absent: it stands alone. */
  readonly group?: GroupMembership;
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
  /** Whose child it is: the order, the list and the strategy that placed it. */
  parentOrderId: string | null;
  orderListId: string | null;
  strategyId: string | null;
  contingencyType: ContingencyType | null;
  /** The workflow that placed and watches it; null where a caller did. */
  supervisorWorkflowId: string | null;
  /** How it belongs together with others at the venue; null: it stands alone. */
  grouping: OrderGrouping | null;
  /** The id of its group's first order; null where it stands alone, or the group was made outside. */
  groupId: string | null;
  /** Who waits for the condition: the venue (native), a workflow (durable), or both; null: the order has none. */
  execution: Execution | null;
  triggerPrice: string | null;
  triggerPriceType: PriceType | null;
  trailingOffset: string | null;
  trailingOffsetType: TrailingOffsetType | null;
  activationPrice: string | null;
  gapPolicy: GapPolicy | null;
  escalation: Escalation | null;
  /** Of a scheduled order: nothing happens before it. */
  startAt: string | null;
  /** Of a GTD order: when it ends. */
  expireTime: string | null;
  /** Rises by one with each change that a caller can see; the ETag of the order. */
  revision: number;
  ownerWorkflowId: string | null;
  /** The venue's time (ms) of the newest view of the order that was applied; older views change no terms. */
  venueSeenAtMs: number | null;
  createdAt: string;
  submittedAt: string | null;
  acknowledgedAt: string | null;
  triggeredAt: string | null;
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

/** The fields of an order that no workflow placed. */
export const UNSUPERVISED = { parentOrderId: null, orderListId: null, strategyId: null, contingencyType: null, supervisorWorkflowId: null } as const satisfies Partial<Order>;

/** The fields of an order that stands alone at the venue. */
export const UNGROUPED = { grouping: null, groupId: null } as const satisfies Record<keyof GroupMembership, null>;

/** The fields of an order that waits for nothing. */
export const UNCONDITIONAL = {
  execution: null, triggerPrice: null, triggerPriceType: null, trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: null, escalation: null, startAt: null, expireTime: null,
} as const satisfies Record<keyof OrderCondition, null>;

export function isTerminal(state: OrderState): boolean {
  return TERMINAL_STATES.has(state);
}
