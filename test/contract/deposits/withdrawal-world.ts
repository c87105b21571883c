/** A real chain, a store, a wallet with money and gas, and what a worker does for withdrawals, without Temporal. */
import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { parseAbiItem } from 'viem';
import { ChainSender } from '../../../src/activities/chain-sender';
import { WithdrawalPath } from '../../../src/activities/withdrawal-path';
import { EvmChain, lower } from '../../../src/chains/evm-chain';
import { EvmWriter } from '../../../src/chains/evm-writer';
import { LocalSigner } from '../../../src/chains/local-signer';
import { isoTime } from '../../../src/domain/clock';
import { assetOf, type ChainToken, type ChainTransfer, type Hex } from '../../../src/domain/deposit';
import type { WalletSigner } from '../../../src/domain/wallet-signer';
import type { Withdrawal } from '../../../src/domain/withdrawal';
import { CONTRACTS } from '../../../src/simulator/chains/contracts';
import type { Store } from '../../../src/store';
import { RELAYER, startAnvil } from '../../support/anvil';
import type { Wrap } from '../dying';
import { openStoreWorld } from '../store/harness';

/** Whoever has it has every wallet of these tests. */
export const SEED = Buffer.alloc(32, 9);
export const CHAIN_ID = 42_161;
export const CONFIRMATIONS = 3;
export const RAISE_FEE_AFTER_MS = 60_000;
export const LIMITS = { minimum: '1', maximum: '500', perDay: '800' };
const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
const COIN = 10n ** 18n;

export type WithdrawalWorld = Awaited<ReturnType<typeof openWithdrawalWorld>>;

export async function openWithdrawalWorld() {
  const contracts = CONTRACTS;
  const [chain, store] = await Promise.all([startAnvil(CHAIN_ID), openStoreWorld()]);
  const address = await chain.deploy(contracts.token, ['USDC', 6]);
  const token: ChainToken = { chainId: CHAIN_ID, address, symbol: 'USDC', decimals: 6 };
  const reader = new EvmChain({ id: CHAIN_ID, name: 'arbitrum', confirmations: CONFIRMATIONS, rpcUrls: [chain.url], timeoutMs: 5_000 });
  const writer = new EvmWriter({ name: 'arbitrum', rpcUrls: ['http://127.0.0.1:9', chain.url], timeoutMs: 5_000 });
  const signer = new LocalSigner(SEED);
  const chains = new Map([[CHAIN_ID, reader]]);
  let serial = 0;

  const world = {
    ...store, chain, token, contracts, reader, writer, signer,
    /** Another worker: over the same database and chain, with what a test puts between. */
    workerOver(given: { readonly wrap?: Wrap; readonly signer?: WalletSigner; readonly store?: Store; readonly faultOfFunding?: (withdrawal: Withdrawal) => Promise<string | null> } = {}) {
      const { faultOfFunding = () => Promise.resolve(null), wrap = <T extends object>(port: T): T => port, store: own = store.store } = given;
      const sender = new ChainSender({ clock: store.clock, sends: wrap(own.chainSends), chains: new Map([[CHAIN_ID, wrap(reader)]]), writers: new Map([[CHAIN_ID, wrap(writer)]]), signer: wrap(given.signer ?? signer), raiseFeeAfterMs: RAISE_FEE_AFTER_MS });
      return { sender, path: new WithdrawalPath({ withdrawals: wrap(own.withdrawals), sender, chains, limits: LIMITS, faultOfFunding }) };
    },
    /** A user whose wallet holds so much, counted in the books as a deposit that came unannounced; and an address of theirs that may be used. */
    async person(amount = '1000', options: { readonly gas?: bigint; readonly usable?: boolean } = {}) {
      serial += 1;
      const { id: userId } = await store.store.users.createUser(`withdrawer ${randomUUID()}`);
      const wallet = await signer.addressOf(userId);
      await store.store.deposits.keepAddress(userId, wallet);
      const units = BigInt(amount) * 10n ** 6n;
      const hash = await chain.call(RELAYER, address, contracts.token, 'mint', [wallet, units]);
      await chain.client.test.setBalance({ address: wallet, value: options.gas ?? COIN });
      const transfer: ChainTransfer = { chainId: CHAIN_ID, txHash: lower(hash), logIndex: 0, blockNumber: 1, blockHash: lower(hash), token: address, asset: assetOf(token), from: '0x0000000000000000000000000000000000000000', to: wallet, amount };
      await store.store.chainTransfers.keep(CHAIN_ID, [{ userId, depositId: null, transfer }], null);
      const [seen] = (await store.store.chainTransfers.toJudge(CHAIN_ID, 0)).filter((each) => each.userId === userId);
      if (seen === undefined) throw new Error('the money was not seen');
      await store.store.chainTransfers.count(seen, { claimWithinMs: 0, taken: token });
      const target: Hex = `0x${serial.toString(16).padStart(4, '0')}${'ab'.repeat(18)}`;
      await store.store.withdrawalAddresses.add({ userId, address: target, label: 'own wallet', actor: 'key:asks', waitMs: options.usable === false ? 86_400_000 : 0 });
      return { userId, wallet, target };
    },
    wish({ userId, wallet, target }: { readonly userId: string; readonly wallet: Hex; readonly target: Hex }, amount = '40', changes: Partial<Withdrawal> = {}): Withdrawal {
      const at = isoTime(store.clock.nowMs());
      return { id: randomUUID(), userId, state: 'AWAITING_APPROVAL', reason: null, token, amount, fromAddress: wallet, toAddress: target, requestedBy: 'key:asks', decidedBy: null, note: null, transaction: null, revision: 1, approveBefore: isoTime(store.clock.nowMs() + 86_400_000), createdAt: at, updatedAt: at, ...changes };
    },
    /** A wish of this person's that another one approved. */
    async approved(person: { readonly userId: string; readonly wallet: Hex; readonly target: Hex }, amount = '40'): Promise<Withdrawal> {
      const wish = world.wish(person, amount);
      const { path } = world.workerOver();
      expect(await path.begin(wish)).toEqual({ state: 'AWAITING_APPROVAL', refused: null });
      expect(await path.decide(wish.id, person.userId, 'approve', 'known address', 'key:approves')).toEqual({ state: 'APPROVED', refused: null });
      return wish;
    },
    async read(id: string): Promise<Withdrawal> {
      const withdrawal = await store.store.withdrawals.byId(id);
      if (withdrawal === null) throw new Error(`withdrawal ${id} is not there`);
      return withdrawal;
    },
    /** Transfers that the chain holds to the address, in the token's unit. */
    async paidTo(target: Hex): Promise<readonly string[]> {
      const logs = await chain.client.test.getLogs({ address, event: TRANSFER, args: { to: target }, fromBlock: 0n, toBlock: 'latest', strict: true });
      return logs.map((log) => String(Number(log.args.value) / 1e6));
    },
    /** By book, of the token alone. */
    async books(userId: string): Promise<Record<string, string>> {
      const all = await store.store.deposits.books(userId);
      return Object.fromEntries(Object.entries(all).filter(([name]) => name.endsWith(assetOf(token))).map(([name, amount]) => [name.split(' ')[0] ?? '', amount]));
    },
    async closeAll(): Promise<void> {
      await Promise.all([chain.stop(), store.close()]);
    },
  };
  return world;
}
