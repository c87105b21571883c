/** What happens to a deposit a second time: a decision whose worker died after its commit, a direct transfer whose block goes and comes back. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createDepositActivities } from '../../../src/activities/deposit-activities';
import { DepositPath, type DepositPathPorts } from '../../../src/activities/deposit-path';
import { assetOf, type ChainTransfer } from '../../../src/domain/deposit';
import { depositSample, hash, hex, minedSource, transferSample, USDC } from '../../unit/domain/deposit-samples';
import { queried } from '../../support/queried';
import { openStoreWorld, type StoreWorld } from './harness';

let world: StoreWorld;
let serial = 0;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

async function person() {
  serial += 1;
  const { id: userId } = await world.store.users.createUser(`again ${serial}`);
  const toAddress = hex(String(7_000 + serial));
  await world.store.deposits.keepAddress(userId, toAddress);
  return { userId, toAddress };
}

describe('a decision', () => {
  /** A deposit that waits for one. */
  async function reviewed() {
    const { userId, toAddress } = await person();
    const { deposits } = world.store;
    const { id } = await deposits.begin(depositSample({ id: randomUUID(), userId, toAddress }));
    await deposits.record(id, { kind: 'quoted', quote: null as never });
    await deposits.record(id, { kind: 'sourceSent', hash: hash(`d${serial}`), neededConfirmations: 3 });
    await deposits.record(id, { kind: 'sourceConfirmed', source: minedSource({ hash: hash(`d${serial}`) }) });
    await deposits.record(id, { kind: 'graceOver', reason: 'TOOK_TOO_LONG' });
    const forwarded: string[] = [];
    // A decision asks neither chain nor bridge.
    const path = new DepositPath({ deposits } as unknown as DepositPathPorts);
    const { noteDecision } = createDepositActivities(path, { look: () => Promise.reject(new Error('nobody looks')) }, { forward: async (depositId) => void forwarded.push(depositId) });
    const decide = (decision: 'resume' | 'writeOff', note = 'gone') => noteDecision({ depositId: id, userId, decision, note, actor: 'key:admin' });
    return { id, userId, decide, forwarded };
  }

  test.each([
    ['writeOff', 'FAILED', 0],
    ['resume', 'BRIDGING', 2],
  ] as const)('to %s that is run again because its worker died after the commit is answered as done, once in the audit log', async (decision, state, forwards) => {
    const { id, userId, decide, forwarded } = await reviewed();
    for (let run = 0; run < 2; run += 1) expect(await decide(decision)).toEqual({ state, refused: null });
    expect(forwarded).toEqual(Array.from({ length: forwards }, () => id));
    expect((await world.store.deposits.steps(id, userId))?.filter(({ fact }) => fact === 'decided')).toHaveLength(1);
    expect(await queried(world.databaseUrl, 'SELECT act FROM audit_entries WHERE subject = $1', `deposit:${id}`)).toHaveLength(1);
  });

  test('that is another, or comes after something else has happened, is too late', async () => {
    const { id, decide } = await reviewed();
    await decide('resume');
    for (const other of [decide('resume', 'once more'), decide('writeOff')]) expect((await other).refused).toMatchObject({ code: 'CONFLICT' });
    await world.store.deposits.record(id, { kind: 'bridgeSaid', report: { status: 'PENDING', substatus: null, message: null, receivingHash: null, at: '2026-01-01T00:00:00.000Z' } });
    expect((await decide('resume')).refused).toMatchObject({ code: 'CONFLICT' });
  });
});

test.each([
  ['the same block', {}],
  ['another block', { blockHash: hash('e9'), blockNumber: 104 }],
] as const)('a direct transfer that the chain takes back is its user\'s again when it returns in %s', async (_which, returned) => {
  const { userId, toAddress } = await person();
  const transfer = transferSample({ txHash: hash(`fa${serial}`), to: toAddress, from: hex('79'), amount: '50' });
  const seen = async (which: ChainTransfer) => {
    await world.store.chainTransfers.keep(which.chainId, [{ userId, depositId: null, transfer: which }], null);
    const stored = (await world.store.chainTransfers.toJudge(which.chainId, 0)).find((each) => each.userId === userId && each.transfer.blockHash === which.blockHash);
    if (stored === undefined) throw new Error('the transfer was not kept');
    return stored;
  };
  const rules = { claimWithinMs: 0, taken: USDC };
  expect(await world.store.chainTransfers.count(await seen(transfer), rules)).toBe('direct');
  await world.store.chainTransfers.reverse(await seen(transfer));
  expect(await world.store.deposits.books(userId)).toEqual({});
  expect(await world.store.chainTransfers.count(await seen({ ...transfer, ...returned }), rules)).toBe('direct');
  expect(await world.store.deposits.books(userId)).toEqual({ [`wallet ${assetOf(USDC)}`]: '50', [`transfers ${assetOf(USDC)}`]: '-50' });
  const { deposits } = await world.store.deposits.list({ userId, state: null, cursor: null, limit: 10 });
  expect(deposits.map(({ state, reason }) => [state, reason]).sort()).toEqual([['CREDITED', null], ['FAILED', 'CREDIT_REORGANISED']]);
});
