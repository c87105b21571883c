/** Of two requests with one Idempotency-Key and different bodies at the same moment neither finds a record, and both ask one workflow: the second is told so. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EvmChain } from '../../../src/chains/evm-chain';
import { loadSettings } from '../../../src/config/settings';
import type { ChainToken, Deposit } from '../../../src/domain/deposit';
import type { Withdrawal } from '../../../src/domain/withdrawal';
import { depositsPort } from '../../../src/main/deposits';
import type { Platform } from '../../../src/main/platform';
import { withdrawalsPort } from '../../../src/main/withdrawals';
import { depositSample, hash, hex, OTHER, TKN, USDC, USER_WALLET } from '../domain/deposit-samples';
import { withdrawalSample } from '../domain/withdrawal-samples';

const USER = 'u-1';
const TOKENS: readonly ChainToken[] = [TKN, USDC, OTHER];

/** Nothing is on record when the request looks, and `recorded` once Temporal has answered. */
function platform(recorded: (id: string) => Deposit | Withdrawal): { readonly platform: Platform; readonly asked: string[] } {
  const asked: string[] = [];
  let looks = 0;
  const byId = (id: string): Promise<unknown> => Promise.resolve((looks += 1) === 1 ? null : recorded(id));
  const executeUpdateWithStart = ({ name }: { readonly name: string }): Promise<unknown> => {
    asked.push(name);
    return Promise.resolve({ refused: null });
  };
  const client = { withDeadline: (_at: number, work: () => unknown) => work(), workflow: { executeUpdateWithStart } };
  const settings = loadSettings({ SUREFILL_DEPOSIT_CHAINS: `ethereum:${TKN.chainId},arbitrum:${USDC.chainId}`, SUREFILL_DEPOSIT_TOKEN: USDC.address, SUREFILL_DEPOSIT_SEED: 'ab'.repeat(32), SUREFILL_ETHEREUM_RPC_URLS: 'http://127.0.0.1:1', SUREFILL_ARBITRUM_RPC_URLS: 'http://127.0.0.1:1' });
  const store = { deposits: { byId, keepAddress: () => Promise.resolve() }, withdrawals: { byId } };
  return { platform: { settings, production: false, clock: { nowMs: () => Date.parse('2026-01-01T00:00:00.000Z') }, temporal: { client }, store } as unknown as Platform, asked };
}

beforeEach(() => {
  jest.spyOn(EvmChain.prototype, 'token').mockImplementation((address) => {
    const found = TOKENS.find((token) => token.address === address);
    return found === undefined ? Promise.reject(new Error(`no token ${address}`)) : Promise.resolve(found);
  });
});
afterEach(() => void jest.restoreAllMocks());

describe('a withdrawal', () => {
  const asks = (changes: Partial<Withdrawal>): Promise<Withdrawal> =>
    withdrawalsPort(platform((id) => withdrawalSample({ id, userId: USER, ...changes })).platform).begin(USER, { amount: '40', toAddress: hex('77') }, 'key-1', 'key:test');

  test.each<[string, Partial<Withdrawal>]>([['amount', { amount: '41' }], ['address', { toAddress: hex('78') }]])('whose key another request used first with another %s is not answered by that one', async (_what, changes) => {
    await expect(asks(changes)).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH', details: { withdrawalId: expect.any(String) } });
  });

  test('that another request asked for too is one, for both', async () => {
    expect(await asks({ requestedBy: 'key:other' })).toMatchObject({ amount: '40', requestedBy: 'key:other' });
  });
});

describe('a deposit', () => {
  const asks = (changes: Partial<Deposit>): { readonly answer: Promise<Deposit>; readonly asked: readonly string[] } => {
    const { platform: given, asked } = platform((id) => depositSample({ id, userId: USER, ...changes }));
    const request = { chain: 'ethereum', token: TKN.address, amount: '100', fromAddress: USER_WALLET, transactionHash: hash('a1') };
    return { answer: depositsPort(given).begin(USER, request, 'key-1'), asked };
  };

  test.each<[string, Partial<Deposit>]>([['amount', { amount: '50' }], ['sender', { fromAddress: hex('12') }], ['token', { from: OTHER }], ['account', { destination: { accountId: 'a-1', fundingId: 'f-1' } }]])(
    'whose key another request used first with another %s is not answered by that one, which does not get its transaction',
    async (_what, changes) => {
      const { answer, asked } = asks(changes);
      await expect(answer).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH', details: { depositId: expect.any(String) } });
      expect(asked).toEqual(['awaitQuote']);
    },
  );

  test('that another request asked for too is one, for both', async () => {
    const { answer, asked } = asks({ createdAt: '2025-12-31T23:59:59.999Z' });
    expect(await answer).toMatchObject({ amount: '100', createdAt: '2025-12-31T23:59:59.999Z' });
    expect(asked).toEqual(['awaitQuote', 'submitTransaction']);
  });
});
