import { type Decimal, decimal } from '../../../src/domain/decimal';
import type { Account } from '../../../src/simulator/account';
import { Exchange } from '../../../src/simulator/exchange';
import { PAPER_MARKETS } from '../../../src/simulator/market';
import type { Order, OrderRequest, OrderType, TimeInForce, TriggerPriceType } from '../../../src/simulator/order';

export const NOW = 1_700_000_000_000;

/** An exchange with quiet books: nothing but what a test puts into them. */
export function quietExchange(): Exchange {
  return new Exchange(PAPER_MARKETS);
}

export function funded(exchange: Exchange, name: string, collateral = '100000'): Account {
  const account = exchange.state.openAccount(name);
  exchange.credit(account, 'USDC', decimal(collateral));
  return account;
}

export interface Wanted {
  readonly clientId?: string;
  readonly symbol?: string;
  readonly price?: string;
  /** Of the four trigger types; otherwise limit with a price and market without one. */
  readonly type?: OrderType;
  readonly triggerPrice?: string;
  readonly triggerPriceType?: TriggerPriceType;
  readonly expireAt?: number;
  readonly timeInForce?: TimeInForce;
  readonly postOnly?: boolean;
  readonly reduceOnly?: boolean;
}

let nextId = 0;

/** A limit order (a market order without price) in XRP-PERP unless said otherwise. */
export function request(side: 'buy' | 'sell', quantity: string, wanted: Wanted = {}): OrderRequest {
  nextId += 1;
  const isLimit = wanted.price !== undefined;
  return {
    clientId: wanted.clientId ?? `c${nextId}`,
    symbol: wanted.symbol ?? 'XRP-PERP',
    side,
    type: wanted.type ?? (isLimit ? 'limit' : 'market'),
    timeInForce: wanted.timeInForce ?? (wanted.expireAt !== undefined ? 'GTD' : isLimit || wanted.triggerPrice !== undefined ? 'GTC' : 'IOC'),
    price: wanted.price === undefined ? null : decimal(wanted.price),
    quantity: decimal(quantity),
    postOnly: wanted.postOnly ?? false,
    reduceOnly: wanted.reduceOnly ?? false,
    expireAt: wanted.expireAt ?? null,
    triggerPrice: wanted.triggerPrice === undefined ? null : decimal(wanted.triggerPrice),
    triggerPriceType: wanted.triggerPriceType ?? 'mark',
  };
}

export function place(exchange: Exchange, account: Account, side: 'buy' | 'sell', quantity: string, wanted: Wanted = {}): Order {
  return exchange.place(account, request(side, quantity, wanted), NOW);
}

type Levels = readonly (readonly [string, string])[];

/** Replaces a market's ambient book. */
export function ambient(exchange: Exchange, bids: Levels, asks: Levels, options: { symbol?: string; replace?: boolean } = {}): void {
  const levels = (side: Levels): [Decimal, Decimal][] => side.map(([price, quantity]) => [decimal(price), decimal(quantity)]);
  exchange.updateMarket(options.symbol ?? 'XRP-PERP', { bids: levels(bids), asks: levels(asks), replace: options.replace ?? true }, NOW);
}

/** A trade of the market data in XRP-PERP, its volume and price. */
export function traded(exchange: Exchange, side: 'buy' | 'sell', quantity: string, price: string): void {
  exchange.tradeMarket('XRP-PERP', { side, quantity: decimal(quantity), price: decimal(price) }, NOW);
}

/** The code of the refusal that `act` throws. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'accepted';
}

export function fillsOf(account: Account): string[] {
  return account.fills.map((fill) => `${fill.side} ${fill.quantity.toFixed()} @ ${fill.price.toFixed()} ${fill.liquidity}`);
}
