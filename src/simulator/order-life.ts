import { sum } from '../domain/decimal';
import type { Account } from './account';
import type { Book } from './book';
import { ExchangeState, type Venue } from './exchange-state';
import { type Execution, type Matcher, type MatchingPort, reducible } from './matching';
import { type CheckedOrder, previewOf } from './order-checks';
import { type CancelReason, type Order, type OrderRequest, isArmed, newOrder } from './order';
import { close, reserve, settle } from './settlement';

export type MakeMatcher = (book: Book, port: MatchingPort) => Matcher;

/** The steps an order goes through, from its acceptance to its end; what the exchange's commands are made of. */
export class OrderLife {
  readonly state: ExchangeState;
  /** Venue time of the command under way. */
  now = 0;
  /** Markets in which something traded since they were last looked at: their triggers and holders are due. */
  readonly moved = new Set<Venue>();

  constructor(markets: ConstructorParameters<typeof ExchangeState>[0], makeMatcher: MakeMatcher) {
    this.state = new ExchangeState(markets, (book) => makeMatcher(book, this.port));
  }

  accept(account: Account, request: OrderRequest, liquidation = false): Order {
    const { counters } = this.state;
    counters.orderId += 1;
    counters.priority += 1;
    const order = newOrder(request, { orderId: String(counters.orderId), account: account.name, priority: counters.priority, now: this.now, liquidation });
    account.orders.set(order.clientId, order);
    account.open.add(order);
    this.state.orders.set(order.orderId, order);
    this.state.expiries.add(order);
    this.state.changed(order, this.now);
    return order;
  }

  /** Trades an order that is in no book, rests what is left where it may rest, and ends what it made pointless. */
  take(account: Account, venue: Venue, order: Order): void {
    if (order.timeInForce === 'FOK' && this.reachable(venue, order).lessThan(order.leaves)) {
      this.end(account, venue, order, 'NO_LIQUIDITY');
      return;
    }
    venue.matcher.take(order);
    this.finishTaking(account, venue, order);
    this.endStaleReductions(venue);
  }

  rest(account: Account, venue: Venue, order: Order): void {
    if (order.reduceOnly) account.holding(venue.market).reduceOnly.add(order);
    if (isArmed(order)) {
      venue.triggers.add(order);
      return;
    }
    venue.book.rest(order);
    reserve(this.state, account, venue.market, order, order.leaves, 1);
  }

  unrest(account: Account, venue: Venue, order: Order): void {
    if (order.waitsFor !== null) return;
    if (order.reduceOnly) account.holding(venue.market).reduceOnly.delete(order);
    if (isArmed(order)) {
      venue.triggers.remove(order);
      return;
    }
    venue.book.remove(order);
    reserve(this.state, account, venue.market, order, order.leaves, -1);
  }

  cancelOpen(account: Account, order: Order, reason: CancelReason): void {
    const venue = this.state.venue(order.symbol);
    this.unrest(account, venue, order);
    this.end(account, venue, order, reason);
  }

  end(account: Account, venue: Venue, order: Order, reason: CancelReason): void {
    order.cancelReason = reason;
    this.state.changed(order, this.now);
    close(account, venue.market, order, reason === 'EXPIRED' ? 'expired' : 'canceled');
  }

  /** A position that closed or turned leaves reduce-only orders with nothing to reduce: they end. */
  endStaleReductions(venue: Venue): void {
    if (venue.market.kind === 'spot') return;
    for (const account of this.state.touchedAccounts()) {
      const holding = account.holdings.get(venue.market.symbol);
      if (holding === undefined || holding.reduceOnly.size === 0) continue;
      for (const order of [...holding.reduceOnly]) {
        if (reducible(holding.quantity, order.side).isZero()) this.cancelOpen(account, order, 'REDUCE_ONLY');
      }
    }
  }

  /** Reductions that rest together for more than the position: the earliest end, where the market says so. */
  endExcessReductions(account: Account, venue: Venue, newest: Order): void {
    if (venue.market.endsExcessReductions !== true || !newest.reduceOnly) return;
    const holding = account.holding(venue.market);
    const room = reducible(holding.quantity, newest.side);
    const resting = [...holding.reduceOnly].filter((order) => order !== newest && order.side === newest.side && !isArmed(order));
    let wanted = sum([newest, ...resting].map(({ leaves }) => leaves));
    for (const order of resting) {
      if (wanted.lessThanOrEqualTo(room)) return;
      wanted = wanted.minus(order.leaves);
      this.cancelOpen(account, order, 'REDUCE_ONLY');
    }
  }

  allowance(order: Order): ReturnType<MatchingPort['allowance']> {
    return order.reduceOnly ? reducible(this.state.account(order.account).position(order.symbol), order.side) : null;
  }

  book(execution: Execution): void {
    const symbol = (execution.taker ?? execution.maker)?.symbol;
    if (symbol === undefined) throw new Error('an execution needs at least one client order');
    const venue = this.state.venue(symbol);
    settle(this.state, venue.market, execution, this.now);
    this.moved.add(venue);
  }

  /** After taking: filled, rested (a limit order that may rest), or its remainder canceled. */
  finishTaking(account: Account, venue: Venue, order: Order): void {
    if (order.leaves.isZero()) {
      this.state.changed(order, this.now);
      close(account, venue.market, order, 'filled');
    } else if (order.reduceOnly && this.allowance(order)?.isZero() === true) {
      this.end(account, venue, order, 'REDUCE_ONLY');
    } else if (order.price !== null && (order.timeInForce === 'GTC' || order.timeInForce === 'GTD')) {
      this.rest(account, venue, order);
    } else {
      this.end(account, venue, order, 'NO_LIQUIDITY');
    }
  }

  private readonly port: MatchingPort = {
    allowance: (order) => this.allowance(order),
    settle: (execution) => this.book(execution),
    cancelForReduceOnly: (order) => this.cancelOpen(this.state.account(order.account), order, 'REDUCE_ONLY'),
  };

  private reachable(venue: Venue, order: CheckedOrder & { readonly leaves: Order['leaves'] }): Order['leaves'] {
    return previewOf(this.state, venue, order.side, order.price, order.leaves).quantity;
  }
}
