/** What the API needs of collateral that moves within accounts. */
import type { CollateralMove } from '../domain/collateral-move';

/** What is asked for: a move before it has an id and a state. */
export type MoveWish = Pick<CollateralMove, 'userId' | 'accountId' | 'venue' | 'kind' | 'symbol' | 'venueSymbol' | 'from' | 'to' | 'asset' | 'amount' | 'requestedBy'>;

export interface CollateralPort {
  /** The move that this key stands for, or null. */
  ofKey(userId: string, key: string): Promise<CollateralMove | null>;
  /**
   * Records it once for its key, and answers after the venue's first word. Throws IDEMPOTENCY_MISMATCH, VENUE_REJECTED and VENUE_UNAVAILABLE
   * (nothing was sent), SERVICE_UNAVAILABLE (outcome unknown: the same key meets the same move).
   */
  begin(wish: MoveWish, key: string): Promise<CollateralMove>;
  get(id: string, userId: string): Promise<CollateralMove | null>;
  list(query: { readonly userId: string; readonly accountId: string | null; readonly cursor: string | null; readonly limit: number }): Promise<{ readonly moves: readonly CollateralMove[]; readonly nextCursor: string | null }>;
}
