/**
 * `npm run bench:adapter`: two processes that serve order events, ours over the events table and Socket.io with its Redis streams adapter,
 * side by side: the same events, clients and number of processes, real PostgreSQL and Redis, in turns. Both commit each event's row first:
 * REST and whoever resumes read it there. Processor time of everything that takes part, Linux only: read from /proc.
 */
import { createAdapter } from '@socket.io/redis-streams-adapter';
import Redis from 'ioredis';
import { Client } from 'pg';
import { Server } from 'socket.io';
import { EVENT_CHANNEL } from '../src/store/commit-announcer';
import { migrate } from '../src/store/database/migrate';
import { startPostgres, startRedis, type TestServer } from '../test/support/servers';
import { withChildren, type Child } from './child';
import { median, quantile } from './measure';
import { processMs, treeMs } from './processor-time';
import type { StreamUsage } from './stream-server';

type Kind = 'ours' | 'adapter';
const KINDS: readonly Kind[] = ['ours', 'adapter'];
const PROCESSES = 2;
/** Each follows an account of its own, at each process. */
const CLIENTS = 200;
/** Accounts whose events nobody follows at these processes. */
const STRANGERS = 1_000;
const EVENTS = 2_000;
const LATENCIES = 300;
const TURNS = 5;
/** As large as an order's event is. */
const order = { id: '0190a0de-0000-7000-8000-000000000000', clientOrderId: 'bench', words: 'x'.repeat(900) };

interface World {
  readonly kind: Kind;
  readonly servers: readonly Child[];
  readonly load: Child;
  /** Commits one event of an account, and tells of it. */
  publish(accountId: string): Promise<void>;
}

/** µs of processor time an event, by who spent it. */
type Cost = Readonly<Record<'serving' | 'publishing' | 'redis' | 'postgres', number>>;

async function main(): Promise<void> {
  const [postgres, redis] = [await startPostgres(), await startRedis()];
  await migrate(postgres.url);
  const database = new Client({ connectionString: postgres.url });
  await database.connect();
  const sequences = new Map<string, number>();
  const commit = async (accountId: string, tell: boolean): Promise<void> => {
    const stream = `account:${accountId}`;
    const sequence = (sequences.get(stream) ?? 0) + 1;
    sequences.set(stream, sequence);
    const notice = tell ? `, pg_notify('${EVENT_CHANNEL}', $1 || ' ' || $2)` : '';
    await database.query({ name: `commit-${tell}`, text: `WITH e AS (INSERT INTO events(stream, sequence, user_id, account_id, type, at, data) VALUES ($1, $2::text::bigint, 'u', $3, 'order.working', now(), $4::json) RETURNING 1) SELECT 1${notice} FROM e`, values: [stream, String(sequence), accountId, JSON.stringify({ order })] });
  };
  const emitter = new Server();
  const told = new Redis(redis.url);
  emitter.adapter(createAdapter(told));
  const publishers: Readonly<Record<Kind, (accountId: string) => Promise<void>>> = {
    ours: (accountId) => commit(accountId, true),
    adapter: async (accountId) => {
      await commit(accountId, false);
      const sequence = sequences.get(`account:${accountId}`) ?? 0;
      emitter.to(`orders/${accountId}`).emit('event', { channel: 'orders', accountId, sequence, previousSequence: sequence - 1, generation: 'g', at: new Date().toISOString(), type: 'order.working', data: { order } });
    },
  };
  try {
    await withChildren(async (start) => {
      const worlds: World[] = [];
      for (const kind of KINDS) {
        const servers = [await start('adapter-server.ts', kind, postgres.url, redis.url), await start('adapter-server.ts', kind, postgres.url, redis.url)];
        const load = await start('stream-load.ts');
        for (const [index, server] of servers.entries()) await load.ask({ connect: CLIENTS, port: server.first.port ?? 0, subjects: [{ channel: 'orders', accountId: `${kind}-${index}-{client}` }] });
        worlds.push({ kind, servers, load, publish: publishers[kind] });
      }
      await report(worlds, postgres, redis);
    });
  } finally {
    told.disconnect();
    await database.end();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

async function report(worlds: readonly World[], postgres: TestServer, redis: TestServer): Promise<void> {
  const followed = (world: World, n: number): string => `${world.kind}-${n % PROCESSES}-${Math.floor(n / PROCESSES) % CLIENTS}`;
  const cases: readonly { readonly name: string; readonly account: (world: World, n: number) => string; readonly isFollowed: boolean }[] = [
    { name: 'an event that one client follows', account: followed, isFollowed: true },
    { name: 'an event that nobody follows', account: (world, n) => `${world.kind}-stranger-${n % STRANGERS}`, isFollowed: false },
  ];
  for (const { name, account, isFollowed } of cases) {
    const costs: Record<Kind, Cost[]> = { ours: [], adapter: [] };
    for (let turn = 0; turn <= TURNS; turn += 1) {
      for (const world of turn % 2 === 0 ? worlds : [...worlds].reverse()) {
        const cost = await turnOf(world, (n) => account(world, n), isFollowed, postgres, redis);
        // The first turn of each warms it up.
        if (turn > 0) costs[world.kind].push(cost);
      }
    }
    for (const kind of KINDS) process.stdout.write(`${name}, ${kind}: ${(['serving', 'publishing', 'redis', 'postgres'] as const).map((who) => `${who} ${median(costs[kind].map((cost) => cost[who])).toFixed(1)}`).join(', ')}, all ${median(costs[kind].map(total)).toFixed(1)} µs an event (${costs[kind].map((cost) => total(cost).toFixed(0)).join(', ')})\n`);
  }
  for (const world of worlds) {
    const latenciesMs: number[] = [];
    for (let n = 0; n < LATENCIES; n += 1) {
      const beganMs = performance.now();
      await world.publish(followed(world, n));
      await world.load.ask({ until: 1 });
      latenciesMs.push(performance.now() - beganMs);
    }
    process.stdout.write(`from before the commit to a client, ${world.kind}: p50 ${median(latenciesMs).toFixed(1)} ms, p99 ${quantile(latenciesMs, 0.99).toFixed(1)} ms\n`);
  }
}

const total = (cost: Cost): number => cost.serving + cost.publishing + cost.redis + cost.postgres;

async function turnOf(world: World, account: (n: number) => string, isFollowed: boolean, postgres: TestServer, redis: TestServer): Promise<Cost> {
  const used = async (): Promise<Cost> => {
    const servers = await Promise.all(world.servers.map((server) => server.ask<StreamUsage>({ ask: 'cpu' })));
    const { user, system } = process.cpuUsage();
    return { serving: servers.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0), publishing: user + system, redis: processMs(redis.pid) * 1_000, postgres: treeMs(postgres.pid) * 1_000 };
  };
  const before = await used();
  for (let n = 0; n < EVENTS; n += 1) await world.publish(account(n));
  if (isFollowed) await world.load.ask({ until: EVENTS });
  else {
    // One that is followed, at each process, comes after all that nobody follows.
    for (let at = 0; at < PROCESSES; at += 1) await world.publish(`${world.kind}-${at}-0`);
    await world.load.ask({ until: PROCESSES });
  }
  const after = await used();
  const each = (who: keyof Cost): number => (after[who] - before[who]) / EVENTS;
  return { serving: each('serving'), publishing: each('publishing'), redis: each('redis'), postgres: each('postgres') };
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
