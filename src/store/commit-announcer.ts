/**
 * Tells of committed events: listeners of this process at once, other processes by NOTIFY with stream and sequence only.
 * Lost notices cost time, never events: readers also poll.
 */
import type { CommittedEvent } from './change-set';
import type { Database } from './database';

/** The PostgreSQL channel; a payload is `<stream> <sequence>`. */
export const EVENT_CHANNEL = 'surefill_events';

export type CommitListener = (events: readonly CommittedEvent[]) => void;

export class CommitAnnouncer {
  private readonly listeners = new Set<CommitListener>();
  private waiting = new Map<string, number>();
  private sending: Promise<void> | null = null;

  constructor(
    private readonly database: Database,
    private readonly onError: (error: unknown) => void,
  ) {}

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
    for (const event of events) this.waiting.set(event.stream, event.sequence);
    this.sending ??= this.send();
  }

  /** Settles when nothing is waiting to be told. */
  async idle(): Promise<void> {
    await this.sending;
  }

  /** One statement at a time; what commits meanwhile goes with the next, newest sequence only. */
  private async send(): Promise<void> {
    while (this.waiting.size > 0) {
      const payloads = [...this.waiting].map(([stream, sequence]) => `${stream} ${sequence}`);
      this.waiting = new Map();
      try {
        await this.database.rows(`SELECT count(pg_notify('${EVENT_CHANNEL}', payload))::int AS told FROM unnest($1::text[]) AS payload`, payloads);
      } catch (error) {
        this.onError(error);
      }
    }
    this.sending = null;
  }
}
