/** Which streams this process follows for its waiting requests: each once, however many wait, and a while longer. */
import type { StreamEvent } from '../domain/events';
import type { EventTail } from './ports';

/** An account's stream is followed this long after its last watch, so that a busy account is not followed anew each time. */
const FOLLOW_LINGER_MS = 60_000;
interface Followed {
  holders: number;
  unfollow(): void;
  linger: NodeJS.Timeout | null;
}

export class FollowedStreams {
  private readonly streams = new Map<string, Followed>();

  constructor(
    private readonly tail: EventTail,
    private readonly listener: (event: StreamEvent) => void,
  ) {}

  /** Follows the stream until as many releases as holds were made, and a while longer. */
  hold(stream: string): void {
    const known = this.streams.get(stream);
    if (known === undefined) {
      this.streams.set(stream, { holders: 1, unfollow: this.tail.follow(stream, this.listener), linger: null });
      return;
    }
    known.holders += 1;
    if (known.linger !== null) clearTimeout(known.linger);
    known.linger = null;
  }

  release(stream: string): void {
    const followed = this.streams.get(stream);
    if (followed === undefined) return;
    followed.holders -= 1;
    if (followed.holders === 0) followed.linger = setTimeout(() => this.forget(stream), FOLLOW_LINGER_MS).unref();
  }

  close(): void {
    for (const stream of [...this.streams.keys()]) this.forget(stream);
  }

  private forget(stream: string): void {
    const followed = this.streams.get(stream);
    if (followed === undefined) return;
    if (followed.linger !== null) clearTimeout(followed.linger);
    this.streams.delete(stream);
    followed.unfollow();
  }
}
