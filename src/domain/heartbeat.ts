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

/** What became of arming the venue's own switch. */
export interface VenueDeadMan {
  /** Whether the venue has one at all. */
  readonly supported: boolean;
  readonly armed: boolean;
  /** Why not, where it is supported; ours holds all the same. */
  readonly reason: string | null;
}
