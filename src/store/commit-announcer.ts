/**
 * Tells of committed events: listeners of this process at once, other processes by NOTIFY with stream and sequence only.
 * Lost notices cost time, never events: readers also poll.
 */
import type { ChangeSet, CommittedEvent } from './change-set';
import type { Statement } from './database';

/** The PostgreSQL channel; a payload is `<stream> <sequence>`. */
export const EVENT_CHANNEL = 'surefill_events';

export type CommitListener = (events: readonly CommittedEvent[]) => void;

/** Tells other processes of the newest event of each stream; sent with the COMMIT, done after it. */
export function announcement(changes: readonly ChangeSet[]): Statement | null {
  const newest = new Map<string, number>();
  for (const { events } of changes) for (const { stream, sequence } of events) newest.set(stream, sequence);
  if (newest.size === 0) return null;
  return { sql: `SELECT count(pg_notify('${EVENT_CHANNEL}', payload))::int AS told FROM unnest($1::text[]) AS payload`, parameters: [[...newest].map(([stream, sequence]) => `${stream} ${sequence}`)] };
}

export class CommitAnnouncer {
  private readonly listeners = new Set<CommitListener>();

  constructor(private readonly onError: (error: unknown) => void) {}

  onCommitted(listener: CommitListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  announce(events: readonly CommittedEvent[]): void {
    if (events.length === 0) return;
    for (const listener of this.listeners) {
      try {
        listener(events);
      } catch (error) {
        this.onError(error);
      }
    }
  }
}
