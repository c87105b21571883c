/**
 * A whole Surefill of a test's own: PostgreSQL, Temporal, the paper simulator and our processes, each real, each killable.
 * Nothing restarts by itself here: a test says what dies and what comes back.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { ROOT } from '../../src/main/launcher/folders';
import { ManagedProcess } from '../../src/main/launcher/managed-process';
import { freePort } from '../../src/main/launcher/ports';
import { NODE_ARGUMENTS } from '../../src/main/launcher/role-plan';
import { startHub } from '../../src/streams/bus/hub';
import { ApiClient } from './api-client';
import { startPostgres, startRedis, startSimulator, startTemporal, temporaryFolder, type TestServer } from './servers';
import { DURATION_SCALE } from './scale';
import { SimulatorControl } from './simulator-control';
import { watchedByWatchdog } from './watchdog';
import { readFileSync } from 'node:fs';

export type Role = 'api' | 'worker' | 'watcher';

export interface StackOptions {
  /** More environment for our processes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Redis between the processes instead of the hub. */
  readonly redis?: boolean;
  /** Recording for the simulator. */
  readonly data?: string;
  readonly speed?: number;
  /** 0: the paper venue's prices move only where a test puts them. */
  readonly tickMs?: number;
  readonly workers?: number;
  /** More venues that speak the paper protocol, each with a simulator of its own. */
  readonly moreVenues?: readonly string[];
}

/** Long enough for a cold start on a busy two-core machine. */
const READY_WITHIN_MS = 60_000;
const STOP_GRACE_MS = 10_000;

/** One of our processes, restartable under the same name. */
export class RoleProcess {
  private process: ManagedProcess | null = null;

  constructor(
    readonly name: string,
    private readonly role: Role,
    private readonly environment: NodeJS.ProcessEnv,
    readonly logFile: string,
  ) {}

  get pid(): number {
    if (this.process === null) throw new Error(`${this.name} was never started`);
    return this.process.pid;
  }

  /** Starts it and waits for its ready message. */
  async start(): Promise<void> {
    const started = await ManagedProcess.start({
      name: this.name,
      command: process.execPath,
      args: [...NODE_ARGUMENTS, path.join(ROOT, 'dist', 'main', 'index.js'), '--role', this.role],
      environment: this.environment,
      logFile: this.logFile,
      messages: true,
    });
    this.process = started;
    watchedByWatchdog.started(started);
    void started.exited.then(() => watchedByWatchdog.ended(started));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name} was not ready in time:\n${this.log().slice(-4_000)}`)), READY_WITHIN_MS);
      started.child?.on('message', (message) => {
        if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready') {
          clearTimeout(timer);
          resolve();
        }
      });
      void started.exited.then(({ code, signal }) => {
        clearTimeout(timer);
        reject(new Error(`${this.name} ended with ${signal ?? code}:\n${this.log().slice(-4_000)}`));
      });
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.process === null) return;
    if (signal === 'SIGKILL') await this.process.kill();
    else this.process.signal(signal);
  }

  async stop(): Promise<void> {
    await this.process?.stop({ signal: 'SIGTERM', graceMs: STOP_GRACE_MS });
  }

  /** SIGTERM, and how it ended: 0 is by itself, with nothing cut. */
  async terminate(): Promise<number | null> {
    const { process: running } = this;
    if (running === null) throw new Error(`${this.name} was never started`);
    running.signal('SIGTERM');
    return (await running.exited).code;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }
}

export interface Stack {
  readonly postgres: TestServer;
  readonly temporal: TestServer;
  /** Temporal's file, as `npm start` has its own. */
  readonly temporalFile: string;
  readonly redis: TestServer | null;
  readonly simulator: TestServer;
  readonly simulators: ReadonlyMap<string, TestServer>;
  /** Control of the simulator's `/__sim`. */
  readonly sim: SimulatorControl;
  readonly api: RoleProcess;
  readonly worker: RoleProcess;
  readonly watcher: RoleProcess;
  readonly workers: readonly RoleProcess[];
  readonly apiUrl: string;
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Speaks to the API with the owner's key. */
  readonly client: ApiClient;
  /** Id of an account on the paper venue, its balance known. */
  readonly accountId: string;
  /** Its key at the venue: what the user could do elsewhere. */
  readonly venueKey: string;
  /** One more process of a role, not started; stopped with the stack. */
  another(kind: Role, environment?: Readonly<Record<string, string>>): RoleProcess;
  stop(): Promise<void>;
}

/** Scenarios are about delivery; what risk refuses has tests of its own. */
export const WIDE_LIMITS = { maxOrderNotional: '1000000000', maxPositionNotional: '1000000000', maxOpenOrders: 10_000, maxDailyLoss: '1000000000', priceBandPercent: null, allowedSymbols: null };

/** Tests and benchmarks ask hundreds of times a second with one key; the limits have tests of their own. */
/** Nobody answers there: no test writes to real people. */
const NOBODY = { SUREFILL_TELEGRAM_URL: 'http://127.0.0.1:9' };
const UNLIMITED = { SUREFILL_LIMIT_PRICES: 'off', SUREFILL_LIMIT_ORDERS: 'off', SUREFILL_LIMIT_ADMIN: 'off', SUREFILL_LIMIT_READS: 'off' };

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const home = temporaryFolder('home');
  const temporalFile = path.join(temporaryFolder('temporal-data'), 'temporal.db');
  const venues = ['paper', ...(options.moreVenues ?? [])];
  const [postgres, temporal, redis, ...simulatorList] = await Promise.all([
    startPostgres(),
    startTemporal({ databaseFile: temporalFile }),
    options.redis === true ? startRedis() : Promise.resolve(null),
    ...venues.map((_, index) => startSimulator({ ...(options.tickMs === undefined ? {} : { tickMs: options.tickMs }), ...(options.data === undefined || index > 0 ? {} : { data: options.data }), ...(options.speed === undefined ? {} : { speed: options.speed }) })),
  ]);
  const simulators = new Map(venues.map((venue, index) => [venue, simulatorAt(simulatorList, index)]));
  const token = randomBytes(16).toString('hex');
  const hub = redis === null ? await startHub({ token, port: 0 }) : null;
  const port = await freePort();
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.url,
    SUREFILL_HOME: home,
    SUREFILL_MASTER_KEY: randomBytes(32).toString('base64'),
    SUREFILL_DURATION_SCALE: DURATION_SCALE,
    SUREFILL_VENUES: venues.map((venue) => (venue === 'paper' ? venue : `${venue}:paper`)).join(','),
    ...Object.fromEntries([...simulators].flatMap(([venue, server]) => addresses(venue, server))),
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
    ...(hub === null ? {} : { SUREFILL_HUB_URL: hub.url, SUREFILL_HUB_TOKEN: token }),
    PORT: String(port),
    LOG_LEVEL: 'info',
    ...UNLIMITED,
    ...NOBODY,
    ...options.environment,
  };
  const all: RoleProcess[] = [];
  const role = (name: string, kind: Role, more: Readonly<Record<string, string>> = {}): RoleProcess => {
    const made = new RoleProcess(name, kind, { ...environment, ...more }, path.join(home, 'logs', `${name}.log`));
    all.push(made);
    return made;
  };
  const api = role('api', 'api');
  const watcher = role('watcher', 'watcher');
  const workers = Array.from({ length: options.workers ?? 1 }, (_, index) => role(`worker-${index}`, 'worker'));
  await Promise.all([api, watcher, ...workers].map((each) => each.start()));

  const apiUrl = `http://127.0.0.1:${port}`;
  const client = new ApiClient(apiUrl, readFileSync(path.join(home, 'owner-key'), 'utf8').trim());
  const venueKey = `test-${randomBytes(8).toString('hex')}`;
  const made = await client.call<{ id: string }>('POST', '/api/v1/accounts', { name: 'under-test', venue: 'paper', credentials: { key: venueKey }, limits: WIDE_LIMITS });
  if (made.status !== 201) throw new Error(`no account: ${JSON.stringify(made.body)}\n${api.log().slice(-4_000)}`);
  const accountId = made.body.id;
  await client.balanceKnown(accountId);
  await client.entriesPass();
  const [worker] = workers;
  if (worker === undefined) throw new Error('a stack needs a worker');
  const simulator = simulatorAt(simulatorList, 0);
  return {
    postgres,
    temporal,
    temporalFile,
    redis,
    simulator,
    simulators,
    sim: new SimulatorControl(simulator.url),
    api,
    worker,
    watcher,
    workers,
    apiUrl,
    home,
    environment,
    client,
    accountId,
    venueKey,
    another: (kind, more) => role(`${kind}-${all.length}`, kind, more),
    stop: async () => {
      await Promise.all(all.map((each) => each.stop()));
      await hub?.close();
      await Promise.all([...simulators.values(), temporal, postgres, ...(redis === null ? [] : [redis])].map((server) => server.stop()));
    },
  };
}

function simulatorAt(list: readonly TestServer[], index: number): TestServer {
  const server = list[index];
  if (server === undefined) throw new Error('a simulator is missing');
  return server;
}

function addresses(venue: string, server: TestServer): [string, string][] {
  const name = venue.toUpperCase().replaceAll('-', '_');
  return [
    [`SUREFILL_${name}_HTTP_URL`, server.url],
    [`SUREFILL_${name}_WS_URL`, `${server.url.replace('http', 'ws')}/ws`],
  ];
}
