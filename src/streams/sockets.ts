/** The Socket.io stream: who may listen, to what, and how much of it. The channels themselves are beside it. */
import { randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { Server, type DefaultEventsMap, type ExtendedError, type Socket } from 'socket.io';
import { DomainError } from '../domain/errors';
import type { ErrorBody } from '../schemas/errors';
import { handshakeAuthSchema } from '../schemas/socket';
import { MarketFeed } from './prices/market-feed';
import { SocketOutgoing } from './outgoing';
import type { ClientToServerEvents, ServerToClientEvents } from './socket-events';
import { SOCKET_LIMITS, type SocketLimits, type SocketOptions } from './socket-options';
import { SocketSession } from './socket-session';

interface SocketData {
  userId: string;
  token: string;
}
type StreamSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;

export interface Sockets {
  /** Clients that are connected now. */
  readonly connections: number;
  /** Disconnects all clients; the HTTP server is its owner's to close. */
  close(): Promise<void>;
}

/** Serves the stream under /socket.io on the given server. */
export function attachSockets(server: HttpServer, options: SocketOptions): Sockets {
  return new SocketServer(server, options);
}

class SocketServer implements Sockets {
  private readonly io: Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, SocketData>;
  private readonly limits: SocketLimits;
  private readonly markets: MarketFeed;
  private readonly authTimer: NodeJS.Timeout;
  private closing = false;

  constructor(
    server: HttpServer,
    private readonly options: SocketOptions,
  ) {
    this.limits = { ...SOCKET_LIMITS, ...options.limits };
    this.markets = new MarketFeed(options.prices, options.clock, options.marketIntervalMs);
    this.io = new Server(server, {
      serveClient: false,
      cors: { origin: [...(options.corsOrigins ?? [])], methods: ['GET', 'POST'] },
      // Twelve times the memory and five times the CPU.
      perMessageDeflate: false,
      httpCompression: false,
      maxHttpBufferSize: this.limits.maxMessageBytes,
      pingInterval: this.limits.pingEveryMs,
      pingTimeout: this.limits.pingTimeoutMs,
      connectTimeout: this.limits.connectTimeoutMs,
      allowRequest: (_request, answer) => answer(this.closing ? 'the service is stopping' : null, !this.closing),
    });
    this.io.use((socket, next) => void this.admit(socket, next));
    this.io.on('connection', (socket) => this.welcome(socket));
    this.authTimer = setInterval(() => void this.reauthenticate(), this.limits.reauthenticateMs);
  }

  get connections(): number {
    return this.io.engine.clientsCount;
  }

  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.authTimer);
    this.markets.close();
    const sockets = [...this.io.of('/').sockets.values()];
    const gone = sockets.map((socket) => new Promise<void>((resolve) => socket.once('disconnect', () => resolve())));
    // Not an orderly disconnect, after which clients stay away: they come back to the next process and resume.
    this.io.engine.close();
    await Promise.all(gone);
  }

  private async admit(socket: StreamSocket, next: (error?: ExtendedError) => void): Promise<void> {
    try {
      const auth = handshakeAuthSchema.safeParse(socket.handshake.auth);
      const user = auth.success ? await this.options.authenticate(auth.data.token) : null;
      if (!auth.success || user === null) throw new DomainError('UNAUTHENTICATED', 'send a valid API key as auth: {token}');
      await this.seat(socket, user.userId);
      socket.data.userId = user.userId;
      socket.data.token = auth.data.token;
      next();
    } catch (error) {
      const body = this.bodyOf(error);
      // A failure of ours: a refusal would make the client stay away, a lost connection makes it try again.
      if (!(error instanceof DomainError) || error.code === 'SERVICE_UNAVAILABLE') socket.conn.close(true);
      next(Object.assign(new Error(body.error.message), { data: body }));
    }
  }

  /** Holds until the socket is gone, also where it is gone before it was welcomed. Throws RATE_LIMITED. */
  private async seat(socket: StreamSocket, userId: string): Promise<void> {
    const { socketsPerUser: max } = this.limits;
    const seat = { scope: `sockets/${userId}`, name: socket.id };
    if (!(await this.options.seats.take({ ...seat, max }))) throw new DomainError('RATE_LIMITED', `at most ${max} sockets per user; close others first`);
    const giveBack = (): void => {
      socket.conn.off('close', giveBack);
      this.options.seats.giveBack(seat);
    };
    socket.once('disconnect', giveBack);
    socket.conn.once('close', giveBack);
    if (socket.conn.readyState !== 'open') giveBack();
  }

  private welcome(socket: StreamSocket): void {
    const { userId } = socket.data;
    const onSlow = (reason: string): void => this.options.onReport?.({ kind: 'slowClient', userId, reason });
    const session = new SocketSession(userId, new SocketOutgoing(socket, onSlow, this.limits.maxUnsentBytes), this.options, this.limits, this.markets);
    /** Answers, then goes on in the same turn: what comes next comes after the answer. */
    const reply = <T>(handled: Promise<T>, answer: unknown, view: (value: T) => object, after: (value: T) => void): void => {
      const send = typeof answer === 'function' ? (answer as (value: object) => void) : (): void => undefined;
      const done = handled.then(
        (value) => {
          send(view(value));
          after(value);
        },
        (error: unknown) => send(this.bodyOf(error)),
      );
      done.catch((error: unknown) => this.options.onError(error));
    };
    socket.on('subscribe', (request: unknown, answer: unknown) => reply(session.subscribe(request), answer, ({ subscribed }) => subscribed, ({ start }) => start()));
    socket.on('unsubscribe', (request: unknown, answer: unknown) => reply(session.unsubscribe(request), answer, () => ({}), () => undefined));
    socket.on('disconnect', () => session.close());
  }

  private async reauthenticate(): Promise<void> {
    const sockets = [...this.io.of('/').sockets.values()];
    const valid = new Map<string, boolean>();
    for (const socket of sockets) {
      const { token, userId } = socket.data;
      try {
        if (!valid.has(token)) valid.set(token, (await this.options.authenticate(token))?.userId === userId);
        if (valid.get(token)) continue;
        this.options.onReport?.({ kind: 'revoked', userId, reason: 'its API key is no longer valid' });
        socket.disconnect(true);
      } catch (error) {
        // The store is away: nothing new is read either, and the next round asks again.
        this.options.onError(error);
        return;
      }
    }
  }

  private bodyOf(error: unknown): ErrorBody {
    if (!(error instanceof DomainError)) this.options.onError(error);
    return this.options.errorBody(error, randomUUID());
  }
}
