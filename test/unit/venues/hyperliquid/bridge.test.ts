import { expect, test } from '@jest/globals';
import { faultOfWay } from '../../../../src/domain/deposit-way';
import { depositWayOf } from '../../../../src/venues/hyperliquid/bridge';

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
