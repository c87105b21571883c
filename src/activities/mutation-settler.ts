/**
 * Amends and cancels at the venue. Each step either ends with evidence of what became of the order, or says when to ask
 * again. Silence and "not found" are never taken for an answer; a cancel is harmless to repeat and is repeated, an amend
 * carries an id of its own and is repeated only while it lives.
 */
import { isoTime } from '../domain/clock';
import { decimal } from '../domain/decimal';
import { venueViewKey } from '../domain/evidence';
import { isTerminal, UNSETTLED_STATES, type Order } from '../domain/order';
import type { AppliedOrder, AttemptOutcome, AttemptReport, Mutation, MutationState, OrderEvidence, SendRight } from '../domain/order-store';
import type { ItemAnswer, Venue, VenueOrder } from '../domain/venue';
import { VenueError } from '../domain/venue-errors';
import { VENUE_SHARE_MS } from '../temporal/activity-options';
import { leavesOutcomeOpen, reasonCodeOf } from './answer-evidence';
import { nonceOf, outcomeOf, wordsOf, type AttemptSender, type AttemptSenderPorts, type SendResult } from './attempt-sender';
import type { MutationStep } from './order-activities';

/** How long after it was recorded an amend may still be sent; its own deadline (`sendBefore`), which counts from the asking, may end sooner. */
export const MUTATION_LIFE_MS = 10_000;

/** What a stored request may take to arrive: the venue's own deadline lies this far after the attempt. */
export const MUTATION_SEND_TTL_MS = 2_000;

/** Old terms are an amend's answer only if the venue shows them this often after everything sent of it has expired. */
const READS_AFTER_LIFE = 2;

/** The first question again after this; the workflow's back-off lengthens it. */
const ASK_AGAIN_MS = 250;

export interface MutationSettlerPorts extends AttemptSenderPorts {
  readonly mutations: {
    find(mutationId: string): Promise<Mutation | null>;
    settle(mutationId: string, state: MutationState, evidence: readonly OrderEvidence[], reasonCode?: string): Promise<readonly AppliedOrder[]>;
    newAttempt(mutationId: string, sendTtlMs: number): Promise<string | null>;
  };
  readonly evidence: { apply(items: readonly OrderEvidence[]): Promise<readonly AppliedOrder[]> };
  orderById(orderId: string): Promise<Order | null>;
  /** Finds out what became of the nonce that holds the account's signer, where one does. */
  settleNonce(venue: Venue, accountId: string, signal: AbortSignal): Promise<void>;
}

export class MutationSettler {
  constructor(
    private readonly ports: MutationSettlerPorts,
    private readonly sender: AttemptSender,
  ) {}

  /** Sends a recorded attempt for the first time. */
  async sendFirst(mutationId: string, attemptId: string, signal: AbortSignal): Promise<MutationStep> {
    const startedMs = this.ports.clock.nowMs();
    const { mutation, order } = await this.load(mutationId);
    return this.sendRecorded({ mutation, order, attemptId }, startedMs, signal);
  }

  /** The same, with what its recording read. `startedMs`: when the activity began. */
  async sendRecorded({ mutation, order, attemptId }: { readonly mutation: Mutation; readonly order: Order; readonly attemptId: string }, startedMs: number, signal: AbortSignal): Promise<MutationStep> {
    const ended = await this.ended(mutation, order);
    return ended ?? this.trySend(mutation, order, attemptId, startedMs, signal);
  }

  /** Asks the venue what became of it, and sends again where that is safe. */
  async askAndRepeat(mutationId: string, signal: AbortSignal): Promise<MutationStep> {
    const { mutation, order } = await this.load(mutationId);
    const ended = await this.ended(mutation, order);
    if (ended !== null) return ended;
    const view = await this.ask(order, signal);
    // A cancel does not need to know: it is repeated even while the venue answers no questions.
    if (view === 'unavailable' && mutation.kind === 'amend') return open();
    const settled = view === null || view === 'unavailable' ? null : await this.fromView(mutation, order, view);
    if (settled !== null) return settled;
    // The question may have taken long: the venue's share of the time counts from here, and so does the amend's life.
    const startedMs = this.ports.clock.nowMs();
    if (mutation.kind === 'amend' && startedMs > Date.parse(mutation.createdAt) + MUTATION_LIFE_MS) return this.afterLife(mutation, order, signal);
    const venue = this.ports.venues.get(order.venue);
    if (venue !== undefined) await this.ports.settleNonce(venue, order.accountId, signal);
    const attemptId = await this.ports.mutations.newAttempt(mutation.id, MUTATION_SEND_TTL_MS);
    return attemptId === null ? open() : this.trySend(mutation, order, attemptId, startedMs, signal);
  }

  private async load(mutationId: string): Promise<{ mutation: Mutation; order: Order }> {
    const mutation = await this.ports.mutations.find(mutationId);
    const order = mutation === null ? null : await this.ports.orderById(mutation.orderId);
    if (mutation === null || order === null) throw new Error(`mutation ${mutationId} is not recorded`);
    return { mutation, order };
  }

  /** A step that needs no venue: settled before, or the order ended. */
  private async ended(mutation: Mutation, order: Order): Promise<MutationStep | null> {
    if (mutation.state === 'applied' || mutation.state === 'refused' || mutation.state === 'superseded') {
      return { kind: 'settled', verdict: mutation.state === 'applied' ? 'applied' : 'refused', code: mutation.reasonCode, message: null };
    }
    return isTerminal(order.state) ? this.closeWith(mutation, order, []) : null;
  }

  private async trySend(mutation: Mutation, order: Order, attemptId: string, startedMs: number, signal: AbortSignal): Promise<MutationStep> {
    const right = await this.ports.sending.takeSend(attemptId);
    if (right === null || right.maybeSent) return open();
    const result = await this.sender.send(right, mutation.kind === 'cancel' || order.reduceOnly, startedMs, signal);
    return this.interpret(mutation, right, result);
  }

  private async interpret(mutation: Mutation, right: SendRight, result: SendResult): Promise<MutationStep> {
    if (result.kind === 'answered') {
      const item = result.answer.items[0];
      const evidence = item === undefined ? null : this.evidenceOf(mutation, item);
      const applied = await this.report(right, 'answered', result.answer, evidence === null ? [] : [evidence], nonceOf(result));
      const order = applied[0]?.order ?? (await this.load(mutation.id)).order;
      return this.afterAnswer(mutation, order, item);
    }
    await this.report(right, outcomeOf(result), wordsOf(result), [], nonceOf(result));
    if (result.kind === 'refused') return this.afterRefusal(mutation, (await this.load(mutation.id)).order, result.code, result.message);
    return result.kind === 'rateLimited' ? { kind: 'open', askAgainInMs: Math.max(result.retryAfterMs, ASK_AGAIN_MS) } : open();
  }

  private evidenceOf(mutation: Mutation, item: ItemAnswer): OrderEvidence | null {
    if (item.kind !== 'acknowledged') return null;
    const at = isoTime(this.ports.clock.nowMs());
    const evidence =
      mutation.kind === 'amend'
        ? ({ kind: 'amendSettled', key: `amendSettled/${mutation.id}`, order: item.order, at } as const)
        : ({ kind: 'venueView', key: venueViewKey(item.order), order: item.order, source: 'answer', at } as const);
    return { orderId: mutation.orderId, evidence };
  }

  private async afterAnswer(mutation: Mutation, order: Order, item: ItemAnswer | undefined): Promise<MutationStep> {
    if (isTerminal(order.state)) return this.closeWith(mutation, order, []);
    if (item === undefined || item.kind === 'accepted') return open();
    if (item.kind === 'acknowledged') return mutation.kind === 'amend' ? this.settle(mutation, 'applied', [], null, null) : open();
    return this.afterRefusal(mutation, order, item.code, `${item.venueCode}: ${item.message}`);
  }

  private async afterRefusal(mutation: Mutation, order: Order, code: string, message: string): Promise<MutationStep> {
    // Gone, or not there yet: only the order itself can say which. A request that came too late may be made again.
    if (leavesOutcomeOpen(code) || code === 'expiredRequest') return open();
    // The venue may not have the order yet: whatever it says of the cancel, the order can still come alive.
    if (mutation.kind === 'cancel' && code !== 'unauthorized' && UNSETTLED_STATES.has(order.state)) return open();
    return this.refuse(mutation, reasonCodeOf(code), message);
  }

  private async ask(order: Order, signal: AbortSignal): Promise<VenueOrder | null | 'unavailable'> {
    const venue = this.ports.venues.get(order.venue);
    if (venue === undefined) return 'unavailable';
    const credentials = await this.ports.credentials(order.accountId);
    return orUnavailable(() => venue.session(credentials).findOrder(order, { signal, priority: 'exit' }));
  }

  private async fromView(mutation: Mutation, order: Order, view: VenueOrder): Promise<MutationStep | null> {
    const at = isoTime(this.ports.clock.nowMs());
    const applied = await this.ports.evidence.apply([{ orderId: order.id, evidence: { kind: 'venueView', key: venueViewKey(view), order: view, source: 'query', at } }]);
    const now = applied[0]?.order ?? order;
    if (isTerminal(now.state)) return this.closeWith(mutation, now, []);
    if (mutation.kind === 'amend' && showsTerms(mutation, view)) return this.settle(mutation, 'applied', [this.amendSettled(mutation, view)], null, null);
    return null;
  }

  /**
   * The amend's life is over. Old terms are its answer once the last request of it has expired at the venue, by the
   * venue's clock and by ours (either may have set the deadline), and once more so long ago that the venue's reads show
   * it; they are read only after that is certain. Where absence is never final, this stays open until the order ends.
   */
  private async afterLife(mutation: Mutation, order: Order, signal: AbortSignal): Promise<MutationStep> {
    const venue = this.ports.venues.get(order.venue);
    const visibleAfterMs = venue?.capabilities.absenceFinalAfterMs ?? null;
    if (venue === undefined || visibleAfterMs === null) return open();
    const finalMs = Date.parse(mutation.createdAt) + MUTATION_LIFE_MS + VENUE_SHARE_MS + MUTATION_SEND_TTL_MS + visibleAfterMs;
    const venueTimeMs = await orUnavailable(() => venue.venueTimeMs({ signal, priority: 'exit' }));
    if (venueTimeMs === 'unavailable' || Math.min(venueTimeMs, this.ports.clock.nowMs()) <= finalMs) return open();
    let shown: VenueOrder | null = null;
    for (let read = 0; read < READS_AFTER_LIFE; read += 1) {
      const view = await this.ask(order, signal);
      if (view === null || view === 'unavailable') return open();
      const settled = await this.fromView(mutation, order, view);
      if (settled !== null) return settled;
      shown = view;
    }
    if (shown === null) return open();
    const message = 'the venue shows the old terms after the deadline';
    return this.settle(mutation, 'refused', [this.amendSettled(mutation, shown), this.refusedEvidence(mutation, 'NOT_APPLIED', message)], 'NOT_APPLIED', message);
  }

  private amendSettled(mutation: Mutation, view: VenueOrder): OrderEvidence {
    return { orderId: mutation.orderId, evidence: { kind: 'amendSettled', key: `amendSettled/${mutation.id}`, order: view, at: isoTime(this.ports.clock.nowMs()) } };
  }

  private refuse(mutation: Mutation, code: string, message: string): Promise<MutationStep> {
    return this.settle(mutation, 'refused', [this.refusedEvidence(mutation, code, message)], code, message);
  }

  private refusedEvidence(mutation: Mutation, reasonCode: string, message: string): OrderEvidence {
    const kind = mutation.kind === 'amend' ? 'amendRefused' : 'cancelRefused';
    return { orderId: mutation.orderId, evidence: { kind, key: `${kind}/${mutation.id}`, reasonCode, message, at: isoTime(this.ports.clock.nowMs()) } };
  }

  /** The order ended: a cancel is applied if it ended canceled, anything else came too late. */
  private closeWith(mutation: Mutation, order: Order, evidence: readonly OrderEvidence[]): Promise<MutationStep> {
    const applied = mutation.kind === 'cancel' && order.state === 'CANCELED';
    return this.settle(mutation, applied ? 'applied' : 'refused', evidence, applied ? null : 'ORDER_CLOSED', applied ? null : `the order is ${order.state}`);
  }

  private async settle(mutation: Mutation, verdict: 'applied' | 'refused', evidence: readonly OrderEvidence[], code: string | null, message: string | null): Promise<MutationStep> {
    await this.ports.mutations.settle(mutation.id, verdict, evidence, code ?? undefined);
    return { kind: 'settled', verdict, code, message };
  }

  private report(right: SendRight, outcome: AttemptOutcome, answer: { raw: string; latencyMs: number; venueTimeMs: number | null }, evidence: readonly OrderEvidence[], nonce?: AttemptReport['nonce']): Promise<readonly AppliedOrder[]> {
    return this.ports.sending.report({ attemptId: right.attemptId, fence: right.fence, outcome, answer, evidence, ...(nonce === undefined ? {} : { nonce }) });
  }
}

/** A venue that cannot be read now is asked again later; any other failure is ours and is thrown. */
async function orUnavailable<Answer>(read: () => Promise<Answer>): Promise<Answer | 'unavailable'> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof VenueError) return 'unavailable';
    throw error;
  }
}

function open(): MutationStep {
  return { kind: 'open', askAgainInMs: ASK_AGAIN_MS };
}

/** Whether the venue shows what the amendment asked for. */
function showsTerms(mutation: Mutation, view: VenueOrder): boolean {
  const quantity = mutation.quantity === null || decimal(view.quantity).equals(decimal(mutation.quantity));
  const price = mutation.limitPrice === null || (view.limitPrice !== null && decimal(view.limitPrice).equals(decimal(mutation.limitPrice)));
  const trigger = mutation.triggerPrice == null || (view.triggerPrice != null && decimal(view.triggerPrice).equals(decimal(mutation.triggerPrice)));
  return quantity && price && trigger;
}
