/** The dead-man switch: an account whose caller falls silent has its open orders canceled. */

export interface Heartbeat {
  readonly accountId: string;
  readonly userId: string;
  readonly timeoutMs: number;
  /** When silence cancels; null: disarmed, or fired. */
  readonly expiresAt: string | null;
  readonly beatAt: string;
  readonly firedAt: string | null;
}

/** A heartbeat as the switch's workflow saw it last: what is left of one that its database has lost. */
export type SeenHeartbeat = Pick<Heartbeat, 'timeoutMs' | 'beatAt'>;

/** Whether the database has lost what was seen: it was restored from a backup. */
export function isForgotten(seen: SeenHeartbeat, row: Heartbeat | null): boolean {
  return row === null || row.beatAt < seen.beatAt;
}

/** What became of arming the venue's own switch. */
export interface VenueDeadMan {
  /** Whether the venue has one at all. */
  readonly supported: boolean;
  readonly armed: boolean;
  /** Why not, where it is supported; ours holds all the same. */
  readonly reason: string | null;
}
