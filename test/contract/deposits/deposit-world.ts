/** Two real chains, a LI.FI between them, a store, and the activities over all of it: what a worker runs, without Temporal. */
import { randomUUID } from 'node:crypto';
import { DepositArrivals } from '../../../src/activities/deposit-arrivals';
import { DepositPath } from '../../../src/activities/deposit-path';
import { EvmChain, lower } from '../../../src/chains/evm-chain';
import { LifiBridge } from '../../../src/chains/lifi-bridge';
import { LocalSigner } from '../../../src/chains/local-signer';
import { isoTime } from '../../../src/domain/clock';
import type { ChainToken, Deposit, DepositStep, Hex } from '../../../src/domain/deposit';
import { CONTRACTS } from '../../../src/simulator/chains/contracts';
import { LifiSimulator } from '../../../src/simulator/chains/lifi-simulator';
import { deployLifi, lifiWorld } from '../../../src/simulator/chains/lifi-world';
import { RELAYER, startAnvil, USER } from '../../support/anvil';
import type { Wrap } from '../dying';
import { openStoreWorld } from '../store/harness';

export const SOURCE_ID = 1;
export const DESTINATION_ID = 42_161;
export const CONFIRMATIONS = 3;
/** Nobody listens there: the first endpoint is dead, the second answers. */
const DEAD_RPC = 'http://127.0.0.1:9';

export type DepositWorld = Awaited<ReturnType<typeof openDepositWorld>>;

export async function openDepositWorld() {
  const [source, destination, store] = await Promise.all([startAnvil(SOURCE_ID), startAnvil(DESTINATION_ID), openStoreWorld()]);
  const moved = lifiWorld(source, destination, { symbol: 'TKN' });
  await deployLifi(moved);
  const { from, to, other, bridge } = moved;
  const contracts = CONTRACTS;
  const lifi = new LifiSimulator(moved);
  const url = await lifi.start();
  const chains = new Map([source, destination].map((chain) => [chain.id, new EvmChain({ id: chain.id, name: `chain${chain.id}`, confirmations: CONFIRMATIONS, rpcUrls: [DEAD_RPC, chain.url], timeoutMs: 2_000 })]));
  const lifiBridge = new LifiBridge({ url, apiKey: undefined, integrator: 'surefill-test', timeoutMs: 1_000 });
  /** What a worker runs; `wrap` comes between it and everything that it calls. */
  const workerOver = (wrap: Wrap = (port) => port) => {
    const common = { clock: store.clock, deposits: wrap(store.store.deposits), chains: new Map([...chains].map(([id, chain]) => [id, wrap(chain)])), bridge: wrap(lifiBridge) };
    return {
      path: new DepositPath({ ...common, allowed: new Set([bridge]), minimum: '1', maximum: '100000' }),
      arrivals: new DepositArrivals({ ...common, transfers: wrap(store.store.chainTransfers), taken: to, claimWithinMs: 60_000, onTrouble: () => undefined }),
    };
  };
  const { path, arrivals } = workerOver();
  const signer = new LocalSigner(Buffer.alloc(32, 7));
  const wallet = lower(USER.address);
  await source.call(RELAYER, from.address, contracts.token, 'mint', [USER.address, 10n ** 24n]);

  const world = {
    ...store, contracts, source, destination, from, to, other, bridge, lifi, lifiBridge, chains, path, arrivals, workerOver, signer, wallet,
    /** A user of their own, and a deposit of 100 TKN that nobody knows of yet. */
    async asked(changes: Partial<Deposit> = {}): Promise<Deposit> {
      const user = await store.store.users.createUser(`user ${randomUUID()}`);
      const toAddress = await signer.addressOf(user.id);
      await store.store.deposits.keepAddress(user.id, toAddress);
      const at = isoTime(store.clock.nowMs());
      return { id: randomUUID(), userId: user.id, kind: 'bridge', state: 'CREATED', reason: null, from, amount: '100', fromAddress: wallet, to, toAddress, quote: null, source: null, bridge: null, received: [], refunds: [], sourceOutcome: null, writtenOff: false, revision: 1, createdAt: at, updatedAt: at, ...changes };
    },
    async quoted(changes: Partial<Deposit> = {}): Promise<Deposit> {
      const deposit = await world.asked(changes);
      await path.begin(deposit);
      return world.read(deposit.id);
    },
    async read(id: string): Promise<Deposit> {
      const deposit = await store.store.deposits.byId(id);
      if (deposit === null) throw new Error(`deposit ${id} is not there`);
      return deposit;
    },
    async steps({ id, userId }: Deposit): Promise<readonly DepositStep[]> {
      return (await store.store.deposits.steps(id, userId)) ?? [];
    },
    /** The user's wallet signs what it was asked to: the approval, if any, and the transaction. */
    async sign({ quote }: Deposit, options: { readonly gasPrice?: bigint; readonly nonce?: number } = {}): Promise<Hex> {
      if (quote === null) throw new Error('the deposit has no quote');
      const signing = source.client.wallet(USER);
      for (const request of quote.approval === null ? [] : [quote.approval]) {
        const hash = await signing.sendTransaction({ to: request.to, data: request.data, value: BigInt(request.value) });
        await source.client.test.waitForTransactionReceipt({ hash });
      }
      const { to: target, data, value } = quote.transaction;
      return lower(await signing.sendTransaction({ to: target, data, value: BigInt(value), gas: 300_000n, ...options }));
    },
    /** Signed, told, and final on the source chain. */
    async confirmed(changes: Partial<Deposit> = {}): Promise<Deposit> {
      const deposit = await world.quoted(changes);
      const hash = await world.sign(deposit);
      await path.take(deposit.id, hash);
      await source.mine(CONFIRMATIONS);
      await path.lookAtSource(deposit.id, 0, 60_000);
      return world.read(deposit.id);
    },
    async settle(id: string): Promise<Deposit> {
      await arrivals.look(id);
      await Promise.all([source.mine(CONFIRMATIONS), destination.mine(CONFIRMATIONS)]);
      await arrivals.look(id);
      return world.read(id);
    },
    /** What the chain holds at the deposit address, in the token's unit. */
    async held(deposit: Deposit, token: ChainToken = to): Promise<string> {
      const units = await destination.client.test.readContract({ address: token.address, abi: contracts.token.abi, functionName: 'balanceOf', args: [deposit.toAddress] });
      return (Number(units) / 10 ** token.decimals).toString();
    },
    async books(userId: string): Promise<Record<string, string>> {
      return store.store.deposits.books(userId);
    },
    /** The newest blocks go away, and empty ones take their place. */
    async reorganise(chain: typeof source, depth: number): Promise<void> {
      await chain.client.test.request({ method: 'anvil_reorg' as never, params: [depth, []] as never });
    },
    async closeAll(): Promise<void> {
      await Promise.all([lifi.stop(), source.stop(), destination.stop(), store.close()]);
    },
  };
  return world;
}
