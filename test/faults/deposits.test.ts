/** S30 and S31 over our processes: a deposit over two real chains while worker and watcher die at each step and the bridge does not know it for a while. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { lower } from '../../src/chains/evm-chain';
import type { Deposit, DepositState } from '../../src/domain/deposit';
import { CONTRACTS } from '../../src/simulator/chains/contracts';
import { LifiSimulator } from '../../src/simulator/chains/lifi-simulator';
import { deployLifi, lifiWorld, type LifiWorld } from '../../src/simulator/chains/lifi-world';
import { depositWorkflowId } from '../../src/temporal/workflow-ids';
import { RELAYER, startAnvil, USER, type TestChain } from '../support/anvil';
import { loseWorkflow } from '../support/lost-workflow';
import { StreamClient } from '../support/socket-client';
import { startStack, type Stack } from '../support/stack';

let stack: Stack;
let lifi: LifiSimulator;
let source: TestChain;
let destination: TestChain;
let world: LifiWorld;
const contracts = CONTRACTS;

beforeAll(async () => {
  [source, destination] = await Promise.all([startAnvil(1), startAnvil(42_161)]);
  world = lifiWorld(source, destination, { symbol: 'TKN' });
  await deployLifi(world);
  const { from, to, bridge } = world;
  await source.call(RELAYER, from.address, contracts.token, 'mint', [USER.address, 10n ** 24n]);
  lifi = new LifiSimulator(world);
  stack = await startStack({
    environment: {
      SUREFILL_DEPOSIT_CHAINS: 'ethereum:1,arbitrum:42161',
      SUREFILL_ETHEREUM_RPC_URLS: source.url,
      SUREFILL_ARBITRUM_RPC_URLS: destination.url,
      SUREFILL_ETHEREUM_CONFIRMATIONS: '2',
      SUREFILL_ARBITRUM_CONFIRMATIONS: '2',
      SUREFILL_DEPOSIT_TOKEN: to.address,
      SUREFILL_DEPOSIT_TARGETS: bridge,
      SUREFILL_DEPOSIT_SEED: 'ab'.repeat(32),
      SUREFILL_LIFI_URL: await lifi.start(),
      SUREFILL_DEPOSIT_POLL_MS: '1000',
      SUREFILL_DEPOSIT_MAX_POLL_MS: '5000',
    },
  });
}, 240_000);
afterAll(async () => {
  await stack.stop();
  await Promise.all([lifi.stop(), source.stop(), destination.stop()]);
});

const read = async (id: string): Promise<Deposit> => (await stack.client.call('GET', `/api/v1/deposits/${id}`)).body as unknown as Deposit;
const reaches = (id: string, ...states: readonly DepositState[]): Promise<Deposit> =>
  stack.client.until(`the deposit to be ${states.join(' or ')}`, async () => {
    const deposit = await read(id);
    return states.includes(deposit.state) ? deposit : null;
  });
const killAll = async (): Promise<void> => {
  await Promise.all([stack.worker.kill('SIGKILL'), stack.watcher.kill('SIGKILL')]);
  await Promise.all([stack.worker.start(), stack.watcher.start()]);
};

test('a deposit survives the death of worker and watcher at every step, and is credited what arrived, once', async () => {
  lifi.faults.outcome = 'pending';
  const live = await StreamClient.connect(stack.apiUrl, stack.client.key);
  await live.subscribe({ channel: 'deposits' });
  const { status, body } = await stack.client.call('POST', '/api/v1/deposits', { chain: 'ethereum', token: 'TKN', amount: '100', fromAddress: USER.address });
  expect(status).toBe(201);
  const deposit = body as unknown as Deposit;
  await killAll();
  const { quote } = deposit;
  if (quote?.approval == null) throw new Error('no approval was asked for');
  const wallet = source.client.wallet(USER);
  await source.client.test.waitForTransactionReceipt({ hash: await wallet.sendTransaction({ to: quote.approval.to, data: quote.approval.data }) });
  const hash = lower(await wallet.sendTransaction({ to: quote.transaction.to, data: quote.transaction.data, value: BigInt(quote.transaction.value) }));
  expect((await stack.client.call('POST', `/api/v1/deposits/${deposit.id}/transaction`, { hash })).status).toBe(200);
  await killAll();
  await source.mine(2);
  await reaches(deposit.id, 'SOURCE_CONFIRMED', 'BRIDGING');
  await killAll();
  Object.assign(lifi.faults, { notFound: 2, outcome: 'pay' });
  await reaches(deposit.id, 'DEST_SEEN');
  await killAll();
  await destination.mine(3);
  const credited = await reaches(deposit.id, 'CREDITED');
  expect(credited.received).toEqual([{ asset: expect.stringMatching(/^USDC@42161/), amount: '99', txHash: expect.any(String) }]);
  const units = await destination.client.test.readContract({ address: world.to.address, abi: contracts.token.abi, functionName: 'balanceOf', args: [deposit.toAddress] });
  expect(units).toBe(99_000_000n);
  expect([...lifi.paid.keys()]).toEqual([hash]);
  await stack.client.until('the last event', async () => (live.events.at(-1)?.type === 'deposit.credited' ? true : null));
  const percents = live.events.map((event) => (event.data['deposit'] as { progress: { step: number; of: number; percent: number } }).progress.percent);
  expect([percents, percents.at(-1)]).toEqual([[...percents].sort((a, b) => a - b), 100]);
  live.close();
}, 180_000);

test('a deposit whose workflow Temporal lost is taken up by itself, and credited', async () => {
  lifi.faults.outcome = 'pending';
  const { body } = await stack.client.call('POST', '/api/v1/deposits', { chain: 'ethereum', token: 'TKN', amount: '50', fromAddress: USER.address });
  const { id, quote } = body as unknown as Deposit;
  if (quote?.approval == null) throw new Error('no approval was asked for');
  const wallet = source.client.wallet(USER);
  await source.client.test.waitForTransactionReceipt({ hash: await wallet.sendTransaction({ to: quote.approval.to, data: quote.approval.data }) });
  const hash = lower(await wallet.sendTransaction({ to: quote.transaction.to, data: quote.transaction.data, value: BigInt(quote.transaction.value) }));
  expect((await stack.client.call('POST', `/api/v1/deposits/${id}/transaction`, { hash })).status).toBe(200);
  await loseWorkflow(stack, depositWorkflowId(id));
  // From here on nobody touches it: reading starts nothing.
  await source.mine(2);
  await reaches(id, 'SOURCE_CONFIRMED', 'BRIDGING');
  await loseWorkflow(stack, depositWorkflowId(id));
  lifi.faults.outcome = 'pay';
  await reaches(id, 'DEST_SEEN');
  await destination.mine(3);
  expect((await reaches(id, 'CREDITED')).received).toMatchObject([{ amount: '49.5' }]);
  expect(lifi.paid.get(hash)).toHaveLength(1);
}, 180_000);

test('what nobody announced is found, and events tell of both', async () => {
  const { body } = await stack.client.call('GET', '/api/v1/deposit-address');
  const { address } = body as unknown as { readonly address: string };
  await destination.call(RELAYER, world.to.address, contracts.token, 'mint', [RELAYER.address, 7_000_000n]);
  await destination.call(RELAYER, world.to.address, contracts.token, 'transfer', [address, 7_000_000n]);
  await destination.mine(3);
  const found = await stack.client.until('the transfer to be found', async () => {
    const { body: page } = await stack.client.call('GET', '/api/v1/deposits?state=CREDITED');
    return (page as unknown as { deposits: Deposit[] }).deposits.find((each) => each.amount === '7') ?? null;
  });
  expect(found).toBeDefined();
  const { body: events } = await stack.client.call('GET', '/api/v1/events');
  const types = (events as unknown as { events: { type: string; sequence: number }[] }).events;
  expect(types.filter((each) => each.type === 'deposit.credited')).toHaveLength(3);
  expect(types.map((each) => each.sequence)).toEqual(types.map((_, index) => index + 1));
}, 120_000);
