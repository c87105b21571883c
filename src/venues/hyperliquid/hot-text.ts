/**
 * The two messages that come most, read from their text without making the object it stands for: faster than JSON.parse alone,
 * with every character checked. Only the exact spelling that the venue uses is known here (its keys in its order, no spaces,
 * no escapes, no field besides); of anything else `null` is answered, and hot-messages.ts reads it. Tests hold the two equal.
 */
import { decimalText } from '../../domain/decimal';
import type { BookLevel } from '../../domain/market';
import type { VenueFill } from '../../domain/venue';
import { fromCloid, type HotBook, type HotFills } from './hot-messages';

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const CLOSE_LIST = 93;
const CLOSE_OBJECT = 125;
const ZERO_DIGIT = 48;
const NINE_DIGIT = 57;
const POINT = 46;
const MINUS = 45;
/** As in a plain decimal (domain/decimal.ts), on either side of its point. */
const MAX_DIGITS = 40;
/** A whole number of so many digits is exact as a JavaScript number. */
const SAFE_DIGITS = 15;
const FIRST_PRINTABLE = 32;
const LAST_ASCII = 126;

const BOOK_START = '{"channel":"l2Book","data":{"coin":';
const FILLS_START = '{"channel":"userFills","data":{"user":';

/** Thrown and caught here alone: the text is not spelled as expected. One object, because making a stack costs more than reading. */
const OTHERWISE = new Error('spelled otherwise');

/** A book by its text; null where it is not spelled exactly as the venue does. */
export function scanBook(text: string): HotBook | null {
  if (!text.startsWith(BOOK_START)) return null;
  return attempt(() => {
    const scan = new Scanner(text, BOOK_START.length);
    const coin = scan.word();
    scan.expect(',"time":');
    const time = scan.integer();
    scan.expect(',"levels":[[');
    const bids = scan.levels();
    scan.expect(',[');
    const asks = scan.levels();
    scan.expect(']}}');
    scan.end();
    return { coin, time, bids, asks };
  });
}

/** Fills by their text, those of a snapshot too; null where they are not spelled exactly as the venue does. */
export function scanFills(text: string): HotFills | null {
  if (!text.startsWith(FILLS_START)) return null;
  return attempt(() => {
    const scan = new Scanner(text, FILLS_START.length);
    scan.word();
    scan.expect(',"fills":[');
    const fills = [scan.fill()];
    while (scan.took(COMMA)) fills.push(scan.fill());
    scan.expect(']}}');
    scan.end();
    return { isSnapshot: false, fills };
  });
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error === OTHERWISE) return null;
    throw error;
  }
}

class Scanner {
  constructor(
    private readonly text: string,
    private at: number,
  ) {}

  expect(words: string): void {
    const { text, at } = this;
    const { length } = words;
    for (let index = 0; index < length; index += 1) if (text.charCodeAt(at + index) !== words.charCodeAt(index)) throw OTHERWISE;
    this.at = at + length;
  }

  took(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false;
    this.at += 1;
    return true;
  }

  end(): void {
    if (this.at !== this.text.length) throw OTHERWISE;
  }

  /** What stands between quotes, plain and not empty. */
  word(): string {
    const { text } = this;
    const start = this.at + 1;
    if (text.charCodeAt(this.at) !== QUOTE) throw OTHERWISE;
    let at = start;
    for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
      // NaN past the end is no such code either.
      if (!(code >= FIRST_PRINTABLE && code <= LAST_ASCII) || code === BACKSLASH) throw OTHERWISE;
      at += 1;
    }
    if (at === start) throw OTHERWISE;
    this.at = at + 1;
    return text.slice(start, at);
  }

  /** A whole number, not negative, as JSON spells it. */
  integer(): number {
    const { text } = this;
    const start = this.at;
    let at = start;
    let value = 0;
    for (let code = text.charCodeAt(at); code >= ZERO_DIGIT && code <= NINE_DIGIT; code = text.charCodeAt(at)) {
      value = value * 10 + code - ZERO_DIGIT;
      at += 1;
    }
    const digits = at - start;
    if (digits === 0 || digits > SAFE_DIGITS || (digits > 1 && text.charCodeAt(start) === ZERO_DIGIT)) throw OTHERWISE;
    this.at = at;
    return value;
  }

  /** A plain decimal between quotes, in our notation: "97000.0" is "97000". */
  decimal(): string {
    const { text } = this;
    if (text.charCodeAt(this.at) !== QUOTE) throw OTHERWISE;
    const start = this.at + 1;
    const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
    let at = first;
    let code = text.charCodeAt(at);
    while (code >= ZERO_DIGIT && code <= NINE_DIGIT) code = text.charCodeAt((at += 1));
    const whole = at - first;
    if (whole === 0 || whole > MAX_DIGITS) throw OTHERWISE;
    const plain = whole === 1 || text.charCodeAt(first) !== ZERO_DIGIT;
    const point = at;
    let fraction = 0;
    if (code === POINT) {
      code = text.charCodeAt((at += 1));
      while (code >= ZERO_DIGIT && code <= NINE_DIGIT) code = text.charCodeAt((at += 1));
      fraction = at - point - 1;
      if (fraction === 0 || fraction > MAX_DIGITS) throw OTHERWISE;
    }
    if (code !== QUOTE) throw OTHERWISE;
    this.at = at + 1;
    const positive = first === start;
    if (plain && positive && fraction === 0) return text.slice(start, at);
    if (plain && fraction > 0 && text.charCodeAt(at - 1) !== ZERO_DIGIT) return text.slice(start, at);
    if (plain && positive && fraction === 1) return text.slice(start, point);
    return decimalText(text.slice(start, at));
  }

  flag(): boolean {
    if (this.text.charCodeAt(this.at) === TRUE_BEGINS) {
      this.expect('true');
      return true;
    }
    this.expect('false');
    return false;
  }

  /** Levels of one side with the bracket that ends them; the one that begins them was read. */
  levels(): BookLevel[] {
    const levels: BookLevel[] = [];
    if (this.took(CLOSE_LIST)) return levels;
    for (;;) {
      this.expect('{"px":');
      const price = this.decimal();
      this.expect(',"sz":');
      const quantity = this.decimal();
      this.expect(',"n":');
      this.integer();
      if (!this.took(CLOSE_OBJECT)) throw OTHERWISE;
      levels.push([price, quantity]);
      if (this.took(CLOSE_LIST)) return levels;
      if (!this.took(COMMA)) throw OTHERWISE;
    }
  }

  fill(): VenueFill {
    this.expect('{"coin":');
    const venueSymbol = this.word();
    this.expect(',"px":');
    const price = this.decimal();
    this.expect(',"sz":');
    const quantity = this.decimal();
    this.expect(',"side":');
    const side = this.word();
    if (side !== 'A' && side !== 'B') throw OTHERWISE;
    this.expect(',"time":');
    const atMs = this.integer();
    this.expect(',"startPosition":');
    this.decimal();
    this.expect(',"dir":');
    this.word();
    this.expect(',"closedPnl":');
    const realizedPnl = this.decimal();
    this.expect(',"hash":');
    this.word();
    this.expect(',"oid":');
    const oid = this.integer();
    this.expect(',"crossed":');
    const crossed = this.flag();
    this.expect(',"fee":');
    const fee = this.decimal();
    this.expect(',"tid":');
    const tid = this.integer();
    const venueClientId = this.cloid();
    this.expect(',"feeToken":');
    const feeAsset = this.word();
    this.expect(',"twapId":null}');
    return { venueFillId: String(tid), venueOrderId: String(oid), venueClientId, venueSymbol, side: side === 'B' ? 'buy' : 'sell', price, quantity, fee, feeAsset, liquidity: crossed ? 'taker' : 'maker', realizedPnl, atMs };
  }

  /** `"cloid"` comes before `"feeToken"` where the order has one. */
  private cloid(): string | null {
    if (this.text.charCodeAt(this.at + 2) !== CLOID_BEGINS) return null;
    this.expect(',"cloid":');
    return fromCloid(this.word());
  }
}

const TRUE_BEGINS = 116;
const CLOID_BEGINS = 99;
