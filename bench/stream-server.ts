/**
 * One process that serves a stream, ours or bare Socket.io, to be compared: `stream-server.ts ours|bare`. Told over IPC what to send;
 * answers with the processor time it has used, or with its memory. Prices and events come from memory: what is measured is delivery.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { systemClock } from '../src/domain/clock';
import { accountStream, type StreamEvent } from '../src/domain/events';
import type { BusListener } from '../src/streams/bus/bus';
import { EventTail, type EventSource } from '../src/streams/event-tail';
import { PriceCache } from '../src/streams/prices/price-cache';
import { SOCKET_LIMITS } from '../src/streams/socket-options';
import { TOPIC_PREFIXES, TOPICS } from '../src/streams/bus/topics';
import { serveOurs } from './own-streams';

export type StreamCommand = { readonly send: 'price'; readonly n: number } | { readonly send: 'order'; readonly accountId: string; readonly n: number } | { readonly ask: 'cpu' | 'memory' };
export interface StreamUsage {
  readonly cpuMicros: number;
  readonly residentBytes: number;
}

/** Above this the fastest sender of the benchmark is conflated: every tick is to be delivered. */
const MARKET_INTERVAL_MS = 1;
const ticker = (n: number) => ({ venue: 'paper', symbol: 'BTC-PERP', bid: String(50_000 + n), ask: String(50_001 + n), last: String(50_000 + n), mark: String(50_000 + n), at: n });
/** As large as an order's event is. */
const order = { id: '0190a0de-0000-7000-8000-000000000000', clientOrderId: 'bench', accountId: 'a', words: 'x'.repeat(900) };

/** The events table, as far as the tail asks: only how many there are is kept, and rows are made when they are read. */
class Events implements EventSource {
  private readonly counts = new Map<string, number>();
  private notice: (stream: string, sequence: number) => void = () => undefined;

  commit(accountId: string): void {
    const stream = accountStream(accountId);
    const sequence = (this.counts.get(stream) ?? 0) + 1;
    this.counts.set(stream, sequence);
    this.notice(stream, sequence);
  }
  async since(stream: string, sequence: number, limit: number): Promise<readonly StreamEvent[]> {
    return this.page(stream, sequence, limit);
  }
  async sinceMany(positions: readonly { readonly stream: string; readonly sequence: number }[], limitEach: number): Promise<readonly StreamEvent[]> {
    return positions.flatMap(({ stream, sequence }) => this.page(stream, sequence, limitEach));
  }
  private page(stream: string, after: number, limit: number): StreamEvent[] {
    const count = Math.min(limit, (this.counts.get(stream) ?? 0) - after);
    return Array.from({ length: Math.max(0, count) }, (_, index) => {
      const sequence = after + index + 1;
      return { id: `${stream}/${sequence}`, stream, userId: 'u', accountId: stream.slice('account:'.length), sequence, generation: 'g', type: 'order.working', at: new Date().toISOString(), orderId: order.id, data: { order } };
    });
  }
  async heads(streams: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return new Map(streams.map((stream) => [stream, this.counts.get(stream) ?? 0]));
  }
  async generation(): Promise<string> {
    return 'g';
  }
  async listen(onNotice: (stream: string, sequence: number) => void): Promise<{ close(): void }> {
    this.notice = onNotice;
    return { close: () => undefined };
  }
}

interface Sender {
  price(n: number): void;
  order(accountId: string, n: number): void;
}

const server = createServer();
const onError = (error: unknown): never => {
  throw error;
};

async function ours(): Promise<Sender> {
  const listeners = new Map<string, BusListener>();
  const bus = {
    subscribe(prefix: string, listener: BusListener): () => void {
      listeners.set(prefix, listener);
      return () => void listeners.delete(prefix);
    },
  };
  const prices = new PriceCache({ bus, clock: systemClock });
  const events = new Events();
  const tail = new EventTail({ source: events, onError });
  await tail.start();
  serveOurs(server, { tail, prices, marketIntervalMs: MARKET_INTERVAL_MS, onError });
  const topic = TOPICS.price('paper', 'BTC-PERP');
  return {
    price: (n) => listeners.get(TOPIC_PREFIXES.price)?.({ ticker: ticker(n), observedAtMs: Date.now() }, topic),
    order: (accountId) => events.commit(accountId),
  };
}

/** What a Socket.io program without our promises does: rooms, and the same messages. */
function bare(): Sender {
  const io = new Server(server, { serveClient: false, perMessageDeflate: false, httpCompression: false, pingInterval: SOCKET_LIMITS.pingEveryMs, pingTimeout: SOCKET_LIMITS.pingTimeoutMs });
  io.on('connection', (socket) => {
    socket.on('subscribe', (request: { readonly channel: string; readonly accountId?: string }, answer: (value: object) => void) => {
      void socket.join(`${request.channel}/${request.accountId ?? ''}`);
      answer({});
    });
  });
  const at = (): string => new Date().toISOString();
  return {
    price: (n) => void io.to('prices/').emit('event', { channel: 'prices', venue: 'paper', symbol: 'BTC-PERP', sequence: n, previousSequence: n - 1, generation: 'g', at: at(), type: 'price.updated', data: { ...ticker(n), stale: false } }),
    order: (accountId, n) => void io.to(`orders/${accountId}`).emit('event', { channel: 'orders', accountId, sequence: n, previousSequence: n - 1, generation: 'g', at: at(), type: 'order.working', data: { order } }),
  };
}

function usage(): StreamUsage {
  globalThis.gc?.();
  const residentBytes = process.memoryUsage.rss();
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, residentBytes };
}

async function main(): Promise<void> {
  const sender = process.argv[2] === 'ours' ? await ours() : bare();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.on('message', (command: StreamCommand) => {
    if ('ask' in command) {
      if (command.ask === 'cpu') {
        const { user, system } = process.cpuUsage();
        process.send?.({ cpuMicros: user + system, residentBytes: 0 } satisfies StreamUsage);
      } else process.send?.(usage());
    } else if (command.send === 'price') sender.price(command.n);
    else sender.order(command.accountId, command.n);
  });
  process.once('disconnect', () => process.exit(0));
  process.send?.({ port: (server.address() as AddressInfo).port });
}

void main();
