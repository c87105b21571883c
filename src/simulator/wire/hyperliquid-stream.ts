/** /ws of the simulated Hyperliquid: subscriptions, pings, and requests posted over the socket. */
import type { WebSocket } from 'ws';
import { PaperError } from '../errors';
import { type Order } from '../order';
import type { CommittedStep, PaperVenue } from '../paper-venue';
import type { StreamClient } from '../stream-hub';
import { readFields } from './fields';
import { coinOf, dexOf, type InfoContext, readInfo } from './hyperliquid-info';
import { isParked } from './hyperliquid-groups';
import { ownerOf, readAddress } from './hyperliquid-users';
import { assetByCoin, DEXES } from './hyperliquid-universe';
import * as views from './hyperliquid-views';

/** Most recent fills in the first message of userFills. */
const SNAPSHOT_FILLS = 100;
/** Mids and books go out at least this often, as at the venue, which tells them with each of its blocks. */
const MARKETS_EVERY_MS = 500;

type Subscription = Readonly<Record<string, unknown>>;
/** What a subscription is to be sent first, and the topic of what follows; each frame names its fault channel. */
interface Opened {
  readonly topic: string;
  readonly channel: 'account' | 'book' | 'ticker' | 'trades';
  readonly account: string | null;
  readonly first: readonly string[];
}

const frame = (channel: string, data: unknown): string => JSON.stringify({ channel, data });

export class HyperliquidStream {
  private readonly venue: PaperVenue;
  private readonly mids: NodeJS.Timeout;
  private readonly replaced: { order: Order; oid: number }[] = [];

  constructor(
    private readonly context: InfoContext,
    private readonly act: (body: unknown) => Promise<unknown>,
  ) {
    this.venue = context.venue;
    this.venue.committed.add((step) => this.step(step));
    this.mids = setInterval(() => this.publishAll(), MARKETS_EVERY_MS);
    this.mids.unref();
  }

  /** An order got a new id: the old one is told as canceled after the new one was told as open. */
  noteReplaced(order: Order, oid: number): void {
    this.replaced.push({ order, oid });
  }

  serve(socket: WebSocket): void {
    const client = this.venue.hub.add(socket);
    socket.on('close', () => this.venue.hub.remove(client));
    // The socket closes itself after an error: there is nothing else to do here.
    socket.on('error', () => this.venue.hub.remove(client));
    socket.on('message', (data: Buffer) => {
      this.answer(client, data.toString('utf8')).catch((error: unknown) => {
        const words = error instanceof PaperError ? error.message : `Error parsing JSON into valid websocket request: ${data.toString('utf8').slice(0, 200)}`;
        this.venue.hub.reply(client, { channel: 'error', data: words });
      });
    });
  }

  private async answer(client: StreamClient, text: string): Promise<void> {
    const fields = readFields(JSON.parse(text));
    switch (fields.oneOf('method', ['ping', 'subscribe', 'unsubscribe', 'post'])) {
      case 'ping':
        this.venue.hub.reply(client, { channel: 'pong' });
        break;
      case 'subscribe':
        this.subscribe(client, fields.value('subscription'));
        break;
      case 'unsubscribe': {
        const { topic } = this.open(fields.value('subscription') as Subscription);
        this.venue.hub.unsubscribe(client, topic);
        this.venue.hub.reply(client, { channel: 'subscriptionResponse', data: { method: 'unsubscribe', subscription: fields.value('subscription') } });
        break;
      }
      case 'post':
        await this.post(client, fields.integer('id', 0), readFields(fields.value('request')));
        break;
    }
  }

  private async post(client: StreamClient, id: number, request: ReturnType<typeof readFields>): Promise<void> {
    const type = request.oneOf('type', ['info', 'action']);
    const payload = request.value('payload');
    const answer = type === 'info' ? { type: String((payload as { type?: unknown }).type), data: readInfo(this.context, payload) } : await this.act(payload);
    this.venue.hub.reply(client, { channel: 'post', data: { id, response: { type, payload: answer } } });
  }

  private subscribe(client: StreamClient, subscription: unknown): void {
    const opened = this.open(subscription as Subscription);
    // What changed in this very step goes out first, so that a snapshot is not followed by what it already holds.
    this.venue.background();
    this.venue.hub.subscribe(client, opened.topic);
    if (opened.account !== null) client.account = opened.account;
    this.venue.hub.reply(client, { channel: 'subscriptionResponse', data: { method: 'subscribe', subscription } });
    for (const text of opened.first) this.venue.hub.sendSnapshot(client, text);
  }

  private open(subscription: Subscription): Opened {
    const { venue } = this.context;
    const now = venue.clock.now();
    const type = readFields(subscription).text('type');
    const user = 'user' in subscription ? readAddress(subscription['user']) : null;
    const account = { channel: 'account', account: user } as const;
    if (user !== null) {
      switch (type) {
        case 'orderUpdates':
        case 'userEvents':
        case 'userNonFundingLedgerUpdates':
        case 'notification':
          return { ...account, topic: `${type}:${user}`, first: [] };
        case 'userFills': {
          const fills = (readInfo(this.context, { type: 'userFills', user }) as unknown[]).slice(0, SNAPSHOT_FILLS);
          return { ...account, topic: `userFills:${user}`, first: [frame('userFills', { user, isSnapshot: true, fills })] };
        }
        case 'userFundings':
          return { ...account, topic: `userFundings:${user}`, first: [frame('userFundings', { user, isSnapshot: true, fundings: [] })] };
        case 'clearinghouseState':
          return { ...account, topic: `clearinghouseState:${dexOf(subscription)}:${user}`, first: [this.clearinghouse(user, dexOf(subscription))] };
        case 'webData2':
          return { ...account, topic: `webData2:${user}`, first: [this.webData(user)] };
        case 'webData3':
          return { ...account, topic: `webData3:${user}`, first: [this.summary(user)] };
        case 'activeAssetData':
          return { ...account, topic: `activeAssetData:${coinOf(subscription)}:${user}`, first: [this.assetData(user, coinOf(subscription))] };
      }
    }
    switch (type) {
      case 'allMids':
        return { channel: 'ticker', account: null, topic: `allMids:${dexOf(subscription)}`, first: [frame('allMids', { mids: views.midsView(venue, dexOf(subscription)), ...(dexOf(subscription) === '' ? {} : { dex: dexOf(subscription) }) })] };
      case 'l2Book':
        return { channel: 'book', account: null, topic: `l2Book:${coinOf(subscription)}`, first: [frame('l2Book', views.bookView(venue.exchange.state, coinOf(subscription), now))] };
      case 'trades':
        return { channel: 'trades', account: null, topic: `hlTrades:${coinOf(subscription)}`, first: [] };
      case 'bbo':
        return { channel: 'ticker', account: null, topic: `bbo:${coinOf(subscription)}`, first: [this.bbo(coinOf(subscription), now)] };
      case 'candle':
        return { channel: 'ticker', account: null, topic: `candle:${coinOf(subscription)}`, first: [] };
      case 'activeAssetCtx':
        return { channel: 'ticker', account: null, topic: `activeAssetCtx:${coinOf(subscription)}`, first: [frame('activeAssetCtx', { coin: coinOf(subscription), ctx: views.assetContext(venue, coinOf(subscription)) })] };
      default:
        throw new PaperError('BAD_REQUEST', `Error parsing JSON into valid websocket request: ${JSON.stringify(subscription).slice(0, 200)}`);
    }
  }

  private step({ changes, moved }: CommittedStep): void {
    const { hub, exchange } = this.venue;
    const { orders: all } = exchange.state;
    const updates = new Map<string, unknown[]>();
    const add = (account: string, update: unknown): void => {
      const { user } = ownerOf(account);
      updates.set(user, [...(updates.get(user) ?? []), update]);
    };
    for (const order of changes.orders) {
      if (this.venue.hidden(order) || isParked(order)) continue;
      add(order.account, { order: views.orderView(order), status: views.statusOf(order), statusTimestamp: order.updatedAt });
    }
    for (const { order, oid } of this.replaced.splice(0)) {
      if (!this.venue.hidden(order)) add(order.account, { order: { ...views.orderView(order), oid }, status: 'canceled', statusTimestamp: order.updatedAt });
    }
    for (const [user, list] of updates) hub.publish(`orderUpdates:${user}`, 'account', user, frame('orderUpdates', list));
    const fills = new Map<string, unknown[]>();
    for (const fill of changes.fills) {
      const { user } = ownerOf(fill.account);
      this.context.notes.note(exchange.state.account(fill.account), all);
      this.context.users.addVolume(user, fill.price.times(fill.quantity));
      const order = all.get(fill.orderId);
      if (order === undefined || !this.venue.hidden(order)) fills.set(user, [...(fills.get(user) ?? []), this.context.notes.view(fill)]);
    }
    for (const [user, list] of fills) {
      hub.publish(`userFills:${user}`, 'account', user, frame('userFills', { user, fills: list }));
      hub.publish(`userEvents:${user}`, 'account', user, frame('user', { fills: list }));
    }
    for (const payment of changes.fundings) {
      const { user } = ownerOf(payment.account);
      const funding = { time: payment.time, coin: payment.symbol, usdc: views.wireText(payment.amount), szi: views.wireText(payment.quantity), fundingRate: views.wireText(payment.rate), nSamples: null };
      hub.publish(`userFundings:${user}`, 'account', user, frame('userFundings', { user, fundings: [funding] }));
    }
    for (const [account] of changes.accounts) this.publishAccount(account.name);
    for (const trade of changes.trades) hub.publish(`hlTrades:${trade.symbol}`, 'trades', null, frame('trades', [views.tradeView(trade)]));
    for (const coin of moved) this.publishMarket(coin);
  }

  private publishAccount(name: string): void {
    const { hub } = this.venue;
    const { user, dex } = ownerOf(name);
    const topic = `clearinghouseState:${dex}:${user}`;
    if (dex !== 'spot' && hub.hasListeners(topic)) hub.publish(topic, 'account', user, this.clearinghouse(user, dex));
    if (hub.hasListeners(`webData2:${user}`)) hub.publish(`webData2:${user}`, 'account', user, this.webData(user));
  }

  private publishMarket(coin: string): void {
    const { hub, exchange } = this.venue;
    const now = this.venue.clock.now();
    if (hub.hasListeners(`l2Book:${coin}`)) hub.publish(`l2Book:${coin}`, 'book', null, frame('l2Book', views.bookView(exchange.state, coin, now)));
    if (hub.hasListeners(`bbo:${coin}`)) hub.publish(`bbo:${coin}`, 'ticker', null, this.bbo(coin, now));
    if (hub.hasListeners(`activeAssetCtx:${coin}`)) hub.publish(`activeAssetCtx:${coin}`, 'ticker', null, frame('activeAssetCtx', { coin, ctx: views.assetContext(this.venue, coin) }));
    this.publishMids(assetByCoin(coin)?.dex ?? '');
  }

  private publishAll(): void {
    const { hub, exchange } = this.venue;
    this.publishMids();
    for (const coin of exchange.state.venues.keys()) {
      if (hub.hasListeners(`l2Book:${coin}`)) hub.publish(`l2Book:${coin}`, 'book', null, frame('l2Book', views.bookView(exchange.state, coin, this.venue.clock.now())));
    }
  }

  private publishMids(dex?: string): void {
    for (const each of dex === undefined ? DEXES.map(({ name }) => name) : [dex]) {
      if (!this.venue.hub.hasListeners(`allMids:${each}`)) continue;
      this.venue.hub.publish(`allMids:${each}`, 'ticker', null, frame('allMids', { mids: views.midsView(this.venue, each), ...(each === '' ? {} : { dex: each }) }));
    }
  }

  private bbo(coin: string, time: number): string {
    const { levels } = views.bookView(this.venue.exchange.state, coin, time) as { levels: readonly [unknown[], unknown[]] };
    return frame('bbo', { coin, time, bbo: [levels[0][0] ?? null, levels[1][0] ?? null] });
  }

  private clearinghouse(user: string, dex: string): string {
    return frame('clearinghouseState', { dex, user, clearinghouseState: readInfo(this.context, { type: 'clearinghouseState', user, dex }) });
  }

  private webData(user: string): string {
    const read = (type: string): unknown => readInfo(this.context, { type, user });
    const [meta, assetCtxs] = readInfo(this.context, { type: 'metaAndAssetCtxs' }) as [unknown, unknown];
    return frame('webData2', { spotAssetCtxs: [], clearinghouseState: read('clearinghouseState'), openOrders: read('frontendOpenOrders'), meta, assetCtxs, serverTime: this.venue.clock.now(), user, isVault: false, agentAddress: null, agentValidUntil: null, cumLedger: '0.0', totalVaultEquity: '0.0', leadingVaults: [], twapStates: [] });
  }

  /** What became of webData2: the account itself, its parts have channels of their own. */
  private summary(user: string): string {
    const serverTime = this.venue.clock.now();
    return frame('webData3', { userState: { agentAddress: null, agentValidUntil: null, cumLedger: '0.0', serverTime, isVault: this.context.users.vaultLeaders.has(user), user }, perpDexStates: DEXES.map(() => ({ totalVaultEquity: '0.0' })) });
  }

  private assetData(user: string, coin: string): string {
    const { markPx } = views.assetContext(this.venue, coin) as { markPx: string };
    const { market } = this.venue.exchange.state.venue(coin);
    const value = this.context.users.account(user, assetByCoin(coin)?.dex ?? '')?.holding(market).leverage ?? market.maxLeverage;
    return frame('activeAssetData', { user, coin, leverage: { type: 'cross', value }, maxTradeSzs: ['0.0', '0.0'], availableToTrade: ['0.0', '0.0'], markPx });
  }
}
