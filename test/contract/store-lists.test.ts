/** Each list has its index: whatever is asked for, a page of it is read by an index and not much more than the page is looked at. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { OWNER, intentFor, openStoreWorld, type StoreWorld } from './store-harness';
import { ACCOUNTS_SQL } from '../../src/store/accounts';
import { API_KEYS_SQL } from '../../src/store/api-keys';
import { PLANNER_OPTIONS, type Parameter, type Row } from '../../src/store/database';
import { eventsSql } from '../../src/store/events';
import { Generation } from '../../src/store/generation';
import { listStatement, type ListFilters } from '../../src/store/listing';
import { ledgerStatement, LISTED_TRADES, TRADE_LISTS } from '../../src/store/money';
import { LISTED_ORDERS, ORDER_LISTS } from '../../src/store/orders';
import { BALANCES_SQL, fillListOf, LISTED_FILLS, positionsStatement } from '../../src/store/portfolio';
import { MARKETS_SQL } from '../../src/store/reference';

/** A million rows of each table take minutes: the full run has them. */
const ROWS = process.env['SUREFILL_TEST_FULL'] === '1' ? 1_000_000 : 50_000;
const LIMIT = 100;
/** Two accounts of a page and one more row each, twice over, and the few that are open. */
const MOST_ROWS_READ = 500;
const RARE = 20;
/** Of each other user, and of each venue. */
const OF_EACH = 50;

let world: StoreWorld;
let sql: Client;
let accountId: string;
beforeAll(async () => {
  world = await openStoreWorld();
  const account = await world.newAccount();
  await world.newAccount();
  accountId = account.id;
  const intent = intentFor(account);
  await world.store.placing.recordOrders([intent], OWNER);
  sql = new Client({ connectionString: world.databaseUrl, options: PLANNER_OPTIONS });
  await sql.connect();
  await fill(intent.id);
}, 900_000);
afterAll(async () => {
  await sql.end();
  await world.close();
});

/** Copies of one order, and as many fills, trades, ledger lines and events. The oldest few are of another market, or open. */
async function fill(orderId: string): Promise<void> {
  const columns = (await sql.query<{ name: string }>(`SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'orders' AND column_name NOT IN ('id', 'client_order_id', 'venue_client_id', 'symbol', 'state', 'created_at')`)).rows.map((row) => row.name).join(', ');
  const symbol = `CASE WHEN n <= ${RARE} THEN 'RARE-PERP' ELSE 'XRP-PERP' END`;
  const at = `timestamptz '2020-01-01' + n * interval '1 second'`;
  await sql.query(`INSERT INTO orders(${columns}, id, client_order_id, venue_client_id, symbol, state, created_at) SELECT ${columns}, 'o' || n, 'c' || n, 'v' || n, ${symbol}, CASE WHEN n <= ${RARE} THEN 'WORKING' ELSE 'FILLED' END, ${at} FROM orders, generate_series(1, ${ROWS}) n WHERE id = '${orderId}'`);
  const owner = `'${world.userId}', '${accountId}'`;
  await sql.query(`INSERT INTO fills(id, user_id, account_id, order_id, venue, symbol, venue_symbol, venue_order_id, venue_fill_id, side, price, quantity, fee, fee_asset, liquidity, at) SELECT 'f' || n, ${owner}, 'o' || n, 'paper', ${symbol}, 'X', 'v' || n, n::text, 'buy', 1, 1, 0, 'USDT', 'taker', ${at} FROM generate_series(1, ${ROWS}) n`);
  await sql.query(`INSERT INTO trades(id, user_id, account_id, venue, symbol, venue_symbol, side, asset, entry_quantity, entry_value, exit_quantity, exit_value, realized_pnl, fees, funding, carried_in, opened_at, closed_at, updated_at) SELECT 't' || n, ${owner}, 'paper', CASE WHEN n <= ${RARE} THEN 'RARE-' || n ELSE 'XRP-PERP' END, 'X', 'long', 'USDT', 1, 1, 1, 1, 0, 0, 0, false, ${at}, CASE WHEN n <= ${RARE} THEN NULL ELSE ${at} END, ${at} FROM generate_series(1, ${ROWS}) n`);
  await sql.query(`INSERT INTO ledger_entries(account_id, fact, book, asset, user_id, kind, amount, at) SELECT '${accountId}', 'fact/' || n, book, 'USDT', '${world.userId}', 'deposit', amount, now() FROM generate_series(1, ${ROWS / 2}) n, (VALUES ('cash', 1), ('transfers', -1)) v(book, amount)`);
  await sql.query(`INSERT INTO events(stream, sequence, user_id, account_id, type, at, data) SELECT 'account:many', n, ${owner}, 'order.updated', now(), '{}' FROM generate_series(1, ${ROWS}) n`);
  await fillOthers(owner);
  await sql.query('ANALYZE');
}

/** What other users have, and a few of our own: accounts, keys, positions, balances; and markets of many venues. */
async function fillOthers(owner: string): Promise<void> {
  const other = `'user-' || n % ${ROWS / OF_EACH}`;
  await sql.query(`INSERT INTO users(id, name) SELECT 'user-' || n, 'another' FROM generate_series(0, ${ROWS / OF_EACH - 1}) n`);
  await sql.query(`INSERT INTO accounts(id, user_id, name, venue, signer_id, limits) SELECT 'a' || n, ${other}, 'a' || n, 'paper', 's', '{}' FROM generate_series(1, ${ROWS}) n`);
  const keys = (id: string, user: string, rows: number): string => `INSERT INTO api_keys(id, user_id, name, key_hash, scopes) SELECT '${id}' || n, ${user}, 'k', '${id}' || n, '{read}' FROM generate_series(1, ${rows}) n`;
  const positions = (id: string, of: string, rows: number): string => `INSERT INTO positions(id, user_id, account_id, venue, symbol, venue_symbol, quantity, updated_at, closed_at, trade_id) SELECT '${id}' || n, ${of}, 'paper', 'S' || n, 'X', n % 2, now(), now(), 't' || n FROM generate_series(1, ${rows}) n`;
  const balances = (of: string, rows: number): string => `INSERT INTO balances(user_id, account_id, asset, total, available, locked, at_ms, updated_at) SELECT ${of}, 'A' || n, 1, 1, 0, 0, now() FROM generate_series(1, ${rows}) n`;
  for (const statement of [keys('k', other, ROWS), keys('own', `'${world.userId}'`, RARE), positions('p', `${other}, 'a' || n`, ROWS), positions('own', owner, RARE), balances(`${other}, 'a' || n`, ROWS), balances(owner, RARE)]) await sql.query(statement);
  await sql.query(`INSERT INTO markets(venue, symbol, venue_symbol, asset_class, base, quote, kind, tick_rule, lot, min_quantity, min_notional, max_leverage, maker_fee_rate, taker_fee_rate, status) SELECT 'venue-' || n % ${ROWS / OF_EACH}, 'M' || n, 'M' || n, 'crypto', 'M', 'USDT', 'perpetual', '{}', 1, 1, 1, 1, 0, 0, 'open' FROM generate_series(1, ${ROWS}) n`);
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Runs the statement by the plan that the store's connections keep: one that does not depend on the parameters. */
async function scansOf(statement: { readonly sql: string; readonly parameters: readonly Parameter[] }): Promise<{ readonly relation: string; readonly index: string; readonly read: number }[]> {
  await sql.query(`PREPARE listed AS ${statement.sql}`);
  try {
    const values = statement.parameters.map((value) => (typeof value === 'number' ? String(value) : sql.escapeLiteral(String(value)))).join(', ');
    const { rows } = await sql.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE listed${values === '' ? '' : `(${values})`}`);
    const nodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
    return nodes((rows[0] as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'][0].Plan)
      .filter((node) => node['Node Type'].includes('Scan') && node['Node Type'] !== 'Subquery Scan')
      .map((node) => ({ relation: node['Relation Name'] ?? '', index: node['Index Name'] ?? node['Node Type'], read: (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'] }));
  } finally {
    await sql.query('DEALLOCATE listed');
  }
}

const any: Omit<ListFilters, 'userId'> = { accountId: null, symbol: null, venue: null, cursor: null, limit: LIMIT };
const cursor = Buffer.from(JSON.stringify(['2020-01-01T05:00:00.000Z', 'o']), 'utf8').toString('base64url');
const FILTERS: readonly [string, Partial<ListFilters>][] = [['everything', {}], ['one account', { accountId: 'its' }], ['a rare market', { symbol: 'RARE-PERP' }], ['a rare market of one account', { accountId: 'its', symbol: 'RARE-PERP' }], ['one venue', { venue: 'paper' }], ['a later page', { cursor }]];
const filtersOf = (changes: Partial<ListFilters>): ListFilters => ({ ...any, userId: world.userId, ...changes, ...(changes.accountId === 'its' ? { accountId } : {}) });

async function expectFewRead(statement: { readonly sql: string; readonly parameters: readonly Parameter[] }): Promise<void> {
  const scans = await scansOf(statement);
  expect(scans.length).toBeGreaterThan(0);
  for (const scan of scans) expect([scan, scan.read <= MOST_ROWS_READ, scan.index.includes('Seq Scan')]).toEqual([scan, true, false]);
}

describe.each(FILTERS)('of %s', (_name, changes) => {
  test.each(['all', 'closed', 'open'] as const)('%s orders are read by their index', async (status) => expectFewRead(listStatement(LISTED_ORDERS, filtersOf(changes), ORDER_LISTS[status])));
  test.each(['all', 'closed', 'open'] as const)('%s trades are read by their index', async (status) => expectFewRead(listStatement(LISTED_TRADES, filtersOf(changes), TRADE_LISTS[status])));
  test('fills are read by their index', async () => expectFewRead(listStatement(LISTED_FILLS, filtersOf(changes), fillListOf(null))));
  test('the fills of an order are read by theirs', async () => expectFewRead(listStatement(LISTED_FILLS, filtersOf(changes), fillListOf('o7'))));
});

test('a list that has no index is found out', async () => {
  const unindexed = listStatement(LISTED_ORDERS, filtersOf({}), { condition: `o.time_in_force = 'FOK'` });
  await expect(expectFewRead(unindexed)).rejects.toThrow('toEqual');
});

describe('of one account', () => {
  test('the ledger is read by its index, and so is a later page', async () => {
    await expectFewRead(ledgerStatement({ userId: world.userId, accountId, cursor: null, limit: LIMIT }));
    await expectFewRead(ledgerStatement({ userId: world.userId, accountId, cursor: '2000', limit: LIMIT }));
  });

  test('a page of events is read by its key', async () => {
    const positions = JSON.stringify([{ stream: 'account:many', sequence: 20_000 }, { stream: `account:${accountId}`, sequence: 0 }]);
    await expectFewRead({ sql: eventsSql(await generationSql()), parameters: [positions, LIMIT] });
  });

  test('balances are read by their key', async () => expectFewRead({ sql: BALANCES_SQL, parameters: [accountId, world.userId] }));
});

/** As the store reads it here. */
async function generationSql(): Promise<string> {
  const rows = async <T extends Row>(statement: string, ...parameters: readonly Parameter[]): Promise<T[]> => (await sql.query<T>(statement, [...parameters])).rows;
  return (await Generation.open({ rows })).sql;
}

const POSITION_FILTERS: readonly [string, { readonly accountId?: 'its'; readonly symbol?: string; readonly venue?: string }][] = [['everything', {}], ['one account', { accountId: 'its' }], ['one market', { symbol: 'S7' }], ['one market of one account', { accountId: 'its', symbol: 'S7' }], ['one venue', { venue: 'paper' }]];
describe.each(POSITION_FILTERS)('of %s', (_name, changes) => {
  test.each(['open', 'closed', 'all'] as const)('%s positions are read by their index, with their round trips', async (status) =>
    expectFewRead(positionsStatement({ userId: world.userId, status, symbol: changes.symbol ?? null, venue: changes.venue ?? null, accountId: changes.accountId === undefined ? null : accountId })));
});

describe('among those of many others', () => {
  test.each([['accounts', ACCOUNTS_SQL], ['API keys', API_KEYS_SQL]])('a user\'s %s are read by their index', async (_name, statement) => expectFewRead({ sql: statement, parameters: [world.userId] }));

  test('the markets of a venue are read by their key', async () => expectFewRead({ sql: MARKETS_SQL.ofVenue, parameters: ['venue-7'] }));
});

test('the markets of every venue are read once, in the order of their key', async () => {
  const [listed] = (await sql.query<{ rows: string }>('SELECT count(*) AS rows FROM markets')).rows;
  const scans = await scansOf({ sql: MARKETS_SQL.all, parameters: [] });
  expect(scans).toEqual([{ relation: 'markets', index: 'markets_pkey', read: Number(listed?.rows) }]);
});
