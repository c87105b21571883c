import { DEPOSIT_SETTINGS } from './deposit-settings-table';
import { callRate, choice, integer, marketBackups, optionalAddress, optionalInteger, optionalKey, optionalKeys, optionalNetworks, optionalOrigins, optionalText, optionalUrl, ratio, text, url } from './setting-kinds';
import { WITHDRAWAL_SETTINGS } from './withdrawal-settings-table';

const DAY_MS = 86_400_000;
const PORT_RANGE = { min: 1, max: 65_535 } as const;

/**
 * Every setting, once. Adding one is adding a row here and a line to `.env.example` (a test compares the two).
 * The addresses of each venue are named after it and are parsed in venue-settings.ts.
 */
export const SETTINGS_TABLE = {
  // Addresses
  host: text({ env: 'HOST', default: '127.0.0.1', description: 'Address the API listens on; 0.0.0.0 in a container.' }),
  port: integer({ env: 'PORT', default: 3000, ...PORT_RANGE, description: 'Port of the API. The default in use: the next free one.' }),
  home: text({ env: 'SUREFILL_HOME', default: '.surefill', description: 'Folder of all data, keys and logs of `npm start`.' }),
  logLevel: choice({
    env: 'LOG_LEVEL',
    default: 'info',
    words: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    description: 'How much the processes log.',
  }),

  // Who may call
  plainHttp: choice({
    env: 'SUREFILL_PLAIN_HTTP',
    default: 'loopback',
    words: ['loopback', 'anywhere'],
    description: 'Where HTTP without TLS may be served: on loopback addresses only, or anywhere because something in front has TLS.',
  }),
  corsOrigins: optionalOrigins({
    env: 'SUREFILL_CORS_ORIGINS',
    description: 'Web pages that may call the API: a comma list of origins. Absent: only pages of this server.',
  }),
  trustedProxies: optionalNetworks({
    env: 'SUREFILL_TRUSTED_PROXIES',
    description: 'Proxies whose X-Forwarded-For is believed: a comma list of IP addresses or networks. Absent: none.',
  }),
  limitPrices: callRate({ env: 'SUREFILL_LIMIT_PRICES', default: '100/min', description: 'Prices, books, candles, trades, funding, venue health, per API key; off, or a rate such as 10/s burst 50.' }),
  limitOrders: callRate({ env: 'SUREFILL_LIMIT_ORDERS', default: '10/s', description: 'Orders placed, amended, canceled, closed, per API key; each order of a batch counts. Exits have a quarter more.' }),
  limitDeposits: callRate({ env: 'SUREFILL_LIMIT_DEPOSITS', default: '5/min', description: 'Deposits begun, per API key.' }),
  limitAdmin: callRate({ env: 'SUREFILL_LIMIT_ADMIN', default: '50/min', description: 'Administrative calls (keys, accounts, limits), per API key.' }),
  limitReads: callRate({ env: 'SUREFILL_LIMIT_READS', default: '50/s', description: 'Every other read, per API key.' }),
  limitAddressFactor: integer({
    env: 'SUREFILL_LIMIT_ADDRESS_FACTOR',
    default: 4,
    min: 1,
    max: 1_000_000,
    description: 'How many times the limits above one IP address may use, over all its API keys and without any.',
  }),
  limitSockets: integer({ env: 'SUREFILL_LIMIT_SOCKETS', default: 50, min: 1, max: 100_000, description: 'Socket.io connections of one user, over all API processes.' }),
  seatLeaseMs: integer({
    env: 'SUREFILL_SEAT_LEASE_MS',
    default: 15_000,
    min: 1_500,
    max: 600_000,
    unit: 'ms',
    description: 'How long a process that gives no sign of life keeps its connections counted, and its places at venues that let one address listen to a few accounts.',
  }),
  limitSubscriptions: integer({ env: 'SUREFILL_LIMIT_SUBSCRIPTIONS', default: 100, min: 1, max: 10_000, description: 'Subscriptions of one Socket.io connection.' }),

  // PostgreSQL
  databaseUrl: optionalUrl({
    env: 'DATABASE_URL',
    schemes: ['postgresql', 'postgres'],
    secret: true,
    description: 'A PostgreSQL server of yours; without it, one is started.',
  }),
  postgresPort: integer({
    env: 'POSTGRES_PORT',
    default: 54_329,
    ...PORT_RANGE,
    description: 'Port of the PostgreSQL that is started. The default in use: the next free one.',
  }),
  databasePoolSize: integer({
    env: 'DATABASE_POOL_SIZE',
    default: 10,
    min: 2,
    max: 100,
    unit: 'connections',
    description: 'Connections each process keeps to PostgreSQL.',
  }),
  databaseStatementTimeoutMs: integer({
    env: 'DATABASE_STATEMENT_TIMEOUT_MS',
    default: 5_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    description: 'A statement that takes longer is cancelled by PostgreSQL.',
  }),
  databasePoolWaitMs: integer({
    env: 'DATABASE_POOL_WAIT_MS',
    default: 2_000,
    min: 10,
    max: 60_000,
    unit: 'ms',
    description: 'How long a caller waits for one of these connections before PostgreSQL counts as away.',
  }),
  databaseLockTimeoutMs: integer({
    env: 'DATABASE_LOCK_TIMEOUT_MS',
    default: 500,
    min: 10,
    max: 60_000,
    unit: 'ms',
    description: 'How long a statement waits for a row that another transaction holds; then the transaction is tried again.',
  }),

  // Temporal
  temporalAddress: optionalAddress({
    env: 'TEMPORAL_ADDRESS',
    description: 'A Temporal server of yours as host:port; without it, one is started.',
  }),
  temporalNamespace: text({ env: 'TEMPORAL_NAMESPACE', default: 'default', description: 'Namespace of all workflows.' }),
  temporalPort: integer({
    env: 'TEMPORAL_PORT',
    default: 7233,
    ...PORT_RANGE,
    description: 'Port of the Temporal server that is started. The default in use: the next free one.',
  }),
  temporalUiPort: integer({
    env: 'TEMPORAL_UI_PORT',
    default: 8233,
    ...PORT_RANGE,
    description: 'Port of the Temporal Web UI that is started. The default in use: the next free one.',
  }),
  temporalRetentionDays: integer({
    env: 'TEMPORAL_RETENTION_DAYS',
    default: 7,
    min: 1,
    max: 3_650,
    unit: 'days',
    description: 'How long the Temporal server that is started keeps the history of an ended workflow.',
  }),

  payloadKeys: optionalKeys({
    env: 'TEMPORAL_PAYLOAD_KEYS',
    description: 'Encrypts what Temporal stores: a comma list of keys, 32 bytes each in base64 or hexadecimal; the first encrypts, all decrypt. Absent: the Web UI reads it as it is.',
  }),
  temporalUiOrigins: optionalOrigins({
    env: 'TEMPORAL_UI_ORIGINS',
    description: 'Where the Temporal Web UI is served, a comma list: its pages may use the codec endpoint. Set by `npm start` for the one it starts.',
  }),

  // Between processes
  redisUrl: optionalUrl({
    env: 'REDIS_URL',
    schemes: ['redis', 'rediss'],
    secret: true,
    description: 'A Redis server of yours; without it, a redis-server on PATH, else a loopback hub.',
  }),
  hubUrl: optionalText({ env: 'SUREFILL_HUB_URL', description: 'Set by `npm start` for its children: the loopback hub.' }),
  hubToken: optionalText({
    env: 'SUREFILL_HUB_TOKEN',
    secret: true,
    description: 'Set by `npm start` for its children: what the loopback hub asks for.',
  }),

  // Keys
  masterKey: optionalKey({
    env: 'SUREFILL_MASTER_KEY',
    description: 'Seals stored credentials: 32 bytes in base64 or hexadecimal. Absent: made on the first start, kept in master-key.',
  }),

  // Venues
  venueList: text({
    env: 'SUREFILL_VENUES',
    default: 'paper',
    description: 'Venues to trade on: a comma list of name or name:adapter, like paper,paper2:paper.',
  }),
  paperData: optionalText({
    env: 'SUREFILL_PAPER_DATA',
    description: 'A recording the paper venue replays, gzipped or not: Bybit order-book lines, a trades CSV, a JSON array of trades, or 1-minute candles; without it, a seeded generator.',
  }),
  paperDataMarket: optionalText({
    env: 'SUREFILL_PAPER_DATA_MARKET',
    description: 'The market that recording feeds, like ETH-PERP; without it, as the messages or the name of the file say.',
  }),
  paperSpeed: ratio({
    env: 'SUREFILL_PAPER_SPEED',
    default: 1,
    min: 0,
    max: 10_000,
    description: 'How many times faster than recorded the paper venue replays; 0 holds the first book.',
  }),
  paperSeed: integer({
    env: 'SUREFILL_PAPER_SEED',
    default: 1,
    min: 0,
    max: 4_294_967_295,
    description: 'Seed of the generated prices of the paper venue.',
  }),

  ...DEPOSIT_SETTINGS,
  ...WITHDRAWAL_SETTINGS,

  // Waits
  durationScale: ratio({
    env: 'SUREFILL_DURATION_SCALE',
    default: 1,
    min: 0.001,
    max: 10,
    description: 'Multiplies the long waits below that say so; tests use 0.1.',
  }),
  absenceFinalAfterMs: integer({
    env: 'SUREFILL_ABSENCE_FINAL_AFTER_MS',
    default: 120_000,
    min: 1,
    max: DAY_MS,
    unit: 'ms',
    scaled: true,
    description: 'How long after its deadline an order must be absent at the venue before that counts as never placed. Scaled.',
  }),
  placeDeadlineMs: integer({
    env: 'SUREFILL_PLACE_DEADLINE_MS',
    default: 10_000,
    min: 100,
    max: DAY_MS,
    unit: 'ms',
    description: 'An order that certainly was not sent within this time after its intent is refused.',
  }),
  auditPollMs: integer({
    env: 'SUREFILL_AUDIT_POLL_MS',
    default: 30_000,
    min: 10,
    max: DAY_MS,
    unit: 'ms',
    scaled: true,
    storable: true,
    description: 'Time between two reads of the venue that do not trust its stream. Scaled.',
  }),
  sweepIntervalMs: integer({
    env: 'SUREFILL_SWEEP_INTERVAL_MS',
    default: 10_000,
    min: 10,
    max: DAY_MS,
    unit: 'ms',
    scaled: true,
    storable: true,
    description: 'Time between two looks of the sweeper for orders that nobody owns. Scaled.',
  }),
  unprotectedAlertMs: integer({
    env: 'SUREFILL_UNPROTECTED_ALERT_MS',
    default: 30_000,
    min: 0,
    max: DAY_MS,
    unit: 'ms',
    description: 'How long an open position may have no stop that covers it before its account is told (account.alert of kind UNPROTECTED). 0: for ever.',
  }),
  triggerBandBps: integer({
    env: 'SUREFILL_TRIGGER_BAND_BPS',
    default: 1_000,
    min: 1,
    max: 10_000,
    unit: 'basis points',
    description: "A price further than this from the market's last fires nothing until the market's other prices or time confirm it.",
  }),
  triggerConfirmMs: integer({
    env: 'SUREFILL_TRIGGER_CONFIRM_MS',
    default: 500,
    min: 0,
    max: 60_000,
    unit: 'ms',
    description: 'How long such a price has to stand, by more than one message, before it counts.',
  }),
  triggerBackups: marketBackups({
    env: 'SUREFILL_TRIGGER_BACKUPS',
    description: 'Where triggers take a price from while its own venue is silent: venue/SYMBOL=venue/SYMBOL, a comma list.',
  }),
  stuckAfterMs: integer({
    env: 'SUREFILL_STUCK_AFTER_MS',
    default: 10_000,
    min: 10,
    max: DAY_MS,
    unit: 'ms',
    scaled: true,
    storable: true,
    description: 'An order in a passing state for longer is looked at by the sweeper. Scaled.',
  }),

  // Caches (orders, positions, fills and balances are never served from one)
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

  // Retention (orders, fills, evidence and the audit log are kept for ever)
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

  // Webhooks
  webhookHttp: choice({ env: 'SUREFILL_WEBHOOK_HTTP', default: 'refused', words: ['refused', 'allowed'], description: 'Whether webhooks may be delivered to http: URLs: refused or allowed. https: always is.' }),
  webhookAllowedNetworks: optionalNetworks({
    env: 'SUREFILL_WEBHOOK_ALLOWED_NETWORKS',
    description: 'Addresses that are not public and may be delivered to all the same: a comma list of IP addresses or networks. Absent: none.',
  }),
  webhookProxyUrl: optionalUrl({
    env: 'SUREFILL_WEBHOOK_PROXY_URL',
    schemes: ['http', 'https'],
    secret: true,
    description: 'An egress proxy that makes the connections of webhooks; which addresses a name may lead to is its policy then.',
  }),

  // Alerts to people
  telegramUrl: url({ env: 'SUREFILL_TELEGRAM_URL', default: 'https://api.telegram.org', schemes: ['http', 'https'], description: 'Where alerts for Telegram are sent: its own servers, or a Bot API server of yours.' }),
  smtpUrl: optionalUrl({
    env: 'SUREFILL_SMTP_URL',
    schemes: ['smtp', 'smtps'],
    secret: true,
    description: 'The mail server that alerts by e-mail go through, like smtp://user:password@mail.example.com:587. Absent: no e-mail.',
  }),
  smtpFrom: optionalText({ env: 'SUREFILL_SMTP_FROM', description: 'The address that alerts by e-mail come from. Needed where SUREFILL_SMTP_URL is given.' }),
  smtpTls: choice({ env: 'SUREFILL_SMTP_TLS', default: 'required', words: ['required', 'offered', 'none'], description: 'Whether an smtp: server must take STARTTLS, may, or is not asked. smtps: is TLS from the start.' }),
  smtpCaFile: optionalText({ env: 'SUREFILL_SMTP_CA_FILE', description: 'Certificates (PEM) that the mail server may be signed by. Absent: the well-known ones.' }),

  // Watching
  metricsPort: optionalInteger({
    env: 'METRICS_PORT',
    ...PORT_RANGE,
    description: 'Port on which a worker or watcher serves /metrics; absent: none (the API serves its own). `npm start`: the watcher takes the next free one.',
  }),
};

export type SettingsTable = typeof SETTINGS_TABLE;
