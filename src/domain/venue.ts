/**
 * The port every venue implements. Written against the venues' documents: on-chain two-phase venues (Ostium),
 * asynchronous acknowledgements (Lighter, Extended, Bybit), strict nonces (Lighter, EVM) and venues without client
 * ids (Ostium) fit it without exceptions. docs/venues.md says how to add one.
 */
import type { MarginMode } from './account';
import type { DepositWay } from './deposit-way';
import type { Candle, FundingRate, Market, OrderBook, PublicTrade, Ticker } from './market';
import type { NonceRule } from './nonce';
import type { PrivateMessage, PublicMessage } from './venue-messages';
import type { FillsPage, FundingPaymentsPage, VenueBalance, VenuePosition } from './venue-money';
import type { VenueMove, VenueMoves } from './venue-moves';
import type { OrderGrouping, OrderSide, OrderType, TimeInForce } from './order';

/**
 * Why sending an intent again is safe:
 * - sameBytes: the nonce inside the signed bytes is single-use, so the same bytes take effect at most once;
 * - uniqueClientId: the venue refuses a client id it has ever accepted;
 * - venueDeadline: new bytes only after the earlier request's venue-enforced deadline passed and the order is absent;
 * - none: an intent is never sent twice, it stays UNKNOWN.
 */
export type ResendSafety = 'sameBytes' | 'uniqueClientId' | 'venueDeadline' | 'none';

export interface VenueCapabilities {
  readonly resendSafety: ResendSafety;
  /** How long after the deadline an order absent from every read is finally absent. null: absence is never final. */
  readonly absenceFinalAfterMs: number | null;
  /** Each nonce must follow the last by one; orders of one signer go one group at a time, and sessions have `nextNonce`. */
  readonly strictNonces: boolean;
  readonly nonceRule: NonceRule;
  /** sync: the answer says working, filled or refused; async: it says only "taken", the stream tells the rest. */
  readonly acknowledgement: 'sync' | 'async' | 'onChain';
  readonly clientIds: boolean;
  readonly maxBatchSize: number;
  readonly orderTypes: readonly OrderType[];
  readonly timesInForce: readonly TimeInForce[];
  /** Prices that a trigger order may look at, its default first; absent where the venue has no trigger orders. */
  readonly triggerPriceTypes?: readonly TriggerPriceType[];
  /** Its tickers tell an index price: a trigger of ours may look at it. Absent: they do not. */
  readonly indexPrice?: boolean;
  /** How long the venue keeps a trigger order, ms; absent: until it fires or is canceled. */
  readonly nativeStopsExpireAfterMs?: number;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  /** replace: the venue changes the order in place; cancelReplace: a new order takes its place; none. */
  readonly amend: 'inPlace' | 'cancelReplace' | 'none';
  readonly deadManSwitch: boolean;
  /** Collateral that can be moved within an account; absent: none. Sessions have `moves`, and `resendSafety` is sameBytes. */
  readonly collateralMoves?: readonly VenueMove['kind'][];
  /** How the orders of one list may belong together at the venue, in one request; absent: each stands alone. `resendSafety` is sameBytes there, and nonces are not strict: a group is never signed anew in parts. */
  readonly groupings?: readonly OrderGrouping[];
  /** Absent: cross only. */
  readonly marginModes?: readonly MarginMode[];
  /** False where fills older than some age cannot be read: then carry-in entries are needed. */
  readonly fullFillHistory: boolean;
  /**
   * The total of a balance is cash: deposits, realized profit, fees and funding, nothing unrealized and nothing rounded away.
   * Then what the ledger does not explain of it is a transfer, and is booked as one. Absent: no.
   */
  readonly cashBalances?: boolean;
  /** What may be sent per interval, and the part of it only cancels, exits and outcome queries may use. */
  readonly budget: RateBudgetRule;
}

export interface RateBudgetRule {
  readonly capacity: number;
  readonly refillPerSecond: number;
  /** Fraction of capacity that entries and reads can never use. */
  readonly reserve: number;
}

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

export type { OrderGrouping } from './order';
export type { FillsPage, FundingPaymentsPage, VenueBalance, VenueFill, VenueFundingPayment, VenuePosition } from './venue-money';
export type { CollateralTransfer, VenueMove, VenueMoveOutcome, VenueMoves } from './venue-moves';
export type { PrivateMessage, PublicMessage } from './venue-messages';

/** A socket that reconnects by itself. `ready` settles when every subscription was acknowledged for the first time. */
export interface VenueStream {
  readonly ready: Promise<void>;
  close(): void;
}

/** Trade-only secrets of one account, opened just before use and never kept. Its fields are the venue's own. */
export type VenueCredentials = Readonly<Record<string, string>>;

/** Calls on behalf of one account. */
export interface VenueAccountSession {
  /** Pure CPU: makes and signs the bytes of a request for a list of orders; no I/O but the nonce it is given. */
  preparePlace(orders: readonly PlaceRequest[], context: PrepareContext): SignedRequest;
  prepareAmend(amendment: AmendRequest, context: PrepareContext): SignedRequest;
  prepareCancel(orders: readonly OrderReference[], context: PrepareContext): SignedRequest;
  /**
   * Sends exactly these bytes once. Throws VenueRateLimited, VenueUnavailable (certainly not sent), VenueOutcomeUnknown
   * or VenueRefused (the request as a whole: certainly no effect).
   */
  send(request: SignedRequest, options: SendOptions): Promise<SendAnswer>;
  /** null: the venue does not know it (which is not yet proof that it never will). */
  findOrder(order: OrderReference, options: ReadOptions): Promise<VenueOrder | null>;
  openOrders(options: ReadOptions): Promise<readonly VenueOrder[]>;
  closedOrders(sinceMs: number, options: ReadOptions): Promise<readonly VenueOrder[]>;
  fillsSince(sinceMs: number, cursor: string | null, options: ReadOptions): Promise<FillsPage>;
  /**
   * Funding paid and received from `sinceMs` (venue's time, inclusive), oldest first. Absent where the venue charges none, or
   * tells none: what it charges then shows only in the balances.
   */
  fundingPayments?(sinceMs: number, cursor: string | null, options: ReadOptions): Promise<FundingPaymentsPage>;
  positions(options: ReadOptions): Promise<readonly VenuePosition[]>;
  balances(options: ReadOptions): Promise<readonly VenueBalance[]>;
  /** Proves by a signed request without effect that the credentials are accepted; throws VenueRefused where they are not. Absent where reads prove it. */
  checkCredentials?(options: ReadOptions): Promise<void>;
  /** `marginMode`: one of the venue's; cross where it is absent. Setting what is set already is harmless. */
  setLeverage(venueSymbol: string, leverage: string, options: ReadOptions, marginMode?: MarginMode): Promise<void>;
  /** Collateral that moves within the account; absent where the venue has no `collateralMoves`. */
  readonly moves?: VenueMoves;
  /** Cancels everything after `timeoutMs` without another call; 0 disarms it. Throws VenueRefused where the venue has none. */
  setDeadManSwitch(timeoutMs: number, options: ReadOptions): Promise<void>;
  /**
   * The nonce the venue expects next of this account's signer, from what it checks new requests against (never a replica
   * that may lag). Required where nonces are strict, absent elsewhere.
   */
  nextNonce?(options: ReadOptions): Promise<bigint>;
  streamPrivate(onMessage: (message: PrivateMessage) => void): VenueStream;
}

export interface PrepareContext {
  /** From the nonce port where the venue uses nonces; null elsewhere. */
  readonly nonce: string | null;
  /** The deadline the venue is asked to enforce, by its own clock (ms). */
  readonly venueDeadlineMs: number;
  /** Of the list, one of the venue's `groupings`; absent: each order stands alone. */
  readonly grouping?: OrderGrouping;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** Outcome queries use the reserve. */
  readonly priority: 'read' | 'exit';
  /** As exits do: a protection waits for the answer. */
  readonly passesBreaker?: boolean;
}

export interface Venue {
  readonly name: string;
  readonly capabilities: VenueCapabilities;
  /** Loads what preparing requests needs and follows it from then on. Called once by who prepares; absent where nothing is needed. */
  prepare?(options: ReadOptions): Promise<void>;
  /**
   * Who signs for an account: accounts with one signer share its nonces. Absent where an account is its own. Throws
   * VenueRefused on credentials that are none.
   */
  signerOf?(credentials: VenueCredentials): string;
  /** How money comes in from a chain; null: not into this account. Absent: into none. */
  depositWay?(credentials: VenueCredentials): DepositWay | null;
  /** False where orders of this market carry no client id of ours: one whose answer was lost is then known by its terms. Absent: `clientIds`. */
  carriesClientId?(venueSymbol: string): boolean;
  markets(options: ReadOptions): Promise<readonly Market[]>;
  tickers(options: ReadOptions): Promise<readonly Ticker[]>;
  orderBook(venueSymbol: string, depth: number, options: ReadOptions): Promise<OrderBook>;
  trades(venueSymbol: string, limit: number, options: ReadOptions): Promise<readonly PublicTrade[]>;
  candles(venueSymbol: string, intervalMs: number, fromMs: number, toMs: number, options: ReadOptions): Promise<readonly Candle[]>;
  funding(venueSymbol: string, options: ReadOptions): Promise<FundingRate>;
  /** What was charged from `fromMs` to `toMs` (venue's time, inclusive), oldest first. Absent where the venue does not tell. */
  fundingHistory?(venueSymbol: string, fromMs: number, toMs: number, options: ReadOptions): Promise<readonly FundingRate[]>;
  /** The venue's clock, ms, as best known: our clock plus the offset last measured; asks the venue if never measured. */
  venueTimeMs(options: ReadOptions): Promise<number>;
  streamPublic(venueSymbols: readonly string[], onMessage: (message: PublicMessage) => void): VenueStream;
  session(credentials: VenueCredentials): VenueAccountSession;
  close(): Promise<void>;
}
