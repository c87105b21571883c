/** A connection of its own that LISTENs, and connects again by itself when it breaks. */
import { Client } from 'pg';
import { EVENT_CHANNEL } from '../commit-announcer';

export interface EventListening {
  close(): Promise<void>;
}

interface ListenerOptions {
  readonly databaseUrl: string;
  readonly onNotice: (stream: string, sequence: number) => void;
  readonly onReconnected: () => void;
  readonly onError: (error: unknown) => void;
}

/** Between tries to connect; readers poll each second besides, so patience costs little. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Told to readers after a gap: look at every stream. */
const EVERY_STREAM = '*';

export async function listenForEvents(options: ListenerOptions): Promise<EventListening> {
  const listener = new Listener(options);
  await listener.connect();
  return listener;
}

class Listener implements EventListening {
  private client: Client | null = null;
  private timer: NodeJS.Timeout | null = null;
  private retryMs = FIRST_RETRY_MS;
  private closed = false;

  constructor(private readonly options: ListenerOptions) {}

  async connect(): Promise<void> {
    const client = new Client({ connectionString: this.options.databaseUrl, application_name: 'surefill-events', keepAlive: true, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    client.on('notification', ({ payload }) => this.noticed(payload ?? ''));
    client.on('error', (error) => this.options.onError(error));
    client.on('end', () => this.broken(client));
    try {
      await client.connect();
      await client.query(`LISTEN ${EVENT_CHANNEL}`);
    } catch (error) {
      client.removeAllListeners('end');
      client.on('error', () => undefined); // reported below, once
      await client.end().catch(() => undefined); // it never was connected: there is nothing to end
      throw error;
    }
    this.client = client;
    this.retryMs = FIRST_RETRY_MS;
    if (this.closed) await client.end();
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    const { client } = this;
    this.client = null;
    await client?.end();
  }

  private noticed(payload: string): void {
    const space = payload.lastIndexOf(' ');
    const sequence = Number(payload.slice(space + 1));
    if (space > 0 && Number.isSafeInteger(sequence)) this.options.onNotice(payload.slice(0, space), sequence);
  }

  private broken(client: Client): void {
    // One that never listened is its caller's to try again: were it tried again from here as well, each failure would make two of one.
    if (this.closed || this.client !== client) return;
    this.client = null;
    this.timer = setTimeout(() => void this.reconnect(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  private async reconnect(): Promise<void> {
    try {
      await this.connect();
      this.options.onReconnected();
      this.options.onNotice(EVERY_STREAM, 0);
    } catch (error) {
      if (this.closed) return;
      this.options.onError(error);
      this.timer = setTimeout(() => void this.reconnect(), this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    }
  }
}
