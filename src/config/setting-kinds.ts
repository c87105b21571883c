/**
 * The kinds a setting can have. Each turns text into a value or says in one clause what the text must be, so that every
 * wrong setting ends in the same line: `PORT must be an integer from 1 to 65535, got "abc"`.
 */

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

/** Exactly 32 bytes as base64 or hexadecimal text; may be absent. */
export function optionalKey(common: Omit<Common<undefined>, 'default'>): SettingRow<Buffer | undefined> {
  return row<Buffer | undefined>({ ...common, default: undefined, secret: true }, (value) => {
    const key = keyFromText(value);
    return key === undefined ? { ok: false, must: 'be 32 bytes in base64 or hexadecimal (openssl rand -hex 32)' } : { ok: true, value: key };
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
