/** Everything behind the API, in memory: one database, one Temporal, one venue. Recording follows the placing transaction's rules. */
import { DEFAULT_RISK_LIMITS, type Account, type Balance } from '../../src/domain/account';
import type { ShownPosition } from '../../src/domain/protection';
import { LocalRateBudget } from '../../src/venues/local-rate-budget';
import { DomainError } from '../../src/domain/errors';
import { EVENT_OF_STATE } from '../../src/domain/order-changes';
import { accountStream, type EventType, type StreamEvent } from '../../src/domain/events';
import { isTerminal, type Order, type OrderIntent } from '../../src/domain/order';
import type { MutationIntent } from '../../src/domain/order-store';
import type { MutationVerdict } from '../../src/api/order-ports';
import type { AgedBook, ApiPorts, Identity, IdempotencyRecord, OrderListQuery } from '../../src/api/ports';
import type { Timeline, TimelineEvidence } from '../../src/domain/timeline';
import { FakeCollateral } from './fake-collateral';
import { FakeDeposits } from './fake-deposits';
import { FakeLimits } from './fake-limits';
import { FakeAccountChanges } from './fake-accounts';
import { amendAtVenue, cancelAtVenue, heldOrders } from './fake-changes';
import { positionsPort } from './fake-positions';
import { FakeMoney } from './fake-money';
import { FakeSupervision } from './fake-supervision';
import { FakeApiKeys } from './fake-api-keys';
import { FakeSignals } from './fake-signals';
import { FakeAlerts } from './fake-alerts';
import { FakeWebhooks } from './fake-webhooks';
import { FakeWithdrawals } from './fake-withdrawals';
import { answeredAttempt, intentShown, page, recordedOrder, recordKey, type Denial } from './fake-rows';
import { BOOK, MARKETS, publicReads, readiness, TICKERS, VENUES } from './samples';

export const START_MS = Date.parse('2026-01-31T12:00:00.000Z');

type Listener = (event: StreamEvent) => void;

export class FakeBackend {
  readonly collateral = new FakeCollateral();
  readonly deposits = new FakeDeposits();
  readonly withdrawals = new FakeWithdrawals();
  nowMs = START_MS;
  readonly keys = new Map<string, Identity>();
  readonly accounts = new Map<string, Account>();
  readonly orders = new Map<string, Order>();
  readonly intents = new Map<string, OrderIntent>();
  readonly figures = new Map<string, Record<string, string>>();
  /** Shown in every order's timeline. */
  readonly evidence: TimelineEvidence[] = [];
  readonly records = new Map<string, IdempotencyRecord>();
  readonly events = new Map<string, StreamEvent[]>();
  readonly positions = new Map<string, ShownPosition>();
  /** Where more or less is to be closed than is shown. */
  readonly closable = new Map<string, ShownPosition>();
  readonly balances = new Map<string, Balance[]>();
  readonly limits = new FakeLimits(this.accounts);
  book: AgedBook | null = { book: BOOK, ageMs: 5, stale: false };
  readonly money = new FakeMoney(this.accounts);
  readonly calls = { authenticate: 0, byId: 0, byIds: 0, byClientId: 0, placed: 0, answered: 0, sent: 0, suspected: 0, started: 0 };
  postgresqlAway = false;
  temporalAway = false;
  /** Rows are written all the same. */
  noticesLost = false;
  /** What the risk check says of an intent. */
  judge: (intent: OrderIntent) => Denial | null = () => null;
  /** What the venue makes of an order that was sent; null: it never answers. */
  venueAnswers: (order: Order) => Partial<Order> | null = () => ({ state: 'WORKING' });
  onCancel: (intent: MutationIntent) => Promise<MutationVerdict> = async (intent) => cancelAtVenue(this, intent);
  onAmend: (intent: MutationIntent) => Promise<MutationVerdict> = async (intent) => amendAtVenue(this, intent);
  /** May hold a step up. */
  step: (name: string) => Promise<void> = async () => undefined;
  readonly accountChanges = new FakeAccountChanges(this);
  readonly supervision = new FakeSupervision(this);
  readonly signals = new FakeSignals(this);
  readonly alerts = new FakeAlerts(() => this.at());
  readonly apiKeys = new FakeApiKeys(() => this.nowMs, this.keys);
  readonly callerLimits = new LocalRateBudget({ nowMs: () => this.nowMs }, 1, true);
  private readonly listeners = new Map<string, Set<Listener>>();

  addUser(userId: string, scopes: readonly string[] = ['read', 'trade', 'admin']): string {
    const key = `sf_${userId}_0123456789abcdef`;
    this.keys.set(key, { userId, keyId: `key-of-${userId}`, scopes });
    return key;
  }

  addAccount(id: string, userId: string, venue = 'paper'): Account {
    const account: Account = { id, userId, name: id, venue, status: 'ACTIVE', statusReason: null, signerId: id, credentialId: `credential-${id}`, limits: DEFAULT_RISK_LIMITS, createdAt: this.at() };
    this.accounts.set(id, account);
    return account;
  }

  at(): string {
    return new Date(this.nowMs).toISOString();
  }

  /** The placing transaction. */
  record(intents: readonly OrderIntent[]): Order[] {
    return intents.flatMap((intent) => {
      const stamp = intent.idempotency;
      const earlier = this.byClientId(intent.accountId, intent.clientOrderId);
      if (stamp !== null) {
        const key = recordKey(intent.userId, stamp.key);
        if (this.records.has(key)) return [];
        // Also where an earlier order has the client id: the key is used up then.
        this.records.set(key, { route: stamp.route, bodyHash: stamp.bodyHash, orderId: (earlier ?? intent).id, isOwn: earlier === null });
      }
      if (earlier !== null) return [];
      const denial = this.judge(intent);
      const order = recordedOrder(intent, this.at(), denial);
      this.intents.set(order.id, intent);
      if (denial !== null) this.figures.set(order.id, denial.figures);
      this.put(order, EVENT_OF_STATE[order.state]);
      return order.state === 'SUBMITTING' ? [order] : [];
    });
  }

  /** The same, for an order that is to be denied. */
  private async recordDenied(intent: OrderIntent): Promise<boolean> {
    await this.step('deny');
    this.calls.suspected += 1;
    if (this.judge(intent) === null || this.byClientId(intent.accountId, intent.clientOrderId) !== null || (intent.idempotency !== null && this.records.has(recordKey(intent.userId, intent.idempotency.key)))) return false;
    this.record([intent]);
    return true;
  }

  put(order: Order, type: EventType): void {
    this.orders.set(order.id, order);
    this.emit(accountStream(order.accountId), order.userId, type, order.id, { order: { ...order } }, order.accountId);
  }

  change(orderId: string, patch: Partial<Order>, type: EventType = 'order.updated'): Order {
    const before = this.orders.get(orderId);
    if (before === undefined) throw new Error(`no order ${orderId}`);
    const after: Order = { ...before, ...patch, revision: before.revision + 1, updatedAt: this.at() };
    this.put(after, type);
    return after;
  }

  emit(stream: string, userId: string, type: EventType, orderId: string | null, data: Record<string, unknown>, accountId: string | null): void {
    const past = this.events.get(stream) ?? [];
    const sequence = past.length + 1;
    const event: StreamEvent = { id: `${stream}/${sequence}`, stream, userId, accountId, sequence, generation: 'g-1', type, at: this.at(), orderId, data };
    this.events.set(stream, [...past, event]);
    if (!this.noticesLost) for (const listener of [...(this.listeners.get(stream) ?? [])]) listener(event);
  }

  get followed(): number {
    return this.listeners.size;
  }

  private async place(intents: readonly OrderIntent[]): Promise<void> {
    this.calls.placed += 1;
    await this.step('start');
    if (this.temporalAway) throw new DomainError('SERVICE_UNAVAILABLE', 'Temporal did not answer', { outcome: 'unknown', retryAfterSeconds: 1 });
    const sent = this.record(intents);
    this.calls.sent += sent.length;
    await this.step('venue');
    for (const order of sent) this.answer(order);
  }

  private answer(order: Order): void {
    const patch = this.venueAnswers(order);
    if (patch !== null) this.change(order.id, patch, patch.state === 'WORKING' ? 'order.working' : 'order.updated');
  }

  byClientId(accountId: string, clientOrderId: string): Order | null {
    return [...this.orders.values()].find((order) => order.accountId === accountId && order.clientOrderId === clientOrderId) ?? null;
  }

  private own<Row extends { userId: string }>(row: Row | undefined, userId: string): Row | null {
    return row !== undefined && row.userId === userId ? row : null;
  }

  private list(query: OrderListQuery): { orders: Order[]; nextCursor: string | null } {
    const found = [...this.orders.values()].filter(
      (order) =>
        order.userId === query.userId &&
        (query.status === 'all' || (query.status === 'closed') === isTerminal(order.state)) &&
        (query.accountId === null || order.accountId === query.accountId) &&
        (query.symbol === null || order.symbol === query.symbol) &&
        (query.venue === null || order.venue === query.venue),
    );
    return page(found, query, 'orders');
  }

  private timeline(id: string, userId: string): Timeline | null {
    const order = this.own(this.orders.get(id), userId);
    if (order === null) return null;
    const intent = this.intents.get(id);
    return {
      order,
      intent: intent === undefined ? null : intentShown(intent),
      risk: { verdict: order.state === 'DENIED' ? 'denied' : 'accepted', code: order.reasonCode, message: order.reasonMessage, figures: this.figures.get(id) ?? {} },
      attempts: [answeredAttempt(this.at(), this.nowMs)],
      evidence: this.evidence,
      mutations: [],
      events: (this.events.get(accountStream(order.accountId)) ?? []).filter((event) => event.orderId === id),
      fills: this.money.kept.fills.filter((fill) => fill.orderId === id),
    };
  }

  /** Of one API process; several may share this backend. */
  ports(): ApiPorts {
    return {
      collateral: this.collateral,
      deposits: this.deposits,
      withdrawals: this.withdrawals,
      authenticate: async (key) => {
        this.calls.authenticate += 1;
        return this.apiKeys.works(key) ? (this.keys.get(key) ?? null) : null;
      },
      gateway: { parts: (intents) => [intents], place: (intents) => this.place(intents), answered: () => void (this.calls.answered += 1), cancel: (intent) => this.onCancel(intent), amend: (intent) => this.onAmend(intent), ...heldOrders(this) },
      ...this.alerts.ports,
      orders: {
        byId: async (id, userId) => {
          this.calls.byId += 1;
          return this.own(this.orders.get(id), userId);
        },
        byIds: async (ids) => {
          this.calls.byIds += 1;
          await this.step('read');
          return ids.map((id) => this.orders.get(id)).filter((order) => order !== undefined);
        },
        byClientId: async (accountId, clientOrderId) => {
          this.calls.byClientId += 1;
          await this.step('read');
          return this.byClientId(accountId, clientOrderId);
        },
        list: async (query) => this.list(query),
        timeline: async (id, userId) => this.timeline(id, userId),
      },
      positions: positionsPort(this.positions, this.closable, (accountId) => this.accounts.get(accountId)?.userId),
      ...this.money.ports,
      balances: { list: async (accountId) => this.balances.get(accountId) ?? [] },
      accounts: {
        create: async (account) => {
          if ([...this.accounts.values()].some((other) => other.userId === account.userId && other.name === account.name)) throw new DomainError('CONFLICT', `you have an account named ${account.name}`);
          const made: Account = { ...this.addAccount(account.id, account.userId, account.venue), name: account.name, limits: account.limits };
          this.accounts.set(made.id, made);
          return made;
        },
        get: async (id, userId) => this.own(this.accounts.get(id), userId),
        owns: async (id, userId) => (this.accounts.get(id) ?? this.accountChanges.deleted.get(id))?.userId === userId,
        list: async (userId) => [...this.accounts.values()].filter((account) => account.userId === userId),
        change: this.accountChanges.change,
        remove: this.accountChanges.remove,
        setLeverage: this.accountChanges.setLeverage,
        changed: this.accountChanges.changed,
        removed: this.accountChanges.removed,
        started: async (account) => {
          this.calls.started += 1;
          if (this.temporalAway) throw new DomainError('SERVICE_UNAVAILABLE', 'Temporal did not answer', { outcome: 'unknown' });
          this.balances.set(account.id, [{ accountId: account.id, asset: 'USD', total: '10000', available: '10000', locked: '0', updatedAt: this.at() }]);
          this.emit(accountStream(account.id), account.userId, 'balance.updated', null, {}, account.id);
        },
      },
      ...this.supervision.ports(),
      riskLimits: this.limits,
      configurationNews: this.limits.news,
      riskFigures: async (accountId, symbol) => ({ account: this.limits.figures(accountId, symbol), user: null }),
      denials: { record: (intent) => this.recordDenied(intent) },
      idempotency: {
        find: async (userId, key) => {
          await this.step('read');
          return this.records.get(recordKey(userId, key)) ?? null;
        },
      },
      tail: {
        follow: (stream, listener) => {
          const listeners = this.listeners.get(stream) ?? new Set<Listener>();
          this.listeners.set(stream, listeners.add(listener));
          return () => {
            listeners.delete(listener);
            if (listeners.size === 0) this.listeners.delete(stream);
          };
        },
      },
      events: {
        since: async (stream, sequence, limit) => (this.events.get(stream) ?? []).filter((event) => event.sequence > sequence).slice(0, limit),
        head: async (stream) => this.events.get(stream)?.length ?? 0,
        generation: async () => 'g-1',
      },
      venues: {
        list: () => VENUES,
        ...publicReads(() => this.nowMs),
        makeCredentials: (venue) => (venue === 'paper' ? { key: 'made' } : null),
      },
      markets: {
        list: async (venue) => MARKETS.filter((market) => venue === null || market.venue === venue),
        get: async (venue, symbol) => MARKETS.find((market) => market.venue === venue && (market.symbol === symbol || market.venueSymbol === symbol)) ?? null,
      },
      prices: {
        latest: (venue, symbols) => TICKERS.filter((ticker) => (venue === null || ticker.venue === venue) && (symbols === null || symbols.includes(ticker.symbol))).map((ticker) => ({ ticker, ageMs: this.nowMs - ticker.at, stale: this.nowMs - ticker.at > 10_000 })),
        mark: () => '50000',
        book: async () => this.book,
      },
      health: { readiness: async () => readiness(this.postgresqlAway, this.temporalAway), postgresqlAway: () => this.postgresqlAway, entriesHeld: () => null },
      apiKeys: this.apiKeys,
      ...new FakeWebhooks(() => this.at()).ports,
      ...this.signals.ports,
      callerLimits: this.callerLimits,
      clock: { nowMs: () => this.nowMs },
    };
  }
}
