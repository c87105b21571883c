/** Positions are read page by page: each once, whatever changes while somebody reads. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { PositionListQuery } from '../../../src/store/money/portfolio';
import { fillOf, intentFor, OWNER, openStoreWorld, seen, viewOf, type StoreWorld } from './harness';

let world: StoreWorld;
let sql: Client;
const accounts: string[] = [];
beforeAll(async () => {
  world = await openStoreWorld();
  accounts.push((await world.newAccount()).id, (await world.newAccount()).id);
  sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
  // Of every third market nothing is held any more.
  for (const account of accounts) {
    await sql.query(`INSERT INTO positions(id, user_id, account_id, venue, symbol, venue_symbol, quantity, updated_at, closed_at) SELECT $2 || '/' || n, $1, $2, 'paper', 'S' || lpad(n::text, 2, '0'), 'X', CASE WHEN n % 3 = 0 THEN 0 ELSE 1 END, now() - n * interval '1 second', CASE WHEN n % 3 = 0 THEN now() END FROM generate_series(1, 12) n`, [world.userId, account]);
  }
});
afterAll(async () => {
  await sql.end();
  await world.close();
});

const query = (changes: Partial<PositionListQuery> = {}): PositionListQuery => ({ userId: world.userId, status: 'open', accountId: null, symbol: null, venue: null, cursor: null, limit: 5, ...changes });

async function everyPage(changes: Partial<PositionListQuery>, between: () => Promise<void> = async () => undefined): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<StoreWorld['store']['positions']['list']>> = await world.store.positions.list(query({ ...changes, cursor }));
    found.push(...page.positions.map((position) => `${position.symbol} ${position.accountId}`));
    cursor = page.nextCursor;
    await between();
  } while (cursor !== null);
  return found;
}

const heldOf = (of: readonly string[], isWanted: (n: number) => boolean): string[] =>
  Array.from({ length: 12 }, (_, index) => index + 1).filter(isWanted).flatMap((n) => [...of].sort().map((account) => `S${String(n).padStart(2, '0')} ${account}`));

test('every page follows the one before, by symbol, then account', async () => {
  expect(await everyPage({})).toEqual(heldOf(accounts, (n) => n % 3 !== 0));
  expect(await everyPage({ status: 'closed', limit: 1 })).toEqual(heldOf(accounts, (n) => n % 3 === 0));
  expect(await everyPage({ status: 'all', accountId: accounts[0] })).toEqual(heldOf(accounts.slice(0, 1), () => true));
  expect(await everyPage({ symbol: 'S04' })).toEqual(heldOf(accounts, (n) => n === 4));
  expect(await everyPage({ userId: 'somebody-else' })).toEqual([]);
});

test('the cursor of positions is no other list\'s', async () => {
  const { nextCursor } = await world.store.positions.list(query());
  const elsewhere = { userId: world.userId, cursor: nextCursor, limit: 5, accountId: null, symbol: null, venue: null, state: null, status: 'all' as const };
  const { orders, trades, strategies, orderLists, deposits, withdrawals, suspense, fills } = world.store;
  const asked = [orders, trades, strategies, orderLists, deposits, withdrawals, suspense].map((listed) => () => listed.list(elsewhere));
  for (const ask of [...asked, () => fills.list({ ...elsewhere, orderId: null })]) {
    await expect(ask()).rejects.toMatchObject({ code: 'VALIDATION', message: expect.stringContaining('of another list'), details: { field: 'cursor' } });
  }
});

test('a position that changes between two pages is neither left out nor told twice', async () => {
  const change = async (): Promise<void> => {
    await sql.query(`UPDATE positions SET quantity = quantity + 1, updated_at = now() WHERE user_id = $1 AND quantity <> 0`, [world.userId]);
  };
  expect(await everyPage({ limit: 3 }, change)).toEqual(heldOf(accounts, (n) => n % 3 !== 0));
});

test('a last page that is full says that it is the last, and a cursor of another listing is refused', async () => {
  expect((await world.store.positions.list(query({ accountId: accounts[0], limit: 8 }))).nextCursor).toBeNull();
  await expect(world.store.positions.list(query({ cursor: 'bm9uc2Vuc2U' }))).rejects.toMatchObject({ code: 'VALIDATION' });
});

test('what is not realized goes with the quantity and the mark that are shown, not with those of the venue\'s last report', async () => {
  const { id } = await world.newAccount();
  await sql.query(`INSERT INTO positions(id, user_id, account_id, venue, symbol, venue_symbol, quantity, entry_price, mark_price, unrealized_pnl, updated_at) VALUES ($2 || '/short', $1, $2, 'paper', 'TON-PERP', 'TON', -30, 2, 2.5, -5, now()), ($2 || '/odd', $1, $2, 'paper', 'ODD-PERP', 'ODD', 1, NULL, NULL, 7, now())`, [world.userId, id]);
  const shown = async (): Promise<unknown> => (await world.store.positions.list(query({ accountId: id }))).positions.map(({ symbol, markPrice, notional, unrealizedPnl }) => ({ symbol, markPrice, notional, unrealizedPnl }));
  const odd = { symbol: 'ODD-PERP', markPrice: null, notional: null, unrealizedPnl: '7' };
  expect(await shown()).toEqual([odd, { symbol: 'TON-PERP', markPrice: '2.5', notional: '75', unrealizedPnl: '-15' }]);
  world.marks.set('TON-PERP', '1.9');
  expect(await shown()).toEqual([odd, { symbol: 'TON-PERP', markPrice: '1.9', notional: '57', unrealizedPnl: '3' }]);
});

test('what there is to close counts what the venue says filled, before its fills come and once, after they came', async () => {
  const account = await world.newAccount();
  const writer = await world.store.watching.takeEpoch(`account:${account.id}`, 'first');
  const [bought, sold] = [intentFor(account), intentFor(account, { side: 'sell', quantity: '3', reduceOnly: true })];
  await world.store.placing.recordOrders([bought], OWNER);
  await world.store.watching.applyFills(writer, account.id, [fillOf(bought, { quantity: '10' })]);
  const [held] = (await world.store.positions.list(query({ accountId: account.id }))).positions;
  const closable = async (): Promise<unknown> => ((position) => position && [position.side, position.quantity])(await world.store.positions.closable(held?.id ?? '', account.userId));
  expect(await closable()).toEqual(['long', '10']);
  await world.store.placing.recordOrders([sold], OWNER);
  await world.store.evidence.apply([{ orderId: sold.id, evidence: seen(viewOf(sold, { status: 'filled', filledQuantity: '3' })) }]);
  expect([(await world.store.orders.byId(sold.id))?.state, (await world.store.positions.byId(held?.id ?? '', account.userId))?.quantity, await closable()]).toEqual(['FILLED', '10', ['long', '7']]);
  await world.store.watching.applyFills(writer, account.id, [fillOf(sold, { quantity: '1' })]);
  expect(await closable()).toEqual(['long', '7']);
  await world.store.watching.applyFills(writer, account.id, [fillOf(sold, { quantity: '2' })]);
  expect([(await world.store.positions.byId(held?.id ?? '', account.userId))?.quantity, await closable()]).toEqual(['7', ['long', '7']]);
  expect(await world.store.positions.closable(held?.id ?? '', 'somebody-else')).toBeNull();
});
