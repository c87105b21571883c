/** A start with another master key is told so before anything runs: its accounts could not be traded. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { environmentKeyProvider } from '../../../src/store/keys/local-key-provider';
import { checkMasterKey } from '../../../src/store/keys/master-key';
import { DEFAULT_RISK_LIMITS } from '../../../src/domain/account';
import { openStoreWorld, type StoreWorld } from './harness';

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
