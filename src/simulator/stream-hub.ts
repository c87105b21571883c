/** The private and public channels: who listens, what is sent, and the faults that meet a frame on its way. */
import type { WebSocket } from 'ws';
import type { Fault, Faults } from './faults';

/** A client this far behind is cut off: it will see a gap and ask, which is better than unbounded memory here. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** One connected client. */
export interface StreamClient {
  readonly socket: WebSocket;
  account: string | null;
  keyHash: string | null;
  readonly topics: Set<string>;
}

export class StreamHub {
  private readonly clients = new Set<StreamClient>();
  private readonly topics = new Map<string, Set<StreamClient>>();
  private readonly reordered = new Map<Fault, (() => void)[]>();
  /** Real time until which new connections are refused. */
  refusingUntil = 0;

  constructor(
    private readonly faults: Faults,
    private readonly realNow: () => number,
  ) {}

  add(socket: WebSocket): StreamClient {
    const client: StreamClient = { socket, account: null, keyHash: null, topics: new Set() };
    this.clients.add(client);
    return client;
  }

  remove(client: StreamClient): void {
    this.clients.delete(client);
    for (const topic of client.topics) this.topics.get(topic)?.delete(client);
  }

  subscribe(client: StreamClient, topic: string): void {
    client.topics.add(topic);
    const listeners = this.topics.get(topic) ?? new Set();
    listeners.add(client);
    this.topics.set(topic, listeners);
  }

  unsubscribe(client: StreamClient, topic: string): void {
    client.topics.delete(topic);
    this.topics.get(topic)?.delete(client);
  }

  hasListeners(topic: string): boolean {
    return (this.topics.get(topic)?.size ?? 0) > 0;
  }

  /** Sends one message to all listeners of a topic. `channel` and `account` are what stream faults match on. */
  publish(topic: string, channel: string, account: string | null, text: string): void {
    for (const client of this.topics.get(topic) ?? []) this.sendFrame(client, channel, account, text);
  }

  /** A direct reply (acknowledgement, pong): stream faults do not touch it. */
  reply(client: StreamClient, message: unknown): void {
    this.write(client, JSON.stringify(message));
  }

  /** The first picture of a channel, sent with its acknowledgement: stream faults do not touch it. */
  sendSnapshot(client: StreamClient, text: string): void {
    this.write(client, text);
  }

  /** One channel message to one client, through the stream faults. */
  sendFrame(client: StreamClient, channel: string, account: string | null, text: string): void {
    const fault = this.faults.forFrame(account, channel);
    if (fault === null) {
      this.write(client, text);
      return;
    }
    if (fault.kind === 'reorderMessages') {
      this.reorder(fault, () => this.write(client, text));
      return;
    }
    if (fault.kind === 'stallStream') {
      // Frames of its duration are lost, not late.
      this.faults.hit(fault);
      return;
    }
    this.faults.use(fault);
    this.faults.hit(fault);
    if (fault.kind === 'duplicateMessages') {
      this.write(client, text);
      this.write(client, text);
    }
  }

  /** Cuts the connections of an account (or all), as a venue that restarts its gateway would. */
  closeStreams(account: string | undefined, code: number, reason: string): number {
    let closed = 0;
    for (const client of [...this.clients]) {
      if (account !== undefined && client.account !== account) continue;
      client.socket.close(code, reason);
      closed += 1;
    }
    return closed;
  }

  closeKey(keyHash: string, code: number, reason: string): void {
    for (const client of [...this.clients]) if (client.keyHash === keyHash) client.socket.close(code, reason);
  }

  /** Drops every connection at once. */
  terminateAll(): void {
    for (const client of [...this.clients]) client.socket.terminate();
  }

  refuses(): boolean {
    return this.realNow() < this.refusingUntil;
  }

  /** Gives out, still in reverse, what a reorder fault holds when it is disarmed before its count was reached. */
  releaseReordered(fault: Fault): void {
    const frames = this.reordered.get(fault) ?? [];
    this.reordered.delete(fault);
    for (const send of frames.reverse()) send();
  }

  private reorder(fault: Fault, send: () => void): void {
    const frames = this.reordered.get(fault) ?? [];
    frames.push(send);
    this.reordered.set(fault, frames);
    this.faults.use(fault);
    this.faults.hit(fault);
    if (fault.left > 0) return;
    this.reordered.delete(fault);
    for (const late of frames.reverse()) late();
  }

  private write(client: StreamClient, text: string): void {
    if (client.socket.readyState !== client.socket.OPEN) return;
    if (client.socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      client.socket.terminate();
      return;
    }
    client.socket.send(text);
  }
}
