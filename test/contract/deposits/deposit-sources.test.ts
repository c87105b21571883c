/** A deposit's source transaction on a real chain: replaced, abandoned, dropped, reorganised, somebody else's, or announced more than once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Deposit, Hex } from '../../../src/domain/deposit';
import { RELAYER, USER } from '../../support/anvil';
import { CONFIRMATIONS, openDepositWorld, type DepositWorld } from './deposit-world';

let world: DepositWorld;
beforeAll(async () => {
  world = await openDepositWorld();
});
afterAll(() => world.closeAll());
beforeEach(() => void Object.assign(world.lifi.faults, { outcome: 'pay', notFound: 0, http: null, target: null }));

/** Its approval was mined by hand. */
const withoutApproval = (deposit: Deposit): Deposit => ({ ...deposit, quote: deposit.quote === null ? null : { ...deposit.quote, approval: null } });

/** A deposit whose source was seen once, and replaced by another of its nonce, so many blocks ago. */
async function replaced(blocksAgo: number): Promise<{ readonly id: string; readonly first: Hex; readonly second: Hex }> {
  await world.source.client.test.setAutomine(false);
  try {
    const quoted = await world.quoted();
    await approve(quoted);
    const nonce = await world.source.client.test.getTransactionCount({ address: USER.address });
    const first = await world.sign(withoutApproval(quoted), { nonce, gasPrice: 2_000_000_000n });
    await world.path.take(quoted.id, first);
    await world.path.lookAtSource(quoted.id, 0, 60_000);
    const second = await world.sign(withoutApproval(quoted), { nonce, gasPrice: 9_000_000_000n });
    await world.source.mine(blocksAgo);
    return { id: quoted.id, first, second };
  } finally {
    await world.source.client.test.setAutomine(true);
  }
}

describe('the source of a deposit', () => {
  test('that was replaced by one of the same nonce is followed', async () => {
    const { id, first, second } = await replaced(CONFIRMATIONS);
    expect(await world.path.lookAtSource(id, 0, 60_000)).toBe('SOURCE_CONFIRMED');
    expect((await world.read(id)).source).toMatchObject({ hash: second, earlierHashes: [first] });
  });

  test('that was replaced is followed also where its block is long past at the next look', async () => {
    // Less than five minutes of Arbitrum, which is how far apart looks may be.
    const { id, second } = await replaced(1_000);
    expect(await world.path.lookAtSource(id, 0, 60_000)).toBe('SOURCE_CONFIRMED');
    expect((await world.read(id)).source).toMatchObject({ hash: second });
  });

  test('whose nonce went to something else can never be sent; one that nobody knows any more may be sent again', async () => {
    await world.source.client.test.setAutomine(false);
    try {
      const [abandoned, dropped] = [await world.quoted(), await world.quoted()];
      await approve(abandoned);
      const nonce = await world.source.client.test.getTransactionCount({ address: USER.address });
      await world.path.take(abandoned.id, await world.sign(withoutApproval(abandoned), { nonce, gasPrice: 2_000_000_000n }));
      await world.path.lookAtSource(abandoned.id, 0, 60_000);
      await world.source.client.wallet(USER).sendTransaction({ to: RELAYER.address, value: 1n, nonce, gasPrice: 9_000_000_000n });
      await world.source.mine(1);
      // Until its block is final the chain may take it back, and mine this one.
      expect(await world.path.lookAtSource(abandoned.id, 0, 60_000)).toBe('SOURCE_SUBMITTED');
      await world.source.mine(CONFIRMATIONS - 1);
      expect(await world.path.lookAtSource(abandoned.id, 0, 60_000)).toBe('FAILED');
      const hash = await world.sign(withoutApproval(dropped), { nonce: nonce + 1 });
      await world.path.take(dropped.id, hash);
      await world.path.lookAtSource(dropped.id, 0, 60_000);
      await world.source.client.test.dropTransaction({ hash });
      expect(await world.path.lookAtSource(dropped.id, 1_000, 60_000)).toBe('SOURCE_SUBMITTED');
      expect(await world.path.lookAtSource(dropped.id, 60_000, 60_000)).toBe('AWAITING_SIGNATURE');
    } finally {
      await world.source.client.test.setAutomine(true);
    }
  });

  test('whose nonce went to the same user\'s other deposit, which asks for the very same, can never be sent: one transaction pays one deposit', async () => {
    await world.source.client.test.setAutomine(false);
    try {
      const one = await world.quoted();
      const two = await world.quoted({ userId: one.userId, toAddress: one.toAddress });
      expect(two.quote?.transaction).toEqual(one.quote?.transaction);
      await approve(one);
      const nonce = await world.source.client.test.getTransactionCount({ address: USER.address });
      await world.path.take(one.id, await world.sign(withoutApproval(one), { nonce, gasPrice: 2_000_000_000n }));
      await world.path.lookAtSource(one.id, 0, 60_000);
      const hash = await world.sign(withoutApproval(two), { nonce, gasPrice: 9_000_000_000n });
      expect(await world.path.take(two.id, hash)).toMatchObject({ state: 'SOURCE_SUBMITTED', refused: null });
      expect((await world.path.take(one.id, hash)).refused?.code).toBe('CONFLICT');
      await world.source.mine(CONFIRMATIONS);
      expect([await world.path.lookAtSource(one.id, 0, 60_000), await world.path.lookAtSource(two.id, 0, 60_000)]).toEqual(['FAILED', 'SOURCE_CONFIRMED']);
      expect((await world.read(one.id)).reason).toBe('SOURCE_ABANDONED');
    } finally {
      await world.source.client.test.setAutomine(true);
    }
  });

  test('announced twice, and by several at once, is one transaction of one deposit', async () => {
    const quoted = await world.quoted();
    const hash = await world.sign(quoted);
    const answers = await Promise.all(Array.from({ length: 4 }, () => world.path.take(quoted.id, hash)));
    expect(answers.map(({ refused }) => refused)).toEqual([null, null, null, null]);
    expect((await world.steps(quoted)).filter(({ fact }) => fact === 'sourceSent')).toHaveLength(1);
  });

  test('that reorganises before it is final is waited for anew', async () => {
    const quoted = await world.quoted();
    const hash = await world.sign(quoted);
    await world.path.take(quoted.id, hash);
    await world.source.mine(CONFIRMATIONS - 2);
    await world.path.lookAtSource(quoted.id, 0, 60_000);
    expect((await world.read(quoted.id)).source?.confirmations).toBe(CONFIRMATIONS - 1);
    await world.reorganise(world.source, CONFIRMATIONS - 1);
    expect(await world.path.lookAtSource(quoted.id, 0, 60_000)).toBe('SOURCE_SUBMITTED');
    expect((await world.read(quoted.id)).sourceOutcome).toBeNull();
  });

  test('must be what was asked for: another sender, target, or another deposit\'s transaction is refused', async () => {
    const [mine, other] = [await world.quoted(), await world.quoted()];
    const stranger = await world.source.client.wallet(RELAYER).sendTransaction({ to: USER.address, value: 1n });
    expect((await world.path.take(mine.id, stranger)).refused).toMatchObject({ code: 'UNPROCESSABLE', details: { fault: 'OTHER_SENDER' } });
    const elsewhere = await world.source.client.wallet(USER).sendTransaction({ to: RELAYER.address, value: 1n });
    expect((await world.path.take(mine.id, elsewhere)).refused?.details).toMatchObject({ fault: 'OTHER_TARGET' });
    const hash = await world.sign(mine);
    await world.path.take(mine.id, hash);
    expect((await world.path.take(other.id, hash)).refused).toMatchObject({ code: 'UNPROCESSABLE', details: { fault: 'OTHER_DATA' } });
  });

  test('is never asked for where the bridge names a target or spender that is not on the list', async () => {
    world.lifi.faults.target = '0x00000000000000000000000000000000000000ee';
    expect(await world.quoted()).toMatchObject({ state: 'FAILED', reason: 'NO_QUOTE', quote: null });
  });

  test('is quoted only within the limits, and not at all while the bridge is away', async () => {
    expect((await world.quoted({ amount: '0.5' })).state).toBe('FAILED');
    world.lifi.faults.http = 500;
    expect(await world.quoted()).toMatchObject({ state: 'FAILED', reason: 'BRIDGE_UNAVAILABLE' });
  });
});

async function approve({ quote }: Deposit): Promise<void> {
  if (quote?.approval == null) return;
  await world.source.client.wallet(USER).sendTransaction({ to: quote.approval.to, data: quote.approval.data });
  await world.source.mine(1);
}
