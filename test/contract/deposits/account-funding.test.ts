/** Deposits that go on to the account of a venue, on a real chain: whatever crashes and whatever is refused, the money is in one place, once. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AccountFunding } from '../../../src/activities/account-funding';
import { assetOf, type Deposit, type Hex } from '../../../src/domain/deposit';
import type { DepositWay } from '../../../src/domain/deposit-way';
import type { Withdrawal } from '../../../src/domain/withdrawal';
import type { Store } from '../../../src/store';
import { depositSample, hash } from '../../unit/domain/deposit-samples';
import { Crash, dyingAt, type Wrap } from '../dying';
import { CONFIRMATIONS, openWithdrawalWorld, type WithdrawalWorld } from './withdrawal-world';

let world: WithdrawalWorld;
let serial = 0;
beforeAll(async () => {
  world = await openWithdrawalWorld();
}, 120_000);
afterAll(() => world.closeAll());

interface Case {
  readonly deposit: Deposit;
  readonly way: DepositWay;
}

/** A deposit that brought `amount`, counted in the books, of a user whose wallet holds so much and gas. */
async function credited({ amount = '99', ...options }: { readonly amount?: string; readonly gas?: bigint; readonly changes?: Partial<DepositWay> } = {}): Promise<Case> {
  serial += 1;
  const { userId, wallet } = await world.person('100', options.gas === undefined ? {} : { gas: options.gas });
  const { token } = world;
  const contract: Hex = `0x${serial.toString(16).padStart(4, '0')}${'cd'.repeat(18)}`;
  const received = [{ asset: assetOf(token), amount, txHash: hash('f1') }];
  const deposit = depositSample({ id: randomUUID(), userId, state: 'CREDITED', to: token, toAddress: wallet, received, destination: { accountId: 'account-1', fundingId: randomUUID() } });
  return { deposit, way: { chainId: token.chainId, token: token.address, contract, minimum: '5', sender: wallet, ...options.changes } };
}

/** What a worker does at each look at the deposit; its workflow's looks at the transfer follow at once. */
function workerOver({ deposit, way }: { readonly deposit: Deposit; readonly way: DepositWay | null }, { wrap = (port) => port, store = world.store }: { readonly wrap?: Wrap; readonly store?: Store } = {}): AccountFunding {
  const { path } = world.workerOver({ wrap, store });
  return new AccountFunding({ clock: world.clock, depositById: () => Promise.resolve(deposit), withdrawals: wrap(store.withdrawals), wayInto: () => Promise.resolve(way), pursueOrder: () => Promise.resolve(), pursue: async ({ id }) => void (await path.look(id)) });
}

async function settled(at: Case): Promise<Withdrawal> {
  for (let look = 0; look < 3; look += 1) {
    await workerOver(at).forward(at.deposit.id);
    await world.chain.mine(CONFIRMATIONS);
  }
  return world.read(String(at.deposit.destination?.fundingId));
}

describe('a deposit with a destination', () => {
  test('is sent to the contract of the venue, once, without another approval, and leaves the books of the wallet', async () => {
    const at = await credited();
    await workerOver(at).forward(at.deposit.id);
    expect(await world.books(at.deposit.userId)).toEqual({ wallet: '1', reserved: '99', transfers: '-100' });
    const done = await settled(at);
    expect(done).toMatchObject({ state: 'COMPLETED', amount: '99', toAddress: at.way.contract, funding: { depositId: at.deposit.id, accountId: 'account-1' } });
    expect(await world.paidTo(at.way.contract)).toEqual(['99']);
    expect(await world.books(at.deposit.userId)).toEqual({ wallet: '1', transfers: '-1' });
  });

  test.each(['before', 'after'] as const)('is sent once where a worker dies %s any call that it makes', async (when) => {
    let deaths = 0;
    for (let call = 1; ; call += 1) {
      const at = await credited();
      const { wrap, died } = dyingAt(call, when);
      for (let look = 0; look < 3 && !died(); look += 1) {
        await workerOver(at, { wrap }).forward(at.deposit.id).catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error;
        });
        await world.chain.mine(CONFIRMATIONS);
      }
      expect([call, (await settled(at)).state]).toEqual([call, 'COMPLETED']);
      expect([call, await world.paidTo(at.way.contract)]).toEqual([call, ['99']]);
      expect(await world.books(at.deposit.userId)).toEqual({ wallet: '1', transfers: '-1' });
      if (!died()) break;
      deaths = call;
    }
    expect(deaths).toBeGreaterThan(15);
  }, 120_000);

  test('is sent once by six workers at the same time', async () => {
    const at = await credited();
    const stores = await Promise.all(Array.from({ length: 3 }, () => world.openAnother()));
    await Promise.all([...stores, ...stores].map((store) => workerOver(at, { store }).forward(at.deposit.id)));
    expect((await settled(at)).state).toBe('COMPLETED');
    expect(await world.paidTo(at.way.contract)).toEqual(['99']);
  });

  test.each<[string, { readonly amount?: string; readonly changes?: Partial<DepositWay> }]>([
    ['BELOW_VENUE_MINIMUM', { amount: '4.99' }],
    ['OTHER_WALLET', { changes: { sender: `0x${'11'.repeat(20)}` } }],
    ['OTHER_TOKEN', { changes: { token: `0x${'22'.repeat(20)}` } }],
    ['OTHER_TOKEN', { changes: { chainId: 1 } }],
    ['WALLET_SPENT', { amount: '100.5' }],
  ])('that cannot go on (%s: %j) stays in the wallet, and says so', async (reason, given) => {
    const at = await credited(given);
    expect(await settled(at)).toMatchObject({ state: 'FAILED', reason, transaction: null });
    expect(await world.paidTo(at.way.contract)).toEqual([]);
    expect(await world.books(at.deposit.userId)).toEqual({ wallet: '100', transfers: '-100' });
    expect((await world.store.events.since(`user:${at.deposit.userId}`, 0, 100)).filter(({ type }) => type.startsWith('withdrawal.')).map(({ type }) => type)).toEqual(['withdrawal.failed']);
  });

  test('whose account or venue is gone stays in the wallet', async () => {
    const at = await credited();
    await workerOver({ deposit: at.deposit, way: null }).forward(at.deposit.id);
    expect(await world.read(String(at.deposit.destination?.fundingId))).toMatchObject({ state: 'FAILED', reason: 'NO_DEPOSIT_CONTRACT' });
  });

  test('whose transfer the token refuses is USDC in the wallet again', async () => {
    const at = await credited({ changes: { contract: `0x${'00'.repeat(20)}` } });
    expect(await settled(at)).toMatchObject({ state: 'FAILED', reason: expect.stringContaining('WOULD_REVERT') });
    expect(await world.books(at.deposit.userId)).toEqual({ wallet: '100', transfers: '-100' });
  });

  test('is judged again before anything is signed: an account that became another one in between gets nothing', async () => {
    const at = await credited({ gas: 0n });
    await workerOver(at).forward(at.deposit.id);
    const fundingId = String(at.deposit.destination?.fundingId);
    expect(await world.read(fundingId)).toMatchObject({ state: 'APPROVED', reason: 'NO_GAS' });
    await world.chain.client.test.setBalance({ address: at.deposit.toAddress, value: 10n ** 18n });
    const { path } = world.workerOver({ faultOfFunding: () => Promise.resolve('OTHER_WALLET') });
    expect(await path.look(fundingId)).toBe('FAILED');
    expect([await world.read(fundingId), await world.paidTo(at.way.contract)]).toMatchObject([{ state: 'FAILED', reason: 'OTHER_WALLET', transaction: null }, []]);
    expect(await world.books(at.deposit.userId)).toEqual({ wallet: '100', transfers: '-100' });
  });

  test('whose bytes are kept goes on, whatever the account has become: they may have left', async () => {
    const at = await credited();
    await workerOver(at).forward(at.deposit.id);
    const fundingId = String(at.deposit.destination?.fundingId);
    const { path } = world.workerOver({ faultOfFunding: () => Promise.resolve('OTHER_WALLET') });
    await world.chain.mine(CONFIRMATIONS);
    expect([await path.look(fundingId), await world.paidTo(at.way.contract)]).toEqual(['COMPLETED', ['99']]);
  });

  test('that waits for gas may be called off: it is in the wallet, and nothing is begun again', async () => {
    const at = await credited({ gas: 0n });
    expect(await settled(at)).toMatchObject({ state: 'APPROVED', reason: 'NO_GAS' });
    await world.store.withdrawals.cancel(String(at.deposit.destination?.fundingId), at.deposit.userId, 'key:user');
    await world.chain.client.test.setBalance({ address: at.deposit.toAddress, value: 10n ** 18n });
    expect((await settled(at)).state).toBe('CANCELED');
    expect(await world.paidTo(at.way.contract)).toEqual([]);
    expect(await world.books(at.deposit.userId)).toEqual({ wallet: '100', transfers: '-100' });
  });

  test('is not begun before it is credited, nor where it brought another token', async () => {
    const { deposit, way } = await credited();
    for (const changes of [{ state: 'DEST_SEEN' }, { received: [{ asset: 'OTH@1/0x00', amount: '99', txHash: hash('f1') }] }] as const) {
      await workerOver({ deposit: { ...deposit, ...changes }, way }).forward(deposit.id);
      expect(await world.store.withdrawals.byId(String(deposit.destination?.fundingId))).toBeNull();
    }
  });

  test('does not use up what a user may withdraw within a day', async () => {
    const at = await credited({ amount: '60' });
    await settled(at);
    const target: Hex = `0x${'5a'.repeat(20)}`;
    await world.store.withdrawalAddresses.add({ userId: at.deposit.userId, address: target, label: 'own wallet', actor: 'key:asks', waitMs: 0 });
    const wish = world.wish({ userId: at.deposit.userId, wallet: at.deposit.toAddress, target }, '40');
    await expect(world.store.withdrawals.begin(wish, { minimum: '1', maximum: '100', perDay: '40' })).resolves.toMatchObject({ state: 'AWAITING_APPROVAL' });
  });
});
