/** A venue's answer to an order, turned into evidence. Pure. */
import { REASON } from '../domain/errors';
import { venueViewKey, type Evidence } from '../domain/evidence';
import type { Order } from '../domain/order';
import type { OrderEvidence } from '../domain/order-store';
import type { ItemAnswer, RefusalCode, SendAnswer } from '../domain/venue';

/** Refusals that are not an answer about this intent: the order may be there, so it is asked for. */
const NOT_AN_ANSWER: ReadonlySet<string> = new Set<RefusalCode>(['duplicateClientId', 'notFound', 'alreadyClosed']);

/** Whether a refusal, of one item or of a whole request, leaves open what became of the order. Only a query can tell. */
export function leavesOutcomeOpen(code: string): boolean {
  return NOT_AN_ANSWER.has(code);
}

/** Refusals that prove the request had no effect but leave the intent itself open: it may be sent again while it lives. */
const NO_EFFECT: ReadonlySet<RefusalCode> = new Set(['expiredRequest']);

/** `insufficientMargin` -> `INSUFFICIENT_MARGIN`. */
export function reasonCodeOf(code: string): string {
  return code === 'other' ? REASON.venueRejected : code.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Evidence of each placed order; orders without an entry stay as open as they were. */
export function placeEvidence(attemptId: string, orderIds: readonly string[], answer: SendAnswer, at: string): OrderEvidence[] {
  return orderIds.flatMap((orderId, index) => {
    const item = answer.items[index];
    const evidence = item === undefined ? missingItem(attemptId, at) : itemEvidence(attemptId, item, at);
    return evidence === null ? [] : [{ orderId, evidence }];
  });
}

function itemEvidence(attemptId: string, item: ItemAnswer, at: string): Evidence | null {
  switch (item.kind) {
    case 'acknowledged':
      return { kind: 'venueView', key: venueViewKey(item.order), order: item.order, source: 'answer', at };
    case 'accepted':
      return { kind: 'accepted', key: `accepted/${attemptId}`, venueOrderId: item.venueOrderId, at };
    case 'refused':
      if (NO_EFFECT.has(item.code)) return null;
      if (leavesOutcomeOpen(item.code)) return { kind: 'outcomeUnknown', key: `unknown/${attemptId}`, message: `the venue says ${item.venueCode}: ${item.message}`, at };
      return { kind: 'refused', key: `refused/${attemptId}`, reasonCode: reasonCodeOf(item.code), message: `${item.venueCode}: ${item.message}`, at };
  }
}

function missingItem(attemptId: string, at: string): Evidence {
  return { kind: 'outcomeUnknown', key: `unknown/${attemptId}`, message: 'the venue\'s answer does not mention this order', at };
}

/** The same open question for every order of an attempt. */
export function unknownEvidence(attemptId: string, orderIds: readonly string[], message: string, at: string): OrderEvidence[] {
  return orderIds.map((orderId) => ({ orderId, evidence: { kind: 'outcomeUnknown', key: `unknown/${attemptId}`, message, at } }));
}

/**
 * Entries that found no room in the rate limit are refused, so that their owner knows at once; exits wait for it. Of an order
 * that may have been sent before, nothing is said.
 */
export function noRoomEvidence(attemptId: string, orders: readonly Order[], retryAfterMs: number, at: string): OrderEvidence[] {
  const message = `the venue's rate limit has no room for ${Math.ceil(retryAfterMs)} ms; nothing was sent`;
  return orders
    .filter((order) => !order.reduceOnly && order.state === 'SUBMITTING')
    .map(({ id }) => ({ orderId: id, evidence: { kind: 'notSent', key: `noRoom/${attemptId}`, reasonCode: REASON.rateLimited, message, at, retryAfterMs } }));
}

/** The venue refused the request as a whole, which is certainly without effect; an earlier one may have had it all the same. */
export function wholeRefusalEvidence(attemptId: string, orderIds: readonly string[], code: string, message: string, at: string): OrderEvidence[] {
  if (leavesOutcomeOpen(code)) return unknownEvidence(attemptId, orderIds, message, at);
  return orderIds.map((orderId) => ({ orderId, evidence: { kind: 'refused', key: `refused/${attemptId}`, reasonCode: reasonCodeOf(code), message, at } }));
}
