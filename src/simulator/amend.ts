/** Changing an open order: where it stands in the queue, and what is checked. */
import type { Decimal } from '../domain/decimal';
import type { Account } from './account';
import { PaperError } from './errors';
import type { Venue } from './exchange-state';
import { checkMarketRules } from './market';
import { checkFunds, checkPostOnly, checkReduceOnly, checkTrigger } from './order-checks';
import { type Order, isArmed } from './order';
import type { OrderLife } from './order-life';
import { reserve } from './settlement';

/** How an order is named: by the venue's id, or by the account's own. */
export interface OrderReference {
  readonly orderId?: string;
  readonly clientId?: string;
}

export interface Amendment extends OrderReference {
  readonly amendId: string;
  readonly price?: Decimal | undefined;
  /** Of an armed order. */
  readonly triggerPrice?: Decimal | undefined;
  /** The new total quantity. */
  readonly quantity?: Decimal | undefined;
}

/** Gives an open order its new terms. Throws PaperError, and then nothing has changed. */
export function amendOpen(life: OrderLife, account: Account, order: Order, amendment: Amendment): void {
  const venue = life.state.venue(order.symbol);
  const price = amendment.price ?? order.price;
  const quantity = amendment.quantity ?? order.quantity;
  if (quantity.lessThan(order.filled)) {
    throw new PaperError('BAD_REQUEST', `quantity ${quantity.toFixed()} is below the ${order.filled.toFixed()} already filled`);
  }
  if (amendment.price !== undefined && order.price === null) throw new PaperError('BAD_REQUEST', `a ${order.type} order has no price to amend`);
  if (isArmed(order)) {
    rearm(life, account, venue, order, { price, quantity, triggerPrice: amendment.triggerPrice ?? (order.triggerPrice as Decimal) });
    return;
  }
  if (amendment.triggerPrice !== undefined) throw new PaperError('BAD_REQUEST', `order ${order.orderId} waits for no trigger`);
  checkMarketRules(venue.market, price, quantity, null);
  replace(life, account, venue, order, price as Decimal, quantity);
}

function rearm(life: OrderLife, account: Account, venue: Venue, order: Order, terms: { price: Decimal | null; quantity: Decimal; triggerPrice: Decimal }): void {
  checkTrigger(venue, order, terms.price, terms.triggerPrice, terms.quantity);
  life.unrest(account, venue, order);
  order.price = terms.price;
  order.triggerPrice = terms.triggerPrice;
  order.quantity = terms.quantity;
  order.leaves = terms.quantity;
  order.revision += 1;
  life.rest(account, venue, order);
  life.state.changed(order, life.now);
}

/** Amends in place when only the quantity falls; otherwise the order leaves the book and comes back last in line. */
function replace(life: OrderLife, account: Account, venue: Venue, order: Order, price: Decimal, quantity: Decimal): void {
  const keepsPlace = price.equals(order.price as Decimal) && quantity.lessThanOrEqualTo(order.quantity);
  const leaves = quantity.minus(order.filled);
  if (!keepsPlace) {
    if (order.postOnly) checkPostOnly(venue, order.side, price);
    if (order.reduceOnly) checkReduceOnly(account, venue, order.side);
    checkReplacement(life, account, venue, order, price, leaves);
  }
  if (keepsPlace && leaves.greaterThan(0)) {
    const less = order.leaves.minus(leaves);
    order.leaves = leaves;
    venue.book.shrink(order, less);
    reserve(life.state, account, venue.market, order, less, -1);
  } else {
    life.unrest(account, venue, order);
    order.price = price;
    order.leaves = leaves;
  }
  order.quantity = quantity;
  order.revision += 1;
  life.state.changed(order, life.now);
  if (keepsPlace && leaves.greaterThan(0)) return;
  life.state.counters.priority += 1;
  order.priority = life.state.counters.priority;
  venue.matcher.take(order);
  life.finishTaking(account, venue, order);
  life.endStaleReductions(venue);
}

/** The funds check of an amend, made as if the old order were gone; the reservation is as it was if it throws. */
function checkReplacement(life: OrderLife, account: Account, venue: Venue, order: Order, price: Decimal, leaves: Decimal): void {
  if (order.reduceOnly) return;
  reserve(life.state, account, venue.market, order, order.leaves, -1);
  try {
    checkFunds(life.state, account, venue, { side: order.side, price, quantity: leaves });
  } finally {
    reserve(life.state, account, venue.market, order, order.leaves, 1);
  }
}
