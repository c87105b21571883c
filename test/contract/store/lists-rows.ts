/** Many rows of every table that a list is read from: of one account, and of many other users. */
import type { Client } from 'pg';

/** A million rows of each table take minutes: the full run has them. */
export const ROWS = process.env['SUREFILL_TEST_FULL'] === '1' ? 1_000_000 : 50_000;
/** Of another market, or open; and what there is of our own among other users'. */
export const RARE = 20;
/** Of each other user, and of each venue. */
const OF_EACH = 50;
/** Positions of the account: as many markets as a venue may come to have. */
const HELD = 5_000;
export const ENDPOINT = 'endpoint';
export const SOURCE = 'source';
export const ALERT_RULE = 'rule';

export interface RowsOwner {
  readonly userId: string;
  readonly accountId: string;
  readonly orderId: string;
}

const AT = `timestamptz '2020-01-01' + n * interval '1 second'`;
const SYMBOL = `CASE WHEN n <= ${RARE} THEN 'RARE-PERP' ELSE 'XRP-PERP' END`;
const series = (rows: number): string => `FROM generate_series(1, ${rows}) n`;
const OTHER = `'user-' || n % ${ROWS / OF_EACH}`;

export async function fillLists(sql: Client, owner: RowsOwner): Promise<void> {
  for (const statement of [...(await ofOneAccount(sql, owner)), ...amongOthers(owner), 'ANALYZE']) await sql.query(statement);
}

/** Copies of one order, and as many fills, trades, ledger lines, events, strategies and deliveries. The oldest few are of another market, open, or exhausted. */
async function ofOneAccount(sql: Client, { userId, accountId, orderId }: RowsOwner): Promise<string[]> {
  const columns = (await sql.query<{ name: string }>(`SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'orders' AND column_name NOT IN ('id', 'client_order_id', 'venue_client_id', 'symbol', 'state', 'created_at')`)).rows.map((row) => row.name).join(', ');
  const owner = `'${userId}', '${accountId}'`;
  return [
    `INSERT INTO orders(${columns}, id, client_order_id, venue_client_id, symbol, state, created_at) SELECT ${columns}, 'o' || n, 'c' || n, 'v' || n, ${SYMBOL}, CASE WHEN n <= ${RARE} THEN 'WORKING' ELSE 'FILLED' END, ${AT} FROM orders, generate_series(1, ${ROWS}) n WHERE id = '${orderId}'`,
    `INSERT INTO fills(id, user_id, account_id, order_id, venue, symbol, venue_symbol, venue_order_id, venue_fill_id, side, price, quantity, fee, fee_asset, liquidity, at) SELECT 'f' || n, ${owner}, 'o' || n, 'paper', ${SYMBOL}, 'X', 'v' || n, n::text, 'buy', 1, 1, 0, 'USDT', 'taker', ${AT} ${series(ROWS)}`,
    `INSERT INTO trades(id, user_id, account_id, venue, symbol, venue_symbol, side, asset, entry_quantity, entry_value, exit_quantity, exit_value, realized_pnl, fees, funding, carried_in, opened_at, closed_at, updated_at) SELECT 't' || n, ${owner}, 'paper', CASE WHEN n <= ${RARE} THEN 'RARE-' || n ELSE 'XRP-PERP' END, 'X', 'long', 'USDT', 1, 1, 1, 1, 0, 0, 0, false, ${AT}, CASE WHEN n <= ${RARE} THEN NULL ELSE ${AT} END, ${AT} ${series(ROWS)}`,
    `INSERT INTO ledger_entries(account_id, fact, book, asset, user_id, kind, amount, at) SELECT '${accountId}', 'fact/' || n, book, 'USDT', '${userId}', 'deposit', amount, now() FROM generate_series(1, ${ROWS / 2}) n, (VALUES ('cash', 1), ('transfers', -1)) v(book, amount)`,
    `INSERT INTO events(stream, sequence, user_id, account_id, type, at, data) SELECT 'account:many', n, ${owner}, 'order.updated', now(), '{}' ${series(ROWS)}`,
    `INSERT INTO order_lists(id, client_list_id, user_id, account_id, venue, symbol, type, state, legs, owner_workflow_id, created_at, updated_at, ended_at) SELECT 'l' || n, 'l' || n, ${owner}, 'paper', ${SYMBOL}, 'OUO', 'ACTIVE', '[]', 'w', ${AT}, ${AT}, CASE WHEN n <= ${RARE} THEN NULL ELSE ${AT} END ${series(ROWS)}`,
    `INSERT INTO strategies(id, client_strategy_id, user_id, account_id, venue, symbol, venue_symbol, type, side, quantity, reduce_only, parameters, state, owner_workflow_id, created_at, updated_at, ended_at) SELECT 's' || n, 'c' || n, ${owner}, 'paper', ${SYMBOL}, 'X', 'twap', 'buy', 1, false, '{}', CASE WHEN n <= ${RARE} THEN 'RUNNING' ELSE 'COMPLETED' END, 'w', ${AT}, ${AT}, CASE WHEN n <= ${RARE} THEN NULL ELSE ${AT} END ${series(ROWS)}`,
    `INSERT INTO signals(id, user_id, source_id, account_id, kind, alert, address, client_id, status, received_at, place_before) SELECT 'g' || n, '${userId}', '${SOURCE}', '${accountId}', 'order', '{}', 'a', 'c' || n, CASE WHEN n <= ${RARE} THEN 'taken' ELSE 'refused' END, ${AT}, ${AT} ${series(ROWS)}`,
    // The oldest few are of another rule and kind, and nobody has seen them; each was delivered.
    `INSERT INTO alerts(id, user_id, rule_id, rule_name, kind, subject, title, body, data, suppressed, raised_at, acknowledged_at) SELECT 'al' || n, '${userId}', CASE WHEN n <= ${RARE} THEN '${ALERT_RULE}' ELSE 'another' END, 'r', CASE WHEN n <= ${RARE} THEN 'loss' ELSE 'fill' END, 's', 't', 'b', '{}', 0, ${AT}, CASE WHEN n <= ${RARE} THEN NULL ELSE ${AT} END ${series(ROWS)}`,
    `INSERT INTO alert_notices(channel_id, alert_id, user_id, rule_id, raised_at, ready_at, due_at, message_id) SELECT 'own' || n % ${RARE} + 1, 'al' || n, '${userId}', '${ALERT_RULE}', ${AT}, ${AT}, ${AT}, CASE WHEN n <= ${RARE} THEN NULL ELSE 'm' || n END ${series(ROWS)}`,
    `INSERT INTO alert_messages(id, user_id, channel_id, target_hash, kind, subject, body, status, created_at) SELECT 'm' || n, '${userId}', 'own' || n % ${RARE} + 1, 'h', 'alerts', 's', 'b', CASE WHEN n <= 2 * ${RARE} THEN 'pending' ELSE 'delivered' END, ${AT} ${series(ROWS)}`,
    `INSERT INTO deposits(id, user_id, kind, state, to_chain_id, to_address, data, steps, created_at, updated_at) SELECT 'd' || n, '${userId}', 'bridge', CASE WHEN n <= ${RARE} THEN 'QUOTED' ELSE 'CREDITED' END, 1, 'a', '{}', 1, ${AT}, ${AT} ${series(ROWS)}`,
    `INSERT INTO chain_transfers(chain_id, tx_hash, log_index, block_hash, block_number, user_id, token, asset, from_address, to_address, amount, state, deposit_id, seen_at, final_at, updated_at) SELECT 1, 'x' || n, 0, 'b', n, '${userId}', 't', 'USDC', 'f', 'a', 1, CASE WHEN n % 2 = 0 THEN 'unclaimed' ELSE 'deposit' END, NULL, ${AT}, ${AT}, ${AT} ${series(ROWS)}`,
    `INSERT INTO withdrawals(id, user_id, state, asset, amount, data, steps, created_at, updated_at) SELECT 'w' || n, '${userId}', CASE WHEN n <= ${RARE} THEN 'AWAITING_APPROVAL' ELSE 'COMPLETED' END, 'USDC', 1, '{}', 0, ${AT}, ${AT} ${series(ROWS)}`,
    `INSERT INTO collateral_moves(id, user_id, account_id, state, data, send_until_ms, basis, key_id, wrapped_key, created_at, updated_at) SELECT 'm' || n, '${userId}', CASE WHEN n <= ${RARE} THEN 'elsewhere' ELSE '${accountId}' END, 'APPLIED', '{}', 0, '{}', 'k', '', ${AT}, ${AT} ${series(ROWS)}`,
    `INSERT INTO withdrawal_addresses(id, user_id, address, label, created_at, usable_at) SELECT 'wa' || n, CASE WHEN n <= ${RARE} THEN '${userId}' ELSE ${OTHER} END, n::text, 'l', ${AT}, ${AT} ${series(ROWS)}`,
    endpoints(`'${ENDPOINT}' || CASE WHEN n = 1 THEN '' ELSE n::text END, '${userId}'`, RARE),
    `INSERT INTO webhook_deliveries(id, user_id, endpoint_id, number, event_type, ordering_key, body, status, blocked, created_at) SELECT 'd' || n, '${userId}', '${ENDPOINT}', n, 'order.updated', 'k', '{}', CASE WHEN n <= ${RARE} THEN 'exhausted' ELSE 'delivered' END, false, ${AT} ${series(ROWS)}`,
  ];
}

/** What other users have, and a few of our own: accounts, keys, positions, balances, webhooks, switches; and markets of many venues. */
function amongOthers({ userId, accountId }: RowsOwner): string[] {
  const owner = `'${userId}', '${accountId}'`;
  const keys = (id: string, user: string, rows: number): string => `INSERT INTO api_keys(id, user_id, name, key_hash, scopes) SELECT '${id}' || n, ${user}, 'k', '${id}' || n, '{read}' ${series(rows)}`;
  // All but the last few are flat.
  const positions = (id: string, of: string, rows: number): string => `INSERT INTO positions(id, user_id, account_id, venue, symbol, venue_symbol, quantity, updated_at, closed_at, trade_id) SELECT '${id}' || n, ${of}, 'paper', 'S' || n, 'X', CASE WHEN n > ${rows - RARE} THEN 1 ELSE 0 END, now(), now(), 't' || n ${series(rows)}`;
  const balances = (of: string, rows: number): string => `INSERT INTO balances(user_id, account_id, asset, total, available, locked, at_ms, updated_at) SELECT ${of}, 'A' || n, 1, 1, 0, 0, now() ${series(rows)}`;
  const alertRules = (id: string, user: string, rows: number): string => `INSERT INTO alert_rules(id, user_id, name, kind, parameters, channel_ids, cooldown_seconds, enabled, active_since, revision, created_at, updated_at) SELECT '${id}' || n, ${user}, 'r', 'fill', '{}', '{}', 0, true, ${AT}, 1, ${AT}, ${AT} ${series(rows)}`;
  const alertChannels = (id: string, user: string, rows: number): string => `INSERT INTO alert_channels(id, user_id, kind, name, target, target_hash, status, created_at, updated_at) SELECT '${id}' || n, ${user}, 'email', 'c', 't', 'h', 'enabled', ${AT}, ${AT} ${series(rows)}`;
  const switches = (id: string, user: string, rows: number): string => `INSERT INTO kill_switches(id, user_id, scope, mode, latched_at, latched_by, released_at) SELECT '${id}' || n, ${user}, 'all', 'halt', now(), 'key', CASE WHEN n <= ${RARE} THEN NULL ELSE now() END ${series(rows)}`;
  const sources = (id: string, user: string, rows: number): string => `INSERT INTO signal_sources(id, user_id, name, kind, account_id, template, fields, alert_id, rate_limit, mode, max_delay_seconds, status, token_hash, created_at, updated_at) SELECT '${id}' || n, ${user}, 'a source', 'order', 'a', '{}', '[]', '', '1/s', 'live', 1, 'enabled', '${id}' || n, ${AT}, ${AT} ${series(rows)}`;
  return [
    `INSERT INTO users(id, name) SELECT 'user-' || n, 'another' FROM generate_series(0, ${ROWS / OF_EACH - 1}) n`,
    `INSERT INTO accounts(id, user_id, name, venue, signer_id, limits) SELECT 'a' || n, ${OTHER}, 'a' || n, 'paper', 's', '{}' ${series(ROWS)}`,
    keys('k', OTHER, ROWS), keys('own', `'${userId}'`, RARE),
    positions('p', `${OTHER}, 'a' || n`, ROWS), positions('own', owner, HELD),
    balances(`${OTHER}, 'a' || n`, ROWS), balances(owner, RARE),
    endpoints(`'e' || n, ${OTHER}`, ROWS), sources('s', OTHER, ROWS), sources('own', `'${userId}'`, RARE),
    alertRules('r', OTHER, ROWS), alertRules('own', `'${userId}'`, RARE), alertChannels('c', OTHER, ROWS), alertChannels('own', `'${userId}'`, RARE),
    // Of our own most were released.
    switches('k', OTHER, ROWS), switches('own', `'${userId}'`, ROWS),
    `INSERT INTO markets(venue, symbol, venue_symbol, asset_class, base, quote, kind, tick_rule, lot, min_quantity, min_notional, max_leverage, maker_fee_rate, taker_fee_rate, status) SELECT 'venue-' || n % ${ROWS / OF_EACH}, 'M' || n, 'M' || n, 'crypto', 'M', 'USDT', 'perpetual', '{}', 1, 1, 1, 1, 0, 0, 'open' ${series(ROWS)}`,
  ];
}

function endpoints(idAndUser: string, rows: number): string {
  return `INSERT INTO webhook_endpoints(id, user_id, url, description, event_types, ordering, status, created_at, updated_at) SELECT ${idAndUser}, 'https://example.com', '', '{}', 'perKey', 'enabled', ${AT}, ${AT} ${series(rows)}`;
}
