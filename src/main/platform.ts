/** What every role stands on: the bus, the venues, the prices, the store. Opened in the order they need each other. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings';
import type { VenueSettings } from '../config/venue-settings';
import { systemClock, type Clock } from '../domain/clock';
import type { KeyProvider } from '../domain/key-provider';
import type { Venue } from '../domain/venue';
import { environmentKeyProvider, fileKeyProvider } from '../store/keys/local-key-provider';
import { openStore, type Store } from '../store';
import { migrate } from '../store/database/migrate';
import type { RetentionRules } from '../store/retention';
import type { Bus } from '../streams/bus/bus';
import { configurationNews, tellStatusChanges } from '../streams/bus/configuration-news';
import { HubBus } from '../streams/bus/hub-bus';
import { PriceCache } from '../streams/prices/price-cache';
import { TOPIC_PREFIXES } from '../streams/bus/topics';
import { RedisBus } from '../streams/bus/redis-bus';
import { SeatKeeper } from '../streams/bus/seat-keeper';
import { connectTemporal, type TemporalClient } from '../temporal/connection';
import { EncryptingCodec } from '../temporal/payload-codec';
import { createVenues, type VenueConfig } from '../venues';
import { backOffMs, READ_BACK_OFF, sleepUnlessAborted } from '../venues/back-off';
import { ecdsaOfProcess } from '../venues/ecdsa';
import { HYPERLIQUID_URLS } from '../venues/hyperliquid/venue';
import { SettingError } from '../config/settings';
import { checkVenues } from './checked-settings';
import { AuditHeads } from './audit-heads';
import type { Logger } from './logger';
import { processRegistry } from './metrics/process-registry';
import { TradeMetrics } from './metrics/trade-metrics';
import { VenueMetrics } from './metrics/venue-metrics';

export interface Platform {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly production: boolean;
  /** What /metrics of this process prints. */
  readonly registry: Registry;
  readonly bus: Bus;
  readonly prices: PriceCache;
  readonly venues: ReadonlyMap<string, Venue>;
  readonly store: Store;
  /** Of this process, counted over all. */
  readonly seats: SeatKeeper;
  readonly keyProvider: KeyProvider;
  readonly temporal: TemporalClient;
  /** Encrypts what Temporal stores; null unless it is turned on. */
  readonly payloadCodec: EncryptingCodec | null;
  readonly auditHeads: AuditHeads;
  close(): Promise<void>;
}

/** `listens`: the process listens on HOST and PORT, so that whoever does so next knows that it is gone. */
export async function openPlatform(settings: Settings, logger: Logger, production: boolean, listens: boolean): Promise<Platform> {
  const databaseUrl = settings.databaseUrl;
  const temporalAddress = settings.temporalAddress;
  if (databaseUrl === undefined) throw new SettingError('DATABASE_URL must be set for a role that is started by itself (npm start sets it)');
  if (temporalAddress === undefined) throw new SettingError('TEMPORAL_ADDRESS must be set for a role that is started by itself (npm start sets it)');
  checkVenues(settings.venues);
  const clock = systemClock;
  await migrate(databaseUrl);
  const bus = openBus(settings, clock, logger);
  const registry = processRegistry();
  // Nobody asks for a seat before the store is open: venues are opened before it and ask later.
  const seats: SeatKeeper = new SeatKeeper({
    holder: { id: randomUUID(), place: listens ? `${hostname()}/${settings.host}:${settings.port}` : null, leaseMs: settings.seatLeaseMs },
    store: () => store.seats,
    nowMs: () => performance.now(),
    onError: (error) => logger.warn({ err: error }, 'seats: the database could not be told; this process keeps what it has'),
  });
  const venueMetrics = new VenueMetrics(registry);
  const venues = createVenues(settings.venues.map((venue) => venueConfig(venue, settings)), {
    budget: bus.rateBudget,
    clock,
    seats,
    onSeatError: (venue, error) => logger.warn({ err: error, venue }, 'a seat for a user\'s stream could not be asked for: the user is polled, and it is asked for again'),
    onBudgetError: (error) => logger.warn({ err: error }, 'the shared request budget did not answer'),
    onBreakerChange: (venue, state) => {
      venueMetrics.onBreakerChange(venue, state);
      logger.warn({ venue, state }, 'circuit breaker changed');
    },
    onDrift: (venue, what, news) => {
      venueMetrics.onDrift(venue);
      if (news) logger.error({ venue, what }, 'schema drift: the venue says something its adapter does not know');
    },
    onCall: venueMetrics.onCall,
    onBudget: venueMetrics.onBudget,
    onSocketEvent: venueMetrics.onSocketEvent,
  });
  venueMetrics.begin(venues.keys());
  if (settings.venues.some(({ adapter }) => adapter === 'hyperliquid')) logger.info({ curve: ecdsaOfProcess().ecdsa.kind, reason: ecdsaOfProcess().reason }, 'signing with secp256k1');
  const prices = new PriceCache({ bus, clock });
  mkdirSync(settings.home, { recursive: true });
  const auditHeads = new AuditHeads(settings.home, logger);
  const keyProvider = settings.masterKey === undefined ? fileKeyProvider(path.join(settings.home, 'master-key')) : environmentKeyProvider([settings.masterKey]);
  const store = await openStore({
    databaseUrl,
    poolSize: settings.databasePoolSize,
    poolWaitMs: settings.databasePoolWaitMs,
    statementTimeoutMs: settings.databaseStatementTimeoutMs,
    lockTimeoutMs: settings.databaseLockTimeoutMs,
    retention: retentionRules(settings),
    keyProvider,
    clock,
    venues,
    markOf: (venue, symbol) => prices.markOf(venue, symbol),
    quoteOf: (venue, symbol) => prices.quoteOf(venue, symbol),
    log: logger,
    onAuditHead: auditHeads.keep,
  });
  const payloadCodec = settings.payloadKeys === undefined ? null : new EncryptingCodec(settings.payloadKeys, settings.temporalNamespace);
  store.events.onCommitted(new TradeMetrics(registry).onCommitted);
  store.events.onCommitted(tellStatusChanges(configurationNews(bus)));
  // Another process changed an account: its key may be another. One that was not heard of is read again after seconds.
  const unheed = bus.subscribe(TOPIC_PREFIXES.accountWake, ({ accountId }) => {
    if (typeof accountId === 'string') store.accounts.forgetCredentials(accountId);
  });
  const temporal = connectTemporal(temporalAddress, settings.temporalNamespace, payloadCodec);
  return {
    settings,
    logger,
    clock,
    production,
    registry,
    bus,
    prices,
    venues,
    store,
    seats,
    keyProvider,
    temporal,
    payloadCodec,
    auditHeads,
    close: async () => {
      await temporal.close();
      unheed();
      prices.close();
      await Promise.all([...venues.values()].map((venue) => venue.close()));
      await seats.close();
      await store.close();
      await bus.close();
    },
  };
}

/** One attempt at a venue's metadata. */
const PREPARE_WITHIN_MS = 10_000;
const DAY_MS = 86_400_000;

function retentionRules({ retentionIdempotencyDays, retentionSignedRequestsDays, retentionEventsDays, retentionWebhooksDays, retentionAlertsDays }: Settings): RetentionRules {
  return { idempotencyMs: retentionIdempotencyDays * DAY_MS, signedRequestsMs: retentionSignedRequestsDays * DAY_MS, eventsMs: retentionEventsDays * DAY_MS, webhooksMs: retentionWebhooksDays * DAY_MS, alertsMs: retentionAlertsDays * DAY_MS };
}

function openBus(settings: Settings, clock: Clock, logger: Logger): Bus {
  const onReport = (report: object): void => logger.warn(report, 'bus');
  if (settings.redisUrl !== undefined) return new RedisBus({ url: settings.redisUrl, clock, onReport });
  if (settings.hubUrl !== undefined && settings.hubToken !== undefined) return new HubBus({ url: settings.hubUrl, token: settings.hubToken, clock, onReport });
  throw new SettingError('REDIS_URL must be set for a role that is started by itself (npm start also offers a loopback hub)');
}

function venueConfig(venue: VenueSettings, settings: Settings): VenueConfig {
  const network = venue.network ?? 'testnet';
  const own = venue.adapter === 'hyperliquid' ? HYPERLIQUID_URLS[network] : undefined;
  const [httpUrl, wsUrl] = [venue.httpUrl ?? own?.httpUrl, venue.wsUrl ?? own?.wsUrl];
  if (httpUrl === undefined || wsUrl === undefined) {
    const name = venue.name.toUpperCase().replaceAll('-', '_');
    throw new SettingError(`SUREFILL_${name}_HTTP_URL and SUREFILL_${name}_WS_URL must be set: venue ${venue.name} has no address`);
  }
  const more = venue.adapter === 'hyperliquid' ? { network, dexes: venue.dexes, dexesWithoutCloid: venue.dexesWithoutCloid, ...(venue.weightPerMinute === undefined ? {} : { weightPerMinute: venue.weightPerMinute }) } : {};
  return { name: venue.name, adapter: venue.adapter, httpUrl, wsUrl, options: { absenceFinalAfterMs: settings.absenceFinalAfterMs, ...more } };
}

/** Loads what preparing requests needs, of every venue that says so. A venue that is away is tried again until it answers. */
export async function prepareVenues({ venues, logger }: Pick<Platform, 'venues' | 'logger'>, stopped: AbortSignal): Promise<void> {
  await Promise.all([...venues.values()].map((venue) => prepareVenue(venue, logger, stopped)));
}

async function prepareVenue(venue: Venue, logger: Logger, stopped: AbortSignal): Promise<void> {
  for (let attempt = 0; venue.prepare !== undefined && !stopped.aborted; attempt += 1) {
    try {
      await venue.prepare({ signal: AbortSignal.any([stopped, AbortSignal.timeout(PREPARE_WITHIN_MS)]), priority: 'read' });
      return;
    } catch (error) {
      logger.warn({ venue: venue.name, err: error }, 'the venue could not be prepared yet: its orders are refused until it is');
      await sleepUnlessAborted(backOffMs(READ_BACK_OFF, attempt), stopped);
    }
  }
}
