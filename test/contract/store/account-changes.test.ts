import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KEY_REFUSED, KEY_REPLACED } from '../../../src/domain/account';
import { intentFor, OWNER, openStoreWorld, spoilKey, wholeDatabase, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

describe('changing an account', () => {
  const ACTOR = 'key:boss';
  const code = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (error: { code?: string }) => error.code ?? String(error));

  test('a new key takes the old one\'s place, sealed, and nobody gets the old one any more', async () => {
    const account = await world.newAccount();
    expect(await world.store.accounts.credentials(account.id)).toEqual({ key: `key-of-${account.id}` });
    await world.store.accountChanges.apply(account.id, account.userId, { credential: { key: 'the-new-key' } }, ACTOR);
    expect(await world.store.accounts.credentials(account.id)).toEqual({ key: 'the-new-key' });
    const contents = await wholeDatabase(world);
    expect(contents).not.toContain('the-new-key');
    expect(contents).not.toContain(Buffer.from('the-new-key').toString('hex'));
  });

  test('one that is halted for a refused key waits for a person, but is watched again', async () => {
    const account = await world.newAccount();
    await world.store.accounts.setStatus(account.id, 'HALTED', KEY_REFUSED);
    const replaced = await world.store.accountChanges.apply(account.id, account.userId, { credential: { key: 'another' } }, ACTOR);
    expect([replaced.status, replaced.statusReason]).toEqual(['HALTED', KEY_REPLACED]);
    const released = await world.store.accountChanges.apply(account.id, account.userId, { status: { status: 'ACTIVE', reason: null } }, ACTOR);
    expect([released.status, released.statusReason]).toEqual(['ACTIVE', null]);
  });

  test('a name that another account has changes nothing at all', async () => {
    const [one, two] = [await world.newAccount(), await world.newAccount()];
    expect(await code(world.store.accountChanges.apply(two.id, two.userId, { name: one.name, status: { status: 'HALTED', reason: null } }, ACTOR))).toBe('CONFLICT');
    expect((await world.store.accounts.byId(two.id))?.status).toBe('ACTIVE');
  });

  test('another user changes, ends and sets nothing', async () => {
    const account = await world.newAccount();
    const stranger = (await world.store.users.createUser('a stranger to accounts')).id;
    const setting = { symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP', leverage: '3', marginMode: 'cross' } as const;
    expect(await code(world.store.accountChanges.apply(account.id, stranger, { name: 'mine' }, ACTOR))).toBe('NOT_FOUND');
    expect(await code(world.store.accountChanges.remove(account.id, stranger, ACTOR))).toBe('NOT_FOUND');
    expect(await code(world.store.accountChanges.noteLeverage(account.id, stranger, setting, ACTOR))).toBe('NOT_FOUND');
  });

  test('deleted, it is in no list, its key is gone, its name is free, and its events stay', async () => {
    const account = await world.newAccount();
    await world.store.accountChanges.remove(account.id, account.userId, ACTOR);
    expect(await world.store.accounts.byId(account.id)).toBeNull();
    expect((await world.store.accounts.list(account.userId)).map(({ id }) => id)).not.toContain(account.id);
    expect((await world.store.accounts.allActive()).map(({ id }) => id)).not.toContain(account.id);
    expect(await code(world.store.accounts.credentials(account.id))).toBe('NOT_FOUND');
    expect([await world.store.accounts.owns(account.id, account.userId), await world.store.accounts.owns(account.id, 'somebody')]).toEqual([true, false]);
    const other = await world.newAccount();
    expect((await world.store.accountChanges.apply(other.id, other.userId, { name: account.name }, ACTOR)).name).toBe(account.name);
    expect((await world.store.events.since(`account:${account.id}`, 0, 100)).map((event) => event.type)).toContain('account.deleted');
    expect(await code(world.store.accountChanges.apply(account.id, account.userId, { name: 'back' }, ACTOR))).toBe('NOT_FOUND');
  });

  test('holding an order or a position, it is not deleted', async () => {
    const account = await world.newAccount();
    await world.store.placing.recordOrders([intentFor(account, { clientOrderId: 'resting' })], OWNER);
    expect(await code(world.store.accountChanges.remove(account.id, account.userId, ACTOR))).toBe('CONFLICT');
    expect(await world.store.accounts.byId(account.id)).not.toBeNull();
  });

  test('with an order open it keeps its address: a new key is for the same one, whoever signs with it', async () => {
    const [address, other] = [`0x${'Ab'.repeat(20)}`, `0x${'7b'.repeat(20)}`];
    const account = await world.newAccount();
    const replace = (credential: Record<string, string>, signerId = account.signerId) => world.store.accountChanges.apply(account.id, account.userId, { credential, signerId }, ACTOR);
    expect((await replace({ key: 'first', address }, 'paper/first-agent')).signerId).toBe('paper/first-agent');
    await world.store.placing.recordOrders([intentFor(account, { clientOrderId: 'at-this-address' })], OWNER);
    expect(await code(replace({ key: 'second', address: other }, 'paper/second-agent'))).toBe('CONFLICT');
    expect(await world.store.accounts.credentials(account.id)).toEqual({ key: 'first', address });
    expect((await replace({ key: 'second', address: address.toLowerCase() }, 'paper/second-agent')).signerId).toBe('paper/second-agent');
    expect(await world.store.accounts.credentials(account.id)).toEqual({ key: 'second', address: address.toLowerCase() });
  });

  test('with an order open and a key that cannot be opened any more, another key is taken', async () => {
    const account = await world.newAccount();
    await world.store.placing.recordOrders([intentFor(account, { clientOrderId: 'out-of-reach' })], OWNER);
    await spoilKey(world, account.id);
    expect(await code(world.store.accountChanges.apply(account.id, account.userId, { credential: { key: 'new' } }, ACTOR))).toBe('done');
  });

  test('its leverage is what margin is reckoned with from then on', async () => {
    const account = await world.newAccount();
    const setting = { symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP', leverage: '3', marginMode: 'cross' } as const;
    await world.store.accountChanges.noteLeverage(account.id, account.userId, setting, ACTOR);
    expect((await world.store.accounts.figures(account.id, ['BTC-PERP'])).symbols['BTC-PERP']?.leverage).toBe('3');
    await world.store.accountChanges.noteLeverage(account.id, account.userId, { ...setting, leverage: '7' }, ACTOR);
    expect((await world.store.accounts.figures(account.id, ['BTC-PERP'])).symbols['BTC-PERP']?.leverage).toBe('7');
    expect(await world.store.positions.openOf(account.id, account.userId)).toEqual([]);
  });
});
