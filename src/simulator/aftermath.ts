/**
 * What follows from a price: orders whose trigger it reaches go to the market, accounts that it ruins are liquidated; both
 * trade, which moves the price, until nothing is due any more.
 */
import { type Decimal, ZERO } from '../domain/decimal';
import { type Account, isolatedMargin } from './account';
import { PaperError } from './errors';
import type { Venue } from './exchange-state';
import { INSURANCE_FUND, isLiquidatable, maintenanceMarginOf, ruined } from './maintenance';
import { COLLATERAL } from './market';
import { checkFunds } from './order-checks';
import { type Order, type OrderRequest, averageOf } from './order';
import type { OrderLife } from './order-life';
import { reserve } from './settlement';

/** Looks at every market that moved until none is left. Ends: each step fires one order for ever or closes one position. */
export function followPrices(life: OrderLife): void {
  const { moved, state } = life;
  for (;;) {
    const [venue] = moved;
    if (venue === undefined) return;
    const due = venue.triggers.due(venue.book.mark(), venue.last);
    if (due !== undefined) {
      fire(life, venue, due);
      continue;
    }
    const lost = [...venue.holders].find((account) => isLiquidatable(account, state.markOf));
    if (lost === undefined) moved.delete(venue);
    else liquidate(life, lost);
  }
}

/** The trigger was reached: from here on it is a market or limit order, checked as one that comes now. */
function fire(life: OrderLife, venue: Venue, order: Order): void {
  const { state } = life;
  const account = state.account(order.account);
  life.unrest(account, venue, order);
  order.triggeredAt = life.now;
  order.revision += 1;
  state.counters.priority += 1;
  order.priority = state.counters.priority;
  state.changed(order, life.now);
  if (order.wholePosition) {
    order.leaves = life.allowance(order) ?? ZERO;
    order.quantity = order.filled.plus(order.leaves);
  }
  if (!order.reduceOnly) {
    try {
      checkFunds(state, account, venue, { side: order.side, price: order.price, quantity: order.leaves });
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
      life.end(account, venue, order, 'INSUFFICIENT_MARGIN');
      return;
    }
  }
  life.take(account, venue, order);
}

/**
 * Cancels the account's orders in perpetuals (of an isolated position those of its market), then closes the ruined positions,
 * the one that needs most maintenance margin first, until the rest is safe. What the book cannot take goes to the insurance
 * fund at the mark; what a flat account, or an isolated position, owes beyond its own, too.
 */
function liquidate(life: OrderLife, account: Account): void {
  const { state } = life;
  for (;;) {
    const [holding] = ruined(account, state.markOf).sort((a, b) => maintenanceMarginOf(b, state.markOf).comparedTo(maintenanceMarginOf(a, state.markOf)));
    if (holding === undefined) break;
    for (const order of [...account.open]) {
      const { market } = state.venue(order.symbol);
      if (market.kind === 'perpetual' && (!holding.isolated || market === holding.market)) life.cancelOpen(account, order, 'LIQUIDATION');
    }
    const [own, before] = [isolatedMargin(holding), account.balance(COLLATERAL)];
    const { isolated } = holding;
    closePosition(life, account, state.venue(holding.market.symbol));
    const lost = before.minus(account.balance(COLLATERAL));
    if (isolated && lost.greaterThan(own)) paidByFund(life, account, lost.minus(own));
  }
  const owed = account.balance(COLLATERAL);
  const isFlat = [...account.holdings.values()].every(({ quantity }) => quantity.isZero());
  if (isFlat && owed.lessThan(ZERO)) paidByFund(life, account, owed.negated());
}

function paidByFund({ state }: OrderLife, account: Account, amount: Decimal): void {
  const fund = state.openAccount(INSURANCE_FUND);
  account.add(COLLATERAL, amount);
  fund.add(COLLATERAL, amount.negated());
  state.touch(account, COLLATERAL);
  state.touch(fund, COLLATERAL);
}

function closePosition(life: OrderLife, account: Account, venue: Venue): void {
  const { state } = life;
  const { symbol } = venue.market;
  const position = account.position(symbol);
  const side = position.isPositive() ? 'sell' : 'buy';
  const request: OrderRequest = {
    ...{ clientId: ownClientId(account, `liquidation-${state.counters.orderId + 1}`), symbol, side, type: 'market', timeInForce: 'IOC', price: null },
    ...{ quantity: position.abs(), postOnly: false, reduceOnly: true },
  };
  const order = life.accept(account, request, true);
  // The mark before its own selling: the fund does not profit from the hole it makes in the book. Without one, the entry.
  const mark = venue.book.mark() ?? averageOf(account.holding(venue.market).cost, position);
  venue.matcher.take(order);
  if (order.leaves.greaterThan(0)) takeOver(life, venue, order, mark);
  life.finishTaking(account, venue, order);
  life.endStaleReductions(venue);
}

/** The insurance fund takes what is left of a liquidation at the mark. */
function takeOver(life: OrderLife, venue: Venue, order: Order, mark: NonNullable<Order['price']>): void {
  const { state } = life;
  const fund = state.openAccount(INSURANCE_FUND);
  const quantity = order.leaves;
  const request: OrderRequest = {
    ...{ clientId: `takeover-${order.orderId}`, symbol: order.symbol, side: order.side === 'buy' ? 'sell' : 'buy', type: 'limit', timeInForce: 'IOC', price: mark },
    ...{ quantity, postOnly: false, reduceOnly: false },
  };
  const taken = life.accept(fund, request);
  reserve(state, fund, venue.market, taken, quantity, 1);
  for (const side of [order, taken]) {
    side.filled = side.filled.plus(quantity);
    side.leaves = ZERO;
    side.filledNotional = side.filledNotional.plus(quantity.times(mark));
  }
  life.book({ taker: order, maker: taken, takerSide: order.side, price: mark, quantity });
}

function ownClientId(account: Account, wanted: string): string {
  return account.orders.has(wanted) ? ownClientId(account, `${wanted}x`) : wanted;
}
