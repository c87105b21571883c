/** Orders as adapters express them: what is asked of a venue, the signed request, and what the venue answers. */
import type { OrderSide, OrderType, TimeInForce } from './order';

/** Which price fires a trigger order: the venue's mark, its last trade, or its index. */
export type TriggerPriceType = 'mark' | 'last' | 'index';

/** One order as the adapter must express it. */
export interface PlaceRequest {
  readonly venueClientId: string;
  readonly venueSymbol: string;
  readonly side: OrderSide;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  /** Required by stops and take-profits, absent (or null) in all others. */
  readonly triggerPrice?: string | null;
  /** The venue's default where it is absent. */
  readonly triggerPriceType?: TriggerPriceType;
  /** Venue's time (ms) at which the order ends; required by GTD, absent (or null) in all others. */
  readonly expireAtMs?: number | null;
}

/** Names an order at a venue by whatever is known of it. */
export interface OrderReference {
  readonly venueClientId: string;
  readonly venueOrderId: string | null;
  readonly venueSymbol: string;
}

export interface AmendRequest {
  readonly order: OrderReference;
  /** Names this amendment for ever, so that a repeat has no second effect. */
  readonly amendmentId: string;
  readonly limitPrice: string | null;
  /** New total quantity. */
  readonly quantity: string | null;
  /** New trigger of an order that still waits for it. */
  readonly triggerPrice?: string | null;
  /** The order as it is known now: what a venue needs that replaces it by a new one. */
  readonly terms?: Omit<PlaceRequest, 'venueClientId' | 'venueSymbol'> & { readonly filledQuantity: string };
}

/**
 * A request made ready, signed, and stored (sealed) before it is sent. `bytes` never hold API-key headers: those are
 * added by `send` from the credentials.
 */
export interface SignedRequest {
  readonly kind: 'place' | 'amend' | 'cancel' | 'move';
  /** Opaque to everyone but the adapter that made it. */
  readonly bytes: string;
  readonly nonce: string | null;
  /** The venue refuses the request after this time of its own clock (ms); null where it enforces none. */
  readonly venueDeadlineMs: number | null;
}

/** Asked immediately before the socket write; false means: send nothing. */
export type MaySend = () => Promise<boolean>;

export interface SendOptions {
  readonly maySend: MaySend;
  /** Our clock, ms: the socket is destroyed then, and nothing is written after it. */
  readonly sendBeforeMs: number;
  readonly signal: AbortSignal;
  /** exits, cancels and outcome queries use the reserve and pass the breaker. */
  readonly priority: 'entry' | 'exit';
}

export type VenueOrderStatus = 'open' | 'filled' | 'canceled' | 'expired' | 'rejected';

/** An order as the venue shows it. */
export interface VenueOrder {
  readonly venueOrderId: string;
  readonly venueClientId: string | null;
  readonly venueSymbol: string;
  readonly side: OrderSide;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly filledQuantity: string;
  readonly avgPrice: string | null;
  readonly status: VenueOrderStatus;
  readonly reasonCode: string | null;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  /** Rises with each change the venue made to the order; null where the venue counts none. */
  readonly revision: number | null;
  /** Of stops and take-profits; absent in all others. */
  readonly triggerPrice?: string | null;
  /** Venue's time (ms) at which that trigger was reached; null while it waits. */
  readonly triggeredAtMs?: number | null;
  /** Venue's time (ms) at which a GTD order ends; absent in all others. */
  readonly expireAtMs?: number;
  /** It ends the whole position, as large as that is when it fires: its own quantity says nothing, and may be 0. Absent: no. */
  readonly wholePosition?: boolean;
  /** Venue's time, ms. */
  readonly updatedAtMs: number;
}

/** One item's answer to place, amend or cancel. */
export type ItemAnswer =
  | { readonly kind: 'acknowledged'; readonly order: VenueOrder }
  /** The gateway took it; the outcome comes on the stream or by query. */
  | { readonly kind: 'accepted'; readonly venueOrderId: string | null; readonly transactionHash: string | null }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly venueCode: string; readonly message: string };

/** Refusals in our words. `duplicateClientId` and `notFound` are never taken as a final answer: they are settled by a query. */
export type RefusalCode =
  | 'duplicateClientId'
  | 'notFound'
  | 'alreadyClosed'
  | 'insufficientMargin'
  | 'invalidPrice'
  | 'invalidQuantity'
  | 'postOnlyWouldCross'
  /** There is nothing to reduce, never too little: an exit ends by it. A venue that refuses to reduce by more than is held has it cut by its adapter. */
  | 'reduceOnlyWouldIncrease'
  | 'noLiquidity'
  | 'marketClosed'
  | 'expiredRequest'
  | 'unauthorized'
  | 'other';

export interface SendAnswer {
  /** One per order of the request, in its order. */
  readonly items: readonly ItemAnswer[];
  /** The venue's words, for the timeline; secrets never. */
  readonly raw: string;
  readonly venueTimeMs: number | null;
  readonly latencyMs: number;
}
