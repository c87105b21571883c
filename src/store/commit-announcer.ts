/**
 * Tells of committed events: listeners of this process at once, other processes by NOTIFY with stream and sequence only.
 * Lost notices cost time, never events: readers also poll.
 */
import type { ChangeSet, CommittedEvent } from './change-set';
import type { Statement } from './database/database';

/** The PostgreSQL channel; a payload is `<stream> <sequence>`. */
export const EVENT_CHANNEL = 'surefill_events';

export type CommitListener = (events: readonly CommittedEvent[]) => void;

/**
 * Tells of events only where they are: sent with the COMMIT, it runs whatever becomes of that, and a reader who heard of an event that was rolled
 * back would take the next one with its sequence for one it has.
 */
const TELL_COMMITTED_SQL = `
SELECT count(pg_notify('${EVENT_CHANNEL}', n.payload))::int AS told
  FROM (SELECT e.stream || ' ' || e.sequence AS payload FROM unnest($1::text[], $2::bigint[]) AS r(stream, sequence) JOIN events e ON e.stream = r.stream AND e.sequence = r.sequence
        UNION ALL SELECT other FROM unnest($3::text[]) AS other) n`;

/** Tells other processes of the newest event of each stream; sent with the COMMIT, done after it. What more is soon to follow waits for that. */
export function announcement(changes: readonly ChangeSet[]): Statement | null {
  return notice(changes.flatMap(({ events, moreFollows }) => (moreFollows ? [] : events)), changes.flatMap(({ notices }) => [...notices]));
}

/** Tells other processes of the newest of these events of each stream, and of other news; null where there is none. */
export function notice(events: readonly Pick<CommittedEvent, 'stream' | 'sequence'>[], others: readonly string[] = []): Statement | null {
  const newest = new Map<string, number>();
  for (const { stream, sequence } of events) newest.set(stream, sequence);
  if (newest.size === 0 && others.length === 0) return null;
  return { sql: TELL_COMMITTED_SQL, parameters: [[...newest.keys()], [...newest.values()].map(String), [...new Set(others)]] };
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
  /** Committed, and told to other processes by nobody yet: the newest sequence of each stream, and with which others it is told if nothing follows. */
  private readonly untold = new Map<string, { sequence: number; readonly round: symbol }>();

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

  /** From the first that waits: what follows and waits as well does not make it wait longer. */
  private tellLater(events: readonly CommittedEvent[]): void {
    const round = Symbol('told together');
    for (const { stream, sequence } of events) {
      const waiting = this.untold.get(stream);
      if (waiting === undefined) this.untold.set(stream, { sequence, round });
      else waiting.sequence = sequence;
    }
    const streams = new Set(events.map(({ stream }) => stream).filter((stream) => this.untold.get(stream)?.round === round));
    if (streams.size === 0) return;
    setTimeout(() => {
      const late = [...streams].flatMap((stream) => {
        const waiting = this.untold.get(stream);
        if (waiting?.round !== round) return [];
        this.untold.delete(stream);
        return [{ stream, sequence: waiting.sequence }];
      });
      const statement = notice(late);
      if (statement !== null) this.tell(statement).catch((error: unknown) => this.onError(error));
    }, MORE_FOLLOWS_MS).unref();
  }
}
