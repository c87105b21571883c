/**
 * The port every venue implements. Written against the venues' documents: on-chain two-phase venues (Ostium),
 * asynchronous acknowledgements (Lighter, Extended, Bybit), strict nonces (Lighter, EVM) and venues without client
 * ids (Ostium) fit it without exceptions. docs/venues.md says how to add one.
 */
import type { MarginMode } from './account';
import type { DepositWay } from './deposit-way';
import type { Candle, FundingRate, Market, OrderBook, PublicTrade, Ticker } from './market';
import type { OrderGrouping } from './order';
import type { VenueCapabilities } from './venue-capabilities';
import type { PrivateMessage, PublicMessage } from './venue-messages';
import type { FillsPage, FundingPaymentsPage, VenueBalance, VenuePosition } from './venue-money';
import type { VenueBridge } from './venue-bridge';
import type { VenueMoves } from './venue-moves';
import type { AmendRequest, OrderReference, PlaceRequest, SendAnswer, SendOptions, SignedRequest, VenueOrder } from './venue-orders';

export type { OrderGrouping } from './order';
export type { RateBudgetRule, ResendSafety, VenueCapabilities } from './venue-capabilities';
export type { AmendRequest, ItemAnswer, MaySend, OrderReference, PlaceRequest, RefusalCode, SendAnswer, SendOptions, SignedRequest, TriggerPriceType, VenueOrder, VenueOrderStatus } from './venue-orders';
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
  /**
   * Uses up the nonce of a request that may have left, by one without effect. true: that one was taken, so nothing of the first took effect, and
   * nothing will. false: the nonce is used, or the request is not this signer's: what became of it, other reads tell. Throws where the venue does
   * not answer. Absent where the venue has no such request.
   */
  voidNonce?(request: SignedRequest, options: ReadOptions): Promise<boolean>;
  /** null: the venue does not know it (which is not yet proof that it never will). */
  findOrder(order: OrderReference, options: ReadOptions): Promise<VenueOrder | null>;
  openOrders(options: ReadOptions): Promise<readonly VenueOrder[]>;
  /** Throws HistoryCut (with the newest) where the venue does not show them back to `sinceMs`. */
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
  /** How money comes over the venue's bridge and back; absent where this account has no such way. */
  readonly bridge?: VenueBridge;
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
  /** That clock now, as best known: for venues that take no deadline nearer than some time. Absent: as the nonce tells. */
  readonly venueTimeMs?: number;
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
