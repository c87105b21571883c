/** The store: every table behind narrow functions. Each function is one transaction unless its own words say otherwise. */
import type { AuditHead } from '../domain/audit';
import type { Clock } from '../domain/clock';
import type { KeyProvider } from '../domain/key-provider';
import type { AppliedOrder, OrderEvidence, WriterEpoch } from '../domain/order-store';
import type { Timeline } from '../domain/timeline';
import type { Venue } from '../domain/venue';
import { AccountChanges } from './accounts/account-changes';
import { Accounts } from './accounts/accounts';
import { AlertChannels } from './alerts/alert-channels';
import { AlertJudging } from './alerts/alert-judging';
import { AlertLevels } from './alerts/alert-levels';
import { AlertOutbox } from './alerts/alert-outbox';
import { AlertRules } from './alerts/alert-rules';
import { Alerts } from './alerts/alerts';
import { Audit } from './audit/audit';
import { applyUnderLocks, type MarkOf, type QuoteOf } from './orders/apply-evidence';
import { ApiKeys } from './accounts/api-keys';
import { announcement, CommitAnnouncer } from './commit-announcer';
import { ChainSends } from './deposits/chain-sends';
import { ChainStalls } from './deposits/chain-stalls';
import { ChainTransfers } from './deposits/chain-transfers';
import { change, holdEpoch, type StoreCore, type StoreLog } from './core';
import { CollateralMoves } from './money/collateral-moves';
import { Credentials } from './accounts/credentials';
import { Database } from './database/database';
import { Deposits } from './deposits/deposits';
import { Suspense } from './deposits/suspense';
import { EmbeddedWallets } from './deposits/embedded-wallets';
import { Events } from './events';
import { Gauges } from './gauges';
import { Generation } from './database/generation';
import { accountsOfOrders, lockAccounts } from './database/locks';
import { HeldOrders } from './waiting/held-orders';
import { Ledger, Trades } from './money/money';
import { Mutations } from './orders/mutations';
import { NamelessOrders } from './orders/nameless-orders';
import { OrderLists } from './waiting/order-lists';
import { Orders } from './orders/orders';
import { Placing } from './orders/placing';
import { PlacingHistory } from './orders/placing-facts';
import { Portfolio, type FillListQuery, type PositionListQuery } from './money/portfolio';
import { Protections } from './waiting/protections';
import { Heartbeats } from './accounts/heartbeats';
import { KillSwitches } from './risk/kill-switches';
import { LostKeys } from './keys/lost-keys';
import { LossLimits } from './risk/loss-limits';
import { Idempotency, Markets, StoredSettings } from './reference';
import { Resend } from './orders/resend';
import { DEFAULT_RETENTION, purge, type Purged, type RetentionRules } from './retention';
import { RiskLimitsOf } from './risk/risk-limits';
import { SharedSeats } from './seats';
import { SendRights } from './orders/send-rights';
import { Sending } from './orders/sending';
import { SharedCommits } from './database/shared-commits';
import { SignalSources } from './webhooks/signal-sources';
import { Signals } from './webhooks/signals';
import { SignerNonces } from './orders/signer-nonces';
import { StoreStates } from './store-states';
import { Strategies } from './waiting/strategies';
import { SupervisedReadBack } from './waiting/supervised-read-back';
import { timelineOf } from './orders/timeline';
import { Triggers } from './waiting/triggers';
import { Turns } from './database/turns';
import { UserLimitChanges } from './risk/user-figures';
import { Users } from './accounts/users';
import { VenueOffsets } from './orders/venue-offsets';
import { Watching } from './watching';
import { WebhookDeliveries } from './webhooks/webhook-deliveries';
import { WebhookOutbox } from './webhooks/webhook-outbox';
import { Webhooks } from './webhooks/webhooks';
import { WithdrawalAddresses } from './deposits/withdrawal-addresses';
import { Withdrawals } from './deposits/withdrawals';
import { VenueExits } from './deposits/venue-exits';

export interface StoreOptions {
  readonly databaseUrl: string;
  /** Connections of this process. */
  readonly poolSize: number;
  /** How long a caller waits for one of them; 2 s. */
  readonly poolWaitMs?: number;
  readonly statementTimeoutMs: number;
  /** How long a statement waits for a row that another transaction holds; then the transaction is tried again. */
  readonly lockTimeoutMs: number;
  /** How long what is not for ever is kept; DEFAULT_RETENTION. */
  readonly retention?: RetentionRules;
  readonly keyProvider: KeyProvider;
  readonly clock: Clock;
  readonly venues: ReadonlyMap<string, Venue>;
  readonly markOf: MarkOf;
  readonly quoteOf: QuoteOf;
  readonly log: StoreLog;
  /** Told of the new head of a user's audit chain after each administrative act has committed. */
  readonly onAuditHead: (head: AuditHead) => void;
}

/** Opens the pool and reads the generation. The database must be migrated (migrate.ts). */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { clock, venues, log } = options;
  const database = new Database({ ...options, onError: (message, error) => log.warn({ error }, message) });
  const announcer = new CommitAnnouncer(
    (error) => log.warn({ error }, 'committed events could not be told'),
    ({ sql, parameters }) => database.rows(sql, ...parameters),
  );
  const offsets = new VenueOffsets(venues, clock, (venue, error) => log.info({ venue, error }, 'the venue did not tell its time; ours is used'));
  const core: StoreCore = { database, clock, venues, keys: options.keyProvider, markOf: options.markOf, quoteOf: options.quoteOf, log, announcer, offsets, turns: new Turns(), retention: options.retention ?? DEFAULT_RETENTION, commits: new SharedCommits(database, announcement) };
  try {
    const generation = await Generation.open(database);
    await StoreStates.prepare(database);
    for (const venue of venues.keys()) void offsets.refresh(venue);
    return new Store(core, generation, options.databaseUrl);
  } catch (error) {
    await database.close();
    throw error;
  }
}

export class Store {
  readonly placing: Placing;
  readonly placingHistory: PlacingHistory;
  readonly sending: Sending;
  readonly mutations: Mutations;
  readonly nameless: NamelessOrders;
  readonly resend: Resend;
  readonly nonces: SignerNonces;
  readonly accounts: Accounts;
  readonly accountChanges: AccountChanges;
  readonly lostKeys: LostKeys;
  readonly users: Users;
  readonly apiKeys: ApiKeys;
  readonly orders: Orders & { timeline(orderId: string, userId: string): Promise<Timeline | null> };
  readonly held: HeldOrders;
  readonly watching: Watching;
  /** Whether this database and Temporal agree. */
  readonly states: StoreStates;
  readonly events: Events;
  readonly markets: Markets;
  readonly settings: StoredSettings;
  readonly audit: Audit;
  readonly riskLimits: RiskLimitsOf;
  readonly idempotency: Idempotency;
  readonly gauges: Gauges;
  readonly trades: Trades;
  readonly ledger: Ledger;
  readonly deposits: Deposits;
  readonly chainTransfers: ChainTransfers;
  readonly chainStalls: ChainStalls;
  readonly suspense: Suspense;
  readonly chainSends: ChainSends;
  readonly privyWallets: EmbeddedWallets;
  readonly withdrawals: Withdrawals;
  readonly venueExits: VenueExits;
  readonly withdrawalAddresses: WithdrawalAddresses;
  readonly collateralMoves: CollateralMoves;
  readonly triggers: Triggers;
  readonly webhooks: Webhooks;
  readonly webhookDeliveries: WebhookDeliveries;
  readonly webhookOutbox: WebhookOutbox;
  readonly signalSources: SignalSources;
  readonly signals: Signals;
  readonly alerts: Alerts;
  readonly alertRules: AlertRules;
  readonly alertChannels: AlertChannels;
  readonly alertJudging: AlertJudging;
  readonly alertLevels: AlertLevels;
  readonly alertOutbox: AlertOutbox;
  readonly strategies: Strategies;
  readonly orderLists: OrderLists;
  readonly readBack: SupervisedReadBack;
  readonly killSwitches: KillSwitches;
  readonly heartbeats: Heartbeats;
  readonly lossLimits: LossLimits;
  readonly protections: Protections;
  readonly seats: SharedSeats;
  private readonly portfolio: Portfolio;

  constructor(
    private readonly core: StoreCore,
    private readonly databaseGeneration: Generation,
    databaseUrl: string,
  ) {
    const credentials = new Credentials(core.database, core.keys, core.clock);
    const rights = new SendRights(core.clock);
    const userLimits = new UserLimitChanges(core);
    this.placing = new Placing(core, credentials, rights, userLimits);
    this.placingHistory = new PlacingHistory(core);
    this.sending = new Sending(core, rights);
    this.mutations = new Mutations(core, credentials, rights, userLimits);
    this.nameless = new NamelessOrders(core);
    this.resend = new Resend(core, credentials, rights);
    this.nonces = new SignerNonces(core);
    this.accounts = new Accounts(core, credentials);
    this.accountChanges = new AccountChanges(core, credentials);
    this.lostKeys = new LostKeys(core, credentials);
    this.users = new Users(core);
    this.apiKeys = new ApiKeys(core);
    this.events = new Events(core, databaseGeneration, databaseUrl);
    this.orders = Object.assign(new Orders(core), { timeline: (orderId: string, userId: string) => timelineOf(core, this.events, orderId, userId) });
    this.held = new HeldOrders(core);
    this.watching = new Watching(core);
    this.states = new StoreStates(core, databaseGeneration);
    this.markets = new Markets(core);
    this.settings = new StoredSettings(core);
    this.riskLimits = new RiskLimitsOf(core);
    this.audit = new Audit(core.database);
    this.idempotency = new Idempotency(core);
    this.gauges = new Gauges(core);
    this.trades = new Trades(core);
    this.ledger = new Ledger(core);
    this.deposits = new Deposits(core);
    this.chainTransfers = new ChainTransfers(core);
    this.chainStalls = new ChainStalls(core);
    this.suspense = new Suspense(core);
    this.chainSends = new ChainSends(core);
    this.privyWallets = new EmbeddedWallets(core, 'privy');
    this.withdrawals = new Withdrawals(core);
    this.venueExits = new VenueExits(core);
    this.withdrawalAddresses = new WithdrawalAddresses(core);
    this.collateralMoves = new CollateralMoves(core, credentials);
    this.triggers = new Triggers(core);
    this.webhooks = new Webhooks(core);
    this.webhookDeliveries = new WebhookDeliveries(core);
    this.webhookOutbox = new WebhookOutbox(core, databaseGeneration);
    this.signalSources = new SignalSources(core);
    this.signals = new Signals(core);
    this.alerts = new Alerts(core);
    this.alertRules = new AlertRules(core);
    this.alertChannels = new AlertChannels(core);
    this.alertJudging = new AlertJudging(core);
    this.alertLevels = new AlertLevels(core);
    this.alertOutbox = new AlertOutbox(core);
    this.strategies = new Strategies(core, () => databaseGeneration.read());
    this.orderLists = new OrderLists(core, () => databaseGeneration.read());
    this.readBack = new SupervisedReadBack(core);
    this.killSwitches = new KillSwitches(core);
    this.heartbeats = new Heartbeats(core);
    this.lossLimits = new LossLimits(core, userLimits);
    this.protections = new Protections(core);
    this.seats = new SharedSeats(core.database);
    this.portfolio = new Portfolio(core);
  }

  /** The one writer of orders. */
  readonly evidence = {
    apply: async (items: readonly OrderEvidence[], writer?: WriterEpoch): Promise<readonly AppliedOrder[]> => {
      if (items.length === 0) return [];
      const accountIds = await accountsOfOrders(this.core.database, items.map((item) => item.orderId));
      return change(this.core, accountIds, async (tx, changes) => {
        await holdEpoch(tx, writer);
        return applyUnderLocks(tx, await lockAccounts(tx, accountIds), items, changes, this.core.markOf);
      });
    },
  };

  readonly fills = { list: (query: FillListQuery) => this.portfolio.fills(query) };
  readonly positions = { list: (query: PositionListQuery) => this.portfolio.positions(query), openOf: (accountId: string, userId: string) => this.portfolio.openPositions(accountId, userId), byId: (id: string, userId: string) => this.portfolio.position(id, userId), closable: (id: string, userId: string) => this.portfolio.closable(id, userId) };
  readonly balances = { list: (accountId: string, userId: string) => this.portfolio.balances(accountId, userId) };

  /** Changes when the database was restored or replaced. Always asks. */
  generation(): Promise<string> {
    return this.databaseGeneration.read();
  }

  /** Throws SERVICE_UNAVAILABLE when the database does not answer. */
  async ping(): Promise<void> {
    await this.core.database.rows('SELECT 1 AS alive');
  }

  /** Deletes what is kept for a time only; call it now and then. */
  purge(): Promise<Purged> {
    return purge(this.core);
  }

  /** Ends the pool, after what is under way. */
  async close(): Promise<void> {
    await this.core.database.close();
  }
}
