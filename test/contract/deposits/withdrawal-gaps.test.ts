/** A nonce that was given and is free again stops every later transaction of its wallet: whatever goes wrong with what fills it, the later ones are paid. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DomainError } from '../../../src/domain/errors';
import type { WalletSigner } from '../../../src/domain/wallet-signer';
import type { Withdrawal } from '../../../src/domain/withdrawal';
import { Crash, dyingAt, type Wrap } from '../dying';
import { CONFIRMATIONS, openWithdrawalWorld, RAISE_FEE_AFTER_MS, type WithdrawalWorld } from './withdrawal-world';

let world: WithdrawalWorld;
beforeAll(async () => {
  world = await openWithdrawalWorld();
}, 120_000);
afterAll(() => world.closeAll());

const silence = (): Promise<never> => Promise.reject(new DomainError('SERVICE_UNAVAILABLE', 'the signer is silent', { details: { signer: true } }));
const silent = (): WalletSigner => ({ addressOf: (userId) => world.signer.addressOf(userId), signMessage: (request) => world.signer.signMessage(request), sign: silence });

/** Withdrawals of one wallet, of which those before the last were never signed and are called off: nobody has their nonces. */
async function stopped(freed: 1 | 2 = 1) {
  const person = await world.person();
  const off: Withdrawal[] = [];
  for (let n = 0; n < freed; n += 1) {
    const each = await world.approved(person, '40');
    await world.workerOver({ signer: silent() }).path.look(each.id);
    off.push(each);
  }
  const next = await world.approved(person, '50');
  await world.workerOver().path.look(next.id);
  for (const { id } of off) expect(await world.workerOver().path.cancel(id, person.userId, 'key:asks')).toMatchObject({ state: 'CANCELED' });
  return { person, next };
}

/** By workers that are well. */
async function completes({ id }: Withdrawal): Promise<void> {
  for (let look = 0; look < 6 && (await world.workerOver().path.look(id)) !== 'COMPLETED'; look += 1) await world.chain.mine(CONFIRMATIONS);
  expect((await world.read(id)).state).toBe('COMPLETED');
}

const forgetting: Wrap = (port) => new Proxy(port, { get: (target, name) => (name === 'broadcast' ? () => Promise.reject(new DomainError('SERVICE_UNAVAILABLE', 'no endpoint took it')) : (Reflect.get(target, name) as unknown)) });

describe('a withdrawal behind a nonce that is free again', () => {
  test('is paid where the signer was silent when the gap was to be filled', async () => {
    const { person, next } = await stopped();
    expect(await world.workerOver({ signer: silent() }).path.look(next.id)).toBe('SUBMITTED');
    await completes(next);
    expect(await world.paidTo(person.target)).toEqual(['50']);
  });

  test('is paid where no node took what fills the gap', async () => {
    const { person, next } = await stopped();
    await expect(world.workerOver({ wrap: forgetting }).path.look(next.id)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await completes(next);
    expect(await world.paidTo(person.target)).toEqual(['50']);
  });

  test('is paid where the nodes forgot what fills the gap, and where the chain outgrew its fee', async () => {
    const { person, next } = await stopped();
    await world.chain.client.test.setAutomine(false);
    await world.workerOver().path.look(next.id);
    const filler = await world.store.chainSends.byId(`filler/${world.chain.id}/${person.wallet}/0`);
    const hash = filler?.versions[0]?.hash;
    if (hash === undefined) throw new Error('nothing fills the gap');
    await world.chain.client.test.dropTransaction({ hash });
    await world.chain.client.test.setNextBlockBaseFeePerGas({ baseFeePerGas: 40_000_000_000n });
    await world.chain.mine(1);
    world.clock.ms += RAISE_FEE_AFTER_MS;
    await world.workerOver().path.look(next.id);
    await world.chain.client.test.setAutomine(true);
    await completes(next);
    expect(await world.paidTo(person.target)).toEqual(['50']);
    await world.chain.client.test.setNextBlockBaseFeePerGas({ baseFeePerGas: 1_000_000_000n });
    await world.chain.mine(1);
  });

  test('is paid where there are two gaps and the signer was silent at each', async () => {
    const { person, next } = await stopped(2);
    await world.workerOver({ signer: silent() }).path.look(next.id);
    await world.workerOver({ signer: silent() }).path.look(next.id);
    await completes(next);
    expect(await world.paidTo(person.target)).toEqual(['50']);
  });

  test('is paid whichever call a worker dies at that fills the gap', async () => {
    let deaths = 0;
    for (let call = 1; ; call += 1) {
      const { person, next } = await stopped();
      const { wrap, died } = dyingAt(call, 'after');
      for (let look = 0; look < 2 && !died(); look += 1) {
        await world.workerOver({ wrap }).path.look(next.id).catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error;
        });
      }
      await completes(next);
      expect([call, await world.paidTo(person.target)]).toEqual([call, ['50']]);
      if (!died()) break;
      deaths = call;
    }
    expect(deaths).toBeGreaterThan(15);
  }, 120_000);

  test('is paid where another withdrawal takes that nonce before the gap is filled: nothing is left behind that waits for a higher one', async () => {
    const { person, next } = await stopped();
    const between = await world.approved(person, '60');
    // Between the look that finds the gap and the nonce that is given to fill it.
    let taken = false;
    const raced: Wrap = (port) =>
      new Proxy(port, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (name !== 'blockedBy' || typeof value !== 'function') return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
          return async (...given: unknown[]): Promise<unknown> => {
            const gap: unknown = await (value as (...all: unknown[]) => unknown).apply(target, given);
            if (!taken) await world.workerOver({ signer: silent() }).path.look(between.id);
            taken = true;
            return gap;
          };
        },
      });
    await world.workerOver({ wrap: raced }).path.look(next.id);
    // Called off in its turn: the nonce is free once more.
    await world.workerOver().path.cancel(between.id, person.userId, 'key:asks');
    await completes(next);
    expect(await world.paidTo(person.target)).toEqual(['50']);
    const last = await world.approved(person, '70');
    await completes(last);
    expect((await world.read(last.id)).transaction?.nonce).toBe(2);
  });
});
