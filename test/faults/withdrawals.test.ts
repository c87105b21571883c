/** Withdrawals over our processes and a real chain: worker and API die at each step, and the chain holds one transfer. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseAbiItem } from 'viem';
import type { Hex } from '../../src/domain/deposit';
import type { Withdrawal, WithdrawalState } from '../../src/domain/withdrawal';
import { CONTRACTS } from '../../src/simulator/chains/contracts';
import { withdrawalWorkflowId } from '../../src/temporal/workflow-ids';
import { RELAYER, startAnvil, type TestChain } from '../support/anvil';
import { ApiClient } from '../support/api-client';
import { loseWorkflow } from '../support/lost-workflow';
import { scaledCount } from '../support/scale';
import { startStack, type Stack } from '../support/stack';

const TARGET: Hex = `0x${'7e'.repeat(20)}`;
const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
/** At full length each is a chance more to die at another instant. */
const WITHDRAWALS = scaledCount(20);
/** Of each withdrawal that is made below, and what is left is less than what is asked for in the end. */
const FUNDS = 40 + 5 + WITHDRAWALS * 10 + 35;
const contracts = CONTRACTS;
let chain: TestChain;
let stack: Stack;
let token: Hex;
/** A second admin key of the same user. */
let second: ApiClient;

beforeAll(async () => {
  chain = await startAnvil(42_161);
  token = await chain.deploy(contracts.token, ['USDC', 6]);
  stack = await startStack({
    environment: {
      SUREFILL_DEPOSIT_CHAINS: 'arbitrum:42161',
      SUREFILL_ARBITRUM_RPC_URLS: chain.url,
      SUREFILL_ARBITRUM_CONFIRMATIONS: '3',
      SUREFILL_DEPOSIT_TOKEN: token,
      SUREFILL_SIGNER: 'keystore',
      SUREFILL_DEPOSIT_POLL_MS: '200',
      SUREFILL_DEPOSIT_MAX_POLL_MS: '600',
      SUREFILL_WITHDRAWAL_ADDRESS_WAIT_MS: '0',
    },
  });
  const { body } = await stack.client.call<{ key: string }>('POST', '/api/v1/api-keys', { name: 'second person', scopes: ['admin'] });
  second = new ApiClient(stack.apiUrl, body.key);
  const { body: wallet } = await stack.client.call<{ address: Hex }>('GET', '/api/v1/deposit-address');
  await chain.client.test.setBalance({ address: wallet.address, value: 10n ** 18n });
  // Nobody announces it: it is found.
  await chain.call(RELAYER, token, contracts.token, 'mint', [wallet.address, BigInt(FUNDS) * 1_000_000n]);
  await chain.mine(3);
  await stack.client.until('the money to be found', async () => {
    const { body: page } = await stack.client.call<{ deposits: { amount: string }[] }>('GET', '/api/v1/deposits?state=CREDITED');
    return page.deposits.find((each) => each.amount === String(FUNDS)) ?? null;
  });
  await stack.client.call('POST', '/api/v1/withdrawal-addresses', { address: TARGET, label: 'cold wallet' });
  expect(await stack.client.call('POST', '/api/v1/withdrawal-addresses', { address: token, label: 'pasted' })).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('the token\'s own contract') as unknown } } });
}, 240_000);
afterAll(async () => {
  await stack.stop();
  await chain.stop();
});

const read = async (id: string): Promise<Withdrawal> => (await stack.client.call<Withdrawal>('GET', `/api/v1/withdrawals/${id}`)).body;
const reaches = (id: string, ...states: readonly WithdrawalState[]): Promise<Withdrawal> =>
  stack.client.until(`the withdrawal to be ${states.join(' or ')}`, async () => {
    const withdrawal = await read(id);
    return states.includes(withdrawal.state) ? withdrawal : null;
  });
const killWorker = async (): Promise<void> => {
  await stack.worker.kill('SIGKILL');
  await stack.worker.start();
};
const paid = async (): Promise<readonly bigint[]> => (await chain.client.test.getLogs({ address: token, event: TRANSFER, args: { to: TARGET }, fromBlock: 0n, toBlock: 'latest', strict: true })).map((log) => log.args.value);

test('a withdrawal survives the death of its worker at every step, and is paid once', async () => {
  const asked = await stack.client.call<Withdrawal>('POST', '/api/v1/withdrawals', { amount: '40', toAddress: TARGET });
  expect(asked.status).toBe(201);
  const { id } = asked.body;
  expect((await stack.client.call('POST', `/api/v1/withdrawals/${id}/decision`, { decision: 'approve', note: 'my own' })).status).toBe(403);
  await chain.client.test.setAutomine(false);
  const decided = second.call<Withdrawal>('POST', `/api/v1/withdrawals/${id}/decision`, { decision: 'approve', note: 'known' });
  expect((await decided).status).toBe(200);
  await killWorker();
  const signed = await reaches(id, 'SIGNED', 'SUBMITTED');
  await killWorker();
  await reaches(id, 'SUBMITTED');
  await chain.mine(4);
  const done = await reaches(id, 'COMPLETED');
  expect(done.transaction).toMatchObject({ nonce: signed.transaction?.nonce, hash: signed.transaction?.hash });
  expect(await paid()).toEqual([40_000_000n]);
  await chain.client.test.setAutomine(true);
}, 180_000);

test('a withdrawal whose workflow Temporal lost, before its word and after, is taken up by itself, and paid once', async () => {
  const { body } = await stack.client.call<Withdrawal>('POST', '/api/v1/withdrawals', { amount: '5', toAddress: TARGET });
  await loseWorkflow(stack, withdrawalWorkflowId(body.id));
  await chain.client.test.setAutomine(false);
  expect((await second.call('POST', `/api/v1/withdrawals/${body.id}/decision`, { decision: 'approve', note: 'known' })).status).toBe(200);
  const sent = await reaches(body.id, 'SUBMITTED');
  await loseWorkflow(stack, withdrawalWorkflowId(body.id));
  // From here on nobody touches it: reading starts nothing.
  await chain.mine(4);
  expect((await reaches(body.id, 'COMPLETED')).transaction?.hash).toBe(sent.transaction?.hash);
  expect((await paid()).filter((units) => units === 5_000_000n)).toHaveLength(1);
  await chain.client.test.setAutomine(true);
}, 180_000);

test('a worker that is killed as soon as an approval is out, time and again, pays each withdrawal once', async () => {
  const ids: string[] = [];
  for (let n = 0; n < WITHDRAWALS; n += 1) {
    const { body } = await stack.client.call<Withdrawal>('POST', '/api/v1/withdrawals', { amount: '10', toAddress: TARGET });
    ids.push(body.id);
    const approval = second.call('POST', `/api/v1/withdrawals/${body.id}/decision`, { decision: 'approve', note: 'known' });
    await reaches(body.id, 'APPROVED', 'SIGNED', 'SUBMITTED', 'COMPLETED');
    await killWorker();
    await approval;
  }
  for (const id of ids) {
    await reaches(id, 'SUBMITTED', 'COMPLETED');
    await chain.mine(3);
  }
  const done = await Promise.all(ids.map((id) => reaches(id, 'COMPLETED')));
  expect(new Set(done.map(({ transaction }) => transaction?.nonce)).size).toBe(WITHDRAWALS);
  expect((await paid()).filter((units) => units === 10_000_000n)).toHaveLength(WITHDRAWALS);
  const more = await stack.client.call('POST', '/api/v1/withdrawals', { amount: '36', toAddress: TARGET });
  expect(more.status).toBe(422);
}, 180_000);
