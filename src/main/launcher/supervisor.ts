import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Settings } from '../../config/settings';
import { registerSearchAttributes } from '../../temporal/register-search-attributes';
import { httpAddress } from '../http-address';
import { planDemo } from './demo';
import { untilEntriesPass } from './entries-open';
import { Home } from './home';
import { lockHome } from './home-lock';
import { Keeper } from './keeper';
import { LeftOvers } from './left-overs';
import { ManagedServer } from './managed-server';
import { greetPostgres } from './postgres';
import { ProcessRecords } from './process-records';
import { recordedIn } from './record-keeper';
import { roleEnvironment } from './role-environment';
import { rolePlan, type Role } from './role-plan';
import { apiPort, metricsPorts, planPostgres, planRedis, planSimulators, planTemporal, type PlannedServer, type Planning } from './servers-of-home';
import { answersTemporal } from './temporal';
import { historyWindow, keepHistories } from './temporal-retention';

/** What the supervisor takes from other rooms, wired by start.ts. */
export interface SupervisorParts {
  /** Brings the schema up to date under a lock. */
  migrate(databaseUrl: string): Promise<unknown>;
  /** Throws where the key sealed nothing of what is sealed; answers how many credentials it cannot open beside those it can. */
  checkMasterKey(databaseUrl: string, key: Uint8Array, lostKeyId?: string): Promise<number>;
  /** The loopback hub that stands in for Redis. */
  startHub(options: { token: string; port: number }): Promise<{ readonly url: string; close(): Promise<void> }>;
}

export interface SupervisorOptions {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly parts: SupervisorParts;
  readonly say: (text: string) => void;
}

/** What the `ready` line tells. */
export interface ReadyAddresses {
  readonly api: string;
  readonly temporalUi: string | undefined;
  /** The first paper venue's address. */
  readonly paper: string | undefined;
  /** With SUREFILL_DEMO: the chain that deposits come from, and a wallet with money on it. */
  readonly demo: { readonly chain: string; readonly wallet: string } | undefined;
  readonly keyFile: string;
}

/** Left roles get this long before their successors start: a venue call takes 1.5 s, and whatever is cut short is resumed. */
const LEFT_GRACE_MS = 2_000;
const LOG_CHECK_INTERVAL_MS = 60_000;
const HUB_TOKEN_BYTES = 24;
/** Second Ctrl-C: what has not ended by then is killed. */
const HASTY_GRACE_MS = 500;

/** Everything `npm start` runs: servers first, then our processes, each kept running until stop(). */
export class Supervisor {
  private readonly home: Home;
  private readonly servers: Keeper[] = [];
  private readonly simulators: Keeper[] = [];
  private readonly roles: Keeper[] = [];
  private records: ProcessRecords | undefined;
  private release: () => void = () => undefined;
  private closeHub: () => Promise<void> = () => Promise.resolve();
  private logCheck: NodeJS.Timeout | undefined;
  private stopped: Promise<void> | undefined;

  constructor(private readonly options: SupervisorOptions) {
    this.home = new Home(path.resolve(options.settings.home));
  }

  /** Starts everything. @throws Error when something cannot be started; call stop() then. */
  async start(): Promise<ReadyAddresses> {
    const { settings, environment, say, parts } = this.options;
    this.release = lockHome(this.home.folder);
    this.home.trimLogs();
    this.logCheck = setInterval(() => this.home.trimLogs(), LOG_CHECK_INTERVAL_MS);
    const records = (this.records = new ProcessRecords(this.home.path('run')));
    const left = LeftOvers.of(records, say);
    await left.stopAll((name) => !['postgres', 'temporal', 'redis'].includes(name), LEFT_GRACE_MS);
    const planning: Planning = { settings, environment, home: this.home, left, taken: new Set(), say };

    // One after the other: each promises ports to itself.
    const port = await apiPort(planning);
    const metrics = await metricsPorts(planning);
    const [postgres, temporal] = [await planPostgres(planning), await planTemporal(planning)];
    const [redis, simulators, demo] = [await planRedis(planning), await planSimulators(planning), await planDemo(planning)];
    await Promise.all([
      ...[postgres, temporal, redis].map((planned) => this.runServer(planned, left)),
      ...[...simulators.values(), ...(demo?.chains ?? [])].map((planned) => this.run(planned, this.simulators)),
    ]);
    if (demo !== undefined) await this.run(demo.bridge, this.simulators);
    // Whatever no plan took over: a server that the settings now replace by an address of the user's own.
    await left.stopAll(() => true, LEFT_GRACE_MS);

    const databaseUrl = settings.databaseUrl ?? needed(postgres).plan.url;
    const temporalAddress = settings.temporalAddress ?? needed(temporal).plan.url;
    if (!postgres) await greetPostgres(databaseUrl);
    if (temporal) await keepHistories(temporalAddress, settings.temporalNamespace, settings.temporalRetentionDays);
    else await this.greetTemporal(temporalAddress);
    // DESIGN.md section 2, promise 9: what rests on histories ends with them, and the operator is told when.
    const windowDays = await historyWindow(temporalAddress, settings.temporalNamespace);
    say(`Temporal keeps the history of an ended workflow for ${windowDays} days; timelines of orders stay in PostgreSQL`);
    const redisUrl = settings.redisUrl ?? redis?.plan.url;
    const hub = redisUrl === undefined ? await this.runHub() : undefined;
    await parts.migrate(databaseUrl);
    const masterKey = Buffer.from(settings.masterKey ?? this.home.masterKey());
    const unreadable = await parts.checkMasterKey(databaseUrl, masterKey, settings.lostMasterKey);
    if (unreadable > 0) say(`the credentials of ${unreadable} accounts were sealed by another master key: they cannot be traded until that one is back, or they have new keys`);
    await this.runRoles(
      roleEnvironment({ ...environment, ...demo?.environment }, {
        ...{ databaseUrl, temporalAddress, redisUrl, hub, apiPort: port, home: this.home.folder, temporalUiPort: temporal?.uiPort },
        simulators: new Map([...simulators].map(([name, { plan }]) => [name, plan.url])),
        masterKey: masterKey.toString('base64'),
      }),
      port,
      metrics,
    );
    const api = httpAddress(settings.host, port);
    await untilEntriesPass(api, say);
    return {
      api,
      temporalUi: temporal?.uiPort === undefined ? undefined : `http://127.0.0.1:${temporal.uiPort}`,
      paper: [...simulators.values()][0]?.plan.url ?? settings.venues.find((venue) => venue.adapter === 'paper')?.httpUrl,
      demo: demo?.shown,
      keyFile: path.relative(process.cwd(), this.home.path('owner-key')),
    };
  }

  /** Stops everything, in the order in which each still has what it needs. A second call hurries. */
  stop(): Promise<void> {
    const hasty = this.stopped ? this.everything().map((keeper) => keeper.stop(HASTY_GRACE_MS)) : [];
    this.stopped ??= this.stopInOrder();
    return Promise.all([this.stopped, ...hasty]).then(() => undefined);
  }

  private everything(): Keeper[] {
    return [...this.roles, ...this.simulators, ...this.servers];
  }

  private async stopInOrder(): Promise<void> {
    clearInterval(this.logCheck);
    for (const group of [['api'], ['watcher'], ['worker']]) await this.stopNamed(this.roles, group);
    await Promise.all(this.simulators.map((keeper) => keeper.stop()));
    await this.closeHub();
    for (const group of [['temporal'], ['redis'], ['postgres']]) await this.stopNamed(this.servers, group);
    this.release();
  }

  private async stopNamed(keepers: readonly Keeper[], names: readonly string[]): Promise<void> {
    await Promise.all(keepers.filter(({ name }) => names.includes(name)).map((keeper) => keeper.stop()));
  }

  private keeperFor({ plan, uiPort }: PlannedServer): Keeper {
    if (!this.records || this.stopped) throw new Error('the start was interrupted');
    return new Keeper(new ManagedServer(plan, recordedIn(this.records, plan, uiPort)), this.options.say);
  }

  private async runServer(planned: PlannedServer | undefined, left: LeftOvers): Promise<void> {
    if (!planned) return;
    const keeper = this.keeperFor(planned);
    this.servers.push(keeper);
    if (await left.adopt(keeper.server)) keeper.keep();
    else {
      this.options.say(`starting ${keeper.name}`);
      await keeper.start();
    }
  }

  private async run(planned: PlannedServer, group: Keeper[]): Promise<Keeper> {
    const keeper = this.keeperFor(planned);
    group.push(keeper);
    this.options.say(`starting ${keeper.name}`);
    await keeper.start();
    return keeper;
  }

  private async greetTemporal(address: string): Promise<void> {
    const { temporalNamespace } = this.options.settings;
    if (!(await answersTemporal(address, temporalNamespace))) {
      throw new Error(`no Temporal server with namespace ${temporalNamespace} answers at TEMPORAL_ADDRESS ${address}: start it, or unset the variable`);
    }
    await registerSearchAttributes(address, temporalNamespace);
  }

  private async runHub(): Promise<{ url: string; token: string }> {
    const token = randomBytes(HUB_TOKEN_BYTES).toString('hex');
    const hub = await this.options.parts.startHub({ token, port: 0 });
    this.closeHub = () => hub.close();
    return { url: hub.url, token };
  }

  private async runRoles(environment: NodeJS.ProcessEnv, port: number, metrics: ReadonlyMap<Role, number>): Promise<void> {
    const start = (role: Role, rolePort: number): Promise<Keeper> =>
      this.run({ plan: rolePlan({ role, environment: withMetricsPort(environment, metrics.get(role)), port: rolePort, logFile: this.home.logFile(role) }) }, this.roles);
    await Promise.all([start('worker', 0), start('watcher', 0), start('api', port)]);
  }
}

/** Each role has a port of its own: both would want the one that is set. */
function withMetricsPort(environment: NodeJS.ProcessEnv, port: number | undefined): NodeJS.ProcessEnv {
  return { ...environment, METRICS_PORT: port === undefined ? undefined : String(port) };
}

function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a server without an address was not planned');
  return value;
}
