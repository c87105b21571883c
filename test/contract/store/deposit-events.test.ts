/** What a deposit's events say of its swap, and that each has the deposit as the catalogue shows it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { depositSchema } from '../../../src/schemas/deposits';
import { depositSample, hash, hex, minedSource } from '../../unit/domain/deposit-samples';
import { openStoreWorld, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

test.each([
  ['COMPLETED', 'swap.completed'],
  ['REFUNDED', 'swap.updated'],
])('a bridge that says DONE, %s, is told as %s', async (substatus, last) => {
  const { deposits, users, events } = world.store;
  const user = await users.createUser(`swaps to ${substatus}`);
  const [toAddress, sourceHash] = [hex(String(substatus.length)), hash(`a${substatus.length}`)];
  await deposits.keepAddress(user.id, toAddress);
  const { id } = await deposits.begin(depositSample({ id: randomUUID(), userId: user.id, toAddress }));
  const report = { substatus: null, message: null, receivingHash: null, at: '2026-01-01T00:00:00.000Z' };
  await deposits.record(id, { kind: 'quoted', quote: null as never });
  await deposits.record(id, { kind: 'sourceSent', hash: sourceHash, neededConfirmations: 3 });
  await deposits.record(id, { kind: 'sourceConfirmed', source: minedSource({ hash: sourceHash }) });
  await deposits.record(id, { kind: 'bridgeSaid', report: { ...report, status: 'PENDING' } });
  await deposits.record(id, { kind: 'bridgeSaid', report: { ...report, status: 'DONE', substatus } });
  const told = await events.since(`user:${user.id}`, 0, 100);
  expect(told.map(({ type }) => type)).toEqual(['deposit.created', 'swap.quoted', 'deposit.updated', 'deposit.updated', 'swap.updated', last]);
  for (const { type, data } of told) expect([type, depositSchema.safeParse(data['deposit']).error?.issues]).toEqual([type, undefined]);
});
