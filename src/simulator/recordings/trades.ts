/**
 * Public trades as exchange libraries save them (ccxt's field names): a CSV with a header, or a JSON array of
 * [timestamp ms, id, type, side, price, amount, cost]. `side` is the taker's. Numbers are taken as text, never as floats.
 */
import { Decimal } from '../../domain/decimal';
import type { RecordedEvent } from './event';
import { linesOf, piecesOf } from './file';

const NUMBER = /^\d{1,20}(\.\d{1,30})?(e-?\d{1,2})?$/i;
const TIME_MS = /^\d{10,15}$/;
const COLUMNS = ['timestamp', 'side', 'price', 'amount'] as const;
type Row = Readonly<Record<(typeof COLUMNS)[number], string | undefined>>;

/** True for the header of a trades CSV; its columns may come in any order, others beside them. */
export function isTradesHeader(line: string): boolean {
  const names = namesOf(line);
  return COLUMNS.every((column) => names.includes(column));
}

export async function* readTradesCsv(path: string): AsyncGenerator<RecordedEvent, void> {
  let names: string[] | null = null;
  for await (const { line, where } of linesOf(path)) {
    if (names === null) {
      names = namesOf(line);
      continue;
    }
    const values = line.split(',');
    const of = (column: string): string | undefined => values[names?.indexOf(column) ?? -1]?.trim();
    yield tradeOf({ timestamp: of('timestamp'), side: of('side'), price: of('price'), amount: of('amount') }, where);
  }
}

/** The inside of one trade of an array, up to its closing bracket; the fields after the amount do not matter. */
const ARRAY_TRADE = /^[\s[,]*\[\s*(\d+)\s*,[^,]*,[^,]*,\s*"(\w+)"\s*,\s*"?([\d.eE+-]+)"?\s*,\s*"?([\d.eE+-]+)"?\s*(?:,.*)?$/s;

export async function* readTradeArray(path: string): AsyncGenerator<RecordedEvent, void> {
  let number = 0;
  for await (const { piece, isLast } of piecesOf(path, ']')) {
    // What follows the last trade: the array's own bracket, and nothing.
    if (piece.trim() === '') continue;
    number += 1;
    const where = `${path} trade ${number}`;
    const [, timestamp, side, price, amount] = ARRAY_TRADE.exec(piece) ?? [];
    if (timestamp === undefined || isLast) throw new Error(`${where} is not [timestamp, id, type, side, price, amount, …]`);
    yield tradeOf({ timestamp, side, price, amount }, where);
  }
}

function tradeOf({ timestamp = '', side = '', price = '', amount = '' }: Row, where: string): RecordedEvent {
  if (!TIME_MS.test(timestamp)) throw new Error(`${where}: timestamp must be milliseconds since 1970, not ${JSON.stringify(timestamp)}`);
  if (side !== 'buy' && side !== 'sell') throw new Error(`${where}: side must be buy or sell, not ${JSON.stringify(side)}`);
  return { kind: 'trade', time: Number(timestamp), trade: { side, price: positive('price', price, where), quantity: positive('amount', amount, where) } };
}

/** A decimal above zero out of a recording's text, which may have an exponent. */
export function positive(name: string, text: string, where: string): Decimal {
  const value = NUMBER.test(text) ? new Decimal(text) : null;
  if (value === null || !value.greaterThan(0)) throw new Error(`${where}: ${name} must be a number above 0, not ${JSON.stringify(text)}`);
  return value;
}

export function namesOf(header: string): string[] {
  return header.split(',').map((name) => name.trim().toLowerCase());
}
