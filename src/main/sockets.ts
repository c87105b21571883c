/** Wires the Socket.io stream to the store, the event tail and the prices. */
import type { Server } from 'node:http';
import { shownDeposit } from '../domain/deposit';
import { errorBody, toDomainError } from '../api';
import type { EventTail } from '../streams/event-tail';
import { attachSockets, type Sockets } from '../streams/sockets';
import type { Platform } from './platform';

/** Rows of a snapshot, the newest: more would be held back from a client that reads slowly. Older ones are read page by page over REST. */
const SNAPSHOT_ROWS = 500;

export function openSockets(server: Server, platform: Platform, tail: EventTail): Sockets {
  const { store, prices, clock, logger } = platform;
  const page = { symbol: null, venue: null, cursor: null, limit: SNAPSHOT_ROWS } as const;
  return attachSockets(server, {
    authenticate: (token) => store.users.authenticate(token),
    ownsAccount: async (userId, accountId) => (await store.accounts.get(accountId, userId)) !== null,
    seats: platform.seats,
    resolveMarket: (venue, symbolOrAlias) => store.markets.get(venue, symbolOrAlias),
    snapshots: {
      orders: async (accountId, userId) => (await store.orders.list({ ...page, userId, accountId, status: 'open' })).orders,
      orderLists: async (accountId, userId) => (await store.orderLists.list({ ...page, userId, accountId, status: 'open' })).orderLists,
      strategies: async (accountId, userId) => (await store.strategies.list({ ...page, userId, accountId, status: 'open' })).strategies,
      fills: async (accountId, userId) => (await store.fills.list({ ...page, userId, accountId, orderId: null })).fills,
      positions: (accountId, userId) => store.positions.openOf(accountId, userId),
      balances: (accountId, userId) => store.balances.list(accountId, userId),
      trades: async (accountId, userId) => (await store.trades.list({ ...page, userId, accountId, status: 'all' })).trades,
      alerts: async (userId) => (await store.alerts.list({ userId, ruleId: null, kind: null, acknowledged: false, cursor: null, limit: SNAPSHOT_ROWS })).alerts,
      deposits: async (userId) => (await store.deposits.list({ userId, state: null, cursor: null, limit: SNAPSHOT_ROWS })).deposits.map(shownDeposit),
      account: async (accountId, userId) => [await store.accounts.get(accountId, userId)].filter((account) => account !== null),
    },
    marketIntervalMs: platform.settings.cacheAggregatedPriceMs,
    corsOrigins: platform.settings.corsOrigins ?? [],
    lastStreamAlert: (stream, upTo) => store.events.lastStreamAlert(stream, upTo),
    tail,
    prices,
    errorBody: (error, requestId) => errorBody(toDomainError(error, false), requestId, clock.nowMs()),
    clock,
    onError: (error) => logger.warn({ err: error }, 'socket'),
    limits: { subscriptionsPerSocket: platform.settings.limitSubscriptions, socketsPerUser: platform.settings.limitSockets },
    onReport: (report) => logger.info(report, 'socket'),
  });
}
