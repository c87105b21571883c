/** Withdrawals on a real chain: whatever crashes at whatever step, and however often it is tried, the chain holds one transfer. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hkdfSync } from 'node:crypto';
import { encodeAbiParameters, keccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Hex } from '../../../src/domain/deposit';
import type { WalletSigner } from '../../../src/domain/wallet-signer';
import type { Withdrawal, WithdrawalState } from '../../../src/domain/withdrawal';
import { DomainError } from '../../../src/domain/errors';
import { Crash, dyingAt } from '../dying';
import { CONFIRMATIONS, openWithdrawalWorld, RAISE_FEE_AFTER_MS, SEED, type WithdrawalWorld } from './withdrawal-world';
import { wholeDatabase } from '../store/harness';

let world: WithdrawalWorld;
beforeAll(async () => {
  world = await openWithdrawalWorld();
}, 120_000);
afterAll(() => world.closeAll());

async function finish(id: string, path = world.workerOver().path): Promise<WithdrawalState> {
  await path.look(id);
  await world.chain.mine(CONFIRMATIONS);
  return path.look(id);
}

describe('a withdrawal', () => {
  test('is set aside, approved by another person, signed, sent once and paid by what a final block holds', async () => {
    const person = await world.person();
    const { id } = await world.approved(person);
    expect(await world.books(person.userId)).toEqual({ wallet: '960', reserved: '40', transfers: '-1000' });
    const { path } = world.workerOver();
    expect(await path.look(id)).toBe('SUBMITTED');
    await path.look(id);
    expect(await world.read(id)).toMatchObject({ state: 'SUBMITTED', transaction: { confirmations: 1, neededConfirmations: CONFIRMATIONS } });
    await world.chain.mine(CONFIRMATIONS);
    expect(await path.look(id)).toBe('COMPLETED');
    expect(await world.paidTo(person.target)).toEqual(['40']);
    expect(await world.books(person.userId)).toEqual({ wallet: '960', transfers: '-960' });
    expect((await world.store.withdrawals.steps(id, person.userId))?.map((step) => step.fact)).toEqual(['requested', 'approved', 'signed', 'sent', 'seen', 'paid']);
    expect(Number((await world.read(id)).transaction?.gasFee)).toBeGreaterThan(0);
  });

  test('is paid once whichever call a worker dies at, before it is made or after', async () => {
    const counted: number[] = [];
    for (const when of ['before', 'after'] as const) {
      for (let call = 1; ; call += 1) {
        const person = await world.person('100');
        const { id } = await world.approved(person);
        const { wrap, died } = dyingAt(call, when);
        const { path: dies } = world.workerOver({ wrap });
        for (let look = 0; look < 3 && !died(); look += 1) {
          await dies.look(id).catch((error: unknown) => {
            if (!(error instanceof Crash)) throw error;
          });
          await world.chain.mine(CONFIRMATIONS);
        }
        expect([call, await finish(id)]).toEqual([call, 'COMPLETED']);
        expect([call, await world.paidTo(person.target)]).toEqual([call, ['40']]);
        expect(await world.books(person.userId)).toEqual({ wallet: '60', transfers: '-60' });
        if (!died()) {
          counted.push(call - 1);
          break;
        }
      }
    }
    // Each port is crossed many times: a run that died nowhere would prove nothing.
    expect(Math.min(...counted)).toBeGreaterThan(15);
  }, 120_000);

  test('is paid once by six workers at the same time, and each of six withdrawals has a nonce of its own', async () => {
    const person = await world.person();
    const others = await Promise.all(Array.from({ length: 3 }, () => world.openAnother()));
    const wishes: Withdrawal[] = [];
    for (let n = 0; n < 6; n += 1) wishes.push(await world.approved(person, String(10 + n)));
    const paths = others.map((store) => world.workerOver({ store }).path);
    await Promise.all(paths.flatMap((path) => wishes.map(({ id }) => path.look(id))));
    await world.chain.mine(CONFIRMATIONS);
    for (const { id } of wishes) expect(await world.workerOver().path.look(id)).toBe('COMPLETED');
    const nonces = await Promise.all(wishes.map(async ({ id }) => (await world.read(id)).transaction?.nonce ?? -1));
    expect([...nonces].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...(await world.paidTo(person.target))].sort()).toEqual(['10', '11', '12', '13', '14', '15']);
  });

  test('whose transaction the nodes forgot is sent again, the same bytes', async () => {
    const person = await world.person();
    const { id } = await world.approved(person);
    await world.chain.client.test.setAutomine(false);
    const { path } = world.workerOver();
    await path.look(id);
    const { transaction } = await world.read(id);
    if (transaction === null) throw new Error('nothing was signed');
    await world.chain.client.test.dropTransaction({ hash: transaction.hash });
    expect(await world.reader.transaction(transaction.hash)).toBeNull();
    await path.look(id);
    await world.chain.client.test.setAutomine(true);
    await world.chain.mine(CONFIRMATIONS);
    expect(await path.look(id)).toBe('COMPLETED');
    expect((await world.read(id)).transaction?.hash).toBe(transaction.hash);
    expect(await world.paidTo(person.target)).toEqual(['40']);
  });

  test('whose block is reorganised away is not paid by it, and is paid once when it is mined again', async () => {
    const person = await world.person();
    const { id } = await world.approved(person);
    const { path } = world.workerOver();
    await path.look(id);
    await world.chain.mine(1);
    await world.chain.client.test.request({ method: 'anvil_reorg' as never, params: [2, []] as never });
    expect(await world.paidTo(person.target)).toEqual([]);
    expect(await path.look(id)).toBe('SUBMITTED');
    expect(await finish(id)).toBe('COMPLETED');
    expect(await world.paidTo(person.target)).toEqual(['40']);
  });

  test('whose fee the chain has outgrown is signed again with the same nonce, and paid once', async () => {
    const person = await world.person();
    const { id } = await world.approved(person);
    await world.chain.client.test.setAutomine(false);
    const { path } = world.workerOver();
    await path.look(id);
    const first = (await world.read(id)).transaction;
    await world.chain.client.test.setNextBlockBaseFeePerGas({ baseFeePerGas: 40_000_000_000n });
    await world.chain.mine(1);
    world.clock.ms += RAISE_FEE_AFTER_MS;
    await path.look(id);
    await path.look(id);
    const raised = (await world.read(id)).transaction;
    expect(raised).toMatchObject({ nonce: first?.nonce, earlierHashes: [first?.hash] });
    await world.chain.client.test.setAutomine(true);
    await world.chain.mine(CONFIRMATIONS);
    expect(await path.look(id)).toBe('COMPLETED');
    expect(await world.paidTo(person.target)).toEqual(['40']);
    await world.chain.client.test.setNextBlockBaseFeePerGas({ baseFeePerGas: 1_000_000_000n });
    await world.chain.mine(1);
  });

  test('whose nonce another transaction took fails, and what it reserved is free again', async () => {
    const person = await world.person();
    const { id } = await world.approved(person);
    await world.chain.client.test.setAutomine(false);
    const { path } = world.workerOver();
    await path.look(id);
    const { transaction } = await world.read(id);
    if (transaction === null) throw new Error('nothing was signed');
    await world.chain.client.test.dropTransaction({ hash: transaction.hash });
    // Somebody who holds the key uses it elsewhere.
    const foreign = await world.signer.sign({ userId: person.userId, idempotencyKey: 'foreign', transaction: { chainId: world.chain.id, from: person.wallet, to: person.wallet, data: '0x', value: '0', nonce: transaction.nonce, gas: '21000', maxFeePerGas: '100000000000', maxPriorityFeePerGas: '1' } });
    await world.chain.client.test.sendRawTransaction({ serializedTransaction: foreign.bytes });
    await world.chain.client.test.setAutomine(true);
    await world.chain.mine(1);
    expect(await path.look(id)).toBe('SUBMITTED');
    await world.chain.mine(CONFIRMATIONS);
    expect(await path.look(id)).toBe('FAILED');
    expect(await world.read(id)).toMatchObject({ reason: 'NONCE_TAKEN' });
    expect(await world.books(person.userId)).toEqual({ wallet: '1000', transfers: '-1000' });
    expect(await world.paidTo(person.target)).toEqual([]);
  });

  test('that the chain reverts fails, gas is a cost, and the amount is back', async () => {
    const person = await world.person('100');
    const { id } = await world.approved(person);
    await world.chain.client.test.setAutomine(false);
    const { path } = world.workerOver();
    await path.look(id);
    // The money leaves by another way in the same block, before it.
    await world.chain.client.test.setStorageAt({ address: world.token.address, index: balanceSlot(person.wallet), value: `0x${'0'.repeat(64)}` });
    await world.chain.client.test.setAutomine(true);
    await world.chain.mine(CONFIRMATIONS);
    expect(await path.look(id)).toBe('FAILED');
    expect(await world.read(id)).toMatchObject({ reason: 'REVERTED' });
    expect(await world.books(person.userId)).toEqual({ wallet: '100', transfers: '-100' });
    expect(Number((await world.store.deposits.books(person.userId))[`fees gas@${world.chain.id}`])).toBeGreaterThan(0);
  });

  test('of a wallet without gas waits with nothing signed, says so, may be called off, and goes on once there is gas', async () => {
    const person = await world.person('1000', { gas: 0n });
    const [waits, off] = [await world.approved(person), await world.approved(person, '50')];
    const { path } = world.workerOver();
    expect([await path.look(waits.id), await path.look(off.id)]).toEqual(['APPROVED', 'APPROVED']);
    expect(await world.read(waits.id)).toMatchObject({ reason: 'NO_GAS', transaction: null });
    expect(await path.cancel(off.id, person.userId, 'key:asks')).toEqual({ state: 'CANCELED', refused: null });
    await world.chain.client.test.setBalance({ address: person.wallet, value: 10n ** 18n });
    expect(await finish(waits.id)).toBe('COMPLETED');
    expect(await world.paidTo(person.target)).toEqual(['40']);
    expect(await world.books(person.userId)).toEqual({ wallet: '960', transfers: '-960' });
  });

  test('that the signer refuses fails with nothing sent; its nonce goes to the next', async () => {
    const person = await world.person();
    const refusing: WalletSigner = { addressOf: (userId) => world.signer.addressOf(userId), sign: () => Promise.reject(new DomainError('FORBIDDEN', 'policy_violation')), signMessage: (request) => world.signer.signMessage(request) };
    const [refused, next] = [await world.approved(person), await world.approved(person, '50')];
    expect(await world.workerOver({ signer: refusing }).path.look(refused.id)).toBe('FAILED');
    expect(await world.books(person.userId)).toEqual({ wallet: '950', reserved: '50', transfers: '-1000' });
    expect(await finish(next.id)).toBe('COMPLETED');
    expect((await world.read(next.id)).transaction?.nonce).toBe(0);
    expect(await world.paidTo(person.target)).toEqual(['50']);
  });

  test('that is called off while it is being signed is never sent, and a later one is not held up by its nonce', async () => {
    const person = await world.person();
    const [off, next] = [await world.approved(person), await world.approved(person, '50')];
    // The signer is slow: meanwhile the next one is signed with the nonce after it, and this one is called off.
    const slow: WalletSigner = {
      addressOf: (userId) => world.signer.addressOf(userId),
      signMessage: (request) => world.signer.signMessage(request),
      sign: async (request) => {
        const signed = await world.signer.sign(request);
        expect(await world.workerOver().path.look(next.id)).toBe('SUBMITTED');
        expect(await world.workerOver().path.cancel(off.id, person.userId, 'key:asks')).toEqual({ state: 'CANCELED', refused: null });
        return signed;
      },
    };
    expect(await world.workerOver({ signer: slow }).path.look(off.id)).toBe('CANCELED');
    expect(await world.workerOver().path.look(off.id)).toBe('CANCELED');
    expect(await finish(next.id)).toBe('COMPLETED');
    expect((await world.read(next.id)).transaction?.nonce).toBe(1);
    expect(await world.paidTo(person.target)).toEqual(['50']);
    expect(await world.books(person.userId)).toEqual({ wallet: '950', transfers: '-950' });
  });

  test('keeps no signed bytes once it has ended, and none in the open before', async () => {
    const person = await world.person();
    const { id } = await world.approved(person);
    const { path } = world.workerOver();
    await path.look(id);
    const bytes = await world.store.chainSends.bytesOf(`withdrawal/${id}`, 1);
    expect(bytes).toMatch(/^0x02/);
    await world.chain.mine(CONFIRMATIONS);
    await path.look(id);
    expect(await world.store.chainSends.bytesOf(`withdrawal/${id}`, 1)).toBeNull();
  });

  test('leaves no key that can move money in any table, nor its signed bytes in the open', async () => {
    const person = await world.person();
    const { id } = await world.approved(person);
    await world.workerOver().path.look(id);
    const bytes = String(await world.store.chainSends.bytesOf(`withdrawal/${id}`, 1)).slice(2);
    const key = Buffer.from(hkdfSync('sha256', SEED, 'surefill deposit wallet', person.userId, 32));
    expect(privateKeyToAccount(`0x${key.toString('hex')}`).address.toLowerCase()).toBe(person.wallet);
    const all = await wholeDatabase(world);
    // It looks where it should: what is public of the wallet is there.
    expect(all).toContain(person.wallet);
    for (const secret of [key, SEED, Buffer.from(bytes, 'hex')]) for (const text of [secret.toString('hex'), secret.toString('hex').toUpperCase(), secret.toString('base64')]) expect(all.includes(text)).toBe(false);
  });
});

/** Where OpenZeppelin's ERC-20 keeps a balance: mapping at slot 0. */
function balanceSlot(wallet: Hex): Hex {
  return keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [wallet, 0n]));
}
