/** S30 and S31 over our processes: a deposit over two real chains while worker and watcher die at each step and the bridge does not know it for a while. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { parseAbiItem } from 'viem';
import { lower } from '../../src/chains/evm-chain';
import type { Deposit, DepositState, Hex, ShownDeposit } from '../../src/domain/deposit';
import { ENDED_FUNDED_ORDER_STATES, type FundedOrderState } from '../../src/domain/funded-order';
import type { Withdrawal, WithdrawalState } from '../../src/domain/withdrawal';
import { CONTRACTS } from '../../src/simulator/chains/contracts';
import { startPaperSimulator, type StartedSimulator } from '../../src/simulator';
import { HyperliquidBridgeSimulator } from '../../src/simulator/chains/hyperliquid-bridge';
import { LifiSimulator } from '../../src/simulator/chains/lifi-simulator';
import { deployLifi, lifiWorld, type LifiWorld } from '../../src/simulator/chains/lifi-world';
import { addressOf } from '../../src/venues/ecdsa';
import { depositWorkflowId } from '../../src/temporal/workflow-ids';
import { copyContract, RELAYER, startAnvil, USER, type TestChain } from '../support/anvil';
import { loseWorkflow } from '../support/lost-workflow';
import { StreamClient } from '../support/socket-client';
import { SimulatorControl } from '../support/simulator-control';
import { startStack, WIDE_LIMITS, type Stack } from '../support/stack';
import { DepositListeners } from './deposit-listeners';

/** As the venue has them: where its bridge is, and the only token that it takes. */
const HYPERLIQUID_BRIDGE: Hex = '0x2df1c51e09aecf9cacb7bc98cb1742757f163df7';
const USDC_OF_ARBITRUM: Hex = '0xaf88d065e77c8cc2239327c5edb3a432268e5831';
const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');

let stack: Stack;
let lifi: LifiSimulator;
let source: TestChain;
let destination: TestChain;
let world: LifiWorld;
let venue: StartedSimulator;
let listeners: DepositListeners;
/** Sent to nowhere before anything else happens: its time runs out while the other tests run, and everything dies around it. */
let stuck: Deposit;
const contracts = CONTRACTS;

beforeAll(async () => {
  [source, destination] = await Promise.all([startAnvil(1), startAnvil(42_161)]);
  venue = await startPaperSimulator({ venue: 'hyperliquid', network: 'mainnet', weightPerMinute: 1_000_000, tickMs: 0 });
  const made = lifiWorld(source, destination, { symbol: 'TKN' });
  await deployLifi(made);
  world = { ...made, to: { ...made.to, address: USDC_OF_ARBITRUM } };
  await copyContract(destination, made.to.address, USDC_OF_ARBITRUM);
  const { from, to, bridge } = world;
  await source.call(RELAYER, from.address, contracts.token, 'mint', [USER.address, 10n ** 24n]);
  lifi = new LifiSimulator(world);
  listeners = await DepositListeners.start();
  stack = await startStack({
    environment: {
      ...listeners.environment,
      SUREFILL_LIMIT_DEPOSITS: '100/min',
      SUREFILL_VENUES: 'paper,hyperliquid',
      SUREFILL_HYPERLIQUID_NETWORK: 'mainnet',
      SUREFILL_HYPERLIQUID_HTTP_URL: venue.url,
      SUREFILL_HYPERLIQUID_WS_URL: venue.url.replace('http', 'ws'),
      SUREFILL_DEPOSIT_CHAINS: 'ethereum:1,arbitrum:42161',
      SUREFILL_ETHEREUM_RPC_URLS: source.url,
      SUREFILL_ARBITRUM_RPC_URLS: destination.url,
      SUREFILL_ETHEREUM_CONFIRMATIONS: '2',
      SUREFILL_ARBITRUM_CONFIRMATIONS: '2',
      SUREFILL_DEPOSIT_TOKEN: to.address,
      SUREFILL_DEPOSIT_TARGETS: bridge,
      SUREFILL_DEPOSIT_SEED: 'ab'.repeat(32),
      SUREFILL_LIFI_URL: await lifi.start(),
      SUREFILL_DEPOSIT_POLL_MS: '200',
      SUREFILL_DEPOSIT_MAX_POLL_MS: '1000',
    },
  });
  await listeners.subscribe(stack);
  stuck = await listeners.lost(stack, USER.address);
}, 240_000);
afterAll(async () => {
  await stack.stop();
  await Promise.all([lifi.stop(), source.stop(), destination.stop(), venue.close(), listeners.stop()]);
});

const read = async (id: string): Promise<Deposit> => (await stack.client.call('GET', `/api/v1/deposits/${id}`)).body as unknown as Deposit;
const reaches = (id: string, ...states: readonly DepositState[]): Promise<Deposit> =>
  stack.client.until(`the deposit to be ${states.join(' or ')}`, async () => {
    const deposit = await read(id);
    return states.includes(deposit.state) ? deposit : null;
  });
/** The wallet signs the approval, and what was quoted. */
const signed = async (quote: Deposit['quote']): Promise<Hex> => {
  if (quote?.approval == null) throw new Error('no approval was asked for');
  const user = source.client.wallet(USER);
  await source.client.test.waitForTransactionReceipt({ hash: await user.sendTransaction({ to: quote.approval.to, data: quote.approval.data }) });
  return lower(await user.sendTransaction({ to: quote.transaction.to, data: quote.transaction.data, value: BigInt(quote.transaction.value) }));
};
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
  const hash = await signed(quote);
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
  const hash = await signed(quote);
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

test('a deposit for an account at Hyperliquid goes on to its bridge and into an order, once, and comes back once where that is refused, while its worker dies at each step', async () => {
  lifi.faults.outcome = 'pay';
  const { body: wallet } = await stack.client.call<{ address: Hex }>('GET', '/api/v1/deposit-address');
  const own = await accountAt(wallet.address);
  const terms = { chain: 'ethereum', token: 'TKN', amount: '20', fromAddress: USER.address };
  const refused = await stack.client.call<{ error: { details: { fault: string } } }>('POST', '/api/v1/deposits', { ...terms, destination: { accountId: await accountAt(`0x${'9a'.repeat(20)}`) } });
  expect([refused.status, refused.body.error.details.fault]).toEqual([422, 'OTHER_WALLET']);
  expect((await stack.client.call('POST', '/api/v1/deposits', { ...terms, destination: { accountId: 'nobody' } })).status).toBe(404);
  expect((await stack.client.call('POST', '/api/v1/deposits', { ...terms, amount: '1.0000000000000000001' })).status).toBe(400);
  expect((await stack.client.call('POST', '/api/v1/deposits', { ...terms, destination: { accountId: stack.accountId } })).status).toBe(422);

  // More than the money there can carry: the venue, or risk, refuses it.
  const thenOrder = { symbol: 'BTC-PERP', legs: [{ role: 'entry', side: 'buy', type: 'market', quantity: '10' }, { role: 'stop', type: 'stopMarket', triggerPrice: '1' }], onRefused: 'return' };
  const asked = await stack.client.call('POST', '/api/v1/deposits', { ...terms, destination: { accountId: own, thenOrder } });
  expect([asked.status, asked.body]).toMatchObject([201, { destination: { thenOrder: { onRefused: 'return' }, order: { state: 'WAITING' } } }]);
  const { id, quote, destination: goesOn } = asked.body as unknown as Deposit;
  if (goesOn == null) throw new Error('it goes nowhere');
  const hash = await signed(quote);
  expect((await stack.client.call('POST', `/api/v1/deposits/${id}/transaction`, { hash })).status).toBe(200);
  await source.mine(2);
  await reaches(id, 'DEST_SEEN');
  await destination.mine(3);
  await reaches(id, 'CREDITED');
  const funding = async (...states: readonly WithdrawalState[]): Promise<Withdrawal> =>
    stack.client.until(`the transfer to be ${states.join(' or ')}`, async () => {
      const { status, body } = await stack.client.call<Withdrawal>('GET', `/api/v1/withdrawals/${goesOn.fundingId}`);
      return status === 200 && states.includes(body.state) ? body : null;
    });
  // The wallet has no gas: it waits, through a death, until somebody gives it some.
  expect((await funding('APPROVED')).funding).toEqual({ depositId: id, accountId: own });
  await killAll();
  await destination.client.test.setAutomine(false);
  await destination.client.test.setBalance({ address: wallet.address, value: 10n ** 18n });
  const sent = await funding('SIGNED', 'SUBMITTED');
  await killAll();
  await funding('SUBMITTED');
  await killAll();
  await destination.mine(4);
  const done = await funding('COMPLETED');
  await destination.client.test.setAutomine(true);
  expect(done.transaction?.nonce).toBe(sent.transaction?.nonce);
  const logs = await destination.client.test.getLogs({ address: world.to.address, event: TRANSFER, args: { to: HYPERLIQUID_BRIDGE }, fromBlock: 0n, toBlock: 'latest', strict: true });
  expect(logs.map((log) => [lower(log.args.from), log.args.value])).toEqual([[wallet.address, 19_800_000n]]);

  if (venue.bridge === undefined) throw new Error('the venue has no bridge');
  const bridge = new HyperliquidBridgeSimulator({ chain: destination, token: world.to.address, contract: HYPERLIQUID_BRIDGE, venue: venue.bridge });
  await bridge.step();
  const ordered = async (...states: readonly FundedOrderState[]): Promise<ShownDeposit> =>
    stack.client.until(`the order to be ${states.join(' or ')}`, async () => {
      const deposit = (await stack.client.call<ShownDeposit>('GET', `/api/v1/deposits/${id}`)).body;
      const { state = 'WAITING', reason = null } = deposit.destination?.order ?? {};
      if (!states.includes(state) && ENDED_FUNDED_ORDER_STATES.has(state)) throw new Error(`the order is ${state}: ${String(reason)}`);
      return states.includes(state) ? deposit : null;
    });
  await ordered('FUNDED', 'PLACED', 'RETURNING', 'LEFT');
  await killAll();
  await ordered('LEFT');
  await killAll();
  await bridge.step();
  await destination.mine(3);
  const returned = await ordered('RETURNED');
  expect(returned.destination?.order).toMatchObject({ credited: { amount: '19.8' }, back: { amount: '19.8', fee: '1', txHash: [...bridge.paid.values()][0] } });
  expect([bridge.paid.size, venue.bridge.exits().map(({ destination: to, amount }) => [to, amount])]).toEqual([1, [[wallet.address, '18.8']]]);
  const lists = await stack.client.call<{ orderLists: { id: string; state: string }[] }>('GET', `/api/v1/order-lists?accountId=${own}`);
  expect(lists.body.orderLists).toMatchObject([{ id: returned.destination?.order?.orderListId, state: 'REJECTED' }]);
}, 240_000);

/** An account at the simulated Hyperliquid, of this address, with an agent of its own. */
async function accountAt(address: string): Promise<string> {
  const agentKey = randomBytes(32).toString('hex');
  await new SimulatorControl(venue.url).call('POST', '/__sim/accounts', { account: address, key: addressOf(Buffer.from(agentKey, 'hex')), collateral: '0' });
  const { status, body } = await stack.client.call<{ id: string }>('POST', '/api/v1/accounts', { name: `hl-${address.slice(2, 10)}`, venue: 'hyperliquid', credentials: { agentKey, address }, limits: WIDE_LIMITS });
  if (status !== 201) throw new Error(`no account on hyperliquid: ${JSON.stringify(body)}`);
  return body.id;
}

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
  expect(types.filter((each) => each.type === 'deposit.credited')).toHaveLength(5);
  expect(types.map((each) => each.sequence)).toEqual(types.map((_, index) => index + 1));
}, 120_000);

test('a deposit to which nothing happens for longer than a rule allows is told in the chat and to the webhook, and every event of deposits arrives', async () => {
  expect(stuck.state).toBe('SOURCE_SUBMITTED');
  await listeners.heardThatItIsStuck(stack, stuck);
  await listeners.heardAll(stack, ['deposit.created', 'deposit.updated', 'deposit.credited', 'swap.quoted', 'swap.updated', 'swap.completed', 'withdrawal.created', 'withdrawal.updated', 'withdrawal.completed', 'alert.raised']);
}, 360_000);
