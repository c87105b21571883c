import { type Decimal, ZERO, maxOf } from '../domain/decimal';
import { type Account, marginOf } from './account';
import { followPrices } from './aftermath';
import { type Amendment, type OrderReference, amendOpen } from './amend';
import type { AmbientUpdate, Book } from './book';
import { PaperError } from './errors';
import type { ExchangeState, Venue } from './exchange-state';
import { chargeFunding, fundingTimeAfter, takeDueFundingTimes } from './funding';
import { COLLATERAL, type PaperMarket, checkMarketRules } from './market';
import { type MarketTrade, Matcher } from './matching';
import { checkExpireAt, checkFunds, checkOpen, checkPostOnly, checkReduceOnly, checkTrigger } from './order-checks';
import { type CancelReason, type Order, type OrderRequest, isArmed, opposite, orderView } from './order';
import { type MakeMatcher, OrderLife } from './order-life';

export type { Amendment, OrderReference } from './amend';

/**
 * The paper exchange: commands in, changes out (`state.drain()`). Every command is one synchronous step that either takes
 * full effect or throws PaperError with none. Deterministic: the same commands at the same times give the same state. Each
 * command first does what has become due by its time (`advance`), and then what follows from the prices it made.
 */
export class Exchange {
  readonly state: ExchangeState;
  private readonly life: OrderLife;

  constructor(markets: readonly PaperMarket[], makeMatcher: MakeMatcher = (book, port) => new Matcher(book, port)) {
    this.life = new OrderLife(markets, makeMatcher);
    this.state = this.life.state;
  }

  /**
   * Does what has become due by `now`: good-till-date orders end, positions pay funding at each funding time that passed.
   * A clock that was set back makes nothing due twice.
   */
  advance(now: number): void {
    this.life.now = now;
    for (let order = this.state.expiries.takeDue(now); order !== undefined; order = this.state.expiries.takeDue(now)) {
      this.life.cancelOpen(this.state.account(order.account), order, 'EXPIRED');
    }
    for (const venue of this.state.venues.values()) {
      if (venue.market.kind === 'spot') continue;
      const times = takeDueFundingTimes(venue.funding, now);
      for (const time of times) chargeFunding(this.state, venue, time);
      if (times.length > 0) this.life.moved.add(venue);
    }
    followPrices(this.life);
  }

  /** Venue time at which `advance` has something to do next. */
  nextDueAt(): number {
    let next = this.state.expiries.nextAt();
    for (const { funding } of this.state.venues.values()) if (funding.nextAt !== null && funding.nextAt < next) next = funding.nextAt;
    return next;
  }

  /** The clock was set to `now` on purpose: funding is due from there on, also if it was due later than that before. */
  restartFunding(now: number): void {
    for (const { market, funding } of this.state.venues.values()) {
      if (market.kind === 'perpetual' && funding.nextAt !== null && funding.nextAt > now) funding.nextAt = fundingTimeAfter(now, funding.intervalMs);
    }
  }

  /** Sets what a market charges from its next funding time on. The rate is per interval; positive: longs pay. */
  setFunding(symbol: string, terms: { readonly rate?: Decimal; readonly intervalMs?: number }, now: number): void {
    const { market, funding } = this.state.venue(symbol);
    if (market.kind === 'spot') throw new PaperError('BAD_REQUEST', `${symbol} is a spot market: it has no funding`);
    funding.rate = terms.rate ?? funding.rate;
    if (terms.intervalMs === undefined) return;
    funding.intervalMs = terms.intervalMs;
    funding.nextAt = fundingTimeAfter(now, terms.intervalMs);
  }

  /** Accepts an order; trades it and rests what is left of one that may rest, or arms it until its trigger is reached. */
  place(account: Account, request: OrderRequest, now: number): Order {
    this.advance(now);
    const venue = this.state.venue(request.symbol);
    if (account.orders.has(request.clientId)) {
      throw new PaperError('DUPLICATE_CLIENT_ID', `client id ${request.clientId} was used before by this account`);
    }
    checkExpireAt(request, now);
    const triggerPrice = request.triggerPrice ?? null;
    if ((request.links?.waitsFor ?? null) !== null) return this.life.accept(account, request);
    if (triggerPrice !== null) return this.arm(account, venue, request, triggerPrice);
    const best = venue.book.side(opposite(request.side)).best();
    checkMarketRules(venue.market, request.price, request.quantity, best?.price ?? null);
    if (request.postOnly && request.price !== null) checkPostOnly(venue, request.side, request.price);
    if (request.reduceOnly) checkReduceOnly(account, venue, request.side);
    else checkFunds(this.state, account, venue, request);
    const order = this.life.accept(account, request);
    this.life.take(account, venue, order);
    if (order.status === 'open') this.life.endExcessReductions(account, venue, order);
    followPrices(this.life);
    return order;
  }

  cancel(account: Account, reference: OrderReference, now: number, reason: CancelReason = 'REQUESTED'): Order {
    this.advance(now);
    const order = this.find(account, reference);
    checkOpen(order);
    this.life.cancelOpen(account, order, reason);
    return order;
  }

  /** Cancels all open orders of the account (of one market, if a symbol is given). */
  cancelAll(account: Account, now: number, symbol?: string, reason: CancelReason = 'REQUESTED'): Order[] {
    this.advance(now);
    if (symbol !== undefined) this.state.venue(symbol);
    const canceled = [...account.open].filter((order) => symbol === undefined || order.symbol === symbol);
    for (const order of canceled) this.life.cancelOpen(account, order, reason);
    return canceled;
  }

  /** The answer already given to an amend of that id, if the order is known and there was one. */
  amendAnswer(account: Account, reference: OrderReference, amendId: string): string | undefined {
    return account.amends.get(amendKey(this.find(account, reference), amendId));
  }

  /** Changes price, trigger or total quantity. Returns the answer as JSON text; the same amend id gives the same text again. */
  amend(account: Account, amendment: Amendment, now: number): string {
    this.advance(now);
    const order = this.find(account, amendment);
    const key = amendKey(order, amendment.amendId);
    const answered = account.amends.get(key);
    if (answered !== undefined) return answered;
    checkOpen(order);
    amendOpen(this.life, account, order, amendment);
    followPrices(this.life);
    const answer = JSON.stringify({ order: orderView(order) });
    this.state.recordAmend(account, key, answer);
    return answer;
  }

  /** An order whose entry filled begins to live: it waits for its trigger, or ends where there is nothing left to reduce. */
  wake(account: Account, order: Order, now: number): void {
    this.advance(now);
    const venue = this.state.venue(order.symbol);
    order.waitsFor = null;
    this.state.changed(order, now);
    if (order.reduceOnly && this.life.allowance(order)?.isZero() === true) {
      this.life.end(account, venue, order, 'REDUCE_ONLY');
      return;
    }
    if (isArmed(order)) this.life.rest(account, venue, order);
    else this.life.take(account, venue, order);
    // Its trigger may have been reached while it waited.
    this.life.moved.add(venue);
    followPrices(this.life);
  }

  /** Adds to what margins an isolated position, or takes from it what is more than it needs to be opened. */
  adjustMargin(account: Account, symbol: string, amount: Decimal): void {
    const holding = account.holding(this.state.venue(symbol).market);
    if (!holding.isolated) throw new PaperError('BAD_REQUEST', `${symbol} is margined across the account`);
    if (holding.quantity.isZero()) throw new PaperError('BAD_REQUEST', `there is no position in ${symbol}`);
    if (amount.greaterThan(account.available(COLLATERAL, this.state.markOf))) throw new PaperError('INSUFFICIENT_MARGIN', 'more than is available');
    const added = holding.addedMargin.plus(amount);
    if (added.isNegative()) throw new PaperError('INSUFFICIENT_MARGIN', 'the position would keep less than its initial margin');
    holding.addedMargin = added;
    this.state.touch(account, COLLATERAL, symbol);
  }

  setLeverage(account: Account, symbol: string, leverage: number, isolated?: boolean): void {
    const { market } = this.state.venue(symbol);
    if (leverage > market.maxLeverage) {
      throw new PaperError('LEVERAGE_TOO_HIGH', `leverage ${leverage} is above the maximum ${market.maxLeverage} of ${symbol}`);
    }
    const holding = account.holding(market);
    if (isolated !== undefined && isolated !== holding.isolated) {
      if (!holding.quantity.isZero()) throw new PaperError('BAD_REQUEST', 'Cannot switch leverage type with open position.');
      holding.isolated = isolated;
    }
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

  /** Applies market data, fills the client orders it crosses, and does what follows from the price. */
  updateMarket(symbol: string, update: AmbientUpdate, now: number): void {
    this.advance(now);
    const venue = this.state.venue(symbol);
    this.applyBook(venue, update);
    this.life.moved.add(venue);
    followPrices(this.life);
  }

  /**
   * The market data traded: the client orders that stood in its way fill by its volume, better prices first, at its price
   * each after what was there before it. `depth`: the book afterwards, where the market data has one to tell.
   */
  tradeMarket(symbol: string, trade: MarketTrade, now: number, depth: AmbientUpdate | null = null): void {
    this.advance(now);
    const venue = this.state.venue(symbol);
    const rest = venue.matcher.tradeThrough(trade);
    if (rest.greaterThan(0)) {
      this.state.counters.tradeId += 1;
      this.state.recordTrade({ id: String(this.state.counters.tradeId), symbol, ...trade, quantity: rest, time: now });
    }
    venue.last = trade.price;
    this.life.endStaleReductions(venue);
    if (depth !== null) this.applyBook(venue, depth);
    this.life.moved.add(venue);
    followPrices(this.life);
  }

  /**
   * The first market data after a start. Levels that would trade with orders that rested through it are left out: clients
   * had consumed them before, and a restart by itself fills nothing. The next update counts as usual.
   */
  openMarket(symbol: string, update: AmbientUpdate, now: number): void {
    this.life.now = now;
    const { book } = this.state.venue(symbol);
    book.update({ ...uncrossed(book, update), replace: true });
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
    this.state.expiries.add(order);
    if (order.waitsFor !== null) return;
    const venue = this.state.venue(order.symbol);
    const { queueAhead } = order;
    this.life.rest(account, venue, order);
    order.queueAhead = queueAhead;
  }

  private applyBook(venue: Venue, update: AmbientUpdate): void {
    venue.book.update(update.depthOnly === true ? uncrossed(venue.book, update) : update);
    venue.matcher.crossAmbient();
    this.life.endStaleReductions(venue);
  }

  /** Funds are checked when it fires; a reduce-only one needs a position to reduce, and takes what is left of it then. */
  private arm(account: Account, venue: Venue, request: OrderRequest, triggerPrice: Decimal): Order {
    checkTrigger(venue, request, request.price, triggerPrice, request.quantity);
    if (request.reduceOnly) checkReduceOnly(account, venue, request.side);
    const order = this.life.accept(account, request);
    this.life.rest(account, venue, order);
    return order;
  }
}

/** The update without the levels that would trade with resting client orders. */
function uncrossed(book: Book, update: AmbientUpdate): AmbientUpdate {
  const bid = book.bids.bestClient();
  const ask = book.asks.bestClient();
  const bids = update.bids.filter(([price]) => ask === undefined || price.lessThan(ask.price));
  const asks = update.asks.filter(([price]) => bid === undefined || price.greaterThan(bid.price));
  return { ...update, bids, asks };
}

function amendKey(order: Order, amendId: string): string {
  return `${order.orderId} ${amendId}`;
}
