/**
 * A WebSocket that reconnects by itself, for every venue: opens, authenticates, subscribes, keeps itself alive with pings,
 * finds gaps by sequence, and after each reconnect tells its holder that something may have been missed. What frames
 * mean is the venue's dialect. The first reconnect waits for no timer.
 */
import WebSocket from 'ws';
import type { VenueStream } from '../domain/venue';
import { VenueRefused, VenueUnavailable } from '../domain/venue-errors';
import { backOffMs, RECONNECT_BACK_OFF, type BackOffRule, type Random } from './back-off';

/** A frame as its dialect reads it. `channel` is the dialect's own name for a sequence of messages. */
export type SocketFrame<T> =
  | { readonly kind: 'authenticated' }
  /** The venue does not let us in, and asking again will not change that. */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  | { readonly kind: 'subscribed'; readonly channel: string; readonly sequence: number | null }
  | { readonly kind: 'message'; readonly channel: string; readonly sequence: number | null; readonly previousSequence: number | null; readonly snapshot: boolean; readonly messages: readonly T[] }
  | { readonly kind: 'ignored' };

export interface SocketDialect<T> {
  /** Sent first; null where the stream is public. Made anew for each connection, because some venues sign a time. */
  authentication(): string | null;
  readonly subscriptions: readonly { readonly channel: string; readonly frame: string }[];
  /** Null: the protocol's own ping frames are enough. */
  ping(): string | null;
  /** Throws on a frame it cannot read: the connection is then given up and a gap told. */
  read(frame: string): SocketFrame<T>;
  /** What the holder is told where messages may be missing. `missingForMs`: how long ago the last was heard before those. */
  gap(reason: string, missingForMs: number): T;
  /** What the holder is told when the venue refuses us for good; null tells nothing. */
  refused(code: string): T | null;
  readonly policy: (channel: string) => ChannelPolicy;
}

/**
 * What a message that is not the next one means on a channel:
 * - facts: one older than the last is still a fact and is passed on (account events, trades);
 * - latest: only the newest counts, older ones are dropped (tickers);
 * - differences: they build on a snapshot, so after a gap nothing is passed on until a new snapshot came (books).
 */
export type ChannelPolicy = 'facts' | 'latest' | 'differences';

export interface SocketRule {
  readonly handshakeTimeoutMs: number;
  /** A ping each so often; nothing heard for two of them: the connection is dead. */
  readonly pingEveryMs: number;
  readonly backOff: BackOffRule;
  /** A connection that stood so long is a good one: the next loss reconnects at once again. */
  readonly stableAfterMs: number;
  readonly maxFrameBytes: number;
}

export const DEFAULT_SOCKET_RULE: SocketRule = {
  handshakeTimeoutMs: 5_000,
  pingEveryMs: 5_000,
  backOff: RECONNECT_BACK_OFF,
  stableAfterMs: 1_000,
  // A full book of 500 levels a side is about 50 KB.
  maxFrameBytes: 4 * 1024 * 1024,
};

/** What the operator's log is told; secrets never. */
export type SocketEvent = { readonly kind: 'open' | 'closed' | 'gap' | 'failed'; readonly venue: string; readonly reason: string };

export interface SocketOptions<T> {
  readonly venue: string;
  readonly url: string;
  readonly dialect: SocketDialect<T>;
  readonly onMessage: (message: T) => void;
  readonly onEvent?: (event: SocketEvent) => void;
  readonly rule?: Partial<SocketRule>;
  readonly random?: Random;
}

export class VenueSocket<T> implements VenueStream {
  readonly ready: Promise<void>;
  private readonly rule: SocketRule;
  private readonly settleReady: { resolve: () => void; reject: (error: Error) => void };
  private everReady = false;
  private closed = false;
  private failures = 0;
  private socket: WebSocket | null = null;
  private heardAt = 0;
  /** When something was heard last of the connection that was lost; null: none was, or its gap is told. */
  private lostSince: number | null = null;
  private readonly channelHeardAt = new Map<string, number>();
  private readyAt: number | null = null;
  private readonly pending = new Set<string>();
  private readonly last = new Map<string, number>();
  private readonly awaitingSnapshot = new Set<string>();
  private handshakeTimer: NodeJS.Timeout | null = null;
  private pingTimer: NodeJS.Timeout | null = null;
  private reconnectTimer: NodeJS.Timeout | null = null;

  constructor(private readonly options: SocketOptions<T>) {
    this.rule = { ...DEFAULT_SOCKET_RULE, ...options.rule };
    const { promise, resolve, reject } = deferred();
    this.ready = promise;
    this.settleReady = { resolve, reject };
    // A holder that does not wait for `ready` hears of a refusal through its messages; it must not end the process.
    promise.catch(() => undefined);
    this.connect();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.reconnectTimer) clearTimeout(this.reconnectTimer);
    this.settleReady.reject(new VenueUnavailable(this.options.venue, `${this.options.venue}: the stream was closed`, 'canceled'));
    this.drop('closed by its holder');
  }

  private connect(): void {
    this.readyAt = null;
    this.pending.clear();
    this.last.clear();
    this.channelHeardAt.clear();
    this.awaitingSnapshot.clear();
    // perMessageDeflate costs twelve times the memory and five times the CPU.
    const socket = new WebSocket(this.options.url, { perMessageDeflate: false, maxPayload: this.rule.maxFrameBytes, followRedirects: false });
    this.socket = socket;
    this.handshakeTimer = setTimeout(() => this.drop('the handshake took too long'), this.rule.handshakeTimeoutMs);
    socket.on('open', () => this.opened());
    socket.on('message', (data: Buffer) => {
      // Frames already read from a socket we gave up belong to nobody.
      if (this.socket === socket) this.guard(() => this.heard(data.toString()));
    });
    socket.on('pong', () => this.noteHeard());
    // `close` always follows, and does the work.
    socket.on('error', (error) => this.report('failed', error.message));
    socket.on('close', (code) => this.lost(socket, `closed with code ${code}`));
  }

  private opened(): void {
    this.noteHeard();
    this.pingTimer = setInterval(() => this.keepAlive(), this.rule.pingEveryMs);
    const authentication = this.options.dialect.authentication();
    if (authentication === null) this.subscribeAll();
    else this.write(authentication);
  }

  private subscribeAll(): void {
    const { subscriptions } = this.options.dialect;
    for (const { channel } of subscriptions) this.pending.add(channel);
    for (const { frame } of subscriptions) this.write(frame);
    if (subscriptions.length === 0) this.becameReady();
  }

  private heard(text: string): void {
    const frame = this.options.dialect.read(text);
    if (frame.kind === 'authenticated') this.subscribeAll();
    else if (frame.kind === 'refused') this.refuse(frame.code, frame.reason);
    else if (frame.kind === 'subscribed') this.subscribed(frame.channel, frame.sequence);
    else if (frame.kind === 'message') this.message(frame);
    // What the holder could not take was not heard.
    this.noteHeard();
  }

  private subscribed(channel: string, sequence: number | null): void {
    if (sequence !== null) this.last.set(channel, sequence);
    if (this.pending.delete(channel) && this.pending.size === 0 && this.readyAt === null) this.becameReady();
  }

  private becameReady(): void {
    if (this.handshakeTimer) clearTimeout(this.handshakeTimer);
    this.readyAt = performance.now();
    this.report('open', 'every subscription was acknowledged');
    // Subscribed first, then told: what the holder reads now overlaps with what the stream brings.
    if (this.everReady) this.tellGap('reconnected', this.lostSince ?? this.heardAt);
    this.lostSince = null;
    this.everReady = true;
    this.settleReady.resolve();
  }

  private message(frame: Extract<SocketFrame<T>, { kind: 'message' }>): void {
    const { channel, sequence } = frame;
    if (frame.snapshot) this.awaitingSnapshot.delete(channel);
    else if (this.awaitingSnapshot.has(channel) || !this.inSequence(frame)) return;
    if (sequence !== null) this.last.set(channel, frame.snapshot ? sequence : Math.max(sequence, this.last.get(channel) ?? sequence));
    this.channelHeardAt.set(channel, performance.now());
    for (const message of frame.messages) this.options.onMessage(message);
  }

  /** Whether the message is to be passed on; tells a gap where one shows. */
  private inSequence(frame: Extract<SocketFrame<T>, { kind: 'message' }>): boolean {
    const { channel, sequence, previousSequence } = frame;
    const policy = this.options.dialect.policy(channel);
    const last = this.last.get(channel);
    if (sequence === null || last === undefined) return true;
    // A ticker with the acknowledgement's own sequence is the first picture of the channel.
    if (sequence <= last) return policy === 'facts' || (policy === 'latest' && sequence === last);
    if (previousSequence === null || previousSequence === last) return true;
    this.tellGap(`${channel}: after ${last} came ${sequence}, which follows ${previousSequence}`, this.channelHeardAt.get(channel) ?? this.readyAt ?? this.heardAt);
    if (policy !== 'differences') return true;
    this.awaitingSnapshot.add(channel);
    this.subscribeAgain(channel);
    return false;
  }

  private subscribeAgain(channel: string): void {
    const subscription = this.options.dialect.subscriptions.find((candidate) => candidate.channel === channel);
    if (subscription) this.write(subscription.frame);
  }

  private refuse(code: string, reason: string): void {
    const { venue, dialect, onMessage } = this.options;
    this.closed = true;
    this.settleReady.reject(new VenueRefused(venue, 'unauthorized', code, `${venue} refused the stream: ${reason}`));
    this.drop(`refused: ${code}`);
    const message = dialect.refused(code);
    if (message !== null) onMessage(message);
  }

  private keepAlive(): void {
    if (performance.now() - this.heardAt > 2 * this.rule.pingEveryMs) {
      this.drop('nothing heard for two pings');
      return;
    }
    const frame = this.options.dialect.ping();
    if (frame === null) this.socket?.ping();
    else this.write(frame);
  }

  /** A failure of the dialect or of the holder: what it missed is told by the gap that follows the reconnect. */
  private guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.report('failed', error instanceof Error ? error.message : String(error));
      this.drop('a message could not be handled');
    }
  }

  private drop(reason: string): void {
    const { socket } = this;
    if (!socket) return;
    // Terminate first: `close` waits for a peer that may be gone.
    socket.terminate();
    this.lost(socket, reason);
  }

  private lost(socket: WebSocket, reason: string): void {
    if (this.socket !== socket) return;
    this.socket = null;
    if (this.readyAt !== null) this.lostSince ??= this.heardAt;
    if (this.handshakeTimer) clearTimeout(this.handshakeTimer);
    if (this.pingTimer) clearInterval(this.pingTimer);
    this.report('closed', reason);
    if (this.closed) return;
    const stable = this.readyAt !== null && performance.now() - this.readyAt >= this.rule.stableAfterMs;
    const attempt = stable ? 0 : this.failures;
    this.failures = attempt + 1;
    if (attempt === 0) this.connect();
    else this.reconnectTimer = setTimeout(() => this.connect(), backOffMs(this.rule.backOff, attempt - 1, this.options.random));
  }

  private write(frame: string): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(frame);
  }

  private tellGap(reason: string, heardAt: number): void {
    this.report('gap', reason);
    this.options.onMessage(this.options.dialect.gap(reason, performance.now() - heardAt));
  }

  private noteHeard(): void {
    this.heardAt = performance.now();
  }

  private report(kind: SocketEvent['kind'], reason: string): void {
    this.options.onEvent?.({ kind, venue: this.options.venue, reason });
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
