/** One look for an order at its venue: everywhere it may show. */
import type { Clock } from '../domain/clock';
import type { Order } from '../domain/order';
import type { PlacingFacts } from '../domain/resolution';
import { mayBeTheSame } from '../domain/same-terms';
import type { ReadOptions, Venue, VenueAccountSession, VenueCredentials, VenueFill, VenueOrder } from '../domain/venue';
import { HistoryCut, VenueError, VenueRateLimited, VenueUnavailable } from '../domain/venue-errors';

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
/** Of one question, repeats included (read-retry.ts waits longer each time): the next comes after EXIT_LONGEST_WAIT_MS. */
const KNOCK_TIMEOUT_MS = 2_000;
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
    // What never left is nowhere: all there is to learn is whether the venue answers.
    if (order.reduceOnly && order.state === 'SUBMITTING' && (await this.ports.factsOf(order.id))?.mayHaveLeft === false) return this.knock(venue, session, order, signal);
    const venueTimeMs = await venue.venueTimeMs(options);
    const byId = await session.findOrder(order, options);
    if (byId !== null) return { order: byId, fills: [], complete: true, groupAbsent: false, venueTimeMs, candidates: [] };
    // The venue's clock may be behind ours, now or when the order was made.
    const createdMs = Date.parse(order.createdAt);
    const sinceMs = Math.min(createdMs, createdMs + venueTimeMs - this.ports.clock.nowMs()) - LOOK_BACK_MS;
    const open = await session.openOrders(options);
    const closed = await newestOf(session.closedOrders(sinceMs, options));
    const shown = [...open, ...closed.orders];
    const listed = shown.find((seen) => names(order, seen)) ?? null;
    const alike = (one: Order): VenueOrder[] => (one.venueOrderId === null && venue.carriesClientId?.(one.venueSymbol) === false ? shown.filter((seen) => mayBeTheSame(one, seen, sinceMs)) : []);
    const companions = order.grouping === null ? [] : await this.ports.companionsOf(order.id);
    const { fills, complete } = await this.fillsOf(session, [order, ...companions], sinceMs, options);
    const askedFor = await Promise.all(companions.map((one) => session.findOrder(one, options)));
    // An account may place more than the history shows: the question by client id, which knows ended orders too, and whole fills stand in for it.
    const carries = (one: Order): boolean => venue.carriesClientId?.(one.venueSymbol) ?? venue.capabilities.clientIds;
    const isWhole = complete && (closed.isWhole || [order, ...companions].every(carries));
    const groupAbsent = companions.every((one, index) => askedFor[index] === null && alike(one).length === 0 && ![...shown, ...fills].some((seen) => names(one, seen)));
    return { order: listed, fills: fills.filter((fill) => names(order, fill)), complete: isWhole && venue.capabilities.fullFillHistory, groupAbsent, venueTimeMs, candidates: listed === null ? alike(order) : [] };
  }

  /**
   * One cheap question: a whole look costs thirty times as much, of the reserve that the exit itself goes by. Throws what says that nothing
   * can be sent now; a question without an answer says nothing of a request.
   */
  private async knock(venue: Venue, session: VenueAccountSession, order: Order, signal: AbortSignal): Promise<Look> {
    const options: ReadOptions = { signal: AbortSignal.any([signal, AbortSignal.timeout(KNOCK_TIMEOUT_MS)]), priority: 'exit' };
    try {
      if (venue.carriesClientId?.(order.venueSymbol) === false) await session.openOrders(options);
      else await session.findOrder(order, options);
    } catch (error) {
      const isAway = error instanceof VenueUnavailable && error.reason === 'connection';
      if (isAway || error instanceof VenueRateLimited || !(error instanceof VenueError)) throw error;
    }
    return NOTHING_TO_SEE;
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

/** What the venue shows of it, and whether that is all. */
export async function newestOf(closed: Promise<readonly VenueOrder[]>): Promise<{ readonly orders: readonly VenueOrder[]; readonly isWhole: boolean }> {
  try {
    return { orders: await closed, isWhole: true };
  } catch (error) {
    if (!(error instanceof HistoryCut)) throw error;
    return { orders: error.newest as readonly VenueOrder[], isWhole: false };
  }
}

/** Whether what the venue shows carries one of the order's names. */
function names(order: Order, seen: Pick<VenueOrder | VenueFill, 'venueClientId' | 'venueOrderId'>): boolean {
  return seen.venueClientId === order.venueClientId || (order.venueOrderId !== null && seen.venueOrderId === order.venueOrderId);
}
