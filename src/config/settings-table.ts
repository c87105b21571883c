import { CALLER_SETTINGS } from './caller-settings-table';
import { DEPOSIT_SETTINGS } from './deposit-settings-table';
import { KEEPING_SETTINGS } from './keeping-settings-table';
import { choice, integer, optionalAddress, optionalInteger, optionalKey, optionalKeys, optionalNetworks, optionalOrigins, optionalText, optionalUrl, ratio, text, url } from './setting-kinds';
import { WAIT_SETTINGS } from './wait-settings-table';
import { WITHDRAWAL_SETTINGS } from './withdrawal-settings-table';

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
  lostMasterKey: optionalText({
    env: 'SUREFILL_LOST_MASTER_KEY',
    description: 'The id of a master key that is lost for good, as the start that misses it names it: what it sealed is given up, and its accounts wait, halted, for new keys. For one start.',
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

  ...CALLER_SETTINGS,
  ...WAIT_SETTINGS,
  ...KEEPING_SETTINGS,
  ...DEPOSIT_SETTINGS,
  ...WITHDRAWAL_SETTINGS,

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
