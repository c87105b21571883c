import { isIP } from 'node:net';
import { parseChainSettings, type ChainSettings } from './deposit-settings';
import type { SettingRow } from './setting-kinds';
import { textOf, wrongSetting, type SettingTexts } from './setting-texts';
import { SETTINGS_TABLE, type SettingsTable } from './settings-table';
import { parseVenueSettings, type VenueSettings } from './venue-settings';

type ValueOf<R> = R extends SettingRow<infer T> ? T : never;

/** All settings, typed; names as in the table. Waits marked as scaled are already multiplied. */
export type Settings = { readonly [N in keyof SettingsTable]: ValueOf<SettingsTable[N]> } & {
  readonly venues: readonly VenueSettings[];
  readonly chains: readonly ChainSettings[];
};

export { SettingError, type SettingTexts } from './setting-texts';

/** Whether the environment gives this setting itself: an explicit port is kept or refused, a default one may move. */
export function isGiven(environment: SettingTexts, name: keyof SettingsTable): boolean {
  return textOf(environment, SETTINGS_TABLE[name].env) !== undefined;
}

/**
 * Settings from the database (only rows marked storable), else the environment, else the default.
 * @throws SettingError for the first wrong value, in the order of the table.
 */
export function loadSettings(environment: SettingTexts, stored: SettingTexts = {}): Settings {
  const values: Record<string, unknown> = {};
  for (const [name, row] of Object.entries<SettingRow<unknown>>(SETTINGS_TABLE)) {
    const given = (row.storable ? textOf(stored, row.env) : undefined) ?? textOf(environment, row.env);
    values[name] = given === undefined ? row.default : parse(row, given);
  }
  // Object.entries over the table gave every name its own row's value.
  const settings = values as Omit<Settings, 'venues' | 'chains'>;
  if (settings.plainHttp === 'loopback' && !isLoopback(settings.host)) {
    throw wrongSetting('HOST', `be a loopback address: HTTP without TLS is not served beyond this host unless SUREFILL_PLAIN_HTTP=anywhere says that a proxy with TLS is in front`, settings.host);
  }
  return { ...scaleWaits(settings), venues: parseVenueSettings(settings.venueList, environment), chains: parseChainSettings(settings.depositChains, environment) };
}

/** `localhost` may be anything in a hosts file, but nobody means another host by it. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function parse<T>(row: SettingRow<T>, given: string): T {
  const parsed = row.parse(given);
  if (parsed.ok) return parsed.value;
  throw wrongSetting(row.env, parsed.must, row.secret ? undefined : given);
}

function scaleWaits(settings: Omit<Settings, 'venues' | 'chains'>): Omit<Settings, 'venues' | 'chains'> {
  const scaled: Record<string, unknown> = { ...settings };
  for (const [name, row] of Object.entries<SettingRow<unknown>>(SETTINGS_TABLE)) {
    const value = scaled[name];
    if (row.scaled && typeof value === 'number') scaled[name] = Math.max(1, Math.round(value * settings.durationScale));
  }
  return scaled as Omit<Settings, 'venues' | 'chains'>;
}
