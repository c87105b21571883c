/** The demo's chains and bridge: whatever dies and starts again, its wallet is filled once and each deposit is paid once. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeFunctionData, parseAbiItem } from 'viem';
import { BlockMaker, demoWorld, prepareDemo, SETTLING_BLOCKS } from '../../../src/simulator/chains/demo';
import { CONTRACTS } from '../../../src/simulator/chains/contracts';
import { LifiSimulator } from '../../../src/simulator/chains/lifi-simulator';
import type { LifiWorld } from '../../../src/simulator/chains/lifi-world';
import { lower } from '../../../src/simulator/chains/local-chain';
import { startAnvil, USER, type TestChain } from '../../support/anvil';

const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
const RECEIVER = `0x${'7e'.repeat(20)}` as const;
const ETHER = 10n ** 18n;
let source: TestChain;
let destination: TestChain;
let world: LifiWorld;

beforeAll(async () => {
  [source, destination] = await Promise.all([startAnvil(31_337), startAnvil(31_338)]);
  world = demoWorld(source, destination);
  await prepareDemo(world);
}, 120_000);
afterAll(() => Promise.all([source.stop(), destination.stop()]));

const held = async (chain: TestChain, token: `0x${string}`, owner: `0x${string}`): Promise<bigint> =>
  (await chain.client.test.readContract({ address: token, abi: CONTRACTS.token.abi, functionName: 'balanceOf', args: [owner] })) as bigint;

/** Two questions at once, of a bridge that was just started. */
async function askTwice(txHash: string): Promise<readonly string[]> {
  const lifi = new LifiSimulator(world);
  const url = await lifi.start();
  const answers = await Promise.all([0, 1].map(async () => ((await (await fetch(`${url}/status?txHash=${txHash}`)).json()) as { status: string }).status));
  await lifi.stop();
  return answers;
}

test('preparing it again deploys nothing and gives nothing', async () => {
  const before = await Promise.all([source, destination].map((chain) => chain.client.test.getBlockNumber()));
  await prepareDemo(world);
  expect(await Promise.all([source, destination].map((chain) => chain.client.test.getBlockNumber()))).toEqual(before);
  expect(await held(source, world.from.address, lower(USER.address))).toBe(1_000_000n * ETHER);
});

test('blocks follow a transaction until it is settled, and then no more', async () => {
  const hash = await source.client.wallet(USER).sendTransaction({ to: RECEIVER, value: 1n });
  const { blockNumber } = await source.client.test.waitForTransactionReceipt({ hash });
  const maker = new BlockMaker(source);
  for (let round = 0; round < Number(SETTLING_BLOCKS) + 5; round += 1) expect(await maker.round()).toBe(false);
  expect(await source.client.test.getBlockNumber()).toBe(blockNumber + SETTLING_BLOCKS);
});

test('one that began after the transaction lets it settle too, and tells when the chain lost blocks', async () => {
  const snapshot = await source.client.test.snapshot();
  const hash = await source.client.wallet(USER).sendTransaction({ to: RECEIVER, value: 1n });
  const { blockNumber } = await source.client.test.waitForTransactionReceipt({ hash });
  await source.mine(2);
  const maker = new BlockMaker(source);
  await maker.round();
  expect(await source.client.test.getBlockNumber()).toBe(blockNumber + 3n);
  await source.client.test.revert({ id: snapshot });
  expect(await maker.round()).toBe(true);
});

test('a deposit is paid after its blocks, once, also by a bridge that has forgotten it; who is paid has gas', async () => {
  const data = encodeFunctionData({ abi: CONTRACTS.bridge.abi, functionName: 'start', args: [`0x${'00'.repeat(20)}`, ETHER, RECEIVER] });
  const hash = lower(await source.client.wallet(USER).sendTransaction({ to: world.bridge, data, value: ETHER }));
  expect(await askTwice(hash)).toEqual(['PENDING', 'PENDING']);
  await source.mine(world.paysAfterBlocks);
  expect(await askTwice(hash)).toEqual(['DONE', 'DONE']);
  expect(await askTwice(hash)).toEqual(['DONE', 'DONE']);
  const logs = await destination.client.test.getLogs({ address: world.to.address, event: TRANSFER, args: { to: RECEIVER }, fromBlock: 0n, toBlock: 'latest', strict: true });
  expect(logs.map((log) => log.args.value)).toEqual([2_970_000_000n]);
  expect(await destination.client.test.getBalance({ address: RECEIVER })).toBe(ETHER);
});
