import { callRate, choice, integer, optionalNetworks, optionalOrigins } from './setting-kinds';

/** Rows of the table of settings for who may call, from where, and how often. */
export const CALLER_SETTINGS = {
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
    description: 'How long a process that gives no sign of life keeps its connections counted, its places at venues that let one address listen to a few accounts, and, as a worker, counts as alive on /readyz.',
  }),
  limitSubscriptions: integer({ env: 'SUREFILL_LIMIT_SUBSCRIPTIONS', default: 100, min: 1, max: 10_000, description: 'Subscriptions of one Socket.io connection.' }),
};
