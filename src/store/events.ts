/** Reads of the event streams, and word of new ones: from this process after its commits, from others by NOTIFY. */
import { STREAM_ALERTS, type StreamEvent } from '../domain/events';
import { plainRow, recordset, selectList } from './database/columns';
import type { CommittedEvent } from './change-set';
import type { StoreCore } from './core';
import type { Row } from './database/database';
import { listenForEvents, type EventListening } from './database/event-listener';
import type { Generation } from './database/generation';
import { EVENT_COLUMNS } from './database/tables';

const EVENT_SELECT = selectList(EVENT_COLUMNS, 'e');

/** Where a reader of a stream stands: the last sequence it has. */
export interface StreamPosition {
  readonly stream: string;
  readonly sequence: number;
}

/** Of several streams ($1, JSON), so many of each ($2), with the generation that `generation` reads. */
export function eventsSql(generation: string): string {
  return `SELECT x.*, ${generation} AS generation FROM ${recordset({ stream: 'text', sequence: 'bigint' }, 1)}
         CROSS JOIN LATERAL (SELECT ${EVENT_SELECT} FROM events e WHERE e.stream = r."stream" AND e.sequence > r."sequence" ORDER BY e.sequence LIMIT $2::int) x ORDER BY x.stream, x.sequence`;
}

export class Events {
  constructor(
    private readonly core: StoreCore,
    private readonly databaseGeneration: Generation,
    private readonly databaseUrl: string,
  ) {}

  /** As Store.generation: changes when the database was restored. */
  generation(): Promise<string> {
    return this.databaseGeneration.read();
  }

  /** Events after `sequence`, in order. */
  async since(stream: string, sequence: number, limit: number): Promise<readonly StreamEvent[]> {
    return this.sinceMany([{ stream, sequence }], limit);
  }

  /** The same for several streams in one read: at most `limitEach` of each, streams one after the other. */
  async sinceMany(positions: readonly StreamPosition[], limitEach: number): Promise<readonly StreamEvent[]> {
    if (positions.length === 0) return [];
    const rows = await this.core.database.rows(
      eventsSql(this.databaseGeneration.sql),
      JSON.stringify(positions),
      limitEach,
    );
    return rows.map((row) => this.eventOf(row));
  }

  /** Of an order, in order. */
  async ofOrder(orderId: string): Promise<readonly StreamEvent[]> {
    const rows = await this.core.database.rows(`SELECT ${EVENT_SELECT}, ${this.databaseGeneration.sql} AS generation FROM events e WHERE e.order_id = $1 ORDER BY e.stream, e.sequence`, orderId);
    return rows.map((row) => this.eventOf(row));
  }

  /** The last sequence of each stream; 0 for one without events. */
  async heads(streams: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const heads = new Map(streams.map((stream) => [stream, 0]));
    if (streams.length === 0) return heads;
    const rows = await this.core.database.rows<{ stream: string; head: number }>('SELECT s AS stream, (SELECT max(e.sequence) FROM events e WHERE e.stream = s)::float8 AS head FROM unnest($1::text[]) AS s', streams);
    for (const { stream, head } of rows) heads.set(stream, head ?? 0);
    return heads;
  }

  /** The newest alert up to `upTo` that opened or closed a gap in what is known of the venue; null: there is none. */
  async lastStreamAlert(stream: string, upTo: number): Promise<StreamEvent | null> {
    const [row] = await this.core.database.rows(
      `SELECT ${EVENT_SELECT}, ${this.databaseGeneration.sql} AS generation FROM events e
         WHERE e.stream = $1 AND e.sequence <= $2::bigint AND e.type = 'account.alert' AND e.data->>'kind' = ANY($3::text[]) ORDER BY e.sequence DESC LIMIT 1`,
      stream,
      upTo,
      Object.values(STREAM_ALERTS),
    );
    return row === undefined ? null : this.eventOf(row);
  }

  /** Each commit's events of this process, in their order, at once. Returns how to stop. */
  onCommitted(listener: (events: readonly StreamEvent[]) => void): () => void {
    return this.core.announcer.onCommitted((events) => listener(events.map((event) => this.published(event))));
  }

  /**
   * Calls `onNotice(stream, sequence)` for commits of every process; `('*', 0)` after a reconnect, when some may have been
   * missed. Settles once it listens.
   */
  async listen(onNotice: (stream: string, sequence: number) => void): Promise<EventListening> {
    return listenForEvents({
      databaseUrl: this.databaseUrl,
      onNotice,
      onReconnected: () => void this.databaseGeneration.read().catch((error: unknown) => this.core.log.warn({ error }, 'the generation could not be read')),
      onError: (error) => this.core.log.warn({ error }, 'the connection that listens for events broke; it reconnects'),
    });
  }

  private eventOf(row: Row): StreamEvent {
    const event = plainRow(row) as unknown as CommittedEvent & { readonly generation: string };
    this.databaseGeneration.note(event.generation);
    return { ...event, id: eventId(event.generation, event) };
  }

  private published(event: CommittedEvent): StreamEvent {
    const generation = this.databaseGeneration.lastRead();
    return { ...event, generation, id: eventId(generation, event) };
  }
}

/** Unique for ever: a sequence can come again only in another generation. */
function eventId(generation: string, event: CommittedEvent): string {
  return `${generation}/${event.stream}/${event.sequence}`;
}
