/**
 * One of several processes that serve the order events of a database: `adapter-server.ts ours|adapter <database> <redis>`. Ours follows the
 * events table; with the adapter it is Socket.io with rooms, told by whoever commits through Redis. Told over IPC; answers with its
 * processor time.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import Redis from 'ioredis';
import { Server } from 'socket.io';
import { systemClock } from '../src/domain/clock';
import { openStore } from '../src/store';
import { environmentKeyProvider } from '../src/store/keys/local-key-provider';
import { EventTail } from '../src/streams/event-tail';
import { PriceCache } from '../src/streams/prices/price-cache';
import { SOCKET_LIMITS } from '../src/streams/socket-options';
import { serveOurs } from './own-streams';

const [, , kind, databaseUrl = '', redisUrl = ''] = process.argv;
const server = createServer();
const onError = (error: unknown): never => {
  throw error;
};

async function ours(): Promise<void> {
  const store = await openStore({
    databaseUrl, poolSize: 4, statementTimeoutMs: 5_000, lockTimeoutMs: 500, keyProvider: environmentKeyProvider([Buffer.alloc(32, 1)]), clock: systemClock,
    venues: new Map(), markOf: () => null, quoteOf: () => null, log: { warn: onError, info: () => undefined }, onAuditHead: () => undefined,
  });
  const tail = new EventTail({ source: store.events, onError });
  await tail.start();
  serveOurs(server, { tail, prices: new PriceCache({ bus: { subscribe: () => () => undefined }, clock: systemClock }), marketIntervalMs: 100, onError });
}

/** Rooms by account, as Socket.io's documents show them. */
function withAdapter(): void {
  const io = new Server(server, { serveClient: false, perMessageDeflate: false, httpCompression: false, pingInterval: SOCKET_LIMITS.pingEveryMs, pingTimeout: SOCKET_LIMITS.pingTimeoutMs, adapter: createAdapter(new Redis(redisUrl)) });
  io.on('connection', (socket) => {
    socket.on('subscribe', ({ channel, accountId }: { readonly channel: string; readonly accountId: string }, answer: (value: object) => void) => {
      void Promise.resolve(socket.join(`${channel}/${accountId}`)).then(() => answer({}));
    });
  });
}

async function main(): Promise<void> {
  if (kind === 'ours') await ours();
  else withAdapter();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicros: user + system });
  });
  process.once('disconnect', () => process.exit(0));
  process.send?.({ port: (server.address() as AddressInfo).port });
}

void main();
