/** What the journal's lines say, and how a venue is rebuilt from them. */
import { Decimal, ZERO, decimal } from '../domain/decimal';
import type { Account } from './account';
import type { Exchange } from './exchange';
import type { AmendAnswer, Changes, Counters, ExchangeState } from './exchange-state';
import { type FundingPayment, type FundingTerms, fundingView } from './funding';
import { type Fill, type Order, type OrderView, fillView, orderView } from './order';
import { type TapeRecord, type Tapes, TapeRestoration, tapeRecords, tradedRecords } from './tape-records';

interface OrderRecord extends OrderView {
  account: string;
  filledNotional: string;
  priority: number;
  hiddenUntil: number | null;
  /** Absent in journals written before orders had a place in the recorded queue; so are the fields of triggers and ends. */
  queueAhead?: string;
  group?: string | null;
  waitsFor?: string | null;
  wholePosition?: boolean;
}

interface FundingRecord {
  index: number;
  account: string;
  symbol: string;
  quantity: string;
  markPrice: string;
  rate: string;
  amount: string;
  time: number;
}

interface FillRecord {
  index: number;
  account: string;
  fillId: string;
  orderId: string;
  clientId: string;
  symbol: string;
  side: 'buy' | 'sell';
  price: string;
  quantity: string;
  fee: string;
  feeAsset: string;
  liquidity: 'maker' | 'taker';
  realizedPnl: string;
  time: number;
}

interface AccountRecord {
  name: string;
  sequence: number;
  deadManAt: number | null;
  balances: [asset: string, total: string][];
  holdings: { symbol: string; quantity: string; cost: string; realizedPnl: string; fundingPaid?: string; leverage: number; isolated?: boolean; addedMargin?: string }[];
}

/** One journal line: the present form of everything a step changed. Absent parts did not change. */
export interface JournalRecord {
  counters?: Counters;
  orders?: OrderRecord[];
  fills?: FillRecord[];
  accounts?: AccountRecord[];
  amends?: AmendAnswer[];
  fundings?: FundingRecord[];
  /** What markets charge, where it was set by hand. */
  fundingTerms?: { symbol: string; rate: string; intervalMs: number }[];
  /** SHA-256 of an access key, and its account. */
  keys?: [hash: string, account: string][];
  clockOffsetMs?: number;
  /** A wire's own note; what it means is that wire's. */
  wire?: unknown;
  /** Where the generator's markets are; `moved`: set by hand, so a recording no longer feeds the market. */
  prices?: { symbol: string; price: string; moved: boolean }[];
  /** Absent in journals written before trades were kept; so are the counters beside them. */
  tapes?: TapeRecord[];
}

function orderRecord(order: Order): OrderRecord {
  return {
    ...orderView(order),
    account: order.account,
    filledNotional: order.filledNotional.toFixed(),
    priority: order.priority,
    hiddenUntil: order.hiddenUntil,
    queueAhead: order.queueAhead.toFixed(),
    ...(order.group === null && order.waitsFor === null && !order.wholePosition ? {} : { group: order.group, waitsFor: order.waitsFor, wholePosition: order.wholePosition }),
  };
}

function fillRecord(fill: Fill): FillRecord {
  return { ...fillView(fill), index: fill.index, account: fill.account } as unknown as FillRecord;
}

function fundingRecord(payment: FundingPayment): FundingRecord {
  return { ...fundingView(payment), index: payment.index, account: payment.account } as unknown as FundingRecord;
}

/** The terms of every perpetual, as the journal keeps them. */
export function fundingTermsRecord(state: ExchangeState): JournalRecord {
  const perpetuals = [...state.venues.values()].filter(({ market }) => market.kind === 'perpetual');
  return { fundingTerms: perpetuals.map(({ market, funding }) => ({ symbol: market.symbol, rate: funding.rate.toFixed(), intervalMs: funding.intervalMs })) };
}

function accountRecord(account: Account): AccountRecord {
  return {
    name: account.name,
    sequence: account.sequence,
    deadManAt: account.deadManAt,
    balances: [...account.balances].map(([asset, total]) => [asset, total.toFixed()]),
    holdings: [...account.holdings.values()].map((holding) => ({
      symbol: holding.market.symbol,
      quantity: holding.quantity.toFixed(),
      cost: holding.cost.toFixed(),
      realizedPnl: holding.realizedPnl.toFixed(),
      fundingPaid: holding.fundingPaid.toFixed(),
      leverage: holding.leverage,
      ...(holding.isolated ? { isolated: true, addedMargin: holding.addedMargin.toFixed() } : {}),
    })),
  };
}

export function changesRecord(state: ExchangeState, changes: Changes, tapes: Tapes): JournalRecord {
  const record: JournalRecord = { counters: state.counters, accounts: [...changes.accounts.keys()].map(accountRecord) };
  if (changes.orders.size > 0) record.orders = [...changes.orders].map(orderRecord);
  if (changes.fills.length > 0) record.fills = changes.fills.map(fillRecord);
  if (changes.amends.length > 0) record.amends = changes.amends;
  if (changes.fundings.length > 0) record.fundings = changes.fundings.map(fundingRecord);
  if (changes.trades.length > 0) record.tapes = tradedRecords(tapes, changes.trades);
  return record;
}

/** The whole state, one order or fill a line, closed orders in the order they closed. */
export function* snapshotRecords(state: ExchangeState, tapes: Tapes): Generator<JournalRecord> {
  yield { counters: { ...state.counters } };
  for (const account of state.accounts.values()) {
    yield { accounts: [accountRecord(account)] };
    for (const [key, answer] of account.amends) yield { amends: [{ account: account.name, key, answer }] };
    for (const order of account.closed) yield { orders: [orderRecord(order)] };
    for (const order of account.open) yield { orders: [orderRecord(order)] };
    for (const fill of account.fills) yield { fills: [fillRecord(fill)] };
    for (const payment of account.fundingPayments) yield { fundings: [fundingRecord(payment)] };
  }
  yield fundingTermsRecord(state);
  for (const tape of tapeRecords(tapes)) yield { tapes: [tape] };
}

/** Gathers journal lines (later ones win) and then fills an empty exchange with them. */
export class Restoration {
  private counters: Counters | null = null;
  private readonly orders = new Map<string, OrderRecord>();
  private readonly fills = new Map<number, FillRecord>();
  private readonly accounts = new Map<string, AccountRecord>();
  private readonly amends: AmendAnswer[] = [];
  private readonly fundings = new Map<number, FundingRecord>();
  private readonly fundingTerms = new Map<string, Pick<FundingTerms, 'rate' | 'intervalMs'>>();
  private readonly tapes = new TapeRestoration();
  readonly keys = new Map<string, string>();
  readonly prices = new Map<string, { price: Decimal; moved: boolean }>();
  readonly wireNotes: unknown[] = [];
  clockOffsetMs = 0;

  readonly apply = (line: unknown): void => {
    const record = line as JournalRecord;
    if (record.counters !== undefined && record.counters.priority >= (this.counters?.priority ?? 0)) this.counters = record.counters;
    for (const order of record.orders ?? []) {
      // Deleted first, so that the map keeps the order of the last change: the order in which orders closed.
      this.orders.delete(order.orderId);
      this.orders.set(order.orderId, order);
    }
    for (const fill of record.fills ?? []) this.fills.set(fill.index, fill);
    for (const account of record.accounts ?? []) this.accounts.set(account.name, account);
    this.amends.push(...(record.amends ?? []));
    for (const payment of record.fundings ?? []) this.fundings.set(payment.index, payment);
    for (const { symbol, rate, intervalMs } of record.fundingTerms ?? []) this.fundingTerms.set(symbol, { rate: decimal(rate), intervalMs });
    for (const [hash, account] of record.keys ?? []) this.keys.set(hash, account);
    for (const { symbol, price, moved } of record.prices ?? []) this.prices.set(symbol, { price: decimal(price), moved });
    record.tapes?.forEach(this.tapes.apply);
    if (record.wire !== undefined) this.wireNotes.push(record.wire);
    this.clockOffsetMs = record.clockOffsetMs ?? this.clockOffsetMs;
  };

  restore(exchange: Exchange, tapes: Tapes): void {
    const { state } = exchange;
    this.checkMarkets(state);
    this.tapes.restore(tapes);
    for (const [symbol, tape] of tapes) state.venue(symbol).last = tape.last()?.price ?? null;
    if (this.counters !== null) Object.assign(state.counters, this.counters);
    for (const record of this.accounts.values()) restoreAccount(state, record);
    const open: Order[] = [];
    for (const record of this.orders.values()) {
      const order = restoreOrder(record);
      const account = state.account(order.account);
      state.orders.set(order.orderId, order);
      account.orders.set(order.clientId, order);
      if (order.status === 'open') open.push(order);
      else account.closed.push(order);
    }
    open.sort((a, b) => a.priority - b.priority);
    for (const order of open) {
      const account = state.account(order.account);
      account.open.add(order);
      exchange.restore(account, order);
    }
    const fills = [...this.fills.values()].sort((a, b) => a.index - b.index);
    for (const fill of fills) state.account(fill.account).fills.push(restoreFill(fill));
    const fundings = [...this.fundings.values()].sort((a, b) => a.index - b.index);
    for (const payment of fundings) state.account(payment.account).fundingPayments.push(restoreFunding(payment));
    // A market that is not open this time keeps nothing.
    for (const [symbol, terms] of this.fundingTerms) Object.assign(state.venues.get(symbol)?.funding ?? {}, terms);
    for (const { account, key, answer } of this.amends) state.account(account).amends.set(key, answer);
    state.drain();
  }

  /** A venue that opens with fewer markets than it had cannot keep what it promised in the others. */
  private checkMarkets(state: ExchangeState): void {
    const held = [...this.accounts.values()].flatMap(({ holdings }) => holdings).filter(({ quantity }) => !decimal(quantity).isZero());
    const open = [...this.orders.values()].filter(({ status }) => status === 'open');
    const missing = [...held, ...open].find(({ symbol }) => !state.venues.has(symbol));
    if (missing === undefined) return;
    throw new Error(`the journal has open orders or positions of ${missing.symbol}, which is not open now: start with its recording, or name it in --markets`);
  }
}

function restoreAccount(state: ExchangeState, record: AccountRecord): void {
  const account = state.openAccount(record.name);
  account.sequence = record.sequence;
  account.deadManAt = record.deadManAt;
  for (const [asset, total] of record.balances) account.balances.set(asset, decimal(total));
  for (const saved of record.holdings) {
    if (!state.venues.has(saved.symbol)) continue;
    const holding = account.holding(state.venue(saved.symbol).market);
    holding.quantity = decimal(saved.quantity);
    holding.cost = decimal(saved.cost);
    holding.realizedPnl = decimal(saved.realizedPnl);
    holding.fundingPaid = decimal(saved.fundingPaid ?? '0');
    holding.leverage = saved.leverage;
    holding.isolated = saved.isolated ?? holding.market.onlyIsolated === true;
    holding.addedMargin = decimal(saved.addedMargin ?? '0');
    state.noteHolder(account, saved.symbol);
  }
}

function restoreOrder(record: OrderRecord): Order {
  const quantity = decimal(record.quantity);
  const filled = decimal(record.filledQuantity);
  const { filledQuantity: _filled, avgPrice: _average, ...same } = record;
  return {
    ...same,
    price: record.price === null ? null : decimal(record.price),
    quantity,
    filled,
    leaves: quantity.minus(filled),
    filledNotional: decimal(record.filledNotional),
    expireAt: record.expireAt ?? null,
    triggerPrice: (record.triggerPrice ?? null) === null ? null : decimal(record.triggerPrice as string),
    triggerPriceType: record.triggerPriceType ?? 'mark',
    triggeredAt: record.triggeredAt ?? null,
    group: record.group ?? null,
    waitsFor: record.waitsFor ?? null,
    wholePosition: record.wholePosition ?? false,
    liquidation: record.liquidation ?? false,
    queueAhead: record.queueAhead === undefined ? ZERO : decimal(record.queueAhead),
  };
}

function restoreFunding(record: FundingRecord): FundingPayment {
  const { index, account, symbol, time } = record;
  const [quantity, markPrice, rate, amount] = [record.quantity, record.markPrice, record.rate, record.amount].map((text) => decimal(text));
  return { index, account, symbol, time, quantity, markPrice, rate, amount } as FundingPayment;
}

function restoreFill(record: FillRecord): Fill {
  return {
    ...record,
    price: decimal(record.price),
    quantity: decimal(record.quantity),
    fee: decimal(record.fee),
    realizedPnl: decimal(record.realizedPnl),
  };
}
