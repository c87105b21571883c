/**
 * The kinds a setting can have. Each turns text into a value or says in one clause what the text must be, so that every
 * wrong setting ends in the same line: `PORT must be an integer from 1 to 65535, got "abc"`.
 */

import { isIP } from 'node:net';
import { CALL_RATE_RULE, callRateOf } from '../domain/call-rate';

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly must: string };

/** One row of the table of settings. */
export interface SettingRow<T> {
  /** Name of the environment variable. */
  readonly env: string;
  /** What `.env.example` shows; undefined means the setting is absent unless given. */
  readonly default: T;
  /** Unit of the value, '' where it has none. */
  readonly unit: string;
  readonly description: string;
  /** Never printed, not even in an error. */
  readonly secret: boolean;
  /** A value stored in the database goes before the environment. */
  readonly storable: boolean;
  /** A long wait: multiplied by SUREFILL_DURATION_SCALE. */
  readonly scaled: boolean;
  readonly parse: (text: string) => Parsed<T>;
}

interface Common<T> {
  readonly env: string;
  readonly default: T;
  readonly description: string;
  readonly unit?: string;
  readonly secret?: boolean;
  readonly storable?: boolean;
  readonly scaled?: boolean;
}

function row<T>(common: Common<T>, parse: (text: string) => Parsed<T>): SettingRow<T> {
  return {
    env: common.env,
    default: common.default,
    description: common.description,
    unit: common.unit ?? '',
    secret: common.secret ?? false,
    storable: common.storable ?? false,
    scaled: common.scaled ?? false,
    parse,
  };
}

/** A whole number inside closed bounds. */
export function integer(common: Common<number> & { readonly min: number; readonly max: number }): SettingRow<number> {
  return row(common, (text) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= common.min && value <= common.max) return { ok: true, value };
    return { ok: false, must: `be an integer from ${common.min} to ${common.max}` };
  });
}

/** A plain number (never money) inside closed bounds. */
export function ratio(common: Common<number> & { readonly min: number; readonly max: number }): SettingRow<number> {
  return row(common, (text) => {
    const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= common.min && value <= common.max) return { ok: true, value };
    return { ok: false, must: `be a number from ${common.min} to ${common.max}` };
  });
}

/** Any text on one line. */
export function text(common: Common<string>): SettingRow<string> {
  return row(common, (value) => ({ ok: true, value }));
}

/** Text that may be absent. */
export function optionalText(common: Omit<Common<undefined>, 'default'>): SettingRow<string | undefined> {
  return row<string | undefined>({ ...common, default: undefined }, (value) => ({ ok: true, value }));
}

/** One of a few words. */
export function choice<const W extends string>(common: Common<NoInfer<W>> & { readonly words: readonly W[] }): SettingRow<W> {
  return row<W>(common, (value) => {
    const word = common.words.find((candidate) => candidate === value);
    return word === undefined ? { ok: false, must: `be one of ${common.words.join(', ')}` } : { ok: true, value: word };
  });
}

/** A URL with one of the given schemes (without colon); may be absent. */
export function optionalUrl(
  common: Omit<Common<undefined>, 'default'> & { readonly schemes: readonly string[] },
): SettingRow<string | undefined> {
  return row<string | undefined>({ ...common, default: undefined }, (value) =>
    isUrl(value, common.schemes) ? { ok: true, value } : { ok: false, must: urlRule(common.schemes) },
  );
}

/** A URL with one of the given schemes (without colon). */
export function url(common: Common<string> & { readonly schemes: readonly string[] }): SettingRow<string> {
  return row<string>(common, (value) => (isUrl(value, common.schemes) ? { ok: true, value } : { ok: false, must: urlRule(common.schemes) }));
}

/** `host:port`, may be absent. */
export function optionalAddress(common: Omit<Common<undefined>, 'default'>): SettingRow<string | undefined> {
  return row<string | undefined>({ ...common, default: undefined }, (value) => {
    const port = /^[^\s/]+:(\d{1,5})$/.exec(value)?.[1];
    if (port !== undefined && Number(port) >= 1 && Number(port) <= 65535) return { ok: true, value };
    return { ok: false, must: 'be host:port, like 127.0.0.1:7233' };
  });
}

/** A whole number that may be absent. */
export function optionalInteger(
  common: Omit<Common<undefined>, 'default'> & { readonly min: number; readonly max: number },
): SettingRow<number | undefined> {
  const inner = integer({ ...common, default: common.min });
  return row<number | undefined>({ ...common, default: undefined }, inner.parse);
}

/** A CallRate, kept as its text. */
export function callRate(common: Common<string>): SettingRow<string> {
  return row(common, (value) => (callRateOf(value) === undefined ? { ok: false, must: CALL_RATE_RULE } : { ok: true, value }));
}

/** Origins of web pages (`https://host:port`), a comma list; may be absent. */
export function optionalOrigins(common: Omit<Common<undefined>, 'default'>): SettingRow<readonly string[] | undefined> {
  return row<readonly string[] | undefined>({ ...common, default: undefined }, (value) => {
    const origins = value.split(',').map((part) => part.trim());
    const isOrigin = (text: string): boolean => isUrl(text, ['http', 'https']) && new URL(text).origin === text;
    return origins.every(isOrigin) ? { ok: true, value: origins } : { ok: false, must: 'be a comma list of origins, like https://terminal.example.com' };
  });
}

/** IP addresses and networks in CIDR notation, a comma list; may be absent. */
export function optionalNetworks(common: Omit<Common<undefined>, 'default'>): SettingRow<readonly string[] | undefined> {
  return row<readonly string[] | undefined>({ ...common, default: undefined }, (value) => {
    const networks = value.split(',').map((part) => part.trim());
    const isNetwork = (text: string): boolean => {
      const [address = '', prefix, ...more] = text.split('/');
      const longest = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : null;
      return longest !== null && more.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= longest));
    };
    return networks.every(isNetwork) ? { ok: true, value: networks } : { ok: false, must: 'be a comma list of IP addresses or networks, like 10.0.0.0/8,127.0.0.1' };
  });
}

/** A market whose price another market of another venue may stand in for. */
export interface MarketBackup {
  readonly venue: string;
  readonly symbol: string;
  readonly from: { readonly venue: string; readonly symbol: string };
}

/** A comma list of `venue/SYMBOL=venue/SYMBOL`: the market, and where its price is taken from while its own venue is silent. */
export function marketBackups(common: Omit<Common<undefined>, 'default'>): SettingRow<readonly MarketBackup[] | undefined> {
  return row<readonly MarketBackup[] | undefined>({ ...common, default: undefined }, (value) => {
    const found = value.split(',').map((part) => /^([a-z][a-z0-9-]{0,30})\/([A-Za-z0-9:._-]{1,64})=([a-z][a-z0-9-]{0,30})\/([A-Za-z0-9:._-]{1,64})$/.exec(part.trim()));
    const backups = found.flatMap((match) => (match === null ? [] : [{ venue: match[1] ?? '', symbol: match[2] ?? '', from: { venue: match[3] ?? '', symbol: match[4] ?? '' } }]));
    const isSound = backups.length === found.length && backups.every(({ venue, from }) => venue !== from.venue);
    return isSound ? { ok: true, value: backups } : { ok: false, must: 'be a comma list of venue/SYMBOL=venue/SYMBOL with two different venues, like hyperliquid/BTC-PERP=paper/BTC-PERP' };
  });
}

/** Exactly 32 bytes as base64 or hexadecimal text; may be absent. */
export function optionalKey(common: Omit<Common<undefined>, 'default'>): SettingRow<Buffer | undefined> {
  return row<Buffer | undefined>({ ...common, default: undefined, secret: true }, (value) => {
    const key = keyFromText(value);
    return key === undefined ? { ok: false, must: 'be 32 bytes in base64 or hexadecimal (openssl rand -hex 32)' } : { ok: true, value: key };
  });
}

/** Several keys of 32 bytes, a comma list; the order matters. */
export function optionalKeys(common: Omit<Common<undefined>, 'default'>): SettingRow<readonly Buffer[] | undefined> {
  return row<readonly Buffer[] | undefined>({ ...common, default: undefined, secret: true }, (value) => {
    const keys = value.split(',').flatMap((part) => keyFromText(part.trim()) ?? []);
    return keys.length === value.split(',').length ? { ok: true, value: keys } : { ok: false, must: 'be a comma list of keys, each 32 bytes in base64 or hexadecimal (openssl rand -hex 32)' };
  });
}

/** 32 bytes from their base64 or hexadecimal text, undefined for any other text. */
export function keyFromText(value: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(value)) return Buffer.from(value, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return Buffer.from(value, 'base64');
  return undefined;
}

/** Whether the text is an absolute URL with one of the schemes. */
export function isUrl(value: string, schemes: readonly string[]): boolean {
  return URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1));
}

/** The clause of an error about a URL. */
export function urlRule(schemes: readonly string[]): string {
  return `be a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
}
