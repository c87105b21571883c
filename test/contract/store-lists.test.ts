/** Each list has its index: whatever is asked for, a page of it is read by an index and not much more than the page is looked at. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { OWNER, intentFor, openStoreWorld, type StoreWorld } from './store-harness';
import { PLANNER_OPTIONS, type Parameter } from '../../src/store/database';
import { listStatement, type ListFilters } from '../../src/store/listing';
import { ledgerStatement, LISTED_TRADES, TRADE_LISTS } from '../../src/store/money';
import { LISTED_ORDERS, ORDER_LISTS } from '../../src/store/orders';
import { fillListOf, LISTED_FILLS } from '../../src/store/portfolio';

/** A million rows of each table take minutes: the full run has them. */
const ROWS = process.env['SUREFILL_TEST_FULL'] === '1' ? 1_000_000 : 50_000;
const LIMIT = 100;
/** Two accounts of a page and one more row each, twice over, and the few that are open. */
const MOST_ROWS_READ = 500;
const RARE = 20;

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
  await sql.query('ANALYZE');
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
    const { rows } = await sql.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE listed(${values})`);
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
    await expectFewRead({ sql: 'SELECT * FROM events e WHERE e.stream = $1 AND e.sequence > $2::bigint ORDER BY e.sequence LIMIT $3::int', parameters: ['account:many', 20_000, LIMIT] });
  });
});
