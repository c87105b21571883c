/**
 * Everything the API asks of the rest of the program. main wires it; the API reads no environment and opens no connection
 * of its own. A read of something that is not the user's answers null, as if it did not exist.
 */
import type { MoneyPorts } from './money-ports';
import type { AlertChannelsPort, AlertRulesPort, AlertsPort } from './alert-ports';
import type { Account, AccountStatus, Balance, MarginMode, Position, RiskLimits, RiskLimitsView, UserRiskLimits } from '../domain/account';
import type { CallKind, CallRates } from '../domain/call-rate';
import type { Clock } from '../domain/clock';
import type { StreamEvent } from '../domain/events';
import type { Candle, FundingRate, Market, OrderBook, PublicTrade, Ticker } from '../domain/market';
import type { Heartbeat, VenueDeadMan } from '../domain/heartbeat';
import type { KillSwitch, KillSwitchFacts } from '../domain/kill-switch';
import type { Fill, IdempotencyStamp, OrderIntent } from '../domain/order';
import type { Strategy, StrategyChild } from '../domain/strategy';
import type { StrategyCommand } from '../domain/strategy-commands';
import type { ShownPosition } from '../domain/protection';
import type { RateBudget } from '../domain/rate-budget';
import type { VenueCapabilities, VenueCredentials } from '../domain/venue';
import type { AccountFigures } from '../risk/figures';
import type { UserFigures } from '../risk/user-limits';
import type { Readiness } from '../schemas/health';
import type { LedgerEntry } from '../domain/ledger';
import type { Trade } from '../domain/trade';
import type { SignalPorts } from './signal-ports';
import type { OrderListQuery, OrderListsPort } from './order-list-ports';
import type { OrderGatewayPort, OrdersPort } from './order-ports';
import type { WebhookDeliveriesPort, WebhooksPort } from './webhook-ports';

export type { MadeWebhook } from './webhook-ports';

export interface Identity {
  readonly userId: string;
  readonly keyId: string;
  readonly scopes: readonly string[];
  /** Limits of this key's own, instead of the server's; absent: none. */
  readonly rates?: Partial<CallRates>;
}

export type { OrderListQuery };

export interface FillListQuery extends Omit<OrderListQuery, 'status'> {
  readonly orderId: string | null;
}

export interface LedgerListQuery {
  readonly userId: string;
  readonly accountId: string;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface NewAccount {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly venue: string;
  readonly signerId: string;
  readonly credential: VenueCredentials;
  readonly limits: RiskLimits;
}

/** What is absent stays. */
export interface AccountChange {
  readonly name?: string;
  readonly status?: { readonly status: AccountStatus; readonly reason: string | null };
  readonly credential?: VenueCredentials;
  /** Belongs to `credential`: who signs with it at the venue; the same as before where it is absent. */
  readonly signerId?: string;
}

export interface LeverageSetting {
  readonly symbol: string;
  readonly venueSymbol: string;
  readonly leverage: string;
  readonly marginMode: MarginMode;
}

export interface AccountsPort {
  /** Throws DomainError CONFLICT when the user has an account of that name. */
  create(account: NewAccount, actor: string): Promise<Account>;
  get(id: string, userId: string): Promise<Account | null>;
  /** Whether it is the user's, a deleted one too: what it did stays readable. */
  owns(id: string, userId: string): Promise<boolean>;
  list(userId: string): Promise<readonly Account[]>;
  /** All or nothing. Throws NOT_FOUND, and CONFLICT for a name that another account has. */
  change(id: string, userId: string, change: AccountChange, actor: string): Promise<Account>;
  /** Answers the account as it was. Throws NOT_FOUND, and CONFLICT while an order is open or a position is held. */
  remove(id: string, userId: string, actor: string): Promise<Account>;
  /** At the venue, then in our figures. Throws the errors of domain/venue-errors.ts. */
  setLeverage(account: Account, setting: LeverageSetting, actor: string): Promise<void>;
  /** Tells what watches the account, and every process that may hold its old key. */
  changed(account: Account, change: { readonly keyReplaced: boolean }): Promise<void>;
  removed(account: Account): Promise<void>;
  /** Starts what watches the account; settles when that is under way. */
  started(account: Account): Promise<void>;
}

export interface RiskLimitsPort {
  /** null: no such account of the user. */
  get(userId: string, accountId: string | null): Promise<RiskLimitsView | null>;
  setOfUser(userId: string, limits: UserRiskLimits, actor: string): Promise<RiskLimitsView>;
  /** Throws NOT_FOUND, and RISK_LIMITS_TOO_WIDE beyond the user's. */
  setOfAccount(userId: string, accountId: string, limits: RiskLimits, actor: string): Promise<RiskLimitsView>;
}

/** The placing transaction, for an order that is to be denied. */
export interface DenialsPort {
  /** True once it is recorded as DENIED; false, and nothing is left behind, where it is not denied now. */
  record(intent: OrderIntent): Promise<boolean>;
}

/** What a strategy begins as. */
export type NewStrategyWish = Pick<Strategy, 'id' | 'clientStrategyId' | 'userId' | 'accountId' | 'venue' | 'symbol' | 'venueSymbol' | 'type' | 'side' | 'quantity' | 'reduceOnly' | 'parameters' | 'startAt' | 'expireAt' | 'ownerWorkflowId'>;

export interface StrategiesPort {
  /** The strategy of that client id, made now or before. Throws RISK_ACCOUNT_HALTED, RISK_ACCOUNT_REDUCING, IDEMPOTENCY_MISMATCH. */
  create(wish: NewStrategyWish, stamp: IdempotencyStamp | null): Promise<Strategy>;
  byId(id: string, userId: string): Promise<Strategy | null>;
  list(query: OrderListQuery): Promise<{ readonly strategies: readonly Strategy[]; readonly nextCursor: string | null }>;
  timeline(id: string, userId: string): Promise<{ readonly strategy: Strategy; readonly children: readonly StrategyChild[]; readonly events: readonly StreamEvent[] } | null>;
  /** Records it, and tells its workflow. Throws NOT_FOUND and CONFLICT. */
  command(id: string, userId: string, command: StrategyCommand): Promise<Strategy>;
  /** Starts its workflow; settles when that is under way. */
  started(strategy: Strategy): Promise<void>;
}

export interface KillSwitchesPort {
  /** Latches, and starts or tells its workflow. Throws NOT_FOUND. */
  latch(wanted: Pick<KillSwitch, 'id' | 'userId' | 'scope' | 'accountId' | 'venue' | 'mode' | 'reason'>, actor: string): Promise<{ readonly killSwitch: KillSwitch; readonly isNew: boolean }>;
  release(id: string, userId: string, actor: string): Promise<KillSwitch>;
  byId(id: string, userId: string): Promise<KillSwitch | null>;
  latched(userId: string): Promise<readonly KillSwitch[]>;
  facts(id: string): Promise<readonly KillSwitchFacts[]>;
}

export interface HeartbeatsPort {
  /** Ours is recorded and waited for; the venue's own is armed where it has one, and its refusal is told. */
  beat(account: Account, timeoutMs: number): Promise<{ readonly heartbeat: Heartbeat; readonly venue: VenueDeadMan }>;
}

/** A stream's committed events as they come, in order, from now on; may repeat, may miss some while reconnecting. */
export interface EventTail {
  follow(stream: string, listener: (event: StreamEvent) => void): () => void;
}

export interface EventsPort {
  since(stream: string, sequence: number, limit: number): Promise<readonly StreamEvent[]>;
  /** 0 for a stream without events. */
  head(stream: string): Promise<number>;
  generation(): Promise<string>;
}

export interface VenueState {
  readonly name: string;
  readonly status: 'available' | 'unavailable' | 'unknown';
  readonly capabilities: VenueCapabilities;
}

export interface CandleSpan {
  readonly intervalMs: number;
  /** Inclusive, ms since the epoch. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

export interface VenuesPort {
  list(): readonly VenueState[];
  /** Throws the errors of domain/venue-errors.ts. */
  orderBook(venue: string, venueSymbol: string, depth: number): Promise<OrderBook>;
  trades(venue: string, venueSymbol: string, limit: number): Promise<readonly PublicTrade[]>;
  candles(venue: string, venueSymbol: string, span: CandleSpan): Promise<readonly Candle[]>;
  funding(venue: string, venueSymbol: string): Promise<FundingRate>;
  /** Oldest first; null where the venue does not tell what it charged. */
  fundingHistory(venue: string, venueSymbol: string, fromMs: number, toMs: number): Promise<readonly FundingRate[] | null>;
  /** Every market's best prices, read from the venue now. */
  tickers(venue: string): Promise<readonly Ticker[]>;
  /** The venue's clock, ms, as best known. */
  timeMs(venue: string): Promise<number>;
  /** One quiet question with the key. Throws the errors of domain/venue-errors.ts: VenueRefused for a key the venue refuses. */
  tryCredentials(venue: string, credentials: VenueCredentials): Promise<void>;
  /** Whose nonces the account will use; null where it has its own. Throws VenueRefused on credentials of another shape. */
  signerOf(venue: string, credentials: VenueCredentials): string | null;
  /** Credentials for an account that came without: made where the venue needs none of its own (paper), else null. */
  makeCredentials(venue: string): VenueCredentials | null;
}

export interface MarketsPort {
  list(venue: string | null): Promise<readonly Market[]>;
  get(venue: string, symbolOrAlias: string): Promise<Market | null>;
}

/** A ticker and how long ago it was last confirmed. */
export interface AgedTicker {
  readonly ticker: Ticker;
  readonly ageMs: number;
  /** Too old to judge an order by, or its venue's market data is down. */
  readonly stale: boolean;
}

/** A book and how long ago it was last told. */
export interface AgedBook {
  readonly book: OrderBook;
  readonly ageMs: number;
  readonly stale: boolean;
}

export interface PricesPort {
  /** The order book as this process knows it, without asking the venue; null where nobody tells one. */
  book(venue: string, symbol: string): Promise<AgedBook | null>;
  /** The newest known; null asks for all. */
  latest(venue: string | null, symbols: readonly string[] | null): readonly AgedTicker[];
  /** A fresh mark price from memory, or null. */
  mark(venue: string, symbol: string): string | null;
}

export interface IdempotencyRecord {
  readonly route: string;
  readonly bodyHash: string;
  readonly orderId: string | null;
  /** The order was made under this key; otherwise it was there before, and may have other terms. Says nothing of lists and strategies. */
  readonly isOwn: boolean;
}

export interface HealthPort {
  readiness(): Promise<Readiness>;
  /** As last seen, without waiting: requests are then answered 503 at once. */
  postgresqlAway(): boolean;
  /** Why the account's entries are held back (PostgreSQL and Temporal differ, as after a restore); null: they are not. */
  entriesHeld(accountId: string): string | null;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
  readonly rotatedFrom: string | null;
  readonly rates: Readonly<Partial<Record<CallKind, string>>> | null;
}

/** The plain key is shown once. */
export interface MadeApiKey {
  readonly apiKey: ApiKey;
  readonly plain: string;
}

/** Each function throws NOT_FOUND for a key that is not the user's, and CONFLICT where the key's or the user's state forbids it. */
export interface ApiKeysPort {
  create(key: Pick<ApiKey, 'name' | 'scopes' | 'expiresAt' | 'rates'> & { readonly userId: string }, actor: string): Promise<MadeApiKey>;
  list(userId: string): Promise<readonly ApiKey[]>;
  rotate(id: string, userId: string, overlapSeconds: number, actor: string): Promise<MadeApiKey>;
  revoke(id: string, userId: string, actor: string): Promise<ApiKey>;
}

/** Word to and from every API process that an account's configuration changed. */
export interface ConfigurationNewsPort {
  tell(accountId: string, userId: string): void;
  onTold(listener: (accountId: string, userId: string) => void): () => void;
}

export interface ApiPorts extends SignalPorts, MoneyPorts {
  authenticate(apiKey: string): Promise<Identity | null>;
  readonly gateway: OrderGatewayPort;
  readonly orders: OrdersPort;
  readonly fills: { list(query: FillListQuery): Promise<{ readonly fills: readonly Fill[]; readonly nextCursor: string | null }> };
  readonly positions: {
    list(query: OrderListQuery): Promise<{ readonly positions: readonly ShownPosition[]; readonly nextCursor: string | null }>;
    byId(id: string, userId: string): Promise<ShownPosition | null>;
    /** The position with what its orders say filled, fills that are still to come included. */
    closable(id: string, userId: string): Promise<Position | null>;
  };
  readonly trades: { list(query: OrderListQuery): Promise<{ readonly trades: readonly Trade[]; readonly nextCursor: string | null }> };
  readonly ledger: { list(query: LedgerListQuery): Promise<{ readonly entries: readonly LedgerEntry[]; readonly nextCursor: string | null }> };
  readonly balances: { list(accountId: string, userId: string): Promise<readonly Balance[]> };
  readonly accounts: AccountsPort;
  readonly riskLimits: RiskLimitsPort;
  readonly configurationNews: ConfigurationNewsPort;
  readonly apiKeys: ApiKeysPort;
  readonly denials: DenialsPort;
  readonly strategies: StrategiesPort;
  readonly orderLists: OrderListsPort;
  readonly killSwitches: KillSwitchesPort;
  readonly heartbeats: HeartbeatsPort;
  /** What risk would judge an order of this market by now; takes no lock. Throws NOT_FOUND. */
  riskFigures(accountId: string, symbol: string): Promise<{ readonly account: AccountFigures; readonly user: UserFigures | null }>;
  readonly idempotency: { find(userId: string, key: string): Promise<IdempotencyRecord | null> };
  readonly tail: EventTail;
  readonly events: EventsPort;
  readonly venues: VenuesPort;
  readonly markets: MarketsPort;
  readonly prices: PricesPort;
  readonly health: HealthPort;
  readonly alerts: AlertsPort;
  readonly alertRules: AlertRulesPort;
  readonly alertChannels: AlertChannelsPort;
  readonly webhooks: WebhooksPort;
  readonly webhookDeliveries: WebhookDeliveriesPort;
  readonly callerLimits: Pick<RateBudget, 'take'>;
  readonly clock: Clock;
}
