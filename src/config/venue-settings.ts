import { isUrl, urlRule } from './setting-kinds';
import { textOf, wrongSetting, type SettingTexts } from './setting-texts';

/** One venue of SUREFILL_VENUES and where it is reached. */
export interface VenueSettings {
  /** Its name in the API, for example `paper2`. */
  readonly name: string;
  /** The adapter that speaks its protocol, for example `paper`. */
  readonly adapter: string;
  /** Overrides the adapter's own REST address. */
  readonly httpUrl: string | undefined;
  /** Overrides the adapter's own WebSocket address. */
  readonly wsUrl: string | undefined;
  /** Which of the venue's networks, where it has several: decides its address and what signatures mean. */
  readonly network: 'mainnet' | 'testnet' | undefined;
  /** Builder-deployed exchanges of Hyperliquid to trade on besides, like `xyz`. */
  readonly dexes: readonly string[];
  /** Those of them whose orders carry no client id. */
  readonly dexesWithoutCloid: readonly string[];
  /** Request weight a minute of this network address, instead of the venue's documented one. */
  readonly weightPerMinute: number | undefined;
}

const VENUE = /^([a-z][a-z0-9-]{0,30})(?::([a-z][a-z0-9-]{0,30}))?$/;

export const VENUE_VARIABLES = ['HTTP_URL', 'WS_URL', 'NETWORK', 'DEXES', 'DEXES_WITHOUT_CLOID', 'WEIGHT_PER_MINUTE'] as const;

/** The environment variable of a venue's address: SUREFILL_PAPER2_HTTP_URL for `paper2`. */
export function venueVariable(name: string, what: (typeof VENUE_VARIABLES)[number]): string {
  return `SUREFILL_${name.toUpperCase().replaceAll('-', '_')}_${what}`;
}

/** @throws SettingError for a list or an address that cannot be read. */
export function parseVenueSettings(list: string, environment: SettingTexts): VenueSettings[] {
  const venues: VenueSettings[] = [];
  for (const item of list.split(',').map((part) => part.trim())) {
    const found = VENUE.exec(item);
    if (!found?.[1]) {
      throw wrongSetting('SUREFILL_VENUES', 'be a comma list of name or name:adapter (small letters, digits, dashes)', list);
    }
    const name = found[1];
    if (venues.some((venue) => venue.name === name)) {
      throw wrongSetting('SUREFILL_VENUES', `name each venue once, ${name} is there twice`, list);
    }
    venues.push({
      name,
      adapter: found[2] ?? name,
      httpUrl: address(environment, venueVariable(name, 'HTTP_URL'), ['http', 'https']),
      wsUrl: address(environment, venueVariable(name, 'WS_URL'), ['ws', 'wss']),
      network: network(environment, venueVariable(name, 'NETWORK')),
      dexes: dexes(environment, venueVariable(name, 'DEXES')),
      dexesWithoutCloid: dexes(environment, venueVariable(name, 'DEXES_WITHOUT_CLOID')),
      weightPerMinute: weight(environment, venueVariable(name, 'WEIGHT_PER_MINUTE')),
    });
  }
  return venues;
}

function network(environment: SettingTexts, env: string): VenueSettings['network'] {
  const given = textOf(environment, env);
  if (given !== undefined && given !== 'mainnet' && given !== 'testnet') throw wrongSetting(env, 'be mainnet or testnet', given);
  return given;
}

function dexes(environment: SettingTexts, env: string): readonly string[] {
  const given = textOf(environment, env);
  const names = (given ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '');
  if (names.some((name) => !/^[a-z0-9]{1,16}$/.test(name))) throw wrongSetting(env, 'be a comma list of dex names (small letters and digits), like xyz,flx', given);
  return names;
}

/** Less than this leaves no room for one look at an account. */
const LEAST_WEIGHT = 200;

function weight(environment: SettingTexts, env: string): number | undefined {
  const given = textOf(environment, env);
  if (given === undefined) return undefined;
  if (!/^\d{1,9}$/.test(given) || Number(given) < LEAST_WEIGHT) throw wrongSetting(env, `be a whole number from ${LEAST_WEIGHT}`, given);
  return Number(given);
}

function address(environment: SettingTexts, env: string, schemes: readonly string[]): string | undefined {
  const given = textOf(environment, env);
  if (given !== undefined && !isUrl(given, schemes)) throw wrongSetting(env, urlRule(schemes), given);
  return given;
}
