/** What an order waits for, made of a caller's terms, what its venue can do, and its market's grid. */
import type { Clock } from '../domain/clock';
import type { OrderCondition } from '../domain/condition';
import { decimal, decimalText } from '../domain/decimal';
import { isValidPrice, priceAtOrAbove, priceAtOrBelow } from '../domain/grid';
import type { Market } from '../domain/market';
import type { HeldTerms } from '../domain/evidence';
import { UNCONDITIONAL, type Order, type OrderType } from '../domain/order';
import { triggerOf, triggerProblem } from '../domain/trigger';
import type { VenueCapabilities } from '../domain/venue';
import type { OrderRequest } from '../schemas/orders';
import { onGrid, unprocessable } from './order-intent';
import type { Amendment } from './order-mutations';
import type { OrderTerms } from './order-terms';

const PLAIN: ReadonlySet<OrderType> = new Set(['market', 'limit']);

/** As it was asked for; undefined: the order waits for nothing. */
export function conditionAsked(request: OrderRequest): OrderCondition | undefined {
  const { type, startAt, expireTime, escalation } = request;
  if (PLAIN.has(type) && startAt === undefined && expireTime === undefined && escalation === undefined) return undefined;
  const text = (value: string | undefined): string | null => (value === undefined ? null : decimalText(value));
  const time = (value: string | undefined): string | null => (value === undefined ? null : new Date(value).toISOString());
  return {
    ...UNCONDITIONAL,
    execution: request.execution ?? 'durable',
    triggerPrice: text(request.triggerPrice),
    triggerPriceType: request.triggerPriceType ?? null,
    trailingOffset: text(request.trailingOffset),
    trailingOffsetType: request.trailingOffsetType ?? null,
    activationPrice: text(request.activationPrice),
    gapPolicy: request.gapPolicy ?? null,
    escalation: escalation ?? null,
    startAt: time(startAt),
    expireTime: time(expireTime),
  };
}

/** The condition with every default filled in. Throws UNPROCESSABLE for what the venue cannot do, or is off the market's grid. */
export function conditionFor(terms: OrderTerms, asked: OrderCondition, can: VenueCapabilities, market: Market, clock: Clock): OrderCondition {
  const { type } = terms;
  if (asked.expireTime !== null && Date.parse(asked.expireTime) <= clock.nowMs()) throw unprocessable('expireTime', asked.expireTime, 'expireTime is in the past');
  if (PLAIN.has(type)) {
    // The venue ends it itself where it can; then nothing waits but the venue.
    const isNative = asked.startAt === null && asked.escalation === null && can.timesInForce.includes('GTD');
    return { ...asked, execution: isNative ? 'native' : 'durable' };
  }
  const isNative = asked.execution !== 'durable';
  if (isNative && !can.orderTypes.includes(type)) throw unprocessable('execution', asked.execution, `${market.venue} has no native ${type} orders; use execution durable`);
  const natives = can.triggerPriceTypes ?? [];
  const priceType = asked.triggerPriceType ?? (isNative ? (natives[0] ?? 'mark') : 'last');
  if (isNative && !natives.some((known) => known === priceType)) throw unprocessable('triggerPriceType', priceType, `${market.venue} triggers by ${natives.join(' or ')}; use one of them, or execution durable`);
  if (priceType === 'index' && !isNative && can.indexPrice !== true) throw unprocessable('triggerPriceType', priceType, `${market.venue} tells no index price; use last, mark or mid`);
  if (asked.execution === 'native' && asked.expireTime !== null && !can.timesInForce.includes('GTD')) throw unprocessable('expireTime', asked.expireTime, `${market.venue} has no order that ends by itself; use execution durable`);
  const condition: OrderCondition = { ...asked, triggerPriceType: priceType, gapPolicy: asked.execution === 'native' ? null : (asked.gapPolicy ?? 'traded') };
  assertOnTick(market, 'triggerPrice', condition.triggerPrice);
  const trigger = triggerOf({ ...terms, condition });
  const problem = trigger === null ? 'it waits for no price' : triggerProblem(trigger);
  if (problem !== null) throw unprocessable('trailingOffset', condition.trailingOffset, problem);
  return condition;
}

/** Throws UNPROCESSABLE with the valid prices around it. */
export function assertOnTick(market: Market, field: string, price: string | null): void {
  if (price === null || isValidPrice(market.tickRule, decimal(price))) return;
  const nearest = [priceAtOrBelow(market.tickRule, price), priceAtOrAbove(market.tickRule, price)].filter((each) => each.greaterThan(0)).map((each) => decimalText(each));
  throw unprocessable(field, price, `${field} ${price} of ${market.symbol} is not on a price the market allows; nearest: ${nearest.join(' or ')}`);
}

/** What of the amendment concerns this order, canonical and on its market's grid. Throws UNPROCESSABLE for a field that it has not. */
export function heldTermsOf(order: Order, { limitPrice, quantity, condition }: Amendment, market: Market): HeldTerms {
  const asked = { ...(limitPrice === null ? {} : { limitPrice }), ...(quantity === null ? {} : { quantity }), ...condition };
  for (const field of ['limitPrice', 'triggerPrice', 'trailingOffset', 'activationPrice'] as const) {
    if (asked[field] !== undefined && order[field] === null && !(field === 'activationPrice' && order.trailingOffset !== null)) throw unprocessable(field, asked[field], `the order has no ${field} to amend`);
  }
  if (quantity !== null && !decimal(quantity).greaterThan(decimal(order.filledQuantity))) throw unprocessable('quantity', quantity, `quantity ${quantity} is the new total and must be above the ${order.filledQuantity} filled already; to stop the rest, cancel the order`);
  onGrid(market, { quantity: quantity ?? order.quantity, limitPrice: limitPrice ?? order.limitPrice, reduceOnly: order.reduceOnly }, null);
  assertOnTick(market, 'triggerPrice', condition?.triggerPrice ?? null);
  const { triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy } = { ...order, ...asked };
  const trigger = triggerOf({ ...order, condition: { triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy } });
  const problem = trigger === null ? null : triggerProblem(trigger);
  if (problem !== null) throw unprocessable('trailingOffset', trailingOffset, problem);
  return Object.fromEntries(Object.entries(asked).map(([field, value]) => [field, decimalText(value)]));
}
