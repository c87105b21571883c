/** One step towards an order's outcome: look at the venue, apply what it shows, or conclude from its absence. */
import { isoTime } from '../domain/clock';
import { DomainError, REASON } from '../domain/errors';
import { fillKey, venueViewKey } from '../domain/evidence';
import { UNSETTLED_STATES, type Order, type OrderState } from '../domain/order';
import type { AppliedOrder, OrderEvidence } from '../domain/order-store';
import { conclude, EXIT_LONGEST_WAIT_MS, isWorthVoiding, waitBeforeAsking, type PlacingFacts, type ResolutionMemory } from '../domain/resolution';
import type { SignedRequest, Venue, VenueOrder } from '../domain/venue';
import { VenueError, VenueRateLimited, VenueUnavailable } from '../domain/venue-errors';
import { NOTHING_TO_SEE, OrderLook, type Look, type OrderLookPorts } from './order-look';

export type ResolutionStep =
  | { readonly kind: 'settled'; readonly state: string }
  | { readonly kind: 'pending'; readonly askAgainInMs: number; readonly memory: ResolutionMemory };

export interface OrderResolverPorts extends OrderLookPorts {
  readonly venues: ReadonlyMap<string, Venue>;
  readonly evidence: { apply(items: readonly OrderEvidence[]): Promise<readonly AppliedOrder[]> };
  /** Gives an order of the venue without a client id to ours, if it is nobody's yet. */
  readonly nameless: { claim(orderId: string, candidates: readonly VenueOrder[]): Promise<AppliedOrder | 'wait' | null> };
  readonly resend: {
    prepareAgain(orderId: string, sendTtlMs: number, goneUntilMs: number | null): Promise<string | null>;
    /** What may have left of the order, all of it one request, with this deadline; null: something else did too, or nobody has its bytes any more. */
    doubted(orderId: string, deadlineMs: number): Promise<SignedRequest | null>;
  };
  orderById(orderId: string): Promise<Order | null>;
  /** Finds out what became of the nonce that holds the account's signer, where one does. */
  settleNonce(venue: Venue, accountId: string, signal: AbortSignal): Promise<void>;
  /** Sends a prepared attempt; the orders still open afterwards. */
  send(attemptId: string, orderIds: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
}

/** How long a request sent again may take to leave. */
const SEND_TTL_MS = 2_000;
/** A venue that one order just found away is away for all of them: of a hundred exits that wait for it, two a second ask. */
const AWAY_MS = 500;

/** One small request, beside the reads of the look in the same activity. */
const VOID_TIMEOUT_MS = 2_000;

/** States in which the venue has the entry, and with it, in one request, its exits. */
const ENTRY_LIVES: ReadonlySet<OrderState> = new Set<OrderState>(['SUBMITTED', 'WORKING', 'PARTIALLY_FILLED']);

interface Sending {
  readonly order: Order;
  readonly venue: Venue;
  readonly facts: PlacingFacts;
  readonly goneUntilMs: number | null;
  readonly memory: ResolutionMemory;
  readonly signal: AbortSignal;
}

export class OrderResolver {
  /** Venues that took no connection, until when that is believed. */
  private readonly away = new Map<string, { readonly untilMs: number; readonly error: VenueUnavailable }>();

  private readonly look: OrderLook;

  constructor(private readonly ports: OrderResolverPorts) {
    this.look = new OrderLook(ports);
  }

  async step(orderId: string, memory: ResolutionMemory, signal: AbortSignal): Promise<ResolutionStep> {
    const order = await this.ports.orderById(orderId);
    if (order === null) throw new Error(`order ${orderId} does not exist`);
    if (!UNSETTLED_STATES.has(order.state)) return { kind: 'settled', state: order.state };
    const venue = this.ports.venues.get(order.venue);
    if (venue === undefined) return pending(next(memory));
    // Many may wait for their signer: the venue is not asked about them.
    if (venue.capabilities.strictNonces && (await this.ports.factsOf(orderId))?.mayHaveLeft === false) return this.absent(order, venue, NOTHING_TO_SEE, memory, signal);
    const away = this.away.get(venue.name);
    if (away !== undefined && this.ports.clock.nowMs() < away.untilMs) return this.withoutLook(order, memory, away.error);
    let look: Look;
    try {
      look = await this.look.at(venue, order, signal);
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      if (error instanceof VenueUnavailable && error.reason === 'connection') this.away.set(venue.name, { untilMs: this.ports.clock.nowMs() + AWAY_MS, error });
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
    const voiding = await this.voided(order, venue, facts, look, memory, signal);
    if (voiding !== null) memory = { ...memory, voiding };
    const conclusion = conclude(facts, { ...look, nonceVoid: voiding?.nonceVoid === true }, venue.capabilities, memory, this.ports.clock.nowMs());
    switch (conclusion.kind) {
      case 'sendAgain':
        // What the gateway took is on its way: only its outcome is open.
        return order.state === 'SUBMITTED' ? pending(next(memory)) : this.sendAgain({ order, venue, facts, goneUntilMs: conclusion.goneUntilMs, memory, signal });
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

  /** What using up the nonce of bytes that are dead by now brought; null: it is not known, or not worth it. */
  private async voided(order: Order, venue: Venue, facts: PlacingFacts, look: Look, { voiding }: ResolutionMemory, signal: AbortSignal): Promise<ResolutionMemory['voiding'] | null> {
    const { lastDeadlineMs } = facts;
    if (lastDeadlineMs === null || !isWorthVoiding(facts, look, venue.capabilities, this.ports.clock.nowMs())) return null;
    if (voiding?.deadlineMs === lastDeadlineMs) return voiding;
    const session = venue.session(await this.ports.credentials(order.accountId));
    if (session.voidNonce === undefined) return null;
    const request = await this.ports.resend.doubted(order.id, lastDeadlineMs);
    if (request === null) return null;
    try {
      const nonceVoid = await session.voidNonce(request, { signal: AbortSignal.any([signal, AbortSignal.timeout(VOID_TIMEOUT_MS)]), priority: 'exit' });
      return { deadlineMs: lastDeadlineMs, nonceVoid };
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      // Whether it was used up nobody knows: asked again it is either way, and the wait for a final absence goes on beside it.
      return null;
    }
  }

  private async waitsForEntry({ id, grouping, groupId }: Order): Promise<boolean> {
    if (grouping !== 'entryWithExits' || groupId === null || groupId === id) return false;
    const entry = await this.ports.orderById(groupId);
    return entry !== null && ENTRY_LIVES.has(entry.state);
  }

  private async sendAgain({ order, venue, facts, goneUntilMs, memory, signal }: Sending): Promise<ResolutionStep> {
    // Said before the bytes go out: a refusal of these is no answer about earlier ones that may have left.
    if (facts.mayHaveLeft && order.state !== 'UNKNOWN') {
      const message = 'an earlier request may have left, and nobody heard its answer';
      await this.ports.evidence.apply([{ orderId: order.id, evidence: { kind: 'outcomeUnknown', key: 'unknown/unheard', message, at: isoTime(this.ports.clock.nowMs()) } }]);
    }
    await this.ports.settleNonce(venue, order.accountId, signal);
    let attemptId: string | null;
    try {
      attemptId = await this.ports.resend.prepareAgain(order.id, SEND_TTL_MS, goneUntilMs);
    } catch (error) {
      // An earlier request can still take effect by the database's view of the venue's clock.
      if (!(error instanceof DomainError) || error.code !== 'CONFLICT') throw error;
      return pending(next(memory));
    }
    if (attemptId === null) return pending(next(memory));
    const open = await this.ports.send(attemptId, [order.id], signal);
    if (!open.includes(order.id)) return this.settledBy(order.id);
    return order.reduceOnly && !facts.mayHaveLeft ? pending(next(memory), EXIT_LONGEST_WAIT_MS) : pending(next(memory));
  }

  /** The venue did not answer the look. What certainly never left needs no answer once its time is over. */
  private async withoutLook(order: Order, memory: ResolutionMemory, error: VenueError): Promise<ResolutionStep> {
    const facts = await this.ports.factsOf(order.id);
    if (facts !== null && !facts.mayHaveLeft && this.ports.clock.nowMs() >= facts.placeBeforeMs) return this.notSent(order, facts.lastRateLimited, memory);
    const waitMs = Math.max(waitBeforeAsking(memory.tries, order.reduceOnly ? EXIT_LONGEST_WAIT_MS : undefined), error instanceof VenueRateLimited ? error.retryAfterMs : 0);
    return { kind: 'pending', askAgainInMs: waitMs, memory: next(memory) };
  }

  private notSent(order: Order, rateLimited: boolean, memory: ResolutionMemory): Promise<ResolutionStep> {
    const reasonCode = rateLimited ? REASON.rateLimited : REASON.notSent;
    const message = rateLimited ? 'the venue\'s rate limit left no room before the order\'s deadline; nothing was sent' : 'it could not be sent before its deadline: no worker took it in time, or the venue could not be reached; nothing was sent';
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

function pending(memory: ResolutionMemory, longestMs?: number): ResolutionStep {
  return { kind: 'pending', askAgainInMs: waitBeforeAsking(memory.tries, longestMs), memory };
}
