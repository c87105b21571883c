/** One step towards an order's outcome: look at the venue, apply what it shows, or conclude from its absence. */
import { isoTime, type Clock } from '../domain/clock';
import { DomainError, REASON } from '../domain/errors';
import { fillKey, venueViewKey } from '../domain/evidence';
import { UNSETTLED_STATES, type Order, type OrderState } from '../domain/order';
import type { AppliedOrder, OrderEvidence } from '../domain/order-store';
import { mayBeTheSame } from '../domain/same-terms';
import { conclude, waitBeforeAsking, type PlacingFacts, type ResolutionMemory } from '../domain/resolution';
import type { ReadOptions, Venue, VenueAccountSession, VenueCredentials, VenueFill, VenueOrder } from '../domain/venue';
import { VenueError, VenueRateLimited } from '../domain/venue-errors';

export type ResolutionStep =
  | { readonly kind: 'settled'; readonly state: string }
  | { readonly kind: 'pending'; readonly askAgainInMs: number; readonly memory: ResolutionMemory };

export interface OrderResolverPorts {
  readonly clock: Clock;
  readonly venues: ReadonlyMap<string, Venue>;
  readonly evidence: { apply(items: readonly OrderEvidence[]): Promise<readonly AppliedOrder[]> };
  /** Gives an order of the venue without a client id to ours, if it is nobody's yet. */
  readonly nameless: { claim(orderId: string, candidates: readonly VenueOrder[]): Promise<AppliedOrder | 'wait' | null> };
  readonly resend: { prepareAgain(orderId: string, sendTtlMs: number): Promise<string | null> };
  credentials(accountId: string): Promise<VenueCredentials>;
  orderById(orderId: string): Promise<Order | null>;
  factsOf(orderId: string): Promise<PlacingFacts | null>;
  /** Finds out what became of the nonce that holds the account's signer, where one does. */
  settleNonce(venue: Venue, accountId: string, signal: AbortSignal): Promise<void>;
  /** Sends a prepared attempt; the orders still open afterwards. */
  send(attemptId: string, orderIds: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
}

/** How long a request sent again may take to leave. */
const SEND_TTL_MS = 2_000;
/** Fills and history are read from this long before the order was made: clocks differ. */
const LOOK_BACK_MS = 60_000;
/** All reads of one look: below the activity's 10 s, so that its end is ours to tell. */
const LOOK_TIMEOUT_MS = 6_000;
/** More pages than this of one account's fills since the order was made is a venue that does not end its list. */
const MAX_PAGES = 200;

/** States in which the venue has the entry, and with it, in one request, its exits. */
const ENTRY_LIVES: ReadonlySet<OrderState> = new Set<OrderState>(['SUBMITTED', 'WORKING', 'PARTIALLY_FILLED']);

interface Look {
  readonly order: VenueOrder | null;
  readonly fills: readonly VenueFill[];
  readonly complete: boolean;
  readonly venueTimeMs: number;
  /** Where orders carry no client id: those that may be this one, by their terms. */
  readonly candidates: readonly VenueOrder[];
}

/** Of an order that waited for its signer and was never sent: the venue is not asked about it, many may wait. */
const NOTHING_TO_SEE: Look = { order: null, fills: [], complete: false, venueTimeMs: 0, candidates: [] };

export class OrderResolver {
  constructor(private readonly ports: OrderResolverPorts) {}

  async step(orderId: string, memory: ResolutionMemory, signal: AbortSignal): Promise<ResolutionStep> {
    const order = await this.ports.orderById(orderId);
    if (order === null) throw new Error(`order ${orderId} does not exist`);
    if (!UNSETTLED_STATES.has(order.state)) return { kind: 'settled', state: order.state };
    const venue = this.ports.venues.get(order.venue);
    if (venue === undefined) return pending(next(memory));
    if (venue.capabilities.strictNonces && (await this.ports.factsOf(orderId))?.mayHaveLeft === false) return this.absent(order, venue, NOTHING_TO_SEE, memory, signal);
    let look: Look;
    try {
      look = await this.look(venue, order, signal);
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      return this.withoutLook(order, memory, error);
    }
    if (look.order !== null || look.fills.length > 0) return this.found(order, look, memory);
    if (look.candidates.length > 0) {
      const claimed = await this.ports.nameless.claim(order.id, look.candidates);
      if (claimed === 'wait') return pending(next(memory));
      if (claimed !== null) return UNSETTLED_STATES.has(claimed.order.state) ? pending(next(memory)) : { kind: 'settled', state: claimed.order.state };
    }
    return this.absent(order, venue, look, memory, signal);
  }

  /** By id first: that alone settles nearly every order. Only what is not found there is looked for everywhere. */
  private async look(venue: Venue, order: Order, signal: AbortSignal): Promise<Look> {
    const options: ReadOptions = { signal: AbortSignal.any([signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)]), priority: 'exit' };
    const session = venue.session(await this.ports.credentials(order.accountId));
    const venueTimeMs = await venue.venueTimeMs(options);
    const byId = await session.findOrder(order, options);
    if (byId !== null) return { order: byId, fills: [], complete: true, venueTimeMs, candidates: [] };
    // The venue's clock may be behind ours, now or when the order was made.
    const createdMs = Date.parse(order.createdAt);
    const sinceMs = Math.min(createdMs, createdMs + venueTimeMs - this.ports.clock.nowMs()) - LOOK_BACK_MS;
    const isOurs = (seen: VenueOrder): boolean => seen.venueClientId === order.venueClientId || (order.venueOrderId !== null && seen.venueOrderId === order.venueOrderId);
    const shown = [...(await session.openOrders(options)), ...(await session.closedOrders(sinceMs, options))];
    const listed = shown.find(isOurs) ?? null;
    const nameless = listed === null && order.venueOrderId === null && venue.carriesClientId?.(order.venueSymbol) === false;
    const candidates = nameless ? shown.filter((seen) => mayBeTheSame(order, seen, sinceMs)) : [];
    const { fills, complete } = await this.fillsOf(session, order, sinceMs, options);
    return { order: listed, fills, complete: complete && venue.capabilities.fullFillHistory, venueTimeMs, candidates };
  }

  private async fillsOf(session: VenueAccountSession, order: Order, sinceMs: number, options: ReadOptions): Promise<{ fills: VenueFill[]; complete: boolean }> {
    const fills: VenueFill[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await session.fillsSince(sinceMs, cursor, options);
      fills.push(...answer.fills.filter((fill) => fill.venueClientId === order.venueClientId || (order.venueOrderId !== null && fill.venueOrderId === order.venueOrderId)));
      if (answer.truncatedBeforeMs !== null && answer.truncatedBeforeMs > sinceMs) return { fills, complete: false };
      if (answer.next === null) return { fills, complete: true };
      cursor = answer.next;
    }
    return { fills, complete: false };
  }

  private async found(order: Order, look: Look, memory: ResolutionMemory): Promise<ResolutionStep> {
    const at = isoTime(this.ports.clock.nowMs());
    const items: OrderEvidence[] = look.fills.map((fill) => ({ orderId: order.id, evidence: { kind: 'fill', key: fillKey(fill), fill, at } }));
    if (look.order !== null) items.push({ orderId: order.id, evidence: { kind: 'venueView', key: venueViewKey(look.order), order: look.order, source: 'query', at } });
    return this.apply(items, memory);
  }

  private async absent(order: Order, venue: Venue, look: Look, memory: ResolutionMemory, signal: AbortSignal): Promise<ResolutionStep> {
    const facts = await this.ports.factsOf(order.id);
    if (facts === null) return pending(next(memory)); // placed outside: only the venue can say
    // An exit that waits for its entry at the venue may be shown by none of its reads: while the entry lives, its absence says nothing.
    if (await this.waitsForEntry(order)) return pending(next(memory));
    const conclusion = conclude(facts, look, venue.capabilities, memory, this.ports.clock.nowMs());
    switch (conclusion.kind) {
      case 'sendAgain':
        // What the gateway took is on its way: only its outcome is open.
        return order.state === 'SUBMITTED' ? pending(next(memory)) : this.sendAgain(order, venue, facts, memory, signal);
      case 'notSent':
        return this.notSent(order, conclusion.rateLimited, memory);
      case 'neverPlaced': {
        const message = 'its deadline has passed by the venue\'s clock, and it is absent from id query, open orders, history and fills';
        return this.apply([{ orderId: order.id, evidence: { kind: 'neverPlaced', key: 'neverPlaced', message, at: isoTime(this.ports.clock.nowMs()) } }], memory);
      }
      case 'askAgain':
        return pending(conclusion.memory);
    }
  }

  private async waitsForEntry({ id, grouping, groupId }: Order): Promise<boolean> {
    if (grouping !== 'entryWithExits' || groupId === null || groupId === id) return false;
    const entry = await this.ports.orderById(groupId);
    return entry !== null && ENTRY_LIVES.has(entry.state);
  }

  private async sendAgain(order: Order, venue: Venue, facts: PlacingFacts, memory: ResolutionMemory, signal: AbortSignal): Promise<ResolutionStep> {
    // Said before the bytes go out: a refusal of these is no answer about earlier ones that may have left.
    if (facts.mayHaveLeft && order.state !== 'UNKNOWN') {
      const message = 'an earlier request may have left, and nobody heard its answer';
      await this.ports.evidence.apply([{ orderId: order.id, evidence: { kind: 'outcomeUnknown', key: 'unknown/unheard', message, at: isoTime(this.ports.clock.nowMs()) } }]);
    }
    await this.ports.settleNonce(venue, order.accountId, signal);
    let attemptId: string | null;
    try {
      attemptId = await this.ports.resend.prepareAgain(order.id, SEND_TTL_MS);
    } catch (error) {
      // An earlier request can still take effect by the database's view of the venue's clock.
      if (!(error instanceof DomainError) || error.code !== 'CONFLICT') throw error;
      return pending(next(memory));
    }
    if (attemptId === null) return pending(next(memory));
    const open = await this.ports.send(attemptId, [order.id], signal);
    // What was sent now may be lost in its turn: its absence is another one.
    return open.includes(order.id) ? pending({ ...next(memory), finalAbsences: 0 }) : this.settledBy(order.id);
  }

  /** The venue did not answer the look. What certainly never left needs no answer once its time is over. */
  private async withoutLook(order: Order, memory: ResolutionMemory, error: VenueError): Promise<ResolutionStep> {
    const facts = await this.ports.factsOf(order.id);
    if (facts !== null && !facts.mayHaveLeft && this.ports.clock.nowMs() >= facts.placeBeforeMs) return this.notSent(order, facts.lastRateLimited, memory);
    const waitMs = Math.max(waitBeforeAsking(memory.tries), error instanceof VenueRateLimited ? error.retryAfterMs : 0);
    return { kind: 'pending', askAgainInMs: waitMs, memory: next(memory) };
  }

  private notSent(order: Order, rateLimited: boolean, memory: ResolutionMemory): Promise<ResolutionStep> {
    const reasonCode = rateLimited ? REASON.rateLimited : REASON.notSent;
    const message = rateLimited ? 'the venue\'s rate limit left no room before the order\'s deadline; nothing was sent' : 'the venue could not be reached before the order\'s deadline; nothing was sent';
    return this.apply([{ orderId: order.id, evidence: { kind: 'notSent', key: 'notSent', reasonCode, message, at: isoTime(this.ports.clock.nowMs()) } }], memory);
  }

  private async apply(items: readonly OrderEvidence[], memory: ResolutionMemory): Promise<ResolutionStep> {
    const applied = await this.ports.evidence.apply(items);
    const order = applied[0]?.order;
    return order === undefined || UNSETTLED_STATES.has(order.state) ? pending(next(memory)) : { kind: 'settled', state: order.state };
  }

  private async settledBy(orderId: string): Promise<ResolutionStep> {
    return { kind: 'settled', state: (await this.ports.orderById(orderId))?.state ?? 'UNKNOWN' };
  }
}

function next(memory: ResolutionMemory): ResolutionMemory {
  return { ...memory, tries: memory.tries + 1 };
}

function pending(memory: ResolutionMemory): ResolutionStep {
  return { kind: 'pending', askAgainInMs: waitBeforeAsking(memory.tries), memory };
}
