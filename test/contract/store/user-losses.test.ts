/** What all accounts of a user lose together: in the placing transaction, and by the watchers. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { NO_USER_LIMITS, type Account, type UserRiskLimits } from '../../../src/domain/account';
import { someoneWaitsForALock } from '../../support/lock-waits';
import { fillOf, intentFor, openStoreWorld, OWNER, SYMBOL, type StoreWorld } from './harness';

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

interface Trader {
  readonly userId: string;
  readonly accounts: readonly Account[];
  /** What the watcher of the n-th account does at each look. */
  check(n: number): Promise<unknown>;
  /** An entry of the n-th account: why it was denied, null where it was taken. */
  ask(n: number, changes?: Parameters<typeof intentFor>[1]): Promise<string | null>;
  /** It buys or sells at a price. */
  fill(n: number, changes: Parameters<typeof fillOf>[1]): Promise<void>;
  statuses(): Promise<readonly (string | undefined)[]>;
}

/** Two accounts: the first is long 100, the second nothing. */
async function trader(limits: Partial<UserRiskLimits>): Promise<Trader> {
  world.marks.set(SYMBOL, '2');
  const { id: userId } = await world.store.users.createUser('a trader');
  const accounts = [await world.newAccount({ userId, limits: { maxDailyLoss: '1000000' } }), await world.newAccount({ userId, limits: { maxDailyLoss: '1000000' } })];
  const writers = await Promise.all(accounts.map(({ id }) => world.store.watching.takeEpoch(`account/${id}`, 'test')));
  const at = <T>(list: readonly T[], n: number): T => {
    const found = list[n];
    if (found === undefined) throw new RangeError(`no account ${n}`);
    return found;
  };
  const made: Trader = {
    userId,
    accounts,
    check: (n) => world.store.lossLimits.check(at(writers, n), at(accounts, n).id),
    ask: async (n, changes = {}) => {
      const intent = intentFor(at(accounts, n), changes);
      await world.store.placing.recordOrders([intent], OWNER);
      return (await world.store.orders.byId(intent.id))?.reasonCode ?? null;
    },
    fill: async (n, changes) => {
      await world.store.watching.applyFills(at(writers, n), at(accounts, n).id, [fillOf(intentFor(at(accounts, n)), { fee: '0', atMs: world.clock.ms, ...changes })]);
    },
    statuses: async () => Promise.all(accounts.map(async ({ id }) => (await world.store.accounts.byId(id))?.status)),
  };
  await made.fill(0, { quantity: '100' });
  await world.store.riskLimits.setOfUser(userId, { ...NO_USER_LIMITS, ...limits }, 'key:boss');
  return made;
}

const alerts = async (account: Account | undefined): Promise<unknown[]> => (await world.store.events.since(`account:${account?.id ?? ''}`, 0, 100)).filter(({ type }) => type === 'account.alert').map(({ data }) => data['kind']);

describe('the drawdown of a user', () => {
  test('is of all accounts together: what each lost may be little, entries are denied on every account before a watcher looked', async () => {
    const { ask, fill, check } = await trader({ maxDrawdown: '80' });
    await fill(1, { quantity: '100' });
    expect([await check(0), await ask(0)]).toEqual([null, null]);
    // Both lose 40.
    world.marks.set(SYMBOL, '1.6');
    expect([await ask(0, { limitPrice: '1.6' }), await ask(1, { limitPrice: '1.6' })]).toEqual(['RISK_DRAWDOWN', 'RISK_DRAWDOWN']);
    // Exits are taken.
    expect(await ask(0, { side: 'sell', quantity: '10', limitPrice: '1.6', reduceOnly: true })).toBeNull();
  });

  test('HALTs all accounts in one transaction, each with its alert; released, the peak begins anew', async () => {
    const { userId, accounts, ask, check, fill, statuses } = await trader({ maxDrawdown: '80' });
    await fill(1, { quantity: '100' });
    await check(1);
    world.marks.set(SYMBOL, '1.6');
    expect(await check(1)).toMatchObject({ kind: 'drawdownLimit', status: 'HALTED', figures: { drawdownOfUser: '80', maxDrawdownOfUser: '80' } });
    expect([await statuses(), await check(0), await check(1)]).toEqual([['HALTED', 'HALTED'], null, null]);
    expect(await Promise.all(accounts.map(alerts))).toEqual([['drawdownLimit'], ['drawdownLimit']]);
    for (const { id } of accounts) await world.store.accountChanges.apply(id, userId, { status: { status: 'ACTIVE', reason: null } }, 'key:boss');
    expect([await check(0), await ask(0, { limitPrice: '1.6' }), await statuses()]).toEqual([null, null, ['ACTIVE', 'ACTIVE']]);
  });

  test('is less by what another account gained meanwhile', async () => {
    const { ask, check, fill, statuses } = await trader({ maxDrawdown: '50' });
    await fill(1, { quantity: '40', side: 'sell' });
    await check(0);
    // 49 lost on the first, 19.6 gained on the second; then 20 of fees there, twice: 49.4 below the peak, then 69.4.
    world.marks.set(SYMBOL, '1.51');
    await fill(1, { quantity: '0.1', side: 'sell', price: '1.51', fee: '20' });
    expect([await check(0), await check(1), await ask(0, { limitPrice: '1.51' })]).toEqual([null, null, null]);
    await fill(1, { quantity: '0.1', side: 'sell', price: '1.51', fee: '20' });
    expect(await ask(0, { limitPrice: '1.51' })).toBe('RISK_DRAWDOWN');
    expect(await statuses()).toEqual(['ACTIVE', 'ACTIVE']);
  });

  test('is not known without a price of what one of them holds: then entries wait, and nothing is HALTED', async () => {
    const { ask, check, statuses } = await trader({ maxDrawdown: '50' });
    await check(0);
    world.marks.delete(SYMBOL);
    expect([await ask(1), await check(1), await statuses()]).toEqual(['RISK_PRICE_UNKNOWN', null, ['ACTIVE', 'ACTIVE']]);
  });

  test('counts a loss that another process is booking while an order of another account is placed', async () => {
    const { accounts, ask, check } = await trader({ maxDrawdown: '50' });
    await check(0);
    const [first] = accounts;
    await sql.query('BEGIN');
    await sql.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [first?.id]);
    await sql.query(`INSERT INTO ledger_balances(account_id, user_id, book, asset, amount) VALUES ($1, $2, 'fees', 'USDT', 50) ON CONFLICT (account_id, book, asset) DO UPDATE SET amount = 50`, [first?.id, first?.userId]);
    const asked = ask(1);
    await someoneWaitsForALock(sql, asked);
    await sql.query('COMMIT');
    expect(await asked).toBe('RISK_DRAWDOWN');
  });
});

describe('the day\'s loss of a user', () => {
  test('puts every account into REDUCING once all have lost it together', async () => {
    const { accounts, check, fill, statuses } = await trader({ maxDailyLoss: '80' });
    await fill(1, { quantity: '100' });
    world.marks.set(SYMBOL, '1.7');
    expect([await check(0), await statuses()]).toEqual([null, ['ACTIVE', 'ACTIVE']]);
    world.marks.set(SYMBOL, '1.6');
    expect(await check(0)).toMatchObject({ kind: 'dailyLossLimit', figures: { dailyProfitOfUser: '-80', maxDailyLossOfUser: '80' } });
    expect([await statuses(), await check(1)]).toEqual([['REDUCING', 'REDUCING'], null]);
    expect(await Promise.all(accounts.map(alerts))).toEqual([['dailyLossLimit'], ['dailyLossLimit']]);
  });

  test('counts a deleted account\'s, and leaves its status alone', async () => {
    const { userId, accounts, check, statuses } = await trader({ maxDailyLoss: '80' });
    await sql.query(`INSERT INTO daily_profits(user_id, account_id, day, profit) VALUES ($1, $2, $3::date, -80)`, [userId, accounts[1]?.id, new Date(world.clock.nowMs()).toISOString().slice(0, 10)]);
    await world.store.accountChanges.remove(accounts[1]?.id ?? '', userId, 'key:boss');
    expect(await check(0)).toMatchObject({ kind: 'dailyLossLimit' });
    expect([(await statuses())[0], await check(0)]).toEqual(['REDUCING', null]);
  });
});
