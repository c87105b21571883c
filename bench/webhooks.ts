/**
 * `npm run bench:webhooks`: deliveries to local endpoints of which one in ten fails, by the rounds of the worker over a real PostgreSQL, against
 * a bare loop of fetch with the same signing; what a waiting delivery costs; and what 10,000 that wait for a dead endpoint cost the healthy.
 * Temporal is not in it: it holds one timer for each endpoint, however many wait.
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client } from 'pg';
import { deliverRound } from '../src/activities/webhook-deliverer';
import { WebhookNews } from '../src/activities/webhook-news';
import { AddressGuard, networkOf } from '../src/delivery/address-guard';
import { GuardedClient } from '../src/delivery/guarded-client';
import { newWebhookSecret, signedHeaders } from '../src/delivery/signature';
import { systemClock } from '../src/domain/clock';
import type { Store } from '../src/store';
import { openStoreWorld, type StoreWorld } from '../test/contract/store/harness';
import { measure, median, quantile } from './measure';
import type { TargetReport } from './webhook-target';

const FLAKY_ENDPOINTS = 4;
/** Of each endpoint and turn. */
const EVENTS = 500;
const TURNS = 5;
/** As many as one endpoint has under way, times the endpoints. */
const CONCURRENCY = 32 * FLAKY_ENDPOINTS;
const WAITING = 10_000;
const PACED_TURNS = 3;
const PACED_EVENTS = 400;
const PACED_EVERY_MS = 20;
const ACTOR = 'key:bench';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Target {
  readonly url: string;
  report(): Promise<TargetReport>;
  stop(): void;
}

async function startTarget(): Promise<Target> {
  const child = fork(path.join(__dirname, 'webhook-target.ts'), [], { execArgv: ['-r', path.resolve(__dirname, '..', 'scripts', 'typescript.js')], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const next = <Answer>(): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`the receiver ended with ${code}`));
      child.once('exit', onExit);
      child.once('message', (message) => {
        child.off('exit', onExit);
        resolve(message as Answer);
      });
    });
  const { port } = await next<{ port: number }>();
  return {
    url: `http://127.0.0.1:${port}`,
    report: () => {
      const answer = next<TargetReport>();
      child.send('report');
      return answer;
    },
    stop: () => child.disconnect(),
  };
}

class Bench {
  private readonly client = new GuardedClient({ guard: new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null)), allowHttp: true });
  private readonly over = new AbortController();

  constructor(
    private readonly world: StoreWorld,
    private readonly store: Store,
    private readonly sql: Client,
    private readonly target: Target,
  ) {}

  /** The rounds of the worker, with or without the hints that wake them. */
  async round(endpointId: string, news?: WebhookNews): Promise<{ readonly waitMs: number; readonly state: string }> {
    const never = (_id: string, signal: AbortSignal): Promise<boolean> => new Promise((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }));
    const awaitNews = news === undefined ? never : (id: string, signal: AbortSignal): Promise<boolean> => news.awaitNews(id, signal);
    return deliverRound({ clock: systemClock, outbox: this.store.webhookOutbox, client: this.client, secretsOf: (id) => this.store.webhooks.secretsOf(id), awaitNews, leaving: this.over.signal, ...(news === undefined ? { lingerMs: 0 } : {}) }, endpointId, this.over.signal);
  }

  async endpoint(accountId: string, url: string): Promise<string> {
    return (await this.store.webhooks.create({ userId: this.world.userId, url, description: '', eventTypes: ['*'], accountIds: [accountId], rateLimit: null, ordering: 'perKey', secret: newWebhookSecret() }, ACTOR)).id;
  }

  /** Committed events of an order each, about as large as an order's. */
  async commit(accountId: string, count: number): Promise<void> {
    const stream = `account:${accountId}`;
    const data = { madeAtMs: performance.timeOrigin + performance.now(), order: { note: 'x'.repeat(1_200) } };
    await this.sql.query('BEGIN');
    const { rows } = await this.sql.query<{ head: number }>('UPDATE accounts SET event_sequence = event_sequence + $2 WHERE id = $1 RETURNING (event_sequence - $2)::float8 AS head', [accountId, count]);
    await this.sql.query(
      `INSERT INTO events(stream, sequence, user_id, account_id, type, at, order_id, data) SELECT $1, $2::bigint + n, $3, $4, 'order.working', now(), gen_random_uuid()::text, $5::json FROM generate_series(1, $6::int) AS n`,
      [stream, rows[0]?.head ?? 0, this.world.userId, accountId, JSON.stringify(data), count],
    );
    await this.sql.query('SELECT pg_notify($1, $2)', ['surefill_events', `${stream} ${(rows[0]?.head ?? 0) + count}`]);
    await this.sql.query('COMMIT');
  }

  /** Deliveries a second, ours and bare, in turns. */
  async throughput(): Promise<void> {
    const account = (await this.world.newAccount()).id;
    const endpoints = await Promise.all(Array.from({ length: FLAKY_ENDPOINTS }, () => this.endpoint(account, `${this.target.url}/flaky`)));
    const rates = { ours: [] as number[], bare: [] as number[] };
    for (let turn = 0; turn <= TURNS; turn += 1) {
      await this.commit(account, EVENTS);
      await this.target.report();
      const startedMs = performance.now();
      await Promise.all(endpoints.map((id) => this.round(id)));
      const ours = (performance.now() - startedMs) / 1_000;
      const delivered = (await this.target.report()).accepted;
      const { elapsedMs } = await this.bare(EVENTS * FLAKY_ENDPOINTS);
      const bare = (await this.target.report()).accepted;
      // The first turn of each warms up.
      if (turn > 0) {
        rates.ours.push(delivered / ours);
        rates.bare.push(bare / (elapsedMs / 1_000));
      }
    }
    say(`deliveries a second, one in ten failing: ours ${median(rates.ours).toFixed(0)} (${rates.ours.map((rate) => rate.toFixed(0)).join(', ')}), bare fetch ${median(rates.bare).toFixed(0)} (${rates.bare.map((rate) => rate.toFixed(0)).join(', ')}): ${(median(rates.ours) / median(rates.bare)).toFixed(2)} of it`);
    for (const id of endpoints) await this.store.webhooks.remove(id, this.world.userId, ACTOR);
  }

  /** As many failures are sent again, as ours are later. */
  private bare(count: number): ReturnType<typeof measure> {
    const secrets = [newWebhookSecret()];
    const body = JSON.stringify({ type: 'order.working', timestamp: new Date().toISOString(), data: { order: { note: 'x'.repeat(1_200) } } });
    return measure(
      async () => {
        const answer = await fetch(`${this.target.url}/flaky`, { method: 'POST', headers: signedHeaders({ id: `msg_${randomUUID()}`, eventType: 'order.working', body, atMs: Date.now(), secrets }), body });
        await answer.text();
      },
      count,
      CONCURRENCY,
    );
  }

  /** Memory and disk of a waiting delivery, and the p99 of a healthy endpoint with and without them. */
  async isolation(): Promise<void> {
    const crowded = (await this.world.newAccount()).id;
    const dead = await this.endpoint(crowded, `${this.target.url}/dead`);
    const [heapBefore, diskBefore] = [heapBytes(), await this.diskBytes()];
    await this.commit(crowded, WAITING);
    while ((await this.store.webhookOutbox.fanOut(dead)).more);
    const { waiting } = await this.store.webhooks.get(dead, this.world.userId);
    say(`${waiting} deliveries wait for a dead endpoint: ${((heapBytes() - heapBefore) / 1_024).toFixed(0)} KiB more heap for all of them, ${((await this.diskBytes() - diskBefore) / waiting).toFixed(0)} bytes of disk with their body`);
    await this.store.webhooks.change(dead, this.world.userId, { enabled: false }, ACTOR);

    const account = (await this.world.newAccount()).id;
    const healthy = await this.endpoint(account, `${this.target.url}/healthy`);
    const woken = new Map<string, () => void>();
    const news = new WebhookNews({
      listen: (onNotice) => this.store.events.listen(onNotice),
      concernedBy: (streams) => this.store.webhooks.concernedBy(streams),
      active: () => this.store.webhooks.active(),
      hint: async (id) => woken.get(id)?.(),
      onTrouble: (error) => { throw error; },
    });
    await news.start();
    const workflows = [healthy, dead].map((id) => this.workflow(id, news, woken));
    const p99: Record<'without' | 'with', number[]> = { without: [], with: [] };
    const p50: Record<'without' | 'with', number[]> = { without: [], with: [] };
    for (let turn = 0; turn <= PACED_TURNS; turn += 1) {
      for (const kind of turn % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)) {
        if (kind === 'with') await this.store.webhooks.enable(dead, this.world.userId, { skipMissed: false }, ACTOR);
        woken.get(dead)?.();
        await this.target.report();
        for (let n = 0; n < PACED_EVENTS; n += 1) {
          await this.commit(account, 1);
          await delay(PACED_EVERY_MS);
        }
        const latencies: number[] = [];
        while (latencies.length < PACED_EVENTS) {
          latencies.push(...(await this.target.report()).latenciesMs);
          await delay(PACED_EVERY_MS);
        }
        if (turn > 0) {
          p99[kind].push(quantile(latencies, 0.99));
          p50[kind].push(median(latencies));
        }
        await this.store.webhooks.change(dead, this.world.userId, { enabled: false }, ACTOR);
      }
    }
    const shown = (values: readonly number[]): string => `${median(values).toFixed(0)} ms (${values.map((value) => value.toFixed(0)).join(', ')})`;
    say(`from commit to the healthy receiver, p50 without ${shown(p50.without)}, with ${shown(p50.with)}; p99 without ${shown(p99.without)}, with ${shown(p99.with)}: ${(median(p99.with) / median(p99.without)).toFixed(2)} times`);
    const { rows } = await this.sql.query<{ count: number }>('SELECT count(*)::int AS count FROM webhook_attempts t JOIN webhook_deliveries d ON d.id = t.delivery_id WHERE d.endpoint_id = $1', [dead]);
    say(`${rows[0]?.count ?? 0} attempts at the dead endpoint meanwhile, each until its time-out`);
    this.over.abort();
    for (const wake of woken.values()) wake();
    await Promise.all(workflows);
    await news.close();
  }

  /** What src/workflows/webhook-delivery.ts does between rounds. */
  private async workflow(id: string, news: WebhookNews, woken: Map<string, () => void>): Promise<void> {
    while (!this.over.signal.aborted) {
      let hinted = false;
      let wake = (): void => { hinted = true; };
      woken.set(id, () => wake());
      const { waitMs } = await this.round(id, news);
      if (hinted) continue;
      const rest = new AbortController();
      wake = () => rest.abort();
      await delay(Math.max(1, waitMs), undefined, { signal: rest.signal }).catch(() => undefined);
    }
  }

  private async diskBytes(): Promise<number> {
    const { rows } = await this.sql.query<{ bytes: number }>(`SELECT (pg_total_relation_size('webhook_deliveries') + pg_total_relation_size('webhook_attempts'))::float8 AS bytes`);
    return rows[0]?.bytes ?? 0;
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** After a full collection. */
function heapBytes(): number {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

async function run(): Promise<void> {
  const [world, target] = [await openStoreWorld(), await startTarget()];
  const sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
  const store = await world.openAnother({ clock: systemClock });
  const bench = new Bench(world, store, sql, target);
  try {
    await bench.throughput();
    await bench.isolation();
  } finally {
    await bench.close();
    target.stop();
    await sql.end();
    await world.close();
  }
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
