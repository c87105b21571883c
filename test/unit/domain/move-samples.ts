/** A transfer of 100 USDC from the venue's own pool to a dex, for tests. */
import type { CollateralMove } from '../../../src/domain/collateral-move';

const AT = '2026-01-01T00:00:00.000Z';

export function moveSample(changes: Partial<CollateralMove> = {}): CollateralMove {
  return { id: '00000000-0000-4000-8000-00000000c011', userId: 'u-1', accountId: 'a-1', venue: 'hyperliquid', kind: 'transfer', symbol: null, venueSymbol: null, from: 'main', to: 'xyz', asset: 'USDC', amount: '100', state: 'SENDING', reasonCode: null, reasonMessage: null, sends: 0, requestedBy: 'key:asks', createdAt: AT, updatedAt: AT, ...changes };
}
