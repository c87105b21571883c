/** A real HTTP server with the Socket.io stream, a real hub for prices, an events table in memory, and real clients. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { systemClock } from '../../../src/domain/clock';
import { DomainError } from '../../../src/domain/errors';
import { OneProcessSeats, type Seats } from '../../../src/domain/seats';
import type { ErrorBody } from '../../../src/schemas/errors';
import { EventTail } from '../../../src/streams/event-tail';
import { startHub, type Hub } from '../../../src/streams/bus/hub';
import { HubBus } from '../../../src/streams/bus/hub-bus';
import { PriceCache } from '../../../src/streams/prices/price-cache';
import type { ChannelEvent, ClientToServerEvents, GapNotice, ResyncNotice, ServerToClientEvents, Subscribed } from '../../../src/streams/socket-events';
import { attachSockets, type Sockets } from '../../../src/streams/sockets';
import type { SocketLimits } from '../../../src/streams/socket-options';
import { until } from './bus-until';
import { EventsTable } from '../../unit/streams/events-table';

export type Answer = Subscribed & ErrorBody;

/** Accounts by their owner; the token of a user is `key-of-<user>`. */
export const OWNERS: Readonly<Record<string, string>> = { a: 'alice', a2: 'alice', b: 'bob' };

export class SocketsHarness {
  readonly table = new EventsTable();
  readonly reports: { kind: string; userId: string }[] = [];
  readonly errors: unknown[] = [];
  readonly revoked = new Set<string>();
  readonly clients: TestClient[] = [];
  seats: Seats = new OneProcessSeats();
  url = '';
  private server: HttpServer | null = null;
  private sockets: Sockets | null = null;
  private hub: Hub | null = null;
  private tail: EventTail | null = null;
  private prices: PriceCache | null = null;
  private port = 0;
  bus!: HubBus;

  async start(limits: Partial<SocketLimits> = {}): Promise<this> {
    const token = randomBytes(24).toString('hex');
    this.hub = await startHub({ token });
    this.bus = new HubBus({ url: this.hub.url, token, clock: systemClock });
    await until('the bus', () => this.bus.healthy());
    await this.startServer(limits);
    return this;
  }

  async startServer(limits: Partial<SocketLimits> = {}): Promise<void> {
    const onError = (error: unknown): void => void this.errors.push(error);
    this.tail = new EventTail({ source: this.table, onError });
    await this.tail.start();
    this.prices = new PriceCache({ bus: this.bus, clock: systemClock });
    this.server = createServer((_request, response) => response.writeHead(404).end());
    const rows = async (accountId: string): Promise<readonly never[]> => [{ head: this.table.headOf(accountId) }] as unknown as readonly never[];
    this.sockets = attachSockets(this.server, {
      authenticate: async (key) => {
        const user = /^key-of-([a-z]+)$/.exec(key)?.[1];
        return user === undefined || this.revoked.has(user) ? null : { userId: user };
      },
      seats: this.seats,
      ownsAccount: async (userId, accountId) => OWNERS[accountId] === userId,
      resolveMarket: async (venue, symbol) => (venue === 'paper' && ['BTC-PERP', 'BTCUSDT', 'ETH-PERP'].includes(symbol) ? { venue, symbol: symbol === 'BTCUSDT' ? 'BTC-PERP' : symbol } : null),
      snapshots: { orders: rows, orderLists: rows, strategies: rows, fills: rows, positions: rows, balances: rows, trades: rows, account: rows, alerts: async () => [], deposits: async (userId) => [{ of: userId }] as unknown as readonly never[] },
      lastStreamAlert: (stream, upTo) => this.table.lastStreamAlert(stream, upTo),
      tail: this.tail,
      prices: this.prices,
      errorBody,
      clock: systemClock,
      onError,
      onReport: (report) => this.reports.push(report),
      limits,
      marketIntervalMs: 5,
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** Clients that the server has now, welcomed or not. */
  get connections(): number {
    return this.sockets?.connections ?? 0;
  }

  async stopServer(): Promise<void> {
    await this.sockets?.close();
    const { server } = this;
    if (server) await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    this.prices?.close();
    await this.tail?.close();
  }

  client(user: string, options: { transports?: string[]; reconnect?: boolean } = {}): TestClient {
    const client = new TestClient(this.url, `key-of-${user}`, options);
    this.clients.push(client);
    return client;
  }

  async connected(user: string, options: { transports?: string[]; reconnect?: boolean } = {}): Promise<TestClient> {
    const client = this.client(user, options);
    await client.connected();
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.socket.close();
    await this.stopServer();
    await this.bus.close();
    await this.hub?.close();
  }
}

function errorBody(error: unknown, requestId: string): ErrorBody {
  const known = error instanceof DomainError ? error : new DomainError('SERVICE_UNAVAILABLE', 'PostgreSQL is away');
  return { error: { code: known.code, message: known.message, details: { ...known.details, advice: known.advice }, timestamp: new Date().toISOString(), request_id: requestId, retryable: known.retryable, outcome: known.outcome } };
}

export class TestClient {
  readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly events: ChannelEvent[] = [];
  readonly gaps: GapNotice[] = [];
  readonly resyncs: ResyncNotice[] = [];
  readonly disconnects: string[] = [];

  constructor(url: string, token: string, { transports = ['websocket'], reconnect = false }: { transports?: string[]; reconnect?: boolean }) {
    this.socket = io(url, { auth: { token }, transports, forceNew: true, reconnection: reconnect, reconnectionDelay: 5, reconnectionDelayMax: 20 });
    this.socket.on('event', (event) => this.events.push(event));
    this.socket.on('gap', (notice) => this.gaps.push(notice));
    this.socket.on('resync', (notice) => this.resyncs.push(notice));
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason));
  }

  /** Rejects with the server's refusal. */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.socket.connected) resolve();
      this.socket.once('connect', resolve);
      this.socket.once('connect_error', reject);
    });
  }

  subscribe(request: Readonly<Record<string, unknown>>): Promise<Answer> {
    return this.socket.emitWithAck('subscribe', request as never) as Promise<Answer>;
  }

  unsubscribe(request: Readonly<Record<string, unknown>>): Promise<Partial<ErrorBody>> {
    return this.socket.emitWithAck('unsubscribe', request as never);
  }

  of(channel: string): ChannelEvent[] {
    return this.events.filter((event) => event.channel === channel);
  }
}
