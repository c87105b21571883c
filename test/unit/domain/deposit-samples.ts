/** Deposits and transfers for tests: 100 TKN on chain 1 to USDC on chain 42161. */
import type { ChainToken, ChainTransfer, Deposit, DepositSource, Hex } from '../../../src/domain/deposit';
import { assetOf } from '../../../src/domain/deposit';

export const hex = (digits: string, length = 40): Hex => `0x${digits.padStart(length, '0')}`;
export const hash = (digits: string): Hex => hex(digits, 64);

export const TKN: ChainToken = { chainId: 1, address: hex('aa'), symbol: 'TKN', decimals: 18 };
export const USDC: ChainToken = { chainId: 42161, address: hex('bb'), symbol: 'USDC', decimals: 6 };
export const OTHER: ChainToken = { chainId: 42161, address: hex('cc'), symbol: 'OTH', decimals: 18 };
export const USER_WALLET = hex('11');
export const DEPOSIT_ADDRESS = hex('22');
export const BRIDGE = hex('33');

export function depositSample(changes: Partial<Deposit> = {}): Deposit {
  return {
    id: 'd-1', userId: 'u-1', kind: 'bridge', state: 'CREATED', reason: null, from: TKN, amount: '100', fromAddress: USER_WALLET, to: USDC, toAddress: DEPOSIT_ADDRESS, quote: null, source: null, bridge: null,
    received: [], refunds: [], sourceOutcome: null, writtenOff: false, revision: 1, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z', ...changes,
  };
}

export function minedSource(changes: Partial<DepositSource> = {}): Omit<DepositSource, 'earlierHashes' | 'neededConfirmations'> {
  return { hash: hash('a1'), nonce: 7, blockNumber: 10, blockHash: hash('b10'), confirmations: 3, gasFee: '0.001', l1Fee: null, ...changes };
}

export function transferSample(changes: Partial<ChainTransfer> = {}): ChainTransfer {
  return { chainId: 42161, txHash: hash('f1'), logIndex: 0, blockNumber: 100, blockHash: hash('c100'), token: USDC.address, asset: assetOf(USDC), from: BRIDGE, to: DEPOSIT_ADDRESS, amount: '99', ...changes };
}
