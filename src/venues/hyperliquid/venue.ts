/** Hyperliquid and its HIP-3 dexes (trade.xyz is `xyz`), on mainnet, testnet or a simulator by configuration alone. */
import type { Clock } from '../../domain/clock';
import { decimalText } from '../../domain/decimal';
import type { Candle, FundingRate, Market, OrderBook, PublicTrade, Ticker } from '../../domain/market';
import type { Seats } from '../../domain/seats';
import type * as port from '../../domain/venue';
import { VenueRefused } from '../../domain/venue-errors';
import { addressOf } from '../ecdsa';
import { VenueHttpClient } from '../http';
import { VenueSocket, type SocketDialect, type SocketEvent } from '../socket';
import { VenueClock } from '../venue-clock';
import type { MarketView } from './actions';
import { AddressBudget } from './address-budget';
import { depositWayOf } from './bridge';
import { hyperliquidCapabilities } from './capabilities';
import { HyperliquidClient } from './client';
import { midsDialect, publicDialect } from './market-dialects';
import { DriftNotes, type OnDrift } from './drift';
import { HyperliquidFunding } from './funding';
import { assetsOf, dexOf, toTicker, toTrade, type Asset } from './normalize';
import * as wire from './schemas';
import { HyperliquidSession } from './session';
import { AccountStreams } from './streams';

/** The venue's own addresses. */
export const HYPERLIQUID_URLS = {
  mainnet: { httpUrl: 'https://api.hyperliquid.xyz', wsUrl: 'wss://api.hyperliquid.xyz' },
  testnet: { httpUrl: 'https://api.hyperliquid-testnet.xyz', wsUrl: 'wss://api.hyperliquid-testnet.xyz' },
} as const;

/** A read nobody waits for. */
const BACKGROUND_READ_MS = 5_000;
const USDC = 'USDC';
const INTERVALS: Readonly<Record<number, string>> = { 60_000: '1m', 180_000: '3m', 300_000: '5m', 900_000: '15m', 1_800_000: '30m', 3_600_000: '1h', 7_200_000: '2h', 14_400_000: '4h', 28_800_000: '8h', 43_200_000: '12h', 86_400_000: '1d', 259_200_000: '3d', 604_800_000: '1w' };
/** The venue closes a connection that was idle for 60 s. */
const PING_EVERY_MS = 5_000;

export interface HyperliquidVenueOptions {
  readonly name: string;
  readonly httpUrl: string;
  /** Origin; the socket's path is added. */
  readonly wsUrl: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly onSocketEvent?: (event: SocketEvent) => void;
  readonly onDrift?: OnDrift;
  /** Takes weight of the shared budget for what streams read by themselves; false: not now. Absent: all there is. */
  readonly spend?: (weight: number) => Promise<boolean>;
  /** Absent: counted by this object alone. */
  readonly seats?: Seats;
  readonly onSeatError?: (error: unknown) => void;
  readonly onBackgroundError?: (error: unknown) => void;
  readonly pingEveryMs?: number;
}

export class HyperliquidVenue implements port.Venue {
  readonly name: string;
  readonly capabilities: port.VenueCapabilities;
  private readonly options: wire.HyperliquidOptions;
  private readonly http: VenueHttpClient;
  private readonly client: HyperliquidClient;
  private readonly venueClock: VenueClock;
  private readonly streams = new Set<port.VenueStream>();
  private readonly assets = new Map<string, Asset>();
  private readonly middles = new Map<string, string>();
  private readonly nonces = new Map<string, number>();
  private loading: Promise<readonly Market[]> | null = null;
  private readonly view: MarketView;
  private readonly notes: DriftNotes;
  private readonly budgets = new Map<string, AddressBudget>();
  private readonly accountStreams: AccountStreams;
  private readonly fundings: HyperliquidFunding;
  /** The token that margins each dex, and tokens by index; USDC until told otherwise. */
  private readonly collaterals = new Map<string, string>();
  private tokens: readonly { readonly name: string; readonly index: number; readonly tokenId: string }[] | null = null;

  /** Throws ZodError on wrong options. */
  constructor(private readonly settings: HyperliquidVenueOptions) {
    this.options = wire.optionsSchema.parse(settings.options);
    const { clock, httpUrl: baseUrl } = settings;
    const { readTimeoutMs, slippage } = this.options;
    this.name = settings.name;
    this.capabilities = hyperliquidCapabilities(this.options);
    this.http = new VenueHttpClient({ venue: this.name, baseUrl, clock, ...(readTimeoutMs === undefined ? {} : { readTimeoutMs }) });
    this.venueClock = new VenueClock(clock);
    this.notes = new DriftNotes(() => clock.nowMs());
    this.client = new HyperliquidClient(this.name, this.http, this.venueClock, () => clock.nowMs(), this.tellDrift);
    this.view = { asset: (coin) => this.assets.get(coin) ?? null, middle: (coin) => this.middles.get(coin) ?? null, slippage, carriesCloid: (coin) => this.carriesClientId(coin) };
    this.fundings = new HyperliquidFunding(this.client, (options) => this.venueTimeMs(options), () => clock.nowMs());
    this.accountStreams = new AccountStreams({
      options: this.options,
      nowMs: () => clock.nowMs(),
      tellDrift: this.tellDrift,
      collateralOf: this.collateralOf,
      open: (dialect, onMessage) => this.open(dialect, onMessage),
      venueTimeMs: (options) => this.venueTimeMs(options),
      spend: settings.spend ?? (() => Promise.resolve(true)),
      seats: settings.seats,
      onSeatError: (error) => settings.onSeatError?.(error),
      venue: this.name,
    });
  }

  /** Metadata and the clock, then a stream of middles: a market order is an IOC limit around one. */
  async prepare(options: port.ReadOptions): Promise<void> {
    await Promise.all([this.loaded(options), this.venueTimeMs(options)]);
    const stream = this.open(midsDialect(this.options.dexes, this.tellDrift), (mids) => {
      if (mids === null) this.middles.clear();
      else for (const [coin, middle] of Object.entries(mids)) this.middles.set(coin, middle);
    });
    await stream.ready;
  }

  signerOf(credentials: port.VenueCredentials): string {
    const { agentKey } = this.credentials(credentials);
    return `${this.name}/${addressOf(Buffer.from(agentKey.replace(/^0x/, ''), 'hex'))}`;
  }

  depositWay(credentials: port.VenueCredentials) {
    return depositWayOf(this.options.network, this.credentials(credentials));
  }

  /** The venue's own markets and those of the configured dexes. Throws VenueRefused for a dex that does not exist. */
  async markets(options: port.ReadOptions): Promise<readonly Market[]> {
    const { dexes } = this.options;
    const names = dexes.length === 0 ? [null] : await this.client.info({ type: 'perpDexs' }, wire.perpDexsSchema, options);
    const lists = await Promise.all(
      ['', ...dexes].map(async (dex) => {
        const index = dex === '' ? 0 : names.findIndex((each) => each?.name === dex);
        if (index < 0) throw new VenueRefused(this.name, 'other', 'UNKNOWN_DEX', `${this.name} has no dex ${dex}; perpDexs lists ${names.flatMap((each) => each?.name ?? []).join(', ')}`);
        const meta = await this.client.info({ type: 'meta', ...(dex === '' ? {} : { dex }) }, wire.metaSchema, options);
        const { collateralToken = 0 } = meta;
        const collateral = collateralToken === 0 ? USDC : ((await this.tokenList(options)).find((token) => token.index === collateralToken)?.name ?? `token ${collateralToken}`);
        this.collaterals.set(dex, collateral);
        return assetsOf(this.name, meta, index, collateral);
      }),
    );
    for (const asset of lists.flat()) this.assets.set(asset.coin, asset);
    return lists.flat().map(({ market }) => market);
  }

  /** Marks and middles; best prices come on the stream and with the book, market by market. */
  async tickers(options: port.ReadOptions): Promise<readonly Ticker[]> {
    const at = await this.venueTimeMs(options);
    const lists = await Promise.all(['', ...this.options.dexes].map((dex) => this.client.info({ type: 'metaAndAssetCtxs', ...(dex === '' ? {} : { dex }) }, wire.metaAndContextsSchema, options)));
    return lists.flatMap(([{ universe }, contexts]) =>
      universe.flatMap(({ name }, index) => {
        const context = contexts[index];
        return context === undefined ? [] : [toTicker(this.name, name, context, at)];
      }),
    );
  }

  async orderBook(venueSymbol: string, depth: number, options: port.ReadOptions): Promise<OrderBook> {
    const { coin, time, levels } = await this.client.info({ type: 'l2Book', coin: venueSymbol }, wire.bookSchema, options);
    const [bids, asks] = levels.map((side) => side.slice(0, depth).map(({ px, sz }): [string, string] => [decimalText(px), decimalText(sz)]));
    return { venue: this.name, symbol: coin, bids: bids ?? [], asks: asks ?? [], sequence: time, at: time };
  }

  async trades(venueSymbol: string, limit: number, options: port.ReadOptions): Promise<readonly PublicTrade[]> {
    const trades = await this.client.info({ type: 'recentTrades', coin: venueSymbol }, wire.tradesSchema, options);
    return trades.slice(0, limit).map(toTrade).reverse();
  }

  async candles(venueSymbol: string, intervalMs: number, fromMs: number, toMs: number, options: port.ReadOptions): Promise<readonly Candle[]> {
    const interval = INTERVALS[intervalMs];
    if (interval === undefined) throw new RangeError(`${this.name} has no candles of ${intervalMs} ms; use one of ${Object.keys(INTERVALS).join(', ')}`);
    const candles = await this.client.info({ type: 'candleSnapshot', req: { coin: venueSymbol, interval, startTime: fromMs, endTime: toMs } }, wire.candlesSchema, options);
    return candles.map(({ t, o, h, l, c, v }) => ({ at: t, open: decimalText(o), high: decimalText(h), low: decimalText(l), close: decimalText(c), volume: decimalText(v) }));
  }

  funding(venueSymbol: string, options: port.ReadOptions): Promise<FundingRate> {
    return this.fundings.current(venueSymbol, options);
  }

  fundingHistory(venueSymbol: string, fromMs: number, toMs: number, options: port.ReadOptions): Promise<readonly FundingRate[]> {
    return this.fundings.history(venueSymbol, fromMs, toMs, options);
  }

  carriesClientId(venueSymbol: string): boolean {
    const { dexesWithoutCloid } = this.options;
    return dexesWithoutCloid.length === 0 || !dexesWithoutCloid.includes(dexOf(venueSymbol));
  }

  async venueTimeMs(options: port.ReadOptions): Promise<number> {
    if (!this.venueClock.measured) await this.client.info({ type: 'exchangeStatus' }, wire.statusSchema, options);
    return this.venueClock.nowMs();
  }

  streamPublic(venueSymbols: readonly string[], onMessage: (message: port.PublicMessage) => void): port.VenueStream {
    return this.open(publicDialect(this.name, venueSymbols, this.tellDrift), onMessage);
  }

  session(credentials: port.VenueCredentials): port.VenueAccountSession {
    return new HyperliquidSession(this.name, this.credentials(credentials), {
      client: this.client,
      view: this.view,
      options: this.options,
      tellDrift: this.tellDrift,
      loaded: (options) => this.loaded(options),
      venueTimeMs: (options) => this.venueTimeMs(options),
      nextNonce: (signer) => this.nextNonce(signer),
      collateralOf: this.collateralOf,
      tokenOf: (asset, options) => this.tokenOf(asset, options),
      budgetOf: (user) => this.budgetOf(user),
      streams: this.accountStreams,
    });
  }

  async close(): Promise<void> {
    for (const stream of this.streams) stream.close();
    this.streams.clear();
    await this.http.close();
  }

  /** Counts each time; answers whether it is news. */
  private readonly tellDrift = (what: string): boolean => {
    const news = this.notes.isNews(what);
    this.settings.onDrift?.(what, news);
    return news;
  };

  private readonly collateralOf = (dex: string): string => this.collaterals.get(dex) ?? USDC;

  private async tokenList(options: port.ReadOptions): Promise<NonNullable<typeof this.tokens>> {
    this.tokens ??= (await this.client.info({ type: 'spotMeta' }, wire.spotMetaSchema, options)).tokens;
    return this.tokens;
  }

  private async tokenOf(asset: string, options: port.ReadOptions): Promise<string> {
    const token = (await this.tokenList(options)).find(({ name }) => name === asset);
    if (token === undefined) throw new VenueRefused(this.name, 'other', 'UNKNOWN_TOKEN', `${this.name} has no token ${asset}`);
    return `${token.name}:${token.tokenId}`;
  }

  private budgetOf(user: string): AddressBudget {
    const known = this.budgets.get(user);
    if (known !== undefined) return known;
    const budget = new AddressBudget({
      nowMs: () => this.settings.clock.nowMs(),
      read: async () => {
        const { nRequestsUsed, nRequestsCap } = await this.client.info({ type: 'userRateLimit', user }, wire.rateLimitSchema, { signal: AbortSignal.timeout(BACKGROUND_READ_MS), priority: 'read' });
        return { used: nRequestsUsed, cap: nRequestsCap };
      },
      onError: (error) => this.settings.onBackgroundError?.(error),
    });
    this.budgets.set(user, budget);
    return budget;
  }

  private credentials(credentials: port.VenueCredentials) {
    const parsed = wire.credentialsSchema.safeParse(credentials);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new VenueRefused(this.name, 'unauthorized', 'BAD_CREDENTIALS', `${this.name} needs credentials {agentKey, address, vaultAddress?}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }

  private async loaded(options: port.ReadOptions): Promise<void> {
    if (this.assets.size > 0) return;
    this.loading ??= this.markets(options).finally(() => (this.loading = null));
    await this.loading;
  }

  private nextNonce(signer: string): string {
    // A nonce is a time, and must be near the venue's own.
    const nowMs = this.venueClock.measured ? Math.floor(this.venueClock.nowMs()) : this.settings.clock.nowMs();
    const nonce = Math.max(nowMs, (this.nonces.get(signer) ?? 0) + 1);
    this.nonces.set(signer, nonce);
    return String(nonce);
  }

  private open<T>(dialect: SocketDialect<T>, onMessage: (message: T) => void): port.VenueStream {
    const { wsUrl, onSocketEvent, pingEveryMs = PING_EVERY_MS } = this.settings;
    const socket = new VenueSocket({ venue: this.name, url: new URL('/ws', wsUrl).href, dialect, onMessage, rule: { pingEveryMs }, ...(onSocketEvent ? { onEvent: onSocketEvent } : {}) });
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
