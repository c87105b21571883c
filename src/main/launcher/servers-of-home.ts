import { existsSync, statSync } from 'node:fs';
import { isGiven, type Settings } from '../../config/settings';
import { httpAddress } from '../http-address';
import { findRedis, redisPlan } from './redis';
import type { Home } from './home';
import type { LeftOvers } from './left-overs';
import type { UnixUser } from './managed-process';
import type { ServerPlan } from './managed-server';
import { choosePort, freePort, LAST_PORT, type PortWish } from './ports';
import { initialisePostgres, passwordOf, postgresDataFolder, postgresPlan } from './postgres';
import { findPostgres } from './postgres-program';
import { simulatorPlan } from './simulator';
import { recordVersion, temporalPlan, versionOfData } from './temporal';
import { findTemporal } from './temporal-program';

/** The adapter whose server we ship: a venue of it without an address gets a simulator. */
const PAPER = 'paper';

/** What the planning of one start needs. */
export interface Planning {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly home: Home;
  readonly left: LeftOvers;
  /** Ports promised so far. */
  readonly taken: Set<number>;
  readonly say: (text: string) => void;
}

/** A plan and the port of its Web UI, if it has one. */
export interface PlannedServer {
  readonly plan: ServerPlan;
  readonly uiPort?: number;
}

/** Chooses a port: of a server that was left running, else the setting's. */
async function portFor(planning: Planning, name: 'postgresPort' | 'temporalPort' | 'temporalUiPort' | 'port', wish: PortWish, left: number | undefined): Promise<number> {
  const given = isGiven(planning.environment, name);
  const keep = left !== undefined && (!given || left === wish.port);
  const port = keep ? left : await choosePort({ ...wish, given });
  planning.taken.add(port);
  return port;
}

function wishOf(planning: Planning, what: string, env: string, port: number, host?: string): PortWish {
  return { what, env, port, given: false, taken: planning.taken, say: planning.say, ...(host === undefined ? {} : { host }) };
}

/** The API's own port. It is never left running: roles are started anew. */
export function apiPort(planning: Planning): Promise<number> {
  const { port, host } = planning.settings;
  return portFor(planning, 'port', wishOf(planning, 'the API', 'PORT', port, host), undefined);
}

/** The roles that serve nothing but their metrics. */
export type MetricsRole = 'worker' | 'watcher';

/** Ports of /metrics: the worker's is the setting's, the watcher's the next free one, said aloud. None without the setting. */
export async function metricsPorts(planning: Planning): Promise<ReadonlyMap<MetricsRole, number>> {
  const { metricsPort, host } = planning.settings;
  if (metricsPort === undefined) return new Map();
  const worker = await choosePort({ ...wishOf(planning, 'the worker\'s metrics', 'METRICS_PORT', metricsPort, host), given: true });
  planning.taken.add(worker);
  const watcher = await choosePort({ ...wishOf(planning, 'the watcher\'s metrics', 'METRICS_PORT', Math.min(worker + 1, LAST_PORT), host), say: () => undefined });
  planning.taken.add(watcher);
  planning.say(`metrics: worker=${httpAddress(host, worker)}/metrics watcher=${httpAddress(host, watcher)}/metrics`);
  return new Map([['worker', worker], ['watcher', watcher]]);
}

/** PostgreSQL in the home, initialised on the first start; undefined when DATABASE_URL names one. */
export async function planPostgres(planning: Planning): Promise<PlannedServer | undefined> {
  const { settings, home, say, left } = planning;
  if (settings.databaseUrl !== undefined) return undefined;
  const found = findPostgres(say);
  const dataFolder = postgresDataFolder(home.folder, found.user, say);
  // Data that an ordinary user made, started by root now: PostgreSQL runs as that user, it accepts no other.
  const program = found.user && existsSync(dataFolder) ? { ...found, user: ownerOf(dataFolder) } : found;
  const password = passwordOf(home.path('postgres-password'));
  if (await initialisePostgres(program, dataFolder, password)) say('made an empty PostgreSQL database');
  const wish = wishOf(planning, 'PostgreSQL', 'POSTGRES_PORT', settings.postgresPort);
  const port = await portFor(planning, 'postgresPort', wish, left.portOf('postgres'));
  return { plan: postgresPlan({ program, dataFolder, port, password, logFile: home.logFile('postgres') }) };
}

function ownerOf(folder: string): UnixUser {
  const { uid, gid } = statSync(folder);
  return { uid, gid };
}

/** Temporal with its Web UI on a file of the home; undefined when TEMPORAL_ADDRESS names one. */
export async function planTemporal(planning: Planning): Promise<PlannedServer | undefined> {
  const { settings, home, say, left, environment } = planning;
  if (settings.temporalAddress !== undefined) return undefined;
  const databaseFile = home.path('temporal.db');
  const program = await findTemporal({ environment, versionOfData: versionOfData(databaseFile), say });
  recordVersion(databaseFile, program.serverVersion);
  const wish = wishOf(planning, 'Temporal', 'TEMPORAL_PORT', settings.temporalPort);
  const port = await portFor(planning, 'temporalPort', wish, left.portOf('temporal'));
  const uiWish = wishOf(planning, 'the Temporal Web UI', 'TEMPORAL_UI_PORT', settings.temporalUiPort);
  const uiPort = await portFor(planning, 'temporalUiPort', uiWish, left.uiPortOf('temporal'));
  const logFile = home.logFile('temporal');
  return { plan: temporalPlan({ program, databaseFile, port, uiPort, namespace: settings.temporalNamespace, logFile }), uiPort };
}

/** Redis on a free port when a redis-server is on PATH; undefined without one, or when REDIS_URL names one. */
export async function planRedis(planning: Planning): Promise<PlannedServer | undefined> {
  const { settings, home, left, environment } = planning;
  const file = settings.redisUrl === undefined ? findRedis(environment) : undefined;
  if (file === undefined) return undefined;
  const port = left.portOf('redis') ?? (await freePort());
  planning.taken.add(port);
  const password = passwordOf(home.path('redis-password'));
  return { plan: redisPlan({ file, port, password, folder: home.folder, logFile: home.logFile('redis') }) };
}

/** A simulator for every venue of the paper adapter that has no address of its own. By venue name. */
export async function planSimulators(planning: Planning): Promise<Map<string, PlannedServer>> {
  const { settings, home, environment } = planning;
  const plans = new Map<string, PlannedServer>();
  for (const venue of settings.venues) {
    if (venue.adapter !== PAPER || venue.httpUrl !== undefined) continue;
    const port = await freePort();
    planning.taken.add(port);
    const name = `simulator-${venue.name}`;
    const plan = simulatorPlan({
      name,
      venue: PAPER,
      port,
      home: home.path('simulator', venue.name),
      logFile: home.logFile(name),
      data: settings.paperData,
      dataMarket: settings.paperDataMarket,
      speed: settings.paperSpeed,
      seed: settings.paperSeed,
      mode: environment['NODE_ENV'],
    });
    plans.set(venue.name, { plan });
  }
  return plans;
}
