/** One listener's place in a stream: what it was given, and the check that nothing is missing or repeated. */
import type { StreamEvent } from '../domain/events';

/** restored: the database is an older one; purged: events it needs are gone; unreadable: the store could not be read. */
export type ResyncReason = 'restored' | 'purged' | 'unreadable';

export interface FollowHandlers {
  /** At least one event, each once, in order. A promise holds back the next ones until it settles. */
  onEvents(events: readonly StreamEvent[]): void | Promise<void>;
  /** Nothing more comes: read the state anew, and follow again from there. */
  onResync(reason: ResyncReason): void;
}

export class Follower {
  closed = false;
  private at = 0;
  private generation: string | null = null;

  constructor(
    private readonly handlers: FollowHandlers,
    private readonly onError: (error: unknown) => void,
    private readonly onLeave: () => void,
  ) {}

  /** Everything up to it was given. */
  get sequence(): number {
    return this.at;
  }

  startAt(sequence: number): void {
    this.at = sequence;
  }

  /** Events it had already are left out; one that is missing, or of another generation, ends it. */
  deliver(events: readonly StreamEvent[]): Promise<void> | undefined {
    const [first] = events;
    const fresh = first !== undefined && first.sequence > this.at ? events : events.filter(({ sequence }) => sequence > this.at);
    let expected = this.at;
    for (const { sequence, generation } of fresh) {
      expected += 1;
      if (sequence !== expected) return this.lost('purged');
      this.generation ??= generation;
      if (generation !== this.generation) return this.lost('restored');
    }
    const last = fresh.at(-1);
    if (this.closed || !last) return undefined;
    this.at = last.sequence;
    try {
      const done = this.handlers.onEvents(fresh);
      return done?.catch((error: unknown) => this.onError(error));
    } catch (error) {
      // One listener's failure is not the others'.
      this.onError(error);
      return undefined;
    }
  }

  lost(reason: ResyncReason): undefined {
    if (this.closed) return;
    this.close();
    try {
      this.handlers.onResync(reason);
    } catch (error) {
      this.onError(error);
    }
    return undefined;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onLeave();
  }
}
