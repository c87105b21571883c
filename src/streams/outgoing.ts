/** What waits to be sent to one client: bounded, so that a client that reads slowly costs itself and nobody else. */
import type { Socket } from 'socket.io';
import { encoded } from './prices/encoded';
import type { ServerToClientEvents } from './socket-events';

/** What a subscription needs of its client. */
export interface Outgoing {
  /** The same object to many clients is encoded once. */
  emit<Name extends keyof ServerToClientEvents>(name: Name, message: Parameters<ServerToClientEvents[Name]>[0]): void;
  /** Something sent earlier has not left yet. */
  readonly busy: boolean;
  /** undefined while there is room; else settles when there is again, or the client is gone. */
  room(): Promise<void> | undefined;
}

/** From here on subscriptions wait before they send more: a few hundred events. */
const HIGH_WATER_BYTES = 256 * 1024;
type Connection = Socket['conn'];

export class SocketOutgoing implements Outgoing {
  private readonly highWaterBytes: number;
  private waitingBytes = 0;
  private waiters: (() => void)[] = [];
  private gone = false;

  constructor(
    private readonly socket: Socket<Record<string, never>, ServerToClientEvents>,
    private readonly onSlow: (reason: string) => void,
    /** A client that leaves more unread is disconnected, and resumes by sequence when it can. */
    private readonly maxUnsentBytes: number,
  ) {
    this.highWaterBytes = Math.min(HIGH_WATER_BYTES, maxUnsentBytes / 4);
    const connection: Connection = socket.conn;
    connection.on('packetCreate', (packet: { readonly data?: string | Buffer }) => this.queued(packet.data?.length ?? 0));
    // What was handed to the transport before has left: it takes everything that waited.
    connection.on('flush', () => this.taken());
    connection.on('close', () => {
      this.gone = true;
      this.taken();
    });
  }

  emit<Name extends keyof ServerToClientEvents>(name: Name, message: Parameters<ServerToClientEvents[Name]>[0]): void {
    if (this.gone) return;
    const { text, options } = encoded(name, message);
    this.socket.conn.write(text, options);
  }

  get busy(): boolean {
    return this.waitingBytes > 0;
  }

  room(): Promise<void> | undefined {
    if (this.gone || this.waitingBytes < this.highWaterBytes) return undefined;
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private queued(bytes: number): void {
    this.waitingBytes += bytes;
    if (this.gone || this.waitingBytes <= this.maxUnsentBytes) return;
    this.gone = true;
    this.onSlow(`left more than ${this.maxUnsentBytes} bytes unread`);
    // Not an orderly disconnect, after which clients stay away: they come back and resume. What waits is discarded.
    this.socket.conn.close(true);
  }

  private taken(): void {
    this.waitingBytes = 0;
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
