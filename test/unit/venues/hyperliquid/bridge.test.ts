import { expect, test } from '@jest/globals';
import { isoTime } from '../../../../src/domain/clock';
import { faultOfWay } from '../../../../src/domain/deposit-way';
import { LocalSigner } from '../../../../src/chains/local-signer';
import type { Hex } from '../../../../src/domain/deposit';
import { EXIT_TRIES, exitNonces } from '../../../../src/domain/venue-bridge';
import { depositWayOf, HyperliquidBridge, type LedgerLine } from '../../../../src/venues/hyperliquid/bridge';
import { privateKeyToAccount } from 'viem/accounts';
import { typedDataOf } from '../../../../src/chains/typed-data';

const ADDRESS = '0xAB70997970C51812dc3A010C7d01b50e0d17dc79';
const USDC = { chainId: 42_161, address: '0xaf88d065e77c8cc2239327c5edb3a432268e5831' } as const;

test('the bridge credits whoever sends native USDC on the network\'s own Arbitrum', () => {
  expect(depositWayOf('mainnet', { address: ADDRESS })).toEqual({ chainId: 42_161, token: USDC.address, contract: '0x2df1c51e09aecf9cacb7bc98cb1742757f163df7', minimum: '5', sender: ADDRESS.toLowerCase() });
  expect(depositWayOf('testnet', { address: ADDRESS })).toMatchObject({ chainId: 421_614, contract: '0x08cfc1b6b2dcf36a1480b99353a354aa8ac56f89' });
});

test('nothing comes over it to a vault', () => {
  expect(depositWayOf('mainnet', { address: ADDRESS, vaultAddress: ADDRESS })).toBeNull();
});

test('five USDC go, a hundred-thousandth less does not: the bridge would keep it', () => {
  const way = depositWayOf('mainnet', { address: ADDRESS });
  const wallet = `0x${ADDRESS.slice(2).toLowerCase()}` as const;
  expect(faultOfWay(way, { token: USDC, wallet, amount: '5' })).toBeNull();
  expect(faultOfWay(way, { token: USDC, wallet, amount: '4.99999' })).toBe('BELOW_VENUE_MINIMUM');
  expect(faultOfWay(way, { token: USDC, wallet: `0x${'11'.repeat(20)}`, amount: '5' })).toBe('OTHER_WALLET');
  expect(faultOfWay(way, { token: { ...USDC, chainId: 31_338 }, wallet, amount: null })).toBe('OTHER_TOKEN');
  expect(faultOfWay(null, { token: USDC, wallet, amount: null })).toBe('NO_DEPOSIT_CONTRACT');
});

const READING = { signal: new AbortController().signal, priority: 'read' } as const;
const OWNER: Hex = '0x5e9ee1089755c3435139848e47e6635505d5a13a';
const EXIT = { amount: '1', nonce: '1687816341423' };
const bridgeOver = (lines: readonly LedgerLine[], network: 'mainnet' | 'testnet' = 'testnet') => new HyperliquidBridge({ venue: 'hyperliquid', network, owner: OWNER, ledgerSince: async () => lines });

test('a withdrawal is signed as the official SDK signs it, and sent as the venue takes it', async () => {
  const bridge = bridgeOver([]);
  // hyperliquid-python-sdk 0.24.0, tests/signing_test.py: test_sign_withdraw_from_bridge_action.
  const account = privateKeyToAccount('0x0123456789012345678901234567890123456789012345678901234567890123');
  const signature = await account.signTypedData(typedDataOf(bridge.exitMessage(EXIT)));
  const { bytes, ...request } = bridge.exitRequest(EXIT, signature);
  expect(request).toEqual({ kind: 'move', nonce: EXIT.nonce, venueDeadlineMs: null });
  expect(JSON.parse((JSON.parse(bytes) as { body: string }).body)).toEqual({
    action: { type: 'withdraw3', hyperliquidChain: 'Testnet', signatureChainId: '0x66eee', destination: OWNER, amount: '1', time: 1_687_816_341_423 },
    nonce: 1_687_816_341_423,
    signature: { r: '0x8363524c799e90ce9bc41022f7c39b4e9bdba786e5f9c72b20e43e1462c37cf9', s: '0x58b1411a775938b83e29182e8ef74975f9054c8e97ebf5ec2dc8d51bfc893881', v: 28 },
    vaultAddress: null,
    expiresAfter: null,
  });
  expect(() => bridge.exitRequest(EXIT, '0x12')).toThrow(RangeError);
});

test('a wallet of ours signs it alone for its own address', async () => {
  const signer = new LocalSigner(Buffer.alloc(32, 3));
  const message = bridgeOver([]).exitMessage(EXIT);
  const from = await signer.addressOf('ada');
  expect(await signer.signMessage({ userId: 'ada', from, message, idempotencyKey: 'k' })).toMatch(/^0x[0-9a-f]{130}$/);
  await expect(signer.signMessage({ userId: 'bob', from, message, idempotencyKey: 'k' })).rejects.toThrow('is not the wallet of user bob');
});

test.each<[string, Record<string, unknown>, readonly string[]]>([
  ['its amount less the fee', { type: 'withdraw', usdc: '98', nonce: 7, fee: '1.0' }, ['7']],
  ['its amount', { type: 'withdraw', usdc: '99.0', nonce: 7, fee: '1.0' }, ['7']],
  ['another amount under its nonce', { type: 'withdraw', usdc: '50', nonce: 7, fee: '1.0' }, []],
  ['another nonce', { type: 'withdraw', usdc: '98', nonce: 8, fee: '1.0' }, []],
  ['another kind under its nonce', { type: 'send', usdc: '98', nonce: 7, fee: '1.0' }, []],
  ['no amount', { type: 'withdraw', nonce: 7 }, []],
])('a line of the ledger that tells %s', async (_what, delta, shown) => {
  expect(await bridgeOver([{ time: 1, delta }]).exitsShown([{ amount: '99', nonce: '6' }, { amount: '99', nonce: '7' }], READING)).toEqual(shown);
});

test('what is asked back has the nonce that its credit fixed: two of one moment are two withdrawals, and each later day has its own', async () => {
  const line = (usdc: string, time: number) => ({ time, hash: '0x00', delta: { type: 'deposit', usdc } });
  const at = 1_700_000_000_000;
  const credits = await bridgeOver([line('99.0', at), line('99.0', at), line('98', at + 100)]).credits(0, READING);
  expect(credits.map(({ exitNonce }) => Number(exitNonce) - at)).toEqual([0, EXIT_TRIES, 100]);
  const day = 86_400_000;
  const credit = { exitNonce: String(at), at: isoTime(at + 5_000) };
  expect(exitNonces(credit, at - 1).next).toBe(String(at));
  expect(exitNonces(credit, at + day - 1)).toMatchObject({ next: String(at) });
  const later = exitNonces(credit, at + 2 * day + 5);
  expect([later.next, later.all.length, later.all[0], later.all.at(-1)]).toEqual([String(at + 2 * day), 3 * EXIT_TRIES, String(at), String(at + 2 * day + EXIT_TRIES - 1)]);
});

test('a credit that was recorded without a nonce is asked back by the time of its line, whoever asks and whenever', () => {
  const at = 1_700_000_000_000;
  const credit = { at: isoTime(at) };
  expect([exitNonces(credit, at + 1).next, exitNonces(credit, at + 86_399_999).next, exitNonces(credit, at + 86_400_000).next]).toEqual([String(at), String(at), String(at + 86_400_000)]);
});

test('what came over the bridge has a name for each line, also where the venue gives them one hash and one moment', async () => {
  const line = (usdc: string, time = 5) => ({ time, hash: '0x00', delta: { type: 'deposit', usdc } });
  const credits = await bridgeOver([line('99.0'), line('99.0'), line('98'), line('99.0', 6), { time: 5, delta: { type: 'withdraw', usdc: '99.0' } }]).credits(0, READING);
  expect(credits.map(({ amount, atMs }) => [amount, atMs])).toEqual([['99', 5], ['99', 5], ['98', 5], ['99', 6]]);
  expect(new Set(credits.map(({ reference }) => reference)).size).toBe(4);
});
