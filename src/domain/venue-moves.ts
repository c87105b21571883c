/** Collateral that moves within one account, as a venue's adapter must express it. */
import type { PrepareContext, ReadOptions, SignedRequest } from './venue';

/** Collateral that moves within one account: margin of an isolated position (negative: taken away), or from pool to pool. */
export type VenueMove = { readonly kind: 'margin'; readonly venueSymbol: string; readonly amount: string } | ({ readonly kind: 'transfer' } & CollateralTransfer);

/** unclear: what the venue shows agrees with both. */
export type VenueMoveOutcome = 'applied' | 'absent' | 'unclear';

/** Collateral that moves between the pools of one account. */
export interface CollateralTransfer {
  /** '' is the venue's main pool; others by the venue's names (a HIP-3 dex, `spot`). */
  readonly fromPool: string;
  readonly toPool: string;
  readonly asset: string;
  readonly amount: string;
}

/** A move is one signed request that `send` answers with one item; the same bytes take effect at most once. */
export interface VenueMoves {
  /** What the venue shows before the move: it is signed with it, and its outcome is told by it. Opaque, stored. Throws VenueRefused where there is nothing to move. */
  basis(move: VenueMove, options: ReadOptions): Promise<string>;
  /** Pure CPU. Throws VenueRefused on what the venue cannot be told. */
  prepare(move: VenueMove, basis: string, context: PrepareContext): SignedRequest;
  /** What became of it, by what the venue shows now. `absent` is no proof that it never will: its bytes may be on their way. */
  outcome(move: VenueMove, basis: string, nonce: string | null, options: ReadOptions): Promise<VenueMoveOutcome>;
}
