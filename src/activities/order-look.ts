/** One look for an order at its venue: everywhere it may show. */
import type { Clock } from '../domain/clock';
import type { Order } from '../domain/order';
import type { PlacingFacts } from '../domain/resolution';
import { mayBeTheSame } from '../domain/same-terms';
import type { ReadOptions, Venue, VenueAccountSession, VenueCredentials, VenueFill, VenueOrder } from '../domain/venue';

export interface OrderLookPorts {
  readonly clock: Clock;
  credentials(accountId: string): Promise<VenueCredentials>;
  factsOf(orderId: string): Promise<PlacingFacts | null>;
  /** The other orders that go to the venue in one request with it. */
  companionsOf(orderId: string): Promise<readonly Order[]>;
}

/** Fills and history are read from this long before the order was made: clocks differ. */
const LOOK_BACK_MS = 60_000;
/** All reads of one look: below the activity's 10 s, so that its end is ours to tell. */
const LOOK_TIMEOUT_MS = 6_000;
/** More pages than this of one account's fills since the order was made is a venue that does not end its list. */
const MAX_PAGES = 200;

export interface Look {
  readonly order: VenueOrder | null;
  readonly fills: readonly VenueFill[];
  readonly complete: boolean;
  readonly groupAbsent: boolean;
  readonly venueTimeMs: number;
  /** Where orders carry no client id: those that may be this one, by their terms. */
  readonly candidates: readonly VenueOrder[];
}

/** Of an order that was never sent. */
export const NOTHING_TO_SEE: Look = { order: null, fills: [], complete: false, groupAbsent: false, venueTimeMs: 0, candidates: [] };

export class OrderLook {
  constructor(private readonly ports: OrderLookPorts) {}

  /** By id first: that alone settles nearly every order. Only what is not found there is looked for everywhere. */
  async at(venue: Venue, order: Order, signal: AbortSignal): Promise<Look> {
    const options: ReadOptions = { signal: AbortSignal.any([signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)]), priority: 'exit' };
    const session = venue.session(await this.ports.credentials(order.accountId));
    const venueTimeMs = await venue.venueTimeMs(options);
    const byId = await session.findOrder(order, options);
    if (byId !== null) return { order: byId, fills: [], complete: true, groupAbsent: false, venueTimeMs, candidates: [] };
    // What never left is nowhere: all there is to learn is whether the venue answers. The lists cost thirty times as much, of the reserve the exit itself goes by.
    if (order.reduceOnly && order.state === 'SUBMITTING' && (await this.ports.factsOf(order.id))?.mayHaveLeft === false) {
      if (venue.carriesClientId?.(order.venueSymbol) === false) await session.openOrders(options);
      return NOTHING_TO_SEE;
    }
    // The venue's clock may be behind ours, now or when the order was made.
    const createdMs = Date.parse(order.createdAt);
    const sinceMs = Math.min(createdMs, createdMs + venueTimeMs - this.ports.clock.nowMs()) - LOOK_BACK_MS;
    const shown = [...(await session.openOrders(options)), ...(await session.closedOrders(sinceMs, options))];
    const listed = shown.find((seen) => names(order, seen)) ?? null;
    const alike = (one: Order): VenueOrder[] => (one.venueOrderId === null && venue.carriesClientId?.(one.venueSymbol) === false ? shown.filter((seen) => mayBeTheSame(one, seen, sinceMs)) : []);
    const companions = order.grouping === null ? [] : await this.ports.companionsOf(order.id);
    const { fills, complete } = await this.fillsOf(session, [order, ...companions], sinceMs, options);
    const askedFor = await Promise.all(companions.map((one) => session.findOrder(one, options)));
    const groupAbsent = companions.every((one, index) => askedFor[index] === null && alike(one).length === 0 && ![...shown, ...fills].some((seen) => names(one, seen)));
    return { order: listed, fills: fills.filter((fill) => names(order, fill)), complete: complete && venue.capabilities.fullFillHistory, groupAbsent, venueTimeMs, candidates: listed === null ? alike(order) : [] };
  }

  private async fillsOf(session: VenueAccountSession, orders: readonly Order[], sinceMs: number, options: ReadOptions): Promise<{ fills: VenueFill[]; complete: boolean }> {
    const fills: VenueFill[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await session.fillsSince(sinceMs, cursor, options);
      fills.push(...answer.fills.filter((fill) => orders.some((order) => names(order, fill))));
      if (answer.truncatedBeforeMs !== null && answer.truncatedBeforeMs > sinceMs) return { fills, complete: false };
      if (answer.next === null) return { fills, complete: true };
      cursor = answer.next;
    }
    return { fills, complete: false };
  }
}

/** Whether what the venue shows carries one of the order's names. */
function names(order: Order, seen: Pick<VenueOrder | VenueFill, 'venueClientId' | 'venueOrderId'>): boolean {
  return seen.venueClientId === order.venueClientId || (order.venueOrderId !== null && seen.venueOrderId === order.venueOrderId);
}
