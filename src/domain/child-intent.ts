/**
 * Makes the intent of an order that a workflow places: a function of what it stands under, what is asked of it and the market's
 * rules, so that every replay and every retry makes the same. A computed quantity is rounded down and a computed price to the
 * side that protects its holder (quantise.ts): nobody is there to be told of nearest values.
 */
import { childClientOrderId, childOrderId, venueClientId, type ChildName, type Sha256Hex } from './client-ids';
import { isoTime } from './clock';
import type { OrderCondition } from './condition';
import { decimal, ZERO } from './decimal';
import type { OrderIntent, OrderOrigin, Supervision } from './order';
import { roundLimit, roundQuantityDown, roundStop, type QuantityRules } from './quantise';

/** Whose account the child trades on, and what it stands under. */
export interface ChildOwner {
  readonly userId: string;
  readonly accountId: string;
  readonly signerId: string;
  readonly venue: string;
  readonly symbol: string;
  readonly venueSymbol: string;
  readonly origin: OrderOrigin;
  readonly supervision: Supervision;
}

/** `limitPrice`: null for market orders and native stops without a limit. */
export interface ChildTerms extends Pick<OrderIntent, 'side' | 'type' | 'timeInForce' | 'quantity' | 'limitPrice' | 'postOnly' | 'reduceOnly'> {
  /** Of a native stop or take-profit, and of a GTD order. */
  readonly condition?: OrderCondition;
}

export type ChildIntent =
  | { readonly kind: 'intent'; readonly intent: OrderIntent }
  /** The market takes no order this small (or no price this low). */
  | { readonly kind: 'belowMinimum'; readonly quantity: string };

/**
 * How long an entry may still be placed after it was made: a price of a minute ago is another one. An exit goes out whenever that
 * becomes possible: a day covers every outage that somebody sits through.
 */
export const ENTRY_PLACE_WITHIN_MS = 60_000;
export const EXIT_PLACE_WITHIN_MS = 86_400_000;

/** `referencePrice`: what a market order's notional is judged at; null judges its quantity alone. `nowMs`: when the child was decided. */
export function childIntent(name: ChildName, owner: ChildOwner, terms: ChildTerms, market: { readonly rules: QuantityRules; readonly referencePrice: string | null }, nowMs: number, sha256Hex: Sha256Hex): ChildIntent {
  const limitPrice = terms.limitPrice === null ? null : roundLimit(market.rules, terms.side, terms.limitPrice);
  const trigger = terms.condition?.triggerPrice ?? null;
  const triggerPrice = trigger === null ? null : roundStop(market.rules, terms.side, trigger);
  // An exit is never refused for its notional: venues close what is held whatever it is worth.
  const judgedAt = terms.reduceOnly ? null : limitPrice ?? market.referencePrice;
  const quantity = decimal(terms.quantity).greaterThan(ZERO) ? roundQuantityDown(market.rules, terms.quantity, judgedAt) : null;
  if (quantity === null || (terms.limitPrice !== null && limitPrice === null) || (trigger !== null && triggerPrice === null)) return { kind: 'belowMinimum', quantity: terms.quantity };
  const clientOrderId = childClientOrderId(name);
  const { accountId, userId, signerId, venue, symbol, venueSymbol, origin, supervision } = owner;
  const { side, type, timeInForce, postOnly, reduceOnly } = terms;
  const intent: OrderIntent = {
    id: childOrderId(name, sha256Hex),
    userId, accountId, signerId, clientOrderId,
    venueClientId: venueClientId({ accountId, clientOrderId, leg: name.leg, child: name.child, revision: 0 }, sha256Hex),
    venue, symbol, venueSymbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, origin,
    placeBefore: isoTime(nowMs + (reduceOnly ? EXIT_PLACE_WITHIN_MS : ENTRY_PLACE_WITHIN_MS)),
    idempotency: null,
    supervision,
    ...(terms.condition === undefined ? {} : { condition: { ...terms.condition, triggerPrice } }),
  };
  return { kind: 'intent', intent };
}
