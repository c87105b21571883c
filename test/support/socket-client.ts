/** A Socket.io client of a test: keeps every message of a subscription, as a live client would. */
import { io, type Socket } from 'socket.io-client';

export interface ReceivedEvent {
  readonly channel: string;
  readonly sequence: number;
  readonly previousSequence: number | null;
  readonly generation: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export class StreamClient {
  readonly events: ReceivedEvent[] = [];
  readonly notices: { kind: 'gap' | 'resync'; channel: string }[] = [];

  private constructor(readonly socket: Socket) {
    socket.on('event', (event: ReceivedEvent) => this.events.push(event));
    socket.on('gap', (notice: { channel: string }) => this.notices.push({ kind: 'gap', channel: notice.channel }));
    socket.on('resync', (notice: { channel: string }) => this.notices.push({ kind: 'resync', channel: notice.channel }));
  }

  static async connect(url: string, token: string): Promise<StreamClient> {
    const socket = io(url, { auth: { token }, transports: ['websocket'] });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', (error) => {
        // One that goes on trying would connect behind the back of its test.
        socket.close();
        reject(error);
      });
    });
    return new StreamClient(socket);
  }

  subscribe(request: Readonly<Record<string, unknown>>): Promise<{ snapshot?: unknown; sequence?: number; error?: unknown }> {
    return this.socket.emitWithAck('subscribe', request) as Promise<{ snapshot?: unknown; sequence?: number; error?: unknown }>;
  }

  of(channel: string): ReceivedEvent[] {
    return this.events.filter((event) => event.channel === channel);
  }

  close(): void {
    this.socket.close();
  }
}
