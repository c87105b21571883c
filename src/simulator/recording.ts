/**
 * Bybit's order-book archive as a price source: JSON lines of `orderbook.<depth>.<symbol>` messages, one snapshot and then
 * deltas with absolute quantities ("0" deletes a level). Source: Bybit V5 docs, "Orderbook" topic; history data archive.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { decimal } from '../domain/decimal';
import type { AmbientLevel, AmbientUpdate } from './book';

/** Longest line taken: a snapshot of 1,000 levels is about 50 KB. */
const MAX_LINE_LENGTH = 1024 * 1024;

export interface RecordedUpdate {
  /** As the recording spells it, for example XRPUSDT. */
  readonly symbol: string;
  /** When the venue sent it, milliseconds. */
  readonly time: number;
  readonly update: AmbientUpdate;
}

/** Reads a recording line by line; memory does not grow with its length. Throws with the line's number when one is damaged. */
export async function* readRecording(path: string): AsyncGenerator<RecordedUpdate, void> {
  const input = createReadStream(path, 'utf8');
  const lines = createInterface({ input, crlfDelay: Infinity });
  let number = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (line.trim() === '') continue;
      yield parseLine(line, `${path} line ${number}`);
    }
  } finally {
    lines.close();
    input.destroy();
  }
}

function parseLine(line: string, where: string): RecordedUpdate {
  if (line.length > MAX_LINE_LENGTH) throw new Error(`${where} is longer than ${MAX_LINE_LENGTH} characters: not an order-book recording`);
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
    time: message.ts,
    update: { bids: levels(data.b, where), asks: levels(data.a, where), replace: type === 'snapshot' },
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
