/** The "why" of an order, from the database alone: what was asked, how it was judged, each request and answer, what followed. */
import type { StreamEvent } from './events';
import type { Fill, Order, OrderIntent } from './order';
import type { MutationKind, MutationState } from './order-store';

export interface TimelineAttempt {
  readonly id: string;
  readonly kind: 'place' | 'amend' | 'cancel';
  readonly preparedAt: string;
  readonly sentAt: string | null;
  readonly reportedAt: string | null;
  readonly fence: number;
  /** answered, refused, notSent, rateLimited or unknown; superseded when another took its place; null while under way. */
  readonly outcome: string | null;
  readonly latencyMs: number | null;
  readonly venueTimeMs: number | null;
  /** The signed request's bytes, without signatures or keys; null once they were purged, and where no master key at hand opens them. */
  readonly request: string | null;
  /** The venue's words. */
  readonly answer: string | null;
}

export interface TimelineEvidence {
  readonly key: string;
  readonly kind: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface TimelineMutation {
  readonly id: string;
  readonly kind: MutationKind;
  readonly state: MutationState;
  readonly revision: number;
  readonly limitPrice: string | null;
  readonly quantity: string | null;
  readonly reasonCode: string | null;
  readonly createdAt: string;
}

export interface Timeline {
  readonly order: Order;
  /** Before any amendment; null for an order placed outside Surefill. */
  readonly intent: (Pick<OrderIntent, 'symbol' | 'side' | 'type' | 'timeInForce' | 'quantity' | 'limitPrice' | 'postOnly' | 'reduceOnly'> & { readonly placeBefore: string | null }) | null;
  readonly risk: { readonly verdict: 'accepted' | 'denied'; readonly code: string | null; readonly message: string | null; readonly figures: Readonly<Record<string, unknown>> } | null;
  readonly attempts: TimelineAttempt[];
  readonly evidence: TimelineEvidence[];
  readonly mutations: TimelineMutation[];
  readonly events: StreamEvent[];
  readonly fills: Fill[];
}
