/** What supervising workflows read: local activities, so that a look costs no hand-over. Types only for workflows. */
import type { Clock } from '../domain/clock';
import { DomainError } from '../domain/errors';
import type { PartlyFolded } from '../domain/folded-orders';
import type { Market } from '../domain/market';
import type { Order } from '../domain/order';
import { supervisedView, type SupervisedOrder, type TradingState } from '../domain/supervised-order';

export interface ReadTradingStateInput {
  readonly accountId: string;
  readonly venue: string;
  readonly symbol: string;
}

export interface SupervisionActivities {
  /** In no order; those that have no row yet are absent. */
  readOrders(input: { readonly orderIds: readonly string[] }): Promise<readonly SupervisedOrder[]>;
  /** Of the orders that an order placed: `orders`, in no order, those named and all that are open; `folded`: the others. Named ones that have no row yet are absent. */
  readChildren(input: { readonly parentOrderId: string; readonly named: readonly string[] }): Promise<PartlyFolded<SupervisedOrder>>;
  /** Throws NOT_FOUND where the account or the market is gone. */
  readTradingState(input: ReadTradingStateInput): Promise<TradingState>;
}

export interface SupervisionPorts {
  readonly clock: Clock;
  ordersByIds(ids: readonly string[]): Promise<readonly Order[]>;
  childrenNamed(parentOrderId: string, named: readonly string[]): Promise<PartlyFolded<Order>>;
  market(venue: string, symbol: string): Promise<Market | null>;
  account(accountId: string): Promise<{ readonly signerId: string } | null>;
  /** Signed. */
  position(accountId: string, symbol: string): Promise<string>;
  markOf(venue: string, symbol: string): string | null;
  quoteOf(venue: string, symbol: string): { readonly bid: string | null; readonly ask: string | null } | null;
}

export function createSupervisionActivities(ports: SupervisionPorts): SupervisionActivities {
  return {
    readOrders: async ({ orderIds }) => (await ports.ordersByIds(orderIds)).map(supervisedView),
    readChildren: async ({ parentOrderId, named }) => {
      const { orders, folded } = await ports.childrenNamed(parentOrderId, named);
      return { orders: orders.map(supervisedView), folded };
    },
    readTradingState: async ({ accountId, venue, symbol }) => {
      const [market, account, position] = await Promise.all([ports.market(venue, symbol), ports.account(accountId), ports.position(accountId, symbol)]);
      if (market === null) throw new DomainError('NOT_FOUND', `${venue} has no market ${symbol}`);
      if (account === null) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
      const { tickRule, lot, minQuantity, minNotional, venueSymbol, status } = market;
      const quote = ports.quoteOf(venue, symbol);
      return { market: { tickRule, lot, minQuantity, minNotional, venueSymbol, status }, signerId: account.signerId, position, mark: ports.markOf(venue, symbol), bid: quote?.bid ?? null, ask: quote?.ask ?? null, atMs: ports.clock.nowMs() };
    },
  };
}
