import { venueVariable } from '../../config/venue-settings';

/** Where everything is that the roles speak to. */
export interface Addresses {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly redisUrl: string | undefined;
  readonly hub: { readonly url: string; readonly token: string } | undefined;
  /** Base URL of the simulator of each venue that has one. */
  readonly simulators: ReadonlyMap<string, string>;
  readonly apiPort: number;
  /** Port of the Web UI that was started; undefined for a server of the user's own. */
  readonly temporalUiPort: number | undefined;
  readonly home: string;
  /** Text of SUREFILL_MASTER_KEY. */
  readonly masterKey: string;
}

/** Path of the paper venue's stream on its HTTP port. */
const STREAM_PATH = '/ws';

/** The environment of our processes: ours, with every address filled in. */
export function roleEnvironment(environment: NodeJS.ProcessEnv, addresses: Addresses): NodeJS.ProcessEnv {
  const venues = [...addresses.simulators].flatMap(([name, url]): [string, string][] => [
    [venueVariable(name, 'HTTP_URL'), url],
    [venueVariable(name, 'WS_URL'), `${url.replace(/^http/, 'ws')}${STREAM_PATH}`],
  ]);
  return {
    ...environment,
    ...Object.fromEntries(venues),
    DATABASE_URL: addresses.databaseUrl,
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    REDIS_URL: addresses.redisUrl,
    SUREFILL_HUB_URL: addresses.hub?.url,
    SUREFILL_HUB_TOKEN: addresses.hub?.token,
    SUREFILL_HOME: addresses.home,
    SUREFILL_MASTER_KEY: addresses.masterKey,
    PORT: String(addresses.apiPort),
    // A browser may know this host by either name.
    TEMPORAL_UI_ORIGINS: environment['TEMPORAL_UI_ORIGINS'] ?? (addresses.temporalUiPort === undefined ? undefined : `http://127.0.0.1:${addresses.temporalUiPort},http://localhost:${addresses.temporalUiPort}`),
  };
}
