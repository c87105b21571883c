/** Recordings of real markets in any of the formats the simulator knows, told apart by what they begin with. */
import { basename } from 'node:path';
import type { PaperMarket } from '../market';
import { readBooks, recordedSymbol } from './books';
import { isCandlesHeader, readCandles } from './candles';
import type { RecordedEvent } from './event';
import { headOf } from './file';
import { isTradesHeader, readTradeArray, readTradesCsv } from './trades';

export type { RecordedEvent } from './event';

export type RecordingFormat = 'Bybit order-book lines' | 'trades CSV' | 'JSON array of trades' | '1-minute candles CSV';

/** A recording that is known to be readable, of a market that is known. */
export interface Recording {
  readonly path: string;
  readonly format: RecordingFormat;
  readonly market: PaperMarket;
  /** Its events from the beginning; each call reads the file anew. Throws with the line's number when one is damaged. */
  read(): AsyncGenerator<RecordedEvent, void>;
}

/**
 * Opens a recording. Its market is the one `symbol` names; without that, the one its messages name (order books) or its file
 * name does (the others). Throws an Error that says what is wrong with the file, or which markets it could be of.
 */
export async function openRecording(path: string, markets: readonly PaperMarket[], symbol: string | null): Promise<Recording> {
  const head = await headOf(path);
  const format = formatOf(head);
  if (head === '') throw new Error(`${path} is empty`);
  if (format === null) {
    throw new Error(`${path} is of no known format: give Bybit order-book lines, a trades CSV (timestamp, side, price, amount), a JSON array of trades, or 1-minute candles (timestamp, open, high, low, close, volume)`);
  }
  const market = marketOf(path, format === 'Bybit order-book lines' ? await recordedSymbol(path) : null, markets, symbol);
  const read = (): AsyncGenerator<RecordedEvent, void> => {
    if (format === 'Bybit order-book lines') return readBooks(path);
    if (format === 'trades CSV') return readTradesCsv(path);
    return format === 'JSON array of trades' ? readTradeArray(path) : readCandles(path, market.lotSize);
  };
  return { path, format, market, read };
}

/** Opens it as a simulator would and reads its first event. Throws an Error that says what is wrong with it. */
export async function checkRecording(path: string, markets: readonly PaperMarket[], symbol: string | null): Promise<void> {
  const events = (await openRecording(path, markets, symbol)).read();
  try {
    if ((await events.next()).done === true) throw new Error(nothingIn(path));
  } finally {
    await events.return();
  }
}

/** Said of a recording without an event. */
export const nothingIn = (path: string): string => `${path} holds nothing: no message, trade or candle`;

function formatOf(head: string): RecordingFormat | null {
  if (head.startsWith('[')) return 'JSON array of trades';
  if (head.startsWith('{')) return 'Bybit order-book lines';
  const [header = ''] = head.split('\n');
  if (isCandlesHeader(header)) return '1-minute candles CSV';
  return isTradesHeader(header) ? 'trades CSV' : null;
}

function marketOf(path: string, recorded: string | null, markets: readonly PaperMarket[], symbol: string | null): PaperMarket {
  const bySymbol = symbol === null ? undefined : markets.find((market) => market.symbol === symbol);
  if (bySymbol !== undefined) return bySymbol;
  const known = markets.map((market) => market.symbol).join(', ');
  if (symbol !== null) throw new Error(`--data-market ${symbol} is no market here; there are ${known}`);
  if (recorded !== null) {
    const found = markets.find((market) => market.recordedAs === recorded);
    if (found === undefined) throw new Error(`${path} records ${recorded}, which no market here is fed by; say which one with --data-market (${known})`);
    return found;
  }
  const name = plain(basename(path));
  const found = markets.find((market) => name.includes(plain(market.recordedAs)) || name.includes(plain(market.symbol)));
  if (found === undefined) throw new Error(`the name of ${path} tells no market; say which one with --data-market (${known})`);
  return found;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
