import { Decimal } from '../domain/decimal';
import { Account } from './account';
import { Book } from './book';
import { PaperError } from './errors';
import { Expiries } from './expiries';
import { type FundingPayment, type FundingTerms, defaultFunding } from './funding';
import type { PaperMarket } from './market';
import type { Matcher } from './matching';
import type { Fill, Order, Trade } from './order';
import { TriggerBook } from './trigger-book';

/** What one step changed: the input of the journal, of the answers and of the streams. */
export interface Changes {
  readonly orders: Set<Order>;
  readonly fills: Fill[];
  readonly trades: Trade[];
  /** Accounts with the balances' assets and the positions' symbols that changed. */
  readonly accounts: Map<Account, { assets: Set<string>; symbols: Set<string> }>;
  readonly amends: AmendAnswer[];
  readonly fundings: FundingPayment[];
}

/** The stored answer of an amend: `key` is order id and amend id. */
export interface AmendAnswer {
  readonly account: string;
  readonly key: string;
  readonly answer: string;
}

export function noChanges(): Changes {
  return { orders: new Set(), fills: [], trades: [], accounts: new Map(), amends: [], fundings: [] };
}

/** A market, its book, and who has to do with it. */
export interface Venue {
  readonly market: PaperMarket;
  readonly book: Book;
  readonly matcher: Matcher;
  readonly triggers: TriggerBook;
  readonly funding: FundingTerms;
  /** Accounts with a position here: who pays funding and who may be liquidated. */
  readonly holders: Set<Account>;
  /** Price of the last trade, or null before the first. */
  last: Decimal | null;
}

/** Numbers that must go on where they stopped after a restart. */
export interface Counters {
  orderId: number;
  tradeId: number;
  fillIndex: number;
  priority: number;
  /** Absent in journals written before there was funding. */
  fundingIndex?: number;
}

/** Every account, book and counter of the venue. No clock and no I/O: time comes in with each command. */
export class ExchangeState {
  readonly accounts = new Map<string, Account>();
  readonly orders = new Map<string, Order>();
  readonly venues = new Map<string, Venue>();
  readonly expiries = new Expiries();
  readonly counters: Counters & { fundingIndex: number } = { orderId: 0, tradeId: 0, fillIndex: 0, priority: 0, fundingIndex: 0 };
  private changes: Changes = noChanges();

  constructor(markets: readonly PaperMarket[], makeMatcher: (book: Book) => Matcher) {
    for (const market of markets) {
      const book = new Book();
      this.venues.set(market.symbol, {
        market,
        book,
        matcher: makeMatcher(book),
        triggers: new TriggerBook(),
        funding: defaultFunding(market.funding),
        holders: new Set(),
        last: null,
      });
    }
  }

  readonly markOf = (symbol: string): Decimal | null => this.venues.get(symbol)?.book.mark() ?? null;

  venue(symbol: string): Venue {
    const venue = this.venues.get(symbol);
    if (venue === undefined) throw new PaperError('UNKNOWN_MARKET', `no market ${symbol}; GET /markets lists them`);
    return venue;
  }

  account(name: string): Account {
    const account = this.accounts.get(name);
    if (account === undefined) throw new PaperError('NOT_FOUND', `no account ${name}; POST /__sim/accounts makes one`);
    return account;
  }

  /** The account of that name, made if it is new. */
  openAccount(name: string): Account {
    const found = this.accounts.get(name);
    if (found !== undefined) return found;
    const account = new Account(name);
    this.accounts.set(name, account);
    this.touch(account);
    return account;
  }

  /** Says that something of the account changed: its journal entry, its events, and what was computed from it. */
  touch(account: Account, asset?: string, symbol?: string): void {
    account.guard = null;
    let touched = this.changes.accounts.get(account);
    if (touched === undefined) {
      touched = { assets: new Set(), symbols: new Set() };
      this.changes.accounts.set(account, touched);
    }
    if (asset !== undefined) touched.assets.add(asset);
    if (symbol !== undefined) touched.symbols.add(symbol);
  }

  changed(order: Order, now: number): void {
    order.updatedAt = now;
    this.changes.orders.add(order);
  }

  recordFill(fill: Fill): void {
    this.changes.fills.push(fill);
  }

  recordTrade(trade: Trade): void {
    this.changes.trades.push(trade);
  }

  recordAmend(account: Account, key: string, answer: string): void {
    account.amends.set(key, answer);
    this.changes.amends.push({ account: account.name, key, answer });
  }

  recordFunding(account: Account, payment: FundingPayment): void {
    account.fundingPayments.push(payment);
    this.changes.fundings.push(payment);
  }

  /** Keeps the market's list of position holders true after a position changed. */
  noteHolder(account: Account, symbol: string): void {
    const { holders } = this.venue(symbol);
    if (account.position(symbol).isZero()) holders.delete(account);
    else holders.add(account);
  }

  /** The trades since the last drain; everything else stays for `drain`. */
  drainTrades(): Trade[] {
    return this.changes.trades.splice(0);
  }

  touchedAccounts(): Account[] {
    return [...this.changes.accounts.keys()];
  }

  /** Everything that changed since the last call. */
  drain(): Changes {
    const drained = this.changes;
    this.changes = noChanges();
    return drained;
  }
}
