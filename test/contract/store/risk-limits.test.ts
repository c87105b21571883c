/** Risk limits of users and accounts: set, recorded, and binding inside the placing transaction. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NO_USER_LIMITS, type Account, type RiskLimits } from '../../../src/domain/account';
import { intentFor, OWNER, openStoreWorld, SYMBOL, type StoreWorld } from './harness';
import { queried } from '../../support/queried';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

/** Why an order was denied; null when it was taken. */
async function ask(account: Account): Promise<string | null> {
  const intent = intentFor(account);
  await world.store.placing.recordOrders([intent], OWNER);
  return (await world.store.orders.byId(intent.id))?.reasonCode ?? null;
}

describe('limits that are set', () => {
  const ADMIN = 'key:boss';
  const userOf = async (): Promise<string> => (await world.store.users.createUser('a trader')).id;
  const newAccount = (userId: string, limits: Partial<RiskLimits> = {}): Promise<Account> => world.newAccount({ userId, limits, balance: '100000' });

  test('of a user bind every account in the placing transaction, from then on, and leave their own as they are', async () => {
    const userId = await userOf();
    const [a, b] = [await newAccount(userId, { maxOrderNotional: '1000' }), await newAccount(userId)];
    expect(await ask(a)).toBeNull();
    const bound = { ...NO_USER_LIMITS, maxOrderNotional: '19', allowedSymbols: [SYMBOL] };
    expect(await world.store.riskLimits.setOfUser(userId, bound, ADMIN)).toEqual({ accountId: null, user: bound, account: null, effective: null });
    for (const account of [a, b]) {
      expect(await ask(account)).toBe('RISK_ORDER_NOTIONAL');
      const events = await world.store.events.since(`account:${account.id}`, 0, 100);
      expect(events.find((event) => event.type === 'account.riskLimitsChanged')?.data).toMatchObject({ accountId: account.id, effective: { maxOrderNotional: '19', allowedSymbols: [SYMBOL] } });
    }
    expect((await world.store.accounts.byId(a.id))?.limits).toEqual(a.limits);
    await world.store.riskLimits.setOfUser(userId, NO_USER_LIMITS, ADMIN);
    expect(await ask(a)).toBeNull();
  });

  test('of an account hold from the next order on, and stay within the user\'s', async () => {
    const userId = await userOf();
    const account = await newAccount(userId);
    const view = await world.store.riskLimits.setOfAccount(userId, account.id, { ...account.limits, maxOpenOrders: 1 }, ADMIN);
    expect(view).toMatchObject({ accountId: account.id, account: { maxOpenOrders: 1 }, effective: { maxOpenOrders: 1 } });
    expect(await world.store.riskLimits.get(userId, account.id)).toEqual(view);
    expect([await ask(account), await ask(account)]).toEqual([null, 'RISK_OPEN_ORDERS']);
    await world.store.riskLimits.setOfUser(userId, { ...NO_USER_LIMITS, maxDailyLoss: '10' }, ADMIN);
    await expect(world.store.riskLimits.setOfAccount(userId, account.id, account.limits, ADMIN)).rejects.toMatchObject({ code: 'RISK_LIMITS_TOO_WIDE', details: { fields: { maxDailyLoss: { asked: '5000', within: '10' } } } });
    expect((await world.store.riskLimits.get(userId, account.id))?.account?.maxOpenOrders).toBe(1);
  });

  test('are acts of the audit log, with what they were', async () => {
    const userId = await userOf();
    const account = await newAccount(userId);
    const heads = world.heads.length;
    await world.store.riskLimits.setOfUser(userId, { ...NO_USER_LIMITS, maxOpenOrders: 500 }, ADMIN);
    await world.store.riskLimits.setOfAccount(userId, account.id, { ...account.limits, maxOpenOrders: 3 }, ADMIN);
    await expect(world.store.riskLimits.setOfAccount(userId, account.id, { ...account.limits, maxOpenOrders: 501 }, ADMIN)).rejects.toThrow();
    expect(world.heads.slice(heads)).toHaveLength(2);
    const rows = await queried<{ subject: string; actor: string; data: { previous: unknown; limits: { maxOpenOrders: number } } }>(world.databaseUrl, `SELECT subject, actor, data FROM audit_entries WHERE user_id = $1 AND act = 'riskLimits.changed' ORDER BY number`, userId);
    expect(rows.map((row) => [row.subject, row.actor, row.data.limits.maxOpenOrders])).toEqual([[`user:${userId}`, ADMIN, 500], [`account:${account.id}`, ADMIN, 3]]);
    expect(rows.map((row) => row.data.previous)).toEqual([null, account.limits]);
  });

  test('of an account that was deleted are gone', async () => {
    const userId = await userOf();
    const account = await newAccount(userId);
    await world.store.accountChanges.remove(account.id, userId, ADMIN);
    expect(await world.store.riskLimits.get(userId, account.id)).toBeNull();
    await expect(world.store.riskLimits.setOfAccount(userId, account.id, account.limits, ADMIN)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await world.store.riskLimits.setOfUser(userId, { ...NO_USER_LIMITS, maxOpenOrders: 1 }, ADMIN);
    expect((await world.store.events.since(`account:${account.id}`, 0, 100)).at(-1)?.type).toBe('account.deleted');
  });

  test('are their user\'s alone', async () => {
    const [userId, stranger] = [await userOf(), await userOf()];
    const account = await newAccount(userId);
    expect(await world.store.riskLimits.get(stranger, account.id)).toBeNull();
    await expect(world.store.riskLimits.setOfAccount(stranger, account.id, account.limits, ADMIN)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await world.store.riskLimits.setOfUser(stranger, { ...NO_USER_LIMITS, maxOrderNotional: '1' }, ADMIN);
    expect(await ask(account)).toBeNull();
  });
});
