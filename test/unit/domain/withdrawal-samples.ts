/** A withdrawal of 40 USDC for tests. */
import type { Withdrawal } from '../../../src/domain/withdrawal';
import { DEPOSIT_ADDRESS, hex, USDC } from './deposit-samples';

const AT = '2026-01-01T00:00:00.000Z';

export function withdrawalSample(changes: Partial<Withdrawal> = {}): Withdrawal {
  return { id: 'w-1', userId: 'u-1', state: 'AWAITING_APPROVAL', reason: null, token: USDC, amount: '40', fromAddress: DEPOSIT_ADDRESS, toAddress: hex('77'), requestedBy: 'key:asks', decidedBy: null, note: null, transaction: null, revision: 1, approveBefore: '2026-01-02T00:00:00.000Z', createdAt: AT, updatedAt: AT, ...changes };
}
