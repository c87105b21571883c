/**
 * Tells of committed events: listeners of this process at once, other processes by NOTIFY with stream and sequence only.
 * Lost notices cost time, never events: readers also poll.
 */
import type { ChangeSet, CommittedEvent } from './change-set';
import type { Statement } from './database/database';

/** The PostgreSQL channel; a payload is `<stream> <sequence>`. */
export const EVENT_CHANNEL = 'surefill_events';

export type CommitListener = (events: readonly CommittedEvent[]) => void;

/** Tells other processes of the newest event of each stream; sent with the COMMIT, done after it. What more is soon to follow waits for that. */
export function announcement(changes: readonly ChangeSet[]): Statement | null {
  return notice(changes.flatMap(({ events, moreFollows }) => (moreFollows ? [] : events)), changes.flatMap(({ notices }) => [...notices]));
}

function notice(events: readonly CommittedEvent[], others: readonly string[] = []): Statement | null {
  const newest = new Map<string, number>();
  for (const { stream, sequence } of events) newest.set(stream, sequence);
  const payloads = [...[...newest].map(([stream, sequence]) => `${stream} ${sequence}`), ...new Set(others)];
  if (payloads.length === 0) return null;
  return notification(payloads);
}

/** The statement that tells every process that listens. */
export function notification(payloads: readonly string[]): Statement {
  return { sql: `SELECT count(pg_notify('${EVENT_CHANNEL}', payload))::int AS told FROM unnest($1::text[]) AS payload`, parameters: [payloads] };
}

/**
 * How long a recorded order's event may wait for the venue's answer, which mostly comes within it: told together, both are one
 * notice and one read of every process that follows. A person does not see the difference.
 */
export const MORE_FOLLOWS_MS = 50;

export class CommitAnnouncer {
  private readonly listeners = new Set<CommitListener>();
  /** Committed, and told to other processes by nobody yet: the newest of each stream. */
  private readonly untold = new Map<string, CommittedEvent>();

  /** `tell` runs the statement by which other processes learn of what nothing followed. */
  constructor(
    private readonly onError: (error: unknown) => void,
    private readonly tell: (statement: Statement) => Promise<unknown>,
  ) {}

  onCommitted(listener: CommitListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** After the commit. `moreFollows`: its announcement was left to the next one of the same streams. */
  announce(events: readonly CommittedEvent[], moreFollows = false): void {
    if (events.length === 0) return;
    if (moreFollows) this.tellLater(events);
    else for (const { stream } of events) this.untold.delete(stream);
    for (const listener of this.listeners) {
      try {
        listener(events);
      } catch (error) {
        this.onError(error);
      }
    }
  }

  private tellLater(events: readonly CommittedEvent[]): void {
    for (const event of events) this.untold.set(event.stream, event);
    const newest = new Map(events.map((event) => [event.stream, event]));
    setTimeout(() => {
      const late = [...newest.values()].filter((event) => this.untold.get(event.stream) === event);
      for (const { stream } of late) this.untold.delete(stream);
      const statement = notice(late);
      if (statement !== null) this.tell(statement).catch((error: unknown) => this.onError(error));
    }, MORE_FOLLOWS_MS).unref();
  }
}
