import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Chain } from '../../../src/domain/chain';
import { assetOf } from '../../../src/domain/deposit';
import { RELAYER } from '../../support/anvil';
import { CONFIRMATIONS, openDepositWorld, type DepositWorld } from './deposit-world';

let world: DepositWorld;
beforeAll(async () => {
  world = await openDepositWorld();
});
afterAll(() => world.closeAll());

type Answers = Partial<Pick<Chain, 'blockHash' | 'transfersTo'>>;

/** A worker whose chains are told by endpoints that are not equally far: the head by one, these answers by another. */
function workerHearing(answers: (chain: Chain) => Answers) {
  const isChain = (port: object): port is Chain => 'transfersTo' in port;
  const told = <Told extends Chain>(chain: Told): Told => {
    const other = answers(chain);
    return new Proxy(chain, {
      get: (target, name) => {
        const value: unknown = Reflect.get(other, name) ?? Reflect.get(target, name);
        return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
  };
  return world.workerOver((port) => (isChain(port) ? told(port) : port)).arrivals;
}

/** A node that has not got the newest blocks yet. */
const lagging = (blocks: number) =>
  workerHearing((chain) => {
    const known = async (): Promise<number> => (await chain.head()).number - blocks;
    return {
      blockHash: async (at) => (at > (await known()) ? null : chain.blockHash(at)),
      transfersTo: async (addresses, tokens, from, to) => chain.transfersTo(addresses, tokens, from, Math.min(to, await known())),
    };
  });
const minted = async (to: string, units: bigint) => world.destination.call(RELAYER, world.to.address, world.contracts.token, 'mint', [to, units]);
const wallet = async (userId: string): Promise<string> => (await world.books(userId))[`wallet ${assetOf(world.to)}`] ?? '0';

test('what came is credited once, although nodes that lag behind know nothing of its block: before it is final, and after', async () => {
  const { toAddress, userId } = await world.quoted();
  const { id } = world.destination;
  await world.arrivals.scan(id);
  await minted(toAddress, 7_000_000n);
  await world.arrivals.scan(id);
  await lagging(2).scan(id);
  expect(await wallet(userId)).toBe('0');
  await world.destination.mine(CONFIRMATIONS);
  await world.arrivals.scan(id);
  expect(await wallet(userId)).toBe('7');
  await lagging(CONFIRMATIONS + 5).scan(id);
  expect(await wallet(userId)).toBe('7');
});

test('what a node that lags behind did not show is found as long as it is not final', async () => {
  const { toAddress, userId } = await world.quoted();
  const { id } = world.destination;
  await world.arrivals.scan(id);
  await minted(toAddress, 5_000_000n);
  await world.destination.mine(1);
  await workerHearing(() => ({ transfersTo: async () => [] })).scan(id);
  await world.destination.mine(CONFIRMATIONS - 2);
  await world.arrivals.scan(id);
  await world.destination.mine(CONFIRMATIONS);
  await world.arrivals.scan(id);
  expect(await wallet(userId)).toBe('5');
});
