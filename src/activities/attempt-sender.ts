/**
 * Sends one stored attempt, at most once per right to send, and commits what came of it in one transaction.
 *
 * Whoever holds the newest fence may write to the socket. The first holder gets its right in the memory of the process
 * that recorded the attempt; anyone later raises the fence in the database and finds `maybeSent`: then nothing is sent,
 * the venue is asked (order-resolution).
 */
import { isoTime, type Clock } from '../domain/clock';
import { UNSETTLED_STATES, type Order } from '../domain/order';
import type { AppliedOrder, AttemptOutcome, AttemptReport, FirstRight, OrderEvidence, SendRight } from '../domain/order-store';
import type { SendAnswer, Venue, VenueAccountSession, VenueCredentials } from '../domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../domain/venue-errors';
import { VENUE_SHARE_MS } from '../temporal/activity-options';
import { leavesOutcomeOpen, noRoomEvidence, placeEvidence, unknownEvidence, wholeRefusalEvidence } from './answer-evidence';

export interface AttemptSenderPorts {
  readonly clock: Clock;
  readonly venues: ReadonlyMap<string, Venue>;
  readonly sending: {
    takeSend(attemptId: string): Promise<SendRight | null>;
    holdsFence(attemptId: string, fence: number): Promise<boolean>;
    report(report: AttemptReport): Promise<readonly AppliedOrder[]>;
  };
  credentials(accountId: string): Promise<VenueCredentials>;
}

/** What came of a send, before anyone interprets it. `latencyMs`: how long it took to come to nothing. */
export type SendResult =
  | { readonly kind: 'answered'; readonly answer: SendAnswer }
  | ({ readonly latencyMs: number } & SendFailure);

export type SendFailure =
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly raw: string | null }
  | { readonly kind: 'notSent'; readonly message: string }
  | { readonly kind: 'rateLimited'; readonly message: string; readonly retryAfterMs: number }
  | { readonly kind: 'unknown'; readonly message: string; readonly raw: string | null };

export class AttemptSender {
  constructor(private readonly ports: AttemptSenderPorts) {}

  /** The orders of a placing attempt whose outcome is still open afterwards. `startedMs`: when its activity began. */
  async sendPlacing(attemptId: string, orderIds: readonly string[], signal: AbortSignal, startedMs: number = this.ports.clock.nowMs()): Promise<readonly string[]> {
    const right = await this.ports.sending.takeSend(attemptId);
    if (right === null) return orderIds; // reported by an earlier run; whether each is settled is read by who asks
    const ids = right.orders.map((order) => order.id);
    if (right.maybeSent) {
      const at = isoTime(this.ports.clock.nowMs());
      return this.commit(right, 'unknown', null, unknownEvidence(attemptId, ids, 'an earlier run may have sent this request', at));
    }
    const exit = right.orders.every((order) => order.reduceOnly);
    const result = await this.send(right, exit, startedMs, signal);
    return this.commitResult(right, ids, result);
  }

  /** Writes the attempt's bytes to the venue, once, if this right still is the newest. */
  async send(right: FirstRight, exit: boolean, startedMs: number, signal: AbortSignal): Promise<SendResult> {
    const venue = this.ports.venues.get(right.venue);
    if (venue === undefined) return { kind: 'notSent', message: `venue ${right.venue} is not configured`, latencyMs: 0 };
    let session: VenueAccountSession;
    try {
      session = venue.session(await this.ports.credentials(right.accountId));
    } catch (error) {
      // Nothing can have left: said so, or the order would have to be looked for at the venue.
      return { kind: 'notSent', message: `the account's credentials cannot be opened: ${messageOf(error)}`, latencyMs: 0 };
    }
    const sendBeforeMs = Math.min(right.sendBeforeMs, startedMs + VENUE_SHARE_MS);
    // The fence is asked for first: a process that was stopped while it waited for the answer must see how late it is.
    const maySend = async (): Promise<boolean> => (await this.ports.sending.holdsFence(right.attemptId, right.fence)) && !signal.aborted && this.ports.clock.nowMs() < sendBeforeMs;
    const sentAtMs = this.ports.clock.nowMs();
    try {
      return { kind: 'answered', answer: await session.send(right.request, { maySend, sendBeforeMs, signal, priority: exit ? 'exit' : 'entry' }) };
    } catch (error) {
      return { ...failureOf(error), latencyMs: this.ports.clock.nowMs() - sentAtMs };
    }
  }

  private async commitResult(right: FirstRight, ids: readonly string[], result: SendResult): Promise<readonly string[]> {
    const at = isoTime(this.ports.clock.nowMs());
    switch (result.kind) {
      case 'answered':
        return this.commit(right, 'answered', result.answer, withoutHasty(right, placeEvidence(right.attemptId, ids, result.answer, at)), nonceOf(result));
      case 'refused':
        return this.commit(right, outcomeOf(result), wordsOf(result), withoutHasty(right, wholeRefusalEvidence(right.attemptId, ids, result.code, result.message, at)));
      case 'unknown':
        return this.commit(right, 'unknown', wordsOf(result), unknownEvidence(right.attemptId, ids, result.message, at));
      case 'rateLimited':
        return this.commit(right, result.kind, wordsOf(result), noRoomEvidence(right.attemptId, right.orders, result.retryAfterMs, at), nonceOf(result));
      case 'notSent':
        return this.commit(right, result.kind, wordsOf(result), [], nonceOf(result));
    }
  }

  private async commit(right: SendRight, outcome: AttemptOutcome, answer: AttemptReport['answer'], evidence: readonly OrderEvidence[], nonce?: AttemptReport['nonce']): Promise<readonly string[]> {
    const applied = await this.ports.sending.report({ attemptId: right.attemptId, fence: right.fence, outcome, answer, evidence, ...(nonce === undefined ? {} : { nonce }) });
    const after = new Map<string, Order>(right.orders.map((order) => [order.id, order]));
    for (const { order } of applied) after.set(order.id, order);
    return [...after.values()].filter((order) => UNSETTLED_STATES.has(order.state)).map((order) => order.id);
  }
}

/** A refusal is about these bytes. Where earlier ones of the order may have taken effect, it says nothing of what became of those. */
function withoutHasty(right: FirstRight, evidence: readonly OrderEvidence[]): readonly OrderEvidence[] {
  if (right.earlierGone === true) return evidence;
  const askedBefore = new Set(right.orders.filter((order) => order.state === 'UNKNOWN' || order.state === 'SUBMITTED').map((order) => order.id));
  return evidence.filter((item) => item.evidence.kind !== 'refused' || !askedBefore.has(item.orderId));
}

/** What the answer proves of the request's nonce. A refusal proves nothing: some venues count it, some do not. */
export function nonceOf(result: SendResult): AttemptReport['nonce'] {
  if (result.kind === 'answered') return result.answer.items.some((item) => item.kind !== 'refused') ? 'used' : undefined;
  return result.kind === 'notSent' || result.kind === 'rateLimited' ? 'free' : undefined;
}

/** How an attempt that failed is recorded. A refusal that may be about an earlier, successful request is not called one. */
export function outcomeOf(failure: SendFailure): AttemptOutcome {
  return failure.kind === 'refused' && leavesOutcomeOpen(failure.code) ? 'unknown' : failure.kind;
}

/** The words of a failure for the timeline: the venue's own where it said any. */
export function wordsOf(failure: SendFailure & { readonly latencyMs: number }): NonNullable<AttemptReport['answer']> {
  const raw = failure.kind === 'refused' || failure.kind === 'unknown' ? failure.raw : null;
  return { raw: raw ?? failure.message, latencyMs: failure.latencyMs, venueTimeMs: null };
}

/** Maps the four ways a call can fail; anything else is a fault of ours after which the request may have left. */
export function failureOf(error: unknown): SendFailure {
  if (error instanceof VenueRefused && error.code === 'expiredRequest') return { kind: 'notSent', message: error.message };
  if (error instanceof VenueRefused) return { kind: 'refused', code: error.code, message: error.message, raw: error.raw };
  if (error instanceof VenueRateLimited) return { kind: 'rateLimited', message: error.message, retryAfterMs: error.retryAfterMs };
  if (error instanceof VenueUnavailable) return { kind: 'notSent', message: error.message };
  if (error instanceof VenueOutcomeUnknown) return { kind: 'unknown', message: error.message, raw: error.raw };
  return { kind: 'unknown', message: messageOf(error), raw: null };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
