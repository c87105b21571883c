/** A start with another master key is told so before anything runs: its accounts could not be traded. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { environmentKeyProvider } from '../../../src/store/keys/local-key-provider';
import { checkMasterKey } from '../../../src/store/keys/master-key';
import { DEFAULT_RISK_LIMITS, KEY_LOST, KEY_REPLACED } from '../../../src/domain/account';
import { queried } from '../../support/queried';
import { intentFor, openStoreWorld, OWNER, type StoreWorld } from './harness';

const keyOf = (words: string): Buffer => createHash('sha256').update(words).digest();
/** The key of every store world. */
const RIGHT = keyOf('a key of the tests');
const WRONG = keyOf('another key');

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

test('any key serves an empty database; after that only the one that sealed what is there', async () => {
  expect(await checkMasterKey(world.databaseUrl, WRONG)).toBe(0);
  await world.newAccount();
  expect(await checkMasterKey(world.databaseUrl, RIGHT)).toBe(0);
  const [right, wrong] = [RIGHT, WRONG].map((key) => environmentKeyProvider([key]).currentKeyId);
  await expect(checkMasterKey(world.databaseUrl, WRONG)).rejects.toThrow(`the master key is not the one that sealed the credentials of this database (that has the id ${right}, this one ${wrong}): give it back as SUREFILL_MASTER_KEY, or as master-key in SUREFILL_HOME`);
});

test('an account that was made under another key does not stop the rest, and is counted', async () => {
  const other = await world.openAnother({ keyProvider: environmentKeyProvider([WRONG]) });
  await other.accounts.create({ id: 'made-under-another', userId: world.userId, name: 'made under another key', venue: 'paper', signerId: 'made-under-another', credential: { key: 'k' }, limits: DEFAULT_RISK_LIMITS }, 'system');
  expect(await checkMasterKey(world.databaseUrl, RIGHT)).toBe(1);
  expect(await checkMasterKey(world.databaseUrl, WRONG)).toBe(1);
});

test('an account that was made under another key, which may be in another process, is not refused for good, and holds up no order of others that comes together with it', async () => {
  const [ours, theirs] = [await world.newAccount(), await world.newAccount()];
  const other = await world.openAnother({ keyProvider: environmentKeyProvider([WRONG]) });
  await other.accountChanges.apply(theirs.id, world.userId, { credential: { key: 'k' } }, 'system');
  const intents = [intentFor(ours), intentFor(theirs), intentFor(theirs, { reduceOnly: true })];
  // This process has not opened any of them yet.
  const here = await world.openAnother();
  const { calls } = await here.placing.recordOrders(intents, OWNER);
  expect(calls.map(({ accountId }) => accountId)).toEqual([ours.id]);
  const found = await Promise.all(intents.map(async ({ id }) => here.orders.byId(id)));
  expect(found.map((order) => [order?.state, order?.reasonCode])).toEqual([['SUBMITTING', null], ['DENIED', 'SERVICE_UNAVAILABLE'], ['DENIED', 'SERVICE_UNAVAILABLE']]);
  await expect(here.accounts.credentials(theirs.id)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', message: expect.stringContaining('not at hand in this process') });
});

test('a key that is lost for good is given up once an operator says so: its accounts wait for new ones, and nothing else waits for it', async () => {
  const lost = await openStoreWorld();
  try {
    const account = await lost.newAccount();
    const { currentKeyId: lostId } = environmentKeyProvider([RIGHT]);
    await expect(checkMasterKey(lost.databaseUrl, WRONG)).rejects.toThrow(`if it is lost for good, start once with SUREFILL_LOST_MASTER_KEY=${lostId}`);
    expect(await checkMasterKey(lost.databaseUrl, WRONG, lostId)).toBe(1);
    const store = await lost.openAnother({ keyProvider: environmentKeyProvider([WRONG]) });
    expect(await store.lostKeys.mark(lostId, 'setting:SUREFILL_LOST_MASTER_KEY')).toEqual({ accountIds: [account.id], webhooks: 0, channels: 0 });
    // Again, as after a crash in the middle, or a second start.
    await store.lostKeys.mark(lostId, 'setting:SUREFILL_LOST_MASTER_KEY');
    const eventsOf = async () => (await store.events.since(`account:${account.id}`, 0, 100)).map(({ type, data }) => [type, data['status'] ?? data['kind']]);
    expect((await eventsOf()).slice(-2)).toEqual([['account.statusChanged', 'HALTED'], ['account.alert', 'keyLost']]);
    expect(await store.accounts.get(account.id, lost.userId)).toMatchObject({ status: 'HALTED', statusReason: KEY_LOST });
    expect(await queried(lost.databaseUrl, `SELECT data->>'masterKeyId' AS id, actor FROM audit_entries WHERE act = 'account.statusChanged'`)).toEqual([{ id: lostId, actor: 'setting:SUREFILL_LOST_MASTER_KEY' }]);
    // The next start needs no setting, and one with the old key would do as well.
    expect([await checkMasterKey(lost.databaseUrl, WRONG), await checkMasterKey(lost.databaseUrl, RIGHT)]).toEqual([1, 0]);
    const replaced = await store.accountChanges.apply(account.id, lost.userId, { credential: { key: 'a new one' } }, 'key:owner');
    expect([replaced.status, replaced.statusReason, await store.accounts.credentials(account.id)]).toEqual(['HALTED', KEY_REPLACED, { key: 'a new one' }]);
    expect((await store.lostKeys.mark(lostId, 'again')).accountIds).toEqual([]);
    expect(await store.accounts.get(account.id, lost.userId)).toMatchObject({ statusReason: KEY_REPLACED });
  } finally {
    await lost.close();
  }
});

test('a key that is here, or still opens an account, is not lost: nothing is given up', async () => {
  const other = await openStoreWorld();
  try {
    const account = await other.newAccount();
    const { currentKeyId } = environmentKeyProvider([RIGHT]);
    await expect(checkMasterKey(other.databaseUrl, RIGHT, currentKeyId)).rejects.toThrow('it is not lost; take the setting out again');
    await expect(other.store.lostKeys.mark(currentKeyId, 'x')).rejects.toMatchObject({ code: 'CONFLICT' });
    // Both are at hand, as after a rotation.
    const both = await other.openAnother({ keyProvider: environmentKeyProvider([WRONG, RIGHT]) });
    await expect(both.lostKeys.mark(currentKeyId, 'x')).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('is at hand') });
    expect(await both.accounts.get(account.id, other.userId)).toMatchObject({ status: 'ACTIVE' });
    await expect(checkMasterKey(other.databaseUrl, WRONG)).rejects.toThrow('is not the one that sealed');
  } finally {
    await other.close();
  }
});
