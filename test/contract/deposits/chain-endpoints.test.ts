/** A chain behind several endpoints of which one lies behind, is dead, is of another chain, or invents: nothing is missed, taken back or credited on its word alone. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { readChain } from '../../../src/activities/deposit-activities';
import { DepositArrivals } from '../../../src/activities/deposit-arrivals';
import { EvmChain } from '../../../src/chains/evm-chain';
import { STALL_TOLD_AFTER_MS } from '../../../src/domain/chain-stall';
import { isoTime } from '../../../src/domain/clock';
import { assetOf, type Deposit } from '../../../src/domain/deposit';
import { DomainError } from '../../../src/domain/errors';
import { RELAYER, startAnvil, type TestChain } from '../../support/anvil';
import { RpcProxy } from '../../support/rpc-proxy';
import { CONFIRMATIONS, openDepositWorld, type DepositWorld } from './deposit-world';

let world: DepositWorld;
let first: RpcProxy;
let second: RpcProxy;
let stranger: TestChain;
let trouble: string[] = [];
beforeAll(async () => {
  world = await openDepositWorld();
  [first, second, stranger] = await Promise.all([RpcProxy.before(world.destination.url), RpcProxy.before(world.destination.url), startAnvil(5)]);
}, 60_000);
afterAll(async () => {
  await Promise.all([first.close(), second.close(), stranger.stop()]);
  await world.closeAll();
});
afterEach(() => {
  for (const { faults } of [first, second]) Object.assign(faults, { headNumber: null, refuses: [], tells: null });
  trouble = [];
});

/** Its endpoints are new to it: none rests. */
const chainOver = (...rpcUrls: readonly string[]): EvmChain => new EvmChain({ id: world.destination.id, name: 'arbitrum', confirmations: CONFIRMATIONS, rpcUrls, timeoutMs: 2_000 });
const arrivalsOver = (chain: EvmChain): DepositArrivals =>
  new DepositArrivals({ clock: world.clock, deposits: world.store.deposits, transfers: world.store.chainTransfers, chains: new Map([[chain.id, chain]]), bridge: world.lifiBridge, taken: world.to, claimWithinMs: 60_000, onTrouble: (what) => void trouble.push(what) });
const inWallet = async ({ userId, to }: Deposit): Promise<string> => (await world.books(userId))[`wallet ${assetOf(to)}`] ?? '0';
const paid = async (deposit: Deposit, units: bigint): Promise<void> => void (await world.destination.call(RELAYER, world.to.address, world.contracts.token, 'mint', [deposit.toAddress, units]));
const headNumber = async (): Promise<number> => Number(await world.destination.client.test.getBlockNumber());

describe('an endpoint that lies behind', () => {
  test('is not asked for transfers of blocks that it does not have: none is missed while the other refuses for a moment', async () => {
    const deposit = await world.asked();
    const arrivals = arrivalsOver(chainOver(first.url, second.url));
    await arrivals.scan(world.destination.id);
    const behind = await headNumber();
    await paid(deposit, 7_000_000n);
    await world.destination.mine(CONFIRMATIONS);
    Object.assign(second.faults, { headNumber: behind });
    Object.assign(first.faults, { refuses: ['eth_getLogs'] });
    await expect(arrivals.scan(world.destination.id)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    Object.assign(first.faults, { refuses: [] });
    await arrivals.scan(world.destination.id);
    expect(await inWallet(deposit)).toBe('7');
  });

  test('holds nobody up, and takes back nothing that was counted', async () => {
    const deposit = await world.asked();
    const behind = await headNumber();
    Object.assign(first.faults, { headNumber: behind });
    await paid(deposit, 5_000_000n);
    await world.destination.mine(CONFIRMATIONS);
    await arrivalsOver(chainOver(first.url, second.url)).scan(world.destination.id);
    expect(await inWallet(deposit)).toBe('5');
    // Now it is the only one that answers.
    await arrivalsOver(chainOver(first.url)).scan(world.destination.id);
    expect(await inWallet(deposit)).toBe('5');
  });

  test('knows less of a transaction than another: what any of them has is found', async () => {
    const behind = await headNumber();
    const hash = await world.destination.call(RELAYER, world.to.address, world.contracts.token, 'mint', [world.wallet, 1n]);
    Object.assign(first.faults, { headNumber: behind });
    const chain = chainOver(first.url, second.url);
    expect([(await chain.transaction(hash))?.hash, (await chain.receipt(hash))?.succeeded]).toEqual([hash, true]);
    expect(await chain.minedAtMs(hash)).toBeGreaterThan(0);
  });
});

describe('endpoints that contradict each other', () => {
  test('about a block: nothing is counted and nothing taken back until they agree', async () => {
    const deposit = await world.asked();
    await paid(deposit, 3_000_000n);
    await world.destination.mine(CONFIRMATIONS);
    const other = `0x${'ee'.repeat(32)}`;
    second.faults.tells = (method, answer) => (method === 'eth_getBlockByNumber' && answer !== null ? { ...(answer as object), hash: other } : answer);
    const chain = chainOver(first.url, second.url);
    await expect(chain.blockHash(await headNumber())).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', message: expect.stringContaining('tell different things') });
    await expect(arrivalsOver(chain).scan(world.destination.id)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(await inWallet(deposit)).toBe('0');
    second.faults.tells = null;
    await arrivalsOver(chainOver(first.url, second.url)).scan(world.destination.id);
    expect(await inWallet(deposit)).toBe('3');
    second.faults.tells = (method, answer) => (method === 'eth_getBlockByNumber' && answer !== null ? { ...(answer as object), hash: other } : answer);
    await arrivalsOver(chainOver(first.url, second.url)).look(deposit.id).catch(() => undefined);
    expect(await inWallet(deposit)).toBe('3');
  });

  test('about what a block holds: a transfer that one of them invents is not credited, and holds up no other', async () => {
    const [robbed, honest] = [await world.asked(), await world.asked()];
    await paid(honest, 2_000_000n);
    const head = await headNumber();
    const { hash: blockHash } = await world.destination.client.test.getBlock({ blockNumber: BigInt(head) });
    const [real] = await world.destination.client.test.getLogs({ address: world.to.address, fromBlock: BigInt(head), toBlock: BigInt(head) });
    if (real === undefined) throw new Error('there is no transfer to imitate');
    const invented = { ...JSON.parse(JSON.stringify(real, (_name, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value))) as object, logIndex: '0x9', blockHash, blockNumber: `0x${head.toString(16)}`, topics: [real.topics[0], real.topics[1], `0x${robbed.toAddress.slice(2).padStart(64, '0')}`], data: `0x${(10n ** 12n).toString(16).padStart(64, '0')}` };
    first.faults.tells = (method, answer) => {
      if (method === 'eth_getLogs') return [...(answer as object[]), invented];
      return method === 'eth_getTransactionReceipt' && answer !== null ? { ...(answer as object), logs: [...(answer as { logs: object[] }).logs, invented] } : answer;
    };
    await world.destination.mine(CONFIRMATIONS);
    expect(await arrivalsOver(chainOver(first.url, second.url)).scan(world.destination.id)).toContain('tell different things of transaction');
    expect([await inWallet(robbed), await inWallet(honest)]).toEqual(['0', '2']);
    expect(trouble.join()).toContain('cannot be judged');
    // Told of by one that takes it back: it is in no chain.
    first.faults.tells = null;
    expect(await arrivalsOver(chainOver(first.url, second.url)).scan(world.destination.id)).toBeNull();
    expect(await inWallet(robbed)).toBe('0');
  });
});

describe('an operator', () => {
  const other = `0x${'e'.repeat(64)}`;
  const lie = (method: string, answer: unknown): unknown => (method === 'eth_getBlockByNumber' && answer !== null ? { ...(answer as object), hash: other } : answer);
  const alerts = async () => (await world.store.events.since(`user:${world.userId}`, 0, 1_000)).filter(({ type }) => type === 'account.alert').map(({ data }) => data);
  const { id, chain } = { id: 42_161, chain: 'arbitrum' };
  const read = (arrivals: DepositArrivals) => readChain({ arrivals, noted: (chainId, words) => world.store.chainStalls.note(chainId, chain, words) }, id);
  const disputed = expect.stringContaining('the endpoints of arbitrum tell different things of block');

  test('hears that endpoints contradict each other once that lasts, once, and of its end; every process knows of it at once', async () => {
    const arrivals = arrivalsOver(chainOver(first.url, second.url));
    await read(arrivals);
    expect([await world.store.chainStalls.all(), await alerts()]).toEqual([[], []]);
    second.faults.tells = lie;
    const since = isoTime(world.clock.nowMs());
    await expect(read(arrivals)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(await world.store.chainStalls.all()).toEqual([{ chainId: id, chain, words: disputed, since, lastAt: since, toldAt: null }]);
    const told: number[] = [];
    for (const passedMs of [STALL_TOLD_AFTER_MS - 1, 1, STALL_TOLD_AFTER_MS]) {
      world.clock.ms += passedMs;
      await expect(read(arrivals)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      told.push((await alerts()).length);
    }
    expect(told).toEqual([0, 1, 1]);
    expect(await alerts()).toEqual([{ kind: 'chainStalled', chainId: id, chain, reason: disputed, since }]);
    second.faults.tells = null;
    await read(arrivals);
    await read(arrivals);
    expect([await world.store.chainStalls.all(), await alerts()]).toEqual([[], [expect.objectContaining({ kind: 'chainStalled' }), { kind: 'chainResumed', chainId: id, chain, reason: disputed, since }]]);
  });

  test('hears nothing of a failure long ago when the first read by a new worker fails too', async () => {
    const before = (await alerts()).length;
    const arrivals = arrivalsOver(chainOver(first.url, second.url));
    second.faults.tells = lie;
    await expect(read(arrivals)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    world.clock.ms += 60 * STALL_TOLD_AFTER_MS;
    await expect(read(arrivals)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect([(await alerts()).length, (await world.store.chainStalls.all()).map(({ since }) => since)]).toEqual([before, [isoTime(world.clock.nowMs())]]);
    second.faults.tells = null;
    await read(arrivals);
  });

  test('hears nothing of a chain where it is our database that does not answer', async () => {
    const away = new DomainError('SERVICE_UNAVAILABLE', 'the database cannot be reached');
    const noted: unknown[] = [];
    await expect(readChain({ arrivals: { scan: () => Promise.reject(away) }, noted: async (...said) => void noted.push(said) }, id)).rejects.toBe(away);
    expect(noted).toEqual([]);
  });

  test('hears of a moment in which they differ nothing', async () => {
    const before = (await alerts()).length;
    const arrivals = arrivalsOver(chainOver(first.url, second.url));
    second.faults.tells = lie;
    await expect(read(arrivals)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    second.faults.tells = null;
    await read(arrivals);
    world.clock.ms += 2 * STALL_TOLD_AFTER_MS;
    await read(arrivals);
    expect([await world.store.chainStalls.all(), (await alerts()).length]).toEqual([[], before]);
  });
});

test('an endpoint of another chain is never believed, and named', async () => {
  await expect(chainOver(stranger.url).head()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', message: expect.stringContaining('is of another chain') });
  const chain = chainOver(stranger.url, first.url);
  expect((await chain.head()).number).toBe(await headNumber());
  expect((await chain.health()).map(({ ok }) => ok)).toEqual([false, true]);
});

test('one that does not answer rests: it is not asked again at once', async () => {
  Object.assign(first.faults, { refuses: ['eth_getBlockByNumber'] });
  const chain = chainOver(first.url, second.url);
  await chain.head();
  const before = first.asked.length;
  await chain.head();
  expect(first.asked.length).toBe(before);
});
