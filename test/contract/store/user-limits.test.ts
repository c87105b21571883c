/** A user's limits over all accounts bind inside the placing transaction, whoever places beside whom. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { NO_USER_LIMITS, type Account, type UserRiskLimits } from '../../../src/domain/account';
import type { Store } from '../../../src/store';
import { intentFor, OWNER, openStoreWorld, seen, SYMBOL, viewOf, type StoreWorld } from './harness';
import { someoneWaitsForALock } from '../../support/lock-waits';
import { queried } from '../../support/queried';

let world: StoreWorld;
let another: Store;
beforeAll(async () => {
  world = await openStoreWorld();
  another = await world.openAnother();
});
afterAll(() => world.close());

async function userWith(limits: Partial<UserRiskLimits>, accounts = 2): Promise<{ readonly userId: string; readonly accounts: readonly Account[] }> {
  const { id: userId } = await world.store.users.createUser('a trader');
  const made: Account[] = [];
  for (let n = 0; n < accounts; n += 1) made.push(await world.newAccount({ userId, balance: '100000' }));
  await world.store.riskLimits.setOfUser(userId, { ...NO_USER_LIMITS, ...limits }, 'key:boss');
  return { userId, accounts: made };
}

/** Why each was denied; null when it was taken. */
async function verdicts(intents: readonly ReturnType<typeof intentFor>[]): Promise<(string | null)[]> {
  return Promise.all(intents.map(async ({ id }) => (await world.store.orders.byId(id))?.reasonCode ?? null));
}

async function ask(account: Account, changes: Parameters<typeof intentFor>[1] = {}): Promise<string | null> {
  const intent = intentFor(account, changes);
  await world.store.placing.recordOrders([intent], OWNER);
  return (await verdicts([intent]))[0] ?? null;
}

/** The verdict on an order of `account` that waited while another process held `locked`, and did this to the database. */
async function afterWaiting(account: Account, locked: Account, [change, values]: readonly [string, unknown[]]): Promise<(string | null)[]> {
  const patient = await world.openAnother({ lockTimeoutMs: 60_000 });
  const sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
  await sql.query('BEGIN');
  await sql.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [locked.id]);
  await sql.query(change, values);
  const intent = intentFor(account);
  const placing = patient.placing.recordOrders([intent], OWNER);
  await someoneWaitsForALock(sql, placing);
  await sql.query('COMMIT');
  await placing;
  await sql.end();
  return verdicts([intent]);
}

const count = (found: readonly (string | null)[], wanted: string | null): number => found.filter((each) => each === wanted).length;

describe('orders of several accounts', () => {
  test('placed at once by two processes take together what the user may have open, and no more', async () => {
    const { accounts } = await userWith({ maxOpenOrders: 5 });
    const intents = Array.from({ length: 24 }, (_, n) => intentFor(accounts[n % 2] as Account));
    await Promise.all(intents.map((intent, n) => (n % 3 === 0 ? another : world.store).placing.recordOrders([intent], OWNER)));
    const found = await verdicts(intents);
    expect([count(found, null), count(found, 'RISK_OPEN_ORDERS')]).toEqual([5, 19]);
  });

  test('placed at once by two processes cannot come to hold more of a market than the user may', async () => {
    // Each is worth 20.
    const { accounts } = await userWith({ maxPositionNotional: '110' }, 3);
    const intents = Array.from({ length: 24 }, (_, n) => intentFor(accounts[n % 3] as Account));
    await Promise.all(intents.map((intent, n) => (n % 2 === 0 ? another : world.store).placing.recordOrders([intent], OWNER)));
    const found = await verdicts(intents);
    expect([count(found, null), count(found, 'RISK_POSITION_NOTIONAL')]).toEqual([5, 19]);
  });

  test('wait for an order of another account that is being placed, and are judged with it', async () => {
    const { userId, accounts } = await userWith({ maxOpenOrders: 1 });
    const [first, second] = accounts as [Account, Account];
    // What another process does while it places: its account's lock, then what the order reserves.
    const verdict = await afterWaiting(first, second, [`INSERT INTO exposures(account_id, symbol, user_id, open_orders) VALUES ($1, $2, $3, 1)`, [second.id, SYMBOL, userId]]);
    expect(verdict).toEqual(['RISK_OPEN_ORDERS']);
  });

  test('of one group are judged one after the other, each user by the user\'s own limits', async () => {
    const [tight, free] = [await userWith({ maxOpenOrders: 1 }), await userWith({})];
    const intents = [...tight.accounts, ...free.accounts].map((account) => intentFor(account));
    await world.store.placing.recordOrders(intents, OWNER);
    expect(await verdicts(intents)).toEqual([null, 'RISK_OPEN_ORDERS', null, null]);
  });

  test('count what another account lost today, also once that account is deleted', async () => {
    const { userId, accounts } = await userWith({ maxDailyLoss: '50' });
    const [first, second] = accounts as [Account, Account];
    await queried(world.databaseUrl, `INSERT INTO daily_profits(user_id, account_id, day, profit) VALUES ($1, $2, $3::date, -50)`, userId, second.id, new Date(world.clock.nowMs()).toISOString().slice(0, 10));
    expect(await ask(first)).toBe('RISK_DAILY_LOSS');
    await world.store.accountChanges.remove(second.id, userId, 'key:boss');
    expect(await ask(first)).toBe('RISK_DAILY_LOSS');
  });

  test('count for an account that is made later, and stop counting when the limits are lifted', async () => {
    const { userId, accounts } = await userWith({ maxOpenOrders: 1 });
    const [first] = accounts as [Account];
    expect(await ask(first)).toBeNull();
    const later = await world.newAccount({ userId });
    expect(await ask(later)).toBe('RISK_OPEN_ORDERS');
    await world.store.riskLimits.setOfUser(userId, NO_USER_LIMITS, 'key:boss');
    expect([await ask(later), await ask(first)]).toEqual([null, null]);
  });
});

test('an order that waited while the limits of its user were lowered is judged by the new ones', async () => {
  const { userId, accounts } = await userWith({}, 1);
  const [account] = accounts as [Account];
  // What a process does that lowers them: the user's accounts first, then the limits.
  const verdict = await afterWaiting(account, account, ['UPDATE users SET limits = $2 WHERE id = $1', [userId, JSON.stringify({ ...NO_USER_LIMITS, maxOrderNotional: '5' })]]);
  expect(verdict).toEqual(['RISK_ORDER_NOTIONAL']);
});

test('an amendment that asks for more is held against what the other accounts have', async () => {
  const { accounts } = await userWith({ maxPositionNotional: '100' });
  const [first, second] = accounts as [Account, Account];
  const intent = intentFor(first);
  const { calls } = await world.store.placing.recordOrders([intent], OWNER);
  expect(calls).toHaveLength(1);
  await world.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
  expect(await ask(second, { quantity: '30' })).toBeNull();
  const amend = (quantity: string) => world.store.mutations.record({ id: randomUUID(), kind: 'amend', userId: first.userId, accountId: first.id, orderId: intent.id, venue: 'paper', limitPrice: null, quantity, expectedRevision: null, sendBefore: new Date(world.clock.nowMs() + 60_000).toISOString() }, OWNER);
  expect(await amend('21')).toMatchObject({ verdict: 'denied', code: 'RISK_POSITION_NOTIONAL' });
  expect(await amend('20')).toMatchObject({ verdict: 'accepted' });
});

test('what a preview is judged by has the other accounts\' figures', async () => {
  const { accounts } = await userWith({ maxOpenOrders: 9 });
  const [first, second] = accounts as [Account, Account];
  expect(await ask(second)).toBeNull();
  const { account, user } = await world.store.accounts.judgedBy(first.id, [SYMBOL]);
  expect([account.openOrders, user?.others.map((each) => [each.accountId, each.openOrders])]).toEqual([0, [[second.id, 1]]]);
});

test('a user without such limits places on one account while another is locked', async () => {
  const { accounts } = await userWith({ maxOrderNotional: '1000' });
  const [first, second] = accounts as [Account, Account];
  const sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
  await sql.query('BEGIN');
  await sql.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [second.id]);
  expect(await ask(first)).toBeNull();
  await sql.query('ROLLBACK');
  await sql.end();
});
