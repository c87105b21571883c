/** Wires the triggers of each venue's market watcher: PostgreSQL, Temporal, the venue's past and the markets' backups. */
import type { MarketTriggers } from '../activities/market-watcher';
import type { Venue } from '../domain/venue';
import { VenueError } from '../domain/venue-errors';
import { triggerNotice } from '../store/waiting/trigger-rows';
import { priceMessageSchema } from '../streams/prices/market-messages';
import { PRICE_STALE_AFTER_MS } from '../streams/prices/price-cache';
import { TOPICS } from '../streams/bus/topics';
import { TriggerEngine } from '../streams/triggers/trigger-engine';
import { readHistory } from '../streams/triggers/trigger-history';
import { signalTriggerCrossed } from '../temporal/trigger-signals';
import type { WatchMetrics } from './metrics/watch-metrics';
import type { Platform } from './platform';

/** For one answer about the past; a venue that takes longer is asked again. */
const HISTORY_TIMEOUT_MS = 5_000;
/** Between two lines of the log about prices of one market that fire nothing. */
const REFUSED_LOG_MS = 10_000;

export async function watchTriggers(platform: Platform, metrics: Pick<WatchMetrics, 'triggerTold' | 'pastUnread'>): Promise<{ open(venue: Venue): MarketTriggers; close(): Promise<void> }> {
  const engines = new Map<string, Set<TriggerEngine>>();
  const listening = await platform.store.events.listen((stream) => {
    for (const [venue, running] of engines) if (stream === '*' || stream === triggerNotice(venue)) for (const engine of running) engine.noticed();
  });
  const open = (venue: Venue): MarketTriggers => {
    const engine = engineOf(platform, venue, metrics);
    const running = engines.get(venue.name) ?? new Set();
    engines.set(venue.name, running.add(engine));
    const stops = (platform.settings.triggerBackups ?? [])
      .filter((backup) => backup.venue === venue.name)
      .map(({ symbol, from }) => platform.bus.subscribe(TOPICS.price(from.venue, from.symbol), (message) => {
        const price = priceMessageSchema.safeParse(message);
        if (price.success) engine.hearBackup(symbol, price.data.ticker);
      }));
    return {
      load: () => engine.load(),
      begin: (writer, watchedMs) => engine.begin(writer, watchedMs),
      hear: (message, asked) => engine.hear(message, asked),
      checkpoint: () => engine.checkpoint(),
      close: async () => {
        for (const stop of stops) stop();
        running.delete(engine);
        await engine.close();
      },
    };
  };
  return { open, close: () => listening.close() };
}

function engineOf({ store, temporal, clock, settings, logger }: Platform, venue: Venue, metrics: Pick<WatchMetrics, 'triggerTold' | 'pastUnread'>): TriggerEngine {
  const loggedMs = new Map<string, number>();
  return new TriggerEngine({
    venue: venue.name,
    clock,
    rows: store.triggers,
    rules: { bandBps: settings.triggerBandBps, confirmMs: settings.triggerConfirmMs, staleMs: PRICE_STALE_AFTER_MS },
    signal: (workflowId, evidence) => signalTriggerCrossed(temporal.client, workflowId, evidence),
    venueAheadMs: async () => (await venue.venueTimeMs({ signal: AbortSignal.timeout(HISTORY_TIMEOUT_MS), priority: 'read' })) - clock.nowMs(),
    history: async (symbol, sinceMs) => {
      const market = await store.markets.get(venue.name, symbol);
      if (market === null) return null;
      const signal = AbortSignal.timeout(HISTORY_TIMEOUT_MS);
      try {
        return await readHistory(venue, market.venueSymbol, sinceMs, await venue.venueTimeMs({ signal, priority: 'read' }), signal);
      } catch (error) {
        if (!(error instanceof VenueError)) throw error;
        logger.warn({ venue: venue.name, symbol, err: error }, 'what was traded while nobody watched cannot be read yet');
        return null;
      }
    },
    onTold: (_evidence, lagMs) => metrics.triggerTold(venue.name, lagMs),
    onRefused: (symbol, verdict) => {
      const key = `${symbol} ${verdict}`;
      if (clock.nowMs() - (loggedMs.get(key) ?? -Infinity) < REFUSED_LOG_MS) return;
      loggedMs.set(key, clock.nowMs());
      logger.warn({ venue: venue.name, symbol, verdict }, 'a price that fires no trigger');
    },
    onUnread: () => metrics.pastUnread(venue.name),
    onTrouble: (error) => logger.warn({ venue: venue.name, err: error }, 'triggers'),
  });
}
