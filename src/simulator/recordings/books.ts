/**
 * Bybit's order-book archive as a price source: JSON lines of `orderbook.<depth>.<symbol>` messages, one snapshot and then
 * deltas with absolute quantities ("0" deletes a level). Source: Bybit V5 docs, "Orderbook" topic; history data archive.
 */
import { decimal } from '../../domain/decimal';
import type { AmbientLevel } from '../book';
import type { RecordedEvent } from './event';
import { linesOf } from './file';

interface BookMessage {
  readonly symbol: string;
  readonly event: RecordedEvent & { readonly kind: 'book' };
}

export async function* readBooks(path: string): AsyncGenerator<RecordedEvent, void> {
  let isFirst = true;
  for await (const { line, where } of linesOf(path)) {
    const { event } = parseLine(line, where);
    if (isFirst && !event.update.replace) throw new Error(`${path} does not begin with a snapshot`);
    isFirst = false;
    yield event;
  }
}

/** The symbol of the first message, as the recording spells it: for example XRPUSDT. */
export async function recordedSymbol(path: string): Promise<string> {
  for await (const { line, where } of linesOf(path)) return parseLine(line, where).symbol;
  throw new Error(`${path} holds no order-book message`);
}

function parseLine(line: string, where: string): BookMessage {
  let message: { topic?: unknown; type?: unknown; ts?: unknown; data?: { s?: unknown; b?: unknown; a?: unknown } } | null;
  try {
    message = JSON.parse(line) as typeof message;
  } catch (error) {
    throw new Error(`${where} is not JSON: expected the lines of Bybit's order-book archive`, { cause: error });
  }
  const data = message?.data;
  const type = message?.type;
  if (typeof message?.ts !== 'number' || typeof data?.s !== 'string' || (type !== 'snapshot' && type !== 'delta')) {
    throw new Error(`${where} is not an order-book message: expected type snapshot or delta, ts and data.s`);
  }
  return {
    symbol: data.s,
    event: { kind: 'book', time: message.ts, update: { bids: levels(data.b, where), asks: levels(data.a, where), replace: type === 'snapshot' } },
  };
}

function levels(value: unknown, where: string): AmbientLevel[] {
  if (!Array.isArray(value)) throw new Error(`${where}: data.b and data.a must be lists of [price, quantity]`);
  return value.map((level: unknown) => {
    const [price, quantity] = Array.isArray(level) ? (level as unknown[]) : [];
    if (typeof price !== 'string' || typeof quantity !== 'string') throw new Error(`${where}: a level must be [price, quantity] as strings`);
    return [decimal(price), decimal(quantity)] as const;
  });
}
