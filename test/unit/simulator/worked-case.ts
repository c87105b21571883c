/** One account taken through a few steps, whose figures were reckoned by hand beforehand. */
import { type Decimal, decimal } from '../../../src/domain/decimal';
import type { Account } from '../../../src/simulator/account';
import { Exchange } from '../../../src/simulator/exchange';
import { liquidationPrice } from '../../../src/simulator/maintenance';
import { ALL_MARKETS } from '../../../src/simulator/market';
import { NOW, ambient, request } from './exchange-samples';

export type Step =
  | readonly ['leverage', symbol: string, leverage: number]
  /** A market order that meets exactly these levels. */
  | readonly ['take', symbol: string, side: 'buy' | 'sell', ...levels: (readonly [price: string, quantity: string])[]]
  /** A limit order that is not reached. */
  | readonly ['rest', symbol: string, side: 'buy' | 'sell', quantity: string, price: string]
  /** A limit order that the market data then trades with, by so much. */
  | readonly ['make', symbol: string, side: 'buy' | 'sell', quantity: string, price: string, traded: string]
  /** Both sides of the book at these prices (one: at the same), ten million deep. */
  | readonly ['mark', symbol: string, bid: string, ask?: string]
  | readonly ['fundingRate', symbol: string, rate: string, intervalMs?: number]
  | readonly ['after', ms: number];

export interface Worked {
  readonly exchange: Exchange;
  readonly account: Account;
}

const DEEP = '10000000';

export function work(deposit: readonly [asset: string, amount: string], steps: readonly Step[]): Worked {
  const exchange = new Exchange(ALL_MARKETS);
  const account = exchange.state.openAccount('alice');
  exchange.credit(account, deposit[0], decimal(deposit[1]));
  exchange.advance(NOW);
  const worked = { exchange, account };
  for (const step of steps) apply(worked, step);
  return worked;
}

export function apply({ exchange, account }: Worked, step: Step): void {
  const kind = step[0];
  if (kind === 'leverage') exchange.setLeverage(account, step[1], step[2]);
  else if (kind === 'fundingRate') exchange.setFunding(step[1], { rate: decimal(step[2]), ...(step[3] === undefined ? {} : { intervalMs: step[3] }) }, NOW);
  else if (kind === 'after') exchange.advance(NOW + step[1]);
  else if (kind === 'mark') ambient(exchange, [[step[2], DEEP]], [[step[3] ?? step[2], DEEP]], { symbol: step[1] });
  else if (kind === 'rest') exchange.place(account, request(step[2], step[3], { symbol: step[1], price: step[4] }), NOW);
  else if (kind === 'take') take(exchange, account, step);
  else {
    const [, symbol, side, quantity, price, traded] = step;
    exchange.place(account, request(side, quantity, { symbol, price }), NOW);
    exchange.tradeMarket(symbol, { side: side === 'buy' ? 'sell' : 'buy', price: decimal(price), quantity: decimal(traded) }, NOW);
  }
}

function take(exchange: Exchange, account: Account, [, symbol, side, ...levels]: Extract<Step, readonly ['take', ...unknown[]]>): void {
  const quantity = levels.reduce((total, [, part]) => total.plus(part), decimal('0'));
  const book = exchange.state.venue(symbol).book;
  const kept = book.side(side).bestAmbient()?.text;
  // The account's own side stays as it is, so that a market that has a mark goes on having one.
  const own: [string, string][] = kept === undefined ? [] : [[kept, DEEP]];
  const other = levels.map(([price, part]) => [price, part] as const);
  ambient(exchange, side === 'buy' ? own : other, side === 'buy' ? other : own, { symbol });
  exchange.place(account, request(side, quantity.toFixed(), { symbol }), NOW);
}

export function liquidationPriceOf({ exchange, account }: Worked, symbol: string): Decimal | null {
  return liquidationPrice(account, account.holding(exchange.state.venue(symbol).market), exchange.state.markOf);
}

/** To 1e-8, as the figures of the cases are. */
export function figure(value: Decimal): string {
  return value.toDecimalPlaces(8).toFixed(8);
}
