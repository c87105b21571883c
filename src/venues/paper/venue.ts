/** The paper venue: a venue like any other, whose server is ours (src/simulator). */
import type { output } from 'zod';
import { ZERO, decimal } from '../../domain/decimal';
import type { Clock } from '../../domain/clock';
import type { Candle, FundingRate, Market, OrderBook, PublicTrade, Ticker } from '../../domain/market';
import type * as port from '../../domain/venue';
import { VenueOutcomeUnknown, VenueRefused } from '../../domain/venue-errors';
import { VenueHttpClient } from '../http';
import { VenueSocket, type SocketDialect, type SocketEvent } from '../socket';
import { VenueClock } from '../venue-clock';
import { PaperClient, privateDialect, publicDialect } from './client';
import { canonical, toFill, toFundingPayment, toMarket, toOrder, toPosition, toTicker, toTrade } from './normalize';
import * as wire from './schemas';
import { amendBytes, cancelBytes, MAX_BATCH_SIZE, placeBytes } from './signing';

/** With pages of 500, more closed orders than one look-back should hold; ask for a later time. */
const MAX_PAGES = 200;

export interface PaperVenueOptions {
  readonly name: string;
  readonly httpUrl: string;
  /** Origin; the socket's path is added. */
  readonly wsUrl: string;
  readonly options: wire.PaperOptions;
  readonly clock: Clock;
  readonly onSocketEvent?: (event: SocketEvent) => void;
}

export class PaperVenue implements port.Venue {
  readonly name: string;
  readonly capabilities: port.VenueCapabilities;
  private readonly http: VenueHttpClient;
  private readonly client: PaperClient;
  private readonly venueClock: VenueClock;
  private readonly pageSize: number;
  private readonly streams = new Set<port.VenueStream>();

  /** Throws ZodError on wrong options. */
  constructor(private readonly settings: PaperVenueOptions) {
    const options = wire.optionsSchema.parse(settings.options);
    const { clock, httpUrl: baseUrl } = settings;
    this.name = settings.name;
    this.pageSize = options.pageSize;
    this.capabilities = capabilities(options);
    this.http = new VenueHttpClient({ venue: this.name, baseUrl, clock, ...(options.readTimeoutMs === undefined ? {} : { readTimeoutMs: options.readTimeoutMs }) });
    this.venueClock = new VenueClock(clock);
    this.client = new PaperClient(this.name, this.http, this.venueClock, () => clock.nowMs());
  }

  async markets(options: port.ReadOptions): Promise<readonly Market[]> {
    const { markets } = await this.client.get('/markets', wire.marketsSchema, options);
    return markets.map((market) => toMarket(this.name, market));
  }

  async tickers(options: port.ReadOptions): Promise<readonly Ticker[]> {
    const { tickers } = await this.client.get('/tickers', wire.tickersSchema, options);
    return tickers.map((ticker) => toTicker(this.name, ticker));
  }

  async orderBook(venueSymbol: string, depth: number, options: port.ReadOptions): Promise<OrderBook> {
    const { symbol, bids, asks, sequence, time } = await this.client.get(`/orderbook?${query({ symbol: venueSymbol, depth })}`, wire.bookSchema, options);
    const levels = (side: typeof bids): [string, string][] => side.map(([price, quantity]) => [canonical(price), canonical(quantity)]);
    return { venue: this.name, symbol, bids: levels(bids), asks: levels(asks), sequence, at: time };
  }

  async trades(venueSymbol: string, limit: number, options: port.ReadOptions): Promise<readonly PublicTrade[]> {
    const { trades } = await this.client.get(`/trades?${query({ symbol: venueSymbol, limit })}`, wire.tradesSchema, options);
    return trades.map(toTrade);
  }

  async candles(venueSymbol: string, intervalMs: number, fromMs: number, toMs: number, options: port.ReadOptions): Promise<readonly Candle[]> {
    const { candles } = await this.client.get(`/candles?${query({ symbol: venueSymbol, intervalMs, from: fromMs, to: toMs })}`, wire.candlesSchema, options);
    return candles.map(({ time, ...candle }) => ({ at: time, ...candle }));
  }

  async funding(venueSymbol: string, options: port.ReadOptions): Promise<FundingRate> {
    const { symbol, rate, nextFundingTime, time } = await this.client.get(`/funding?${query({ symbol: venueSymbol })}`, wire.fundingSchema, options);
    // What it charges next is what it says now.
    return { symbol, rate: canonical(rate), predicted: canonical(rate), nextAt: nextFundingTime, at: time };
  }

  async fundingHistory(venueSymbol: string, fromMs: number, toMs: number, options: port.ReadOptions): Promise<readonly FundingRate[]> {
    const { symbol, rates } = await this.client.get(`/funding-rates?${query({ symbol: venueSymbol, from: fromMs, to: toMs })}`, wire.fundingRatesSchema, options);
    return rates.map(({ time, rate }) => ({ symbol, rate: canonical(rate), nextAt: null, at: time }));
  }

  async venueTimeMs(options: port.ReadOptions): Promise<number> {
    if (!this.venueClock.measured) {
      const { time } = await this.client.get('/time', wire.timeSchema, options);
      // A proxy may strip the header of each answer; the body says the same.
      if (!this.venueClock.measured) {
        const nowMs = this.settings.clock.nowMs();
        this.venueClock.observe({ sentAtMs: nowMs, receivedAtMs: nowMs, venueTimeMs: time });
      }
    }
    return this.venueClock.nowMs();
  }

  streamPublic(venueSymbols: readonly string[], onMessage: (message: port.PublicMessage) => void): port.VenueStream {
    return this.open(publicDialect(this.name, venueSymbols), onMessage);
  }

  /** Credentials: `{key}`. Throws VenueRefused without one. */
  session(credentials: port.VenueCredentials): port.VenueAccountSession {
    const parsed = wire.credentialsSchema.safeParse(credentials);
    if (!parsed.success) throw new VenueRefused(this.name, 'unauthorized', 'BAD_CREDENTIALS', `${this.name} needs credentials {key}: a text of 1 to 256 characters`);
    const { key } = parsed.data;
    const openStream = (onMessage: (message: port.PrivateMessage) => void): port.VenueStream => this.open(privateDialect(key, () => this.settings.clock.nowMs()), onMessage);
    return new PaperSession(this.name, key, this.client, this.pageSize, openStream);
  }

  async close(): Promise<void> {
    for (const stream of this.streams) stream.close();
    this.streams.clear();
    await this.http.close();
  }

  private open<T>(dialect: SocketDialect<T>, onMessage: (message: T) => void): port.VenueStream {
    const { wsUrl, onSocketEvent } = this.settings;
    const socket = new VenueSocket({ venue: this.name, url: new URL('/ws', wsUrl).href, dialect, onMessage, ...(onSocketEvent ? { onEvent: onSocketEvent } : {}) });
    const stream: port.VenueStream = {
      ready: socket.ready,
      close: () => {
        this.streams.delete(stream);
        socket.close();
      },
    };
    this.streams.add(stream);
    return stream;
  }
}

class PaperSession implements port.VenueAccountSession {
  constructor(
    private readonly venue: string,
    private readonly key: string,
    private readonly client: PaperClient,
    private readonly pageSize: number,
    private readonly openStream: (onMessage: (message: port.PrivateMessage) => void) => port.VenueStream,
  ) {}

  preparePlace(orders: readonly port.PlaceRequest[], context: port.PrepareContext): port.SignedRequest {
    return placeBytes(this.venue, orders, context);
  }

  prepareAmend(amendment: port.AmendRequest, context: port.PrepareContext): port.SignedRequest {
    return amendBytes(amendment, context);
  }

  prepareCancel(orders: readonly port.OrderReference[], context: port.PrepareContext): port.SignedRequest {
    return cancelBytes(this.venue, orders, context);
  }

  send(request: port.SignedRequest, options: port.SendOptions): Promise<port.SendAnswer> {
    return this.client.send(request, this.key, options);
  }

  async findOrder(order: port.OrderReference, options: port.ReadOptions): Promise<port.VenueOrder | null> {
    if (order.venueClientId === '') return this.findByVenueOrderId(order, options);
    const orders = await this.orders({ clientIds: order.venueClientId }, options);
    return orders.find(({ venueClientId }) => venueClientId === order.venueClientId) ?? null;
  }

  openOrders(options: port.ReadOptions): Promise<readonly port.VenueOrder[]> {
    return this.orders({ status: 'open', limit: this.pageSize }, options);
  }

  closedOrders(sinceMs: number, options: port.ReadOptions): Promise<readonly port.VenueOrder[]> {
    return this.orders({ status: 'closed', from: sinceMs, limit: this.pageSize }, options);
  }

  async fillsSince(sinceMs: number, cursor: string | null, options: port.ReadOptions): Promise<port.FillsPage> {
    const path = `/fills?${query({ from: sinceMs, limit: this.pageSize, ...(cursor === null ? {} : { cursor }) })}`;
    const { fills, next, truncatedBefore } = await this.client.get(path, wire.fillsSchema, options, this.key);
    return { fills: fills.map(toFill), next: next ?? null, truncatedBeforeMs: truncatedBefore ?? null };
  }

  async fundingPayments(sinceMs: number, cursor: string | null, options: port.ReadOptions): Promise<port.FundingPaymentsPage> {
    const path = `/funding-payments?${query({ from: sinceMs, limit: this.pageSize, ...(cursor === null ? {} : { cursor }) })}`;
    const { payments, next } = await this.client.get(path, wire.fundingPaymentsSchema, options, this.key);
    return { payments: payments.map(toFundingPayment), next: next ?? null };
  }

  async positions(options: port.ReadOptions): Promise<readonly port.VenuePosition[]> {
    const { positions } = await this.client.get('/positions', wire.positionsSchema, options, this.key);
    return positions.map(toPosition).filter((position) => position !== null);
  }

  async balances(options: port.ReadOptions): Promise<readonly port.VenueBalance[]> {
    const { balances } = await this.client.get('/balances', wire.balancesSchema, options, this.key);
    return balances.map(({ asset, total, available, locked }) => ({ asset, total: canonical(total), available: canonical(available), locked: canonical(locked) }));
  }

  async setLeverage(venueSymbol: string, leverage: string, options: port.ReadOptions): Promise<void> {
    if (decimal(leverage).lessThanOrEqualTo(ZERO)) throw new RangeError(`leverage must be above 0, got ${leverage}`);
    await this.client.control('/leverage', { symbol: venueSymbol, leverage }, wire.leverageSchema, options, this.key);
  }

  async setDeadManSwitch(timeoutMs: number, options: port.ReadOptions): Promise<void> {
    await this.client.control('/dead-man', { timeoutMs }, wire.deadManSchema, options, this.key);
  }

  streamPrivate(onMessage: (message: port.PrivateMessage) => void): port.VenueStream {
    return this.openStream(onMessage);
  }

  /** An order placed elsewhere may have no client id; the wire has no query by order id. */
  private async findByVenueOrderId(order: port.OrderReference, options: port.ReadOptions): Promise<port.VenueOrder | null> {
    const named = ({ venueOrderId }: port.VenueOrder): boolean => venueOrderId === order.venueOrderId;
    return (await this.openOrders(options)).find(named) ?? (await this.closedOrders(0, options)).find(named) ?? null;
  }

  private async orders(filter: Readonly<Record<string, string | number>>, options: port.ReadOptions): Promise<readonly port.VenueOrder[]> {
    const orders: port.VenueOrder[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const path: string = `/orders?${query({ ...filter, ...(cursor === null ? {} : { cursor }) })}`;
      const answer: output<typeof wire.ordersSchema> = await this.client.get(path, wire.ordersSchema, options, this.key);
      orders.push(...answer.orders.map(toOrder));
      if (!answer.next) return orders;
      cursor = answer.next;
    }
    throw new VenueOutcomeUnknown(this.venue, `${this.venue}: more than ${MAX_PAGES * this.pageSize} orders; ask for a later time`, 'unreadable');
  }
}

function query(parameters: Readonly<Record<string, string | number>>): string {
  return new URLSearchParams(Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)])).toString();
}

function capabilities(options: output<typeof wire.optionsSchema>): port.VenueCapabilities {
  return {
    resendSafety: 'uniqueClientId',
    absenceFinalAfterMs: options.absenceFinalAfterMs,
    strictNonces: false,
    nonceRule: 'none',
    acknowledgement: 'sync',
    clientIds: true,
    maxBatchSize: MAX_BATCH_SIZE,
    orderTypes: ['market', 'limit', 'stopMarket', 'stopLimit', 'takeProfitMarket', 'takeProfitLimit'],
    timesInForce: ['GTC', 'IOC', 'FOK', 'GTD'],
    triggerPriceTypes: ['mark', 'last'],
    postOnly: true,
    reduceOnly: true,
    amend: 'inPlace',
    deadManSwitch: true,
    fullFillHistory: true,
    cashBalances: true,
    budget: { capacity: options.budgetCapacity, refillPerSecond: options.budgetRefillPerSecond, reserve: 0.2 },
  };
}
