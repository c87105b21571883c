import { Decimal, ZERO, decimal } from '../domain/decimal';
import { type Account, applyToPosition } from './account';
import type { ExchangeState } from './exchange-state';
import { INSURANCE_FUND } from './maintenance';
import { COLLATERAL, type PaperMarket } from './market';
import type { Execution } from './matching';
import { type Fill, type Order, type OrderStatus, type Side, opposite } from './order';

const ONE = decimal('1');

/** Adds (sign 1) or removes (sign -1) an open order's unfilled part to what its account reserves. */
export function reserve(state: ExchangeState, account: Account, market: PaperMarket, order: Order, quantity: Decimal, sign: 1 | -1): void {
  const signed = sign === 1 ? quantity : quantity.negated();
  const price = order.price ?? ZERO;
  if (market.kind === 'spot') {
    const asset = order.side === 'buy' ? market.quote : market.base;
    account.lockSpot(asset, spotHold(market, order.side, price, signed));
    state.touch(account, asset);
    return;
  }
  if (order.reduceOnly) return;
  const holding = account.holding(market);
  if (order.side === 'buy') {
    holding.openBuyQuantity = holding.openBuyQuantity.plus(signed);
    holding.openBuyNotional = holding.openBuyNotional.plus(signed.times(price));
  } else {
    holding.openSellQuantity = holding.openSellQuantity.plus(signed);
    holding.openSellNotional = holding.openSellNotional.plus(signed.times(price));
  }
  state.touch(account, COLLATERAL);
}

/** What a spot order holds: a buy its notional and the taker fee, a sell its base quantity. */
export function spotHold(market: PaperMarket, side: Side, price: Decimal, quantity: Decimal): Decimal {
  return side === 'sell' ? quantity : quantity.times(price).times(ONE.plus(market.takerFeeRate));
}

/**
 * Books an execution for the client orders in it: position or balances, fee, realised profit, fill and public trade. A
 * maker's reservation is released by what filled; a taker has none yet. Both sides of a trade carry the same fill id.
 */
export function settle(state: ExchangeState, market: PaperMarket, execution: Execution, now: number): void {
  state.counters.tradeId += 1;
  const tradeId = String(state.counters.tradeId);
  const { taker, maker, price, quantity, takerSide } = execution;
  state.recordTrade({ id: tradeId, symbol: market.symbol, price, quantity, side: takerSide, time: now });
  state.venue(market.symbol).last = price;
  if (maker !== null) settleSide(state, market, maker, { tradeId, side: opposite(takerSide), price, quantity, liquidity: 'maker', now });
  if (taker !== null) settleSide(state, market, taker, { tradeId, side: takerSide, price, quantity, liquidity: 'taker', now });
}

interface SideOfTrade {
  tradeId: string;
  side: Side;
  price: Decimal;
  quantity: Decimal;
  liquidity: 'maker' | 'taker';
  now: number;
}

function settleSide(state: ExchangeState, market: PaperMarket, order: Order, trade: SideOfTrade): void {
  const account = state.account(order.account);
  const isMaker = trade.liquidity === 'maker';
  if (isMaker) reserve(state, account, market, order, trade.quantity, -1);
  const notional = trade.price.times(trade.quantity);
  // The fund is the venue's own: it pays no fees to itself.
  const fee = order.account === INSURANCE_FUND ? ZERO : notional.times(isMaker ? market.makerFeeRate : market.takerFeeRate);
  let realizedPnl = ZERO;
  if (market.kind === 'spot') {
    const buys = trade.side === 'buy';
    account.add(market.base, buys ? trade.quantity : trade.quantity.negated());
    account.add(market.quote, (buys ? notional.negated() : notional).minus(fee));
    state.touch(account, market.base);
    state.touch(account, market.quote);
  } else {
    realizedPnl = applyToPosition(account.holding(market), trade.side, trade.price, trade.quantity);
    account.add(COLLATERAL, realizedPnl.minus(fee));
    state.noteHolder(account, market.symbol);
    state.touch(account, COLLATERAL, market.symbol);
  }
  state.changed(order, trade.now);
  if (isMaker && order.leaves.isZero()) close(account, market, order, 'filled');
  state.counters.fillIndex += 1;
  const fill: Fill = {
    index: state.counters.fillIndex,
    fillId: trade.tradeId,
    orderId: order.orderId,
    clientId: order.clientId,
    account: order.account,
    symbol: order.symbol,
    side: trade.side,
    price: trade.price,
    quantity: trade.quantity,
    fee,
    feeAsset: market.quote,
    liquidity: trade.liquidity,
    realizedPnl,
    time: trade.now,
  };
  account.fills.push(fill);
  state.recordFill(fill);
}

/** Moves an order from the open to the closed ones of its account. */
export function close(account: Account, market: PaperMarket, order: Order, status: Exclude<OrderStatus, 'open'>): void {
  order.status = status;
  account.open.delete(order);
  if (order.reduceOnly && market.kind === 'perpetual') account.holding(market).reduceOnly.delete(order);
  account.closed.push(order);
}
