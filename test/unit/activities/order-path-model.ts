/**
 * The ports of the order path in memory: a store that keeps the real one's promises (fences, evidence by its key) and a
 * venue whose answers a test writes beforehand. Every wait goes through `pause`, so that a scheduler can interleave runs.
 */
import { isoTime, type Clock } from '../../../src/domain/clock';
import { applyEvidence, NO_FILLS } from '../../../src/domain/order-state';
import type { Order } from '../../../src/domain/order';
import type { AppliedOrder, AttemptReport, Mutation, MutationState, OrderEvidence, SendRight } from '../../../src/domain/order-store';
import type { OrderReference, SendAnswer, SendOptions, SignedRequest, Venue, VenueCapabilities, VenueOrder } from '../../../src/domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../../../src/domain/venue-errors';
import type { MutationSettlerPorts } from '../../../src/activities/mutation-settler';
import { sampleOrder, sampleView } from '../domain/order-samples';

export type Pause = (label: string) => Promise<void>;
const noPause: Pause = () => Promise.resolve();

export const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

export class ManualClock implements Clock {
  constructor(private ms = START_MS) {}
  nowMs(): number {
    return this.ms;
  }
  advance(ms: number): void {
    this.ms += ms;
  }
}

/** How one request fares at the venue. */
export type Fate =
  | 'answer'
  /** Takes effect, the answer is lost. */
  | 'dropAnswer'
  | 'errorAfterEffect'
  /** Lost on its way: no effect, no answer. */
  | 'lost'
  /** Arrives later, if the venue still takes it then. */
  | 'late'
  | 'connectionRefused'
  | 'rateLimited'
  | 'refuse'
  | 'refuseLate'
  | 'duplicateClientId'
  | 'notFound';

interface Wish {
  readonly clientIds: readonly string[];
  readonly limitPrice: string | null;
}

/** Keeps orders by client id; without a rule against repeated ids, so that a doubled send shows as a second order. */
export class ModelVenue {
  readonly name = 'paper';
  readonly orders: VenueOrder[] = [];
  /** Requests whose bytes were written, and those that had an effect. */
  readonly written: SignedRequest[] = [];
  readonly sends: SendOptions[] = [];
  readonly late: SignedRequest[] = [];
  capabilities = { absenceFinalAfterMs: 1_000 } as VenueCapabilities;
  clockOffsetMs = 0;
  hidden = false;
  readable = true;
  questions = 0;

  constructor(
    private readonly clock: Clock,
    readonly fates: Fate[],
    private readonly pause: Pause = noPause,
  ) {}

  /** The port; the methods no test here uses are absent. */
  get port(): Venue {
    const session = { send: (request: SignedRequest, options: SendOptions) => this.send(request, options), findOrder: (reference: OrderReference) => this.findOrder(reference) };
    return { name: this.name, capabilities: this.capabilities, session: () => session, venueTimeMs: () => this.venueTimeMs() } as unknown as Venue;
  }

  placed(clientId: string): VenueOrder[] {
    return this.orders.filter((order) => order.venueClientId === clientId);
  }

  change(clientId: string, changes: Partial<VenueOrder>): void {
    const index = this.orders.findIndex((order) => order.venueClientId === clientId);
    const order = this.orders[index];
    if (order !== undefined) this.orders[index] = { ...order, ...changes, revision: (order.revision ?? 0) + 1, updatedAtMs: this.clock.nowMs() };
  }

  /** What was under way arrives now; the venue refuses what is past its deadline. */
  deliverLate(): void {
    for (const request of this.late.splice(0)) {
      if (request.venueDeadlineMs === null || this.clock.nowMs() + this.clockOffsetMs <= request.venueDeadlineMs) this.effect(request);
    }
  }

  private async send(request: SignedRequest, options: SendOptions): Promise<SendAnswer> {
    this.sends.push(options);
    const fate = this.fates.shift() ?? 'answer';
    await this.pause('before the write');
    if (fate === 'connectionRefused') throw new VenueUnavailable(this.name, 'connection refused', 'connection');
    if (fate === 'rateLimited') throw new VenueRateLimited(this.name, 'budget spent', 700, 'budget');
    if (!(await options.maySend())) throw new VenueUnavailable(this.name, 'nothing was sent', 'fence');
    this.written.push(request);
    await this.pause('on the wire');
    return this.answer(request, fate);
  }

  private answer(request: SignedRequest, fate: Fate): SendAnswer {
    const wish = JSON.parse(request.bytes) as Wish;
    const refused = (code: 'duplicateClientId' | 'notFound' | 'insufficientMargin') => ({ kind: 'refused' as const, code, venueCode: code, message: 'no' });
    if (fate === 'late') this.late.push(request);
    if (fate === 'late' || fate === 'lost') throw new VenueOutcomeUnknown(this.name, 'timed out', 'timeout');
    if (fate === 'refuse') return this.items(wish.clientIds.map(() => refused('insufficientMargin')));
    if (fate === 'refuseLate') throw new VenueRefused(this.name, 'expiredRequest', 'EXPIRED', 'too late');
    if (fate === 'duplicateClientId' || fate === 'notFound') throw new VenueRefused(this.name, fate, 'E', 'no', '{"error":"E"}');
    if (request.kind !== 'place' && this.hidden) return this.items([refused('notFound')]);
    this.effect(request);
    if (fate === 'dropAnswer') throw new VenueOutcomeUnknown(this.name, 'reset', 'reset');
    if (fate === 'errorAfterEffect') throw new VenueOutcomeUnknown(this.name, '503', 'serverError', 'oops');
    return this.items(wish.clientIds.map((clientId) => this.itemOf(clientId)));
  }

  private itemOf(clientId: string): SendAnswer['items'][number] {
    const order = this.placed(clientId).at(-1);
    return order === undefined ? { kind: 'refused', code: 'notFound', venueCode: 'E', message: 'no such order' } : { kind: 'acknowledged', order };
  }

  private items(items: SendAnswer['items']): SendAnswer {
    return { items, raw: JSON.stringify(items), venueTimeMs: this.clock.nowMs() + this.clockOffsetMs, latencyMs: 3 };
  }

  private effect(request: SignedRequest): void {
    const wish = JSON.parse(request.bytes) as Wish;
    for (const clientId of wish.clientIds) {
      if (request.kind === 'place') this.orders.push(sampleView({ venueOrderId: `o${this.orders.length + 1}`, venueClientId: clientId, updatedAtMs: this.clock.nowMs() }));
      const order = this.placed(clientId).at(-1);
      if (order?.status !== 'open') continue;
      if (request.kind === 'cancel') this.change(clientId, { status: 'canceled' });
      if (request.kind === 'amend' && wish.limitPrice !== null && wish.limitPrice !== order.limitPrice) this.change(clientId, { limitPrice: wish.limitPrice });
    }
  }

  private async findOrder(reference: OrderReference): Promise<VenueOrder | null> {
    this.questions += 1;
    const seen = this.hidden ? null : (this.placed(reference.venueClientId).at(-1) ?? null);
    await this.pause('answering a question');
    if (!this.readable) throw new VenueOutcomeUnknown(this.name, 'no answer to the question', 'timeout');
    return seen;
  }

  private async venueTimeMs(): Promise<number> {
    await this.pause('asking the time');
    if (!this.readable) throw new VenueOutcomeUnknown(this.name, 'no answer to the question', 'timeout');
    return this.clock.nowMs() + this.clockOffsetMs;
  }
}

interface Attempt {
  readonly request: SignedRequest;
  readonly orderIds: readonly string[];
  readonly sendBeforeMs: number;
  fence: number;
  report: AttemptReport | null;
}

/** Each method is one transaction: nothing happens between its first line and its last. */
export class ModelStore {
  readonly orders = new Map<string, Order>();
  readonly attempts = new Map<string, Attempt>();
  readonly mutations = new Map<string, Mutation>();
  readonly reports: AttemptReport[] = [];
  private readonly known = new Set<string>();

  constructor(
    private readonly clock: Clock,
    private readonly venue: ModelVenue,
    private readonly pause: Pause = noPause,
  ) {}

  addOrders(...orders: Partial<Order>[]): Order[] {
    const added = orders.map((order, index) => sampleOrder({ id: `order${index + 1}`, venueClientId: `v${index + 1}`, ...order }));
    for (const order of added) this.orders.set(order.id, order);
    return added;
  }

  addPlacing(attemptId: string, orders: readonly Order[], ttlMs = 5_000): void {
    this.addAttempt(attemptId, 'place', orders, null, ttlMs);
  }

  addMutation(kind: Mutation['kind'], order: Order, limitPrice: string | null = kind === 'amend' ? '99' : null): Mutation {
    const mutation: Mutation = { id: `${kind}1`, orderId: order.id, accountId: order.accountId, kind, revision: order.revision, state: 'pending', limitPrice, quantity: null, reasonCode: null, createdAt: isoTime(this.clock.nowMs()) };
    this.mutations.set(mutation.id, mutation);
    const at = mutation.createdAt;
    this.apply([{ orderId: order.id, evidence: kind === 'amend' ? { kind: 'amendRequested', key: mutation.id, limitPrice, quantity: null, at } : { kind: 'cancelRequested', key: mutation.id, at } }]);
    return mutation;
  }

  addMutationAttempt(mutation: Mutation, ttlMs = 2_000): string {
    const order = this.order(mutation.orderId);
    const attemptId = `${mutation.id}/${this.attempts.size}`;
    this.addAttempt(attemptId, mutation.kind, [order], mutation.limitPrice, ttlMs);
    return attemptId;
  }

  order(id: string): Order {
    const order = this.orders.get(id);
    if (order === undefined) throw new Error(`no order ${id}`);
    return order;
  }

  ports(overrides: Partial<MutationSettlerPorts> = {}): MutationSettlerPorts {
    return {
      clock: this.clock,
      venues: new Map([[this.venue.name, this.venue.port]]),
      sending: {
        takeSend: async (attemptId) => {
          await this.pause('taking the right');
          return this.takeSend(attemptId);
        },
        holdsFence: async (attemptId, fence) => {
          await this.pause('asking for the fence');
          return this.attempts.get(attemptId)?.fence === fence;
        },
        report: async (report) => {
          await this.pause('committing');
          return this.report(report);
        },
      },
      mutations: {
        find: async (id) => this.mutations.get(id) ?? null,
        settle: async (id, state, evidence, reasonCode) => {
          await this.pause('settling');
          return this.settle(id, state, evidence, reasonCode ?? null);
        },
        newAttempt: async (id) => {
          const mutation = this.mutations.get(id);
          if (mutation === undefined) throw new Error(`no mutation ${id}`);
          return this.addMutationAttempt(mutation);
        },
      },
      evidence: { apply: async (items) => this.apply(items) },
      credentials: async () => ({ key: 'k' }),
      orderById: async (id) => this.orders.get(id) ?? null,
      settleNonce: async () => undefined,
      ...overrides,
    };
  }

  private addAttempt(attemptId: string, kind: SignedRequest['kind'], orders: readonly Order[], limitPrice: string | null, ttlMs: number): void {
    const wish: Wish = { clientIds: orders.map((order) => order.venueClientId), limitPrice };
    const deadlineMs = this.clock.nowMs() + ttlMs;
    const request: SignedRequest = { kind, bytes: JSON.stringify(wish), nonce: null, venueDeadlineMs: kind === 'cancel' ? null : deadlineMs + this.venue.clockOffsetMs };
    this.attempts.set(attemptId, { request, orderIds: orders.map((order) => order.id), sendBeforeMs: deadlineMs, fence: 0, report: null });
  }

  private takeSend(attemptId: string): SendRight | null {
    const attempt = this.attempts.get(attemptId);
    if (attempt === undefined || attempt.report !== null) return null;
    attempt.fence += 1;
    const { request, sendBeforeMs, fence } = attempt;
    const right = { attemptId, fence, venue: this.venue.name, accountId: 'a1', orders: attempt.orderIds.map((id) => this.order(id)), sendBeforeMs };
    return fence > 1 ? { ...right, maybeSent: true } : { ...right, maybeSent: false, request };
  }

  private report(report: AttemptReport): readonly AppliedOrder[] {
    const attempt = this.attempts.get(report.attemptId);
    if (attempt !== undefined) attempt.report ??= report;
    this.reports.push(report);
    return this.apply(report.evidence);
  }

  private settle(id: string, state: MutationState, evidence: readonly OrderEvidence[], reasonCode: string | null): readonly AppliedOrder[] {
    const mutation = this.mutations.get(id);
    if (mutation?.state === 'pending') this.mutations.set(id, { ...mutation, state, reasonCode });
    return this.apply(evidence);
  }

  private apply(items: readonly OrderEvidence[]): readonly AppliedOrder[] {
    return items.map(({ orderId, evidence }) => {
      const before = this.order(orderId);
      const key = `${orderId}/${evidence.key}`;
      if (this.known.has(key)) return { order: before, changed: false };
      this.known.add(key);
      const { order } = applyEvidence(before, evidence, NO_FILLS);
      this.orders.set(orderId, order);
      return { order, changed: order !== before };
    });
  }
}
