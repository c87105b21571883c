import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Account } from '../../../src/domain/account';
import { isoTime } from '../../../src/domain/clock';
import { fillKey } from '../../../src/domain/evidence';
import type { WriterEpoch } from '../../../src/domain/order-store';
import type { OrderIntent } from '../../../src/domain/order';
import type { VenueFill, VenueFundingPayment, VenuePosition } from '../../../src/domain/venue';
import { fillOf, intentFor, OWNER, openStoreWorld, SYMBOL, VENUE_SYMBOL, type StoreWorld } from './harness';

let world: StoreWorld;
let sql: Client;
beforeAll(async () => {
  world = await openStoreWorld();
  sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await world.close();
});

const T0 = 1_700_000_000_000;

async function watched(): Promise<{ readonly account: Account; readonly writer: WriterEpoch }> {
  const account = await world.newAccount({ balance: '1000000', limits: { maxOrderNotional: '1000000', maxPositionNotional: '1000000' } });
  return { account, writer: await world.store.watching.takeEpoch(`account:${account.id}`, 'first') };
}

/** An order and one fill of it, not yet booked. */
async function filled(account: Account, changes: Partial<OrderIntent>, fill: Partial<VenueFill> = {}): Promise<{ readonly intent: OrderIntent; readonly fill: VenueFill }> {
  const intent = intentFor(account, changes);
  await world.store.placing.recordOrders([intent], OWNER);
  return { intent, fill: fillOf(intent, fill) };
}

const fundingOf = (changes: Partial<VenueFundingPayment> = {}): VenueFundingPayment => ({ venuePaymentId: '1', venueSymbol: VENUE_SYMBOL, amount: '-0.5', asset: 'USDT', rate: '0.0001', quantity: '10', markPrice: '2', atMs: T0 + 5_000, ...changes });

const positionOf = async (account: Account) => (await world.store.positions.list({ userId: account.userId, status: 'all', accountId: account.id, symbol: SYMBOL, venue: null, cursor: null, limit: 100 })).positions[0];
const eventsOf = async (account: Account) => world.store.events.since(`account:${account.id}`, 0, 1_000);

/** Sums by fact and asset that are not zero, and running sums that are not those of the lines: there must be none. */
async function outOfBalance(account: Account): Promise<unknown[]> {
  const facts = await sql.query('SELECT fact, asset, sum(amount)::text FROM ledger_entries WHERE account_id = $1 GROUP BY fact, asset HAVING sum(amount) <> 0', [account.id]);
  const sums = await sql.query(
    `SELECT * FROM (SELECT book, asset, sum(amount) AS amount FROM ledger_entries WHERE account_id = $1 GROUP BY book, asset) e FULL JOIN (SELECT book, asset, amount FROM ledger_balances WHERE account_id = $1) b USING (book, asset) WHERE e.amount IS DISTINCT FROM b.amount`,
    [account.id],
  );
  return [...facts.rows, ...sums.rows];
}

async function bookSums(account: Account): Promise<Record<string, string>> {
  const { rows } = await sql.query<{ name: string; amount: string }>(`SELECT book || ' ' || asset AS name, trim_scale(amount)::text AS amount FROM ledger_balances WHERE account_id = $1 AND amount <> 0`, [account.id]);
  return Object.fromEntries(rows.map((row) => [row.name, row.amount]));
}

describe('fills', () => {
  test('book the ledger and the trade with them, once, whoever brings them', async () => {
    const { account, writer } = await watched();
    const buy = await filled(account, { quantity: '10' }, { price: '2', fee: '0.01', atMs: T0 });
    const evidence = { orderId: buy.intent.id, evidence: { kind: 'fill' as const, key: fillKey(buy.fill), fill: buy.fill, at: isoTime(T0) } };
    const other = await world.openAnother();
    await Promise.all([world.store.evidence.apply([evidence]), other.evidence.apply([evidence]), world.store.watching.applyFills(writer, account.id, [buy.fill])]);
    const sell = await filled(account, { side: 'sell', limitPrice: '3', quantity: '4' }, { price: '3', fee: '0.02', atMs: T0 + 1_000 });
    await world.store.watching.applyFills(writer, account.id, [sell.fill, sell.fill]);
    expect(await bookSums(account)).toEqual({ 'cash USDT': '3.97', 'fees USDT': '0.03', 'realizedProfit USDT': '-4' });
    expect(await positionOf(account)).toMatchObject({ side: 'long', quantity: '6', entryPrice: '2', exitPrice: '3', realizedPnl: '4', fees: '0.03', fundingPaid: '0', profit: '3.97' });
    const { rows } = await sql.query('SELECT fact, kind, symbol FROM ledger_entries WHERE account_id = $1 AND book = $2 ORDER BY number', [account.id, 'fees']);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ kind: 'fill', symbol: SYMBOL, fact: fillKey(buy.fill) });
    expect(await outOfBalance(account)).toEqual([]);
  });

  test('from flat to flat are a trade; crossing zero ends one and opens the next; clients are told of each', async () => {
    const { account, writer } = await watched();
    const buy = await filled(account, { quantity: '10' }, { price: '2', fee: '0', atMs: T0 });
    const sell = await filled(account, { side: 'sell', limitPrice: '3', quantity: '15' }, { price: '3', fee: '0.3', atMs: T0 + 1_000 });
    await world.store.watching.applyFills(writer, account.id, [buy.fill, sell.fill]);
    const { trades } = await world.store.trades.list({ userId: account.userId, status: 'all', accountId: account.id, symbol: null, venue: null, cursor: null, limit: 10 });
    expect(trades).toMatchObject([
      { side: 'short', status: 'open', quantity: '5', entryPrice: '3', exitPrice: null, fees: '0.1', realizedPnl: '0', asset: 'USDT', closedAt: null },
      { side: 'long', status: 'closed', quantity: '10', entryPrice: '2', exitPrice: '3', exitQuantity: '10', fees: '0.2', realizedPnl: '10', profit: '9.8', closedAt: isoTime(T0 + 1_000) },
    ]);
    const told = (await eventsOf(account)).filter((event) => event.type.startsWith('trade.'));
    expect(told.map((event) => [event.type, event.orderId])).toEqual([['trade.opened', buy.intent.id], ['trade.closed', sell.intent.id], ['trade.opened', sell.intent.id]]);
    expect(told.at(-1)?.data).toEqual({ trade: trades[0] });
    expect((await positionOf(account))?.tradeId).toBe(trades[0]?.id);
    const open = await world.store.trades.list({ userId: account.userId, status: 'open', accountId: account.id, symbol: SYMBOL, venue: 'paper', cursor: null, limit: 10 });
    expect(open.trades).toEqual([trades[0]]);
  });

  test('of our order and of a foreign one, in one message, both move the position', async () => {
    const { account, writer } = await watched();
    const ours = await filled(account, { quantity: '10' }, { price: '2', fee: '0', atMs: T0 });
    const foreign = fillOf(intentFor(account), { venueOrderId: 'elsewhere', venueClientId: 'theirs', price: '2', quantity: '5', fee: '0', atMs: T0 + 1 });
    await world.store.watching.applyFills(writer, account.id, [ours.fill, foreign]);
    expect(await positionOf(account)).toMatchObject({ quantity: '15' });
    expect((await eventsOf(account)).filter((event) => event.type === 'trade.opened')).toHaveLength(1);
  });

  test('after a restart continue the trade that is open, and a flat position shows its last one', async () => {
    const { account, writer } = await watched();
    const buy = await filled(account, { quantity: '10' }, { price: '2', fee: '0', atMs: T0 });
    await world.store.watching.applyFills(writer, account.id, [buy.fill]);
    const other = await world.openAnother();
    const sell = await filled(account, { side: 'sell', limitPrice: '3', quantity: '10' }, { price: '3', fee: '0.1', atMs: T0 + 1_000 });
    await other.watching.applyFills(writer, account.id, [sell.fill]);
    expect(await positionOf(account)).toMatchObject({ side: 'flat', quantity: '0', entryPrice: '2', exitPrice: '3', realizedPnl: '10', fees: '0.1', profit: '9.9', closedAt: isoTime(T0 + 1_000) });
    const { trades } = await world.store.trades.list({ userId: account.userId, status: 'closed', accountId: account.id, symbol: null, venue: null, cursor: null, limit: 10 });
    expect(trades).toHaveLength(1);
  });

  test('that were carried in begin a trade that says so, and end the one that was open', async () => {
    const { account, writer } = await watched();
    const buy = await filled(account, { quantity: '10' }, { price: '2', fee: '0', atMs: T0 });
    await world.store.watching.applyFills(writer, account.id, [buy.fill]);
    const held: VenuePosition = { venueSymbol: VENUE_SYMBOL, side: 'long', quantity: '25', entryPrice: '2.2', markPrice: null, leverage: null, margin: null, liquidationPrice: null, unrealizedPnl: null, realizedPnl: null };
    await world.store.watching.carryIn(writer, account.id, [held], T0 + 5_000);
    const { trades } = await world.store.trades.list({ userId: account.userId, status: 'all', accountId: account.id, symbol: null, venue: null, cursor: null, limit: 10 });
    expect(trades).toMatchObject([{ status: 'open', quantity: '25', entryPrice: '2.2', carriedIn: true }, { status: 'closed', quantity: '10', carriedIn: true }]);
    await world.store.watching.carryIn(writer, account.id, [{ venueSymbol: VENUE_SYMBOL, side: 'flat' }], T0 + 6_000);
    expect(await positionOf(account)).toMatchObject({ side: 'flat', tradeId: trades[0]?.id });
  });
});

describe('funding', () => {
  test('counts once, in the ledger, its trade, the position and the day\'s profit', async () => {
    const { account, writer } = await watched();
    const buy = await filled(account, { quantity: '10' }, { price: '2', fee: '0', atMs: T0 });
    await world.store.watching.applyFills(writer, account.id, [buy.fill]);
    const today = fundingOf({ atMs: world.clock.nowMs(), amount: '-0.5' });
    expect(await world.store.watching.applyFunding(writer, account.id, [today, today])).toBe(1);
    expect(await world.store.watching.applyFunding(writer, account.id, [today, fundingOf({ venuePaymentId: '2', amount: '0.2' })])).toBe(1);
    expect(await positionOf(account)).toMatchObject({ fundingPaid: '0.3', profit: '-0.3', realizedPnl: '0' });
    expect(await bookSums(account)).toEqual({ 'cash USDT': '-0.3', 'funding USDT': '0.3' });
    expect((await world.store.accounts.figures(account.id)).dailyProfit).toBe('-0.5');
    const types = (await eventsOf(account)).map((event) => event.type);
    expect(types.slice(-6)).toEqual(['account.funding', 'trade.updated', 'position.updated', 'account.funding', 'trade.updated', 'position.updated']);
    expect(await outOfBalance(account)).toEqual([]);
  });

  test('that is told after its trade was closed still counts in that trade, and in none where nothing was held', async () => {
    const { account, writer } = await watched();
    const buy = await filled(account, { quantity: '10' }, { price: '2', fee: '0', atMs: T0 });
    const sell = await filled(account, { side: 'sell', limitPrice: '3', quantity: '10' }, { price: '3', fee: '0', atMs: T0 + 10_000 });
    const again = await filled(account, { quantity: '1' }, { price: '2', fee: '0', atMs: T0 + 20_000 });
    await world.store.watching.applyFills(writer, account.id, [buy.fill, sell.fill, again.fill]);
    await world.store.watching.applyFunding(writer, account.id, [fundingOf({ atMs: T0 - 1_000, venuePaymentId: 'early' }), fundingOf({ atMs: T0 + 5_000 })]);
    const { trades } = await world.store.trades.list({ userId: account.userId, status: 'all', accountId: account.id, symbol: null, venue: null, cursor: null, limit: 10 });
    expect(trades.map((trade) => [trade.status, trade.funding, trade.profit])).toEqual([['open', '0', '0'], ['closed', '-0.5', '9.5']]);
    const { rows } = await sql.query('SELECT venue_payment_id, trade_id FROM funding_payments WHERE account_id = $1 ORDER BY at', [account.id]);
    expect(rows).toEqual([{ venue_payment_id: 'early', trade_id: null }, { venue_payment_id: '1', trade_id: trades[1]?.id }]);
  });

  test('and transfers of a watcher that was taken over are refused', async () => {
    const { account, writer } = await watched();
    await world.store.watching.takeEpoch(writer.scope, 'second');
    await expect(world.store.watching.applyFunding(writer, account.id, [fundingOf()])).rejects.toThrow('taken over');
    await expect(world.store.watching.bookTransfer(writer, account.id, { asset: 'USDT', amount: '1', cash: '0', atMs: T0 })).rejects.toThrow('taken over');
    expect(await bookSums(account)).toEqual({});
  });
});

describe('transfers', () => {
  test('are deposits and withdrawals, and none is booked when the ledger moved meanwhile', async () => {
    const { account, writer } = await watched();
    expect(await world.store.watching.bookTransfer(writer, account.id, { asset: 'USDT', amount: '1000', cash: '0', atMs: T0 })).toBe(true);
    expect(await world.store.watching.bookTransfer(writer, account.id, { asset: 'USDT', amount: '1000', cash: '0', atMs: T0 + 1 })).toBe(false);
    expect(await world.store.watching.bookTransfer(writer, account.id, { asset: 'USDT', amount: '-400', cash: '1000', atMs: T0 + 2 })).toBe(true);
    expect(new Map(await world.store.watching.ledgerCash(account.id))).toEqual(new Map([['USDT', '600']]));
    expect((await eventsOf(account)).filter((event) => event.type === 'account.transfer').map((event) => event.data['transfer'])).toMatchObject([{ kind: 'deposit', amount: '1000' }, { kind: 'withdrawal', amount: '-400' }]);
    const { entries, nextCursor } = await world.store.ledger.list({ userId: account.userId, accountId: account.id, cursor: null, limit: 3 });
    expect(entries.map((entry) => entry.kind)).toEqual(['withdrawal', 'withdrawal', 'deposit']);
    expect(new Set(entries.slice(0, 2).map((entry) => `${entry.book} ${entry.amount}`))).toEqual(new Set(['cash -400', 'transfers 400']));
    expect((await world.store.ledger.list({ userId: account.userId, accountId: account.id, cursor: nextCursor, limit: 3 })).entries).toHaveLength(1);
    expect((await world.store.ledger.list({ userId: 'a stranger', accountId: account.id, cursor: null, limit: 3 })).entries).toEqual([]);
  });
});

describe('the ledger itself', () => {
  const line = (accountId: string, amount: string, book: string) => `('${accountId}', 'by/hand', '${book}', 'USDT', 'u', 'deposit', ${amount}, now())`;
  const INSERT = 'INSERT INTO ledger_entries(account_id, fact, book, asset, user_id, kind, amount, at) VALUES';

  test('refuses lines that do not sum to zero, a fact twice, a change and a deletion, whoever writes them', async () => {
    const { account } = await watched();
    await expect(sql.query(`${INSERT} ${line(account.id, '5', 'cash')}, ${line(account.id, '-4', 'transfers')}`)).rejects.toThrow('by/hand in USDT do not sum to zero');
    await sql.query(`${INSERT} ${line(account.id, '5', 'cash')}, ${line(account.id, '-5', 'transfers')}`);
    await expect(sql.query(`${INSERT} ${line(account.id, '5', 'cash')}, ${line(account.id, '-5', 'transfers')}`)).rejects.toThrow('duplicate key');
    await expect(sql.query('UPDATE ledger_entries SET amount = 1 WHERE account_id = $1', [account.id])).rejects.toThrow('only added');
    await expect(sql.query('DELETE FROM ledger_entries WHERE account_id = $1', [account.id])).rejects.toThrow('only added');
  });
});
