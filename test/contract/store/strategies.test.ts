/** Strategies, kill switches and loss limits in PostgreSQL: what is recorded holds whoever asks, and how often. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { Account } from '../../../src/domain/account';
import { UNCONDITIONAL } from '../../../src/domain/order';
import type { ChildPlan } from '../../../src/domain/strategy';
import { someoneWaitsForALock } from '../../support/lock-waits';
import { fillOf, intentFor, openStoreWorld, OWNER, SYMBOL, type StoreWorld } from './harness';
import { wish } from '../strategy-wish';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

const part = (leg: string, quantity = '60'): ChildPlan => ({ leg, quantity, limitPrice: '2', timeInForce: 'GTC', postOnly: false });
const RUNNING = { state: 'RUNNING', reason: null, newRun: true, filledQuantity: '0', avgPrice: null } as const;

async function placed(account: Account, changes: Parameters<typeof intentFor>[1] = {}): Promise<string | null> {
  const intent = intentFor(account, changes);
  await world.store.placing.recordOrders([intent], OWNER);
  return (await world.store.orders.byId(intent.id))?.reasonCode ?? null;
}

describe('a strategy', () => {
  test('is made once by its client id, and advances only from the facts it was decided on', async () => {
    const account = await world.newAccount();
    const { strategies } = world.store;
    const asked = wish(account);
    const made = await strategies.create(asked, null);
    expect((await strategies.create({ ...asked, id: randomUUID() }, null)).id).toBe(made.id);
    const started = await strategies.advance(made.id, { revision: 1, afterN: 0, note: RUNNING, place: [] });
    expect(started?.strategy).toMatchObject({ state: 'RUNNING', revision: 2, run: 1 });
    const decided = { revision: 2, afterN: 0, note: null, place: [part('part-0')] };
    // Two workers decided the same at once: one of them is too late.
    const both = await Promise.all([strategies.advance(made.id, decided), strategies.advance(made.id, decided)]);
    expect(both.filter((answer) => answer !== null)).toHaveLength(1);
    // A decision that knows of the first and still wants more than is left records nothing: the first counts whole before it is placed.
    expect(await strategies.advance(made.id, { ...decided, afterN: 1, place: [part('part-1')] })).toBeNull();
    expect(await strategies.children(made.id)).toMatchObject([{ n: 1, leg: 'part-0', state: 'PENDING_RISK', isPlaced: false }]);
    expect((await strategies.timeline(made.id, account.userId))?.events.map(({ type }) => type)).toEqual(['strategy.created', 'strategy.started', 'strategy.placing']);
  });

  test('is edited only against its present revision, and never below what is filled and open; paused, nothing more is recorded', async () => {
    const account = await world.newAccount();
    const { strategies } = world.store;
    const made = await strategies.create(wish(account), null);
    await strategies.advance(made.id, { revision: 1, afterN: 0, note: RUNNING, place: [] });
    await strategies.advance(made.id, { revision: 2, afterN: 0, note: null, place: [part('part-0')] });
    const amend = (expectedRevision: number, quantity: string) => strategies.command(made.id, account.userId, { kind: 'amend', expectedRevision, quantity, parameters: made.parameters, expireAt: null });
    await expect(amend(1, '200')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(amend(2, '59')).rejects.toMatchObject({ code: 'CONFLICT', details: { claimed: '60' } });
    expect(await amend(2, '200')).toMatchObject({ revision: 3, quantity: '200', run: 2 });
    expect(await strategies.command(made.id, account.userId, { kind: 'pause', reason: null })).toMatchObject({ state: 'PAUSED', revision: 4 });
    expect(await strategies.advance(made.id, { revision: 4, afterN: 1, note: null, place: [part('part-1')] })).toBeNull();
    world.clock.ms += 5_000;
    expect(await strategies.command(made.id, account.userId, { kind: 'resume', reason: null })).toMatchObject({ state: 'RUNNING', pausedMs: 5_000, run: 3 });
    await expect(strategies.command(made.id, 'somebody', { kind: 'cancel', reason: null })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await strategies.openOf(account.id)).toHaveLength(1);
    expect((await strategies.list({ userId: account.userId, status: 'open', accountId: account.id, symbol: null, venue: null, cursor: null, limit: 10 })).strategies).toHaveLength(1);
  });
});

describe('a kill switch', () => {
  const latch = (account: Account, mode: 'halt' | 'flatten', scope: 'account' | 'all' = 'account') =>
    world.store.killSwitches.latch({ id: randomUUID(), userId: account.userId, scope, accountId: scope === 'account' ? account.id : null, venue: null, mode, reason: null }, 'key:boss');

  test('refuses entries inside the placing transaction, in every process, until it is released; exits pass', async () => {
    const { user } = { user: await world.store.users.createUser('a trader') };
    const account = await world.newAccount({ userId: user.id });
    expect(await placed(account)).toBeNull();
    const { killSwitch } = await latch(account, 'halt');
    expect(await placed(account)).toBe('RISK_ACCOUNT_HALTED');
    const another = await world.openAnother();
    const intent = intentFor(account);
    await another.placing.recordOrders([intent], OWNER);
    expect((await another.orders.byId(intent.id))?.reasonCode).toBe('RISK_ACCOUNT_HALTED');
    // The entry from before rests: what it fills may have to be reduced, so nothing stands in the exit's way.
    expect(await placed(account, { side: 'sell', reduceOnly: true })).toBeNull();
    await expect(world.store.accountChanges.apply(account.id, user.id, { status: { status: 'ACTIVE', reason: null } }, 'key:boss')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(world.store.strategies.create(wish(account), null)).rejects.toMatchObject({ code: 'RISK_ACCOUNT_HALTED' });
    await world.store.killSwitches.release(killSwitch.id, user.id, 'key:boss');
    expect(await placed(account)).toBeNull();
  });

  test('of everything holds an account that is made later; two switches hold until both are released', async () => {
    const userId = (await world.store.users.createUser('a trader')).id;
    const account = await world.newAccount({ userId });
    const all = await latch(account, 'halt', 'all');
    const own = await latch(account, 'flatten');
    const later = await world.newAccount({ userId });
    expect([await placed(account), await placed(later)]).toEqual(['RISK_ACCOUNT_HALTED', 'RISK_ACCOUNT_HALTED']);
    await world.store.killSwitches.release(all.killSwitch.id, userId, 'key:boss');
    expect([await placed(account), await placed(later)]).toEqual(['RISK_ACCOUNT_HALTED', null]);
    await world.store.killSwitches.release(own.killSwitch.id, userId, 'key:boss');
    expect(await placed(account)).toBeNull();
  });

  test('of a venue holds its owner\'s accounts there, later ones too, and no others', async () => {
    const userId = (await world.store.users.createUser('a trader')).id;
    const [here, elsewhere, strange] = [await world.newAccount({ userId }), await world.newAccount({ userId, venue: 'other' }), await world.newAccount()];
    const { killSwitch } = await world.store.killSwitches.latch({ id: randomUUID(), userId, scope: 'venue', accountId: null, venue: 'paper', mode: 'halt', reason: null }, 'key:boss');
    const later = await world.newAccount({ userId });
    expect([await placed(here), await placed(later), await placed(strange)]).toEqual(['RISK_ACCOUNT_HALTED', 'RISK_ACCOUNT_HALTED', null]);
    expect([(await world.store.accounts.byId(elsewhere.id))?.status, (await world.store.killSwitches.facts(killSwitch.id)).map(({ accountId }) => accountId).sort()]).toEqual(['ACTIVE', [here.id, later.id].sort()]);
    await world.store.killSwitches.release(killSwitch.id, userId, 'key:boss');
    expect(await placed(here)).toBeNull();
  });

  test('that a restored database has lost is latched again, unless what it held is lost too or another holds it', async () => {
    const userId = (await world.store.users.createUser('a trader')).id;
    const account = await world.newAccount({ userId });
    const lost = { id: randomUUID(), userId, scope: 'account', accountId: account.id, venue: null, mode: 'halt', reason: 'a rumour' } as const;
    expect(await world.store.killSwitches.latchAgain(lost)).toMatchObject({ ...lost, releasedAt: null });
    expect(await placed(account)).toBe('RISK_ACCOUNT_HALTED');
    expect(await world.store.killSwitches.latchAgain({ ...lost, id: randomUUID() })).toBeNull();
    expect(await world.store.killSwitches.latchAgain({ ...lost, id: randomUUID(), accountId: 'gone' })).toBeNull();
    expect(await world.store.killSwitches.latchAgain({ ...lost, id: randomUUID(), userId: 'gone', scope: 'all', accountId: null })).toBeNull();
  });

  test('of everything holds an account that was made while it was latched', async () => {
    const userId = (await world.store.users.createUser('a trader')).id;
    const account = await world.newAccount({ userId });
    const patient = await world.openAnother({ lockTimeoutMs: 60_000, statementTimeoutMs: 60_000 });
    const [holding, looking] = [new Client(world.databaseUrl), new Client(world.databaseUrl)];
    await Promise.all([holding.connect(), looking.connect()]);
    await holding.query('BEGIN');
    await holding.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [account.id]);
    const latching = patient.killSwitches.latch({ id: randomUUID(), userId, scope: 'all', accountId: null, venue: null, mode: 'halt', reason: null }, 'key:boss');
    // The latch knows its accounts then.
    await someoneWaitsForALock(looking, latching);
    const late = await world.newAccount({ userId });
    await holding.query('COMMIT');
    await Promise.all([holding.end(), looking.end()]);
    const { killSwitch } = await latching;
    expect(await placed(late)).toBe('RISK_ACCOUNT_HALTED');
    const alerts = (await world.store.events.since(`account:${late.id}`, 0, 100)).filter(({ type }) => type === 'account.alert');
    expect(alerts.map(({ data }) => data['kind'])).toEqual(['killSwitchLatched']);
    await world.store.killSwitches.release(killSwitch.id, userId, 'key:boss');
    expect(await placed(late)).toBeNull();
  });

  test('finds the orders that wait in workflows beside those of the venue', async () => {
    const account = await world.newAccount();
    const stop = intentFor(account, { type: 'stopMarket', side: 'sell', limitPrice: null, reduceOnly: true, condition: { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '1.5', triggerPriceType: 'mark', gapPolicy: 'traded' } });
    await world.store.placing.recordOrders([stop], OWNER);
    expect((await world.store.orders.open(account.id)).map(({ id, state }) => [id, state])).toEqual([[stop.id, 'ARMED']]);
  });
});

describe('loss limits', () => {
  async function holding(limits: Record<string, string>): Promise<{ account: Account; check: () => Promise<unknown>; status: () => Promise<string | undefined> }> {
    world.marks.set(SYMBOL, '2');
    const account = await world.newAccount({ limits });
    const writer = await world.store.watching.takeEpoch(`account/${account.id}`, 'test');
    await world.store.watching.applyFills(writer, account.id, [fillOf(intentFor(account), { quantity: '100', atMs: world.clock.ms, fee: '0' })]);
    return { account, check: () => world.store.lossLimits.check(writer, account.id), status: async () => (await world.store.accounts.byId(account.id))?.status };
  }

  test('the day\'s loss puts the account into REDUCING by marks alone, once, with the figures and how to release', async () => {
    const { account, check, status } = await holding({ maxDailyLoss: '50' });
    expect(await check()).toBeNull();
    world.marks.set(SYMBOL, '1.4');
    expect(await check()).toMatchObject({ kind: 'dailyLossLimit', figures: { dailyProfit: '-60', maxDailyLoss: '50' } });
    expect([await status(), await check()]).toEqual(['REDUCING', null]);
    const events = (await world.store.events.since(`account:${account.id}`, 0, 100)).filter(({ type }) => type === 'account.alert' || type === 'account.statusChanged');
    expect(events.map(({ data }) => data['kind'] ?? data['status'])).toEqual(['REDUCING', 'dailyLossLimit']);
    expect(String(events[1]?.data['release'])).toContain('PATCH');
  });

  test('a drawdown from the peak HALTs it; released, the peak begins anew; without a price nothing trips', async () => {
    const { account, check, status } = await holding({ maxDrawdown: '50' });
    world.marks.set(SYMBOL, '3');
    expect(await check()).toBeNull();
    world.marks.delete(SYMBOL);
    expect(await check()).toBeNull();
    world.marks.set(SYMBOL, '2.5');
    expect(await check()).toMatchObject({ kind: 'drawdownLimit', figures: { drawdown: '50' } });
    expect(await status()).toBe('HALTED');
    await world.store.accountChanges.apply(account.id, account.userId, { status: { status: 'ACTIVE', reason: null } }, 'key:boss');
    expect([await check(), await status()]).toEqual([null, 'ACTIVE']);
  });

  test('money that comes or goes is no peak and no drawdown, also before anybody knows that it was a transfer', async () => {
    const { account, status } = await holding({ maxDrawdown: '50' });
    const writer = await world.store.watching.takeEpoch(`account/${account.id}`, 'test');
    const balance = (total: string): Promise<unknown> => world.store.watching.putBalances(writer, account.id, [{ asset: 'USDT', total, available: total, locked: '0' }], (world.clock.ms += 1_000));
    const checked = (): Promise<unknown> => world.store.lossLimits.check(writer, account.id);
    expect(await checked()).toBeNull();
    await balance('20000');
    expect(await checked()).toBeNull();
    await balance('100');
    expect([await checked(), await status()]).toEqual([null, 'ACTIVE']);
    world.marks.set(SYMBOL, '1.5');
    expect(await checked()).toMatchObject({ kind: 'drawdownLimit', figures: { drawdown: '50' } });
  });
});
