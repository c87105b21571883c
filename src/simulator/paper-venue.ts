/**
 * The running venue: exchange, clock, journal, prices and streams tied together. Each request changes the exchange in one
 * synchronous step and then waits for `commit()`: nothing of it leaves (answer or stream) before the journal has it.
 */
import { createHash } from 'node:crypto';
import { Decimal, decimal } from '../domain/decimal';
import type { Account } from './account';
import { accountEvents } from './account-events';
import { VenueClock } from './clock';
import { PaperError } from './errors';
import { Exchange } from './exchange';
import type { Changes } from './exchange-state';
import { type Fault, Faults } from './faults';
import { Journal } from './journal';
import { INSURANCE_FUND } from './maintenance';
import type { PaperMarket } from './market';
import { type JournalRecord, Restoration, changesRecord, fundingTermsRecord, snapshotRecords } from './persistence';
import { MarketData } from './market-data';
import { PriceSource, type PriceSourceOptions } from './price-source';
import { RequestLog } from './request-log';
import { StreamHub } from './stream-hub';
import { movedRecords, tradedRecords } from './tape-records';

/** What an account made on first sight, or through the control API, starts with. */
export const STARTING_COLLATERAL = decimal('100000');
/** How often a moving generator notes where it is: a restart goes on within this much of the last price. */
const NOTE_PRICES_EACH_MS = 5_000;
/** Longest delay a timer of Node.js can have. */
const MAX_TIMER_MS = 2_147_483_647;

export interface PaperVenueOptions extends PriceSourceOptions {
  readonly markets: readonly PaperMarket[];
  /** Folder of the journal, or null: then nothing survives the process. */
  readonly home: string | null;
  readonly fsync: boolean;
  readonly openAccounts: boolean;
  readonly realNow: () => number;
  /** The journal refused a line: the venue can no longer keep its promise. */
  readonly onFatal: (error: Error) => void;
}

export class PaperVenue {
  readonly exchange: Exchange;
  readonly clock: VenueClock;
  readonly faults = new Faults();
  readonly requests = new RequestLog();
  readonly hub: StreamHub;
  readonly marketData: MarketData;
  readonly prices: PriceSource;
  readonly keys = new Map<string, string>();
  readonly revokedKeys = new Set<string>();
  /** Told of each step once it is durable: what another venue's wire makes its own frames of. */
  readonly committed = new Set<(step: CommittedStep) => void>();
  /** What a wire noted in the journal before the last stop, oldest first. */
  readonly wireNotes: unknown[] = [];
  /** What a wire wants kept of its notes when the journal is written anew. */
  wireSnapshot: () => readonly unknown[] = () => this.wireNotes;
  private readonly keyAccounts = new Map<string, Account>();
  private readonly journal: Journal | null;
  private readonly published = new Map<string, number>();
  private readonly deadMen = new Map<string, NodeJS.Timeout>();
  private noteTimer: NodeJS.Timeout | null = null;
  private dueTimer: NodeJS.Timeout | null = null;
  /** Venue time the due timer was set for. */
  private dueAt = Infinity;

  constructor(readonly options: PaperVenueOptions) {
    this.clock = new VenueClock(options.realNow);
    this.exchange = new Exchange(options.markets);
    this.hub = new StreamHub(this.faults, options.realNow);
    this.marketData = new MarketData(this.exchange.state, this.hub, () => this.clock.now());
    this.prices = new PriceSource(options, {
      open: (symbol, update) => {
        this.exchange.openMarket(symbol, update, this.clock.now());
        this.marketData.priceMoved(symbol);
        this.background();
      },
      update: (symbol, update) => {
        this.exchange.updateMarket(symbol, update, this.clock.now());
        this.marketData.priceMoved(symbol);
        this.background();
      },
      trade: (symbol, trade, depth) => {
        this.exchange.tradeMarket(symbol, trade, this.clock.now(), depth);
        this.marketData.priceMoved(symbol);
        this.background();
      },
      ambientTrade: (symbol, trade) => {
        const market = this.marketData.ambientTrade(symbol, trade);
        if (market === null) return;
        this.exchange.tradeMarket(symbol, market, this.clock.now());
        this.background();
      },
    });
    this.journal = options.home === null ? null : new Journal({ home: options.home, fsync: options.fsync, warn: options.warn, onFailure: options.onFatal }, () => this.snapshot());
  }

  async start(): Promise<void> {
    const restoration = new Restoration();
    if (this.journal !== null) {
      // The journal's first snapshot is made of the restored state, so the state is restored between reading and writing.
      await this.journal.open(restoration.apply, () => this.restore(restoration));
    }
    await this.prices.start();
    this.runDue();
    this.noteTimer = setInterval(() => this.notePrices(), NOTE_PRICES_EACH_MS);
    for (const account of this.exchange.state.accounts.values()) this.scheduleDeadMan(account);
  }

  async stop(): Promise<void> {
    this.prices.stop();
    if (this.noteTimer !== null) clearInterval(this.noteTimer);
    if (this.dueTimer !== null) clearTimeout(this.dueTimer);
    this.dueTimer = null;
    this.dueAt = -Infinity;
    for (const timer of this.deadMen.values()) clearTimeout(timer);
    this.faults.removeAll();
    if (this.journal === null) return;
    await this.write(this.whereMarketsAre());
    await this.journal.close();
  }

  /** The account a key opens. Throws UNAUTHORIZED or KEY_REVOKED; with open accounts a new key makes its account. */
  authenticate(key: string | undefined): Account {
    if (key === undefined || key === '') throw new PaperError('UNAUTHORIZED', 'send the account key in the header x-paper-key');
    if (this.revokedKeys.has(key)) throw new PaperError('KEY_REVOKED', 'this key was revoked');
    const known = this.keyAccounts.get(key);
    if (known !== undefined) return known;
    const hash = hashKey(key);
    const name = this.keys.get(hash);
    if (name === undefined && !this.options.openAccounts) throw new PaperError('UNAUTHORIZED', 'unknown key; POST /__sim/accounts makes one');
    const account = name === undefined ? this.addKey(key, `open-${hash.slice(0, 12)}`, STARTING_COLLATERAL) : this.exchange.state.account(name);
    this.keyAccounts.set(key, account);
    return account;
  }

  /** Gives a key to an account, which is made and credited if it is new. */
  addKey(key: string, name: string, credit: Decimal): Account {
    if (name === INSURANCE_FUND) throw new PaperError('BAD_REQUEST', `${INSURANCE_FUND} is the venue's own account; take another name`);
    const isNew = !this.exchange.state.accounts.has(name);
    const account = this.exchange.state.openAccount(name);
    if (isNew) this.exchange.credit(account, 'USDC', credit);
    const hash = hashKey(key);
    this.keys.set(hash, name);
    this.keyAccounts.set(key, account);
    this.keep(this.write({ keys: [[hash, name]] }));
    return account;
  }

  /** Makes what the last step changed durable and then visible on the streams. Resolves when the answer may leave. */
  commit(): Promise<void> {
    this.scheduleDue();
    const changes = this.exchange.state.drain();
    const tell = this.stepTeller(changes);
    if (changes.accounts.size === 0 && changes.orders.size === 0 && changes.amends.length === 0) {
      this.marketData.publish(changes.trades);
      if (changes.trades.length > 0) this.keep(this.write({ counters: this.exchange.state.counters, tapes: tradedRecords(this.marketData.tapes, changes.trades) }));
      tell();
      return this.journal?.settled() ?? DONE;
    }
    const messages = this.accountMessages(changes);
    this.marketData.publish(changes.trades);
    return this.write(changesRecord(this.exchange.state, changes, this.marketData.tapes)).then(() => {
      for (const { account, sequence, text } of messages) {
        this.published.set(account, sequence);
        this.hub.publish(`account:${account}`, 'account', account, text);
      }
      tell();
    });
  }

  /** Keeps something of a wire's own in the journal, in order with the steps around it. */
  note(record: unknown): void {
    this.keep(this.write({ wire: record }));
  }

  /** A step nobody waits for (market data, a timer). */
  background(): void {
    this.keep(this.commit());
  }

  /** The sequence of the last private message that went out: what a new subscriber starts after. */
  publishedSequence(account: Account): number {
    return this.published.get(account.name) ?? 0;
  }

  /** True while queries and streams must not show the order. */
  hidden(order: { hiddenUntil: number | null }): boolean {
    return order.hiddenUntil !== null && this.unskewedNow() < order.hiddenUntil;
  }

  /** The venue's clock without the faults' skew: what durations of faults are measured by. */
  unskewedNow(): number {
    return this.clock.now() - this.clock.skewMs;
  }

  /** The clock was set: what is due by it happens now. */
  setClock(): Promise<void> {
    this.exchange.restartFunding(this.clock.now());
    this.runDue();
    for (const account of this.exchange.state.accounts.values()) this.scheduleDeadMan(account);
    return this.write({ clockOffsetMs: this.clock.offsetMs });
  }

  /** Sets or clears the time at which all open orders of the account are canceled. */
  setDeadMan(account: Account, timeoutMs: number): number | null {
    account.deadManAt = timeoutMs === 0 ? null : this.clock.now() + timeoutMs;
    this.exchange.state.touch(account);
    this.scheduleDeadMan(account);
    return account.deadManAt;
  }

  /** Sets what a market charges from its next funding time on. Throws PaperError for a spot market. */
  setFunding(symbol: string, terms: { readonly rate?: Decimal; readonly intervalMs?: number }): Promise<void> {
    this.exchange.setFunding(symbol, terms, this.clock.now());
    return this.write(fundingTermsRecord(this.exchange.state));
  }

  movePrice(symbol: string, price: Decimal): Promise<void> {
    this.prices.moveTo(symbol, price);
    return this.write(this.whereMarketsAre());
  }

  /** Tells an account's stream that its key was revoked, and cuts the connections opened with that key. */
  revokeKey(fault: Fault): void {
    const key = fault.key as string;
    const hash = hashKey(key);
    this.revokedKeys.add(key);
    const name = this.keys.get(hash);
    if (name === undefined) return;
    const account = this.exchange.state.account(name);
    const message = this.message(account, { kind: 'keyRevoked' });
    this.exchange.state.touch(account);
    this.published.set(name, account.sequence);
    this.hub.publish(`account:${name}`, 'account', name, message.text);
    this.hub.closeKey(hash, KEY_REVOKED_CLOSE_CODE, 'KEY_REVOKED');
    this.background();
  }

  /** Made before the step's books are published, because publishing forgets which of them moved. */
  private stepTeller(changes: Changes): () => void {
    if (this.committed.size === 0) return () => undefined;
    const moved = [...this.exchange.state.venues.values()].filter(({ book }) => book.bids.changed.size > 0 || book.asks.changed.size > 0).map(({ market }) => market.symbol);
    return () => this.committed.forEach((listener) => listener({ changes, moved }));
  }

  private restore(restoration: Restoration): void {
    restoration.restore(this.exchange, this.marketData.tapes);
    this.wireNotes.push(...restoration.wireNotes);
    for (const account of this.exchange.state.accounts.values()) this.published.set(account.name, account.sequence);
    for (const [hash, name] of restoration.keys) this.keys.set(hash, name);
    this.clock.offsetMs = restoration.clockOffsetMs;
    this.prices.restore(restoration.prices);
  }

  private *snapshot(): Generator<string> {
    for (const record of snapshotRecords(this.exchange.state, this.marketData.tapes)) yield JSON.stringify(record);
    const rest: JournalRecord = { keys: [...this.keys], clockOffsetMs: this.clock.offsetMs, prices: this.prices.prices() };
    yield JSON.stringify(rest);
    for (const wire of this.wireSnapshot()) yield JSON.stringify({ wire });
  }

  private whereMarketsAre(): JournalRecord {
    return { prices: this.prices.prices(), tapes: movedRecords(this.marketData.tapes) };
  }

  private write(record: JournalRecord): Promise<void> {
    return this.journal === null ? DONE : this.journal.append(JSON.stringify(record));
  }

  /** For writes nobody waits for: a failure was already told to onFatal by the journal. */
  private keep(written: Promise<void>): void {
    written.catch(() => undefined);
  }

  private notePrices(): void {
    if (this.options.tickMs > 0 && this.journal !== null) this.keep(this.write(this.whereMarketsAre()));
  }

  private accountMessages(changes: Changes): AccountMessage[] {
    return accountEvents(this.exchange.state, changes, (order) => this.hidden(order)).map(({ account, event }) => this.message(account, event));
  }

  private message(account: Account, event: unknown): AccountMessage {
    const previousSequence = account.sequence;
    account.sequence += 1;
    const text = JSON.stringify({ channel: 'account', sequence: account.sequence, previousSequence, time: this.clock.now(), event });
    return { account: account.name, sequence: account.sequence, text };
  }

  /** Good-till-date orders and funding, when their time comes. */
  private runDue(): void {
    this.exchange.advance(this.clock.now());
    this.background();
  }

  private scheduleDue(): void {
    const dueAt = this.exchange.nextDueAt();
    if (dueAt === this.dueAt || this.dueAt === -Infinity) return;
    if (this.dueTimer !== null) clearTimeout(this.dueTimer);
    this.dueAt = dueAt;
    const waitMs = Math.min(MAX_TIMER_MS, Math.max(0, dueAt - this.clock.now()));
    this.dueTimer = setTimeout(() => {
      // Set anew by the commit: also when the clock was turned back meanwhile, or the wait was longer than a timer's.
      this.dueAt = Infinity;
      this.runDue();
    }, waitMs);
  }

  private scheduleDeadMan(account: Account): void {
    clearTimeout(this.deadMen.get(account.name));
    this.deadMen.delete(account.name);
    if (account.deadManAt === null) return;
    const waitMs = Math.min(MAX_TIMER_MS, Math.max(0, account.deadManAt - this.clock.now()));
    this.deadMen.set(
      account.name,
      setTimeout(() => {
        if (account.deadManAt === null) return;
        if (this.clock.now() < account.deadManAt) return this.scheduleDeadMan(account);
        account.deadManAt = null;
        this.exchange.cancelAll(account, this.clock.now(), undefined, 'DEAD_MAN');
        this.exchange.state.touch(account);
        this.background();
      }, waitMs),
    );
  }
}

export interface CommittedStep {
  readonly changes: Changes;
  /** Symbols whose books changed. */
  readonly moved: readonly string[];
}

interface AccountMessage {
  readonly account: string;
  readonly sequence: number;
  readonly text: string;
}

/** WebSocket close codes 4000 to 4999 are the application's own. */
const KEY_REVOKED_CLOSE_CODE = 4401;
const DONE = Promise.resolve();

/** Keys are kept only as hashes: a journal that leaks opens no account. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
