/**
 * Collateral that moves within one account at its venue: margin of an isolated position, or from pool to pool. Its bytes are signed
 * once and stored; the venue takes their nonce once, so the same bytes, sent however often, move it once.
 */
import type { ErrorCode } from './errors';
import type { VenueMove } from './venue-moves';

export const MOVE_KINDS = ['margin', 'transfer'] as const satisfies readonly VenueMove['kind'][];
export type MoveKind = (typeof MOVE_KINDS)[number];

/**
 * SENDING: recorded, on its way. UNKNOWN: its bytes may have left. APPLIED and REFUSED are evidence. UNRESOLVED: its time is over and what
 * the venue shows agrees with both; a person looks.
 */
export const MOVE_STATES = ['SENDING', 'UNKNOWN', 'APPLIED', 'REFUSED', 'UNRESOLVED'] as const;
export type MoveState = (typeof MOVE_STATES)[number];

export const ENDED_MOVE_STATES: ReadonlySet<MoveState> = new Set(['APPLIED', 'REFUSED', 'UNRESOLVED']);

/** The venue's own pool; others by the venue's names. */
export const MAIN_POOL = 'main';

export interface CollateralMove {
  readonly id: string;
  readonly userId: string;
  readonly accountId: string;
  readonly venue: string;
  readonly kind: MoveKind;
  /** Of margin: the position's market, ours and the venue's word. */
  readonly symbol: string | null;
  readonly venueSymbol: string | null;
  /** Of a transfer. */
  readonly from: string | null;
  readonly to: string | null;
  readonly asset: string;
  /** Of margin: negative is taken away. */
  readonly amount: string;
  readonly state: MoveState;
  readonly reasonCode: string | null;
  readonly reasonMessage: string | null;
  /** How often its bytes may have left. */
  readonly sends: number;
  readonly requestedBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What was asked for: a repeat must ask for the same. */
export function moveTermsOf({ accountId, kind, symbol, from, to, asset, amount }: CollateralMove): string {
  return JSON.stringify([accountId, kind, symbol, from, to, asset, amount]);
}

export function venueMoveOf({ kind, venueSymbol, from, to, asset, amount }: CollateralMove): VenueMove {
  if (kind === 'margin') return { kind, venueSymbol: venueSymbol ?? '', amount };
  const pool = (name: string | null): string => (name === null || name === MAIN_POOL ? '' : name);
  return { kind, fromPool: pool(from), toPool: pool(to), asset, amount };
}

/** For operators. */
export function moveSummary({ kind, amount, asset, symbol, from, to, venue }: CollateralMove): string {
  return kind === 'margin' ? `${amount} ${asset} of margin to ${symbol ?? ''} on ${venue}` : `${amount} ${asset} from ${from ?? ''} to ${to ?? ''} on ${venue}`;
}

/** What a caller waits for. `refused`: it was never recorded, and why. */
export interface MoveReply {
  readonly state: MoveState;
  readonly refused: { readonly code: ErrorCode; readonly message: string; readonly details: Readonly<Record<string, unknown>> } | null;
}
