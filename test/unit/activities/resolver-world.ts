/** A venue and a database as the resolver of one order sees them. */
import { OrderResolver, type OrderResolverPorts } from '../../../src/activities/order-resolver';
import { DomainError } from '../../../src/domain/errors';
import { applyEvidence, NO_FILLS } from '../../../src/domain/order-state';
import type { Order } from '../../../src/domain/order';
import type { OrderEvidence } from '../../../src/domain/order-store';
import { NO_MEMORY, type PlacingFacts, type ResolutionMemory } from '../../../src/domain/resolution';
import { HistoryCut } from '../../../src/domain/venue-errors';
import type { SignedRequest, Venue, VenueCapabilities, VenueFill, VenueOrder } from '../../../src/domain/venue';
import { AT, sampleOrder } from '../domain/order-samples';

export const CREATED_MS = Date.parse(AT);
export const signal = new AbortController().signal;

export class World {
  order: Order = sampleOrder({ state: 'UNKNOWN' });
  nowMs = CREATED_MS + 1_000;
  venueOffsetMs = 0;
  byId: VenueOrder | null = null;
  open: VenueOrder[] = [];
  closed: VenueOrder[] = [];
  /** More orders ended than the venue shows. */
  cut = false;
  fills: VenueFill[] = [];
  truncatedBeforeMs: number | null = null;
  failure: Error | null = null;
  facts: PlacingFacts | null = { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: true, lastDeadlineMs: CREATED_MS + 2_000, lastRateLimited: false };
  capabilities: Partial<VenueCapabilities> = { resendSafety: 'uniqueClientId', absenceFinalAfterMs: 1_000, fullFillHistory: true };
  readonly evidence: OrderEvidence[] = [];
  readonly sent: string[] = [];
  noncesSettled = 0;
  readonly since: number[] = [];
  readonly asked: string[] = [];
  questions = 0;
  prepared: string | null = 't2';
  /** What was said to be gone each time. */
  readonly goneUntil: (number | null)[] = [];
  companions: readonly Order[] = [];
  conflict = false;
  /** What the venue says when a nonce is used up; null: it has no such request. */
  nonceVoid: boolean | Error | null = null;
  /** Requests whose nonce was to be used up. */
  readonly voided: string[] = [];
  /** What of the order may have left; null: nobody has its bytes. */
  doubted: SignedRequest | null = { kind: 'place', bytes: 'left', nonce: '1', venueDeadlineMs: CREATED_MS + 10_000 };
  /** What the venue makes of a request that is sent again. */
  onSend: () => void = () => undefined;
  venues: readonly string[] = ['paper'];
  carriesClientId = true;
  /** Orders of the venue that are some order of ours. */
  readonly claimed = new Set<string>();
  equalInFlight = false;
  /** Other orders of the account. */
  others: readonly Order[] = [];

  step(memory: ResolutionMemory = NO_MEMORY): ReturnType<OrderResolver['step']> {
    return this.resolver().step(this.order.id, memory, signal);
  }

  /** One that is kept from step to step, as a worker does. */
  resolver(): OrderResolver {
    return new OrderResolver(this.ports());
  }

  private ports(): OrderResolverPorts {
    const answer = async <T>(value: T): Promise<T> => {
      this.questions += 1;
      if (this.failure !== null) throw this.failure;
      return value;
    };
    const session = {
      findOrder: (reference: Order) => {
        this.asked.push(reference.id);
        return answer(reference.id === this.order.id ? this.byId : null);
      },
      openOrders: () => answer(this.open),
      closedOrders: () => (this.cut ? Promise.reject(new HistoryCut('paper', 'only the newest', this.closed)) : answer(this.closed)),
      fillsSince: (sinceMs: number, cursor: string | null) => {
        this.since.push(sinceMs);
        const at = Number(cursor ?? 0);
        return answer({ fills: this.fills.slice(at, at + 1), next: at + 1 < this.fills.length ? String(at + 1) : null, truncatedBeforeMs: this.truncatedBeforeMs });
      },
    };
    const voiding = {
      voidNonce: async ({ bytes }: SignedRequest): Promise<boolean> => {
        this.voided.push(bytes);
        if (this.nonceVoid instanceof Error) throw this.nonceVoid;
        return this.nonceVoid === true;
      },
    };
    const venue = { name: 'paper', capabilities: this.capabilities, session: () => ({ ...session, ...(this.nonceVoid === null ? {} : voiding) }), venueTimeMs: () => answer(this.nowMs + this.venueOffsetMs), carriesClientId: () => this.carriesClientId } as unknown as Venue;
    return {
      clock: { nowMs: () => this.nowMs },
      venues: new Map(this.venues.map((name) => [name, venue])),
      nameless: {
        claim: (_orderId, candidates) => {
          const free = candidates.find(({ venueOrderId }) => !this.claimed.has(venueOrderId));
          if (free === undefined) return Promise.resolve(null);
          if (this.equalInFlight) return Promise.resolve('wait');
          this.claimed.add(free.venueOrderId);
          this.order = { ...this.order, state: 'WORKING', venueOrderId: free.venueOrderId };
          return Promise.resolve({ order: this.order, changed: true });
        },
      },
      evidence: {
        apply: async (items) =>
          items.map((item) => {
            this.evidence.push(item);
            this.order = applyEvidence(this.order, item.evidence, NO_FILLS).order;
            return { order: this.order, changed: true };
          }),
      },
      resend: {
        doubted: async (_orderId, deadlineMs) => (this.doubted?.venueDeadlineMs === deadlineMs ? this.doubted : null),
        prepareAgain: async (_orderId, _sendTtlMs, goneUntilMs) => {
          this.goneUntil.push(goneUntilMs);
          if (this.conflict) throw new DomainError('CONFLICT', 'an earlier attempt can still take effect');
          return this.prepared;
        },
      },
      credentials: async () => ({ key: 'k' }),
      orderById: async (id) => [this.order, ...this.others].find((order) => order.id === id) ?? null,
      factsOf: async () => this.facts,
      companionsOf: async () => this.companions,
      settleNonce: async () => {
        this.noncesSettled += 1;
      },
      send: async (attemptId, orderIds) => {
        this.sent.push(attemptId);
        this.onSend();
        return this.order.state === 'WORKING' ? [] : orderIds;
      },
    };
  }
}

export function world(changes: Partial<World> = {}): World {
  return Object.assign(new World(), changes);
}

/** The world after the order's life, at a time when its absence is final. */
export const longAfter = (changes: Partial<World> = {}): World => world({ nowMs: CREATED_MS + 60_000, ...changes });
