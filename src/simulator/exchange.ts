import { Decimal, ZERO, maxOf } from '../domain/decimal';
import { type Account, marginOf } from './account';
import type { AmbientUpdate, Book } from './book';
import { PaperError } from './errors';
import { ExchangeState, type Venue } from './exchange-state';
import { COLLATERAL, type PaperMarket, checkMarketRules } from './market';
import { Matcher, type Execution, type MatchingPort, reducible } from './matching';
import { type CheckedOrder, checkFunds, checkOpen, checkPostOnly, checkReduceOnly, previewOf } from './order-checks';
import { type CancelReason, type Order, type OrderRequest, newOrder, opposite, orderView } from './order';
import { close, reserve, settle } from './settlement';

/** How an order is named: by the venue's id, or by the account's own. */
export interface OrderReference {
  readonly orderId?: string;
  readonly clientId?: string;
}

export interface Amendment extends OrderReference {
  readonly amendId: string;
  readonly price?: Decimal | undefined;
  /** The new total quantity. */
  readonly quantity?: Decimal | undefined;
}

/**
 * The paper exchange: commands in, changes out (`state.drain()`). Every command is one synchronous step that either takes
 * full effect or throws PaperError with none. Deterministic: the same commands at the same times give the same state.
 */
export class Exchange {
  readonly state: ExchangeState;
  private now = 0;

  constructor(markets: readonly PaperMarket[], makeMatcher: (book: Book, port: MatchingPort) => Matcher = (book, port) => new Matcher(book, port)) {
    this.state = new ExchangeState(markets, (book) => makeMatcher(book, this.port));
  }

  /** Accepts an order, trades it, and rests what is left of a GTC one. */
  place(account: Account, request: OrderRequest, now: number): Order {
    this.now = now;
    const venue = this.state.venue(request.symbol);
    if (account.orders.has(request.clientId)) {
      throw new PaperError('DUPLICATE_CLIENT_ID', `client id ${request.clientId} was used before by this account`);
    }
    const best = venue.book.side(opposite(request.side)).best();
    checkMarketRules(venue.market, request.price, request.quantity, best?.price ?? null);
    if (request.postOnly && request.price !== null) checkPostOnly(venue, request.side, request.price);
    if (request.reduceOnly) checkReduceOnly(account, venue, request.side, request.quantity);
    else checkFunds(this.state, account, venue, request);
    const order = this.accept(account, request, now);
    if (request.timeInForce === 'FOK' && this.reachable(venue, request).lessThan(request.quantity)) {
      this.end(account, venue, order, 'NO_LIQUIDITY');
      return order;
    }
    venue.matcher.take(order);
    this.finishTaking(account, venue, order);
    this.endStaleReductions(venue);
    return order;
  }

  cancel(account: Account, reference: OrderReference, now: number): Order {
    this.now = now;
    const order = this.find(account, reference);
    checkOpen(order);
    this.cancelOpen(account, order, 'REQUESTED');
    return order;
  }

  /** Cancels all open orders of the account (of one market, if a symbol is given). */
  cancelAll(account: Account, now: number, symbol?: string, reason: CancelReason = 'REQUESTED'): Order[] {
    this.now = now;
    if (symbol !== undefined) this.state.venue(symbol);
    const canceled = [...account.open].filter((order) => symbol === undefined || order.symbol === symbol);
    for (const order of canceled) this.cancelOpen(account, order, reason);
    return canceled;
  }

  /** The answer already given to an amend of that id, if the order is known and there was one. */
  amendAnswer(account: Account, reference: OrderReference, amendId: string): string | undefined {
    return account.amends.get(amendKey(this.find(account, reference), amendId));
  }

  /** Changes price or total quantity. Returns the answer as JSON text; the same amend id gives the same text again. */
  amend(account: Account, amendment: Amendment, now: number): string {
    this.now = now;
    const order = this.find(account, amendment);
    const key = amendKey(order, amendment.amendId);
    const answered = account.amends.get(key);
    if (answered !== undefined) return answered;
    checkOpen(order);
    const venue = this.state.venue(order.symbol);
    const price = amendment.price ?? (order.price as Decimal);
    const quantity = amendment.quantity ?? order.quantity;
    if (quantity.lessThan(order.filled)) {
      throw new PaperError('BAD_REQUEST', `quantity ${quantity.toFixed()} is below the ${order.filled.toFixed()} already filled`);
    }
    checkMarketRules(venue.market, price, quantity, null);
    this.replace(account, venue, order, price, quantity);
    const answer = JSON.stringify({ order: orderView(order) });
    this.state.recordAmend(account, key, answer);
    return answer;
  }

  setLeverage(account: Account, symbol: string, leverage: number): void {
    const { market } = this.state.venue(symbol);
    if (leverage > market.maxLeverage) {
      throw new PaperError('LEVERAGE_TOO_HIGH', `leverage ${leverage} is above the maximum ${market.maxLeverage} of ${symbol}`);
    }
    const holding = account.holding(market);
    const before = holding.leverage;
    const available = account.available(COLLATERAL, this.state.markOf);
    const marginBefore = marginOf(holding);
    holding.leverage = leverage;
    if (maxOf(ZERO, marginOf(holding).minus(marginBefore)).greaterThan(available)) {
      holding.leverage = before;
      throw new PaperError('INSUFFICIENT_MARGIN', `leverage ${leverage} would need more margin than is available`);
    }
    this.state.touch(account, COLLATERAL, symbol);
  }

  credit(account: Account, asset: string, amount: Decimal): void {
    account.add(asset, amount);
    this.state.touch(account, asset);
  }

  /** Applies market data and fills the client orders it crosses. */
  updateMarket(symbol: string, update: AmbientUpdate, now: number): void {
    this.now = now;
    const venue = this.state.venue(symbol);
    venue.book.update(update);
    venue.matcher.crossAmbient();
    this.endStaleReductions(venue);
  }

  /**
   * The first market data after a start. Levels that would trade with orders that rested through it are left out: clients
   * had consumed them before, and a restart by itself fills nothing. The next update counts as usual.
   */
  openMarket(symbol: string, update: AmbientUpdate, now: number): void {
    const { book } = this.state.venue(symbol);
    const [bid, ask] = [book.bids.best()?.price, book.asks.best()?.price];
    const bids = update.bids.filter(([price]) => ask === undefined || price.lessThan(ask));
    const asks = update.asks.filter(([price]) => bid === undefined || price.greaterThan(bid));
    this.updateMarket(symbol, { bids, asks, replace: true }, now);
  }

  find(account: Account, reference: OrderReference): Order {
    const order = reference.orderId !== undefined ? this.state.orders.get(reference.orderId) : account.orders.get(reference.clientId ?? '');
    if (order === undefined || order.account !== account.name) {
      throw new PaperError('ORDER_NOT_FOUND', `no order ${reference.orderId ?? reference.clientId ?? ''} of this account`);
    }
    return order;
  }

  /** Puts a restored open order back into the books and reservations (no checks, no changes recorded). */
  restore(account: Account, order: Order): void {
    const venue = this.state.venue(order.symbol);
    this.rest(account, venue, order);
  }

  private readonly port: MatchingPort = {
    allowance: (order) => (order.reduceOnly ? reducible(this.state.account(order.account).position(order.symbol), order.side) : null),
    settle: (execution) => this.settle(execution),
    cancelForReduceOnly: (order) => this.cancelOpen(this.state.account(order.account), order, 'REDUCE_ONLY'),
  };

  private settle(execution: Execution): void {
    const symbol = (execution.taker ?? execution.maker)?.symbol;
    if (symbol === undefined) throw new Error('an execution needs at least one client order');
    settle(this.state, this.state.venue(symbol).market, execution, this.now);
  }

  private accept(account: Account, request: OrderRequest, now: number): Order {
    const { counters } = this.state;
    counters.orderId += 1;
    counters.priority += 1;
    const order = newOrder(request, { orderId: String(counters.orderId), account: account.name, priority: counters.priority, now });
    account.orders.set(order.clientId, order);
    account.open.add(order);
    this.state.orders.set(order.orderId, order);
    this.state.changed(order, now);
    return order;
  }

  private reachable(venue: Venue, request: CheckedOrder): Decimal {
    return previewOf(this.state, venue, request.side, request.price, request.quantity).quantity;
  }

  /** After taking: filled, rested (GTC limit), or its remainder canceled. */
  private finishTaking(account: Account, venue: Venue, order: Order): void {
    if (order.leaves.isZero()) {
      this.state.changed(order, this.now);
      close(account, venue.market, order, 'filled');
    } else if (order.reduceOnly && this.port.allowance(order)?.isZero() === true) {
      this.end(account, venue, order, 'REDUCE_ONLY');
    } else if (order.type === 'limit' && order.timeInForce === 'GTC') {
      this.rest(account, venue, order);
    } else {
      this.end(account, venue, order, 'NO_LIQUIDITY');
    }
  }

  private rest(account: Account, venue: Venue, order: Order): void {
    venue.book.rest(order);
    reserve(this.state, account, venue.market, order, order.leaves, 1);
    if (order.reduceOnly) account.holding(venue.market).reduceOnly.add(order);
  }

  private unrest(account: Account, venue: Venue, order: Order): void {
    venue.book.remove(order);
    reserve(this.state, account, venue.market, order, order.leaves, -1);
    if (order.reduceOnly) account.holding(venue.market).reduceOnly.delete(order);
  }

  private cancelOpen(account: Account, order: Order, reason: CancelReason): void {
    const venue = this.state.venue(order.symbol);
    this.unrest(account, venue, order);
    this.end(account, venue, order, reason);
  }

  private end(account: Account, venue: Venue, order: Order, reason: CancelReason): void {
    order.cancelReason = reason;
    this.state.changed(order, this.now);
    close(account, venue.market, order, 'canceled');
  }

  /** Amends in place when only the quantity falls; otherwise the order leaves the book and comes back last in line. */
  private replace(account: Account, venue: Venue, order: Order, price: Decimal, quantity: Decimal): void {
    const keepsPlace = price.equals(order.price as Decimal) && quantity.lessThanOrEqualTo(order.quantity);
    const leaves = quantity.minus(order.filled);
    if (!keepsPlace) {
      if (order.postOnly) checkPostOnly(venue, order.side, price);
      if (order.reduceOnly) checkReduceOnly(account, venue, order.side, leaves);
      this.checkReplacement(account, venue, order, price, leaves);
    }
    if (keepsPlace && leaves.greaterThan(0)) {
      const less = order.leaves.minus(leaves);
      order.leaves = leaves;
      venue.book.shrink(order, less);
      reserve(this.state, account, venue.market, order, less, -1);
    } else {
      this.unrest(account, venue, order);
      order.price = price;
      order.leaves = leaves;
    }
    order.quantity = quantity;
    order.revision += 1;
    this.state.changed(order, this.now);
    if (keepsPlace && leaves.greaterThan(0)) return;
    this.state.counters.priority += 1;
    order.priority = this.state.counters.priority;
    venue.matcher.take(order);
    this.finishTaking(account, venue, order);
    this.endStaleReductions(venue);
  }

  /** The funds check of an amend, made as if the old order were gone; the reservation is as it was if it throws. */
  private checkReplacement(account: Account, venue: Venue, order: Order, price: Decimal, leaves: Decimal): void {
    if (order.reduceOnly) return;
    reserve(this.state, account, venue.market, order, order.leaves, -1);
    try {
      checkFunds(this.state, account, venue, { side: order.side, price, quantity: leaves });
    } finally {
      reserve(this.state, account, venue.market, order, order.leaves, 1);
    }
  }

  /** A position that closed or turned leaves resting reduce-only orders with nothing to reduce: they end. */
  private endStaleReductions(venue: Venue): void {
    if (venue.market.kind === 'spot') return;
    for (const account of this.state.touchedAccounts()) {
      const holding = account.holdings.get(venue.market.symbol);
      if (holding === undefined || holding.reduceOnly.size === 0) continue;
      for (const order of [...holding.reduceOnly]) {
        if (reducible(holding.quantity, order.side).isZero()) this.cancelOpen(account, order, 'REDUCE_ONLY');
      }
    }
  }
}

function amendKey(order: Order, amendId: string): string {
  return `${order.orderId} ${amendId}`;
}
