/** The small shapes every other schema is made of: ids, decimals, times, and what a query string may carry. */
import { z } from 'zod';
import { isKeptTime } from '../domain/clock';
import { decimalText } from '../domain/decimal';

/** Ids callers choose or were given. Harmless in a path, a workflow id, a log line and a search attribute. */
export const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 characters out of A-Z a-z 0-9 . _ -')
  .meta({ id: 'Id', description: 'An id: 1 to 64 characters out of A-Z a-z 0-9 . _ -', examples: ['my-order.1'] });

/** What a path takes for itself and its parent, also percent-encoded: `by-client-id/..` never arrives as it was meant. */
const PATH_WORDS = ['.', '..'];

/** Ids that callers name something by for ever, and ask for it by in a path. */
export const clientIdSchema = idSchema
  .refine((id) => !PATH_WORDS.includes(id), 'must be neither "." nor "..": in a path they mean the path itself and the one above it')
  .meta({ id: 'ClientId', description: 'An id of yours: 1 to 64 characters out of A-Z a-z 0-9 . _ -, neither "." nor "..".', not: { enum: PATH_WORDS }, examples: ['my-order.1'] });

/** Ids we made. */
export const uuidSchema = z.guid('must be an id as it was given out: a UUID').meta({ id: 'Uuid', description: 'An id that Surefill gave out.', examples: ['0193e2a4-6c1e-7a50-9b1d-3f1c2a4b5c6d'] });

/** Any decimal the API shows. Canonical, plain notation. */
export const decimalSchema = z
  .string()
  .regex(/^-?\d{1,40}(\.\d{1,40})?$/, 'must be a decimal in plain notation, as a string such as "0.001"')
  .meta({ id: 'Decimal', description: 'An exact decimal in plain notation; a string, never a JSON number.', examples: ['0.001'] });

/** A price or quantity a caller sends: above zero. At most 20 digits on either side of the point: more is a mistake. */
export const positiveDecimalSchema = z
  .string('must be a decimal as a string such as "0.001"')
  .regex(/^(?=.*[1-9])\d{1,20}(\.\d{1,20})?$/, 'must be a decimal above zero in plain notation, at most 20 digits on either side of the point, as a string such as "0.001"')
  .meta({ id: 'PositiveDecimal', description: 'An exact decimal above zero, in plain notation; a string, never a JSON number.', examples: ['0.001'] });

/** Canonical text of a decimal that passed one of the schemas above. */
export const canonicalDecimal = decimalText;

/** A text that is no time has its own word from the format. */
function canBeKept(text: string): boolean {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || isKeptTime(ms);
}

export const timeSchema = z.iso.datetime({ offset: true }).refine(canBeKept, 'must be in the years 1 to 9999 of UTC').meta({ id: 'Time', description: 'ISO 8601 with zone.', examples: ['2026-01-31T12:00:00.000Z'] });

/** `BTC-PERP`, `xyz:TSLA-PERP`, or a venue's own spelling such as `BTCUSDT` or `BTC/USDT:USDT`. */
export const symbolSchema = z
  .string()
  .regex(/^[A-Za-z0-9._:/@-]{1,64}$/, 'must be a symbol such as BTC-PERP, or the venue\'s own spelling')
  .meta({ id: 'Symbol', description: 'Unified symbol (BTC-PERP, BTC-USDT, xyz:TSLA-PERP); the venue\'s own spelling is accepted where a market is named.', examples: ['BTC-PERP'] });

export const venueNameSchema = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/, 'must be a venue\'s name, as GET /api/v1/venues lists it')
  .meta({ id: 'VenueName', description: 'A venue\'s name, as GET /api/v1/venues lists it.', examples: ['paper'] });

/** What a query parameter looks like to a caller, where its parsed form differs from its text. */
export interface ParameterShape {
  readonly type: 'integer' | 'boolean' | 'array' | 'string';
  readonly [keyword: string]: unknown;
}

interface IntegerRange {
  readonly min: number;
  readonly max: number;
  readonly description: string;
}

/** An integer in a query string: digits only, so that "1e3", "0x10" and "" are refused. */
function integerText({ min, max }: IntegerRange) {
  return z
    .string()
    .regex(/^\d{1,16}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.number().int().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
}

export function queryInteger(options: IntegerRange & { readonly fallback: number }) {
  const shape: ParameterShape = { type: 'integer', minimum: options.min, maximum: options.max, default: options.fallback };
  return integerText(options).default(options.fallback).meta({ description: options.description, parameter: shape });
}

export function optionalQueryInteger(options: IntegerRange) {
  const shape: ParameterShape = { type: 'integer', minimum: options.min, maximum: options.max };
  return integerText(options).optional().meta({ description: options.description, parameter: shape });
}

/** A time in a query string: ISO 8601 with zone, as every time of this API. Parsed to ms since the epoch. */
export function queryTime(description: string) {
  const shape: ParameterShape = { type: 'string', format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] };
  const message = 'must be a time since 1970 in ISO 8601 with zone, such as 2026-01-31T12:00:00Z';
  return z.iso
    .datetime({ offset: true, message })
    .transform((text) => Date.parse(text))
    .refine((ms) => ms >= 0, message)
    .optional()
    .meta({ description, parameter: shape });
}

export function queryFlag(description: string) {
  const shape: ParameterShape = { type: 'boolean', default: false };
  return z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false)
    .meta({ description, parameter: shape });
}

/** Most symbols of one query: the URL stays below what proxies accept. */
const MAX_SYMBOLS = 100;

export function querySymbols(description: string) {
  const shape: ParameterShape = { type: 'array', items: { $ref: '#/components/schemas/Symbol' }, maxItems: MAX_SYMBOLS };
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(symbolSchema).max(MAX_SYMBOLS, `must name at most ${MAX_SYMBOLS} symbols`))
    .optional()
    .meta({ description, parameter: shape });
}

/** A page's size; a page of the largest size stays near 1 MB of JSON. */
export const PAGE_LIMIT = { min: 1, max: 1_000, fallback: 100 } as const;

export const pageQuery = {
  limit: queryInteger({ ...PAGE_LIMIT, description: 'Most rows of one page.' }),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_.:=+/-]{1,512}$/, 'must be the nextCursor of the page before, unchanged')
    .optional()
    .meta({ description: 'nextCursor of the page before.' }),
};

export const nextCursorSchema = z.string().nullable().meta({ description: 'Send it as cursor for the next page; null on the last.' });
