/** Each list has its index: whatever is asked for, a page of it is read by an index and not much more than the page is looked at. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { routeTable, type RouteContext } from '../../../src/api/route-table';
import { ACCOUNTS_SQL } from '../../../src/store/accounts/accounts';
import { ALERT_CHANNELS_SQL } from '../../../src/store/alerts/alert-channels';
import { ALERT_RULES_SQL } from '../../../src/store/alerts/alert-rules';
import { alertsStatement } from '../../../src/store/alerts/alerts';
import { API_KEYS_SQL } from '../../../src/store/accounts/api-keys';
import { movesStatement } from '../../../src/store/money/collateral-moves';
import type { Parameter, Row } from '../../../src/store/database/database';
import { depositsStatement } from '../../../src/store/deposits/deposits';
import { eventsSql } from '../../../src/store/events';
import { Generation } from '../../../src/store/database/generation';
import { LATCHED_SQL } from '../../../src/store/risk/kill-switches';
import { listStatement, type ListFilters } from '../../../src/store/database/listing';
import { ledgerStatement, LISTED_TRADES, TRADE_LISTS } from '../../../src/store/money/money';
import { LISTED_ORDER_LISTS, ORDER_LIST_LISTS } from '../../../src/store/waiting/order-lists';
import { LISTED_ORDERS, ORDER_LISTS } from '../../../src/store/orders/orders';
import { BALANCES_SQL, fillListOf, LISTED_FILLS, positionsStatement } from '../../../src/store/money/portfolio';
import { MARKETS_SQL } from '../../../src/store/reference';
import { SIGNAL_SOURCES_SQL } from '../../../src/store/webhooks/signal-sources';
import { signalsStatement } from '../../../src/store/webhooks/signals';
import { LISTED_STRATEGIES, STRATEGY_LISTS } from '../../../src/store/waiting/strategies';
import { suspenseStatement } from '../../../src/store/deposits/suspense';
import { deliveriesStatement } from '../../../src/store/webhooks/webhook-deliveries';
import { WEBHOOKS_SQL } from '../../../src/store/webhooks/webhooks';
import { WITHDRAWAL_ADDRESSES_SQL } from '../../../src/store/deposits/withdrawal-addresses';
import { withdrawalsStatement } from '../../../src/store/deposits/withdrawals';
import { OWNER, intentFor, openStoreWorld, type StoreWorld } from './harness';
import { Plans, type ListStatement } from './lists-plans';
import { ALERT_RULE, ENDPOINT, fillLists, SOURCE } from './lists-rows';

const LIMIT = 100;
/** Two accounts of a page and one more row each, twice over, and the few that are open. */
const MOST_ROWS_READ = 500;

/**
 * Lists that no statement of the store is behind, and reads of what belongs to one thing, by its key. A route that answers with a list
 * and is neither here nor tested below fails the last test.
 */
const NO_PAGES: Readonly<Record<string, string>> = {
  readiness: 'its own checks',
  listVenues: 'from memory',
  listPrices: 'from memory',
  getOrderBook: 'from memory, or the venue',
  listMarketTrades: 'from the venue',
  listCandles: 'from the venue',
  listFunding: 'from the venue',
  listStrategyTypes: 'a catalogue',
  listEventTypes: 'a catalogue',
  getAlert: 'of one alert',
  getAlertRule: 'one row',
  getOrderList: 'the legs of one list',
  getOrderListTimeline: 'of one list',
  getDeposit: 'of one deposit',
  getDepositTimeline: 'of one deposit',
  getKillSwitch: 'of one switch',
  getOrderTimeline: 'of one order',
  getWithdrawalTimeline: 'of one withdrawal',
  getStrategyTimeline: 'of one strategy',
  getWebhook: 'one row',
  getWebhookDelivery: 'of one delivery',
};

let world: StoreWorld;
let plans: Plans;
let accountId: string;
beforeAll(async () => {
  world = await openStoreWorld();
  const account = await world.newAccount();
  await world.newAccount();
  accountId = account.id;
  const intent = intentFor(account);
  await world.store.placing.recordOrders([intent], OWNER);
  plans = await Plans.open(world.databaseUrl);
  await fillLists(plans.sql, { userId: world.userId, accountId, orderId: intent.id });
}, 900_000);
afterAll(async () => {
  await plans.close();
  await world.close();
});

const explained = new Set<string>();
/** Tests of the list that a route shows. */
function list(operationId: string, tests: () => void): void {
  explained.add(operationId);
  describe(operationId, tests);
}

const any: Omit<ListFilters, 'userId'> = { accountId: null, symbol: null, venue: null, cursor: null, limit: LIMIT };
const cursorOf = (first: string, second: string): string => Buffer.from(JSON.stringify([first, second]), 'utf8').toString('base64url');
const cursor = cursorOf('2020-01-01T05:00:00.000Z', 'o');
const FILTERS: readonly [string, Partial<ListFilters>][] = [['everything', {}], ['one account', { accountId: 'its' }], ['a rare market', { symbol: 'RARE-PERP' }], ['a rare market of one account', { accountId: 'its', symbol: 'RARE-PERP' }], ['one venue', { venue: 'paper' }], ['a later page', { cursor }]];
const filtersOf = (changes: Partial<ListFilters>): ListFilters => ({ ...any, userId: world.userId, ...changes, ...(changes.accountId === 'its' ? { accountId } : {}) });
const STATUSES = ['all', 'closed', 'open'] as const;

async function expectFewRead(statement: ListStatement): Promise<void> {
  const scans = await plans.scansOf(statement);
  expect(scans.length).toBeGreaterThan(0);
  for (const scan of scans) expect([scan, scan.read <= MOST_ROWS_READ, scan.index.includes('Seq Scan')]).toEqual([scan, true, false]);
}

list('listOrders', () => {
  describe.each(FILTERS)('of %s', (_name, changes) => {
    test.each(STATUSES)('%s are read by their index', async (status) => expectFewRead(listStatement(LISTED_ORDERS, filtersOf(changes), ORDER_LISTS[status])));
  });
});

list('listTrades', () => {
  describe.each(FILTERS)('of %s', (_name, changes) => {
    test.each(STATUSES)('%s are read by their index', async (status) => expectFewRead(listStatement(LISTED_TRADES, filtersOf(changes), TRADE_LISTS[status])));
  });
});

list('listStrategies', () => {
  describe.each(FILTERS)('of %s', (_name, changes) => {
    test.each(STATUSES)('%s are read by their index', async (status) => expectFewRead(listStatement(LISTED_STRATEGIES, filtersOf(changes), STRATEGY_LISTS[status])));
  });
});

list('listOrderLists', () => {
  describe.each(FILTERS)('of %s', (_name, changes) => {
    test.each(STATUSES)('%s are read by their index', async (status) => expectFewRead(listStatement(LISTED_ORDER_LISTS, filtersOf(changes), ORDER_LIST_LISTS[status])));
  });
});

list('listFills', () => {
  describe.each(FILTERS)('of %s', (_name, changes) => {
    test('are read by their index', async () => expectFewRead(listStatement(LISTED_FILLS, filtersOf(changes), fillListOf(null))));
    test('of an order are read by theirs', async () => expectFewRead(listStatement(LISTED_FILLS, filtersOf(changes), fillListOf('o7'))));
  });
});

list('listPositions', () => {
  describe.each<[string, Partial<ListFilters>]>([...FILTERS.slice(0, 2), ['one market', { symbol: 'S7' }], ['one market of one account', { accountId: 'its', symbol: 'S7' }], ['one venue', { venue: 'paper' }], ['a later page', { cursor: cursorOf('S3000', 'a') }]])('of %s', (_name, changes) => {
    test.each(STATUSES)('%s are read by their index, with their round trips', async (status) => expectFewRead(positionsStatement({ ...filtersOf(changes), status })));
  });
});

list('listWebhookDeliveries', () => {
  test.each([null, 'exhausted', 'delivered'] as const)('of status %s are read by their index, and so is a later page', async (status) => {
    await expectFewRead(deliveriesStatement({ endpointId: ENDPOINT, status, cursor: null, limit: LIMIT }));
    await expectFewRead(deliveriesStatement({ endpointId: ENDPOINT, status, cursor, limit: LIMIT }));
  });
});

list('listSignals', () => {
  test.each([null, 'taken', 'refused'] as const)('of status %s are read by their index, with their orders, and so is a later page', async (status) => {
    await expectFewRead(signalsStatement({ sourceId: SOURCE, status, cursor: null, limit: LIMIT }));
    await expectFewRead(signalsStatement({ sourceId: SOURCE, status, cursor, limit: LIMIT }));
  });
});

list('listAlerts', () => {
  describe.each([['everything', {}], ['one rule', { ruleId: ALERT_RULE }], ['a rare kind', { kind: 'loss' }], ['what nobody has seen', { acknowledged: false }], ['what somebody has seen', { acknowledged: true }]] as const)('of %s', (_name, filters) => {
    test.each([null, cursor])('is read by its index, with its deliveries, from %s', async (from) => {
      await expectFewRead(alertsStatement({ userId: world.userId, ruleId: null, kind: null, acknowledged: null, ...filters, cursor: from, limit: LIMIT }));
    });
  });
});

list('listDeposits', () => {
  test.each([null, 'QUOTED', 'CREDITED'] as const)('in state %s are read by their index, and so is a later page', async (state) => {
    await expectFewRead(depositsStatement({ userId: world.userId, state, cursor: null, limit: LIMIT }));
    await expectFewRead(depositsStatement({ userId: world.userId, state, cursor, limit: LIMIT }));
  });
});

list('listSuspense', () => {
  test('is read by its index, and so is a later page', async () => {
    await expectFewRead(suspenseStatement({ userId: world.userId, cursor: null, limit: LIMIT }));
    await expectFewRead(suspenseStatement({ userId: world.userId, cursor, limit: LIMIT }));
  });
});

list('listWithdrawals', () => {
  test.each([null, 'AWAITING_APPROVAL', 'COMPLETED'] as const)('in state %s are read by their index, and so is a later page', async (state) => {
    await expectFewRead(withdrawalsStatement({ userId: world.userId, state, cursor: null, limit: LIMIT }));
    await expectFewRead(withdrawalsStatement({ userId: world.userId, state, cursor, limit: LIMIT }));
  });
});

list('listCollateralMoves', () => {
  test.each([['everything', null], ['its account', 'its'], ['an account with few', 'elsewhere']] as const)('of %s are read by their index, and so is a later page', async (_name, of) => {
    const query = { userId: world.userId, accountId: of === 'its' ? accountId : of, limit: LIMIT };
    await expectFewRead(movesStatement({ ...query, cursor: null }));
    await expectFewRead(movesStatement({ ...query, cursor }));
  });
});

list('listLedger', () => {
  test('is read by its index, and so is a later page', async () => {
    await expectFewRead(ledgerStatement({ userId: world.userId, accountId, cursor: null, limit: LIMIT }));
    await expectFewRead(ledgerStatement({ userId: world.userId, accountId, cursor: '2000', limit: LIMIT }));
  });
});

list('listEvents', () => {
  test('a page is read by its key', async () => {
    const positions = JSON.stringify([{ stream: 'account:many', sequence: 20_000 }, { stream: `account:${accountId}`, sequence: 0 }]);
    const rows = async <T extends Row>(statement: string, ...parameters: readonly Parameter[]): Promise<T[]> => (await plans.sql.query<T>(statement, [...parameters])).rows;
    await expectFewRead({ sql: eventsSql((await Generation.open({ rows })).sql), parameters: [positions, LIMIT] });
  });
});

list('listBalances', () => {
  test('are read by their key', async () => expectFewRead({ sql: BALANCES_SQL, parameters: [accountId, world.userId] }));
});

for (const [operationId, sql] of Object.entries({ listAccounts: ACCOUNTS_SQL, listAlertChannels: ALERT_CHANNELS_SQL, listAlertRules: ALERT_RULES_SQL, listApiKeys: API_KEYS_SQL, listSignalSources: SIGNAL_SOURCES_SQL, listWebhooks: WEBHOOKS_SQL, listKillSwitches: LATCHED_SQL, listWithdrawalAddresses: WITHDRAWAL_ADDRESSES_SQL })) {
  list(operationId, () => {
    test('a user\'s own are read by their index among those of many others', async () => expectFewRead({ sql, parameters: [world.userId] }));
  });
}

list('listMarkets', () => {
  test('of a venue are read by their key', async () => expectFewRead({ sql: MARKETS_SQL.ofVenue, parameters: ['venue-7'] }));

  test('of every venue are read once, in the order of their key', async () => {
    const [listed] = (await plans.sql.query<{ rows: string }>('SELECT count(*) AS rows FROM markets')).rows;
    expect(await plans.scansOf({ sql: MARKETS_SQL.all, parameters: [] })).toEqual([{ relation: 'markets', index: 'markets_pkey', read: Number(listed?.rows) }]);
  });
});

test('a list that has no index is found out', async () => {
  const unindexed = listStatement(LISTED_ORDERS, filtersOf({}), { condition: `o.time_in_force = 'FOK'` });
  await expect(expectFewRead(unindexed)).rejects.toThrow('toEqual');
});

test('every route that answers with a list has its plan read here', () => {
  // Only their descriptions are read: no handler runs, so nothing needs to be behind them.
  const routes = routeTable({ ports: {}, caches: {} } as RouteContext).filter((route) => route.method === 'get');
  const listing = routes.filter(({ responses }) => responses[200]?.schema instanceof z.ZodObject && Object.values(responses[200].schema.shape).some((field) => field instanceof z.ZodArray)).map((route) => route.operationId);
  expect([...listing].sort()).toEqual([...explained, ...Object.keys(NO_PAGES)].sort());
});
