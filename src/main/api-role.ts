/** The API process: HTTP and sockets over ports, wired here. */
import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createApi, createHttpServer, type ApiPorts, type CallLimitRules, type VenueState } from '../api';
import type { Settings } from '../config/settings';
import { callRateOf, type CallRate } from '../domain/call-rate';
import type { ReadOptions, Venue } from '../domain/venue';
import { BookReader } from '../streams/prices/book-reader';
import { configurationNews } from '../streams/bus/configuration-news';
import { EventTail } from '../streams/event-tail';
import { OrderGateway } from '../temporal/order-gateway';
import { remoteCodec } from '../temporal/payload-codec';
import { TOPICS } from '../streams/bus/topics';
import { ensureAccountWatched, tellAccountChanged, tellAccountDeleted } from '../temporal/watching';
import { collateralPort } from './collateral';
import { depositsPort } from './deposits';
import { withdrawalsPort } from './withdrawals';
import { alertPorts } from './alerts';
import { ensureOwner, newPaperCredential } from './first-start';
import { Health } from './health';
import type { RunningRole } from './index';
import { registerStateGauges } from './metrics/state-gauges';
import type { Platform } from './platform';
import { openSockets } from './sockets';
import { StoreWatch } from './store-watch';
import { webhookPorts } from './webhooks';
import { supervisionPorts } from './supervision-ports';
import { version } from '../../package.json';

/** A read of a venue on a caller's behalf. */
const VENUE_READ_TIMEOUT_MS = 5_000;
/** After SIGTERM it goes on taking requests for so long: balancers ask /readyz each second, and learn from its 503 to send no more. */
const DRAIN_NOTICE_MS = 1_000;
/** Requests that still wait for their order after this are answered with what is known of it. */
const ANSWER_WITHIN_MS = 5_000;
/** Connections that still run after this are cut. */
const DRAIN_LIMIT_MS = 6_000;

export async function runApi(platform: Platform): Promise<RunningRole> {
  const { store, settings, logger, temporal, venues, prices, bus, clock } = platform;
  await platform.auditHeads.catchUp(() => store.audit.heads());
  await ensureOwner(platform);
  for (const account of await store.accounts.allActive()) {
    // Temporal may be away at this moment: the sweeper repairs what is missing then.
    await ensureAccountWatched(temporal.client, account).catch((error: unknown) => logger.warn({ err: error, accountId: account.id }, 'the account\'s workflow could not be started yet'));
  }
  const tail = new EventTail({ source: store.events, onError: (error) => logger.warn({ err: error }, 'event tail') });
  await tail.start();

  const venueStates = (): VenueState[] =>
    [...venues.values()].map((venue) => {
      const tickers = prices.list(venue.name, null);
      const status = tickers.length === 0 ? 'unknown' : tickers.some((ticker) => !ticker.stale) ? 'available' : 'unavailable';
      return { name: venue.name, status, capabilities: venue.capabilities };
    });
  const venueNamed = (name: string): Venue => {
    const venue = venues.get(name);
    if (venue === undefined) throw new Error(`venue ${name} is not configured`);
    return venue;
  };
  const stores = new StoreWatch({ read: () => store.states.read() });
  await stores.look();
  const health = new Health(platform, venueStates, stores);
  const gateway = new OrderGateway(temporal.client, (venue) => ({ strictNonces: venues.get(venue)?.capabilities.strictNonces ?? false, maxBatchSize: venues.get(venue)?.capabilities.maxBatchSize ?? 1 }), clock);
  const books = new BookReader(prices);
  const ports: ApiPorts = {
    collateral: collateralPort(platform),
    deposits: depositsPort(platform),
    withdrawals: withdrawalsPort(platform),
    authenticate: (apiKey) => store.users.authenticate(apiKey),
    gateway,
    orders: store.orders,
    fills: store.fills,
    positions: store.positions,
    trades: store.trades,
    ledger: store.ledger,
    balances: store.balances,
    accounts: {
      create: (account, actor) => store.accounts.create(account, actor),
      get: (id, userId) => store.accounts.get(id, userId),
      owns: (id, userId) => store.accounts.owns(id, userId),
      list: (userId) => store.accounts.list(userId),
      started: (account) => ensureAccountWatched(temporal.client, account),
      change: (id, userId, wanted, actor) => store.accountChanges.apply(id, userId, wanted, actor),
      remove: (id, userId, actor) => store.accountChanges.remove(id, userId, actor),
      setLeverage: async (account, setting, actor) => {
        const session = venueNamed(account.venue).session(await store.accounts.credentials(account.id));
        await session.setLeverage(setting.venueSymbol, setting.leverage, reading(), setting.marginMode);
        await store.accountChanges.noteLeverage(account.id, account.userId, setting, actor);
      },
      changed: async (account, { keyReplaced }) => {
        await tellAccountChanged(temporal.client, account, { keyReplaced });
        bus.publish(TOPICS.accountWake(account.id), { accountId: account.id });
      },
      removed: async (account) => {
        await tellAccountDeleted(temporal.client, account.id);
        bus.publish(TOPICS.accountWake(account.id), { accountId: account.id });
      },
    },
    riskLimits: store.riskLimits,
    configurationNews: configurationNews(bus),
    apiKeys: store.apiKeys,
    ...alertPorts(platform),
    ...webhookPorts(platform),
    signalSources: store.signalSources,
    signals: store.signals,
    riskFigures: (accountId, symbol) => store.accounts.judgedBy(accountId, [symbol]),
    denials: { record: (intent) => store.placing.recordDenied(intent) },
    ...supervisionPorts(platform),
    idempotency: store.idempotency,
    tail: { follow: (stream, listener) => followEach(tail, stream, listener) },
    events: {
      since: (stream, sequence, limit) => store.events.since(stream, sequence, limit),
      head: async (stream) => (await store.events.heads([stream])).get(stream) ?? 0,
      generation: () => store.generation(),
    },
    venues: {
      list: venueStates,
      orderBook: async (name, venueSymbol, depth) => venueNamed(name).orderBook(venueSymbol, depth, reading()),
      trades: async (name, venueSymbol, limit) => venueNamed(name).trades(venueSymbol, limit, reading()),
      candles: async (name, venueSymbol, { intervalMs, fromMs, toMs }) => venueNamed(name).candles(venueSymbol, intervalMs, fromMs, toMs, reading()),
      funding: async (name, venueSymbol) => venueNamed(name).funding(venueSymbol, reading()),
      fundingHistory: async (name, venueSymbol, fromMs, toMs) => (await venueNamed(name).fundingHistory?.(venueSymbol, fromMs, toMs, reading())) ?? null,
      tickers: async (name) => venueNamed(name).tickers(reading()),
      timeMs: async (name) => venueNamed(name).venueTimeMs(reading()),
      tryCredentials: async (name, credentials) => {
        const session = venueNamed(name).session(credentials);
        await (session.checkCredentials?.(reading()) ?? session.balances(reading()));
      },
      signerOf: (name, credentials) => venueNamed(name).signerOf?.(credentials) ?? null,
      makeCredentials: (name) => (settings.venues.find((venue) => venue.name === name)?.adapter === 'paper' ? newPaperCredential() : null),
    },
    markets: { list: (venue) => store.markets.list(venue ?? undefined), get: (venue, symbol) => store.markets.get(venue, symbol) },
    prices: { latest: (venue, symbols) => prices.list(venue, symbols), mark: (venue, symbol) => prices.markOf(venue, symbol), book: (venue, symbol) => books.read(venue, symbol) },
    health,
    callerLimits: bus.callerLimits,
    clock,
  };
  const api = createApi({ ports, log: logger, registry: platform.registry, version, placeDeadlineMs: settings.placeDeadlineMs, caches: { priceMs: settings.cachePriceMs, configurationMs: settings.cacheConfigurationMs }, limits: callLimitRules(settings), corsOrigins: settings.corsOrigins ?? [], trustedProxies: settings.trustedProxies ?? [], ...(platform.payloadCodec === null ? {} : { codec: { origins: settings.temporalUiOrigins ?? [], ...remoteCodec(platform.payloadCodec) } }) });
  const server = createHttpServer(api.app);
  const sockets = openSockets(server, platform, tail);
  registerStateGauges(platform.registry, {
    unknownOrders: () => store.gauges.unknownOrders(),
    positionsValueUsd: () => store.gauges.positionsValueUsd(),
    unprotectedMs: () => store.gauges.unprotectedMs(),
    oldestWebhookSeconds: () => store.gauges.oldestWebhookSeconds(),
    depositsByState: () => store.gauges.depositsByState(),
    chainStalledSeconds: () => health.chainStalledSeconds(),
    connections: () => sockets.connections,
    onTrouble: (error) => logger.warn({ err: error }, 'a gauge could not be read'),
  });
  const drain = drainOf(server);
  server.listen(settings.port, settings.host);
  await once(server, 'listening');
  await health.check();
  api.signalKeeper.start();
  const ended = once(server, 'close').then(() => undefined);
  return {
    ended,
    stop: async () => {
      health.drain();
      await drain.notice();
      await sockets.close();
      const answer = setTimeout(() => api.close(), ANSWER_WITHIN_MS);
      const cut = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS);
      // Requests under way are answered; idle connections are closed.
      if (server.listening) server.close();
      server.closeIdleConnections();
      await ended;
      clearTimeout(answer);
      clearTimeout(cut);
      api.close();
      health.close();
      books.close();
      stores.close();
      await tail.close();
    },
  };
}

function callLimitRules(settings: Settings): CallLimitRules {
  const { limitPrices: prices, limitOrders: orders, limitDeposits: deposits, limitAdmin: admin, limitReads: reads, limitAddressFactor: addressFactor } = settings;
  // Each text is a rate: loadSettings has parsed it.
  const rate = (text: string): CallRate | null => callRateOf(text) ?? null;
  return { rates: { prices: rate(prices), orders: rate(orders), deposits: rate(deposits), admin: rate(admin), reads: rate(reads) }, addressFactor };
}

function reading(): ReadOptions {
  return { signal: AbortSignal.timeout(VENUE_READ_TIMEOUT_MS), priority: 'read' };
}

/**
 * The first part of stopping: requests are still taken, and every answer asks its client to connect anew, so that no request
 * meets a connection that is being closed. Nobody connected: nobody to wait for.
 */
function drainOf(server: Server): { notice(): Promise<void> } {
  let draining = false;
  server.prependListener('request', (_request, response: ServerResponse) => {
    if (draining) response.setHeader('Connection', 'close');
  });
  return {
    notice: async () => {
      draining = true;
      const connections = await new Promise<number>((resolve) => server.getConnections((error, count) => resolve(error === null ? count : 0)));
      if (connections > 0) await delay(DRAIN_NOTICE_MS);
    },
  };
}

/** Each committed event of a stream from now on; follows again by itself after a resync. */
function followEach(tail: EventTail, stream: string, listener: Parameters<ApiPorts['tail']['follow']>[1]): () => void {
  return tail.followFromNow(stream, (events) => events.forEach(listener));
}
