import { Decimal, ZERO, decimalText } from '../domain/decimal';

export type Side = 'buy' | 'sell';
/** The last four wait at the venue until their trigger is reached; then they are market or limit orders. */
export type OrderType = 'market' | 'limit' | 'stopMarket' | 'stopLimit' | 'takeProfitMarket' | 'takeProfitLimit';
export type TimeInForce = 'GTC' | 'GTD' | 'IOC' | 'FOK';
export type OrderStatus = 'open' | 'filled' | 'canceled' | 'expired';
/** Which price a trigger looks at: the mark, or the last trade. */
export type TriggerPriceType = 'mark' | 'last';

/** Why the venue (or its user) ended an order before it was filled. */
export type CancelReason = 'REQUESTED' | 'NO_LIQUIDITY' | 'REDUCE_ONLY' | 'DEAD_MAN' | 'EXPIRED' | 'LIQUIDATION' | 'INSUFFICIENT_MARGIN' | 'SIBLING_FILLED';

/** How an order hangs together with others (grouping.ts). */
export interface OrderLinks {
  /** Orders of one group end when one of them fills. */
  readonly group: string | null;
  /** Order id of the entry whose fill it waits for; null once it lives. */
  readonly waitsFor: string | null;
  /** Takes the whole position as it is when it fires. */
  readonly wholePosition: boolean;
}

/** An order as asked for, its numbers parsed and positive. */
export interface OrderRequest {
  readonly clientId: string;
  readonly symbol: string;
  readonly side: Side;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly price: Decimal | null;
  readonly quantity: Decimal;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  /** Venue time at which a GTD order ends; null (or absent) for all others. */
  readonly expireAt?: number | null;
  /** Of the four trigger types; null (or absent) for market and limit. */
  readonly triggerPrice?: Decimal | null;
  /** `mark` where it is absent. */
  readonly triggerPriceType?: TriggerPriceType;
  /** Absent: it stands alone. */
  readonly links?: OrderLinks;
}

/** An accepted order. Invariant: filled + leaves = quantity; a canceled order's leaves are what was canceled. */
export interface Order {
  readonly orderId: string;
  readonly clientId: string;
  readonly account: string;
  readonly symbol: string;
  readonly side: Side;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly createdAt: number;
  readonly expireAt: number | null;
  readonly triggerPriceType: TriggerPriceType;
  readonly group: string | null;
  waitsFor: string | null;
  readonly wholePosition: boolean;
  /** True for the market order by which the venue closes a position: its account did not ask for it. */
  readonly liquidation: boolean;
  /** Null for market and limit orders. */
  triggerPrice: Decimal | null;
  /** When its trigger was reached; null while it is armed, and for orders without a trigger. */
  triggeredAt: number | null;
  price: Decimal | null;
  quantity: Decimal;
  filled: Decimal;
  leaves: Decimal;
  /** Sum of price times quantity over the fills: the exact numerator of the average price. */
  filledNotional: Decimal;
  status: OrderStatus;
  cancelReason: CancelReason | null;
  revision: number;
  updatedAt: number;
  /** Place in the time priority of its price: lower is earlier. */
  priority: number;
  /** Of the market data's quantity at its price, how much trades before it: what stood there when it came, less what left since. */
  queueAhead: Decimal;
  /** Venue time until which queries and streams do not show the order (a fault), or null. */
  hiddenUntil: number | null;
}

/** One side of a trade, as its account sees it. */
export interface Fill {
  /** Grows by one with every fill of the venue; the cursor of GET /fills. */
  readonly index: number;
  /** The trade's id: both sides of a trade share it. */
  readonly fillId: string;
  readonly orderId: string;
  readonly clientId: string;
  readonly account: string;
  readonly symbol: string;
  readonly side: Side;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly fee: Decimal;
  readonly feeAsset: string;
  readonly liquidity: 'maker' | 'taker';
  readonly realizedPnl: Decimal;
  readonly time: number;
}

/** A public trade; `side` is the taker's. */
export interface Trade {
  readonly id: string;
  readonly symbol: string;
  readonly price: Decimal;
  readonly quantity: Decimal;
  readonly side: Side;
  readonly time: number;
}

/** Averages are the one place where division is not exact: rounded half-even to 18 decimals, the finest asset's unit. */
export const AVERAGE_DECIMALS = 18;

export function averageOf(notional: Decimal, quantity: Decimal): Decimal {
  return notional.dividedBy(quantity).toDecimalPlaces(AVERAGE_DECIMALS);
}

export function opposite(side: Side): Side {
  return side === 'buy' ? 'sell' : 'buy';
}

/** True for an order that waits for its trigger: it is in no book and holds no margin. */
export function isArmed(order: Order): boolean {
  return order.triggerPrice !== null && order.triggeredAt === null;
}

export interface OrderView {
  orderId: string;
  clientId: string;
  symbol: string;
  side: Side;
  type: OrderType;
  timeInForce: TimeInForce;
  price: string | null;
  quantity: string;
  filledQuantity: string;
  avgPrice: string | null;
  status: OrderStatus;
  cancelReason: CancelReason | null;
  postOnly: boolean;
  reduceOnly: boolean;
  expireAt: number | null;
  triggerPrice: string | null;
  triggerPriceType: TriggerPriceType | null;
  triggeredAt: number | null;
  liquidation: boolean;
  revision: number;
  createdAt: number;
  updatedAt: number;
}

/** The order as the wire shows it. */
export function orderView(order: Order): OrderView {
  const untouched = order.filled.isZero();
  return {
    orderId: order.orderId,
    clientId: order.clientId,
    symbol: order.symbol,
    side: order.side,
    type: order.type,
    timeInForce: order.timeInForce,
    price: order.price === null ? null : order.price.toFixed(),
    quantity: order.quantity.toFixed(),
    filledQuantity: untouched ? '0' : order.filled.toFixed(),
    avgPrice: untouched ? null : averageOf(order.filledNotional, order.filled).toFixed(),
    status: order.status,
    cancelReason: order.cancelReason,
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    expireAt: order.expireAt,
    triggerPrice: order.triggerPrice === null ? null : order.triggerPrice.toFixed(),
    triggerPriceType: order.triggerPrice === null ? null : order.triggerPriceType,
    triggeredAt: order.triggeredAt,
    liquidation: order.liquidation,
    revision: order.revision,
    createdAt: order.createdAt,
    updatedAt: order.updatedAt,
  };
}

export function fillView(fill: Fill): Record<string, string | number> {
  return {
    fillId: fill.fillId,
    orderId: fill.orderId,
    clientId: fill.clientId,
    symbol: fill.symbol,
    side: fill.side,
    price: fill.price.toFixed(),
    quantity: fill.quantity.toFixed(),
    fee: decimalText(fill.fee),
    feeAsset: fill.feeAsset,
    liquidity: fill.liquidity,
    realizedPnl: decimalText(fill.realizedPnl),
    time: fill.time,
  };
}

export function tradeView(trade: Trade): Record<string, string | number> {
  return { id: trade.id, price: trade.price.toFixed(), quantity: trade.quantity.toFixed(), side: trade.side, time: trade.time };
}

/** A fresh order for an accepted request. */
export function newOrder(request: OrderRequest, identity: { orderId: string; account: string; priority: number; now: number; liquidation?: boolean }): Order {
  return {
    orderId: identity.orderId,
    clientId: request.clientId,
    account: identity.account,
    symbol: request.symbol,
    side: request.side,
    type: request.type,
    timeInForce: request.timeInForce,
    postOnly: request.postOnly,
    reduceOnly: request.reduceOnly,
    createdAt: identity.now,
    expireAt: request.expireAt ?? null,
    triggerPriceType: request.triggerPriceType ?? 'mark',
    group: request.links?.group ?? null,
    waitsFor: request.links?.waitsFor ?? null,
    wholePosition: request.links?.wholePosition ?? false,
    liquidation: identity.liquidation ?? false,
    triggerPrice: request.triggerPrice ?? null,
    triggeredAt: null,
    price: request.price,
    quantity: request.quantity,
    filled: ZERO,
    leaves: request.quantity,
    filledNotional: ZERO,
    status: 'open',
    cancelReason: null,
    revision: 0,
    updatedAt: identity.now,
    priority: identity.priority,
    queueAhead: ZERO,
    hiddenUntil: null,
  };
}
