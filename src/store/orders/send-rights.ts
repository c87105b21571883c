/**
 * First rights to send, in the memory of the process whose transaction recorded the attempts. Fence 1 was committed with
 * them and nobody else holds this capability, so taking it needs no write; taking deletes it. Lost with the process, after
 * which the fence is raised in the database.
 */
import type { Clock } from '../../domain/clock';
import type { FirstRight } from '../../domain/order-store';

/** Rights wait for milliseconds; at 1,300 orders a second this is many seconds of groups. The oldest goes first. */
const MAX_RIGHTS = 10_000;
/**
 * A right outlives its `sendBeforeMs` a little: its holder then knows for certain that nothing was sent, which is better
 * evidence than not knowing.
 */
const KEPT_AFTER_EXPIRY_MS = 60_000;

export interface TakenRight {
  readonly atMs: number;
  readonly accountId: string;
}

export class SendRights {
  private readonly rights = new Map<string, FirstRight>();
  /** When a right was taken, for the timeline; written with the report. */
  private readonly taken = new Map<string, TakenRight>();

  constructor(private readonly clock: Clock) {}

  keep(right: FirstRight): void {
    this.rights.set(right.attemptId, right);
    dropOldest(this.rights);
    const nowMs = this.clock.nowMs();
    for (const [attemptId, { sendBeforeMs }] of this.rights) {
      if (sendBeforeMs + KEPT_AFTER_EXPIRY_MS > nowMs) break; // in the order they came: the rest is younger
      this.rights.delete(attemptId);
    }
  }

  /** The right, once. */
  take(attemptId: string): FirstRight | null {
    const right = this.rights.get(attemptId);
    if (right === undefined) return null;
    this.rights.delete(attemptId);
    this.taken.set(attemptId, { atMs: this.clock.nowMs(), accountId: right.accountId });
    dropOldest(this.taken);
    return right;
  }

  drop(attemptId: string): void {
    this.rights.delete(attemptId);
  }

  /** What is known of a right that was taken here; null for one that was taken elsewhere. */
  wasTaken(attemptId: string): TakenRight | null {
    const taken = this.taken.get(attemptId) ?? null;
    this.taken.delete(attemptId);
    return taken;
  }
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size <= MAX_RIGHTS) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
