/**
 * The two messages that come most, l2Book and userFills, read by hand: exactly what bookSchema and userFillsSchema accept, and
 * what they make of it, at a third of the time (a test compares them on random and mutated messages).
 */
import { decimalText } from '../../domain/decimal';
import type { BookLevel } from '../../domain/market';
import type { VenueFill } from '../../domain/venue';

/** The message is not what its schema promises; the words name the field. */
export class UnreadableMessage extends Error {}

/** Told of each field that is not known, by its path. */
export type OnUnknownField = (path: string) => void;

export interface HotBook {
  readonly coin: string;
  readonly time: number;
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
}

export interface HotFills {
  readonly isSnapshot: boolean;
  readonly fills: readonly VenueFill[];
}

type Fields = Readonly<Record<string, unknown>>;

export function readBook(data: unknown, onUnknown: OnUnknownField): HotBook {
  const book = fieldsOf(data, 'data');
  for (const key in book) if (key !== 'coin' && key !== 'time' && key !== 'levels' && key !== 'spread') onUnknown(key);
  const { coin, levels } = book;
  if (typeof coin !== 'string') throw unreadable('coin');
  if (!Array.isArray(levels) || levels.length !== 2) throw unreadable('levels');
  return { coin, time: timeOf(book['time']), bids: readLevels(levels[0], onUnknown), asks: readLevels(levels[1], onUnknown) };
}

function readLevels(side: unknown, onUnknown: OnUnknownField): BookLevel[] {
  if (!Array.isArray(side)) throw unreadable('levels');
  const levels = new Array<BookLevel>(side.length);
  for (let index = 0; index < side.length; index += 1) {
    const level = fieldsOf(side[index], 'levels');
    for (const key in level) if (key !== 'px' && key !== 'sz' && key !== 'n') onUnknown(`levels.${key}`);
    levels[index] = [numberOf(level['px'], 'levels.px'), numberOf(level['sz'], 'levels.sz')];
  }
  return levels;
}

/** Fields of a fill: those that are read, and those that are known to come besides. */
const FILL_FIELDS: ReadonlySet<string> = new Set([
  'coin', 'px', 'sz', 'side', 'time', 'closedPnl', 'oid', 'crossed', 'fee', 'tid', 'feeToken', 'cloid',
  'startPosition', 'dir', 'hash', 'twapId', 'builderFee', 'builder', 'feeTrialEscrow', 'liquidation', 'deployerFee', 'priorityGas',
]);
export const FILL_FIELDS_NOT_READ: readonly string[] = [...FILL_FIELDS].slice(12);

export function readUserFills(data: unknown, onUnknown: OnUnknownField): HotFills {
  const told = fieldsOf(data, 'data');
  for (const key in told) if (key !== 'user' && key !== 'fills' && key !== 'isSnapshot') onUnknown(key);
  const { isSnapshot, user, fills } = told;
  if (isSnapshot !== undefined && typeof isSnapshot !== 'boolean') throw unreadable('isSnapshot');
  if (typeof user !== 'string') throw unreadable('user');
  if (!Array.isArray(fills)) throw unreadable('fills');
  return { isSnapshot: isSnapshot === true, fills: fills.map((fill) => readFill(fill, onUnknown)) };
}

function readFill(value: unknown, onUnknown: OnUnknownField): VenueFill {
  const fill = fieldsOf(value, 'fills');
  for (const key in fill) if (!FILL_FIELDS.has(key)) onUnknown(`fills.${key}`);
  const { coin, side, crossed, feeToken, cloid } = fill;
  if (typeof coin !== 'string' || coin === '') throw unreadable('fills.coin');
  if (side !== 'A' && side !== 'B') throw unreadable('fills.side');
  if (typeof crossed !== 'boolean') throw unreadable('fills.crossed');
  if (typeof feeToken !== 'string' || feeToken === '') throw unreadable('fills.feeToken');
  if (cloid !== undefined && cloid !== null && typeof cloid !== 'string') throw unreadable('fills.cloid');
  return {
    venueFillId: String(integerOf(fill['tid'], 'fills.tid')),
    venueOrderId: String(integerOf(fill['oid'], 'fills.oid')),
    venueClientId: fromCloid(cloid),
    venueSymbol: coin,
    side: side === 'B' ? 'buy' : 'sell',
    price: numberOf(fill['px'], 'fills.px'),
    quantity: numberOf(fill['sz'], 'fills.sz'),
    fee: numberOf(fill['fee'], 'fills.fee'),
    feeAsset: feeToken,
    liquidity: crossed ? 'taker' : 'maker',
    realizedPnl: numberOf(fill['closedPnl'], 'fills.closedPnl'),
    atMs: timeOf(fill['time']),
  };
}

/** A cloid in our spelling: 32 small hexadecimal digits. */
export function fromCloid(cloid: string | null | undefined): string | null {
  return cloid === null || cloid === undefined ? null : cloid.replace(/^0x/, '').toLowerCase();
}

const ZERO_DIGIT = 48;
const NINE_DIGIT = 57;
const POINT = 46;
const MINUS = 45;
/** A plain decimal has at most so many digits on either side of its point (domain/decimal.ts). */
const MAX_DIGITS = 40;

/**
 * The venue's number in our plain notation: "97000.0" is "97000". One pass; only what is not already plain but for a ".0" is
 * parsed. Throws UnreadableMessage on anything but a plain decimal.
 */
export function numberOf(value: unknown, field: string): string {
  if (typeof value !== 'string') throw unreadable(field);
  const { length } = value;
  const start = value.charCodeAt(0) === MINUS ? 1 : 0;
  let at = start;
  while (at < length && isDigit(value.charCodeAt(at))) at += 1;
  const whole = at - start;
  if (whole === 0 || whole > MAX_DIGITS) throw unreadable(field);
  const plainWhole = whole === 1 || value.charCodeAt(start) !== ZERO_DIGIT;
  if (at === length) return plainWhole && value !== '-0' ? value : decimalText(value);
  if (value.charCodeAt(at) !== POINT) throw unreadable(field);
  const point = at;
  at += 1;
  while (at < length && isDigit(value.charCodeAt(at))) at += 1;
  const fraction = at - point - 1;
  if (at !== length || fraction === 0 || fraction > MAX_DIGITS) throw unreadable(field);
  if (plainWhole && value.charCodeAt(length - 1) !== ZERO_DIGIT) return value;
  return plainWhole && fraction === 1 && start === 0 ? value.slice(0, point) : decimalText(value);
}

function isDigit(code: number): boolean {
  return code >= ZERO_DIGIT && code <= NINE_DIGIT;
}

function fieldsOf(value: unknown, field: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable(field);
  return value as Fields;
}

function integerOf(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value)) throw unreadable(field);
  return value as number;
}

function timeOf(value: unknown): number {
  const time = integerOf(value, 'time');
  if (time < 0) throw unreadable('time');
  return time;
}

function unreadable(field: string): UnreadableMessage {
  return new UnreadableMessage(`${field} is not what the adapter knows`);
}
