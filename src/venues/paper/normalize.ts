/** The paper venue's words in ours. */
import { decimalText } from '../../domain/decimal';
import type { Market, PublicTrade, Ticker } from '../../domain/market';
import type { PrivateMessage, RefusalCode, VenueFill, VenueFundingPayment, VenueOrder, VenuePosition } from '../../domain/venue';
import type { PaperFill, PaperFundingPayment, PaperMarket, PaperOrder, PaperPosition, PaperStreamFrame, PaperTicker, PaperTrade } from './schemas';

const REFUSALS: Readonly<Record<string, RefusalCode>> = {
  UNAUTHORIZED: 'unauthorized',
  KEY_REVOKED: 'unauthorized',
  DUPLICATE_CLIENT_ID: 'duplicateClientId',
  EXPIRED_REQUEST: 'expiredRequest',
  UNKNOWN_MARKET: 'marketClosed',
  MARKET_CLOSED: 'marketClosed',
  BAD_TICK: 'invalidPrice',
  BAD_LOT: 'invalidQuantity',
  BELOW_MINIMUM: 'invalidQuantity',
  INSUFFICIENT_MARGIN: 'insufficientMargin',
  LEVERAGE_TOO_HIGH: 'insufficientMargin',
  POST_ONLY_WOULD_CROSS: 'postOnlyWouldCross',
  REDUCE_ONLY_WOULD_INCREASE: 'reduceOnlyWouldIncrease',
  NO_LIQUIDITY: 'noLiquidity',
  TRIGGER_ALREADY_REACHED: 'invalidPrice',
  ORDER_NOT_FOUND: 'notFound',
  ORDER_CLOSED: 'alreadyClosed',
};

/** A code we do not know is still a refusal; the venue's own code travels beside it. */
export function refusalCode(venueCode: string): RefusalCode {
  return REFUSALS[venueCode] ?? 'other';
}

/** Most decimals come canonical already; parsing 400 of them per answer would cost more than the rest of it. */
const CANONICAL = /^(?:0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d*[1-9])$/;

export function canonical(text: string): string {
  return CANONICAL.test(text) ? text : decimalText(text);
}

function optional(text: string | null): string | null {
  return text === null ? null : canonical(text);
}

export function toOrder(order: PaperOrder): VenueOrder {
  return {
    venueOrderId: order.orderId,
    venueClientId: order.clientId,
    venueSymbol: order.symbol,
    side: order.side,
    type: order.type,
    timeInForce: order.timeInForce,
    quantity: canonical(order.quantity),
    limitPrice: optional(order.price),
    filledQuantity: canonical(order.filledQuantity),
    avgPrice: optional(order.avgPrice),
    status: order.status,
    reasonCode: order.cancelReason,
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    ...(order.triggerPrice == null ? {} : { triggerPrice: canonical(order.triggerPrice), triggeredAtMs: order.triggeredAt ?? null }),
    ...(order.expireAt == null ? {} : { expireAtMs: order.expireAt }),
    revision: order.revision,
    updatedAtMs: order.updatedAt,
  };
}

export function toFill(fill: PaperFill): VenueFill {
  return {
    venueFillId: fill.fillId,
    venueOrderId: fill.orderId,
    venueClientId: fill.clientId,
    venueSymbol: fill.symbol,
    side: fill.side,
    price: canonical(fill.price),
    quantity: canonical(fill.quantity),
    fee: canonical(fill.fee),
    feeAsset: fill.feeAsset,
    liquidity: fill.liquidity,
    realizedPnl: optional(fill.realizedPnl),
    atMs: fill.time,
  };
}

export function toFundingPayment(payment: PaperFundingPayment): VenueFundingPayment {
  const { amount, rate, quantity, markPrice } = payment;
  return {
    ...{ venuePaymentId: payment.id, venueSymbol: payment.symbol, asset: payment.asset, atMs: payment.time },
    ...{ amount: canonical(amount), rate: canonical(rate), quantity: canonical(quantity), markPrice: canonical(markPrice) },
  };
}

/** Null for a flat position: paper may list one it just closed. */
export function toPosition(position: PaperPosition): VenuePosition | null {
  const quantity = canonical(position.quantity);
  if (position.side === 'flat' || quantity === '0') return null;
  return {
    venueSymbol: position.symbol,
    side: position.side,
    quantity,
    entryPrice: canonical(position.entryPrice),
    markPrice: optional(position.markPrice),
    leverage: optional(position.leverage),
    margin: optional(position.margin),
    liquidationPrice: optional(position.liquidationPrice),
    unrealizedPnl: optional(position.unrealizedPnl),
    realizedPnl: optional(position.realizedPnl),
  };
}

export function toMarket(venue: string, market: PaperMarket): Market {
  return {
    venue,
    symbol: market.symbol,
    venueSymbol: market.symbol,
    assetClass: market.assetClass,
    base: market.base,
    quote: market.quote,
    kind: market.kind,
    tickRule: { kind: 'step', step: canonical(market.tickSize) },
    lot: canonical(market.lotSize),
    minQuantity: canonical(market.minQuantity),
    minNotional: canonical(market.minNotional),
    maxLeverage: canonical(market.maxLeverage),
    makerFeeRate: canonical(market.makerFeeRate),
    takerFeeRate: canonical(market.takerFeeRate),
    sessionHours: null,
    status: market.status,
  };
}

export function toTicker(venue: string, ticker: PaperTicker): Ticker {
  const { bid, ask, last, mark } = ticker;
  return { venue, symbol: ticker.symbol, bid: optional(bid), ask: optional(ask), last: optional(last), mark: optional(mark), at: ticker.time };
}

export function toTrade(trade: PaperTrade): PublicTrade {
  return { id: trade.id, price: canonical(trade.price), quantity: canonical(trade.quantity), side: trade.side, at: trade.time };
}

export type PaperAccountFrame = Extract<PaperStreamFrame, { channel: 'account'; event: unknown }>;

/** Null for funding: payments are read by `fundingPayments`, and what they changed comes as balance and position. */
export function toPrivateMessage(frame: PaperAccountFrame): PrivateMessage | null {
  const { event, time: atMs } = frame;
  if (event.kind === 'order') return { kind: 'order', order: toOrder(event.order), atMs };
  if (event.kind === 'fill') return { kind: 'fill', fill: toFill(event.fill), atMs };
  if (event.kind === 'funding') return null;
  if (event.kind === 'balance') {
    const { asset, total, available, locked } = event.balance;
    return { kind: 'balance', balance: { asset, total: canonical(total), available: canonical(available), locked: canonical(locked) }, atMs };
  }
  if (event.kind === 'position') {
    return { kind: 'position', position: toPosition(event.position) ?? { venueSymbol: event.position.symbol, side: 'flat' }, atMs };
  }
  return { kind: 'keyRevoked', atMs };
}
