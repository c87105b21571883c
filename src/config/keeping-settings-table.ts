import { integer } from './setting-kinds';

const DAY_MS = 86_400_000;

/** Rows of the table of settings for how long something is kept: caches, and what the database deletes. */
export const KEEPING_SETTINGS = {
  // Caches: orders, positions, fills and balances are never served from one.
  cacheAggregatedPriceMs: integer({ env: 'CACHE_AGGREGATED_PRICE_MS', default: 100, min: 10, max: 60_000, unit: 'ms', description: 'Time between two price or book events of one market at a client; changes in between are told together.' }),
  cachePriceMs: integer({ env: 'CACHE_PRICE_MS', default: 30_000, min: 0, max: 3_600_000, unit: 'ms', description: 'How old the figures of a price that its stream does not bring may be: volume and funding.' }),
  cachePairsMs: integer({ env: 'CACHE_PAIRS_MS', default: 300_000, min: 1_000, max: DAY_MS, unit: 'ms', description: 'Time between two reads of a venue\'s markets: pairs, ticks, lots, fees.' }),
  cacheConfigurationMs: integer({
    env: 'CACHE_CONFIGURATION_MS',
    default: 60_000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    description: 'How long an API process remembers an account\'s configuration when word of its change is lost; else it forgets it at once.',
  }),

  // Retention: orders, fills, evidence and the audit log are kept for ever.
  retentionIdempotencyDays: integer({ env: 'RETENTION_IDEMPOTENCY_DAYS', default: 7, min: 1, max: 365, unit: 'days', description: 'How long the answer to an Idempotency-Key is remembered.' }),
  retentionSignedRequestsDays: integer({ env: 'RETENTION_SIGNED_REQUESTS_DAYS', default: 1, min: 1, max: 365, unit: 'days', description: 'How long the sealed bytes of a request stay after their deadline.' }),
  retentionEventsDays: integer({ env: 'RETENTION_EVENTS_DAYS', default: 365, min: 7, max: 36_500, unit: 'days', description: 'How long events can be read again; a client that asks for older ones is told to resync.' }),
  retentionWebhooksDays: integer({
    env: 'RETENTION_WEBHOOKS_DAYS',
    default: 30,
    min: 1,
    max: 36_500,
    unit: 'days',
    description: 'How long webhook deliveries and their attempts stay once delivered or discarded; exhausted ones stay as long as events do, if that is longer.',
  }),
  retentionAlertsDays: integer({ env: 'RETENTION_ALERTS_DAYS', default: 365, min: 8, max: 36_500, unit: 'days', description: 'How long alerts and their messages stay once every channel has carried them or given up.' }),
  pruneIntervalMinutes: integer({
    env: 'RETENTION_INTERVAL_MINUTES',
    default: 60,
    min: 1,
    max: 10_080,
    unit: 'minutes',
    description: 'Time between two runs of the Temporal schedule that deletes what is older.',
  }),
};
