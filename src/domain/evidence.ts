/**
 * Evidence: the only thing that changes an order. Each piece has a key that is unique per order, so that the same fact
 * arriving twice - by the answer, the stream and a query - counts once.
 */
import type { VenueOrder, VenueFill } from './venue';

export type Evidence =
  /** The gateway took it (asynchronous venues). */
  | { readonly kind: 'accepted'; readonly key: string; readonly venueOrderId: string | null; readonly at: string }
  /** The venue's own view of the order: from an answer, a stream message or a query. */
  | { readonly kind: 'venueView'; readonly key: string; readonly order: VenueOrder; readonly source: 'answer' | 'stream' | 'query'; readonly at: string }
  | { readonly kind: 'fill'; readonly key: string; readonly fill: VenueFill; readonly at: string }
  /** The venue refused the placing: certainly without effect. */
  | { readonly kind: 'refused'; readonly key: string; readonly reasonCode: string; readonly message: string; readonly at: string }
  /** Certainly never sent, and never will be. `retryAfterMs`: when the rate limit that kept it back has room again, from `at`. */
  | { readonly kind: 'notSent'; readonly key: string; readonly reasonCode: string; readonly message: string; readonly at: string; readonly retryAfterMs?: number }
  /** A request may have left and no readable answer came. */
  | { readonly kind: 'outcomeUnknown'; readonly key: string; readonly message: string; readonly at: string }
  /** Its deadline passed by the venue's clock, and it is absent from id query, open orders, history and fills, twice. */
  | { readonly kind: 'neverPlaced'; readonly key: string; readonly message: string; readonly at: string }
  | { readonly kind: 'cancelRequested'; readonly key: string; readonly at: string }
  /** The venue will not cancel (and says why); the order's state follows other evidence. */
  | { readonly kind: 'cancelRefused'; readonly key: string; readonly reasonCode: string; readonly message: string; readonly at: string }
  | { readonly kind: 'amendRequested'; readonly key: string; readonly limitPrice: string | null; readonly quantity: string | null; readonly at: string }
  | { readonly kind: 'amendRefused'; readonly key: string; readonly reasonCode: string; readonly message: string; readonly at: string }
  /** The amendment ended and its effect, or lack of one, is proven by the venue's view. */
  | { readonly kind: 'amendSettled'; readonly key: string; readonly order: VenueOrder; readonly at: string };

export type EvidenceKind = Evidence['kind'];

/** Key of a venue's view: what it says, not when we heard it. */
export function venueViewKey(order: VenueOrder): string {
  return ['view', order.venueOrderId, order.status, order.filledQuantity, order.quantity, order.limitPrice ?? '-', order.revision ?? '-'].join('/');
}

/** Key of a fill: venues reuse fill ids over symbols and over the two sides. */
export function fillKey(fill: VenueFill): string {
  return ['fill', fill.venueSymbol, fill.venueOrderId, fill.venueFillId, fill.side].join('/');
}
