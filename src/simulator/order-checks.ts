import { Decimal, ZERO } from '../domain/decimal';
import { type Account, marginOf, unrealizedPnl } from './account';
import { PaperError } from './errors';
import type { ExchangeState, Venue } from './exchange-state';
import { COLLATERAL, type PaperMarket, checkMarketRules } from './market';
import { reducible } from './matching';
import { type Order, type OrderRequest, type Side, opposite } from './order';
import { spotHold } from './settlement';
import { isReached } from './trigger-book';

/** The part of an order the checks look at: a new order's request, or an open order as an amend would make it. */
export interface CheckedOrder {
  readonly side: Side;
  readonly price: Decimal | null;
  readonly quantity: Decimal;
}

/** Refuses a post-only order that would trade at once. */
export function checkPostOnly(venue: Venue, side: Side, price: Decimal): void {
  const against = venue.book.side(opposite(side));
  const best = against.best();
  if (best !== undefined && against.reaches(best.price, price)) {
    throw new PaperError('POST_ONLY_WOULD_CROSS', `post-only ${side} at ${price.toFixed()} would trade with ${best.text}`);
  }
}

/** Refuses a reduce-only order where its account has nothing to reduce. One for more than that is taken, as venues do, and fills no more: an exit made before a part of the position was closed still closes the rest. */
export function checkReduceOnly(account: Account, venue: Venue, side: Side): void {
  if (venue.market.kind === 'spot') throw new PaperError('BAD_REQUEST', `${venue.market.symbol} is a spot market: reduceOnly does not apply`);
  if (reducible(account.position(venue.market.symbol), side).isZero()) {
    throw new PaperError('REDUCE_ONLY_WOULD_INCREASE', `a reduce-only ${side} of ${venue.market.symbol} has no position to reduce`);
  }
}

/**
 * The most an order can cost: its limit times its quantity; for a sell the best bid if that is higher, for a market order
 * what it would pay now.
 */
export function worstNotional(state: ExchangeState, venue: Venue, order: CheckedOrder): Decimal {
  if (order.price === null) return previewOf(state, venue, order.side, null, order.quantity).notional;
  const bid = order.side === 'sell' ? venue.book.bids.best()?.price : undefined;
  const price = bid !== undefined && bid.greaterThan(order.price) ? bid : order.price;
  return price.times(order.quantity);
}

export function previewOf(state: ExchangeState, venue: Venue, side: Side, limit: Decimal | null, quantity: Decimal): { quantity: Decimal; notional: Decimal } {
  return venue.matcher.preview(side, limit, quantity, (name) => state.account(name).position(venue.market.symbol));
}

/**
 * Refuses what the account cannot pay for: spot needs the asset itself, a perpetual the initial margin of the worst case of
 * position and open orders, and the taker fee. An order that does not raise that worst case always passes: exits stay open.
 */
export function checkFunds(state: ExchangeState, account: Account, venue: Venue, order: CheckedOrder): void {
  const market = venue.market;
  if (market.kind === 'spot') return checkSpot(state, account, venue, order);
  const notional = worstNotional(state, venue, order);
  const holding = account.holding(market);
  const before = marginOf(holding);
  const after = marginOf(holding, { side: order.side, quantity: order.quantity, notional });
  if (after.lessThanOrEqualTo(before)) return;
  let free = account.balance(COLLATERAL).minus(account.spotLocked.get(COLLATERAL) ?? ZERO);
  for (const other of account.holdings.values()) {
    free = free.plus(other.isolated ? ZERO : unrealizedPnl(other, state.markOf)).minus(marginOf(other));
  }
  const needed = after.minus(before).plus(notional.times(market.takerFeeRate));
  if (needed.greaterThan(free)) {
    throw new PaperError(
      'INSUFFICIENT_MARGIN',
      `needs ${shown(needed)} ${COLLATERAL} of margin and fees at ${holding.leverage}x, available ${shown(free)}`,
    );
  }
}

function checkSpot(state: ExchangeState, account: Account, venue: Venue, order: CheckedOrder): void {
  const market: PaperMarket = venue.market;
  const asset = order.side === 'buy' ? market.quote : market.base;
  const needed =
    order.price === null && order.side === 'buy'
      ? spotHold(market, 'buy', worstNotional(state, venue, order), ONE_UNIT)
      : spotHold(market, order.side, order.price ?? ZERO, order.quantity);
  const free = account.available(asset, state.markOf);
  if (needed.greaterThan(free)) {
    throw new PaperError('INSUFFICIENT_MARGIN', `needs ${shown(needed)} ${asset}, available ${shown(free)}`);
  }
}

const ONE_UNIT = new Decimal(1);
/** Digits of the figures inside messages; the checks themselves are exact. */
const SHOWN_DECIMALS = 8;

function shown(value: Decimal): string {
  return value.toDecimalPlaces(SHOWN_DECIMALS).toFixed();
}

/** Throws unless the order can still be changed. */
export function checkOpen(order: Order): void {
  if (order.status !== 'open') throw new PaperError('ORDER_CLOSED', `order ${order.orderId} is ${order.status}`);
}

/** Refuses an end that has passed, and a GTD order without one. */
export function checkExpireAt(request: OrderRequest, now: number): void {
  const expireAt = request.expireAt ?? null;
  if ((request.timeInForce === 'GTD') !== (expireAt !== null)) throw new PaperError('BAD_REQUEST', 'expireAt is for timeInForce GTD, which needs it');
  if (expireAt !== null && expireAt <= now) throw new PaperError('BAD_REQUEST', `expireAt ${expireAt} has passed, it is ${now}`);
}

/**
 * Refuses a trigger that is off the tick or has been reached already: fired at once, it would be an order its account did
 * not mean.
 */
export function checkTrigger(venue: Venue, order: Pick<OrderRequest, 'type' | 'side' | 'triggerPriceType'>, price: Decimal | null, triggerPrice: Decimal, quantity: Decimal): void {
  checkMarketRules(venue.market, triggerPrice, quantity, null);
  if (price !== null) checkMarketRules(venue.market, price, quantity, null);
  const type = order.triggerPriceType ?? 'mark';
  const present = type === 'mark' ? venue.book.mark() : venue.last;
  if (present !== null && isReached({ type: order.type, side: order.side, triggerPrice }, present)) {
    throw new PaperError('TRIGGER_ALREADY_REACHED', `the ${type} price ${present.toFixed()} has reached the trigger ${triggerPrice.toFixed()} of this ${order.side} already`);
  }
}
