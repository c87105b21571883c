/** An account's venue and store in memory: what a watcher reads and writes, and faults a test switches on. */
import type { Account, AccountStatus } from '../../../src/domain/account';
import { decimal, decimalText } from '../../../src/domain/decimal';
import { fillKey } from '../../../src/domain/evidence';
import type { Order } from '../../../src/domain/order';
import { EpochLost, type WriterEpoch } from '../../../src/domain/order-store';
import type { FillsPage, FundingPaymentsPage, OrderReference, PrivateMessage, ReadOptions, Venue, VenueBalance, VenueFill, VenueFundingPayment, VenueOrder, VenuePosition } from '../../../src/domain/venue';
import { VenueRefused, VenueUnavailable } from '../../../src/domain/venue-errors';
import type { AccountWatcherPorts, Mismatch } from '../../../src/activities/account-ports';

export const CREATED_AT = '2026-01-01T00:00:00.000Z';
export const CREATED_MS = Date.parse(CREATED_AT);

export function sampleAccount(overrides: Partial<Account> = {}): Account {
  return { id: 'a1', userId: 'u1', name: 'paper', venue: 'paper', status: 'ACTIVE', statusReason: null, signerId: 'a1', credentialId: 'c1', limits: { maxOrderNotional: '1', maxPositionNotional: '1', maxOpenOrders: 1, maxDailyLoss: '1', priceBandPercent: null, allowedSymbols: null }, createdAt: CREATED_AT, ...overrides };
}

interface OpenStream {
  readonly tell: (message: PrivateMessage) => void;
  closed: boolean;
}

export class AccountVenue {
  readonly streams: OpenStream[] = [];
  readonly calls: string[] = [];
  open: VenueOrder[] = [];
  closed: VenueOrder[] = [];
  fills: VenueFill[] = [];
  positions: VenuePosition[] = [];
  funding: VenueFundingPayment[] = [];
  /** Null where the venue tells no funding. */
  fundingPageSize: number | null = null;
  cashBalances = false;
  balances: VenueBalance[] = [{ asset: 'USDC', total: '100', available: '100', locked: '0' }];
  nowMs = CREATED_MS + 3_600_000;
  truncatedBeforeMs: number | null = null;
  pageSize = 2;
  keyRevoked = false;
  /** One key that is refused, others not. */
  refusedKey: string | null = null;
  private heldWith = '';
  /** Reads fail while it is set. */
  down = false;
  /** The stream does not open before `openStream` is called. */
  streamRefused = false;
  openStream: () => void = () => undefined;
  /** What the next stream ends with before it opens. */
  streamFails: Error | null = null;
  /** Runs before a read answers: a place for what happens meanwhile. */
  during: (call: string) => Promise<void> | void = () => undefined;

  get port(): Venue {
    const session = {
      streamPrivate: (tell: (message: PrivateMessage) => void) => this.stream(tell),
      findOrder: (order: OrderReference) => this.read('findOrder', () => [...this.open, ...this.closed].find((each) => (order.venueClientId === '' ? each.venueOrderId === order.venueOrderId : each.venueClientId === order.venueClientId)) ?? null),
      openOrders: () => this.read('openOrders', () => [...this.open]),
      closedOrders: (sinceMs: number) => this.read('closedOrders', () => this.closed.filter((order) => order.updatedAtMs >= sinceMs)),
      fillsSince: (sinceMs: number, cursor: string | null) => this.read(`fillsSince ${sinceMs}`, () => this.page(sinceMs, cursor)),
      positions: () => this.read('positions', () => [...this.positions]),
      ...(this.fundingPageSize === null ? {} : { fundingPayments: (sinceMs: number, cursor: string | null) => this.read(`fundingPayments ${sinceMs}`, () => this.fundingPage(sinceMs, cursor, this.fundingPageSize ?? 1)) }),
      balances: (_options: ReadOptions) => this.read('balances', () => [...this.balances]),
    };
    return { name: 'paper', capabilities: { cashBalances: this.cashBalances }, session: (credentials: { key: string }) => this.with(credentials.key, session), venueTimeMs: async () => this.nowMs } as unknown as Venue;
  }

  private with<Session>(key: string, session: Session): Session {
    this.heldWith = key;
    return session;
  }

  /** The stream that is open now. */
  get live(): OpenStream {
    const stream = this.streams.at(-1);
    if (stream === undefined || stream.closed) throw new Error('no stream is open');
    return stream;
  }

  private async read<Answer>(call: string, answer: () => Answer): Promise<Answer> {
    this.calls.push(call);
    await this.during(call);
    if (this.keyRevoked || this.heldWith === this.refusedKey) throw new VenueRefused('paper', 'unauthorized', 'KEY_REVOKED', 'the key was revoked');
    if (this.down) throw new VenueUnavailable('paper', 'connection refused', 'connection');
    return answer();
  }

  private page(sinceMs: number, cursor: string | null): FillsPage {
    const visible = this.fills.filter((fill) => fill.atMs >= sinceMs && fill.atMs >= (this.truncatedBeforeMs ?? 0)).sort((a, b) => a.atMs - b.atMs);
    const from = Number(cursor ?? 0);
    const end = from + this.pageSize;
    return { fills: visible.slice(from, end), next: end < visible.length ? String(end) : null, truncatedBeforeMs: this.truncatedBeforeMs };
  }

  private fundingPage(sinceMs: number, cursor: string | null, size: number): FundingPaymentsPage {
    const visible = this.funding.filter((payment) => payment.atMs >= sinceMs).sort((a, b) => a.atMs - b.atMs);
    const from = Number(cursor ?? 0);
    return { payments: visible.slice(from, from + size), next: from + size < visible.length ? String(from + size) : null };
  }

  private stream(tell: (message: PrivateMessage) => void): { ready: Promise<void>; close(): void } {
    const stream: OpenStream = { tell, closed: false };
    this.streams.push(stream);
    const ready = this.keyRevoked
      ? Promise.reject(new VenueRefused('paper', 'unauthorized', 'KEY_REVOKED', 'the key was revoked'))
      : this.streamFails !== null
        ? Promise.reject(this.streamFails)
        : this.streamRefused
          ? new Promise<void>((resolve) => (this.openStream = resolve))
          : Promise.resolve();
    return { ready, close: () => (stream.closed = true) };
  }
}

/** What a watcher wrote, in order. */
export type Write =
  | { readonly kind: 'order'; readonly order: VenueOrder; readonly source: string }
  | { readonly kind: 'fill'; readonly fill: VenueFill }
  | { readonly kind: 'positions'; readonly positions: readonly { venueSymbol: string }[]; readonly complete: boolean }
  | { readonly kind: 'carryIn'; readonly markets: readonly string[] }
  | { readonly kind: 'balances' }
  | { readonly kind: 'funding'; readonly payment: VenueFundingPayment }
  | { readonly kind: 'transfer'; readonly asset: string; readonly amount: string }
  | { readonly kind: 'alert'; readonly data: Readonly<Record<string, unknown>> }
  | { readonly kind: 'status'; readonly status: AccountStatus };

export class AccountStore {
  /** The account's stored key. */
  key = 'k';
  readonly writes: Write[] = [];
  readonly mismatches: [Mismatch, number][] = [];
  readonly troubles: unknown[] = [];
  orders: Order[] = [];
  held = new Map<string, string>();
  epoch = 0;
  account = sampleAccount();
  checkpoint: unknown = null;
  /** The ledger's cash. */
  readonly cash = new Map<string, string>();
  /** What settleUnbooked was called with. */
  readonly settledBeforeMs: number[] = [];
  /** Looks at the venue that were complete. */
  looks = 0;
  /** Throws for what cannot be written. */
  refuse: (what: VenueOrder | VenueFill) => Error | null = () => null;
  private readonly known = new Set<string>();
  private readonly fillTimes: number[] = [];
  private listeners: (() => void)[] = [];

  knowFill(fill: VenueFill): void {
    this.known.add(fillKey(fill));
    this.fillTimes.push(fill.atMs);
  }

  move(asset: string, amount: string): void {
    this.cash.set(asset, decimalText(decimal(this.cash.get(asset) ?? '0').plus(decimal(amount))));
  }

  of<Kind extends Write['kind']>(kind: Kind): Extract<Write, { kind: Kind }>[] {
    return this.writes.filter((write): write is Extract<Write, { kind: Kind }> => write.kind === kind);
  }

  alerts(): unknown[] {
    return this.of('alert').map(({ data }) => data['kind']);
  }

  /** Settles once the condition holds; looked at after each write. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.listeners = this.listeners.filter((each) => each !== look);
        resolve();
      };
      this.listeners.push(look);
      look();
    });
  }

  ports(): AccountWatcherPorts {
    return {
      clock: { nowMs: () => Date.now() },
      watching: {
        takeEpoch: async (scope) => ({ scope, epoch: (this.epoch += 1) }),
        applyFills: async (writer, _id, fills) => this.applyFills(writer, fills),
        applyVenueOrders: async (writer, _id, orders, source) => {
          this.hold(writer);
          for (const order of orders) this.mustTake(order);
          return orders.map((order) => {
            const key = `${order.venueOrderId}/${order.status}/${order.filledQuantity}/${order.revision ?? ''}`;
            const changed = !this.known.has(key);
            this.known.add(key);
            if (order.status !== 'open') this.orders = this.orders.filter((each) => each.venueOrderId !== order.venueOrderId);
            this.write({ kind: 'order', order, source });
            return { order: {} as Order, changed };
          });
        },
        putPositions: async (writer, _id, positions, _atMs, options) => {
          this.hold(writer);
          this.write({ kind: 'positions', positions, complete: options?.complete ?? false });
        },
        carryIn: async (writer, _id, positions) => {
          this.hold(writer);
          for (const position of positions) this.held.set(position.venueSymbol, position.side === 'flat' ? '0' : position.side === 'short' ? `-${position.quantity}` : position.quantity);
          this.write({ kind: 'carryIn', markets: positions.map((position) => position.venueSymbol) });
        },
        applyFunding: async (writer, _id, payments) => {
          this.hold(writer);
          const fresh = payments.filter(({ venueSymbol, venuePaymentId }) => !this.known.has(`${venueSymbol}/${venuePaymentId}`));
          for (const payment of fresh) {
            this.known.add(`${payment.venueSymbol}/${payment.venuePaymentId}`);
            this.move(payment.asset, payment.amount);
            this.write({ kind: 'funding', payment });
          }
          return fresh.length;
        },
        ledgerCash: async () => new Map(this.cash),
        bookTransfer: async (writer, _id, { asset, amount, cash }) => {
          this.hold(writer);
          if ((this.cash.get(asset) ?? '0') !== cash) return false;
          this.move(asset, amount);
          this.write({ kind: 'transfer', asset, amount });
          return true;
        },
        settleUnbooked: async (writer, _id, seenBeforeMs) => {
          this.hold(writer);
          this.settledBeforeMs.push(seenBeforeMs);
          return 0;
        },
        putBalances: async (writer) => {
          this.hold(writer);
          this.write({ kind: 'balances' });
        },
        lastFillTime: async (_id, back = 0) => [...this.fillTimes].sort((a, b) => b - a)[back] ?? null,
        heldQuantities: async () => this.held,
        checkpoint: async (_scope, data) => {
          this.checkpoint = data;
          this.looks += 1;
          this.tell();
        },
        readCheckpoint: async () => this.checkpoint,
      },
      accounts: {
        credentials: async () => ({ key: this.key }),
        setStatus: async (_id, status, reason, _writer, options) => {
          if (options?.onlyFrom !== undefined && this.account.status !== options.onlyFrom) return;
          this.account = { ...this.account, status, statusReason: reason };
          this.write({ kind: 'status', status });
        },
        alert: async (_id, data, writer) => {
          if (writer !== undefined) this.hold(writer);
          this.write({ kind: 'alert', data });
        },
      },
      working: async () => [...this.orders],
      judged: { check: async () => null, everyMs: 60_000 },
      onMismatch: (_id, kind, count) => {
        this.mismatches.push([kind, count]);
        this.tell();
      },
      onTrouble: (_id, error) => {
        this.troubles.push(error);
        this.tell();
      },
    };
  }

  private applyFills(writer: WriterEpoch, fills: readonly VenueFill[]): { newFills: number; deferred: number } {
    this.hold(writer);
    for (const fill of fills) this.mustTake(fill);
    const fresh = fills.filter((fill) => !this.known.has(fillKey(fill)));
    for (const fill of fresh) {
      this.knowFill(fill);
      this.write({ kind: 'fill', fill });
    }
    return { newFills: fresh.length, deferred: 0 };
  }

  private mustTake(what: VenueOrder | VenueFill): void {
    const error = this.refuse(what);
    if (error !== null) throw error;
  }

  private hold(writer: WriterEpoch): void {
    if (writer.epoch !== this.epoch) throw new EpochLost(writer);
  }

  private write(write: Write): void {
    this.writes.push(write);
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
