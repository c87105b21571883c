import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { assetOf, type ChainTransfer, type Deposit } from '../../../src/domain/deposit';
import { openStoreWorld, type StoreWorld } from './harness';
import { BRIDGE, depositSample, hash, hex, minedSource, transferSample, USDC } from '../../unit/domain/deposit-samples';

let world: StoreWorld;
let sql: Client;
let serial = 0;
beforeAll(async () => {
  world = await openStoreWorld();
  sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await world.close();
});

const RULES = { claimWithinMs: 60_000, taken: USDC };

/** A user of their own with an address, and a deposit whose source is final. */
async function confirmed(changes: Partial<Deposit> = {}) {
  serial += 1;
  const user = await world.store.users.createUser(`depositor ${serial}`);
  const toAddress = hex(String(1_000 + serial));
  await world.store.deposits.keepAddress(user.id, toAddress);
  const deposit = await world.store.deposits.begin(depositSample({ id: randomUUID(), userId: user.id, toAddress, ...changes }));
  await world.store.deposits.record(deposit.id, { kind: 'quoted', quote: null as never });
  await world.store.deposits.record(deposit.id, { kind: 'sourceSent', hash: hash(`a${serial}`), neededConfirmations: 3 });
  await world.store.deposits.record(deposit.id, { kind: 'sourceConfirmed', source: minedSource({ hash: hash(`a${serial}`) }) });
  return { deposit, userId: user.id, toAddress, transfer: (more: Partial<ChainTransfer> = {}) => transferSample({ txHash: hash(`f${serial}`), to: toAddress, ...more }) };
}

const keepLog = (userId: string, transfer: ChainTransfer) => keep(userId, null, transfer);

async function keep(userId: string, depositId: string | null, transfer: ChainTransfer) {
  await world.store.chainTransfers.keep(transfer.chainId, [{ userId, depositId, transfer }], null);
  const stored = (await world.store.chainTransfers.toJudge(transfer.chainId, 0)).find((each) => each.transfer.txHash === transfer.txHash && each.transfer.logIndex === transfer.logIndex && each.transfer.blockHash === transfer.blockHash);
  if (stored === undefined) throw new Error('the transfer was not kept');
  return stored;
}

async function booksOf(userId: string): Promise<Record<string, string>> {
  const { rows } = await sql.query<{ name: string; amount: string }>(`SELECT book || ' ' || split_part(asset, '@', 1) AS name, trim_scale(amount)::text AS amount FROM ledger_balances WHERE account_id = $1 AND amount <> 0`, [`user:${userId}`]);
  return Object.fromEntries(rows.map((row) => [row.name, row.amount]));
}

const eventsOf = async (userId: string) => (await world.store.events.since(`user:${userId}`, 0, 1_000)).map((event) => event.type);

describe('a deposit', () => {
  test('is credited what its transfer says, once, however many processes count it at the same time', async () => {
    const { deposit, userId, transfer } = await confirmed();
    expect(await booksOf(userId)).toEqual({ 'inTransit TKN': '100', 'transfers TKN': '-100', 'fees gas': '0.001', 'transfers gas': '-0.001' });
    const stored = await keep(userId, deposit.id, transfer({ amount: '98.7' }));
    await Promise.all(Array.from({ length: 6 }, () => world.store.chainTransfers.count(stored, RULES)));
    expect(await booksOf(userId)).toMatchObject({ 'wallet USDC': '98.7', 'conversion USDC': '-98.7', 'conversion TKN': '100' });
    expect(await world.store.deposits.get(deposit.id, userId)).toMatchObject({ state: 'CREDITED', received: [{ amount: '98.7' }] });
    expect(await eventsOf(userId)).toEqual(['deposit.created', 'swap.quoted', 'deposit.updated', 'deposit.updated', 'deposit.credited']);
    expect((await world.store.deposits.steps(deposit.id, userId))?.map((step) => step.state)).toEqual(['CREATED', 'AWAITING_SIGNATURE', 'SOURCE_SUBMITTED', 'SOURCE_CONFIRMED', 'CREDITED']);
  });

  test('whose credit a chain takes back goes to a person, and is credited again when the transfer returns in another block', async () => {
    const { deposit, userId, transfer } = await confirmed();
    const stored = await keep(userId, deposit.id, transfer());
    await world.store.chainTransfers.count(stored, RULES);
    await world.store.chainTransfers.reverse(stored);
    expect(await booksOf(userId)).toMatchObject({ 'inTransit TKN': '100' });
    expect((await booksOf(userId))['wallet USDC']).toBeUndefined();
    expect(await world.store.deposits.get(deposit.id, userId)).toMatchObject({ state: 'MANUAL_REVIEW', reason: 'CREDIT_REORGANISED' });
    await world.store.chainTransfers.count(await keep(userId, deposit.id, transfer({ blockHash: hash('e1'), blockNumber: 105 })), RULES);
    expect(await booksOf(userId)).toMatchObject({ 'wallet USDC': '99' });
  });

  test('that is counted in one block is not counted again in another, whichever is judged first', async () => {
    const { deposit, userId, transfer } = await confirmed();
    const first = await keep(userId, deposit.id, transfer());
    await world.store.chainTransfers.count(first, RULES);
    await world.store.chainTransfers.count(await keep(userId, deposit.id, transfer({ blockHash: hash('e2'), blockNumber: 103 })), RULES);
    await world.store.chainTransfers.reverse(first);
    expect(await booksOf(userId)).toMatchObject({ 'wallet USDC': '99' });
  });

  test('has its source transaction for itself', async () => {
    const { deposit } = await confirmed();
    const taken = (await world.store.deposits.byId(deposit.id))?.source?.hash ?? hash('0');
    const other = await world.store.deposits.begin(depositSample({ id: randomUUID(), userId: world.userId, toAddress: hex('77') }));
    await world.store.deposits.record(other.id, { kind: 'quoted', quote: null as never });
    await expect(world.store.deposits.record(other.id, { kind: 'sourceSent', hash: taken, neededConfirmations: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('is nobody else\'s, and a decision on it is audited', async () => {
    const { deposit, userId, transfer } = await confirmed();
    expect(await world.store.deposits.get(deposit.id, world.userId)).toBeNull();
    await expect(world.store.deposits.decide(deposit.id, world.userId, 'accept', 'mine', 'key:x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(world.store.deposits.decide(deposit.id, userId, 'accept', 'too early', 'key:x')).rejects.toMatchObject({ code: 'CONFLICT' });
    const other = { ...USDC, symbol: 'OTH', address: hex('cc') };
    await world.store.chainTransfers.count(await keep(userId, deposit.id, transfer({ asset: assetOf(other), token: other.address, amount: '3' })), RULES);
    expect(await world.store.deposits.get(deposit.id, userId)).toMatchObject({ state: 'PARTIAL_REVIEW' });
    expect(await booksOf(userId)).toMatchObject({ 'wallet OTH': '3' });
    expect(await world.store.deposits.decide(deposit.id, userId, 'accept', 'the user agrees', 'key:operator')).toMatchObject({ state: 'CREDITED' });
    const { rows } = await sql.query(`SELECT actor, act, data->>'decision' AS decision FROM audit_entries WHERE subject = $1`, [`deposit:${deposit.id}`]);
    expect(rows).toEqual([{ actor: 'key:operator', act: 'operator.decided', decision: 'accept' }]);
  });
});

describe('what nobody announced', () => {
  test('is its user\'s in the token that is taken; from a sender who paid for a deposit before it is held and told of', async () => {
    const { deposit, userId, transfer } = await confirmed();
    await world.store.chainTransfers.count(await keep(userId, deposit.id, transfer()), RULES);
    expect(await world.store.chainTransfers.count(await keep(userId, null, transfer({ txHash: hash(`ab${serial}`), from: BRIDGE, amount: '99' })), RULES)).toBe('unclaimed');
    expect(await world.store.chainTransfers.count(await keep(userId, null, transfer({ txHash: hash(`ac${serial}`), from: hex('77'), amount: '5' })), RULES)).toBe('direct');
    expect(await booksOf(userId)).toMatchObject({ 'wallet USDC': '104', 'suspense USDC': '99' });
    expect((await eventsOf(userId)).slice(-2)).toEqual(['deposit.unclaimed', 'deposit.credited']);
    const { deposits } = await world.store.deposits.list({ userId, state: null, cursor: null, limit: 10 });
    expect(deposits.map((each) => [each.kind, each.state])).toEqual([['direct', 'CREDITED'], ['bridge', 'CREDITED']]);
  });

  test('waits for a deposit that may claim it, and is the only one\'s when the bridge stays silent', async () => {
    const { deposit, userId, transfer } = await confirmed();
    const stored = await keep(userId, null, transfer());
    expect(await world.store.chainTransfers.count(stored, RULES)).toBe('wait');
    world.clock.ms += 61_000;
    expect(await world.store.chainTransfers.count(stored, RULES)).toBe('deposit');
    expect(await world.store.deposits.get(deposit.id, userId)).toMatchObject({ state: 'CREDITED' });
  });
});

describe('what is held in suspense', () => {
  /** A deposit that was paid, and 99 more from the same sender. */
  async function paidTwice() {
    const paid = await confirmed();
    await world.store.chainTransfers.count(await keep(paid.userId, paid.deposit.id, paid.transfer()), RULES);
    const second = await keep(paid.userId, paid.deposit.id, paid.transfer({ logIndex: 1 }));
    expect(await world.store.chainTransfers.count(second, RULES)).toBe('unclaimed');
    const { entries } = await world.store.suspense.list({ userId: paid.userId, cursor: null, limit: 10 });
    return { ...paid, second, entry: entries[0], said: { id: entries[0]?.id ?? '', userId: paid.userId, note: 'the bridge takes nothing back', actor: 'key:operator' } };
  }

  test('is listed to its user only, and an operator\'s word makes it the user\'s, once, audited', async () => {
    const { userId, deposit, entry, said } = await paidTwice();
    expect(entry).toMatchObject({ amount: '99', logIndex: 1, why: expect.stringContaining(`deposit ${deposit.id} was paid by`) });
    expect((await world.store.suspense.list({ userId: world.userId, cursor: null, limit: 10 })).entries.filter(({ id }) => id === said.id)).toEqual([]);
    await expect(world.store.suspense.release({ ...said, userId: world.userId }, USDC)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const answers = await Promise.allSettled([world.store.suspense.release(said, USDC), world.store.suspense.release(said, USDC)]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await booksOf(userId)).toMatchObject({ 'wallet USDC': '198', 'conversion USDC': '-99' });
    expect((await booksOf(userId))['suspense USDC']).toBeUndefined();
    expect((await world.store.suspense.list({ userId, cursor: null, limit: 10 })).entries).toEqual([]);
    const { rows } = await sql.query(`SELECT actor, data->>'decision' AS decision, data->>'note' AS note FROM audit_entries WHERE subject = $1`, [`transfer:${said.id}`]);
    expect(rows).toEqual([{ actor: 'key:operator', decision: 'release', note: 'the bridge takes nothing back' }]);
  });

  test('is taken back by the chain after it was released, and the books are as if it had never come', async () => {
    const { userId, second, said } = await paidTwice();
    const made = await world.store.suspense.release(said, USDC);
    await world.store.chainTransfers.reverse(second);
    expect(await booksOf(userId)).toMatchObject({ 'wallet USDC': '99', 'transfers TKN': '-100' });
    expect((await booksOf(userId))['transfers USDC']).toBeUndefined();
    expect(await world.store.deposits.byId(made.id)).toMatchObject({ state: 'FAILED', reason: 'CREDIT_REORGANISED', received: [] });
  });

  test('becomes what a deposit was to bring, where nothing was counted for it; not where it was paid, and not another user\'s', async () => {
    const { userId, deposit, toAddress, said } = await paidTwice();
    await expect(world.store.suspense.assign(said, deposit.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(world.store.suspense.assign(said, (await confirmed()).deposit.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    serial += 1;
    const waits = await world.store.deposits.begin(depositSample({ id: randomUUID(), userId, toAddress }));
    await expect(world.store.suspense.assign(said, waits.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await world.store.deposits.record(waits.id, { kind: 'quoted', quote: null as never });
    await world.store.deposits.record(waits.id, { kind: 'sourceSent', hash: hash(`a${serial}`), neededConfirmations: 3 });
    await world.store.deposits.record(waits.id, { kind: 'sourceConfirmed', source: minedSource({ hash: hash(`a${serial}`) }) });
    expect(await world.store.suspense.assign(said, waits.id)).toMatchObject({ state: 'CREDITED', received: [{ amount: '99' }] });
    expect(await booksOf(userId)).toMatchObject({ 'wallet USDC': '198', 'conversion USDC': '-198', 'conversion TKN': '200' });
    expect((await booksOf(userId))['suspense USDC']).toBeUndefined();
  });

  test('is read page by page', async () => {
    const { userId, transfer } = await paidTwice();
    for (const logIndex of [2, 3]) await world.store.chainTransfers.count(await keepLog(userId, transfer({ logIndex })), RULES);
    const first = await world.store.suspense.list({ userId, cursor: null, limit: 2 });
    const next = await world.store.suspense.list({ userId, cursor: first.nextCursor, limit: 2 });
    expect([...first.entries, ...next.entries].map((each) => each.logIndex)).toEqual([3, 2, 1]);
    expect(next.nextCursor).toBeNull();
  });
});

test('a list is read page by page, and a foreign cursor is refused', async () => {
  const { userId } = await confirmed();
  for (const id of ['p1', 'p2']) await world.store.deposits.begin(depositSample({ id: `${id}-${userId}`, userId }));
  const first = await world.store.deposits.list({ userId, state: null, cursor: null, limit: 2 });
  const second = await world.store.deposits.list({ userId, state: null, cursor: first.nextCursor, limit: 2 });
  expect(new Set([...first.deposits, ...second.deposits].map((each) => each.id)).size).toBe(3);
  await expect(world.store.deposits.list({ userId, state: null, cursor: 'nonsense', limit: 2 })).rejects.toMatchObject({ code: 'VALIDATION' });
});

test('what a workflow has to be at is under way or counted lately', async () => {
  const { deposit, userId, transfer } = await confirmed();
  const before = new Date(world.clock.ms - 1).toISOString();
  const attended = async (countedSince: string) => (await world.store.deposits.attended(countedSince, { limit: 1_000, after: null })).filter((each) => each.userId === userId).map(({ id }) => id);
  expect(await attended(before)).toEqual([deposit.id]);
  await world.store.chainTransfers.count(await keep(userId, deposit.id, transfer({ amount: '98.7' })), RULES);
  expect(await world.store.deposits.get(deposit.id, userId)).toMatchObject({ state: 'CREDITED' });
  expect(await world.store.chainTransfers.count(await keep(userId, null, transfer({ txHash: hash('d1'), from: hex('77'), amount: '5' })), RULES)).toBe('direct');
  expect(await attended(before)).toEqual([deposit.id]);
  world.clock.ms += 1_000;
  expect(await attended(new Date(world.clock.ms).toISOString())).toEqual([]);
});
