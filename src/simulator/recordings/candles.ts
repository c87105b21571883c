/**
 * One-minute candles as a price source: CSV of timestamp (UTC), open, high, low, close and volume in the quote asset. A
 * candle does not tell its way: here it goes to the extreme that lies against its close first (open, low, high, close when
 * it rose), each with a quarter of its volume, a quarter of a minute apart.
 */
import { Decimal, ZERO } from '../../domain/decimal';
import type { Side } from '../order';
import type { RecordedEvent } from './event';
import { linesOf } from './file';
import { namesOf, positive } from './trades';

const STEP_MS = 15_000;
const COLUMNS = ['timestamp', 'open', 'high', 'low', 'close', 'volume'] as const;
const UTC = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?Z?$/;
const NUMBER = /^\d{1,20}(\.\d{1,30})?$/;

export function isCandlesHeader(line: string): boolean {
  const names = namesOf(line);
  return COLUMNS.every((column) => names.includes(column));
}

/** Four trades a candle. `lotSize`: what their quantities are rounded down to; one of less than a lot only moves the price. */
export async function* readCandles(path: string, lotSize: Decimal): AsyncGenerator<RecordedEvent, void> {
  let names: string[] | null = null;
  let previous: Decimal | null = null;
  for await (const { line, where } of linesOf(path)) {
    if (names === null) {
      names = namesOf(line);
      continue;
    }
    const values = line.split(',');
    const of = (column: string): string => values[names?.indexOf(column) ?? -1]?.trim() ?? '';
    const [open, high, low, close] = (['open', 'high', 'low', 'close'] as const).map((column) => positive(column, of(column), where)) as [Decimal, Decimal, Decimal, Decimal];
    if (low.greaterThan(Decimal.min(open, close)) || high.lessThan(Decimal.max(open, close))) throw new Error(`${where}: low and high must enclose open and close`);
    const time = timeOf(of('timestamp'), where);
    const volume = volumeOf(of('volume'), where).dividedBy(4);
    const rose = close.greaterThanOrEqualTo(open);
    for (const [index, price] of (rose ? [open, low, high, close] : [open, high, low, close]).entries()) {
      const side: Side = previous === null || price.equals(previous) ? (rose ? 'buy' : 'sell') : price.greaterThan(previous) ? 'buy' : 'sell';
      const quantity = volume.dividedBy(price).dividedToIntegerBy(lotSize).times(lotSize);
      yield { kind: 'trade', time: time + index * STEP_MS, trade: { side, price, quantity } };
      previous = price;
    }
  }
}

function timeOf(text: string, where: string): number {
  const [, day, clock, fraction = '0'] = UTC.exec(text) ?? [];
  const time = day === undefined ? Number.NaN : Date.parse(`${day}T${clock ?? ''}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  if (Number.isNaN(time)) throw new Error(`${where}: timestamp must be UTC like 2022-01-01 00:00:00, not ${JSON.stringify(text)}`);
  return time;
}

function volumeOf(text: string, where: string): Decimal {
  if (!NUMBER.test(text)) throw new Error(`${where}: volume must be a number of at least 0, not ${JSON.stringify(text)}`);
  const volume = new Decimal(text);
  return volume.isZero() ? ZERO : volume;
}
