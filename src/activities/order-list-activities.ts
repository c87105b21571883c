/** What an order list's workflow reads and writes: local activities, each one transaction or a few that may repeat. Types only for workflows. */
import { DomainError } from '../domain/errors';
import type { Market } from '../domain/market';
import { breakEvenTriggerId, legTriggerId, type LegMarket, type OrderList, type OrderListChild, type OrderListFacts, type OrderListLeg } from '../domain/order-list';
import type { OrderListAdvance } from '../domain/order-list-commands';
import type { Trigger, TriggerIntent, TriggerParameters } from '../domain/trigger';
import type { VenueCapabilities } from '../domain/venue';
import type { TriggerPorts } from './trigger-activities';

/** Each is idempotent: a repeat changes nothing. */
export interface TriggerWishes {
  readonly listId: string;
  readonly arm: readonly TriggerIntent[];
  readonly amend: readonly { readonly triggerId: string; readonly revision: number; readonly parameters: TriggerParameters }[];
  readonly disarm: readonly string[];
  readonly acknowledge: readonly string[];
}

export interface OrderListActivities {
  /** What the database lost when it was restored, as it was seen last. False: it has lost nothing, or cannot have it back. */
  readBackOrderList(input: { readonly list: OrderList; readonly children: readonly OrderListChild[] }): Promise<boolean>;
  /** null: it does not exist any more. */
  lookAtOrderList(input: { readonly listId: string }): Promise<OrderListFacts | null>;
  /** null: the facts have moved on since it was decided. */
  advanceOrderList(input: { readonly listId: string; readonly advance: OrderListAdvance }): Promise<{ readonly children: readonly OrderListChild[] } | null>;
  /** True: one that was to be armed or changed has fired already, or its leg waits for it no more: look again. */
  settleListTriggers(input: TriggerWishes): Promise<boolean>;
}

export interface OrderListPorts {
  readBack(list: OrderList, children: readonly OrderListChild[]): Promise<boolean>;
  readonly lists: {
    byId(id: string): Promise<OrderList | null>;
    children(id: string): Promise<readonly OrderListChild[]>;
    advance(id: string, advance: OrderListAdvance): Promise<{ readonly children: readonly OrderListChild[] } | null>;
    /** By the terms that its leg has then. null: the leg waits for it no more. */
    armTrigger(id: string, intent: TriggerIntent): Promise<Trigger | null>;
  };
  readonly triggers: Omit<TriggerPorts['triggers'], 'arm'>;
  market(venue: string, symbol: string): Promise<Market | null>;
  account(accountId: string): Promise<{ readonly signerId: string } | null>;
  markOf(venue: string, symbol: string): string | null;
  capabilities(venue: string): Pick<VenueCapabilities, 'nativeStopsExpireAfterMs'> | null;
  quoteOf(venue: string, symbol: string): { readonly bid: string | null; readonly ask: string | null } | null;
}

export function createOrderListActivities(ports: OrderListPorts): OrderListActivities {
  return {
    readBackOrderList: ({ list, children }) => ports.readBack(list, children),
    async lookAtOrderList({ listId }) {
      const list = await ports.lists.byId(listId);
      if (list === null) return null;
      const ids = list.legs.flatMap((leg) => [legTriggerId(list.id, leg), breakEvenTriggerId(list.id, leg)]);
      const [children, triggers, markets] = await Promise.all([ports.lists.children(listId), ports.triggers.byIds(ids), marketsOf(ports, list.legs)]);
      return { list, children, triggers, markets };
    },
    advanceOrderList: ({ listId, advance }) => ports.lists.advance(listId, advance),
    async settleListTriggers({ listId, arm, amend, disarm, acknowledge }) {
      const armed: (Trigger | null)[] = [];
      const amended: (Trigger | null)[] = [];
      for (const intent of arm) armed.push(await ports.lists.armTrigger(listId, intent));
      for (const { triggerId, revision, parameters } of amend) amended.push(await ports.triggers.amend(triggerId, revision, parameters));
      for (const id of disarm) await ports.triggers.disarm(id);
      for (const id of acknowledge) await ports.triggers.acknowledge(id);
      return armed.includes(null) || [...armed, ...amended].some((row) => row?.status === 'FIRED');
    },
  };
}

/** By leg; each market and account is read once. */
async function marketsOf(ports: OrderListPorts, legs: readonly OrderListLeg[]): Promise<readonly LegMarket[]> {
  const known = new Map<string, Promise<LegMarket>>();
  return Promise.all(legs.map((leg) => {
    const key = `${leg.accountId} ${leg.symbol}`;
    const market = known.get(key) ?? marketOf(ports, leg);
    known.set(key, market);
    return market;
  }));
}

async function marketOf(ports: OrderListPorts, { accountId, venue, symbol }: OrderListLeg): Promise<LegMarket> {
  const [market, account] = await Promise.all([ports.market(venue, symbol), ports.account(accountId)]);
  if (market === null) throw new DomainError('NOT_FOUND', `${venue} has no market ${symbol}`);
  if (account === null) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
  const { tickRule, lot, minQuantity, minNotional } = market;
  const quote = ports.quoteOf(venue, symbol);
  return { rules: { tickRule, lot, minQuantity, minNotional }, signerId: account.signerId, mark: ports.markOf(venue, symbol), bid: quote?.bid ?? null, ask: quote?.ask ?? null, nativeExpiresAfterMs: ports.capabilities(venue)?.nativeStopsExpireAfterMs ?? null };
}
