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
  | { readonly kind: 'amendRequested'; readonly key: string; readonly limitPrice: string | null; readonly quantity: string | null; readonly triggerPrice?: string | null; readonly at: string }
  | { readonly kind: 'amendRefused'; readonly key: string; readonly reasonCode: string; readonly message: string; readonly at: string }
  /** The amendment ended and its effect, or lack of one, is proven by the venue's view. */
  | { readonly kind: 'amendSettled'; readonly key: string; readonly order: VenueOrder; readonly at: string }
  | HeldEvidence;

/** What changes an order that waits in a workflow: the workflow says it, from its trigger and its children. */
export type HeldEvidence =
  /** Its trigger was crossed, by this price; or its time has come. */
  | { readonly kind: 'triggered'; readonly key: string; readonly trigger: Readonly<Record<string, unknown>>; readonly at: string }
  /** Sums over its children. */
  | { readonly kind: 'childrenSeen'; readonly key: string; readonly filledQuantity: string; readonly avgPrice: string | null; readonly fee: string; readonly feeAsset: string | null; readonly at: string }
  /** New terms, taken under its lock while it was armed. `revision`: at least this one afterwards, because its caller was told so before the database was restored. */
  | { readonly kind: 'conditionAmended'; readonly key: string; readonly terms: HeldTerms; readonly revision?: number; readonly at: string }
  /** A step of its pursuit, for the timeline. */
  | { readonly kind: 'escalated'; readonly key: string; readonly step: string; readonly message: string; readonly at: string }
  | { readonly kind: 'ended'; readonly key: string; readonly state: 'FILLED' | 'CANCELED' | 'EXPIRED' | 'REJECTED' | 'DENIED'; readonly reasonCode: string | null; readonly message: string | null; readonly at: string };

/** Terms that may be amended while an order is armed; absent: as they are. */
export interface HeldTerms {
  readonly limitPrice?: string;
  readonly quantity?: string;
  readonly triggerPrice?: string;
  readonly trailingOffset?: string;
  readonly activationPrice?: string;
}

export type EvidenceKind = Evidence['kind'];

/** Key of a venue's view: what it says, not when we heard it. */
export function venueViewKey(order: VenueOrder): string {
  return ['view', order.venueOrderId, order.status, order.filledQuantity, order.quantity, order.limitPrice ?? '-', order.revision ?? '-'].join('/');
}

/** Key of a fill: venues reuse fill ids over symbols and over the two sides. */
export function fillKey(fill: VenueFill): string {
  return ['fill', fill.venueSymbol, fill.venueOrderId, fill.venueFillId, fill.side].join('/');
}
